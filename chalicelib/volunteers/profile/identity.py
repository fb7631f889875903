"""Whoever decides on an application may see who somebody says they are: with a reason, which that person reads."""

from __future__ import annotations

from datetime import datetime

from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.notices import service as notices
from chalicelib.people import lookups
from chalicelib.people import rules as people_rules
from chalicelib.people.models import Resident
from chalicelib.people.service import Person
from chalicelib.volunteers import rules
from chalicelib.volunteers.models import Volunteer
from chalicelib.volunteers.profile import deciding, files
from chalicelib.volunteers.profile.files import Personal


def show(*, caller: Caller, resident_id: str, reason: str, attempt: Attempt, now: datetime) -> Personal:
    """Real name and birth date, as statements will certify them. It is written down, and the person told."""
    person, file = deciding.in_charge(caller, resident_id, now)
    if file.state not in rules.IN_FORCE:
        raise rules.NotInForce()
    lookups.once(lambda: _write_down(person, file, reason, attempt, now), attempt=attempt, now=now)
    return files.opened(file, only=("name", "birth"))


def _write_down(person: Person, file: Volunteer, reason: str, attempt: Attempt, now: datetime) -> None:
    role = people_rules.ROLE_NAMES[person.must_hold(rules.DECIDERS, str(file.area)).role]
    whom, what = file.resident_id, "真实姓名和出生日期"
    with person.acting() as tx:
        lookups.record(tx, whom=whom, what=what, by=person, role=role, reason=reason, attempt=attempt, now=now)
        tx.check(Resident.key(whom), when=Resident.state == "active", or_raise=rules.VolunteerUnknown())
        facts = {"staff": f"{role}{person.resident.nickname}", "what": what, "reason": reason}
        notices.tell(tx, whom, "looked_up", about=whom, now=now, **facts)
