"""A duty is over, by an administrator's word or because its time has come: what hung on it is taken back within a minute.

(No right hangs on it for so long: acts read duties themselves.) The timer set with the end runs until all have done so.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import TypeVar

from chalicelib.kit import timers
from chalicelib.kit.errors import Changed
from chalicelib.kit.transaction import transaction
from chalicelib.people import rules
from chalicelib.people import service as people
from chalicelib.people.models import Duty

H = TypeVar("H", bound=Callable[..., None])
_handlers: list[Callable[..., None]] = []


def on_end(handler: H) -> H:
    """Register `handler(resident_id, *, now)`: it takes from somebody what only a duty that is over gave them.

    It runs again until it has run without an error. They may hold another by then, so it decides by what it reads.
    """
    _handlers.append(handler)
    return handler


@timers.on(Duty.TIMER)
def follow(duty: Duty, *, now: datetime) -> None:
    current = Duty.find(duty.pk, duty.sk)
    if current is None or current.timer != Duty.TIMER or current.until_at is None or current.until_at > now:
        return  # given again meanwhile, or for longer
    resident = people.find(current.resident_id)
    if resident is not None and resident.state == "active":
        for handler in _handlers:
            handler(resident.id, now=now)
    with suppress(Changed), transaction() as tx:
        unchanged = (Duty.timer == Duty.TIMER) & (Duty.until_at == current.until_at)
        tx.update(current, timers.stop(), when=unchanged, or_raise=Changed())


def roles_of(resident_id: str, *, now: datetime) -> set[str]:
    """The roles somebody holds now, wherever."""
    return {duty.role for duty in people.duties_of(resident_id) if rules.in_force(duty, now)}
