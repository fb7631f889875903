"""Rounds: everybody on a shift has their turn, each once, wherever the walk is cut off."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from chalicelib.kit import clock, timers
from chalicelib.kit.transaction import transaction
from chalicelib.shifts import rounds
from chalicelib.shifts.models import Round, Shift, SignUp
from chalicelib.shifts.places import signing_up
from local.wechat.control import StandIn
from tests.engine.http import Http
from tests.help.street import Street, at_once
from tests.neighbourhood import Hood
from tests.shifts import gate
from tests.shifts.organised import cancel, change, good, rounds_of, shift_of, single, told, walk


@pytest.fixture
def hood(http: Http, wechat: StandIn) -> Street:
    """A neighbourhood whose people are there without a login each."""
    return Street(http, wechat)


Seen = Counter[str]


def crowd(shift_id: str, number: int) -> list[str]:
    """So many sign-ups, written at once; nobody is behind them."""
    shift = gate.stored(shift_id)
    names = [f"res_{position:04}" for position in range(number)]
    with SignUp.batch_write() as batch:
        for name in names:
            batch.save(signing_up.place_for(shift, name, "居民", clock.now()))
    return names


def start(shift_id: str, what: str) -> Round:
    made = Round.of(gate.stored(shift_id), what, clock.now())
    with transaction() as tx:
        tx.put(made)
    return made


@pytest.fixture
def noting(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """A kind of round that only counts whose turn it was, and how often it ended."""
    seen: Seen = Counter()

    def each(this: Round, shift: Shift, mine: SignUp, file: Any, *, now: Any) -> None:
        seen[mine.person] += 1

    def done(shift: Shift, *, now: Any) -> None:
        seen["the end"] += 1

    monkeypatch.setitem(rounds._each, "noting", each)
    monkeypatch.setitem(rounds._finished, "noting", done)
    return seen


def test_a_run_does_some_pages_and_the_next_goes_on(hood: Hood, noting: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "PAGE", 10)
    shift = gate.shift(hood)
    names = crowd(shift, 123)
    made, now = start(shift, "noting"), clock.now()
    timers._run(made, now)
    assert sum(noting.values()) == 50
    (this,) = rounds_of(shift)
    assert now < this.due_at <= now + timedelta(minutes=1), "the next sweep goes on, not this one"
    assert this.reached == f"SIGN_UP#{names[49]}"
    walk(shift)
    assert noting == Counter({**dict.fromkeys(names, 1), "the end": 1})
    assert rounds_of(shift) == []


def test_a_run_does_about_five_hundred() -> None:
    assert 400 <= rounds.PAGE * rounds.PAGES <= 600
    assert rounds.PAGE <= 100, "a BatchGetItem takes a hundred"


def test_pages_end_exactly_where_the_people_do(hood: Hood, noting: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "PAGE", 5)
    shift = gate.shift(hood)
    names = crowd(shift, 10)
    start(shift, "noting")
    walk(shift)
    assert noting == Counter({**dict.fromkeys(names, 1), "the end": 1})


def test_a_round_of_nobody_and_one_without_a_part_for_each_just_end(
    hood: Hood, noting: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    shift = gate.shift(hood)
    start(shift, "noting")
    walk(shift)
    monkeypatch.delitem(rounds._each, "noting")
    crowd(shift, 3)
    start(shift, "noting")
    walk(shift)
    assert noting == {"the end": 2}


def test_one_persons_trouble_holds_up_nobody_and_is_tried_again(
    hood: Hood, noting: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "PAGE", 4)
    shift = gate.shift(hood)
    names = crowd(shift, 10)
    well, troubled = rounds._each["noting"], {names[2], names[7]}

    def each(this: Round, shift: Shift, mine: SignUp, file: Any, *, now: Any) -> None:
        if mine.person in troubled:
            raise RuntimeError("no")
        well(this, shift, mine, file, now=now)

    monkeypatch.setitem(rounds._each, "noting", each)
    made, now = start(shift, "noting"), clock.now()
    timers._run(made, now)
    assert set(noting) - {"the end"} == set(names) - troubled
    (this,) = rounds_of(shift)
    assert sorted(this.left) == sorted(troubled)
    assert this.due_at > now
    assert noting["the end"] == 1, "what follows for all others does not wait for them"
    troubled.clear()
    walk(shift)
    assert noting == Counter({**dict.fromkeys(names, 1), "the end": 2})


def test_who_waits_is_let_in_though_somebody_cannot_be_told(hood: Hood) -> None:
    worker = hood.staff("grid_worker")
    shift = shift_of(worker, shifts=[single(3, capacity=1)])
    troubled, waiting = gate.volunteer(hood), gate.volunteer(hood)
    for who in (troubled, waiting):
        gate.signed_up(who, shift, wait=True)
    good(change(worker, shift, capacity=2))
    well = rounds._each["changed"]

    def each(this: Round, shift: Shift, mine: SignUp, file: Any, *, now: Any) -> None:
        if mine.person == troubled.id:
            raise RuntimeError("no")
        well(this, shift, mine, file, now=now)

    with patch.dict(rounds._each, {"changed": each}):
        timers._run(rounds_of(shift)[0], clock.now())
    assert gate.state_of(waiting, shift) == "signed_up"
    walk(shift)
    assert len(told(troubled, "shift_terms_changed")) == 1


def test_those_for_whom_it_never_works_do_not_keep_others_from_their_next_try(
    hood: Hood, noting: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "PAGE", 3)
    shift = gate.shift(hood)
    names = crowd(shift, 8)
    well, hopeless, troubled = rounds._each["noting"], {names[0], names[1], names[3]}, {names[4], names[6]}

    def each(this: Round, shift: Shift, mine: SignUp, file: Any, *, now: Any) -> None:
        if mine.person in hopeless | troubled:
            raise RuntimeError("no")
        well(this, shift, mine, file, now=now)

    monkeypatch.setitem(rounds._each, "noting", each)
    timers._run(start(shift, "noting"), clock.now())
    troubled.clear()
    for minutes in (5, 10):
        (this,) = rounds_of(shift)
        timers._run(this, clock.now() + timedelta(minutes=minutes))
    assert set(noting) - {"the end"} == set(names) - hopeless
    (this,) = rounds_of(shift)
    assert set(this.left) == hopeless
    a_day_later = clock.now() + timedelta(days=1)
    timers._run(this, a_day_later)
    (this,) = rounds_of(shift)
    assert timedelta(hours=5) < this.due_at - a_day_later < timedelta(hours=7), "for the hopeless ever more rarely"


def test_when_nobody_can_be_reached_the_page_is_not_passed(
    hood: Hood, noting: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    shift = gate.shift(hood)
    names = crowd(shift, 6)
    made = start(shift, "noting")
    with patch.dict(rounds._each, {"noting": lambda *_, **__: 1 / 0}):
        timers._run(made, clock.now())
    (this,) = rounds_of(shift)
    assert (this.reached, this.left, this.timer_tries) == ("", [], 1)
    walk(shift)
    assert noting == Counter({**dict.fromkeys(names, 1), "the end": 1})


def test_cut_off_before_its_end_it_ends_again_and_is_removed(hood: Hood, noting: Seen) -> None:
    shift = gate.shift(hood)
    start(shift, "noting")
    well = rounds._finished["noting"]

    def dies(shift: Shift, *, now: Any) -> None:
        well(shift, now=now)
        raise KeyboardInterrupt

    with patch.dict(rounds._finished, {"noting": dies}), pytest.raises(KeyboardInterrupt):
        rounds.walk(rounds_of(shift)[0], now=clock.now())
    assert len(rounds_of(shift)) == 1
    walk(shift)
    assert noting == {"the end": 2}


def test_a_round_that_is_gone_is_nothing_to_do(hood: Hood, noting: Seen) -> None:
    shift = gate.shift(hood)
    made = start(shift, "noting")
    walk(shift)
    rounds.walk(made, now=clock.now())
    assert noting == {"the end": 1}


class Killed(BaseException):
    """The container is gone."""


@pytest.mark.parametrize("after", [0, 1, 3])
@pytest.mark.parametrize("what", ["changed", "cancelled"])
def test_killed_after_some_people_everybody_is_told_once(
    hood: Hood, what: str, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "PAGE", 3)
    monkeypatch.setattr(rounds, "_THREADS", 1)
    worker = hood.staff("grid_worker")
    shift = shift_of(worker, shifts=[single(3, capacity=3)])
    people = [gate.volunteer(hood) for _ in range(5)]
    for who in people:
        gate.signed_up(who, shift, wait=True)
    good(change(worker, shift, place="南门") if what == "changed" else cancel(worker, shift))
    well, done = rounds._each[what], []

    def dies(*given: Any, **named: Any) -> None:
        if len(done) == after:
            raise Killed
        well(*given, **named)
        done.append(1)

    (this,) = rounds_of(shift)
    with patch.dict(rounds._each, {what: dies}), pytest.raises(Killed):
        rounds.walk(this, now=clock.now())
    walk(shift)
    topic = "shift_changed" if what == "changed" else "shift_cancelled"
    assert [len(told(who, topic)) for who in people] == [1] * 5
    gate.adds_up(shift)


@pytest.mark.parametrize("what", ["changed", "cancelled"])
def test_two_sweeps_at_the_same_round_tell_nobody_twice(each_engine: str, hood: Hood, what: str) -> None:
    worker = hood.staff("grid_worker")
    shift = shift_of(worker, shifts=[single(3, capacity=2)])
    people = [gate.volunteer(hood) for _ in range(4)]
    for who in people:
        gate.signed_up(who, shift, wait=True)
    good(change(worker, shift, place="南门") if what == "changed" else cancel(worker, shift))
    (this,) = rounds_of(shift)
    at_once(*[lambda: timers._run(this, clock.now())] * 3)
    walk(shift)
    topic = "shift_changed" if what == "changed" else "shift_cancelled"
    assert [len(told(who, topic)) for who in people] == [1] * 4
    gate.adds_up(shift)
