"""Volunteers who want to hear of new shifts near their home are told of each once, a few times a day at most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from chalicelib.areas import rules as area_rules
from chalicelib.kit import clock, timers
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Item, read_together
from chalicelib.kit.transaction import transaction
from chalicelib.notices import alerts
from chalicelib.notices.alerts import News, NotMeant
from chalicelib.people import personal_data
from chalicelib.people import service as people
from chalicelib.shifts import rules
from chalicelib.shifts.models import Activity, Shift, ShiftAlert, settled
from chalicelib.volunteers.models import Volunteer
from chalicelib.volunteers.profile import follow_up
from chalicelib.volunteers.rules import NotAVolunteer

TIMER = "shifts.announce"

alerts.moves_with_home(ShiftAlert)


def switch(*, caller: Caller, on: bool, now: datetime) -> bool:
    """Be told of new shifts near my home, or no more: volunteers only, whose application was approved."""
    file: Volunteer | None
    person, (file,) = people.present_with(caller, Volunteer.key(caller.id), now=now)
    with person.acting() as tx:
        if on:
            if file is None or file.state != "approved":
                raise NotAVolunteer()
            if person.resident.home is None or person.resident.home_state == "declined":
                raise rules.HomeNeeded()
            alerts.switch_on(tx, ShiftAlert, person.id, home=person.resident.home)
            tx.check(file, when=Volunteer.state == "approved", or_raise=NotAVolunteer())
        else:
            alerts.switch_off(tx, ShiftAlert, person.id)
    return on


def wanted(*, caller: Caller) -> bool:
    """Whether I am told of new shifts."""
    return alerts.wanted(ShiftAlert, caller.id)


@timers.on(TIMER)
@settled
def announce(published: Activity, *, now: datetime) -> None:
    """An activity has been published, or shifts were added: tell those who want to hear of it, unless it was cancelled
    meanwhile. What an organiser has seen of the activity stays as it is."""
    current = Activity.find(published.pk, published.sk)
    if current is None or current.timer != TIMER:
        return
    shifts = _news_of(current, now) if current.state == "published" else []
    if shifts:
        alerts.tell_each(_willing(current), _news(current, shifts), now=now, but={current.organiser})
    _note(current)


def _note(activity: Activity) -> None:
    """They know of the shifts that were read. Changed when there may be more news: what was added meanwhile is told
    apart from what they have just heard."""
    told_of = Activity.told_of.set(len(activity.shifts))
    try:
        with transaction() as tx:
            unchanged = Activity.version == int(activity.version)
            tx.update(activity, [*timers.stop(), told_of], when=unchanged, or_raise=Changed())
    except Changed:
        with transaction() as tx:
            tx.update(activity, [told_of], when=Activity.told_of == int(activity.told_of), or_raise=Changed())
        raise


def _news_of(activity: Activity, now: datetime) -> list[Shift]:
    """The shifts for which one can sign up and of which nobody was told, the first first."""
    new = activity.shifts[int(activity.told_of) :]
    found: list[Shift | None] = read_together(*map(Shift.key, new)) if new else []
    still = [shift for shift in found if shift and shift.state == "published" and now < shift.start_at]
    return sorted(still, key=lambda shift: shift.start_at)


def _willing(activity: Activity) -> Iterator[ShiftAlert]:
    """Those of the activity's area, or of the community around a smaller one, who may sign up: by one Query."""
    around = rules.listed_in(activity.area)
    for item in Item.by_area.query(ShiftAlert.listed(around), Item.area_sort.startswith(around)):
        if isinstance(item, ShiftAlert) and area_rules.contains(activity.audience, item.home):
            yield item


def _news(activity: Activity, shifts: list[Shift]) -> News:
    first = shifts[0]
    return News(
        "shift_new",
        about=activity.id,
        since=activity.added_at or activity.published_at or activity.created_at,
        area=activity.area,
        facts={
            "title": activity.title,
            "first": clock.spoken(first.start_at),
            "shifts": f"{len(shifts)}",
            "place": first.place,
        },
        a_day=rules.settings_in_force().alerts_a_day,
        only_if=_still_a_volunteer,
    )


def _still_a_volunteer(tx: transaction, resident_id: str) -> None:
    tx.check(Volunteer.key(resident_id), when=Volunteer.state == "approved", or_raise=NotMeant())


@follow_up.on_loss
def forget(file: Volunteer, *, now: datetime) -> None:
    """Who is a volunteer no more hears of no shifts."""
    if file.state != "approved":
        _switch_off(file.resident_id)


def _switch_off(resident_id: str) -> None:
    with transaction() as tx:
        alerts.switch_off(tx, ShiftAlert, resident_id)


@personal_data.section("志愿班次提醒")
def export_alert(resident_id: str) -> Iterable[dict[str, Any]]:
    key = ShiftAlert.key(resident_id)
    alert = ShiftAlert.find(key.pk, key.sk)
    if alert is not None:
        yield {"状态": "已开启", "最近提醒的日子": alert.day or "还没有", "当天提醒的次数": len(alert.told or ())}


@personal_data.eraser
def erase(resident_id: str, *, now: datetime) -> None:
    """They hear of nothing any more."""
    _switch_off(resident_id)
