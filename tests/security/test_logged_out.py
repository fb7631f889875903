"""A session that has ended writes nothing, from the moment it has ended and in every container: every route is tried."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kit import auth, clock
from chalicelib.kit.http import Route
from chalicelib.people import service as people
from chalicelib.people.models import Resident
from local.wechat import catalogue
from tests.engine.http import Answer
from tests.engine.meanwhile import meanwhile
from tests.engine.wire import Watcher, watched
from tests.neighbourhood import Hood, Neighbour
from tests.people.looking import items
from tests.security.bodies import right_body
from tests.security.routes import address, all_routes, meant_by
from tests.security.test_authority import ANYBODY, ENDS_THE_SESSION, ROWS, _touches, call
from tests.security.world import World, build

WRITING = [name for name, route in all_routes().items() if route.method != "GET" and route.needs != "nobody"]

# Decided by conditions of their own, in as few items as can be (docs/decisions/0010): that the session has not ended is
# read with the act, in the same moment, and not held until its end.
NOT_HELD = {"POST /products/{product_id}/redemptions", "POST /posts/{post_id}/read"}


@pytest.fixture
def ended_world(empty_table: str, hood: Hood, another_container: None, configure: Callable[..., None]) -> World:
    """Everybody has logged out, and this container has not heard of it."""
    configure("notices", templates={"to_do": {"one_time": {"id": next(iter(catalogue.TEMPLATES))}}})
    world = build(hood)
    for neighbour in (*world.everybody, world.newcomer):
        assert neighbour.post("/logout").status == 204
        assert neighbour.caller, "this container does not know"
    return world


def with_the_old_token(route: Route, who: str, world: World) -> Answer:
    body = right_body(route, world)
    if route.name == "POST /me/consent":
        body = {"version": auth.privacy().version}
    ids = meant_by(route, world.ids)
    if "contact" in route.path:
        ids["request_id"] = ids["filed_id"]
    reader: Neighbour = getattr(world, who)
    return world.hood.http.call(
        route.method,
        address(route, world.hood.community, **ids),
        token=reader.token,
        json={} if body is None else body,
        acting_for=world.owner.id if who == "delegate" else None,
        key="k",
    )


def test_no_route_lets_an_ended_session_write(ended_world: World) -> None:
    before = stored()
    let_in = []
    for name in sorted(WRITING):
        for who in sorted(ROWS[name] & ANYBODY):
            answer = with_the_old_token(all_routes()[name], who, ended_world)
            if (answer.status, answer.code) != (401, "session_ended"):
                let_in.append((name, who, answer))
        after = stored()
        if after != before:
            let_in.append((name, "has written", [item for item in after if item not in before]))
            before = after
    assert let_in == [], "\n".join(map(str, let_in))


def stored() -> list[str]:
    return sorted(json.dumps(item, default=repr, sort_keys=True) for item in items())


class _Transactions(Watcher):
    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []

    def parameters(self, service: str, operation: str, parameters: dict[str, Any]) -> None:
        if operation == "TransactWriteItems":
            self.sent.append(str(parameters))
        elif service == "dynamodb" and operation in ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"):
            self.sent.append(f"{operation} without any condition on the person")


def test_what_a_route_writes_depends_on_the_session_until_it_is_written(fresh_world: World) -> None:
    """Who logs out between an act's reading and its writing has logged out all the same."""
    free, written = [], 0
    for name in sorted(WRITING, key=_touches):
        if name in ENDS_THE_SESSION | NOT_HELD:
            continue
        for who in sorted(ROWS[name] & ANYBODY):
            watcher = _Transactions()
            session = getattr(fresh_world, who).caller.session
            with watched(watcher):
                answer = call(all_routes()[name], who, fresh_world)
            if answer.status < 300 and watcher.sent:
                written += 1
                if not any(session in each for each in watcher.sent):
                    free.append((name, who, answer))
    assert free == []
    assert written > 100


@pytest.mark.parametrize("path", ["/me/close", "/sessions/revoke", "/logout"])
def test_one_logged_out_in_the_middle_of_leaving_does_not_leave(hood: Hood, another_container: None, path: str) -> None:
    leaving = hood.resident()
    with meanwhile(f"RES#{leaving.id}", lambda: leaving.post("/logout")):
        answer = leaving.post(path, json={"word": "注销"} if path == "/me/close" else {})
    assert answer.status in (401, 409)
    resident = people.find(leaving.id)
    assert (resident.state, resident.session_version) == ("active", 0)


class TestLoggingOut:
    def test_other_phones_go_on(self, hood: Hood, another_container: None) -> None:
        neighbour = hood.resident()
        here = neighbour.token
        neighbour.log_in()
        assert hood.http.post("/logout", token=here).status == 204
        assert hood.http.post("/me/delegates", token=here).code == "session_ended"
        assert neighbour.post("/me/delegates").status == 201

    def test_what_continued_the_session_has_ended_with_it(self, hood: Hood, another_container: None) -> None:
        neighbour = hood.somebody()
        before = neighbour.token
        neighbour.consent()
        assert hood.http.post("/logout", token=before).status == 204
        assert neighbour.post("/me/delegates").code == "session_ended"

    def test_many_phones_at_once_all_end(self, hood: Hood, another_container: None) -> None:
        neighbour = hood.resident()
        tokens = [neighbour.token] + [neighbour.log_in().json["token"] for _ in range(5)]
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda token: hood.http.post("/logout", token=token), tokens))
        assert [answer.status for answer in answers] == [204] * 6
        codes = [hood.http.post("/me/delegates", token=token).code for token in tokens]
        assert codes == ["session_ended"] * 6

    def test_what_is_noted_of_them_does_not_grow(self, hood: Hood) -> None:
        """No longer than a token could live: then what was noted makes room."""
        neighbour, now = hood.resident(), clock.now()
        for number in range(3):
            later = now + number * timedelta(hours=2, minutes=6)
            token, _ = auth.issue(
                resident_id=neighbour.id, openid="o", session_version=0, consent=neighbour.caller.consent, now=later
            )
            people.log_out(caller=auth.check(f"Bearer {token}", now=later), now=later)
            assert len(people.find(neighbour.id).ended_sessions) == 1

    def test_ending_all_sessions_needs_no_list_of_them(self, hood: Hood) -> None:
        neighbour = hood.resident()
        neighbour.post("/logout")
        neighbour.log_in()
        neighbour.post("/sessions/revoke")
        assert people.find(neighbour.id).ended_sessions is None


def test_the_condition_holds_on_both_engines(each_engine: str) -> None:
    """`contains` looks for the session in the text; where there is no text, nothing has ended."""
    caller = auth.Caller("res_1", "o", "session_here", 0, "v")
    resident = Resident.key("res_1")
    resident.nickname, resident.created_at, resident.consent_version = "李菊", clock.now(), "v"
    for ended, holds in ((None, True), ({"session_there": 1}, True), ({"session_there": 1, "session_here": 2}, False)):
        resident.ended_sessions = ended
        resident.save()
        try:
            with people.transaction() as tx:
                people.still_logged_in(tx, caller)
        except people.rules.SessionEnded:
            assert not holds
        else:
            assert holds
