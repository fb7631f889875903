"""Requests for money are refused, in whatever words; prices and change are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from chalicelib.help import money
from chalicelib.help.rules import MoneyAsked

DATA = Path(__file__).parents[1] / "data"
ASKING = (DATA / "asking_for_money.txt").read_text("utf-8").splitlines()
ORDINARY = (DATA / "ordinary_prices.txt").read_text("utf-8").splitlines()


def test_the_lists_are_long_enough_to_mean_something() -> None:
    assert min(len(set(ASKING)), len(set(ORDINARY))) >= 50


@pytest.mark.parametrize("text", ASKING)
def test_money_is_not_asked_for(text: str) -> None:
    with pytest.raises(MoneyAsked):
        money.refuse(["求助", text], unit="只")


@pytest.mark.parametrize("text", ORDINARY)
def test_prices_and_change_are_spoken_of(text: str) -> None:
    money.refuse([text], unit="只")


@pytest.mark.parametrize("unit", ["元", " 元", "块钱", "万元", "RMB", "ＲＭＢ", "¥", "人民币"])
def test_money_is_no_unit_of_help(unit: str) -> None:
    with pytest.raises(MoneyAsked):
        money.refuse(["求助"], unit=unit)


@pytest.mark.parametrize("unit", ["把", "块", "个", "人"])
def test_things_are(unit: str) -> None:
    money.refuse(["求助"], unit=unit)
