"""Signing up for a shift, waiting, and withdrawing."""

from __future__ import annotations

from tests.neighbourhood import Hood
from tests.shifts import gate


def test_a_volunteer_takes_a_place(hood: Hood) -> None:
    shift, chen = gate.shift(hood), gate.volunteer(hood, "陈建君")
    mine = gate.signed_up(chen, shift)
    assert (mine["state"], mine["title"]) == ("signed_up", "守小门")
    assert gate.adds_up(shift).taken == 1
    assert shift in gate.file_of(chen).taken


def test_a_freed_place_goes_to_the_first_who_waits(hood: Hood) -> None:
    shift = gate.shift(hood, capacity=1)
    first, second, third = (gate.volunteer(hood) for _ in range(3))
    gate.signed_up(first, shift)
    assert gate.sign_up(second, shift).code == "shift_full"
    assert gate.signed_up(second, shift, wait=True)["state"] == "waiting"
    assert gate.signed_up(third, shift, wait=True)["state"] == "waiting"
    assert first.post(f"/shifts/{shift}/withdraw").json["state"] == "cancelled"
    assert gate.state_of(second, shift) == "signed_up"
    assert gate.queue(shift) == [third.id]
    assert second.told[-1] == "shift_place_free"
    gate.adds_up(shift)
