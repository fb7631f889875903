"""What activities say about who organised them: for the copy of their data, and when they leave."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from chalicelib.areas import service as areas
from chalicelib.kit import clock
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Action, Item
from chalicelib.kit.transaction import transaction
from chalicelib.people import personal_data
from chalicelib.people.personal_data import Named
from chalicelib.people.rules import NICKNAME_OF_THE_CLOSED
from chalicelib.shifts import rules
from chalicelib.shifts.models import Activity, Shift, activities_of, run_by
from chalicelib.shifts.planning import drafting as planning
from chalicelib.shifts.planning import plans


@personal_data.section("我组织的活动")
def export(resident_id: str) -> Iterable[dict[str, Any]]:
    for activity in _activities(resident_id):
        yield {
            "时间": clock.spoken(activity.created_at),
            "名称": activity.title,
            "内容": activity.text,
            "类型": rules.SERVICES[activity.service],
            "区域": areas.full_name(activity.area),
            "状态": rules.ACTIVITY_STATES[activity.state],
            "班次": [
                f"{clock.spoken(each.start)} 到 {clock.spoken(each.end)}，{each.place}"
                for each in plans.from_stored(activity.plan)
            ],
        }
    for shift in _shifts(resident_id):
        yield {
            "时间": clock.spoken(shift.start_at),
            "名称": shift.title,
            "地点": shift.place,
            "区域": areas.full_name(shift.area),
            "状态": "班次",
        }


@personal_data.eraser
def erase(resident_id: str, *, now: datetime) -> None:
    """What nobody has seen is deleted. What was published stays as the community's, without who organised it."""
    for activity in _activities(resident_id):
        if not (activity.published_at is None and _deleted(activity)):
            _without_organiser(activity)
            _let_go_of_shifts(activity, resident_id)
    for shift in _shifts(resident_id):
        _without_organiser(shift)


@personal_data.renamer
def rename(named: Named) -> None:
    """Activities and shifts that are not over: a shift until its hours are confirmed, whose records name them."""
    for activity in _activities(named.id):
        if activity.state in rules.ACTIVITY.moves:
            named.show(activity, Activity.organiser_name)
    for shift in _shifts(named.id):
        if shift.state != "cancelled" and shift.confirmed_at is None:
            named.show(shift, Shift.organiser_name)


def _let_go_of_shifts(activity: Activity, resident_id: str) -> None:
    """Those which the activity itself names: the index may not know yet of the latest."""
    for shift in planning.shifts_of(Activity.fetch(activity.pk, activity.sk)):
        if shift.organiser == resident_id:
            _without_organiser(shift)


def _deleted(activity: Activity) -> bool:
    """False when a moderator has let it through in the same moment."""
    try:
        with transaction() as tx:
            tx.delete(activity, when=Activity.published_at.does_not_exist(), or_raise=Changed())
    except Changed:
        return False
    return True


def _without_organiser(of: Activity | Shift) -> None:
    """An activity first: whatever shifts come of it from then on have no organiser."""
    kind = type(of)
    gone: list[Action] = [kind.organiser.remove(), kind.person_key.remove(), kind.person_sort.remove()]
    if kind is Activity:
        gone.append(Activity.version.add(1))  # an act that has read it with its organiser reads it again
    with transaction() as tx:
        tx.update(of, [kind.organiser_name.set(NICKNAME_OF_THE_CLOSED), *gone])


def _activities(resident_id: str) -> list[Activity]:
    found = Item.by_person.query(activities_of(resident_id))
    return [each for each in found if isinstance(each, Activity)]


def _shifts(resident_id: str) -> list[Shift]:
    return [each for each in Item.by_person.query(run_by(resident_id)) if isinstance(each, Shift)]
