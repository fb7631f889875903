"""What ends for somebody who volunteers no more, or may not go where they have signed up, because a guardian says so.

Slices above keep places on shifts for volunteers. The act by which somebody loses them sets a timer on their file, and
does what follows at once; the timer does it again until it has succeeded.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from chalicelib.kit import log, timers
from chalicelib.kit.transaction import transaction
from chalicelib.volunteers.models import Volunteer
from chalicelib.volunteers.profile import files, forgetting

TIMER = "volunteers.follow_up"
_FIRST_TRY = timedelta(minutes=2)  # longer than any of our functions lives
H = TypeVar("H", bound=Callable[..., None])
_handlers: list[Callable[..., None]] = []


def on_loss(handler: H) -> H:
    """Register `handler(file, *, now)`: it takes from this volunteer what they may no longer have, if there is any.

    It runs again until it has run without an error. They may have it back by then, so it decides by what it reads.
    """
    _handlers.append(handler)
    return handler


def later(file: Volunteer, now: datetime) -> dict[str, Any]:
    """What the act adds to the file, for `files.write`."""
    return {**timers.fields(file.pk, TIMER, now + _FIRST_TRY), "timer_tries": None}


def at_once(file: Volunteer, *, now: datetime) -> None:
    """After the act, or its repeat: do what is still to be done. What fails is left to the timer."""
    if file.timer != TIMER:
        return
    try:
        follow(file, now=now)
    except Exception as error:  # noqa: BLE001 - the act is done; the timer finishes what is left to do
        log.crash(error)


@timers.on(TIMER)
def follow(found: Volunteer, *, now: datetime) -> None:
    """Let every slice above take back what this volunteer may no longer have."""
    current = files.find(found.resident_id)
    if current is None or current.timer != TIMER:
        return
    for handler in _handlers:
        handler(current, now=now)
    files.settled(_done)(found.resident_id)


def _done(resident_id: str) -> None:
    file = files.find(resident_id)
    if file is not None and file.timer == TIMER:
        with transaction() as tx:
            files.write(tx, file, resident_id, forgetting.next_timer(file))
