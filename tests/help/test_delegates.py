"""A delegate acts "X for Y" on every route that allows it, and not a moment longer than Y wants."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.kit import http as kit_http
from tests.help.street import ERRAND, MASKS, Street, ask, bring, lines, offer, path, stored


@pytest.fixture
def family(street: Street) -> Any:
    father, daughter = street.resident("父亲"), street.resident("女儿")
    street.let_act(daughter, father)
    return father, daughter


def test_asking_and_everything_after_it(street: Street, family: Any) -> None:
    father, daughter = family
    helper = street.resident("陈彩明")
    asked = daughter.post("/help-requests", json=MASKS, acting_for=father.id)
    assert (asked.json["requester_name"], asked.json["asked_by_delegate"], asked.json["mine"]) == ("父亲", "女儿", True)
    request = asked.json["id"]
    assert lines(father.get("/help-requests/mine"))[0]["id"] == request
    assert lines(daughter.get("/help-requests/mine", acting_for=father.id))[0]["id"] == request
    assert lines(daughter.get("/help-requests/mine")) == []
    made = bring(helper, request)
    seen = daughter.get(f"/help-requests/{request}", acting_for=father.id).json
    assert seen["offers"][0]["code"]
    assert daughter.get(f"/help-requests/{request}").json["offers"] == []
    assert daughter.post(path(request, made, "collect")).status == 404
    assert daughter.post(path(request, made, "collect"), acting_for=father.id).status == 200
    written = daughter.post(path(request, made, "messages"), json={"text": "收到"}, acting_for=father.id)
    assert (written.json["author_name"], written.json["by_delegate"]) == ("父亲", "女儿")
    assert len(lines(daughter.get(path(request, made, "messages"), acting_for=father.id))) == 1
    assert daughter.post(path(request, made, "thanks"), json={"text": "谢谢"}, acting_for=father.id).status == 200
    assert daughter.post(f"/help-requests/{request}/object", json={"reason": "坏"}, acting_for=father.id).status == 200
    assert daughter.post(f"/help-requests/{request}/confirm", acting_for=father.id).json["state"] == "fulfilled"
    assert "help_offered" in father.told
    assert daughter.told == []


def test_helping_in_somebodys_name(street: Street, family: Any) -> None:
    father, daughter = family
    request = ask(street.resident())
    made = daughter.post(f"/help-requests/{request}/offers", json={"quantity": 2}, acting_for=father.id)
    assert (made.json["helper_name"], made.json["helper_by_delegate"]) == ("父亲", "女儿")
    offered = made.json["id"]
    assert len(lines(daughter.get("/help-requests/helping", acting_for=father.id))) == 1
    assert daughter.post(path(request, offered, "drop-off")).status == 404
    assert daughter.post(path(request, offered, "drop-off"), acting_for=father.id).status == 200
    other = daughter.post(f"/help-requests/{request}/offers", json={"quantity": 1}, acting_for=father.id).json["id"]
    assert daughter.post(path(request, other, "cancel"), acting_for=father.id).status == 200


def test_photos_and_withdrawing(street: Street, family: Any) -> None:
    father, daughter = family
    request = daughter.post("/help-requests", json=ERRAND, acting_for=father.id).json["id"]
    form = daughter.post(f"/help-requests/{request}/photos", json={}, acting_for=father.id)
    assert form.status == 201
    photo = f"/help-requests/{request}/photos/{form.json['photo_id']}/remove"
    assert daughter.post(photo).status == 404
    assert daughter.post(photo, acting_for=father.id).status == 204
    assert stored(request).photos == 0
    assert daughter.post(f"/help-requests/{request}/withdraw").code == "not_yours"
    assert daughter.post(f"/help-requests/{request}/withdraw", acting_for=father.id).json["state"] == "withdrawn"


def delegable_calls(request: str, made: str) -> list[tuple[str, str, Any]]:
    bodies = {
        "/help-requests": MASKS,
        "/help-requests/{request_id}/object": {"reason": "坏"},
        "/help-requests/{request_id}/photos": {},
        "/help-requests/{request_id}/offers": {"quantity": 1},
        "/help-requests/{request_id}/offers/{offer_id}/thanks": {"text": "谢谢"},
        "/help-requests/{request_id}/offers/{offer_id}/messages": {"text": "好"},
    }
    return [
        (
            route.method,
            route.path.format(request_id=request, offer_id=made, photo_id="photo_x"),
            bodies.get(route.path, {}) if route.method == "POST" else None,
        )
        for route in kit_http.ROUTES
        if route.path.startswith("/help-requests") and route.delegable
    ]


def test_a_revoked_delegate_is_refused_on_every_route_at_the_next_act(street: Street, family: Any) -> None:
    father, daughter = family
    request = ask(father)
    made = offer(street.resident(), request, 1)
    assert father.delete(f"/me/delegates/{daughter.id}").status == 204
    calls = delegable_calls(request, made)
    assert len(calls) > 12
    for who in (daughter, street.resident()):
        for method, where, body in calls:
            given = {} if body is None else {"json": body}
            answer = street.http.call(method, where, token=who.token, acting_for=father.id, **given)
            assert (answer.status, answer.code) == (403, "not_a_delegate"), (method, where)
    assert stored(request).state == "open"


def test_what_only_oneself_does_is_not_done_for_another(street: Street, family: Any) -> None:
    father, daughter = family
    request = ask(street.resident())
    for method, where, body in (
        ("POST", f"/help-requests/{request}/flags", {"reason": "fraud"}),
        ("PUT", "/me/help-alerts", {"on": True}),
        ("POST", "/pick-ups", {"code": "ABCD2345"}),
        ("POST", "/help-requests/on-behalf", MASKS),
    ):
        answer = street.http.call(method, where, token=daughter.token, acting_for=father.id, json=body)
        assert answer.code == "own_affair_only", where


def test_a_delegate_does_not_borrow_the_duties_of_a_staff_member(street: Street) -> None:
    worker, other = street.staff("grid_worker"), street.resident()
    street.let_act(other, worker)
    request = ask(street.resident(), text="高价回收")
    assert worker.get(f"/help-requests/{request}").status == 200
    assert other.get(f"/help-requests/{request}", acting_for=worker.id).status == 404


def test_one_key_for_oneself_and_for_another_makes_two_requests(family: Any) -> None:
    father, daughter = family
    own = daughter.post("/help-requests", json=MASKS, key="k")
    his = daughter.post("/help-requests", json=MASKS, key="k", acting_for=father.id)
    assert (own.json["requester_name"], his.json["requester_name"]) == ("女儿", "父亲")
    assert own.json["id"] != his.json["id"]
