"""Whatever happens in whatever order, the books are what a page of plain Python says they should be.

Short here; `make prove` takes twenty thousand steps and more (PROVE=<number of stories>).
"""

from __future__ import annotations

import itertools
import os
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from chalicelib.kit import clock
from chalicelib.kit import settings as kit_settings
from chalicelib.kit.errors import Problem
from chalicelib.kit.table import read_together
from chalicelib.points import audit, reversal
from chalicelib.points import rules as points_rules
from chalicelib.points.models import Account
from chalicelib.points.service import Allowance
from tests.engine import local_aws
from tests.points import books
from tests.points.model import Model, Rule, Taken

STORIES = int(os.environ.get("PROVE", "0"))
STEPS = 60 if STORIES else 25
_names = itertools.count()

people = st.sampled_from(range(3))
subjects = st.sampled_from([f"s{number}" for number in range(8)])
others = st.sampled_from([None, "res_li", "res_wang"])
redemptions = st.sampled_from([f"redemption:{number}" for number in range(12)])
rule_names = st.sampled_from(["help", "read", "off"])
caps = st.one_of(st.none(), st.integers(5, 60))
limits = st.one_of(st.none(), st.integers(0, 5))
things = st.sampled_from(["masks", "rice"])
CAMPAIGN_ENDS = date(2026, 12, 3)


class Books(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.people = [books.somebody() for _ in range(3)]
        letters = "abcdefghij"
        here = "".join(letters[int(digit)] for digit in f"{os.getpid()}{next(_names)}")[-20:]
        self.name = {kind: f"{kind}_{here}" for kind in ("help", "read", "off")}
        self.now = datetime(2026, 11, 29, 4, tzinfo=UTC)
        self.model = Model({})
        self.set_rules(Rule(10, a_day=30, pair=20), Rule(3))

    def set_rules(self, help_: Rule, read: Rule) -> None:
        self.model.rules = {"help": help_, "read": read, "off": Rule(5, on=False)}
        document = {
            self.name[kind]: {
                "name": kind,
                "points": each.points,
                "on": each.on,
                "a_day": each.a_day,
                "a_month": each.a_month,
                "with_one_person_a_month": each.pair,
            }
            for kind, each in self.model.rules.items()
        }
        local_aws.put_setting("points", {"rules": document})
        kit_settings.forget()

    @rule(points=st.integers(1, 15), a_day=caps, a_month=caps, pair=caps, on=st.booleans())
    def an_administrator_changes_the_rule(self, points: int, a_day: Any, a_month: Any, pair: Any, on: bool) -> None:
        self.set_rules(Rule(points, a_day, a_month, pair, on), self.model.rules["read"])

    @rule(hours=st.integers(0, 20))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours, minutes=1)

    @rule(who=people, kind=rule_names, subject=subjects, whom=others)
    def award(self, who: int, kind: str, subject: str, whom: str | None) -> None:
        given = books.give(self.people[who], self.name[kind], subject, with_whom=whom, now=self.now)
        assert given == self.model.award(self.people[who], kind, subject, whom, self.now)

    @rule(who=people, amount=st.integers(1, 25), transfer=redemptions)
    def spend(self, who: int, amount: int, transfer: str) -> None:
        resident = self.people[who]
        done = outcome(lambda: books.spend(resident, amount, transfer, now=self.now))
        assert done == self.model.spend(resident, transfer, amount, None, self.now)

    @rule(who=people, amount=st.integers(1, 6), transfer=redemptions, quantity=st.integers(1, 3), cap=limits, of=things)
    def take(self, who: int, amount: int, transfer: str, quantity: int, cap: int | None, of: str) -> None:
        """Masks by the month, rice by a campaign whose last day is fixed; the cap changes from call to call."""
        resident, today = self.people[who], clock.day(self.now)
        taken = Taken(of, points_rules.month_end(today) if of == "masks" else CAMPAIGN_ENDS, quantity, cap)
        allowance = Allowance(of, taken.until, quantity, cap)
        done = outcome(lambda: books.spend(resident, amount, transfer, now=self.now, allowance=allowance))
        assert done == self.model.spend(resident, transfer, amount, taken, self.now)

    @rule(who=people, transfer=redemptions)
    def give_back(self, who: int, transfer: str) -> None:
        resident = self.people[who]
        spent = self.model.spent.get((resident, transfer))
        taken = spent and spent.taken
        allowance = Allowance(taken.of, taken.until, taken.quantity, taken.at_most) if taken else None
        done = outcome(lambda: books.give_back(resident, transfer, now=self.now, allowance=allowance))
        assert done == self.model.give_back(resident, transfer)

    @rule(who=people, kind=st.sampled_from(["help", "read"]), subject=subjects)
    def correct(self, who: int, kind: str, subject: str) -> None:
        resident = self.people[who]
        done = outcome(lambda: books.correct(resident, f"{self.name[kind]}:{subject}", now=self.now))
        assert done == self.model.correct(resident, kind, subject)

    @rule(hours=st.integers(1, 30), late=st.integers(0, 1))
    def reverse(self, hours: int, late: int) -> None:
        since, until = self.now - timedelta(hours=hours), self.now + timedelta(seconds=late)
        reversal.reverse(
            rule=self.name["read"], since=since, until=until, dry_run=False, now=self.now, seconds_left=lambda: 60
        )
        self.model.reverse("read", since, until)

    @invariant()
    def the_books_are_right(self) -> None:
        if not hasattr(self, "people"):
            return
        found = [audit.look_at(resident).sums for resident in self.people]
        assert [each.wrong for each in found] == [[], [], []]
        assert [each.held for each in found] == [self.model.balance.get(each, 0) for each in self.people]
        assert min(each.held for each in found) >= 0
        assert sum(each.issued for each in found) == self.model.issued
        assert sum(each.spent for each in found) == self.model.out
        assert self.model.issued == self.model.held + self.model.out

    @invariant()
    def what_was_taken_is_counted(self) -> None:
        if not hasattr(self, "people"):
            return
        today = clock.day(self.now)
        accounts = read_together(*(Account.key(resident) for resident in self.people))
        for resident, account in zip(self.people, accounts, strict=True):
            for of, until in (("masks", points_rules.month_end(today)), ("rice", CAMPAIGN_ENDS)):
                counted = account.taken.get(f"{until}", {}).get(of, 0) if account else 0
                assert counted == self.model.taken(resident, of, until) or until < today


def outcome(act: Any) -> str:
    try:
        act()
    except Problem as problem:
        return problem.code
    return "ok"


@pytest.fixture(autouse=True)
def _settings_as_before():
    yield
    local_aws.remove_setting("points")
    kit_settings.forget()


def test_whatever_happens_the_books_are_what_the_model_says() -> None:
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=STORIES or 8,
            stateful_step_count=STEPS,
            deadline=None,
            # What fails is shown as it happened: to shrink it against the engine takes minutes.
            phases=[Phase.explicit, Phase.generate],
            derandomize=not STORIES,
            suppress_health_check=list(HealthCheck),
        ),
    )
