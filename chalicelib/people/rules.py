"""Who somebody is to us, and what a duty allows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, Protocol, get_args

from chalicelib.areas import rules as areas
from chalicelib.kit.errors import Conflict, Forbidden, Refused, Unauthorized

Role = Literal[
    "micro_grid_head",  # 微网格长
    "grid_worker",  # 专职网格员
    "community_worker",  # 社区工作人员, at the community office
    "coordinator",  # 协管员
    "instructor",  # 指导员
    "reviewer",  # 评议员
    "handler",  # 办理人员
    "dispatcher",  # 受理派单员
    "mediator",  # 调解员
    "supervisor",  # 督办员
    "moderator",  # 内容审核员
    "desk_clerk",  # 兑换点工作人员
]
ROLES: frozenset[str] = frozenset(get_args(Role))
ROLE_NAMES = {
    "micro_grid_head": "微网格长",
    "grid_worker": "网格员",
    "community_worker": "社区工作人员",
    "coordinator": "协管员",
    "instructor": "指导员",
    "reviewer": "评议员",
    "handler": "办理人员",
    "dispatcher": "受理派单员",
    "mediator": "调解员",
    "supervisor": "督办员",
    "moderator": "内容审核员",
    "desk_clerk": "兑换点工作人员",
}
# Who looks after residents day by day: confirms where they live, sees unanswered requests, makes the calls.
CARERS: frozenset[str] = frozenset({"micro_grid_head", "grid_worker", "community_worker"})
# Who may hand over goods at a drop point or a desk besides those who care for the area.
COUNTER = CARERS | {"desk_clerk"}

NICKNAME_OF_THE_CLOSED = "已注销用户"


AccountClosed = Unauthorized.named("account_closed", "这个账号已经注销。需要的话，请重新登录，会得到一个新账号。")
SessionEnded = Unauthorized.named("session_ended", "登录状态已变化，请重新登录。")
DelegationPaused = Forbidden.named(
    "delegation_paused", "对方还没有同意《隐私保护指引》，请对方自己登录并同意后，您再代办。"
)
DutyNeeded = Forbidden.named("duty_needed", "这件事要由负责这个区域的工作人员办理，请联系社区。")


class BothSides(Forbidden):
    """Who acts is joined by a delegation to whom the act is about: see `Person.apart_from`."""

    code, detail = "both_sides", "您和这位居民之间有代办关系，为了公正，请由别的工作人员办理。"


ConsentOutdated = Refused.named("consent_outdated", "《隐私保护指引》刚刚更新，请刷新后重新阅读。")
NoPhone = Refused.named("no_phone", "还没有登记手机号，请先在“我的”里登记。")
DutyUnknown = Conflict.named("duty_unknown", "没有这项在任职务。")


class Held(Protocol):
    """What a rule needs to know of a duty."""

    @property
    def role(self) -> str: ...
    @property
    def area(self) -> str: ...
    @property
    def from_at(self) -> datetime: ...
    @property
    def until_at(self) -> datetime | None: ...


def in_force(duty: Held, now: datetime) -> bool:
    return duty.from_at <= now and (duty.until_at is None or now < duty.until_at)


def covers(duty: Held, roles: Iterable[str], area: str, now: datetime) -> bool:
    """Does this duty, now, give one of these roles over this area?"""
    return duty.role in roles and areas.contains(duty.area, area) and in_force(duty, now)


def lives_in(home: str | None, home_state: str, area: str) -> bool:
    """Who chose a home there, unless the grid worker has said that it is not theirs."""
    return home is not None and home_state != "declined" and areas.contains(area, home)


def settled_in(community: str, home: str | None, home_state: str, since: datetime | None, *, by: datetime) -> bool:
    """Lived there at this time, as far as anybody knows, and has not moved away and back since."""
    return lives_in(home, home_state, community) and since is not None and since <= by


def first_nickname(resident_id: str) -> str:
    """What somebody is called who has not chosen a name."""
    return f"邻居{resident_id[-4:].upper()}"


def mask_phone(number: str) -> str:
    """As WeChat's own rules show a phone: the first three and the last two digits, 156******77."""
    return number[:3] + "*" * max(len(number) - 5, 1) + number[-2:]
