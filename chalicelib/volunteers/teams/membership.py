"""A team, read and written: every act is one write on the team as it was read.

What may be done with one: `team_naming` (founding it, too), `team_joining`, `team_leaving`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from chalicelib.content import reviews
from chalicelib.kit import clock
from chalicelib.kit import transaction as transactions
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Action, Item
from chalicelib.kit.transaction import transaction
from chalicelib.people import service as people
from chalicelib.people.service import Person
from chalicelib.volunteers.models import Membership, Team, partition
from chalicelib.volunteers.teams import rules

R = TypeVar("R")


def mine(*, caller: Caller) -> list[Membership]:
    """The teams somebody is in, those of longest standing first: one Query."""
    return sorted(of(caller.id), key=lambda each: each.since)


def of(resident_id: str) -> list[Membership]:
    return Item.collection(partition(resident_id), Membership.PREFIX)


def look(*, caller: Caller, team_id: str) -> Team:
    """A team: of others only one that has a name to show."""
    team = find(team_id)
    if team is None or team.state != "active" or not (team.name or team.member(caller.id)):
        raise rules.TeamGone()
    return team


def find(team_id: str) -> Team | None:
    key = Team.key(team_id)
    return Team.find(key.pk, key.sk)


def read_again(team_id: str) -> Team:
    """After an act: as the table has it now, other people's changes included."""
    team = find(team_id)
    if team is None:
        raise rules.TeamGone()
    return team


def present(caller: Caller, team_id: str, now: datetime) -> tuple[Person, Team]:
    person, [team] = people.present_with(caller, Team.key(team_id), now=now)
    if team is None:
        raise rules.TeamGone()
    return person, team


def led(caller: Caller, team_id: str, attempt: Attempt, now: datetime) -> tuple[Person, Team]:
    """The leader and the team; also the one who was the leader when this very request was answered the first time."""
    person, team = present(caller, team_id, now)
    if not attempt.made(team):
        rules.check_leader(team, person.id)
    return person, team


def called(team: Team) -> str:
    """The team's name in messages."""
    return team.name or rules.UNNAMED


def member(team: Team, resident_id: str) -> dict[str, Any]:
    found = team.member(resident_id)
    if found is None:
        raise rules.TeamMemberUnknown()
    return found


def entry(person: Person, slot: int, now: datetime) -> dict[str, Any]:
    """A member as the team's item keeps them."""
    return {"id": person.id, "name": person.resident.nickname, "since": clock.stamp(now), "slot": slot}


def free_slot(slots: Sequence[Membership | None]) -> int:
    """The first of somebody's places for teams that is free, TooManyTeams when none is."""
    return rules.free_slot({each.slot for each in slots if each})


def without_coming_name(tx: transaction, team: Team, *, now: datetime) -> list[Action]:
    """What changes of the team when nobody needs to decide any more on the name that waits."""
    if team.review:
        reviews.drop(tx, team.review, now=now)
    return Team.set(coming_name=None, review=None)


# Reads and decides anew as long as others change the same team, or decide on its name.
settled = transactions.settled(rules.TryAgain)


def as_read(tx: transaction, team: Team) -> None:
    """Let a transaction depend on the team still being as it was read: nobody has joined, left or taken the lead."""
    tx.check(team, when=Team.version == int(team.version), or_raise=Changed())


def write(tx: transaction, team: Team, change: Sequence[Action]) -> None:
    """Change the team, if it still is as it was read; else Changed is raised at the commit."""
    version = int(team.version)
    tx.update(team, [*change, Team.version.set(version + 1)], when=Team.version == version, or_raise=Changed())


def remember(team: Team, attempt: Attempt) -> list[Action]:
    """A team may live for years: it remembers the latest requests only."""
    return attempt.remember() if len(team.marks or ()) < rules.REMEMBERED else attempt.remember_alone()
