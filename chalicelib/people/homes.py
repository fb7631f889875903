"""Somebody moves: slices that keep something by where a resident lives hear of it in the same transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from chalicelib.kit.transaction import transaction

Handler = Callable[..., None]
H = TypeVar("H", bound=Handler)

_handlers: list[Handler] = []


def on_move(handler: H) -> H:
    """Register `handler(tx, resident_id, *, home, now)`: called inside the transaction that changes a home.

    It may read, and adds its own writes to `tx`; what it leaves out stays as it was.
    """
    _handlers.append(handler)
    return handler


def moved(tx: transaction, resident_id: str, *, home: str, now: datetime) -> None:
    for handler in _handlers:
        handler(tx, resident_id, home=home, now=now)
