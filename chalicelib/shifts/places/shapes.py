"""What shifts look like from outside: their terms, lists of them, and one with my place on it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chalicelib.areas.rules import AreaCode
from chalicelib.kit import clock
from chalicelib.kit.http import Paged, Query, View
from chalicelib.shifts import rules
from chalicelib.shifts.models import Shift, SignUp
from chalicelib.shifts.places.lists import Order, Whole

Place = Annotated[str, Meta(min_length=1, max_length=30, pattern=r"\S")]
Reason = Annotated[str, Meta(min_length=2, max_length=100, pattern=r"\S")]
Capacity = Annotated[int, Meta(ge=1, le=rules.CAPACITY_AT_MOST)]
Moment = Annotated[datetime, Meta(tz=True)]
Quorum = dict[rules.NeededRole | Literal["volunteer"], Annotated[int, Meta(ge=1, le=50)]]
Version = Annotated[int, Meta(ge=0, le=1_000_000)]


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


class MyShift(View, frozen=True):
    """`rest_reason`: why an organiser has asked me though I had too little rest."""

    shift: str
    state: str
    title: str
    place: str
    start: datetime
    end: datetime
    rest_reason: str | None


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


def shift_line(shift: Shift) -> ShiftLine:
    return ShiftLine.of(
        shift,
        start=clock.local(shift.start_at),
        end=clock.local(shift.end_at),
        still_missing=rules.still_missing(shift.missing),
    )


def my_shift(sign_up: SignUp) -> MyShift:
    return MyShift.of(sign_up, start=clock.local(sign_up.start_at), end=clock.local(sign_up.end_at))


def shift_view(whole: Whole) -> ShiftView:
    shift, mine = whole.shift, whole.mine
    place = None
    if mine is not None:
        position = None if mine.ahead is None else mine.ahead + 1
        place = MyPlace(state=mine.sign_up.state, role=mine.sign_up.role, position=position)
    return ShiftView.of(shift, shift=shift_line(shift), text=whole.activity.text if whole.activity else "", mine=place)
