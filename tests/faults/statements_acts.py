"""Recording beside a volunteer's hours, revoking it, and certifying the hours, over HTTP as a client does it."""

from __future__ import annotations

from typing import Any

from chalicelib.kit import vault
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices.models import Notice
from chalicelib.people.models import partition as resident_partition
from chalicelib.volunteers.models import Entry, Register, Statement, Volunteer, partition
from chalicelib.volunteers.records import hours as records
from tests.engine.http import Answer
from tests.faults.acts import Act
from tests.faults.help_acts import posting, send, street
from tests.volunteers import hours

World = dict[str, Any]


def period(world: World) -> dict[str, str]:
    return {"from": f"{world['today'] - hours.YEAR}", "to": f"{world['today']}"}


def served() -> World:
    """The street; who asks for help there is a volunteer with hours of two shifts."""
    world = street()
    world["today"] = hours.today()
    who = world["volunteer"] = world["people"]["asker"]
    vault.open_for(who)
    file = Volunteer.key(who)
    file.state, file.area, file.version = "approved", world["community"], 1
    file.name_sealed = vault.seal(who, "name", "陈建君")
    with transaction() as tx:
        tx.put(file)
        records.changed(tx, who)
        for days in (1, 2):
            tx.put(hours.record(who, days_ago=days))
    return world


def note(world: World, key: str) -> Answer:
    answer = send(world, "worker", "/volunteers/{volunteer}/entries", key, hours.training())
    if answer.status == 201:
        world["entry"] = answer.json["id"]
    return answer


def certified() -> World:
    """With a statement."""
    world = served()
    send(world, "asker", "/me/statements", "first", period(world))
    return world


def trained() -> World:
    """With a training on file and a statement that shows it."""
    world = served()
    note(world, "noted")
    send(world, "asker", "/me/statements", "first", period(world))
    return world


def facts(world: World) -> Any:
    """What is stored of the volunteer, and who was told, without ids and times."""
    who = world["volunteer"]
    found = Item.collection(partition(who))
    told = Notice.query(resident_partition(who), Item.sk.startswith(Notice.PREFIX))
    issued = [item for item in Item.by_person.query(Statement.of(who)) if isinstance(item, Statement)]
    used = [
        int(item.used) for person in ("asker", "worker") for item in Item.collection(f"LIMIT#{world['people'][person]}")
    ]
    return (
        sorted((entry.what, entry.state, len(entry.marks or ())) for entry in found if isinstance(entry, Entry)),
        [(len(item.issued), int(item.version)) for item in found if isinstance(item, Register)],
        sorted((each.state, int(each.minutes), bool(each.superseded_by), each.reason) for each in issued),
        sorted(notice.topic for notice in told),
        sorted(used),
    )


ACTS = [
    Act("staff record a training", served, note, facts, "POST /volunteers/{resident_id}/entries"),
    Act(
        "staff revoke what a statement shows",
        trained,
        posting("worker", "/volunteers/{volunteer}/entries/{entry}/revoke", {"reason": "证书编号查无此人"}),
        facts,
        "POST /volunteers/{resident_id}/entries/{entry_id}/revoke",
    ),
    Act(
        "a volunteer is issued a statement in the place of an earlier one",
        certified,
        posting("asker", "/me/statements", period),
        facts,
        "POST /me/statements",
    ),
]
