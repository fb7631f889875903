"""Who leaves a team, is taken out of it, passes it on or ends it.

What was signed up for with it stays everybody's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from chalicelib.kit import limits
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Action
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.volunteers.models import Membership, Team, TeamCode
from chalicelib.volunteers.teams import membership as teams
from chalicelib.volunteers.teams import rules


@teams.settled
def leave(*, caller: Caller, team_id: str, attempt: Attempt, now: datetime) -> None:
    """Leave a team. What was signed up for with it stays one's own. A leader who is alone dissolves it."""
    person, team = teams.present(caller, team_id, now)
    if attempt.made(team):
        return
    if not rules.is_in(team, person.id):
        raise rules.TeamGone()
    if team.leader == person.id and len(team.members) > 1:
        raise rules.LeaderStays()
    with person.acting() as tx:
        if team.leader == person.id:
            end(tx, team, now=now, also=teams.remember(team, attempt))
        else:
            take_out(tx, team, person.id, also=teams.remember(team, attempt))
            facts = {"who": person.resident.nickname, "team": teams.called(team)}
            notices.tell(tx, team.leader, "team_left", about=team.id, now=now, **facts)


def remove(*, caller: Caller, team_id: str, member: str, attempt: Attempt, now: datetime) -> Team:
    """The leader takes somebody out of the team, who is told."""

    @teams.settled
    def put_out() -> None:
        person, team = teams.led(caller, team_id, attempt, now)
        if attempt.made(team):
            return
        if member == person.id:
            raise rules.NotOneself()
        with person.acting() as tx:
            take_out(tx, team, member, also=teams.remember(team, attempt))
            notices.tell(tx, member, "team_removed", about=team.id, now=now, team=teams.called(team))

    put_out()
    return teams.read_again(team_id)


def hand_over(*, caller: Caller, team_id: str, member: str, attempt: Attempt, now: datetime) -> Team:
    """Another member leads from now on, and is told."""

    @teams.settled
    def pass_on() -> None:
        person, team = teams.led(caller, team_id, attempt, now)
        if attempt.made(team):
            return
        if member == person.id:
            raise rules.NotOneself()
        with person.acting() as tx:
            own = teams.member(team, person.id)
            tx.update(Membership.key(person.id, own["slot"]), [Membership.leads.set(False)], or_raise=Changed())
            teams.write(tx, team, [*leads_now(tx, team, member, now=now), *teams.remember(team, attempt)])
            a_day = rules.HAND_OVERS_A_DAY
            limits.spend(tx, person.id, "team_hand_over", at_most=a_day, per=timedelta(days=1), now=now)

    pass_on()
    return teams.read_again(team_id)


@teams.settled
def dissolve(*, caller: Caller, team_id: str, attempt: Attempt, now: datetime) -> None:
    """The leader ends the team; everybody else is told, and keeps what was signed up for."""
    person, team = teams.led(caller, team_id, attempt, now)
    if attempt.made(team):
        return
    with person.acting() as tx:
        end(tx, team, now=now, also=teams.remember(team, attempt))


def take_out(tx: transaction, team: Team, resident_id: str, *, also: Sequence[Action] = ()) -> None:
    """Somebody is in the team no more: TeamMemberUnknown when they were not."""
    member = teams.member(team, resident_id)
    others = [each for each in team.members if each["id"] != resident_id]
    tx.delete(Membership.key(resident_id, member["slot"]))
    teams.write(tx, team, [Team.members.set(others), *also])


def leads_now(tx: transaction, team: Team, resident_id: str, *, now: datetime) -> list[Action]:
    """What changes of the team when another member leads, who is told.

    The code stays: the old leader gave it out. A name that has not passed is the old leader's text, and goes with them.
    """
    member = teams.member(team, resident_id)
    tx.update(Membership.key(resident_id, member["slot"]), [Membership.leads.set(True)], or_raise=Changed())
    notices.tell(tx, resident_id, "team_yours", about=team.id, now=now, team=teams.called(team))
    return [Team.leader.set(resident_id), *teams.without_coming_name(tx, team, now=now)]


def end(tx: transaction, team: Team, *, now: datetime, also: Sequence[Action] = ()) -> None:
    """The team is dissolved, all but the leader are told: 45 memberships, 44 messages and a few items at most."""
    for each in team.members:
        tx.delete(Membership.key(each["id"], each["slot"]))
        if each["id"] != team.leader:
            notices.tell(tx, each["id"], "team_dissolved", about=team.id, now=now, team=teams.called(team))
    if team.code:
        tx.delete(TeamCode.to(team))
    gone = [*Team.set(code=None, name=None), *teams.without_coming_name(tx, team, now=now)]
    over = Team.set(state="dissolved", members=[], expires_at=_forgotten_at(now))
    teams.write(tx, team, [*over, *gone, *also])


def _forgotten_at(now: datetime) -> int:
    return int((now + rules.KEPT_AFTER_THE_END).timestamp())
