"""No text that other residents read takes a way to reach somebody: whatever the act, by one guard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.http import Answer
from tests.help.street import MASKS, ask, bring, offer, path
from tests.neighbourhood import Hood, Neighbour
from tests.posts.square import WATER
from tests.shifts import organised
from tests.volunteers import crew

MOBILE, DISGUISED, OF_AN_OFFICE = "13857300011", "幺三八:五七三零:零零幺幺", "电话 0573-82838483"
Write = Callable[[Hood, str], Answer]


def talk(hood: Hood) -> tuple[Neighbour, Neighbour, str, str]:
    li_ju, chen = hood.resident(), hood.resident()
    request = ask(li_ju)
    return li_ju, chen, request, offer(chen, request, 2)


def a_message(hood: Hood, text: str) -> Answer:
    _, chen, request, made = talk(hood)
    return chen.post(path(request, made, "messages"), json={"text": text})


def thanks(hood: Hood, text: str) -> Answer:
    li_ju, chen = hood.resident(), hood.resident()
    request = ask(li_ju)
    made = bring(chen, request, 2)
    assert li_ju.post(path(request, made, "collect")).status == 200
    return li_ju.post(path(request, made, "thanks"), json={"text": text})


def an_offer(hood: Hood, text: str) -> Answer:
    request = ask(hood.resident())
    return hood.resident().post(f"/help-requests/{request}/offers", json={"quantity": 1, "message": text})


def an_objection(hood: Hood, text: str) -> Answer:
    li_ju, chen = hood.resident(), hood.resident()
    request = ask(li_ju)
    bring(chen, request, 2)
    return li_ju.post(f"/help-requests/{request}/object", json={"reason": text})


BY_RESIDENTS: dict[str, Write] = {
    "a title": lambda hood, text: hood.resident().post("/help-requests", json={**MASKS, "title": text}),
    "a wish": lambda hood, text: hood.resident().post("/help-requests", json={**MASKS, "text": text}),
    "an offer": an_offer,
    "a message": a_message,
    "thanks": thanks,
    "an objection": an_objection,
    "a nickname": lambda hood, text: hood.resident().put("/me/nickname", json={"nickname": text}),
    "a team's name": lambda hood, text: crew.found(hood.resident(), text),
}


def a_post(hood: Hood, text: str) -> Answer:
    return hood.staff("community_worker").post("/posts", json={**WATER, "area": hood.community, "text": text})


def an_activity(hood: Hood, text: str) -> Answer:
    worker = hood.staff("community_worker")
    return organised.publish(worker, organised.drafted(worker, text=text))


BY_STAFF: dict[str, Write] = {"a post": a_post, "an activity": an_activity}


@pytest.mark.parametrize("text", [MOBILE, DISGUISED, OF_AN_OFFICE])
@pytest.mark.parametrize("write", BY_RESIDENTS.values(), ids=BY_RESIDENTS)
def test_residents_write_no_number(hood: Hood, write: Write, text: str) -> None:
    answer = write(hood, text)
    assert (answer.status, answer.code) == (409, "contact_in_text"), answer


def test_nor_one_that_begins_in_the_title_and_ends_in_the_text(hood: Hood) -> None:
    wish: dict[str, Any] = {**MASKS, "title": "打我 1385", "text": "7300011"}
    assert hood.resident().post("/help-requests", json=wish).code == "contact_in_text"


@pytest.mark.parametrize("write", BY_STAFF.values(), ids=BY_STAFF)
def test_staff_write_those_of_an_office_and_nobodys_own(hood: Hood, write: Write) -> None:
    assert write(hood, f"停水，{OF_AN_OFFICE}").status in (200, 201)
    for text in (MOBILE, DISGUISED):
        answer = write(hood, f"停水，找 {text}")
        assert (answer.status, answer.code) == (409, "contact_in_text"), answer
