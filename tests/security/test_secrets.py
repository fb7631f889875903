"""No phone, openid, real name or token of anybody reaches another person, or the logs. Looked for in every answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.http import Answer
from tests.neighbourhood import Hood, Neighbour
from tests.security import presence, volunteers
from tests.security.bodies import right_body
from tests.security.routes import address, all_routes, meant_by
from tests.security.world import CONTACT_NAME, CONTACT_PHONE, REAL_NAME, World

# What may show a number or a name: to its owner, or to staff by the act that is written down.
TO_ITS_OWNER = {"GET /me/phone"}
TO_STAFF = {
    "POST /residents/{resident_id}/identity",
    "POST /help-requests/{request_id}/contact",
    *presence.TO_STAFF,
    *volunteers.TO_STAFF,
}
LEAVING = {"POST /me/close", "POST /logout", "POST /sessions/revoke", "DELETE /me/consent", "DELETE /me/phone"}


def visible(answer: Answer) -> str:
    """The answer and its headers; JSON does not escape what we look for, or this would miss it."""
    return answer.text + repr(answer.headers)


def leaks(world: World, reader: Neighbour | None, answer: Answer) -> set[str]:
    """Secrets of others in an answer to this reader."""
    secrets = {CONTACT_NAME, CONTACT_PHONE}
    if reader not in (world.owner, world.delegate):  # whoever shows one of these gets the goods
        secrets |= {world.desk_code, world.door_code}
    if reader is not world.helper:
        secrets |= volunteers.SECRETS
    for other in world.everybody:
        if other is not reader:
            secrets |= world.secrets_of(other) | {other.token}
    return {secret for secret in secrets if secret in visible(answer)}


def test_no_answer_to_anybody_holds_what_is_anothers(fresh_world: World) -> None:
    world = fresh_world
    routes = [route for route in all_routes().values() if route.name not in LEAVING | TO_STAFF]
    routes.sort(key=lambda route: ("GET", "POST", "PUT", "DELETE").index(route.method))
    found = []
    for route in routes:
        body = right_body(route, world)
        more: dict[str, Any] = {} if body is None else {"json": body}
        for reader in (*world.everybody, world.newcomer, None):
            token = reader.token if reader else None
            path = address(route, world.hood.community, **meant_by(route, world.ids))
            answer = world.hood.http.call(route.method, path, token=token, **more)
            found += [(route.name, reader and reader.name, leak) for leak in leaks(world, reader, answer)]
            if reader is world.delegate and route.delegable:
                answer = world.hood.http.call(route.method, path, token=token, acting_for=world.owner.id, **more)
                found += [(route.name, "delegate", leak) for leak in leaks(world, reader, answer)]
    assert found == []


def test_the_owners_openid_is_not_even_in_answers_to_the_owner(world: World) -> None:
    for route in all_routes().values():
        if route.method == "GET":
            answer = world.owner.get(address(route, world.hood.community, **meant_by(route, world.ids)))
            assert world.owner.caller.openid not in visible(answer), route.name
            number = world.hood.wechat.person(world.owner.phone)["phone"]
            assert (number in visible(answer)) == (route.name in TO_ITS_OWNER), route.name


def test_staff_see_a_number_by_the_act_that_is_written_down_and_by_no_other(world: World) -> None:
    ids = {**world.ids, "request_id": world.ids["filed_id"]}
    for route in all_routes().values():
        if route.method == "GET":
            answer = world.staff.get(address(route, world.hood.community, **meant_by(route, ids)))
            assert leaks(world, world.staff, answer) == set(), route.name
    before = len(world.owner.get("/me/lookups").json["items"])
    shown = world.staff.post(f"/residents/{world.owner.id}/identity", json={"reason": "电话核实住址"})
    assert leaks(world, world.staff, shown) == {shown.json["phone"]}
    assert len(world.owner.get("/me/lookups").json["items"]) == before + 1
    contact = world.staff.post(f"/help-requests/{ids['request_id']}/contact", json={"reason": "电话核实需要"})
    assert leaks(world, world.staff, contact) == {CONTACT_NAME, CONTACT_PHONE}


def test_the_logs_hold_no_secret_no_text_and_no_token(logs: Any, hood: Hood, fresh_world: World) -> None:
    world = fresh_world
    for route in all_routes().values():
        body = right_body(route, world)
        for token in (world.stranger.token, world.owner.token, f"{world.owner.token}x"):
            path = address(route, hood.community, **meant_by(route, world.ids))
            hood.http.call(route.method, path, token=token, json=body if body is not None else {"a": CONTACT_PHONE})
            if route.name in LEAVING:
                world.stranger.log_in(), world.owner.log_in()
                world.stranger.consent(), world.owner.consent()
    written = logs.text
    secrets = {
        REAL_NAME,
        CONTACT_NAME,
        CONTACT_PHONE,
        world.code,
        world.desk_code,
        world.door_code,
        "需要五只口罩",
        "谢谢，放居委会就好",
        *volunteers.SECRETS,
    }
    for person in world.everybody:
        secrets |= world.secrets_of(person) | {person.token.rpartition(".")[0]}
    assert {secret for secret in secrets if secret in written} == set()
    assert len(written.splitlines()) > 100


def test_a_crash_is_logged_without_what_it_was_about(hood: Hood, logs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from chalicelib.people import service

    neighbour = hood.resident()
    openid = neighbour.caller.openid

    def crash(*_: Any, **__: Any) -> None:
        raise RuntimeError(f"cannot handle {openid}")

    monkeypatch.setattr(service, "present", crash)
    answer = neighbour.get("/me")
    assert (answer.status, answer.code) == (500, "internal_error")
    assert openid not in logs.text + answer.text
    assert "RuntimeError" in logs.text
    assert "RuntimeError" not in answer.text


def test_the_name_on_a_statement_is_for_whoever_holds_its_number_and_nobody_else(world: World) -> None:
    for route in all_routes().values():
        if route.method == "GET":
            for reader in (world.stranger, world.staff):
                path = address(route, world.hood.community, **meant_by(route, world.ids))
                shown = REAL_NAME in visible(reader.get(path))
                assert shown == route.path.startswith("/statements/"), route.name
    assert world.ids["number"] not in "".join(
        visible(world.staff.get(path))
        for path in (f"/volunteers/{world.owner.id}/entries", "/me/statements", "/me/service-hours")
    )
