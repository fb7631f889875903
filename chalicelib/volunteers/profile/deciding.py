"""Whoever looks after an area decides who volunteers there, and puts the guardians' consent on file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from chalicelib.areas import rules as areas
from chalicelib.content.rules import refuse_blank
from chalicelib.kit import ids, limits
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Item, Page, page
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import service as people
from chalicelib.people.models import Resident
from chalicelib.people.service import Person
from chalicelib.volunteers import rules
from chalicelib.volunteers.models import Volunteer, VolunteerNumber
from chalicelib.volunteers.profile import files, follow_up, forgetting
from chalicelib.volunteers.profile.files import Personal, settled
from chalicelib.volunteers.rules import Contact

CONSENTS_A_DAY = 50  # of guardians, that one member of staff puts on file
Write = Callable[[transaction, Person, Volunteer], dict[str, Any]]


def waiting(*, caller: Caller, area: str, cursor: str | None, now: datetime) -> Page[Volunteer]:
    """Applications in an area that wait to be decided, for its staff, the oldest of each area first."""
    if not areas.well_formed(area):
        raise areas.AreaUnknown()
    people.present(caller, now=now).must_hold(rules.DECIDERS, area)
    return page(
        Item.by_area,
        Volunteer.applied(area),
        Item.area_sort.startswith(area),
        of=Volunteer,
        cursor=cursor,
        newest_first=False,
    )


def approve(*, caller: Caller, resident_id: str, attempt: Attempt, now: datetime) -> Volunteer:
    """Let somebody volunteer. With the first approval they get their number, which nobody else ever has."""

    def approved(tx: transaction, person: Person, file: Volunteer) -> dict[str, Any]:
        rules.VOLUNTEER.check(file.state, "approved", or_raise=rules.NotWaiting())
        number = file.number or ids.pick_up_code()
        if file.number is None:
            link = VolunteerNumber.key(number)
            link.resident_id = resident_id
            tx.create(link, or_raise=Changed())  # somebody has this one: draw another
        notices.tell(tx, resident_id, "volunteer_approved", about=resident_id, now=now, area=file.area)
        return {"state": "approved", "number": number, **_decided(person, now), **Volunteer.unlisted()}

    return _by_decider(caller, resident_id, attempt, now, approved)


def decline(*, caller: Caller, resident_id: str, reason: str, attempt: Attempt, now: datetime) -> Volunteer:
    """Not (yet): the applicant is told why, and may apply again. For that, what they applied with is kept some time."""
    refuse_blank(reason=reason)

    def declined(tx: transaction, person: Person, file: Volunteer) -> dict[str, Any]:
        rules.VOLUNTEER.check(file.state, "declined", or_raise=rules.NotWaiting())
        facts = {"reason": reason, "days": f"{rules.DECLINED_KEPT.days}"}
        notices.tell(tx, resident_id, "volunteer_declined", about=resident_id, now=now, area=file.area, **facts)
        forgotten = forgetting.later(file, declined_at=now)
        decided = {"declined_reason": reason, **_decided(person, now), **Volunteer.unlisted()}
        return {"state": "declined", **decided, **forgotten}

    return _by_decider(caller, resident_id, attempt, now, declined)


def _decided(person: Person, now: datetime) -> dict[str, Any]:
    return {"decided_at": now, "decided_by": person.id}


def put_consent_on_file(
    *, caller: Caller, resident_id: str, guardian: Contact, attempt: Attempt, now: datetime
) -> Volunteer:
    """A guardian has agreed, at the office: somebody under sixteen may sign up. Again replaces who agreed."""
    agreed = rules.checked_contact(guardian)

    def on_file(tx: transaction, person: Person, file: Volunteer) -> dict[str, Any]:
        if file.state not in rules.IN_FORCE:
            raise rules.NotInForce()
        if not file.minor:
            raise rules.NoGuardianNeeded()
        limits.spend(tx, person.id, "guardian", at_most=CONSENTS_A_DAY, per=timedelta(days=1), now=now)
        notices.tell(tx, resident_id, "volunteer_guardian_on_file", about=resident_id, now=now, area=file.area)
        sealed = files.seal(resident_id, Personal(guardian=agreed))
        return {"guardian_at": now, "guardian_by": person.id, **sealed}

    return _by_decider(caller, resident_id, attempt, now, on_file)


def withdraw_consent(*, caller: Caller, resident_id: str, attempt: Attempt, now: datetime) -> Volunteer:
    """The guardian has taken it back: no more sign-ups, and places on shifts to come that needed it are given back."""

    def withdrawn(tx: transaction, person: Person, file: Volunteer) -> dict[str, Any]:
        if file.guardian_at is None:
            raise rules.NoConsentOnFile()
        notices.tell(tx, resident_id, "volunteer_guardian_withdrawn", about=resident_id, now=now, area=file.area)
        return {"guardian_at": None, "guardian_by": None, "guardian_sealed": None, **follow_up.later(file, now)}

    file = _by_decider(caller, resident_id, attempt, now, withdrawn)
    follow_up.at_once(file, now=now)
    return file


@settled
def _by_decider(caller: Caller, resident_id: str, attempt: Attempt, now: datetime, act: Write) -> Volunteer:
    """One write of what `act` returns and adds to it, as long as file, duty and resident are as they were."""
    person, file = in_charge(caller, resident_id, now)
    if attempt.made(file):
        return file
    with person.acting() as tx:
        values = act(tx, person, file)
        changed = files.write(tx, file, resident_id, values, also=files.remember(file, attempt))
        tx.check(Resident.key(resident_id), when=Resident.state == "active", or_raise=rules.VolunteerUnknown())
    return changed


def in_charge(caller: Caller, resident_id: str, now: datetime) -> tuple[Person, Volunteer]:
    """The staff member, and a file in an area of theirs, which is not their own, nor their delegate's or principal's; VolunteerUnknown for any other."""
    person = people.present(caller, now=now)
    person.apart_from(resident_id, or_raise=rules.OwnApplication())
    file = files.find(resident_id)
    if file is None or file.area is None or person.holds(rules.DECIDERS, file.area) is None:
        raise rules.VolunteerUnknown()
    person.must_hold(rules.DECIDERS, file.area)
    return person, file
