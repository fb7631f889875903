"""Taking back what a runaway rule gave: first counted, then corrected where everybody can see it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.console import commands
from chalicelib.kit import clock
from chalicelib.points import reversal
from tests.points.books import at_once, check, codes, give, somebody, spend, transfers

NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)
_rules = (f"rule_{a}{b}{c}" for a, b, c in itertools.product("abcdefghijklmnopqrstuvwxyz", repeat=3))


@pytest.fixture
def runaway(configure) -> str:
    """A rule that nobody else has points of."""
    import os

    name = f"{next(_rules)}_{''.join(chr(97 + int(d)) for d in str(os.getpid()))}"
    configure("points", rules={name: {"name": "看信息", "points": 10}, "help": {"name": "帮助邻居", "points": 10}})
    return name


def reverse(rule: str, *, dry_run: bool, since: datetime = NOON, until: datetime | None = None, **more: Any) -> Any:
    event = {
        "command": "reverse_points",
        "rule": rule,
        "since": since.isoformat(),
        "until": (until or NOON + timedelta(days=2)).isoformat(),
        "dry_run": dry_run,
    }
    answer = commands.administer(event, request_id="r", now=clock.now(), **more)
    assert answer["ok"], answer
    return answer


def farmed(runaway: str) -> tuple[str, str, str]:
    """One has all of it left, one has spent some, one has spent everything."""
    rich, middle, poor = somebody(), somebody(), somebody()
    for who in (rich, middle, poor):
        for number in range(3):
            give(who, runaway, f"post_{number}", now=NOON + timedelta(hours=15 * number))
    spend(middle, 12)
    spend(poor, 30)
    return rich, middle, poor


def test_the_dry_run_says_how_many_how_much_and_who_would_be_short(runaway):
    rich, middle, poor = farmed(runaway)
    answer = reverse(runaway, dry_run=True)
    report = answer["report"]
    assert (report["residents"], report["transfers"], report["points"], report["missing"]) == (3, 9, 48, 42)
    assert report["short"] == {poor: 30, middle: 12}
    assert answer["detail"].startswith("试算")
    assert [check(each) for each in (rich, middle, poor)] == [30, 18, 0]


def test_it_does_what_the_dry_run_said_and_once(runaway):
    people = farmed(runaway)
    wanted = reverse(runaway, dry_run=True)["report"]
    done = reverse(runaway, dry_run=False)["report"]
    assert {**wanted, "dry_run": False} == done
    assert [check(each) for each in people] == [0, 0, 0]
    again = reverse(runaway, dry_run=False)["report"]
    assert (again["transfers"], again["points"], again["missing"]) == (0, 0, 42)
    assert again["short"] == done["short"]
    corrections = [each for each in transfers(people[0]) if each.undoes]
    assert {each.reason for each in corrections} == {"更正：看信息"}


def test_only_of_the_rule_and_only_in_the_period(runaway):
    chen = somebody()
    give(chen, runaway, "before", now=NOON - timedelta(seconds=1))
    give(chen, runaway, "in_it", now=NOON)
    give(chen, runaway, "after", now=NOON + timedelta(days=1, seconds=1))
    give(chen, "help", "other", now=NOON)
    assert reverse(runaway, dry_run=False, until=NOON + timedelta(days=1))["report"]["points"] == 10
    assert check(chen) == 30
    assert [each.undoes for each in transfers(chen) if each.undoes] == [f"{runaway}:in_it"]


def test_cut_off_it_goes_on_with_the_next_call(runaway, monkeypatch):
    monkeypatch.setattr(reversal, "_AT_ONCE", 4)
    people = farmed(runaway)
    left = iter([30.0])
    first = reverse(runaway, dry_run=False, seconds_left=lambda: next(left, 0.0))
    assert (first["report"]["finished"], first["report"]["transfers"]) == (False, 4)
    assert "再发一次" in first["detail"]
    second = reverse(runaway, dry_run=False)
    assert (second["report"]["finished"], second["report"]["transfers"]) == (True, 5)
    assert [check(each) for each in people] == [0, 0, 0]


def test_two_administrators_at_once_and_residents_who_go_on_spending(runaway):
    people = farmed(runaway)
    acts = [lambda: reverse(runaway, dry_run=False)] * 2 + [lambda who=who: spend(who, 5) for who in people[:2]]
    results = at_once(len(acts), lambda number: acts[number]())
    assert codes(results) <= {"not_enough_points"}
    assert all(check(each) >= 0 for each in people)
    assert check(people[2]) == 0


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"until": "2026-11-22T04:00:00Z"}, "until"),
        ({"until": "2027-11-22T04:00:00Z"}, "until"),
        ({"since": "2026-11-22"}, "since"),
        ({"since": "2026-11-22T04:00:00"}, "since"),
        ({"rule": "Help!"}, "rule"),
        ({"rule": ""}, "rule"),
        ({"dry_run": "no"}, "dry_run"),
    ],
)
def test_a_wrong_command_does_nothing_and_says_what_is_wrong(change, wrong):
    event = {"command": "reverse_points", "rule": "help", "since": NOON.isoformat(), "until": "2026-11-23T04:00:00Z"}
    answer = commands.administer({**event, **change}, request_id="r", now=clock.now())
    assert (answer["ok"], answer["code"]) == (False, "command_invalid")
    assert wrong in answer["fields"]


def test_it_is_a_dry_run_unless_one_says_otherwise(runaway):
    chen = somebody()
    give(chen, runaway, now=NOON)
    event = {"command": "reverse_points", "rule": runaway, "since": NOON.isoformat(), "until": "2026-11-23T04:00:00Z"}
    assert commands.administer(event, request_id="r", now=clock.now())["report"]["dry_run"] is True
    assert check(chen) == 10
