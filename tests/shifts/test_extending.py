"""A published activity goes on: further shifts, all of them at once, seen by those who want to hear of new ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kit import clock, timers
from chalicelib.notices import alerts
from chalicelib.shifts import rules
from chalicelib.shifts.models import Activity
from chalicelib.shifts.planning import cancelling
from chalicelib.shifts.planning import personal as organiser_personal
from chalicelib.wechat.errors import WeChatUnavailable
from local.wechat import catalogue
from local.wechat.control import StandIn
from tests.engine.budget import budget
from tests.engine.http import Answer, Http
from tests.engine.meanwhile import meanwhile
from tests.help.street import Street, at_once
from tests.neighbourhood import Hood, Neighbour
from tests.shifts import gate, organised
from tests.shifts.organised import at, cancel, drafted, gates, good, published, single, told, two_more_weeks
from tests.shifts.test_announcing import announced, willing

DOUBTFUL, RISKY = sorted(catalogue.REVIEW_WORDS)[0], sorted(catalogue.RISKY_WORDS)[0]
RAIN = {"reason": "下雨，改天再守"}


@pytest.fixture
def hood(http: Http, wechat: StandIn) -> Street:
    """A neighbourhood whose people are there without a login each."""
    return Street(http, wechat)


def add(who: Neighbour, activity: str, *, version: int | None = None, key: str | None = None, **plan: Any) -> Answer:
    if version is None:
        version = int(organised.activity_of(activity).version)
    return who.post(f"/activities/{activity}/shifts", json={"version": version, **plan}, key=key)


def test_two_more_weeks_of_a_gate_are_there_by_one_write_and_a_repeat_says_the_same(hood: Hood) -> None:
    worker = hood.staff("grid_worker")
    made = published(worker, recurring=gates(), points_an_hour=5)
    with budget() as spent:
        added = good(add(worker, made["id"], recurring=two_more_weeks(), key="a"))
    assert [call for call in spent.calls if "Write" in call] == ["dynamodb TransactWriteItems"]
    assert len(added["shifts"]) == 28
    assert (added["activity"], added["version"]) == (made["id"], made["version"] + 1)
    assert {each["still_missing"] for each in added["shifts"]} == {"还缺：志愿者 2 名、社区工作人员 1 名"}
    shown = good(hood.resident().get(f"/activities/{made['id']}"))
    assert shown["shifts"] == [*made["shifts"], *added["shifts"]]
    first = gate.stored(added["shifts"][0]["id"])
    assert (first.activity, first.organiser, first.points_an_hour) == (made["id"], worker.id, 5)
    assert (first.timer, first.due_at) == ("shifts.end", first.end_at + timedelta(hours=2))
    gate.signed_up(gate.volunteer(hood), first.id)
    again = good(add(worker, made["id"], recurring=two_more_weeks(), version=made["version"], key="a"))
    assert [each["id"] for each in again["shifts"]] == [each["id"] for each in added["shifts"]]
    other = add(worker, made["id"], recurring=gates(1), version=made["version"], key="a")
    assert other.code == "idempotency_key_reused"
    assert len(organised.activity_of(made["id"]).shifts) == 56
    assert worker.get("/activities/mine").json["items"][0]["number_of_shifts"] == 56


def test_of_two_at_once_one_counts_and_a_doubled_tap_makes_them_once(hood: Hood) -> None:
    worker, colleague = hood.staff("grid_worker"), hood.staff("community_worker")
    made = published(worker)["id"]
    one, other = at_once(
        lambda: add(worker, made, version=1, shifts=[single(3)], key="w"),
        lambda: add(colleague, made, version=1, shifts=[single(4)], key="c"),
    )
    assert sorted((one.status, other.status)) == [201, 409]
    assert {one.code, other.code} == {None, "version_outdated"}
    doubled = at_once(*(lambda: add(worker, made, version=2, shifts=[single(5)], key="d") for _ in range(3)))
    assert [each.status for each in doubled] == [201] * 3
    assert len({each.json["shifts"][0]["id"] for each in doubled}) == 1
    assert len(organised.activity_of(made).shifts) == 3


def test_what_the_organiser_saw_stays_valid_when_people_are_told_and_sign_up(hood: Hood) -> None:
    worker = hood.staff("grid_worker")
    made = published(worker, needs_approval=False)
    gate.signed_up(hood.resident(), made["shifts"][0]["id"])
    announced(organised.activity_of(made["id"]))
    good(add(worker, made["id"], version=made["version"], shifts=[single(3)]))


class TestTheWillingHearOfIt:
    def test_of_the_new_shifts_the_same_day_too_and_once_each(self, hood: Hood) -> None:
        worker, chen = hood.staff("grid_worker"), willing(hood)
        made = published(worker, recurring=gates())["id"]
        announced(organised.activity_of(made))
        good(add(worker, made, shifts=[single(20, 8, 12), single(21, 8, 12)]))
        announced(organised.activity_of(made))
        texts = [each["text"] for each in chen.get("/inbox").json["items"] if "招募" in each["text"]]
        assert ["共 2 个班次" in text for text in texts] == [True, False]
        assert clock.spoken(at(20, 8)) in texts[0]

    def test_of_what_is_added_while_they_are_being_told_as_news_of_its_own(
        self, hood: Hood, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        worker, chen = hood.staff("grid_worker"), willing(hood)
        made = published(worker, recurring=gates(2))["id"]
        tell = alerts.tell_each

        def adding(*given: Any, **more: Any) -> None:
            tell(*given, **more)
            monkeypatch.setattr(alerts, "tell_each", tell)
            good(add(worker, made, shifts=[single(20)]))

        monkeypatch.setattr(alerts, "tell_each", adding)
        announced(organised.activity_of(made))
        texts = [message.text for message in told(chen, "shift_new")]
        assert [number for number in (4, 5, 1) if any(f"共 {number} 个班次" in text for text in texts)] == [4, 1]
        assert organised.activity_of(made).told_of == 5

    def test_told_in_one_word_when_nobody_was_told_before_and_within_the_daily_cap(self, hood: Hood) -> None:
        worker, chen = hood.staff("grid_worker"), willing(hood)
        made = published(worker, shifts=[single(2)])["id"]
        for days in (3, 4):
            good(add(worker, made, shifts=[single(days)]))
        announced(organised.activity_of(made))
        (message,) = told(chen, "shift_new")
        assert "共 3 个班次" in message.text
        for days in (5, 6, 7, 8):
            good(add(worker, made, shifts=[single(days)]))
            announced(organised.activity_of(made))
        assert len(told(chen, "shift_new")) == rules.settings_in_force().alerts_a_day


class TestWhatIsRefused:
    def test_what_is_not_published_or_cancelled(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker")
        draft = drafted(worker)["id"]
        gone = published(worker)["id"]
        good(worker.post(f"/activities/{gone}/cancel", json=RAIN))
        for each in (draft, gone):
            assert add(worker, each, shifts=[single(5)]).code == "step_not_possible"

    def test_a_wrong_plan_names_the_field_and_changes_nothing(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker")
        made = published(worker, shifts=[single(2)])
        wrong: list[tuple[dict[str, Any], str]] = [
            ({}, "shifts"),
            ({"shifts": [single(2)]}, "shifts[0].start"),  # is there already
            ({"shifts": [single(3), single(3)]}, "shifts[1].start"),
            ({"shifts": [single(-1)]}, "shifts[0].start"),
            ({"recurring": gates(23)}, "recurring"),
            ({"shifts": [single(3, place=" ")]}, "shifts[0].place"),
        ]
        for plan, field in wrong:
            answer = add(worker, made["id"], **plan)
            assert (answer.status, field in [each["field"] for each in answer.json["fields"]]) == (422, True), (
                plan,
                answer,
            )
        for body in ({"shifts": [single(3)]}, {"version": "1", "shifts": [single(3)]}, {"version": 1, "title": "x"}):
            assert worker.post(f"/activities/{made['id']}/shifts", json=body).status == 422
        assert good(worker.get(f"/activities/{made['id']}")) == made

    def test_the_time_of_a_shift_that_was_cancelled_is_free_again(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker")
        made = published(worker, shifts=[single(2)])
        good(cancel(worker, made["shifts"][0]["id"]))
        good(add(worker, made["id"], shifts=[single(2)]))

    def test_more_than_an_activity_takes_in_all(self, hood: Hood, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rules, "SHIFTS_IN_ALL", 3)
        worker = hood.staff("grid_worker")
        made = published(worker, shifts=[single(2), single(3)])["id"]
        refused = add(worker, made, shifts=[single(4), single(5)])
        assert (refused.code, "还能加 1 个" in refused.json["detail"]) == ("activity_full", True)
        good(add(worker, made, shifts=[single(4)]))
        full = add(worker, made, shifts=[single(5)])
        assert (full.code, "请新建活动" in full.json["detail"]) == ("activity_full", True)

    def test_only_who_looks_after_the_area_adds_any(self, hood: Hood) -> None:
        made = published(hood.staff("grid_worker"))["id"]
        for who in (hood.resident(), hood.staff("moderator"), hood.staff("grid_worker", f"{hood.street}002")):
            assert add(who, made, shifts=[single(3)]).code == "duty_needed"
        good(add(hood.staff("community_worker"), made, shifts=[single(3)]))
        assert add(hood.staff("grid_worker"), "activity_x", version=0, shifts=[single(3)]).code == "activity_not_found"


class TestPlaces:
    def test_a_place_that_does_not_pass_is_not_shown_to_anybody(self, hood: Hood, wechat: StandIn) -> None:
        worker = hood.staff("grid_worker")
        made = published(worker)
        for place, code in ((f"{RISKY}门", "content_refused"), (f"{DOUBTFUL}门", "place_in_doubt")):
            assert add(worker, made["id"], shifts=[single(3, place=place)]).code == code
        assert good(worker.get(f"/activities/{made['id']}")) == made
        good(add(worker, made["id"], shifts=[single(3, place="南门")]))

    def test_without_wechat_new_places_wait_and_known_ones_do_not(
        self, hood: Hood, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def silent(*_: Any, **__: Any) -> None:
            raise WeChatUnavailable("down", answer_lost=False)

        worker = hood.staff("grid_worker")
        made = published(worker)["id"]
        monkeypatch.setattr("chalicelib.content.service.check_text", silent)
        refused = add(worker, made, shifts=[single(3, place="南门")])
        assert (refused.status, refused.code) == (503, "place_unchecked")
        good(add(worker, made, shifts=[single(3)]))


class TestCancellingMoreThanOneWriteTakes:
    def long(self, worker: Neighbour, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """An activity of five shifts, of which a write takes two."""
        monkeypatch.setattr(cancelling, "IN_ONE_WRITE", 2)
        made = published(worker, shifts=[single(n) for n in (4, 5, 6)])["id"]
        good(add(worker, made, shifts=[single(n) for n in (2, 3)]))
        return [made, *organised.activity_of(made).shifts]

    def test_all_are_cancelled_the_first_to_start_first(self, hood: Hood, monkeypatch: pytest.MonkeyPatch) -> None:
        worker = hood.staff("grid_worker")
        made, *shifts = self.long(worker, monkeypatch)
        with budget() as spent:
            answer = good(worker.post(f"/activities/{made}/cancel", json=RAIN, key="c"))
        assert answer["state"] == "cancelled"
        assert spent.calls.count("dynamodb TransactWriteItems") == 3
        assert [gate.stored(each).state for each in shifts] == ["cancelled"] * 5
        assert organised.activity_of(made).timer is None
        assert good(worker.post(f"/activities/{made}/cancel", json=RAIN, key="c")) == answer

    @pytest.mark.parametrize("by", ["timer", "repeat"])
    def test_cut_off_it_goes_on(self, hood: Hood, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
        worker = hood.staff("grid_worker")
        made, *shifts = self.long(worker, monkeypatch)
        with monkeypatch.context() as patched:

            def busy(*_: Any, **__: Any) -> None:
                raise rules.TryAgain()

            patched.setattr(cancelling, "cancel_rest", busy)
            good(worker.post(f"/activities/{made}/cancel", json=RAIN, key="c"))
        states = [gate.stored(each).state for each in shifts]
        assert states == ["published"] * 3 + ["cancelled"] * 2, "the next to start are cancelled at once"
        activity = organised.activity_of(made)
        assert (activity.state, activity.timer) == ("cancelled", cancelling.REST)
        if by == "timer":
            timers._run(activity, activity.due_at)
        else:
            good(worker.post(f"/activities/{made}/cancel", json=RAIN, key="c"))
        assert {gate.stored(each).state for each in shifts} == {"cancelled"}
        assert {gate.stored(each).reason for each in shifts} == {RAIN["reason"]}
        assert organised.activity_of(made).timer is None
        cancelling.cancel_rest(activity, now=clock.now())

    def test_ninety_shifts_are_cancelled_by_two_writes(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker")
        made = published(worker, shifts=[single(n) for n in range(1, 46)])["id"]
        good(add(worker, made, shifts=[single(n) for n in range(46, 91)]))
        with budget() as spent:
            good(worker.post(f"/activities/{made}/cancel", json=RAIN))
        assert spent.calls.count("dynamodb TransactWriteItems") == 2
        assert {gate.stored(each).state for each in organised.activity_of(made).shifts} == {"cancelled"}


class TestLeaving:
    def test_whoever_closes_their_account_while_shifts_are_added_is_in_none_of_them(self, hood: Hood) -> None:
        worker, colleague = hood.staff("grid_worker", name="王网格"), hood.staff("community_worker")
        made = published(worker)["id"]

        def leave() -> None:
            organiser_personal.erase(worker.id, now=clock.now())

        with meanwhile(f"ACTIVITY#{made}", leave):
            add(colleague, made, version=1, shifts=[single(3)])
        current = organised.activity_of(made)
        for each in (current, *map(gate.stored, current.shifts)):
            assert (each.organiser, each.person_key) == (None, None)
            assert "王网格" not in str(each.to_simple_dict())

    def test_nor_in_shifts_of_which_the_index_does_not_know_yet(
        self, hood: Hood, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        worker = hood.staff("grid_worker", name="王网格")
        made = published(worker)["id"]
        good(add(worker, made, shifts=[single(3)]))
        monkeypatch.setattr(organiser_personal, "_shifts", lambda _: [])
        organiser_personal.erase(worker.id, now=clock.now())
        for shift in organised.activity_of(made).shifts:
            assert gate.stored(shift).organiser is None

    def test_without_an_organiser_a_colleague_goes_on(self, hood: Hood) -> None:
        worker, colleague = hood.staff("grid_worker"), hood.staff("community_worker")
        made = published(worker)["id"]
        organiser_personal.erase(worker.id, now=clock.now())
        added = good(add(colleague, made, shifts=[single(3)]))["shifts"][0]["id"]
        assert (gate.stored(added).organiser, gate.stored(added).person_key) == (None, None)
        assert isinstance(organised.activity_of(made), Activity)
