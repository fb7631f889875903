"""Cancelling a shift, or all of an activity: everybody is told, their time is free again, nobody's record suffers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from chalicelib.content import service as content
from chalicelib.content.rules import refuse_blank
from chalicelib.kit import clock, timers
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Action, Item
from chalicelib.kit.transaction import ServerBusy, transaction
from chalicelib.notices import service as notices
from chalicelib.shifts import rounds, rules
from chalicelib.shifts.in_charge import in_charge
from chalicelib.shifts.models import Activity, Round, Shift, SignUp, Waiting, settled
from chalicelib.shifts.places import counting as places
from chalicelib.shifts.planning import drafting as planning
from chalicelib.volunteers import diary
from chalicelib.volunteers.models import Volunteer
from chalicelib.wechat.content import Scene

WHAT = "cancelled"
REST = "shifts.cancel_rest"
IN_ONE_WRITE = 45  # shifts, with two items for each of them
_FIRST_TRY = timedelta(minutes=1)  # so long the timer waits, not to meet the request that does the same


def cancel_shift(*, caller: Caller, shift_id: str, reason: str, attempt: Attempt, now: datetime) -> Shift:
    """Cancel one shift until its end. Who has come by then has served until now."""
    said: list[str] = []

    @settled
    def act() -> Shift:
        person, shift, _ = in_charge(caller, shift_id, now=now)
        if attempt.made(shift):
            return shift
        if shift.state == "cancelled":
            raise rules.ShiftCancelled()
        if not _may_be_cancelled(shift, now):
            raise rules.ShiftOver()
        said[:] = said or [_as_shown(person.caller, reason, now)]
        with person.acting() as tx:
            _cancel(tx, shift, said[0], now, also=attempt.remember())
        shift.state, shift.cancelled_at, shift.reason = "cancelled", now, said[0]
        shift.version = int(shift.version) + 1
        return shift

    return act()


def cancel_activity(*, caller: Caller, activity_id: str, reason: str, attempt: Attempt, now: datetime) -> Activity:
    """Cancel an activity with all shifts that are not over; a draft is thrown away. ActivityOver if none are left.

    The write that says so takes those with it that start next; others follow at once, or by the timer.
    """
    said: list[str] = []

    @settled
    def act() -> Activity:
        person, activity = planning.in_charge(caller, activity_id, now)
        if attempt.made(activity):
            return activity
        if not rules.ACTIVITY.allows(activity.state, "cancelled"):
            raise rules.ActivityOver()
        to_cancel = _to_cancel(activity, now)
        if activity.state == "published" and not to_cancel:
            raise rules.ActivityOver()
        if to_cancel:
            said[:] = said or [_as_shown(person.caller, reason, now)]
        else:
            refuse_blank(reason=reason)
        shown = said[0] if said else reason
        with person.acting() as tx:
            _cancel_activity(tx, activity, shown, attempt, now, rest=len(to_cancel) > IN_ONE_WRITE)
            for each in to_cancel[:IN_ONE_WRITE]:
                _cancel(tx, each, shown, now)
        activity.state, activity.cancelled_at, activity.reason = "cancelled", now, shown
        activity.version = int(activity.version) + 1
        activity.timer = REST if len(to_cancel) > IN_ONE_WRITE else None
        return activity

    cancelled = act()
    if cancelled.timer == REST:
        # Too many come and go at this moment: the activity is cancelled all the same, and the timer goes on.
        with suppress(rules.TryAgain, ServerBusy):
            cancel_rest(cancelled, now=now)
    return cancelled


@timers.on(REST)
def cancel_rest(found: Activity, *, now: datetime) -> None:
    """The shifts of a cancelled activity for which its own write had no room."""

    @settled
    def some() -> bool:
        activity = Activity.fetch(found.pk, found.sk)
        if activity.timer != REST:
            return False
        left = _to_cancel(activity, now)
        with transaction() as tx:
            for each in left[:IN_ONE_WRITE]:
                _cancel(tx, each, str(activity.reason), now)
            if len(left) <= IN_ONE_WRITE:
                tx.update(activity, timers.stop(), when=Activity.timer == REST, or_raise=Changed())
        return len(left) > IN_ONE_WRITE

    while some():
        pass


def _to_cancel(activity: Activity, now: datetime) -> list[Shift]:
    return [each for each in planning.shifts_of(activity) if _may_be_cancelled(each, now)]


def _may_be_cancelled(shift: Shift, now: datetime) -> bool:
    return shift.state == "published" and now < shift.end_at


def _as_shown(caller: Caller, reason: str, now: datetime) -> str:
    """The reason as everybody reads it. A rained-out shift is cancelled even when its reason cannot be checked: then it
    is not shown. Only what WeChat calls risky is to be written anew."""
    refuse_blank(reason=reason)
    screening = content.screen(caller, scene=Scene.FORUM, now=now, official=True, reason=reason)
    return " ".join(reason.split()) if screening.passed else rules.REASON_WITHHELD


def _cancel_activity(
    tx: transaction, activity: Activity, reason: str, attempt: Attempt, now: datetime, *, rest: bool
) -> None:
    as_read = (Activity.state == activity.state) & (Activity.version == int(activity.version))
    change = [
        *Activity.set(state="cancelled", cancelled_at=now, reason=reason, version=int(activity.version) + 1),
        *(timers.set_to(activity.pk, REST, now + _FIRST_TRY) if rest else timers.stop()),
        *attempt.remember(),
    ]
    tx.update(activity, change, when=as_read, or_raise=Changed())


def _cancel(tx: transaction, shift: Shift, reason: str, now: datetime, also: Sequence[Action] = ()) -> None:
    change: list[Action] = [
        *Shift.set(state="cancelled", cancelled_at=now, reason=reason, version=int(shift.version) + 1),
        *Shift.unlist(),
        *also,
    ]
    if now < shift.start_at:
        # Once it has begun there are hours to confirm: its timer goes on, see models.Shift.
        change += timers.stop()
    tx.update(shift, change, when=places.as_planned(shift), or_raise=Changed())
    tx.create(Round.of(shift, WHAT, now), or_raise=Changed())


@rounds.of(WHAT)
def let_go(this: Round, shift: Shift, mine: SignUp, file: Volunteer | None, *, now: datetime) -> None:
    """Tell one person, give them their time back, and check them out if they were there already.

    The shift's numbers are put right at the end, once: eight at a time would hold its item against each other.
    """
    served = _had_come(shift, mine)
    if served:
        change = SignUp.set(state="checked_out", out_at=shift.cancelled_at, out_by=WHAT)
    elif mine.state in ("signed_up", "waiting", "checked_in"):
        change = SignUp.set(state="cancelled", cancelled_at=shift.cancelled_at, cancelled_by="shift")
    else:
        if mine.state == "checked_out":
            with transaction() as tx:
                diary.leave(tx, file, shift.id, now=now)  # the rest of the time is free
        return
    with transaction() as tx:
        told = SignUp.told.set(int(shift.version))
        as_read = (SignUp.state == mine.state) & (SignUp.told == int(mine.told))
        tx.update(mine, [*change, told], when=as_read, or_raise=Changed())
        if mine.state == "waiting":
            tx.delete(Waiting.of(mine))
        if file is not None:  # guests have none, nor has whoever has closed their account
            diary.leave(tx, file, shift.id, now=now)
            kind = "shift_cut_short" if served else "shift_cancelled"
            facts = {"title": shift.title, "when": clock.spoken(shift.start_at), "place": shift.place}
            facts["reason"] = str(shift.reason)
            by = shift.start_at - rules.ON_THE_WAY
            notices.tell_in_time(
                tx, mine.person, kind, needed_by=by, about=shift.id, now=now, area=shift.area, facts=facts
            )


def _had_come(shift: Shift, mine: SignUp) -> bool:
    """Were they on the shift when it was cancelled? Who confirms its hours at once may have checked them out before
    their turn came: they have yet to be told."""
    if shift.cancelled_at is None or shift.cancelled_at <= shift.start_at:
        return False
    overtaken = mine.out_by == "forgotten" and int(mine.told) < int(shift.version)
    return mine.state == "checked_in" or (mine.state == "checked_out" and overtaken)


@rounds.finished(WHAT)
@settled
def count_again(shift: Shift, *, now: datetime) -> None:
    """The shift's numbers are those of who has come all the same."""
    current = Shift.fetch(shift.pk, shift.sk)
    everybody: list[SignUp] = Item.collection(shift.pk, SignUp.PREFIX)
    staying = [each for each in everybody if each.state in rules.HOLDS_A_PLACE]
    waiting = len(Item.collection(shift.pk, Waiting.PREFIX))
    staffed = {role: sum(each.role == role for each in staying) for role in current.staffed}
    change = Shift.set(taken=sum(each.role is None for each in staying), waiting=waiting, staffed=staffed)
    numbers = (Shift.taken == int(current.taken)) & (Shift.waiting == int(current.waiting))
    as_read = numbers & (Shift.staffed == current.staffed)
    with transaction() as tx:
        tx.update(current, change, when=as_read, or_raise=Changed())
