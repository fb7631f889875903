"""A resident signs up for a shift, or waits for a place, and may withdraw until it starts."""

from __future__ import annotations

from datetime import datetime

import msgspec

from chalicelib.areas import rules as areas
from chalicelib.kit import clock
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Action, Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import service as people
from chalicelib.people.in_charge import whom_to_tell
from chalicelib.people.models import Duty
from chalicelib.people.service import Person
from chalicelib.shifts import rules
from chalicelib.shifts.models import Shift, SignUp, area_of, named, settled, times
from chalicelib.shifts.places import counting as places
from chalicelib.volunteers import diary, eligibility
from chalicelib.volunteers.models import Volunteer

LATE_TOLD_AT_MOST = 5  # a team of 45 that goes leaves room for no more, see `team_sign_up`


class Wish(msgspec.Struct, frozen=True):
    """`role`: come as a staff member whom the shift needs. `wait`: on the waiting list, if there is no place."""

    role: str | None = None
    wait: bool = False


@settled
def sign_up(*, caller: Caller, shift_id: str, wish: Wish, attempt: Attempt, now: datetime) -> SignUp:
    """Take a place, or wait for one: one read and one write. Never more than the capacity, never past those who wait."""
    mine: SignUp | None
    duties = _duties_that_count(caller, wish.role, shift_id)
    person, (found, mine, file, *held) = people.present_with(
        caller, Shift.key(shift_id), SignUp.key(shift_id, caller.id), Volunteer.key(caller.id), *duties, now=now
    )
    if mine and attempt.made(mine):
        return mine
    shift = named(found, shift_id)
    person.duties = [duty for duty in held if duty]
    _may_sign_up(person, shift, mine, file, wish, now)
    new = place_for(shift, person.id, person.resident.nickname, now, before=mine)
    new.role = wish.role
    new.marks = attempt.marks_with(mine)
    with person.acting() as tx:
        _take(tx, shift, new, wish)
        write(tx, new, before=mine)
        diary.enter(tx, file, person.id, times(shift), now=now)
    return new


def _duties_that_count(caller: Caller, role: str | None, shift_id: str) -> list[Duty]:
    """The keys of duties by which the caller may come in this role: those over the shift's area."""
    area = area_of(shift_id)
    return [Duty.key(caller.id, role, code) for code in areas.up_from(area)] if role and area else []


def _may_sign_up(
    person: Person, shift: Shift, mine: SignUp | None, file: Volunteer | None, wish: Wish, now: datetime
) -> None:
    if mine and mine.state != "cancelled":
        raise rules.AlreadySignedUp()
    check_not_too_often(mine, now)
    rules.check_open(shift, now=now)
    if wish.role:
        person.must_hold([wish.role], shift.area)
        return
    rules.check_audience(shift, person.resident.home, person.resident.home_state)
    eligibility.check(file, approved=shift.needs_approval, on=clock.day(shift.start_at))


def check_not_too_often(mine: SignUp | None, now: datetime) -> None:
    """Signing up and giving the place back again and again tells somebody each time."""
    if mine and _times_today(mine, now) >= rules.settings_in_force().sign_ups_a_day:
        raise rules.SignedUpTooOften(retry_after=clock.until_midnight(now))


def _times_today(before: SignUp | None, now: datetime) -> int:
    return int(before.times_that_day) if before and clock.day(before.at) == clock.day(now) else 0


def _take(tx: transaction, shift: Shift, new: SignUp, wish: Wish) -> None:
    if wish.role:
        places.take_role(tx, shift, wish.role)
    elif shift.left or not wish.wait:
        places.take(tx, shift)
    else:
        new.state = "waiting"
        places.wait(tx, shift, new)


def place_for(shift: Shift, person: str, name: str, now: datetime, *, before: SignUp | None = None) -> SignUp:
    """A new sign-up for this shift, signed up; not yet written."""
    new = SignUp.key(shift.id, person)
    new.state, new.shift, new.name, new.at = "signed_up", shift.id, name, now
    new.title, new.place, new.start_at, new.end_at = shift.title, shift.place, shift.start_at, shift.end_at
    new.told = int(shift.version)
    new.late_withdrawals = int(before.late_withdrawals) if before else 0
    new.times_that_day = _times_today(before, now) + 1
    new.list_it()
    return new


def write(tx: transaction, new: SignUp, *, before: SignUp | None) -> None:
    """Somebody who had cancelled may sign up again."""
    tx.put(
        new,
        when=(SignUp.state == "cancelled") & (SignUp.at == before.at) if before else Item.pk.does_not_exist(),
        or_raise=Changed(),
    )


@settled
def withdraw(*, caller: Caller, shift_id: str, attempt: Attempt, now: datetime) -> SignUp:
    """Give the place back before the start, or leave the queue; the first who waits has the place at once. A late one is
    noted, not punished."""
    mine: SignUp | None
    person, (found, mine, file) = people.present_with(
        caller, Shift.key(shift_id), SignUp.key(shift_id, caller.id), Volunteer.key(caller.id), now=now
    )
    shift = named(found, shift_id)
    if mine is None:
        raise rules.NotSignedUp()
    if attempt.made(mine):
        return mine
    check_withdrawal(shift, mine, now)
    with person.acting() as tx:
        take_out(tx, shift, mine, file, by="self", now=now, attempt=attempt)
    mine.state = "cancelled"
    return mine


def check_withdrawal(shift: Shift, mine: SignUp, now: datetime) -> None:
    if mine.state == "cancelled":
        raise rules.NotSignedUp()
    if shift.state == "cancelled":
        raise rules.ShiftCancelled()
    if mine.state == "waiting" and shift.state == "published":
        return  # who waits in vain may go to another shift, whenever
    if now >= shift.start_at or mine.state not in rules.MAY_LEAVE:
        raise rules.TooLateToWithdraw()


def take_out(
    tx: transaction,
    shift: Shift,
    mine: SignUp,
    file: Volunteer | None,
    *,
    by: str,
    now: datetime,
    attempt: Attempt | None = None,
) -> None:
    """Take somebody off a shift that has not started, or off its queue; the next one moves up."""
    if mine.state == "waiting":
        places.leave_queue(tx, shift, mine)
    else:
        places.give_back(tx, shift, mine, now=now)
    late = by in ("self", "guardian") and is_late(shift, mine, now)
    first = not int(mine.late_withdrawals)
    cancel(tx, mine, by=by, now=now, also=attempt, late=late and by == "self")
    if not mine.guest:
        diary.leave(tx, file, shift.id, now=now)
    if late and first:
        tell_late(tx, shift, who=mine.name, but=mine.person, now=now)


def tell_late(tx: transaction, shift: Shift, *, who: str, but: str, now: datetime) -> None:
    """Tell who runs the shift: its organiser as long as they look after its area, else who does now."""
    facts = {"title": shift.title, "when": clock.spoken(shift.start_at), "who": who}
    for carer in whom_to_tell(shift.area, now=now, first=shift.organiser, but=(but,))[:LATE_TOLD_AT_MOST]:
        notices.tell(tx, carer, "shift_late_withdrawal", about=shift.id, now=now, area=shift.area, **facts)


def is_late(shift: Shift, mine: SignUp, now: datetime) -> bool:
    """Is giving this place back now to be noted? Never soon after a change, nor before it was told."""
    if mine.state == "waiting" or shift.start_at - now >= rules.LATE_WITHIN:
        return False
    if int(mine.told) < int(shift.version):
        return False
    return mine.changed_at is None or now - mine.changed_at >= rules.MAY_LEAVE_AFTER_CHANGE


def cancel(
    tx: transaction, mine: SignUp, *, by: str, now: datetime, also: Attempt | None = None, late: bool = False
) -> None:
    """The sign-up itself: nothing of the shift and the person's time."""
    change: list[Action] = SignUp.set(state="cancelled", cancelled_at=now, cancelled_by=by)
    if mine.state == "checked_in":
        change += SignUp.set(in_at=None, in_by=None)
        mine.in_at = None
    if late:
        change.append(SignUp.late_withdrawals.add(1))
        mine.late_withdrawals = int(mine.late_withdrawals) + 1
    if also:
        change += also.remember()
    tx.update(mine, change, when=SignUp.state == mine.state, or_raise=Changed())
