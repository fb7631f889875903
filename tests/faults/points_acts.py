"""What is done to points, as a caller's whole act: a repeat after a lost answer finds that it has been done."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any
from unittest.mock import patch

from chalicelib.points import audit, rules
from chalicelib.points.models import Account, Shortfall, partition
from tests.faults.acts import Act
from tests.points import books

World = dict[str, Any]
NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)


def newcomer() -> World:
    return {"who": books.somebody()}


def earner() -> World:
    world = newcomer()
    with patch.object(audit, "_started", True):
        books.give(world["who"], subject="o1", now=NOON)
    return world


def spender() -> World:
    world = earner()
    books.spend(world["who"], 7, "redemption:1", now=NOON)
    return world


def earn(world: World, key: str) -> None:
    with patch.object(audit, "_started", True):
        books.give(world["who"], subject=key, now=NOON)


MASKS = rules.Allowance(of="prod_masks", until=date(2026, 11, 30), quantity=1, at_most=2)


def taker() -> World:
    world = earner()
    books.spend(world["who"], 3, "redemption:1", now=NOON, allowance=MASKS)
    return world


def spend(world: World, key: str) -> None:
    with suppress(rules.AlreadySpent):
        books.spend(world["who"], 6, f"redemption:{key}", now=NOON)


def take(world: World, key: str) -> None:
    with suppress(rules.AlreadySpent):
        books.spend(world["who"], 3, f"redemption:{key}", now=NOON, allowance=MASKS)


def put_back(world: World, key: str) -> None:
    with suppress(rules.AlreadyReturned):
        books.give_back(world["who"], "redemption:1", now=NOON, allowance=MASKS)


def give_back(world: World, key: str) -> None:
    with suppress(rules.AlreadyReturned):
        books.give_back(world["who"], "redemption:1", now=NOON)


def correct(world: World, key: str) -> None:
    with suppress(rules.AlreadyCorrected):
        books.correct(world["who"], "help:o1", now=NOON)


def close(world: World, key: str) -> None:
    from chalicelib.points import service

    service.close(world["who"], now=NOON)


def facts(world: World) -> Any:
    """All movements, the balance they add up to, and what counts towards caps; not whether it was asked for twice."""
    account = Account.find(partition(world["who"]), "ACCOUNT")
    moved = sorted((each.fact, each.change) for each in books.transfers(world["who"]))
    short = Shortfall.find(partition(world["who"]), "SHORT#help:o1")
    counted = account and (account.used, account.taken)
    return moved, books.check(world["who"]), counted, short and short.missing


ACTS = [
    Act("points are earned for the first time", newcomer, earn, facts),
    Act("points are earned", earner, earn, facts),
    Act("points are spent", earner, spend, facts),
    Act("points are given back", spender, give_back, facts),
    Act("points are spent within an allowance", taker, take, facts),
    Act("points and allowance are given back", taker, put_back, facts),
    Act("points are corrected down to zero", spender, correct, facts),
    Act("an account of points is closed", earner, close, facts),
]
