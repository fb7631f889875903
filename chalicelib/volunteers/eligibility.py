"""May somebody serve on a day? Costs nothing for anybody but the young, whose birth date is then opened."""

from __future__ import annotations

from datetime import date

from chalicelib.kit import vault
from chalicelib.volunteers import rules
from chalicelib.volunteers.models import Volunteer


def check(file: Volunteer | None, *, approved: bool, on: date) -> None:
    """NotAVolunteer, when an approved application is asked for; GuardianNeeded, under sixteen without consent."""
    if approved and (file is None or file.state != "approved"):
        raise rules.NotAVolunteer()
    if file is not None and file.minor and file.guardian_at is None and rules.needs_guardian(born(file), on):
        raise rules.GuardianNeeded()


def born(file: Volunteer) -> date:
    """The birth date somebody applied with."""
    return date.fromisoformat(vault.read(file.resident_id, "birth", file.birth_sealed))
