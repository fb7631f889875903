"""People and their accounts on a bad day of AWS: asked again as a client asks, it has been done once."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any
from unittest.mock import patch

import msgspec
import pytest

from chalicelib import wechat_events
from chalicelib.account import closing as account_closing
from chalicelib.account.models import DataCopy
from chalicelib.areas import service as areas
from chalicelib.kit import auth, clock, ids, vault
from chalicelib.kit.table import Item
from chalicelib.notices import events
from chalicelib.people import service as people
from chalicelib.people.models import OpenidLink, Resident, partition
from chalicelib.wechat.callback import AuthorizationCancelled, AuthorizationRevoked, Event
from tests.content.conftest import objects
from tests.engine.http import Answer
from tests.faults.acts import Act, ActInHood, command, hand, in_hood, message, when_due
from tests.faults.trying import fail_every_call
from tests.neighbourhood import Hood, Neighbour


def resident(neighbour: Neighbour) -> Resident:
    return people.find(neighbour.id)


def unless_done(answer: Answer, *codes: str) -> Answer | None:
    """Who has left cannot ask again: that they are out tells them that it was done."""
    return None if answer.code in ("session_ended", "account_closed", *codes) else answer


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


@in_hood("DELETE /me/invitations/{code}")
def taking_back(hood: Hood) -> Act:
    def prepare() -> tuple[Neighbour, str]:
        father = hood.resident()
        return father, father.post("/me/delegates").json["code"]

    return Act(
        "an invitation is taken back",
        prepare,
        lambda world, key: world[0].delete(f"/me/invitations/{world[1]}", key=key),
        lambda world: world[0].get("/me/invitations").json["items"],
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

    # The fourth call is the first of the erasing, which ends as the timer's does: see the next act.
    return Act("an account is closed", hood.resident, close, what_is_left, until=4)


@in_hood("command grant_duty")
def granting(hood: Hood) -> Act:
    def grant(neighbour: Neighbour, key: str) -> Any:
        duty = {"resident_id": neighbour.id, "role": "moderator", "area": hood.community}
        command(command="grant_duty", **duty)

    return Act(
        "a duty is granted",
        hood.resident,
        grant,
        lambda neighbour: (len(neighbour.get("/me").json["duties"]), neighbour.told),
    )


@in_hood("POST /residences/{resident_id}/decline")
def declining(hood: Hood) -> Act:
    worker = hood.staff("grid_worker")

    def decline(neighbour: Neighbour, key: str) -> Answer:
        why = {"area": hood.micro_grid, "reason": "没有这户人家"}
        return worker.post(f"/residences/{neighbour.id}/decline", json=why, key=key)

    def facts(neighbour: Neighbour) -> Any:
        return resident(neighbour).home_state, resident(neighbour).home_reason, neighbour.told

    return Act("a home is declined", hood.resident, decline, facts)


def family(hood: Hood) -> tuple[Neighbour, Neighbour]:
    """The daughter may act for her father."""
    father, daughter = hood.resident(), hood.resident()
    daughter.post("/delegations", json={"code": father.post("/me/delegates").json["code"]})
    return father, daughter


def what_a_family_knows(world: tuple[Neighbour, Neighbour]) -> Any:
    father, daughter = world
    return father.get("/me/delegates").json["items"], father.told, daughter.told


@in_hood("DELETE /me/delegates/{delegate_id}")
def revoking(hood: Hood) -> Act:
    def revoke(world: tuple[Neighbour, Neighbour], key: str) -> Answer | None:
        return unless_done(world[0].delete(f"/me/delegates/{world[1].id}"), "delegation_not_found")

    return Act("a delegate is revoked", lambda: family(hood), revoke, what_a_family_knows)


@in_hood("DELETE /delegations/{principal_id}")
def resigning(hood: Hood) -> Act:
    def resign(world: tuple[Neighbour, Neighbour], key: str) -> Answer | None:
        return unless_done(world[1].delete(f"/delegations/{world[0].id}"), "delegation_not_found")

    return Act("a delegate resigns", lambda: family(hood), resign, what_a_family_knows)


def with_phone(hood: Hood) -> Neighbour:
    neighbour = hood.resident()
    made = neighbour.post("/me/phone", json={"code": hood.wechat.phone_code(neighbour.phone)})
    assert made.status == 200, made
    return neighbour


def what_is_kept_of_a_phone(neighbour: Neighbour) -> Any:
    return resident(neighbour).phone_sealed, resident(neighbour).phone_masked


@in_hood("DELETE /me/phone")
def forgetting_a_phone(hood: Hood) -> Act:
    return Act(
        "a phone is forgotten",
        lambda: with_phone(hood),
        lambda neighbour, _: neighbour.delete("/me/phone"),
        what_is_kept_of_a_phone,
    )


@in_hood("POST /logout")
def logging_out(hood: Hood) -> Act:
    return Act(
        "somebody logs out",
        hood.resident,
        lambda neighbour, key: unless_done(neighbour.post("/logout", key=key)),
        lambda neighbour: neighbour.get("/me").code,
    )


@in_hood("POST /sessions/revoke")
def logging_out_everywhere(hood: Hood) -> Act:
    return Act(
        "somebody logs out everywhere",
        hood.resident,
        lambda neighbour, key: unless_done(neighbour.post("/sessions/revoke", key=key)),
        lambda neighbour: (resident(neighbour).session_version, neighbour.get("/me").code),
    )


@in_hood("command end_duty")
def ending_a_duty(hood: Hood) -> Act:
    def end(worker: Neighbour, key: str) -> None:
        duty = {"resident_id": worker.id, "role": "moderator", "area": hood.community}
        command(command="end_duty", **duty, done_already="duty_unknown")

    return Act(
        "a duty is ended",
        lambda: hood.staff("moderator"),
        end,
        lambda worker: (len(worker.get("/me").json["duties"]), worker.told),
    )


@in_hood("command put_areas")
def putting_areas(hood: Hood) -> Act:
    def put(codes: list[str], key: str) -> None:
        areas._kept.clear()
        command(command="put_areas", areas=[{"code": code, "name": f"{len(code)} 位"} for code in codes])

    def prepare() -> list[str]:
        number = f"{next(numbers)}"
        areas._kept.clear()
        return [f"{hood.street}{number}", f"{hood.street}{number}001"]

    numbers = count(101)
    return Act("areas are put on the map", prepare, put, lambda codes: [areas.get(code).name for code in codes])


@in_hood("timer account.copy")
def copying(hood: Hood) -> Act:
    def prepare() -> Neighbour:
        neighbour = hood.resident()
        assert neighbour.post("/me/copy").status == 202
        return neighbour

    def facts(neighbour: Neighbour) -> Any:
        copy = DataCopy.fetch(partition(neighbour.id), "COPY")
        return copy.state, copy.timer, len(objects(f"copies/{copy.folder}")), neighbour.told

    return Act(
        "a copy is prepared",
        prepare,
        lambda neighbour, _: when_due(DataCopy.key(neighbour.id), clock.now()),
        facts,
    )


def what_is_left(neighbour: Neighbour) -> Any:
    """Once the timer has done what was left."""
    when_due(Resident.key(neighbour.id), clock.now() + timedelta(minutes=5))
    left = resident(neighbour)
    with pytest.raises(vault.KeyDestroyed):
        vault.seal(neighbour.id, "x", "x")
    return left.state, left.timer, left.home


@in_hood("timer account.erase")
def erasing(hood: Hood) -> Act:
    def prepare() -> Neighbour:
        neighbour = hood.resident()
        with patch.object(account_closing, "erase", side_effect=OSError):
            neighbour.post("/me/close", json={"word": "注销"})
        return neighbour

    def erase(neighbour: Neighbour, key: str) -> None:
        when_due(Resident.key(neighbour.id), clock.now() + timedelta(minutes=5))

    return Act("what is left of a closed account is erased", prepare, erase, what_is_left, one_way_after=0)


def hear(event: Event, link: str) -> None:
    hand(wechat_events.wechat_events, message(msgspec.json.encode(events.Told(event, link)).decode()))


def about(neighbour: Neighbour) -> dict[str, Any]:
    return {"at": clock.now(), "fingerprint": ids.new_id("f"), "openid": ""}


@in_hood("event AuthorizationCancelled")
def being_cancelled(hood: Hood) -> Act:
    def prepare() -> tuple[Neighbour, str]:
        neighbour = hood.resident()
        return neighbour, OpenidLink.key(neighbour.caller.openid).pk

    def cancel(world: tuple[Neighbour, str], key: str) -> None:
        hear(AuthorizationCancelled(**about(world[0])), world[1])

    # What follows is erased as by the timer: see the act before.
    return Act("wechat closes an account", prepare, cancel, lambda world: what_is_left(world[0]), until=4)


@in_hood("event AuthorizationRevoked")
def being_revoked(hood: Hood) -> Act:
    def prepare() -> tuple[Neighbour, str]:
        neighbour = with_phone(hood)
        return neighbour, OpenidLink.key(neighbour.caller.openid).pk

    def revoke(world: tuple[Neighbour, str], key: str) -> None:
        hear(AuthorizationRevoked(**about(world[0]), revoke_info="8"), world[1])

    return Act("wechat takes back a phone", prepare, revoke, lambda world: what_is_kept_of_a_phone(world[0]))


ACTS: list[ActInHood] = [
    *(logging_in, consenting, withdrawing, registering_a_phone, moving, confirming, looking),
    *(inviting, taking_back, accepting),
    *(asking_for_a_copy, closing, granting, declining, revoking, resigning, forgetting_a_phone, logging_out),
    *(logging_out_everywhere, ending_a_duty, putting_areas, copying, erasing, being_cancelled, being_revoked),
]


@pytest.mark.parametrize("make", ACTS, ids=str)
def test_the_repeat_of_a_failed_act_ends_as_if_nothing_had_failed(make: ActInHood, hood: Hood) -> None:
    for code in (hood.community, hood.grid, hood.micro_grid):
        areas.get(code)  # read and kept for a while
    fail_every_call(make(hood))
