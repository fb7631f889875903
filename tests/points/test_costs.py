"""The write units that `docs/ledger.md` names, and the size of an account, which must stay below one kilobyte."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from chalicelib.kit import ids
from chalicelib.points.service import Allowance
from tests.engine.budget import budget
from tests.points.books import account, correct, give, give_back, somebody, spend

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
    assert cost(lambda: give(chen, subject="o3", now=NOON)) == 0, "and it has been said why"
    assert cost(lambda: spend(chen, 5, "redemption:1", now=NOON)) == 5
    assert cost(lambda: give_back(chen, "redemption:1", now=NOON)) == 5
    assert cost(lambda: correct(chen, "help:o1", now=NOON)) == 5
    assert cost(lambda: give(chen, subject="o4", now=NOON + timedelta(days=30))) == 9, "the first in a month"


def test_the_account_of_somebody_busy_is_below_a_kilobyte(configure):
    """Ten neighbours helped this month, three other rules every day, five refusals, three products taken."""
    others = {
        name: {"name": "阅读信息", "points": 2, "once_per_subject": False} for name in ("post_read", "quiz", "login")
    }
    configure("points", rules={"help": {"name": "帮助邻居", "points": 10, "with_one_person_a_month": 10}, **others})
    chen = somebody()
    neighbours = [ids.new_id("res") for _ in range(10)]
    for neighbour in neighbours:
        give(chen, with_whom=neighbour, now=NOON)
    for name in others:
        give(chen, name, now=NOON)
    for neighbour in neighbours:
        assert give(chen, with_whom=neighbour, now=NOON) == 0
    for _ in range(3):
        wanted = Allowance(of=ids.new_id("prod"), until=date(2026, 11, 30), quantity=2, at_most=None)
        assert cost(lambda wanted=wanted: spend(chen, 3, now=NOON, allowance=wanted)) == 5
    mine = account(chen)
    assert [len(mine.used["2026-11"]), len(mine.refused), len(mine.taken["2026-11-30"])] == [14, 5, 3]
    assert cost(lambda: give(chen, "login", ids.new_id("app"), now=NOON)) == 6
