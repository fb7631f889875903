"""Finding shifts: an area's day, near me, mine, those to run, a week's plan, and one of them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from chalicelib.kit import clock
from chalicelib.kit.transaction import transaction
from chalicelib.people.models import Resident
from chalicelib.shifts.models import SignUp
from chalicelib.shifts.places import lists
from local.wechat.control import StandIn
from tests.engine.budget import budget
from tests.engine.http import Http
from tests.help.street import Street
from tests.neighbourhood import Hood
from tests.shifts import gate, organised
from tests.shifts.organised import cancel, gates, good, published, single, today


@pytest.fixture
def hood(http: Http, wechat: StandIn) -> Street:
    """A neighbourhood whose people are there without a login each."""
    return Street(http, wechat)


def day(days: int) -> date:
    return today() + timedelta(days=days)


def ids(answer: dict[str, Any]) -> list[str]:
    return [each["id"] for each in answer["items"]]


def test_a_day_of_an_area_is_one_query_by_start_with_what_is_left_and_missing(hood: Hood) -> None:
    worker, resident = hood.staff("grid_worker"), hood.resident()
    made = published(worker, recurring=gates(3, capacity=2, quorum={"volunteer": 2}))
    first, second = (each["id"] for each in made["shifts"][:2])
    for who in (gate.volunteer(hood) for _ in range(3)):
        gate.signed_up(who, second, wait=True)
    with budget() as spent:
        found = good(resident.get(f"/shifts?area={hood.community}&day={day(1)}"))
    assert spent.calls == ["dynamodb Query"]
    assert ids(found) == [first, second]
    empty, full = found["items"]
    assert (empty["left"], empty["still_missing"], empty["waiting"]) == (2, "还缺：志愿者 2 名", 0)
    assert (full["left"], full["still_missing"], full["waiting"]) == (0, "", 1)
    good(cancel(worker, first))
    assert ids(good(resident.get(f"/shifts?area={hood.community}&day={day(1)}"))) == [second]
    assert ids(good(resident.get(f"/shifts?area={hood.community}&day={day(9)}"))) == []


def test_a_day_is_shanghais_from_midnight_to_midnight(hood: Hood) -> None:
    worker, resident = hood.staff("grid_worker"), hood.resident()
    terms = {"recurring": gates(2, times=[{"from": "00:00", "to": "04:00"}, {"from": "22:00", "to": "02:00"}])}
    made = published(worker, **terms)
    found = good(resident.get(f"/shifts?area={hood.community}&day={day(1)}"))
    assert ids(found) == [each["id"] for each in made["shifts"][:2]]
    assert [each["start"][11:16] for each in found["items"]] == ["00:00", "22:00"]


def test_a_busy_day_has_pages(hood: Hood, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "A_DAYS", 2)
    made = published(hood.staff("grid_worker"), shifts=[single(1, first, first + 1) for first in (8, 9, 10)])
    path, resident = f"/shifts?area={hood.community}&day={day(1)}", hood.resident()
    first = good(resident.get(path))
    rest = good(resident.get(f"{path}&cursor={first['next']}"))
    assert ids(first) + ids(rest) == [each["id"] for each in made["shifts"]]


def test_wrong_questions(hood: Hood) -> None:
    resident = hood.resident()
    for path, fields in (
        (f"/shifts?area={hood.community}", {"day"}),
        (f"/shifts?area=1234567&day={day(1)}", {"area"}),
        (f"/shifts?area={hood.community}&day=2026-02-30", {"day"}),
        (f"/shifts?area={hood.community}&day=9999-12-31", {"day"}),
        (f"/shifts?area={hood.community}&day=0001-01-01", {"day"}),
        ("/shifts/near-me?day=9999-12-31", {"day"}),
        ("/shifts/mine?order=best", {"order"}),
        (f"/shifts?area={hood.community}&day={day(1)}&cursor=x", {"cursor"}),
    ):
        answer = resident.get(path)
        assert (answer.status, set(answer.wrong)) == (422, fields), (path, answer)


class TestNearMe:
    def test_my_community_my_street_and_my_district_by_start(self, hood: Hood) -> None:
        worker = hood.staff("community_worker", hood.district)
        made = {
            area: published(worker, area=area, shifts=[single(1, first, first + 1)])["shifts"][0]["id"]
            for first, area in ((12, hood.community), (10, hood.street), (8, hood.district), (9, hood.micro_grid))
        }
        elsewhere = gate.shift(hood, area=f"{hood.street}002", audience=f"{hood.street}002", starts=timedelta(days=1))
        me = hood.resident()
        with budget() as spent:
            found = good(me.get(f"/shifts/near-me?day={day(1)}"))
        assert spent.calls == ["dynamodb BatchGetItem", *["dynamodb Query"] * 3]
        assert ids(found) == [made[area] for area in (hood.district, hood.micro_grid, hood.street, hood.community)]
        assert elsewhere not in ids(found)

    def test_not_those_that_are_for_others(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker")
        published(worker, area=hood.micro_grid, audience=hood.micro_grid, shifts=[single(1)])
        near, far = hood.resident(), hood.resident()
        with transaction() as tx:
            tx.update(Resident.key(far.id), [Resident.home.set(f"{hood.grid}002")])
        assert [len(ids(good(who.get(f"/shifts/near-me?day={day(1)}")))) for who in (near, far)] == [1, 0]

    def test_who_has_not_said_where_they_live_is_asked_to(self, hood: Hood) -> None:
        me, declined = hood.resident(), hood.resident()
        with transaction() as tx:
            tx.update(Resident.key(me.id), [Resident.home.remove()])
            tx.update(Resident.key(declined.id), [Resident.home_state.set("declined")])
        for who in (me, declined):
            assert who.get(f"/shifts/near-me?day={day(1)}").code == "home_needed"


def test_mine_are_those_to_come_the_next_first_or_all_the_newest_first(hood: Hood) -> None:
    worker, me = hood.staff("grid_worker"), gate.volunteer(hood)
    made = published(worker, shifts=[single(n) for n in (1, 2, 3)])
    over, next_one, later = (each["id"] for each in made["shifts"])
    for each in (later, over, next_one):
        gate.signed_up(me, each)
    past = SignUp.key(over, me.id)
    ago = clock.now() - timedelta(days=2)
    past.update(
        [
            SignUp.start_at.set(ago),
            SignUp.end_at.set(ago + timedelta(hours=4)),
            SignUp.person_sort.set(f"{clock.stamp(ago)}#{over}"),
        ]
    )
    with budget() as spent:
        upcoming = good(me.get("/shifts/mine"))
    assert spent.calls == ["dynamodb Query"]
    assert [each["shift"] for each in upcoming["items"]] == [next_one, later]
    newest = good(me.get("/shifts/mine?order=newest"))
    assert [each["shift"] for each in newest["items"]] == [later, next_one, over]
    good(cancel(worker, later))
    organised.walk(later)
    assert [each["state"] for each in good(me.get("/shifts/mine"))["items"]] == ["signed_up", "cancelled"]


def test_my_list_goes_on_with_its_cursor(hood: Hood) -> None:
    me = gate.volunteer(hood)
    made = published(hood.staff("grid_worker"), shifts=[single(n) for n in range(1, 24)])
    for each in made["shifts"]:
        gate.signed_up(me, each["id"])
    first = good(me.get("/shifts/mine"))
    rest = good(me.get(f"/shifts/mine?cursor={first['next']}"))
    assert [each["shift"] for each in first["items"] + rest["items"]] == [each["id"] for each in made["shifts"]]
    assert me.get(f"/shifts/mine?order=newest&cursor={first['next']}").code == "cursor_invalid"


def test_those_i_run_are_one_query_beside_that_of_my_duties(hood: Hood) -> None:
    worker, colleague = hood.staff("grid_worker"), hood.staff("grid_worker")
    made = published(worker, shifts=[single(2), single(1)])
    with budget() as spent:
        found = good(worker.get("/shifts/running"))
    assert spent.calls == ["dynamodb Query"] * 2
    assert ids(found) == [each["id"] for each in made["shifts"]]
    assert ids(good(worker.get("/shifts/running?order=newest"))) == ids(found)[::-1]
    assert ids(good(colleague.get("/shifts/running"))) == []


class TestTheWeeksPlan:
    def test_gaps_first(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker")
        terms = {"capacity": 2, "quorum": {"volunteer": 1}}
        made = published(worker, shifts=[single(n, **terms) for n in (1, 2, 3, 4)])
        full, missing, some_left, missing_too = (each["id"] for each in made["shifts"])
        patrol = published(worker, service="patrol", shifts=[single(1, 20, 22, capacity=3)])["shifts"][0]["id"]
        published(worker, shifts=[single(9)])
        for shift, number in ((full, 2), (some_left, 1)):
            for _ in range(number):
                gate.signed_up(gate.volunteer(hood), shift)
        path = f"/shifts/plan?area={hood.community}"
        with budget() as spent:
            found = good(worker.get(f"{path}&service=gate"))
        assert spent.calls == ["dynamodb Query"] * 2, "duties, and the list"
        assert ids(found) == [missing, missing_too, some_left, full]
        assert patrol in ids(good(worker.get(path)))
        assert ids(good(worker.get(f"{path}&service=gate&from={day(3)}"))) != ids(found)

    def test_of_a_smaller_area_and_only_for_its_staff(self, hood: Hood) -> None:
        worker, head = hood.staff("grid_worker"), hood.staff("micro_grid_head", hood.micro_grid)
        mine = published(head, area=hood.micro_grid)["shifts"][0]["id"]
        published(worker)
        assert ids(good(head.get(f"/shifts/plan?area={hood.micro_grid}"))) == [mine]
        assert len(ids(good(worker.get(f"/shifts/plan?area={hood.community}")))) == 2
        for who in (head, hood.resident(), hood.staff("grid_worker", f"{hood.street}002")):
            assert who.get(f"/shifts/plan?area={hood.community}").code == "duty_needed"


def test_one_shift_with_its_text_and_my_place_in_the_queue(hood: Hood) -> None:
    worker = hood.staff("grid_worker", name="王网格")
    terms = single(capacity=1, quorum={"volunteer": 1, "community_worker": 1})
    shift = published(worker, shifts=[terms])["shifts"][0]["id"]
    people = [gate.volunteer(hood) for _ in range(4)]
    for who in people:
        gate.signed_up(who, shift, wait=True)
    seen = [good(who.get(f"/shifts/{shift}"))["mine"] for who in people]
    assert [(mine["state"], mine["position"]) for mine in seen] == [
        ("signed_up", None),
        ("waiting", 1),
        ("waiting", 2),
        ("waiting", 3),
    ]
    people[1].post(f"/shifts/{shift}/withdraw")
    whole = good(people[3].get(f"/shifts/{shift}"))
    assert whole["mine"]["position"] == 2
    assert (whole["text"], whole["organiser_name"]) == ("在小区门口测温、登记。", "王网格")
    assert (whole["shift"]["still_missing"], whole["shift"]["left"]) == ("还缺：社区工作人员 1 名", 0)
    assert good(hood.resident().get(f"/shifts/{shift}"))["mine"] is None
    assert hood.resident().get("/shifts/shift_x.330402001001").code == "shift_not_found"
