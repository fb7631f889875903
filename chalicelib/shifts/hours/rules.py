"""What counts as an hour, when hours may be confirmed, recorded and corrected, and why not. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, Protocol

from chalicelib.kit.errors import Conflict, Invalid, NotFound, Refused
from chalicelib.kit.flow import Flow
from chalicelib.shifts.rules import Seen

CORRECTION = Flow({"open": {"accepted", "declined"}})
CORRECTION_STATES = {"open": "等待处理", "accepted": "已更正", "declined": "未更正"}
REMIND_TO_CONFIRM_AFTER = timedelta(days=3)
BACK_FILLED_WITHIN = timedelta(days=30)  # of the end
CORRECTED_WITHIN = timedelta(days=90)  # of the record, or of what stands in its place: see asking_for_correction
# Why the hours of somebody on a shift are not simply counted. Those who forgot to check out are, up to its end.
Exceptional = Literal["no_show", "forgot_check_out", "zero_minutes", "left_out", "own", "guest", "already_recorded"]
EXCEPTIONS: dict[Exceptional, str] = {
    "no_show": "没有签到",
    "forgot_check_out": "忘了签退，算到班次结束",
    "zero_minutes": "在班次时间内不满一分钟",
    "left_out": "组织者没有选入",
    "own": "自己的、或和自己有代办关系的人的时长，要由另一位工作人员确认",
    "guest": "没有账号，不记时长",
    "already_recorded": "已经记过时长",
}


class Over(Seen, Protocol):
    """What the end of a shift depends on."""

    @property
    def cancelled_at(self) -> datetime | None: ...


def minutes_served(came: datetime, left: datetime, *, start: datetime, end: datetime) -> int:
    """Service hours in full minutes: the time between check-in and check-out that lies within the shift.

    Late in and early out count as they were; seconds that make no full minute are dropped, once, at the end.
    """
    seconds = (min(left, end) - max(came, start)).total_seconds()
    return max(int(seconds // 60), 0)


def points_for(minutes: int, an_hour: int) -> int:
    """Points for served minutes, rounded down once: 90 minutes at 5 points an hour are 7."""
    return minutes * an_hour // 60


def final_end(shift: Over) -> datetime:
    """When the shift was over: at its end, or when it was cancelled after its start."""
    return min(shift.end_at, shift.cancelled_at) if shift.cancelled_at else shift.end_at


def check_over(shift: Over, *, now: datetime) -> None:
    """May hours of it be confirmed or recorded now?"""
    if shift.cancelled_at is not None and shift.cancelled_at <= shift.start_at:
        raise NothingWasServed()
    if now < final_end(shift):
        raise NotOverYet()


def full_minutes(shift: Over) -> int:
    """How long the shift was: nobody's hours are more than that."""
    end = final_end(shift)
    return minutes_served(shift.start_at, end, start=shift.start_at, end=end)


def spoken_minutes(minutes: int) -> str:
    """As people read it: 3 小时 30 分钟."""
    hours, rest = divmod(minutes, 60)
    return " ".join([f"{hours} 小时"] * bool(hours) + [f"{rest} 分钟"] * bool(rest or not hours))


NotOverYet = Refused.named("shift_not_over", "班次还没有结束，请在结束后再来办理。")
NothingWasServed = Refused.named("shift_never_began", "这个班次开始前就取消了，没有时长可以记。")
AlreadyConfirmed = Conflict.named("hours_already_confirmed", "这个班次的时长已经有人确认过了，请刷新后查看。")
ConfirmFirst = Refused.named("confirm_first", "请先确认整个班次的时长，再单独办理这一位。")
NotOnTheShift = NotFound.named("person_not_on_shift", "这位没有报名这个班次，请返回刷新名单。")
NotYourShift = NotFound.named("not_your_shift", "您没有参加这个班次，请在“我的班次”里看看。")
OwnHours = Refused.named("own_hours", "自己的时长不能由自己办理，请另一位工作人员来办。")
GuestHours = Refused.named("guest_hours", "这位没有账号，不能记服务时长。")
AlreadyRecorded = Conflict.named("hours_already_recorded", "这位的时长已经记过了。有出入的话，请本人申请更正。")
NothingToConfirm = Refused.named(
    "no_hours_to_confirm", "这位没有可以确认的签到时长。确实来了的话，请用“补记时长”，写明原因。"
)
HoursAreChecked = Refused.named("hours_are_checked", "这位有签到签退，请直接确认时长，不用补记。")
TooLateToBackFill = Refused.named("too_late_to_back_fill", "班次结束已经超过 30 天，不能补记了。可以请本人申请更正。")


class MoreThanTheShift(Refused):
    code = "more_than_the_shift"

    def __init__(self, at_most: int) -> None:
        super().__init__(detail=f"不能超过班次的时长，最多 {spoken_minutes(at_most)}。")


MinutesNeeded = Invalid.named("minutes_needed", "请填写服务了多少分钟，或者从几点到几点，只填一种。")
NoFullMinute = Invalid.named("no_full_minute", "填写的时间不在班次里，或不满一分钟，请改正。")
PersonUnknown = Invalid.named("person_unknown", "名单里有人没有报名这个班次，请刷新后重新选择。")
TooLateToCorrect = Refused.named("too_late_to_correct", "时长记录已经超过 90 天，不能再申请更正。请到社区服务台说明。")
CorrectionOpen = Conflict.named("correction_open", "您已经为这个班次申请过更正，正在等待处理，不用再提交。")
NotConfirmedYet = Refused.named("hours_not_confirmed", "组织者还没有确认这个班次的时长，请等确认后再看要不要更正。")
SameMinutes = Refused.named("same_minutes", "填写的时长和记录的一样，不用更正。")
CorrectionGone = NotFound.named("correction_not_found", "没有找到这份更正申请，请返回刷新列表。")
CorrectionDecided = Conflict.named("correction_decided", "这份更正申请已经有人处理过了，请刷新列表。")
CorrectionInReview = Refused.named("correction_in_review", "申请的文字还在审核，审核后再处理。")
# Who recorded hours, or left somebody out, does not decide whether that was right.
SameHand = Refused.named("another_decides", "原来的时长是您办理的，更正要由另一位工作人员决定。")
