"""What a statement of hours shows, of which period, under which number. Nobody is read here, nothing is written.

The words and groups are those of 《志愿服务记录与证明出具办法（试行）》 (order 67 of the Ministry of Civil Affairs, in force
since 2021-02-01): article 2 says that a record certificate (志愿服务记录证明) is made from the records, article 3 that
both are true, exact, complete, free of charge and timely, article 4 that the records are of five groups: basic data
(个人基本信息), service (志愿服务情况), training (培训情况), commendation (表彰奖励情况) and evaluation (评价情况).
"""

from __future__ import annotations

import base64
import re
import unicodedata
import zlib
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Literal, NamedTuple

import msgspec

from chalicelib.kit import clock, ids
from chalicelib.kit.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from chalicelib.kit.flow import Flow

EntryKind = Literal["training", "commendation", "evaluation"]
KINDS: dict[str, str] = {"training": "培训", "commendation": "表彰奖励", "evaluation": "评价"}
# What was taken back before anybody else saw it is removed, what the volunteer knows of is revoked.
ENTRY = Flow({"in_review": {"shown", "removed"}, "shown": {"revoked"}})
ENTRY_STATES = {"in_review": "审核中", "shown": "有效", "removed": "没有显示", "revoked": "已撤销"}
FOR_THE_VOLUNTEER = frozenset({"shown", "revoked"})
State = Literal["valid", "superseded", "revoked", "destroyed"]
# What is destroyed is so for ever, whatever it was before; the others only come after `valid`.
STATES: dict[str, str] = {
    "valid": "有效",
    "superseded": "已被新证明替换",
    "revoked": "已作废",
    "destroyed": "内容已销毁",
}
RECORDED: dict[str, str] = {"checked": "签到签退", "recorded": "组织者补录"}

YEARS_AT_MOST = 3  # of one statement, and of one look at one's hours
VALID_AT_MOST = 20  # statements of one person
LINES_AT_MOST = 2_500  # two shifts a day for three years are fewer; DynamoDB takes 400 KB
BYTES_AT_MOST = 300_000
ENTRIES_A_DAY = 200  # recorded by one staff member
EARLIEST = date(2000, 1, 1)
CODE_LENGTH = 12  # of five bits each: 60 random bits, which nobody guesses
_GROUP = 4
_NUMBER = r"ZM[0-9A-HJKMNP-TV-Z]{12}"
# Dashes and spaces of all kinds: what a keyboard, or a copy out of a document, puts between the groups.
_BETWEEN = r"[\s\-‐-―−_·.]+"


class PeriodWrong(Invalid):
    code, detail = "period_wrong", "时间段填写不对，请重新选择开始和结束的日期。"


class NameNeeded(Refused):
    code, detail = "real_name_needed", "证明上要写真实姓名。请先在“志愿服务”里登记姓名，再来开证明。"


class NameUnchecked(Refused):
    """Anybody may apply under any name: only one that staff have approved stands on a statement."""

    code, detail = "real_name_unchecked", "证明上的姓名要由社区审核过。请等志愿者申请通过后，再来开证明。"


class NothingToState(Refused):
    code, detail = "nothing_to_state", "这段时间里还没有服务记录，开不了证明。请换一个时间段。"


class TooMuchToState(Refused):
    code, detail = "too_much_to_state", "这段时间的服务记录太多，一份证明写不下。请分成几段来开。"


class TooManyStatements(Refused):
    code, detail = (
        "too_many_statements",
        f"您已有 {VALID_AT_MOST} 份有效的证明。请开一份时间更长、包含其中几份的证明，它会替换那几份。",
    )


class StatementUnknown(NotFound):
    code, detail = "statement_not_found", "没有这个编号的证明，请核对编号。编号无误仍查不到的，不是本系统出具的证明。"


class EntryUnknown(NotFound):
    code, detail = "entry_not_found", "没有找到这项记录，请刷新后再看。"


class EntryOver(Conflict):
    code, detail = "entry_over", "这项记录已经撤销，不用再办。"


class OwnEntry(Forbidden):
    code, detail = "own_entry", "不能给自己记录或撤销，请由其他工作人员办理。"


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


def check_over(period: Period, today: date) -> None:
    """Nobody is certified what has not happened."""
    if period.end > today:
        raise PeriodWrong(detail="结束日期不能晚于今天，请重新选择。", fields={"to": "不能晚于今天"})


def _years_after(day: date, years: int) -> date:
    leap_day = (day.month, day.day) == (2, 29)
    return date(day.year + years, 3, 1) if leap_day else day.replace(year=day.year + years)


def number_of(code: str) -> str:
    """ZM-7K3F-9Q2X-M4TB, of twelve characters."""
    return "-".join(["ZM", *(code[at : at + _GROUP] for at in range(0, len(code), _GROUP))])


def as_typed(text: str) -> str:
    """The number somebody meant (lower case, full width, other dashes or none, O for 0), or StatementUnknown."""
    plain = re.sub(_BETWEEN, "", unicodedata.normalize("NFKC", text))
    typed = ids.as_typed(plain)
    if not re.fullmatch(_NUMBER, typed):
        raise StatementUnknown()
    return number_of(typed.removeprefix("ZM"))


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


class Basic(msgspec.Struct, frozen=True):
    """Whose hours these are."""

    name: str
    born: date | None
    area: str | None
    skills: list[str]
    volunteer_since: date | None


class Served(msgspec.Struct, frozen=True):
    """One shift. `how`: checked | recorded, then with who recorded it and why. Times are Shanghai's.

    `whom`: those it was done for, 服务对象; `leader`: who answered for it, 活动负责人.
    """

    start: datetime
    end: datetime
    title: str
    service: str
    place: str
    whom: str
    leader: str | None
    minutes: int
    how: str
    by: str | None
    why: str | None


class Noted(msgspec.Struct, frozen=True):
    """A training, commendation or evaluation, and by whom. `minutes` of a training."""

    day: date
    title: str
    by: str
    minutes: int | None


class Totals(msgspec.Struct, frozen=True):
    """Minutes by how they were recorded, and together; and of how many times."""

    times: int
    checked: int
    recorded: int

    @property
    def together(self) -> int:
        return self.checked + self.recorded


class Paper(msgspec.Struct, frozen=True):
    """The five groups."""

    basic: Basic
    service: list[Served]
    totals: Totals
    training: list[Noted]
    commendation: list[Noted]
    evaluation: list[Noted]


def totals_of(minutes: Iterable[tuple[str, int]]) -> Totals:
    """Of pairs of how and how long. Hours that were corrected to none are no time that somebody served."""
    given = [(how, each) for how, each in minutes if each]
    checked = sum(each for how, each in given if how == "checked")
    return Totals(len(given), checked, sum(each for _, each in given) - checked)


def packed(paper: Paper) -> str:
    """As it is sealed: many lines are alike, so it shrinks to a tenth. TooMuchToState when even that is too large."""
    text = base64.b85encode(zlib.compress(msgspec.json.encode(paper), 9)).decode()
    if len(paper.service) > LINES_AT_MOST or len(text) > BYTES_AT_MOST:
        raise TooMuchToState()
    return text


def unpacked(text: str) -> Paper:
    return msgspec.json.decode(zlib.decompress(base64.b85decode(text)), type=Paper)


def told(state: str, *, ended_at: datetime | None, reason: str | None) -> str:
    """Whether it counts, as whoever verifies it reads it. Never under which number the newer one is."""
    if state == "destroyed":
        return "持有人已注销账号，个人信息已按规定销毁，这份证明的内容无法再核验。"
    if state == "valid" or ended_at is None:
        return "这份证明有效。"
    ended = clock.local(ended_at)
    day = f"{ended.year}年{ended.month}月{ended.day}日"
    if state == "superseded":
        return f"这份证明已于{day}被新开的证明替换，请持有人出示新的证明。"
    return f"这份证明已于{day}作废，原因：{reason}。请勿采用，请持有人重新开具。"
