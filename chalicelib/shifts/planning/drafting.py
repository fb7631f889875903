"""Drafting an activity with all its shifts, and editing the draft until it is published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from chalicelib.areas import rules as area_rules
from chalicelib.areas import service as areas
from chalicelib.content.rules import refuse_blank
from chalicelib.kit import limits
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed, Conflict, Invalid
from chalicelib.kit.table import Item, Page, page, read_together
from chalicelib.people import service as people
from chalicelib.people.service import Person
from chalicelib.shifts import rules
from chalicelib.shifts.in_charge import looked_after
from chalicelib.shifts.models import Activity, Shift, activities_of, settled
from chalicelib.shifts.planning import plans
from chalicelib.shifts.planning.plans import Planned, Recurring


class Draft(msgspec.Struct, frozen=True):
    """What somebody wants to get done with volunteers' help, as filled in."""

    title: str
    text: str
    service: str
    area: str
    audience: str | None
    needs_approval: bool
    points_an_hour: int
    shifts: Sequence[Planned]
    recurring: Recurring | None = None


def draft(*, caller: Caller, draft: Draft, attempt: Attempt, now: datetime) -> Activity:
    """Plan an activity in an area that one looks after. Nobody else sees it before it is published."""
    person = people.present(caller, now=now)
    person.must_hold(rules.ORGANISERS, draft.area)
    activity = Activity.key(attempt.id("activity"))
    drafted_before = Activity.find(activity.pk, activity.sk)
    if drafted_before:
        attempt.made(drafted_before)  # KeyReused, as long as it has not been edited
        return drafted_before
    activity.state, activity.organiser, activity.organiser_name = "draft", person.id, person.resident.nickname
    activity.created_at, activity.marks = now, attempt.marks()
    for name, value in _content(draft, now).items():
        setattr(activity, name, value)
    activity.list_it()
    try:
        with person.acting() as tx:
            tx.create(activity, or_raise=Conflict())
            a_day = rules.settings_in_force().activities_a_day
            limits.spend(tx, person.id, "activity", at_most=a_day, per=timedelta(days=1), now=now)
    except Conflict:
        # The first try of this very request was faster than its repeat.
        drafted_before = Activity.fetch(activity.pk, activity.sk)
        attempt.made(drafted_before)
        return drafted_before
    return activity


@settled
def edit(*, caller: Caller, activity_id: str, version: int, draft: Draft, attempt: Attempt, now: datetime) -> Activity:
    """Put something else in the place of a draft. Refused when others have changed it since it was shown."""
    person, activity = in_charge(caller, activity_id, now)
    person.must_hold(rules.ORGANISERS, draft.area)
    if attempt.made(activity):
        return activity
    if activity.state != "draft":
        raise rules.NotADraft()
    if int(activity.version) != version:
        raise rules.Stale()
    content = _content(draft, now)
    change = [getattr(Activity, name).set(value) for name, value in content.items()]
    with person.acting() as tx:
        as_read = (Activity.state == "draft") & (Activity.version == version)
        change += [Activity.version.set(version + 1), *attempt.remember_alone()]
        tx.update(activity, change, when=as_read, or_raise=Changed())
    for name, value in content.items():
        setattr(activity, name, value)
    activity.version = version + 1
    return activity


def in_charge(caller: Caller, activity_id: str, now: datetime) -> tuple[Person, Activity]:
    """Whoever looks after its area, and the activity; DutyNeeded. Others do not even find what is not published."""
    person = people.present(caller, now=now)
    activity = Activity.named(activity_id)
    if activity.state != "published" and person.holds(rules.ORGANISERS, activity.area) is None:
        raise rules.ActivityGone()
    person.must_hold(rules.ORGANISERS, activity.area)
    return person, activity


def shifts_of(activity: Activity) -> list[Shift]:
    """The published shifts of an activity, by their start."""
    found = [each for each in read_together(*map(Shift.key, activity.shifts)) if each] if activity.shifts else []
    return sorted(found, key=lambda shift: (shift.start_at, shift.end_at, shift.place))


def _content(draft: Draft, now: datetime) -> Mapping[str, object]:
    """What is stored of a draft, once every rule is met; Invalid otherwise."""
    shifts = plans.whole(draft.shifts, draft.recurring, now=now)
    refuse_blank(title=draft.title, text=draft.text)
    area = areas.get(draft.area).code
    return {
        "title": draft.title,
        "text": draft.text,
        "service": draft.service,
        "area": area,
        "audience": _audience(draft, area),
        "needs_approval": draft.needs_approval,
        "points_an_hour": draft.points_an_hour,
        "plan": plans.stored(shifts),
    }


def _audience(draft: Draft, area: str) -> str:
    """Whose residents may sign up: the community's by default. Who lives nowhere near the area is not meant."""
    if draft.audience is None:
        return area_rules.at_level(area, "community") or area
    if not (area_rules.contains(draft.audience, area) or area_rules.contains(area, draft.audience)):
        raise Invalid(fields={"audience": "面向的区域要包含活动所在的区域，或在它里面"})
    try:
        return areas.get(draft.audience).code
    except area_rules.AreaUnknown:
        raise Invalid(fields={"audience": "没有这个区域"}) from None


def look_at(activity_id: str, *, caller: Caller, now: datetime) -> tuple[Activity, list[Shift]]:
    """An activity with its published shifts. What is not published is seen by those who look after its area."""
    found = Activity.named(activity_id)
    if found.published_at is None:
        person = people.present(caller, now=now)
        if person.holds(rules.ORGANISERS | {"moderator"}, found.area) is None:
            raise rules.ActivityGone()
    return found, shifts_of(found)


def mine(*, caller: Caller, cursor: str | None, now: datetime) -> Page[Activity]:
    """What I organise, drafts too, newest first, as far as I look after their area still."""
    return looked_after(caller, page(Item.by_person, activities_of(caller.id), of=Activity, cursor=cursor), now)
