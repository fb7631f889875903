"""What it costs to check in and out, and to run a shift from its list."""

from __future__ import annotations

from chalicelib.shifts.models import Guests
from tests.budget.acts import Act, Town, act, good, when_due
from tests.budget.sign_up import volunteer
from tests.neighbourhood import Neighbour
from tests.shifts import door, gate

PEOPLE = "/shifts/{shift_id}/people"


def expected(town: Town) -> tuple[str, Neighbour, Neighbour]:
    """A shift that begins soon, somebody who is expected, and who runs it."""
    shift, chen = door.open_shift(town), volunteer(town)
    gate.signed_up(chen, shift)
    return shift, chen, town.staff("grid_worker")


@act("POST /shifts/{shift_id}/check-in")
def check_in(town: Town) -> Act:
    shift, chen, _ = expected(town)
    return lambda: door.check_in(chen, shift)


@act("POST /shifts/{shift_id}/check-out")
def check_out(town: Town) -> Act:
    shift, chen, _ = expected(town)
    good(door.check_in(chen, shift))
    door.under_way(shift)
    return lambda: door.check_out(chen, shift)


@act("POST /check-ins")
def scan_in(town: Town) -> Act:
    shift, chen, _ = expected(town)
    return lambda: door.scan(chen, door.scene(shift))


@act("POST /check-outs")
def scan_out(town: Town) -> Act:
    shift, chen, _ = expected(town)
    good(door.check_in(chen, shift))
    door.under_way(shift)
    return lambda: door.scan(chen, door.scene(shift), "out")


@act("GET /shifts/{shift_id}/code")
def code(town: Town) -> Act:
    shift, _, staff = expected(town)
    return lambda: staff.get(f"/shifts/{shift}/code")


@act("GET /shifts/{shift_id}/code (without the picture)")
def digits(town: Town) -> Act:
    shift, _, staff = expected(town)
    return lambda: staff.get(f"/shifts/{shift}/code?picture=false")


@act(f"POST {PEOPLE}/{{person_id}}/check-in")
def tick_in(town: Town) -> Act:
    shift, chen, staff = expected(town)
    return lambda: door.tick(staff, shift, chen.id)


@act(f"POST {PEOPLE}/{{person_id}}/check-out")
def tick_out(town: Town) -> Act:
    shift, chen, staff = expected(town)
    good(door.check_in(chen, shift))
    door.under_way(shift)
    return lambda: door.tick(staff, shift, chen.id, "out")


@act(f"GET {PEOPLE}")
def people(town: Town) -> Act:
    shift, _, staff = expected(town)
    return lambda: staff.get(f"/shifts/{shift}/people")


@act(f"GET {PEOPLE} (with five guests)")
def people_with_guests(town: Town) -> Act:
    shift, _, staff = expected(town)
    for number in range(5):
        good(door.add(staff, shift, name="客人" + "一二三四五"[number]))
    return lambda: staff.get(f"/shifts/{shift}/people")


@act(f"POST {PEOPLE}")
def add_volunteer(town: Town) -> Act:
    shift, _, staff = expected(town)
    number = door.number_of(volunteer(town))
    return lambda: door.add(staff, shift, volunteer_number=number)


@act(f"POST {PEOPLE} (the first guest)")
def add_guest(town: Town) -> Act:
    shift, _, staff = expected(town)
    return lambda: door.add(staff, shift, name="王阿婆")


@act(f"POST {PEOPLE} (another guest)")
def add_another_guest(town: Town) -> Act:
    shift, _, staff = expected(town)
    good(door.add(staff, shift, name="王阿婆"))
    return lambda: door.add(staff, shift, name="李阿公")


@act(f"POST {PEOPLE}/{{person_id}}/contact")
def contact(town: Town) -> Act:
    shift, chen, staff = expected(town)
    return lambda: staff.post(f"/shifts/{shift}/people/{chen.id}/contact", json={"reason": "身体不适"})


@act("GET /shifts/{shift_id}/not-reached")
def not_reached(town: Town) -> Act:
    shift, _, staff = expected(town)
    return lambda: staff.get(f"/shifts/{shift}/not-reached")


@act(f"timer {Guests.TIMER}")
def forget_guests(town: Town) -> Act:
    shift, _, staff = expected(town)
    good(door.add(staff, shift, name="王阿婆"))
    return when_due(Guests.key(shift))
