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
    tx: transaction,
    person: str,
    act: str,
    *,
    at_most: int,
    per: timedelta,
    now: datetime,
    cost: int = 1,
    detail: str | None = None,
) -> None:
    """Count this act in the caller's transaction; TooMany, which says when to come back, when the window is used up.

    Windows follow Shanghai's clock: a day begins at its midnight. `detail`: what else to do than come back.
    """
    window, ends = _window(person, act, per, now)
    room = Limit.used <= at_most - cost
    tx.update(
        window,
        [Limit.used.add(cost), Limit.expires_at.set(ends + 3600)],
        when=(Limit.used.does_not_exist() | room) if cost <= at_most else room,
        or_raise=_used_up(per, ends, now, detail),
        create=True,
    )


def leave_room(
    tx: transaction, person: str, act: str, *, at_most: int, per: timedelta, now: datetime, detail: str | None = None
) -> None:
    """Let the caller's transaction depend on the window not being used up, without counting this act: else TooMany.

    For guesses: who guesses wrong spends, and who guesses right goes through only while they might still guess. As
    both are decided in a write, many guesses at the same moment are worth no more than so many one after the other.
    """
    window, ends = _window(person, act, per, now)
    room = Limit.used.does_not_exist() | (Limit.used < at_most)
    tx.check(window, when=room, or_raise=_used_up(per, ends, now, detail))


def refuse_used_up(person: str, act: str, *, at_most: int, per: timedelta, now: datetime) -> None:
    """TooMany when the window is used up: one read, before something costly that is counted afterwards, if it fails.

    What comes at the same moment passes together, so this bounds costs, not guesses."""
    window, ends = _window(person, act, per, now)
    spent = Limit.find(window.pk, window.sk)
    if spent is not None and int(spent.used) >= at_most:
        raise _used_up(per, ends, now, None)


def _window(person: str, act: str, per: timedelta, now: datetime) -> tuple[Limit, int]:
    """The counter of the window that `now` lies in, and when the window ends, in epoch seconds."""
    seconds = int(per.total_seconds())
    ahead = int(clock.SHANGHAI.utcoffset(now).total_seconds())
    start = (int(now.timestamp()) + ahead) // seconds * seconds - ahead
    return Limit(f"LIMIT#{person}", f"{act}#{clock.stamp(datetime.fromtimestamp(start, now.tzinfo))}"), start + seconds


def _used_up(per: timedelta, ends: int, now: datetime, detail: str | None) -> TooMany:
    return TooMany(detail=detail or _come_back(per), retry_after=max(1, ends - int(now.timestamp())))


def _come_back(per: timedelta) -> str | None:
    if per == timedelta(days=1):
        return "今天的次数已经用完，请明天再来。"
    return "这个小时的次数已经用完，请过一会儿再来。" if per == timedelta(hours=1) else None
