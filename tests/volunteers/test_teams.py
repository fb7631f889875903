"""Teams: founding, joining by code, leaving, leading."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.content.models import Review
from chalicelib.kit import clock
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.people import personal_data
from chalicelib.volunteers.models import Team, TeamCode
from chalicelib.volunteers.teams import rules
from local.wechat import catalogue
from tests.engine.meanwhile import meanwhile
from tests.neighbourhood import Hood, Neighbour
from tests.points.books import at_once
from tests.volunteers import crew

RISKY = next(iter(catalogue.RISKY_WORDS))
DOUBTFUL = next(iter(catalogue.REVIEW_WORDS))


@pytest.fixture
def chen(hood: Hood) -> Neighbour:
    return hood.resident("陈建君")


def fill(team_id: str, up_to: int) -> None:
    """Members who are only names, written into the team."""
    team = crew.stored(team_id)
    more = [
        {"id": f"res_{number}", "name": f"工人{number}", "since": clock.stamp(clock.now()), "slot": 1}
        for number in range(up_to - len(team.members))
    ]
    with transaction() as tx:
        tx.update(team, [Team.members.set([*team.members, *more])])


def review_of(author: Neighbour) -> Review:
    found = [each for each in Item.by_person.query(f"REVIEWS#{author.id}") if isinstance(each, Review)]
    return found[-1]


class TestFounding:
    def test_who_founds_a_team_leads_it_and_gets_a_code_for_the_others(self, chen: Neighbour) -> None:
        made = crew.found(chen, "  工人 护企队 ").json
        assert (made["name"], made["size"], made["leading"]) == ("工人 护企队", 1, True)
        assert len(made["code"]) == 8
        assert [(each["name"], each["leads"]) for each in made["members"]] == [("邻居" + chen.id[-4:].upper(), True)]
        assert [(each["id"], each["leading"]) for each in crew.teams_of(chen)] == [(made["id"], True)]
        crew.holds_together(made["id"], chen)

    def test_a_repeat_founds_no_second_one_and_another_name_under_its_key_is_refused(self, chen: Neighbour) -> None:
        first, again = crew.found(chen, key="k"), crew.found(chen, key="k")
        assert first.json == again.json
        assert len(crew.teams_of(chen)) == 1
        assert crew.found(chen, "别的队", key="k").code == "idempotency_key_reused"

    def test_the_repeat_of_founding_a_team_that_is_gone_does_not_found_it_again(self, chen: Neighbour) -> None:
        made = crew.found(chen, key="k").json
        chen.post(f"/teams/{made['id']}/dissolve")
        assert crew.found(chen, key="k").code == "team_not_found"
        assert crew.teams_of(chen) == []

    @pytest.mark.parametrize("name", ["", " ", "——", "队" * 21, "护企\u200b队"])
    def test_a_name_that_nobody_can_read_is_refused(self, chen: Neighbour, name: str) -> None:
        answer = crew.found(chen, name)
        assert (answer.status, answer.code) == (422, "team_name_invalid")
        assert "name" in answer.wrong
        assert crew.teams_of(chen) == []

    def test_who_has_not_said_where_they_live_is_told_so(self, hood: Hood) -> None:
        newcomer = hood.somebody()
        newcomer.consent()
        assert crew.found(newcomer).code == "home_needed"

    def test_nobody_is_in_more_than_five_teams(self, hood: Hood, chen: Neighbour) -> None:
        sixth = crew.found(hood.resident()).json["code"]
        for number in range(rules.TEAMS_AT_MOST):
            crew.team(chen, name=f"第{number}队")
        assert crew.found(chen).code == crew.join(chen, sixth).code == "too_many_teams"
        assert len(crew.teams_of(chen)) == rules.TEAMS_AT_MOST
        chen.post(f"/teams/{crew.teams_of(chen)[2]['id']}/leave")
        assert crew.join(chen, sixth).status == 200

    def test_of_teams_founded_at_once_no_more_come_to_be_than_one_may_be_in(self, chen: Neighbour) -> None:
        answers = at_once(8, lambda number: crew.found(chen, f"第{number}队"))
        assert {answer.code for answer in answers} <= {None, "too_many_teams", "changed_meanwhile", "server_busy"}
        assert sum(answer.status == 201 for answer in answers) == len(crew.teams_of(chen)) <= rules.TEAMS_AT_MOST


class TestTheName:
    def test_a_risky_one_is_refused_and_nothing_is_kept(self, chen: Neighbour) -> None:
        assert crew.found(chen, f"护企{RISKY}").code == "content_refused"
        assert crew.teams_of(chen) == []

    def test_a_doubtful_one_is_seen_by_the_leader_alone_until_it_has_passed(self, hood: Hood, chen: Neighbour) -> None:
        li, stranger, moderator = hood.resident("李菊"), hood.resident(), hood.staff("moderator")
        made = crew.found(chen, f"护企{DOUBTFUL}").json
        path = f"/teams/{made['id']}"
        assert (made["name"], made["coming_name"]) == (None, f"护企{DOUBTFUL}")
        assert DOUBTFUL not in crew.join(li, made["code"]).text + li.get(path).text + li.get("/teams/mine").text
        assert stranger.get(path).code == "team_not_found"
        decided = moderator.post(f"/reviews/{review_of(chen).id}/decide", json={"decision": "approve"})
        assert decided.status == 200, decided
        assert stranger.get(path).json["name"] == f"护企{DOUBTFUL}"
        assert crew.holds_together(made["id"], chen, li).coming_name is None
        assert crew.teams_of(li)[0]["name"] == f"护企{DOUBTFUL}"

    def test_after_a_refusal_the_leader_gives_another_one(self, hood: Hood, chen: Neighbour) -> None:
        made, moderator = crew.found(chen, f"护企{DOUBTFUL}").json, hood.staff("moderator")
        body = {"decision": "refuse", "reason": "广告"}
        assert moderator.post(f"/reviews/{review_of(chen).id}/decide", json=body).status == 200
        path = f"/teams/{made['id']}"
        assert (chen.get(path).json["name"], chen.get(path).json["coming_name"]) == (None, None)
        assert chen.post(f"{path}/name", json={"name": crew.NAME}).json["name"] == crew.NAME
        crew.holds_together(made["id"], chen)

    def test_a_new_name_shows_once_it_has_passed_and_a_newer_one_takes_its_place(
        self, hood: Hood, chen: Neighbour
    ) -> None:
        team, moderator = crew.team(chen), hood.staff("moderator")
        waiting = chen.post(f"/teams/{team}/name", json={"name": f"{DOUBTFUL}队"}).json
        assert (waiting["name"], waiting["coming_name"]) == (crew.NAME, f"{DOUBTFUL}队")
        first = review_of(chen).id
        assert chen.post(f"/teams/{team}/name", json={"name": "护企二队"}, key="k").json["name"] == "护企二队"
        assert chen.post(f"/teams/{team}/name", json={"name": "护企二队"}, key="k").json["name"] == "护企二队"
        late = moderator.post(f"/reviews/{first}/decide", json={"decision": "approve"})
        assert late.code == "already_decided"
        assert crew.holds_together(team, chen).name == "护企二队"

    @pytest.mark.parametrize("act", ["name", "dissolve"])
    def test_a_verdict_in_the_moment_in_which_the_leader_acts_does_not_stop_them(
        self, hood: Hood, chen: Neighbour, act: str
    ) -> None:
        made, moderator = crew.found(chen, f"护企{DOUBTFUL}").json, hood.staff("moderator")
        decide = f"/reviews/{review_of(chen).id}/decide"
        with meanwhile(f"TEAM#{made['id']}", lambda: moderator.post(decide, json={"decision": "approve"})):
            answer = chen.post(f"/teams/{made['id']}/{act}", json={"name": "护企二队"} if act == "name" else None)
        assert answer.status in (200, 204), answer
        assert crew.holds_together(made["id"], chen).name == ("护企二队" if act == "name" else None)

    def test_the_verdict_on_a_team_that_is_gone_is_moot(self, hood: Hood, chen: Neighbour) -> None:
        made, moderator = crew.found(chen, f"护企{DOUBTFUL}").json, hood.staff("moderator")
        review = review_of(chen).id
        chen.post(f"/teams/{made['id']}/dissolve")
        assert moderator.post(f"/reviews/{review}/decide", json={"decision": "approve"}).code == "already_decided"
        assert crew.stored(made["id"]).name is None


class TestJoining:
    def test_by_the_code_however_it_is_typed(self, hood: Hood, chen: Neighbour) -> None:
        made, li = crew.found(chen).json, hood.resident("李菊")
        typed = " ".join(made["code"].lower().replace("0", "o").replace("1", "l"))
        joined = crew.join(li, typed).json
        assert (joined["id"], joined["size"], joined["leading"], joined["code"]) == (made["id"], 2, False, None)
        assert chen.told == ["team_joined"]
        crew.holds_together(made["id"], chen, li)

    def test_a_wrong_code_is_not_found_and_counts_and_so_does_a_right_one(self, hood: Hood, chen: Neighbour) -> None:
        code, guesser = crew.found(chen).json["code"], hood.resident()
        for _ in range(rules.CODES_TRIED_AN_HOUR - 1):
            assert crew.join(guesser, "00000000").code == "team_code_not_found"
        assert crew.join(guesser, code, key="k").status == 200
        assert crew.join(guesser, code).code == "too_many_requests"
        assert crew.join(guesser, code, key="k").status == 200, "a repeat is no guess"

    def test_who_is_a_member_already_is_told_so_and_a_repeat_gets_the_team(self, hood: Hood, chen: Neighbour) -> None:
        made, li = crew.found(chen).json, hood.resident()
        assert crew.join(li, made["code"], key="k").json == crew.join(li, made["code"], key="k").json
        assert crew.join(li, made["code"]).code == crew.join(chen, made["code"]).code == "already_in_team"
        assert chen.told == ["team_joined"]

    def test_a_team_takes_forty_five_and_no_more(self, hood: Hood, chen: Neighbour) -> None:
        made = crew.found(chen).json
        fill(made["id"], rules.MEMBERS_AT_MOST - 1)
        assert crew.join(hood.resident(), made["code"]).json["size"] == rules.MEMBERS_AT_MOST
        assert crew.join(hood.resident(), made["code"]).code == "team_full"

    def test_several_who_join_at_once_at_the_last_place_are_one_more(self, hood: Hood, chen: Neighbour) -> None:
        made, several = crew.found(chen).json, [hood.resident() for _ in range(6)]
        fill(made["id"], rules.MEMBERS_AT_MOST - 1)
        answers = at_once(6, lambda number: crew.join(several[number], made["code"]))
        assert {answer.code for answer in answers} <= {None, "team_full", "changed_meanwhile", "server_busy"}
        assert sum(answer.status == 200 for answer in answers) == 1
        assert len(crew.stored(made["id"]).members) == rules.MEMBERS_AT_MOST

    def test_a_renewed_code_stops_the_old_one_at_once(self, hood: Hood, chen: Neighbour) -> None:
        made, li = crew.found(chen).json, hood.resident()
        path = f"/teams/{made['id']}/code"
        new = chen.post(path, key="k").json["code"]
        assert new == chen.post(path, key="k").json["code"] != made["code"]
        assert crew.join(li, made["code"]).code == "team_code_not_found"
        assert crew.join(li, new).status == 200
        assert li.post(path).code == "not_the_team_leader"
        old = TeamCode.key(made["code"])
        assert TeamCode.find(old.pk, old.sk) is None

    def test_a_code_renewed_while_somebody_joins_with_the_old_one_keeps_them_out(
        self, hood: Hood, chen: Neighbour
    ) -> None:
        made, li = crew.found(chen).json, hood.resident()
        with meanwhile(f"TEAM#{made['id']}", lambda: chen.post(f"/teams/{made['id']}/code")):
            assert crew.join(li, made["code"]).code == "team_code_not_found"
        crew.holds_together(made["id"], chen, li)


class TestLeaving:
    def test_a_member_leaves_once_and_the_leader_is_told(self, hood: Hood, chen: Neighbour) -> None:
        li = hood.resident()
        team = crew.team(chen, [li])
        for _ in range(2):
            assert li.post(f"/teams/{team}/leave", key="k").status == 204
        assert li.post(f"/teams/{team}/leave").code == "team_not_found"
        assert chen.told == ["team_joined", "team_left"]
        assert len(crew.holds_together(team, chen, li).members) == 1
        assert li.get(f"/teams/{team}").json["members"] == []

    def test_the_leader_leaves_only_after_handing_over(self, hood: Hood, chen: Neighbour) -> None:
        li = hood.resident()
        team = crew.team(chen, [li])
        assert chen.post(f"/teams/{team}/leave").code == "team_leader_stays"
        for _ in range(2):
            handed = chen.post(f"/teams/{team}/hand-over", json={"member": li.id}, key="k")
            assert (handed.status, handed.json["leading"], handed.json["code"]) == (200, False, None)
        assert li.told == ["team_yours"]
        assert crew.holds_together(team, chen, li).leader == li.id
        assert chen.post(f"/teams/{team}/leave").status == 204
        assert crew.holds_together(team, chen, li).leader == li.id

    def test_a_name_that_waits_goes_with_the_leader_who_wrote_it(self, hood: Hood, chen: Neighbour) -> None:
        li, moderator = hood.resident("李菊"), hood.staff("moderator")
        team = crew.team(chen, [li])
        chen.post(f"/teams/{team}/name", json={"name": f"{DOUBTFUL}队"})
        chen.post(f"/teams/{team}/hand-over", json={"member": li.id})
        assert li.get(f"/teams/{team}").json["coming_name"] is None
        assert moderator.get(f"/reviews?area={hood.community}").json["items"] == []

    def test_a_leader_who_is_alone_dissolves_the_team_by_leaving(self, chen: Neighbour) -> None:
        team = crew.team(chen)
        assert chen.post(f"/teams/{team}/leave").status == 204
        assert (crew.stored(team).state, crew.teams_of(chen)) == ("dissolved", [])
        assert chen.get(f"/teams/{team}").code == "team_not_found"

    def test_a_member_who_is_taken_out_is_told(self, hood: Hood, chen: Neighbour) -> None:
        li = hood.resident()
        team = crew.team(chen, [li])
        path = f"/teams/{team}/members/{li.id}/remove"
        assert li.post(path).code == "not_the_team_leader"
        assert chen.post(f"/teams/{team}/members/{chen.id}/remove").code == "team_member_is_oneself"
        for _ in range(2):
            assert chen.post(path, key="k").json["size"] == 1
        assert chen.post(path).code == "team_member_not_found"
        assert li.told == ["team_removed"]
        crew.holds_together(team, chen, li)

    def test_nobody_is_handed_a_team_who_is_not_in_it(self, hood: Hood, chen: Neighbour) -> None:
        team, stranger = crew.team(chen), hood.resident()
        for member, code in ((stranger.id, "team_member_not_found"), (chen.id, "team_member_is_oneself")):
            assert chen.post(f"/teams/{team}/hand-over", json={"member": member}).code == code
        assert stranger.post(f"/teams/{team}/hand-over", json={"member": stranger.id}).code == "team_not_found"

    def test_a_dissolved_team_leaves_nothing_with_anybody_and_all_are_told(self, hood: Hood, chen: Neighbour) -> None:
        li = hood.resident()
        team = crew.team(chen, [li])
        code = str(crew.stored(team).code)
        for _ in range(2):
            assert chen.post(f"/teams/{team}/dissolve", key="k").status == 204
        gone = crew.holds_together(team, chen, li)
        assert (gone.members, gone.code) == ([], None)
        assert gone.expires_at is not None
        assert (li.told, crew.teams_of(li)) == (["team_dissolved"], [])
        assert crew.join(hood.resident(), code).code == "team_code_not_found"
        for act in ("code", "leave", "dissolve"):
            assert chen.post(f"/teams/{team}/{act}").code == "team_not_found"

    def test_a_team_of_forty_five_is_dissolved_in_one_write(self, hood: Hood, chen: Neighbour) -> None:
        made = crew.found(chen, f"护企{DOUBTFUL}").json
        fill(made["id"], rules.MEMBERS_AT_MOST)
        assert chen.post(f"/teams/{made['id']}/dissolve").status == 204
        assert crew.stored(made["id"]).state == "dissolved"

    def test_everything_at_once_leaves_lists_that_say_the_same(self, hood: Hood, chen: Neighbour) -> None:
        several = [hood.resident() for _ in range(4)]
        li, wang, new, newer = several
        team = crew.team(chen, [li, wang])
        code = crew.stored(team).code

        def act(number: int) -> Any:
            return (
                lambda: li.post(f"/teams/{team}/leave"),
                lambda: chen.post(f"/teams/{team}/members/{li.id}/remove"),
                lambda: chen.post(f"/teams/{team}/hand-over", json={"member": wang.id}),
                lambda: crew.join(new, str(code)),
                lambda: crew.join(newer, str(code)),
                lambda: chen.post(f"/teams/{team}/hand-over", json={"member": li.id}),
            )[number]()

        answers = at_once(6, act)
        assert all(answer.status < 500 for answer in answers), answers
        assert len(crew.holds_together(team, chen, *several).members) <= 5


class TestClosingAnAccount:
    def test_a_leaders_team_passes_to_who_has_been_in_it_longest(self, hood: Hood, chen: Neighbour) -> None:
        li, wang = hood.resident("李菊"), hood.resident()
        team = crew.team(chen, [li, wang])
        chen.post(f"/teams/{team}/name", json={"name": f"{DOUBTFUL}队"})
        assert chen.post("/me/close", json={"word": "注销"}).status == 204
        left = crew.holds_together(team, chen, li, wang)
        assert (left.leader, left.coming_name, li.told) == (li.id, None, ["team_yours"])
        personal_data.erase(chen.id, now=clock.now())
        assert (crew.stored(team).version, li.told) == (left.version, ["team_yours"])

    def test_the_last_ones_team_is_dissolved_and_a_members_goes_on(self, hood: Hood, chen: Neighbour) -> None:
        li = hood.resident()
        alone, team = crew.team(li), crew.team(chen, [li])
        li.post("/me/close", json={"word": "注销"})
        assert crew.stored(alone).state == "dissolved"
        assert [each["id"] for each in crew.holds_together(team, chen, li).members] == [chen.id]

    def test_the_copy_of_my_data_has_my_teams(self, hood: Hood, chen: Neighbour) -> None:
        li = hood.resident()
        crew.team(chen, [li])
        crew.found(li, f"护企{DOUBTFUL}")
        entries = list(personal_data.sections["志愿小队"](li.id))
        assert [(each["小队"], each["身份"], each["等待审核的队名"]) for each in entries] == [
            (crew.NAME, "队员", ""),
            ("队名审核中", "队长", f"护企{DOUBTFUL}"),
        ]
