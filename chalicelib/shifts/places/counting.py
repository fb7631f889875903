"""How many places are taken and who waits: the part of every act on a sign-up that is decided inside the write.

Each function adds its change of the shift to the caller's transaction, under a condition that holds as long as what was
decided with is still so. If it is not, `Changed` is raised at the commit; `settled` then lets the act read and decide
again, so that what people are told is true of the shift as it is.

Those who wait come first: while anybody waits, a free place is theirs, and nobody signs up past them. The order of the
queue is that in which the requests came in; a queue's first is found by its key, consistently, never by an index.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from chalicelib.kit import clock
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Condition, Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.shifts import rules
from chalicelib.shifts.models import Shift, SignUp, Waiting, settled

R = TypeVar("R")


# Reads and decides anew as long as others change the same shift or the same person's time.


def as_planned(shift: Shift) -> Condition:
    """True as long as the organiser has changed nothing: times, places and audience are those that were read."""
    unchanged: Condition = (Shift.state == shift.state) & (Shift.version == int(shift.version))
    return unchanged


def take(tx: transaction, shift: Shift, number: int = 1) -> None:
    """Take places for volunteers: ShiftFull, or OnlySomePlacesLeft for several who come together."""
    if number > shift.left:
        raise rules.ShiftFull() if not shift.left else rules.OnlySomePlacesLeft(left=shift.left)
    room = (Shift.waiting == 0) & (Shift.taken <= int(shift.capacity) - number)
    tx.update(shift, [Shift.taken.add(number)], when=as_planned(shift) & room, or_raise=Changed())


def take_once_begun(tx: transaction, shift: Shift, waited: SignUp | None = None) -> None:
    """Take a place after the start, for somebody who is there: ShiftFull. Nobody is let in by the queue any more, so
    it keeps nobody out; who stood in it (`waited`) leaves it."""
    if int(shift.taken) >= int(shift.capacity):
        raise rules.ShiftFull()
    change, still = [Shift.taken.add(1)], as_planned(shift) & (Shift.taken < int(shift.capacity))
    if waited:
        change, still = [*change, Shift.waiting.add(-1)], still & (Shift.waiting >= 1)
        tx.delete(Waiting.of(waited), when=Item.pk.exists(), or_raise=Changed())
    tx.update(shift, change, when=still, or_raise=Changed())


def take_role(tx: transaction, shift: Shift, role: str) -> None:
    """Take one of the places that a role has: RoleFilled."""
    there = shift.staffed.get(role, 0)
    if there >= shift.quorum.get(role, 0):
        raise rules.RoleFilled(role)
    _staff(tx, shift, shift.staffed | {role: there + 1})


def _staff(tx: transaction, shift: Shift, staffed: dict[str, int]) -> None:
    as_read = Shift.staffed == shift.staffed
    tx.update(shift, [Shift.staffed.set(staffed)], when=as_planned(shift) & as_read, or_raise=Changed())


def wait(tx: transaction, shift: Shift, sign_up: SignUp) -> None:
    """Put somebody at the end of the queue of a full shift: WaitingListFull."""
    if int(shift.waiting) >= rules.WAITING_AT_MOST:
        raise rules.WaitingListFull()
    full = (Shift.taken >= int(shift.capacity)) | (Shift.waiting > 0)
    room = Shift.waiting < rules.WAITING_AT_MOST
    tx.update(shift, [Shift.waiting.add(1)], when=as_planned(shift) & full & room, or_raise=Changed())
    tx.create(Waiting.of(sign_up), or_raise=Changed())


def leave_queue(tx: transaction, shift: Shift, sign_up: SignUp) -> None:
    tx.update(shift, [Shift.waiting.add(-1)], when=Shift.waiting >= 1, or_raise=Changed())
    tx.delete(Waiting.of(sign_up), when=Item.pk.exists(), or_raise=Changed())


def give_back(tx: transaction, shift: Shift, sign_up: SignUp, *, now: datetime) -> None:
    """Free the place of one who leaves before the start: the first who waits has it with the same write."""
    if sign_up.role:
        _staff(tx, shift, shift.staffed | {sign_up.role: shift.staffed.get(sign_up.role, 0) - 1})
    elif int(shift.waiting) and now < shift.start_at:
        # One comes and one goes: the number of taken places stays as it is.
        tx.update(shift, [Shift.waiting.add(-1)], when=Shift.waiting >= 1, or_raise=Changed())
        _let_in_first(tx, shift, now=now)
    else:
        free(tx, shift)


def free(tx: transaction, shift: Shift, number: int = 1) -> None:
    """Free places, while nobody waits; otherwise they are filled by `promote`."""
    as_read = Shift.waiting == int(shift.waiting)
    tx.update(shift, [Shift.taken.add(-number)], when=(Shift.taken >= number) & as_read, or_raise=Changed())


def promote(shift: Shift, *, now: datetime) -> bool:
    """Let the first who waits have a place that is free. False when there is no such place, or nobody waits.

    For places that came free without anybody being let in: a larger capacity, a team that left. While somebody waits
    nobody else can take them, so this may be done later, or again.
    """
    if shift.state != "published" or now >= shift.start_at:
        return False
    if not int(shift.waiting) or int(shift.taken) >= int(shift.capacity):
        return False
    with transaction() as tx:
        room = (Shift.taken < int(shift.capacity)) & (Shift.waiting >= 1)
        both = [Shift.taken.add(1), Shift.waiting.add(-1)]
        tx.update(shift, both, when=as_planned(shift) & room, or_raise=Changed())
        _let_in_first(tx, shift, now=now)
    return True


def fill(shift_id: str, *, now: datetime) -> None:
    """Promote until all places are taken or nobody waits."""

    @settled
    def one() -> bool:
        shift = Shift.key(shift_id)
        return promote(Shift.fetch(shift.pk, shift.sk), now=now)

    while one():
        pass


def _let_in_first(tx: transaction, shift: Shift, *, now: datetime) -> None:
    ticket = next(iter(Item.collection(shift.pk, Waiting.PREFIX, limit=1)), None)
    if ticket is None:
        raise Changed()  # the last who waited has left since the shift was read
    tx.delete(ticket, when=Item.pk.exists(), or_raise=Changed())
    tx.update(
        SignUp.key(shift.id, ticket.person),
        [SignUp.state.set("signed_up")],
        when=SignUp.state == "waiting",
        or_raise=Changed(),
    )
    facts = {"title": shift.title, "when": clock.spoken(shift.start_at), "place": shift.place}
    kind, by = "shift_place_free", shift.start_at - rules.ON_THE_WAY
    notices.tell_in_time(tx, ticket.person, kind, needed_by=by, about=shift.id, now=now, area=shift.area, facts=facts)
