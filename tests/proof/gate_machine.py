"""Shifts in one state machine: whoever signs up, waits, comes, leaves or is corrected in whatever order, all is as the
model in plain Python says.

Each act runs against the engine with the story's own time, and its outcome code must be the model's. After each act the
stored items are read: places and queue, everybody's time, recorded minutes and points.
"""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chalicelib.areas.models import Area
from chalicelib.kit import auth, clock, ids, timers, vault
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.table import Item, read_together
from chalicelib.kit.transaction import transaction
from chalicelib.people import service as people
from chalicelib.people.models import Duty, Resident
from chalicelib.shifts.hours import asking_for_correction, confirming, correcting
from chalicelib.shifts.models import Round, Shift, SignUp, Waiting
from chalicelib.shifts.places import signing_up
from chalicelib.shifts.places import teams as team_sign_up
from chalicelib.shifts.planning import cancelling, changing
from chalicelib.shifts.presence import checking as presence
from chalicelib.shifts.presence import codes
from chalicelib.volunteers.models import ServiceRecord, Volunteer
from chalicelib.volunteers.models import partition as volunteer_partition
from chalicelib.volunteers.statements import issuing as statements
from chalicelib.volunteers.statements.rules import Period
from chalicelib.wechat.content import NORMAL, Verdict
from tests.points import books
from tests.proof.machine import outcome
from tests.shifts import gate, model
from tests.volunteers import crew

ACTS: Counter[tuple[str, str]] = Counter()  # how often each act came to each outcome
BEGINS = datetime(2026, 11, 27, 1, tzinfo=UTC)  # nine in the morning in Shanghai
HOUR = timedelta(hours=1)
PEOPLE = 6
TEAM = 3  # of them
_districts = itertools.count(960_000)

volunteers = st.sampled_from(range(PEOPLE))
which = st.integers(0, 30)


class Gates(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.now, self.keys, self.steps = BEGINS, itertools.count(), 0
        self.area = f"{next(_districts)}001001"
        with transaction() as tx:
            for length in (6, 9, 12):
                tx.put(Area.new(self.area[:length], "桂苑"))
        self.people = [self.resident(f"志愿者{number}") for number in range(PEOPLE)]
        self.organiser, self.colleague = (self.resident(name, staff=True) for name in ("组织者", "同事"))
        for person in self.people:
            gate.approve_in(person, self.area, now=self.now, name_sealed=vault.seal(person, "name", "实名"))
        self.team = crew.written(self.people[0], self.people[1:TEAM], now=self.now)
        self.model = model.Gate()
        self.corrected: set[tuple[str, str]] = set()
        for starts, capacity in ((3, 2), (5, 3), (30, 1)):
            self.plan(self.now + starts * HOUR, capacity)

    def resident(self, name: str, *, staff: bool = False) -> str:
        resident = Resident.key(ids.new_id("res"))
        vault.open_for(resident.id)
        resident.nickname, resident.created_at, resident.consent_version = name, self.now, auth.privacy().version
        resident.home, resident.home_state = self.area, "confirmed"
        with transaction() as tx:
            tx.put(resident)
        if staff:
            duty = Duty.new(
                resident.id, "community_worker", self.area, from_at=self.now, until_at=None, granted_by="proof"
            )
            with transaction() as tx:
                people.grant_duty(tx, duty)
        return resident.id

    def plan(self, start: datetime, capacity: int) -> None:
        start = start.replace(second=0, microsecond=0)
        times = {"start_at": start, "end_at": start + 4 * HOUR}
        name = gate.shift_in(
            self.area, organiser=self.organiser, capacity=capacity, points_an_hour=7, now=self.now, **times
        )
        with transaction() as tx:
            tx.update(Shift.key(name), timers.set_to(Shift.key(name).pk, "shifts.end", start + 6 * HOUR))
        self.model.shifts[name] = model.Shift(start, start + 4 * HOUR, capacity, an_hour=7)

    def act(self, who: str, name: str, do: Any, **more: Any) -> str:
        """What came of an act by somebody, done as the route does it, with a key of its own."""
        body = f"{sorted(more.items())}".encode()
        attempt = Attempt(who, f"POST /shifts/{name}", body, f"key{next(self.keys)}")
        caller = Caller(who, "openid", "session", 0, auth.privacy().version)
        with patch("chalicelib.content.service.check_text", return_value=Verdict("pass", NORMAL, "trace")):
            return outcome(lambda: do(caller=caller, attempt=attempt, now=self.now, **more))

    def did(self, act: str, done: str, said: str, name: str | None = None) -> None:
        """`name`: the shift it was about, None when it may be any."""
        assert done == said, f"{act}: {done}, and ought to be {said}"
        self.steps += 1
        ACTS[act, done] += 1
        self.about = name
        if name:
            self.rounds(name)

    def rounds(self, name: str) -> None:
        """The minute's sweep goes to everybody."""
        for each in Item.collection(Shift.key(name).pk, Round.PREFIX):
            timers._handlers[Round.TIMER](each, now=self.now)

    def one(self, number: int, *, to_come: bool = False) -> str:
        """One of all shifts; preferably one that has not begun, when that is wanted."""
        names = list(self.model.shifts)
        if to_come and number % 4:
            names = [each for each in names if model.closed(self.model.shifts[each], self.now) == "ok"] or names
        return names[number % len(names)]

    # ------------------------------------------------------------------------------------------------------- time

    @rule(
        to=st.sampled_from(["later", "opens", "start", "end", "closes"]),
        minutes=st.integers(1, 90),
        early=st.booleans(),
    )
    def time_passes(self, to: str, minutes: int, early: bool) -> None:
        """Some time, or to the very moment (or the millisecond before) at which something begins or ends."""
        moments = {"opens": -model.OPENS, "start": 0 * HOUR, "end": 0 * HOUR, "closes": model.CLOSES}
        ahead = []
        if to != "later":
            for shift in self.model.shifts.values():
                ahead.append((shift.start if to in ("opens", "start") else shift.end) + moments[to])
        next_one = min((each for each in ahead if each > self.now), default=None)
        if next_one is None:
            self.now += timedelta(minutes=minutes)
        else:
            self.now = max(self.now, next_one - timedelta(milliseconds=early))
        ended = 0
        for name, shift in self.model.shifts.items():
            ended += self.end_when_due(name, shift)
        self.did("time passes", "shift_ends" if ended else "ok", "shift_ends" if ended else "ok")

    def end_when_due(self, name: str, shift: model.Shift) -> bool:
        stored = gate.stored(name)
        if stored.timer != "shifts.end" or stored.due_at is None or stored.due_at > self.now:
            return False
        self.tries_in_vain("checked_in", name, "out")
        timers._handlers["shifts.end"](stored, now=self.now)
        self.rounds(name)
        self.model.settle(name)
        self.tries_in_vain("no_show", name, "in")
        return True

    def tries_in_vain(self, state: str, name: str, way: Any) -> None:
        """Somebody whose place is in this state tries to come or go, when it is not the time for it."""
        person = next((each for each, place in self.model.shifts[name].places.items() if place.state == state), None)
        if person:
            self.tries(person, name, way)

    def tries(self, person: str, name: str, way: Any) -> None:
        code = codes.digits(name, self.now)
        done = self.act(person, name, presence.with_code, shift_id=name, way=way, code=code)
        does = self.model.check_in if way == "in" else self.model.check_out
        self.did(f"check {way}", done, does(person, name, self.now, listed=False))

    @precondition(lambda self: len(self.model.shifts) < 9)
    @rule(starts=st.integers(1, 12), capacity=st.integers(1, 4))
    def plan_another(self, starts: int, capacity: int) -> None:
        self.plan(self.now + starts * HOUR, capacity)
        self.did("plan", "ok", "ok")

    # ---------------------------------------------------------------------------------------------------- sign-up

    @rule(who=volunteers, number=which, wait=st.booleans())
    def sign_up(self, who: int, number: int, wait: bool) -> None:
        person, name = self.people[who], self.one(number, to_come=True)
        self.now += timedelta(milliseconds=1)  # who comes later is behind in the queue
        done = self.act(person, name, signing_up.sign_up, shift_id=name, wish=signing_up.Wish(wait=wait))
        self.did("sign up", done, self.model.sign_up(person, name, wait=wait, now=self.now), name)

    @rule(who=volunteers, number=which)
    def withdraw(self, who: int, number: int) -> None:
        person, name = self.people[who], self.one(number, to_come=True)
        mine = list(self.model.of(person))
        name = mine[number % len(mine)] if mine and number % 3 else name
        done = self.act(person, name, signing_up.withdraw, shift_id=name)
        self.did("withdraw", done, self.model.withdraw(person, name, self.now), name)

    @rule(number=which)
    def team_signs_up(self, number: int) -> None:
        name = self.one(number, to_come=True)
        done = self.act(self.people[0], name, team_sign_up.sign_up, shift_id=name, team_id=self.team)
        said = self.model.team_sign_up(self.team, self.people[:TEAM], name, self.now)
        self.did("team signs up", done, said, name)

    @rule(number=which)
    def team_withdraws(self, number: int) -> None:
        name, leader = self.one(number), self.people[0]
        theirs = [each for each, shift in self.model.shifts.items() if any(p.team for p in shift.places.values())]
        name = theirs[number % len(theirs)] if theirs and number % 3 else name
        done = self.act(leader, name, team_sign_up.withdraw, shift_id=name, team_id=self.team)
        self.did("team withdraws", done, self.model.team_withdraw(self.team, leader, name, self.now), name)

    # -------------------------------------------------------------------------------------------------- presence

    @rule(who=volunteers, number=which, listed=st.booleans(), way=st.sampled_from(["in", "in", "out"]))
    def come_or_go(self, who: int, number: int, listed: bool, way: Any) -> None:
        about = self.at_the_door
        person, name = about[number % len(about)] if about and number % 4 else (self.people[who], self.one(number))
        if listed:
            done = self.act(self.organiser, name, presence.by_list, shift_id=name, whom=person, way=way)
        else:
            code = codes.digits(name, self.now)
            done = self.act(person, name, presence.with_code, shift_id=name, way=way, code=code)
        does = self.model.check_in if way == "in" else self.model.check_out
        self.did(f"check {way}", done, does(person, name, self.now, listed=listed), name)

    @precondition(lambda self: self.expected)
    @rule(number=which, minutes=st.integers(-30, 100), stays=st.integers(0, 200))
    def serve(self, number: int, minutes: int, stays: int) -> None:
        """Somebody who is expected comes around the start, and perhaps checks out some time later."""
        person, name = self.expected[number % len(self.expected)]
        shift = self.model.shifts[name]
        self.now = max(self.now, shift.start + timedelta(minutes=minutes))
        for each, other in self.model.shifts.items():
            self.end_when_due(each, other)
        done = self.act(self.organiser, name, presence.by_list, shift_id=name, whom=person, way="in")
        self.did("check in", done, self.model.check_in(person, name, self.now, listed=True))
        self.tries_in_vain("waiting", name, "in")
        for other in [each for each, theirs in self.model.shifts.items() if person not in theirs.places][:1]:
            self.tries(person, other, "in")
        if self.now < shift.start:
            done = self.act(self.organiser, name, presence.by_list, shift_id=name, whom=person, way="out")
            self.did("check out", done, self.model.check_out(person, name, self.now, listed=True))
        if stays % 3:
            self.now = min(self.now + timedelta(minutes=stays), shift.end + model.CLOSES - timedelta(seconds=1))
            done = self.act(self.organiser, name, presence.by_list, shift_id=name, whom=person, way="out")
            self.did("check out", done, self.model.check_out(person, name, self.now, listed=True))

    @property
    def at_the_door(self) -> list[tuple[str, str]]:
        """Who has to do with a shift at which one may come or go now."""
        return [
            (person, name)
            for name, shift in self.model.shifts.items()
            for person in shift.places
            if shift.start - model.OPENS <= self.now < shift.end + model.CLOSES
        ]

    @property
    def expected(self) -> list[tuple[str, str]]:
        return [
            (person, name)
            for name, shift in self.model.shifts.items()
            for person, place in shift.places.items()
            if place.state == "signed_up" and shift.state == "published" and self.now < shift.end
        ]

    # -------------------------------------------------------------------------------------------------- organiser

    @precondition(lambda self: self.steps % 8 == 7)
    @rule(number=which)
    def cancel(self, number: int) -> None:
        name = self.one(number)
        done = self.act(self.organiser, name, cancelling.cancel_shift, shift_id=name, reason="暴雨")
        places = self.model.shifts[name].places.items()
        person = next((each for each, place in places if place.state in ("signed_up", "waiting")), None)
        if done == "ok" and person:  # nobody has told them yet
            self.did("withdraw", self.act(person, name, signing_up.withdraw, shift_id=name), "shift_cancelled")
        self.did("cancel", done, self.model.cancel(name, self.now), name)

    @rule(number=which, more=st.integers(1, 2))
    def take_more_people(self, number: int, more: int) -> None:
        name = self.one(number, to_come=True)
        shift = self.model.shifts[name]
        if shift.state != "published" or self.now >= shift.end:
            return
        wanted = changing.Change(version=shift.version, capacity=shift.capacity + more)
        done = self.act(self.organiser, name, changing.change, shift_id=name, wanted=wanted)
        shift.capacity, shift.version = shift.capacity + more, shift.version + 1
        self.model.fill(shift, self.now)
        self.did("change capacity", done, "ok", name)

    @rule(number=which, minutes=st.sampled_from([-60, -30, 30]))
    def end_earlier_or_later(self, number: int, minutes: int) -> None:
        """When that takes nobody's time from another shift: who must leave then is tests/shifts/test_changing.py's."""
        name = self.one(number)
        shift = self.model.shifts[name]
        end = shift.end + timedelta(minutes=minutes)
        if shift.state != "published" or not self.now < shift.end or end <= max(self.now, shift.start):
            return
        before, shift.end = shift.end, end
        if any(
            self.model.busy(person, name, self.now)
            for person in shift.places
            if shift in self.model.of(person).values()
        ):
            shift.end = before
            return
        wanted = changing.Change(version=shift.version, end=end)
        done = self.act(self.organiser, name, changing.change, shift_id=name, wanted=wanted)
        shift.version += 1
        for place in shift.places.values():
            if place.state in ("waiting", "signed_up", "checked_in"):
                place.changed_at = self.now
        self.did("change the end", done, "ok", name)

    @rule(number=which)
    def confirm(self, number: int) -> None:
        over = [name for name, shift in self.model.shifts.items() if self.now >= shift.over and not shift.confirmed]
        name = over[number % len(over)] if over and number % 4 else self.one(number)
        done = self.act(self.organiser, name, confirming.confirm, shift_id=name, leave_out=[])
        self.did("confirm", done, self.model.confirm(name, self.now), name)

    @precondition(lambda self: self.to_correct)
    @rule(number=which, minutes=st.integers(1, 230))
    def correct(self, number: int, minutes: int) -> None:
        """Somebody asks for other hours, once for each shift, and another than who confirmed them agrees."""
        person, name = self.to_correct[number % len(self.to_correct)]
        shift = self.model.shifts[name]
        minutes = min(minutes, model.served(shift.start, shift.over, shift.start, shift.over))
        if not minutes or minutes == shift.places[person].minutes:
            return
        asked = self.act(person, name, asking_for_correction.ask, shift_id=name, minutes=minutes, reason="一直在门口")
        assert asked == "ok"
        correction = f"{person}.1.{name}"
        own = self.act(self.organiser, name, correcting.accept, correction_id=correction, minutes=None)
        assert own != "ok", "who confirmed the hours does not decide"
        done = self.act(self.colleague, name, correcting.accept, correction_id=correction, minutes=None)
        self.model.correct(person, name, minutes)
        self.corrected.add((person, name))
        self.did("correct", done, "ok", name)

    @property
    def to_correct(self) -> list[tuple[str, str]]:
        return [
            (person, name)
            for name, shift in self.model.shifts.items()
            for person, place in shift.places.items()
            if shift.confirmed and place.state in ("checked_out", "no_show") and (person, name) not in self.corrected
        ]

    @rule(who=volunteers)
    def state_the_hours(self, who: int) -> None:
        served = [each for each in self.people if self.model.minutes(each)] or self.people
        person, today = (served if who % 2 else self.people)[who % len(served)], clock.day(self.now)
        found: list[Any] = []

        def issue(**more: Any) -> None:
            found.append(statements.issue(**more))

        done = self.act(person, "statement", issue, period=Period(clock.day(BEGINS), today))
        minutes = self.model.minutes(person)
        self.did("statement", done, "ok" if minutes else "nothing_to_state")
        if minutes:
            assert int(found[0].minutes) == minutes

    # ------------------------------------------------------------------------------------------------- what is so

    @invariant()
    def all_is_as_the_model_says(self) -> None:
        """Of the shift an act was about, and of everybody who has to do with it; now and then of all."""
        if not hasattr(self, "about"):
            return
        everything = self.about is None and self.steps % 6 == 0
        names = list(self.model.shifts) if everything else [self.about] if self.about else []
        for name in names:
            self.places_are_right(name, self.model.shifts[name])
        for person in self.people:
            if everything or any(person in self.model.shifts[name].places for name in names):
                self.person_is_right(person)

    def places_are_right(self, name: str, shift: model.Shift) -> None:
        found = Item.collection(Shift.key(name).pk)
        stored = next(each for each in found if isinstance(each, Shift))
        queue = [each.person for each in found if isinstance(each, Waiting)]
        places = {each.person: each for each in found if isinstance(each, SignUp)}
        assert {person: each.state for person, each in places.items()} == {
            person: each.state for person, each in shift.places.items()
        }
        assert {person: int(each.late_withdrawals) for person, each in places.items()} == {
            person: each.late for person, each in shift.places.items()
        }
        assert queue == shift.queue
        if stored.state == "published":
            assert (int(stored.taken), int(stored.waiting)) == (shift.taken, len(queue))
        assert shift.taken <= int(stored.capacity) == shift.capacity
        assert stored.state == shift.state
        longest = model.served(shift.start, shift.end, shift.start, shift.end)
        assert all(int(each.minutes or 0) <= longest for each in places.values())

    def person_is_right(self, person: str) -> None:
        file, *_ = read_together(Volunteer.key(person))
        mine = [(each.start, each.end) for each in self.model.of(person).values() if each.end > self.now]
        held = {name for name, (_, end) in file.taken.items() if end > self.now.timestamp()}
        assert held == {name for name, each in self.model.of(person).items() if each.end > self.now}
        assert all(first[1] <= second[0] for first, second in itertools.pairwise(sorted(mine))), "two shifts at once"
        records = Item.collection(volunteer_partition(person), ServiceRecord.PREFIX)
        assert sum(int(each.minutes) for each in records) == self.model.minutes(person)
        assert books.check(person) == self.model.points.get(person, 0)
