"""Staff ask for somebody without WeChat: who may, who sees whom it is for, and when that is forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.content.models import Review
from chalicelib.help import talking
from chalicelib.kit import clock, limits, vault
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.people import lookups
from chalicelib.people import service as people
from chalicelib.people.models import Duty
from tests.help.street import (
    MASKS,
    Street,
    ask,
    at_once,
    bring,
    check_books,
    code_of,
    decide,
    lines,
    offer,
    path,
    run_offer,
    run_request,
    states,
    stored,
)

REASON = {"reason": "送货前电话确认"}


def filing(street: Street, **change: Any) -> dict[str, Any]:
    return {**MASKS, "area": street.grid, "contact_name": "王阿婆", "contact_phone": "0573-82838483", **change}


@pytest.fixture
def filed(street: Street) -> Any:
    """A grid worker and the request they have filed."""
    worker = street.staff("grid_worker", street.grid, "网格员")
    answer = worker.post("/help-requests/on-behalf", json=filing(street), key="k")
    assert answer.status == 201, answer
    return worker, answer.json["id"]


def key_is_gone(request: str) -> bool:
    try:
        vault.seal(request, "contact", "x")
    except vault.KeyDestroyed:
        return True
    return False


class TestFiling:
    def test_the_record_says_so_and_shows_neither_name_nor_phone(self, street, filed):
        worker, request = filed
        other = street.resident()
        for answer in (other.get(f"/help-requests/{request}"), worker.get(f"/help-requests/{request}")):
            assert answer.json["filed_by_staff"]
            assert answer.json["requester_name"] == "社区代为登记"
            assert "王阿婆" not in answer.text
            assert "82838483" not in answer.text
        assert street.open_list(other) == [request]
        assert b"82838483" not in stored(request).contact_sealed

    def test_a_repeat_files_once_and_other_content_is_refused(self, street, filed):
        worker, request = filed
        assert worker.post("/help-requests/on-behalf", json=filing(street), key="k").json["id"] == request
        answer = worker.post("/help-requests/on-behalf", json=filing(street, contact_name="李阿公"), key="k")
        assert answer.code == "idempotency_key_reused"

    def test_only_those_who_care_for_the_area_file(self, street):
        elsewhere = Street(street.http, street.wechat)
        for who in (
            street.resident(),
            street.staff("moderator"),
            street.staff("desk_clerk"),
            elsewhere.staff("grid_worker"),
            street.staff("grid_worker", street.micro_grid),
        ):
            assert who.post("/help-requests/on-behalf", json=filing(street)).code == "duty_needed"

    def test_an_ended_duty_is_none(self, street):
        worker = street.staff("grid_worker", street.grid)
        (duty,) = people.present(worker.caller, now=clock.now()).duties
        duty.update([type(duty).until_at.set(clock.now())])
        assert worker.post("/help-requests/on-behalf", json=filing(street)).code == "duty_needed"

    def test_staff_of_a_larger_area_file_for_a_smaller(self, street):
        worker = street.staff("community_worker", street.street)
        assert worker.post("/help-requests/on-behalf", json=filing(street)).status == 201

    @pytest.mark.parametrize("field", ["contact_name", "contact_phone", "area"])
    def test_whom_for_and_where_must_be_said(self, street, field):
        wish = filing(street)
        del wish[field]
        worker = street.staff("grid_worker")
        assert worker.post("/help-requests/on-behalf", json=wish).wrong == {field: "必须填写"}

    @pytest.mark.parametrize(
        "change", [{"contact_phone": "call me"}, {"contact_name": " "}, {"contact_name": "王" * 21}, {"area": "1"}]
    )
    def test_bad_contacts_are_refused(self, street, change):
        worker = street.staff("grid_worker")
        assert worker.post("/help-requests/on-behalf", json=filing(street, **change)).status == 422

    def test_more_may_be_filed_than_asked_for_oneself(self, street, configure):
        configure("help", asks_a_day=1, files_a_day=2)
        worker = street.staff("grid_worker")
        assert [worker.post("/help-requests/on-behalf", json=filing(street)).status for _ in range(3)] == [
            201,
            201,
            429,
        ]
        ask(worker)


class TestTheContact:
    def test_a_carer_sees_it_with_a_reason_which_is_written_down(self, street, filed):
        _, request = filed
        colleague = street.staff("community_worker", name="社区小张")
        shown = colleague.post(f"/help-requests/{request}/contact", json=REASON, key="k")
        assert shown.json == {"name": "王阿婆", "phone": "0573-82838483"}
        colleague.post(f"/help-requests/{request}/contact", json=REASON, key="k")
        found = list(Item.by_person.query(f"LOOKUPS_OF#{request}"))
        assert [(look.by_name, look.reason) for look in found] == [("社区小张", "送货前电话确认")]

    def test_a_double_tap_is_one_look(self, street, filed):
        _, request = filed
        colleague = street.staff("community_worker")
        looks = at_once(*[lambda: colleague.post(f"/help-requests/{request}/contact", json=REASON, key="k")] * 3)
        assert [look.status for look in looks] == [200] * 3, looks
        assert len(list(Item.by_person.query(f"LOOKUPS_OF#{request}"))) == 1

    def test_looks_are_counted_with_those_at_residents(self, street, filed):
        worker, request = filed
        with transaction() as tx:
            most, day = lookups.A_DAY, timedelta(days=1)
            limits.spend(tx, worker.id, "look_up", at_most=most, per=day, now=clock.now(), cost=most)
        answer = worker.post(f"/help-requests/{request}/contact", json=REASON)
        assert (answer.code, answer.json["detail"]) == ("too_many_requests", "今天的次数已经用完，请明天再来。")

    @pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "    "}, {"reason": "看"}])
    def test_not_without_a_reason(self, filed, body):
        worker, request = filed
        assert worker.post(f"/help-requests/{request}/contact", json=body).status == 422

    def test_nobody_else_sees_it(self, street, filed):
        _, request = filed
        elsewhere = Street(street.http, street.wechat).staff("grid_worker")
        for who in (street.resident(), street.staff("moderator"), elsewhere):
            answer = who.post(f"/help-requests/{request}/contact", json=REASON)
            assert (answer.code, "王阿婆" in answer.text) == ("duty_needed", False)

    def test_a_request_somebody_made_themself_has_none(self, street):
        worker = street.staff("grid_worker")
        answer = worker.post(f"/help-requests/{ask(street.resident())}/contact", json=REASON)
        assert answer.code == "help_request_not_found"

    @pytest.mark.parametrize("end", ["withdrawn", "fulfilled", "expired", "removed"])
    def test_it_is_destroyed_when_the_request_ends(self, street, end):
        worker = street.staff("grid_worker", street.grid)
        doubtful = {"text": "高价回收"} if end == "removed" else {}
        request = worker.post("/help-requests/on-behalf", json=filing(street, **doubtful)).json["id"]
        if end == "withdrawn":
            assert worker.post(f"/help-requests/{request}/withdraw").status == 200
        elif end == "fulfilled":
            made = bring(street.resident(), request)
            worker.post(path(request, made, "collect"))
            assert worker.post(f"/help-requests/{request}/confirm").status == 200
        elif end == "expired":
            for days in (0, 2, 20):
                run_request(request, clock.now() + timedelta(days=days))
        else:
            decide(street.staff("moderator"), only_review(street), "refuse", "含有广告推销")
        assert stored(request).state == end
        assert worker.post(f"/help-requests/{request}/contact", json=REASON).code == "help_request_not_found"
        later = clock.now() + timedelta(days=30)
        assert run_request(request, later) == "help.forget"
        assert run_request(request, later) is None
        assert (key_is_gone(request), stored(request).contact_sealed) == (True, None)


class TestActingForThem:
    def test_any_carer_of_the_area_collects_and_confirms(self, street, filed):
        worker, request = filed
        helper, colleague = street.resident(), street.staff("micro_grid_head", street.community)
        made = bring(helper, request)
        assert colleague.post(path(request, made, "collect")).json["state"] == "collected"
        assert colleague.post(f"/help-requests/{request}/confirm").json["state"] == "fulfilled"
        assert worker.told == ["help_offered", "help_dropped_off"]
        check_books(request)

    def test_any_carer_withdraws_or_cancels(self, street, filed):
        _, request = filed
        helper, colleague = street.resident(), street.staff("community_worker")
        made = offer(helper, request)
        assert colleague.post(path(request, made, "cancel")).json["state"] == "cancelled"
        assert colleague.post(f"/help-requests/{request}/withdraw").json["state"] == "withdrawn"

    def test_nobody_else_does(self, street, filed):
        worker, request = filed
        made = bring(street.resident(), request)
        elsewhere = Street(street.http, street.wechat).staff("grid_worker")
        for who in (street.resident(), street.staff("moderator"), elsewhere):
            assert who.post(path(request, made, "collect")).code == "offer_not_found"
            assert who.post(path(request, made, "cancel")).code == "offer_not_found"
            assert who.post(f"/help-requests/{request}/withdraw").code == "not_yours"
            assert who.post(f"/help-requests/{request}/confirm").code == "not_yours"
        (duty,) = people.present(worker.caller, now=clock.now()).duties
        duty.update([type(duty).until_at.set(clock.now())])
        assert worker.post(path(request, made, "collect")).code == "offer_not_found"

    def test_any_carer_sees_and_does_what_a_requester_would(self, street, filed):
        worker, request = filed
        helper, colleague = street.resident(), street.staff("community_worker", name="社区小张")
        made = bring(helper, request)
        helper.post(path(request, made, "messages"), json={"text": "放在门卫了"})
        for who in (worker, colleague):
            seen = who.get(f"/help-requests/{request}").json
            assert (seen["mine"], [each["code"] for each in seen["offers"]]) == (True, [code_of(request, made)])
            assert who.get(path(request, made, "code")).json["code"] == code_of(request, made)
            assert [each["text"] for each in lines(who.get(path(request, made, "messages")))] == ["放在门卫了"]
        written = colleague.post(path(request, made, "messages"), json={"text": "好的，我去拿"})
        assert (written.json["author_name"], helper.told[-1]) == ("社区小张", "help_message")
        photo = colleague.post(f"/help-requests/{request}/photos", json={})
        assert photo.status == 201
        assert worker.post(f"/help-requests/{request}/photos/{photo.json['photo_id']}/remove").status == 204
        assert colleague.post(path(request, made, "collect")).status == 200
        assert (
            colleague.post(path(request, made, "thanks"), json={"text": "王阿婆谢谢您"}).json["thanks"]
            == "王阿婆谢谢您"
        )

    def test_residents_and_helpers_see_no_more_than_of_any_request(self, street, filed):
        _, request = filed
        helper = street.resident()
        made = bring(helper, request)
        for who in (street.resident(), street.staff("desk_clerk")):
            seen = who.get(f"/help-requests/{request}").json
            assert (seen["mine"], seen["offers"]) == (False, [])
            assert who.get(f"/help-requests/{request}?as_staff=true").code == "duty_needed"
        assert [each["code"] for each in helper.get(f"/help-requests/{request}").json["offers"]] == [None]
        assert helper.get(path(request, made, "code")).code == "offer_not_found"

    def test_who_filed_it_does_not_answer_it(self, street, filed):
        worker, request = filed
        assert worker.post(f"/help-requests/{request}/offers", json={"quantity": 1}).code == "own_request"

    def test_a_lapse_is_told_to_who_filed_it(self, street, filed):
        worker, request = filed
        made = offer(street.resident(), request)
        run_offer(request, made, clock.now() + timedelta(days=3))
        assert worker.told[-1] == "help_offer_lapsed"
        assert states(request) == ["lapsed"]

    def test_it_is_on_the_list_of_who_looks_after_the_area_until_it_is_over(self, street, filed):
        worker, request = filed
        colleague = street.staff("community_worker")
        other = colleague.post("/help-requests/on-behalf", json=filing(street, area=street.community)).json["id"]
        ask(street.resident())
        for who, area, found in (
            (worker, street.grid, [request]),
            (colleague, street.grid, [request]),
            (colleague, street.community, [other, request]),
        ):
            assert [line["id"] for line in lines(who.get(f"/help-requests/filed?area={area}"))] == found
        assert lines(worker.get("/help-requests/mine")) == []
        assert street.resident().get(f"/help-requests/filed?area={street.grid}").code == "duty_needed"
        assert worker.get("/help-requests/filed?area=33").wrong.keys() == {"area"}
        worker.post(f"/help-requests/{request}/withdraw")
        assert lines(worker.get(f"/help-requests/filed?area={street.grid}")) == []


class TestADutyThatHasEnded:
    """Nothing of what somebody filed for another stays theirs."""

    @pytest.fixture(params=["by an administrator", "by itself"])
    def former(self, street: Street, request: Any) -> Any:
        """Who filed a request, whose duty is over now; the request, an offer that was brought, and its helper."""
        worker, helper = street.staff("grid_worker", street.grid, "网格员小王"), street.resident()
        filed = worker.post("/help-requests/on-behalf", json=filing(street)).json["id"]
        made = bring(helper, filed)
        helper.post(path(filed, made, "messages"), json={"text": "放在门卫了"})
        if request.param == "by itself":
            key = Duty.key(worker.id, "grid_worker", street.grid)
            duty = Duty.fetch(key.pk, key.sk)
            duty.update([Duty.until_at.set(clock.now())])
        else:
            street.end_duty(worker, "grid_worker", street.grid)
        return worker, filed, made, helper

    def test_opens_nothing_any_more(self, street, former):
        worker, request, made, _ = former
        seen = worker.get(f"/help-requests/{request}").json
        assert (seen["mine"], seen["offers"]) == (False, [])
        assert worker.get(f"/help-requests/{request}?as_staff=true").code == "duty_needed"
        assert worker.get(path(request, made, "code")).code == "offer_not_found"
        assert worker.get(path(request, made, "messages")).code == "offer_not_found"
        assert worker.get(f"/help-requests/filed?area={street.grid}").code == "duty_needed"
        assert lines(worker.get("/help-requests/mine")) == []

    @pytest.mark.parametrize(
        ("act", "body"),
        [
            ("offers/{made}/messages", {"text": "我来拿"}),
            ("offers/{made}/collect", None),
            ("offers/{made}/cancel", None),
            ("offers/{made}/thanks", {"text": "谢谢"}),
            ("photos", {}),
            ("confirm", None),
            ("withdraw", None),
            ("object", {"reason": "是旧的"}),
            ("contact", {"reason": "送货前确认"}),
        ],
    )
    def test_allows_nothing_any_more(self, former, act, body):
        worker, request, made, _ = former
        before = stored(request).attribute_values
        answer = worker.post(f"/help-requests/{request}/{act.format(made=made)}", json=body)
        assert answer.status in (403, 404), answer
        assert stored(request).attribute_values == before
        assert states(request) == ["dropped_off"]

    def test_tells_of_no_step_any_more_but_who_is_in_charge_by_then(self, street, former):
        worker, request, made, helper = former
        colleague, before = street.staff("community_worker"), len(worker.told)
        second = ask_for_another(street, colleague)
        helper.post(path(request, made, "messages"), json={"text": "还在门卫"})
        run_offer(request, made, clock.now() + timedelta(days=3))
        street.end_duty(colleague, "community_worker", street.community)
        successor = street.staff("grid_worker", street.grid)
        offered = offer(helper, second)
        helper.post(path(second, offered, "drop-off"))
        assert worker.told[before:] == []
        assert colleague.told == ["help_message", "help_not_fetched"]
        assert successor.told == ["help_offered", "help_dropped_off"]

    def test_a_colleague_goes_on_with_what_was_said(self, street, former):
        _, request, made, _ = former
        colleague = street.staff("grid_worker", street.grid)
        assert [each["text"] for each in lines(colleague.get(path(request, made, "messages")))] == ["放在门卫了"]
        assert colleague.post(path(request, made, "collect")).status == 200
        assert colleague.post(f"/help-requests/{request}/confirm").json["state"] == "fulfilled"

    def test_in_the_very_moment_of_an_act_counts(self, street, monkeypatch):
        worker = street.staff("grid_worker", street.grid)
        request = worker.post("/help-requests/on-behalf", json=filing(street)).json["id"]
        made = bring(street.resident(), request)
        written = talking._send

        def ended_before(*args: Any) -> None:
            street.end_duty(worker, "grid_worker", street.grid)
            written(*args)

        monkeypatch.setattr(talking, "_send", ended_before)
        assert worker.post(path(request, made, "messages"), json={"text": "我来拿"}).code == "duty_needed"
        assert Item.collection(stored(request).pk, "TALK#") == []

    def test_flags_and_their_verdict_are_told_to_who_is_in_charge(self, street):
        worker, moderator = street.staff("grid_worker", street.grid), street.staff("moderator")
        request = worker.post("/help-requests/on-behalf", json=filing(street)).json["id"]
        street.end_duty(worker, "grid_worker", street.grid)
        colleague = street.staff("micro_grid_head", street.grid)
        for each in street.residents(3):
            assert each.post(f"/help-requests/{request}/flags", json={"reason": "fraud"}).status == 204
        assert decide(moderator, only_review(street), "approve").status == 200
        assert (worker.told, colleague.told) == ([], ["content_hidden_by_flags", "content_approved"])

    def test_codes_are_not_tried_any_more(self, street, former):
        worker, request, made, _ = former
        for code in (code_of(request, made), "ABCD2345"):
            assert worker.post("/pick-ups", json={"code": code}).code == "duty_needed"


def ask_for_another(street: Street, worker: Any) -> str:
    answer = worker.post("/help-requests/on-behalf", json=filing(street))
    assert answer.status == 201, answer
    return str(answer.json["id"])


def only_review(street: Street) -> Review:
    """The one that a moderator of the street has to decide."""
    [found] = list(Item.by_area.query(Review.list_key(street.community)))
    return Review.fetch(found.pk, found.sk)
