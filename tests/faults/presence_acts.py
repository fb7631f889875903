"""Checking in and out by code, scan and list; adding people; looking at how to reach them; forgetting guests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from chalicelib.kit import clock, vault
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices.models import Notice
from chalicelib.people import lookups
from chalicelib.people.models import partition
from chalicelib.shifts.models import Guests, SignUp
from chalicelib.volunteers.models import VolunteerNumber
from tests.engine.http import Answer
from tests.faults.acts import Act, when_due
from tests.faults.help_acts import send
from tests.faults.sign_up_acts import gate_with
from tests.shifts import door, gate

World = dict[str, Any]
PERSON = "/shifts/{shift}/people/{person}"


def expected() -> World:
    """Check-in is open; the asker has signed up, the helper has a number."""
    world = gate_with("asker", capacity=5)
    now = clock.now()
    gate.in_the_past(world["shift"], start=now - timedelta(minutes=1), end=now + timedelta(hours=4))
    world["person"], world["number"] = world["people"]["asker"], "7K3M9QXZ" + world["community"]
    link = VolunteerNumber.key(world["number"])
    link.resident_id = world["people"]["helper"]
    with transaction() as tx:
        tx.put(link)
    return world


def here() -> World:
    world = expected()
    by_code("in")(world, "before")
    return world


def with_guest() -> World:
    world = expected()
    add_guest(world, "before")
    return world


def by_code(way: str) -> Callable[[World, str], Answer]:
    """The same code whenever it is asked again: a repeat sends what was sent."""

    def do(world: World, key: str) -> Answer:
        code = world.setdefault("digits", door.digits(world["shift"]))
        return send(world, "asker", f"/shifts/{{shift}}/check-{way}", key, {"code": code})

    return do


def by_scan(way: str) -> Callable[[World, str], Answer]:
    def do(world: World, key: str) -> Answer:
        return send(
            world, "asker", f"/check-{way}s", key, {"scene": world.setdefault("scene", door.scene(world["shift"]))}
        )

    return do


def tick(way: str) -> Callable[[World, str], Answer]:
    return lambda world, key: send(world, "worker", f"{PERSON}/check-{way}", key)


def add_volunteer(world: World, key: str) -> Answer:
    return send(world, "worker", "/shifts/{shift}/people", key, {"volunteer_number": world["number"]})


def add_guest(world: World, key: str) -> Answer:
    return send(world, "worker", "/shifts/{shift}/people", key, {"name": "王阿婆"})


def look(world: World, key: str) -> Answer:
    return send(world, "worker", f"{PERSON}/contact", key, {"reason": "身体不适，联系家人"})


def forget(world: World, key: str) -> None:
    when_due(Guests.key(world["shift"]), clock.now() + timedelta(days=40))


def facts(world: World) -> Any:
    """Who is there in which way, who was told what, who looked, and whether guests' names can be read."""
    guests, stored = Guests.key(world["shift"]), gate.stored(world["shift"])
    everybody: list[SignUp] = Item.collection(guests.pk, SignUp.PREFIX)
    names = {resident: name for name, resident in world["people"].items()}
    notes = sorted(
        (names.get(each.person, "guest"), each.state, _way(each.in_by), _way(each.out_by), len(each.marks or ()))
        for each in everybody
    )
    told = sorted(
        (names[resident], notice.topic)
        for resident in names
        for notice in Notice.query(partition(resident), Item.sk.startswith(Notice.PREFIX))
    )
    looks = len(list(lookups.about(world["person"], cursor=None)))
    return notes, int(stored.taken), told, looks, _readable(guests), Guests.find(guests.pk, guests.sk) is not None


def _way(by: str | None) -> str | None:
    return by if by in (None, "qr", "code", "forgotten") else "list"


def _readable(guests: Guests) -> bool:
    try:
        vault.seal(guests.vault_key, "name", "x")
    except vault.KeyDestroyed:
        return False
    return True


SHIFT = "/shifts/{shift_id}"
ACTS = [
    Act("somebody checks in by code", expected, by_code("in"), facts, f"POST {SHIFT}/check-in"),
    Act("somebody checks out by code", here, by_code("out"), facts, f"POST {SHIFT}/check-out", one_way_after=1),
    Act("somebody scans to check in", expected, by_scan("in"), facts, "POST /check-ins", one_way_after=1),
    Act("somebody scans to check out", here, by_scan("out"), facts, "POST /check-outs", one_way_after=1),
    Act("the organiser ticks off who came", expected, tick("in"), facts, f"POST {SHIFT}/people/{{person_id}}/check-in"),
    Act("the organiser ticks off who left", here, tick("out"), facts, f"POST {SHIFT}/people/{{person_id}}/check-out"),
    Act("the organiser adds a volunteer", expected, add_volunteer, facts, f"POST {SHIFT}/people"),
    Act("the organiser adds a guest", expected, add_guest, facts, f"POST {SHIFT}/people"),
    Act("the organiser looks up a contact", expected, look, facts, f"POST {SHIFT}/people/{{person_id}}/contact"),
    Act("guests are forgotten", with_guest, forget, facts, f"timer {Guests.TIMER}"),
]
