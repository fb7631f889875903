"""What shifts and hours say about a person: for the copy of their data, and when they leave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from chalicelib.kit import clock
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Item, read_together
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import duty_ends, personal_data
from chalicelib.people import rules as people_rules
from chalicelib.people import service as people
from chalicelib.people.personal_data import Named
from chalicelib.people.rules import NICKNAME_OF_THE_CLOSED
from chalicelib.shifts import hours_rules, places, rules, signing_up
from chalicelib.shifts.models import HoursCorrection, Shift, SignUp, shifts_of

# Teams let go of somebody before shifts do: else their leader could sign them up again in between.
from chalicelib.volunteers import (
    eligibility,
    files,
    follow_up,
    recorders,
    team_personal,  # noqa: F401
)
from chalicelib.volunteers.models import ServiceRecord, Volunteer, partition
from chalicelib.volunteers.rules import GuardianNeeded, NotAVolunteer

_HOW = {"checked": "签到签退", "recorded": "组织者记录"}


@personal_data.section("我的班次")
def export_sign_ups(resident_id: str) -> Iterable[dict[str, Any]]:
    for mine in _sign_ups(resident_id):
        yield {
            "班次": mine.title,
            "地点": mine.place,
            "开始": clock.spoken(mine.start_at),
            "结束": clock.spoken(mine.end_at),
            "状态": rules.SIGN_UP_STATES[mine.state],
            "报名时间": clock.spoken(mine.at),
            "小队": mine.team_name or "",
            "签到": clock.spoken(mine.in_at) if mine.in_at else "",
            "签退": clock.spoken(mine.out_at) if mine.out_at else "",
            "临近开始才取消": f"{int(mine.late_withdrawals)} 次",
        }


@personal_data.section("服务时长")
def export_hours(resident_id: str) -> Iterable[dict[str, Any]]:
    """Every record with the versions before it, then what was asked to be corrected."""
    for record in recorders.name_in(_records(resident_id)):
        yield {
            "服务": record.title,
            "开始": clock.spoken(record.start_at),
            "时长": hours_rules.spoken_minutes(int(record.minutes)),
            "方式": _HOW[record.how],
            "记录人": record.recorded_by_name,
            "说明": record.why or "",
            "积分": int(record.points),
            "更正前": [_version(each) for each in record.versions],
        }
    for asked in _corrections(resident_id):
        for each in asked.earlier:
            yield _asked(asked.title, each["minutes"], each["reason"], each["state"], each["decision"])
        reason = asked.reason_held or asked.reason
        yield _asked(asked.title, int(asked.minutes), reason, asked.state, asked.decision)


def _version(each: dict[str, Any]) -> dict[str, Any]:
    return {
        "时长": hours_rules.spoken_minutes(each["minutes"]),
        "方式": _HOW[each["how"]],
        "记录人": each["by_name"],
        "时间": clock.spoken(clock.from_stamp(each["at"])),
        "说明": each["why"] or "",
    }


def _asked(title: str, minutes: int, reason: str, state: str, decision: str | None) -> dict[str, Any]:
    return {
        "申请更正": title,
        "时长": hours_rules.spoken_minutes(minutes),
        "原因": reason,
        "结果": hours_rules.CORRECTION_STATES[state],
        "答复": decision or "",
    }


@personal_data.eraser
def erase(resident_id: str, *, now: datetime) -> None:
    """Places on shifts to come go to those who wait; who was on a shift is forgotten, how many were stays."""
    signed_up = {*_in_diary(resident_id), *(mine.shift for mine in _sign_ups(resident_id))}
    withdraw_from_upcoming(resident_id, everywhere=True, now=now)
    told = (SignUp.team, SignUp.team_name, SignUp.person_key, SignUp.person_sort)
    gone = [SignUp.name.set(NICKNAME_OF_THE_CLOSED), *(attribute.remove() for attribute in told)]
    for shift_id in sorted(signed_up):
        with suppress(Changed), transaction() as tx:
            tx.update(SignUp.key(shift_id, resident_id), gone, or_raise=Changed())
    with Item.batch_write() as batch:  # a volunteer of some years has many
        for item in (*_records(resident_id), *_corrections(resident_id)):
            batch.delete(item)


@personal_data.renamer
def rename(named: Named) -> None:
    """On rosters until their hours are confirmed, and in corrections that wait. Records keep the names they were made with."""
    for mine in _sign_ups(named.id):
        if mine.recorded_at is None and mine.state not in ("cancelled", "no_show"):
            named.show(mine, SignUp.name)
    for asked in _corrections(named.id):
        if asked.state in hours_rules.CORRECTION.moves:
            named.show(asked, HoursCorrection.name)


@follow_up.on_loss
def let_go(file: Volunteer, *, now: datetime) -> None:
    """Who is a volunteer no more, or may not go without a guardian's consent, is not expected where that is asked."""
    withdraw_from_upcoming(file.resident_id, everywhere=False, now=now)


@duty_ends.on_end
def come_as_staff_no_more(resident_id: str, *, now: datetime) -> None:
    """Who was to come in a role, and holds it no more, is not counted on as that."""
    withdraw_from_upcoming(resident_id, everywhere=False, now=now)


def withdraw_from_upcoming(resident_id: str, *, everywhere: bool, now: datetime) -> None:
    """Give back somebody's places on shifts that have not started: those for which they could not sign up any more by
    their file, or all (`everywhere`). Whoever waits for them moves up."""
    listed = [mine.shift for mine in _sign_ups(resident_id) if now < mine.start_at]
    for shift_id in dict.fromkeys([*_in_diary(resident_id), *listed]):
        _withdraw(shift_id, resident_id, everywhere, now)


def _withdraw(shift_id: str, resident_id: str, everywhere: bool, now: datetime) -> None:
    def give_up() -> None:
        shift: Shift | None
        mine: SignUp | None
        file: Volunteer | None
        shift, mine, file = read_together(
            Shift.key(shift_id), SignUp.key(shift_id, resident_id), Volunteer.key(resident_id)
        )
        if shift is None or mine is None or mine.state not in rules.MAY_LEAVE:
            return
        if shift.state != "published" or now >= shift.start_at:
            return  # what becomes of it is the shift's to say
        by = "self" if everywhere else _who_ends_it(shift, mine, file, now)
        if by is None:
            return
        with transaction() as tx:
            signing_up.take_out(tx, shift, mine, file, by=by, now=now)
            if by == "duty":
                facts = {"title": shift.title, "when": clock.spoken(shift.start_at)}
                notices.tell(tx, mine.person, "shift_role_over", about=shift.id, now=now, area=shift.area, **facts)

    places.settled(give_up)


def _who_ends_it(shift: Shift, mine: SignUp, file: Volunteer | None, now: datetime) -> str | None:
    """By whose doing somebody may not have this place any more; None when they may. Staff come by their duty."""
    if mine.role:
        duties = people.duties_of(mine.person)
        on_duty = any(people_rules.covers(duty, [mine.role], shift.area, now) for duty in duties)
        return None if on_duty else "duty"
    try:
        eligibility.check(file, approved=shift.needs_approval, on=clock.day(shift.start_at))
    except NotAVolunteer:
        return "self"
    except GuardianNeeded:
        return "guardian"
    return None


def _in_diary(resident_id: str) -> list[str]:
    """The shifts to come, and some before: the index may not know yet of the latest sign-up."""
    file = files.find(resident_id)
    return list(file.taken) if file else []


def _sign_ups(resident_id: str) -> Iterator[SignUp]:
    found = list(Item.by_person.query(shifts_of(resident_id)))
    return (item for item in found if isinstance(item, SignUp))


def _records(resident_id: str) -> list[ServiceRecord]:
    return Item.collection(partition(resident_id), ServiceRecord.PREFIX)


def _corrections(resident_id: str) -> list[HoursCorrection]:
    return Item.collection(partition(resident_id), HoursCorrection.PREFIX)
