"""A gate of its own for each test: a shift that is published, volunteers who may sign up for it.

shift = gate.shift(hood, capacity=2)
chen = gate.volunteer(hood, "陈建君")
gate.signed_up(chen, shift)
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from chalicelib.kit import clock, ids, timers
from chalicelib.kit.errors import Conflict
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.shifts import rules
from chalicelib.shifts.models import Shift, SignUp, Waiting
from chalicelib.volunteers.models import Volunteer
from tests.engine.http import Answer
from tests.neighbourhood import Hood, Neighbour


def shift(hood: Hood, *, organiser: Neighbour | None = None, **terms: Any) -> str:
    """A published gate shift of the community (or of an `area`), written at once. Returns its id."""
    return shift_in(terms.pop("area", hood.community), organiser=organiser.id if organiser else None, **terms)


def shift_in(
    area: str,
    *,
    organiser: str | None = None,
    starts: timedelta = timedelta(days=2),
    lasts: timedelta = timedelta(hours=4),
    now: datetime | None = None,
    **terms: Any,
) -> str:
    """The same of any area, with the organiser's id."""
    now = now or clock.now()
    made = Shift.key(f"{ids.new_id('shift')}.{area}")
    made.state, made.activity = "published", ids.new_id("activity")
    made.title, made.service, made.place = "守小门", "gate", "桂苑社区东门"
    made.area = made.audience = area
    made.organiser, made.organiser_name = organiser, "组织者"
    made.start_at = (now + starts).replace(second=0, microsecond=0)
    made.end_at = made.start_at + lasts
    made.capacity = 10
    for name, value in terms.items():
        setattr(made, name, value)
    made.list_it()
    for name, value in timers.fields(made.pk, "shifts.end", made.end_at + rules.CLOSES_AFTER).items():
        setattr(made, name, value)
    with transaction() as tx:
        tx.create(made, or_raise=Conflict())
    return made.id


def volunteer(hood: Hood, name: str = "志愿者", **more: Any) -> Neighbour:
    """A resident whose application was approved, written at once."""
    neighbour = hood.resident(name)
    approve(neighbour, **more)
    return neighbour


def approve(neighbour: Neighbour, **more: Any) -> None:
    approve_in(neighbour.id, neighbour.hood.micro_grid, name=neighbour.name, **more)


def approve_in(resident_id: str, area: str, *, name: str = "志愿者", now: datetime | None = None, **more: Any) -> None:
    file = Volunteer.key(resident_id)
    file.state, file.nickname, file.area, file.version = "approved", name, area, 1
    file.applied_at = file.decided_at = now or clock.now()
    for name, value in more.items():
        setattr(file, name, value)
    with transaction() as tx:
        tx.put(file)


def sign_up(who: Neighbour, shift_id: str, *, key: str | None = None, **wish: Any) -> Answer:
    return who.post(f"/shifts/{shift_id}/sign-up", json=wish, key=key)


def signed_up(who: Neighbour, shift_id: str, *, key: str | None = None, **wish: Any) -> dict[str, Any]:
    answer = sign_up(who, shift_id, key=key, **wish)
    assert answer.status == 201, answer
    document: dict[str, Any] = answer.json
    return document


def stored(shift_id: str) -> Shift:
    return Shift.fetch(*_key(Shift.key(shift_id)))


def place_of(who: Neighbour, shift_id: str) -> SignUp | None:
    return SignUp.find(*_key(SignUp.key(shift_id, who.id)))


def state_of(who: Neighbour, shift_id: str) -> str | None:
    found = place_of(who, shift_id)
    return found.state if found else None


def file_of(who: Neighbour) -> Volunteer:
    return Volunteer.fetch(*_key(Volunteer.key(who.id)))


def queue(shift_id: str) -> list[str]:
    """Who waits, the first first."""
    return [ticket.person for ticket in Item.collection(Shift.key(shift_id).pk, Waiting.PREFIX)]


def adds_up(shift_id: str) -> Shift:
    """The shift, after checking that its counters are what its sign-ups say, and within its capacity."""
    found = stored(shift_id)
    everybody: list[SignUp] = Item.collection(found.pk, SignUp.PREFIX)
    holding = [each for each in everybody if each.state in rules.HOLDS_A_PLACE]
    assert int(found.taken) == sum(each.role is None for each in holding)
    assert int(found.taken) <= int(found.capacity)
    for role, number in found.staffed.items():
        assert number == sum(each.role == role for each in holding) <= found.quorum[role]
    assert sorted(queue(shift_id)) == sorted(each.person for each in everybody if each.state == "waiting")
    assert int(found.waiting) == len(queue(shift_id))
    return found


def in_the_past(shift_id: str, *, start: datetime, end: datetime) -> None:
    """Move a shift's times, for tests that cannot wait for it (its sign-ups keep the old ones)."""
    with transaction() as tx:
        tx.update(Shift.key(shift_id), [Shift.start_at.set(start), Shift.end_at.set(end)])


def _key(item: Item) -> tuple[str, str]:
    return item.pk, item.sk
