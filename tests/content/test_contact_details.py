"""Ways to reach somebody are found in a text however they are written, and nowhere else."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.content import contact_details, rules
from chalicelib.content.contact_details import found

DATA = Path(__file__).parents[1] / "data"
DISGUISED = (DATA / "disguised_numbers.txt").read_text("utf-8").splitlines()
ORDINARY = (DATA / "ordinary_numbers.txt").read_text("utf-8").splitlines()
# The ten digits of every script that has some.
ZEROS = [point for point in range(sys.maxunicode) if unicodedata.decimal(chr(point), None) == 0]
GAPS = ["", " ", "-", "—", ":", "：", "#", "&", "'", ";", "@", ".", "/", "|", "😀", "📞", " - ", "……"]


def test_the_lists_are_long_enough_to_mean_something() -> None:
    assert min(len(set(DISGUISED)), len(set(ORDINARY))) >= 100


@pytest.mark.parametrize("text", DISGUISED)
def test_a_disguised_number_is_found(text: str) -> None:
    assert found(["好的", text]), text


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_sentence_with_numbers_is_none(text: str) -> None:
    assert found([text]) == set()


@given(
    rest=st.text("0123456789", min_size=9, max_size=9),
    second=st.sampled_from("3456789"),
    zero=st.sampled_from(ZEROS),
    gap=st.sampled_from(GAPS),
    groups=st.sampled_from([(3, 4, 4), (3, 8), (11,), (1,) * 11]),
)
def test_in_the_digits_of_any_script_and_with_anything_in_between(
    rest: str, second: str, zero: int, gap: str, groups: tuple[int, ...]
) -> None:
    digits = "".join(chr(zero + int(digit)) for digit in f"1{second}{rest}")
    parts = []
    for size in groups:
        parts.append(digits[:size])
        digits = digits[size:]
    assert "mobile" in found([f"打我{gap.join(parts)}吧"])


@pytest.mark.parametrize("cut", range(1, 11))
def test_a_number_split_over_title_and_text_is_found(cut: int) -> None:
    assert found(["13857300011"[:cut], "13857300011"[cut:]]) == {"mobile"}


def test_a_long_text_takes_no_longer_than_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows looked at for each group of digits: as many, however long the text is."""
    looked: list[int] = []
    kind: Callable[[Any], Any] = contact_details._Window.kind

    def counting(window: Any) -> Any:
        looked.append(1)
        return kind(window)

    monkeypatch.setattr(contact_details._Window, "kind", counting)

    def windows(times: int) -> int:
        looked.clear()
        found(["1 2 3 4 5 6 7 8 9 0 " * times])
        return len(looked)

    assert windows(40) / windows(20) == pytest.approx(2, rel=0.1)
    assert windows(200) / windows(100) == pytest.approx(2, rel=0.1)


class TestTheRule:
    @pytest.mark.parametrize("text", ["13857300011", "微信号 li_ju_2020", "QQ 12345678", "0573-82838483", "a@b.cn"])
    def test_residents_write_none(self, text: str) -> None:
        with pytest.raises(rules.ContactInText):
            rules.refuse_contact_details([text], official=False)

    @pytest.mark.parametrize("text", ["居委会电话 0573-82838483", "热线 400-812-3123", "投稿 jiaxing@example.org"])
    def test_staff_write_those_of_an_office(self, text: str) -> None:
        rules.refuse_contact_details([text], official=True)

    @pytest.mark.parametrize("text", ["网格员手机 13857300011", "加微信 wangge_2020", "QQ 12345678"])
    def test_and_nobodys_own(self, text: str) -> None:
        with pytest.raises(rules.PrivateContactInText):
            rules.refuse_contact_details([text], official=True)
