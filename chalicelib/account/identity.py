"""Staff see who somebody is only by an explicit act, with a reason, which the person sees."""

from __future__ import annotations

from datetime import datetime

import msgspec

from chalicelib.account import rules
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.notices import service as notices
from chalicelib.people import lookups
from chalicelib.people import rules as people_rules
from chalicelib.people import service as people
from chalicelib.people.service import Person


class Identity(msgspec.Struct, frozen=True):
    nickname: str
    phone: str | None
    home: str


def show(*, caller: Caller, resident_id: str, reason: str, attempt: Attempt, now: datetime) -> Identity:
    """Show a resident's phone number to somebody who cares for their area. It is written down and the resident told."""
    person = people.present(caller, now=now)
    resident = people.find(resident_id)
    if resident is None or resident.home is None or resident.state != "active":
        raise rules.ResidentUnknown()
    if person.holds(people_rules.CARERS, resident.home) is None:
        raise rules.ResidentUnknown()
    duty = person.must_hold(people_rules.CARERS, resident.home)
    person.apart_from(resident.id, or_raise=rules.OwnIdentity())
    role = people_rules.ROLE_NAMES[duty.role]
    lookups.once(lambda: _write_down(person, role, resident.id, reason, attempt, now), attempt=attempt, now=now)
    phone = people.phone_of(resident) if resident.phone_sealed else None
    return Identity(resident.nickname, phone, resident.home)


def _write_down(person: Person, role: str, whom: str, reason: str, attempt: Attempt, now: datetime) -> None:
    what = "手机号"
    with person.acting() as tx:
        lookups.record(tx, whom=whom, what=what, by=person, role=role, reason=reason, attempt=attempt, now=now)
        facts = {"staff": f"{role}{person.resident.nickname}", "what": what, "reason": reason}
        notices.tell(tx, whom, "looked_up", about=whom, now=now, **facts)
