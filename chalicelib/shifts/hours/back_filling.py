"""An organiser records the hours of somebody who was there without being checked, with their name and the reason."""

from __future__ import annotations

from datetime import datetime

import msgspec

from chalicelib.content import reviews
from chalicelib.content import service as content
from chalicelib.content.models import Review
from chalicelib.content.rules import SubjectGone
from chalicelib.content.service import Screening
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed
from chalicelib.kit.transaction import transaction
from chalicelib.shifts.hours import confirming, recording
from chalicelib.shifts.hours import rules as hours_rules
from chalicelib.shifts.hours.confirming import OnShift
from chalicelib.shifts.hours.recording import Hours
from chalicelib.shifts.models import Shift, settled
from chalicelib.volunteers.models import ServiceRecord
from chalicelib.wechat.content import Scene


class Served(msgspec.Struct, frozen=True):
    """How long it was: `minutes`, or from `start` to `end`."""

    reason: str
    minutes: int | None = None
    start: datetime | None = None
    end: datetime | None = None


def back_fill(
    *, caller: Caller, shift_id: str, person_id: str, served: Served, attempt: Attempt, now: datetime
) -> ServiceRecord:
    """Record hours of the kind "recorded": never one's own, never more than the shift, within thirty days."""
    screening: Screening | None = None

    @settled
    def back_fill_it() -> ServiceRecord:
        nonlocal screening
        found = confirming.on_shift(caller, shift_id, person_id, now)
        if found.record is not None and attempt.made(found.sign_up):
            return found.record
        _may_back_fill(found, now)
        minutes = minutes_of(found.shift, served)
        screening = screening or content.screen(caller, scene=Scene.COMMENT, now=now, official=True, text=served.reason)
        why, held = (served.reason, None) if screening.passed else (recording.IN_REVIEW, served.reason)
        hours = Hours(minutes, "recorded", found.person.id, found.person.resident.nickname, why, held)
        with transaction() as tx:
            change = [*confirming.came(found.shift), *attempt.remember()]
            kind = "shift_hours_added"
            new = recording.record(tx, found.shift, found.sign_up, hours, kind=kind, now=now, also=change)
            content.hold(
                tx,
                screening,
                subject="service_record",
                subject_pk=new.pk,
                subject_sk=new.sk,
                author_id=found.person.id,
                as_staff=True,
                about_whom=(person_id,),
                area=found.shift.area,
                excerpt=served.reason,
                now=now,
            )
            found.person.still(tx)
        return new

    return back_fill_it()


def _may_back_fill(found: OnShift, now: datetime) -> None:
    hours_rules.check_over(found.shift, now=now)
    confirming.check_recordable(found)
    if now > hours_rules.final_end(found.shift) + hours_rules.BACK_FILLED_WITHIN:
        raise hours_rules.TooLateToBackFill()
    line = confirming.line_of(found.shift, found.sign_up)
    if line and (line.counts or line.exceptional == "own"):
        raise hours_rules.HoursAreChecked()


def minutes_of(shift: Shift, served: Served) -> int:
    """MinutesNeeded for both ways or neither, MoreThanTheShift, NoFullMinute."""
    match served:
        case Served(minutes=int(minutes), start=None, end=None):
            pass
        case Served(minutes=None, start=datetime() as came, end=datetime() as left):
            minutes = hours_rules.minutes_served(came, left, start=shift.start_at, end=hours_rules.final_end(shift))
        case _:
            raise hours_rules.MinutesNeeded(fields={"minutes": "填写分钟，或者起止时间"})
    if minutes < 1:
        raise hours_rules.NoFullMinute(fields={"end": "不在班次里，或不满一分钟"})
    check_length(shift, minutes)
    return minutes


def check_length(shift: Shift, minutes: int) -> None:
    longest = hours_rules.full_minutes(shift)
    if minutes > longest:
        raise hours_rules.MoreThanTheShift(longest)


@reviews.on_decision("service_record")
def decided(tx: transaction, review: Review, *, approved: bool, reason: str, now: datetime) -> None:
    """The verdict on a reason: the hours stand either way, the words only if they may.

    It belongs to the hours that were recorded first: a correction may have put others in force meanwhile.
    """
    record = ServiceRecord.find(review.subject_pk, review.subject_sk)
    if record is None or record.why_held is None:
        raise SubjectGone()
    why = record.why_held if approved else recording.NOT_PASSED
    if record.versions:
        said = ServiceRecord.versions.set([{**record.versions[0], "why": why}, *record.versions[1:]])
    else:
        said = ServiceRecord.why.set(why)
    as_read = (ServiceRecord.why_held == record.why_held) & (ServiceRecord.recorded_at == record.recorded_at)
    tx.update(record, [said, ServiceRecord.why_held.remove()], when=as_read, or_raise=Changed())
