"""The organiser confirms the hours of a whole shift with one tap; what does not simply count is listed with its reason.

The tap itself is one write. The hours of each person are then recorded by the round `settled`, each once, whatever is
interrupted: what the answer lists follows from the shift and the sign-ups alone, so a repeat lists the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Action, Item, read_together
from chalicelib.kit.transaction import transaction
from chalicelib.people import service as people
from chalicelib.people.models import Resident
from chalicelib.people.service import Person
from chalicelib.shifts import rounds, rules
from chalicelib.shifts.hours import ending, recording
from chalicelib.shifts.hours import rules as hours_rules
from chalicelib.shifts.hours.recording import Hours
from chalicelib.shifts.hours.rules import Exceptional
from chalicelib.shifts.in_charge import in_charge
from chalicelib.shifts.models import Round, Shift, SignUp, named, settled
from chalicelib.volunteers.models import ServiceRecord, Volunteer
from chalicelib.volunteers.records import recorders


class Line(msgspec.Struct, frozen=True):
    """What becomes of the hours of one person. `minutes` as they were checked."""

    sign_up: SignUp
    minutes: int
    exceptional: Exceptional | None

    @property
    def counts(self) -> bool:
        return self.exceptional in (None, "forgot_check_out")


class Report(msgspec.Struct, frozen=True):
    shift: Shift
    lines: list[Line]


class OnShift(msgspec.Struct, frozen=True):
    """One person of a shift, as somebody who runs it finds them."""

    person: Person
    shift: Shift
    sign_up: SignUp
    resident: Resident | None
    record: ServiceRecord | None


def look(*, caller: Caller, shift_id: str, now: datetime) -> Report:
    """What a confirmation by the caller would count, or what was counted: before and after the tap."""
    person = people.present(caller, now=now)
    shift, sign_ups = _everybody(shift_id)
    person.must_hold(rules.ORGANISERS, shift.area)
    if shift.confirmed_at is None:
        hours_rules.check_over(shift, now=now)
        shift.confirmed_by, shift.confirmed_at = person.id, now
        shift.not_theirs = person.not_theirs(each.person for each in sign_ups)
        report = _report(shift, sign_ups)
        shift.confirmed_by = shift.confirmed_at = None
        return report
    name = recorders.names([shift.confirmed_by])
    shift.confirmed_by_name = name(shift.confirmed_by, shift.confirmed_by_name, shift.area)
    return _report(shift, sign_ups)


@settled
def confirm(*, caller: Caller, shift_id: str, leave_out: Sequence[str], attempt: Attempt, now: datetime) -> Report:
    """Confirm the hours of everybody but those left out, one's own, and those of one's delegates and principals. Ends the shift, if it has not ended yet."""
    person = people.present(caller, now=now)
    shift, sign_ups = _everybody(shift_id)
    person.must_hold(rules.ORGANISERS, shift.area)
    if attempt.made(shift):
        return _report(shift, sign_ups)
    if shift.confirmed_at is not None:
        raise hours_rules.AlreadyConfirmed()
    hours_rules.check_over(shift, now=now)
    _check_known(leave_out, sign_ups)
    shift.not_theirs = person.not_theirs(each.person for each in sign_ups)
    name = person.resident.nickname
    confirmed = Shift.set(
        confirmed_at=now,
        confirmed_by=person.id,
        confirmed_by_name=name,
        left_out=sorted(set(leave_out)),
        not_theirs=shift.not_theirs,
    )
    with person.acting() as tx:
        ending.close(tx, shift, now=now, also=[*confirmed, *attempt.remember()])
    shift.confirmed_at, shift.confirmed_by, shift.confirmed_by_name = now, person.id, name
    shift.left_out = sorted(set(leave_out))
    return _report(shift, sign_ups)


def _everybody(shift_id: str) -> tuple[Shift, list[SignUp]]:
    """The shift and all its sign-ups: one Query."""
    found = list(Item.query(Shift.key(shift_id).pk, Item.sk.between("SHIFT", "SIGN_UP$"), consistent_read=True))
    shift = next((item for item in found if isinstance(item, Shift)), None)
    return named(shift, shift_id), [item for item in found if isinstance(item, SignUp)]


def _check_known(leave_out: Sequence[str], sign_ups: Sequence[SignUp]) -> None:
    known = {each.person for each in sign_ups}
    wrong = {f"leave_out[{number}]": "没有报名这个班次" for number, each in enumerate(leave_out) if each not in known}
    if wrong:
        raise hours_rules.PersonUnknown(fields=wrong)


def _report(shift: Shift, sign_ups: Sequence[SignUp]) -> Report:
    lines = [line for each in sign_ups if (line := line_of(shift, each)) is not None]
    return Report(shift, lines)


def line_of(shift: Shift, mine: SignUp) -> Line | None:
    """What the confirmation of this shift says of somebody's hours; None of those who were not expected to come.

    The same before and after everybody was settled and recorded.
    """
    if mine.state in ("waiting", "cancelled") or (shift.state == "cancelled" and mine.state == "signed_up"):
        return None
    served = minutes(shift, mine)
    return Line(mine, served, _exception(shift, mine, served))


def minutes(shift: Shift, mine: SignUp) -> int:
    """As checked; who has not checked out was there until the end."""
    end = hours_rules.final_end(shift)
    if mine.in_at is None:
        return 0
    return hours_rules.minutes_served(mine.in_at, mine.out_at or end, start=shift.start_at, end=end)


def _exception(shift: Shift, mine: SignUp, served: int) -> Exceptional | None:
    if mine.guest:
        return "guest"
    if mine.recorded_at and shift.confirmed_at and mine.recorded_at < shift.confirmed_at:
        return "already_recorded"
    if mine.in_at is None:
        return "no_show"
    if mine.person in shift.left_out:
        return "left_out"
    if mine.person == shift.confirmed_by or mine.person in shift.not_theirs:
        return "own"
    if not served:
        return "zero_minutes"
    still_there = mine.state == "checked_in" and shift.state != "cancelled"  # nobody forgets who is sent home
    return "forgot_check_out" if still_there or mine.out_by == "forgotten" else None


@rounds.of(ending.SETTLED)
@settled
def settle(this: Round, shift: Shift, sign_up: SignUp, file: Volunteer | None, *, now: datetime) -> None:
    """The end of a shift for one person, and their hours, if these are confirmed: one write, whatever is repeated."""
    current: Shift | None
    mine: SignUp | None
    resident: Resident | None
    current, mine, resident = read_together(
        Shift.key(shift.id), SignUp.key(shift.id, sign_up.person), Resident.key(sign_up.person)
    )
    if current is None or current.ended_at is None or mine is None:
        return
    line = line_of(current, mine) if current.confirmed_at else None
    with transaction() as tx:
        change = ending.settle(tx, current, mine, now=now)
        if line and line.counts and mine.recorded_at is None and resident and resident.state == "active":
            by, by_name = current.confirmed_by or "", current.confirmed_by_name or ""
            hours = Hours(line.minutes, "checked", by, by_name)
            recording.record(tx, current, mine, hours, kind="shift_hours_confirmed", now=now, also=change)
        elif change:
            tx.update(mine, change, when=SignUp.state == mine.state, or_raise=Changed())


@settled
def confirm_one(*, caller: Caller, shift_id: str, person_id: str, attempt: Attempt, now: datetime) -> ServiceRecord:
    """Confirm the checked hours of somebody who was left out, or of whoever confirmed all others'."""
    found = on_shift(caller, shift_id, person_id, now)
    if found.record is not None and attempt.made(found.sign_up):
        return found.record
    check_recordable(found)
    if found.shift.confirmed_at is None:
        raise hours_rules.ConfirmFirst()
    served = minutes(found.shift, found.sign_up)
    if not served:
        raise hours_rules.NothingToConfirm()
    hours = Hours(served, "checked", found.person.id, found.person.resident.nickname)
    with transaction() as tx:
        change = [*ending.settle(tx, found.shift, found.sign_up, now=now), *attempt.remember()]
        kind = "shift_hours_confirmed"
        new = recording.record(tx, found.shift, found.sign_up, hours, kind=kind, now=now, also=change)
        found.person.still(tx)
    return new


def on_shift(caller: Caller, shift_id: str, person_id: str, now: datetime) -> OnShift:
    """Somebody on a shift that the caller may run: ShiftGone, DutyNeeded, NotOnTheShift."""
    mine: SignUp | None
    resident: Resident | None
    keys = (SignUp.key(shift_id, person_id), Resident.key(person_id))
    person, shift, (mine, resident) = in_charge(caller, shift_id, *keys, now=now)
    if mine is None or not may_have_served(shift, mine):
        raise hours_rules.NotOnTheShift()
    key = recording.key(shift, person_id)
    record = ServiceRecord.find(key.pk, key.sk) if mine.recorded_at else None
    return OnShift(person, shift, mine, resident, record)


def may_have_served(shift: Shift, mine: SignUp) -> bool:
    """Was this person to come, when the shift began? Also whom its cancellation has sent home unchecked since then."""
    sent_home = mine.cancelled_by == "shift" and shift.cancelled_at is not None and shift.cancelled_at > shift.start_at
    return mine.state not in ("waiting", "cancelled") or (mine.state == "cancelled" and sent_home)


def came(shift: Shift) -> list[Action]:
    """The sign-up of somebody who was there after all; who has a place on a cancelled shift its own round says."""
    return [SignUp.state.set("checked_out")] if shift.state != "cancelled" else []


def check_recordable(found: OnShift) -> None:
    """May this person's hours be written by the caller at all?"""
    found.person.apart_from(found.sign_up.person, or_raise=hours_rules.OwnHours())
    if found.sign_up.guest:
        raise hours_rules.GuestHours()
    if found.sign_up.recorded_at is not None:
        raise hours_rules.AlreadyRecorded()
    if found.resident is None or found.resident.state != "active":
        raise hours_rules.NotOnTheShift()
