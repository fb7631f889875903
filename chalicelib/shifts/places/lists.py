"""Finding shifts: an area's day, those near me, mine, those to run, a week's plan with its gaps first, and one of them.

A shift stands in exactly one list, its community's (or the larger area's it is for), so that signing up writes one index
entry and not four. Who wants those of all levels asks each level, at the same time (docs/decisions/0014-a-shift-stands-in-one-list.md).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta
from typing import Literal, TypeVar

import msgspec

from chalicelib.areas import rules as areas
from chalicelib.kit import clock
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Invalid
from chalicelib.kit.table import Condition, Item, Page, page, read_together
from chalicelib.people import service as people
from chalicelib.shifts import rules
from chalicelib.shifts.in_charge import looked_after
from chalicelib.shifts.models import (
    Activity,
    Shift,
    SignUp,
    Waiting,
    listed,
    named,
    run_by,
    shifts_of,
)

Order = Literal["upcoming", "newest"]
Timed = TypeVar("Timed", Shift, SignUp)
A_DAYS = 100  # shifts on one page: more than a community has in a day
_WEEK = timedelta(days=7)
_FURTHEST = timedelta(days=800)


class Mine(msgspec.Struct, frozen=True):
    """My place on a shift. `ahead`: how many wait before me, None when I do not wait."""

    sign_up: SignUp
    ahead: int | None


class Whole(msgspec.Struct, frozen=True):
    shift: Shift
    activity: Activity | None
    mine: Mine | None


def of_day(area: str, *, day: date, cursor: str | None, now: datetime) -> Page[Shift]:
    """The shifts in the list of one area that start on one day, by their start: one Query."""
    if not areas.well_formed(area):
        raise areas.AreaUnknown(fields={"area": "没有这个区域"})
    starts = _within(day, timedelta(days=1), now)
    return page(Item.by_area, listed(area), starts, of=Shift, cursor=cursor, limit=A_DAYS, newest_first=False)


def near_me(*, caller: Caller, day: date, now: datetime) -> list[Shift]:
    """Those of a day for which somebody who lives where I do may sign up: in my community's list and in those above."""
    resident = people.present_with(caller, now=now)[0].resident
    home = resident.home
    if home is None or resident.home_state == "declined":
        raise rules.HomeNeeded()
    starts = _within(day, timedelta(days=1), now)
    levels = list(dict.fromkeys(rules.listed_in(code) for code in areas.up_from(home)))
    with ThreadPoolExecutor(len(levels)) as pool:
        found = pool.map(lambda area: _all(listed(area), starts), levels)
        shifts = [shift for each in found for shift in each if areas.contains(shift.audience, home)]
    return sorted(shifts, key=lambda shift: (shift.start_at, shift.id))


def _all(key: str, starts: Condition) -> list[Shift]:
    return [each for each in Item.by_area.query(key, starts) if isinstance(each, Shift)]


def mine(*, caller: Caller, order: Order, cursor: str | None, now: datetime) -> Page[SignUp]:
    """My shifts by one Query: those not over yet, the next first; or all, the newest first."""
    return _in_order(shifts_of(caller.id), SignUp, order, cursor, now)


def running(*, caller: Caller, order: Order, cursor: str | None, now: datetime) -> Page[Shift]:
    """Those I organise, in the same way, as far as I look after their area still."""
    return looked_after(caller, _in_order(run_by(caller.id), Shift, order, cursor, now), now)


def _in_order(key: str, of: type[Timed], order: Order, cursor: str | None, now: datetime) -> Page[Timed]:
    """One person's: those that are not over, the next first; or all, the newest first."""
    if order == "newest":
        return page(Item.by_person, key, of=of, cursor=cursor)
    found = page(Item.by_person, key, _not_long_over(now), of=of, cursor=cursor, newest_first=False)
    return Page([each for each in found if each.end_at > now], found.next)


def week(*, caller: Caller, area: str, first: date | None, service: str | None, now: datetime) -> list[Shift]:
    """What is planned within a week in an area one looks after, the gaps first: without their quorum, then with free
    places, then full; each by their start. One Query beside that of one's duties."""
    if not areas.well_formed(area):
        raise areas.AreaUnknown(fields={"area": "没有这个区域"})
    people.present(caller, now=now).must_hold(rules.ORGANISERS, area)
    first = first or clock.day(now)
    found = _all(listed(area), _within(first, _WEEK, now, field="from"))
    planned = [
        shift
        for shift in found
        if areas.contains(area, shift.area) and shift.end_at > now and service in (None, shift.service)
    ]
    return sorted(planned, key=lambda shift: (*_gap(shift), shift.start_at, shift.id))


def _gap(shift: Shift) -> tuple[bool, bool]:
    return not shift.missing, not shift.left


def look_at(shift_id: str, *, caller: Caller, now: datetime) -> Whole:
    """A shift with its activity's text, and my own place on it, or in its queue."""
    shift, sign_up = read_together(Shift.key(shift_id), SignUp.key(shift_id, caller.id))
    shift = named(shift, shift_id)
    key = Activity.key(shift.activity)
    activity = Activity.find(key.pk, key.sk)
    if sign_up is None:
        return Whole(shift, activity, None)
    return Whole(shift, activity, Mine(sign_up, _ahead(sign_up) if sign_up.state == "waiting" else None))


def _ahead(sign_up: SignUp) -> int:
    ticket = Waiting.of(sign_up)
    before = Item.sk.between(Waiting.PREFIX, ticket.sk)
    found = Item.query(ticket.pk, before, consistent_read=True, attributes_to_get=["PK", "SK", "kind"])
    return sum(each.sk != ticket.sk for each in found)


def _within(first: date, days: timedelta, now: datetime, field: str = "day") -> Condition:
    """Starts within these days of Shanghai, the end not included: no place in a list is a bare time."""
    if abs(first - clock.day(now)) > _FURTHEST:
        raise Invalid(fields={field: "日期太远了"})
    begins, ends = clock.at_local(first, time()), clock.at_local(first + days, time())
    within: Condition = Item.area_sort.between(clock.stamp(begins), clock.stamp(ends))
    return within


def _not_long_over(now: datetime) -> Condition:
    """Starts since the day on which a shift that is still under way may have begun. A day, so that a cursor to the rest of
    the list is good for longer than a moment."""
    begins = clock.at_local(clock.day(now - rules.SHIFT_LASTS_AT_MOST), time())
    since: Condition = Item.person_sort >= clock.stamp(begins)
    return since
