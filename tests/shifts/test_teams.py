"""A team signs up as one: all or none, whatever happens at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from chalicelib.kit import auth, clock, ids, vault
from chalicelib.kit.errors import Problem, Unavailable
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import ServerBusy, transaction
from chalicelib.notices.models import Notice
from chalicelib.people.models import Resident
from chalicelib.people.models import partition as resident_partition
from chalicelib.shifts.models import Round, Shift, SignUp
from chalicelib.shifts.places import counting as places
from chalicelib.shifts.places import teams as team_sign_up
from chalicelib.shifts.rules import TryAgain
from chalicelib.volunteers.models import Volunteer
from local.wechat import catalogue
from tests.engine.http import Answer
from tests.engine.meanwhile import meanwhile
from tests.neighbourhood import Hood, Neighbour
from tests.points.books import at_once
from tests.shifts import gate, organised
from tests.volunteers import crew

RACE = {None, "server_busy", "changed_meanwhile"}


def team_up(leader: Neighbour, shift: str, team: str, *, key: str | None = None) -> Answer:
    return leader.post(f"/shifts/{shift}/team-sign-up", json={"team": team}, key=key)


def team_off(leader: Neighbour, shift: str, team: str, *, key: str | None = None) -> Answer:
    return leader.post(f"/shifts/{shift}/team-withdraw", json={"team": team}, key=key)


def crowd(hood: Hood, number: int) -> list[str]:
    """Volunteers without phones, written at once."""
    made = [ids.new_id("res") for _ in range(number)]
    for start in range(0, number, 45):
        with transaction() as tx:
            for each in made[start : start + 45]:
                resident = Resident.key(each)
                resident.nickname, resident.home, resident.home_state = "工人", hood.micro_grid, "waiting"
                resident.consent_version, resident.created_at = auth.privacy().version, clock.now()
                tx.put(resident)
                file = Volunteer.key(each)
                file.state, file.version = "approved", 1
                tx.put(file)
    return made


def crew_of(hood: Hood, number: int, leader: Neighbour | None = None) -> tuple[Neighbour, str, list[str]]:
    """A leader with a phone, the team, and all its members' ids."""
    leader = leader or gate.volunteer(hood, "陈建君")
    others = crowd(hood, number - 1)
    return leader, crew.written(leader.id, others), [leader.id, *others]


def signed_up(shift: str) -> set[str]:
    return {each.person for each in sign_ups(shift) if each.state == "signed_up"}


def sign_ups(shift: str) -> list[SignUp]:
    return Item.collection(Shift.key(shift).pk, SignUp.PREFIX)


def rounds(shift: str) -> list[Round]:
    return Item.collection(Shift.key(shift).pk, Round.PREFIX)


def told(resident: str) -> list[str]:
    return [each.topic for each in Notice.query(resident_partition(resident), Item.sk.startswith(Notice.PREFIX))]


def taken_by(resident: str) -> set[str]:
    file = Volunteer.find(Volunteer.key(resident).pk, "FILE")
    return set(file.taken) if file else set()


class TestSigningUp:
    def test_nine_workers_sign_up_as_one(self, hood: Hood) -> None:
        leader, team, members = crew_of(hood, 9)
        shift = gate.shift(hood, capacity=9)
        answer = team_up(leader, shift, team)
        assert answer.status == 201, answer
        assert {each["id"] for each in answer.json["members"]} == set(members) == signed_up(shift)
        assert {each["state"] for each in answer.json["members"]} == {"signed_up"}
        assert gate.adds_up(shift).taken == 9
        assert all(taken_by(each) == {shift} for each in members)
        assert {(each.team, each.team_name) for each in sign_ups(shift)} == {(team, crew.NAME)}
        for _ in range(2):
            organised.walk(shift)
            assert leader.told == []
            assert all(told(each) == ["shift_team_signed_up"] for each in members[1:])

    @pytest.mark.parametrize("capacity", [8, 0])
    def test_nine_on_fewer_places_are_refused_whole_and_told_how_many_are_left(self, hood: Hood, capacity: int) -> None:
        leader, team, members = crew_of(hood, 9)
        shift = gate.shift(hood, capacity=capacity)
        answer = team_up(leader, shift, team)
        assert answer.code == ("only_some_places_left" if capacity else "shift_full")
        assert f"{capacity} 个名额" in answer.json["detail"]
        assert sign_ups(shift) == []
        assert not any(taken_by(each) or told(each) for each in members)

    def test_a_team_does_not_pass_those_who_wait(self, hood: Hood) -> None:
        leader, team, _ = crew_of(hood, 2)
        first, second = gate.volunteer(hood), gate.volunteer(hood)
        shift = gate.shift(hood, capacity=1)
        gate.signed_up(first, shift)
        gate.signed_up(second, shift, wait=True)
        with transaction() as tx:
            tx.update(Shift.key(shift), [Shift.capacity.set(5)])
        assert team_up(leader, shift, team).code == "shift_full"
        assert signed_up(shift) == {first.id}

    def test_forty_five_are_one_write(self, hood: Hood) -> None:
        leader, team, members = crew_of(hood, 45)
        shift = gate.shift(hood, capacity=50)
        assert team_up(leader, shift, team).status == 201
        assert signed_up(shift) == set(members)
        assert team_off(leader, shift, team).status == 200
        assert gate.adds_up(shift).taken == 0

    def test_a_repeat_gives_the_same_and_tells_nobody_twice(self, hood: Hood) -> None:
        leader, team, members = crew_of(hood, 3)
        shift = gate.shift(hood)
        assert team_up(leader, shift, team, key="k").json == team_up(leader, shift, team, key="k").json
        assert team_up(leader, shift, team).code == "team_member_already_signed_up"
        organised.walk(shift)
        assert told(members[1]) == ["shift_team_signed_up"]
        assert gate.adds_up(shift).taken == 3

    def test_whoever_could_not_be_told_is_told_later_and_who_withdrew_is_not(self, hood: Hood) -> None:
        leader, li = gate.volunteer(hood), gate.volunteer(hood)
        others = crowd(hood, 2)
        team, shift = crew.written(leader.id, [li.id, *others]), gate.shift(hood)
        assert team_up(leader, shift, team).status == 201
        assert li.post(f"/shifts/{shift}/withdraw").status == 200
        tell, failing = team_sign_up.notices.tell_once, [others[0]]

        def once_in_vain(to: str, *given: Any, **more: Any) -> bool:
            if to in failing:
                failing.remove(to)
                raise Unavailable()
            return tell(to, *given, **more)

        with patch.object(team_sign_up.notices, "tell_once", once_in_vain):
            organised.walk(shift)
        assert [told(each) for each in (li.id, *others)] == [[], ["shift_team_signed_up"], ["shift_team_signed_up"]]

    def test_of_a_shift_that_was_cancelled_at_once_they_hear_only_that(self, hood: Hood) -> None:
        leader, team, members = crew_of(hood, 3)
        worker = hood.staff("grid_worker")
        shift = gate.shift(hood, organiser=worker)
        assert team_up(leader, shift, team).status == 201
        organised.good(organised.cancel(worker, shift))
        organised.walk(shift)
        assert [told(each) for each in members] == [["shift_cancelled"]] * 3

    def test_who_withdrew_earlier_comes_with_the_team_and_anybody_may_withdraw_alone(self, hood: Hood) -> None:
        leader, li = gate.volunteer(hood, "陈建君"), gate.volunteer(hood, "李菊")
        team, shift = crew.team(leader, [li]), gate.shift(hood)
        gate.signed_up(li, shift)
        assert li.post(f"/shifts/{shift}/withdraw").status == 200
        assert team_up(leader, shift, team).status == 201
        assert li.post(f"/shifts/{shift}/withdraw").json["state"] == "cancelled"
        assert (signed_up(shift), gate.adds_up(shift).taken) == ({leader.id}, 1)
        assert gate.signed_up(li, shift)["team"] is None

    def test_nobody_signs_a_team_up_but_its_leader_nor_one_that_is_gone_or_has_no_name(self, hood: Hood) -> None:
        leader, li, stranger = gate.volunteer(hood), gate.volunteer(hood), gate.volunteer(hood)
        team, shift = crew.team(leader, [li]), gate.shift(hood)
        assert team_up(li, shift, team).code == "not_the_team_leader"
        assert team_up(stranger, shift, team).code == "team_not_found"
        assert team_up(leader, shift, "team_nobody").code == "team_not_found"
        doubtful = crew.found(leader, f"护企{next(iter(catalogue.REVIEW_WORDS))}").json["id"]
        assert team_up(leader, shift, doubtful).code == "team_name_in_review"
        leader.post(f"/teams/{team}/dissolve")
        assert team_up(leader, shift, team).code == "team_not_found"
        assert sign_ups(shift) == []

    def test_a_shift_that_takes_nobody_takes_no_team(self, hood: Hood) -> None:
        leader, team, _ = crew_of(hood, 2)
        assert team_up(leader, gate.shift(hood, starts=timedelta(minutes=-1)), team).code == "sign_up_closed"
        assert team_up(leader, gate.shift(hood, state="cancelled"), team).code == "shift_cancelled"
        assert team_up(leader, f"shift_nobody.{hood.community}", team).code == "shift_not_found"

    def test_what_a_team_has_signed_up_for_stays_with_who_leaves_it(self, hood: Hood) -> None:
        leader, li, wang = (gate.volunteer(hood, name) for name in ("陈建君", "李菊", "王五"))
        team, shift = crew.team(leader, [li, wang]), gate.shift(hood)
        assert team_up(leader, shift, team).status == 201
        li.post(f"/teams/{team}/leave")
        leader.post(f"/teams/{team}/members/{wang.id}/remove")
        assert signed_up(shift) == {leader.id, li.id, wang.id}
        assert [each["id"] for each in team_off(leader, shift, team).json["members"]] == [leader.id]
        assert signed_up(shift) == {li.id, wang.id}
        assert gate.adds_up(shift).taken == 2


def busy(hood: Hood, who: str) -> None:
    with transaction() as tx:
        soon = int((clock.now() + timedelta(days=2)).timestamp())
        tx.update(Volunteer.key(who), [Volunteer.taken.set({"shift_other": [soon, soon + 3600]})])


def too_busy(hood: Hood, who: str) -> None:
    with transaction() as tx:
        far = int((clock.now() + timedelta(days=20)).timestamp())
        many = {f"shift_{number}": [far + number, far + number] for number in range(60)}
        tx.update(Volunteer.key(who), [Volunteer.taken.set(many)])


def resident(**values: Any) -> Callable[[Hood, str], None]:
    def change(hood: Hood, who: str) -> None:
        with transaction() as tx:
            tx.update(Resident.key(who), [getattr(Resident, name).set(value) for name, value in values.items()])

    return change


def homeless(hood: Hood, who: str) -> None:
    with transaction() as tx:
        tx.update(Resident.key(who), [Resident.home.remove()])


def unapproved(hood: Hood, who: str) -> None:
    with transaction() as tx:
        tx.update(Volunteer.key(who), [Volunteer.state.set("applied")])


def without_a_file(hood: Hood, who: str) -> None:
    with transaction() as tx:
        tx.delete(Volunteer.key(who))


def young(hood: Hood, who: str) -> None:
    vault.open_for(who)
    today = clock.day(clock.now())
    sealed = vault.seal(who, "birth", f"{date(today.year - 12, 1, 1)}")
    with transaction() as tx:
        tx.update(Volunteer.key(who), [Volunteer.minor.set(True), Volunteer.birth_sealed.set(sealed)])


OBSTACLES = {
    "busy": busy,
    "too_many_shifts": too_busy,
    "account_closed": resident(state="closed"),
    "consent_needed": resident(consent_version=""),
    "home_needed": homeless,
    "not_of_the_audience": resident(home="990001001001001"),
    "approval_needed": unapproved,
    "guardian_consent_needed": young,
}


@pytest.mark.parametrize("reason", OBSTACLES)
def test_one_who_cannot_come_keeps_the_whole_team_out_and_is_named(hood: Hood, reason: str) -> None:
    leader, team, members = crew_of(hood, 3)
    shift = gate.shift(hood)
    OBSTACLES[reason](hood, members[1])
    answer = team_up(leader, shift, team, key="k")
    assert (answer.status, answer.code) == (409, f"team_member_{reason}")
    assert "队员2" in answer.json["detail"]
    assert "队员3" not in answer.json["detail"]
    assert sign_ups(shift) == []
    assert taken_by(leader.id) == taken_by(members[2]) == set()
    assert gate.adds_up(shift).taken == 0


def test_all_are_named_for_whom_the_same_holds(hood: Hood) -> None:
    leader, team, members = crew_of(hood, 9)
    for each in members[1:]:
        without_a_file(hood, each)
    detail = team_up(leader, gate.shift(hood), team).json["detail"]
    assert "队员2、队员3、队员4、队员5、队员6等 8 人还不是" in detail
    open_to_all = gate.shift(hood, needs_approval=False)
    assert team_up(leader, open_to_all, team).status == 201, "a diary is made for who has none"
    assert taken_by(members[1]) == {open_to_all}


class TestWithdrawing:
    def test_the_leader_takes_all_off_once_and_all_are_told(self, hood: Hood) -> None:
        leader, team, members = crew_of(hood, 3)
        single, shift = gate.volunteer(hood), gate.shift(hood)
        gate.signed_up(single, shift)
        team_up(leader, shift, team)
        first = team_off(leader, shift, team, key="k")
        assert {each["state"] for each in first.json["members"]} == {"cancelled"}
        assert team_off(leader, shift, team, key="k").json == first.json
        assert team_off(leader, shift, team).code == "team_not_signed_up"
        assert (signed_up(shift), gate.adds_up(shift).taken) == ({single.id}, 1)
        assert not any(taken_by(each) for each in members)
        organised.walk(shift)
        assert told(members[1]) == ["shift_team_withdrawn"], "of what was taken back at once they need not hear"
        assert team_up(leader, shift, team).status == 201, "a team may come again"
        organised.walk(shift)
        assert told(members[1]) == ["shift_team_withdrawn", "shift_team_signed_up"]
        assert gate.adds_up(shift).taken == 4

    def test_who_waits_moves_up_in_order(self, hood: Hood) -> None:
        leader, team, _ = crew_of(hood, 2)
        shift, waiting = gate.shift(hood, capacity=2), [gate.volunteer(hood) for _ in range(3)]
        team_up(leader, shift, team)
        for each in waiting:
            gate.signed_up(each, shift, wait=True)
        assert team_off(leader, shift, team).status == 200
        assert signed_up(shift) == {waiting[0].id, waiting[1].id}
        assert gate.queue(shift) == [waiting[2].id]
        assert gate.adds_up(shift).taken == 2

    @pytest.mark.parametrize("by", ["repeat", "timer"])
    def test_a_withdrawal_cut_off_before_anybody_moved_up_is_finished(self, hood: Hood, by: str) -> None:
        leader, team, _ = crew_of(hood, 2)
        shift, waiting = gate.shift(hood, capacity=2), gate.volunteer(hood)
        team_up(leader, shift, team)
        gate.signed_up(waiting, shift, wait=True)
        with patch.object(places, "fill", side_effect=Unavailable()):
            assert team_off(leader, shift, team, key="k").status == 503
        assert gate.sign_up(gate.volunteer(hood), shift).code == "shift_full", "the place is kept for who waits"
        assert {(each.what, each.timer) for each in rounds(shift)} == {
            ("team_joined", "shifts.round"),
            ("team_left", "shifts.round"),
        }
        if by == "repeat":
            assert team_off(leader, shift, team, key="k").status == 200
        else:
            organised.walk(shift)
        assert signed_up(shift) == {waiting.id}
        gate.adds_up(shift)

    def test_who_has_closed_their_account_before_their_turn_is_told_nothing_more(self, hood: Hood) -> None:
        leader, li = gate.volunteer(hood), gate.volunteer(hood)
        team, shift = crew.team(leader, [li]), gate.shift(hood)
        team_up(leader, shift, team)
        team_off(leader, shift, team)
        assert li.post("/me/close", json={"word": "注销"}).status == 204
        organised.walk(shift)
        assert told(li.id) == []

    @pytest.mark.parametrize("trouble", [TryAgain, ServerBusy])
    def test_one_that_others_keep_from_letting_people_in_is_done_all_the_same(
        self, hood: Hood, trouble: type[Problem]
    ) -> None:
        leader, team, _ = crew_of(hood, 2)
        shift, waiting = gate.shift(hood, capacity=2), gate.volunteer(hood)
        team_up(leader, shift, team)
        gate.signed_up(waiting, shift, wait=True)
        with patch.object(places, "fill", side_effect=trouble()):
            assert team_off(leader, shift, team).status == 200
        organised.walk(shift)
        assert signed_up(shift) == {waiting.id}

    def test_a_late_one_is_noted_with_the_leader_and_the_organiser_is_told_once(self, hood: Hood) -> None:
        organiser = hood.staff("grid_worker")
        leader, team, members = crew_of(hood, 3)
        shift = gate.shift(hood, starts=timedelta(hours=2), organiser=organiser)
        team_up(leader, shift, team)
        assert team_off(leader, shift, team).status == 200
        assert organiser.told == ["shift_late_withdrawal"]
        assert {each.person: int(each.late_withdrawals) for each in sign_ups(shift)} == {
            each: int(each == leader.id) for each in members
        }

    def test_a_former_organiser_is_not_told_but_who_runs_the_shift_now(self, hood: Hood) -> None:
        former = hood.staff("grid_worker")
        leader, team, _ = crew_of(hood, 3)
        shift = gate.shift(hood, starts=timedelta(hours=2), organiser=former)
        team_up(leader, shift, team)
        hood.end_duty(former, "grid_worker", hood.community)
        carers = [hood.staff("grid_worker") for _ in range(7)]
        assert team_off(leader, shift, team).status == 200
        assert former.told == []
        assert sum(each.told == ["shift_late_withdrawal"] for each in carers) == 5

    @pytest.mark.parametrize("walked", [False, True])
    def test_none_is_late_before_or_within_a_day_of_being_told_of_a_change(self, hood: Hood, walked: bool) -> None:
        organiser = hood.staff("grid_worker")
        leader, team, members = crew_of(hood, 2)
        shift = gate.shift(hood, starts=timedelta(hours=3), organiser=organiser)
        team_up(leader, shift, team)
        organised.good(organised.change(organiser, shift, place="南门"))
        if walked:
            organised.walk(shift)
        assert team_off(leader, shift, team).status == 200
        assert [int(each.late_withdrawals) for each in sign_ups(shift)] == [0, 0]
        assert organiser.told == []

    def test_not_after_the_start_not_by_others_and_not_who_has_come_already(self, hood: Hood) -> None:
        leader, li = gate.volunteer(hood), gate.volunteer(hood)
        team, shift = crew.team(leader, [li]), gate.shift(hood, starts=timedelta(minutes=20))
        team_up(leader, shift, team)
        assert team_off(li, shift, team).code == "not_the_team_leader"
        assert team_off(gate.volunteer(hood), shift, team).code == "team_not_found"
        assert team_off(leader, shift, "team_nobody").code == "team_not_found"
        with transaction() as tx:
            tx.update(SignUp.key(shift, li.id), [SignUp.state.set("checked_in")])
        assert [each["id"] for each in team_off(leader, shift, team).json["members"]] == [leader.id]
        assert gate.adds_up(shift).taken == 1
        begun = gate.shift(hood, starts=timedelta(hours=5))
        team_up(leader, begun, crew.team(leader))
        last = crew.teams_of(leader)[-1]["id"]
        gate.in_the_past(begun, start=clock.now() - timedelta(hours=1), end=clock.now())
        assert team_off(leader, begun, last).code == "too_late_to_withdraw"


class TestRaces:
    def test_a_team_of_nine_against_single_sign_ups_for_nine_places(self, hood: Hood) -> None:
        leader, team, members = crew_of(hood, 9)
        shift, singles = gate.shift(hood, capacity=9), [gate.volunteer(hood) for _ in range(4)]
        answers = at_once(
            5, lambda number: gate.sign_up(singles[number - 1], shift) if number else team_up(leader, shift, team)
        )
        assert {each.code for each in answers} <= RACE | {"shift_full", "only_some_places_left"}
        came = signed_up(shift)
        assert came in (set(members), came & {each.id for each in singles})
        assert came
        gate.adds_up(shift)

    def test_nine_on_eight_places_while_singles_come_and_go_never_get_in(self, hood: Hood) -> None:
        leader, team, members = crew_of(hood, 9)
        shift, singles = gate.shift(hood, capacity=8), [gate.volunteer(hood) for _ in range(3)]

        def act(number: int) -> Answer:
            if number >= 3:
                return team_up(leader, shift, team)
            gate.sign_up(singles[number], shift)
            return singles[number].post(f"/shifts/{shift}/withdraw")

        answers = at_once(5, act)
        assert {each.code for each in answers[3:]} <= {"only_some_places_left", "changed_meanwhile", "server_busy"}
        assert signed_up(shift).isdisjoint(members)
        gate.adds_up(shift)

    def test_of_two_teams_at_the_last_places_one_comes_whole(self, hood: Hood) -> None:
        both = [crew_of(hood, 5) for _ in range(2)]
        shift = gate.shift(hood, capacity=8)
        answers = at_once(4, lambda number: team_up(both[number % 2][0], shift, both[number % 2][1], key="k"))
        assert signed_up(shift) in [set(members) for _, _, members in both]
        assert gate.adds_up(shift).taken == 5
        assert {each.code for each in answers} <= RACE | {"only_some_places_left"}

    def test_two_teams_with_a_common_member_at_the_same_time_are_not_both_there(self, hood: Hood) -> None:
        leaders, common = [gate.volunteer(hood) for _ in range(2)], gate.volunteer(hood)
        teams = [crew.team(leader, [common]) for leader in leaders]
        shifts = [gate.shift(hood), gate.shift(hood)]
        answers = at_once(2, lambda number: team_up(leaders[number], shifts[number], teams[number]))
        assert {each.code for each in answers} <= RACE | {"team_member_busy"}
        assert sorted(len(signed_up(each)) for each in shifts) == [0, 2]
        assert len(taken_by(common.id)) == 1

    def test_one_who_leaves_while_the_team_signs_up_is_there_or_not_but_never_half(self, hood: Hood) -> None:
        leader, li = gate.volunteer(hood), gate.volunteer(hood)
        team, shift = crew.team(leader, [li]), gate.shift(hood)
        with meanwhile(f"SIGN_UP#{li.id}", lambda: li.post(f"/teams/{team}/leave")):
            assert [each["id"] for each in team_up(leader, shift, team).json["members"]] == [leader.id]
        assert (signed_up(shift), taken_by(li.id), told(li.id)) == ({leader.id}, set(), [])
        assert gate.adds_up(shift).taken == 1

    def test_one_who_closes_their_account_meanwhile_is_not_signed_up(self, hood: Hood) -> None:
        leader, li = gate.volunteer(hood), gate.volunteer(hood)
        team, shift = crew.team(leader, [li]), gate.shift(hood)
        with meanwhile(f"SIGN_UP#{li.id}", lambda: li.post("/me/close", json={"word": "注销"})):
            assert team_up(leader, shift, team).status == 201
        assert (signed_up(shift), taken_by(li.id)) == ({leader.id}, set())

    def test_a_leader_who_hands_over_meanwhile_signs_nobody_up(self, hood: Hood) -> None:
        leader, li = gate.volunteer(hood), gate.volunteer(hood)
        team, shift = crew.team(leader, [li]), gate.shift(hood)
        with meanwhile(f"SIGN_UP#{li.id}", lambda: leader.post(f"/teams/{team}/hand-over", json={"member": li.id})):
            assert team_up(leader, shift, team).code == "not_the_team_leader"
        assert sign_ups(shift) == []

    def test_a_team_that_leaves_while_somebody_joins_the_queue_lets_them_in(self, hood: Hood) -> None:
        leader, team, _ = crew_of(hood, 2)
        shift, late = gate.shift(hood, capacity=2), gate.volunteer(hood)
        team_up(leader, shift, team)
        with meanwhile(f"SIGN_UP#{leader.id}", lambda: gate.signed_up(late, shift, wait=True)):
            assert team_off(leader, shift, team).status == 200
        assert signed_up(shift) == {late.id}
        gate.adds_up(shift)

    def test_teams_and_singles_that_come_and_go_at_once_leave_numbers_that_add_up(self, hood: Hood) -> None:
        both = [crew_of(hood, 3) for _ in range(2)]
        shift, singles = gate.shift(hood, capacity=4), [gate.volunteer(hood) for _ in range(3)]
        team_up(both[0][0], shift, both[0][1])

        def act(number: int) -> Answer:
            if number < 2:
                return team_off(*_of(both[0], shift))
            if number < 4:
                return team_up(*_of(both[1], shift))
            return gate.sign_up(singles[number - 4], shift, wait=True)

        answers = at_once(7, act)
        assert all(each.status < 500 for each in answers), answers
        came = signed_up(shift)
        for _, _, members in both:
            assert came & set(members) in (set(members), set())
        organised.walk(shift)  # should one have been cut off by too many at once
        shift_now = gate.adds_up(shift)
        assert not int(shift_now.waiting) or int(shift_now.taken) == 4, "nobody waits beside a free place"


def _of(made: tuple[Neighbour, str, list[str]], shift: str) -> tuple[Neighbour, str, str]:
    leader, team, _ = made
    return leader, shift, team
