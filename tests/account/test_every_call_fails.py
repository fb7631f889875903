"""People and their accounts on a bad day of AWS: asked again as a client asks, it has been done once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.areas import service as areas
from chalicelib.console import commands
from chalicelib.kit import auth, clock, vault
from chalicelib.kit.table import Item
from chalicelib.people import service as people
from chalicelib.people.models import Resident
from tests.engine.http import Answer
from tests.faults.acts import Act, ActInHood, in_hood
from tests.faults.trying import fail_every_call
from tests.neighbourhood import Hood, Neighbour


def resident(neighbour: Neighbour) -> Resident:
    return people.find(neighbour.id)


def unless_done(answer: Answer) -> Answer | None:
    """Who has left cannot ask again: that they are out tells them that it was done."""
    return None if answer.code in ("session_ended", "account_closed") else answer


@in_hood("POST /login")
def logging_in(hood: Hood) -> Act:
    def prepare() -> Neighbour:
        phone = f"faulty{clock.now().timestamp()}"
        hood.wechat.add_person(phone, "新来的")
        return Neighbour(hood, "新来的", phone)

    def facts(neighbour: Neighbour) -> Any:
        return neighbour.get("/me").status, people.openid_of(resident(neighbour)) == neighbour.caller.openid

    prepare().log_in()  # what only the very first login of all writes
    return Act("somebody logs in for the first time", prepare, lambda new, _: new.log_in(), facts)


@in_hood("POST /me/consent")
def consenting(hood: Hood) -> Act:
    def consent(neighbour: Neighbour, key: str) -> Answer:
        return neighbour.post("/me/consent", json={"version": auth.privacy().version}, key=key)

    return Act("consent", hood.somebody, consent, lambda neighbour: resident(neighbour).consent_version)


@in_hood("DELETE /me/consent")
def withdrawing(hood: Hood) -> Act:
    return Act(
        "consent is withdrawn",
        hood.resident,
        lambda neighbour, _: unless_done(neighbour.delete("/me/consent")),
        lambda neighbour: (resident(neighbour).consent_version, resident(neighbour).session_version),
    )


@in_hood("POST /me/phone")
def registering_a_phone(hood: Hood) -> Act:
    def register(neighbour: Neighbour, key: str) -> Answer:
        answer = neighbour.post("/me/phone", json={"code": neighbour.code}, key=key)
        if answer.code == "phone_code_invalid":  # WeChat's code is used up: the button gives another
            answer = neighbour.post("/me/phone", json={"code": hood.wechat.phone_code(neighbour.phone)}, key=f"{key}2")
        return answer

    def prepare() -> Neighbour:
        neighbour = hood.resident()
        neighbour.code = hood.wechat.phone_code(neighbour.phone)
        return neighbour

    def facts(neighbour: Neighbour) -> bool:
        return people.phone_of(resident(neighbour)) == hood.wechat.person(neighbour.phone)["phone"]

    register(prepare(), "once")  # WeChat's access token is fetched and kept
    return Act("a phone is registered", prepare, register, facts)


@in_hood("PUT /me/residence")
def moving(hood: Hood) -> Act:
    worker = hood.staff("grid_worker", hood.grid)

    def prepare() -> tuple[Neighbour, int]:
        return hood.resident(), len(worker.told)

    def move(world: tuple[Neighbour, int], key: str) -> Answer:
        return world[0].put("/me/residence", json={"area": hood.grid})

    def facts(world: tuple[Neighbour, int]) -> Any:
        return resident(world[0]).home, worker.told[world[1] :]

    return Act("somebody moves", prepare, move, facts)


@in_hood("POST /residences/{resident_id}/confirm")
def confirming(hood: Hood) -> Act:
    worker = hood.staff("grid_worker")

    def confirm(neighbour: Neighbour, key: str) -> Answer:
        return worker.post(f"/residences/{neighbour.id}/confirm", json={"area": hood.micro_grid}, key=key)

    return Act(
        "a home is confirmed",
        hood.resident,
        confirm,
        lambda neighbour: (resident(neighbour).home_state, neighbour.told),
    )


@in_hood("POST /me/delegates")
def inviting(hood: Hood) -> Act:
    def facts(neighbour: Neighbour) -> int:
        return len(list(Item.by_person.query(f"INVITES_OF#{neighbour.id}")))

    return Act(
        "a delegate is invited", hood.resident, lambda neighbour, key: neighbour.post("/me/delegates", key=key), facts
    )


@in_hood("POST /delegations")
def accepting(hood: Hood) -> Act:
    daughter = hood.resident()

    def prepare() -> tuple[Neighbour, str]:
        father = hood.resident()
        return father, father.post("/me/delegates").json["code"]

    def accept(world: tuple[Neighbour, str], key: str) -> Answer:
        return daughter.post("/delegations", json={"code": world[1]}, key=key)

    def facts(world: tuple[Neighbour, str]) -> Any:
        return len(world[0].get("/me/delegates").json["items"]), world[0].told

    return Act("a delegate accepts", prepare, accept, facts)


@in_hood("POST /residents/{resident_id}/identity")
def looking(hood: Hood) -> Act:
    worker = hood.staff("grid_worker")

    def look(neighbour: Neighbour, key: str) -> Answer:
        return worker.post(f"/residents/{neighbour.id}/identity", json={"reason": "电话核实住址"}, key=key)

    def facts(neighbour: Neighbour) -> Any:
        return len(neighbour.get("/me/lookups").json["items"]), neighbour.told

    return Act("staff look somebody up", hood.resident, look, facts)


@in_hood("POST /me/copy")
def asking_for_a_copy(hood: Hood) -> Act:
    return Act(
        "a copy is asked for",
        hood.resident,
        lambda neighbour, key: neighbour.post("/me/copy", key=key),
        lambda neighbour: neighbour.get("/me/copy").json["state"],
    )


@in_hood("POST /me/close")
def closing(hood: Hood) -> Act:
    def close(neighbour: Neighbour, key: str) -> Answer | None:
        return unless_done(neighbour.post("/me/close", json={"word": "注销"}, key=key))

    def facts(neighbour: Neighbour) -> Any:
        """Once the timer has done what was left."""
        hood.pass_time(Resident.key(neighbour.id), clock.now() + timedelta(minutes=5))
        left = resident(neighbour)
        with pytest.raises(vault.KeyDestroyed):
            vault.seal(neighbour.id, "x", "x")
        return left.state, left.timer, left.home

    return Act("an account is closed", hood.resident, close, facts)


@in_hood("command grant_duty")
def granting(hood: Hood) -> Act:
    def grant(neighbour: Neighbour, key: str) -> Any:
        duty = {"resident_id": neighbour.id, "role": "moderator", "area": hood.community}
        assert commands.administer({"command": "grant_duty", **duty}, request_id=key, now=clock.now())["ok"]

    return Act(
        "a duty is granted",
        hood.resident,
        grant,
        lambda neighbour: (len(neighbour.get("/me").json["duties"]), neighbour.told),
    )


ACTS: list[ActInHood] = [
    *(logging_in, consenting, withdrawing, registering_a_phone, moving, confirming, inviting, accepting, looking),
    *(asking_for_a_copy, closing, granting),
]


@pytest.mark.parametrize("make", ACTS, ids=str)
def test_the_repeat_of_a_failed_act_ends_as_if_nothing_had_failed(make: ActInHood, hood: Hood) -> None:
    for code in (hood.community, hood.grid, hood.micro_grid):
        areas.get(code)  # read and kept for a while
    fail_every_call(make(hood))
