"""Somebody says that their hours are wrong: another person than the one who recorded them decides whether they are."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import msgspec

from chalicelib.areas import rules as areas
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
from chalicelib.shifts import rules
from chalicelib.shifts.hours import back_filling, confirming, recording
from chalicelib.shifts.hours import rules as hours_rules
from chalicelib.shifts.hours.recording import Hours
from chalicelib.shifts.models import HoursCorrection, Shift, SignUp, settled
from chalicelib.volunteers.models import Register, ServiceRecord
from chalicelib.volunteers.records import hours as records


class Case(msgspec.Struct, frozen=True):
    """A correction with all that its decision needs."""

    correction: HoursCorrection
    shift: Shift
    sign_up: SignUp
    record: ServiceRecord | None
    register: Register | None


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


@settled
def accept(
    *, caller: Caller, correction_id: str, minutes: int | None, attempt: Attempt, now: datetime
) -> HoursCorrection:
    """Put the minutes asked for in force, or others; the earlier ones are kept, and statements of them revoked."""
    person, case = _case(caller, correction_id, now)
    correction = case.correction
    if attempt.made(correction):
        return correction
    _may_decide(person, case)
    agreed = int(correction.minutes) if minutes is None else minutes
    check_minutes(case.shift, case.record, agreed)
    with person.acting() as tx:
        conclude = [HoursCorrection.minutes.set(agreed)]
        _conclude(tx, correction, "accepted", person, now, [*conclude, *attempt.remember()])
        if case.record is None:
            _add(tx, case, agreed, person, now)
        else:
            _correct(tx, case, case.record, agreed, person, now)
    correction.state, correction.minutes = "accepted", agreed
    return correction


@settled
def decline(*, caller: Caller, correction_id: str, reason: str, attempt: Attempt, now: datetime) -> HoursCorrection:
    """Leave the hours as they are; the volunteer is told why."""
    person, case = _case(caller, correction_id, now)
    correction = case.correction
    if attempt.made(correction):
        return correction
    _may_decide(person, case)
    with person.acting() as tx:
        said = [HoursCorrection.decision.set(reason), *attempt.remember()]
        _conclude(tx, correction, "declined", person, now, said)
        facts = {"title": correction.title, "reason": reason}
        to, kind = correction.resident_id, "shift_hours_not_corrected"
        notices.tell(tx, to, kind, about=correction.shift, now=now, area=correction.area, **facts)
    correction.state, correction.decision = "declined", reason
    return correction


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
    person.apart_from(case.correction.resident_id, or_raise=hours_rules.OwnHours())
    person.apart_from(hand(case.shift, case.record), or_raise=hours_rules.SameHand())


def _conclude(
    tx: transaction, correction: HoursCorrection, state: str, by: Person, now: datetime, also: list[Action]
) -> None:
    hours_rules.CORRECTION.check(correction.state, state, or_raise=hours_rules.CorrectionDecided())
    tx.update(
        correction,
        [
            *HoursCorrection.set(state=state, decided_at=now, decided_by=by.id),
            *HoursCorrection.unlist(),
            *also,
        ],
        when=as_read(correction),
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
    """From the last transfer of these hours that stands: each is corrected once, so what that does not hold stays."""
    who, first = record.resident_id, f"{recording.RULE}:{record.shift}"
    facts = [first, *(f"{first}:corrected:{number + 1}" for number in range(len(record.versions)))]
    known = read_together(*(key for fact in facts for key in points.needed_to_correct(who, fact)))
    standing = points.last_standing(who, facts, known)
    if standing is None:
        return 0
    reason = "更正：服务时长有更正"
    done = points.correct(tx, who, transfer_id=standing, reason=reason, now=now, at_most=too_many, known=known)
    return done.taken


def check_minutes(shift: Shift, record: ServiceRecord | None, minutes: int) -> None:
    """May these be the minutes instead? MoreThanTheShift, SameMinutes."""
    back_filling.check_length(shift, minutes)
    if minutes == (int(record.minutes) if record else 0):
        raise hours_rules.SameMinutes()


def as_read(correction: HoursCorrection | None) -> Condition:
    """True as long as it is the same request, and undecided or decided as before."""
    if correction is None:
        return Item.pk.does_not_exist()
    number = HoursCorrection.number == int(correction.number)
    unchanged: Condition = number & (HoursCorrection.state == correction.state)
    return unchanged


def hand(shift: Shift, record: ServiceRecord | None) -> str | None:
    """Who recorded the hours, or left somebody without: they do not decide whether that was right."""
    return record.recorded_by if record else shift.confirmed_by
