"""When somebody may check in and out, and what they are told when not. Nobody is read here, nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NoReturn, Protocol

from chalicelib.kit import clock
from chalicelib.kit.errors import Invalid, NotFound, Refused
from chalicelib.shifts import rules

GUESSES = 5  # of one person
GUESSES_PER = timedelta(minutes=10)
GUESSES_AT_A_SHIFT = 50  # of all together, at six digits of which two are right: one hit in 10,000 such hours
GUESSES_AT_A_SHIFT_PER = timedelta(hours=1)

OTHER_WAYS = "签到码错了太多次。请扫组织者的码，或请组织者在名单上为您登记。"

# The same refusals as the organiser reads them, who is told about somebody else.
OF_ANOTHER = {
    "already_checked_in": "这个人已经签到了，请刷新名单。",
    "already_checked_out": "这个人已经签退了，请刷新名单。",
    "check_out_too_early": "班次还没有开始，不能签退。这个人不能参加的话，请其本人取消报名；没有手机的，等班次开始后再签退。",
    "not_checked_in": "这个人还没有签到，不能签退。来过的话，请在班次结束后补记时长。",
    "not_signed_up": "这个人没有报名，或已经取消。人在现场的话，请用“现场添加”。",
    "still_waiting": "这个人还在排队，没有轮到。班次开始后有空名额的话，可以为其签到。",
    "marked_absent": "这个人已被记为未到。来过的话，请补记时长。",
    "shift_over": "班次已经结束，不能再签到签退。有遗漏的话，请补记时长。",
    "already_signed_up": "这个人已经报名或在排队，请在名单上找。",
    "volunteer_approval_needed": "这个人还不是通过审核的志愿者，这个班次不能参加。",
    "guardian_consent_needed": "这个人未满 16 岁，还没有登记监护人同意，不能参加。",
    "home_needed": "这个人还没有选择住的社区，这个班次不能参加。",
    "not_of_the_audience": "这个人不住在这个班次面向的区域，不能参加。",
    "needs_rest": "这个人前后的班次离得太近，休息时间不够。确实需要的话，请写明原因再加，本人会看到。",
    "shifts_overlap": "这个人这个时间已有别的班次，或在别的班次排队，不能再加。",
    "too_many_shifts": "这个人报的班次太多了，不能再加。",
    "shift_full": "名额已满，不能再加。可以先把名额改大。",
}


NotOnTheList = NotFound.named("not_on_the_list", "名单上没有这个人，请刷新名单。")
CheckInTooEarly = Refused.named("check_in_too_early", "还没到签到时间，{opens} 开始签到，请到时再来。")
# Nothing would count, and the place would stay taken: who cannot stay gives it back.
CheckOutTooEarly = Refused.named(
    "check_out_too_early", "班次还没有开始，不能签退。不能参加的话，请在“我的班次”里取消报名，名额让给别人。"
)
ShiftOver = Refused.named("shift_over", "这个班次已经结束，不能再签到签退。时长不对的话，请联系组织者。")


CancelledMeanwhile = rules.ShiftCancelled.named(detail="这个班次已经取消，时长算到取消的时候，不用再签退。")
StillWaiting = Refused.named("still_waiting", "您还在排队，没有轮到，请问问现场的组织者。")


class WrongShift(Refused):
    """The person has another shift at this hour."""

    code = "wrong_shift"

    def __init__(self, start: datetime, end: datetime) -> None:
        when = f"{clock.spoken(start)} 到 {clock.local(end):%H:%M}"
        super().__init__(detail=f"这不是您现在的班次。您的班次是 {when}，请在“我的班次”里看地点，到那里签到。")


CodeOld = Refused.named("check_in_code_expired", "这个签到码已经过期，请看组织者手机上最新的再试。")
CodeWrong = Refused.named("check_in_code_wrong", "签到码不对，请看清组织者手机上的再试。")


class NoDigits(Invalid):
    def __init__(self) -> None:
        super().__init__(fields={"code": "签到码是 6 位数字"})


class AlreadyCheckedIn(Refused):
    code = "already_checked_in"

    def __init__(self, since: datetime) -> None:
        super().__init__(detail=f"您在 {clock.local(since):%H:%M} 已经签到了，不用再签。走的时候记得签退。")


class AlreadyCheckedOut(Refused):
    code = "already_checked_out"

    def __init__(self, since: datetime | None) -> None:
        """`since` is None for who never checked out, and whose hours were recorded all the same."""
        when = f"您在 {clock.local(since):%H:%M} 已经签退了" if since else "您这个班次的时长已经记好，不用再签到签退"
        super().__init__(detail=f"{when}，辛苦了。")


NotCheckedIn = Refused.named("not_checked_in", "您还没有签到，不能签退。一直在现场的话，请组织者补记时长。")
MarkedAbsent = Refused.named("marked_absent", "这个班次您被记为未到。来过的话，请联系组织者更正。")
NotForYourself = Refused.named("not_for_yourself", "不能给自己办，请扫码或输入签到码，也可以请别的组织者办。")


class Seen(Protocol):
    """What a rule needs to know of a sign-up."""

    @property
    def state(self) -> str: ...
    @property
    def in_at(self) -> datetime | None: ...
    @property
    def out_at(self) -> datetime | None: ...


NumberUnknown = NotFound.named("volunteer_number_unknown", "没有这个志愿者编号，请核对，或改用姓名登记。")
ConsentWithdrawn = Refused.named(
    "consent_withdrawn", "这个人已撤回《隐私保护指引》的同意，不能按编号添加。请本人打开小程序重新同意，再来添加。"
)
PeopleWait = Refused.named(
    "people_wait", "还有人在排队，空出的名额先给他们，现在不能加。班次开始后有空名额的话，可以再加。"
)


class NotAName(Invalid):
    def __init__(self) -> None:
        super().__init__(fields={"name": "写姓名就好，不要空着，也不要写电话"})


NoContact = Refused.named("no_contact", "这个人是现场登记的，没有留联系方式。")
NoLongerNeeded = Refused.named(
    "contact_no_longer_shown", "只能看要来的人的联系方式。这个人还在排队，或早已取消，或班次结束超过一周。"
)


def check_adding(shift: rules.Seen, *, now: datetime) -> None:
    """May somebody still be added? Other than by signing up, until the end."""
    if shift.state == "cancelled":
        raise rules.ShiftCancelled()
    if shift.state != "published" or now >= shift.end_at:
        raise ShiftOver()


def a_name(text: str) -> str:
    """A guest's name as it was typed, without what is around it. NotAName when it is none, or a phone number too."""
    name = text.strip()
    if not name or any(sign.isdigit() for sign in name):
        raise NotAName()
    return name


def check_arrival(shift: rules.Seen, mine: Seen | None, taken: Mapping[str, tuple[int, int]], *, now: datetime) -> None:
    """May this person check in now? `taken`: the times in their diary."""
    if shift.state == "cancelled":
        raise rules.ShiftCancelled()
    if mine is None or mine.state == "cancelled":
        _say_which_is_theirs(taken, now)
        raise rules.NotSignedUp()
    if mine.state != "signed_up":
        refuse(mine)
    if shift.state != "published" or now >= shift.end_at:
        _say_which_is_theirs(taken, now)
        raise ShiftOver()
    if now < rules.opens(shift.start_at):
        _say_which_is_theirs(taken, now)
        raise CheckInTooEarly(opens=rules.opens(shift.start_at))


def may_be_let_in(shift: rules.Seen, mine: Seen, *, now: datetime) -> bool:
    """Who has waited in vain: the queue ends with the start, from then on whoever is there may have a free place."""
    return mine.state == "waiting" and shift.state == "published" and shift.start_at <= now < shift.end_at


def check_departure(
    shift: rules.Seen, mine: Seen | None, taken: Mapping[str, tuple[int, int]], *, now: datetime
) -> None:
    """May this person check out now? From the start until the shift is closed, two hours after its end."""
    if mine is None or mine.state == "cancelled":
        if shift.state == "cancelled":
            raise rules.ShiftCancelled()
        _say_which_is_theirs(taken, now)
        raise rules.NotSignedUp()
    if mine.state == "signed_up":
        raise rules.ShiftCancelled() if shift.state == "cancelled" else NotCheckedIn()
    if mine.state != "checked_in":
        refuse(mine)
    if shift.state == "cancelled":
        raise CancelledMeanwhile() if now >= shift.start_at else rules.ShiftCancelled()
    if now < shift.start_at:
        raise CheckOutTooEarly()
    if shift.state != "published" or now >= shift.end_at + rules.CLOSES_AFTER:
        raise ShiftOver()


def refuse(mine: Seen) -> NoReturn:
    """Why somebody in this state can do neither."""
    if mine.state == "checked_in" and mine.in_at:
        raise AlreadyCheckedIn(mine.in_at)
    if mine.state == "checked_out":
        raise AlreadyCheckedOut(mine.out_at)
    raise StillWaiting() if mine.state == "waiting" else MarkedAbsent()


def _say_which_is_theirs(taken: Mapping[str, tuple[int, int]], now: datetime) -> None:
    """WrongShift, when the diary has another shift at this hour."""
    for first, last in taken.values():
        start, end = (datetime.fromtimestamp(each, clock.SHANGHAI) for each in (first, last))
        if rules.opens(start) <= now < end:
            raise WrongShift(start, end)
