"""One tap confirms the hours of a shift, and each person's are recorded once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.kit import clock, timers
from chalicelib.kit.transaction import transaction
from chalicelib.shifts import rounds
from chalicelib.shifts.hours import confirming, ending
from chalicelib.shifts.hours import rules as hours_rules
from chalicelib.shifts.models import Round, Shift, SignUp
from tests.neighbourhood import Hood, Neighbour
from tests.points.books import at_once, balance_of, transfers
from tests.shifts import evening, gate

EVENING = datetime(2026, 11, 22, 14, tzinfo=UTC)  # 22:00 in Shanghai, until 2:00 of the next day


@pytest.fixture
def li(hood: Hood) -> Neighbour:
    return hood.staff("community_worker", name="李组织")


@pytest.fixture
def wang(hood: Hood) -> Neighbour:
    return hood.staff("grid_worker", name="王网格")


class TestMinutes:
    START, END = EVENING, EVENING + timedelta(hours=4)

    @pytest.mark.parametrize(
        ("came", "left", "minutes"),
        [
            (0, 240, 240),
            (-30, 250, 240),  # before the start and after the end count nothing
            (17, 240, 223),  # late in
            (0, 200.5, 200),  # early out, and the seconds
            (0.99, 60.98, 59),  # seconds are dropped once, from the whole
            (0.5, 60.5, 60),
            (119, 121, 2),  # across midnight in Shanghai
            (0, 0.98, 0),
            (240, 300, 0),
            (-30, -5, 0),
        ],
    )
    def test_are_full_ones_within_the_shift(self, came: float, left: float, minutes: int) -> None:
        at = [self.START + timedelta(minutes=each) for each in (came, left)]
        assert hours_rules.minutes_served(*at, start=self.START, end=self.END) == minutes

    @pytest.mark.parametrize(
        ("minutes", "said"),
        [(0, "0 分钟"), (59, "59 分钟"), (60, "1 小时"), (210, "3 小时 30 分钟"), (960, "16 小时")],
    )
    def test_are_told_as_people_say_them(self, minutes: int, said: str) -> None:
        assert hours_rules.spoken_minutes(minutes) == said

    @pytest.mark.parametrize(("minutes", "an_hour", "points"), [(90, 5, 7), (59, 1, 0), (60, 1, 1), (240, 0, 0)])
    def test_are_worth_points_rounded_down_once(self, minutes: int, an_hour: int, points: int) -> None:
        assert hours_rules.points_for(minutes, an_hour) == points


def shown(answer: dict[str, Any]) -> tuple[dict[str, int], dict[str, str]]:
    counted = {each["person"]: each["minutes"] for each in answer["counted"]}
    return counted, {each["person"]: each["reason"] for each in answer["exceptions"]}


def test_all_hours_are_recorded_and_every_exception_is_listed_with_its_reason(
    hood: Hood, li: Neighbour, wang: Neighbour
) -> None:
    shift = evening.over(hood, organiser=li, quorum={"community_worker": 1})
    chen, forgot, late = (hood.resident(name) for name in ("陈建君", "健忘", "匆匆"))
    away, cheat, moment = "res_away", "res_cheat", "res_moment"
    evening.on(chen, shift, came=-20, left=200.7)
    evening.on(forgot, shift, came=30)
    evening.on(late, shift, came=239, left=260)
    evening.on(away, shift)
    evening.on(cheat, shift, came=0, left=240)
    evening.on(moment, shift, came=239.5)
    evening.on(li, shift, came=0, left=240, role="community_worker")
    auntie = evening.guest(shift)
    evening.on("res_left", shift, state="cancelled")

    before = li.get(f"/shifts/{shift}/hours").json
    assert before["confirmed_at"] is None
    answer = evening.confirm(li, shift, cheat, key="k")
    counted, exceptions = shown(answer.json)
    assert counted == {chen.id: 200, forgot.id: 210, late.id: 1}
    assert exceptions == {
        forgot.id: "forgot_check_out",
        away: "no_show",
        cheat: "left_out",
        moment: "zero_minutes",
        li.id: "own",
        auntie: "guest",
    }
    assert (answer.json["state"], answer.json["minutes"]) == ("ended", 411)
    assert shown(before)[0] == {chen.id: 200, forgot.id: 210, late.id: 1, cheat: 240}

    evening.walk(shift)
    again = evening.confirm(li, shift, cheat, key="k")
    assert again.json == answer.json, "before and after everybody was recorded"
    for person, minutes in counted.items():
        made = evening.record(person, shift)
        assert made is not None
        assert (int(made.minutes), made.how, made.recorded_by) == (minutes, "checked", li.id)
        assert int(evening.stand(person, shift).minutes) == minutes
    assert [evening.minutes(each, shift) for each in (away, cheat, moment, li, auntie)] == [None] * 5
    assert evening.stand(away, shift).state == "no_show"
    assert chen.told == late.told == ["shift_hours_confirmed"]
    assert [balance_of(each.id) for each in (chen, forgot, late, li)] == [6, 7, 0, 0]
    made = evening.record(chen, shift)
    assert made is not None
    assert (int(made.points), made.recorded_by_name) == (6, evening.nickname(li))
    assert (gate.stored(shift).timer, evening.rounds(shift)) == (None, [])
    gate.adds_up(shift)


def test_the_message_says_how_long_and_how_many_points(hood: Hood, li: Neighbour) -> None:
    shift, chen = evening.over(hood), hood.resident()
    evening.on(chen, shift, came=0, left=210)
    evening.confirmed(li, shift)
    text = chen.get("/inbox").json["items"][0]["text"]
    assert "3 小时 30 分钟，积分 7 分" in text


def test_the_one_who_confirms_is_confirmed_by_another_and_who_is_left_out_by_anybody(
    hood: Hood, li: Neighbour, wang: Neighbour
) -> None:
    shift = evening.over(hood, quorum={"community_worker": 1})
    chen, away = hood.resident(), hood.resident()
    evening.on(chen, shift, came=0, left=240)
    evening.on(away, shift)
    evening.on(li, shift, came=60, role="community_worker")
    assert evening.confirm_one(wang, shift, chen.id).code == "confirm_first"
    evening.confirmed(li, shift, chen.id)
    assert evening.confirm_one(li, shift, li.id).code == "own_hours"
    assert evening.confirm_one(wang, shift, away.id).code == "no_hours_to_confirm"
    assert evening.confirm_one(wang, shift, "res_nobody").code == "person_not_on_shift"
    mine = evening.confirm_one(wang, shift, li.id, key="k")
    assert (mine.json["minutes"], mine.json["points"], mine.json["recorded_by"]) == (180, 0, evening.nickname(wang))
    assert evening.confirm_one(wang, shift, li.id, key="k").json == mine.json
    assert evening.confirm_one(wang, shift, li.id).code == "hours_already_recorded"
    theirs = evening.confirm_one(li, shift, chen.id).json
    assert (theirs["minutes"], theirs["points"], balance_of(chen.id)) == (240, 8, 8)
    evening.walk(shift)
    assert evening.stand(away, shift).state == "no_show"


def test_who_is_left_out_must_have_been_on_the_shift(hood: Hood, li: Neighbour) -> None:
    shift = evening.over(hood)
    evening.on("res_came", shift, came=0)
    answer = evening.confirm(li, shift, "res_came", "res_other")
    assert (answer.status, answer.code, list(answer.wrong)) == (422, "person_unknown", ["leave_out[1]"])
    assert gate.stored(shift).confirmed_at is None


def test_only_when_it_is_over_and_only_what_took_place(hood: Hood, li: Neighbour) -> None:
    soon = gate.shift(hood, starts=timedelta(hours=-1))
    assert evening.confirm(li, soon).code == li.get(f"/shifts/{soon}/hours").code == "shift_not_over"
    rained = evening.over(hood)
    evening.cancelled(rained, after=-5)
    assert evening.confirm(li, rained).code == "shift_never_began"
    assert hood.resident().post(f"/shifts/{soon}/confirm").code == "duty_needed"


def test_hours_are_those_of_the_shift_as_it_became(hood: Hood, li: Neighbour) -> None:
    """Shortened on the day, lengthened on the day, called off in the middle."""
    changes = {"shortened": -60, "lengthened": 20, "rained": 0}
    shifts = {name: evening.over(hood) for name in changes}
    stayed, late = hood.resident(), hood.resident()
    for name, shift in shifts.items():
        evening.on(stayed, shift, came=-5, left=250)
        evening.on(late, shift, came=150)
        if name == "rained":
            evening.cancelled(shift, after=100)
        else:
            end = gate.stored(shift).end_at + timedelta(minutes=changes[name])
            gate.in_the_past(shift, start=gate.stored(shift).start_at, end=end)
    answers = {name: shown(evening.confirmed(li, shift)) for name, shift in shifts.items()}
    found = {name: (evening.minutes(stayed, shift), evening.minutes(late, shift)) for name, shift in shifts.items()}
    assert found == {"shortened": (180, 30), "lengthened": (250, 110), "rained": (100, None)}
    assert answers["rained"][1][late.id] == "zero_minutes"
    rained = evening.record(stayed, shifts["rained"])
    assert rained is not None
    assert rained.end_at == gate.stored(shifts["rained"]).cancelled_at
    assert gate.stored(shifts["rained"]).state == "cancelled"


def test_across_midnight_the_record_stands_on_the_day_of_the_start(hood: Hood, li: Neighbour) -> None:
    shift, chen = evening.over(hood), hood.resident()
    gate.in_the_past(shift, start=EVENING - timedelta(days=3), end=EVENING - timedelta(days=3) + timedelta(hours=4))
    evening.on(chen, shift, came=118, left=122)
    evening.confirmed(li, shift)
    made = evening.record(chen, shift)
    assert made is not None
    assert (int(made.minutes), f"{clock.day(made.start_at)}") == (4, f"{clock.day(EVENING - timedelta(days=3))}")


def test_two_organisers_at_once_confirm_it_once_and_each_person_is_recorded_once(
    each_engine: str, hood: Hood, li: Neighbour, wang: Neighbour
) -> None:
    shift = evening.over(hood)
    people = [hood.resident() for _ in range(3)]
    for each in people:
        evening.on(each, shift, came=0, left=120)
    answers = at_once(6, lambda number: evening.confirm((li, wang)[number % 2], shift))
    assert sorted(each.status for each in answers) == [200] + [409] * 5
    assert {each.code for each in answers} == {None, "hours_already_confirmed"}
    current, (ticket,) = gate.stored(shift), evening.rounds(shift)
    for person in people:
        stand = evening.stand(person, shift)
        again = at_once(3, lambda _, stand=stand: evening.settle(current, stand, now=ticket.due_at))
        assert again == [None] * 3
    evening.walk(shift)
    assert [evening.minutes(each, shift) for each in people] == [120] * 3
    assert [len(transfers(each.id)) for each in people] == [1] * 3
    assert [each.told for each in people] == [["shift_hours_confirmed"]] * 3


def test_a_tap_while_the_end_is_running_and_an_end_after_the_tap_change_nothing(hood: Hood, li: Neighbour) -> None:
    shift, chen = evening.over(hood, organiser=li), hood.resident()
    evening.on(chen, shift, came=0)
    seen = gate.stored(shift)

    def act(number: int) -> Any:
        return evening.confirm(li, shift) if number else ending.end(seen, now=seen.due_at)

    at_once(2, act)
    assert gate.stored(shift).confirmed_at is not None
    evening.walk(shift)
    assert (evening.minutes(chen, shift), chen.told) == (240, ["shift_hours_confirmed"])
    assert "shift_hours_to_confirm" not in li.told or gate.stored(shift).timer is None
    gate.adds_up(shift)


def test_confirmed_while_the_round_of_the_end_is_half_done(hood: Hood, li: Neighbour) -> None:
    shift = evening.over(hood, organiser=li)
    people = [hood.resident() for _ in range(3)]
    for each in people:
        evening.on(each, shift, came=0)
    evening.due(shift)
    evening.settle(gate.stored(shift), evening.stand(people[0], shift), now=clock.now())
    evening.confirm(li, shift)
    as_read_before = gate.stored(shift)
    as_read_before.confirmed_at = None
    evening.settle(as_read_before, evening.stand(people[1], shift), now=clock.now() + timedelta(minutes=1))
    evening.walk(shift)
    assert [evening.minutes(each, shift) for each in people] == [240] * 3
    assert [balance_of(each.id) for each in people] == [8] * 3
    assert li.told == []


def test_an_account_that_was_closed_meanwhile_gets_no_record(hood: Hood, li: Neighbour) -> None:
    shift, chen = evening.over(hood), hood.resident()
    evening.on(chen, shift, came=0)
    evening.confirm(li, shift)
    evening.closed(chen.id)
    evening.walk(shift)
    assert evening.stand(chen, shift).state == "checked_out"
    assert evening.minutes(chen, shift) is None


def test_a_check_out_in_the_last_moment_counts_as_it_was(hood: Hood, li: Neighbour) -> None:
    """Settled by what is stored when it is written, whatever the round had read before."""
    shift, chen = evening.over(hood), hood.resident()
    evening.on(chen, shift, came=0)
    seen = evening.stand(chen, shift)
    evening.confirm(li, shift)
    left = [
        SignUp.state.set("checked_out"),
        SignUp.out_at.set(seen.in_at + timedelta(minutes=61)),
        SignUp.out_by.set("qr"),
    ]
    with transaction() as tx:
        tx.update(seen, left)
    evening.settle(gate.stored(shift), seen, now=clock.now())
    assert evening.minutes(chen, shift) == 61
    evening.walk(shift)


@pytest.mark.parametrize("rule", [{"on": False}, {"a_day": 3}, {"points": 3}])
def test_points_are_given_as_the_rule_says_as_many_as_its_caps_leave(
    hood: Hood, li: Neighbour, configure: Any, rule: dict[str, Any]
) -> None:
    configure("points", rules={"volunteer": {"name": "志愿服务", "points": 1, **rule}})
    shift, chen = evening.over(hood), hood.resident()
    evening.on(chen, shift, came=0, left=150)
    evening.confirmed(li, shift)
    made = evening.record(chen, shift)
    assert made is not None
    wanted = 0 if "on" in rule else 3 if "a_day" in rule else 15
    assert (int(made.points), balance_of(chen.id), int(made.minutes)) == (wanted, wanted, 150)


def test_who_looks_after_the_area_serves_without_points(hood: Hood, li: Neighbour, wang: Neighbour) -> None:
    shift = evening.over(hood)
    evening.on(wang, shift, came=0, left=240)
    evening.confirmed(li, shift)
    assert (evening.minutes(wang, shift), balance_of(wang.id)) == (240, 0)


def test_the_walker_is_told_what_to_do_for_one_person_and_at_the_end() -> None:
    assert rounds._each["settled"] is confirming.settle
    assert rounds._finished["settled"] is ending.ask_to_confirm
    assert Round.TIMER in timers._handlers
    assert Shift.confirmed_at is not None
