"""Teams for tests: founded by their leader, joined by code.

team = crew.team(leader, [chen, li])
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from chalicelib.kit import clock, ids
from chalicelib.kit.errors import Conflict
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.volunteers.models import Membership, Team, TeamCode, partition
from tests.engine.http import Answer
from tests.neighbourhood import Neighbour

NAME = "工人护企队"


def found(leader: Neighbour, name: str = NAME, *, key: str | None = None) -> Answer:
    return leader.post("/teams", json={"name": name}, key=key)


def join(who: Neighbour, code: str, *, key: str | None = None) -> Answer:
    return who.post("/teams/join", json={"code": code}, key=key)


def team(leader: Neighbour, members: Sequence[Neighbour] = (), name: str = NAME) -> str:
    """Founded and joined over HTTP."""
    made = found(leader, name)
    assert made.status == 201, made
    for member in members:
        answer = join(member, made.json["code"])
        assert answer.status == 200, answer
    team_id: str = made.json["id"]
    return team_id


def written(
    leader: str, members: Iterable[str], name: str = NAME, *, slot: int = 1, now: datetime | None = None
) -> str:
    """The same, written at once: ids instead of neighbours. `slot`: the place among the teams of each."""
    made, now = Team.key(ids.new_id("team")), now or clock.now()
    made.name, made.leader, made.code, made.created_at, made.version = name, leader, ids.pick_up_code(), now, 1
    made.members = [
        {"id": each, "name": f"队员{number}", "since": clock.stamp(now), "slot": slot}
        for number, each in enumerate((leader, *members), start=1)
    ]
    link = TeamCode.key(made.code)
    link.team = made.id
    with transaction() as tx:
        tx.create(made, or_raise=Conflict())
        tx.create(link, or_raise=Conflict())
        for each in made.members:
            membership = Membership.key(each["id"], slot)
            membership.team, membership.name, membership.since = made.id, name, now
            membership.leads = each["id"] == leader
            tx.create(membership, or_raise=Conflict())
    return made.id


def stored(team_id: str) -> Team:
    key = Team.key(team_id)
    return Team.fetch(key.pk, key.sk)


def teams_of(who: Neighbour) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = who.get("/teams/mine").json["items"]
    return items


def holds_together(team_id: str, *concerned: Neighbour) -> Team:
    """The team, after checking that its members' own lists say what it says, and that its code leads to it."""
    found = stored(team_id)
    ids_in = [each["id"] for each in found.members]
    assert len(set(ids_in)) == len(ids_in)
    assert (found.state == "active") == (found.leader in ids_in)
    for each in found.members:
        own = Membership.fetch(partition(each["id"]), f"TEAM#{each['slot']}")
        assert (own.team, own.name, own.leads) == (found.id, found.name, each["id"] == found.leader)
    for who in concerned:
        listed: list[Membership] = Item.collection(partition(who.id), Membership.PREFIX)
        assert sum(each.team == team_id for each in listed) == ids_in.count(who.id)
    if found.code:
        link = TeamCode.key(found.code)
        assert TeamCode.fetch(link.pk, link.sk).team == team_id
    return found
