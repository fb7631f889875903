"""How a shift ends by itself, and who is asked to confirm its hours."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.kit import timers
from chalicelib.kit.transaction import transaction
from chalicelib.shifts.hours import ending
from chalicelib.shifts.models import Shift
from tests.neighbourhood import Hood
from tests.points.books import at_once
from tests.shifts import evening, gate, organised


def test_two_hours_after_the_end_everybody_is_settled_and_the_organiser_is_asked_to_confirm(hood: Hood) -> None:
    li = hood.staff("community_worker", name="李组织")
    shift = evening.over(hood, organiser=li, capacity=3)
    came = evening.on("res_came", shift, came=0, left=240)
    forgot = evening.on("res_forgot", shift, came=30)
    away = evening.on("res_away", shift)
    waits = evening.on("res_waits", shift, state="waiting")
    evening.due(shift)
    assert gate.stored(shift).state == "ended"
    evening.walk(shift)
    states = [evening.stand(each, shift).state for each in (came, forgot, away, waits)]
    assert states == ["checked_out", "checked_out", "no_show", "cancelled"]
    assert evening.stand(forgot, shift).out_at == gate.stored(shift).end_at
    assert evening.stand(forgot, shift).out_by == "forgotten"
    assert evening.stand(waits, shift).cancelled_by == "shift"
    assert evening.minutes(came, shift) is None, "nobody has confirmed yet"
    assert li.told == ["shift_hours_to_confirm"]
    gate.adds_up(shift)


def test_nobody_is_asked_about_a_shift_to_which_nobody_came_forward(hood: Hood) -> None:
    li = hood.staff("grid_worker")
    shift = evening.over(hood, organiser=li)
    evening.due(shift)
    evening.walk(shift)
    assert (gate.stored(shift).state, gate.stored(shift).timer, li.told) == ("ended", None, [])


def test_where_the_organiser_has_left_the_grid_worker_is_asked(hood: Hood) -> None:
    carer = hood.staff("grid_worker")
    shift = evening.over(hood)
    evening.on("res_came", shift, came=0)
    evening.due(shift)
    evening.walk(shift)
    assert carer.told == ["shift_hours_to_confirm"]


def test_three_days_later_organiser_and_grid_workers_are_reminded_once_and_each_once(hood: Hood) -> None:
    li, carer = hood.staff("grid_worker", name="李组织"), hood.staff("grid_worker")
    shift = evening.over(hood, organiser=li)
    evening.on("res_came", shift, came=0)
    evening.due(shift)
    evening.walk(shift)
    waits = gate.stored(shift)
    assert (waits.timer, li.told) == ("shifts.unconfirmed", ["shift_hours_to_confirm"])
    for _ in range(2):
        timers._handlers["shifts.unconfirmed"](waits, now=waits.due_at)
    assert gate.stored(shift).timer is None
    assert li.told == ["shift_hours_to_confirm", "shift_hours_unconfirmed"]
    assert carer.told == ["shift_hours_unconfirmed"]


def test_what_is_confirmed_is_neither_asked_for_nor_reminded_of(hood: Hood) -> None:
    li = hood.staff("grid_worker")
    shift = evening.over(hood, organiser=li)
    evening.on("res_came", shift, came=0)
    before = gate.stored(shift)
    evening.confirmed(li, shift)
    timers._handlers["shifts.end"](before, now=before.due_at + timedelta(hours=1))
    timers._handlers["shifts.unconfirmed"](before, now=before.due_at + timedelta(days=4))
    evening.walk(shift)
    assert (li.told, gate.stored(shift).timer) == ([], None)


def test_a_shift_that_was_lengthened_since_the_sweep_looked_does_not_end(hood: Hood) -> None:
    shift = evening.over(hood)
    seen = gate.stored(shift)
    later = seen.due_at + timedelta(hours=2)
    with transaction() as tx:
        tx.update(seen, [Shift.due_at.set(later)])
    timers._handlers["shifts.end"](seen, now=seen.due_at)
    assert gate.stored(shift).state == "published"


def test_one_that_was_cancelled_before_it_began_has_nothing_to_settle(hood: Hood) -> None:
    shift = evening.over(hood)
    evening.cancelled(shift, after=-30)
    evening.due(shift)
    assert (evening.rounds(shift), gate.stored(shift).timer) == ([], None)


def test_one_that_was_cancelled_after_its_start_ends_when_it_was(hood: Hood) -> None:
    li = hood.staff("grid_worker")
    shift = evening.over(hood, organiser=li)
    here, away = evening.on("res_here", shift, came=0), evening.on("res_away", shift)
    evening.cancelled(shift, after=90)
    evening.due(shift)
    evening.walk(shift)
    stored = gate.stored(shift)
    assert (stored.state, stored.ended_at is None) == ("cancelled", False)
    states = [evening.stand(each, shift).state for each in (here, away)]
    assert states == ["checked_in", "signed_up"], "what becomes of them is the cancellation's, which tells them"
    assert li.told == ["shift_hours_to_confirm"]


def test_a_round_that_was_cut_off_is_done_again_and_asks_once(hood: Hood) -> None:
    li = hood.staff("grid_worker")
    shift = evening.over(hood, organiser=li)
    people = [evening.on(f"res_{number}", shift, came=0) for number in range(3)]
    evening.due(shift)
    ended = gate.stored(shift)
    ending_round = evening.rounds(shift)
    evening.settle(ended, evening.stand(people[1], shift), now=ended.ended_at)
    evening.walk(shift)
    for each in ending_round:
        with transaction() as tx:
            tx.put(each)
    evening.walk(shift)
    assert {evening.stand(each, shift).state for each in people} == {"checked_out"}
    assert li.told == ["shift_hours_to_confirm"]


def test_several_sweeps_at_once_end_it_once(hood: Hood) -> None:
    li = hood.staff("grid_worker")
    shift = evening.over(hood, organiser=li)
    evening.on("res_came", shift, came=0)
    seen = gate.stored(shift)
    assert at_once(4, lambda number: ending.end(seen, now=seen.due_at + timedelta(seconds=number))) == [None] * 4
    assert len(evening.rounds(shift)) == 1
    assert at_once(3, lambda _: ending.ask_to_confirm(gate.stored(shift), now=seen.due_at)) == [None] * 3
    assert li.told == ["shift_hours_to_confirm"]


def test_a_former_organiser_is_asked_nothing_and_sees_no_draft_nor_shift_to_run(hood: Hood) -> None:
    """Their colleagues are asked instead."""
    organiser, successor = hood.staff("community_worker"), hood.staff("grid_worker")
    draft = organised.drafted(organiser)["id"]
    shift, chen = evening.over(hood, organiser=organiser), gate.volunteer(hood)
    evening.on(chen, shift, came=0)
    assert len(organiser.get("/shifts/running?order=newest").json["items"]) == 1
    hood.end_duty(organiser, "community_worker", hood.community)
    evening.due(shift)
    evening.walk(shift)
    evening.due(shift)
    assert organiser.told == []
    assert successor.told == ["shift_hours_to_confirm", "shift_hours_unconfirmed"]
    for where in ("/shifts/running?order=newest", "/activities/mine"):
        assert organiser.get(where).json["items"] == []
    assert organiser.get(f"/activities/{draft}").code == "activity_not_found"
