"""Every act of those who organise shifts, over HTTP as a client does it, and the rounds that go to everybody on them."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from unittest.mock import patch

from chalicelib.areas import service as areas
from chalicelib.kit import clock
from chalicelib.kit.table import Item
from chalicelib.notices.models import Notice
from chalicelib.people.models import partition as resident_partition
from chalicelib.shifts.models import Activity, Round, Shift, SignUp, Waiting, activities_of
from chalicelib.shifts.planning import cancelling
from chalicelib.volunteers.models import Volunteer
from chalicelib.wechat.content import NORMAL, Verdict
from tests.engine.http import Answer, token_of
from tests.faults.acts import Act, when_due
from tests.faults.help_acts import _http, posting, send, street

World = dict[str, Any]


def at(world: World, days: int, hour: int) -> str:
    moment: datetime = clock.at_local(world["today"] + timedelta(days=days), time(hour))
    return moment.isoformat()


def form(world: World, **change: Any) -> dict[str, Any]:
    """A gate with two shifts; the first takes one volunteer."""
    shifts = [
        {"start": at(world, days, 8), "end": at(world, days, 12), "place": "东门", "capacity": capacity}
        for days, capacity in ((3, 1), (4, 4))
    ]
    filled = {
        "title": "守小门",
        "text": "测温、登记。",
        "service": "gate",
        "area": world["community"],
        "shifts": shifts,
    }
    return {**filled, "needs_approval": False, **change}


def place() -> World:
    world = street()
    world["today"] = clock.day(clock.now())
    areas.get(world["community"])  # a container has read it a moment ago
    return world


def draft(world: World, key: str) -> Answer:
    answer = send(world, "worker", "/activities", key, form(world))
    if answer.status == 201:
        world["activity"] = answer.json["id"]
    return answer


def drafted() -> World:
    world = place()
    draft(world, "drafted")
    return world


def edit(world: World, key: str) -> Answer:
    token = token_of(world["people"]["worker"], session_version=0)
    body = form(world, title="守大门", version=0)
    with patch("chalicelib.content.service.check_text", return_value=Verdict("pass", NORMAL, "trace")):
        return _http().put(f"/activities/{world['activity']}", token=token, key=key, json=body)


def published() -> World:
    world = drafted()
    made = send(world, "worker", "/activities/{activity}/publish", "published", {"version": 0})
    world["shift"] = made.json["shifts"][0]["id"]
    return world


def signed_up() -> World:
    """One has the only place, one waits for it."""
    world = published()
    for who in ("asker", "helper"):
        answer = send(world, who, "/shifts/{shift}/sign-up", "signed-up", {"wait": True})
        assert answer.status == 201, answer
    return world


def changed() -> World:
    world = signed_up()
    moved = {"version": 0, "start": at(world, 3, 14), "end": at(world, 3, 18), "place": "南门", "capacity": 2}
    assert send(world, "worker", "/shifts/{shift}/change", "changed", moved).status == 200
    return world


def cancelled() -> World:
    world = signed_up()
    assert send(world, "worker", "/shifts/{shift}/cancel", "cancelled", {"reason": "下雨"}).status == 200
    return world


def walk(world: World, key: str) -> None:
    """The sweep meets the round, some time later each."""
    now = world["at"] = world.get("at", clock.now()) + timedelta(minutes=5)
    for each in Item.collection(Shift.key(world["shift"]).pk, Round.PREFIX):
        when_due(each, now)


def walked(world: World) -> Any:
    """What is true when the rounds have come to their end, however often they were taken up."""
    for _ in range(5):
        if Item.collection(Shift.key(world["shift"]).pk, Round.PREFIX):
            walk(world, "again")
    return facts(world)


def facts(world: World) -> Any:
    """What is stored of activities and shifts, whose time they take and who was told, without ids and times."""
    people = world["people"]
    told = {
        name: sorted(
            notice.topic for notice in Notice.query(resident_partition(resident), Item.sk.startswith(Notice.PREFIX))
        )
        for name, resident in people.items()
    }
    files = [Volunteer.find(f"VOLUNTEER#{resident}", "FILE") for resident in people.values()]
    taken = [sorted(end - start for start, end in file.taken.values()) if file else None for file in files]
    found = list(Item.by_person.query(activities_of(people["worker"])))
    shifts = [sorted(map(str, map(_fact, Item.collection(Shift.key(each).pk)))) for a in found for each in a.shifts]
    return told, taken, [_fact(each) for each in found], shifts


def _fact(item: Any) -> Any:
    kind = type(item).__name__
    if isinstance(item, Activity):
        return kind, item.state, item.title, int(item.version), item.timer, len(item.shifts), len(item.plan)
    if isinstance(item, Shift):
        numbers = (int(item.taken), int(item.waiting), int(item.capacity), int(item.version))
        return kind, item.state, item.place, numbers, item.timer, bool(item.area_key), len(item.marks or ())
    if isinstance(item, SignUp):
        return kind, item.state, item.place, int(item.told), item.cancelled_by, int(item.late_withdrawals)
    if isinstance(item, Round):
        return kind, item.what, item.reached, len(item.left)
    return kind, isinstance(item, Waiting)


RAIN = {"reason": "下雨"}


def longer(world: World) -> dict[str, Any]:
    return {"version": 0, "place": "南门", "end": at(world, 3, 13)}


def further(world: World) -> dict[str, Any]:
    shifts = [
        {"start": at(world, days, 8), "end": at(world, days, 12), "place": "北门", "capacity": 4} for days in (5, 6)
    ]
    return {"version": 1, "shifts": shifts}


def cancel_in_parts(world: World, key: str) -> Answer:
    """As if a write took one shift only."""
    with patch("chalicelib.shifts.planning.cancelling.IN_ONE_WRITE", 1):
        return send(world, "worker", "/activities/{activity}/cancel", key, RAIN)


def cut_off() -> World:
    """An activity is cancelled, and one of its shifts not yet."""
    world = published()
    with patch("chalicelib.shifts.planning.cancelling.cancel_rest"):
        assert cancel_in_parts(world, "cancelled").status == 200
    return world


def go_on(world: World, key: str) -> None:
    """The sweep meets the activity, some time later each."""
    now = world["at"] = world.get("at", clock.now()) + timedelta(minutes=5)
    when_due(activity_in(world), now)


def activity_in(world: World) -> Activity:
    key = Activity.key(world["activity"])
    return Activity.fetch(key.pk, key.sk)


def all_cancelled(world: World) -> Any:
    """What is true once the sweep has met it."""
    if activity_in(world).timer == cancelling.REST:
        go_on(world, "again")
    return facts(world)


ACTS = [
    Act("staff plan an activity", place, draft, facts, "POST /activities"),
    Act("staff edit a draft", drafted, edit, facts, "PUT /activities/{activity_id}"),
    Act(
        "an activity is published",
        drafted,
        posting("worker", "/activities/{activity}/publish", {"version": 0}),
        facts,
        "POST /activities/{activity_id}/publish",
    ),
    Act(
        "shifts are added to an activity",
        published,
        posting("worker", "/activities/{activity}/shifts", further),
        facts,
        "POST /activities/{activity_id}/shifts",
    ),
    Act(
        "more shifts are cancelled than one write takes",
        published,
        cancel_in_parts,
        all_cancelled,
        "POST /activities/{activity_id}/cancel",
        one_way_after=1,
    ),
    Act("the rest of the shifts is cancelled", cut_off, go_on, facts, "timer shifts.cancel_rest"),
    Act(
        "an activity is cancelled",
        signed_up,
        posting("worker", "/activities/{activity}/cancel", RAIN),
        facts,
        "POST /activities/{activity_id}/cancel",
    ),
    Act(
        "a shift is changed",
        signed_up,
        posting("worker", "/shifts/{shift}/change", longer),
        facts,
        "POST /shifts/{shift_id}/change",
    ),
    Act(
        "a shift is cancelled",
        signed_up,
        posting("worker", "/shifts/{shift}/cancel", RAIN),
        facts,
        "POST /shifts/{shift_id}/cancel",
    ),
    Act("everybody hears of a change", changed, walk, walked, "timer shifts.round", one_way_after=1),
    Act("everybody hears of a cancellation", cancelled, walk, walked, "timer shifts.round", one_way_after=1),
]
