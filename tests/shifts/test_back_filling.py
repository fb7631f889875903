"""Hours that an organiser records afterwards, of their own kind, with who and why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.content import reviews
from chalicelib.content.models import Review
from chalicelib.kit import clock
from chalicelib.kit.table import Item
from local.wechat import catalogue
from tests.engine.meanwhile import meanwhile
from tests.neighbourhood import Hood, Neighbour
from tests.points.books import at_once, balance_of
from tests.shifts import evening, gate


@pytest.fixture
def li(hood: Hood) -> Neighbour:
    return hood.staff("community_worker")


def test_who_was_there_unchecked_gets_hours_of_the_second_kind(hood: Hood, li: Neighbour) -> None:
    shift, chen = evening.over(hood), hood.resident("陈建君")
    evening.on(chen, shift)
    answer = evening.back_fill(li, shift, chen.id, minutes=210, key="k")
    assert (answer.status, answer.json["how"], answer.json["minutes"], answer.json["points"]) == (
        200,
        "recorded",
        210,
        7,
    )
    assert evening.back_fill(li, shift, chen.id, minutes=210, key="k").json == answer.json
    assert evening.back_fill(li, shift, chen.id, minutes=200, key="k").code == "idempotency_key_reused"
    assert evening.back_fill(li, shift, chen.id, minutes=200).code == "hours_already_recorded"
    made = evening.record(chen, shift)
    assert made is not None
    assert (made.recorded_by, made.recorded_by_name) == (li.id, evening.nickname(li))
    assert (made.why, made.why_held) == ("签到码坏了，一直在门口", None)
    assert (balance_of(chen.id), chen.told) == (7, ["shift_hours_added"])

    report = evening.confirmed(li, shift)
    assert [(each["person"], each["reason"]) for each in report["exceptions"]] == [(chen.id, "already_recorded")]
    assert (evening.minutes(chen, shift), balance_of(chen.id)) == (210, 7), "and no second time"
    gate.adds_up(shift)


def test_after_the_confirmation_those_who_were_left_out_or_marked_absent(hood: Hood, li: Neighbour) -> None:
    shift = evening.over(hood)
    left_out, away = hood.resident(), hood.resident()
    evening.on(left_out, shift, came=0, left=10)
    evening.on(away, shift)
    assert evening.back_fill(li, shift, left_out.id, minutes=60).code == "hours_are_checked"
    evening.confirmed(li, shift, left_out.id)
    assert evening.stand(away, shift).state == "no_show"
    for each in (left_out, away):
        assert evening.back_fill(li, shift, each.id, minutes=60).status == 200
        assert evening.stand(each, shift).state == "checked_out"
    again = li.get(f"/shifts/{shift}/hours").json
    assert {each["reason"] for each in again["exceptions"]} == {"left_out", "no_show"}, "as it was confirmed"


def test_from_when_to_when_counts_what_lies_within_the_shift(hood: Hood, li: Neighbour) -> None:
    shift, chen = evening.over(hood), hood.resident()
    evening.on(chen, shift)
    start = clock.local(gate.stored(shift).start_at)
    span = {"start": (start - timedelta(minutes=30)).isoformat(), "end": (start + timedelta(minutes=90.9)).isoformat()}
    assert evening.back_fill(li, shift, chen.id, **span).json["minutes"] == 90


def test_what_is_no_time_or_too_long_is_refused_and_changes_nothing(hood: Hood, li: Neighbour) -> None:
    shift, chen = evening.over(hood), hood.resident()
    evening.on(chen, shift)
    start = clock.local(gate.stored(shift).start_at)
    at = [(start + timedelta(hours=hours)).isoformat() for hours in (0, 1, 5, 6)]
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "minutes_needed"),
        ({"start": at[0]}, "minutes_needed"),
        ({"minutes": 60, "start": at[0], "end": at[1]}, "minutes_needed"),
        ({"start": at[1], "end": at[0]}, "no_full_minute"),
        ({"start": at[2], "end": at[3]}, "no_full_minute"),
        ({"minutes": 0}, "invalid"),
        ({"minutes": 241}, "more_than_the_shift"),
        ({"minutes": 60, "reason": " "}, "invalid"),
        ({"minutes": 60, "reason": sorted(catalogue.RISKY_WORDS)[0] + "了"}, "content_refused"),
    ]
    for served, code in wrong:
        assert evening.back_fill(li, shift, chen.id, **served).code == code, served
    assert evening.minutes(chen, shift) is None
    assert evening.stand(chen, shift).state == "signed_up"


def test_by_whom_for_whom_and_when(hood: Hood, li: Neighbour) -> None:
    shift, chen = evening.over(hood), hood.resident()
    evening.on(li, shift, role="community_worker")
    evening.on(chen, shift)
    evening.on("res_gone", shift, state="cancelled")
    auntie = evening.guest(shift)
    assert evening.back_fill(li, shift, li.id, minutes=60).code == "own_hours"
    assert evening.back_fill(li, shift, auntie, minutes=60).code == "guest_hours"
    assert evening.back_fill(li, shift, "res_gone", minutes=60).code == "person_not_on_shift"
    assert evening.back_fill(chen, shift, li.id, minutes=60).code == "duty_needed"
    soon = gate.shift(hood, starts=timedelta(hours=-1))
    evening.on(chen, soon)
    assert evening.back_fill(li, soon, chen.id, minutes=30).code == "shift_not_over"
    long_ago, just = (evening.over(hood, ago=timedelta(days=30) + late) for late in (timedelta(1), timedelta(hours=-1)))
    for each in (long_ago, just):
        evening.on(chen, each)
    assert evening.back_fill(li, long_ago, chen.id, minutes=60).code == "too_late_to_back_fill"
    assert evening.back_fill(li, just, chen.id, minutes=60).status == 200


def test_a_reason_that_is_doubted_is_hidden_until_a_moderator_has_decided(hood: Hood, li: Neighbour) -> None:
    doubtful = f"他说{sorted(catalogue.REVIEW_WORDS)[0]}"
    moderator = hood.staff("moderator")
    shift, chen, wang = evening.over(hood), hood.resident(), hood.resident()
    for each in (chen, wang):
        evening.on(each, shift)
        answer = evening.back_fill(li, shift, each.id, minutes=60, reason=doubtful)
        assert (answer.status, answer.json["why"]) == (200, "（文字正在审核）")
    waiting = Item.by_area.query(Review.list_key(hood.community))
    found = {each.subject_pk.removeprefix("VOLUNTEER#"): each.id for each in waiting if isinstance(each, Review)}
    for who, decision in ((chen, {"decision": "approve"}), (wang, {"decision": "refuse", "reason": "含有虚假信息"})):
        assert moderator.post(f"/reviews/{found[who.id]}/decide", json=decision).status == 200
    said = [evening.record(each, shift) for each in (chen, wang)]
    assert [(each.why, each.why_held, int(each.minutes)) for each in said if each] == [
        (doubtful, None, 60),
        ("（文字未通过审核）", None, 60),
    ]
    assert "service_record" in reviews._handlers


def test_a_verdict_on_a_reason_reaches_it_even_when_the_hours_were_corrected_meanwhile(
    hood: Hood, li: Neighbour
) -> None:
    doubtful = f"他说{sorted(catalogue.REVIEW_WORDS)[0]}"
    moderator, wang = hood.staff("moderator"), hood.staff("grid_worker")
    shift, chen = evening.over(hood), hood.resident()
    evening.on(chen, shift)
    evening.back_fill(li, shift, chen.id, minutes=60, reason=doubtful)
    asked = evening.ask(chen, shift, 90).json["id"]
    (waiting,) = moderator.get(f"/reviews?area={hood.community}").json["items"]
    verdict = f"/reviews/{waiting['id']}/decide", {"decision": "approve"}
    with meanwhile("REVIEW#", lambda: evening.decide(wang, asked)):
        assert moderator.post(verdict[0], json=verdict[1]).code == "changed_meanwhile"
    assert moderator.post(verdict[0], json=verdict[1]).json["state"] == "approved"
    made = evening.record(chen, shift)
    assert made is not None
    assert (made.why, made.why_held, made.versions[0]["why"]) == ("我来了四个小时", None, doubtful)


def test_at_once_it_is_recorded_once(hood: Hood, li: Neighbour) -> None:
    shift, chen = evening.over(hood), hood.resident()
    evening.on(chen, shift)
    answers = at_once(4, lambda _: evening.back_fill(li, shift, chen.id, minutes=120))
    assert sorted(each.status for each in answers) == [200, 409, 409, 409]
    assert (balance_of(chen.id), chen.told) == (4, ["shift_hours_added"])
