"""Who was declined may correct what they applied with and apply again. Some time after the decision it is forgotten."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chalicelib.kit import timers
from chalicelib.kit.transaction import transaction
from chalicelib.volunteers import rules
from chalicelib.volunteers.models import Volunteer
from chalicelib.volunteers.profile import files

TIMER = "volunteers.forget"


def at(file: Volunteer) -> datetime | None:
    """When a file is forgotten; None of those that are kept."""
    return file.decided_at + rules.DECLINED_KEPT if file.state == "declined" and file.decided_at else None


def later(file: Volunteer, *, declined_at: datetime) -> dict[str, Any]:
    """What declining adds to the file, for `files.write`. Nothing while another timer runs: its end sets this."""
    return {} if file.timer not in (None, TIMER) else _timer(file, declined_at + rules.DECLINED_KEPT)


def not_now(file: Volunteer | None) -> dict[str, Any]:
    """What applying again adds to the file."""
    return _timer(file, None) if file and file.timer == TIMER else {}


def next_timer(file: Volunteer) -> dict[str, Any]:
    """What the end of another timer adds to the file."""
    return _timer(file, at(file))


def _timer(file: Volunteer, due_at: datetime | None) -> dict[str, Any]:
    due = timers.fields(file.pk, TIMER, due_at) if due_at else dict.fromkeys(("due_key", "due_at", "timer"))
    return {**due, "timer_tries": None}


@timers.on(TIMER)
@files.settled
def forget(found: Volunteer, *, now: datetime) -> None:
    """Take away what was declined, as if they had not applied. Who was a volunteer before keeps number and area."""
    file = files.find(found.resident_id)
    forgotten_at = at(file) if file and file.timer == TIMER else None
    if file is None or forgotten_at is None or now < forgotten_at:
        return  # the index was late
    gone = {**dict.fromkeys(("applied_at", "decided_at", "decided_by")), **files.forgotten(), **_timer(file, None)}
    if file.number is None:
        gone |= {"area": None, "nickname": ""}
    with transaction() as tx:
        files.write(tx, file, file.resident_id, {"state": "none", **gone})
