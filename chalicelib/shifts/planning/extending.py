"""An activity goes on: further shifts of one that is published, all of them in one write."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from chalicelib.kit import timers
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed
from chalicelib.shifts import rules
from chalicelib.shifts.models import Activity, Shift, settled
from chalicelib.shifts.planning import drafting as planning
from chalicelib.shifts.planning import place_check, plans, publishing
from chalicelib.shifts.planning.plans import Planned, Recurring


class Further(msgspec.Struct, frozen=True):
    """The shifts to add, as filled in. `version`: of the activity as it was shown."""

    version: int
    shifts: Sequence[Planned]
    recurring: Recurring | None


class Extended(msgspec.Struct, frozen=True):
    activity: Activity
    added: list[Shift]


def extend(*, caller: Caller, activity_id: str, further: Further, attempt: Attempt, now: datetime) -> Extended:
    """Add shifts under the terms of the activity. Refused when it was changed since it was shown."""
    addition, checked = attempt.id("addition"), set[str]()

    @settled
    def act() -> Extended:
        person, activity = planning.in_charge(caller, activity_id, now)
        there = planning.shifts_of(activity)
        if attempt.made(activity):
            return Extended(activity, _of(addition, there))
        if activity.state != "published":
            raise rules.NotPublished()
        if int(activity.version) != further.version:
            raise rules.Stale()
        planned = _plan(further, there, now)
        _check_room(activity, len(planned))
        new_places = "、".join(dict.fromkeys(each.place for each in planned if not _known(each.place, there)))
        if new_places not in checked:
            place_check.check(person.caller, new_places, now=now)
            checked.add(new_places)
        new = publishing.shifts(activity, planned, of=addition)
        shifts = [*activity.shifts, *(each.id for each in new)]
        with person.acting() as tx:
            change = [
                *Activity.set(shifts=shifts, added_at=now, version=further.version + 1),
                *timers.set_to(activity.pk, publishing.ANNOUNCE, now),
                *attempt.remember(),
            ]
            as_read = (Activity.state == "published") & (Activity.version == further.version)
            tx.update(activity, change, when=as_read, or_raise=Changed())
            for each in new:
                tx.create(each, or_raise=Changed())
        activity.shifts, activity.version = shifts, further.version + 1
        return Extended(activity, new)

    return act()


def _plan(further: Further, there: Sequence[Shift], now: datetime) -> list[Planned]:
    """What is to be added, once every rule is met; Invalid otherwise."""
    taken = [(each.start_at, each.place) for each in there if each.state != "cancelled"]
    return plans.whole(further.shifts, further.recurring, now=now, taken=taken)


def _check_room(activity: Activity, number: int) -> None:
    left = rules.SHIFTS_IN_ALL - len(activity.shifts)
    if number > left:
        raise rules.ActivityFull(max(left, 0))


def _known(place: str, there: Sequence[Shift]) -> bool:
    """Has this place been checked before, for another shift?"""
    return any(each.place == place for each in there)


def _of(addition: str, there: Sequence[Shift]) -> list[Shift]:
    """Those that this addition has made."""
    made = {key.pk for key in publishing.keys(addition, rules.SHIFTS_AT_MOST)}
    return [each for each in there if each.pk in made]
