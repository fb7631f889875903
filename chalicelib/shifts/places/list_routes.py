"""Finding shifts over HTTP."""

from __future__ import annotations

from datetime import datetime

from chalicelib.kit.auth import Caller
from chalicelib.kit.http import Listing, Routes, listing
from chalicelib.shifts.places import lists, shapes

routes = Routes(__name__)


@routes.get("/shifts")
def of_day(caller: Caller, query: shapes.OfDay, now: datetime) -> Listing[shapes.ShiftLine]:
    """The shifts of an area's list on one day, by their start, with the places left."""
    found = lists.of_day(query.area, day=query.day, cursor=query.cursor, now=now)
    return listing(found, shapes.shift_line)


@routes.get("/shifts/near-me")
def near_me(caller: Caller, query: shapes.NearMe, now: datetime) -> shapes.ShiftList:
    """Those of a day that are for people who live where I do: in my community, my street, my district."""
    found = lists.near_me(caller=caller, day=query.day, now=now)
    return shapes.ShiftList(items=[shapes.shift_line(each) for each in found])


@routes.get("/shifts/mine")
def mine(caller: Caller, query: shapes.InOrder, now: datetime) -> Listing[shapes.MyShift]:
    """The shifts I have signed up for, or wait for."""
    found = lists.mine(caller=caller, order=query.order, cursor=query.cursor, now=now)
    return listing(found, shapes.my_shift)


@routes.get("/shifts/running")
def running(caller: Caller, query: shapes.InOrder, now: datetime) -> Listing[shapes.ShiftLine]:
    """The shifts that I organise."""
    found = lists.running(caller=caller, order=query.order, cursor=query.cursor, now=now)
    return listing(found, shapes.shift_line)


@routes.get("/shifts/plan")
def week(caller: Caller, query: shapes.Week, now: datetime) -> shapes.ShiftList:
    """For staff: a week of an area of theirs, e.g. of its gates, the gaps first."""
    found = lists.week(caller=caller, area=query.area, first=query.first, service=query.service, now=now)
    return shapes.ShiftList(items=[shapes.shift_line(each) for each in found])


@routes.get("/shifts/{shift_id}")
def look_at(caller: Caller, shift_id: str, now: datetime) -> shapes.ShiftView:
    """One shift, with what it is about, who is still missing, and my own place on it."""
    return shapes.shift_view(lists.look_at(shift_id, caller=caller, now=now))
