"""Many at the same moment, with real threads against the engine: as many as there are places, and never one more."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.shifts.models import SignUp
from tests.help.street import at_once
from tests.neighbourhood import Hood
from tests.shifts import gate


def test_sixty_people_on_twenty_places_are_twenty_and_a_queue_in_the_order_they_came(hood: Hood) -> None:
    shift = gate.shift(hood, capacity=20)
    people = [gate.volunteer(hood) for _ in range(60)]
    answers = at_once(*((lambda who=who: gate.sign_up(who, shift, wait=True)) for who in people))
    assert {answer.status for answer in answers} == {201}
    assert [answer.json["state"] for answer in answers].count("signed_up") == 20
    assert gate.adds_up(shift).waiting == 40
    arrived = {who.id: SignUp.fetch(f"SHIFT#{shift.partition('.')[0]}", f"SIGN_UP#{who.id}").at for who in people}
    order = [arrived[person] for person in gate.queue(shift)]
    assert order == sorted(order)


def test_two_who_leave_at_once_let_in_two_who_wait(hood: Hood) -> None:
    shift = gate.shift(hood, capacity=4)
    inside, waiting = [gate.volunteer(hood) for _ in range(4)], [gate.volunteer(hood) for _ in range(6)]
    for who in (*inside, *waiting):
        gate.signed_up(who, shift, wait=True)
    answers = at_once(*((lambda who=who: who.post(f"/shifts/{shift}/withdraw")) for who in inside))
    assert [answer.status for answer in answers] == [200] * 4
    assert [gate.state_of(who, shift) for who in waiting] == ["signed_up"] * 4 + ["waiting"] * 2
    assert [who.told for who in waiting] == [["shift_place_free"]] * 4 + [[]] * 2
    gate.adds_up(shift)


def test_leaving_and_queueing_at_once_leaves_no_place_empty_while_somebody_waits(hood: Hood) -> None:
    shift = gate.shift(hood, capacity=6)
    inside, coming = [gate.volunteer(hood) for _ in range(6)], [gate.volunteer(hood) for _ in range(10)]
    for who in inside:
        gate.signed_up(who, shift)
    leave = [(lambda who=who: who.post(f"/shifts/{shift}/withdraw")) for who in inside]
    come = [(lambda who=who: gate.sign_up(who, shift, wait=True)) for who in coming]
    answers = at_once(*leave, *come)
    assert {answer.status for answer in answers} == {200, 201}
    whole = gate.adds_up(shift)
    assert (int(whole.taken), int(whole.waiting)) == (6, 4)


def test_one_person_on_two_phones_is_on_one_of_two_overlapping_shifts(hood: Hood) -> None:
    chen = gate.volunteer(hood)
    shifts = [gate.shift(hood, starts=timedelta(days=2, hours=number)) for number in range(4)]
    answers = at_once(*((lambda shift=shift: gate.sign_up(chen, shift)) for shift in shifts for _ in range(2)))
    assert [answer.status for answer in answers].count(201) == 1
    assert {answer.code for answer in answers if answer.status != 201} <= {"shifts_overlap", "already_signed_up"}
    assert len(gate.file_of(chen).taken) == 1
    assert sum(int(gate.adds_up(shift).taken) for shift in shifts) == 1


def test_one_request_sent_sixteen_times_at_once_takes_one_place(hood: Hood) -> None:
    shift, chen = gate.shift(hood), gate.volunteer(hood)
    answers = at_once(*(lambda: gate.sign_up(chen, shift, key="k1") for _ in range(16)))
    assert {answer.text for answer in answers if answer.status == 201} == {gate.sign_up(chen, shift, key="k1").text}
    assert {answer.status for answer in answers} == {201}
    assert gate.adds_up(shift).taken == 1
