"""What an organiser does again and again in tests, and the rounds that the sweep would walk.

worker = hood.staff("grid_worker")
activity = organised.published(worker, shifts=[organised.single()])
shift = activity["shifts"][0]["id"]
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from chalicelib.kit import clock, timers
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices.models import Notice
from chalicelib.people.models import partition as resident_partition
from chalicelib.shifts.models import Activity, Round, Shift, SignUp
from tests.engine.http import Answer
from tests.neighbourhood import Neighbour
from tests.shifts import gate

EVERYBODY = {"volunteer": 2, "community_worker": 1}
TOMORROW = timedelta(days=1)


def today() -> date:
    return clock.day(clock.now())


def at(days: int, hour: int, minute: int = 0) -> datetime:
    """An hour of Shanghai so many days from now."""
    return clock.at_local(today() + timedelta(days=days), time(hour, minute))


def single(days: int = 2, first: int = 8, last: int = 12, **change: Any) -> dict[str, Any]:
    terms = {"start": at(days, first).isoformat(), "end": at(days, last).isoformat(), "place": "桂苑社区东门"}
    return terms | {"capacity": 4} | change


def gates(days: int = 14, **change: Any) -> dict[str, Any]:
    """守小门 every day 8–12 and 14–18, from tomorrow on."""
    first = today() + TOMORROW
    plan = {
        "from_day": first.isoformat(),
        "to_day": (first + timedelta(days=days - 1)).isoformat(),
        "times": [{"from": "08:00", "to": "12:00"}, {"from": "14:00", "to": "18:00"}],
        "place": "桂苑社区东门",
        "capacity": 4,
        "quorum": EVERYBODY,
    }
    return plan | change


def two_more_weeks() -> dict[str, Any]:
    """The same gates again, after two weeks of them."""
    first = today() + timedelta(days=15)
    return gates(from_day=first.isoformat(), to_day=(first + timedelta(days=13)).isoformat())


def form(who: Neighbour, **change: Any) -> dict[str, Any]:
    filled = {"title": "守小门", "text": "在小区门口测温、登记。", "service": "gate", "area": who.hood.community}
    return filled | change


def draft(who: Neighbour, *, key: str | None = None, **change: Any) -> Answer:
    if "shifts" not in change and "recurring" not in change:
        change["shifts"] = [single()]
    return who.post("/activities", json=form(who, **change), key=key)


def drafted(who: Neighbour, **change: Any) -> dict[str, Any]:
    return good(draft(who, **change))


def published(who: Neighbour, **change: Any) -> dict[str, Any]:
    activity = drafted(who, **change)
    return good(publish(who, activity))


def publish(who: Neighbour, activity: dict[str, Any], *, key: str | None = None) -> Answer:
    return who.post(f"/activities/{activity['id']}/publish", json={"version": activity["version"]}, key=key)


def shift_of(who: Neighbour, **change: Any) -> str:
    """The only shift of a new activity."""
    made: str = published(who, **change)["shifts"][0]["id"]
    return made


def good(answer: Answer) -> dict[str, Any]:
    assert answer.status < 300, answer
    document: dict[str, Any] = answer.json
    return document


def activity_of(activity_id: str) -> Activity:
    key = Activity.key(activity_id)
    return Activity.fetch(key.pk, key.sk)


def rounds_of(shift_id: str) -> list[Round]:
    return Item.collection(Shift.key(shift_id).pk, Round.PREFIX)


def change(who: Neighbour, shift_id: str, *, key: str | None = None, **terms: Any) -> Answer:
    terms.setdefault("version", int(gate.stored(shift_id).version))
    given = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in terms.items()}
    return who.post(f"/shifts/{shift_id}/change", json=given, key=key)


def cancel(who: Neighbour, shift_id: str, reason: str = "下雨，改天再守", key: str | None = None) -> Answer:
    return who.post(f"/shifts/{shift_id}/cancel", json={"reason": reason}, key=key)


def walk(shift_id: str, *, times: int = 20) -> None:
    """Let the sweep walk all rounds of a shift to their end."""
    later = clock.now()
    for _ in range(times):
        left = rounds_of(shift_id)
        if not left:
            return
        later += timedelta(minutes=5)
        for each in left:
            if each.due_at <= later:
                timers._run(each, later)
    raise AssertionError(rounds_of(shift_id))


def told(who: Neighbour, topic: str) -> list[Notice]:
    found = Notice.query(resident_partition(who.id), Item.sk.startswith(Notice.PREFIX))
    return [notice for notice in found if notice.topic == topic]


def start_now(shift_id: str, *, ago: timedelta = timedelta(hours=1), left: timedelta = timedelta(hours=3)) -> None:
    """Move a shift and its sign-ups so that it is under way."""
    now = clock.now().replace(second=0, microsecond=0)
    start, end = now - ago, now + left
    gate.in_the_past(shift_id, start=start, end=end)
    for mine in Item.collection(Shift.key(shift_id).pk, SignUp.PREFIX):
        with transaction() as tx:
            tx.update(mine, [SignUp.start_at.set(start), SignUp.end_at.set(end)])


def check_in(who: Neighbour, shift_id: str) -> None:
    with transaction() as tx:
        came = [SignUp.state.set("checked_in"), SignUp.in_at.set(gate.stored(shift_id).start_at)]
        tx.update(SignUp.key(shift_id, who.id), [*came, SignUp.in_by.set("code")])
