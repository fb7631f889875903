"""Ways to reach somebody and pleas for money, in every disguise that people have thought of, and no false alarms."""

from __future__ import annotations

import sys
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.content import contact_details, money, rules

DATA = Path(__file__).parent.parent / "data"


def lines(name: str) -> list[list[str]]:
    """Each line is the texts of one act, title and text parted by ⏎."""
    return [line.split("⏎") for line in (DATA / name).read_text("utf-8").splitlines()]


@pytest.mark.parametrize("texts", lines("disguised_numbers.txt"))
def test_a_number_or_an_account_is_seen_in_its_disguise(texts: list[str]) -> None:
    with pytest.raises(rules.ContactInText):
        rules.refuse_unfit(texts, official=False)


def test_hundreds_of_ordinary_sentences_raise_no_alarm() -> None:
    ordinary = lines("ordinary_numbers.txt") + lines("ordinary_money.txt")
    assert len(lines("ordinary_numbers.txt")) >= 100
    assert len(lines("ordinary_money.txt")) >= 50
    assert [texts for texts in ordinary if contact_details.found(texts)] == []
    assert [texts for texts in ordinary if money.asked_for(texts)] == []


@pytest.mark.parametrize("texts", lines("asks_for_money.txt"))
def test_money_is_not_asked_for_in_whatever_words(texts: list[str]) -> None:
    with pytest.raises(rules.MoneyAsked):
        rules.refuse_unfit(texts, official=False)


# Every decimal digit that Unicode has, by its value.
_DIGITS = [
    [chr(point) for point in range(sys.maxunicode) if unicodedata.decimal(chr(point), None) == value]
    for value in range(10)
]
# No colon and no dot: those make times, dates and prices; the lists above have them.
_SEPARATORS = [
    "",
    " ",
    "-",
    "—",
    "#",
    "&",
    "'",
    ";",
    "@",
    "!",
    "|",
    "~",
    "_",
    "😀",
    "☎",
    "…",
    "→",
    "\u200b",
    "（",
    "）",
]


@st.composite
def disguised(draw: st.DrawFn) -> str:
    number = "1" + draw(st.sampled_from("3456789")) + draw(st.text("0123456789", min_size=9, max_size=9))
    sizes = draw(st.sampled_from([(3, 4, 4), (3, 8), (7, 4), (11,), (1,) * 11]))
    between = draw(st.sampled_from(_SEPARATORS))
    written, at = [], 0
    for size in sizes:
        group = number[at : at + size]
        written.append("".join(draw(st.sampled_from(_DIGITS[int(digit)])) for digit in group))
        at += size
    return draw(st.sampled_from(["", "找我", "口罩，", "谢谢 "])) + between.join(written)


@given(text=disguised())
def test_a_mobile_number_is_found_in_any_digits_with_anything_between(text: str) -> None:
    assert "mobile" in contact_details.found([text])


@given(text=disguised(), data=st.data())
def test_and_when_it_is_cut_in_two_by_title_and_text(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(1, len(text) - 1))
    assert contact_details.found([text[:at], text[at:]])


class TestWhatStaffSayForAnArea:
    @pytest.mark.parametrize(
        "text",
        ["请打居委会电话 0573-82838483", "客服 400-820-8820", "来信 guiyuan@example.gov.cn", "为灾区募捐，请到居委会"],
    )
    def test_it_names_the_office_and_collects_for_a_charity(self, text: str) -> None:
        rules.refuse_unfit([text], official=True)

    @pytest.mark.parametrize(
        "text", ["小王 13800138000", "加微信 lijuju88", "QQ 123456789", "0573-82838483 或 138 0013 8000"]
    )
    def test_nobody_s_own_number_stands_in_it(self, text: str) -> None:
        with pytest.raises(rules.PrivateContactInText):
            rules.refuse_unfit([text], official=True)


def calls(act: Callable[[], object]) -> int:
    """How many Python functions were called: the same on any machine."""
    count = 0

    def note(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "13 ",
        "1-3-8-",
        "138001 ",
        "一三",
        "元1",
        "o0",
        "微信",
        "a",
        "2020-02-10 ",
        "借我",
        "v",
        "@a",
        "１３８\u200b",
    ],
)
def test_a_long_text_takes_no_longer_than_its_length(piece: str) -> None:
    def look(times: int) -> None:
        contact_details.found([piece * times])
        money.asked_for([piece * times])

    def seconds(times: int) -> float:
        """Of the processor, the least of five: what patterns do inside is no call."""
        began = [(time.process_time(), look(times), time.process_time()) for _ in range(5)]
        return min(end - start for start, _, end in began)

    look(10)  # what is remembered once
    assert calls(lambda: look(400)) <= 4.5 * calls(lambda: look(100))
    assert seconds(800) <= 10 * seconds(200)  # 16 times, if it went by the square
