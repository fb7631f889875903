"""The write units that `docs/ledger.md` names, and the size of an account, which must stay below one kilobyte."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.engine.budget import budget
from tests.points.books import correct, give, give_back, somebody, spend

NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)


def cost(act: Callable[[], Any]) -> float:
    with budget() as spent:
        act()
    return spent.write_units


def test_a_transfer_costs_two_items_and_its_lists_and_the_account_is_in_none(rule):
    rule("help", points=10, a_day=20)
    chen = somebody()
    assert cost(lambda: give(chen, subject="o1", now=NOON)) == 10, "the first in a life"
    assert cost(lambda: give(chen, subject="o2", now=NOON)) == 6
    assert cost(lambda: give(chen, subject="o3", now=NOON)) == 2, "a cap is reached"
    assert cost(lambda: spend(chen, 5, "redemption:1", now=NOON)) == 5
    assert cost(lambda: give_back(chen, "redemption:1", now=NOON)) == 5
    assert cost(lambda: correct(chen, "help:o1", now=NOON)) == 5
    assert cost(lambda: give(chen, subject="o4", now=NOON + timedelta(days=30))) == 9, "the first in a month"
