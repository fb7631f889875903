"""Teams over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from chalicelib.kit import clock
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.http import Body, Routes, View
from chalicelib.volunteers.models import Team
from chalicelib.volunteers.teams import joining as team_joining
from chalicelib.volunteers.teams import leaving as team_leaving
from chalicelib.volunteers.teams import membership as teams
from chalicelib.volunteers.teams import naming as team_naming
from chalicelib.volunteers.teams import rules

routes = Routes(__name__)

TeamName = Annotated[str, Meta(max_length=100)]
Id = Annotated[str, Meta(min_length=1, max_length=64)]


class NameTeam(Body, frozen=True):
    """At most 20 characters. It shows once it has passed the check."""

    name: TeamName


class JoinTeam(Body, frozen=True):
    """`code` as the leader told it; small letters, spaces and hyphens do no harm."""

    code: Annotated[str, Meta(max_length=40)]


class HandOver(Body, frozen=True):
    """`member`: who leads from now on."""

    member: Id


class MemberView(View, frozen=True):
    id: str
    name: str
    since: datetime
    leads: bool


class TeamView(View, frozen=True):
    """A team as the caller may see it: names to its members only, code and a name in review to its leader only.

    `name` is null while the first one waits for a verdict.
    """

    id: str
    name: str | None
    coming_name: str | None
    size: int
    leading: bool
    code: str | None
    members: list[MemberView]


class MyTeamView(View, frozen=True):
    """`name` is null while the first one waits for a verdict."""

    id: str
    name: str | None
    leading: bool
    since: datetime


class MyTeams(View, frozen=True):
    items: list[MyTeamView]


def team_view(team: Team, caller: Caller) -> TeamView:
    inside, leading = rules.is_in(team, caller.id), team.leader == caller.id
    members = [
        MemberView(
            id=each["id"],
            name=each["name"],
            since=clock.local(clock.from_stamp(each["since"])),
            leads=each["id"] == team.leader,
        )
        for each in team.members
    ]
    return TeamView(
        id=team.id,
        name=team.name,
        coming_name=team.coming_name if leading else None,
        size=len(members),
        leading=leading,
        code=team.code if leading else None,
        members=members if inside else [],
    )


@routes.post("/teams", status=201)
def found(caller: Caller, body: NameTeam, attempt: Attempt, now: datetime) -> TeamView:
    """Found a team and lead it. The answer has the code that invites others."""
    return team_view(team_naming.found(caller=caller, typed=body.name, attempt=attempt, now=now), caller)


@routes.get("/teams/mine")
def mine(caller: Caller) -> MyTeams:
    """The teams I am in."""
    found = teams.mine(caller=caller)
    return MyTeams(
        items=[
            MyTeamView(id=each.team, name=each.name, leading=each.leads, since=clock.local(each.since))
            for each in found
        ]
    )


@routes.post("/teams/join")
def join(caller: Caller, body: JoinTeam, attempt: Attempt, now: datetime) -> TeamView:
    """Become a member by the leader's code."""
    return team_view(team_joining.join(caller=caller, code=body.code, attempt=attempt, now=now), caller)


@routes.get("/teams/{team_id}")
def look(caller: Caller, team_id: str) -> TeamView:
    """A team; who is in it is for its members."""
    return team_view(teams.look(caller=caller, team_id=team_id), caller)


@routes.post("/teams/{team_id}/name")
def rename(caller: Caller, team_id: str, body: NameTeam, attempt: Attempt, now: datetime) -> TeamView:
    """Give the team another name."""
    team = team_naming.rename(caller=caller, team_id=team_id, typed=body.name, attempt=attempt, now=now)
    return team_view(team, caller)


@routes.post("/teams/{team_id}/code")
def renew_code(caller: Caller, team_id: str, attempt: Attempt, now: datetime) -> TeamView:
    """Another code; the old one stops at once."""
    return team_view(team_joining.renew_code(caller=caller, team_id=team_id, attempt=attempt, now=now), caller)


@routes.post("/teams/{team_id}/leave")
def leave(caller: Caller, team_id: str, attempt: Attempt, now: datetime) -> None:
    """Leave the team; what I have signed up for stays mine."""
    team_leaving.leave(caller=caller, team_id=team_id, attempt=attempt, now=now)


@routes.post("/teams/{team_id}/members/{member}/remove")
def remove(caller: Caller, team_id: str, member: str, attempt: Attempt, now: datetime) -> TeamView:
    """Take somebody out of the team."""
    team = team_leaving.remove(caller=caller, team_id=team_id, member=member, attempt=attempt, now=now)
    return team_view(team, caller)


@routes.post("/teams/{team_id}/hand-over")
def hand_over(caller: Caller, team_id: str, body: HandOver, attempt: Attempt, now: datetime) -> TeamView:
    """Let another member lead."""
    team = team_leaving.hand_over(caller=caller, team_id=team_id, member=body.member, attempt=attempt, now=now)
    return team_view(team, caller)


@routes.post("/teams/{team_id}/dissolve")
def dissolve(caller: Caller, team_id: str, attempt: Attempt, now: datetime) -> None:
    """End the team; everybody in it is told."""
    team_leaving.dissolve(caller=caller, team_id=team_id, attempt=attempt, now=now)
