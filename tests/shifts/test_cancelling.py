"""Cancelling a shift, or all of an activity: everybody is told, everybody's time is free, nobody's record suffers."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kit import clock
from chalicelib.kit.transaction import transaction
from chalicelib.shifts import rounds
from chalicelib.shifts.models import SignUp
from local.wechat import catalogue
from local.wechat.control import StandIn
from tests.engine.http import Http
from tests.help.street import Street, at_once
from tests.neighbourhood import Hood
from tests.shifts import evening, gate, organised
from tests.shifts.organised import cancel, drafted, good, published, shift_of, single, told, walk


@pytest.fixture
def hood(http: Http, wechat: StandIn) -> Street:
    """A neighbourhood whose people are there without a login each."""
    return Street(http, wechat)


def nobody_is_left(shift: str, people: list) -> None:
    """Of those who have not come nobody has a place on a cancelled shift, and no diary holds it."""
    for who in people:
        assert gate.state_of(who, shift) in (None, "cancelled", "checked_out"), gate.state_of(who, shift)
        assert shift not in gate.file_of(who).taken
    assert gate.queue(shift) == []
    gate.adds_up(shift)
    assert organised.rounds_of(shift) == []


def test_a_rained_out_shift_is_told_to_all_who_are_on_it_or_wait(hood: Hood) -> None:
    worker, head = hood.staff("grid_worker"), hood.staff("micro_grid_head")
    shift = shift_of(worker, shifts=[single(capacity=2, quorum={"micro_grid_head": 1})])
    people = [gate.volunteer(hood) for _ in range(4)]
    for who in people:
        gate.signed_up(who, shift, wait=True)
    gate.signed_up(head, shift, role="micro_grid_head")
    gone = gate.volunteer(hood)
    gate.signed_up(gone, shift, wait=True)
    gone.post(f"/shifts/{shift}/withdraw")
    cancelled = good(cancel(worker, shift, key="c"))
    assert (cancelled["state"], good(cancel(worker, shift, key="c"))) == ("cancelled", cancelled)
    assert cancel(worker, shift).code == "shift_cancelled"
    walk(shift)
    for who in [*people, head]:
        (notice,) = told(who, "shift_cancelled")
        assert "下雨，改天再守" in notice.text
        assert (notice.matters, notice.urgent, notice.area) == (True, False, hood.community)
        mine = gate.place_of(who, shift)
        assert (mine.state, mine.cancelled_by, mine.late_withdrawals) == ("cancelled", "shift", 0)
    assert told(gone, "shift_cancelled") == []
    nobody_is_left(shift, [*people, head, gone])
    stored = gate.stored(shift)
    assert (stored.taken, stored.waiting, stored.staffed) == (0, 0, {"micro_grid_head": 0})
    assert (stored.area_key, stored.timer, stored.reason) == (None, None, "下雨，改天再守")
    assert gate.sign_up(gate.volunteer(hood), shift).code == "shift_cancelled"
    assert people[0].post(f"/shifts/{shift}/withdraw").code == "not_signed_up"
    assert good(people[0].get(f"/shifts/{shift}"))["reason"] == "下雨，改天再守"


def test_their_time_is_free_for_another_shift(hood: Hood) -> None:
    worker, chen = hood.staff("grid_worker"), gate.volunteer(hood)
    shift, other = shift_of(worker), shift_of(worker)
    gate.signed_up(chen, shift)
    assert gate.sign_up(chen, other).code == "shifts_overlap"
    good(cancel(worker, shift))
    walk(shift)
    gate.signed_up(chen, other)


def test_under_way_who_has_come_is_checked_out_and_the_others_are_free(hood: Hood) -> None:
    worker = hood.staff("grid_worker")
    shift = shift_of(worker, shifts=[single(capacity=2)])
    here, absent, waiting = (gate.volunteer(hood) for _ in range(3))
    for who in (here, absent, waiting):
        gate.signed_up(who, shift, wait=True)
    organised.start_now(shift)
    organised.check_in(here, shift)
    good(cancel(worker, shift, reason="天黑了"))
    walk(shift)
    stored, mine = gate.adds_up(shift), gate.place_of(here, shift)
    assert (mine.state, mine.out_at, mine.out_by) == ("checked_out", stored.cancelled_at, "cancelled")
    assert "已为您签退" in told(here, "shift_cut_short")[0].text
    assert [gate.state_of(who, shift) for who in (absent, waiting)] == ["cancelled", "cancelled"]
    assert (stored.taken, stored.waiting, stored.timer) == (1, 0, "shifts.end")
    nobody_is_left(shift, [here, absent, waiting])


def test_confirmed_before_everybody_was_told_all_are_told_and_nobody_has_forgotten_to_check_out(hood: Hood) -> None:
    worker, other = hood.staff("grid_worker"), hood.staff("community_worker")
    shift = shift_of(worker)
    here, unchecked = gate.volunteer(hood), gate.volunteer(hood)
    for who in (here, unchecked):
        gate.signed_up(who, shift)
    organised.start_now(shift)
    organised.check_in(here, shift)
    good(cancel(worker, shift, reason="天黑了"))
    report = good(evening.confirm(other, shift))
    assert ([each["person"] for each in report["counted"]], report["exceptions"]) == ([here.id], [])
    walk(shift)
    assert evening.minutes(here, shift) == 60
    assert gate.place_of(here, shift).out_by == "cancelled"
    assert len(told(here, "shift_cut_short")) == len(told(unchecked, "shift_cancelled")) == 1
    assert good(other.get(f"/shifts/{shift}/hours")) == report
    nobody_is_left(shift, [here, unchecked])


def test_who_was_there_unchecked_when_it_was_called_off_still_gets_their_hours(hood: Hood) -> None:
    worker, other = hood.staff("grid_worker"), hood.staff("community_worker")
    shift = shift_of(worker)
    unchecked, forgotten, left = (gate.volunteer(hood) for _ in range(3))
    for who in (unchecked, forgotten, left):
        gate.signed_up(who, shift)
    good(left.post(f"/shifts/{shift}/withdraw"))
    organised.start_now(shift)
    good(cancel(worker, shift, reason="下大雨"))
    walk(shift)
    assert evening.back_fill(worker, shift, left.id, minutes=20).code == "person_not_on_shift"
    assert evening.back_fill(worker, shift, unchecked.id, minutes=61).code == "more_than_the_shift"
    assert good(evening.back_fill(worker, shift, unchecked.id, minutes=30))["minutes"] == 30
    assert evening.ask(forgotten, shift, 20).code == "hours_not_confirmed"
    good(evening.confirm(worker, shift))
    walk(shift)
    asked = good(evening.ask(forgotten, shift, 20))
    assert good(evening.decide(other, asked["id"]))["state"] == "accepted"
    assert (evening.minutes(unchecked, shift), evening.minutes(forgotten, shift)) == (30, 20)
    nobody_is_left(shift, [unchecked, forgotten, left])
    gate.adds_up(shift)


def test_before_its_start_who_has_checked_in_already_has_not_served(hood: Hood) -> None:
    worker, chen = hood.staff("grid_worker"), gate.volunteer(hood)
    shift = shift_of(worker)
    gate.signed_up(chen, shift)
    organised.start_now(shift, ago=timedelta(minutes=-20))
    organised.check_in(chen, shift)
    good(cancel(worker, shift))
    walk(shift)
    assert (gate.state_of(chen, shift), gate.adds_up(shift).taken) == ("cancelled", 0)
    assert (len(told(chen, "shift_cancelled")), told(chen, "shift_cut_short")) == (1, [])
    assert gate.file_of(chen).taken == {}


def test_who_is_settled_before_they_were_told_is_told_all_the_same(hood: Hood) -> None:
    """The hours of a shift that was cut short are confirmed before its round has reached everybody."""
    worker, chen, left = hood.staff("grid_worker"), gate.volunteer(hood), gate.volunteer(hood)
    shift = shift_of(worker)
    for who in (chen, left):
        gate.signed_up(who, shift)
        organised.check_in(who, shift)
    organised.start_now(shift)
    with transaction() as tx:
        gone = [SignUp.state.set("checked_out"), SignUp.out_at.set(clock.now()), SignUp.out_by.set("code")]
        tx.update(SignUp.key(shift, left.id), gone)
    good(cancel(worker, shift))
    good(worker.post(f"/shifts/{shift}/confirm", json={}))
    cancelled, settled = organised.rounds_of(shift)
    for each in (settled, cancelled, cancelled):
        rounds.walk(each, now=clock.now())
    mine = gate.place_of(chen, shift)
    assert (mine.state, mine.out_at, mine.out_by) == ("checked_out", gate.stored(shift).cancelled_at, "cancelled")
    assert (len(told(chen, "shift_cut_short")), told(left, "shift_cut_short")) == (1, [])
    assert shift not in gate.file_of(chen).taken


def test_once_it_is_over_it_is_not_cancelled(hood: Hood) -> None:
    worker = hood.staff("grid_worker")
    shift = shift_of(worker)
    gate.in_the_past(shift, start=clock.now() - timedelta(hours=5), end=clock.now() - timedelta(minutes=1))
    assert cancel(worker, shift).code == "shift_over"


def test_the_reason_is_checked_but_no_cancellation_waits_for_that(hood: Hood) -> None:
    worker = hood.staff("grid_worker")
    shift, other = shift_of(worker), shift_of(worker, shifts=[single(3)])
    assert cancel(worker, shift, reason=sorted(catalogue.RISKY_WORDS)[0] + "了").code == "content_refused"
    assert cancel(worker, shift, reason="\u200b\u200b").wrong == {"reason": "不能为空"}
    assert gate.stored(shift).state == "published"
    good(cancel(worker, shift, reason=sorted(catalogue.REVIEW_WORDS)[0] + "了"))
    assert gate.stored(shift).reason == "组织者取消了班次，详情请联系组织者"
    hood.wechat.break_("down", "/wxa/msg_sec_check")
    good(cancel(worker, other))
    assert gate.stored(other).reason == "组织者取消了班次，详情请联系组织者"


def test_only_who_looks_after_the_area_cancels(hood: Hood) -> None:
    worker = hood.staff("grid_worker")
    made = published(worker)
    (shift,) = (each["id"] for each in made["shifts"])
    for who in (hood.resident(), hood.staff("moderator"), hood.staff("grid_worker", f"{hood.street}002")):
        assert cancel(who, shift).code == "duty_needed"
        assert who.post(f"/activities/{made['id']}/cancel", json={"reason": "不办了"}).code == "duty_needed"
    assert cancel(worker, shift[:-1]).code == "shift_not_found"


class TestAnActivity:
    def test_is_cancelled_with_all_shifts_that_are_not_over(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker")
        made = published(worker, shifts=[single(n, capacity=1) for n in (1, 2, 3, 4)])
        over, cancelled, under_way, to_come = (each["id"] for each in made["shifts"])
        chen, served = gate.volunteer(hood), gate.volunteer(hood)
        gate.signed_up(chen, to_come)
        gate.signed_up(served, over)
        good(cancel(worker, cancelled, reason="人手不够"))
        walk(cancelled)
        now = clock.now()
        gate.in_the_past(over, start=now - timedelta(hours=5), end=now - timedelta(hours=1))
        gate.in_the_past(under_way, start=now - timedelta(hours=1), end=now + timedelta(hours=1))
        path = f"/activities/{made['id']}/cancel"
        done = good(worker.post(path, json={"reason": "活动取消"}, key="a"))
        assert done["state"] == "cancelled"
        assert good(worker.post(path, json={"reason": "活动取消"}, key="a")) == done
        assert worker.post(path, json={"reason": "活动取消"}).code == "activity_over"
        for each in (over, under_way, to_come):
            walk(each)
        states = [gate.stored(each).state for each in (over, cancelled, under_way, to_come)]
        assert states == ["published", "cancelled", "cancelled", "cancelled"]
        assert gate.stored(cancelled).reason == "人手不够"
        assert [notice.about for notice in told(chen, "shift_cancelled")] == [to_come]
        assert gate.state_of(served, over) == "signed_up"
        assert organised.activity_of(made["id"]).timer is None

    def test_of_which_all_shifts_are_over_is_not_cancelled(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker")
        made = published(worker)
        gate.in_the_past(made["shifts"][0]["id"], start=clock.now() - timedelta(hours=5), end=clock.now())
        assert worker.post(f"/activities/{made['id']}/cancel", json={"reason": "不办了"}).code == "activity_over"

    def test_that_is_a_draft_is_thrown_away(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker")
        made = drafted(worker)
        path = f"/activities/{made['id']}"
        assert good(worker.post(f"{path}/cancel", json={"reason": "不办了"}))["state"] == "cancelled"
        assert worker.post(f"{path}/publish", json={"version": 1}).code == "step_not_possible"


@pytest.mark.parametrize("seed", range(2))
def test_cancelled_while_people_come_and_go_nobody_has_a_place(hood: Hood, seed: int) -> None:
    """Sign-ups, withdrawals (which promote), a change and the rounds themselves, in one moment."""
    worker = hood.staff("grid_worker")
    shift = shift_of(worker, shifts=[single(3, capacity=3)])
    people = [gate.volunteer(hood) for _ in range(8)]
    for who in people[:5]:
        gate.signed_up(who, shift, wait=True)
    if seed:
        good(organised.change(worker, shift, capacity=4))
    acts = [
        *(lambda who=who: gate.sign_up(who, shift, wait=True) for who in people[5:]),
        *(lambda who=who: who.post(f"/shifts/{shift}/withdraw") for who in people[:3]),
        lambda: cancel(worker, shift),
        lambda: organised.change(worker, shift, place="南门"),
        lambda: walk(shift),
    ]
    random.Random(seed).shuffle(acts)
    answers = [answer for answer in at_once(*acts) if answer is not None]
    assert {answer.status for answer in answers} <= {200, 201, 409}, answers
    if gate.stored(shift).state != "cancelled":
        good(cancel(worker, shift))
    walk(shift)
    nobody_is_left(shift, people)
    assert gate.stored(shift).taken == 0
    for who in people:
        mine = gate.place_of(who, shift)
        by_shift = mine is not None and mine.cancelled_by == "shift"
        assert len(told(who, "shift_cancelled")) == int(by_shift)
        assert mine is None or mine.late_withdrawals == 0


def test_at_night_only_what_would_come_too_late_in_the_morning_is_pushed_at_once(hood: Hood, configure: Any) -> None:
    now = clock.local(clock.now())
    configure(
        "notices", quiet_from=f"{now - timedelta(hours=1):%H:%M}", quiet_until=f"{now + timedelta(hours=6):%H:%M}"
    )
    worker, chen, waits = hood.staff("grid_worker"), gate.volunteer(hood), gate.volunteer(hood)
    early, later = (gate.shift(hood, capacity=1, starts=timedelta(hours=hours)) for hours in (7, 20))
    for shift in (early, later):
        for who in (chen, waits):
            gate.signed_up(who, shift, wait=True)
        chen.post(f"/shifts/{shift}/withdraw")
        good(cancel(worker, shift))
        walk(shift)
    for kind in ("shift_place_free", "shift_cancelled"):
        assert {(notice.about, notice.urgent) for notice in told(waits, kind)} == {(early, True), (later, False)}
