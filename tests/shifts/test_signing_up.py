"""Signing up for a shift, waiting for a place, and withdrawing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kit import clock
from chalicelib.kit.transaction import transaction
from chalicelib.people.models import Duty, Resident
from chalicelib.shifts import rules
from chalicelib.shifts.models import Shift
from chalicelib.volunteers.models import Volunteer
from chalicelib.volunteers.rules import SHIFTS_AHEAD_AT_MOST
from tests.neighbourhood import Hood, Neighbour
from tests.shifts import gate


def withdraw(who: Neighbour, shift: str, key: str | None = None) -> Any:
    return who.post(f"/shifts/{shift}/withdraw", key=key)


def set_shift(shift: str, **values: Any) -> None:
    with transaction() as tx:
        tx.update(Shift.key(shift), [getattr(Shift, name).set(value) for name, value in values.items()])


def test_a_volunteer_takes_a_place(hood: Hood) -> None:
    shift, chen = gate.shift(hood), gate.volunteer(hood, "陈建君")
    mine = gate.signed_up(chen, shift)
    assert (mine["state"], mine["title"], mine["place"]) == ("signed_up", "守小门", "桂苑社区东门")
    assert gate.adds_up(shift).taken == 1
    assert list(gate.file_of(chen).taken) == [shift]


def test_a_repeated_tap_is_one_sign_up_and_a_second_one_is_refused(hood: Hood) -> None:
    shift, chen = gate.shift(hood), gate.volunteer(hood)
    first, again = (gate.signed_up(chen, shift, key="k1") for _ in range(2))
    assert first == again
    assert gate.sign_up(chen, shift, key="k2").code == "already_signed_up"
    assert gate.sign_up(chen, shift, key="k1", wait=True).code == "idempotency_key_reused"
    assert gate.adds_up(shift).taken == 1


def test_a_freed_place_goes_to_the_first_who_waits_and_they_are_told(hood: Hood) -> None:
    shift = gate.shift(hood, capacity=1)
    first, second, third = (gate.volunteer(hood) for _ in range(3))
    gate.signed_up(first, shift)
    assert gate.sign_up(second, shift).code == "shift_full"
    assert gate.signed_up(second, shift, wait=True)["state"] == "waiting"
    assert gate.signed_up(third, shift, wait=True)["state"] == "waiting"
    assert withdraw(first, shift).json["state"] == "cancelled"
    assert gate.state_of(second, shift) == "signed_up"
    assert gate.queue(shift) == [third.id]
    assert (first.told, second.told, third.told) == ([], ["shift_place_free"], [])
    gate.adds_up(shift)


def test_who_asks_to_wait_gets_a_place_while_there_is_one(hood: Hood) -> None:
    shift = gate.shift(hood)
    assert gate.signed_up(gate.volunteer(hood), shift, wait=True)["state"] == "signed_up"


def test_nobody_signs_up_past_those_who_wait(hood: Hood) -> None:
    shift = gate.shift(hood, capacity=1)
    first, waiting, late = (gate.volunteer(hood) for _ in range(3))
    gate.signed_up(first, shift)
    gate.signed_up(waiting, shift, wait=True)
    set_shift(shift, capacity=3)  # a place is free, and nobody has been let in yet
    assert gate.sign_up(late, shift).code == "shift_full"
    assert gate.signed_up(late, shift, wait=True)["state"] == "waiting"


def test_who_waits_may_leave_the_queue(hood: Hood) -> None:
    shift = gate.shift(hood, capacity=1)
    first, second, third = (gate.volunteer(hood) for _ in range(3))
    gate.signed_up(first, shift)
    for who in (second, third):
        gate.signed_up(who, shift, wait=True)
    assert withdraw(second, shift).json["state"] == "cancelled"
    assert gate.queue(shift) == [third.id]
    assert gate.file_of(second).taken == {}
    withdraw(first, shift)
    assert gate.state_of(third, shift) == "signed_up"
    gate.adds_up(shift)


def test_who_has_withdrawn_may_sign_up_again_and_stands_at_the_end(hood: Hood) -> None:
    shift = gate.shift(hood, capacity=1)
    first, second = (gate.volunteer(hood) for _ in range(2))
    gate.signed_up(first, shift)
    gate.signed_up(second, shift, wait=True)
    assert withdraw(first, shift, key="w1").status == 200
    assert gate.signed_up(first, shift, wait=True, key="s2")["state"] == "waiting"
    assert withdraw(first, shift, key="w1").json["state"] == "waiting"  # the answer to a repeat, and nothing more
    gate.adds_up(shift)


def test_overlapping_shifts_are_refused_and_touching_ones_are_not(hood: Hood, tireless: None) -> None:
    chen = gate.volunteer(hood)
    four_hours = timedelta(hours=4)
    morning = gate.shift(hood, starts=timedelta(days=2), lasts=four_hours)
    noon = gate.shift(hood, starts=timedelta(days=2, hours=3), lasts=four_hours)
    after = gate.shift(hood, starts=timedelta(days=2, hours=5), lasts=four_hours)
    set_shift(after, start_at=gate.stored(morning).end_at)
    gate.signed_up(chen, morning)
    refused = gate.sign_up(chen, noon)
    assert (refused.status, refused.code) == (409, "shifts_overlap")
    assert f"{clock.local(gate.stored(morning).start_at):%H:%M}" in refused.json["detail"]
    gate.signed_up(chen, after)
    withdraw(chen, morning)
    assert gate.sign_up(chen, noon).code == "shifts_overlap"  # with the third one
    withdraw(chen, after)
    gate.signed_up(chen, noon)


def test_waiting_for_a_shift_takes_its_time_too(hood: Hood) -> None:
    full, other = gate.shift(hood, capacity=1), gate.shift(hood)
    gate.signed_up(gate.volunteer(hood), full)
    chen = gate.volunteer(hood)
    gate.signed_up(chen, full, wait=True)
    assert gate.sign_up(chen, other).code == "shifts_overlap"


def test_nobody_holds_more_than_sixty_shifts_ahead(hood: Hood) -> None:
    ahead = int(clock.now().timestamp()) + 30 * 86400
    taken = {f"shift_{number}": [ahead + number * 3600, ahead + number * 3600 + 60] for number in range(60)}
    assert len(taken) == SHIFTS_AHEAD_AT_MOST
    chen = gate.volunteer(hood, taken=taken)
    assert gate.sign_up(chen, gate.shift(hood)).code == "too_many_shifts"
    over = {name: [start - 60 * 86400, end - 60 * 86400] for name, (start, end) in taken.items()}
    other = gate.volunteer(hood, taken=over)
    gate.signed_up(other, gate.shift(hood))
    assert len(gate.file_of(other).taken) == 1  # what is over is forgotten


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"state": "cancelled"}, "shift_cancelled"),
        ({"state": "ended"}, "sign_up_closed"),
        ({"start_at": clock.now() - timedelta(seconds=1)}, "sign_up_closed"),
    ],
)
def test_what_is_over_or_cancelled_takes_nobody(hood: Hood, values: dict[str, Any], code: str) -> None:
    shift, chen = gate.shift(hood), gate.volunteer(hood)
    set_shift(shift, **values)
    assert gate.sign_up(chen, shift, wait=True).code == code
    assert gate.place_of(chen, shift) is None


def test_an_approved_application_is_asked_for_only_where_the_activity_wants_it(hood: Hood) -> None:
    wants, open_to_all = gate.shift(hood), gate.shift(hood, needs_approval=False)
    somebody, waits = hood.resident(), hood.resident()
    gate.approve(waits, state="applied")
    for who in (somebody, waits):
        assert gate.sign_up(who, wants).code == "volunteer_approval_needed"
        gate.signed_up(who, open_to_all)
    assert gate.file_of(somebody).state == "none"
    assert gate.file_of(waits).state == "applied"


def test_only_who_lives_in_the_audience_may_sign_up(hood: Hood) -> None:
    shift, elsewhere = gate.shift(hood), gate.volunteer(Hood(hood.http, hood.wechat))
    assert gate.sign_up(elsewhere, shift).code == "not_of_the_audience"
    chen = gate.volunteer(hood)
    with transaction() as tx:
        tx.update(Resident.key(chen.id), [Resident.home_state.set("declined")])
    assert gate.sign_up(chen, shift).code == "home_needed"


def test_an_unknown_shift_is_not_found_nor_one_under_another_area(hood: Hood) -> None:
    chen, shift = gate.volunteer(hood), gate.shift(hood)
    for unknown in ("shift_nowhere", shift.partition(".")[0], f"{shift[:-3]}002", f"{shift}001"):
        assert gate.sign_up(chen, unknown).code == "shift_not_found"
        assert withdraw(chen, unknown).code == "shift_not_found"


def test_a_staff_member_takes_the_place_of_their_role_beside_the_volunteers(hood: Hood) -> None:
    shift = gate.shift(hood, capacity=1, quorum={"volunteer": 1, "community_worker": 1})
    assert rules.still_missing(gate.stored(shift).missing) == "还缺：志愿者 1 名、社区工作人员 1 名"
    gate.signed_up(gate.volunteer(hood), shift)
    assert rules.still_missing(gate.stored(shift).missing) == "还缺：社区工作人员 1 名"
    worker, second = hood.staff("community_worker"), hood.staff("community_worker", hood.street)
    assert gate.signed_up(worker, shift, role="community_worker")["role"] == "community_worker"
    assert gate.stored(shift).missing == {}
    assert gate.sign_up(second, shift, role="community_worker").code == "role_filled"
    withdraw(worker, shift)
    gate.signed_up(second, shift, role="community_worker")
    gate.adds_up(shift)


def test_a_role_needs_the_duty_and_a_place_of_its_own(hood: Hood) -> None:
    shift = gate.shift(hood, quorum={"grid_worker": 1})
    chen, elsewhere = gate.volunteer(hood), Hood(hood.http, hood.wechat).staff("grid_worker")
    assert gate.sign_up(chen, shift, role="grid_worker").code == "duty_needed"
    assert gate.sign_up(elsewhere, shift, role="grid_worker").code == "duty_needed"
    assert gate.sign_up(hood.staff("coordinator"), shift, role="coordinator").code == "role_filled"
    assert gate.sign_up(chen, shift, role="mayor").status == 422


def test_a_late_withdrawal_is_noted_once_to_the_organiser_and_not_punished(hood: Hood) -> None:
    organiser = hood.staff("grid_worker")
    shift = gate.shift(hood, organiser=organiser, starts=timedelta(hours=3))
    chen = gate.volunteer(hood, "陈建君")
    for times in (1, 2):
        gate.signed_up(chen, shift)
        assert withdraw(chen, shift).json["late_withdrawals"] == times
    assert gate.signed_up(chen, shift)["late_withdrawals"] == 2
    assert organiser.told == ["shift_late_withdrawal"]


def test_a_late_withdrawal_is_told_to_who_runs_the_shift_now_and_to_no_former_organiser(hood: Hood) -> None:
    organiser = hood.staff("grid_worker")
    shift, chen = gate.shift(hood, organiser=organiser, starts=timedelta(hours=3)), gate.volunteer(hood, "陈建君")
    gate.signed_up(chen, shift)
    hood.end_duty(organiser, "grid_worker", hood.community)
    successor = hood.staff("community_worker")
    withdraw(chen, shift)
    assert (organiser.told, successor.told) == ([], ["shift_late_withdrawal"])


def test_who_was_to_come_in_a_role_is_not_counted_on_once_the_duty_is_over(hood: Hood) -> None:
    worker = hood.staff("community_worker")
    shift, other = gate.shift(hood, quorum={"community_worker": 1}), gate.shift(hood, starts=timedelta(days=3))
    gate.signed_up(worker, shift, role="community_worker")
    gate.approve(worker)
    gate.signed_up(worker, other)
    hood.end_duty(worker, "community_worker", hood.community)
    hood.pass_time(Duty.key(worker.id, "community_worker", hood.community), clock.now())
    assert gate.stored(shift).missing == {"community_worker": 1}
    mine = {each["shift"]: each["state"] for each in worker.get("/shifts/mine").json["items"]}
    assert mine == {shift: "cancelled", other: "signed_up"}
    assert worker.told == ["shift_role_over"]
    gate.adds_up(shift)


def test_an_early_withdrawal_is_nobodys_business(hood: Hood) -> None:
    organiser = hood.staff("grid_worker")
    shift, chen = gate.shift(hood, organiser=organiser), gate.volunteer(hood)
    gate.signed_up(chen, shift)
    withdraw(chen, shift)
    assert gate.signed_up(chen, shift)["late_withdrawals"] == 0
    assert organiser.told == []


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"start_at": clock.now() - timedelta(seconds=1)}, "too_late_to_withdraw"),
        ({"state": "cancelled"}, "shift_cancelled"),
    ],
)
def test_a_place_on_what_has_begun_or_is_cancelled_is_not_given_back(
    hood: Hood, values: dict[str, Any], code: str
) -> None:
    shift, chen = gate.shift(hood), gate.volunteer(hood)
    gate.signed_up(chen, shift)
    set_shift(shift, **values)
    assert withdraw(chen, shift).code == code
    assert gate.state_of(chen, shift) == "signed_up"


def test_who_waited_in_vain_may_leave_the_queue_for_another_shift(hood: Hood) -> None:
    shift, first, chen = gate.shift(hood, capacity=1), gate.volunteer(hood), gate.volunteer(hood)
    gate.signed_up(first, shift)
    gate.signed_up(chen, shift, wait=True)
    now = clock.now()
    begun = now.replace(second=0, microsecond=0) - timedelta(minutes=5)
    set_shift(shift, start_at=begun, end_at=begun + timedelta(hours=4))
    later = gate.shift(hood, starts=timedelta(hours=2), lasts=timedelta(hours=1))
    with transaction() as tx:
        span = (int(begun.timestamp()), int(begun.timestamp()) + 4 * 3600)
        tx.update(Volunteer.key(chen.id), [Volunteer.taken.set({shift: span})])
    refused = gate.sign_up(chen, later)
    assert refused.code == "shifts_overlap"
    assert "已经开始" in refused.json["detail"], "whoever is there cannot cancel it"
    assert withdraw(chen, shift).json["state"] == "cancelled"
    gate.signed_up(chen, later)
    assert (gate.adds_up(shift).waiting, gate.queue(shift)) == (0, [])
    assert withdraw(first, shift).code == "too_late_to_withdraw"


def test_who_is_not_signed_up_has_nothing_to_withdraw(hood: Hood) -> None:
    shift, chen = gate.shift(hood), gate.volunteer(hood)
    assert withdraw(chen, shift).code == "not_signed_up"
    gate.signed_up(chen, shift)
    withdraw(chen, shift)
    assert withdraw(chen, shift).code == "not_signed_up"


def test_who_has_checked_in_early_and_cannot_stay_gives_the_place_to_the_next(hood: Hood) -> None:
    worker, chen, next_one = hood.staff("grid_worker"), gate.volunteer(hood), gate.volunteer(hood)
    shift = gate.shift(hood, starts=timedelta(minutes=20), organiser=worker, capacity=1)
    gate.signed_up(chen, shift)
    gate.signed_up(next_one, shift, wait=True)
    assert worker.post(f"/shifts/{shift}/people/{chen.id}/check-in").status == 200
    left = withdraw(chen, shift).json
    assert (left["state"], left["checked_in"], left["late_withdrawals"]) == ("cancelled", None, 1)
    assert gate.state_of(next_one, shift) == "signed_up"
    assert gate.adds_up(shift).taken == 1


def test_every_state_of_a_sign_up_has_words_for_people() -> None:
    assert rules.SIGN_UP.states == rules.SIGN_UP_STATES.keys()
    assert rules.ACTIVITY.states == rules.ACTIVITY_STATES.keys()
