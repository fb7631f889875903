"""What hours cost: ending and confirming a shift, recording each person's, adding and correcting them."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.kit import timers
from chalicelib.kit.transaction import transaction
from chalicelib.shifts.hours import ending
from chalicelib.shifts.models import Shift
from tests.budget.acts import Act, Town, act, good, when_due
from tests.budget.quiz import somebody_who_earned
from tests.shifts import evening, gate

PEOPLE = 20


def twenty(town: Town) -> str:
    """A shift that is over, with twenty who came."""
    shift = evening.over(town, capacity=PEOPLE)
    for number in range(PEOPLE):
        evening.on(f"res_{number}", shift, came=0, left=120)
    return shift


def due(shift: str, timer: str) -> Act:
    with transaction() as tx:
        key = Shift.key(shift)
        tx.update(key, timers.set_to(key.pk, timer, gate.stored(shift).end_at + timedelta(hours=2)))
    return when_due(Shift.key(shift))


@act("timer shifts.end")
def end(town: Town) -> Act:
    town.carer()
    return due(twenty(town), "shifts.end")


@act("timer shifts.unconfirmed")
def remind(town: Town) -> Act:
    town.carer()
    return due(twenty(town), "shifts.unconfirmed")


@act("GET /shifts/{shift_id}/hours")
def look(town: Town) -> Act:
    worker, shift = town.staff("community_worker"), twenty(town)
    return lambda: worker.get(f"/shifts/{shift}/hours")


@act("POST /shifts/{shift_id}/confirm")
def confirm(town: Town) -> Act:
    worker, shift = town.staff("community_worker"), twenty(town)
    return lambda: evening.confirm(worker, shift)


@act("timer shifts.round (the hours of one person)")
def record(town: Town) -> Act:
    """Of somebody who has earned this month."""
    worker, chen = town.staff("community_worker"), somebody_who_earned(town)
    shift = evening.over(town)
    evening.on(chen, shift, came=0)
    good(evening.confirm(worker, shift))
    stored, mine = gate.stored(shift), evening.stand(chen, shift)
    return lambda: evening.settle(stored, mine, now=stored.confirmed_at)


@act("timer shifts.round (one person at the end)")
def settle(town: Town) -> Act:
    shift = evening.over(town)
    evening.on("res_forgot", shift, came=0)
    due(shift, "shifts.end")()
    stored, mine = gate.stored(shift), evening.stand("res_forgot", shift)
    return lambda: evening.settle(stored, mine, now=stored.ended_at)


@act("timer shifts.round (asking for the confirmation)")
def ask_to_confirm(town: Town) -> Act:
    town.carer()
    shift = twenty(town)
    due(shift, "shifts.end")()
    stored = gate.stored(shift)
    return lambda: ending.ask_to_confirm(stored, now=stored.ended_at)


@act("POST /shifts/{shift_id}/people/{person_id}/confirm")
def confirm_one(town: Town) -> Act:
    worker, chen = town.staff("community_worker"), somebody_who_earned(town)
    shift = evening.over(town)
    evening.on(chen, shift, came=0, left=120)
    good(evening.confirm(worker, shift, chen.id))
    return lambda: evening.confirm_one(worker, shift, chen.id)


@act("POST /shifts/{shift_id}/people/{person_id}/hours")
def back_fill(town: Town) -> Act:
    worker, chen = town.staff("community_worker"), somebody_who_earned(town)
    shift = evening.over(town)
    evening.on(chen, shift)
    return lambda: evening.back_fill(worker, shift, chen.id, minutes=120)


@act("POST /shifts/{shift_id}/hours/corrections")
def ask(town: Town) -> Act:
    carer, chen = town.staff("grid_worker"), somebody_who_earned(town)
    shift = evening.over(town)
    evening.on(chen, shift, came=0, left=120)
    good(evening.confirm(carer, shift))
    evening.walk(shift)
    return lambda: evening.ask(chen, shift, 200)


def asked(town: Town, minutes: int) -> str:
    carer, chen = town.staff("grid_worker"), somebody_who_earned(town)
    shift = evening.over(town)
    evening.on(chen, shift, came=0, left=120)
    good(evening.confirm(carer, shift))
    evening.walk(shift)
    number: str = good(evening.ask(chen, shift, minutes))["id"]
    return number


@act("GET /hours-corrections")
def corrections(town: Town) -> Act:
    worker = town.staff("community_worker")
    for _ in range(3):
        asked(town, 60)
    return lambda: worker.get(f"/hours-corrections?area={town.community}")


@act("POST /hours-corrections/{correction_id}/accept")
def accept(town: Town) -> Act:
    worker, correction = town.staff("community_worker"), asked(town, 200)
    return lambda: evening.decide(worker, correction)


@act("POST /hours-corrections/{correction_id}/accept (fewer hours)")
def accept_fewer(town: Town) -> Act:
    worker, correction = town.staff("community_worker"), asked(town, 60)
    return lambda: evening.decide(worker, correction)


@act("POST /hours-corrections/{correction_id}/decline")
def decline(town: Town) -> Act:
    worker, correction = town.staff("community_worker"), asked(town, 60)
    return lambda: evening.decide(worker, correction, reason="没有依据")
