"""What is recorded of a volunteer: hours of shifts, training, commendation, evaluation; and the periods they are looked at by.

The groups are those of 《志愿服务记录与证明出具办法（试行）》, see `statements.rules`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Literal, NamedTuple

import msgspec

from chalicelib.kit import clock
from chalicelib.kit.errors import Conflict, Forbidden, Invalid, NotFound
from chalicelib.kit.flow import Flow

EntryKind = Literal["training", "commendation", "evaluation"]
KINDS: dict[str, str] = {"training": "培训", "commendation": "表彰奖励", "evaluation": "评价"}
# What was taken back before anybody else saw it is removed, what the volunteer knows of is revoked.
ENTRY = Flow({"in_review": {"shown", "removed"}, "shown": {"revoked"}})
ENTRY_STATES = {"in_review": "审核中", "shown": "有效", "removed": "没有显示", "revoked": "已撤销"}
FOR_THE_VOLUNTEER = frozenset({"shown", "revoked"})
RECORDED: dict[str, str] = {"checked": "签到签退", "recorded": "组织者补录"}


YEARS_AT_MOST = 3  # of one statement, and of one look at one's hours
ENTRIES_A_DAY = 200  # recorded by one staff member
EARLIEST = date(2000, 1, 1)

PeriodWrong = Invalid.named("period_wrong", "时间段填写不对，请重新选择开始和结束的日期。")
EntryUnknown = NotFound.named("entry_not_found", "没有找到这项记录，请刷新后再看。")
EntryOver = Conflict.named("entry_over", "这项记录已经撤销，不用再办。")
OwnEntry = Forbidden.named("own_entry", "不能给自己记录或撤销，请由其他工作人员办理。")


class Period(NamedTuple):
    """Days in Shanghai, both included."""

    start: date
    end: date

    @property
    def begins(self) -> datetime:
        return clock.at_local(self.start, time())

    @property
    def ends(self) -> datetime:
        """The moment after it."""
        return clock.at_local(self.end + timedelta(days=1), time())

    def covers(self, start: str, end: str) -> bool:
        return f"{self.start}" <= start and end <= f"{self.end}"


def check_period(period: Period) -> None:
    """At most three years, the right way round, within reason."""
    wrong = {}
    if period.start < EARLIEST:
        wrong["from"] = f"不能早于 {EARLIEST.year} 年"
    if period.end < period.start:
        wrong["to"] = "不能早于开始日期"
    elif period.end.year >= 2200 or period.end >= _years_after(period.start, YEARS_AT_MOST):
        wrong["to"] = f"一次最多 {YEARS_AT_MOST} 年"
    if wrong:
        raise PeriodWrong(fields=wrong)


def _years_after(day: date, years: int) -> date:
    leap_day = (day.month, day.day) == (2, 29)
    return date(day.year + years, 3, 1) if leap_day else day.replace(year=day.year + years)


def spoken(minutes: int) -> str:
    """12 小时 30 分钟; 2 小时; 45 分钟."""
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours:,} 小时"] if hours else []
    if rest or not hours:
        parts.append(f"{rest} 分钟")
    return " ".join(parts)


def training_minutes(kind: str, hours: float | None) -> int | None:
    """How long a training took: full and half hours; nothing else has hours."""
    if hours is None:
        return None
    if kind != "training":
        raise Invalid(fields={"hours": "只有培训填写学时"})
    if hours * 2 != int(hours * 2):
        raise Invalid(fields={"hours": "请填整小时或半小时"})
    return int(hours * 60)


def check_entry(*, day: date, today: date, **texts: str) -> None:
    wrong = {name: "不能为空" for name, text in texts.items() if not text.strip()}
    if not EARLIEST <= day <= today:
        wrong["day"] = "不能晚于今天" if day > today else f"不能早于 {EARLIEST.year} 年"
    if wrong:
        raise Invalid(fields=wrong)


class Totals(msgspec.Struct, frozen=True):
    """Minutes by how they were recorded, and together; and of how many times."""

    times: int
    checked: int
    recorded: int

    @property
    def together(self) -> int:
        return self.checked + self.recorded


def totals_of(minutes: Iterable[tuple[str, int]]) -> Totals:
    """Of pairs of how and how long. Hours that were corrected to none are no time that somebody served."""
    given = [(how, each) for how, each in minutes if each]
    checked = sum(each for how, each in given if how == "checked")
    return Totals(len(given), checked, sum(each for _, each in given) - checked)
