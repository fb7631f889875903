"""Time to rest between shifts: so many hours in any 24, and so many after a night. Spans are epoch seconds."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, time, timedelta

from chalicelib.kit import clock

Span = tuple[int, int]

_HOUR, _DAY = 3600, 24 * 3600
_STEP, _LOOKED_AHEAD = 1800, 3 * _DAY
_MORNING = time(5)  # a night shift is one that is still on, or already on, between midnight and then


def enough(others: Collection[Span], wanted: Span, *, hours_in_a_day: int, after_a_night: int) -> bool:
    """May somebody who is on these shifts be on the wanted one too?"""
    if _busiest([*others, wanted], wanted) > hours_in_a_day * _HOUR:
        return False
    rest = after_a_night * _HOUR
    return not any(_too_soon(*sorted((each, wanted)), rest=rest) for each in others)


def free_from(others: Collection[Span], wanted: Span, *, hours_in_a_day: int, after_a_night: int) -> int | None:
    """From when on a shift as long as the wanted one would leave enough rest, in half hours; None for none of the next
    days."""
    for later in range(_STEP, _LOOKED_AHEAD + 1, _STEP):
        span = (wanted[0] + later, wanted[1] + later)
        overlaps = any(first < span[1] and span[0] < last for first, last in others)
        if not overlaps and enough(others, span, hours_in_a_day=hours_in_a_day, after_a_night=after_a_night):
            return span[0]
    return None


def _busiest(spans: Collection[Span], wanted: Span) -> int:
    """The most seconds on shifts in any 24 hours in which some of the wanted one lie.

    What lies in a window that is moved on grows until one begins or has come in whole, so it is greatest in one of these.
    """
    windows = {first for first, _ in spans} | {last - _DAY for _, last in spans}
    return max(
        sum(max(0, min(last, begin + _DAY) - max(first, begin)) for first, last in spans)
        for begin in windows
        if begin < wanted[1] and wanted[0] < begin + _DAY
    )


def _too_soon(first: Span, second: Span, *, rest: int) -> bool:
    return _of_the_night(first) and 0 <= second[0] - first[1] < rest


def _of_the_night(span: Span) -> bool:
    begin, end = (datetime.fromtimestamp(each, clock.SHANGHAI) for each in span)
    days = (begin.date() + timedelta(days=number) for number in range((end.date() - begin.date()).days + 1))
    return any(begin < clock.at_local(day, _MORNING) and clock.at_local(day, time()) < end for day in days)
