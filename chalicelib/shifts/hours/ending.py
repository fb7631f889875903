"""How a shift ends: by itself two hours after its end, or earlier by the confirmation of its hours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chalicelib.kit import clock, timers
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Action, Condition, Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import service as people
from chalicelib.people.in_charge import whom_to_tell
from chalicelib.shifts import rounds
from chalicelib.shifts.hours import rules as hours_rules
from chalicelib.shifts.models import Round, Shift, SignUp, Waiting, settled
from chalicelib.shifts.places import counting as places

SETTLED = "settled"
END, UNCONFIRMED = "shifts.end", "shifts.unconfirmed"


@timers.on(END)
@settled
def end(found: Shift, *, now: datetime) -> None:
    """By now whoever is still checked in has forgotten to check out, and whoever has not come did not."""
    shift = Shift.fetch(found.pk, found.sk)
    if shift.timer != END or shift.due_at is None or shift.due_at > now:
        return  # its times were changed since the index was read, or another was faster
    with transaction() as tx:
        if shift.cancelled_at is not None and shift.cancelled_at <= shift.start_at:
            tx.update(shift, timers.stop(), when=_as_read(shift), or_raise=Changed())
        else:
            close(tx, shift, now=now)


def close(tx: transaction, shift: Shift, *, now: datetime, also: Sequence[Action] = ()) -> None:
    """End the shift, if it has not ended yet, and let everybody's sign-up be settled."""
    change = [*timers.stop(), *also]
    if shift.state == "published":
        # Nobody waits for a shift that is over: the round takes the tickets away.
        change += Shift.set(state="ended", waiting=0)
    if shift.ended_at is None:
        change.append(Shift.ended_at.set(now))
    tx.update(shift, change, when=_as_read(shift), or_raise=Changed())
    tx.put(Round.of(shift, SETTLED, now))


def _as_read(shift: Shift) -> Condition:
    """True as long as it was neither changed nor ended nor confirmed."""
    ended = Shift.ended_at == shift.ended_at if shift.ended_at else Shift.ended_at.does_not_exist()
    as_read: Condition = places.as_planned(shift) & ended & Shift.confirmed_at.does_not_exist()
    return as_read


def settle(tx: transaction, shift: Shift, mine: SignUp, *, now: datetime) -> list[Action]:
    """What the end makes of a sign-up: the change of it, for the caller to write; a ticket of the queue goes with it.

    A cancelled shift has a round of its own, in which everybody is told, and those who had come are checked out.
    """
    if shift.state == "cancelled":
        return []
    if mine.state == "checked_in":
        out = hours_rules.final_end(shift)
        return SignUp.set(state="checked_out", out_at=out, out_by="forgotten")
    if mine.state == "signed_up":
        return [SignUp.state.set("no_show")]
    if mine.state == "waiting":
        tx.delete(Waiting.of(mine))
        return SignUp.set(state="cancelled", cancelled_at=now, cancelled_by="shift")
    return []


@rounds.finished(SETTLED)
@settled
def ask_to_confirm(shift: Shift, *, now: datetime) -> None:
    """Everybody is settled: whoever runs the shift is asked to confirm the hours, and reminded in three days."""
    current = Shift.fetch(shift.pk, shift.sk)
    somebody = int(current.taken) or any(current.staffed.values())
    if current.confirmed_at is not None or current.timer is not None or not somebody:
        return
    with transaction() as tx:
        later = timers.set_to(current.pk, UNCONFIRMED, now + hours_rules.REMIND_TO_CONFIRM_AFTER)
        unasked = Shift.confirmed_at.does_not_exist() & Item.timer.does_not_exist()
        tx.update(current, later, when=unasked, or_raise=Changed())
        told = whom_to_tell(current.area, now=now, first=current.organiser)
        _tell(tx, current, told, "shift_hours_to_confirm", now)


@timers.on(UNCONFIRMED)
@settled
def remind(found: Shift, *, now: datetime) -> None:
    """Three days later the hours still wait: the organiser and the grid workers are reminded, once."""
    shift = Shift.fetch(found.pk, found.sk)
    if shift.timer != UNCONFIRMED:
        return
    with transaction() as tx:
        waiting = Shift.confirmed_at.does_not_exist() & (Item.timer == UNCONFIRMED)
        tx.update(shift, timers.stop(), when=waiting, or_raise=Changed())
        told = whom_to_tell(shift.area, now=now)
        if shift.organiser and people.looks_after(shift.organiser, shift.area, now=now):
            told.insert(0, shift.organiser)
        _tell(tx, shift, told, "shift_hours_unconfirmed", now)


def _tell(tx: transaction, shift: Shift, told: Sequence[str], kind: str, now: datetime) -> None:
    facts = {"title": shift.title, "when": clock.spoken(shift.start_at)}
    for who in dict.fromkeys(told):
        notices.tell(tx, who, kind, about=shift.id, now=now, area=shift.area, **facts)
