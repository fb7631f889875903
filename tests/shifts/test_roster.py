"""Who is coming, who is here, who is missing; how to reach them; whom to call."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from chalicelib.kit import clock, vault
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.notices.models import Notice
from chalicelib.people.models import Resident
from chalicelib.shifts.models import SignUp
from chalicelib.shifts.presence import roster
from chalicelib.volunteers.models import Volunteer
from tests.engine.budget import budget
from tests.engine.http import Answer
from tests.neighbourhood import Hood, Neighbour
from tests.shifts import door, gate, organised
from tests.volunteers import crew

EMERGENCY = {"name": "陈太太", "phone": "13900001111", "relation": "妻子"}
REASON = {"reason": "身体不适，联系家人"}


def people(staff: Neighbour, shift: str) -> dict[str, Any]:
    answer = staff.get(f"/shifts/{shift}/people")
    assert answer.status == 200, answer
    document: dict[str, Any] = answer.json
    return document


def where(document: dict[str, Any]) -> dict[str, str]:
    return {person["person"]: person["presence"] for person in document["people"]}


def with_contact(who: Neighbour) -> None:
    kept = {**EMERGENCY, "phone": f"+86{EMERGENCY['phone']}"}
    sealed = vault.seal(who.id, "contact", msgspec.json.encode(kept).decode())
    Volunteer.key(who.id).update([Volunteer.contact_sealed.set(sealed)])
    assert who.post("/me/phone", json={"code": who.hood.wechat.phone_code(who.phone)}).status == 200


def contact(staff: Neighbour, shift: str, whom: str, *, key: str | None = None, **body: Any) -> Answer:
    return staff.post(f"/shifts/{shift}/people/{whom}/contact", json=body or REASON, key=key)


def set_state(who: Neighbour, shift: str, **values: Any) -> None:
    found = gate.place_of(who, shift)
    assert found is not None
    found.update([getattr(SignUp, name).set(value) for name, value in values.items()])


class TestTheList:
    def test_says_who_comes_who_is_here_and_who_is_missing(self, hood: Hood) -> None:
        shift = door.open_shift(hood, capacity=4, quorum={"volunteer": 3, "grid_worker": 1, "community_worker": 1})
        carer, here, late, gone, sick, waits = door.carer(hood), *(gate.volunteer(hood) for _ in range(5))
        for who in (here, late, gone, sick):
            gate.signed_up(who, shift)
        gate.signed_up(carer, shift, role="grid_worker")
        before = people(carer, shift)
        assert before["counts"]["coming"] == 5
        assert (before["still_missing"], before["counts"]["missing"]) == ("还缺：社区工作人员 1 名", 0)
        assert sick.post(f"/shifts/{shift}/withdraw").status == 200
        gate.signed_up(gate.volunteer(hood), shift)
        gate.signed_up(waits, shift, wait=True)
        for who in (here, gone, carer):
            assert door.check_in(who, shift).status == 200
        door.under_way(shift)
        assert door.check_out(gone, shift).status == 200
        with budget() as spent:
            now = people(carer, shift)
        assert spent.calls == ["dynamodb BatchGetItem", "dynamodb Query"]
        found = where(now)
        assert [found[who.id] for who in (here, late, gone, sick, waits, carer)] == [
            "here",
            "missing",
            "left",
            "cancelled",
            "waiting",
            "here",
        ]
        assert now["counts"] == {
            "missing": 2,
            "here": 2,
            "coming": 0,
            "left": 1,
            "no_show": 0,
            "waiting": 1,
            "cancelled": 1,
        }
        assert now["late_withdrawals"] == 1
        assert now["missing_here"] == "还缺：志愿者 2 名、社区工作人员 1 名"
        assert [person["presence"] for person in now["people"]][:4] == ["missing", "missing", "here", "here"]
        (worker,) = (person for person in now["people"] if person["person"] == carer.id)
        assert (worker["role"], worker["role_name"]) == ("grid_worker", "网格员")

    def test_those_who_wait_stand_in_their_order_and_a_hundred_are_enough(
        self, hood: Hood, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shift, carer = door.open_shift(hood, capacity=1), door.carer(hood)
        gate.signed_up(gate.volunteer(hood), shift)
        queue = [gate.volunteer(hood) for _ in range(3)]
        for who in queue:
            gate.signed_up(who, shift, wait=True)
        monkeypatch.setattr(roster, "LISTED_AT_MOST", 2)
        found = people(carer, shift)
        assert [person["person"] for person in found["people"]][1:] == [who.id for who in queue[:2]]
        assert found["counts"]["waiting"] == 3

    def test_shows_no_phone_and_nothing_of_the_file(self, hood: Hood) -> None:
        (shift, chen), carer = door.expected(hood), door.carer(hood)
        with_contact(chen)
        text = carer.get(f"/shifts/{shift}/people").text
        assert EMERGENCY["phone"] not in text
        assert EMERGENCY["name"] not in text
        assert str(hood.wechat.person(chen.phone)["phone"]) not in text
        assert chen.caller.openid not in text

    def test_is_for_who_runs_the_shift_alone(self, hood: Hood) -> None:
        shift, chen = door.expected(hood)
        for who in (chen, hood.staff("grid_worker", f"{hood.street}002"), hood.staff("reviewer")):
            for path in ("people", "not-reached"):
                assert who.get(f"/shifts/{shift}/{path}").code == "duty_needed"
            assert contact(who, shift, chen.id).code == "duty_needed"
        assert hood.staff("community_worker").get("/shifts/shift_x/people").code == "shift_not_found"


class TestShowingHowToReachSomebody:
    def test_is_written_down_and_the_person_sees_it(self, hood: Hood) -> None:
        (shift, chen), carer = door.expected(hood), door.carer(hood)
        with_contact(chen)
        shown = contact(carer, shift, chen.id).json
        number = hood.wechat.person(chen.phone)["phone"]
        nickname = Resident.fetch(f"RES#{chen.id}", "ME").nickname
        assert shown == {"name": nickname, "phone": number, "emergency": EMERGENCY}
        (look,) = chen.get("/me/lookups").json["items"]
        assert look["reason"] == REASON["reason"]
        assert chen.told[-1] == "looked_up"

    def test_who_left_nothing_has_nothing_to_show_and_is_told_all_the_same(self, hood: Hood) -> None:
        (shift, chen), carer = door.expected(hood), door.carer(hood)
        shown = contact(carer, shift, chen.id)
        assert (shown.status, shown.json["phone"], shown.json["emergency"]) == (200, None, None)
        assert "looked_up" in chen.told

    def test_a_repeat_is_one_look(self, hood: Hood) -> None:
        (shift, chen), carer = door.expected(hood), door.carer(hood)
        first = contact(carer, shift, chen.id, key="k")
        assert contact(carer, shift, chen.id, key="k").json == first.json
        assert contact(carer, shift, chen.id, key="k", reason="换一个理由").code == "idempotency_key_reused"
        assert len(chen.get("/me/lookups").json["items"]) == 1

    def test_is_for_people_on_the_shift_and_for_a_week_after_it(self, hood: Hood) -> None:
        (shift, chen), carer, stranger = door.expected(hood, capacity=1), door.carer(hood), gate.volunteer(hood)
        waits = gate.volunteer(hood)
        gate.signed_up(waits, shift, wait=True)
        assert contact(carer, shift, stranger.id).code == "not_on_the_list"
        assert contact(carer, shift, "x").code == "not_on_the_list"
        assert contact(carer, shift, waits.id).code == "contact_no_longer_shown"
        door.under_way(shift, since=timedelta(days=8), still=timedelta(days=-7, minutes=1))
        assert contact(carer, shift, chen.id).status == 200
        door.under_way(shift, since=timedelta(days=8), still=timedelta(days=-7, seconds=-1))
        assert contact(carer, shift, chen.id).code == "contact_no_longer_shown"
        assert chen.told.count("looked_up") == 1
        assert stranger.told == waits.told == []

    def test_of_who_cancelled_for_a_day_and_of_a_cancelled_shift_as_long_as_of_any(self, hood: Hood) -> None:
        (shift, chen), carer = door.expected(hood), door.carer(hood)
        assert chen.post(f"/shifts/{shift}/withdraw").status == 200
        assert contact(carer, shift, chen.id).status == 200
        set_state(chen, shift, cancelled_at=clock.now() - timedelta(days=1))
        assert contact(carer, shift, chen.id).code == "contact_no_longer_shown"
        set_state(chen, shift, cancelled_by="shift")
        assert contact(carer, shift, chen.id).status == 200

    def test_a_guest_has_left_nothing(self, hood: Hood) -> None:
        shift, carer = door.open_shift(hood), door.carer(hood)
        guest = door.add(carer, shift, name="王阿婆").json["person"]
        assert contact(carer, shift, guest).code == "no_contact"

    def test_a_closed_account_is_not_found(self, hood: Hood) -> None:
        (shift, chen), carer = door.expected(hood), door.carer(hood)
        Resident.key(chen.id).update([Resident.state.set("closed")])
        assert contact(carer, shift, chen.id).code == "not_on_the_list"

    @pytest.mark.parametrize("reason", ["", "  ", "    ", "看看", "x" * 101])
    def test_needs_a_reason(self, hood: Hood, reason: str) -> None:
        (shift, chen), carer = door.expected(hood), door.carer(hood)
        answer = carer.post(f"/shifts/{shift}/people/{chen.id}/contact", json={"reason": reason})
        assert (answer.status, list(answer.wrong)) == (422, ["reason"])
        assert "looked_up" not in chen.told


class TestTheCallSheet:
    def test_lists_whom_a_message_about_this_shift_did_not_reach(self, hood: Hood) -> None:
        (shift, chen), carer = door.expected(hood), door.carer(hood)
        other = door.open_shift(hood)
        for about in (shift, other):
            with transaction() as tx:
                facts = {"title": "守小门", "when": "今晚", "place": "东门"}
                args = {"about": about, "now": clock.now(), "area": hood.community}
                notices.tell(tx, chen.id, "shift_place_free", **args, **facts)  # type: ignore[arg-type]
        for notice in Notice.query(f"RES#{chen.id}", Notice.sk.startswith(Notice.PREFIX)):
            if notice.about in (shift, other):
                notice.update(notice.onto_call_sheet())
        with budget() as spent:
            found = carer.get(f"/shifts/{shift}/not-reached").json["items"]
        assert spent.calls == ["dynamodb BatchGetItem", "dynamodb Query", "dynamodb BatchGetItem"]
        (entry,) = found
        assert entry["person"] == chen.id
        assert "守小门" in entry["text"]
        assert carer.post(f"/call-sheet/{entry['id']}/done").status == 204
        assert carer.get(f"/shifts/{shift}/not-reached").json["items"] == []
        assert len(carer.get(f"/shifts/{other}/not-reached").json["items"]) == 1

    def test_lists_who_does_not_know_what_their_leader_did(self, hood: Hood) -> None:
        leader, wu, carer = gate.volunteer(hood), gate.volunteer(hood, "吴师傅"), door.carer(hood)
        team, shift = crew.written(leader.id, [wu.id]), gate.shift(hood)
        for act in ("team-sign-up", "team-withdraw"):
            assert leader.post(f"/shifts/{shift}/{act}", json={"team": team}).status < 300
            organised.walk(shift)
        for notice in Notice.query(f"RES#{wu.id}", Notice.sk.startswith(Notice.PREFIX)):
            notice.update(notice.onto_call_sheet())
        found = carer.get(f"/shifts/{shift}/not-reached").json["items"]
        assert [each["person"] for each in found] == [wu.id] * 2

    def test_is_empty_while_everybody_was_reached(self, hood: Hood) -> None:
        (shift, _), carer = door.expected(hood), door.carer(hood)
        assert carer.get(f"/shifts/{shift}/not-reached").json == {"items": []}
