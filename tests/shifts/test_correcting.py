"""Hours that their volunteer says are wrong: asked, decided by another person, all versions kept, points following."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from chalicelib.kit import clock
from chalicelib.kit.transaction import transaction
from chalicelib.shifts.models import Shift
from chalicelib.volunteers.models import Register, ServiceRecord, Statement
from local.wechat import catalogue
from tests.neighbourhood import Hood, Neighbour
from tests.points.books import at_once, balance_of, check, spend, transfers
from tests.shifts import door, evening, gate


@pytest.fixture
def li(hood: Hood) -> Neighbour:
    return hood.staff("community_worker")


@pytest.fixture
def wang(hood: Hood) -> Neighbour:
    return hood.staff("grid_worker")


def served(hood: Hood, li: Neighbour, minutes: int = 120) -> tuple[str, Neighbour]:
    """A shift of four hours, of which two were confirmed by li."""
    shift, chen = evening.over(hood), hood.resident("陈建君")
    evening.on(chen, shift, came=0, left=minutes)
    evening.confirmed(li, shift)
    return shift, chen


def asked(who: Neighbour, shift: str, minutes: int) -> str:
    answer = evening.ask(who, shift, minutes)
    assert answer.status == 201, answer
    number: str = answer.json["id"]
    return number


def statement(who: Neighbour, number: str, day: str) -> None:
    made = Statement.key(number)
    made.resident, made.state, made.from_day, made.to_day = who.id, "valid", day, day
    made.issued_at, made.person_sealed, made.content, made.minutes = clock.now(), b"x", {}, 120
    register = Register.key(who.id)
    register.issued = [{"number": number, "from": day, "to": day}]
    register.version = 1
    with transaction() as tx:
        tx.put(made)
        tx.put(register)


def test_asked_decided_by_another_and_both_versions_are_kept(hood: Hood, li: Neighbour, wang: Neighbour) -> None:
    shift, chen = served(hood, li)
    number = f"{hood.district}{chen.id}"
    statement(chen, number, f"{clock.day(gate.stored(shift).start_at)}")
    answer = evening.ask(chen, shift, 240, key="k")
    assert (answer.status, answer.json["recorded"], answer.json["minutes"]) == (201, 120, 240)
    assert evening.ask(chen, shift, 240, key="k").json == answer.json
    assert evening.ask(chen, shift, 230).code == "correction_open"
    assert wang.told == ["shift_hours_correction_asked"]
    (listed,) = wang.get(f"/hours-corrections?area={hood.community}").json["items"]
    assert listed == answer.json

    assert evening.decide(li, listed["id"]).code == "another_decides"
    done = evening.decide(wang, listed["id"], key="d")
    assert (done.status, done.json["state"], done.json["minutes"]) == (200, "accepted", 240)
    assert evening.decide(wang, listed["id"], key="d").status == 200
    assert evening.decide(wang, listed["id"]).code == "correction_decided"
    made = evening.record(chen, shift)
    assert made is not None
    assert (int(made.minutes), made.how, made.recorded_by, made.why) == (240, "recorded", wang.id, "我来了四个小时")
    assert [(each["minutes"], each["how"], each["by"]) for each in made.versions] == [(120, "checked", li.id)]
    assert (int(made.points), balance_of(chen.id)) == (8, 8)
    assert [each.subject for each in transfers(chen.id)] == [shift, f"{shift}:corrected:1"]
    assert Statement.fetch(f"STATEMENT#{number}", "STATEMENT").state == "revoked"
    assert int(evening.stand(chen, shift).minutes) == 240
    assert chen.told == ["shift_hours_confirmed", "shift_hours_corrected"]
    assert wang.get(f"/hours-corrections?area={hood.community}").json["items"] == []


def test_who_may_not_decide_is_not_asked_to(hood: Hood, li: Neighbour, wang: Neighbour) -> None:
    shift, chen = evening.over(hood), hood.resident("陈建君")
    evening.on(chen, shift, came=0, left=120)
    evening.confirmed(wang, shift)
    asked(chen, shift, 240)
    assert (wang.told, li.told) == ([], ["shift_hours_correction_asked"])


def test_fewer_hours_take_back_the_difference(hood: Hood, li: Neighbour, wang: Neighbour) -> None:
    shift, chen = served(hood, li, 240)
    evening.decide(wang, asked(chen, shift, 150))
    made = evening.record(chen, shift)
    assert made is not None
    assert (int(made.points), check(chen.id), int(made.minutes)) == (5, 5, 150)


def test_more_and_then_fewer_takes_from_the_last_and_what_that_does_not_hold_stays(
    hood: Hood, li: Neighbour, wang: Neighbour
) -> None:
    shift, chen = served(hood, li, 180)
    evening.decide(wang, asked(chen, shift, 240))
    evening.decide(li, asked(chen, shift, 60))
    made = evening.record(chen, shift)
    assert made is not None
    assert (int(made.points), check(chen.id)) == (6, 6), "8 given, 2 due, 2 in the last transfer"
    evening.decide(wang, asked(chen, shift, 0))
    made = evening.record(chen, shift)
    assert made is not None
    assert [each["minutes"] for each in made.versions] == [180, 240, 60]
    assert (int(made.minutes), check(chen.id)) == (0, 0)


def test_points_that_are_spent_are_not_taken_from_what_comes_later(hood: Hood, li: Neighbour, wang: Neighbour) -> None:
    shift, chen = served(hood, li, 240)
    spend(chen.id, 7)
    evening.decide(wang, asked(chen, shift, 60))
    made = evening.record(chen, shift)
    assert made is not None
    assert (int(made.points), check(chen.id)) == (7, 0)


def test_lowered_and_raised_again_hours_never_earn_more_than_they_are_due(
    hood: Hood, li: Neighbour, wang: Neighbour
) -> None:
    shift, chen = served(hood, li, 180)
    for by, minutes in ((wang, 240), (li, 60), (wang, 240)):
        evening.decide(by, asked(chen, shift, minutes))
    assert check(chen.id) == 8
    shift, chen = served(hood, li, 240)
    spend(chen.id, 7)
    for by, minutes in ((wang, 60), (li, 240)):
        evening.decide(by, asked(chen, shift, minutes))
    made = evening.record(chen, shift)
    assert made is not None
    assert (int(made.points), check(chen.id)) == (8, 1)


def test_points_follow_hours_also_where_the_rule_multiplies_what_the_activity_promises(
    hood: Hood, li: Neighbour, wang: Neighbour, configure: Callable[..., None]
) -> None:
    configure("points", rules={"volunteer": {"name": "志愿服务", "points": 3}})
    shift, chen = served(hood, li, 120)
    seen = [balance_of(chen.id)]
    for by, minutes in ((wang, 125), (li, 240), (wang, 210)):
        evening.decide(by, asked(chen, shift, minutes))
        seen.append(check(chen.id))
    assert seen == [12, 12, 24, 21]


def test_nothing_is_decided_for_an_account_that_is_being_erased(hood: Hood, li: Neighbour, wang: Neighbour) -> None:
    shift, chen = served(hood, li)
    number = asked(chen, shift, 240)
    evening.closed(chen.id)
    assert evening.decide(wang, number).code == "correction_not_found"
    assert evening.decide(wang, number, reason="没有依据").code == "correction_not_found"
    assert int(Register.fetch(Register.key(chen.id).pk, "REGISTER").version) == 1, "the hours, and nothing since"


def test_the_decider_may_agree_to_another_number_and_never_to_more_than_the_shift(
    hood: Hood, li: Neighbour, wang: Neighbour
) -> None:
    shift, chen = served(hood, li)
    number = asked(chen, shift, 240)
    assert evening.decide(wang, number, minutes=241).code == "more_than_the_shift"
    assert evening.decide(wang, number, minutes=120).code == "same_minutes"
    assert evening.decide(wang, number, minutes=200).json["minutes"] == 200
    assert (evening.minutes(chen, shift), balance_of(chen.id)) == (200, 6)


def test_declined_it_stays_as_it_was_and_may_be_asked_again(hood: Hood, li: Neighbour, wang: Neighbour) -> None:
    shift, chen = served(hood, li)
    first = asked(chen, shift, 240)
    done = evening.decide(wang, first, reason="门口记录显示十点离开", key="d")
    assert (done.json["state"], done.json["decision"]) == ("declined", "门口记录显示十点离开")
    assert evening.decide(wang, first, reason="门口记录显示十点离开", key="d").json == done.json
    assert (evening.minutes(chen, shift), chen.told[-1]) == (120, "shift_hours_not_corrected")
    second = asked(chen, shift, 180)
    assert first != second
    assert evening.decide(wang, first).code == "correction_not_found", "what was read is not what is asked now"
    assert [each["state"] for each in evening.correction(chen, shift).earlier] == ["declined"]


def test_who_was_marked_absent_or_left_out_may_ask_for_the_hours_that_are_missing(
    hood: Hood, li: Neighbour, wang: Neighbour
) -> None:
    shift, away, out = evening.over(hood), hood.resident(), hood.resident()
    evening.on(away, shift)
    evening.on(out, shift, came=0, left=240)
    assert evening.ask(out, shift, 60).code == evening.ask(away, shift, 60).code == "hours_not_confirmed"
    evening.confirmed(li, shift, out.id)
    statement(away, f"{hood.district}{away.id}", f"{clock.day(gate.stored(shift).start_at)}")
    assert evening.ask(away, shift, 0).code == "same_minutes"
    for who in (away, out):
        number = asked(who, shift, 120)
        assert evening.decide(li, number).code == "another_decides"
        assert evening.decide(wang, number).status == 200
        made = evening.record(who, shift)
        assert made is not None
        assert (made.how, made.recorded_by, int(made.minutes), made.versions) == ("recorded", wang.id, 120, [])
        assert (balance_of(who.id), who.told) == (4, ["shift_hours_corrected"])
        assert evening.stand(who, shift).state == "checked_out"
    late = door.check_in(away, shift)
    assert late.code == door.check_out(away, shift).code == "already_checked_out", "not that they did not come"
    assert "时长已经记好" in late.json["detail"]
    assert Statement.fetch(f"STATEMENT#{hood.district}{away.id}", "STATEMENT").state == "revoked"
    evening.walk(shift)
    gate.adds_up(shift)


def test_who_may_ask_and_until_when(hood: Hood, li: Neighbour) -> None:
    shift, chen, stranger = evening.over(hood), hood.resident(), hood.resident()
    evening.on(chen, shift, came=0, left=60)
    evening.on("res_gone", shift, state="cancelled")
    evening.confirmed(li, shift)
    assert evening.ask(stranger, shift, 60).code == "not_your_shift"
    assert evening.ask(chen, shift, 241).code == "more_than_the_shift"
    assert evening.ask(chen, shift, 60).code == "same_minutes"
    assert evening.ask(chen, shift, 120, reason=sorted(catalogue.RISKY_WORDS)[0] + "了").code == "content_refused"
    assert evening.ask(chen, f"{shift}001", 60).code == "shift_not_found"
    soon = gate.shift(hood, starts=timedelta(hours=-1))
    evening.on(chen, soon)
    assert evening.ask(chen, soon, 30).code == "shift_not_over"
    for days, code in ((91, "too_late_to_correct"), (89, None)):
        long_ago = evening.over(hood, ago=timedelta(days=days))
        evening.on(chen, long_ago, state="no_show")
        assert evening.ask(chen, long_ago, 60).code == code


def test_the_ninety_days_begin_when_hours_are_known_however_late_they_are_confirmed(hood: Hood, li: Neighbour) -> None:
    chen, away = hood.resident(), hood.resident()
    shifts = [evening.over(hood, ago=timedelta(days=200)) for _ in range(2)]
    for shift in shifts:
        evening.on(chen, shift, came=0, left=60)
        evening.on(away, shift)
        evening.confirmed(li, shift)
    for shift, days, code in ((shifts[0], 89, None), (shifts[1], 91, "too_late_to_correct")):
        then, made = clock.now() - timedelta(days=days), evening.record(chen, shift)
        with transaction() as tx:
            tx.update(gate.stored(shift), [Shift.confirmed_at.set(then)])
            tx.update(made, [ServiceRecord.recorded_at.set(then)])
        assert [evening.ask(who, shift, 90).code for who in (chen, away)] == [code, code]


def test_nobody_decides_for_themself_nor_outside_their_area(hood: Hood, li: Neighbour, wang: Neighbour) -> None:
    shift = evening.over(hood)
    evening.on(wang, shift, came=0, left=60)
    evening.confirmed(li, shift)
    number = asked(wang, shift, 120)
    elsewhere = hood.staff("grid_worker", f"{hood.street}002")
    assert evening.decide(wang, number).code == "own_hours"
    assert evening.decide(elsewhere, number).code == "duty_needed"
    assert elsewhere.get(f"/hours-corrections?area={hood.community}").code == "duty_needed"
    assert evening.decide(hood.resident(), number, reason="不行").code == "duty_needed"
    assert evening.decide(wang, f"{number}0").code == "correction_not_found"
    assert evening.correction(wang, shift).state == "open"


def test_a_reason_that_is_doubted_is_decided_about_when_it_may_be_read(
    hood: Hood, li: Neighbour, wang: Neighbour
) -> None:
    moderator = hood.staff("moderator")
    shift, chen = served(hood, li)
    doubtful = f"我说{sorted(catalogue.REVIEW_WORDS)[0]}"
    answer = evening.ask(chen, shift, 240, reason=doubtful)
    assert (answer.status, answer.json["reason"]) == (201, "（文字正在审核）")
    assert evening.decide(wang, answer.json["id"]).code == "correction_in_review"
    (waiting,) = moderator.get(f"/reviews?area={hood.community}").json["items"]
    assert moderator.post(f"/reviews/{waiting['id']}/decide", json={"decision": "approve"}).status == 200
    (listed,) = wang.get(f"/hours-corrections?area={hood.community}").json["items"]
    assert listed["reason"] == doubtful
    assert evening.decide(wang, listed["id"]).status == 200


def test_decided_by_several_at_once_it_is_decided_once(
    each_engine: str, hood: Hood, li: Neighbour, wang: Neighbour
) -> None:
    shift, chen = served(hood, li)
    number, zhao = asked(chen, shift, 240), hood.staff("micro_grid_head")
    acts = [{}, {"reason": "没有依据"}, {"minutes": 180}, {}]
    answers = at_once(4, lambda n: evening.decide((wang, zhao)[n % 2], number, **acts[n]))
    assert sorted(each.status for each in answers) == [200, 409, 409, 409]
    made = evening.record(chen, shift)
    assert made is not None
    assert len(made.versions) <= 1
    assert int(made.points) == check(chen.id) == int(made.minutes) * 2 // 60
