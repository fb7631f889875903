"""Signing a team up over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from chalicelib.kit import clock
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.http import Body, Routes, View
from chalicelib.shifts.places import teams as team_sign_ups
from chalicelib.shifts.places.teams import TeamOnShift

routes = Routes(__name__)


class WithTeam(Body, frozen=True):
    """`team`: the id of a team that the caller leads."""

    team: Annotated[str, Meta(min_length=1, max_length=64)]


class OnShiftView(View, frozen=True):
    """One of the team. `state` as in a sign-up: signed_up, cancelled, …"""

    id: str
    name: str
    state: str


class TeamSignUpView(View, frozen=True):
    """The members who are, or were, signed up with the team."""

    shift: str
    team: str
    team_name: str | None
    title: str
    place: str
    start: datetime
    end: datetime
    members: list[OnShiftView]


def team_sign_up_view(done: TeamOnShift) -> TeamSignUpView:
    members = [OnShiftView(id=each.person, name=each.name, state=each.state) for each in done.sign_ups]
    return TeamSignUpView(
        shift=done.shift.id,
        team=done.team.id,
        team_name=done.team.name,
        title=done.shift.title,
        place=done.shift.place,
        start=clock.local(done.shift.start_at),
        end=clock.local(done.shift.end_at),
        members=members,
    )


@routes.post("/shifts/{shift_id}/team-sign-up", status=201)
def team_sign_up(caller: Caller, shift_id: str, body: WithTeam, attempt: Attempt, now: datetime) -> TeamSignUpView:
    """Sign my team up: all of its members, or none."""
    done = team_sign_ups.sign_up(caller=caller, shift_id=shift_id, team_id=body.team, attempt=attempt, now=now)
    return team_sign_up_view(done)


@routes.post("/shifts/{shift_id}/team-withdraw")
def team_withdraw(caller: Caller, shift_id: str, body: WithTeam, attempt: Attempt, now: datetime) -> TeamSignUpView:
    """Take my team off a shift before it starts: all who are signed up with it."""
    done = team_sign_ups.withdraw(caller=caller, shift_id=shift_id, team_id=body.team, attempt=attempt, now=now)
    return team_sign_up_view(done)
