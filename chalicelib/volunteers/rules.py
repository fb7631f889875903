"""Who may volunteer and how an application goes; why a time is not free. Nobody is read here, nothing is written."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

from chalicelib.content.rules import refuse_blank
from chalicelib.kit import clock, phones, settings
from chalicelib.kit.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from chalicelib.kit.flow import Flow
from chalicelib.volunteers import rest

# `none`: keeps a diary only, because some activities ask for no application, or because who was declined is forgotten.
VOLUNTEER = Flow(
    {
        "none": {"applied"},
        "applied": {"approved", "declined", "left"},
        "approved": {"left"},
        "declined": {"applied", "left", "none"},
        "left": {"applied"},
    }
)
IN_FORCE = frozenset({"applied", "approved"})  # what is known of somebody is kept, and may be changed
# As people read them in the copy of their data.
STATES = {
    "none": "未申请",
    "applied": "等待审核",
    "approved": "已通过",
    "declined": "未通过",
    "left": "已退出",
}
# Who decides on an application and keeps the file: the grid worker, and the community office for grids without one.
DECIDERS = frozenset({"grid_worker", "community_worker"})

DECLINED_KEPT = timedelta(days=30)  # what somebody applied with, for them to correct it and apply again
GUARDIAN_UNTIL = 16  # years
_RESTED_AFTER = timedelta(hours=24)
TEAMS_AT_MOST = 5  # that one person is in
SHIFTS_AHEAD_AT_MOST = 60  # a gate shift every morning and afternoon of a month

Skill = Literal["medical", "driving", "repairs", "psychology", "law", "teaching", "languages", "computers", "other"]
# As people choose and read them, and as they stand in a statement.
SKILLS: dict[str, str] = {
    "medical": "医护急救",
    "driving": "驾驶",
    "repairs": "水电维修",
    "psychology": "心理疏导",
    "law": "法律咨询",
    "teaching": "辅导教学",
    "languages": "外语方言",
    "computers": "电脑手机",
    "other": "其他",
}
FreeTime = Literal["workday_day", "workday_evening", "weekend_day", "weekend_evening"]
FREE_TIMES: dict[str, str] = {
    "workday_day": "工作日白天",
    "workday_evening": "工作日晚上",
    "weekend_day": "周末白天",
    "weekend_evening": "周末晚上",
}
# What shifts are for, as statements name it. (The rules of shifts have it from here.)
Service = Literal["gate", "patrol", "care", "environment", "culture", "traffic", "other"]
SERVICES: dict[str, str] = {
    "gate": "守小门",
    "patrol": "巡逻",
    "care": "关爱帮扶",
    "environment": "环境整治",
    "culture": "文体活动",
    "traffic": "文明交通",
    "other": "其他服务",
}


class VolunteerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Group `volunteers`."""

    applications_a_day: Annotated[int, Meta(ge=1)] = 3
    statements_a_day: Annotated[int, Meta(ge=1)] = 5
    hours_in_a_day: Annotated[int, Meta(ge=1, le=24)] = 10  # on shifts, in any 24 hours
    rest_after_a_night: Annotated[int, Meta(ge=0, le=24)] = 8  # hours
    issuer: Annotated[str, Meta(min_length=1, max_length=40)] = "微嘉园社区志愿服务"  # as statements name it
    # Where statements are verified, `https://wjy.example.cn/api`; "" for the address this is served under. Without TLS
    # only on one's own machine, as `make run` has it.
    check_address: Annotated[str, Meta(pattern=r"^(https://.+|http://127\.0\.0\.1:.+)?\Z", max_length=100)] = ""


settings_in_force = settings.group("volunteers", VolunteerSettings)


VolunteerUnknown = NotFound.named("volunteer_not_found", "没有找到这位志愿者，请返回刷新。")
NotAVolunteer = Refused.named(
    "volunteer_approval_needed", "这项活动要先成为志愿者，请在“志愿服务”里申请，网格员通过后再来报名。"
)
GuardianNeeded = Refused.named(
    "guardian_consent_needed", "未满 16 岁参加志愿服务，要先有监护人同意。请监护人到社区登记，登记后再来报名。"
)


class Clash(Refused):
    """The time is taken by another shift, signed up for or waited for.

    Once that has begun its time stays taken until its end, also for whoever has left early: a correction may still find
    that they were there, and no minute may count twice. Only who waits for it can still leave.
    """

    code = "shifts_overlap"

    def __init__(self, start: datetime, end: datetime, *, now: datetime) -> None:
        until = f"{clock.local(end):%H:%M}"
        when = f"您在 {clock.spoken(start)} 到 {until} "
        if now < start:
            super().__init__(detail=f"{when}已有班次或在排队，时间冲突。请先取消那一个。")
        else:
            super().__init__(
                detail=f"{when}的班次已经开始，时间冲突。请报 {until} 以后的班次；还在排队的，可以先取消排队。"
            )


class NeedsRest(Refused):
    """Free at that time, and too close to other shifts to rest. An organiser may go over it with a reason."""

    code = "needs_rest"

    def __init__(self, free_from: int | None) -> None:
        options = settings_in_force()
        free = ""
        if free_from is not None:
            begin = clock.spoken(datetime.fromtimestamp(free_from, clock.SHANGHAI))
            free = f"您从 {begin} 起可以再报。"
        super().__init__(
            detail=f"为了您的健康，任意 24 小时内最多服务 {options.hours_in_a_day} 小时，"
            f"过零点的夜班后至少休息 {options.rest_after_a_night} 小时。{free}"
        )


TooManyAhead = Refused.named("too_many_shifts", f"您已经报了 {SHIFTS_AHEAD_AT_MOST} 个班次，先完成一些再报吧。")
# Others changed the same again and again while this act was trying to.
TryAgain = Conflict.named("changed_meanwhile", "情况刚刚有变化，请刷新后再试一次。")
HomeNeeded = Refused.named("home_needed", "请先在“我的”里选择您住的社区或楼栋，或者选择想服务的社区，再来申请。")
AlreadyApplied = Refused.named("already_applied", "您已经申请过了，正在等网格员审核，结果会通知您。")
AlreadyAVolunteer = Refused.named("already_a_volunteer", "您已经是志愿者了，可以直接报名班次。")
NothingToLeave = Refused.named("not_a_volunteer", "您现在没有志愿者申请或档案，不用退出。")
NoFileYet = Refused.named("application_needed", "您还没有申请成为志愿者，请先在“志愿服务”里申请。")
OwnApplication = Forbidden.named("own_application", "自己的志愿者申请要由别的工作人员办理。")
NotWaiting = Refused.named("application_not_waiting", "这份申请已经处理过，或者本人已经撤回，请刷新列表。")
NotInForce = Refused.named("volunteer_not_in_force", "这位居民现在没有在办的申请，也不是志愿者，请刷新列表。")
NoGuardianNeeded = Refused.named("guardian_not_needed", "这位志愿者申请时已满 16 岁，不用登记监护人。")
NoConsentOnFile = Refused.named("guardian_consent_not_on_file", "还没有登记监护人同意，不用撤销。")


class Times(NamedTuple):
    """When somebody is on a shift."""

    shift: str
    start: datetime
    end: datetime


Taken = Mapping[str, tuple[int, int]]  # shift → epoch seconds of its start and end


def still_taken(taken: Taken, now: datetime) -> dict[str, tuple[int, int]]:
    """Without what is over."""
    moment = int(now.timestamp())
    return {shift: (start, end) for shift, (start, end) in taken.items() if end > moment}


def without(taken: Taken, shift: str, now: datetime) -> dict[str, tuple[int, int]]:
    """What is taken but for this shift, and what is over since so long that nobody has to rest from it any more."""
    rested = int((now - _RESTED_AFTER).timestamp())
    return {other: (start, end) for other, (start, end) in taken.items() if other != shift and end > rested}


def with_times(taken: Taken, wanted: Times, *, now: datetime, rested: bool = True) -> dict[str, tuple[int, int]]:
    """What is taken with these times: Clash when they overlap those of another shift, TooManyAhead; when somebody has to
    be `rested`, NeedsRest. They may touch."""
    others = without(taken, wanted.shift, now)
    ahead = still_taken(others, now)
    start, end = int(wanted.start.timestamp()), int(wanted.end.timestamp())
    for first, last in ahead.values():
        if first < end and start < last:
            begins, ends = (datetime.fromtimestamp(each, clock.SHANGHAI) for each in (first, last))
            raise Clash(begins, ends, now=now)
    if len(ahead) >= SHIFTS_AHEAD_AT_MOST:
        raise TooManyAhead()
    if rested:
        _check_rest(others.values(), (start, end))
    return others | {wanted.shift: (start, end)}


def _check_rest(others: Collection[rest.Span], wanted: rest.Span) -> None:
    options = settings_in_force()
    bounds = {"hours_in_a_day": options.hours_in_a_day, "after_a_night": options.rest_after_a_night}
    if not rest.enough(others, wanted, **bounds):
        raise NeedsRest(rest.free_from(others, wanted, **bounds))


def age(born: date, on: date) -> int:
    """In full years (周岁), which are complete on the day after the birthday: 法释〔2006〕1号, article 2."""
    return on.year - born.year - ((on.month, on.day) <= (born.month, born.day))


def needs_guardian(born: date, on: date) -> bool:
    return age(born, on) < GUARDIAN_UNTIL


FOR_MINORS = (
    f"未满 {GUARDIAN_UNTIL} 岁参加志愿服务，要先由监护人到社区登记同意；生日的第二天起算满 {GUARDIAN_UNTIL} 岁。"
)
# Who is younger cannot agree to anything, nor their guardians for them to serve: 民法典, article 20.
_YOUNGEST, _OLDEST = 8, 120  # years


class Contact(msgspec.Struct, frozen=True):
    """Whom to call in an emergency, or a guardian. `relation` as people say it: 母亲."""

    name: str
    phone: str
    relation: str


def checked_birth(born: date, today: date) -> date:
    """Invalid when nobody of an age to serve was born then."""
    if born > today:
        raise Invalid(fields={"birth": "不能晚于今天"})
    if age(born, today) < _YOUNGEST:
        raise Invalid(fields={"birth": f"未满 {_YOUNGEST} 岁还不能报名，可以和家长一起参加活动"})
    if age(born, today) > _OLDEST:
        raise Invalid(fields={"birth": "请检查年份"})
    return born


def checked_name(name: str) -> str:
    """As it will stand on a statement. Characters that this version of Unicode does not know are in rare names."""
    refuse_blank(name=name)
    text = _one_line(name)
    categories = {unicodedata.category(character) for character in text}
    if categories & {"Cc", "Cf", "Cs"}:
        raise Invalid(fields={"name": "含有看不见的字符，请重新填写"})
    if not any(category.startswith(("L", "Co", "Cn")) for category in categories):
        raise Invalid(fields={"name": "请填写身份证上的姓名"})
    return text


def checked_contact(contact: Contact, *, within: str = "") -> Contact:
    """With the phone in the form in which it is kept; Invalid names the fields, inside the field `within`."""
    at = f"{within}." if within else ""
    refuse_blank(**{f"{at}name": contact.name, f"{at}relation": contact.relation})
    phone = phones.checked(contact.phone, field=f"{at}phone")
    return Contact(_one_line(contact.name), phone, _one_line(contact.relation))


def checked_choice(**chosen: Sequence[str]) -> None:
    """Nothing is chosen twice."""
    twice = {name: "有重复的选项" for name, each in chosen.items() if len(set(each)) < len(each)}
    if twice:
        raise Invalid(fields=twice)


def _one_line(text: str) -> str:
    return " ".join(text.split())
