"""What planning costs: an activity from draft to cancellation, changed shifts, their rounds, and finding shifts."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import patch

from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.shifts.models import Round, Shift
from tests.budget.acts import Act, Town, act, good, when_due
from tests.neighbourhood import Neighbour
from tests.shifts import gate, organised

RAIN = {"reason": "下雨，改天再守"}


def organiser(town: Town) -> Neighbour:
    return town.staff("grid_worker")


def shift(town: Town, people: int = 0) -> tuple[Neighbour, str]:
    """A published shift with so many on it, half of them in the queue."""
    worker = organiser(town)
    made = organised.shift_of(worker, shifts=[organised.single(3, capacity=max(people // 2, 1))])
    for _ in range(people):
        gate.signed_up(gate.volunteer(town), made, wait=True)
    return worker, made


def its_round(shift_id: str) -> Act:
    (this,) = Item.collection(Shift.key(shift_id).pk, Round.PREFIX)
    return when_due(this)


def tomorrow() -> str:
    return (organised.today() + timedelta(days=1)).isoformat()


@act("POST /activities")
def draft(town: Town) -> Act:
    worker = organiser(town)
    return lambda: worker.post("/activities", json=organised.form(worker, shifts=[organised.single()]))


@act("POST /activities (28 shifts)")
def draft_two_weeks(town: Town) -> Act:
    worker = organiser(town)
    return lambda: worker.post("/activities", json=organised.form(worker, recurring=organised.gates()))


@act("PUT /activities/{activity_id}")
def edit(town: Town) -> Act:
    worker = organiser(town)
    made = organised.drafted(worker)
    body = organised.form(worker, shifts=[organised.single(3)], version=0)
    return lambda: worker.put(f"/activities/{made['id']}", json=body)


@act("POST /activities/{activity_id}/publish (28 shifts)")
def publish(town: Town) -> Act:
    worker = organiser(town)
    made = organised.drafted(worker, recurring=organised.gates())
    return lambda: organised.publish(worker, made)


@act("POST /activities/{activity_id}/shifts (28 shifts)")
def extend(town: Town) -> Act:
    worker = organiser(town)
    made = organised.published(worker, recurring=organised.gates())
    further = {"version": 1, "recurring": organised.two_more_weeks()}
    return lambda: worker.post(f"/activities/{made['id']}/shifts", json=further)


@act("POST /activities/{activity_id}/cancel (28 shifts)")
def cancel_all(town: Town) -> Act:
    worker = organiser(town)
    made = organised.published(worker, recurring=organised.gates())
    return lambda: worker.post(f"/activities/{made['id']}/cancel", json=RAIN)


@act("timer shifts.cancel_rest (11 of 56 shifts)")
def cancel_rest(town: Town) -> Act:
    worker = organiser(town)
    made = organised.published(worker, recurring=organised.gates())["id"]
    good(worker.post(f"/activities/{made}/shifts", json={"version": 1, "recurring": organised.two_more_weeks()}))
    with patch("chalicelib.shifts.planning.cancelling.cancel_rest"):
        good(worker.post(f"/activities/{made}/cancel", json=RAIN))
    return when_due(organised.activity_of(made))


@act("GET /activities/mine")
def my_activities(town: Town) -> Act:
    worker = organiser(town)
    organised.drafted(worker)
    return lambda: worker.get("/activities/mine")


@act("GET /activities/{activity_id}")
def look_at_activity(town: Town) -> Act:
    made, resident = organised.published(organiser(town), recurring=organised.gates()), town.resident()
    return lambda: resident.get(f"/activities/{made['id']}")


@act("POST /shifts/{shift_id}/change")
def change(town: Town) -> Act:
    worker, made = shift(town)
    return lambda: worker.post(f"/shifts/{made}/change", json={"version": 0, "place": "南门"})


@act("POST /shifts/{shift_id}/cancel")
def cancel(town: Town) -> Act:
    worker, made = shift(town)
    return lambda: worker.post(f"/shifts/{made}/cancel", json=RAIN)


@act("timer shifts.round (ten people hear of a change)")
def tell_of_change(town: Town) -> Act:
    worker, made = shift(town, 10)
    good(worker.post(f"/shifts/{made}/change", json={"version": 0, "place": "南门"}))
    return its_round(made)


@act("timer shifts.round (ten people hear of a cancellation)")
def tell_of_cancellation(town: Town) -> Act:
    worker, made = shift(town, 10)
    good(worker.post(f"/shifts/{made}/cancel", json=RAIN))
    return its_round(made)


@act("timer shifts.round (a larger capacity lets in five)")
def let_in(town: Town) -> Act:
    worker, made = shift(town, 10)
    good(worker.post(f"/shifts/{made}/change", json={"version": 0, "capacity": 10}))
    (this,) = Item.collection(Shift.key(made).pk, Round.PREFIX)
    with transaction() as tx:
        # They have all been told.
        tx.update(this, [Round.read_all.set(True)])
    return its_round(made)


@act("GET /shifts")
def of_day(town: Town) -> Act:
    organised.published(organiser(town), recurring=organised.gates())
    resident = town.resident()
    return lambda: resident.get(f"/shifts?area={town.community}&day={tomorrow()}")


@act("GET /shifts/near-me")
def near_me(town: Town) -> Act:
    organised.published(organiser(town), recurring=organised.gates())
    resident = town.resident()
    return lambda: resident.get(f"/shifts/near-me?day={tomorrow()}")


@act("GET /shifts/mine")
def my_shifts(town: Town) -> Act:
    _, made = shift(town)
    chen = gate.volunteer(town)
    gate.signed_up(chen, made)
    return lambda: chen.get("/shifts/mine")


@act("GET /shifts/running")
def running(town: Town) -> Act:
    worker, _ = shift(town)
    return lambda: worker.get("/shifts/running")


@act("GET /shifts/plan")
def week(town: Town) -> Act:
    worker = organiser(town)
    organised.published(worker, recurring=organised.gates())
    return lambda: worker.get(f"/shifts/plan?area={town.community}&service=gate")


@act("GET /shifts/{shift_id}")
def look_at(town: Town) -> Act:
    _, made = shift(town)
    resident = town.resident()
    return lambda: resident.get(f"/shifts/{made}")


@act("GET /shifts/{shift_id} (with my place in the queue)")
def look_at_my_place(town: Town) -> Act:
    _, made = shift(town, 4)
    chen = gate.volunteer(town)
    gate.signed_up(chen, made, wait=True)
    return lambda: chen.get(f"/shifts/{made}")
