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
from datetime import date, datetime
from typing import Literal

import msgspec

from chalicelib.kit import clock, ids
from chalicelib.kit.errors import NotFound, Refused
from chalicelib.volunteers.records.rules import Period, PeriodWrong, Totals

State = Literal["valid", "superseded", "revoked", "destroyed"]
# What is destroyed is so for ever, whatever it was before; the others only come after `valid`.
STATES: dict[str, str] = {
    "valid": "有效",
    "superseded": "已被新证明替换",
    "revoked": "已作废",
    "destroyed": "内容已销毁",
}
VALID_AT_MOST = 20  # statements of one person
LINES_AT_MOST = 2_500  # two shifts a day for three years are fewer; DynamoDB takes 400 KB
BYTES_AT_MOST = 300_000
CODE_LENGTH = 12  # of five bits each: 60 random bits, which nobody guesses
_GROUP = 4
_NUMBER = r"ZM[0-9A-HJKMNP-TV-Z]{12}"
# Dashes and spaces of all kinds: what a keyboard, or a copy out of a document, puts between the groups.
_BETWEEN = r"[\s\-‐-―−_·.]+"


NameNeeded = Refused.named("real_name_needed", "证明上要写真实姓名。请先在“志愿服务”里登记姓名，再来开证明。")
# Anybody may apply under any name: only one that staff have approved stands on a statement.
NameUnchecked = Refused.named("real_name_unchecked", "证明上的姓名要由社区审核过。请等志愿者申请通过后，再来开证明。")
NothingToState = Refused.named("nothing_to_state", "这段时间里还没有服务记录，开不了证明。请换一个时间段。")
TooMuchToState = Refused.named("too_much_to_state", "这段时间的服务记录太多，一份证明写不下。请分成几段来开。")
TooManyStatements = Refused.named(
    "too_many_statements",
    f"您已有 {VALID_AT_MOST} 份有效的证明。请开一份时间更长、包含其中几份的证明，它会替换那几份。",
)
StatementUnknown = NotFound.named(
    "statement_not_found", "没有这个编号的证明，请核对编号。编号无误仍查不到的，不是本系统出具的证明。"
)


def check_over(period: Period, today: date) -> None:
    """Nobody is certified what has not happened."""
    if period.end > today:
        raise PeriodWrong(detail="结束日期不能晚于今天，请重新选择。", fields={"to": "不能晚于今天"})


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


class Paper(msgspec.Struct, frozen=True):
    """The five groups."""

    basic: Basic
    service: list[Served]
    totals: Totals
    training: list[Noted]
    commendation: list[Noted]
    evaluation: list[Noted]


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
