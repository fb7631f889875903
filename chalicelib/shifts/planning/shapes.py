"""What activities look like from outside, from the draft with its plan to the shifts that came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chalicelib.areas.rules import AreaCode
from chalicelib.kit import clock
from chalicelib.kit.http import Body, View
from chalicelib.shifts import rules
from chalicelib.shifts.models import Activity, Shift
from chalicelib.shifts.places.shapes import Capacity, Moment, Place, Quorum, Reason, Version
from chalicelib.shifts.planning import changing, plans
from chalicelib.shifts.planning.drafting import Draft
from chalicelib.shifts.planning.extending import Extended, Further

# A title of its own, a text and all places of 45 shifts are one question to WeChat, which takes 2,500 characters.
Title = Annotated[str, Meta(min_length=2, max_length=40, pattern=r"\S")]
Text = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"\S")]
Clock = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")]


class SingleShift(Body, frozen=True):
    """`quorum`: how many there must be at least, by role. Roles have places beside the `capacity` of volunteers."""

    start: Moment
    end: Moment
    place: Place
    capacity: Capacity
    quorum: Quorum = {}


class TimeOfDay(Body, frozen=True):
    """Shanghai's clock, e.g. 20:00 to 00:00. A time that ends at or before it begins runs past midnight."""

    begins: Clock = msgspec.field(name="from")
    ends: Clock = msgspec.field(name="to")


class RecurringShifts(Body, frozen=True):
    """The same on each day from `from_day` to `to_day`, both included; `weekdays` (1 is Monday): on these days only."""

    from_day: date
    to_day: date
    times: Annotated[list[TimeOfDay], Meta(min_length=1, max_length=12)]
    place: Place
    capacity: Capacity
    quorum: Quorum = {}
    weekdays: Annotated[list[Annotated[int, Meta(ge=1, le=7)]], Meta(min_length=1, max_length=7)] | None = None


class DraftActivity(Body, frozen=True):
    """An activity and its plan: single shifts, a recurring plan, or both; 45 shifts at most.

    `audience`: whose residents may sign up, by default those of the area's community. `needs_approval`: only volunteers
    whose application was approved.
    """

    title: Title
    text: Text
    service: rules.Service
    area: AreaCode
    audience: AreaCode | None = None
    needs_approval: bool = True
    points_an_hour: Annotated[int, Meta(ge=0, le=20)] = 0
    shifts: Annotated[list[SingleShift], Meta(max_length=rules.SHIFTS_AT_MOST)] = []
    recurring: RecurringShifts | None = None


class EditDraft(DraftActivity, frozen=True, kw_only=True):
    """The whole draft as it is to be. `version`: of the draft as it was shown."""

    version: Version


class AddShifts(Body, frozen=True):
    """Shifts to add, as in a draft: single ones, a recurring plan, or both; 45 at a time, 180 of an activity in all.

    `version`: of the activity as it was shown.
    """

    version: Version
    shifts: Annotated[list[SingleShift], Meta(max_length=rules.SHIFTS_AT_MOST)] = []
    recurring: RecurringShifts | None = None


class Publish(Body, frozen=True):
    """`version`: of the draft as it was shown; what a colleague has changed since is not published unseen."""

    version: Version


class PlannedView(View, frozen=True):
    """A shift that is planned (`id` is null) or published."""

    id: str | None
    state: str
    start: datetime
    end: datetime
    place: str
    capacity: int
    quorum: dict[str, int]
    still_missing: str


class ActivityLine(View, frozen=True):
    id: str
    state: str
    title: str
    service: str
    area: str
    number_of_shifts: int
    created_at: datetime
    published_at: datetime | None


class ActivityView(View, frozen=True):
    """`reason`: why it was cancelled, or refused by a moderator."""

    id: str
    state: str
    version: int
    title: str
    text: str
    service: str
    area: str
    audience: str
    organiser_name: str
    needs_approval: bool
    points_an_hour: int
    created_at: datetime
    published_at: datetime | None
    reason: str | None
    shifts: list[PlannedView]


class AddedShifts(View, frozen=True):
    """The shifts that were added, and the activity's version since then."""

    activity: str
    version: int
    shifts: list[PlannedView]


def draft(body: DraftActivity) -> Draft:
    return Draft(
        title=body.title,
        text=body.text,
        service=body.service,
        area=body.area,
        audience=body.audience,
        needs_approval=body.needs_approval,
        points_an_hour=body.points_an_hour,
        shifts=_single(body.shifts),
        recurring=_recurring(body.recurring) if body.recurring else None,
    )


def further(body: AddShifts) -> Further:
    return Further(
        version=body.version,
        shifts=_single(body.shifts),
        recurring=_recurring(body.recurring) if body.recurring else None,
    )


def _single(shifts: Sequence[SingleShift]) -> list[plans.Planned]:
    return [
        plans.Planned(each.start, each.end, each.place, each.capacity, _plain(each.quorum), f"shifts[{position}]")
        for position, each in enumerate(shifts)
    ]


def _recurring(plan: RecurringShifts) -> plans.Recurring:
    return plans.Recurring(
        from_day=plan.from_day,
        to_day=plan.to_day,
        times=[plans.Hours(time.fromisoformat(each.begins), time.fromisoformat(each.ends)) for each in plan.times],
        place=plan.place,
        capacity=plan.capacity,
        quorum=_plain(plan.quorum),
        weekdays=plan.weekdays,
    )


def _plain(quorum: Mapping[rules.NeededRole | Literal["volunteer"], int]) -> dict[str, int]:
    return {role: number for role, number in quorum.items()}  # noqa: C416 - `dict` would keep the narrower type


def activity_view(activity: Activity, shifts: Sequence[Shift]) -> ActivityView:
    return ActivityView.of(activity, shifts=_published(shifts) if shifts else _planned(activity))


def added_shifts(done: Extended) -> AddedShifts:
    activity = done.activity
    return AddedShifts(activity=activity.id, version=int(activity.version), shifts=_published(done.added))


def _published(shifts: Iterable[Shift]) -> list[PlannedView]:
    return [
        PlannedView.of(
            each,
            start=clock.local(each.start_at),
            end=clock.local(each.end_at),
            still_missing=rules.still_missing(each.missing),
        )
        for each in shifts
    ]


def _planned(activity: Activity) -> list[PlannedView]:
    return [
        PlannedView.of(each, id=None, state="planned", still_missing=rules.still_missing(each.quorum))
        for each in plans.from_stored(activity.plan)
    ]


def activity_line(activity: Activity) -> ActivityLine:
    return ActivityLine.of(activity, number_of_shifts=len(activity.shifts or activity.plan))


def _time(moment: datetime | None) -> datetime | None:
    return clock.local(moment) if moment else None


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


def change(body: ChangeShift) -> changing.Change:
    return msgspec.convert(body, changing.Change, from_attributes=True)
