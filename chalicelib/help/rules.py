"""What may be asked, offered and done in a help request, and when something happens by itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta

from chalicelib.content.rules import MoneyAsked, plain
from chalicelib.kit import settings
from chalicelib.kit.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from chalicelib.kit.flow import Flow
from chalicelib.people.rules import BothSides

Kind = Literal["goods", "errand", "skill", "company"]
Urgency = Literal["normal", "urgent"]
FlagReason = Literal["advertising", "fraud", "insult", "privacy", "money", "other"]

# A request is hidden (in_review) while a moderator looks at it: because of WeChat's check, or of flags.
REQUEST = Flow(
    {
        "in_review": {"open", "covered", "withdrawn", "removed"},
        "open": {"covered", "fulfilled", "withdrawn", "expired", "in_review", "removed"},
        "covered": {"open", "fulfilled", "withdrawn", "in_review", "removed"},
    }
)
# For an errand, a skill or company "dropped off" means that the helper says it is done,
# and "collected" that the requester says so too. "returned": the helper takes the goods back, because the
# requester's account was closed before they were fetched, or a carer has looked into an objection.
OFFER = Flow(
    {
        "offered": {"dropped_off", "cancelled", "lapsed"},
        "dropped_off": {"collected", "returned"},
    }
)
# As people read them in the copy of their data.
REQUEST_STATES = {
    "in_review": "等待审核",
    "open": "求助中",
    "covered": "已有邻居帮忙",
    "fulfilled": "已完成",
    "withdrawn": "已撤回",
    "expired": "已过期",
    "removed": "没有通过审核",
}
OFFER_STATES = {
    "offered": "已认领",
    "dropped_off": "已送到或办好",
    "collected": "对方已确认",
    "cancelled": "已取消",
    "lapsed": "已失效",
    "returned": "已取回",
}
LIVE_OFFER = frozenset({"offered", "dropped_off"})

FLAGS_TO_HIDE = 3
# The end of a request is one transaction: each helper's message, transfer and account, at the first of a month the
# opening of their statement, and a few items more; DynamoDB takes a hundred.
HELPERS_AT_MOST = 23
MESSAGES_AN_OFFER = 60


class HelpSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Group `help`. Hours and days are those of the rules in the domain description."""

    lapse_hours: int = 48
    confirm_days: int = 7
    urgent_escalation_hours: int = 2
    escalation_hours: int = 24
    open_days: int = 14  # for a request without a needed-by time
    collect_reminder_hours: int = 48
    asks_a_day: int = 10
    files_a_day: int = 100  # by one staff member for people without WeChat
    offers_a_day: int = 30
    messages_an_hour: int = 60
    flags_a_day: int = 10
    flags_count_after_days: Annotated[int, Meta(ge=0)] = 7  # of living in the community
    alerts_a_day: int = 3
    pick_up_tries_an_hour: int = 30


settings_in_force = settings.group("help", HelpSettings)


RequestGone = NotFound.named("help_request_not_found", "没有找到这条求助，可能已经撤下，请返回列表刷新。")
OfferGone = NotFound.named("offer_not_found", "没有找到这次认领，请返回后刷新再看。")
HomeNeeded = Refused.named("home_needed", "请先在“我的”里选择您住的社区或楼栋，再继续。")
NotYours = Forbidden.named("not_yours", "这件事只能由求助人本人或者社区工作人员办理，有问题请联系社区。")
OwnRequest = Refused.named("own_request", "这条求助是您发的，不能由自己认领，请等邻居来帮忙。")


class TiedToAsker(BothSides):
    detail = "您和求助人之间有代办关系，不能认领或办理对方求助里的帮忙。取消代办关系以后才可以。"


OwnHelp = Forbidden.named("own_help", "这次帮忙有您自己的份，不能又替求助的一方办理，请由别的社区工作人员办理。")


class TiedInHelp(BothSides):
    detail = "您和帮忙或求助的人之间有代办关系，不能由您来办理。请先取消代办关系，或者请社区工作人员办理。"


class TiedToFlagged(BothSides):
    detail = "您和求助人之间有代办关系，不能举报这条求助。不想要了，可以直接撤下。"


NotOpen = Refused.named("request_not_open", "这条求助现在不能认领，请看看别的求助。")


class MoreThanNeeded(Refused):
    code = "more_than_needed"

    def __init__(self, left: int, unit: str) -> None:
        still = f"现在还差 {left} {unit}，请改小数量。" if left > 0 else "已经有足够的邻居认领了，谢谢您。"
        super().__init__(detail=still)
        self.left = left


EnoughHelpers = Refused.named("enough_helpers", "已经有很多邻居在帮忙了，谢谢您，请看看别的求助。")
# The life cycle does not allow this step (any more).
NotNow = Refused.named("step_not_possible")
GoodsWaiting = Refused.named("goods_waiting", "邻居已经送到或办好了，请先确认收到，再撤下求助。")
ConfirmInstead = Refused.named(
    "confirm_instead", "已经有邻居帮到您了。请取消还没送到的认领，再点“确认收到”来结束，这样帮过您的邻居才有记录。"
)
NothingCollected = Refused.named("nothing_collected", "还没有收到邻居的帮助，暂时不能确认。不需要帮忙了，请撤下求助。")
NothingToObjectTo = Refused.named("nothing_to_object_to", "还没有邻居送到或办好，有问题请先给对方留言。")
StillUnderWay = Refused.named(
    "offers_under_way", "还有邻居正在帮忙。请等全部送到并领取后再确认，或者先取消还没送到的认领。"
)
DropPointNeeded = Invalid.named("drop_point_needed", "请选择东西放在哪里，一般是社区居委会。")
DropPointUnknown = Invalid.named("drop_point_unknown", "这个社区没有这个存放点，请重新选择。")
TooLate = Invalid.named("needed_by_invalid", "需要的时间请选在一小时以后、三十天以内。")
TooManyMessages = Refused.named(
    "too_many_messages", f"这次认领的留言已满 {MESSAGES_AN_OFFER} 条。还有事情没说清，请联系社区工作人员帮忙。"
)
OwnFlag = Refused.named("own_request_flag", "这是您自己的求助，不想要了可以直接撤下。")
CodeUnknown = NotFound.named("pick_up_code_wrong", "取件码不对，请再核对一遍。")
CodeUsed = Refused.named("pick_up_code_used", "这个取件码已经用过了，东西已经领走，请和求助人核对。")
AlreadyThanked = Refused.named("already_thanked", "您已经感谢过这位邻居了。")
AlreadyObjected = Refused.named("already_objected", "您已经说明过问题，网格员会联系您，请耐心等待。")
# Others changed the same request again and again while this act was trying to.
TryAgain = Conflict.named("changed_meanwhile", "好几位邻居同时在操作，请刷新后再试一次。")


class Request(Protocol):
    """What the timers need to know of a help request."""

    @property
    def urgency(self) -> str: ...
    @property
    def announced_at(self) -> datetime | None: ...
    @property
    def escalated_at(self) -> datetime | None: ...
    @property
    def opened_at(self) -> datetime | None: ...
    @property
    def open_until(self) -> datetime: ...
    @property
    def objected_at(self) -> datetime | None: ...
    @property
    def settled_at(self) -> datetime | None: ...


def next_timer(
    request: Request, *, state: str, offered: int, collected: int, now: datetime
) -> tuple[str, datetime] | None:
    """What happens by itself next to a request in this state, and when."""
    limits = settings_in_force()
    if state == "open" and now < request.open_until:
        if request.announced_at is None:
            return "help.announce", now
        if offered == 0 and request.escalated_at is None and request.opened_at is not None:
            urgent = request.urgency == "urgent"
            wait = timedelta(hours=limits.urgent_escalation_hours if urgent else limits.escalation_hours)
            # Of a short time half is left to the grid worker, who could do nothing at its end.
            return "help.escalate", request.opened_at + min(wait, (request.open_until - request.opened_at) / 2)
    if state == "open":
        return "help.close", request.open_until
    if state == "covered" and offered > 0 and collected == offered and request.objected_at is None:
        return "help.fulfil", (request.settled_at or now) + timedelta(days=limits.confirm_days)
    return None


_WHY_NOT = {
    "offered": "邻居还没有送到或办好，请等对方送到后再确认。",
    "dropped_off": "已经送到或办好了，现在请求助人领取、确认。",
    "collected": "求助人已经收到，这次帮忙已经完成。",
    "cancelled": "这次认领已经取消。",
    "returned": "这次帮忙已经取消，送到的东西由那位邻居取回。",
    "lapsed": "太久没有送到，这次认领已经失效，可以重新认领。",
}


def why_not(state: str) -> str:
    """What is the matter with an offer in this state that the wanted step is not possible."""
    return _WHY_NOT[state]


def open_until(needed_by: datetime | None, now: datetime) -> datetime:
    """Until when neighbours may answer: the needed-by time, or two weeks."""
    if needed_by is None:
        return now + timedelta(days=settings_in_force().open_days)
    if not now + timedelta(hours=1) <= needed_by <= now + timedelta(days=30):
        raise TooLate(fields={"needed_by": TooLate.detail})
    return needed_by


_MONEY_UNITS = frozenset({"元", "块钱", "万", "万元", "人民币", "钱", "rmb", "cny", "¥"})  # 块 counts soap, too


def refuse_money_as_unit(unit: str) -> None:
    """Fifty yuan are asked for as well with the yuan in the place of the pieces."""
    if plain(unit).strip().lower() in _MONEY_UNITS:
        raise MoneyAsked()
