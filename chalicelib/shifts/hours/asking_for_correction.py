"""A volunteer says that their hours of a shift are wrong. What they say is checked before anybody decides about it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from chalicelib.content import reviews
from chalicelib.content import service as content
from chalicelib.content.models import Review
from chalicelib.content.rules import SubjectGone
from chalicelib.content.service import Screening
from chalicelib.kit import clock
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import in_charge
from chalicelib.people import service as people
from chalicelib.people.service import Person
from chalicelib.shifts.hours import confirming, correcting, recording
from chalicelib.shifts.hours import rules as hours_rules
from chalicelib.shifts.models import HoursCorrection, Shift, SignUp, named, settled
from chalicelib.volunteers.models import ServiceRecord
from chalicelib.wechat.content import Scene


def ask(
    *, caller: Caller, shift_id: str, minutes: int, reason: str, attempt: Attempt, now: datetime
) -> HoursCorrection:
    """Ask for other minutes, within ninety days of learning of them; one request at a time for each shift."""
    screening: Screening | None = None

    @settled
    def ask_it() -> HoursCorrection:
        nonlocal screening
        person, (found, mine, before) = people.present_with(
            caller,
            Shift.key(shift_id),
            SignUp.key(shift_id, caller.id),
            HoursCorrection.key(caller.id, shift_id),
            now=now,
        )
        shift = named(found, shift_id)
        if before and attempt.made(before):
            return cast(HoursCorrection, before)
        record = _record_of(shift, mine)
        _may_ask(shift, mine, before, record, minutes, now)
        screening = screening or content.screen(caller, scene=Scene.COMMENT, now=now, text=reason)
        new = _new(person, shift, record, before, now)
        new.minutes = minutes
        new.reason, new.reason_held = (reason, None) if screening.passed else (recording.IN_REVIEW, reason)
        new.marks = attempt.marks_with(before)
        with person.acting() as tx:
            tx.put(new, when=correcting.as_read(before), or_raise=Changed())
            content.hold(
                tx,
                screening,
                subject="hours_correction",
                subject_pk=new.pk,
                subject_sk=new.sk,
                author_id=person.id,
                area=shift.area,
                excerpt=reason,
                now=now,
            )
            _tell_carers(tx, new, correcting.hand(shift, record), now)
        return new

    return ask_it()


def _record_of(shift: Shift, mine: SignUp | None) -> ServiceRecord | None:
    if mine is None or mine.recorded_at is None:
        return None
    key = recording.key(shift, mine.person)
    return ServiceRecord.find(key.pk, key.sk)


def _may_ask(
    shift: Shift,
    mine: SignUp | None,
    before: HoursCorrection | None,
    record: ServiceRecord | None,
    minutes: int,
    now: datetime,
) -> None:
    if mine is None or not confirming.may_have_served(shift, mine):
        raise hours_rules.NotYourShift()
    hours_rules.check_over(shift, now=now)
    if before and before.state == "open":
        raise hours_rules.CorrectionOpen()
    if record is None and mine.state != "no_show" and shift.confirmed_at is None:
        raise hours_rules.NotConfirmedYet()
    if now > _known_since(shift, record) + hours_rules.CORRECTED_WITHIN:
        raise hours_rules.TooLateToCorrect()
    correcting.check_minutes(shift, record, minutes)


def _known_since(shift: Shift, record: ServiceRecord | None) -> datetime:
    """Since when they can know what was counted: hours may be confirmed weeks after the end, and are told then."""
    return record.recorded_at if record else shift.confirmed_at or hours_rules.final_end(shift)


def _new(
    person: Person, shift: Shift, record: ServiceRecord | None, before: HoursCorrection | None, now: datetime
) -> HoursCorrection:
    new = HoursCorrection.key(person.id, shift.id)
    new.state, new.number, new.asked_at = "open", int(before.number) + 1 if before else 1, now
    new.shift, new.name, new.title, new.area = shift.id, person.resident.nickname, shift.title, shift.area
    new.start_at, new.end_at = shift.start_at, hours_rules.final_end(shift)
    if record:
        new.recorded = int(record.minutes)
        new.recorded_by, new.recorded_by_name = record.recorded_by, record.recorded_by_name
    new.earlier = [*before.earlier, _decided(before)] if before else []
    new.list_it()
    return new


def _decided(correction: HoursCorrection) -> dict[str, Any]:
    """What is kept of one that was decided, when another is asked for."""
    return {
        "number": int(correction.number),
        "state": correction.state,
        "minutes": int(correction.minutes),
        "reason": correction.reason,
        "asked_at": clock.stamp(correction.asked_at),
        "decided_at": clock.stamp(correction.decided_at) if correction.decided_at else None,
        "decided_by": correction.decided_by,
        "decision": correction.decision,
    }


def _tell_carers(tx: transaction, new: HoursCorrection, hand: str | None, now: datetime) -> None:
    facts = {"who": new.name, "title": new.title}
    for carer in in_charge.whom_to_tell(new.area, now=now, but=(new.resident_id, hand)):
        notices.tell(tx, carer, "shift_hours_correction_asked", about=new.id, now=now, area=new.area, **facts)


@reviews.on_decision("hours_correction")
def judged(tx: transaction, review: Review, *, approved: bool, reason: str, now: datetime) -> None:
    """The verdict on a reason: the request stands either way, the words only if they may."""
    correction = HoursCorrection.find(review.subject_pk, review.subject_sk)
    if correction is None or correction.reason_held is None:
        raise SubjectGone()
    shown = correction.reason_held if approved else recording.NOT_PASSED
    tx.update(
        correction,
        HoursCorrection.set(reason=shown, reason_held=None),
        when=HoursCorrection.reason_held == correction.reason_held,
        or_raise=SubjectGone(),
    )
