"""The rotating codes: good for their moment and the next, of no use for another shift."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.kit import ids
from chalicelib.shifts.presence import codes

NOON = datetime(2026, 11, 22, 12, 0, 10, tzinfo=UTC)
AREA = ".330402001001"
SECOND = timedelta(seconds=1)
BOTH = [(codes.scene, codes.judge_scene, 30), (codes.digits, codes.judge_digits, 60)]
each_code = pytest.mark.parametrize(("make", "judge", "shown"), BOTH, ids=["scene", "digits"])
Make = Callable[[str, datetime], str]
Judge = Callable[[str, str, datetime], str]


@pytest.fixture(autouse=True)
def _secrets_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTINGS_TTL_SECONDS", "3600")


@pytest.fixture
def shift() -> str:
    return ids.new_id("shift") + AREA


def test_a_scene_is_as_long_as_wechat_allows_and_names_the_shift(shift: str) -> None:
    scene = codes.scene(shift, NOON)
    assert re.fullmatch("[a-z2-7]{32}", scene)
    assert codes.shift_in(scene) == shift.partition(".")[0]


@pytest.mark.parametrize("text", ["", "x", "a" * 31, "a" * 33, "A" * 32, "1" * 32, "口" * 32, "a" * 32 + "\n"])
def test_what_is_no_scene_names_no_shift(text: str) -> None:
    assert codes.shift_in(text) is None


def test_digits_are_always_six(shift: str) -> None:
    made = {codes.digits(shift, NOON + minute * 60 * SECOND) for minute in range(300)}
    assert all(re.fullmatch("[0-9]{6}", each) for each in made)
    assert any(each.startswith("0") for each in made)
    assert len(made) > 290, "they hardly ever repeat"


@each_code
def test_a_code_goes_through_while_it_is_shown_and_once_as_long_again(
    make: Make, judge: Judge, shown: int, shift: str
) -> None:
    begins = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    code = make(shift, begins)
    assert make(shift, begins + (shown - 1) * SECOND) == code
    assert make(shift, begins + shown * SECOND) != code
    for later in (0, shown - 1, shown, 2 * shown - 1):
        assert judge(shift, code, begins + later * SECOND) == "right"
    assert judge(shift, code, begins + 2 * shown * SECOND) == "old"
    assert judge(shift, code, begins + timedelta(minutes=10)) == "old"
    assert judge(shift, code, begins + timedelta(minutes=12)) == "wrong"
    assert judge(shift, code, begins - SECOND) == "wrong", "nobody knows the next one"


@each_code
def test_the_code_of_one_shift_is_worth_nothing_at_another(make: Make, judge: Judge, shown: int, shift: str) -> None:
    other = ids.new_id("shift") + AREA
    assert judge(other, make(shift, NOON), NOON) == "wrong"


def test_whoever_knows_all_scenes_of_a_shift_has_to_guess_those_of_another(shift: str) -> None:
    other = ids.new_id("shift") + AREA
    nonces = {codes.scene(shift, NOON + step * 30 * SECOND)[26:] for step in range(500)}
    assert len(nonces) == 500
    assert codes.scene(other, NOON)[26:] not in nonces
    forged = other.partition(".")[0].removeprefix("shift_") + codes.scene(shift, NOON)[26:]
    assert codes.judge_scene(other, forged, NOON) == "wrong"


@each_code
def test_another_installation_makes_other_codes(
    make: Make, judge: Judge, shown: int, shift: str, configure: Callable[..., None]
) -> None:
    ours = make(shift, NOON)
    configure("openid_pepper", openid_pepper="another pepper")
    assert judge(shift, ours, NOON) == "wrong"


def test_the_area_in_the_id_does_not_matter_as_a_scene_has_none(shift: str) -> None:
    without = shift.partition(".")[0]
    assert codes.scene(shift, NOON) == codes.scene(without, NOON)
    assert codes.digits(shift, NOON) == codes.digits(without, NOON)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("012345", "012345"), (" 012 345 ", "012345"), ("012-345", "012345"), ("０１２３４５", "012345")],
)
def test_digits_are_understood_as_people_type_them(typed: str, meant: str) -> None:
    assert codes.as_typed(typed) == meant


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345a", "一二三四五六", "٠١٢٣٤٥", "+12345", "1e5000"])
def test_what_is_no_six_digits_is_not_made_into_them(typed: str) -> None:
    assert codes.as_typed(typed) is None


def test_the_next_code_comes_at_the_end_of_the_window() -> None:
    assert codes.shown_until(NOON, codes.SCENE_SHOWN) == NOON + 20 * SECOND
    assert codes.shown_until(NOON, codes.DIGITS_SHOWN) == NOON + 50 * SECOND
