"""A shift that is over, with people who came, forgot, or stayed away: for tests of hours.

shift = evening.over(hood, organiser=li)
evening.on(chen, shift, came=-10, left=235)      # minutes after the start
evening.confirm(li, shift); evening.walk(shift)
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from chalicelib.kit import clock, ids, timers
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.people.models import Resident
from chalicelib.shifts import rules
from chalicelib.shifts.hours import confirming
from chalicelib.shifts.models import HoursCorrection, Round, Shift, SignUp, Waiting
from chalicelib.shifts.places import signing_up
from chalicelib.volunteers.models import ServiceRecord
from tests.engine.http import Answer
from tests.neighbourhood import Hood, Neighbour
from tests.shifts import gate

FOUR_HOURS = timedelta(hours=4)


def over(
    hood: Hood,
    *,
    organiser: Neighbour | None = None,
    ago: timedelta = timedelta(minutes=30),
    lasts: timedelta = FOUR_HOURS,
    **terms: Any,
) -> str:
    """A shift that ended some time ago, and that nobody has ended yet."""
    terms = {"points_an_hour": 2, **terms}
    return gate.shift(hood, organiser=organiser, starts=-(ago + lasts), lasts=lasts, **terms)


def on(
    who: Neighbour | str, shift_id: str, *, came: float | None = None, left: float | None = None, **more: Any
) -> str:
    """Put somebody on a shift as it was long ago; `came` and `left` in minutes after its start."""
    person, name = (who, "") if isinstance(who, str) else (who.id, who.name)
    shift = gate.stored(shift_id)
    new = signing_up.place_for(shift, person, name, shift.start_at - timedelta(days=1))
    if came is not None:
        new.state, new.in_at, new.in_by = "checked_in", shift.start_at + timedelta(minutes=came), "qr"
    if left is not None:
        new.state, new.out_at, new.out_by = "checked_out", shift.start_at + timedelta(minutes=left), "qr"
    for attribute, value in more.items():
        setattr(new, attribute, value)
    with transaction() as tx:
        tx.put(new)
        if new.state == "waiting":
            tx.put(Waiting.of(new))
            tx.update(shift, [Shift.waiting.add(1)])
        elif new.role:
            there = int(shift.staffed.get(new.role, 0)) + 1
            tx.update(shift, [Shift.staffed.set({**shift.staffed, new.role: there})])
        elif new.state in rules.HOLDS_A_PLACE:
            tx.update(shift, [Shift.taken.add(1)])
    return person


def guest(shift_id: str, name: str = "阿婆") -> str:
    return on(ids.new_id("guest"), shift_id, came=0, left=60, guest=True, name=name)


def cancelled(shift_id: str, *, after: float) -> None:
    """It is called off so many minutes after its start."""
    shift = gate.stored(shift_id)
    at = shift.start_at + timedelta(minutes=after)
    with transaction() as tx:
        tx.update(shift, [Shift.state.set("cancelled"), Shift.cancelled_at.set(at), Shift.version.add(1)])


def closed(person: str) -> None:
    with transaction() as tx:
        tx.update(Resident.key(person), [Resident.state.set("closed")])


def rounds(shift_id: str) -> list[Round]:
    return Item.collection(gate.stored(shift_id).pk, Round.PREFIX)


def walk(shift_id: str) -> None:
    """Everything that has to be done for everybody on the shift is done, as the sweep does it."""
    for _ in range(10):
        for each in rounds(shift_id):
            timers._handlers[Round.TIMER](each, now=each.due_at)
        if not rounds(shift_id):
            return
    raise AssertionError("a round does not come to its end")


def due(shift_id: str, *, late: timedelta = timedelta()) -> None:
    """The shift's timer runs at the moment it is set to."""
    shift = gate.stored(shift_id)
    assert shift.timer is not None
    assert shift.due_at is not None
    timers._handlers[shift.timer](shift, now=shift.due_at + late)


def confirm(by: Neighbour, shift_id: str, *leave_out: str, key: str | None = None) -> Answer:
    return by.post(f"/shifts/{shift_id}/confirm", json={"leave_out": list(leave_out)}, key=key)


def confirmed(by: Neighbour, shift_id: str, *leave_out: str) -> dict[str, Any]:
    """Confirmed, and everybody's hours recorded."""
    answer = confirm(by, shift_id, *leave_out)
    assert answer.status == 200, answer
    walk(shift_id)
    document: dict[str, Any] = answer.json
    return document


def confirm_one(by: Neighbour, shift_id: str, person: str, *, key: str | None = None) -> Answer:
    return by.post(f"/shifts/{shift_id}/people/{person}/confirm", key=key)


def back_fill(by: Neighbour, shift_id: str, person: str, *, key: str | None = None, **served: Any) -> Answer:
    body = {"reason": "签到码坏了，一直在门口", **served}
    return by.post(f"/shifts/{shift_id}/people/{person}/hours", json=body, key=key)


def ask(
    who: Neighbour, shift_id: str, minutes: int, *, key: str | None = None, reason: str = "我来了四个小时"
) -> Answer:
    body = {"minutes": minutes, "reason": reason}
    return who.post(f"/shifts/{shift_id}/hours/corrections", json=body, key=key)


def decide(by: Neighbour, correction: str, *, key: str | None = None, **how: Any) -> Answer:
    word = "decline" if "reason" in how else "accept"
    return by.post(f"/hours-corrections/{correction}/{word}", json=how, key=key)


def record(person: Neighbour | str, shift_id: str) -> ServiceRecord | None:
    shift = gate.stored(shift_id)
    key = ServiceRecord.key(person if isinstance(person, str) else person.id, shift.id, shift.start_at)
    return ServiceRecord.find(key.pk, key.sk)


def minutes(person: Neighbour | str, shift_id: str) -> int | None:
    found = record(person, shift_id)
    return int(found.minutes) if found else None


def correction(who: Neighbour, shift_id: str) -> HoursCorrection:
    key = HoursCorrection.key(who.id, shift_id)
    return HoursCorrection.fetch(key.pk, key.sk)


def stand(person: Neighbour | str, shift_id: str) -> SignUp:
    key = SignUp.key(shift_id, person if isinstance(person, str) else person.id)
    return SignUp.fetch(key.pk, key.sk)


def ago(**span: float) -> datetime:
    return clock.now() - timedelta(**span)


def nickname(who: Neighbour) -> str:
    resident = Resident.key(who.id)
    return Resident.fetch(resident.pk, resident.sk).nickname


def settle(shift: Shift, mine: SignUp, *, now: datetime) -> None:
    """One person's turn in the round that ends a shift."""
    confirming.settle(Round.of(shift, "settled", now), shift, mine, None, now=now)
