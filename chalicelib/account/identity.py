"""Staff see who somebody is only by an explicit act, with a reason, which the person sees."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from chalicelib.account import rules
from chalicelib.kit import limits
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import lookups
from chalicelib.people import rules as people_rules
from chalicelib.people import service as people


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
    if not lookups.recorded(attempt):
        role = people_rules.ROLE_NAMES[duty.role]
        with transaction() as tx:
            lookups.record(
                tx,
                whom=resident.id,
                by=person.id,
                by_name=person.resident.nickname,
                role=role,
                reason=reason,
                attempt=attempt,
                now=now,
            )
            person.still(tx)
            limits.spend(tx, person.id, "look_up", at_most=rules.LOOKUPS_A_DAY, per=timedelta(days=1), now=now)
            notices.tell(
                tx,
                resident.id,
                "looked_up",
                about=resident.id,
                now=now,
                staff=f"{role}{person.resident.nickname}",
                what="手机号",
                reason=reason,
            )
    phone = people.phone_of(resident) if resident.phone_sealed else None
    return Identity(resident.nickname, phone, resident.home)
