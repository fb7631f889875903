"""An organiser adds somebody who is there without a phone."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from chalicelib.kit import clock, vault
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.people.models import Resident
from chalicelib.shifts.models import Guests, SignUp
from chalicelib.shifts.presence import walk_ins
from tests.engine.budget import budget
from tests.help.street import at_once
from tests.neighbourhood import Hood
from tests.shifts import door, gate


def guests_of(shift: str) -> Guests | None:
    key = Guests.key(shift)
    return Guests.find(key.pk, key.sk)


class TestAVolunteer:
    def test_is_added_by_their_number_and_is_there(self, hood: Hood) -> None:
        shift, carer, chen = door.open_shift(hood), door.carer(hood), gate.volunteer(hood, "陈建君")
        number = door.number_of(chen)
        with budget() as spent:
            added = door.add(carer, shift, volunteer_number=f" {number[:4].lower()}-{number[4:]}")
        assert len(spent.calls) == 3
        assert (added.status, added.json["person"], added.json["presence"]) == (201, chen.id, "here")
        assert added.json["added"]
        stored = gate.place_of(chen, shift)
        assert stored is not None
        assert (stored.state, stored.added_by, stored.in_by) == ("checked_in", carer.id, carer.id)
        assert shift in gate.file_of(chen).taken
        assert chen.told[-1] == "shift_added"
        assert gate.adds_up(shift).taken == 1
        door.under_way(shift)
        assert door.check_out(chen, shift).status == 200

    def test_is_added_after_the_start_and_until_the_end(self, hood: Hood) -> None:
        shift, carer, chen = door.open_shift(hood), door.carer(hood), gate.volunteer(hood)
        door.under_way(shift, still=timedelta(seconds=-1))
        number = door.number_of(chen)
        assert door.add(carer, shift, volunteer_number=number).code == "shift_over"
        door.under_way(shift)
        assert door.add(carer, shift, volunteer_number=number).json["presence"] == "here"

    def test_is_only_signed_up_while_check_in_is_not_open(self, hood: Hood) -> None:
        shift, carer, chen = gate.shift(hood), door.carer(hood), gate.volunteer(hood)
        added = door.add(carer, shift, volunteer_number=door.number_of(chen))
        assert (added.json["presence"], added.json["checked_in"]) == ("coming", None)
        assert chen.post(f"/shifts/{shift}/withdraw").status == 200
        again = door.add(carer, shift, volunteer_number=door.number_of(chen))
        assert again.json["presence"] == "coming", "who had cancelled may be added"

    def test_is_added_once_however_often_it_is_sent(self, hood: Hood) -> None:
        shift, carer, chen = door.open_shift(hood), door.carer(hood), gate.volunteer(hood)
        number = door.number_of(chen)
        answers = at_once(*(lambda: door.add(carer, shift, volunteer_number=number, key="k") for _ in range(6)))
        assert {answer.status for answer in answers} == {201}
        assert gate.adds_up(shift).taken == 1
        assert chen.told.count("shift_added") == 1
        assert door.add(carer, shift, volunteer_number=number).code == "already_signed_up"

    def test_is_held_to_all_rules_which_the_organiser_reads_about_them(self, hood: Hood) -> None:
        shift, carer, busy = door.open_shift(hood), door.carer(hood), gate.volunteer(hood)
        gate.signed_up(busy, door.open_shift(hood))
        newcomer, elsewhere = hood.resident(), gate.volunteer(hood)
        Resident.key(elsewhere.id).update([Resident.home.set(f"{hood.street}002001001")])
        refusals = {
            "shifts_overlap": busy,
            "volunteer_approval_needed": newcomer,
            "not_of_the_audience": elsewhere,
        }
        for code, who in refusals.items():
            answer = door.add(carer, shift, volunteer_number=door.number_of(who))
            assert answer.code == code
            assert "您" not in answer.json["detail"]
            assert gate.state_of(who, shift) is None
        assert gate.adds_up(shift).taken == 0

    def test_a_child_needs_consent_here_too(self, hood: Hood) -> None:
        shift, carer, child = door.open_shift(hood), door.carer(hood), hood.resident()
        born = (clock.day(clock.now()) - timedelta(days=12 * 365)).isoformat()
        gate.approve(child, minor=True, birth_sealed=vault.seal(child.id, "birth", born))
        answer = door.add(carer, shift, volunteer_number=door.number_of(child))
        assert answer.code == "guardian_consent_needed"

    def test_who_has_withdrawn_their_consent_is_not_added(self, hood: Hood) -> None:
        shift, carer, chen = door.open_shift(hood), door.carer(hood), gate.volunteer(hood)
        number = door.number_of(chen)
        assert chen.delete("/me/consent").status < 300
        assert door.add(carer, shift, volunteer_number=number).code == "consent_withdrawn"
        assert gate.state_of(chen, shift) is None

    def test_never_past_the_capacity_nor_past_those_who_wait(self, hood: Hood) -> None:
        shift, _ = door.expected(hood, capacity=1)
        carer, number = door.carer(hood), door.number_of(gate.volunteer(hood))
        assert door.add(carer, shift, volunteer_number=number).code == "shift_full"
        gate.signed_up(gate.volunteer(hood), shift, wait=True)
        for body in ({"volunteer_number": number}, {"name": "王阿婆"}):
            assert door.add(carer, shift, **body).code == "people_wait"
        gate.adds_up(shift)

    def test_once_it_has_begun_a_free_place_is_for_who_is_there(self, hood: Hood) -> None:
        """The queue has ended then: nobody is promoted any more, so it must keep nobody out."""
        shift, _ = door.expected(hood, capacity=1)
        carer, number, waits = door.carer(hood), door.number_of(gate.volunteer(hood)), gate.volunteer(hood)
        gate.signed_up(waits, shift, wait=True)
        door.under_way(shift)
        assert door.add(carer, shift, volunteer_number=number).code == "shift_full"
        version = int(gate.stored(shift).version)
        assert carer.post(f"/shifts/{shift}/change", json={"version": version, "capacity": 3}).status == 200
        answers = at_once(
            lambda: door.add(carer, shift, volunteer_number=number),
            lambda: door.add(carer, shift, name="王阿婆"),
            lambda: door.add(carer, shift, name="李阿公"),
        )
        assert Counter(answer.code for answer in answers) == {None: 2, "shift_full": 1}
        assert gate.adds_up(shift).taken == 3
        assert gate.state_of(waits, shift) == "waiting"

    def test_of_many_at_once_as_many_as_there_are_places(self, hood: Hood) -> None:
        shift, carer = door.open_shift(hood, capacity=2), door.carer(hood)
        numbers = [door.number_of(gate.volunteer(hood)) for _ in range(4)]
        answers = at_once(
            *(lambda number=number: door.add(carer, shift, volunteer_number=number) for number in numbers),
            *(lambda name=name: door.add(carer, shift, name=name) for name in ("王阿婆", "李阿公")),
        )
        assert Counter(answer.code for answer in answers) == {None: 2, "shift_full": 4}
        assert gate.adds_up(shift).taken == 2

    def test_nobody_adds_themself(self, hood: Hood) -> None:
        shift, carer = door.open_shift(hood), door.carer(hood)
        gate.approve(carer)
        assert door.add(carer, shift, volunteer_number=door.number_of(carer)).code == "not_for_yourself"

    def test_who_is_unknown_or_gone_is_not_found(self, hood: Hood) -> None:
        shift, carer, gone = door.open_shift(hood), door.carer(hood), gate.volunteer(hood)
        number = door.number_of(gone)
        Resident.key(gone.id).update([Resident.state.set("closed")])
        for text in (number, "00000000", "-", "口令", "x" * 20):
            answer = door.add(carer, shift, volunteer_number=text)
            assert (answer.status, answer.code) == (404, "volunteer_number_unknown")


class TestAGuest:
    def test_has_a_place_and_a_name_that_only_the_organiser_reads(self, hood: Hood) -> None:
        shift, carer = door.open_shift(hood), door.carer(hood)
        added = door.add(carer, shift, name=" 王阿婆 ")
        assert (added.status, added.json["name"], added.json["guest"]) == (201, "王阿婆", True)
        assert added.json["presence"] == "here"
        stored = SignUp.fetch(gate.stored(shift).pk, f"SIGN_UP#{added.json['person']}")
        assert (stored.guest, stored.name, stored.person_key) == (True, walk_ins.GUEST, None)
        assert "王阿婆" not in str(stored.serialize())
        assert gate.adds_up(shift).taken == 1
        door.under_way(shift)
        assert door.tick(carer, shift, added.json["person"], "out").json["name"] == "王阿婆"

    def test_two_of_the_same_name_are_two_and_a_repeat_is_one(self, hood: Hood) -> None:
        shift, carer = door.open_shift(hood), door.carer(hood)
        first = door.add(carer, shift, name="王阿婆", key="a").json
        assert door.add(carer, shift, name="王阿婆", key="a").json == first
        assert door.add(carer, shift, name="李阿公", key="a").code == "idempotency_key_reused"
        assert door.add(carer, shift, name="王阿婆", key="b").json["person"] != first["person"]
        assert gate.adds_up(shift).taken == 2

    def test_the_name_is_destroyed_thirty_days_after_the_shift(self, hood: Hood) -> None:
        shift, carer = door.open_shift(hood), door.carer(hood)
        door.add(carer, shift, name="王阿婆")
        guests = guests_of(shift)
        assert guests is not None
        due = gate.stored(shift).end_at + timedelta(days=30)
        assert guests.due_at == due
        door.change(shift, end_at=due - timedelta(days=20))  # it was moved by ten days
        hood.pass_time(guests, due)
        guests = guests_of(shift)
        assert guests is not None
        assert guests.due_at == due + timedelta(days=10)
        (person,) = carer.get(f"/shifts/{shift}/people").json["people"]
        assert person["name"] == "王阿婆"
        hood.pass_time(guests, guests.due_at)
        assert guests_of(shift) is None
        (person,) = carer.get(f"/shifts/{shift}/people").json["people"]
        assert person["name"] == walk_ins.GUEST
        with pytest.raises(vault.KeyDestroyed):
            vault.seal(guests.vault_key, "name", "x")
        walk_ins.forget(guests, now=due + timedelta(days=40))  # a timer may run twice
        assert guests_of(shift) is None

    @pytest.mark.parametrize("name", [" ", "13812345678", "王阿婆138", "\u3000", "王٣"])
    def test_a_name_is_a_name_and_no_phone_number(self, hood: Hood, name: str) -> None:
        shift, carer = door.open_shift(hood), door.carer(hood)
        answer = door.add(carer, shift, name=name)
        assert (answer.status, list(answer.wrong)) == (422, ["name"])
        assert guests_of(shift) is None

    def test_a_guest_of_a_shift_that_is_off_is_nobody(self, hood: Hood) -> None:
        shift, carer = door.open_shift(hood), door.carer(hood)
        door.change(shift, state="cancelled")
        assert door.add(carer, shift, name="王阿婆").code == "shift_cancelled"
        assert Item.collection(gate.stored(shift).pk, SignUp.PREFIX) == []


def test_either_a_number_or_a_name(hood: Hood) -> None:
    shift, carer = door.open_shift(hood), door.carer(hood)
    for body in ({}, {"name": "王阿婆", "volunteer_number": "00000000"}, {"name": None}):
        answer = door.add(carer, shift, **body)
        assert (answer.status, sorted(answer.wrong)) == (422, ["name", "volunteer_number"])


def test_only_who_runs_the_shift_adds_people(hood: Hood) -> None:
    shift, chen = door.expected(hood)
    number = door.number_of(gate.volunteer(hood))
    for who in (chen, hood.staff("grid_worker", f"{hood.street}002"), hood.staff("moderator")):
        for body in ({"volunteer_number": number}, {"name": "王阿婆"}):
            assert door.add(who, shift, **body).code == "duty_needed"
    with transaction() as tx:
        tx.check(Guests.key(shift), when=Item.pk.does_not_exist(), or_raise=AssertionError())  # type: ignore[arg-type]
