"""Whatever is sent, the answer is a problem a person can read: never a crash, never a success by accident."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.kit.http import Route
from tests.engine.http import Answer
from tests.neighbourhood import Neighbour
from tests.security.bodies import right_body
from tests.security.routes import address, all_routes, meant_by
from tests.security.test_authority import ROWS
from tests.security.world import World

LEAVING = {"POST /me/close", "POST /logout", "POST /sessions/revoke", "DELETE /me/consent", "POST /me/consent"}
WITH_BODY = sorted(name for name, route in all_routes().items() if route.body is not None and name not in LEAVING)
WITH_QUERY = sorted(name for name, route in all_routes().items() if route.query is not None)
POSTS = sorted(name for name, route in all_routes().items() if route.method == "POST" and name not in LEAVING)

NASTY: list[Any] = [
    *(
        None,
        True,
        -1,
        0,
        1.5,
        10**400,
        -(10**30),
        1e308,
        "",
        " ",
        "\x00",
        "\ud800",
        "\u202e",
        "\ufffe",
        "\r\nSet-Cookie: a=b",
    ),
    *(
        "' OR 1=1 --",
        "${jndi:ldap://x/y}",
        "{{7*7}}",
        "../../../etc/passwd",
        "<script>alert(1)</script>",
        "=1+1",
        ":PK",
    ),
    *("😀" * 50, "口" * 5000, "e" + "\u0301" * 3000, [], {}, [[]], {"$ne": None}, {"S": "x"}, ["x"] * 2000, "NaN", "5"),
    *("2020-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00+14:00", "2026-02-30T00:00:00Z"),
]
nasty = st.sampled_from(NASTY)
anything = st.recursive(
    nasty | st.text(max_size=30) | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def send(route: Route, world: World, *, by: Neighbour | None = None, **more: Any) -> Answer:
    """By somebody who may, or the answer would be that they may not."""
    allowed = ROWS[route.name]
    who = next((who for who in ("stranger", "owner", "helper", "staff") if who in allowed), "stranger")
    reader = by or getattr(world, who)
    path = address(route, world.hood.community, **meant_by(route, world.ids))
    return world.hood.http.call(route.method, path, token=reader.token, **more)


def bearable(answer: Answer) -> bool:
    """No crash, and every refusal is a problem with a code and a Chinese sentence."""
    if answer.status < 400:
        return True
    document = answer.json
    well_told = bool(document["code"]) and not document["detail"].isascii() and document["status"] == answer.status
    return answer.status < 500 and well_told and "application/problem+json" in answer.headers["content-type"]


@pytest.mark.parametrize("name", WITH_BODY)
def test_one_field_of_a_right_request_made_nasty(name: str, world: World) -> None:
    route = all_routes()[name]
    fields = [field.encode_name for field in msgspec.structs.fields(route.body)]
    for position, field in enumerate(fields):
        for value in NASTY[position % 2 :: 2] if len(fields) > 3 else NASTY:
            body = json.dumps({**right_body(route, world), field: value})
            answer = send(route, world, body=body)
            # WeChat not knowing a made-up code is no crash; the limit of a day is none either.
            assert bearable(answer), (field, str(value)[:60], answer)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
@pytest.mark.parametrize("name", POSTS)
def test_anything_at_all_as_a_body(name: str, world: World, data: st.DataObject) -> None:
    route = all_routes()[name]
    fields = [field.encode_name for field in msgspec.structs.fields(route.body)] if route.body else ["x"]
    body = data.draw(st.dictionaries(st.sampled_from([*fields, "x"]), anything, max_size=4) | anything)
    assert bearable(send(route, world, body=json.dumps(body, allow_nan=True)))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
@pytest.mark.parametrize("name", WITH_QUERY)
def test_anything_at_all_as_a_query(name: str, world: World, data: st.DataObject) -> None:
    route = all_routes()[name]
    fields = [field.encode_name for field in msgspec.structs.fields(route.query)]
    texts = st.text(max_size=40) | nasty.filter(lambda value: isinstance(value, str)) | st.just("1" * 3000)
    query = data.draw(st.dictionaries(st.sampled_from([*fields, "x"]), texts, max_size=4))
    encoded = urlencode({key: value.encode("utf-8", "surrogatepass") for key, value in query.items()})
    path = f"{route.path.replace('{request_id}', world.ids['request_id'])}?{encoded}"
    assert bearable(world.hood.http.get(path, token=world.staff.token))


RAW = {
    "nothing": b"",
    "no JSON": b"{",
    "two documents": b"{} {}",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "no UTF-8": b'{"title": "\xff\xfe"}',
    "half a surrogate pair": b'{"title": "\\ud800"}',
    "a NUL": b'{"title": "\\u0000"}',
    "one key twice": b'{"title": "a", "title": "b"}',
    "NaN": b'{"quantity": NaN}',
    "an endless number": b'{"quantity": 1' + b"0" * 5000 + b"}",
    "deep lists": b"[" * 20_000,
    "deep lists, closed": b"[" * 20_000 + b"]" * 20_000,
    "deep objects": b'{"a":' * 9_000 + b"1" + b"}" * 9_000,
    "deep in a field": b'{"title": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "XML": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    "a form": b"title=a&text=b",
    "a list": b"[]",
    "a text": b'"title"',
    "many fields": json.dumps({f"f{number}": 1 for number in range(3000)}).encode(),
}


@pytest.mark.parametrize("what", RAW)
def test_bodies_that_are_none(what: str, world: World) -> None:
    for name in POSTS:
        answer = send(all_routes()[name], world, body=RAW[what])
        assert bearable(answer), (name, answer)
        if all_routes()[name].body is not None and what != "nothing":
            assert answer.status in (401, 403, 404, 422, 429), (name, answer)


def test_ten_megabytes_are_too_large_for_every_route(world: World) -> None:
    body = '{"text": "' + "a" * 10_000_000 + '"}'
    for name in ("POST /help-requests", "POST /login", "POST /me/close", "POST /inbox/read-all", "POST /logout"):
        answer = send(all_routes()[name], world, body=body)
        assert (answer.status, answer.code) == (413, "too_large"), name
    assert world.hood.http.post("/wechat/callback", body=body).status in (403, 413)


MASS = {
    *("id", "state", "status", "role", "roles", "duties", "points", "owner", "requester", "author", "_v", "kind"),
    *("PK", "SK", "pk", "resident_id", "acting_for", "created_at", "session_version", "consent_version", "home_state"),
    *(
        "filed_by",
        "offered",
        "helper",
        "marks",
        "expires_at",
        "__proto__",
        "constructor",
        "is_admin",
        "openid",
        "phone",
    ),
}


@pytest.mark.parametrize("name", WITH_BODY)
def test_nobody_sets_a_field_that_is_not_theirs_to_set(name: str, world: World) -> None:
    route = all_routes()[name]
    known = {field.encode_name for field in msgspec.structs.fields(route.body)}
    extra = dict.fromkeys(MASS - known, "x")
    answer = send(route, world, json={**right_body(route, world), **extra})
    assert answer.status == 422, answer
    assert answer.wrong == dict.fromkeys(extra, "没有这一项")


HEADERS: list[dict[str, str]] = [
    {"Authorization": "Bearer " + "a" * 100_000},
    {"Authorization": "Bearer ../../x"},
    {"Authorization": "Bearer null"},
    {"Authorization": "Basic YWRtaW46YWRtaW4="},
    {"Authorization": "Bearer \u53e3\u7f69"},
    {"Idempotency-Key": ""},
    {"Idempotency-Key": "x" * 65},
    {"Idempotency-Key": "a b"},
    {"Idempotency-Key": "口罩"},
    {"Idempotency-Key": "a\r\nX-Evil: 1"},
    {"Acting-For": "x" * 100_000},
    {"Acting-For": "\x00"},
    {"Acting-For": "%00%ff"},
    {"Content-Type": "text/html; charset=\x00"},
    {"Content-Type": "multipart/form-data"},
    {"Content-Type": "application/json; charset=utf-16"},
    {"X-Forwarded-For": "127.0.0.1", "X-Original-URL": "/me/close", "X-HTTP-Method-Override": "DELETE"},
    {"Host": "evil.example", "Origin": "https://evil.example"},
    {"Accept": "text/xml", "Range": "bytes=0-1", "If-None-Match": "*"},
]


@pytest.mark.parametrize("headers", HEADERS, ids=lambda headers: f"{next(iter(headers))}")
def test_headers_that_nobody_sends(headers: dict[str, str], world: World) -> None:
    for method, path in (("POST", "/help-requests"), ("GET", "/help-requests/mine"), ("POST", "/inbox/read-all")):
        sent = {"Authorization": f"Bearer {world.owner.token}", **headers}
        answer = world.hood.http.call(method, path, body="{}" if method == "POST" else None, headers=sent)
        assert bearable(answer), answer
        assert "evil" not in answer.text + repr(answer.headers)
        assert "access-control-allow-origin" not in answer.headers
    assert world.owner.get("/me").status == 200


def test_no_answer_is_kept_by_anybody_on_the_way(world: World) -> None:
    for route in all_routes().values():
        if route.method == "GET" and route.needs != "nobody":
            for answer in (send(route, world), send(route, world, by=world.stranger)):
                assert answer.headers["cache-control"] == "no-store", route.name
                assert "application/" in answer.headers["content-type"]


def test_html_stays_text(world: World) -> None:
    title = "<img src=x onerror=alert(1)>"
    body = {**right_body(all_routes()["POST /help-requests"], world), "title": title}
    answer = world.helper.post("/help-requests", json=body)
    assert answer.json["title"] == title
    assert answer.headers["content-type"].startswith("application/json")
