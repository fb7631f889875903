"""What may be planned and signed up for, and until when; why not. Nobody is read here, nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta

from chalicelib.areas import rules as areas
from chalicelib.kit import clock, settings
from chalicelib.kit.errors import Conflict, Forbidden, NotFound, Refused, TooMany
from chalicelib.kit.flow import Flow
from chalicelib.people import rules as people
from chalicelib.volunteers.rules import SERVICES as SERVICES
from chalicelib.volunteers.rules import Service as Service

# Who plans and runs shifts: those who look after the area's residents day by day.
ORGANISERS = people.CARERS
# Whom a shift may need besides volunteers; each named role has places of its own, beside the volunteers' capacity.
NeededRole = Literal["micro_grid_head", "grid_worker", "community_worker", "coordinator"]

ACTIVITY = Flow(
    {
        "draft": {"in_review", "published", "cancelled"},
        "in_review": {"published", "cancelled", "refused"},
        "published": {"cancelled"},
    }
)
SHIFT = Flow({"published": {"ended", "cancelled"}})
SIGN_UP = Flow(
    {
        "waiting": {"signed_up", "cancelled", "checked_in"},  # the last by the organiser, once it has begun
        # The last when an organiser records hours before the shift is closed.
        "signed_up": {"checked_in", "cancelled", "no_show", "checked_out"},
        # Check-in opens before the start, and until then a shift may still be moved, or called off.
        "checked_in": {"checked_out", "signed_up", "cancelled"},
        "cancelled": {"signed_up", "waiting"},
        # An organiser says afterwards that somebody was there after all.
        "no_show": {"checked_out"},
    }
)
# As people read them in the copy of their data.
SIGN_UP_STATES = {
    "waiting": "排队中",
    "signed_up": "已报名",
    "checked_in": "已签到",
    "checked_out": "已签退",
    "cancelled": "已取消",
    "no_show": "未到",
}
ACTIVITY_STATES = {
    "draft": "草稿",
    "in_review": "等待审核",
    "published": "已发布",
    "cancelled": "已取消",
    "refused": "没有通过审核",
}
EXPECTED = frozenset({"waiting", "signed_up"})  # they have not come yet
MAY_LEAVE = EXPECTED | {"checked_in"}  # before the start: who has come early may still go
HOLDS_A_PLACE = frozenset({"signed_up", "checked_in", "checked_out", "no_show"})

SHIFTS_AT_MOST = 45  # made by one act, which is one write
SHIFTS_IN_ALL = 180  # of one activity, which lists them: three months of a gate that is guarded twice a day
CAPACITY_AT_MOST = 500
WAITING_AT_MOST = 3_000
SHIFT_LASTS_AT_MOST = timedelta(hours=16)
LATE_WITHIN = timedelta(hours=12)  # of the start: a withdrawal is noted, because it is hard to find somebody else
ON_THE_WAY = timedelta(hours=1)  # before the start: what somebody has yet to be told then comes too late
CHECK_IN_OPENS = timedelta(minutes=30)  # before the start
MAY_LEAVE_AFTER_CHANGE = timedelta(hours=24)  # of being told: such a withdrawal is never a late one
CLOSES_AFTER = timedelta(hours=2)  # the end: by then whoever is still checked in has forgotten to check out


class ShiftSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Group `shifts`."""

    alerts_a_day: Annotated[int, Meta(ge=0)] = 3  # of new shifts, to one volunteer
    sign_ups_a_day: Annotated[int, Meta(ge=1)] = 5  # of one person, for the same shift
    activities_a_day: Annotated[int, Meta(ge=1)] = 50  # of one who plans
    changes_a_day: Annotated[int, Meta(ge=1)] = 50  # of shifts: each is told to everybody on it


settings_in_force = settings.group("shifts", ShiftSettings)


ShiftGone = NotFound.named("shift_not_found", "没有找到这个班次，可能已经取消，请返回列表刷新。")
ShiftCancelled = Refused.named("shift_cancelled", "这个班次已经取消，请看看别的班次。")
SignUpClosed = Refused.named("sign_up_closed", "这个班次已经开始，不能再报名。请看看别的班次。")
SignedUpTooOften = TooMany.named(
    "signed_up_too_often", "今天您已多次报名又退出这个班次，请明天再来，或者请组织者到时帮您登记。"
)
ShiftFull = Refused.named("shift_full", "这个班次已经报满。可以选择排队，有人退出时会按先后顺序通知您。")
OnlySomePlacesLeft = Refused.named(
    "only_some_places_left", "这个班次只剩 {left} 个名额，小队要全员一起报名。请换一个班次，或减少队员。"
)
WaitingListFull = Refused.named("waiting_list_full", "这个班次排队的人太多了，请看看别的班次。")


class RoleFilled(Refused):
    code = "role_filled"

    def __init__(self, role: str) -> None:
        super().__init__(detail=f"这个班次已经有{people.ROLE_NAMES[role]}了。您可以作为志愿者报名。")


HomeNeeded = Refused.named("home_needed", "请先在“我的”里选择您住的社区或楼栋，再来报名。")
NotOfTheAudience = Forbidden.named("not_of_the_audience", "这个班次只面向本区域的居民，请看看您所在社区的班次。")
AlreadySignedUp = Refused.named("already_signed_up", "您已经报过名了，不用再报。")
NotSignedUp = NotFound.named("not_signed_up", "您没有报这个班次，请在“我的班次”里看看。")
TooLateToWithdraw = Refused.named("too_late_to_withdraw", "班次已经开始，不能再取消。来不了的话，请联系组织者。")
ActivityGone = NotFound.named("activity_not_found", "没有找到这个活动，可能已经删除，请返回列表刷新。")
# The life cycle of an activity does not allow this step (any more).
NotADraft = Refused.named("step_not_possible", "这个活动已经提交发布，不能再修改草稿。要改时间地点，请打开具体的班次。")
NotPublished = Refused.named(
    "step_not_possible", "已发布的活动才能添加班次。草稿请直接修改，审核中的请等结果，已取消的请新建活动。"
)


class ActivityFull(Refused):
    code = "activity_full"

    def __init__(self, left: int) -> None:
        room = f"还能加 {left} 个。要更多，" if left else "已经满了。"
        super().__init__(detail=f"一个活动一共最多 {SHIFTS_IN_ALL} 个班次，{room}请新建活动。")


DraftOutdated = Refused.named("draft_outdated", "最早的班次已经过了开始时间，请先修改班次时间，再发布。")
# What somebody is about to change is not what they were shown.
Stale = Conflict.named("version_outdated", "别人刚刚改过，请刷新，看过新的内容以后再提交。")
ShiftOver = Refused.named("shift_over", "这个班次已经结束，不能再改。时长有误的话，请在确认时更正。")
ActivityOver = Refused.named("activity_over", "这个活动已经取消，或者班次都结束了，不用再取消。")
FewerThanSignedUp = Refused.named(
    "fewer_than_signed_up", "已经有 {taken} 人报名，名额不能比这少。要减少的话，请先联系他们取消。"
)


class RoleSignedUp(Refused):
    code = "role_signed_up"

    def __init__(self, role: str, number: int) -> None:
        super().__init__(detail=f"已经有 {number} 名{people.ROLE_NAMES[role]}报名，不能比这少。")


# A place that people must find at once cannot wait for a moderator.
PlaceInDoubt = Refused.named("place_in_doubt", "这个地点的写法没能通过自动检查，请换一个写法，只写地点名称。")
# Others changed the same shift again and again while this act was trying to.
TryAgain = Conflict.named("changed_meanwhile", "报名的人很多，请刷新后再试一次。")


class Seen(Protocol):
    """What a rule needs to know of a shift."""

    @property
    def state(self) -> str: ...
    @property
    def start_at(self) -> datetime: ...
    @property
    def end_at(self) -> datetime: ...
    @property
    def audience(self) -> str: ...


def check_open(shift: Seen, *, now: datetime) -> None:
    """May anybody sign up now?"""
    if shift.state == "cancelled":
        raise ShiftCancelled()
    if shift.state != "published" or now >= shift.start_at:
        raise SignUpClosed()


def check_audience(shift: Seen, home: str | None, home_state: str) -> None:
    if home is None or home_state == "declined":
        raise HomeNeeded()
    if not people.lives_in(home, home_state, shift.audience):
        raise NotOfTheAudience()


def listed_in(area: str) -> str:
    """Whose list of shifts an area's shifts stand in: its community's, or its own when it is larger."""
    return areas.at_level(area, "community") or area


def missing(quorum: Mapping[str, int], *, volunteers: int, staffed: Mapping[str, int]) -> dict[str, int]:
    """Who is still missing for a shift to take place: `{"volunteer": 2, "community_worker": 1}`."""
    there = {**staffed, "volunteer": volunteers}
    short = {role: needed - there.get(role, 0) for role, needed in quorum.items()}
    return {role: number for role, number in short.items() if number > 0}


def still_missing(short: Mapping[str, int]) -> str:
    """As the organiser reads it: 还缺：社区工作人员 1 名、志愿者 2 名. "" when nobody is missing."""
    names = people.ROLE_NAMES | {"volunteer": "志愿者"}
    return "还缺：" + "、".join(f"{names[role]} {number} 名" for role, number in short.items()) if short else ""


# Shown when the reason that the organiser wrote has not passed the check: a cancellation waits for nobody.
REASON_WITHHELD = "组织者取消了班次，详情请联系组织者"


def told_changes(before: tuple[str, datetime, datetime], after: tuple[str, datetime, datetime]) -> list[str]:
    """What is new for somebody on a shift, in their words. Each is place, start and end."""
    (place, start, end), (new_place, new_start, new_end) = before, after
    said = []
    if (start, end) != (new_start, new_end):
        said.append(f"时间由 {_span(start, end)} 改为 {_span(new_start, new_end)}")
    if place != new_place:
        said.append(f"地点由“{place}”改为“{new_place}”")
    return said


def told_terms(capacity: tuple[int, int], quorum: tuple[Mapping[str, int], Mapping[str, int]]) -> list[str]:
    """The same of how many a shift takes and needs. Each is old and new."""
    said = []
    if capacity[0] != capacity[1]:
        said.append(f"名额由 {capacity[0]} 名改为 {capacity[1]} 名")
    if quorum[0] != quorum[1]:
        said.append(f"最少人数由 {_needs(quorum[0])} 改为 {_needs(quorum[1])}")
    return said


def _needs(quorum: Mapping[str, int]) -> str:
    return still_missing(quorum).removeprefix("还缺：") or "不限"


def _span(start: datetime, end: datetime) -> str:
    return f"{clock.local(start):%m月%d日 %H:%M}–{clock.local(end):%H:%M}"


def opens(start: datetime) -> datetime:
    return start - CHECK_IN_OPENS
