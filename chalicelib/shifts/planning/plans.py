"""What shifts an activity has: single ones, and those of a plan that comes again day after day. Pure.

A plan is refused as a whole, each of its faults under the field that is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import msgspec

from chalicelib.content.rules import refuse_blank
from chalicelib.kit import clock
from chalicelib.kit.errors import Invalid
from chalicelib.shifts import rules

LATEST_START = timedelta(days=366)
_WEEK = frozenset(range(1, 8))
_TOO_MANY = f"一次最多安排 {rules.SHIFTS_AT_MOST} 个班次，请分几次创建"


class Planned(msgspec.Struct, frozen=True):
    """A shift to come. `field`: where in the form it came from."""

    start: datetime
    end: datetime
    place: str
    capacity: int
    quorum: dict[str, int]
    field: str = ""


class Hours(msgspec.Struct, frozen=True):
    """A time of day in Shanghai. One that ends at or before it begins runs past midnight."""

    begins: time
    ends: time


class Recurring(msgspec.Struct, frozen=True):
    """The same hours on each of these days, both ends included. `weekdays`: 1 is Monday; None means every day."""

    from_day: date
    to_day: date
    times: Sequence[Hours]
    place: str
    capacity: int
    quorum: Mapping[str, int]
    weekdays: Sequence[int] | None = None


def expand(plan: Recurring, *, today: date) -> list[Planned]:
    """Its shifts in the order of their start. Invalid when it is of the past, ends before it begins, or goes on for too
    long."""
    if plan.from_day < today:
        raise Invalid(fields={"recurring.from_day": "开始日期已经过去"})
    if plan.to_day < plan.from_day:
        raise Invalid(fields={"recurring.to_day": "结束日期不能早于开始日期"})
    if plan.to_day - today > LATEST_START:
        raise Invalid(fields={"recurring.to_day": "最多安排到一年以内"})
    return sorted(_expanded(plan), key=lambda each: (each.start, each.end))


def _expanded(plan: Recurring) -> Iterator[Planned]:
    wanted = _WEEK if plan.weekdays is None else frozenset(plan.weekdays)
    for number in range((plan.to_day - plan.from_day).days + 1):
        day = plan.from_day + timedelta(days=number)
        if day.isoweekday() not in wanted:
            continue
        for position, hours in enumerate(plan.times):
            last = day if hours.ends > hours.begins else day + timedelta(days=1)
            yield Planned(
                clock.at_local(day, hours.begins),
                clock.at_local(last, hours.ends),
                plan.place,
                plan.capacity,
                dict(plan.quorum),
                f"recurring.times[{position}]",
            )


def whole(
    single: Sequence[Planned], recurring: Recurring | None, *, now: datetime, taken: Iterable[tuple[datetime, str]] = ()
) -> list[Planned]:
    """All shifts of a form, once every rule is met: Invalid otherwise. `taken`: start and place of shifts that are there."""
    again = expand(recurring, today=clock.day(now)) if recurring else []
    if recurring and not again:
        raise Invalid(fields={"recurring.weekdays": "这段日子里没有选中的星期几"})
    shifts = check([*single, *again], now=now, taken=taken)
    for each in shifts:
        field = "recurring" if each.field.startswith("recurring") else each.field
        refuse_blank(**{f"{field}.place": each.place})
    return shifts


def check(shifts: Sequence[Planned], *, now: datetime, taken: Iterable[tuple[datetime, str]] = ()) -> list[Planned]:
    """The shifts in the order of their start; Invalid, which names every wrong field."""
    if not shifts:
        raise Invalid(fields={"shifts": "请至少安排一个班次"})
    if len(shifts) > rules.SHIFTS_AT_MOST:
        single = all(each.field.startswith("shifts") for each in shifts)
        raise Invalid(fields={"shifts" if single else "recurring": _TOO_MANY})
    wrong: dict[str, str] = {}
    for each in shifts:
        for name, why in faults(each, now=now).items():
            wrong.setdefault(_path(each, name), why)
    for each in _doubles(shifts, taken):
        path = _path(each, "start")
        if path not in wrong:  # then it is a time that can be spoken
            wrong[path] = f"{clock.spoken(each.start)}，这个地点已经有一个班次"
    if wrong:
        raise Invalid(fields=wrong)
    return sorted(shifts, key=lambda each: (each.start, each.end, each.place))


def faults(shift: Planned, *, now: datetime) -> dict[str, str]:
    """What is wrong with one shift, by the name of the field."""
    wrong = {}
    if shift.start <= now:
        wrong["start"] = "开始时间已经过去"
    elif shift.start > now + LATEST_START:
        wrong["start"] = "最多安排到一年以内"
    wrong |= uneven(start=shift.start, end=shift.end)
    return wrong | length_faults(shift.start, shift.end) | quorum_faults(shift.capacity, shift.quorum)


def uneven(**times: datetime) -> dict[str, str]:
    """Times are to the minute: a diary that rounded could miss that two shifts overlap."""
    return {name: "时间请精确到整分钟" for name, at in times.items() if at.second or at.microsecond}


def length_faults(start: datetime, end: datetime) -> dict[str, str]:
    if end <= start:
        return {"end": "结束时间要晚于开始时间"}
    if end - start > rules.SHIFT_LASTS_AT_MOST:
        hours = rules.SHIFT_LASTS_AT_MOST // timedelta(hours=1)
        return {"end": f"一个班次最长 {hours} 小时"}
    return {}


def quorum_faults(capacity: int, quorum: Mapping[str, int]) -> dict[str, str]:
    if quorum.get("volunteer", 0) > capacity:
        return {"quorum": f"最少要的志愿者比名额（{capacity} 名）还多"}
    return {}


def _path(each: Planned, name: str) -> str:
    """Of a recurring plan place, capacity and quorum stand beside the times, and there is one start for all."""
    if each.field.startswith("recurring"):
        return each.field if name in ("start", "end") else f"recurring.{name}"
    return f"{each.field}.{name}"


def _doubles(shifts: Iterable[Planned], taken: Iterable[tuple[datetime, str]]) -> Iterator[Planned]:
    seen = {_at(start, place) for start, place in taken}
    for each in shifts:
        same = _at(each.start, each.place)
        if same in seen:
            yield each
        seen.add(same)


def _at(start: datetime, place: str) -> tuple[datetime, str]:
    return start, " ".join(place.split())


def stored(shifts: Iterable[Planned]) -> list[dict[str, Any]]:
    """As an activity keeps them until they are published."""
    return [
        {
            "start": clock.stamp(each.start),
            "end": clock.stamp(each.end),
            "place": each.place,
            "capacity": each.capacity,
            "quorum": each.quorum,
        }
        for each in shifts
    ]


def from_stored(plan: Iterable[Mapping[str, Any]]) -> list[Planned]:
    return [
        Planned(
            clock.from_stamp(each["start"]),
            clock.from_stamp(each["end"]),
            each["place"],
            int(each["capacity"]),
            {role: int(number) for role, number in each["quorum"].items()},
        )
        for each in plan
    ]
