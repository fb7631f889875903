"""A volunteer says that their hours are wrong, and another person than the one who recorded them decides."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, cast

import msgspec

from chalicelib.areas import rules as areas
from chalicelib.content import reviews
from chalicelib.content import service as content
from chalicelib.content.models import Review
from chalicelib.content.rules import SubjectGone
from chalicelib.content.service import Screening
from chalicelib.kit import clock
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Action, Condition, Item, Page, page, read_together
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import service as people
from chalicelib.people.models import Resident
from chalicelib.people.service import Person
from chalicelib.points import service as points
from chalicelib.shifts import back_filling, confirming, hours_rules, places, recording, rules
from chalicelib.shifts.in_charge import carers
from chalicelib.shifts.models import HoursCorrection, Shift, SignUp
from chalicelib.shifts.recording import Hours
from chalicelib.shifts.signing_up import named
from chalicelib.volunteers import records
from chalicelib.volunteers.models import Register, ServiceRecord
from chalicelib.wechat.content import Scene


class Case(msgspec.Struct, frozen=True):
    """A correction with all that its decision needs."""

    correction: HoursCorrection
    shift: Shift
    sign_up: SignUp
    record: ServiceRecord | None
    register: Register | None


def ask(
    *, caller: Caller, shift_id: str, minutes: int, reason: str, attempt: Attempt, now: datetime
) -> HoursCorrection:
    """Ask for other minutes, within ninety days of learning of them; one request at a time for each shift."""
    screening: Screening | None = None

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
        with transaction() as tx:
            tx.put(new, when=_as_read(before), or_raise=Changed())
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
            _tell_carers(tx, new, _hand(shift, record), now)
            person.still(tx)
        return new

    return places.settled(ask_it)


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
    _check_minutes(shift, record, minutes)


def _known_since(shift: Shift, record: ServiceRecord | None) -> datetime:
    """Since when they can know what was counted: hours may be confirmed weeks after the end, and are told then."""
    return record.recorded_at if record else shift.confirmed_at or hours_rules.final_end(shift)


def _check_minutes(shift: Shift, record: ServiceRecord | None, minutes: int) -> None:
    back_filling.check_length(shift, minutes)
    if minutes == (int(record.minutes) if record else 0):
        raise hours_rules.SameMinutes()


def _new(
    person: Person, shift: Shift, record: ServiceRecord | None, before: HoursCorrection | None, now: datetime
) -> HoursCorrection:
    new = HoursCorrection.key(person.id, shift.id)
    new.state, new.number, new.asked_at = "open", int(before.number) + 1 if before else 1, now
    new.shift, new.name, new.title, new.area = shift.id, person.resident.nickname, shift.title, shift.area
    new.start_at, new.end_at = shift.start_at, hours_rules.final_end(shift)
    if record:
        new.recorded, new.recorded_by_name = int(record.minutes), record.recorded_by_name
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
        "decided_by_name": correction.decided_by_name,
        "decision": correction.decision,
    }


def _as_read(correction: HoursCorrection | None) -> Condition:
    if correction is None:
        return Item.pk.does_not_exist()
    as_read: Condition = (HoursCorrection.number == int(correction.number)) & (
        HoursCorrection.state == correction.state
    )
    return as_read


def _hand(shift: Shift, record: ServiceRecord | None) -> str | None:
    """Who recorded the hours, or left somebody without: they do not decide whether that was right."""
    return record.recorded_by if record else shift.confirmed_by


def _tell_carers(tx: transaction, new: HoursCorrection, hand: str | None, now: datetime) -> None:
    facts = {"who": new.name, "title": new.title}
    for carer in carers(new.area, now=now, but=(new.resident_id, hand)):
        notices.tell(tx, carer, "shift_hours_correction_asked", about=new.id, now=now, area=new.area, **facts)


def to_decide(*, caller: Caller, area: str, cursor: str | None, now: datetime) -> Page[HoursCorrection]:
    """The corrections that wait in an area, the longest waiting of each place first."""
    if not areas.well_formed(area):
        raise areas.AreaUnknown()
    people.present(caller, now=now).must_hold(rules.ORGANISERS, area)
    return page(
        Item.by_area,
        HoursCorrection.listed(area),
        Item.area_sort.startswith(area),
        of=HoursCorrection,
        cursor=cursor,
        newest_first=False,
    )


def accept(
    *, caller: Caller, correction_id: str, minutes: int | None, attempt: Attempt, now: datetime
) -> HoursCorrection:
    """Put the minutes asked for in force, or others; the earlier ones are kept, and statements of them revoked."""

    def accept_it() -> HoursCorrection:
        person, case = _case(caller, correction_id, now)
        correction = case.correction
        if attempt.made(correction):
            return correction
        _may_decide(person, case)
        agreed = int(correction.minutes) if minutes is None else minutes
        _check_minutes(case.shift, case.record, agreed)
        with transaction() as tx:
            conclude = [HoursCorrection.minutes.set(agreed)]
            _conclude(tx, correction, "accepted", person, now, [*conclude, *attempt.remember()])
            if case.record is None:
                _add(tx, case, agreed, person, now)
            else:
                _correct(tx, case, case.record, agreed, person, now)
            person.still(tx)
        correction.state, correction.minutes = "accepted", agreed
        return correction

    return places.settled(accept_it)


def decline(*, caller: Caller, correction_id: str, reason: str, attempt: Attempt, now: datetime) -> HoursCorrection:
    """Leave the hours as they are; the volunteer is told why."""

    def decline_it() -> HoursCorrection:
        person, case = _case(caller, correction_id, now)
        correction = case.correction
        if attempt.made(correction):
            return correction
        _may_decide(person, case)
        with transaction() as tx:
            said = [HoursCorrection.decision.set(reason), *attempt.remember()]
            _conclude(tx, correction, "declined", person, now, said)
            facts = {"title": correction.title, "reason": reason}
            to, kind = correction.resident_id, "shift_hours_not_corrected"
            notices.tell(tx, to, kind, about=correction.shift, now=now, area=correction.area, **facts)
            person.still(tx)
        correction.state, correction.decision = "declined", reason
        return correction

    return places.settled(decline_it)


def _case(caller: Caller, correction_id: str, now: datetime) -> tuple[Person, Case]:
    person = people.present(caller, now=now)
    key = HoursCorrection.named(correction_id)
    correction = HoursCorrection.find(key.pk, key.sk)
    if correction is None or correction.id != correction_id:
        raise hours_rules.CorrectionGone()
    person.must_hold(rules.ORGANISERS, correction.area)
    resident, shift = correction.resident_id, correction.shift
    whose, *found = read_together(
        Resident.key(resident),
        Shift.key(shift),
        SignUp.key(shift, resident),
        ServiceRecord.key(resident, shift, correction.start_at),
        Register.key(resident),
    )
    if whose is None or whose.state != "active":
        raise hours_rules.CorrectionGone()  # it is being erased with their account
    return person, Case(correction, *found)


def _may_decide(person: Person, case: Case) -> None:
    if case.correction.state != "open":
        raise hours_rules.CorrectionDecided()
    if case.correction.reason_held is not None:
        raise hours_rules.CorrectionInReview()
    if person.id == case.correction.resident_id:
        raise hours_rules.OwnHours()
    if person.id == _hand(case.shift, case.record):
        raise hours_rules.SameHand()


def _conclude(
    tx: transaction, correction: HoursCorrection, state: str, by: Person, now: datetime, also: list[Action]
) -> None:
    hours_rules.CORRECTION.check(correction.state, state, or_raise=hours_rules.CorrectionDecided())
    tx.update(
        correction,
        [
            HoursCorrection.state.set(state),
            HoursCorrection.decided_at.set(now),
            HoursCorrection.decided_by.set(by.id),
            HoursCorrection.decided_by_name.set(by.resident.nickname),
            *HoursCorrection.unlist(),
            *also,
        ],
        when=_as_read(correction),
        or_raise=Changed(),
    )


def _add(tx: transaction, case: Case, minutes: int, by: Person, now: datetime) -> None:
    """Hours of a shift of which there are none yet."""
    hours = Hours(minutes, "recorded", by.id, by.resident.nickname, why=case.correction.reason)
    came = confirming.came(case.shift)
    kind = "shift_hours_corrected"
    late = partial(records.add_by_correction, register=case.register, now=now)
    recording.record(tx, case.shift, case.sign_up, hours, kind=kind, now=now, also=came, add=late)


def _correct(tx: transaction, case: Case, record: ServiceRecord, minutes: int, by: Person, now: datetime) -> None:
    earned = _follow_with_points(tx, case, record, minutes, now)
    records.correct(
        tx,
        record,
        case.register,
        minutes=minutes,
        points=earned,
        by=by.id,
        by_name=by.resident.nickname,
        why=case.correction.reason,
        now=now,
    )
    tx.update(
        case.sign_up,
        [SignUp.minutes.set(minutes)],
        when=SignUp.minutes == int(record.minutes),
        or_raise=Changed(),
    )
    tx.check(Resident.key(record.resident_id), when=Resident.state == "active", or_raise=Changed())
    record.minutes, record.points = minutes, earned
    recording.tell(tx, record, "shift_hours_corrected", now=now, who=by.resident.nickname)


def _follow_with_points(tx: transaction, case: Case, record: ServiceRecord, minutes: int, now: datetime) -> int:
    """What was earned with these hours from now on. More hours earn the difference, by a transfer of their own, never
    beyond what is due; of fewer, what was earned above their due is taken back (docs/ledger.md)."""
    earned = int(record.points)
    before, due = (recording.worth(record, of) for of in (int(record.minutes), minutes))
    if due > before:
        subject = f"{record.shift}:corrected:{len(record.versions) + 1}"
        missing = min(due - before, due - earned)
        return earned + recording.earn(tx, case.shift, case.sign_up, missing, now=now, subject=subject)
    if due < before and earned > due:
        return earned - _take_back(tx, record, earned - due, now)
    return earned


def _take_back(tx: transaction, record: ServiceRecord, too_many: int, now: datetime) -> int:
    """From the last transfer of these hours that still stands: each is corrected once, so what that does not hold stays."""
    who, first = record.resident_id, f"{recording.RULE}:{record.shift}"
    facts = [first, *(f"{first}:corrected:{number + 1}" for number in range(len(record.versions)))]
    known = read_together(*(key for fact in facts for key in points.needed_to_correct(who, fact)))
    standing = points.last_standing(who, facts, known)
    if standing is None:
        return 0
    reason = "更正：服务时长有更正"
    done = points.correct(tx, who, transfer_id=standing, reason=reason, now=now, at_most=too_many, known=known)
    return done.taken


@reviews.on_decision("hours_correction")
def judged(tx: transaction, review: Review, *, approved: bool, reason: str, now: datetime) -> None:
    """The verdict on a reason: the request stands either way, the words only if they may."""
    correction = HoursCorrection.find(review.subject_pk, review.subject_sk)
    if correction is None or correction.reason_held is None:
        raise SubjectGone()
    shown = correction.reason_held if approved else recording.NOT_PASSED
    tx.update(
        correction,
        [HoursCorrection.reason.set(shown), HoursCorrection.reason_held.remove()],
        when=HoursCorrection.reason_held == correction.reason_held,
        or_raise=SubjectGone(),
    )
