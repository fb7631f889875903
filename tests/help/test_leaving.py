"""The copy of my data, and what becomes of my requests and offers when I close my account."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.content import personal as content_personal
from chalicelib.help import personal
from chalicelib.help.models import HelpAlert, Message, partition
from chalicelib.kit import clock, vault
from chalicelib.kit.table import Item
from chalicelib.people import personal_data
from chalicelib.people.models import partition as resident_partition
from tests.help.street import (
    ERRAND,
    MASKS,
    ask,
    bring,
    check_books,
    code_of,
    lines,
    offer,
    path,
    states,
    stored,
)
from tests.neighbourhood import Hood, Neighbour


def leave(who: Neighbour, times: int = 2) -> None:
    """Twice: it is repeated until it has succeeded."""
    for _ in range(times):
        personal.erase(who.id, now=clock.now())


def everything(request: str) -> str:
    return " ".join(str(item.to_simple_dict()) for item in Item.collection(partition(request)))


class TestTheCopyOfMyData:
    def test_it_has_what_i_asked_promised_wrote_and_flagged(self, street):
        somebody, other = street.residents(2)
        own, theirs = ask(somebody), ask(other, ERRAND)
        made = offer(somebody, theirs, 1, message="我去")
        somebody.post(path(theirs, made, "messages"), json={"text": "几点方便"})
        other.post(path(theirs, made, "messages"), json={"text": "三点"})
        flagged = ask(other)
        somebody.post(f"/help-requests/{flagged}/flags", json={"reason": "fraud", "text": "假的"})
        ours = ("我的求助", "我帮助的", "我的留言", "我提出异议的求助")
        sections = {title: list(personal_data.sections[title](somebody.id)) for title in ours}
        assert [(each["标题"], each["状态"]) for each in sections["我的求助"]] == [("急需口罩", "求助中")]
        assert [(each["求助"], each["留言"]) for each in sections["我帮助的"]] == [("帮忙买药", "我去")]
        assert [each["内容"] for each in sections["我的留言"]] == ["几点方便"]
        assert [(each["原因"], each["说明"]) for each in sections["我提出异议的求助"]] == [("可能是骗人的", "假的")]
        assert stored(own).state == "open"

    def test_it_says_whether_i_hear_of_neighbours(self, street):
        somebody = street.resident()
        assert list(personal.export_alert(somebody.id)) == []
        somebody.put("/me/help-alerts", json={"on": True})
        (entry,) = personal.export_alert(somebody.id)
        assert (entry["状态"], entry["当天提醒的求助"]) == ("已开启", 0)

    def test_what_the_other_side_wrote_is_not_in_it(self, street):
        asker, helper = street.residents(2)
        request = ask(asker)
        made = offer(helper, request)
        helper.post(path(request, made, "messages"), json={"text": "放在门口"})
        assert list(personal.export_messages(asker.id)) == []


class TestWhoAskedLeaves:
    def test_an_open_request_is_withdrawn_and_who_promised_is_told(self, street):
        asker, helper = street.resident("李菊"), street.resident()
        request = ask(asker)
        made = offer(helper, request, 2)
        asker.post(path(request, made, "messages"), json={"text": "我在三楼"})
        leave(asker)
        assert (stored(request).state, states(request)) == ("withdrawn", ["cancelled"])
        assert helper.told.count("help_request_withdrawn") == 1
        assert street.open_list(helper) == []
        text = everything(request)
        for gone in ("急需口罩", "回厂上班", "李菊", "我在三楼"):
            assert gone not in text
        check_books(request)

    def test_goods_that_wait_go_back_to_the_helper(self, street):
        asker, helper = street.residents(2)
        request = ask(asker)
        made = bring(helper, request, 3)
        code = code_of(request, made)
        leave(asker)
        assert (stored(request).state, states(request)) == ("withdrawn", ["returned"])
        assert helper.told.count("help_take_back") == 1
        assert street.staff("desk_clerk").post("/pick-ups", json={"code": code}).code == "step_not_possible"
        check_books(request)

    def test_who_has_received_all_leaves_a_fulfilled_request(self, street):
        asker, helper = street.residents(2)
        request = ask(asker)
        made = bring(helper, request)
        asker.post(path(request, made, "collect"))
        leave(asker)
        assert stored(request).state == "fulfilled"
        assert helper.told.count("help_fulfilled") == 1
        check_books(request)

    def test_a_removed_request_with_goods_waiting_sends_them_back_too(self, street):
        asker, helper, *neighbours = street.residents(5)
        request = ask(asker)
        bring(helper, request, 2)
        for each in neighbours:
            each.post(f"/help-requests/{request}/flags", json={"reason": "fraud"})
        leave(asker)
        assert (stored(request).state, states(request)) == ("withdrawn", ["returned"])

    @pytest.mark.parametrize("end", ["withdraw", "nothing"])
    def test_what_is_over_stays_over_without_the_person(self, street, end):
        asker = street.resident("李菊")
        request = ask(asker)
        if end == "withdraw":
            asker.post(f"/help-requests/{request}/withdraw")
        leave(asker)
        assert (stored(request).state, stored(request).quantity) == ("withdrawn", 5)
        assert "李菊" not in everything(request)
        assert lines(asker.get("/help-requests/mine")) == []


class TestWhoHelpsLeaves:
    def test_a_promise_ends_the_quantity_opens_again_and_the_requester_is_told(self, street):
        asker, helper = street.resident(), street.resident("陈彩明")
        request = ask(asker)
        made = offer(helper, request, 5, message="我家有")
        helper.post(path(request, made, "messages"), json={"text": "我住二楼"})
        helper.put("/me/help-alerts", json={"on": True})
        leave(helper)
        assert (check_books(request).request.state, states(request)) == ("open", ["cancelled"])
        assert asker.told.count("help_offer_cancelled") == 1
        for gone in ("陈彩明", "我家有", "我住二楼"):
            assert gone not in everything(request)
        assert HelpAlert.find(resident_partition(helper.id), "HELP_ALERT") is None

    def test_what_they_brought_can_still_be_fetched(self, street):
        asker, helper = street.resident(), street.resident("陈彩明")
        request = ask(asker)
        made = bring(helper, request)
        leave(helper)
        seen = asker.get(f"/help-requests/{request}").json["offers"][0]
        assert (seen["helper_name"], seen["state"], len(seen["code"])) == ("已注销用户", "dropped_off", 8)
        assert asker.post(path(request, made, "collect")).status == 200
        assert asker.post(f"/help-requests/{request}/confirm").status == 200

    def test_what_they_flagged_still_counts_without_their_words(self, street):
        asker, neighbour = street.residents(2)
        request = ask(asker)
        neighbour.post(f"/help-requests/{request}/flags", json={"reason": "fraud", "text": "我亲眼看见"})
        leave(neighbour)
        assert stored(request).flags == 1
        assert "我亲眼看见" not in everything(request)


class TestStaffLeave:
    def test_what_they_filed_for_others_goes_on_without_them_and_their_words(self, street):
        leaving, staying = street.staff("grid_worker", street.grid), street.staff("grid_worker", street.grid)
        wish: dict[str, Any] = {
            **MASKS,
            "area": street.grid,
            "contact_name": "王阿婆",
            "contact_phone": "0573-82838483",
        }
        request = leaving.post("/help-requests/on-behalf", json=wish).json["id"]
        helper = street.resident()
        made = offer(helper, request)
        helper.post(path(request, made, "messages"), json={"text": "几点送到"})
        leaving.post(path(request, made, "messages"), json={"text": "我在办公室等您"})
        assert "我在办公室等您" in str(list(personal.export_messages(leaving.id)))
        assert [each["编号"] for each in personal.export_filed(leaving.id)] == [request]
        leave(leaving)
        assert (stored(request).state, stored(request).filed_by, stored(request).title) == ("covered", None, "急需口罩")
        assert leaving.id not in str(stored(request).attribute_values)
        assert [line["id"] for line in lines(staying.get(f"/help-requests/filed?area={street.grid}"))] == [request]
        assert vault.read(request, "contact", stored(request).contact_sealed)
        said = [(each["text"], each["author_name"]) for each in lines(staying.get(path(request, made, "messages")))]
        assert said == [("几点送到", "居民"), ("（已注销）", "已注销用户")]
        helper.post(path(request, made, "drop-off"))
        assert staying.told[-1:] == ["help_dropped_off"]
        assert staying.post(path(request, made, "collect")).status == 200

    def test_one_in_review_still_gets_its_verdict(self, street):
        leaving, moderator = street.staff("grid_worker", street.grid), street.staff("moderator")
        wish = {
            **MASKS,
            "area": street.grid,
            "contact_name": "王阿婆",
            "contact_phone": "0573-82838483",
            "text": "高价回收",
        }
        request = leaving.post("/help-requests/on-behalf", json=wish).json["id"]
        assert stored(request).state == "in_review"
        content_personal.erase(leaving.id, now=clock.now())
        leave(leaving)
        [review] = lines(moderator.get(f"/reviews?area={street.grid}"))
        moderator.post(f"/reviews/{review['id']}/decide", json={"decision": "approve"})
        assert stored(request).state == "open"

    def test_with_nobody_to_follow_the_carers_of_the_area_still_can_act(self, street):
        leaving = street.staff("grid_worker", street.grid)
        wish = {**MASKS, "area": street.grid, "contact_name": "王阿婆", "contact_phone": "0573-82838483"}
        request = leaving.post("/help-requests/on-behalf", json=wish).json["id"]
        leave(leaving)
        assert stored(request).state == "open"
        later = street.staff("community_worker")
        assert later.post(f"/help-requests/{request}/withdraw").status == 200


def test_closing_the_account_does_all_of_it(hood: Hood) -> None:
    asker, helper = hood.resident("李菊"), hood.resident("陈彩明")
    request = ask(asker)
    made = offer(helper, request)
    asker.post(path(request, made, "messages"), json={"text": "我在三楼"})
    closed = asker.post("/me/close", json={"word": "注销"})
    assert closed.status < 300, closed
    assert stored(request).state == "withdrawn"
    assert "李菊" not in everything(request)
    assert [
        message.text for message in Item.collection(partition(request), "TALK#") if isinstance(message, Message)
    ] == ["（已注销）"]


class TestADelegateLeaves:
    def test_their_name_goes_from_what_they_did_for_others_and_the_rest_stays(self, street):
        father, daughter, helper = street.resident("老周"), street.resident("小周"), street.resident()
        street.let_act(daughter, father)
        name = "小周"
        asked = daughter.post("/help-requests", json=MASKS, acting_for=father.id).json
        made = offer(helper, asked["id"])
        told = daughter.post(path(asked["id"], made, "messages"), json={"text": "我去拿"}, acting_for=father.id).json
        theirs = ask(helper)
        daughter.post(f"/help-requests/{theirs}/offers", json={"quantity": 1}, acting_for=father.id)
        assert (asked["asked_by_delegate"], told["by_delegate"]) == (name, name)
        leave(daughter)
        for request in (asked["id"], theirs):
            assert name not in everything(request)
        seen = father.get(f"/help-requests/{asked['id']}").json
        assert (seen["state"], seen["asked_by_delegate"]) == ("covered", "已注销用户")
