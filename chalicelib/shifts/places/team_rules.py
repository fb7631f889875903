"""Why a team cannot sign up or withdraw, and who of it is the reason. Nobody is read here, nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chalicelib.kit.errors import Problem, Refused
from chalicelib.people import rules as people
from chalicelib.shifts import rules
from chalicelib.volunteers import rules as volunteers

_NAMED_AT_MOST = 5  # in one sentence


FullForTeam = Refused.named(
    "shift_full", "这个班次已经报满，还剩 0 个名额，小队不能排队。请换一个班次，或让队员各自报名排队。"
)
TeamNotSignedUp = Refused.named(
    "team_not_signed_up", "小队没有报这个班次，或者队员已经各自取消了。请在“我的班次”里看看。"
)
MemberConsentNeeded = Refused.named("consent_needed", "还没有同意《隐私保护指引》。")


class MemberCannotCome(Refused):
    """The team is refused whole; the sentence names those because of whom, as the team knows them."""

    def __init__(self, code: str, names: Sequence[str], why: str) -> None:
        shown = "、".join(names[:_NAMED_AT_MOST]) + (f"等 {len(names)} 人" if len(names) > _NAMED_AT_MOST else "")
        super().__init__(code=f"team_member_{code}", detail=f"小队要全员一起报名，但是{shown}{why}")


# What a member is refused with → how the leader is told: the code's end, and the sentence after the names.
TOLD: Mapping[type[Problem], tuple[str, str]] = {
    people.AccountClosed: ("account_closed", "已经注销账号。请刷新小队后再报名。"),
    MemberConsentNeeded: ("consent_needed", "还没有同意最新的《隐私保护指引》。请他们打开小程序同意后，再来报名。"),
    rules.AlreadySignedUp: ("already_signed_up", "已经自己报了这个班次或在排队。请他们先取消，或由其余的人各自报名。"),
    rules.SignedUpTooOften: ("signed_up_too_often", "今天已多次报名又退出这个班次。请明天再报，或由其余的人各自报名。"),
    rules.HomeNeeded: ("home_needed", "还没有选择住的社区或楼栋。请他们在“我的”里选好，再来报名。"),
    rules.NotOfTheAudience: ("not_of_the_audience", "不住在这个班次面向的区域。请换一个班次，或由其余的人各自报名。"),
    volunteers.NotAVolunteer: ("approval_needed", "还不是已通过的志愿者。请他们在“志愿服务”里申请，通过后再来报名。"),
    volunteers.GuardianNeeded: (
        "guardian_consent_needed",
        "未满 16 岁，还没有监护人同意。请监护人到社区登记，登记后再来报名。",
    ),
    volunteers.Clash: ("busy", "在这段时间已有别的班次或在排队。请他们先取消那一个，或者换一个班次。"),
    volunteers.NeedsRest: ("needs_rest", "前后班次太近，休息时间不够。请换一个班次，或由其余的人各自报名。"),
    volunteers.TooManyAhead: ("too_many_shifts", "报的班次已经太多。请他们先完成一些，再来报名。"),
}


def refuse_for(refusals: Sequence[tuple[str, Problem]]) -> None:
    """MemberCannotCome for the first reason (of `name, refusal`), naming everybody to whom it applies."""
    if refusals:
        first = type(refusals[0][1])
        code, why = TOLD[first]
        raise MemberCannotCome(code, [name for name, refusal in refusals if type(refusal) is first], why)


def check_room(left: int, wanted: int) -> None:
    """A team takes all its places at once, and none on the waiting list."""
    if not left:
        raise FullForTeam()
    if left < wanted:
        raise rules.OnlySomePlacesLeft(left=left)
