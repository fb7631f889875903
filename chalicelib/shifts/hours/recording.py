"""The hours of one person on one shift, written down once: the record, the sign-up, the points, and a word to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Action
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people.models import Resident
from chalicelib.points import service as points
from chalicelib.points import settings
from chalicelib.points.service import Earning
from chalicelib.shifts.hours import rules as hours_rules
from chalicelib.shifts.models import Shift, SignUp
from chalicelib.volunteers.models import ServiceRecord
from chalicelib.volunteers.records import hours as records

RULE = "volunteer"
IN_REVIEW = "（文字正在审核）"
NOT_PASSED = "（文字未通过审核）"


class Hours(msgspec.Struct, frozen=True):
    """What is recorded. `how`: checked, or recorded by an organiser, who then says why."""

    minutes: int
    how: str
    by: str
    by_name: str
    why: str | None = None
    why_held: str | None = None


def key(shift: Shift, person: str) -> ServiceRecord:
    return ServiceRecord.key(person, shift.id, shift.start_at)


def record(
    tx: transaction,
    shift: Shift,
    mine: SignUp,
    hours: Hours,
    *,
    kind: str,
    now: datetime,
    also: Sequence[Action] = (),
    add: Callable[[transaction, ServiceRecord], None] = records.add,
) -> ServiceRecord:
    """Write the hours of somebody who has none of this shift yet, and tell them by a message of this `kind`.

    `also`: what else the write changes of the sign-up. `add`: how the record itself is written. Nothing is written for
    an account that is closed, nor twice: `Changed` then lets the caller read again.
    """
    new = new_record(shift, mine, hours, now)
    new.points = earn(tx, shift, mine, worth(new, hours.minutes), now=now)
    add(tx, new)
    note(tx, mine, hours.minutes, now=now, also=also)
    tx.check(Resident.key(mine.person), when=Resident.state == "active", or_raise=Changed())
    tell(tx, new, kind, now=now, who=hours.by_name)
    return new


def new_record(shift: Shift, mine: SignUp, hours: Hours, now: datetime) -> ServiceRecord:
    new = key(shift, mine.person)
    new.shift, new.title, new.service = shift.id, shift.title, shift.service
    new.area, new.place = shift.area, shift.place
    new.organiser, new.organiser_name = shift.organiser, shift.organiser_name
    new.start_at, new.end_at = shift.start_at, hours_rules.final_end(shift)
    new.minutes, new.how = hours.minutes, hours.how
    new.recorded_by, new.recorded_by_name, new.recorded_at = hours.by, hours.by_name, now
    new.why, new.why_held = hours.why, hours.why_held
    new.points_an_hour, new.points_each = int(shift.points_an_hour), _points_each()
    return new


def note(tx: transaction, mine: SignUp, minutes: int, *, now: datetime, also: Sequence[Action] = ()) -> None:
    """The first hours of a sign-up."""
    tx.update(
        mine,
        [*SignUp.set(minutes=minutes, recorded_at=now), *also],
        when=(SignUp.state == mine.state) & SignUp.recorded_at.does_not_exist(),
        or_raise=Changed(),
    )


def worth(of: ServiceRecord, minutes: int) -> int:
    """The points that so many minutes are due, by the terms under which these hours were recorded."""
    return hours_rules.points_for(minutes, int(of.points_an_hour)) * int(of.points_each)


def _points_each() -> int:
    """What the rule makes of each point that an activity promises."""
    rule = settings.current().rule(RULE)
    return rule.points if rule else 1


def earn(tx: transaction, shift: Shift, mine: SignUp, due: int, *, now: datetime, subject: str | None = None) -> int:
    """So many points for hours, as far as rules and caps allow; who came in a role was at work."""
    times = due // _points_each()
    if mine.role or times < 1:
        return 0
    earning = Earning(RULE, mine.person, subject or shift.id, area=shift.area, times=times)
    return sum(int(each.transfer.amount) for each in points.award(tx, earning, now=now) if each.transfer)


def tell(tx: transaction, of: ServiceRecord, kind: str, *, now: datetime, who: str) -> None:
    earned = int(of.points)
    facts = {
        "title": of.title,
        "who": who,
        "hours": hours_rules.spoken_minutes(int(of.minutes)),
        "points": f"，积分 {earned} 分" if earned else "",
    }
    notices.tell(tx, of.resident_id, kind, about=of.shift, now=now, area=of.area, **facts)
