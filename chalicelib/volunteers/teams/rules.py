"""Who may be in a team and what its leader may do. Nobody is read here, nothing is written."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from datetime import timedelta
from typing import Any, Protocol

from chalicelib.kit.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from chalicelib.volunteers.rules import TEAMS_AT_MOST

# A sign-up of all is one write of two items for each member and a few more, and a write has a hundred at most.
MEMBERS_AT_MOST = 45
NAME_AT_MOST = 20
NAMES_A_DAY = 10  # that one person gives, to new teams or others
CODES_TRIED_AN_HOUR = 10  # right or wrong
HAND_OVERS_A_DAY = 5  # of one leader
CODES_A_DAY = 20  # that a leader renews
KEPT_AFTER_THE_END = timedelta(days=30)
REMEMBERED = 60  # requests that a team remembers, before it begins anew
UNNAMED = "新小队"  # what a team is called in messages while its first name waits for a verdict


TeamGone = NotFound.named("team_not_found", "没有找到这个小队，可能已经解散，请返回刷新。")
NotTheLeader = Forbidden.named("not_the_team_leader", "这件事由队长办理，请联系您的队长。")
TeamCodeUnknown = NotFound.named("team_code_not_found", "没有这个邀请码，或者队长已经换了新的。请向队长再要一次。")
TeamFull = Refused.named("team_full", f"这个小队已经有 {MEMBERS_AT_MOST} 人，不能再加入。请队长另建一个小队。")
AlreadyInTeam = Refused.named("already_in_team", "您已经在这个小队里了，不用再加入。")
TooManyTeams = Refused.named("too_many_teams", f"每人最多参加 {TEAMS_AT_MOST} 个小队，请先退出一个。")
TeamMemberUnknown = NotFound.named("team_member_not_found", "小队里没有这个人，可能已经退出，请刷新后再看。")
LeaderStays = Refused.named("team_leader_stays", "您是队长，请先把队长交给别的队员，再退出；也可以解散小队。")
NotOneself = Refused.named("team_member_is_oneself", "请选择别的队员。您自己要离开的话，请用“退出小队”。")
TeamNameInReview = Refused.named(
    "team_name_in_review", "队名还没有通过审核，暂时不能报名。通过后会通知队长；没通过的话，请队长换一个名字。"
)
HomeNeeded = Refused.named("home_needed", "请先在“我的”里选择您住的社区或楼栋，再来建小队。")
# Others changed the same team again and again while this act was trying to.
TryAgain = Conflict.named("changed_meanwhile", "小队刚刚有变化，请刷新后再试一次。")


class Led(Protocol):
    """What a rule needs to know of a team."""

    @property
    def state(self) -> str: ...
    @property
    def leader(self) -> str: ...
    @property
    def members(self) -> list[dict[str, Any]]: ...


def name(typed: str) -> str:
    """The name as it will be shown, on one line."""
    text = " ".join(unicodedata.normalize("NFKC", typed).split())
    reason = None
    if not any(unicodedata.category(character)[0] in "LN" for character in text):
        reason = "请填写队名"
    elif len(text) > NAME_AT_MOST:
        reason = f"最多 {NAME_AT_MOST} 个字"
    elif any(unicodedata.category(character)[0] == "C" for character in text):
        reason = "含有看不见的字符"
    if reason:
        raise Invalid("team_name_invalid", f"这个队名不能用：{reason}。请换一个。", {"name": reason})
    return text


def is_in(team: Led, resident_id: str) -> bool:
    return team.state == "active" and any(each["id"] == resident_id for each in team.members)


def check_leader(team: Led | None, resident_id: str) -> None:
    """TeamGone for those who have nothing to do with it, NotTheLeader for its other members."""
    if team is None or not is_in(team, resident_id):
        raise TeamGone()
    if team.leader != resident_id:
        raise NotTheLeader()


def check_joining(team: Led, resident_id: str) -> None:
    if is_in(team, resident_id):
        raise AlreadyInTeam()
    if len(team.members) >= MEMBERS_AT_MOST:
        raise TeamFull()


def free_slot(used: Collection[int]) -> int:
    """The first place among somebody's teams that is free."""
    free = next((slot for slot in range(1, TEAMS_AT_MOST + 1) if slot not in used), None)
    if free is None:
        raise TooManyTeams()
    return free
