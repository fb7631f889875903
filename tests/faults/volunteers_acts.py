"""Volunteers' files over HTTP as a client does it, what follows from leaving, and the telling of new shifts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import patch

from chalicelib.kit import clock, ids, timers, vault
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices import alerts
from chalicelib.notices.models import Notice
from chalicelib.people.models import partition
from chalicelib.shifts.models import Activity, Shift, ShiftAlert
from chalicelib.volunteers.models import Volunteer, VolunteerNumber
from chalicelib.volunteers.profile import files, follow_up
from tests.engine.http import Answer, token_of
from tests.faults.acts import Act, when_due
from tests.faults.help_acts import _http, posting, send, street
from tests.volunteers.desk import FORM, MOTHER, REASON, years_ago

World = dict[str, Any]
YOUNG = {**FORM, "birth": years_ago(15, days=40)}
CHANGED = {"skills": ["law"], "free_times": ["workday_day"], "contact": MOTHER}


def office() -> World:
    """The street of help requests; those who apply there have keys in the vault."""
    world = street()
    world["who"] = world["people"]["asker"]
    vault.open_for(world["who"])
    return world


def applied() -> World:
    world = office()
    send(world, "asker", "/me/volunteer", "applied", YOUNG)
    return world


def approved() -> World:
    """Written at once: how it came to be is tried by the acts before."""
    world = office()
    file, number = Volunteer.key(world["who"]), VolunteerNumber.key(ids.pick_up_code())
    file.state, file.area, file.version, file.number = "approved", world["community"], 2, number.pk.partition("#")[2]
    file.name_sealed = files.seal(world["who"], files.Personal(name="陈建君"))["name_sealed"]
    number.resident_id = world["who"]
    with transaction() as tx:
        tx.put(file)
        tx.put(number)
    return world


def willing() -> World:
    world = approved()
    with transaction() as tx:
        alerts.switch_on(tx, ShiftAlert, world["who"], home=world["community"])
    return world


def agreed() -> World:
    world = applied()
    send(world, "worker", "/volunteers/{who}/guardian-consent", "agreed", MOTHER)
    return world


def left() -> World:
    """What follows from leaving has yet to be done."""
    world = willing()
    with patch.object(follow_up, "follow", side_effect=OSError):
        send(world, "asker", "/me/volunteer/leave", "left")
    return world


def declined() -> World:
    world = applied()
    send(world, "worker", "/volunteers/{who}/decline", "declined", REASON)
    return world


def published() -> World:
    """An activity with one shift, of which one volunteer wants to hear."""
    world, now = willing(), clock.now()
    shift = Shift.key(f"{ids.new_id('shift')}.{world['community']}")
    shift.state, shift.activity, shift.title, shift.service = "published", "activity_1", "守小门", "gate"
    shift.area = shift.audience = world["community"]
    shift.place, shift.organiser_name, shift.capacity = "东门", "组织者", 5
    shift.start_at, shift.end_at = now + timedelta(days=1), now + timedelta(days=1, hours=4)
    activity = Activity.key(ids.new_id("activity"))
    activity.state, activity.title, activity.text, activity.service = "published", "守小门", "请带口罩。", "gate"
    activity.area = activity.audience = world["community"]
    activity.organiser, activity.organiser_name = world["people"]["worker"], "组织者"
    activity.created_at = activity.published_at = now
    activity.shifts = [shift.id]
    for name, value in timers.fields(activity.pk, "shifts.announce", now).items():
        setattr(activity, name, value)
    with transaction() as tx:
        tx.put(shift)
        tx.put(activity)
    world["activity"] = activity.pk
    return world


def putting(path: str, body: Any) -> Any:
    def put(world: World, key: str) -> Answer:
        return _http().put(path, token=token_of(world["who"], session_version=0), key=key, json=body)

    return put


def switching(on: bool) -> Any:
    return putting("/me/shift-alerts", {"on": on})


def follow(world: World, key: str) -> None:
    when_due(Volunteer.key(world["who"]), clock.now() + timedelta(minutes=3))


def forget(world: World, key: str) -> None:
    when_due(Volunteer.key(world["who"]), clock.now() + timedelta(days=31))


def announce(world: World, key: str) -> None:
    when_due(Activity(world["activity"], "ACTIVITY"), clock.now())


def facts(world: World) -> Any:
    """What is kept of the volunteer, who was told, and what else hangs on it, without ids and times."""
    told = {
        name: sorted(notice.topic for notice in Notice.query(partition(who), Item.sk.startswith(Notice.PREFIX)))
        for name, who in world["people"].items()
    }
    alert = ShiftAlert.find(partition(world["who"]), ShiftAlert.SK)
    activity = Activity.find(world["activity"], "ACTIVITY") if "activity" in world else None
    announced = activity and (activity.timer, int(activity.version))
    return told, alert and len(alert.told or ()), announced, _file(world["who"])


def _file(who: str) -> Any:
    file = files.find(who)
    if file is None:
        return None
    number = VolunteerNumber.key(file.number) if file.number else None
    linked = number and VolunteerNumber.fetch(number.pk, number.sk).resident_id == who
    kept = (file.skills, file.minor, bool(file.guardian_at), bool(file.area_key), file.timer, len(file.marks or ()))
    return file.state, linked, files.opened(file), kept


def staff(act: str, body: Any = None) -> Any:
    return posting("worker", f"/volunteers/{{who}}/{act}", body)


VOLUNTEERS = "POST /volunteers/{resident_id}"
ACTS = [
    Act("a resident applies", office, posting("asker", "/me/volunteer", YOUNG), facts, "POST /me/volunteer", 1),
    Act("a volunteer changes a file", applied, putting("/me/volunteer", CHANGED), facts, "PUT /me/volunteer", 1),
    Act("staff look at who applies", applied, staff("identity", REASON), facts, f"{VOLUNTEERS}/identity", 1),
    Act("an application is approved", applied, staff("approve"), facts, f"{VOLUNTEERS}/approve", 1),
    Act("an application is declined", applied, staff("decline", REASON), facts, f"{VOLUNTEERS}/decline", 1),
    Act(
        "a guardian agrees",
        applied,
        staff("guardian-consent", MOTHER),
        facts,
        f"{VOLUNTEERS}/guardian-consent",
        1,
    ),
    Act(
        "a guardian agrees no more",
        agreed,
        staff("guardian-consent/withdraw"),
        facts,
        f"{VOLUNTEERS}/guardian-consent/withdraw",
        1,
    ),
    Act("a volunteer leaves", willing, posting("asker", "/me/volunteer/leave"), facts, "POST /me/volunteer/leave", 2),
    Act("what follows from leaving", left, follow, facts, "timer volunteers.follow_up", 2),
    Act("what was declined is forgotten", declined, forget, facts, "timer volunteers.forget", 1),
    Act("a volunteer wants to hear of shifts", approved, switching(True), facts, "PUT /me/shift-alerts", 1),
    Act("a volunteer wants to hear no more", willing, switching(False), facts, "PUT /me/shift-alerts", 1),
    Act("volunteers are told of new shifts", published, announce, facts, "timer shifts.announce", 1),
]
