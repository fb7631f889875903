"""Drafting an activity: single shifts, recurring ones, and what is refused, field by field."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kit import clock
from chalicelib.kit.errors import Invalid
from chalicelib.shifts import rules
from chalicelib.shifts.planning import plans
from chalicelib.shifts.planning.plans import Hours, Planned, Recurring
from local.wechat.control import StandIn
from tests.engine.http import Http
from tests.help.street import Street
from tests.neighbourhood import Hood
from tests.shifts import organised
from tests.shifts.organised import at, draft, drafted, form, gates, single


@pytest.fixture
def hood(http: Http, wechat: StandIn) -> Street:
    """A neighbourhood whose people are there without a login each."""
    return Street(http, wechat)


MONDAY = date(2027, 2, 1)
NOW = datetime(2027, 1, 31, 4, tzinfo=clock.SHANGHAI)
minutes = st.integers(0, 24 * 60 - 1).map(lambda minute: time(minute // 60, minute % 60))


def recurring(*hours: tuple[str, str], days: int = 7, **more: Any) -> Recurring:
    times = [Hours(time.fromisoformat(begins), time.fromisoformat(ends)) for begins, ends in hours]
    return Recurring(MONDAY, MONDAY + timedelta(days=days - 1), times, "东门", 4, {}, **more)


class TestRecurrence:
    def test_two_weeks_of_mornings_and_afternoons_are_28_shifts_in_shanghais_hours(self) -> None:
        found = plans.expand(recurring(("08:00", "12:00"), ("14:00", "18:00"), days=14), today=MONDAY)
        assert len(found) == 28
        assert [clock.local(each.start).hour for each in found] == [8, 14] * 14
        assert {each.end - each.start for each in found} == {timedelta(hours=4)}
        assert [clock.day(each.start) for each in found[::2]] == [MONDAY + timedelta(days=n) for n in range(14)]

    def test_hours_that_end_before_they_begin_run_past_midnight(self) -> None:
        (found,) = plans.expand(recurring(("22:00", "06:00"), days=1), today=MONDAY)
        assert clock.spoken(found.start) == "2027年02月01日 22:00"
        assert clock.spoken(found.end) == "2027年02月02日 06:00"

    def test_until_midnight_is_until_the_next_days_first_moment(self) -> None:
        (found,) = plans.expand(recurring(("20:00", "00:00"), days=1), today=MONDAY)
        assert found.end - found.start == timedelta(hours=4)

    def test_the_same_hour_twice_is_a_whole_day_and_too_long(self) -> None:
        found = plans.expand(recurring(("08:00", "08:00"), days=1), today=MONDAY)
        with pytest.raises(Invalid) as error:
            plans.check(found, now=NOW)
        assert error.value.fields == {"recurring.times[0]": "一个班次最长 16 小时"}

    def test_times_are_full_minutes(self) -> None:
        start = NOW.replace(second=0, microsecond=0)
        assert plans.uneven(start=start, end=start) == {}
        assert list(plans.uneven(start=start.replace(second=1), end=start.replace(microsecond=1))) == ["start", "end"]

    def test_only_on_some_weekdays(self) -> None:
        found = plans.expand(recurring(("08:00", "12:00"), days=14, weekdays=[6, 7]), today=MONDAY)
        assert [clock.day(each.start).isoweekday() for each in found] == [6, 7, 6, 7]

    @given(
        times=st.lists(st.tuples(minutes, minutes), min_size=1, max_size=4, unique=True),
        days=st.integers(1, 40),
        weekdays=st.none() | st.lists(st.integers(1, 7), min_size=1, max_size=7),
    )
    def test_every_day_that_is_meant_has_each_of_the_hours_once(
        self, times: list[tuple[time, time]], days: int, weekdays: list[int] | None
    ) -> None:
        hours = [Hours(*each) for each in times]
        last = MONDAY + timedelta(days=days - 1)
        found = plans.expand(Recurring(MONDAY, last, hours, "东门", 1, {}, weekdays), today=MONDAY)
        wanted = set(weekdays or range(1, 8))
        meant = [n for n in range(days) if (MONDAY + timedelta(days=n)).isoweekday() in wanted]
        assert len(found) == len(meant) * len(hours)
        assert found == sorted(found, key=lambda each: (each.start, each.end))
        for each in found:
            assert timedelta(0) < each.end - each.start <= timedelta(days=1)
            start, end = clock.local(each.start), clock.local(each.end)
            assert (start.time(), end.time()) in times
            assert start.isoweekday() in wanted

    @given(st.lists(st.integers(0, 6), min_size=1, max_size=8))
    def test_two_shifts_at_the_same_time_and_place_are_one_too_many(self, hours: list[int]) -> None:
        shifts = [
            Planned(NOW + timedelta(hours=1 + n), NOW + timedelta(hours=9), "东门", 1, {}, f"shifts[{position}]")
            for position, n in enumerate(hours)
        ]
        if len(set(hours)) == len(hours):
            assert len(plans.check(shifts, now=NOW)) == len(hours)
        else:
            with pytest.raises(Invalid) as error:
                plans.check(shifts, now=NOW)
            assert len(error.value.fields) == len(hours) - len(set(hours))

    def test_what_is_stored_is_what_was_planned(self) -> None:
        found = plans.expand(recurring(("22:00", "06:00")), today=MONDAY)
        again = plans.from_stored(plans.stored(found))
        assert [(each.start, each.end, each.place) for each in again] == [(e.start, e.end, e.place) for e in found]


def test_a_draft_lists_every_shift_with_who_is_still_missing(hood: Hood) -> None:
    worker = hood.staff("grid_worker")
    made = drafted(worker, recurring=gates(), shifts=[single(20, place="南门", quorum={"micro_grid_head": 1})])
    assert (made["state"], made["version"], len(made["shifts"])) == ("draft", 0, 29)
    first, last = made["shifts"][0], made["shifts"][-1]
    assert first["still_missing"] == "还缺：志愿者 2 名、社区工作人员 1 名"
    assert last["still_missing"] == "还缺：微网格长 1 名"
    assert {each["id"] for each in made["shifts"]} == {None}
    assert first["start"].endswith("08:00:00+08:00")
    assert made["audience"] == hood.community
    assert worker.get("/activities/mine").json["items"][0]["number_of_shifts"] == 29
    assert worker.get(f"/activities/{made['id']}").json == made


def test_an_activity_of_a_building_is_for_its_community_and_one_of_a_street_for_the_street(hood: Hood) -> None:
    head, chief = hood.staff("micro_grid_head", hood.micro_grid), hood.staff("community_worker", hood.street)
    assert drafted(head, area=hood.micro_grid)["audience"] == hood.community
    assert drafted(chief, area=hood.street)["audience"] == hood.street
    assert drafted(head, area=hood.micro_grid, audience=hood.micro_grid)["audience"] == hood.micro_grid


WRONG: list[tuple[dict[str, Any], set[str]]] = [
    ({"shifts": []}, {"shifts"}),
    ({"shifts": [single(place="p" * n) for n in range(1, 31)], "recurring": gates(8)}, {"recurring"}),
    ({"shifts": [single(days=-1)]}, {"shifts[0].start"}),
    ({"shifts": [single(), single(days=400)]}, {"shifts[1].start"}),
    ({"shifts": [single(first=12, last=12)]}, {"shifts[0].end"}),
    ({"shifts": [single(first=1, last=18)]}, {"shifts[0].end"}),
    ({"shifts": [single(), single(), single(place=" 桂苑社区东门 ")]}, {"shifts[1].start", "shifts[2].start"}),
    ({"shifts": [single(capacity=2, quorum={"volunteer": 3})]}, {"shifts[0].quorum"}),
    ({"shifts": [single(capacity=0)]}, {"shifts[0].capacity"}),
    ({"shifts": [single(capacity=501)]}, {"shifts[0].capacity"}),
    ({"shifts": [single(quorum={"mayor": 1})]}, {"shifts[0].quorum"}),
    ({"shifts": [single(place="\u200b")]}, {"shifts[0].place"}),
    ({"shifts": [{**single(), "start": "2026-01-01T08:00:00"}]}, {"shifts[0].start"}),
    ({"recurring": gates(capacity=1)}, {"recurring.quorum"}),
    ({"recurring": gates(weekdays=[8])}, {"recurring.weekdays[0]"}),
    ({"recurring": gates(weekdays=[])}, {"recurring.weekdays"}),
    ({"recurring": gates(times=[])}, {"recurring.times"}),
    ({"recurring": gates(times=[{"from": "8:00", "to": "25:00"}])}, {"recurring.times[0].from"}),
    ({"recurring": gates(from_day="2026-02-30")}, {"recurring.from_day"}),
    ({"recurring": gates(from_day="0001-01-01")}, {"recurring.from_day"}),
    ({"recurring": gates(to_day="2020-01-01")}, {"recurring.to_day"}),
    ({"recurring": gates(to_day="9999-12-31")}, {"recurring.to_day"}),
    ({"recurring": gates(from_day="9999-12-31", to_day="9999-12-31")}, {"recurring.to_day"}),
    ({"title": "\u200b\u200b"}, {"title"}),
    ({"text": " \n"}, {"text"}),
    ({"service": "spying"}, {"service"}),
    ({"points_an_hour": 21}, {"points_an_hour"}),
    ({"points_an_hour": -1}, {"points_an_hour"}),
    ({"audience": "110101001001"}, {"audience"}),
]


def test_what_is_wrong_is_refused_under_its_field_and_nothing_is_kept(hood: Hood) -> None:
    worker = hood.staff("grid_worker")
    for change, fields in WRONG:
        answer = draft(worker, **change)
        assert answer.status == 422, (change, answer)
        assert {name.partition("...")[0] for name in answer.wrong} == fields, (change, answer.wrong)
    assert draft(worker, audience=f"{hood.community}999").wrong == {"audience": "没有这个区域"}
    assert worker.get("/activities/mine").json["items"] == []


def test_no_day_of_the_plan_is_one_of_its_weekdays(hood: Hood) -> None:
    other = (organised.today() + timedelta(days=3)).isoweekday()
    for single_too in ([], [single(5)]):
        answer = draft(hood.staff("grid_worker"), recurring=gates(1, weekdays=[other]), shifts=single_too)
        assert answer.wrong == {"recurring.weekdays": "这段日子里没有选中的星期几"}


def test_45_shifts_are_as_many_as_may_be(hood: Hood) -> None:
    worker = hood.staff("grid_worker")
    shifts = [single(n) for n in range(1, rules.SHIFTS_AT_MOST + 1)]
    assert len(drafted(worker, shifts=shifts)["shifts"]) == 45
    assert draft(worker, shifts=[*shifts, single(60)]).wrong.keys() == {"shifts"}


def test_only_who_looks_after_the_area_organises_there(hood: Hood) -> None:
    for who in (hood.resident(), hood.staff("moderator"), hood.staff("grid_worker", f"{hood.street}002")):
        assert draft(who).code == "duty_needed"
    assert draft(hood.staff("grid_worker"), area=hood.street).code == "duty_needed"


def test_the_same_request_drafts_once_and_another_with_its_key_is_refused(hood: Hood) -> None:
    worker, shifts = hood.staff("grid_worker"), [single()]
    first = draft(worker, key="k", shifts=shifts)
    assert draft(worker, key="k", shifts=shifts).json == first.json
    assert draft(worker, key="k", shifts=shifts, title="别的").code == "idempotency_key_reused"
    assert len(worker.get("/activities/mine").json["items"]) == 1


class TestEditing:
    def test_puts_another_plan_in_its_place(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker")
        made = drafted(worker)
        body = form(worker, title="夜间巡逻", service="patrol", shifts=[single(3), single(2)], version=0)
        edited = worker.put(f"/activities/{made['id']}", json=body, key="e").json
        assert (edited["version"], edited["title"], edited["service"]) == (1, "夜间巡逻", "patrol")
        assert [each["start"] for each in edited["shifts"]] == sorted(
            clock.local(at(days, 8)).isoformat() for days in (2, 3)
        )
        assert worker.put(f"/activities/{made['id']}", json=body, key="e").json == edited
        assert worker.put(f"/activities/{made['id']}", json=body, key="other").code == "version_outdated"

    def test_a_wrong_plan_leaves_the_draft_as_it_was(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker")
        made = drafted(worker)
        assert worker.put(f"/activities/{made['id']}", json=form(worker, shifts=[], version=0)).status == 422
        assert worker.get(f"/activities/{made['id']}").json == made

    def test_a_colleague_may_and_nobody_else_sees_it(self, hood: Hood) -> None:
        worker, colleague = hood.staff("grid_worker"), hood.staff("community_worker")
        made = drafted(worker)
        path, body = f"/activities/{made['id']}", form(worker, shifts=[single()], version=0)
        assert colleague.put(path, json=body).status == 200
        for who in (hood.resident(), hood.staff("grid_worker", f"{hood.street}002")):
            assert who.get(path).code == "activity_not_found"
            assert who.put(path, json=body).code == "activity_not_found"
        beyond = colleague.put(path, json={**body, "version": 1, "area": hood.street})
        assert beyond.code == "duty_needed"

    def test_of_two_at_once_one_counts(self, hood: Hood) -> None:
        from tests.help.street import at_once

        worker = hood.staff("grid_worker")
        made = drafted(worker)
        bodies = [form(worker, title=f"改成{n}", shifts=[single()], version=0) for n in range(4)]
        answers = at_once(*(lambda b=body: worker.put(f"/activities/{made['id']}", json=b) for body in bodies))
        assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
        assert {answer.code for answer in answers} == {None, "version_outdated"}

    def test_what_was_published_is_no_draft(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker")
        made = organised.published(worker)
        body = form(worker, shifts=[single()], version=1)
        assert worker.put(f"/activities/{made['id']}", json=body).code == "step_not_possible"
