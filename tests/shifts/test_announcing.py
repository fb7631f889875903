"""Volunteers who want to hear of new shifts near their home are told, once each and a few times a day at most."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.areas.models import Area
from chalicelib.kit import clock, ids, timers
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices import alerts
from chalicelib.people import personal_data
from chalicelib.people.models import Resident
from chalicelib.shifts.models import Activity, Shift, ShiftAlert
from chalicelib.shifts.planning import announcing
from chalicelib.volunteers.models import Volunteer
from tests.engine.budget import budget
from tests.engine.http import Answer
from tests.neighbourhood import Hood, Neighbour
from tests.shifts import gate, organised
from tests.volunteers import desk

DAY = timedelta(days=1)


def published(hood: Hood, *shifts: str, organiser: Neighbour | None = None, **terms: Any) -> Activity:
    """An activity with these shifts (one of its own if none is given) that has just been published."""
    now = clock.now()
    made = Activity.key(ids.new_id("activity"))
    made.state, made.title, made.text, made.service = "published", "守小门", "请带好口罩。", "gate"
    made.area = made.audience = hood.community
    made.organiser, made.organiser_name = (organiser.id, organiser.name) if organiser else (None, "组织者")
    made.created_at = made.published_at = now
    made.shifts = list(shifts) or [gate.shift(hood)]
    for name, value in {**timers.fields(made.pk, "shifts.announce", now), **terms}.items():
        setattr(made, name, value)
    with transaction() as tx:
        tx.put(made)
    return made


def announced(activity: Activity, *, after: timedelta = timedelta(0)) -> None:
    Hood.pass_time(activity, clock.now() + after)
    assert Activity.fetch(activity.pk, activity.sk).timer is None


def switch(who: Neighbour, on: Any = True) -> Answer:
    return who.put("/me/shift-alerts", json={"on": on})


def willing(hood: Hood, name: str = "陈建君") -> Neighbour:
    who = gate.volunteer(hood, name)
    assert switch(who).json == {"on": True}
    return who


def move(who: Neighbour, home: str) -> None:
    assert who.put("/me/residence", json={"area": home}).status == 200


def smaller(hood: Hood, parent: str) -> str:
    """Another area inside this one, besides the first."""
    with transaction() as tx:
        tx.put(Area.new(f"{parent}002", "第二网格"))
    return f"{parent}002"


def change(item: Item, *actions: Any) -> None:
    with transaction() as tx:
        tx.update(item, actions)


class TestWhoIsTold:
    def test_the_willing_hear_when_where_and_how_many_and_others_do_not(self, hood: Hood) -> None:
        chen, organiser, unwilling = willing(hood), willing(hood), gate.volunteer(hood)
        second, first = gate.shift(hood, starts=2 * DAY), gate.shift(hood, starts=DAY)
        activity = published(hood, second, first, organiser=organiser)
        announced(activity)
        assert (chen.told, organiser.told, unwilling.told) == (["shift_new"], [], [])
        (message,) = chen.get("/inbox").json["items"]
        assert message["page"] == f"pages/shift/activity?id={activity.id}"
        for part in ("守小门", clock.spoken(gate.stored(first).start_at), "2 个班次", "桂苑社区东门"):
            assert part in message["text"]

    def test_neighbours_of_any_smaller_area_are_reached_by_one_query(self, hood: Hood) -> None:
        chen, elsewhere = willing(hood), willing(Hood(hood.http, hood.wechat))
        for area in (hood.district, hood.street, hood.community, hood.grid, hood.micro_grid):
            activity = published(hood, area=area, audience=area)
            with budget() as spent:
                told = list(announcing._willing(activity))
            assert [each.resident_id for each in told] == [chen.id]
            assert spent.calls == ["dynamodb Query"]
        announced(published(hood, area=hood.street, audience=hood.street))
        assert (len(chen.told), elsewhere.told) == (1, [])

    def test_those_of_the_same_community_are_told_if_they_may_sign_up(self, hood: Hood) -> None:
        near, other = willing(hood), willing(hood)
        move(other, smaller(hood, hood.community))
        announced(published(hood, area=hood.grid, audience=hood.grid))
        assert (near.told, other.told) == (["shift_new"], [])
        announced(published(hood, area=hood.grid, audience=hood.community))
        assert (near.told, other.told) == (["shift_new"] * 2, ["shift_new"])

    def test_who_moves_hears_of_what_is_near_the_new_home(self, hood: Hood) -> None:
        chen, elsewhere = willing(hood), Hood(hood.http, hood.wechat)
        move(chen, elsewhere.grid)
        announced(published(hood)), announced(published(elsewhere))
        assert len(chen.told) == 1
        assert chen.get("/me/shift-alerts").json == {"on": True}

    def test_who_switches_it_off_hears_no_more(self, hood: Hood) -> None:
        chen = willing(hood)
        assert switch(chen, on=False).json == chen.get("/me/shift-alerts").json == {"on": False}
        announced(published(hood))
        assert chen.told == []

    def test_who_has_left_hears_no_more_and_need_not_switch_it_off(self, hood: Hood) -> None:
        chen = willing(hood)
        assert desk.leave(chen).status == 200
        assert chen.get("/me/shift-alerts").json == {"on": False}
        announced(published(hood))
        assert chen.told == []

    def test_whoever_is_no_volunteer_at_the_moment_of_telling_is_passed_over(self, hood: Hood) -> None:
        """They have just left, and their wish to hear of shifts is still there."""
        gone, chen = willing(hood), willing(hood)
        change(Volunteer.key(gone.id), Volunteer.state.set("left"))
        announced(published(hood))
        assert (gone.told, chen.told) == ([], ["shift_new"])


def test_what_an_organiser_publishes_is_told_by_the_sweep(hood: Hood) -> None:
    worker, chen = hood.staff("grid_worker"), willing(hood)
    activity = organised.published(worker, recurring=organised.gates(days=14))
    announced(organised.activity_of(activity["id"]))
    (message,) = chen.get("/inbox").json["items"]
    assert "共 28 个班次" in message["text"]


class TestHowOften:
    def test_three_a_day_are_enough_and_the_next_day_counts_anew(self, hood: Hood) -> None:
        chen, activities = willing(hood), [published(hood) for _ in range(5)]
        for activity in activities[:4]:
            announced(activity)
        assert chen.told == ["shift_new"] * 3
        announced(activities[4], after=DAY)
        assert chen.told == ["shift_new"] * 4

    def test_the_number_is_a_setting_and_may_be_none(self, hood: Hood, configure: Callable[..., None]) -> None:
        chen = willing(hood)
        configure("shifts", alerts_a_day=0)
        announced(published(hood))
        assert chen.told == []

    @pytest.mark.parametrize("next_day", [False, True])
    def test_after_a_crash_in_the_middle_nobody_is_told_twice(
        self, hood: Hood, monkeypatch: pytest.MonkeyPatch, next_day: bool
    ) -> None:
        people = [willing(hood) for _ in range(3)]
        activity = published(hood)
        tell, told = alerts.tell_one, []

        def crash_after_two(*given: Any) -> None:
            if len(told) == 2:
                raise RuntimeError
            told.append(given)
            tell(*given)

        with monkeypatch.context() as patched:
            patched.setattr(alerts, "tell_one", crash_after_two)
            Hood.pass_time(activity, clock.now())
        assert sorted(len(each.told) for each in people) == [0, 1, 1]
        assert Activity.fetch(activity.pk, activity.sk).timer == "shifts.announce"
        announced(activity, after=DAY if next_day else timedelta(hours=1))
        assert [each.told for each in people] == [["shift_new"]] * 3

    def test_a_stale_index_costs_nobody_their_news(self, hood: Hood) -> None:
        chen = willing(hood)
        key = ShiftAlert.key(chen.id)
        stale = ShiftAlert.fetch(key.pk, key.sk)
        announced(published(hood))
        activity = published(hood)
        news = announcing._news(activity, announcing._news_of(activity, clock.now()))
        alerts.tell_one(stale, news, clock.now())
        alerts.tell_one(stale, news, clock.now())
        assert chen.told == ["shift_new"] * 2


class TestNothingToTell:
    def test_of_an_activity_cancelled_meanwhile_nobody_hears(self, hood: Hood) -> None:
        chen = willing(hood)
        announced(published(hood, state="cancelled"))
        assert chen.told == []

    def test_nor_of_one_whose_shifts_are_cancelled_or_have_begun(self, hood: Hood) -> None:
        chen = willing(hood)
        begun, called_off = gate.shift(hood, starts=-timedelta(minutes=1)), gate.shift(hood)
        change(Shift.key(called_off), Shift.state.set("cancelled"))
        announced(published(hood, begun, called_off))
        announced(published(hood, shifts=[]))
        assert chen.told == []

    def test_the_timer_stops_without_a_new_version_and_late_ones_do_nothing(self, hood: Hood) -> None:
        chen, activity = willing(hood), published(hood, version=3)
        announced(activity)
        assert Activity.fetch(activity.pk, activity.sk).version == 3
        announcing.announce(activity, now=clock.now())
        announcing.announce(Activity.key("activity_gone"), now=clock.now())
        assert (chen.told, int(Activity.fetch(activity.pk, activity.sk).version)) == (["shift_new"], 3)

    def test_a_change_meanwhile_is_not_overwritten(self, hood: Hood, monkeypatch: pytest.MonkeyPatch) -> None:
        chen, activity = willing(hood), published(hood)
        tell = alerts.tell_each

        def changing(*given: Any, **more: Any) -> None:
            tell(*given, **more)
            monkeypatch.setattr(alerts, "tell_each", tell)
            change(activity, Activity.version.add(1), Activity.title.set("守小门（改）"))

        monkeypatch.setattr(alerts, "tell_each", changing)
        announced(activity)
        current = Activity.fetch(activity.pk, activity.sk)
        assert (current.title, int(current.version), chen.told) == ("守小门（改）", 1, ["shift_new"])


class TestWhoMayBeWilling:
    def test_only_those_who_were_approved(self, hood: Hood) -> None:
        waiting, nobody = desk.applicant(hood), hood.resident()
        for who in (waiting, nobody):
            assert switch(who).code == "volunteer_approval_needed"
            assert switch(who, on=False).json == who.get("/me/shift-alerts").json == {"on": False}

    def test_who_leaves_in_the_same_moment_is_not(self, hood: Hood, monkeypatch: pytest.MonkeyPatch) -> None:
        chen = gate.volunteer(hood)
        switch_on = alerts.switch_on

        def leaving(*given: Any, **more: Any) -> None:
            assert desk.leave(chen).status == 200
            switch_on(*given, **more)

        monkeypatch.setattr(alerts, "switch_on", leaving)
        assert switch(chen).code == "volunteer_approval_needed"
        assert chen.get("/me/shift-alerts").json == {"on": False}

    def test_a_home_is_needed(self, hood: Hood) -> None:
        nowhere, denied = gate.volunteer(hood), gate.volunteer(hood)
        change(Resident.key(nowhere.id), Resident.home.remove())
        change(Resident.key(denied.id), Resident.home_state.set("declined"))
        assert switch(nowhere).code == switch(denied).code == "home_needed"

    @pytest.mark.parametrize("on", ["yes", 1, None])
    def test_on_is_yes_or_no(self, hood: Hood, on: Any) -> None:
        assert switch(gate.volunteer(hood), on).status == 422


def test_the_wish_is_in_the_copy_of_my_data_and_goes_with_the_account(hood: Hood) -> None:
    chen = willing(hood)
    announced(published(hood))
    section = personal_data.sections["志愿班次提醒"]
    (entry,) = section(chen.id)
    assert (entry["状态"], entry["当天提醒的次数"]) == ("已开启", 1)
    announcing.erase(chen.id, now=clock.now())
    announcing.erase(chen.id, now=clock.now())
    assert list(section(chen.id)) == []
    announced(published(hood))
    assert len(chen.told) == 1
