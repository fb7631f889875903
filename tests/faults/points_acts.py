"""What is done to points, as a caller's whole act: a repeat after a lost answer finds that it has been done."""

from __future__ import annotations

import secrets
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest.mock import patch

from chalicelib.kit.table import Item
from chalicelib.notices.models import Notice
from chalicelib.people import models as people
from chalicelib.points import audit, rules, settings
from chalicelib.points.models import Account, Shortfall, partition
from chalicelib.points.settings import Rule
from tests.faults.acts import Act, command
from tests.faults.help_acts import street
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


def resident_with_points() -> World:
    world: World = {"who": street()["people"]["asker"]}
    books.give(world["who"], subject="o1", now=NOON)
    return world


def correcting(world: World, key: str) -> None:
    again = rules.AlreadyCorrected.code
    what = {"resident_id": world["who"], "transfer": "help:o1", "reason": "多记了"}
    command(command="correct_points", **what, done_already=again)


def told_of(world: World) -> Any:
    return facts(world), [notice.topic for notice in Item.collection(people.partition(world["who"]), Notice.PREFIX)]


def farmed() -> World:
    """Two have got points by a rule of their own; one of them has spent some."""
    rule = "farmed_" + "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(12))
    world: World = {"rule": rule, "all": [books.somebody(), books.somebody()]}
    with patch.object(audit, "_started", True), patch.dict(settings.DEFAULTS, {rule: Rule(name="看信息", points=10)}):
        for who in world["all"]:
            books.give(who, rule, "o1", now=NOON)
    books.spend(world["all"][0], 7, "redemption:1", now=NOON)
    return world


def reversing(world: World, key: str) -> None:
    period = {"since": NOON.isoformat(), "until": (NOON + timedelta(hours=1)).isoformat()}
    command(command="reverse_points", rule=world["rule"], **period, dry_run=False)


def what_all_have(world: World) -> Any:
    moved = [sorted(each.change for each in books.transfers(who)) for who in world["all"]]
    short = [Item.collection(partition(who), "SHORT#") for who in world["all"]]
    return moved, [books.check(who) for who in world["all"]], [[int(each.missing) for each in some] for some in short]


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
    Act("an administrator corrects points", resident_with_points, correcting, told_of, "command correct_points"),
    Act("an administrator reverses a rule", farmed, reversing, what_all_have, "command reverse_points"),
]
