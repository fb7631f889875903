"""What teams say about a person: for the copy of their data, and when they leave."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from chalicelib.kit import clock
from chalicelib.kit.transaction import transaction
from chalicelib.people import personal_data
from chalicelib.people.personal_data import Named
from chalicelib.volunteers.models import Membership, Team
from chalicelib.volunteers.teams import leaving as team_leaving
from chalicelib.volunteers.teams import membership as teams


@personal_data.section("志愿小队")
def export(resident_id: str) -> Iterable[dict[str, Any]]:
    for membership in teams.of(resident_id):
        team = teams.find(membership.team)
        coming = team.coming_name if team and membership.leads else None
        yield {
            "小队": membership.name or "队名审核中",
            "身份": "队长" if membership.leads else "队员",
            "加入时间": clock.spoken(membership.since),
            "等待审核的队名": coming or "",
        }


@personal_data.eraser
def erase(resident_id: str, *, now: datetime) -> None:
    """They leave their teams. Who was there longest leads from then on, and is told; the last one's is dissolved."""
    for membership in teams.of(resident_id):
        _leave(membership, resident_id, now)


@personal_data.renamer
def rename(named: Named) -> None:
    for membership in teams.of(named.id):
        _show(membership.team, named)


@teams.settled
def _show(team_id: str, named: Named) -> None:
    team = teams.find(team_id)
    mine = team.member(named.id) if team else None
    if team is None or mine is None or mine["name"] == named.nickname:
        return
    members = [{**each, "name": named.nickname} if each["id"] == named.id else each for each in team.members]
    with transaction() as tx:
        named.still(tx)
        teams.write(tx, team, [Team.members.set(members)])


@teams.settled
def _leave(membership: Membership, resident_id: str, now: datetime) -> None:
    team = teams.find(membership.team)
    if team is None or team.member(resident_id) is None:
        return
    successor = next((each["id"] for each in team.members if each["id"] != resident_id), None)
    with transaction() as tx:
        if successor is None:
            team_leaving.end(tx, team, now=now)
        elif team.leader == resident_id:
            passed_on = team_leaving.leads_now(tx, team, successor, now=now)
            team_leaving.take_out(tx, team, resident_id, also=passed_on)
        else:
            team_leaving.take_out(tx, team, resident_id)
