"""HTTP in and out, as API Gateway would call it: bad input in all its forms, and what may never leave."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta
from typing import Annotated, Literal

import msgspec
import pytest
from botocore.exceptions import EndpointConnectionError
from chalice import Chalice, Response
from msgspec import Meta
from pynamodb.exceptions import PutError

from chalicelib.kit import auth, clock, http
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Refused, TooMany
from chalicelib.kit.http import Body, Paged, Routes, View
from chalicelib.kit.transaction import transaction
from tests.engine.budget import warm
from tests.engine.http import Http, token_of
from tests.faults.faults import fault

NAME, PHONE = "李菊", "18767315555"


class SoldOut(Refused):
    code, detail = "sold_out", "口罩已经领完了，请明天再来。"


class Line(Body):
    what: Annotated[str, Meta(min_length=1, max_length=20)]
    quantity: Annotated[int, Meta(ge=1, le=100)]


class Ask(Body):
    title: Annotated[str, Meta(min_length=1, max_length=20)]
    quantity: Annotated[int, Meta(ge=1, le=1_000_000)]
    kind: Literal["goods", "errand"] = "goods"
    at: datetime | None = None
    weight: float | None = None
    anonymous: bool = False
    lines: Annotated[list[Line], Meta(max_length=3)] = []
    code: Annotated[str, Meta(pattern="^[0-9]{4}$")] = "0000"


class Find(Paged):
    quantity: Annotated[int, Meta(ge=1)] | None = None
    near: bool = False
    text: str | None = None


class Seen(View):
    what: str
    at: datetime | None = None


@pytest.fixture(scope="module")
def api():
    outer, http.ROUTES = http.ROUTES, []
    routes = Routes(__name__)

    @routes.post("/asks", status=201)
    def ask(caller: Caller, body: Ask, attempt: Attempt, now: datetime) -> Seen:
        return Seen(what=f"{caller.principal} {body.title} {body.quantity} {attempt.id('ask')}", at=clock.local(now))

    @routes.get("/asks", needs="login")
    def find(caller: Caller, query: Find) -> list[Seen]:
        return [Seen(what=f"{query.quantity} {query.near} {query.text} {query.cursor}")]

    @routes.get("/asks/mine")
    def mine(caller: Caller) -> Seen:
        return Seen(what="mine")

    @routes.get("/asks/{ask_id}")
    def show(ask_id: str) -> Seen:
        return Seen(what=ask_id)

    @routes.post("/asks/{ask_id}/fail")
    def fail(ask_id: str) -> Seen:
        raise RuntimeError(f"{NAME} {PHONE}") from ValueError(NAME)

    @routes.post("/asks/{ask_id}/refuse")
    def refuse(ask_id: str) -> Seen:
        raise SoldOut()

    @routes.post("/asks/{ask_id}/hurry")
    def hurry(ask_id: str) -> Seen:
        raise TooMany(retry_after=17)

    @routes.post("/asks/{ask_id}/table-down")
    def table_down(ask_id: str) -> Seen:
        raise PutError(NAME, EndpointConnectionError(endpoint_url=PHONE))

    @routes.post("/asks/{ask_id}/kms-down")
    def kms_down(ask_id: str) -> Seen:
        raise EndpointConnectionError(endpoint_url=NAME)

    @routes.delete("/asks/{ask_id}", delegable=True)
    def withdraw(caller: Caller, ask_id: str) -> None:
        with transaction() as tx:
            tx.put(auth.Revocation(f"WITHDRAWN#{ask_id}", caller.principal))

    @routes.get("/asks/{ask_id}/withdrawn")
    def withdrawn(caller: Caller, ask_id: str) -> Seen:
        return Seen(what=str(auth.Revocation.find(f"WITHDRAWN#{ask_id}", caller.principal)))

    @routes.get("/page")
    def page() -> Response:
        return Response("<p>您好</p>", headers={"Content-Type": "text/html; charset=utf-8"})

    app = Chalice("test")
    app.register_blueprint(routes.blueprint)
    app.log.setLevel(logging.CRITICAL)
    yield Http(app)
    http.ROUTES = outer


@pytest.fixture(autouse=True)
def _warm():
    """Settings and revoked sessions are no matter here, and reading them for each request takes its time."""
    with warm():
        yield


@pytest.fixture
def token() -> str:
    return token_of("resident_1")


GOOD = {"title": "口罩", "quantity": 5}


def refused(answer, code: str, status: int = 422):
    assert (answer.status, answer.code) == (status, code), answer
    problem = answer.json
    assert problem["status"] == status
    assert problem["type"] == "about:blank"
    assert problem["title"]
    assert problem["detail"]
    assert answer.headers["content-type"] == "application/problem+json; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    return problem


class TestGoingWell:
    def test_a_result_is_json_with_chinese_as_it_is(self, api, token):
        answer = api.post("/asks", json=GOOD, token=token)
        assert answer.status == 201
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        assert "口罩" in answer.text
        assert answer.json["what"].startswith("resident_1 口罩 5 ask_")
        assert answer.json["at"].endswith("+08:00")

    def test_nothing_to_say_is_204_without_a_body(self, api, token):
        answer = api.delete("/asks/ask_1", token=token)
        assert (answer.status, answer.content) == (204, b"")

    def test_a_page_is_answered_as_it_is(self, api):
        answer = api.get("/page")
        assert (answer.status, answer.text) == (200, "<p>您好</p>")

    def test_a_query_is_read_from_its_text(self, api, token):
        answer = api.get("/asks?quantity=3&near=true&text=%E5%8F%A3%E7%BD%A9", token=token)
        assert answer.json == [{"what": "3 True 口罩 None", "at": None}]

    def test_a_literal_path_wins_over_a_parameter(self, api, token):
        assert api.get("/asks/mine", token=token).json["what"] == "mine"

    def test_unknown_addresses_and_methods_are_not_found(self, api):
        assert api.get("/nothing").status == 404
        assert api.put("/asks").status == 404

    @pytest.mark.parametrize(
        "kind", ["application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded"]
    )
    def test_the_declared_type_of_a_body_does_not_matter(self, api, token, kind):
        answer = api.post("/asks", body=json.dumps(GOOD), headers={"Content-Type": kind}, token=token)
        assert answer.status == 201

    def test_a_body_of_a_binary_type_is_read_too(self, api, token):
        kind = {"Content-Type": "application/octet-stream"}
        assert api.post("/asks", body=json.dumps(GOOD).encode(), headers=kind, token=token).status == 201

    def test_html_and_script_stay_the_text_they_are(self, api, token):
        title = "<script>x()</script>"
        answer = api.post("/asks", json={**GOOD, "title": title}, token=token)
        assert title in answer.json["what"]
        assert answer.headers["content-type"].startswith("application/json")

    def test_emoji_and_line_breaks_are_text(self, api, token):
        assert api.post("/asks", json={**GOOD, "title": "👨‍👩‍👧 好\n\t的"}, token=token).status == 201


class TestMalformed:
    @pytest.mark.parametrize(
        "body",
        [
            "{", "}", "{'a': 1}", '{"title": "口罩", "quantity": 5', '{"title": "口罩" "quantity": 5}', "\ufeff{}", "nul", '"',
            '{"quantity": "5", ', '{"quantity": "5", "title": }', '{"unknown": 1, ', '{"quantity": 1e', "{} {}", "\x00",
            b"\xff\xfe{\x00}\x00", b'{"title": "\xff", "quantity": ', "[" * 100_000, '{"a":' * 10_000,
        ],
    )  # fmt: skip
    def test_what_is_no_json_is_refused(self, api, token, body):
        answer = api.post("/asks", body=body, headers={"Content-Type": "application/json"}, token=token)
        assert answer.status in (413, 422)
        refused(answer, "malformed_json" if answer.status == 422 else "too_large", answer.status)

    @pytest.mark.parametrize("depth", [100, 2_000, 10_000])
    @pytest.mark.parametrize("place", ["title", "lines", "unknown", "at"])
    def test_nesting_without_end_is_refused_and_breaks_nothing(self, api, token, depth, place):
        body = json.dumps(GOOD)[:-1] + f', "{place}": {"[" * depth}{"]" * depth}}}'
        answer = api.post("/asks", body=body, token=token)
        assert answer.status == 422
        assert answer.code in ("invalid", "malformed_json")

    @pytest.mark.parametrize("body", ["null", "[]", '"text"', "5", "true", "[[]]"])
    def test_json_that_is_no_object_is_refused(self, api, token, body):
        answer = api.post("/asks", body=body, token=token)
        refused(answer, "invalid")
        assert answer.wrong == {"": "应为一组内容"}

    def test_no_body_at_all_is_told_what_is_missing(self, api, token):
        for body in (None, "", b""):
            answer = api.post("/asks", body=body, token=token)
            refused(answer, "invalid")
            assert answer.wrong == {"title": "必须填写", "quantity": "必须填写"}

    def test_half_a_surrogate_pair_is_refused(self, api, token):
        answer = api.post("/asks", body='{"title": "\\ud800", "quantity": 5}', token=token)
        assert answer.status == 422
        answer = api.post("/asks", body='{"title": "x\ud800", "quantity": 5}', token=token)
        refused(answer, "malformed_json")

    @pytest.mark.parametrize("escape", ["\\u0000", "\\u0007", "\\u001b", "\\u007f", "\\ufffe", "\\uffff"])
    def test_characters_nobody_can_type_are_refused(self, api, token, escape):
        answer = api.post("/asks", body=f'{{"title": "口{escape}罩", "quantity": 5}}', token=token)
        refused(answer, "invalid")
        assert answer.wrong == {"title": "含有无法显示的字符"}

    def test_they_are_found_deep_inside_too(self, api, token):
        lines = [{"what": "口罩", "quantity": 1}, {"what": "\x00", "quantity": 1}]
        answer = api.post("/asks", json={**GOOD, "lines": lines}, token=token)
        assert answer.wrong == {"lines[1].what": "含有无法显示的字符"}

    def test_text_that_is_no_utf8_is_refused(self, api, token):
        kind = {"Content-Type": "application/octet-stream"}
        answer = api.post("/asks", body=b'{"title": "\xff\xfe", "quantity": 5}', headers=kind, token=token)
        assert answer.status == 422

    def test_base64_that_is_none_is_refused(self, api, token, monkeypatch):
        kind = {"Content-Type": "application/octet-stream"}
        made = api._event("POST", "/asks", b"{}", {**kind, "Authorization": f"Bearer {token}"})
        answer = api.app({**made, "body": "a"}, None)
        assert json.loads(answer["body"])["code"] == "malformed_json"

    def test_ten_megabytes_are_too_large(self, api, token):
        answer = api.post("/asks", json={**GOOD, "title": "x" * 10_000_000}, token=token)
        refused(answer, "too_large", 413)

    def test_the_same_field_twice_is_the_last_one(self, api, token):
        answer = api.post("/asks", body='{"title": "一", "title": "二", "quantity": 5}', token=token)
        assert " 二 5 " in answer.json["what"]


class TestWrongFields:
    @pytest.mark.parametrize(
        ("quantity", "reason"),
        [
            (0, "不能小于 1"),
            (-1, "不能小于 1"),
            (1_000_000_000, "不能大于 1000000"),
            (1.5, "应为整数"),
            ("5", "应为整数"),
            (None, "应为整数"),
            (True, "应为整数"),
            ([], "应为整数"),
            ({}, "应为整数"),
        ],
    )
    def test_a_wrong_quantity_is_told(self, api, token, quantity, reason):
        answer = api.post("/asks", json={**GOOD, "quantity": quantity}, token=token)
        refused(answer, "invalid")
        assert answer.wrong == {"quantity": reason}

    @pytest.mark.parametrize("digits", ["9" * 19, "9" * 30, "-" + "9" * 400, "1e9", "1e400", "9" * 5_000])
    def test_a_huge_number_is_told_in_chinese(self, api, token, digits):
        answer = api.post("/asks", body=f'{{"title": "口罩", "quantity": {digits}}}', token=token)
        assert answer.status == 422
        assert answer.code == "malformed_json" or "quantity" in answer.wrong

    def test_a_title_of_21_characters_is_too_long_and_20_of_any_kind_are_not(self, api, token):
        assert api.post("/asks", json={**GOOD, "title": "口" * 21}, token=token).wrong == {"title": "最多 20 个字"}
        assert api.post("/asks", json={**GOOD, "title": "🏠" * 20}, token=token).status == 201
        assert api.post("/asks", json={**GOOD, "title": ""}, token=token).wrong == {"title": "不能为空"}

    def test_all_wrong_fields_are_told_at_once(self, api, token):
        answer = api.post(
            "/asks",
            json={
                "title": "",
                "quantity": "5",
                "kind": "love",
                "at": "明天",
                "weight": "1",
                "anonymous": "no",
                "lines": [{"what": "口罩", "quantity": 1}, {"what": "", "quantity": 1}],
                "code": "12",
                "price": 3,
            },
            token=token,
        )
        refused(answer, "invalid")
        assert answer.wrong == {
            "title": "不能为空",
            "quantity": "应为整数",
            "kind": "不在可选的范围内",
            "at": "时间格式不对",
            "weight": "应为数字",
            "anonymous": "应为是或否",
            "lines[1].what": "不能为空",
            "code": "格式不对",
            "price": "没有这一项",
        }

    @pytest.mark.parametrize(
        ("lines", "wrong"),
        [
            ("x", {"lines": "应为列表"}),
            ([1], {"lines[0]": "应为一组内容"}),
            ([{"what": "x"}], {"lines[0].quantity": "必须填写"}),
            ([{"what": "x", "quantity": 1, "y": 1}], {"lines[0].y": "没有这一项"}),
            ([{"what": "x", "quantity": 101}], {"lines[0].quantity": "不能大于 100"}),
            ([{"what": "x", "quantity": 1}] * 4, {"lines": "最多 3 项"}),
        ],
    )
    def test_what_is_wrong_inside_a_list_is_told_with_its_place(self, api, token, lines, wrong):
        assert api.post("/asks", json={**GOOD, "lines": lines}, token=token).wrong == wrong

    def test_a_field_we_do_not_know_is_an_error(self, api, token):
        assert api.post("/asks", json={**GOOD, "admin": True}, token=token).wrong == {"admin": "没有这一项"}

    def test_nothing_english_is_told_of_any_field(self, api, token):
        for field in ("title", "quantity", "kind", "at", "weight", "anonymous", "lines", "code"):
            for value in (None, 1, -1, 1.5, 1e300, "x", "", True, [], [1], {}, {"a": 1}, "x" * 50):
                answer = api.post("/asks", json={**GOOD, field: value}, token=token)
                for reason in answer.wrong.values() if answer.status == 422 else ():
                    assert not set("abcdefghijklmnopqrstuvwxyz`$") & set(reason.lower()), (field, value, reason)

    def test_a_wrong_query_is_told_like_a_wrong_body(self, api, token):
        answer = api.get("/asks?quantity=x&near=perhaps&page=2", token=token)
        refused(answer, "invalid")
        assert answer.wrong == {"quantity": "应为整数", "near": "应为是或否", "page": "没有这一项"}
        assert api.get("/asks?quantity=0", token=token).wrong == {"quantity": "不能小于 1"}
        assert api.get("/asks?text=%00", token=token).wrong == {"text": "含有无法显示的字符"}

    def test_a_wrong_query_does_not_break_anything(self, api, token):
        for query in ("?", "?&&&", "?=", "?quantity", "?quantity=", "?%FF=%FF", "?text=" + "x" * 9_000):
            assert api.get(f"/asks{query}", token=token).status in (200, 422)


class TestPaths:
    @pytest.mark.parametrize(
        ("sent", "meant"),
        [
            ("ask_1", "ask_1"),
            ("%E5%8F%A3%E7%BD%A9", "口罩"),
            ("a%2Fb", "a/b"),
            ("a+b", "a+b"),
            ("%2525", "%25"),
            ("%zz", "%zz"),
            ("%00", "?"),
            ("%ff", "\ufffd"),
            ("a" * 500, "a" * 200),
        ],
    )
    def test_a_parameter_is_what_was_meant_by_its_encoding(self, api, sent, meant):
        assert api.get(f"/asks/{sent}").json["what"] == meant


class TestWhoAsks:
    def test_without_a_token_one_has_to_log_in(self, api):
        refused(api.post("/asks", json=GOOD), "login_needed", 401)

    def test_a_wrong_token_is_told_before_a_wrong_body(self, api):
        refused(api.post("/asks", body="{", token="forged"), "token_invalid", 401)

    def test_an_expired_token_is_told(self, api):
        made = token_of("resident_1", now=clock.now() - timedelta(hours=3))
        refused(api.post("/asks", json=GOOD, token=made), "token_expired", 401)

    def test_without_consent_nothing_works_but_what_needs_none(self, api):
        made = token_of("resident_1", consent=False)
        refused(api.post("/asks", json=GOOD, token=made), "consent_needed", 403)
        assert api.get("/asks", token=made).status == 200
        assert api.get("/asks/ask_1").status == 200

    def test_an_affair_of_ones_own_cannot_be_done_for_another(self, api, token):
        refused(api.post("/asks", json=GOOD, token=token, acting_for="resident_2"), "own_affair_only", 403)

    def test_what_a_delegate_may_do_says_for_whom(self, api, token):
        assert api.delete("/asks/ask_9", token=token, acting_for="resident_2").status == 204
        assert auth.Revocation.find("WITHDRAWN#ask_9", "resident_2")


class TestRepeats:
    def made(self, api, **more) -> str:
        return api.post("/asks", json=GOOD, **{"token": token_of("resident_1"), **more}).json["what"].split()[-1]

    def test_the_same_key_makes_the_same(self, api):
        assert self.made(api, key="k1") == self.made(api, key="k1")

    def test_another_key_or_person_makes_another(self, api):
        assert len({self.made(api, key="k1"), self.made(api, key="k2")}) == 2
        assert self.made(api, key="k1") != self.made(api, key="k1", token=token_of("resident_2"))

    def test_without_a_key_all_are_different(self, api):
        assert self.made(api) != self.made(api)

    @pytest.mark.parametrize("key", ["", "x" * 65, "a b", "键", "\x00"])
    def test_a_key_that_is_none_is_refused(self, api, token, key):
        refused(api.post("/asks", json=GOOD, token=token, key=key), "idempotency_key_invalid")


class TestGoingWrong:
    def test_a_refusal_is_told_with_its_code_and_its_sentence(self, api):
        problem = refused(api.post("/asks/1/refuse"), "sold_out", 409)
        assert problem["detail"] == "口罩已经领完了，请明天再来。"
        assert problem["title"] == "现在不能这样做"
        assert "fields" not in problem

    def test_too_often_says_when_to_come_back(self, api):
        answer = api.post("/asks/1/hurry")
        refused(answer, "too_many_requests", 429)
        assert answer.headers["retry-after"] == "17"

    def test_an_unknown_error_tells_nothing(self, api, logs):
        answer = api.post("/asks/1/fail")
        problem = refused(answer, "internal_error", 500)
        assert problem == {
            "type": "about:blank",
            "title": "出错了",
            "status": 500,
            "code": "internal_error",
            "detail": "系统出了点问题，不知道这次有没有办好。请先刷新看看，没有办好再联系社区。",
        }

    @pytest.mark.parametrize("which", ["table-down", "kms-down"])
    def test_when_aws_is_down_it_says_that_it_does_not_know(self, api, which, logs):
        answer = api.post(f"/asks/1/{which}")
        assert "请先刷新看看" in refused(answer, "perhaps_done", 503)["detail"]
        assert answer.headers["retry-after"] == "5"
        assert NAME not in logs.text + answer.text
        assert PHONE not in logs.text + answer.text

    @pytest.mark.parametrize("kind", ["throttled", "error_500", "cut_before", "answer_lost"])
    def test_when_the_table_does_not_answer_to_a_write_it_says_that_it_does_not_know(self, api, token, kind):
        with fault(call=None, kind=kind):
            answer = api.delete("/asks/ask_1", token=token)
        refused(answer, "perhaps_done", 503)

    def test_when_a_write_is_said_to_be_under_way_to_the_end_it_says_that_it_does_not_know(self, api, token):
        with fault(call=None, kind="in_progress"):
            answer = api.delete("/asks/ask_1", token=token)
        refused(answer, "perhaps_done", 503)

    @pytest.mark.parametrize("kind", ["throttled", "error_500", "cut_before"])
    def test_when_the_table_does_not_answer_to_a_read_it_says_try_again(self, api, token, kind):
        with fault(call=None, kind=kind):
            answer = api.get("/asks/ask_1/withdrawn", token=token)
        refused(answer, "try_again", 503)

    def test_when_too_many_hold_the_same_item_it_says_come_back(self, api, token):
        with fault(call=None, kind="conflict"):
            answer = api.delete("/asks/ask_1", token=token)
        refused(answer, "server_busy", 429)
        assert answer.headers["retry-after"] == "2"


class TestLogs:
    def test_a_crash_is_logged_by_type_and_place_without_its_words(self, api, logs):
        api.post("/asks/1/fail")
        crash = next(line for line in logs.lines if line["message"] == "crash")
        assert crash["error"] == "RuntimeError"
        assert crash["at"][-1].startswith("test_http.py:")
        assert crash["route"] == "POST /asks/{ask_id}/fail"

    def test_nothing_anybody_wrote_or_is_called_is_logged(self, api, logs):
        made = token_of("resident_1", openid="o-secret-openid")
        api.post("/asks", json={"title": NAME, "quantity": 1}, token=made, key="my-own-key")
        api.post("/asks", json={"title": NAME * 20, "quantity": PHONE}, token=made)
        api.post("/asks", body="{" + NAME, token=made)
        api.post("/asks/1/fail", json={"title": NAME})
        api.get(f"/asks?text={PHONE}", token=made)
        api.get(f"/asks/{PHONE}")
        api.post("/asks", json=GOOD, token=made + "x")
        for secret in (NAME, PHONE, "o-secret-openid", made, made[:40], "my-own-key"):
            assert secret not in logs.text
            assert json.dumps(secret)[1:-1] not in logs.text

    def test_each_request_is_one_line_with_code_and_time(self, api, token, logs):
        api.post("/asks", json=GOOD, token=token)
        api.post("/asks", json={}, token=token)
        assert logs.lines == []
        assert [(line["status_code"], line["code"]) for line in logs.metrics] == [(201, "ok"), (422, "invalid")]
        assert all(line["ms"] >= 0 and line["request_id"] for line in logs.metrics)

    def test_each_request_has_its_own_line(self, api, token, logs):
        api.post("/asks", json=GOOD, token=token)
        api.get("/asks/1")
        first, second = logs.metrics
        assert (first["route"], second["route"]) == ("POST /asks", "GET /asks/{ask_id}")
        assert first["request_id"] != second["request_id"]

    def test_each_request_is_one_metric_by_route_and_kind_of_answer(self, api, token, logs):
        api.post("/asks", json={}, token=token)
        (metric,) = logs.metrics
        assert (metric["route"], metric["status"], metric["requests"]) == ("POST /asks", "4xx", 1)
        (described,) = metric["_aws"]["CloudWatchMetrics"]
        assert described["Dimensions"] == [["route", "status"]]
        assert {each["Name"] for each in described["Metrics"]} == {"requests", "ms"}


def test_each_route_says_what_documentation_and_tests_need(api):
    by_name = {route.name: route for route in http.ROUTES}
    assert by_name["POST /asks"].needs == "consent"
    assert by_name["POST /asks"].repeatable
    assert by_name["POST /asks"].body is Ask
    assert by_name["GET /asks"].needs == "login"
    assert by_name["GET /asks"].query is Find
    assert by_name["GET /asks/{ask_id}"].needs == "nobody"
    assert by_name["DELETE /asks/{ask_id}"].status == 204
    assert by_name["DELETE /asks/{ask_id}"].delegable


def test_problems_are_valid_json_without_escapes(api):
    assert "口罩已经领完了" in api.post("/asks/1/refuse").text
    assert msgspec.json.decode(api.post("/asks/1/refuse").content)
