"""Somebody is there without a phone: an organiser adds them, by their volunteer's number or by name alone.

A volunteer has a place like everybody's, under the same rules. A guest takes a place, and has nothing else: no diary,
no hours, no points. Their name is sealed with a key of the shift's guests, destroyed thirty days after the shift.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.content import service as content
from chalicelib.content.rules import refuse_blank
from chalicelib.kit import clock, ids, timers, vault
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import read_together
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people.models import Resident
from chalicelib.people.service import Person
from chalicelib.shifts import rules
from chalicelib.shifts.in_charge import in_charge
from chalicelib.shifts.models import Guests, Shift, SignUp, settled, times
from chalicelib.shifts.places import counting as places
from chalicelib.shifts.places import signing_up
from chalicelib.shifts.presence import rules as presence_rules
from chalicelib.shifts.presence.checking import of_another
from chalicelib.volunteers import diary, eligibility
from chalicelib.volunteers.models import Volunteer, VolunteerNumber
from chalicelib.wechat.content import Scene

GUESTS_KEPT = timedelta(days=30)
GUEST = "现场登记"  # the name of a guest wherever theirs is not opened


def add_volunteer(
    *, caller: Caller, shift_id: str, number: str, rest_reason: str | None, attempt: Attempt, now: datetime
) -> SignUp:
    """Sign a volunteer up by their number, and check them in when that is open. They are told.

    With a `rest_reason`, which they read, also one who would have too little rest.
    """
    why: list[str] = []  # as WeChat lets it be read; asked once

    @settled
    def add() -> SignUp:
        link: VolunteerNumber | None
        person, shift, (link,) = in_charge(caller, shift_id, VolunteerNumber.key(ids.as_typed(number)), now=now)
        if link is None:
            raise presence_rules.NumberUnknown()
        person.apart_from(link.resident_id, or_raise=presence_rules.NotForYourself())
        whom = link.resident_id
        resident: Resident | None
        before: SignUp | None
        file: Volunteer | None
        resident, before, file = read_together(Resident.key(whom), SignUp.key(shift.id, whom), Volunteer.key(whom))
        if resident is None or resident.state != "active":
            raise presence_rules.NumberUnknown()
        if not resident.consent_version:
            raise presence_rules.ConsentWithdrawn()
        if before and attempt.made(before):
            return before
        with of_another():
            _may_be_added(shift, resident, before, file, now)
            new = _present(signing_up.place_for(shift, whom, resident.nickname, now, before=before), person, shift, now)
            new.marks = attempt.marks_with(before)
            if rest_reason is not None:
                why[:] = why or [_as_read(caller, rest_reason, now)]
                new.rest_reason = why[0]
            with person.acting() as tx:
                _take(tx, shift, now)
                signing_up.write(tx, new, before=before)
                diary.enter(tx, file, whom, times(shift), now=now, rested=rest_reason is None)
                as_read = (Resident.state == "active") & (Resident.consent_version == resident.consent_version)
                tx.check(resident, when=as_read, or_raise=Changed())
                _tell(tx, new, shift, person, now)
        return new

    return add()


def _as_read(caller: Caller, reason: str, now: datetime) -> str:
    refuse_blank(rest_reason=reason)
    screening = content.screen(caller, scene=Scene.COMMENT, now=now, official=True, reason=reason)
    return " ".join(reason.split()) if screening.passed else "请当面问组织者"


def _may_be_added(
    shift: Shift, resident: Resident, before: SignUp | None, file: Volunteer | None, now: datetime
) -> None:
    if before and before.state != "cancelled":
        raise rules.AlreadySignedUp()
    presence_rules.check_adding(shift, now=now)
    rules.check_audience(shift, resident.home, resident.home_state)
    eligibility.check(file, approved=shift.needs_approval, on=clock.day(shift.start_at))


def _take(tx: transaction, shift: Shift, now: datetime) -> None:
    """A place; never past those who wait, as long as they can be let in."""
    if now >= shift.start_at:
        places.take_once_begun(tx, shift)
        return
    if int(shift.waiting):
        raise presence_rules.PeopleWait()
    places.take(tx, shift)


def _present(new: SignUp, person: Person, shift: Shift, now: datetime) -> SignUp:
    """Whoever is added while check-in is open is there."""
    new.added_by = person.id
    if now >= rules.opens(shift.start_at):
        new.state, new.in_at, new.in_by = "checked_in", now, person.id
    return new


def _tell(tx: transaction, new: SignUp, shift: Shift, person: Person, now: datetime) -> None:
    facts = {"title": shift.title, "when": clock.spoken(shift.start_at), "place": shift.place}
    who = person.resident.nickname
    facts["rest"] = f"前后班次离得近，原因：{new.rest_reason}。" if new.rest_reason else ""
    notices.tell(tx, new.person, "shift_added", about=shift.id, now=now, area=shift.area, who=who, **facts)


def add_guest(*, caller: Caller, shift_id: str, name: str, attempt: Attempt, now: datetime) -> SignUp:
    """Give a place to somebody without an account."""
    known_as, guest = presence_rules.a_name(name), attempt.id("guest")

    @settled
    def add() -> SignUp:
        before: SignUp | None
        guests: Guests | None
        person, shift, (before, guests) = in_charge(
            caller, shift_id, SignUp.key(shift_id, guest), Guests.key(shift_id), now=now
        )
        if before and attempt.made(before):
            return before
        with of_another():
            presence_rules.check_adding(shift, now=now)
            new = _present(signing_up.place_for(shift, guest, GUEST, now), person, shift, now)
            new.guest, new.person_key, new.person_sort, new.marks = True, None, None, attempt.marks()
            with person.acting() as tx:
                _take(tx, shift, now)
                _seal(tx, new, known_as, guests, shift)
                signing_up.write(tx, new, before=None)
        return new

    return add()


def _seal(tx: transaction, new: SignUp, name: str, guests: Guests | None, shift: Shift) -> None:
    if guests is None:
        guests = Guests.key(shift.id)
        vault.open_for(guests.vault_key)  # before anything is sealed with it; again, it stays as it is
        for attribute, value in timers.fields(guests.pk, Guests.TIMER, shift.end_at + GUESTS_KEPT).items():
            setattr(guests, attribute, value)
        tx.create(guests, or_raise=Changed())
    new.name_sealed = vault.seal(guests.vault_key, "name", name)


def open_names(everybody: list[SignUp]) -> None:
    """Give the guests among these sign-ups of one shift their own names, as long as those may be read."""
    sealed = [each for each in everybody if each.name_sealed is not None]
    if not sealed:
        return
    try:
        names = vault.read_several(
            Guests.key(sealed[0].shift).vault_key, [("name", each.name_sealed) for each in sealed]
        )
    except vault.KeyDestroyed:
        return
    for each, name in zip(sealed, names, strict=True):
        each.name = name


@timers.on(Guests.TIMER)
def forget(guests: Guests, *, now: datetime) -> None:
    """Thirty days after the shift nobody can read its guests' names any more. A shift may have been moved meanwhile."""
    shift = Shift.find(guests.pk, "SHIFT")
    due = shift.end_at + GUESTS_KEPT if shift else now
    if now < due:
        with transaction() as tx:
            tx.update(guests, timers.set_to(guests.pk, Guests.TIMER, due))
        return
    vault.destroy(guests.vault_key)
    with transaction() as tx:
        tx.delete(guests)
