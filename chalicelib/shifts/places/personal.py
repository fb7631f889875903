"""What shifts say about a person: for the copy of their data, under another nickname, and when they leave."""

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
from chalicelib.shifts import rules
from chalicelib.shifts.models import Shift, SignUp, settled, shifts_of
from chalicelib.shifts.places import signing_up

# Teams let go of somebody before shifts do: else their leader could sign them up again in between.
from chalicelib.volunteers import eligibility
from chalicelib.volunteers.models import Volunteer
from chalicelib.volunteers.profile import files, follow_up
from chalicelib.volunteers.rules import GuardianNeeded, NotAVolunteer


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


@personal_data.renamer
def rename(named: Named) -> None:
    """On rosters until their hours are confirmed."""
    for mine in _sign_ups(named.id):
        if mine.recorded_at is None and mine.state not in ("cancelled", "no_show"):
            named.show(mine, SignUp.name)


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


@settled
def _withdraw(shift_id: str, resident_id: str, everywhere: bool, now: datetime) -> None:
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
