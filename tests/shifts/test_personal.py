"""What shifts keep about a person: the copy of their data, and what becomes of it when they leave."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kit import clock
from chalicelib.kit.transaction import transaction
from chalicelib.people import personal_data
from chalicelib.people.rules import NICKNAME_OF_THE_CLOSED
from chalicelib.shifts.hours import personal as hours
from chalicelib.shifts.models import HoursCorrection, SignUp
from chalicelib.shifts.places import personal
from chalicelib.volunteers.models import ServiceRecord, partition
from tests.neighbourhood import Hood, Neighbour
from tests.shifts import door, evening, gate


def copy(title: str, who: Neighbour) -> list[dict[str, Any]]:
    return list(personal_data.sections[title](who.id))


def test_the_copy_shows_shifts_and_hours_with_all_versions_and_what_was_asked(hood: Hood) -> None:
    li, wang = hood.staff("community_worker"), hood.staff("grid_worker")
    shift, chen = evening.over(hood), gate.volunteer(hood, "陈建君")
    evening.on(chen, shift, came=0, left=90)
    evening.confirmed(li, shift)
    first = evening.ask(chen, shift, 240, reason="我待了四个小时").json["id"]
    evening.decide(wang, first, reason="请写清几点离开")
    evening.decide(wang, evening.ask(chen, shift, 210, reason="十二点半离开").json["id"])
    coming = gate.shift(hood)
    gate.signed_up(chen, coming)

    shifts = copy("我的班次", chen)
    assert sorted(each["状态"] for each in shifts) == ["已报名", "已签退"]
    hours, declined, accepted = copy("服务时长", chen)
    assert (hours["时长"], hours["方式"], hours["积分"]) == ("3 小时 30 分钟", "组织者记录", 7)
    assert [(each["时长"], each["方式"]) for each in hours["更正前"]] == [("1 小时 30 分钟", "签到签退")]
    assert (declined["结果"], declined["原因"], declined["答复"]) == ("未更正", "我待了四个小时", "请写清几点离开")
    assert (accepted["结果"], accepted["时长"]) == ("已更正", "3 小时 30 分钟")
    assert evening.ask(chen, shift, 60, reason="又记错了").status == 201
    assert copy("服务时长", chen)[-1]["结果"] == "等待处理"


def test_who_leaves_makes_room_for_those_who_wait_and_is_forgotten_where_they_were(hood: Hood) -> None:
    li = hood.staff("community_worker")
    chen, wang = gate.volunteer(hood, "陈建君"), gate.volunteer(hood, "王阿姨")
    past, coming, queued = evening.over(hood), gate.shift(hood, capacity=1), None
    evening.on(chen, past, came=0, left=90)
    evening.confirmed(li, past)
    assert evening.ask(chen, past, 240).status == 201
    gate.signed_up(chen, coming)
    assert gate.signed_up(wang, coming, wait=True)["state"] == "waiting"
    queued = gate.shift(hood, capacity=1, starts=timedelta(days=4))
    gate.signed_up(wang, queued)
    gate.signed_up(chen, queued, wait=True)

    for _ in range(2):
        personal.erase(chen.id, now=clock.now())
        hours.erase(chen.id, now=clock.now())
    assert (gate.state_of(chen, coming), gate.state_of(wang, coming)) == ("cancelled", "signed_up")
    assert (gate.state_of(chen, queued), gate.queue(queued)) == ("cancelled", [])
    for shift in (past, coming, queued):
        assert evening.stand(chen, shift).name == NICKNAME_OF_THE_CLOSED
        assert evening.stand(chen, shift).person_key is None
        gate.adds_up(shift)
    assert copy("我的班次", chen) == copy("服务时长", chen) == []
    kept = {type(each) for each in ServiceRecord.collection(partition(chen.id))}
    assert not kept & {ServiceRecord, HoursCorrection}
    assert li.get(f"/hours-corrections?area={hood.community}").json["items"] == []


def test_an_account_that_is_closed_over_http_leaves_its_shifts(hood: Hood) -> None:
    chen, shift = gate.volunteer(hood), gate.shift(hood)
    gate.signed_up(chen, shift)
    assert chen.post("/me/close", json={"word": "注销"}).status == 204
    assert gate.state_of(chen, shift) == "cancelled"
    assert gate.adds_up(shift).taken == 0


@pytest.mark.parametrize("leaving", ["/me/volunteer/leave", "/me/close"])
def test_who_has_come_early_and_leaves_for_good_lets_the_next_one_in(hood: Hood, leaving: str) -> None:
    shift, chen = door.expected(hood, capacity=1)
    wang = gate.volunteer(hood)
    gate.signed_up(wang, shift, wait=True)
    assert door.check_in(chen, shift).status == 200
    assert chen.post(leaving, json={"word": "注销"} if leaving == "/me/close" else None).status in (200, 204)
    assert (gate.state_of(chen, shift), gate.state_of(wang, shift)) == ("cancelled", "signed_up")
    gate.adds_up(shift)


def test_who_stops_volunteering_leaves_only_shifts_that_ask_for_volunteers(hood: Hood) -> None:
    worker = hood.staff("community_worker")
    gate.approve(worker)
    closed = gate.shift(hood)
    open_ = gate.shift(hood, needs_approval=False, starts=timedelta(days=3))
    at_work = gate.shift(hood, quorum={"community_worker": 1}, starts=timedelta(days=4))
    begun = evening.over(hood)
    gate.signed_up(worker, closed)
    gate.signed_up(worker, open_)
    gate.signed_up(worker, at_work, role="community_worker")
    evening.on(worker, begun)
    personal.withdraw_from_upcoming(worker.id, everywhere=False, now=clock.now())
    states = [gate.state_of(worker, each) for each in (closed, open_, at_work, begun)]
    assert states == ["signed_up"] * 4, "as long as they are a volunteer"
    gate.approve(worker, state="left", taken=gate.file_of(worker).taken)
    personal.withdraw_from_upcoming(worker.id, everywhere=False, now=clock.now())
    states = [gate.state_of(worker, each) for each in (closed, open_, at_work, begun)]
    assert states == ["cancelled", "signed_up", "signed_up", "signed_up"]
    personal.withdraw_from_upcoming(worker.id, everywhere=True, now=clock.now())
    assert [gate.state_of(worker, each) for each in (open_, at_work, begun)] == ["cancelled", "cancelled", "signed_up"]


def test_a_sign_up_that_the_index_does_not_know_yet_is_given_back_too(
    hood: Hood, monkeypatch: pytest.MonkeyPatch
) -> None:
    chen, shift = gate.volunteer(hood), gate.shift(hood)
    gate.signed_up(chen, shift)
    monkeypatch.setattr(personal, "_sign_ups", lambda resident_id: iter(()))
    personal.erase(chen.id, now=clock.now())
    left = evening.stand(chen, shift)
    assert (left.state, left.name, left.person_key) == ("cancelled", NICKNAME_OF_THE_CLOSED, None)
    assert gate.adds_up(shift).taken == 0


@pytest.mark.parametrize("leaving", [True, False])
def test_a_place_that_the_index_does_not_show_yet_is_given_back_all_the_same(hood: Hood, leaving: bool) -> None:
    chen, wang, shift = gate.volunteer(hood), gate.volunteer(hood), gate.shift(hood, capacity=1)
    gate.signed_up(chen, shift)
    gate.signed_up(wang, shift, wait=True)
    with transaction() as tx:  # as long as the index is behind, it is as if it were not in it
        tx.update(SignUp.key(shift, chen.id), [SignUp.person_key.remove(), SignUp.person_sort.remove()])
    if leaving:
        assert chen.post("/me/volunteer/leave").status == 200
    else:
        assert chen.post("/me/close", json={"word": "注销"}).status == 204
        assert gate.place_of(chen, shift).name == NICKNAME_OF_THE_CLOSED
    assert (gate.state_of(chen, shift), gate.state_of(wang, shift)) == ("cancelled", "signed_up")
    gate.adds_up(shift)


def test_a_shift_that_was_put_off_is_left_too_though_they_have_not_been_told_yet(hood: Hood) -> None:
    chen, shift = gate.volunteer(hood), gate.shift(hood)
    gate.signed_up(chen, shift)
    with transaction() as tx:
        tx.update(SignUp.key(shift, chen.id), [SignUp.start_at.set(clock.now() - timedelta(minutes=1))])
    personal.erase(chen.id, now=clock.now())
    assert (gate.state_of(chen, shift), gate.adds_up(shift).taken) == ("cancelled", 0)
