"""Joining a team by the code that its leader gives out and renews."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from chalicelib.kit import limits
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed
from chalicelib.kit.ids import as_typed
from chalicelib.kit.table import read_together
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import service as people
from chalicelib.people.service import Person
from chalicelib.volunteers.models import Membership, Team, TeamCode
from chalicelib.volunteers.teams import membership as teams
from chalicelib.volunteers.teams import rules


@teams.settled
def renew_code(*, caller: Caller, team_id: str, attempt: Attempt, now: datetime) -> Team:
    """Another code; the old one stops with the same write."""
    person, team = teams.led(caller, team_id, attempt, now)
    if attempt.made(team):
        return team
    old, team.code = TeamCode.to(team), attempt.code()
    with person.acting() as tx:
        limits.spend(tx, person.id, "team_code", at_most=rules.CODES_A_DAY, per=timedelta(days=1), now=now)
        tx.create(TeamCode.to(team), or_raise=Changed())
        tx.delete(old)
        teams.write(tx, team, [Team.code.set(team.code), *teams.remember(team, attempt)])
    return team


def join(*, caller: Caller, code: str, attempt: Attempt, now: datetime) -> Team:
    """Become a member by the code that the leader gave out. Tries are limited, right and wrong ones alike."""
    person, slots = people.present_with(caller, *Membership.slots(caller.id), now=now)
    repeated = _joined(slots, attempt)
    if repeated is not None:
        return repeated
    with transaction() as tx:  # in a write of its own, or wrong guesses would not count
        hour = timedelta(hours=1)
        limits.spend(tx, person.id, "team_join", at_most=rules.CODES_TRIED_AN_HOUR, per=hour, now=now)
    link = TeamCode.key(as_typed(code))
    link = TeamCode.fetch(link.pk, link.sk, or_raise=rules.TeamCodeUnknown())

    @teams.settled
    def become_member() -> Team:
        team, *slots = read_together(Team.key(link.team), *Membership.slots(caller.id))
        repeated = _joined(slots, attempt)
        if repeated is not None:
            return repeated
        if team is None or team.state != "active" or team.code != as_typed(code):
            raise rules.TeamCodeUnknown()
        rules.check_joining(team, person.id)
        slot = teams.free_slot(slots)
        _add(team, person, slot, attempt, now)
        return teams.read_again(team.id)

    return become_member()


def _add(team: Team, person: Person, slot: int, attempt: Attempt, now: datetime) -> None:
    membership = Membership.of(team, person.id, slot, now)
    membership.marks = attempt.marks()
    with person.acting() as tx:
        tx.create(membership, or_raise=Changed())
        teams.write(tx, team, [Team.members.set([*team.members, teams.entry(person, slot, now)])])
        facts = {"who": person.resident.nickname, "team": teams.called(team)}
        notices.tell(tx, team.leader, "team_joined", about=team.id, now=now, **facts)


def _joined(slots: Sequence[Membership | None], attempt: Attempt) -> Team | None:
    """The team that this very request has joined before."""
    membership = next((each for each in slots if each and attempt.made(each)), None)
    return teams.read_again(membership.team) if membership else None
