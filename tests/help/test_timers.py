"""What happens by itself: on time, late, twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.help import jobs
from chalicelib.help.alerts import news_of
from chalicelib.help.models import HelpAlert
from chalicelib.kit import clock, timers
from chalicelib.kit.table import Item
from chalicelib.notices import alerts
from chalicelib.people.models import partition as resident_partition
from tests.help.street import (
    ERRAND,
    Street,
    ask,
    bring,
    check_books,
    lines,
    notices,
    offer,
    path,
    run_offer,
    run_request,
    states,
    stored,
)

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def listening(street: Street, number: int = 1) -> Any:
    people = street.residents(number)
    for each in people:
        assert each.put("/me/help-alerts", json={"on": True}).json == {"on": True}
    return people if number > 1 else people[0]


def crash(*_: Any) -> None:
    raise RuntimeError


def announced(request: str) -> None:
    assert run_request(request, clock.now()) == "help.announce"


class TestAnnouncing:
    def test_those_who_asked_for_it_are_told_once_and_the_asker_is_not(self, street):
        asker, willing = listening(street), listening(street)
        unwilling = street.resident()
        request = ask(asker)
        first = stored(request)
        announced(request)
        timers._handlers["help.announce"](first, now=clock.now())  # the index shows it once more
        assert (willing.told, asker.told, unwilling.told) == (["help_near_you"], [], [])
        assert check_books(request).request.timer == "help.escalate"

    def test_after_a_crash_in_the_middle_nobody_is_told_twice(self, street, monkeypatch):
        people = listening(street, 4)
        request = ask(street.resident())
        tell, told = alerts.tell_one, []

        def crash_after_two(*given: Any) -> None:
            if len(told) == 2:
                raise RuntimeError
            told.append(1)
            tell(*given)

        with monkeypatch.context() as patched, pytest.raises(RuntimeError):
            patched.setattr(alerts, "tell_one", crash_after_two)
            run_request(request, clock.now())
        other = ask(street.resident())
        announced(other)  # another one comes between
        announced(request)
        for each in people:
            assert sorted(notice.about for notice in notices(each, "help_near_you")) == sorted([request, other])

    def test_an_interruption_over_midnight_tells_nobody_twice(self, street, monkeypatch):
        willing = listening(street)
        request = ask(street.resident())
        with monkeypatch.context() as patched, pytest.raises(RuntimeError):
            patched.setattr(jobs, "_step", crash)
            run_request(request, clock.now())
        assert run_request(request, clock.now() + DAY) == "help.announce"
        assert willing.told == ["help_near_you"]

    def test_three_a_day_are_enough_and_the_next_day_counts_anew(self, street):
        willing = listening(street)
        requests = [ask(street.resident()) for _ in range(5)]
        for request in requests[:4]:
            announced(request)
        assert willing.told == ["help_near_you"] * 3
        assert run_request(requests[4], clock.now() + DAY) == "help.announce"
        assert willing.told == ["help_near_you"] * 4

    def test_a_stale_index_does_not_cost_somebody_their_news(self, street):
        willing = listening(street)
        stale = HelpAlert.find(resident_partition(willing.id), "HELP_ALERT")
        announced(ask(street.resident()))
        alerts.tell_one(stale, news_of(stored(ask(street.resident()))), clock.now())
        assert willing.told == ["help_near_you"] * 2

    def test_who_switches_it_off_hears_no_more(self, street):
        willing = listening(street)
        assert willing.get("/me/help-alerts").json == {"on": True}
        willing.put("/me/help-alerts", json={"on": False})
        assert willing.get("/me/help-alerts").json == {"on": False}
        announced(ask(street.resident()))
        assert willing.told == []

    def test_who_moves_hears_of_the_new_neighbours(self, street):
        willing, elsewhere = listening(street), Street(street.http, street.wechat)
        assert willing.put("/me/residence", json={"area": elsewhere.micro_grid}).status == 200
        announced(ask(street.resident()))
        assert willing.told == []
        announced(ask(elsewhere.resident()))
        assert willing.told == ["help_near_you"]

    def test_who_has_no_home_has_no_neighbours(self, street):
        nobody = street.resident()
        person = Item.collection(f"RES#{nobody.id}", "ME")[0]
        person.update([type(person).home.remove()])
        assert nobody.put("/me/help-alerts", json={"on": True}).code == "home_needed"

    def test_only_people_of_the_same_community_are_told(self, street):
        other = listening(Street(street.http, street.wechat))
        announced(ask(street.resident()))
        assert other.told == []

    @pytest.mark.parametrize("on", ["yes", 1, None])
    def test_on_is_yes_or_no(self, street, on):
        assert street.resident().put("/me/help-alerts", json={"on": on}).status == 422


class TestUnanswered:
    def escalated(self, street: Street, wait: timedelta, **change: Any) -> tuple[Any, str]:
        worker = street.staff("grid_worker", street.grid)
        request = ask(street.resident(), **change)
        announced(request)
        assert run_request(request, clock.now() + wait - MINUTE) is None
        assert run_request(request, clock.now() + wait) == "help.escalate"
        assert run_request(request, clock.now() + wait) is None
        return worker, request

    def test_after_a_day_the_grid_worker_is_told_and_finds_it_on_a_list(self, street):
        worker, request = self.escalated(street, DAY)
        assert worker.told == ["help_unanswered"]
        (line,) = lines(worker.get(f"/help-requests/unanswered?area={street.grid}"))
        assert (line["request_id"], line["area"]) == (request, street.micro_grid)

    def test_an_urgent_one_after_two_hours(self, street):
        worker, _ = self.escalated(street, 2 * HOUR, urgency="urgent")
        (notice,) = notices(worker, "help_unanswered_urgent")
        assert notice.urgent

    def test_the_first_offer_takes_it_off_the_list(self, street):
        worker, request = self.escalated(street, DAY)
        made = offer(street.resident(), request, 1)
        assert lines(worker.get(f"/help-requests/unanswered?area={street.grid}")) == []
        # … and when that offer comes to nothing, it is unanswered again, at once
        run_offer(request, made, clock.now() + 2 * DAY)
        assert run_request(request, clock.now() + 2 * DAY) == "help.escalate"
        assert worker.told == ["help_unanswered"] * 2
        assert len(lines(worker.get(f"/help-requests/unanswered?area={street.grid}"))) == 1

    @pytest.mark.parametrize("level", ["district", "street", "community", "grid", "micro_grid"])
    def test_each_level_reads_its_part(self, street, level):
        _, request = self.escalated(street, DAY)
        area = getattr(street, level)
        head = street.staff("community_worker", area)
        assert [line["request_id"] for line in lines(head.get(f"/help-requests/unanswered?area={area}"))] == [request]
        assert lines(head.get(f"/help-requests/unanswered?area={street.micro_grid}"))[0]["request_id"] == request
        other = f"{int(area) + 1}"
        assert head.get(f"/help-requests/unanswered?area={other}").code == "duty_needed"

    def test_residents_do_not_read_it(self, street):
        for who in (street.resident(), street.staff("moderator"), street.staff("desk_clerk")):
            assert who.get(f"/help-requests/unanswered?area={street.grid}").code == "duty_needed"

    def test_an_answered_one_is_not_escalated(self, street):
        worker = street.staff("grid_worker", street.grid)
        request = ask(street.resident())
        announced(request)
        offer(street.resident(), request, 1)
        assert run_request(request, clock.now() + DAY) is None
        assert worker.told == []

    def test_a_withdrawn_and_an_expired_one_leave_the_list(self, street):
        worker, request = self.escalated(street, DAY)
        asker = street.resident()
        withdrawn = ask(asker)
        announced(withdrawn)
        run_request(withdrawn, clock.now() + DAY)
        assert len(lines(worker.get(f"/help-requests/unanswered?area={street.grid}"))) == 2
        asker.post(f"/help-requests/{withdrawn}/withdraw")
        run_request(request, clock.now() + 15 * DAY)
        assert lines(worker.get(f"/help-requests/unanswered?area={street.grid}")) == []


class TestClosing:
    def test_without_an_answer_it_expires_and_the_asker_is_told(self, street):
        asker = street.resident()
        request = ask(asker)
        announced(request)
        run_request(request, clock.now() + DAY)
        late = clock.now() + 14 * DAY + MINUTE
        assert run_request(request, late) == "help.close"
        timers._handlers["help.close"](stored(request), now=late)
        assert asker.told == ["help_request_expired"]
        assert check_books(request).request.state == "expired"
        assert street.open_list(asker) == []

    def test_with_some_offers_it_is_content_with_them(self, street):
        asker, helper = street.residents(2)
        request = ask(asker)
        made = offer(helper, request, 2)
        announced(request)
        assert run_request(request, clock.now() + 15 * DAY) == "help.close"
        assert (stored(request).state, stored(request).timer, street.open_list(asker)) == ("covered", None, [])
        helper.post(path(request, made, "drop-off"))
        asker.post(path(request, made, "collect"))
        assert stored(request).timer == "help.fulfil"

    def test_an_offer_called_off_after_the_end_does_not_open_it_again(self, street):
        asker, *helpers = street.residents(3)
        request = ask(asker)
        first, _ = (offer(each, request, 2) for each in helpers)
        announced(request)
        now = clock.now()
        run_request(request, now + 15 * DAY)
        assert run_offer(request, first, now + 15 * DAY) == "help.lapse"
        assert (stored(request).state, stored(request).area_key, int(stored(request).offered)) == ("covered", None, 2)

    def test_the_last_offer_that_fails_after_the_end_lets_it_expire(self, street):
        asker, helper = street.residents(2)
        request = ask(asker)
        made = offer(helper, request, 2)
        announced(request)
        late = clock.now() + 15 * DAY
        run_request(request, late)
        run_offer(request, made, late)
        assert run_request(request, late) == "help.close"
        assert (stored(request).state, "help_request_expired" in asker.told) == ("expired", True)

    def test_everything_collected_in_time_and_then_closed_is_fulfilled_by_silence(self, street):
        asker, helper = street.residents(2)
        request = ask(asker)
        made = bring(helper, request, 2)
        asker.post(path(request, made, "collect"))
        announced(request)
        now = clock.now()
        assert run_request(request, now + 15 * DAY) == "help.close"
        assert run_request(request, now + 15 * DAY) == "help.fulfil"
        assert check_books(request).request.state == "fulfilled"


class TestLapsing:
    def test_what_is_not_brought_in_two_days_opens_again(self, street):
        asker, helper = street.residents(2)
        request = ask(asker)
        made = offer(helper, request, 5)
        assert run_offer(request, made, clock.now() + 47 * HOUR) is None
        for _ in range(2):
            run_offer(request, made, clock.now() + 49 * HOUR)
        assert (asker.told, helper.told) == (["help_offered", "help_offer_lapsed"], ["help_your_offer_lapsed"])
        assert (check_books(request).request.state, street.open_list(asker)) == ("open", [request])
        offer(helper, request, 5)

    def test_what_was_brought_does_not_lapse(self, street):
        asker, helper = street.residents(2)
        request = ask(asker)
        made = offer(helper, request, 5)
        before = Item.collection(f"HELP#{request}", "OFFER#")[0]
        helper.post(path(request, made, "drop-off"))
        timers._handlers["help.lapse"](before, now=clock.now() + 49 * HOUR)
        assert states(request) == ["dropped_off"]

    def test_the_setting_says_when(self, street, configure):
        configure("help", lapse_hours=1)
        request = ask(street.resident())
        made = offer(street.resident(), request)
        assert run_offer(request, made, clock.now() + 61 * MINUTE) == "help.lapse"


class TestReminding:
    @pytest.mark.parametrize(
        ("wish", "first", "second"),
        [(None, "help_not_fetched", "help_never_fetched"), (ERRAND, "help_not_confirmed", "help_never_confirmed")],
    )
    def test_after_two_days_the_requester_and_after_seven_the_grid_worker(self, street, wish, first, second):
        asker, helper = street.residents(2)
        worker = street.staff("grid_worker", street.grid)
        request = ask(asker, wish, quantity=1) if wish else ask(asker, quantity=1)
        made = bring(helper, request, 1)
        now = clock.now()
        assert run_offer(request, made, now + 47 * HOUR) is None
        for at in (2 * DAY, 2 * DAY + MINUTE, 6 * DAY):
            run_offer(request, made, now + at)
        assert asker.told[2:] == [first]
        assert worker.told == []
        for at in (7 * DAY + MINUTE, 8 * DAY):
            run_offer(request, made, now + at)
        assert (asker.told[2:], worker.told) == ([first], [second])
        assert states(request) == ["dropped_off"]

    def test_a_very_late_sweep_goes_straight_to_the_grid_worker(self, street):
        asker, helper = street.residents(2)
        worker = street.staff("grid_worker", street.grid)
        request = ask(asker)
        made = bring(helper, request)
        run_offer(request, made, clock.now() + 30 * DAY)
        assert (worker.told, "help_not_fetched" in asker.told) == (["help_never_fetched"], False)

    def test_another_setting_does_not_remind_for_ever(self, street, configure):
        configure("help", confirm_days=10)
        request = ask(street.resident())
        made = bring(street.resident(), request)
        now = clock.now()
        assert run_offer(request, made, now + 2 * DAY) == "help.remind"
        assert run_offer(request, made, now + 8 * DAY) is None
        assert run_offer(request, made, now + 10 * DAY + MINUTE) == "help.remind"
        assert run_offer(request, made, now + 20 * DAY) is None

    def test_nobody_is_reminded_of_what_was_fetched(self, street):
        asker, helper = street.residents(2)
        request = ask(asker)
        made = bring(helper, request)
        asker.post(path(request, made, "collect"))
        assert run_offer(request, made, clock.now() + 3 * DAY) is None


class TestSilence:
    def test_seven_days_without_an_objection_fulfil(self, street):
        asker, helper = street.residents(2)
        request = ask(asker)
        made = bring(helper, request)
        asker.post(path(request, made, "collect"))
        assert run_request(request, clock.now() + 7 * DAY - MINUTE) is None
        before = stored(request)
        for _ in range(2):
            timers._handlers["help.fulfil"](before, now=clock.now() + 7 * DAY + MINUTE)
        assert check_books(request).request.state == "fulfilled"
        assert helper.told.count("help_fulfilled") == 1

    def test_not_with_one_even_if_the_index_still_shows_the_timer(self, street):
        asker, helper = street.residents(2)
        request = ask(asker)
        made = bring(helper, request)
        asker.post(path(request, made, "collect"))
        before = stored(request)
        asker.post(f"/help-requests/{request}/object", json={"reason": "坏的"})
        timers._handlers["help.fulfil"](before, now=clock.now() + 8 * DAY)
        assert stored(request).state == "covered"

    def test_the_days_count_from_the_last_collection(self, street):
        asker, *helpers = street.residents(3)
        request = ask(asker, quantity=2)
        made = [bring(each, request, 1) for each in helpers]
        asker.post(path(request, made[0], "collect"))
        assert stored(request).timer is None
        asker.post(path(request, made[1], "collect"))
        assert (stored(request).timer, stored(request).settled_at is not None) == ("help.fulfil", True)


class TestTheSweeper:
    def test_it_finds_what_is_due_and_leaves_the_rest(self, street, empty_table):
        other = Street(street.http, street.wechat)
        request = ask(other.resident())
        now = clock.now()
        assert timers.sweep(now=now, time_left=lambda: 60) == 1
        assert timers.sweep(now=now, time_left=lambda: 60) == 0
        assert stored(request).timer == "help.escalate"
        assert timers.sweep(now=now + DAY, time_left=lambda: 60) >= 1
        assert stored(request).escalated_at is not None

    def test_a_hidden_request_has_no_timers(self, street):
        asker, flaggers = street.resident(), street.residents(3)
        request = ask(asker)
        for each in flaggers:
            each.post(f"/help-requests/{request}/flags", json={"reason": "fraud"})
        assert (stored(request).state, stored(request).timer, stored(request).due_at) == ("in_review", None, None)
