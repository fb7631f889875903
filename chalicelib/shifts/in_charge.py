"""Who runs a shift: whoever cares for its area. Read with the shift and whatever else an act needs, in one call."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from chalicelib.areas import rules as areas
from chalicelib.kit.auth import Caller
from chalicelib.kit.table import Item, Page
from chalicelib.people import service as people
from chalicelib.people.models import Duty
from chalicelib.people.service import Person
from chalicelib.shifts import rules
from chalicelib.shifts.models import Activity, Shift, area_of, named

Organised = TypeVar("Organised", Shift, Activity)


def in_charge(caller: Caller, shift_id: str, *items: Item, now: datetime) -> tuple[Person, Shift, list[Any]]:
    """The caller, held to a duty of an organiser over the shift's area; the shift; the items, None where there is none.

    ShiftGone, or DutyNeeded. A shift's id names its area, so the duties that count are known before it is read.
    """
    area = area_of(shift_id)
    around = areas.up_from(area) if area else []
    duties = [Duty.key(caller.id, role, code) for role in sorted(rules.ORGANISERS) for code in around]
    person, (found, *rest) = people.present_with(caller, Shift.key(shift_id), *items, *duties, now=now)
    shift = named(found, shift_id)
    person.duties = [duty for duty in rest[len(items) :] if duty]
    person.must_hold(rules.ORGANISERS, shift.area)
    return person, shift, rest[: len(items)]


def looked_after(caller: Caller, found: Page[Organised], now: datetime) -> Page[Organised]:
    """Those of a page whose area the caller looks after now. Nobody's duties are read who organises nothing."""
    if not found.items:
        return found
    person = people.present(caller, now=now)
    return Page([each for each in found if person.holds(rules.ORGANISERS, each.area)], found.next)
