"""A duty is a role over an area for a time. It is read with every act and tied to it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.areas import rules as areas
from chalicelib.kit import clock
from chalicelib.kit.transaction import transaction
from chalicelib.people import rules
from chalicelib.people import service as people
from chalicelib.people.models import Duty, Resident
from tests.neighbourhood import Hood, Neighbour

NOW = clock.now()
A_DAY = timedelta(days=1)


def duty(area: str, role: str = "grid_worker", **period: object) -> Duty:
    times = {"from_at": NOW - A_DAY, "until_at": None, **period}
    return Duty.new("res_1", role, area, granted_by="test", **times)


class TestTheRule:
    @pytest.mark.parametrize("inside", ["330402", "330402001", "330402001001", "330402001001001", "330402001001001001"])
    def test_it_holds_for_its_area_and_everything_inside(self, inside: str) -> None:
        assert rules.covers(duty("330402"), {"grid_worker"}, inside, NOW)

    @pytest.mark.parametrize("outside", ["330403", "330402002", "330402", "33040200100", "330402001002", ""])
    def test_it_holds_for_nothing_outside(self, outside: str) -> None:
        assert not rules.covers(duty("330402001001"), {"grid_worker"}, outside, NOW)

    def test_it_is_no_other_role(self) -> None:
        assert not rules.covers(duty("330402", "moderator"), rules.CARERS, "330402001", NOW)

    @pytest.mark.parametrize(
        ("period", "holds"),
        [
            ({"from_at": NOW, "until_at": None}, True),
            ({"from_at": NOW + timedelta(seconds=1), "until_at": None}, False),
            ({"from_at": NOW - A_DAY, "until_at": NOW}, False),
            ({"from_at": NOW - A_DAY, "until_at": NOW + timedelta(milliseconds=1)}, True),
        ],
    )
    def test_it_holds_from_its_first_moment_to_before_its_last(self, period: dict[str, object], holds: bool) -> None:
        assert rules.in_force(duty("330402", **period), NOW) is holds

    def test_every_role_has_a_name_people_understand(self) -> None:
        assert rules.ROLE_NAMES.keys() == rules.ROLES
        assert rules.CARERS <= rules.ROLES


def grant(neighbour: Neighbour, area: str, role: str = "grid_worker", **period: object) -> Duty:
    times = {"from_at": clock.now() - A_DAY, "until_at": None, **period}
    given = Duty.new(neighbour.id, role, area, granted_by="test", **times)
    with transaction() as tx:
        people.grant_duty(tx, given)
    return given


def end(given: Duty) -> None:
    with transaction() as tx:
        people.end_duty(tx, given, now=clock.now())


def test_who_holds_one_sees_it_under_me_with_its_name(hood: Hood) -> None:
    worker = hood.staff("grid_worker", hood.grid)
    (held,) = worker.get("/me").json["duties"]
    assert held == {"role": "grid_worker", "role_name": "网格员", "area": hood.grid, "until_at": None}


def test_an_ended_or_coming_one_is_not_shown_and_allows_nothing(hood: Hood) -> None:
    worker = hood.resident()
    grant(worker, hood.community, until_at=clock.now())
    grant(worker, hood.district, from_at=clock.now() + A_DAY)
    assert worker.get("/me").json["duties"] == []
    assert worker.get(f"/residences?area={hood.community}").code == "duty_needed"


def test_an_ended_one_bites_at_the_next_act(hood: Hood) -> None:
    worker, neighbour = hood.resident(), hood.resident()
    given = grant(worker, hood.community)
    assert worker.get(f"/residences?area={hood.community}").status == 200
    end(given)
    assert worker.get(f"/residences?area={hood.community}").code == "duty_needed"
    confirm = worker.post(f"/residences/{neighbour.id}/confirm", json={"area": hood.micro_grid})
    assert (confirm.status, confirm.code) == (404, "resident_not_found")


def test_one_that_ends_in_the_middle_of_an_act_stops_the_act(hood: Hood) -> None:
    worker = hood.resident()
    given = grant(worker, hood.community)
    person = people.present(worker.caller, now=clock.now())
    person.must_hold({"grid_worker"}, hood.grid)
    end(given)
    with pytest.raises(rules.DutyNeeded), transaction() as tx:
        tx.put(Resident("THINGS", hood.community, nickname="x", created_at=clock.now()))
        person.still(tx)
    assert Resident.find("THINGS", hood.community) is None


def test_one_that_does_not_end_lets_the_act_through(hood: Hood) -> None:
    worker = hood.resident()
    grant(worker, hood.community, until_at=clock.now() + A_DAY)
    person = people.present(worker.caller, now=clock.now())
    person.must_hold({"grid_worker"}, hood.grid)
    with transaction() as tx:
        person.still(tx)


def test_ending_one_that_is_over_or_never_was_is_refused(hood: Hood) -> None:
    worker = hood.resident()
    given = grant(worker, hood.community)
    end(given)
    for never in (given, Duty.key(worker.id, "moderator", hood.community)):
        with pytest.raises(rules.DutyUnknown):
            end(never)


def test_nobody_closed_is_given_one(hood: Hood) -> None:
    worker = hood.resident()
    worker.post("/me/close", json={"word": "注销"})
    with pytest.raises(rules.AccountClosed):
        grant(worker, hood.community)


class TestWhoIsResponsible:
    def holders(self, hood: Hood, area: str) -> list[str]:
        return people.holders("grid_worker", area, now=clock.now())

    def test_an_act_that_tells_them_still_fits_one_transaction(self, hood: Hood) -> None:
        now = clock.now()
        for number in range(people.HOLDERS_AT_MOST + 1):
            duty = Duty.new(f"res_{number}", "grid_worker", hood.grid, from_at=now, until_at=None, granted_by="test")
            duty.save()
        assert len(self.holders(hood, hood.grid)) == people.HOLDERS_AT_MOST

    def test_nobody_when_nobody_is(self, hood: Hood) -> None:
        assert self.holders(hood, hood.micro_grid) == []

    def test_those_of_the_smallest_area_around(self, hood: Hood) -> None:
        far, near, also_near = hood.resident(), hood.resident(), hood.resident()
        grant(far, hood.street)
        assert self.holders(hood, hood.micro_grid) == [far.id]
        grant(near, hood.grid), grant(also_near, hood.grid)
        assert sorted(self.holders(hood, hood.micro_grid)) == sorted([near.id, also_near.id])
        assert self.holders(hood, hood.community) == [far.id]

    def test_not_those_who_were_or_will_be(self, hood: Hood) -> None:
        over, coming, now = hood.resident(), hood.resident(), hood.resident()
        grant(over, hood.grid, until_at=clock.now())
        grant(coming, hood.grid, from_at=clock.now() + A_DAY)
        grant(now, hood.district)
        assert self.holders(hood, hood.grid) == [now.id]

    def test_not_those_of_another_role(self, hood: Hood) -> None:
        grant(hood.resident(), hood.grid, "moderator")
        assert self.holders(hood, hood.grid) == []


def test_all_areas_up_from_one_are_those_that_contain_it() -> None:
    code = "330402001001001001"
    assert areas.up_from(code) == [code, code[:15], code[:12], code[:9], code[:6]]
    assert all(areas.contains(outer, code) for outer in areas.up_from(code))
