"""What must happen later.

An item that waits for a moment carries `timer` (what is to happen) and `due_at`; the sweeper runs every
minute and calls the handler a slice has registered under that name. A handler acts through the same
conditional writes as a person's request, so a late, early or double run does no harm. It must leave the
item without this timer or with the next one; if it raises, the timer is tried again later, ever slower.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pynamodb.expressions.update import Action

from chalicelib.kit import log
from chalicelib.kit.errors import Conflict
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction

SHARDS = 16  # partitions of the index, each takes 1,000 writes a second: a campaign starts thousands of timers at once
_BATCH = 50
_LONGEST_PAUSE = timedelta(hours=6)

Handler = Callable[..., None]
F = TypeVar("F", bound=Handler)
_handlers: dict[str, Handler] = {}


def on(name: str) -> Callable[[F], F]:
    """Register `handler(item, *, now)` for timers of this name."""

    def register(handler: F) -> F:
        if name in _handlers:
            raise ValueError(f"two handlers for the timer {name}")
        _handlers[name] = handler
        return handler

    return register


def fields(pk: str, name: str, at: datetime) -> dict[str, Any]:
    """The attributes that set a timer on a new item."""
    return {"due_key": _shard(pk), "due_at": at, "timer": name}


def start(item: Item, name: str, at: datetime) -> None:
    """Set a timer on a new item."""
    item.due_key, item.due_at, item.timer = _shard(item.pk), at, name


def set_to(pk: str, name: str, at: datetime) -> list[Action]:
    """The update actions that set (or replace) an item's timer."""
    return Item.set(due_key=_shard(pk), due_at=at, timer=name, timer_tries=None)


def stop() -> list[Action]:
    """The update actions that take an item's timer off."""
    return Item.set(due_key=None, due_at=None, timer=None, timer_tries=None)


def sweep(*, now: datetime, time_left: Callable[[], float]) -> int:
    """Run what is due, oldest first in each shard, while more than ten seconds are left. Returns how many."""
    ran: Counter[str] = Counter()
    first = int(now.timestamp()) // 60  # another shard every minute, or a flood in one would starve the rest
    for shard in ((first + step) % SHARDS for step in range(SHARDS)):
        seen: set[tuple[str, str, datetime]] = set()
        while time_left() > 10:
            due = [
                item
                for item in Item.by_due.query(f"DUE#{shard}", Item.due_at <= now, limit=_BATCH + len(seen))
                if (item.pk, item.sk, item.due_at) not in seen
            ]
            if not due:
                break
            for item in due:
                # The index lags: an item acted on may still show. Seen ones are left to the next minute.
                seen.add((item.pk, item.sk, item.due_at))
                if item.of_later_version:
                    continue  # that version's own sweep knows what to do
                _run(item, now)
                ran[str(item.timer)] += 1
                if time_left() <= 10:
                    break
    for name, times in ran.items():
        log.count("timer", times, timer=name)
    return ran.total()


def _run(item: Any, now: datetime) -> None:
    try:
        _handlers[item.timer](item, now=now)
    except Exception as error:  # noqa: BLE001 - one item's trouble must not stop the others
        log.crash(error, timer=str(item.timer), pk=item.pk)
        log.count("timer_failed", timer=str(item.timer))
        _postpone(item, now)


def _postpone(item: Any, now: datetime) -> None:
    tries = int(item.timer_tries or 0) + 1
    pause = min(timedelta(minutes=2 ** min(tries, 9)), _LONGEST_PAUSE)
    try:
        with transaction() as tx:
            tx.update(
                item,
                Item.set(due_at=now + pause, timer_tries=tries),
                when=(Item.timer == item.timer) & (Item.due_at == item.due_at),
                or_raise=Conflict(),
            )
    except Conflict:
        pass  # the item has moved on since the index was read
    except Exception as error:  # noqa: BLE001 - the next minute finds it again
        log.crash(error, timer=str(item.timer), pk=item.pk)


def _shard(pk: str) -> str:
    return f"DUE#{zlib.crc32(pk.encode()) % SHARDS}"
