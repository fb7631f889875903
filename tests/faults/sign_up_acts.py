"""Signing up for a shift, waiting for a place, and withdrawing, also when somebody else gets the place."""

from __future__ import annotations

from typing import Any

from chalicelib.kit.table import Item
from chalicelib.notices.models import Notice
from chalicelib.people.models import partition
from chalicelib.shifts.models import Shift, SignUp, Waiting
from chalicelib.volunteers.models import Volunteer
from tests.engine.http import Answer
from tests.faults.acts import Act
from tests.faults.help_acts import send, street
from tests.shifts import gate

World = dict[str, Any]


def gate_with(*signed_up: str, capacity: int = 2) -> World:
    """A shift, and these people on it or on its queue."""
    world = street()
    for resident in world["people"].values():
        gate.approve_in(resident, world["community"])
    world["shift"] = gate.shift_in(world["community"], organiser=world["people"]["worker"], capacity=capacity)
    for who in signed_up:
        sign_up(world, f"before {who}".replace(" ", "-"), who)
    return world


def sign_up(world: World, key: str, who: str = "asker") -> Answer:
    return send(world, who, "/shifts/{shift}/sign-up", key, {"wait": True})


def withdraw(world: World, key: str) -> Answer:
    return send(world, "asker", "/shifts/{shift}/withdraw", key)


def facts(world: World) -> Any:
    """Who is where, whose time is taken, who was told, without ids and times."""
    shift = gate.stored(world["shift"])
    names = {resident: name for name, resident in world["people"].items()}
    queue = [names[ticket.person] for ticket in Item.collection(shift.pk, Waiting.PREFIX)]
    places = sorted((names[each.person], each.state) for each in Item.collection(shift.pk, SignUp.PREFIX))
    taken = sorted(names[resident] for resident in names if Volunteer.fetch(*_key(Volunteer.key(resident))).taken)
    told = sorted(
        (names[resident], notice.topic)
        for resident in names
        for notice in Notice.query(partition(resident), Item.sk.startswith(Notice.PREFIX))
    )
    return int(shift.taken), int(shift.waiting), queue, places, taken, told


def _key(item: Shift | Volunteer) -> tuple[str, str]:
    return item.pk, item.sk


SIGN_UP, WITHDRAW = "POST /shifts/{shift_id}/sign-up", "POST /shifts/{shift_id}/withdraw"
ACTS = [
    Act("a volunteer takes a place", gate_with, sign_up, facts, SIGN_UP),
    Act("a volunteer waits for a place", lambda: gate_with("helper", "listener", "worker"), sign_up, facts, SIGN_UP),
    Act("a volunteer withdraws", lambda: gate_with("asker", "helper"), withdraw, facts, WITHDRAW),
    Act(
        "a volunteer withdraws and the next one is let in",
        lambda: gate_with("asker", "helper", "listener", "worker"),
        withdraw,
        facts,
        WITHDRAW,
    ),
    Act(
        "a volunteer leaves the queue",
        lambda: gate_with("helper", "asker", "worker", capacity=1),
        withdraw,
        facts,
        WITHDRAW,
    ),
]
