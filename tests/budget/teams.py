"""What teams cost: forming one, and signing nine workers up at once."""

from __future__ import annotations

from tests.budget.acts import Act, Town, act
from tests.budget.planning import its_round
from tests.budget.sign_up import volunteer
from tests.neighbourhood import Neighbour
from tests.shifts import gate
from tests.volunteers import crew


def crew_of(town: Town, number: int) -> tuple[Neighbour, list[Neighbour], str]:
    """A leader, the others, and their team."""
    leader, *others = (volunteer(town) for _ in range(number))
    return leader, others, crew.written(leader.id, [each.id for each in others])


@act("POST /teams")
def found(town: Town) -> Act:
    leader = town.resident()
    return lambda: crew.found(leader)


@act("GET /teams/mine")
def mine(town: Town) -> Act:
    leader, _, _ = crew_of(town, 9)
    return lambda: leader.get("/teams/mine")


@act("POST /teams/join")
def join(town: Town) -> Act:
    _, _, team = crew_of(town, 9)
    newcomer, code = town.resident(), str(crew.stored(team).code)
    return lambda: crew.join(newcomer, code)


@act("GET /teams/{team_id}")
def look(town: Town) -> Act:
    leader, _, team = crew_of(town, 9)
    return lambda: leader.get(f"/teams/{team}")


@act("POST /teams/{team_id}/name")
def rename(town: Town) -> Act:
    leader, _, team = crew_of(town, 9)
    return lambda: leader.post(f"/teams/{team}/name", json={"name": "护企二队"})


@act("POST /teams/{team_id}/code")
def renew_code(town: Town) -> Act:
    leader, _, team = crew_of(town, 9)
    return lambda: leader.post(f"/teams/{team}/code")


@act("POST /teams/{team_id}/leave")
def leave(town: Town) -> Act:
    _, others, team = crew_of(town, 9)
    return lambda: others[0].post(f"/teams/{team}/leave")


@act("POST /teams/{team_id}/members/{member}/remove")
def remove(town: Town) -> Act:
    leader, others, team = crew_of(town, 9)
    return lambda: leader.post(f"/teams/{team}/members/{others[0].id}/remove")


@act("POST /teams/{team_id}/hand-over")
def hand_over(town: Town) -> Act:
    leader, others, team = crew_of(town, 9)
    return lambda: leader.post(f"/teams/{team}/hand-over", json={"member": others[0].id})


@act("POST /teams/{team_id}/dissolve")
def dissolve(town: Town) -> Act:
    leader, _, team = crew_of(town, 9)
    return lambda: leader.post(f"/teams/{team}/dissolve")


@act("POST /shifts/{shift_id}/team-sign-up (nine)")
def sign_up(town: Town) -> Act:
    (leader, _, team), shift = crew_of(town, 9), gate.shift(town)
    return lambda: leader.post(f"/shifts/{shift}/team-sign-up", json={"team": team})


@act("timer shifts.round (eight hear that their team comes)")
def tell_the_team(town: Town) -> Act:
    (leader, _, team), shift = crew_of(town, 9), gate.shift(town)
    leader.post(f"/shifts/{shift}/team-sign-up", json={"team": team})
    return its_round(shift)


@act("POST /shifts/{shift_id}/team-sign-up (the same again)")
def sign_up_again(town: Town) -> Act:
    (leader, _, team), shift = crew_of(town, 2), gate.shift(town)
    leader.post(f"/shifts/{shift}/team-sign-up", json={"team": team}, key="a")
    return lambda: leader.post(f"/shifts/{shift}/team-sign-up", json={"team": team}, key="a")


@act("POST /shifts/{shift_id}/team-withdraw (nine)")
def withdraw(town: Town) -> Act:
    (leader, _, team), shift = crew_of(town, 9), gate.shift(town)
    leader.post(f"/shifts/{shift}/team-sign-up", json={"team": team})
    return lambda: leader.post(f"/shifts/{shift}/team-withdraw", json={"team": team})


@act("POST /shifts/{shift_id}/team-withdraw (two, and two who wait are let in)")
def withdraw_for_others(town: Town) -> Act:
    (leader, _, team), shift = crew_of(town, 2), gate.shift(town, capacity=2)
    leader.post(f"/shifts/{shift}/team-sign-up", json={"team": team})
    for _ in range(2):
        gate.signed_up(volunteer(town), shift, wait=True)
    return lambda: leader.post(f"/shifts/{shift}/team-withdraw", json={"team": team})
