"""What shifts look like from outside: their terms, lists of them, and one with my place on it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chalicelib.areas.rules import AreaCode
from chalicelib.kit import clock
from chalicelib.kit.http import Body, Paged, Query, View
from chalicelib.shifts import changing, rules
from chalicelib.shifts.lists import Order, Whole
from chalicelib.shifts.models import Shift, SignUp

Place = Annotated[str, Meta(min_length=1, max_length=30, pattern=r"\S")]
Reason = Annotated[str, Meta(min_length=2, max_length=100, pattern=r"\S")]
Capacity = Annotated[int, Meta(ge=1, le=rules.CAPACITY_AT_MOST)]
Moment = Annotated[datetime, Meta(tz=True)]
Quorum = dict[rules.NeededRole | Literal["volunteer"], Annotated[int, Meta(ge=1, le=50)]]
Version = Annotated[int, Meta(ge=0, le=1_000_000)]


class ChangeShift(Body, frozen=True):
    """What becomes different. `version`: of the shift as it was shown."""

    version: Version
    start: Moment | None = None
    end: Moment | None = None
    place: Place | None = None
    capacity: Capacity | None = None
    quorum: Quorum | None = None


class Cancel(Body, frozen=True):
    """`reason`: what everybody who has signed up is told."""

    reason: Reason


class OfDay(Paged, frozen=True, kw_only=True):
    """Shifts in the list of one area (a community's, or that of a street or district) that start on one day."""

    area: AreaCode
    day: date


class NearMe(Query, frozen=True):
    day: date


class InOrder(Paged, frozen=True, kw_only=True):
    """`upcoming`: those not over yet, the next first. `newest`: all, the latest first."""

    order: Order = "upcoming"


class Week(Query, frozen=True):
    """Seven days, from today if `from` is not given."""

    area: AreaCode
    first: date | None = msgspec.field(name="from", default=None)
    service: rules.Service | None = None


class ShiftLine(View, frozen=True):
    """`left`: free places for volunteers; those who wait come first. `missing`: who is, by role; the same in words."""

    id: str
    state: str
    title: str
    service: str
    area: str
    audience: str
    place: str
    start: datetime
    end: datetime
    capacity: int
    taken: int
    left: int
    waiting: int
    missing: dict[str, int]
    still_missing: str
    points_an_hour: int
    version: int


class ShiftList(View, frozen=True):
    items: list[ShiftLine]


class ShiftPage(View, frozen=True):
    items: list[ShiftLine]
    next: str | None


class MyShift(View, frozen=True):
    """`rest_reason`: why an organiser has asked me though I had too little rest."""

    shift: str
    state: str
    title: str
    place: str
    start: datetime
    end: datetime
    rest_reason: str | None


class MyShiftPage(View, frozen=True):
    items: list[MyShift]
    next: str | None


class MyPlace(View, frozen=True):
    """`position`: in the queue, 1 is the next to get a place; null when I do not wait."""

    state: str
    role: str | None
    position: int | None


class ShiftView(View, frozen=True):
    shift: ShiftLine
    activity: str
    text: str
    organiser_name: str
    needs_approval: bool
    quorum: dict[str, int]
    reason: str | None
    mine: MyPlace | None


def change(body: ChangeShift) -> changing.Change:
    return msgspec.convert(body, changing.Change, from_attributes=True)


def shift_line(shift: Shift) -> ShiftLine:
    return ShiftLine(
        id=shift.id,
        state=shift.state,
        title=shift.title,
        service=shift.service,
        area=shift.area,
        audience=shift.audience,
        place=shift.place,
        start=clock.local(shift.start_at),
        end=clock.local(shift.end_at),
        capacity=int(shift.capacity),
        taken=int(shift.taken),
        left=shift.left,
        waiting=int(shift.waiting),
        missing=shift.missing,
        still_missing=rules.still_missing(shift.missing),
        points_an_hour=int(shift.points_an_hour),
        version=int(shift.version),
    )


def my_shift(sign_up: SignUp) -> MyShift:
    return MyShift(
        shift=sign_up.shift,
        state=sign_up.state,
        title=sign_up.title,
        place=sign_up.place,
        start=clock.local(sign_up.start_at),
        end=clock.local(sign_up.end_at),
        rest_reason=sign_up.rest_reason,
    )


def shift_view(whole: Whole) -> ShiftView:
    shift, mine = whole.shift, whole.mine
    place = None
    if mine is not None:
        position = None if mine.ahead is None else mine.ahead + 1
        place = MyPlace(state=mine.sign_up.state, role=mine.sign_up.role, position=position)
    return ShiftView(
        shift=shift_line(shift),
        activity=shift.activity,
        text=whole.activity.text if whole.activity else "",
        organiser_name=shift.organiser_name,
        needs_approval=shift.needs_approval,
        quorum=shift.quorum,
        reason=shift.reason,
        mine=place,
    )
