"""Applying and deciding, as tests do it again and again.

chen = desk.applicant(hood, "陈建君")
desk.approved(chen, by=hood.staff("grid_worker"))
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from chalicelib.kit import clock
from chalicelib.people import service as people
from chalicelib.volunteers.models import Volunteer, VolunteerNumber
from tests.engine.http import Answer
from tests.neighbourhood import Hood, Neighbour

MOTHER = {"name": "王秀英", "phone": "13857300011", "relation": "母亲"}
FORM: dict[str, Any] = {
    "name": "陈建君",
    "birth": "1986-02-10",
    "skills": ["medical", "driving"],
    "free_times": ["weekend_day"],
    "contact": MOTHER,
}
REASON = {"reason": "请先到社区核对姓名"}


def apply(who: Neighbour, *, key: str | None = None, **change: Any) -> Answer:
    return who.post("/me/volunteer", json={**FORM, **change}, key=key)


def applied(who: Neighbour, **change: Any) -> dict[str, Any]:
    answer = apply(who, **change)
    assert answer.status == 201, answer
    document: dict[str, Any] = answer.json
    return document


def applicant(hood: Hood, name: str = "陈建君", **change: Any) -> Neighbour:
    who = hood.resident(name)
    applied(who, **change)
    return who


def approve(who: Neighbour, *, by: Neighbour, key: str | None = None) -> Answer:
    return by.post(f"/volunteers/{who.id}/approve", key=key)


def decline(who: Neighbour, *, by: Neighbour, key: str | None = None) -> Answer:
    return by.post(f"/volunteers/{who.id}/decline", json=REASON, key=key)


def approved(who: Neighbour, *, by: Neighbour) -> Neighbour:
    answer = approve(who, by=by)
    assert answer.status == 200, answer
    return who


def consent(who: Neighbour, *, by: Neighbour, key: str | None = None, **change: Any) -> Answer:
    return by.post(f"/volunteers/{who.id}/guardian-consent", json={**MOTHER, **change}, key=key)


def leave(who: Neighbour, *, key: str | None = None) -> Answer:
    return who.post("/me/volunteer/leave", key=key)


def mine(who: Neighbour) -> dict[str, Any]:
    document: dict[str, Any] = who.get("/me/volunteer").json
    return document


def nickname(who: Neighbour) -> str:
    found = people.find(who.id)
    assert found is not None
    return found.nickname


def waiting(by: Neighbour, area: str) -> list[str]:
    """Who waits for a decision, by nickname."""
    return [line["nickname"] for line in by.get(f"/volunteers/applications?area={area}").json["items"]]


def file_of(who: Neighbour) -> Volunteer | None:
    key = Volunteer.key(who.id)
    return Volunteer.find(key.pk, key.sk)


def link(number: str) -> VolunteerNumber | None:
    key = VolunteerNumber.key(number)
    return VolunteerNumber.find(key.pk, key.sk)


def years_ago(years: int, *, days: int = 0) -> str:
    """The birth date of somebody whose birthday of so many years was `days` ago."""
    today = clock.day(clock.now()) - timedelta(days=days)
    leap = (today.month, today.day) == (2, 29)
    return date(today.year - years, today.month, 28 if leap else today.day).isoformat()
