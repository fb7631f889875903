"""What earns points, what may be spent, and why not. Nobody is read here and nothing is written."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from chalicelib.areas import rules as areas
from chalicelib.areas.rules import AreaCode
from chalicelib.kit import clock
from chalicelib.kit.errors import Conflict, Invalid, NotFound, Refused, TooMany

# Of one transfer. Far above any price or reward, far below what DynamoDB's numbers hold exactly.
POINTS_AT_MOST = 1_000_000
REFUSALS_KEPT = 5  # of a resident's day: they lie in the account, which is dearer above a kilobyte

Points = Annotated[int, Meta(ge=1, le=POINTS_AT_MOST)]
Moment = Annotated[datetime, Meta(tz=True)]
Month = Annotated[str, Meta(pattern=r"^20\d\d-(0[1-9]|1[0-2])\Z")]
RuleId = Annotated[str, Meta(pattern=r"^[a-z][a-z_]{0,29}\Z")]

# Where points come from and go to; what else is in the books are residents.
Account = Literal["issued", "spent", "lapsed"]
ISSUED, SPENT, LAPSED = "issued", "spent", "lapsed"


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an administrator says about one way to earn. Caps are in points; None is no cap."""

    name: Annotated[str, Meta(min_length=1, max_length=20, pattern=r"\S")]  # as residents read it
    points: Points
    on: bool = True
    a_day: Points | None = None
    a_month: Points | None = None
    with_one_person_a_month: Points | None = None  # no farming between two friends
    once_per_subject: bool = True  # otherwise once a day per subject
    begins: Moment | None = None
    ends: Moment | None = None
    area: AreaCode | None = None


class NotEnoughPoints(Refused):
    code = "not_enough_points"

    def __init__(self, needed: int, there: int) -> None:
        super().__init__(detail=f"积分不够：需要 {needed} 分，您现在有 {there} 分，还差 {needed - there} 分。")


class AllowanceUsed(Refused):
    """`left` is how much this resident may still take of `of` in the period."""

    code = "allowance_used"

    def __init__(self, of: str, left: int) -> None:
        super().__init__(
            detail=f"每人限量，您这一期还可以兑换 {left} 份。" if left else "每人限量，您这一期已经兑换完了。"
        )
        self.of, self.left = of, left


AllowanceOver = Refused.named("allowance_over", "这一期的兑换已经结束。")
AlreadySpent = Conflict.named("points_already_spent", "这一笔积分已经扣过了，不会重复扣。")
AlreadyReturned = Conflict.named("points_already_returned", "这一笔积分已经退回了，不会重复退。")
AlreadyCorrected = Conflict.named("transfer_already_corrected", "这一笔积分已经更正过了，不会重复更正。")
TransferUnknown = NotFound.named("transfer_unknown", "没有找到这一笔积分记录，请核对编号。")
NotCorrectable = Refused.named("transfer_not_correctable", "只有发放的积分可以更正；兑换扣掉的积分请按退回办理。")
AmountInvalid = Invalid.named("points_amount_invalid", f"积分应为 1 到 {POINTS_AT_MOST} 的整数。")
TooManyAtOnce = TooMany.named("points_busy", "这个账户的积分正在变动，请稍等几秒再试。", retry_after=2)


def amount(points: Any) -> int:
    """A number of points as it may be in a transfer, or AmountInvalid. True is no number."""
    if type(points) is not int or not 1 <= points <= POINTS_AT_MOST:
        raise AmountInvalid()
    return points


def month_of(moment: datetime) -> str:
    return f"{clock.day(moment):%Y-%m}"


def in_force(rule: Rule | None, *, area: str | None, now: datetime) -> bool:
    """Does anything come of it now and here? A rule for an area gives nothing to who has no place in it."""
    if rule is None or not rule.on:
        return False
    if (rule.begins and now < rule.begins) or (rule.ends and now >= rule.ends):
        return False
    return rule.area is None or (area is not None and areas.contains(rule.area, area))


def fact(rule_id: str, rule: Rule, subject: str, *, now: datetime) -> str:
    """The business fact that earns: it is the transfer's id, so it earns once for ever."""
    return f"{rule_id}:{subject}" if rule.once_per_subject else f"{rule_id}:{subject}:{clock.day(now)}"


Reason = Literal["already_counted", "cap_a_day", "cap_a_month", "cap_with_one_person", "on_duty"]
REASONS: dict[str, str] = {
    "already_counted": "这一次已经记过积分了，不会重复记。",
    "cap_a_day": "今天这一项的积分已经到上限，明天零点后再做又有积分。",
    "cap_a_month": "这个月这一项的积分已经到上限，下个月又有积分。",
    "cap_with_one_person": "这个月与同一位邻居之间的积分已经到上限；帮助别的邻居仍有积分。",
    "on_duty": "在自己负责的区域里，这是工作，不计积分。",
}

# What was counted towards caps: `{period: {what: how much}}`. A period is named by its last day or by its month, and
# what has no cap is counted too: a cap that is set at noon counts the morning.
Counts = Mapping[str, Mapping[str, int]]

# An act may commit that much later than it began. Until then it must find what the period has counted.
LATE = timedelta(hours=1)


def running(counts: Counts, now: datetime) -> dict[str, dict[str, int]]:
    """The counts without those of periods that are over."""
    today = f"{clock.day(now - LATE)}"
    return {period: dict(counted) for period, counted in counts.items() if counted and period >= today[: len(period)]}


def _counted(counts: Counts, period: str, what: str) -> int:
    return counts.get(period, {}).get(what, 0)


def _with(counts: Counts, period: str, what: str, number: int) -> dict[str, dict[str, int]]:
    changed = {name: dict(counted) for name, counted in counts.items()}
    changed.setdefault(period, {})[what] = number
    if not number:
        del changed[period][what]
    return changed


class Decision(NamedTuple):
    """`used` is what counts from now on; unchanged when it is refused. `times`: how often the rule's points are given."""

    used: Counts
    refused: Reason | None
    times: int = 0


def decide(rule_id: str, rule: Rule, used: Counts, *, with_whom: str | None, day: date, times: int = 1) -> Decision:
    """How often may this be earned beside what was earned by the rule this day and month, of `times` that are wanted?

    As often as the caps leave, each time the rule's points whole: once is all or nothing.
    """
    month = f"{day:%Y-%m}"
    caps: list[tuple[str, str, int | None, Reason]] = [
        (f"{day}", rule_id, rule.a_day, "cap_a_day"),
        (month, rule_id, rule.a_month, "cap_a_month"),
    ]
    if with_whom is not None:
        pair = f"{rule_id} {_shortly(with_whom)}"
        caps.append((month, pair, rule.with_one_person_a_month, "cap_with_one_person"))
    given = min(times, POINTS_AT_MOST // rule.points)
    for period, what, cap, reason in caps:
        if cap is not None:
            given = min(given, (cap - _counted(used, period, what)) // rule.points)
            if given < 1:
                return Decision(used, reason)
    for period, what, _, _ in caps:
        used = _with(used, period, what, _counted(used, period, what) + given * rule.points)
    return Decision(used, None, given)


def _shortly(person: str) -> str:
    """Enough of a person to tell them from the hundred others of a month, in a fifth of the bytes of their id."""
    return base64.urlsafe_b64encode(hashlib.sha256(person.encode()).digest())[:6].decode()


class Allowance(msgspec.Struct, frozen=True):
    """So many (`quantity`) of something (`of`, an id), of which each resident may take `at_most` in the running period.

    `until` is the period's last day in Shanghai: the last of the month, or a day that a campaign has for good. It is part
    of the period's name: give back with the day with which it was taken, not with today's period.
    """

    of: str
    until: date
    quantity: int
    at_most: int | None

    def __post_init__(self) -> None:
        if self.quantity < 1:
            raise ValueError("an allowance of nothing")


def month_end(day: date) -> date:
    """The last day of its month."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def take(taken: Counts, wanted: Allowance, *, day: date) -> dict[str, dict[str, int]]:
    """What is taken with this beside what was taken in the period: AllowanceUsed, or AllowanceOver after its last day."""
    if day > wanted.until:
        raise AllowanceOver()
    before = _counted(taken, f"{wanted.until}", wanted.of)
    if wanted.at_most is not None and before + wanted.quantity > wanted.at_most:
        raise AllowanceUsed(wanted.of, max(wanted.at_most - before, 0))
    return _with(taken, f"{wanted.until}", wanted.of, before + wanted.quantity)


def put_back(taken: Counts, returned: Allowance) -> Counts:
    """What is taken without this; the same, when its period is forgotten."""
    before = _counted(taken, f"{returned.until}", returned.of)
    return _with(taken, f"{returned.until}", returned.of, max(before - returned.quantity, 0)) if before else taken


class Refusal(msgspec.Struct, frozen=True, array_like=True):
    """Why somebody got no points for something, kept until the day is over. To the second, without names of fields."""

    at: datetime
    rule: str
    reason: str
    subject: str


def with_refusal(kept: Iterable[Refusal], one: Refusal) -> list[Refusal]:
    """The refusals of this one's day, the newest last. The same of the same subject is kept once, as it was first."""
    day = clock.day(one.at)
    today = [each for each in kept if clock.day(each.at) == day]
    if any((each.rule, each.subject, each.reason) == (one.rule, one.subject, one.reason) for each in today):
        return today
    return [*today, one][-REFUSALS_KEPT:]


class Movement(NamedTuple):
    """What the audit needs to know of a transfer."""

    fact: str
    debit: str
    credit: str
    amount: int
    month: str
    undoes: str | None


class Sums(NamedTuple):
    """What a resident's transfers add up to, and what is wrong with them."""

    issued: int
    spent: int
    lapsed: int
    held: int
    wrong: list[str]


def add_up(resident: str, balance: int, openings: Mapping[str, int], movements: Iterable[Movement]) -> Sums:
    """Check one resident's books; what is wrong is told in codes with the fact, never in personal data."""
    known = {each.fact: each for each in movements}
    out: dict[str, int] = {ISSUED: 0, SPENT: 0, LAPSED: 0}  # how much each system account has given, net
    held, wrong = 0, []
    months: dict[str, int] = {}
    undone: set[str] = set()
    for each in known.values():
        sides = {each.debit, each.credit}
        if resident not in sides or len(sides) != 2 or not sides - {resident} <= out.keys() or each.amount < 1:
            wrong.append(f"malformed {each.fact}")
            continue
        change = each.amount if each.credit == resident else -each.amount
        (other,) = sides - {resident}
        out[other] += change
        held += change
        months[each.month] = months.get(each.month, 0) + change
        if each.undoes is not None:
            first = known.get(each.undoes)
            mirrored = first and (first.debit, first.credit) == (each.credit, each.debit)
            if first is None or not mirrored or each.amount > first.amount:
                wrong.append(f"undoes_nothing {each.fact}")
            elif each.undoes in undone:
                wrong.append(f"undone_twice {each.undoes}")
            undone.add(each.undoes)
    if held != balance:
        wrong.append(f"balance {balance} is not the sum {held}")
    if balance < 0:
        wrong.append(f"negative {balance}")
    running = 0
    for month in sorted(months):
        if openings.get(month) != running:
            wrong.append(f"opening {month} {openings.get(month)} is not {running}")
        running += months[month]
    return Sums(out[ISSUED], -out[SPENT], -out[LAPSED], balance, wrong)
