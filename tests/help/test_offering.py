"""From the promise to the goods in the requester's hands, over HTTP."""

from __future__ import annotations

import base64
import io
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from chalicelib.help import rules
from chalicelib.kit import clock
from tests.engine.budget import budget
from tests.help.street import (
    ERRAND,
    MASKS,
    Street,
    ask,
    bring,
    check_books,
    code_of,
    lines,
    notices,
    offer,
    path,
    run_offer,
    states,
    stored,
)


@pytest.fixture
def need(street: Street) -> Any:
    """Somebody who needs five masks, somebody who has some, and the request."""
    li_ju, chen = street.resident("李菊"), street.resident("陈彩明")
    return li_ju, chen, ask(li_ju)


class TestOffering:
    def test_offers_add_up_until_the_need_is_covered(self, street, need):
        _, chen, request = need
        offer(chen, request, 2)
        assert (stored(request).state, stored(request).offered) == ("open", 2)
        offer(street.resident(), request, 3)
        assert check_books(request).request.state == "covered"
        assert street.open_list(chen) == []

    def test_more_than_needed_is_refused_with_what_is_left(self, street, need):
        _, chen, request = need
        offer(chen, request, 2)
        answer = street.resident().post(f"/help-requests/{request}/offers", json={"quantity": 4})
        assert (answer.status, answer.code) == (409, "more_than_needed")
        assert "3 只" in answer.json["detail"]
        check_books(request)

    def test_a_covered_request_takes_no_more(self, street, need):
        _, chen, request = need
        offer(chen, request, 5)
        answer = street.resident().post(f"/help-requests/{request}/offers", json={"quantity": 1})
        assert (answer.status, answer.code) == (409, "request_not_open")

    def test_twenty_three_helpers_are_enough_and_such_a_request_can_still_be_ended_by_one_write(self, street):
        li_ju = street.resident()
        request = ask(li_ju, quantity=100)
        helpers = [street.resident() for _ in range(rules.HELPERS_AT_MOST)]
        made = [offer(helper, request, 1) for helper in helpers]
        late = street.resident()
        assert late.post(f"/help-requests/{request}/offers", json={"quantity": 1}).code == "enough_helpers"
        helpers[0].post(path(request, made[0], "cancel"))
        assert late.post(f"/help-requests/{request}/offers", json={"quantity": 1}).status == 201
        assert li_ju.post(f"/help-requests/{request}/withdraw").json["state"] == "withdrawn"
        assert set(states(request)) == {"cancelled"}

    @pytest.mark.parametrize("quantity", [0, -1, 10**9, 1.5, "5", True, None])
    def test_a_quantity_is_a_whole_number(self, need, quantity):
        _, chen, request = need
        answer = chen.post(f"/help-requests/{request}/offers", json={"quantity": quantity})
        assert (answer.status, list(answer.wrong)) == (422, ["quantity"])

    def test_nobody_offers_to_themself(self, need):
        li_ju, _, request = need
        answer = li_ju.post(f"/help-requests/{request}/offers", json={"quantity": 1})
        assert (answer.status, answer.code) == (409, "own_request")

    def test_nor_does_a_delegate_to_what_they_asked_for_another(self, street):
        father, daughter = street.resident("父亲"), street.resident("女儿")
        street.let_act(daughter, father)
        answer = daughter.post("/help-requests", json=MASKS, acting_for=father.id)
        offers = f"/help-requests/{answer.json['id']}/offers"
        for who, for_whom in ((daughter, None), (father, None), (daughter, father.id)):
            assert who.post(offers, json={"quantity": 1}, acting_for=for_whom).code == "own_request"

    def test_nor_in_the_name_of_somebody_they_act_for(self, street):
        father, daughter = street.resident("父亲"), street.resident("女儿")
        street.let_act(daughter, father)
        request = ask(daughter)
        answer = daughter.post(f"/help-requests/{request}/offers", json={"quantity": 1}, acting_for=father.id)
        assert answer.code == "own_request"

    def test_a_withdrawn_request_takes_no_offers(self, need):
        li_ju, chen, request = need
        li_ju.post(f"/help-requests/{request}/withdraw")
        answer = chen.post(f"/help-requests/{request}/offers", json={"quantity": 1})
        assert (answer.status, answer.code) == (409, "request_not_open")

    def test_nor_does_one_whose_time_is_over(self, need):
        _, chen, request = need
        stored(request).update([type(stored(request)).open_until.set(clock.now())])
        assert chen.post(f"/help-requests/{request}/offers", json={"quantity": 1}).code == "request_not_open"

    @pytest.mark.parametrize("message", ["打我电话13800138000", "微信同号 138-0013-8000"])
    def test_a_phone_number_in_the_message_is_refused(self, need, message):
        _, chen, request = need
        answer = chen.post(f"/help-requests/{request}/offers", json={"quantity": 1, "message": message})
        assert (answer.status, answer.code) == (409, "contact_in_text")
        assert states(request) == []

    def test_a_long_message_is_refused(self, need):
        _, chen, request = need
        answer = chen.post(f"/help-requests/{request}/offers", json={"quantity": 1, "message": "好" * 201})
        assert answer.wrong == {"message": "最多 200 个字"}

    def test_thirty_offers_a_day_are_enough(self, street, configure):
        configure("help", offers_a_day=1)
        _, chen, request = street.resident(), street.resident(), ask(street.resident())
        offer(chen, request, 1)
        assert chen.post(f"/help-requests/{request}/offers", json={"quantity": 1}).status == 429
        check_books(request)

    def test_an_offer_costs_two_calls(self, need):
        _, chen, request = need
        with budget() as spent:
            chen.post(f"/help-requests/{request}/offers", json={"quantity": 1, "message": "我家有"}, key="k")
        assert spent.calls == ["dynamodb BatchGetItem", "dynamodb TransactWriteItems"]
        with budget() as spent:
            chen.post(f"/help-requests/{request}/offers", json={"quantity": 1, "message": "我家有"}, key="k")
        assert spent.calls == ["dynamodb BatchGetItem"]


class TestBringing:
    def test_goods_get_a_code_that_only_the_requester_sees(self, need):
        li_ju, chen, request = need
        made = bring(chen, request)
        (hers,) = li_ju.get(f"/help-requests/{request}").json["offers"]
        assert hers["code"] == code_of(request, made)
        assert len(hers["code"]) == 8
        for answer in (chen.get(f"/help-requests/{request}"), chen.get("/help-requests/helping")):
            assert hers["code"] not in answer.text

    def test_the_code_is_also_a_picture_for_staff_to_scan_for_the_requester_only(self, need):
        li_ju, chen, request = need
        made = offer(chen, request)
        assert li_ju.get(path(request, made, "code")).code == "step_not_possible"
        chen.post(path(request, made, "drop-off"))
        shown = li_ju.get(path(request, made, "code")).json
        assert shown["code"] == code_of(request, made)
        kind, _, picture = shown["picture"].partition(",")
        assert kind in ("data:image/png;base64", "data:image/jpeg;base64")
        assert Image.open(io.BytesIO(base64.b64decode(picture))).width >= 280
        assert chen.get(path(request, made, "code")).code == "offer_not_found"

    def test_without_wechat_there_is_no_picture_but_the_code_remains(self, street, need):
        li_ju, chen, request = need
        made = bring(chen, request)
        street.wechat.break_("html", "/wxa/getwxacodeunlimit")
        assert li_ju.get(path(request, made, "code")).status == 503
        assert len(li_ju.get(f"/help-requests/{request}").json["offers"][0]["code"]) == 8

    def test_an_errand_has_none(self, street):
        asker, helper = street.residents(2)
        request = ask(asker, ERRAND)
        made = bring(helper, request, 1)
        assert not code_of(request, made)
        assert asker.told == ["help_offered", "help_done"]
        assert asker.post(path(request, made, "collect")).json["state"] == "collected"
        assert helper.told == ["help_confirmed"]
        assert stored(request).timer == "help.fulfil"

    @pytest.mark.parametrize("act", ["drop-off", "collect", "cancel"])
    def test_a_third_person_finds_no_offer(self, street, need, act):
        _, chen, request = need
        made = offer(chen, request)
        answer = street.resident().post(path(request, made, act))
        assert (answer.status, answer.code) == (404, "offer_not_found")

    def test_nor_does_anybody_under_a_wrong_id(self, need):
        li_ju, chen, request = need
        made = offer(chen, request)
        other = ask(li_ju)
        for act in ("drop-off", "collect", "cancel"):
            assert chen.post(path(request, "offer_x", act)).status == 404
            assert chen.post(path(other, made, act)).status == 404

    def test_only_the_helper_brings_and_only_the_requester_collects(self, need):
        li_ju, chen, request = need
        made = offer(chen, request)
        assert li_ju.post(path(request, made, "drop-off")).status == 404
        chen.post(path(request, made, "drop-off"))
        assert chen.post(path(request, made, "collect")).status == 404

    def test_nothing_is_collected_before_it_was_brought(self, need):
        li_ju, chen, request = need
        made = offer(chen, request)
        answer = li_ju.post(path(request, made, "collect"))
        assert (answer.status, answer.code) == (409, "step_not_possible")

    def test_each_step_is_done_once(self, need):
        li_ju, chen, request = need
        made = bring(chen, request)
        assert chen.post(path(request, made, "drop-off")).code == "step_not_possible"
        assert chen.post(path(request, made, "cancel")).code == "step_not_possible"
        assert li_ju.post(path(request, made, "cancel")).code == "step_not_possible"
        li_ju.post(path(request, made, "collect"))
        assert li_ju.post(path(request, made, "collect")).code == "step_not_possible"
        assert stored(request).collected == 5


class TestCodes:
    def test_staff_hand_over_to_whoever_shows_the_code(self, street, need):
        _, chen, request = need
        made = bring(chen, request)
        clerk = street.staff("desk_clerk")
        answer = clerk.post("/pick-ups", json={"code": code_of(request, made)})
        assert (answer.status, answer.json["state"], answer.json["code"]) == (200, "collected", None)
        assert check_books(request).request.timer == "help.fulfil"
        assert chen.told == ["help_collected"]

    @pytest.mark.parametrize("typed", [str.lower, lambda code: f"{code[:4]} {code[4:]}", lambda code: "-".join(code)])
    def test_a_code_may_be_typed_as_people_type(self, street, need, typed):
        _, chen, request = need
        made = bring(chen, request)
        answer = street.staff("grid_worker", street.grid, "网格员").post(
            "/pick-ups", json={"code": typed(code_of(request, made))}
        )
        # The request stands in the requester's own micro-grid, which lies in the worker's grid.
        assert answer.status == 200, answer

    def test_a_code_works_only_once(self, street, need):
        _, chen, request = need
        made = bring(chen, request)
        code, clerks = code_of(request, made), [street.staff("desk_clerk"), street.staff("desk_clerk")]
        assert clerks[0].post("/pick-ups", json={"code": code}, key="k").status == 200
        assert clerks[0].post("/pick-ups", json={"code": code}, key="k").status == 200
        for clerk in clerks:
            answer = clerk.post("/pick-ups", json={"code": code})
            assert (answer.status, answer.code) == (409, "pick_up_code_used")
        assert chen.told == ["help_collected"]

    def test_a_wrong_code_is_not_found(self, street):
        answer = street.staff("desk_clerk").post("/pick-ups", json={"code": "ABCD2345"})
        assert (answer.status, answer.code) == (404, "pick_up_code_wrong")

    @pytest.mark.parametrize(
        "code", ["", "1234567", "1" * 17, 12345678, None, "        ", "#OFFER##", "领取码领取码领取"]
    )
    def test_nonsense_is_no_code(self, street, code):
        assert street.staff("desk_clerk").post("/pick-ups", json={"code": code}).status in (404, 422)

    def test_a_code_is_good_at_its_own_desk_only(self, street, need):
        _, chen, request = need
        made = bring(chen, request)
        elsewhere = Street(street.http, street.wechat).staff("desk_clerk")
        answer = elsewhere.post("/pick-ups", json={"code": code_of(request, made)})
        assert (answer.status, answer.code) == (403, "duty_needed")
        assert states(request) == ["dropped_off"]

    def test_who_has_no_duty_does_not_learn_which_codes_exist(self, street, need):
        li_ju, chen, request = need
        made = bring(chen, request)
        for code in (code_of(request, made), "ABCD2345"):
            assert li_ju.post("/pick-ups", json={"code": code}).code == "duty_needed"
            assert street.staff("moderator").post("/pick-ups", json={"code": code}).code == "duty_needed"

    def test_guessing_is_limited(self, street, configure, need):
        _, chen, request = need
        made = bring(chen, request)
        configure("help", pick_up_tries_an_hour=3)
        clerk = street.staff("desk_clerk")
        tries = [clerk.post("/pick-ups", json={"code": f"ABCD234{each}"}).status for each in range(4)]
        assert tries == [404, 404, 404, 429]
        assert clerk.post("/pick-ups", json={"code": code_of(request, made)}).status == 429

    def test_what_the_requester_has_fetched_is_not_handed_out_again(self, street, need):
        li_ju, chen, request = need
        made = bring(chen, request)
        li_ju.post(path(request, made, "collect"))
        answer = street.staff("desk_clerk").post("/pick-ups", json={"code": code_of(request, made)})
        assert answer.code == "pick_up_code_used"


class TestCallingOff:
    @pytest.mark.parametrize("by_helper", [True, False])
    def test_either_side_calls_an_offer_off_and_the_quantity_opens_again(self, street, need, by_helper):
        li_ju, chen, request = need
        made = offer(chen, request, 5)
        who, other = (chen, li_ju) if by_helper else (li_ju, chen)
        assert who.post(path(request, made, "cancel"), key="k").json["state"] == "cancelled"
        assert who.post(path(request, made, "cancel"), key="k").json["state"] == "cancelled"
        assert other.told.count("help_offer_cancelled" if by_helper else "help_not_needed") == 1
        assert (check_books(request).request.state, street.open_list(chen)) == ("open", [request])

    def test_with_nobody_left_it_is_unanswered_again(self, street, need):
        _, chen, request = need
        made = offer(chen, request, 1)
        chen.post(path(request, made, "cancel"))
        assert stored(request).timer in ("help.announce", "help.escalate")

    def test_what_is_called_off_can_be_offered_anew(self, need):
        _, chen, request = need
        made = offer(chen, request, 5)
        chen.post(path(request, made, "cancel"))
        offer(chen, request, 5)
        assert (check_books(request).request.state, states(request)) == ("covered", ["cancelled", "offered"])

    def test_a_cancelled_or_lapsed_offer_is_not_brought(self, need):
        _, chen, request = need
        made = offer(chen, request, 5)
        chen.post(path(request, made, "cancel"))
        answer = chen.post(path(request, made, "drop-off"))
        assert (answer.status, answer.json["detail"]) == (409, "这次认领已经取消。")


class TestEnding:
    def test_withdrawing_ends_open_offers_and_tells_their_helpers(self, need):
        li_ju, chen, request = need
        offer(chen, request, 2)
        li_ju.post(f"/help-requests/{request}/withdraw")
        assert (states(request), chen.told) == (["cancelled"], ["help_request_withdrawn"])
        assert check_books(request).request.state == "withdrawn"

    def test_goods_that_wait_are_fetched_before_withdrawing(self, need):
        li_ju, chen, request = need
        bring(chen, request, 2)
        assert li_ju.post(f"/help-requests/{request}/withdraw").code == "goods_waiting"

    def test_less_than_asked_for_may_be_enough(self, street, need):
        li_ju, chen, request = need
        made = bring(chen, request, 2)
        assert li_ju.post(f"/help-requests/{request}/confirm").code == "offers_under_way"
        li_ju.post(path(request, made, "collect"))
        assert street.open_list(li_ju) == [request]
        assert li_ju.post(f"/help-requests/{request}/confirm", key="k").json["state"] == "fulfilled"
        assert li_ju.post(f"/help-requests/{request}/confirm", key="k").json["state"] == "fulfilled"
        assert chen.told.count("help_fulfilled") == 1
        assert check_books(request).request.timer is None
        assert street.open_list(li_ju) == []

    def test_nothing_is_confirmed_before_anything_came(self, need):
        li_ju, _, request = need
        assert li_ju.post(f"/help-requests/{request}/confirm").code == "nothing_collected"

    def test_after_the_end_nothing_moves(self, street, need):
        li_ju, chen, request = need
        made = bring(chen, request, 5)
        li_ju.post(path(request, made, "collect"))
        li_ju.post(f"/help-requests/{request}/confirm")
        for act in ("withdraw", "confirm"):
            assert li_ju.post(f"/help-requests/{request}/{act}").code == "step_not_possible"
        assert li_ju.post(f"/help-requests/{request}/object", json={"reason": "坏的"}).code == "step_not_possible"
        assert chen.post(path(request, made, "cancel")).code == "step_not_possible"
        assert street.resident().post(f"/help-requests/{request}/offers", json={}).code == "request_not_open"
        assert chen.post(f"/help-requests/{request}/flags", json={"reason": "other"}).status == 404


class TestObjecting:
    def test_the_grid_worker_is_told_and_silence_confirms_nothing(self, street, need):
        li_ju, chen, request = need
        worker = street.staff("grid_worker", street.grid)
        made = bring(chen, request, 5)
        li_ju.post(path(request, made, "collect"))
        answer = li_ju.post(f"/help-requests/{request}/object", json={"reason": "口罩是破的"}, key="k")
        assert answer.status == 200
        assert li_ju.post(f"/help-requests/{request}/object", json={"reason": "口罩是破的"}, key="k").status == 200
        assert li_ju.post(f"/help-requests/{request}/object", json={"reason": "不好"}, key="k").code == (
            "idempotency_key_reused"
        )
        assert worker.told == ["help_objected"]
        assert (stored(request).timer, stored(request).state) == (None, "covered")
        assert li_ju.post(f"/help-requests/{request}/object", json={"reason": "又一次"}).code == "already_objected"

    def test_its_words_are_for_the_requester_and_the_carers(self, street, need):
        li_ju, chen, request = need
        worker = street.staff("grid_worker", street.grid)
        made = bring(chen, request, 5)
        li_ju.post(path(request, made, "collect"))
        li_ju.post(f"/help-requests/{request}/object", json={"reason": "口罩是破的"})
        seen = worker.get(f"/help-requests/{request}?as_staff=true").json
        assert (seen["objection"], len(seen["offers"]), seen["mine"]) == ("口罩是破的", 1, False)
        assert seen["offers"][0]["code"] is None
        assert chen.get(f"/help-requests/{request}").json["objection"] is None
        assert chen.get(f"/help-requests/{request}?as_staff=true").code == "duty_needed"

    def test_a_carer_of_the_area_then_ends_it(self, street, need):
        li_ju, chen, request = need
        made = bring(chen, request, 5)
        li_ju.post(path(request, made, "collect"))
        worker = street.staff("grid_worker", street.grid)
        assert worker.post(f"/help-requests/{request}/confirm").code == "not_yours"
        li_ju.post(f"/help-requests/{request}/object", json={"reason": "口罩是破的"})
        elsewhere = Street(street.http, street.wechat).staff("grid_worker")
        assert elsewhere.post(f"/help-requests/{request}/confirm").code == "not_yours"
        assert worker.post(f"/help-requests/{request}/confirm").json["state"] == "fulfilled"

    def test_goods_that_never_came_are_objected_to_and_called_off_by_a_carer(self, street, need):
        li_ju, chen, request = need
        assert li_ju.post(f"/help-requests/{request}/object", json={"reason": "没有"}).code == "nothing_to_object_to"
        made = bring(chen, request, 5)
        assert li_ju.post(path(request, made, "cancel")).code == "step_not_possible"
        assert li_ju.post(f"/help-requests/{request}/object", json={"reason": "居委会没有东西"}).status == 200
        worker = street.staff("grid_worker", street.grid)
        code = code_of(request, made)
        assert worker.post(path(request, made, "cancel")).json["state"] == "returned"
        assert check_books(request).request.state == "open"
        assert worker.post("/pick-ups", json={"code": code}).code == "step_not_possible"
        (message,) = notices(chen, "help_take_back")
        assert "请到社区居委会取回" in message.text


class TestRepeats:
    """Each step once, whatever the phone repeats, also after everything has moved on."""

    def test_an_offer(self, need):
        li_ju, chen, request = need
        first = chen.post(f"/help-requests/{request}/offers", json={"quantity": 5}, key="k")
        made = first.json["id"]
        chen.post(path(request, made, "drop-off"), key="k")
        li_ju.post(path(request, made, "collect"), key="k")
        li_ju.post(f"/help-requests/{request}/confirm", key="k")
        again = chen.post(f"/help-requests/{request}/offers", json={"quantity": 5}, key="k")
        assert (again.status, again.json["id"]) == (201, made)
        assert chen.post(path(request, made, "drop-off"), key="k").status == 200
        assert li_ju.post(path(request, made, "collect"), key="k").status == 200
        assert li_ju.post(f"/help-requests/{request}/confirm", key="k").status == 200
        assert chen.post(f"/help-requests/{request}/offers", json={"quantity": 4}, key="k").code == (
            "idempotency_key_reused"
        )
        assert li_ju.told == ["help_offered", "help_dropped_off"]
        assert chen.told == ["help_collected", "help_fulfilled"]
        assert states(request) == ["collected"]

    def test_the_pick_up_code_stays_the_same(self, need):
        _, chen, request = need
        made = offer(chen, request)
        chen.post(path(request, made, "drop-off"), key="k")
        code = code_of(request, made)
        chen.post(path(request, made, "drop-off"), key="k")
        assert code_of(request, made) == code

    def test_thanks(self, need):
        li_ju, chen, request = need
        made = bring(chen, request)
        thanks = path(request, made, "thanks")
        assert li_ju.post(thanks, json={"text": "谢谢"}).code == "step_not_possible"
        li_ju.post(path(request, made, "collect"))
        for _ in range(2):
            assert li_ju.post(thanks, json={"text": "谢谢"}, key="k").json["thanks"] == "谢谢"
        assert li_ju.post(thanks, json={"text": "多谢"}, key="k").code == "idempotency_key_reused"
        assert li_ju.post(thanks, json={"text": "多谢"}).code == "already_thanked"
        assert chen.post(thanks, json={"text": "谢谢"}).status == 404
        assert chen.told == ["help_collected", "help_thanked"]
        assert lines(chen.get("/help-requests/helping"))[0]["thanks"] == "谢谢"


def test_a_lapsed_offer_says_so(need):
    _, chen, request = need
    made = offer(chen, request)
    at = clock.now() + timedelta(hours=49)
    assert run_offer(request, made, at) == "help.lapse"
    assert chen.post(path(request, made, "drop-off")).json["detail"].startswith("太久没有送到")


class TestWithdrawingWhatHasBeenHelped:
    def test_who_has_received_something_confirms_instead_so_that_the_helper_counts(self, street, need):
        li_ju, chen, request = need
        made = bring(chen, request, 3)
        li_ju.post(path(request, made, "collect"))
        other = offer(street.resident(), request, 1)
        assert li_ju.post(f"/help-requests/{request}/withdraw").code == "confirm_instead"
        li_ju.post(path(request, other, "cancel"))
        assert li_ju.post(f"/help-requests/{request}/confirm").json["state"] == "fulfilled"
        assert chen.told[-1] == "help_fulfilled"
