"""What it costs to sign up for a shift, to wait for a place, and to give it back."""

from __future__ import annotations

from tests.budget.acts import Act, Town, act
from tests.neighbourhood import Neighbour
from tests.shifts import gate


def volunteer(town: Town) -> Neighbour:
    chen = town.resident()
    gate.approve(chen)
    return chen


@act("POST /shifts/{shift_id}/sign-up")
def sign_up(town: Town) -> Act:
    chen, shift = volunteer(town), gate.shift(town)
    return lambda: gate.sign_up(chen, shift)


@act("POST /shifts/{shift_id}/sign-up (in a role)")
def sign_up_in_a_role(town: Town) -> Act:
    worker, shift = town.carer(), gate.shift_in(town.grid, quorum={"grid_worker": 1})
    return lambda: gate.sign_up(worker, shift, role="grid_worker")


@act("POST /shifts/{shift_id}/sign-up (to wait)")
def wait(town: Town) -> Act:
    shift = gate.shift(town, capacity=1)
    gate.signed_up(volunteer(town), shift)
    chen = volunteer(town)
    return lambda: gate.sign_up(chen, shift, wait=True)


@act("POST /shifts/{shift_id}/withdraw")
def withdraw(town: Town) -> Act:
    chen, shift = volunteer(town), gate.shift(town)
    gate.signed_up(chen, shift)
    return lambda: chen.post(f"/shifts/{shift}/withdraw")


@act("POST /shifts/{shift_id}/withdraw (and the next is let in)")
def withdraw_for_another(town: Town) -> Act:
    shift = gate.shift(town, capacity=1)
    chen, waiting = volunteer(town), volunteer(town)
    gate.signed_up(chen, shift)
    gate.signed_up(waiting, shift, wait=True)
    return lambda: chen.post(f"/shifts/{shift}/withdraw")
