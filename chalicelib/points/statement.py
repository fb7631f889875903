"""What a resident sees of their points: how many, each gain and spend of a month, and why there were none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec
from itsdangerous import BadData, URLSafeSerializer

from chalicelib.kit import clock, keys
from chalicelib.kit.errors import Invalid
from chalicelib.kit.table import Item, page
from chalicelib.points import rules, settings
from chalicelib.points.models import Account, Opening, Transfer, partition, statement
from chalicelib.points.rules import Refusal

CURSOR_INVALID = ("cursor_invalid", "翻页位置已失效，请从头刷新列表。", {"cursor": "不是这个列表的翻页位置"})


class Line(msgspec.Struct, frozen=True):
    transfer: Transfer
    balance: int  # after it


class MonthPage(msgspec.Struct, frozen=True):
    """Some lines of a month, the oldest first. `opening` is the balance before the first of them."""

    opening: int
    lines: list[Line]
    next: str | None


def now_of(resident_id: str, *, now: datetime) -> tuple[int, list[Refusal]]:
    """The balance, and the last refusals of today, the newest first: one GetItem."""
    account = Account.find(partition(resident_id), "ACCOUNT")
    if account is None:
        return 0, []
    today = [each for each in account.refused if clock.day(each.at) == clock.day(now)]
    return int(account.balance), today[::-1]


def of_month(resident_id: str, month: str, *, cursor: str | None) -> MonthPage:
    """One page of a month, by one Query. Balances are computed from the month's opening on, and the cursor carries them."""
    running, inner = _open(cursor)
    found = page(Item.by_person, statement(resident_id, month), of=Item, cursor=inner, newest_first=False)
    first, lines = running, []
    for item in found:
        if isinstance(item, Opening):
            first = running = int(item.balance)
        elif isinstance(item, Transfer):
            running += item.change
            lines.append(Line(item, running))
    return MonthPage(first, lines, _signer().dumps([running, found.next]) if found.next else None)


def all_of(resident_id: str) -> Iterator[Line]:
    """Every transfer with the balance after it, the oldest first: for the copy of somebody's data."""
    running = 0
    for transfer in sorted(Item.collection(partition(resident_id), Transfer.PREFIX), key=lambda each: each.person_sort):
        running += transfer.change
        yield Line(transfer, running)


def name(refusal: Refusal) -> str:
    """What the rule is called now; the account keeps no words."""
    rule = settings.current().rule(refusal.rule)
    return rule.name if rule else "已停用的积分规则"


def why(refusal: Refusal) -> str:
    return rules.REASONS.get(refusal.reason, rules.REASONS["already_counted"])


def _open(cursor: str | None) -> tuple[int, str | None]:
    """The balance so far, and the list's own cursor. Signed, or somebody could make up a balance."""
    if cursor is None:
        return 0, None
    try:
        running, inner = _signer().loads(cursor)
    except (BadData, ValueError, TypeError):
        raise Invalid(*CURSOR_INVALID) from None
    return int(running), str(inner)


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(keys.session_keys(), salt="statement")
