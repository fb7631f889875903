"""What may be redeemed, by whom, how much of it and from where; and why not. Nobody is read here, nothing is written."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Annotated, Literal, NamedTuple, Protocol

import msgspec
from msgspec import Meta

from chalicelib.areas import rules as areas
from chalicelib.kit import clock, settings
from chalicelib.kit.errors import Conflict, Forbidden, Invalid, NotFound, Refused, TooMany
from chalicelib.kit.flow import Flow

REDEMPTION = Flow({"reserved": {"collected", "delivered", "cancelled", "expired"}})
CAME_TO_NOTHING = ("cancelled", "expired")
# As people read them in the copy of their data.
STATES = {
    "reserved": "等待领取",
    "collected": "已领取",
    "delivered": "已送达",
    "cancelled": "已取消",
    "expired": "已过期",
}

How = Literal["desk", "delivery"]
Level = Literal["plenty", "few", "none"]
CapPeriod = Literal["month", "campaign"]

# A delivery of goods writes its receipt and all buckets in one transaction, which holds a hundred items.
BUCKETS_AT_MOST = 64
QUANTITY_AT_MOST = 99  # of one redemption
RESTOCK_AT_MOST = 1_000_000
DESK_NAME_AT_MOST = 20  # characters; with it a redemption stays below the kilobyte that a write unit pays for
CAMPAIGN_LASTS_AT_MOST = timedelta(days=366)
CAMPAIGN_OPENS_WITHIN = timedelta(days=366 * 3)  # of the day of the command: no slip of the pen for a year
# For so long after a campaign should have closed what was taken still counts, in case it is prolonged.
COUNTS_AFTER_CLOSING = timedelta(days=60)

ProductId = Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?\Z")]
Quantity = Annotated[int, Meta(ge=1, le=QUANTITY_AT_MOST)]
Price = Annotated[int, Meta(ge=1, le=10_000)]  # points a piece; times the quantity it stays below what moves at once


class MallSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Group `mall`. Tries of pick-up codes are counted for each clerk, right and wrong ones."""

    remind_days: Annotated[int, Meta(ge=0, le=60)] = 2  # before the last day to collect
    code_tries_an_hour: Annotated[int, Meta(ge=1)] = 300
    redemptions_a_day: Annotated[int, Meta(ge=1)] = 20  # of one resident, those that were cancelled too


settings_in_force = settings.group("mall", MallSettings)


ProductGone = NotFound.named("product_not_found", "没有找到这件商品，可能已经下架，请返回商城刷新。")
RedemptionGone = NotFound.named("redemption_not_found", "没有找到这张兑换单，请返回“我的兑换”刷新。")
OffSale = Refused.named("product_closed", "这件商品已经停止兑换，请看看别的商品。")
NotOpenYet = Refused.named("not_open_yet", "还没有开始，{opens_at} 开始兑换，请到时再来。")
Closed = Refused.named("campaign_closed", "这次兑换活动已经结束，请留意下一次活动。")
HomeNeeded = Refused.named("home_needed", "请先在“我的”里选择您住的社区或楼栋，再来兑换。")
WrongArea = Refused.named("wrong_area", "这件商品只给指定区域的居民兑换，请看看您所在社区的商品。")
QuizNotPassed = Refused.named("quiz_not_passed", "这次活动要先通过答题，请先去“答题”，通过后再来兑换。")
PriceChanged = Refused.named("price_changed", "价格刚刚变了，现在每件 {price} 分。没有扣您的积分，请看过后再决定。")
# The books say how much is missing.
NotEnough = Refused.named("not_enough_points", "{missing}没有扣您的积分，可以改小数量，或者攒够了再来。")
SoldOut = Refused.named("sold_out", "已经兑完了，没有扣您的积分。补货后可以再来看看。")
OnlySomeLeft = Refused.named("only_some_left", "只剩 {left} {unit}了，请改小数量再兑换。没有扣您的积分。")


class OverTheCap(Refused):
    code = "over_the_cap"

    def __init__(self, cap: int, left: int, unit: str, period: CapPeriod) -> None:
        each = "每人每月" if period == "month" else "这次活动每人"
        rest = f"您还能兑换 {left} {unit}，请改小数量。" if left > 0 else _CAP_USED[period]
        super().__init__(detail=f"{each}最多兑换 {cap} {unit}，{rest}")


_CAP_USED = {"month": "您这个月已经兑满，下个月再来。", "campaign": "您已经兑满，请把机会留给邻居。"}


EnoughToday = TooMany.named("enough_redeemed_today", "今天兑换的次数已经用完，请明天再来。")
WayNeeded = Invalid.named("way_needed", "请选择一种领取方式：到哪个兑换点，或者送货上门。")
DeskUnknown = Invalid.named("desk_unknown", "这件商品不能在这个兑换点领取，请重新选择。")
NoDelivery = Invalid.named("no_delivery", "这件商品不送货上门，请选择一个兑换点。")
HomeTooLarge = Refused.named("home_too_large", "送货上门要知道您住哪个网格，请先在“我的”里选到网格或楼栋。")


class NotNow(Refused):
    """The life cycle does not allow this step (any more)."""

    code = "step_not_possible"

    def __init__(self, state: str) -> None:
        super().__init__(detail=f"这张兑换单现在是“{STATES[state]}”，不能再这样办理。")


TooLateToCollect = Refused.named("redemption_expired", "已经过了领取期限，积分会退回给居民，请重新兑换。")
CodeUnknown = NotFound.named("code_wrong", "没有这个兑换码，请核对后再输一遍；刚刚兑换的，请等几秒再试。")
CodeUsed = Refused.named("code_used", "这个兑换码已经用过了，东西已经领走。")
CodeCancelled = Refused.named("code_cancelled", "这张兑换单已经取消，积分已退回，不能再领。")
CodeExpired = Refused.named("code_expired", "这个兑换码已经过期，积分会退回给居民，请让居民重新兑换。")
CodeElsewhere = Forbidden.named("code_of_another_desk", "这个兑换码要到“{desk}”领取，请居民去那里。")
OwnRedemption = Forbidden.named("own_redemption", "这是您自己的、或者您替别人兑换的，请由别的工作人员办理。")
PhotoNotThere = Refused.named("photo_not_there", "送达的照片还没有传好，请等几秒再提交，或者重新拍一张。")
ReceiptUsed = Conflict.named("receipt_used", "这个单号已经登记过了，内容不同，请核对单号。")
NotSoManyLeft = Refused.named("not_so_many_left", "库存里现在只有 {left} 件可以减掉，已兑换待领的不能减。")
FixedForEver = Invalid.named("fixed_for_ever", "这一项定下以后不能再改，请另建一个商品或活动。")
MallBusy = TooMany.named("mall_busy", "兑换的人太多，没有扣您的积分，请等几秒再试。", retry_after=2)


class Desk(msgspec.Struct, frozen=True):
    """Where goods are collected: a place in an area, whose desk clerks hand them over."""

    area: str
    place: str
    name: str

    @property
    def id(self) -> str:
        return f"{self.area}-{self.place}"


class Terms(Protocol):
    """What a rule needs to know of a product."""

    @property
    def state(self) -> str: ...
    @property
    def area(self) -> str: ...
    @property
    def opens_at(self) -> datetime | None: ...
    @property
    def closes_at(self) -> datetime | None: ...


def check_open(terms: Terms, *, now: datetime) -> None:
    """Decided by the moment at which the request arrived. (Who closes by hand wins at once: see `stock`.)"""
    if terms.state != "open":
        raise OffSale()
    if terms.opens_at is not None and now < terms.opens_at:
        raise NotOpenYet(opens_at=terms.opens_at)
    if is_over(terms, now=now):
        raise Closed()


def is_over(terms: Terms, *, now: datetime) -> bool:
    """Its time has passed, and does not come again."""
    return terms.closes_at is not None and now >= terms.closes_at


def is_open(terms: Terms, *, now: datetime) -> bool:
    try:
        check_open(terms, now=now)
    except Refused:
        return False
    return True


def check_audience(terms: Terms, home: str | None) -> None:
    if home is None:
        raise HomeNeeded()
    if not areas.contains(terms.area, home):
        raise WrongArea()


def way(desks: Sequence[Desk], delivers: bool, *, desk: str | None, deliver: bool, home: str) -> Desk | None:
    """The desk at which it will be collected, None when it is delivered. What has one way only need not be said."""
    if deliver and desk is not None:
        raise WayNeeded(fields={"desk": "送货上门时不用选"})
    if deliver:
        if not delivers:
            raise NoDelivery(fields={"deliver": NoDelivery.detail})
        if areas.at_level(home, "grid") is None:
            raise HomeTooLarge()
        return None
    if desk is None:
        if len(desks) == 1 and not delivers:
            return desks[0]
        raise WayNeeded(fields={"desk": "请选择"})
    chosen = next((each for each in desks if each.id == desk), None)
    if chosen is None:
        raise DeskUnknown(fields={"desk": DeskUnknown.detail})
    return chosen


FACT = "redemption:"


def fact(redemption_id: str) -> str:
    """The business fact in the books: a redemption takes points once, and gives them back at most once."""
    return f"{FACT}{redemption_id}"


def collect_by(now: datetime, days: int) -> datetime:
    """The end, in Shanghai, of the last of so many days after today."""
    return clock.at_local(clock.day(now) + timedelta(days=days + 1), time(0))


def last_day(until: datetime) -> str:
    """As people read it: the day at whose end it is over."""
    day = clock.day(until - timedelta(seconds=1))
    return f"{day.month}月{day.day}日"


def first_timer(how: How, until: datetime, now: datetime) -> tuple[str, datetime]:
    """What happens next to a new redemption: for a delivery the grid worker is told, at once."""
    return ("mall.announce", now) if how == "delivery" else later_timer(until, now)


def next_timer(done: str, until: datetime, now: datetime) -> tuple[str, datetime]:
    """After this one. A word is said once, even if it is to be said later since."""
    return ("mall.expire", until) if done == "mall.remind" else later_timer(until, now)


def later_timer(until: datetime, now: datetime) -> tuple[str, datetime]:
    """A word at nine in the morning, some days before the last day; then the end."""
    morning = clock.at_local(clock.day(until) - timedelta(days=settings_in_force().remind_days + 1), time(9))
    return ("mall.remind", morning) if morning > now else ("mall.expire", until)


# ---------------------------------------------------------------------------------------------------------- stock


def home_bucket(resident_id: str, buckets: int) -> int:
    """Where a resident looks first: evenly spread, and always the same for one resident."""
    return zlib.crc32(resident_id.encode()) % buckets


def pick(left: Mapping[int, int], quantity: int, *, start: int) -> dict[int, int]:
    """From which buckets a quantity is taken, walking on from `start`; {} when all together hold less.

    One bucket that holds enough is better than several: two transactions conflict over each item they share.
    """
    walk = sorted(left, key=lambda number: (number < start, number))
    whole = next((number for number in walk if left[number] >= quantity), None)
    if whole is not None:
        return {whole: quantity}
    picked: dict[int, int] = {}
    # The fullest first, so that as few as possible are touched.
    for number in sorted(walk, key=lambda number: -left[number]):
        taken = min(left[number], quantity - sum(picked.values()))
        if taken:
            picked[number] = taken
    return picked if sum(picked.values()) == quantity else {}


def spread(quantity: int, left: Sequence[int]) -> list[int]:
    """How a delivery is shared out among buckets that hold so much: afterwards they are as even as can be."""
    order = sorted(range(len(left)), key=lambda number: left[number])
    shares = [0] * len(left)
    for count in range(len(left), 0, -1):
        lowest = order[:count]
        even, more = divmod(quantity + sum(left[number] for number in lowest), count)
        if even >= left[lowest[-1]]:  # else the fullest of these gets nothing
            for place, number in enumerate(lowest):
                shares[number] = even + (1 if place < more else 0) - left[number]
            break
    return shares


def take_out(quantity: int, left: Sequence[int]) -> list[int] | None:
    """How much is taken from each bucket when stock is taken back, the fullest first; None when there is not so much."""
    if sum(left) < quantity:
        return None
    taken = [0] * len(left)
    for number in sorted(range(len(left)), key=lambda number: -left[number]):
        taken[number] = min(left[number], quantity - sum(taken))
    return taken


class Counts(NamedTuple):
    """What has become of all that was received. received = left + reserved + handed_out, in each bucket and in all."""

    received: int
    left: int
    reserved: int
    handed_out: int


def total(counts: Iterable[Counts]) -> Counts:
    columns = list(zip(*counts, strict=True))
    return Counts(*(sum(column) for column in columns)) if columns else Counts(0, 0, 0, 0)


def level(counts: Counts) -> Level:
    """What the catalogue says. Exact numbers would be looked at again and again, and be wrong all the same."""
    if counts.left == 0:
        return "none"
    return "few" if counts.left <= max(5, counts.received // 10) else "plenty"


def check_prolonged(closes_at: datetime | None, counts_until: str | None) -> None:
    """A campaign may be prolonged as long as what was taken in it still counts towards its cap."""
    if closes_at is not None and counts_until is not None and f"{clock.day(closes_at)}" > counts_until:
        raise FixedForEver(detail=f"最晚可以延到 {counts_until}，再久请另建一个活动。", fields={"closes_at": "太晚"})
