"""Every act on a team, over HTTP as a client does it, and a team's sign-up and withdrawal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalicelib.kit.table import Item
from chalicelib.notices.models import Notice
from chalicelib.people.models import partition as resident_partition
from chalicelib.shifts.models import Round, Shift
from chalicelib.volunteers.models import Membership, Team, TeamCode, partition
from tests.engine.http import Answer
from tests.faults import planning_acts, sign_up_acts
from tests.faults.acts import Act
from tests.faults.help_acts import posting, send, street
from tests.faults.sign_up_acts import gate_with
from tests.volunteers import crew

World = dict[str, Any]


def people() -> World:
    return named(street())


def named(world: World) -> World:
    world["leader"], world["member"] = world["people"]["asker"], world["people"]["helper"]
    return world


def founded(world: World | None = None) -> World:
    """The asker leads the helper."""
    world = world or people()
    return with_team(world, crew.written(world["leader"], [world["member"]]))


def with_team(world: World, team: str) -> World:
    world["team"], world["code"] = team, crew.stored(team).code
    return world


def alone() -> World:
    world = people()
    return with_team(world, crew.written(world["leader"], []))


def before_a_shift() -> World:
    return founded(named(gate_with()))


def on_shift() -> World:
    """The team has both places of a shift, and somebody waits."""
    world = before_a_shift()
    with_the_team(world, "before", "sign-up")
    sign_up_acts.sign_up(world, "waits", "listener")
    return world


def found(world: World, key: str) -> Answer:
    answer = send(world, "asker", "/teams", key, {"name": crew.NAME})
    if answer.status == 201:
        world["team"] = answer.json["id"]
    return answer


def join(world: World, key: str) -> Answer:
    return send(world, "listener", "/teams/join", key, {"code": world["code"]})


def rename(world: World, key: str) -> Answer:
    return send(world, "asker", "/teams/{team}/name", key, {"name": "护企二队"})


def hand_over(world: World, key: str) -> Answer:
    return send(world, "asker", "/teams/{team}/hand-over", key, {"member": world["member"]})


def with_the_team(world: World, key: str, act: str) -> Answer:
    return send(world, "asker", "/shifts/{shift}/team-" + act, key, {"team": world["team"]})


def team_up(world: World, key: str) -> Answer:
    return with_the_team(world, key, "sign-up")


def team_off(world: World, key: str) -> Answer:
    return with_the_team(world, key, "withdraw")


def facts(world: World) -> Any:
    """What the team and its members' lists say, where its code leads, who was told, and who is on the shift."""
    names = {resident: name for name, resident in world["people"].items()}
    team = Team.find(f"TEAM#{world['team']}", "TEAM")
    assert team is not None
    lists = sorted(
        (names[resident], each.name, each.leads, each.team == team.id)
        for resident in names
        for each in Item.collection(partition(resident), Membership.PREFIX)
    )
    members = [(names[each["id"]], each["slot"]) for each in team.members]
    codes = [_leads_here(code, team) for code in (team.code, world.get("code")) if code]
    known = (team.state, team.name, names[team.leader], int(team.version), len(team.marks or ()), bool(team.code))
    told = sorted(
        (names[resident], notice.topic)
        for resident in names
        for notice in Notice.query(resident_partition(resident), Item.sk.startswith(Notice.PREFIX))
    )
    return known, members, lists, codes, told


def facts_of_shift(world: World) -> Any:
    """The same, with who is on the shift."""
    rounds = len(Item.collection(Shift.key(world["shift"]).pk, Round.PREFIX))
    return facts(world), rounds, sign_up_acts.facts(world)


def before_it_hears() -> World:
    world = before_a_shift()
    with_the_team(world, "before", "sign-up")
    return world


def all_heard(world: World) -> Any:
    """What is true when the round has come to its end, however often it was taken up."""
    for _ in range(5):
        if Item.collection(Shift.key(world["shift"]).pk, Round.PREFIX):
            planning_acts.walk(world, "again")
    return facts_of_shift(world)


def _leads_here(code: str, team: Team) -> bool:
    link = TeamCode.key(code)
    found = TeamCode.find(link.pk, link.sk)
    return found is not None and found.team == team.id


def act(name: str, prepare: Callable[[], World], do: Callable[[World, str], Any], path: str) -> Act:
    return Act(name, prepare, do, facts, f"POST {path}")


SIGN_UP, WITHDRAW = "POST /shifts/{shift_id}/team-sign-up", "POST /shifts/{shift_id}/team-withdraw"
LEAVE = "/teams/{team_id}/leave"
THE_WRITE = 3  # after the two reads: what comes then is done again by the repeat, whatever it was
ACTS = [
    act("somebody founds a team", people, found, "/teams"),
    act("somebody joins a team", founded, join, "/teams/join"),
    act("a team gets another name", founded, rename, "/teams/{team_id}/name"),
    act("a team gets another code", founded, posting("asker", "/teams/{team}/code"), "/teams/{team_id}/code"),
    act("a member leaves a team", founded, posting("helper", "/teams/{team}/leave"), LEAVE),
    act("a leader who is alone leaves", alone, posting("asker", "/teams/{team}/leave"), LEAVE),
    act(
        "a member is taken out of a team",
        founded,
        posting("asker", "/teams/{team}/members/{member}/remove"),
        "/teams/{team_id}/members/{member}/remove",
    ),
    act("another member leads", founded, hand_over, "/teams/{team_id}/hand-over"),
    act("a team is dissolved", founded, posting("asker", "/teams/{team}/dissolve"), "/teams/{team_id}/dissolve"),
    Act("a team signs up", before_a_shift, team_up, facts_of_shift, SIGN_UP, one_way_after=THE_WRITE),
    Act(
        "a team withdraws and who waits is let in",
        on_shift,
        team_off,
        facts_of_shift,
        WITHDRAW,
        one_way_after=THE_WRITE,
    ),
    Act("a team hears of its sign-up", before_it_hears, planning_acts.walk, all_heard, "timer shifts.round"),
]
