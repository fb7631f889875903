"""How often one person may do a costly act: one counter per person, act and window of time."""

from __future__ import annotations

from datetime import datetime, timedelta

from pynamodb.attributes import NumberAttribute

from chalicelib.kit import clock
from chalicelib.kit.errors import TooMany
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction


class Limit(Item, discriminator="limit"):
    """`LIMIT#<person>` / `<act>#<window start>`: how often so far. Removed by TTL after its window."""

    used = NumberAttribute(default=0)


def spend(
    tx: transaction, person: str, act: str, *, at_most: int, per: timedelta, now: datetime, cost: int = 1
) -> None:
    """Count this act in the caller's transaction; TooMany, which says when to come back, when the window is used up.

    Windows follow Shanghai's clock: a day begins at its midnight.
    """
    seconds = int(per.total_seconds())
    ahead = int(clock.SHANGHAI.utcoffset(now).total_seconds())
    start = (int(now.timestamp()) + ahead) // seconds * seconds - ahead
    ends = start + seconds
    room = Limit.used <= at_most - cost
    window = Limit(f"LIMIT#{person}", f"{act}#{clock.stamp(datetime.fromtimestamp(start, now.tzinfo))}")
    tx.update(
        window,
        [Limit.used.add(cost), Limit.expires_at.set(ends + 3600)],
        when=(Limit.used.does_not_exist() | room) if cost <= at_most else room,
        or_raise=TooMany(detail=_come_back(per), retry_after=max(1, ends - int(now.timestamp()))),
        create=True,
    )


def _come_back(per: timedelta) -> str | None:
    if per == timedelta(days=1):
        return "今天的次数已经用完，请明天再来。"
    return "这个小时的次数已经用完，请过一会儿再来。" if per == timedelta(hours=1) else None
