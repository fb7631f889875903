"""Who is coming, who is here, who is missing: what whoever runs a shift sees of the people on it.

Names and nothing else. A phone number takes the explicit act that is written down and that the person sees.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.table import Item
from chalicelib.notices import call_sheet
from chalicelib.notices import service as notices
from chalicelib.people import lookups
from chalicelib.people import rules as people_rules
from chalicelib.people import service as people
from chalicelib.people.models import Resident
from chalicelib.people.service import Person
from chalicelib.shifts import rules
from chalicelib.shifts.in_charge import in_charge
from chalicelib.shifts.models import Shift, SignUp
from chalicelib.shifts.presence import rules as presence_rules
from chalicelib.shifts.presence import walk_ins
from chalicelib.volunteers.models import Volunteer
from chalicelib.volunteers.profile import files

# Of those who wait or have cancelled: nobody reads three thousand names at a gate. The counts are of all.
LISTED_AT_MOST = 100
CONTACT_SHOWN_FOR = timedelta(days=7)  # after the shift
CONTACT_SHOWN_AFTER_CANCELLING = timedelta(days=1)

Presence = Literal["missing", "here", "coming", "left", "no_show", "waiting", "cancelled"]  # in the order of the list
_ORDER: tuple[Presence, ...] = ("missing", "here", "coming", "left", "no_show", "waiting", "cancelled")
_AS_IT_IS: dict[str, Presence] = {
    "checked_in": "here",
    "checked_out": "left",
    "no_show": "no_show",
    "waiting": "waiting",
    "cancelled": "cancelled",
}


class Roster(msgspec.Struct, frozen=True):
    """`still_missing`: whom the quorum lacks among those signed up; `missing_here`: among those who are there."""

    shift: Shift
    people: list[tuple[SignUp, Presence]]
    counts: dict[Presence, int]
    late_withdrawals: int
    still_missing: str
    missing_here: str


def presence_of(theirs: SignUp, start: datetime, now: datetime) -> Presence:
    """Missing is who has signed up and is not there once the shift has begun."""
    if theirs.state == "signed_up":
        return "missing" if now >= start else "coming"
    return _AS_IT_IS[theirs.state]


def show(*, caller: Caller, shift_id: str, now: datetime) -> Roster:
    """Everybody on a shift, those first who need a look."""
    _, shift, _ = in_charge(caller, shift_id, now=now)
    found: list[SignUp] = Item.collection(shift.pk, SignUp.PREFIX)
    walk_ins.open_names(found)
    everybody = [(each, presence_of(each, shift.start_at, now)) for each in found]
    counts = Counter(presence for _, presence in everybody)
    return Roster(
        shift=shift,
        people=_listed(everybody),
        counts={presence: counts[presence] for presence in _ORDER},
        late_withdrawals=sum(int(each.late_withdrawals) for each in found),
        still_missing=rules.still_missing(shift.missing),
        missing_here=rules.still_missing(_missing_here(shift, everybody)),
    )


def _listed(everybody: list[tuple[SignUp, Presence]]) -> list[tuple[SignUp, Presence]]:
    """In the order of the list; the waiting in theirs, everybody else by name."""
    listed: list[tuple[SignUp, Presence]] = []
    for presence in _ORDER:
        those = [each for each in everybody if each[1] == presence]
        if presence == "waiting":
            those.sort(key=lambda each: (each[0].at, each[0].person))
        else:
            those.sort(key=lambda each: (each[0].name, each[0].person))
        listed += those[:LISTED_AT_MOST] if presence in ("waiting", "cancelled") else those
    return listed


def _missing_here(shift: Shift, everybody: list[tuple[SignUp, Presence]]) -> dict[str, int]:
    there = Counter(each.role or "volunteer" for each, presence in everybody if presence == "here")
    return rules.missing(shift.quorum, volunteers=there.pop("volunteer", 0), staffed=there)


class Contact(msgspec.Struct, frozen=True):
    """`emergency`: whom to call when something happens to them, as they have filled it in."""

    name: str
    phone: str | None
    emergency: dict[str, str] | None


def show_contact(*, caller: Caller, shift_id: str, whom: str, reason: str, attempt: Attempt, now: datetime) -> Contact:
    """Show how to reach somebody who is on the shift. It is written down with its reason, and they are told."""
    theirs: SignUp | None
    resident: Resident | None
    file: Volunteer | None
    keys = (SignUp.key(shift_id, whom), Resident.key(whom), Volunteer.key(whom))
    person, shift, (theirs, resident, file) = in_charge(caller, shift_id, *keys, now=now)
    if theirs is None:
        raise presence_rules.NotOnTheList()
    if theirs.guest:
        raise presence_rules.NoContact()
    if resident is None or resident.state != "active":
        raise presence_rules.NotOnTheList()
    if not _still_needed(shift, theirs, now):
        raise presence_rules.NoLongerNeeded()
    lookups.once(lambda: _write_down(person, shift, whom, reason, attempt, now), attempt=attempt, now=now)
    return Contact(
        name=resident.nickname,
        phone=people.phone_of(resident) if resident.phone_sealed else None,
        emergency=_emergency(file),
    )


def _still_needed(shift: Shift, theirs: SignUp, now: datetime) -> bool:
    """Of those who have a place, until a week after the shift; of who gave it back, for a day."""
    if now >= shift.end_at + CONTACT_SHOWN_FOR or theirs.state == "waiting":
        return False
    if theirs.state != "cancelled" or theirs.cancelled_by == "shift":
        return True
    return theirs.cancelled_at is not None and now < theirs.cancelled_at + CONTACT_SHOWN_AFTER_CANCELLING


def _emergency(file: Volunteer | None) -> dict[str, str] | None:
    contact = files.opened(file, only=["contact"]).contact if file else None
    return msgspec.structs.asdict(contact) if contact else None


def _write_down(person: Person, shift: Shift, whom: str, reason: str, attempt: Attempt, now: datetime) -> None:
    role = people_rules.ROLE_NAMES[person.must_hold(rules.ORGANISERS, shift.area).role]
    what = "手机号和紧急联系人"
    with person.acting() as tx:
        lookups.record(tx, whom=whom, what=what, by=person, role=role, reason=reason, attempt=attempt, now=now)
        facts = {"staff": f"{role}{person.resident.nickname}", "what": what, "reason": reason}
        notices.tell(tx, whom, "looked_up", about=whom, now=now, **facts)


def not_reached(*, caller: Caller, shift_id: str, now: datetime) -> list[call_sheet.Entry]:
    """Whom a message about this shift did not reach, and nobody has called yet."""
    _, shift, _ = in_charge(caller, shift_id, now=now)
    return call_sheet.to_call_about(shift.id, area=shift.area)
