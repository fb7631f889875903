"""Closing an account: the person is gone at once and everywhere, whoever asked for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib import wechat_events
from chalicelib.account import closing
from chalicelib.content.models import Photo
from chalicelib.kit import clock, timers, vault
from chalicelib.kit.errors import Conflict
from chalicelib.kit.transaction import transaction
from chalicelib.notices import events
from chalicelib.people import personal_data
from chalicelib.people import service as people
from chalicelib.people.models import Duty, OpenidLink, Resident, partition
from chalicelib.wechat.callback import AuthorizationCancelled, AuthorizationRevoked
from tests.engine.http import Answer
from tests.engine.meanwhile import meanwhile
from tests.neighbourhood import Hood, Neighbour
from tests.people.looking import everything, items


def close(neighbour: Neighbour, word: str = "注销") -> Answer:
    return neighbour.post("/me/close", json={"word": word})


def settle(neighbour: Neighbour) -> Hood:
    """A resident with something everywhere: phone, name, delegates on both sides, a duty, requests, a copy."""
    hood = neighbour.hood
    neighbour.post("/me/phone", json={"code": hood.wechat.phone_code(neighbour.phone)})
    assert neighbour.put("/me/nickname", json={"nickname": f"菊花{hood.district}"}).status == 200
    other = hood.resident()
    other.post("/delegations", json={"code": neighbour.post("/me/delegates").json["code"]})
    neighbour.post("/delegations", json={"code": other.post("/me/delegates").json["code"]})
    neighbour.post("/me/delegates")
    neighbour.post("/help-requests", json={"what": "errand", "title": "取一次药", "text": "请帮忙到药店取药"})
    neighbour.post("/me/copy")
    return hood


def secrets_of(neighbour: Neighbour) -> dict[str, str]:
    return {
        "openid": neighbour.caller.openid,
        "phone": str(neighbour.hood.wechat.person(neighbour.phone)["phone"]),
        "nickname": neighbour.get("/me").json["nickname"],
    }


def told_to_others(item: dict[str, Any]) -> bool:
    """Messages in other people's inboxes say who did what; they are theirs, and end by themselves."""
    return bool(item["SK"]["S"].startswith("NOTICE#"))


class TestWhatIsLeft:
    @pytest.mark.usefixtures("empty_table")
    def test_nothing_says_who_it_was(self, hood: Hood) -> None:
        neighbour = hood.resident()
        settle(neighbour)
        known = secrets_of(neighbour)
        assert known["nickname"] in everything()
        assert close(neighbour).status == 204
        left = everything(but=told_to_others)
        assert {name for name, text in known.items() if text in left} == set()
        everywhere = everything()
        assert {name for name in ("openid", "phone") if known[name] in everywhere} == set()

    def test_the_sealed_data_cannot_be_opened_again(self, hood: Hood) -> None:
        neighbour = hood.resident()
        settle(neighbour)
        before = people.find(neighbour.id)
        close(neighbour)
        for read in (lambda: people.phone_of(before), lambda: people.openid_of(before)):
            with pytest.raises(vault.KeyDestroyed):
                read()

    def test_the_resident_stays_as_a_name_without_a_person(self, hood: Hood) -> None:
        neighbour = hood.resident()
        settle(neighbour)
        close(neighbour)
        left = people.find(neighbour.id)
        assert left.nickname == "已注销用户"
        for again in personal_data.AGAIN:
            hood.pass_time(left, clock.now() + again)
        kept = {name for name, value in people.find(neighbour.id).attribute_values.items() if value is not None}
        assert kept == {
            *("pk", "sk", "kind", "state", "nickname", "session_version", "consent_version", "consent_at"),
            *("home_state", "created_at", "closed_at", "marks"),
        } - ({"marks"} if left.marks is None else set())

    @pytest.mark.usefixtures("empty_table")
    def test_the_partition_holds_the_bare_resident_and_what_ends_by_itself(self, hood: Hood) -> None:
        neighbour = hood.resident()
        settle(neighbour)
        close(neighbour)
        assert [item["SK"]["S"] for item in items() if item["PK"]["S"] == partition(neighbour.id)] == ["ME"]


class TestAtOnce:
    def test_all_sessions_end(self, hood: Hood) -> None:
        neighbour = hood.resident()
        here = neighbour.token
        neighbour.log_in()
        close(neighbour)
        for token in (here, neighbour.token):
            answer = hood.http.get("/me", token=token)
            assert (answer.status, answer.code) == (401, "session_ended")

    def test_logging_in_again_makes_a_new_resident(self, hood: Hood) -> None:
        neighbour = hood.resident()
        before = neighbour.id
        close(neighbour)
        assert neighbour.log_in().json["consent_needed"] is True
        assert neighbour.id != before
        assert neighbour.get("/me").json["home"]["area"] is None

    def test_the_duties_end(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker", hood.grid)
        close(worker)
        assert Duty.find(partition(worker.id), f"ME#DUTY#grid_worker#{hood.grid}").until_at <= clock.now()
        assert people.holders("grid_worker", hood.grid, now=clock.now()) == []

    def test_the_delegates_are_told_and_act_no_more(self, hood: Hood) -> None:
        father, daughter = hood.resident(), hood.resident()
        daughter.post("/delegations", json={"code": father.post("/me/delegates").json["code"]})
        close(father)
        assert daughter.told == ["account_closed"]
        assert daughter.get("/delegations").json["items"] == []
        assert daughter.get("/help-requests/mine", acting_for=father.id).code == "not_a_delegate"

    def test_those_acted_for_are_told_and_have_the_delegate_no_more(self, hood: Hood) -> None:
        father, daughter = hood.resident(), hood.resident()
        daughter.post("/delegations", json={"code": father.post("/me/delegates").json["code"]})
        close(daughter)
        assert father.get("/me/delegates").json["items"] == []
        assert father.told == ["delegate_accepted", "delegate_resigned"]

    def test_a_home_that_waited_leaves_the_list(self, hood: Hood) -> None:
        neighbour, worker = hood.resident(), hood.staff("grid_worker")
        close(neighbour)
        waiting = worker.get(f"/residences?area={hood.community}").json["items"]
        assert neighbour.id not in [line["resident_id"] for line in waiting]

    def test_a_helpers_side_is_told_that_the_request_is_withdrawn(self, hood: Hood) -> None:
        neighbour, helper = hood.resident(), hood.resident()
        asked = neighbour.post("/help-requests", json={"what": "errand", "title": "取药", "text": "请帮忙取药"}).json
        assert helper.post(f"/help-requests/{asked['id']}/offers", json={}).status == 201
        close(neighbour)
        assert helper.told == ["help_request_withdrawn"]
        (line,) = helper.get("/help-requests/helping").json["items"]
        assert line["requester_name"] == "已注销用户"


class TestOnlyOnPurpose:
    @pytest.mark.parametrize("word", ["", "确定", "注 销", "注销 ", "zhuxiao"])
    def test_another_word_closes_nothing(self, hood: Hood, word: str) -> None:
        neighbour = hood.resident()
        answer = close(neighbour, word)
        assert (answer.status, answer.code, list(answer.wrong)) == (422, "closing_not_confirmed", ["word"])
        assert neighbour.get("/me").status == 200

    def test_a_delegate_cannot(self, hood: Hood) -> None:
        father, daughter = hood.resident(), hood.resident()
        daughter.post("/delegations", json={"code": father.post("/me/delegates").json["code"]})
        answer = daughter.post("/me/close", json={"word": "注销"}, acting_for=father.id)
        assert answer.code == "own_affair_only"

    def test_it_needs_no_consent(self, hood: Hood) -> None:
        assert close(hood.somebody()).status == 204

    def test_two_at_once_close_it_once(self, hood: Hood) -> None:
        neighbour = hood.resident()
        resident = people.find(neighbour.id)
        openid = people.openid_of(resident)
        closing.close(resident, now=clock.now())
        with pytest.raises((Conflict, vault.KeyDestroyed)):
            closing.close(resident, now=clock.now())
        assert OpenidLink.find(OpenidLink.key(openid).pk, "LINK") is None


class TestACrash:
    @pytest.mark.usefixtures("empty_table")
    @pytest.mark.parametrize("at", ["vault", "first eraser", "last eraser"])
    def test_what_is_left_undone_the_timer_finishes(self, hood: Hood, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
        neighbour = hood.resident()
        settle(neighbour)
        known = secrets_of(neighbour)
        before = people.find(neighbour.id)

        def crash(*_: Any, **__: Any) -> None:
            raise RuntimeError("the container dies")

        with monkeypatch.context() as patch:
            if at == "vault":
                patch.setattr(vault, "destroy", crash)
            else:
                position = 0 if at == "first eraser" else len(personal_data.erasers)
                patch.setattr(
                    personal_data,
                    "erasers",
                    [*personal_data.erasers[:position], crash, *personal_data.erasers[position:]],
                )
            assert close(neighbour).status == 204
        assert hood.http.get("/me", token=neighbour.token).status == 401
        assert people.find(neighbour.id).timer == "account.erase"
        hood.pass_time(before, clock.now() + timedelta(minutes=3))
        left = everything(but=told_to_others)
        assert {name for name, text in known.items() if text in left} == set()
        with pytest.raises(vault.KeyDestroyed):
            people.openid_of(before)
        for again in personal_data.AGAIN:
            assert people.find(neighbour.id).timer == "account.erase"
            hood.pass_time(before, clock.now() + again)
        assert people.find(neighbour.id).timer is None

    def test_erasing_twice_tells_the_delegates_once(self, hood: Hood) -> None:
        father, daughter = hood.resident(), hood.resident()
        daughter.post("/delegations", json={"code": father.post("/me/delegates").json["code"]})
        close(father)
        for _ in range(2):
            closing.erase(people.find(father.id), now=clock.now())
        assert daughter.told == ["account_closed"]

    def test_the_timer_leaves_an_account_alone_that_is_not_closed(self, hood: Hood) -> None:
        neighbour = hood.resident()
        with pytest.raises(closing.NotClosed):
            closing.erase(people.find(neighbour.id), now=clock.now())
        assert neighbour.get("/me").status == 200
        assert people.openid_of(people.find(neighbour.id)) == neighbour.caller.openid


def deliver(*happened: events.Event) -> dict[str, Any]:
    """As SQS hands the callback's messages to the worker."""
    entries = [events._entry(str(position), event) for position, event in enumerate(happened)]
    records = [
        {
            "messageId": entry["Id"],
            "body": entry["MessageBody"],
            "attributes": {"MessageGroupId": entry["MessageGroupId"]},
            "eventSource": "aws:sqs",
        }
        for entry in entries
    ]

    class Context:
        aws_request_id = "request"

    answer: dict[str, Any] = wechat_events.wechat_events({"Records": records}, Context())
    return answer


class TestWeChatTellsUs:
    def cancelled(self, openid: str, at: datetime | None = None) -> AuthorizationCancelled:
        return AuthorizationCancelled(at=at or clock.now(), fingerprint="f1", openid=openid)

    def revoked(self, openid: str, info: str, at: datetime | None = None) -> AuthorizationRevoked:
        return AuthorizationRevoked(at=at or clock.now(), fingerprint="f2", openid=openid, revoke_info=info)

    @pytest.mark.usefixtures("empty_table")
    def test_a_cancelled_authorization_closes_the_account(self, hood: Hood) -> None:
        neighbour = hood.resident()
        settle(neighbour)
        known = secrets_of(neighbour)
        assert deliver(self.cancelled(known["openid"])) == {"batchItemFailures": []}
        assert people.find(neighbour.id).state == "closed"
        left = everything(but=told_to_others)
        assert {name for name, text in known.items() if text in left} == set()
        assert hood.http.get("/me", token=neighbour.token).status == 401

    def test_told_again_nothing_more_happens(self, hood: Hood) -> None:
        neighbour = hood.resident()
        openid = neighbour.caller.openid
        for _ in range(3):
            assert deliver(self.cancelled(openid)) == {"batchItemFailures": []}
        neighbour.log_in()
        assert people.find(neighbour.id).state == "active"

    def test_told_again_it_leaves_the_account_alone_that_was_made_since(self, hood: Hood) -> None:
        neighbour = hood.resident()
        told = self.cancelled(neighbour.caller.openid)
        deliver(told)
        neighbour.log_in()
        assert deliver(told) == {"batchItemFailures": []}
        assert people.find(neighbour.id).state == "active"
        assert neighbour.get("/me").status == 200

    def test_however_long_it_has_waited_in_our_queue_it_closes_the_account_that_was_there(self, hood: Hood) -> None:
        neighbour = hood.resident()
        told = self.cancelled(neighbour.caller.openid)
        events.handle(events._entry("0", told)["MessageBody"], now=clock.now() + timedelta(days=10))
        assert people.find(neighbour.id).state == "closed"

    def test_a_phone_given_since_is_kept(self, hood: Hood) -> None:
        neighbour = hood.resident()
        told = self.revoked(neighbour.caller.openid, "8,14")
        neighbour.post("/me/phone", json={"code": hood.wechat.phone_code(neighbour.phone)})
        assert deliver(told) == {"batchItemFailures": []}
        assert neighbour.get("/me/phone").status == 200

    def test_a_phone_given_in_the_very_moment_is_kept(self, hood: Hood) -> None:
        neighbour = hood.resident()
        neighbour.post("/me/phone", json={"code": hood.wechat.phone_code(neighbour.phone)})
        code = hood.wechat.phone_code(neighbour.phone)
        told = self.revoked(neighbour.caller.openid, "8")
        with meanwhile(partition(neighbour.id), lambda: neighbour.post("/me/phone", json={"code": code})):
            assert deliver(told) == {"batchItemFailures": []}
        assert neighbour.get("/me/phone").status == 200

    def test_a_phone_from_before_its_time_was_noted_is_forgotten(self, hood: Hood) -> None:
        neighbour = hood.resident()
        neighbour.post("/me/phone", json={"code": hood.wechat.phone_code(neighbour.phone)})
        people.find(neighbour.id).update([Resident.phone_given_at.remove()])
        deliver(self.revoked(neighbour.caller.openid, "8"))
        assert neighbour.get("/me/phone").code == "no_phone"

    @pytest.mark.parametrize(("hours", "kept"), [(-1, True), (1, False)])
    def test_a_picture_is_forgotten_that_was_given_before(self, hood: Hood, hours: int, kept: bool) -> None:
        neighbour, now = hood.resident(), clock.now()
        photo = Photo.key(partition(neighbour.id), "photo_1")
        photo.author_id = photo.writer_id = neighbour.id
        photo.area, photo.invited_at, photo.uploaded_at, photo.state = hood.community, now, now, "shown"
        with transaction() as tx:
            tx.put(photo)
            tx.update(Resident.key(neighbour.id), [Resident.avatar.set("photo_1")])
        deliver(self.revoked(neighbour.caller.openid, "14", at=now + timedelta(hours=hours)))
        assert (people.find(neighbour.id).avatar == "photo_1") is kept
        assert (Photo.fetch(photo.pk, photo.sk).state == "shown") is kept

    def test_about_somebody_we_do_not_know_nothing_happens(self) -> None:
        assert deliver(self.cancelled("oNobody"), self.revoked("oNobody", "8")) == {"batchItemFailures": []}

    @pytest.mark.parametrize("info", ["8", "8,14", "13,8"])
    def test_a_phone_taken_back_is_forgotten_and_the_account_stays(self, hood: Hood, info: str) -> None:
        neighbour = hood.resident()
        neighbour.post("/me/phone", json={"code": hood.wechat.phone_code(neighbour.phone)})
        for _ in range(2):
            assert deliver(self.revoked(neighbour.caller.openid, info)) == {"batchItemFailures": []}
        assert neighbour.get("/me/phone").code == "no_phone"
        assert people.find(neighbour.id).state == "active"

    @pytest.mark.parametrize("info", ["", "1", "13", "18", "8x", "88"])
    def test_what_we_do_not_keep_cannot_be_taken_back(self, hood: Hood, info: str) -> None:
        neighbour = hood.resident()
        neighbour.post("/me/phone", json={"code": hood.wechat.phone_code(neighbour.phone)})
        deliver(self.revoked(neighbour.caller.openid, info))
        assert neighbour.get("/me").json["phone"] is not None

    def test_when_it_fails_it_comes_again_and_one_failure_does_not_hold_up_others(
        self, hood: Hood, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one, other = hood.resident(), hood.resident()
        unlucky = one.caller.openid

        def close(resident: Resident, *, now: object, real: Callable[..., None] = closing.close) -> None:
            if resident.id == one.id:
                raise RuntimeError
            real(resident, now=now)

        with monkeypatch.context() as patch:
            patch.setattr(closing, "close", close)
            answer = deliver(self.cancelled(unlucky), self.cancelled(other.caller.openid))
        assert answer == {"batchItemFailures": [{"itemIdentifier": "0"}]}
        assert people.find(other.id).state == "closed"
        deliver(self.cancelled(unlucky))
        assert people.find(one.id).state == "closed"

    def test_the_queue_does_not_hold_the_openid(self, hood: Hood) -> None:
        entry = events._entry("0", self.cancelled("oSomebody"))
        assert "oSomebody" not in json.dumps(entry)


def test_the_timer_is_one_the_sweeper_knows() -> None:
    assert "account.erase" in timers._handlers
