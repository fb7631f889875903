"""What staff may publish, who sees it, and for what reading earns nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, Protocol

import msgspec

from chalicelib.kit import settings
from chalicelib.kit.errors import Conflict, Invalid, NotFound, Refused
from chalicelib.kit.flow import Flow
from chalicelib.people import rules as people

# Who speaks to an area in the community's name: those who look after its residents day by day, each within their own
# area. A post for a street or the district is published by a community worker whose duty covers it. Coordinators help
# and instructors advise; neither publishes.
PUBLISHERS = frozenset({"micro_grid_head", "grid_worker", "community_worker"})
# Who finds a post that others do not see: its colleagues, and those who decide about it.
LOOKERS = PUBLISHERS | {"moderator"}

POST = Flow(
    {
        "in_review": {"shown", "ended", "withdrawn", "removed"},
        "shown": {"ended", "withdrawn"},
    }
)
# As people read them in the copy of their data.
STATES = {
    "in_review": "等待审核",
    "shown": "已发布",
    "ended": "已到期",
    "withdrawn": "已撤回",
    "removed": "没有通过审核",
}
# A notice in an inbox still opens a post that has ended; it is only listed no more.
READABLE = frozenset({"shown", "ended"})

_SOONEST_END = timedelta(minutes=30)
_LATEST_END = timedelta(days=366)


class PostSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Group `posts`."""

    posts_a_day: int = 20  # by one author
    urgent_a_day: int = 3  # of these, pushed to everybody's phone


settings_in_force = settings.group("posts", PostSettings)


PostGone = NotFound.named("post_not_found", "没有找到这条信息，可能已经撤回，请返回列表刷新。")
# The life cycle does not allow this step (any more).
NotNow = Refused.named("step_not_possible")
EndInvalid = Invalid.named("ends_at_invalid", "截止时间请选在半小时以后、一年以内。")
# Others changed the same post again and again while this act was trying to.
TryAgain = Conflict.named("changed_meanwhile", "这条信息刚刚有变化，请刷新后再试一次。")


class Seen(Protocol):
    """What a rule needs to know of a post."""

    @property
    def state(self) -> str: ...
    @property
    def area(self) -> str: ...
    @property
    def author(self) -> str | None: ...
    @property
    def ends_at(self) -> datetime | None: ...


_WHY_NOT = {
    "withdrawn": "这条信息已经撤回，不用再撤回。",
    "ended": "这条信息已经到期，居民的列表里已经没有了。",
    "removed": "这条信息没有通过审核，居民看不到。",
}


def why_not(state: str) -> str:
    """What is the matter with a post in this state that it cannot be taken back."""
    return _WHY_NOT.get(state, TryAgain.detail)


def check_end(ends_at: datetime | None, now: datetime) -> None:
    if ends_at is not None and not now + _SOONEST_END <= ends_at <= now + _LATEST_END:
        raise EndInvalid(fields={"ends_at": EndInvalid.detail})


def over(post: Seen, now: datetime) -> bool:
    """Its end has come, whether or not the minute's timer has said so yet."""
    return post.state == "ended" or (post.ends_at is not None and post.ends_at <= now)


NoPoints = Literal["rule_off", "ended", "own_post", "not_here"]
NO_POINTS: dict[str, str] = {
    "rule_off": "现在阅读信息不计积分。",
    "ended": "这条信息已经到期，阅读不再计积分。",
    "own_post": "这是您自己发布的信息，阅读不计积分。",
    "not_here": "只有阅读自己居住区域的信息才计积分。请在“我的”里登记住址。",
}


def no_points(post: Seen, *, reader: str, home: str | None, home_state: str, now: datetime) -> NoPoints | None:
    """Why reading this earns nothing, whatever the rule says. It is read all the same."""
    if over(post, now):
        return "ended"
    if post.author == reader:
        return "own_post"
    return None if people.lives_in(home, home_state, post.area) else "not_here"
