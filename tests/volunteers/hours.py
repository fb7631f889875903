"""Volunteers with hours of their own for each test, written at once.

chen = hours.volunteer(hood, "陈建君")
hours.served(chen, days_ago=3, minutes=240)
number = hours.issued(chen)["number"]
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from chalicelib.kit import clock, ids, vault
from chalicelib.kit.transaction import transaction
from chalicelib.volunteers.models import Register, ServiceRecord, Statement
from chalicelib.volunteers.records import hours as records
from tests.engine.http import Answer
from tests.neighbourhood import Hood, Neighbour
from tests.shifts import gate

YEAR = timedelta(days=365)


def volunteer(hood: Hood, name: str = "陈建君", **more: Any) -> Neighbour:
    """Somebody approved, whose real name and birth date are on file."""
    neighbour = hood.resident(name)
    register(neighbour, name, **more)
    return neighbour


def register(neighbour: Neighbour, name: str, *, born: str = "1962-05-08", **more: Any) -> None:
    sealed = {
        "name_sealed": vault.seal(neighbour.id, "name", name),
        "birth_sealed": vault.seal(neighbour.id, "birth", born),
    }
    gate.approve(neighbour, **{"skills": ["repairs", "driving"], **sealed, **more})


def record(who: str, *, days_ago: int = 1, minutes: int = 240, start: datetime | None = None, **more: Any) -> Any:
    """A record of a gate shift, not yet written."""
    begins = start or clock.at_local(today() - timedelta(days=days_ago), time(8))
    made = ServiceRecord.key(who, more.pop("shift", ids.new_id("shift")), begins)
    made.shift = made.sk.rpartition("#")[2]
    made.title, made.service, made.area, made.place = "守小门", "gate", "330402001001", "桂苑社区东门"
    made.start_at, made.end_at, made.minutes, made.how = begins, begins + timedelta(hours=4), minutes, "checked"
    made.recorded_by, made.recorded_by_name, made.recorded_at = "res_organiser", "沈组织", clock.now()
    for name, value in more.items():
        setattr(made, name, value)
    return made


def served(who: Neighbour, **more: Any) -> ServiceRecord:
    made: ServiceRecord = record(who.id, **more)
    with transaction() as tx:
        records.add(tx, made)
    return made


def correct(made: ServiceRecord, minutes: int, *, by: str = "res_x", by_name: str = "沈组织") -> None:
    """As a decided correction does it; Changed when something came between."""
    current = ServiceRecord.fetch(made.pk, made.sk)
    key = Register.key(current.resident_id)
    now = clock.now()
    with transaction() as tx:
        records.correct(
            tx,
            current,
            Register.find(key.pk, key.sk),
            minutes=minutes,
            points=0,
            by=by,
            by_name=by_name,
            why="签退时手机没电",
            now=now,
        )


def today() -> date:
    return clock.day(clock.now())


def issue(who: Neighbour, *, start: date | None = None, end: date | None = None, key: str | None = None) -> Answer:
    body = {"from": f"{start or today() - YEAR}", "to": f"{end or today()}"}
    return who.post("/me/statements", json=body, key=key)


def issued(who: Neighbour, **more: Any) -> dict[str, Any]:
    answer = issue(who, **more)
    assert answer.status == 201, answer
    document: dict[str, Any] = answer.json
    return document


def stored(number: str) -> Statement:
    return Statement.fetch(f"STATEMENT#{number}", "STATEMENT")


def register_of(who: Neighbour) -> Register:
    return Register.fetch(Register.key(who.id).pk, "REGISTER")


def training(**change: Any) -> dict[str, Any]:
    body = {"kind": "training", "day": f"{today()}", "title": "心肺复苏初级培训", "by": "南湖区红十字会", "hours": 3.5}
    return {**body, **change}


def praise(**change: Any) -> dict[str, Any]:
    body = {"kind": "commendation", "day": f"{today()}", "title": "年度优秀志愿者", "by": "南湖街道办事处"}
    return {**body, **change}


def noted(staff: Neighbour, who: Neighbour, body: dict[str, Any] | None = None, key: str | None = None) -> Any:
    answer = staff.post(f"/volunteers/{who.id}/entries", json=body or praise(), key=key)
    assert answer.status == 201, answer
    return answer.json
