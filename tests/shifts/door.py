"""At the gate: a shift whose check-in is open, somebody who runs it, somebody who comes.

carer = door.carer(hood)
shift, chen = door.expected(hood)
door.check_in(chen, shift)
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from chalicelib.kit import clock, ids
from chalicelib.kit.transaction import transaction
from chalicelib.shifts.models import Shift
from chalicelib.shifts.presence import codes
from chalicelib.volunteers.models import VolunteerNumber
from tests.engine.http import Answer
from tests.neighbourhood import Hood, Neighbour
from tests.shifts import gate

SOON = timedelta(minutes=10)
HOUR = timedelta(hours=1)


def open_shift(hood: Hood, **terms: Any) -> str:
    """It begins in ten minutes."""
    return gate.shift(hood, starts=SOON, **terms)


def met(hood: Hood, name: str = "陈建君", **terms: Any) -> tuple[str, Neighbour]:
    """A shift that has begun, to which somebody comes who has signed up."""
    shift, chen = expected(hood, name, **terms)
    under_way(shift, since=timedelta(0))
    return shift, chen


def carer(hood: Hood, name: str = "网格员") -> Neighbour:
    return hood.staff("grid_worker", name=name)


def expected(hood: Hood, name: str = "陈建君", **terms: Any) -> tuple[str, Neighbour]:
    """A shift for which somebody has signed up."""
    shift, chen = open_shift(hood, **terms), gate.volunteer(hood, name)
    gate.signed_up(chen, shift)
    return shift, chen


def under_way(shift: str, *, since: timedelta = HOUR, still: timedelta = HOUR) -> None:
    """The shift has begun `since` ago and goes on `still` (over, when that is negative)."""
    now = clock.now()
    gate.in_the_past(shift, start=now - since, end=now + still)


def digits(shift: str) -> str:
    return codes.digits(shift, clock.now())


def scene(shift: str) -> str:
    return codes.scene(shift, clock.now())


def wrong_digits(shift: str) -> str:
    """Six digits that are and were none of this shift's."""
    now = clock.now()
    known = {codes.digits(shift, now + timedelta(minutes=minute)) for minute in range(-15, 3)}
    return next(code for code in map("{:06d}".format, range(100)) if code not in known)


def old(make: Any, shift: str, age: timedelta = timedelta(minutes=3)) -> str:
    return str(make(shift, clock.now() - age))


def check_in(who: Neighbour, shift: str, code: str | None = None, *, key: str | None = None) -> Answer:
    return who.post(f"/shifts/{shift}/check-in", json={"code": code or digits(shift)}, key=key)


def check_out(who: Neighbour, shift: str, code: str | None = None, *, key: str | None = None) -> Answer:
    return who.post(f"/shifts/{shift}/check-out", json={"code": code or digits(shift)}, key=key)


def scan(who: Neighbour, shown: str, way: str = "in", *, key: str | None = None) -> Answer:
    return who.post(f"/check-{way}s", json={"scene": shown}, key=key)


def tick(staff: Neighbour, shift: str, whom: str, way: str = "in", *, key: str | None = None) -> Answer:
    return staff.post(f"/shifts/{shift}/people/{whom}/check-{way}", key=key)


def add(staff: Neighbour, shift: str, *, key: str | None = None, **body: Any) -> Answer:
    return staff.post(f"/shifts/{shift}/people", json=body, key=key)


def number_of(who: Neighbour) -> str:
    """A volunteer number of theirs, written at once."""
    number = ids.pick_up_code()
    link = VolunteerNumber.key(number)
    link.resident_id = who.id
    with transaction() as tx:
        tx.put(link)
    return number


def change(shift: str, **terms: Any) -> None:
    with transaction() as tx:
        tx.update(Shift.key(shift), [getattr(Shift, name).set(value) for name, value in terms.items()])
