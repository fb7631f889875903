"""When a message may go out, through what, how often it is tried again, and what it says."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping
from datetime import datetime, time, timedelta
from typing import Protocol

import msgspec

from chalicelib.kit import clock
from chalicelib.kit.errors import Conflict, Invalid, NotFound, Refused
from chalicelib.kit.flow import Flow
from chalicelib.notices.catalogue import FORMS, KINDS

# A push on its way. `later` waits for its timer: quiet hours, or a pause after a failure. The ends: `sent`;
# `inbox_only` (never meant to be pushed); `seen` (read in the app before); `expired` (too old to push);
# `gone` (account closed or consent withdrawn); `no_channel` (WeChat has no way to this person); `failed`
# (WeChat refused for good); `unsure` (WeChat's answer was lost, and there is no credit to try again).
PUSH = Flow(
    {
        "waiting": {"sending", "later", "seen", "expired", "gone", "no_channel"},
        "later": {"waiting"},
        "sending": {"sent", "later", "waiting", "failed", "unsure", "no_channel"},
        "sent": {"failed"},  # WeChat tells later that it could not deliver
    }
)
NOT_REACHED = frozenset({"expired", "no_channel", "failed", "unsure"})

RESEND_AFTER = timedelta(minutes=10)  # when neither stream nor queue brought a message to the worker
LEASE = timedelta(minutes=6)  # a worker that has not reported by then is dead: it lives one minute
SHORT_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=30)
LONGEST_RESEND = timedelta(hours=6)
LONGEST_FACT = 200  # characters


NoticeUnknown = NotFound.named("notice_unknown", "没有找到这条消息，可能已被清理。")
TemplateUnknown = Invalid.named("template_unknown", "消息模板已更换，请退出小程序重新打开。")
AlreadyCalled = Refused.named("already_called", "这位居民已经联系过了，或已在小程序里看到消息，请刷新名单。")


class AlreadyTaken(Conflict):
    """Another worker has this notice, or it is done."""


class CreditGone(Conflict):
    """The credit we counted on was used or withdrawn meanwhile."""


class Said(msgspec.Struct, frozen=True):
    """A kind's words with the facts in them; `values` is what the template shows, not yet cut to its fields."""

    title: str
    text: str
    page: str
    values: dict[str, str]


def say(kind_name: str, about: str, facts: Mapping[str, str]) -> Said:
    """The words of a message. An act may know more facts than the words use, but not fewer."""
    kind = KINDS[kind_name]
    if not kind.facts <= facts.keys():
        raise ValueError(f"{kind_name} wants the facts {sorted(kind.facts)}, got {sorted(facts)}")
    short = {name: _shortened(fact) for name, fact in facts.items()}
    return Said(
        kind.title.format_map(short),
        kind.text.format_map(short),
        kind.page.format_map({"about": about}),
        {name: text.format_map(short) for name, text in kind.values.items()},
    )


def _shortened(fact: str) -> str:
    return fact if len(fact) <= LONGEST_FACT else fact[: LONGEST_FACT - 1] + "…"


def fields(template: str) -> dict[str, str]:
    """The usual field of each value of a template."""
    return FORMS[template]


def quiet_end(now: datetime, quiet: tuple[time, time]) -> datetime | None:
    """The end of the quiet hours in which `now` lies, None outside them. Equal ends mean no quiet hours."""
    begin, end = quiet
    moment = clock.local(now)
    at = moment.time()
    inside = begin <= at < end if begin <= end else at >= begin or at < end
    if not inside:
        return None
    day = moment.date() if at < end else moment.date() + timedelta(days=1)
    return clock.at_local(day, end)


def too_late_after(quiet_until: datetime | None, needed_by: datetime | None, spread_minutes: int) -> bool:
    """Would a message that waits for the end of the quiet hours come later than it is needed?"""
    if quiet_until is None or needed_by is None:
        return False
    return needed_by < quiet_until + timedelta(minutes=spread_minutes)


def spread(notice_id: str, minutes: int) -> timedelta:
    """A notice's own place in a span of minutes, the same at every look."""
    return timedelta(seconds=zlib.crc32(notice_id.encode()) % (minutes * 60 + 1))


def pause(tries: int, chance: float) -> timedelta:
    """How long to wait after the nth failed try: doubling, up to half an hour, with full jitter (`chance` 0 to 1)."""
    longest = min(SHORT_PAUSE * int(2 ** min(tries, 10)), LONGEST_PAUSE)
    return SHORT_PAUSE + chance * longest


def next_resend(sends: int) -> timedelta:
    """How long to wait for the worker's report after the nth handing over, ever longer: it may be our defect."""
    return min(RESEND_AFTER * int(2 ** min(sends, 10)), LONGEST_RESEND)


def too_old(at: datetime, now: datetime, hours: int) -> bool:
    return now - at > timedelta(hours=hours)


class Counted(Protocol):
    """What a rule needs to know of a credit."""

    reported: float
    confirmed: float
    used: float
    standing: bool


def left(credit: Counted | None) -> int:
    """How many messages may be sent with a one-time template.

    An accept is counted by the client's report and by WeChat's event, each in its own sum; the larger sum
    is right about those that either side missed, and counts nothing twice.
    """
    if credit is None:
        return 0
    return max(int(max(credit.reported, credit.confirmed)) - int(credit.used), 0)


def to_ask(
    wanted: Collection[tuple[str | None, str | None]], credits: Mapping[str, Counted], enough: int
) -> tuple[list[str], bool]:
    """The template ids to ask for now, and whether they are long-term: WeChat shows one kind at a time.

    `wanted` has the (long-term, one-time) ids of each template. Long-term ones come first, because one
    answer is enough for ever; a template that has it is not asked for again.
    """
    standing = {long for long, _ in wanted if long and long in credits and credits[long].standing}
    long_term = [long for long, _ in wanted if long and long not in standing]
    if long_term:
        return long_term[:5], True
    one_time = [one for long, one in wanted if one and long not in standing and left(credits.get(one)) < enough]
    return one_time[:5], False
