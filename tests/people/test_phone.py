"""The phone number: sealed in the table, masked in the app, in full to its owner alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.kit import clock, limits, vault
from chalicelib.kit.transaction import transaction
from chalicelib.people import rules
from chalicelib.people import service as people
from tests.engine.http import Answer
from tests.neighbourhood import Hood, Neighbour
from tests.people.looking import everything


def register(neighbour: Neighbour, key: str | None = None) -> Answer:
    return neighbour.post("/me/phone", json={"code": neighbour.hood.wechat.phone_code(neighbour.phone)}, key=key)


def number_of(neighbour: Neighbour) -> str:
    return str(neighbour.hood.wechat.person(neighbour.phone)["phone"])


def test_it_is_shown_masked_and_to_its_owner_in_full(hood: Hood) -> None:
    neighbour = hood.resident()
    number = number_of(neighbour)
    answer = register(neighbour)
    assert answer.json == {"phone": f"{number[:3]}******{number[-2:]}"}
    assert neighbour.get("/me").json["phone"] == answer.json["phone"]
    assert neighbour.get("/me/phone").json == {"phone": number}


@pytest.mark.usefixtures("empty_table")
def test_it_stands_nowhere_in_the_table(hood: Hood) -> None:
    neighbour = hood.resident()
    number = number_of(neighbour)
    register(neighbour)
    assert number not in everything()
    assert people.phone_of(people.find(neighbour.id)) == number


def test_what_is_sealed_for_one_opens_for_nobody_else_and_as_nothing_else(hood: Hood) -> None:
    neighbour, other = hood.resident(), hood.resident()
    register(neighbour)
    sealed = people.find(neighbour.id).phone_sealed
    for subject, field in ((other.id, "phone"), (neighbour.id, "openid")):
        with pytest.raises(Exception, match=r"^$"):  # cryptography's InvalidTag says nothing
            vault.read(subject, field, sealed)


def test_who_has_none_is_told_so(hood: Hood) -> None:
    neighbour = hood.resident()
    assert neighbour.get("/me").json["phone"] is None
    answer = neighbour.get("/me/phone")
    assert (answer.status, answer.code) == (409, "no_phone")


def test_it_can_be_deleted_and_that_twice(hood: Hood) -> None:
    neighbour = hood.resident()
    register(neighbour)
    for _ in range(2):
        assert neighbour.delete("/me/phone").status == 204
        assert neighbour.get("/me/phone").code == "no_phone"
        assert neighbour.get("/me").json["phone"] is None


def test_a_code_works_once_and_a_new_number_replaces_the_old(hood: Hood) -> None:
    neighbour = hood.resident()
    code = hood.wechat.phone_code(neighbour.phone)
    assert neighbour.post("/me/phone", json={"code": code}).status == 200
    again = neighbour.post("/me/phone", json={"code": code})
    assert (again.status, again.code) == (409, "phone_code_invalid")
    hood.wechat.change_person(neighbour.phone, phone="13900001111")
    assert register(neighbour).json == {"phone": "139******11"}


def test_the_same_request_again_gets_the_same_answer_though_its_code_is_used(hood: Hood) -> None:
    neighbour = hood.resident()
    code = hood.wechat.phone_code(neighbour.phone)
    answers = [neighbour.post("/me/phone", json={"code": code}, key="k") for _ in range(2)]
    assert answers[0].status == answers[1].status == 200
    assert answers[0].json == answers[1].json
    other = neighbour.post("/me/phone", json={"code": "another"}, key="k")
    assert (other.status, other.code) == (422, "idempotency_key_reused")


def test_somebody_elses_code_is_refused(hood: Hood) -> None:
    neighbour, other = hood.resident(), hood.resident()
    code = hood.wechat.phone_code(other.phone)
    answer = neighbour.post("/me/phone", json={"code": code})
    assert (answer.status, answer.code) == (409, "phone_code_invalid")
    assert neighbour.get("/me").json["phone"] is None


@pytest.mark.parametrize("code", ["made-up", "口罩", "x" * 256])
def test_a_code_that_is_none_is_refused(hood: Hood, code: str) -> None:
    assert hood.resident().post("/me/phone", json={"code": code}).code == "phone_code_invalid"


@pytest.mark.parametrize(
    ("errcode", "status", "code"),
    [(40029, 409, "phone_code_invalid"), (45011, 429, "phone_asked_too_often"), (48001, 503, "wechat_refused")],
)
def test_wechats_reasons_are_told_in_chinese(hood: Hood, errcode: int, status: int, code: str) -> None:
    neighbour = hood.resident()
    hood.wechat.break_("errcode", "/wxa/business/getuserphonenumber", errcode=errcode)
    answer = register(neighbour)
    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize("trouble", ["down", "html"])
def test_while_wechat_is_out_of_order_one_is_asked_to_try_later(hood: Hood, trouble: str) -> None:
    neighbour = hood.resident()
    hood.wechat.break_(trouble, "/wxa/business/getuserphonenumber")
    assert register(neighbour).status == 503
    hood.wechat.mend()
    assert register(neighbour).status == 200


def test_five_numbers_a_day_are_enough(hood: Hood) -> None:
    neighbour = hood.resident()
    most = people.PHONE_CHANGES_A_DAY
    with transaction() as tx:
        limits.spend(tx, neighbour.id, "phone", at_most=most, per=timedelta(days=1), now=clock.now(), cost=most)
    assert register(neighbour).code == "too_many_requests"


@pytest.mark.parametrize(
    ("number", "shown"), [("18767315556", "187******56"), ("+85212345678", "+85*******78"), ("12345678", "123***78")]
)
def test_a_mask_shows_the_first_three_and_the_last_two(number: str, shown: str) -> None:
    assert rules.mask_phone(number) == shown
