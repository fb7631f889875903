"""Checking in and out: by code, by scan, by the organiser's list; each refusal with its own answer."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kit import clock, limits
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.shifts.models import SignUp
from chalicelib.shifts.presence import checking as presence
from chalicelib.shifts.presence import codes
from chalicelib.shifts.presence import rules as presence_rules
from tests.engine.budget import budget
from tests.engine.meanwhile import meanwhile
from tests.help.street import at_once
from tests.neighbourhood import Hood, Neighbour
from tests.shifts import door, gate

TWO_CALLS = ["dynamodb BatchGetItem", "dynamodb TransactWriteItems"]


def place(who: Neighbour, shift: str) -> SignUp:
    found = gate.place_of(who, shift)
    assert found is not None
    return found


def guesses_of(whose: str) -> int:
    return sum(int(each.used) for each in Item.collection(f"LIMIT#{whose}") if "guess" in each.sk)


class TestByCode:
    def test_a_volunteer_checks_in_and_out_in_two_calls_each(self, hood: Hood) -> None:
        shift, chen = door.met(hood)
        with budget() as spent:
            came = door.check_in(chen, shift)
        assert spent.calls == TWO_CALLS
        assert (came.status, came.json["state"]) == (200, "checked_in")
        with budget() as spent:
            left = door.check_out(chen, shift)
        assert spent.calls == TWO_CALLS
        assert (left.status, left.json["state"], left.json["checked_in"]) == (
            200,
            "checked_out",
            came.json["checked_in"],
        )
        stored = place(chen, shift)
        assert (stored.in_by, stored.out_by) == ("code", "code")
        assert stored.in_at is not None
        assert stored.out_at is not None
        assert stored.in_at <= stored.out_at
        gate.adds_up(shift)

    def test_it_is_done_by_scanning_too(self, hood: Hood) -> None:
        shift, chen = door.met(hood)
        with budget() as spent:
            assert door.scan(chen, door.scene(shift)).json["state"] == "checked_in"
        assert spent.calls == TWO_CALLS
        assert door.scan(chen, door.scene(shift), "out").json["state"] == "checked_out"
        assert (place(chen, shift).in_by, place(chen, shift).out_by) == ("qr", "qr")

    def test_who_comes_late_or_goes_early_is_noted_as_they_were(self, hood: Hood) -> None:
        shift, chen = door.expected(hood)
        door.under_way(shift)
        before = clock.now()
        came = door.check_in(chen, shift)
        assert came.status == 200
        assert place(chen, shift).in_at >= before  # type: ignore[operator]
        assert door.check_out(chen, shift).status == 200
        assert place(chen, shift).out_at < gate.stored(shift).end_at  # type: ignore[operator]

    def test_staff_who_come_in_a_role_check_in_the_same_way(self, hood: Hood) -> None:
        shift, head = door.open_shift(hood, quorum={"micro_grid_head": 1}), hood.staff("micro_grid_head")
        gate.signed_up(head, shift, role="micro_grid_head")
        assert door.check_in(head, shift).json["role"] == "micro_grid_head"
        door.under_way(shift)
        assert door.check_out(head, shift).json["state"] == "checked_out"

    def test_a_repeat_gets_the_same_answer(self, hood: Hood) -> None:
        shift, chen = door.met(hood)
        code = door.digits(shift)
        first = door.check_in(chen, shift, code, key="in")
        assert door.check_in(chen, shift, code, key="in").json == first.json
        assert door.check_in(chen, shift, "000000", key="in").code == "idempotency_key_reused"
        scene = door.scene(shift)
        left = door.scan(chen, scene, "out", key="out")
        assert door.scan(chen, scene, "out", key="out").json == left.json
        assert guesses_of(chen.id) == 0


class TestRefusals:
    def test_who_has_not_signed_up(self, hood: Hood) -> None:
        shift, stranger = door.open_shift(hood), gate.volunteer(hood)
        for answer in (
            door.check_in(stranger, shift),
            door.check_out(stranger, shift),
            door.scan(stranger, door.scene(shift)),
            door.scan(stranger, door.scene(shift), "out"),
        ):
            assert (answer.status, answer.code) == (404, "not_signed_up")
        assert guesses_of(stranger.id) == 0

    def test_who_has_withdrawn(self, hood: Hood) -> None:
        shift, chen = door.expected(hood)
        assert chen.post(f"/shifts/{shift}/withdraw").status == 200
        assert door.check_in(chen, shift).code == "not_signed_up"
        assert door.check_out(chen, shift).code == "not_signed_up"

    def test_who_only_waits(self, hood: Hood) -> None:
        shift, _ = door.expected(hood, capacity=1)
        second = gate.volunteer(hood)
        gate.signed_up(second, shift, wait=True)
        assert door.check_in(second, shift).code == "still_waiting"
        assert door.check_out(second, shift).code == "still_waiting"

    def test_too_early_says_when_it_opens(self, hood: Hood) -> None:
        shift, chen = gate.shift(hood, starts=timedelta(minutes=31)), gate.volunteer(hood)
        gate.signed_up(chen, shift)
        answer = door.check_in(chen, shift)
        opens = gate.stored(shift).start_at - timedelta(minutes=30)
        assert answer.code == "check_in_too_early"
        assert clock.spoken(opens) in answer.json["detail"]
        door.change(shift, start_at=clock.now() + timedelta(minutes=29))
        assert door.check_in(chen, shift).status == 200

    def test_too_late_to_come_and_later_too_late_to_go(self, hood: Hood) -> None:
        shift, chen = door.expected(hood)
        door.under_way(shift, still=timedelta(seconds=-1))
        assert door.check_in(chen, shift).code == "shift_over"
        door.under_way(shift)
        assert door.check_in(chen, shift).status == 200
        door.under_way(shift, since=timedelta(hours=9), still=timedelta(hours=-2, seconds=-1))
        assert door.check_out(chen, shift).code == "shift_over"
        door.under_way(shift, since=timedelta(hours=9), still=timedelta(hours=-2, seconds=30))
        assert door.check_out(chen, shift).status == 200, "for two hours after the end"

    def test_a_shift_that_was_closed(self, hood: Hood) -> None:
        shift, chen = door.expected(hood)
        door.under_way(shift)
        door.change(shift, state="ended")
        assert door.check_in(chen, shift).code == "shift_over"
        gate.place_of(chen, shift).update([SignUp.state.set("no_show")])  # type: ignore[union-attr]
        assert door.check_in(chen, shift).code == "marked_absent"
        assert door.check_out(chen, shift).code == "marked_absent"

    def test_a_cancelled_shift(self, hood: Hood) -> None:
        shift, chen = door.expected(hood)
        other = gate.volunteer(hood)
        gate.signed_up(other, shift)
        assert door.check_in(chen, shift).status == 200
        door.change(shift, state="cancelled", cancelled_at=clock.now())
        assert door.check_in(other, shift).code == "shift_cancelled"
        assert door.check_out(other, shift).code == "shift_cancelled"
        early = door.check_out(chen, shift)
        assert (early.code, "时长" in early.json["detail"]) == ("shift_cancelled", False), "none are promised"
        met, wang = door.met(hood)
        assert door.check_in(wang, met).status == 200
        door.change(met, state="cancelled", cancelled_at=clock.now())
        answer = door.check_out(wang, met)
        assert answer.code == "shift_cancelled"
        assert "不用再签退" in answer.json["detail"]

    def test_another_shift_than_theirs_says_which_is_theirs(self, hood: Hood, tireless: None) -> None:
        """Not signed up for the one, or too early for it, while the diary has another now."""
        mine, chen = door.expected(hood)
        other = door.open_shift(hood)
        later = gate.shift(hood, starts=timedelta(hours=6))
        gate.signed_up(chen, later)
        start = clock.spoken(gate.stored(mine).start_at)
        for answer in (
            door.check_in(chen, other),
            door.scan(chen, door.scene(other)),
            door.scan(chen, door.scene(other), "out"),
            door.check_in(chen, later),
        ):
            assert (answer.status, answer.code) == (409, "wrong_shift")
            assert start in answer.json["detail"]

    def test_twice_says_since_when(self, hood: Hood) -> None:
        shift, chen = door.met(hood)
        came = door.check_in(chen, shift)
        again = door.check_in(chen, shift)
        assert again.code == "already_checked_in"
        assert came.json["checked_in"][11:16] in again.json["detail"]
        assert door.check_out(chen, shift).status == 200
        assert door.check_out(chen, shift).code == "already_checked_out"
        assert door.check_in(chen, shift).code == "already_checked_out"

    def test_nobody_goes_before_it_has_begun_and_who_cannot_stay_gives_the_place_back(self, hood: Hood) -> None:
        (shift, chen), carer = door.expected(hood), door.carer(hood)
        assert door.check_in(chen, shift).status == 200
        listed = door.tick(carer, shift, chen.id, "out")
        for answer in (door.check_out(chen, shift), door.scan(chen, door.scene(shift), "out"), listed):
            assert (answer.status, answer.code) == (409, "check_out_too_early")
        assert "您" not in listed.json["detail"]
        assert gate.state_of(chen, shift) == "checked_in"
        assert chen.post(f"/shifts/{shift}/withdraw").status == 200
        gate.adds_up(shift)

    def test_nobody_goes_who_has_not_come(self, hood: Hood) -> None:
        shift, chen = door.expected(hood)
        assert door.check_out(chen, shift).code == "not_checked_in"
        assert gate.state_of(chen, shift) == "signed_up"

    def test_an_old_code_is_told_from_a_wrong_one_and_is_no_guess(self, hood: Hood) -> None:
        shift, chen = door.expected(hood)
        for _ in range(presence_rules.GUESSES + 1):
            assert door.check_in(chen, shift, door.old(codes.digits, shift)).code == "check_in_code_expired"
            assert door.scan(chen, door.old(codes.scene, shift)).code == "check_in_code_expired"
        assert guesses_of(chen.id) == 0
        assert door.check_in(chen, shift).status == 200

    @pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "1 2 3"])
    def test_what_is_no_code_is_no_guess(self, hood: Hood, code: str) -> None:
        shift, chen = door.expected(hood)
        answer = chen.post(f"/shifts/{shift}/check-in", json={"code": code})
        assert (answer.status, answer.wrong) == (422, {"code": "签到码是 6 位数字"})
        assert guesses_of(chen.id) == 0

    @pytest.mark.parametrize("scene", ["", "https://example.com", "a" * 32, "口令", "a" * 64])
    def test_what_is_no_scene_of_ours_is_a_wrong_code(self, hood: Hood, scene: str) -> None:
        assert door.scan(gate.volunteer(hood), scene).code == "check_in_code_wrong"

    def test_a_shift_that_is_none(self, hood: Hood) -> None:
        shift, chen = door.expected(hood)
        elsewhere = f"{shift.partition('.')[0]}.{hood.street}002"
        for name in ("x", "shift_x", shift[:-1], elsewhere, shift.partition(".")[0]):
            answer = chen.post(f"/shifts/{name}/check-in", json={"code": "123456"})
            assert (answer.status, answer.code) == (404, "shift_not_found")


class TestGuessing:
    def test_the_right_code_comes_too_late_after_five_wrong_ones_but_scanning_goes_on(self, hood: Hood) -> None:
        shift, chen = door.expected(hood)
        wrong = door.wrong_digits(shift)
        guessed = [door.check_in(chen, shift, wrong).code for _ in range(6)]
        assert guessed == ["check_in_code_wrong"] * 5 + ["too_many_requests"]
        refused = door.check_in(chen, shift)
        assert (refused.status, refused.code) == (429, "too_many_requests")
        assert "扫" in refused.json["detail"]
        assert 0 < int(refused.headers["retry-after"]) <= 600
        assert gate.state_of(chen, shift) == "signed_up"
        assert door.scan(chen, door.scene(shift)).status == 200

    def test_forged_scenes_are_counted_too(self, hood: Hood) -> None:
        shift, chen = door.expected(hood)
        forged = door.scene(shift)[:26] + "aaaaaa"
        guessed = [door.scan(chen, forged).code for _ in range(6)]
        assert guessed == ["check_in_code_wrong"] * 5 + ["too_many_requests"]
        assert door.scan(chen, door.scene(shift)).code == "too_many_requests"
        assert door.check_in(chen, shift).status == 200, "digits have their own count"

    @pytest.fixture
    def guessed_by_others(self, hood: Hood, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Neighbour]:
        """A shift at which others have used up all the guesses, and somebody who is expected there."""
        monkeypatch.setattr(presence_rules, "GUESSES_AT_A_SHIFT", 3)
        shift, chen = door.expected(hood)
        per = presence_rules.GUESSES_AT_A_SHIFT_PER
        for _ in range(3):
            with transaction() as tx:
                limits.spend(tx, gate.stored(shift).pk, "guess", at_most=3, per=per, now=clock.now())
        return shift, chen

    def test_all_together_have_so_many_guesses_at_one_shift(self, guessed_by_others: tuple[str, Neighbour]) -> None:
        shift, chen = guessed_by_others
        wrong = door.wrong_digits(shift)
        assert [door.check_in(chen, shift, wrong).code for _ in range(6)] == ["too_many_requests"] * 6
        assert guesses_of(chen.id) == presence_rules.GUESSES, "they are this person's, too"
        assert door.check_in(chen, shift).code == "too_many_requests"
        assert door.scan(chen, door.scene(shift)).status == 200

    def test_others_wrong_guesses_do_not_keep_out_who_has_made_none(
        self, guessed_by_others: tuple[str, Neighbour]
    ) -> None:
        shift, chen = guessed_by_others
        assert door.check_in(chen, shift).status == 200
        assert door.check_in(chen, shift).code == "already_checked_in"
        door.under_way(shift)
        assert door.check_out(chen, shift, door.wrong_digits(shift)).code == "too_many_requests"
        assert door.check_out(chen, shift).code == "too_many_requests", "one wrong guess is one too many there"

    def test_thirty_two_guesses_at_once_are_worth_five(self, hood: Hood) -> None:
        shift, chen = door.expected(hood)
        wrong = door.wrong_digits(shift)
        answers = at_once(*(lambda: door.check_in(chen, shift, wrong) for _ in range(32)))
        assert Counter(answer.code for answer in answers) <= Counter(
            {"check_in_code_wrong": 5, "too_many_requests": 32, "server_busy": 32}
        )
        assert guesses_of(chen.id) == sum(answer.code == "check_in_code_wrong" for answer in answers)
        assert guesses_of(chen.id) == 5
        assert door.check_in(chen, shift).code == "too_many_requests"

    def test_the_right_guess_does_not_get_through_when_the_wrong_ones_were_counted_meanwhile(self, hood: Hood) -> None:
        shift, chen = door.expected(hood)
        wrong = door.wrong_digits(shift)

        def guess() -> None:
            for _ in range(5):
                assert door.check_in(chen, shift, wrong).code == "check_in_code_wrong"

        with meanwhile(f"SIGN_UP#{chen.id}", guess):
            assert door.check_in(chen, shift).code == "too_many_requests"
        assert gate.state_of(chen, shift) == "signed_up"


class TestWhoWaitedInVain:
    def test_is_ticked_off_once_it_has_begun_and_there_is_a_place(self, hood: Hood) -> None:
        shift, chen = door.expected(hood, capacity=1)
        carer, waits = door.carer(hood), gate.volunteer(hood)
        gate.signed_up(waits, shift, wait=True)
        early = door.tick(carer, shift, waits.id)
        assert early.code == "still_waiting"
        assert "您" not in early.json["detail"]
        door.under_way(shift)
        full = door.tick(carer, shift, waits.id)
        assert (full.status, full.code) == (409, "shift_full")
        assert "名额改大" in full.json["detail"]
        assert gate.state_of(waits, shift) == "waiting"
        door.change(shift, capacity=2)
        assert door.check_in(waits, shift).code == "still_waiting", "who runs the shift decides"
        answers = at_once(*(lambda: door.tick(carer, shift, waits.id, key="k") for _ in range(4)))
        assert {answer.json.get("presence") for answer in answers} == {"here"}
        found = gate.adds_up(shift)
        assert (int(found.taken), int(found.waiting), gate.queue(shift)) == (2, 0, [])
        assert door.check_in(chen, shift).status == 200
        assert door.check_out(waits, shift).status == 200

    def test_not_after_the_end(self, hood: Hood) -> None:
        shift, _ = door.expected(hood, capacity=1)
        carer, waits = door.carer(hood), gate.volunteer(hood)
        gate.signed_up(waits, shift, wait=True)
        door.change(shift, capacity=2)
        door.under_way(shift, still=timedelta(seconds=-1))
        assert door.tick(carer, shift, waits.id).code == "still_waiting"
        gate.adds_up(shift)


class TestAtTheSameMoment:
    def test_two_phones_of_one_person_check_in_once(self, hood: Hood) -> None:
        shift, chen = door.expected(hood)
        code = door.digits(shift)
        answers = at_once(*(lambda: door.check_in(chen, shift, code) for _ in range(8)))
        assert Counter(answer.code for answer in answers) == {None: 1, "already_checked_in": 7}
        (came,) = (answer.json["checked_in"] for answer in answers if answer.status == 200)
        assert came == clock.local(place(chen, shift).in_at).isoformat()  # type: ignore[arg-type]

    def test_one_key_on_two_phones_is_one_check_in(self, hood: Hood) -> None:
        shift, chen = door.expected(hood)
        code = door.digits(shift)
        answers = at_once(*(lambda: door.check_in(chen, shift, code, key="k") for _ in range(8)))
        assert {answer.status for answer in answers} == {200}
        assert len({answer.json["checked_in"] for answer in answers}) == 1

    def test_many_check_in_at_once(self, hood: Hood) -> None:
        shift = door.open_shift(hood, capacity=6)
        crowd = [gate.volunteer(hood) for _ in range(6)]
        for who in crowd:
            gate.signed_up(who, shift)
        answers = at_once(*(lambda who=who: door.check_in(who, shift) for who in crowd))
        assert Counter(answer.code for answer in answers) == {None: 6}
        gate.adds_up(shift)

    def test_a_cancellation_in_between_is_what_counts(self, hood: Hood) -> None:
        shift, chen = door.expected(hood)

        def cancel() -> None:
            door.change(shift, state="cancelled", version=9)

        with meanwhile(f"SIGN_UP#{chen.id}", cancel):
            assert door.check_in(chen, shift).code == "shift_cancelled"
        assert gate.state_of(chen, shift) == "signed_up"

    def test_who_was_logged_out_everywhere_meanwhile_is_not_checked_in(self, hood: Hood) -> None:
        shift, chen = door.expected(hood)
        with meanwhile(f"SIGN_UP#{chen.id}", lambda: chen.post("/sessions/revoke")):
            assert door.check_in(chen, shift).status == 401
        assert gate.state_of(chen, shift) == "signed_up"


class TestTheOrganisersPage:
    def test_shows_what_people_check_in_with(self, hood: Hood) -> None:
        (shift, chen), carer = door.met(hood), door.carer(hood)
        shown = carer.get(f"/shifts/{shift}/code").json
        assert shown["picture"].startswith("data:image/png;base64,")
        assert shown["refresh_at"] < shown["good_until"]
        assert door.scan(chen, shown["scene"]).status == 200
        assert door.check_out(chen, shift, shown["code"]).status == 200

    def test_without_a_picture_it_is_one_call(self, hood: Hood) -> None:
        shift, carer = door.open_shift(hood), door.carer(hood)
        with budget() as spent:
            shown = carer.get(f"/shifts/{shift}/code?picture=false").json
        assert spent.calls == ["dynamodb BatchGetItem"]
        assert shown["picture"] is None
        assert len(shown["code"]) == 6

    def test_the_digits_come_even_when_wechat_does_not_answer(self, hood: Hood) -> None:
        shift, carer = door.open_shift(hood), door.carer(hood)
        hood.wechat.break_("down", "/wxa/getwxacodeunlimit")
        answer = carer.get(f"/shifts/{shift}/code")
        assert (answer.status, answer.json["picture"]) == (200, None)
        assert len(answer.json["code"]) == 6

    def test_or_when_too_many_pictures_were_drawn(self, hood: Hood, monkeypatch: pytest.MonkeyPatch) -> None:
        shift, carer = door.open_shift(hood), door.carer(hood)
        monkeypatch.setattr(presence, "PICTURES_AN_HOUR", 1)
        assert carer.get(f"/shifts/{shift}/code").json["picture"]
        answer = carer.get(f"/shifts/{shift}/code")
        assert (answer.status, answer.json["picture"]) == (200, None)

    def test_a_shift_of_four_hours_has_pictures_to_its_end(self) -> None:
        assert timedelta(hours=1) / codes.SCENE_SHOWN <= presence.PICTURES_AN_HOUR / 2

    def test_is_open_from_half_an_hour_before_until_two_hours_after(self, hood: Hood) -> None:
        shift, carer = gate.shift(hood, starts=timedelta(minutes=31)), door.carer(hood)

        def code() -> Any:
            return carer.get(f"/shifts/{shift}/code?picture=false").code

        assert code() == "check_in_too_early"
        door.under_way(shift, since=timedelta(minutes=-29), still=timedelta(hours=4))
        assert code() is None
        door.under_way(shift, since=timedelta(hours=6), still=timedelta(hours=-2, seconds=30))
        assert code() is None
        door.under_way(shift, since=timedelta(hours=6), still=timedelta(hours=-2, seconds=-1))
        assert code() == "shift_over"
        door.under_way(shift)
        door.change(shift, state="cancelled")
        assert code() == "shift_cancelled"

    def test_is_for_who_runs_the_shift_alone(self, hood: Hood) -> None:
        shift, chen = door.expected(hood)
        elsewhere = hood.staff("grid_worker", f"{hood.street}002")
        for who in (chen, elsewhere, hood.staff("moderator"), hood.staff("coordinator")):
            assert who.get(f"/shifts/{shift}/code").code == "duty_needed"
        for role, area in (("micro_grid_head", hood.community), ("community_worker", hood.street)):
            assert hood.staff(role, area).get(f"/shifts/{shift}/code?picture=false").status == 200


class TestByTheList:
    def test_the_organiser_ticks_people_off_as_they_come_and_go(self, hood: Hood) -> None:
        (shift, chen), carer = door.met(hood), door.carer(hood)
        with budget() as spent:
            came = door.tick(carer, shift, chen.id, key="a")
        assert spent.calls == TWO_CALLS
        assert came.json["presence"] == "here"
        assert door.tick(carer, shift, chen.id, key="a").json == came.json
        assert door.tick(carer, shift, chen.id, "out").json["presence"] == "left"
        stored = place(chen, shift)
        assert (stored.in_by, stored.out_by) == (carer.id, carer.id)

    def test_nobody_ticks_themself(self, hood: Hood) -> None:
        shift, carer = door.open_shift(hood), door.carer(hood)
        gate.approve(carer)
        gate.signed_up(carer, shift)
        assert door.tick(carer, shift, carer.id).code == "not_for_yourself"
        assert gate.state_of(carer, shift) == "signed_up"
        assert door.tick(door.carer(hood), shift, carer.id).status == 200
        assert door.tick(carer, shift, carer.id, "out").code == "not_for_yourself"
        door.under_way(shift)
        assert door.check_out(carer, shift).status == 200, "as everybody does"

    def test_refusals_are_about_the_other_person(self, hood: Hood) -> None:
        (shift, chen), carer = door.expected(hood, capacity=1), door.carer(hood)
        second, stranger = gate.volunteer(hood), gate.volunteer(hood)
        gate.signed_up(second, shift, wait=True)
        out = door.tick(carer, shift, chen.id, "out")
        waits = door.tick(carer, shift, second.id)
        assert (out.code, waits.code) == ("not_checked_in", "still_waiting")
        assert door.tick(carer, shift, chen.id).status == 200
        twice = door.tick(carer, shift, chen.id)
        assert twice.code == "already_checked_in"
        assert second.post(f"/shifts/{shift}/withdraw").status == 200
        cancelled = door.tick(carer, shift, second.id)
        assert cancelled.code == "not_signed_up"
        for answer in (out, waits, twice, cancelled):
            assert "您" not in answer.json["detail"]
        assert door.tick(carer, shift, stranger.id).code == "not_on_the_list"
        assert door.tick(carer, shift, "x").code == "not_on_the_list"

    def test_is_for_who_runs_the_shift_alone(self, hood: Hood) -> None:
        shift, chen = door.expected(hood)
        elsewhere = hood.staff("grid_worker", f"{hood.street}002")
        for who in (chen, elsewhere):
            assert door.tick(who, shift, chen.id).code == "duty_needed"

    def test_a_duty_that_ends_meanwhile_ticks_nobody(self, hood: Hood) -> None:
        from chalicelib.people import service as people
        from chalicelib.people.models import Duty

        (shift, chen), carer = door.expected(hood), door.carer(hood)
        duty = Duty.fetch(*(lambda key: (key.pk, key.sk))(Duty.key(carer.id, "grid_worker", hood.community)))

        def end() -> None:
            with transaction() as tx:
                people.end_duty(tx, duty, now=clock.now())

        with meanwhile(f"SIGN_UP#{chen.id}", end):
            assert door.tick(carer, shift, chen.id).code == "duty_needed"
        assert gate.state_of(chen, shift) == "signed_up"
