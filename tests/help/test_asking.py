"""Asking over HTTP: what is taken, what is refused and how, and what a repeat does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kit import clock
from chalicelib.kit.table import Item
from tests.engine.budget import budget
from tests.help.street import ERRAND, MASKS, Street, ask, stored


def refused(street: Street, **change: Any) -> Any:
    wish = {name: value for name, value in {**MASKS, **change}.items() if value is not ...}
    return street.resident().post("/help-requests", json=wish)


class TestWhatIsTaken:
    def test_a_request_is_open_at_once_and_on_the_list_of_its_community(self, street):
        li_ju = street.resident("李菊")
        answer = li_ju.post("/help-requests", json=MASKS)
        assert (answer.status, answer.json["state"]) == (201, "open")
        assert answer.json["mine"]
        assert answer.json["drop_point_name"] == "社区居委会"
        assert street.open_list(street.resident()) == [answer.json["id"]]

    def test_the_building_somebody_lives_in_is_shown_to_nobody(self, street):
        request = ask(street.resident())
        other = street.resident()
        seen = other.get(f"/help-requests/{request}")
        listed = other.get(f"/help-requests?area={street.community}")
        assert seen.json["area"] == listed.json["items"][0]["area"] == street.community
        assert street.grid not in seen.text + listed.text
        assert stored(request).area == street.micro_grid  # so that the right grid worker hears of it

    @pytest.mark.parametrize("what", ["errand", "skill", "company"])
    def test_help_without_goods_needs_no_drop_point(self, street, what):
        answer = street.resident().post("/help-requests", json={**ERRAND, "what": what})
        assert (answer.status, answer.json["unit"], answer.json["drop_point"]) == (201, "人", None)

    def test_script_and_markup_are_kept_as_text(self, street):
        text = "<script>alert(1)</script> & <b>口罩</b> '\"; DROP TABLE -- {{7*7}} %s"
        request = ask(street.resident(), text=text, title="<i>口罩</i>")
        answer = street.resident().get(f"/help-requests/{request}")
        assert (answer.json["text"], answer.json["title"]) == (text, "<i>口罩</i>")
        assert answer.headers["content-type"].startswith("application/json")

    def test_a_time_in_any_zone_is_that_moment(self, street):
        at = (clock.now() + timedelta(days=2)).replace(microsecond=0)
        request = ask(street.resident(), needed_by=at.isoformat())
        assert stored(request).needed_by == stored(request).open_until == at

    def test_a_request_for_a_neighbouring_area_stands_there(self, street):
        other = Street(street.http, street.wechat)
        request = ask(street.resident(), area=other.community)
        assert other.open_list(street.resident()) == [request]
        assert street.open_list(street.resident()) == []


class TestWhatIsRefused:
    @pytest.mark.parametrize("quantity", [0, -1, 10**9, 10**30, 1.5, "5", True, None, [5], {}])
    def test_a_quantity_is_a_whole_number_up_to_9999(self, street, quantity):
        answer = refused(street, quantity=quantity)
        assert (answer.status, list(answer.wrong)) == (422, ["quantity"])

    @pytest.mark.parametrize("field", ["what", "title", "text"])
    def test_what_is_missing_is_named(self, street, field):
        answer = refused(street, **{field: ...})
        assert (answer.status, answer.wrong) == (422, {field: "必须填写"})

    @pytest.mark.parametrize("field", ["state", "requester", "offered", "id", "contact_phone"])
    def test_a_field_we_do_not_know_is_not_dropped_silently(self, street, field):
        answer = refused(street, **{field: "x"})
        assert (answer.status, answer.wrong) == (422, {field: "没有这一项"})

    @pytest.mark.parametrize(
        ("field", "text"),
        [
            ("title", ""),
            ("title", "  "),
            ("title", "\u3000\u3000"),
            ("title", "\u200b\u200b"),
            ("title", "口" * 41),
            ("text", " \n "),
            ("text", "\u200b"),
            ("text", "口" * 1001),
            ("unit", ""),
            ("unit", "一二三四五六七"),
            ("title", "口\x00罩"),
            ("text", "口\x07罩"),
            ("what", "money"),
            ("urgency", "very"),
            ("title", 5),
            ("text", None),
        ],
    )
    def test_texts_are_neither_blank_nor_too_long_nor_unprintable(self, street, field, text):
        answer = refused(street, **{field: text})
        assert (answer.status, list(answer.wrong)) == (422, [field]), answer

    @pytest.mark.parametrize("body", ['{"title": "\\ud800口罩"}', '{"title": ', "[]", "5", '"x"', "", "\x00"])
    def test_no_body_breaks_it(self, street, body):
        answer = street.resident().post("/help-requests", body=body, headers={"Content-Type": "application/json"})
        assert answer.status == 422

    def test_half_of_a_surrogate_pair_is_no_text(self, street):
        body = '{"what":"errand","title":"帮忙买药","text":"\\ud83d"}'
        assert street.resident().post("/help-requests", body=body).status == 422

    @pytest.mark.parametrize(
        "wait", [timedelta(days=-1), timedelta(minutes=59), timedelta(days=31), timedelta(days=365 * 7000)]
    )
    def test_a_time_in_the_past_or_too_far_is_refused(self, street, wait):
        answer = refused(street, needed_by=(clock.now() + wait).isoformat())
        assert (answer.code, list(answer.wrong)) == ("needed_by_invalid", ["needed_by"])

    @pytest.mark.parametrize(
        "text", ["2020-02-10T09:00:00", "2020-02-10", "tomorrow", 1581296400, "0001-01-01T00:00:00+14:00", ""]
    )
    def test_a_time_has_a_date_and_a_zone(self, street, text):
        answer = refused(street, needed_by=text)
        assert (answer.status, list(answer.wrong)) == (422, ["needed_by"])

    @pytest.mark.parametrize("area", ["330402009999", "330402", "33040200", "十二位数字的区域码啊啊", "999999999999"])
    def test_an_area_of_elsewhere_is_no_place_to_ask(self, street, area):
        assert refused(street, area=area).status == 422

    @pytest.mark.parametrize("level", ["district", "street"])
    def test_the_smallest_place_to_ask_in_is_a_community(self, street, level):
        answer = refused(street, area=getattr(street, level))
        assert (answer.code, list(answer.wrong)) == ("area_unknown", ["area"])

    def test_goods_need_a_drop_point_of_that_community(self, street):
        assert refused(street, drop_point=...).code == "drop_point_needed"
        assert refused(street, drop_point="home").code == "drop_point_unknown"

    def test_who_has_not_said_where_they_live_says_so_first(self, street):
        somebody = street.resident()
        person = Item.collection(f"RES#{somebody.id}", "ME")[0]
        person.update([type(person).home.remove()])
        assert somebody.post("/help-requests", json=MASKS).code == "home_needed"

    @pytest.mark.parametrize("change", [{"title": "求借钱"}, {"text": "请转账500"}, {"unit": "元"}])
    def test_money_is_refused(self, street, change):
        answer = refused(street, **change)
        assert (answer.status, answer.code) == (409, "money_not_allowed")

    @pytest.mark.parametrize("field", ["title", "text"])
    def test_phone_numbers_are_refused(self, street, field):
        assert refused(street, **{field: "请打 138 0013 8000"}).code == "contact_in_text"

    def test_ten_requests_a_day_are_enough(self, street, configure):
        configure("help", asks_a_day=2)
        somebody = street.resident()
        ask(somebody), ask(somebody)
        answer = somebody.post("/help-requests", json=MASKS)
        assert (answer.status, int(answer.headers["retry-after"]) > 0) == (429, True)

    def test_nothing_works_before_consent_and_nothing_without_login(self, street):
        assert street.http.post("/help-requests", json=MASKS).status == 401
        somebody = Street.somebody(street)
        assert somebody.post("/help-requests", json=MASKS).code == "consent_needed"


class TestRepeats:
    def test_the_same_request_makes_one(self, street):
        somebody = street.resident()
        first = somebody.post("/help-requests", json=MASKS, key="k")
        second = somebody.post("/help-requests", json=MASKS, key="k")
        assert (second.status, second.json["id"]) == (201, first.json["id"])
        assert len(somebody.get("/help-requests/mine").json["items"]) == 1

    def test_also_after_it_has_moved_on(self, street):
        somebody = street.resident()
        first = somebody.post("/help-requests", json=MASKS, key="k")
        somebody.post(f"/help-requests/{first.json['id']}/withdraw")
        second = somebody.post("/help-requests", json=MASKS, key="k")
        assert (second.json["id"], second.json["state"]) == (first.json["id"], "withdrawn")

    def test_other_content_under_the_same_key_is_refused(self, street):
        somebody = street.resident()
        somebody.post("/help-requests", json=MASKS, key="k")
        answer = somebody.post("/help-requests", json={**MASKS, "quantity": 4}, key="k")
        assert (answer.status, answer.code) == (422, "idempotency_key_reused")

    def test_the_same_key_of_somebody_else_is_another(self, street):
        first, second = (street.resident().post("/help-requests", json=MASKS, key="k") for _ in range(2))
        assert first.json["id"] != second.json["id"]

    def test_without_a_key_everything_is_new(self, street):
        somebody = street.resident()
        assert ask(somebody) != ask(somebody)

    def test_a_repeat_does_not_count_against_the_day(self, street, configure):
        configure("help", asks_a_day=1)
        somebody = street.resident()
        assert {somebody.post("/help-requests", json=MASKS, key="k").status for _ in range(3)} == {201}

    @pytest.mark.parametrize("key", ["", " ", "x" * 65, "钥匙", "a b"])
    def test_a_key_that_is_none_is_refused(self, street, key):
        assert street.resident().post("/help-requests", json=MASKS, key=key).status == 422


class TestWithdrawing:
    def test_a_withdrawn_request_is_off_the_list_and_for_its_owner_only(self, street):
        somebody, other = street.residents(2)
        request = ask(somebody)
        assert somebody.post(f"/help-requests/{request}/withdraw").json["state"] == "withdrawn"
        assert street.open_list(other) == []
        assert other.get(f"/help-requests/{request}").status == 404
        assert somebody.get(f"/help-requests/{request}").json["state"] == "withdrawn"

    def test_it_is_withdrawn_once(self, street):
        somebody = street.resident()
        request = ask(somebody)
        assert somebody.post(f"/help-requests/{request}/withdraw", key="k").status == 200
        assert somebody.post(f"/help-requests/{request}/withdraw", key="k").status == 200
        answer = somebody.post(f"/help-requests/{request}/withdraw", key="other")
        assert (answer.status, answer.code) == (409, "step_not_possible")

    def test_nobody_else_withdraws_confirms_or_objects(self, street):
        somebody, other = street.residents(2)
        request = ask(somebody)
        for act, body in (("withdraw", None), ("confirm", None), ("object", {"reason": "不好"})):
            answer = (
                other.post(f"/help-requests/{request}/{act}", json=body)
                if body
                else other.post(f"/help-requests/{request}/{act}")
            )
            assert (answer.status, answer.code) == (403, "not_yours"), act
        somebody.post(f"/help-requests/{request}/withdraw")
        assert other.post(f"/help-requests/{request}/withdraw").status == 404

    @pytest.mark.parametrize("request_id", ["help_x", "x", "%00", "..%2F", "A" * 300, "help_%F0%9F%98%80"])
    def test_a_foreign_id_is_not_found(self, street, request_id):
        somebody = street.resident()
        assert somebody.get(f"/help-requests/{request_id}").status == 404
        for act in ("withdraw", "confirm"):
            assert somebody.post(f"/help-requests/{request_id}/{act}").status == 404
        assert somebody.post(f"/help-requests/{request_id}/object", json={"reason": "不好"}).status == 404
        assert somebody.post(f"/help-requests/{request_id}/flags", json={"reason": "other"}).status == 404
        assert somebody.post(f"/help-requests/{request_id}/offers", json={"quantity": 1}).status == 404
        assert somebody.post(f"/help-requests/{request_id}/photos", json={}).status == 404


def test_asking_costs_two_calls_and_its_repeat_one(street):
    somebody = street.resident()
    ask(somebody)  # WeChat's token, and the areas, are read once by a container
    with budget() as spent:
        somebody.post("/help-requests", json=MASKS, key="k")
    assert spent.calls == ["dynamodb BatchGetItem", "dynamodb TransactWriteItems"]
    with budget() as spent:
        somebody.post("/help-requests", json=MASKS, key="k")
    assert spent.calls == ["dynamodb BatchGetItem"]


def test_a_refused_request_leaves_nothing(street):
    somebody = street.resident()
    somebody.post("/help-requests", json={**MASKS, "title": "求借钱"}, key="k")
    assert somebody.get("/help-requests/mine").json["items"] == []
