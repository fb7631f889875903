"""Those who look after an area decide who volunteers there, and put the guardians' consent on file."""

from __future__ import annotations

from datetime import datetime, timedelta
from unittest.mock import patch

import pytest

from chalicelib.kit import clock, ids
from chalicelib.kit.transaction import transaction
from chalicelib.people import lookups
from chalicelib.people import service as people
from chalicelib.people.models import Duty
from chalicelib.volunteers import rules
from chalicelib.volunteers.models import Volunteer
from chalicelib.volunteers.profile import files, follow_up, forgetting
from tests.engine.http import Answer
from tests.neighbourhood import Hood
from tests.security.routes import all_routes
from tests.shifts import evening, gate
from tests.volunteers import desk
from tests.volunteers.desk import FORM, REASON

KEPT = rules.DECLINED_KEPT
WHY = {"reason": "核对身份证上的姓名"}
READABLE = set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


class TestApproving:
    def test_the_applicant_is_told_and_gets_a_number(self, hood: Hood) -> None:
        worker, chen = hood.staff("grid_worker", hood.grid), desk.applicant(hood)
        shift = gate.shift(hood)
        assert gate.sign_up(chen, shift).code == "volunteer_approval_needed"
        answer = desk.approve(chen, by=worker)
        assert (answer.status, answer.json["state"]) == (200, "approved")
        assert chen.told == ["volunteer_approved"]
        number = desk.mine(chen)["number"]
        assert len(number) == 8
        assert set(number) <= READABLE
        assert desk.waiting(worker, hood.grid) == []
        assert gate.signed_up(chen, shift)["state"] == "signed_up"

    def test_only_the_volunteer_sees_the_number(self, hood: Hood) -> None:
        worker, chen = hood.staff("grid_worker"), desk.applicant(hood)
        answer = desk.approve(chen, by=worker)
        assert desk.mine(chen)["number"] not in answer.text + chen.get("/inbox").text

    def test_the_community_office_may_decide_too_and_others_may_not(self, hood: Hood) -> None:
        chen = desk.applicant(hood)
        others = [hood.resident(), *(hood.staff(role) for role in ("micro_grid_head", "moderator", "coordinator"))]
        for other in [*others, hood.staff("grid_worker", f"{hood.community}002")]:
            assert desk.approve(chen, by=other).code == "volunteer_not_found"
            assert desk.decline(chen, by=other).code == "volunteer_not_found"
            assert desk.consent(chen, by=other).code == "volunteer_not_found"
            assert other.post(f"/volunteers/{chen.id}/guardian-consent/withdraw").code == "volunteer_not_found"
            assert other.get(f"/volunteers/applications?area={hood.micro_grid}").code == "duty_needed"
        assert desk.mine(chen)["state"] == "applied"
        assert desk.approve(chen, by=hood.staff("community_worker")).status == 200

    def test_a_duty_that_has_ended_decides_nothing(self, hood: Hood) -> None:
        worker, chen = hood.staff("grid_worker"), desk.applicant(hood)
        with transaction() as tx:
            people.end_duty(tx, Duty.key(worker.id, "grid_worker", hood.community), now=clock.now())
        assert desk.approve(chen, by=worker).code == "volunteer_not_found"

    def test_nobody_decides_on_their_own(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker")
        desk.applied(worker)
        for answer in (
            desk.approve(worker, by=worker),
            desk.decline(worker, by=worker),
            desk.consent(worker, by=worker),
        ):
            assert (answer.status, answer.code) == (403, "own_application")
        assert desk.mine(worker)["state"] == "applied"

    def test_a_repeat_tells_and_numbers_once(self, hood: Hood) -> None:
        worker, chen = hood.staff("grid_worker"), desk.applicant(hood)
        assert desk.approve(chen, by=worker, key="a").json == desk.approve(chen, by=worker, key="a").json
        assert chen.told == ["volunteer_approved"]
        assert desk.approve(chen, by=worker).code == "application_not_waiting"
        assert desk.decline(chen, by=worker).code == "application_not_waiting"

    def test_a_number_that_somebody_has_is_drawn_anew(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker")
        first = desk.approved(desk.applicant(hood), by=worker)
        taken, free = desk.mine(first)["number"], ids.pick_up_code()
        second = desk.applicant(hood)
        with patch.object(ids, "pick_up_code", side_effect=[taken, free]):
            desk.approved(second, by=worker)
        assert desk.mine(second)["number"] == free
        assert desk.link(taken).resident_id == first.id

    def test_somebody_of_whom_only_a_diary_is_kept_is_nobody_to_decide_about(self, hood: Hood) -> None:
        worker, li = hood.staff("grid_worker"), hood.resident()
        gate.signed_up(li, gate.shift(hood, needs_approval=False))
        assert desk.approve(li, by=worker).code == "volunteer_not_found"
        assert worker.post("/volunteers/res_nobody/approve").code == "volunteer_not_found"


class TestSeeingWhoItIs:
    """The name that a statement certifies is one that somebody has compared with a document."""

    def look(self, who: gate.Neighbour, by: gate.Neighbour, key: str | None = None) -> Answer:
        return by.post(f"/volunteers/{who.id}/identity", json=WHY, key=key)

    def test_name_and_birth_date_are_shown_to_who_decides_and_the_applicant_learns_why(self, hood: Hood) -> None:
        worker, chen = hood.staff("grid_worker"), desk.applicant(hood)
        for _ in range(2):
            assert self.look(chen, worker, key="a").json == {"name": FORM["name"], "birth": FORM["birth"]}
        assert chen.told == ["looked_up"]
        (look,) = chen.get("/me/lookups").json["items"]
        assert (look["by"], look["role"], look["reason"]) == (desk.nickname(worker), "网格员", WHY["reason"])
        assert look["what"] == "真实姓名和出生日期"
        assert "真实姓名和出生日期" in chen.get("/inbox").json["items"][0]["text"]

    def test_nobody_else_sees_it_nor_what_is_not_in_force(self, hood: Hood) -> None:
        worker, chen = hood.staff("grid_worker"), desk.applicant(hood)
        elsewhere = hood.staff("grid_worker", f"{hood.community}002")
        for other in (hood.resident(), hood.staff("moderator"), elsewhere):
            assert self.look(chen, other).code == "volunteer_not_found"
        assert self.look(worker, worker).code == "own_application"
        assert worker.post(f"/volunteers/{chen.id}/identity", json={"reason": " "}).status == 422
        gone = desk.applicant(hood)
        evening.closed(gone.id)  # and not erased yet
        assert (self.look(gone, worker).code, gone.told) == ("volunteer_not_found", [])
        assert list(lookups.about(gone.id, cursor=None)) == []
        desk.decline(chen, by=worker)
        assert self.look(chen, worker).code == "volunteer_not_in_force"
        assert chen.told == ["volunteer_declined"]


class TestDeclining:
    def test_the_reason_is_told_and_one_may_apply_again(self, hood: Hood) -> None:
        worker, chen = hood.staff("grid_worker"), desk.applicant(hood)
        assert desk.decline(chen, by=worker).json["state"] == "declined"
        assert desk.mine(chen)["declined_reason"] == REASON["reason"]
        (message,) = chen.get("/inbox").json["items"]
        assert REASON["reason"] in message["text"]
        assert desk.waiting(worker, hood.grid) == []
        again = desk.applied(chen, name="陈建军")
        assert (again["state"], again["declined_reason"], again["decided_at"]) == ("applied", None, None)
        desk.approved(chen, by=worker)
        assert worker.told == ["volunteer_applied"] * 2

    @pytest.mark.parametrize("reason", ["", "不行", "\u200b" * 5, " " * 6, "长" * 101, None])
    def test_without_a_reason_nobody_is_declined(self, hood: Hood, reason: str | None) -> None:
        worker, chen = hood.staff("grid_worker"), desk.applicant(hood)
        answer = worker.post(f"/volunteers/{chen.id}/decline", json={"reason": reason})
        assert (answer.status, list(answer.wrong)) == (422, ["reason"])
        assert desk.mine(chen)["state"] == "applied"

    def test_a_repeat_tells_once_and_touches_no_later_application(self, hood: Hood) -> None:
        worker, chen = hood.staff("grid_worker"), desk.applicant(hood)
        assert desk.decline(chen, by=worker, key="a").json == desk.decline(chen, by=worker, key="a").json
        assert chen.told == ["volunteer_declined"]
        assert desk.apply(chen, key="b").status == 201
        for late in (desk.decline(chen, by=worker, key="a"), desk.apply(chen, key="b")):
            assert (late.code, late.json["state"]) == (None, "applied")
        assert desk.leave(chen, key="c").status == 200
        assert desk.apply(chen, key="d").status == 201
        assert desk.leave(chen, key="c").json["state"] == "applied"


class TestForgettingWhatWasDeclined:
    """Nobody's name, birth date and contacts are kept for longer than it takes to correct them and apply again."""

    def test_thirty_days_after_the_decision_nothing_of_it_is_left_and_one_may_apply_anew(self, hood: Hood) -> None:
        worker, young = hood.staff("grid_worker"), desk.applicant(hood, birth=desk.years_ago(15))
        shift = gate.shift(hood, needs_approval=False)
        desk.consent(young, by=worker)
        gate.signed_up(young, shift)
        desk.decline(young, by=worker)
        assert "所填资料保留 30 天" in young.get("/inbox").json["items"][0]["text"]
        known = desk.mine(young)
        assert (known["name"], datetime.fromisoformat(known["forgotten_at"])) == (FORM["name"], decided(young) + KEPT)
        hood.pass_time(Volunteer.key(young.id), decided(young) + KEPT - timedelta(seconds=1))
        assert desk.mine(young)["state"] == "declined"
        hood.pass_time(Volunteer.key(young.id), decided(young) + KEPT)
        file, known = desk.file_of(young), desk.mine(young)
        assert [getattr(file, f"{field}_sealed") for field in files.SEALED] == [None] * 4
        assert (file.timer, file.due_key, file.minor, file.guardian_by, list(file.taken)) == (*[None] * 4, [shift])
        assert {name for name, value in known.items() if value} == {"state", "guardian_rule"}
        assert (known["state"], file.nickname) == ("none", "")
        assert (desk.leave(young).code, desk.approve(young, by=worker).code) == (
            "not_a_volunteer",
            "volunteer_not_found",
        )
        desk.applied(young)
        assert desk.approved(young, by=worker)

    def test_who_applies_again_in_time_is_kept_and_so_is_whoever_is_declined_again(self, hood: Hood) -> None:
        worker, chen = hood.staff("grid_worker"), desk.applicant(hood)
        desk.decline(chen, by=worker)
        late = desk.file_of(chen)
        desk.applied(chen)
        assert desk.file_of(chen).timer is None
        forgetting.forget(late, now=late.due_at)
        assert desk.mine(chen)["name"] == FORM["name"]
        desk.decline(chen, by=worker)
        forgetting.forget(late, now=late.due_at)
        assert desk.mine(chen)["name"] == FORM["name"], "the index was late: it is another decision"
        desk.leave(chen)
        assert desk.file_of(chen).timer is None

    def test_what_is_still_to_be_done_is_done_first(self, hood: Hood) -> None:
        worker, young = hood.staff("grid_worker"), desk.applicant(hood, birth=desk.years_ago(15))
        desk.consent(young, by=worker)
        with patch.object(follow_up, "follow", side_effect=OSError):
            worker.post(f"/volunteers/{young.id}/guardian-consent/withdraw")
        desk.decline(young, by=worker)
        for timer in ("volunteers.follow_up", "volunteers.forget"):
            file = desk.file_of(young)
            assert file.timer == timer
            hood.pass_time(file, file.due_at)
        assert (desk.mine(young)["state"], desk.file_of(young).timer) == ("none", None)

    def test_who_was_approved_once_keeps_their_number_and_their_area(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker")
        chen = desk.approved(desk.applicant(hood), by=worker)
        number = desk.mine(chen)["number"]
        desk.leave(chen)
        desk.applied(chen)
        desk.decline(chen, by=worker)
        hood.pass_time(Volunteer.key(chen.id), decided(chen) + KEPT)
        known = desk.mine(chen)
        assert (known["state"], known["number"], known["area"]) == ("none", number, hood.micro_grid)


def decided(who: gate.Neighbour) -> datetime:
    at = desk.file_of(who).decided_at
    assert at is not None
    return at


class TestTheList:
    def test_each_sees_their_area_the_oldest_first_a_page_at_a_time(self, hood: Hood) -> None:
        elsewhere = Hood(hood.http, hood.wechat)
        worker = hood.staff("grid_worker")
        first, second = desk.applicant(hood, area=hood.grid), desk.applicant(hood, area=hood.grid)
        other = desk.applicant(hood, area=f"{elsewhere.community}")
        names = [desk.nickname(first), desk.nickname(second)]
        assert desk.waiting(worker, hood.community) == desk.waiting(worker, hood.grid) == names
        assert desk.waiting(worker, hood.micro_grid) == []
        assert desk.waiting(elsewhere.staff("grid_worker"), elsewhere.community) == [desk.nickname(other)]

    @pytest.mark.parametrize("area", ["", "1", "abcdef", "33040200100", "330402\n"])
    def test_an_area_that_is_none_is_refused(self, hood: Hood, area: str) -> None:
        assert hood.staff("grid_worker").get(f"/volunteers/applications?area={area}").status == 422

    def test_a_cursor_of_another_list_is_refused(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker")
        assert worker.get(f"/volunteers/applications?area={hood.grid}&cursor=x").code == "cursor_invalid"


class TestGuardians:
    """By Chinese law somebody is sixteen on the day after the birthday."""

    def minor(self, hood: Hood, worker: gate.Neighbour, *, days_old: int = 0) -> gate.Neighbour:
        """Approved, and fifteen: the sixteenth birthday is `-days_old` days away."""
        birth = desk.years_ago(16, days=days_old)
        return desk.approved(desk.applicant(hood, birth=birth), by=worker)

    def test_at_fifteen_no_shift_without_consent_and_any_with_it(self, hood: Hood) -> None:
        worker, shift = hood.staff("grid_worker"), gate.shift(hood)
        young = self.minor(hood, worker, days_old=-100)
        assert gate.sign_up(young, shift).code == "guardian_consent_needed"
        assert desk.mine(young)["minor"]
        answer = desk.consent(young, by=worker, phone="0573-82838483")
        assert (answer.status, answer.json["guardian_on_file"]) == (200, True)
        known = desk.mine(young)
        assert known["guardian"] == {"name": "王秀英", "phone": "0573-82838483", "relation": "母亲"}
        assert known["guardian_since"]
        assert young.told == ["volunteer_approved", "volunteer_guardian_on_file"]
        assert gate.signed_up(young, shift)["state"] == "signed_up"

    def test_sixteen_on_the_day_of_the_shift_is_old_enough_and_a_day_earlier_is_not(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker")
        young = self.minor(hood, worker, days_old=-3)  # the birthday is in three days, and sixteen the day after
        early = gate.shift(hood, starts=timedelta(days=3), lasts=timedelta(minutes=1))
        late = gate.shift(hood, starts=timedelta(days=4), lasts=timedelta(minutes=1))
        assert gate.sign_up(young, early).code == "guardian_consent_needed"
        assert gate.signed_up(young, late)["state"] == "signed_up"

    def test_it_is_asked_even_where_no_approval_is(self, hood: Hood) -> None:
        young = desk.applicant(hood, birth=desk.years_ago(15))
        assert gate.sign_up(young, gate.shift(hood, needs_approval=False)).code == "guardian_consent_needed"

    def test_a_guardian_may_take_it_back(self, hood: Hood) -> None:
        worker, shift = hood.staff("grid_worker"), gate.shift(hood)
        young = self.minor(hood, worker, days_old=-100)
        withdraw = f"/volunteers/{young.id}/guardian-consent/withdraw"
        assert worker.post(withdraw).code == "guardian_consent_not_on_file"
        desk.consent(young, by=worker)
        assert worker.post(withdraw, key="a").json == worker.post(withdraw, key="a").json
        assert young.told[2:] == ["volunteer_guardian_withdrawn"]
        assert desk.mine(young)["guardian"] is None
        assert desk.file_of(young).guardian_sealed is None
        assert gate.sign_up(young, shift).code == "guardian_consent_needed"

    def test_without_it_places_on_shifts_to_come_are_given_back_but_not_those_for_the_grown_up(
        self, hood: Hood
    ) -> None:
        worker, organiser, waits = hood.staff("grid_worker"), hood.staff("community_worker"), gate.volunteer(hood)
        young = self.minor(hood, worker, days_old=-3)
        desk.consent(young, by=worker)
        soon = gate.shift(hood, organiser=organiser, capacity=1, starts=timedelta(hours=2))
        open_to_all = gate.shift(hood, needs_approval=False, starts=timedelta(days=1))
        grown_up = gate.shift(hood, starts=timedelta(days=5))
        for shift in (soon, open_to_all, grown_up):
            gate.signed_up(young, shift)
        gate.signed_up(waits, soon, wait=True)
        assert worker.post(f"/volunteers/{young.id}/guardian-consent/withdraw").status == 200
        states = [gate.state_of(young, shift) for shift in (soon, open_to_all, grown_up)]
        assert states == ["cancelled", "cancelled", "signed_up"]
        place = gate.place_of(young, soon)
        assert place is not None
        assert (place.cancelled_by, int(place.late_withdrawals)) == ("guardian", 0), "it is not the child's doing"
        assert organiser.told == ["shift_late_withdrawal"]
        assert (gate.state_of(waits, soon), waits.told[-1]) == ("signed_up", "shift_place_free")
        assert list(desk.file_of(young).taken) == [grown_up]
        assert desk.file_of(young).timer is None
        assert gate.sign_up(young, soon).code == "guardian_consent_needed"
        for shift in (soon, open_to_all, grown_up):
            gate.adds_up(shift)

    def test_it_may_be_there_before_the_decision_and_is_told_once(self, hood: Hood) -> None:
        worker, young = hood.staff("grid_worker"), desk.applicant(hood, birth=desk.years_ago(15))
        assert desk.consent(young, by=worker, key="a").json == desk.consent(young, by=worker, key="a").json
        assert young.told == ["volunteer_guardian_on_file"]
        (line,) = worker.get(f"/volunteers/applications?area={hood.grid}").json["items"]
        assert line["guardian_on_file"]

    def test_of_the_grown_up_and_of_those_who_have_left_none_is_kept(self, hood: Hood) -> None:
        worker, grown = hood.staff("grid_worker"), desk.applicant(hood)
        gone = desk.applicant(hood, birth=desk.years_ago(15))
        desk.leave(gone)
        assert desk.consent(grown, by=worker).code == "guardian_not_needed"
        assert desk.consent(gone, by=worker).code == "volunteer_not_in_force"
        assert desk.file_of(gone).guardian_sealed is None

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"name": "\u200b"}, "name"),
            ({"phone": "1234567"}, "phone"),
            ({"relation": ""}, "relation"),
            ({"x": 1}, "x"),
        ],
    )
    def test_whoever_agrees_must_be_known(self, hood: Hood, change: dict[str, str], field: str) -> None:
        worker, young = hood.staff("grid_worker"), desk.applicant(hood, birth=desk.years_ago(15))
        answer = desk.consent(young, by=worker, **change)
        assert (answer.status, list(answer.wrong)) == (422, [field])
        assert not desk.mine(young)["guardian_since"]


def test_every_act_of_staff_on_a_file_is_here() -> None:
    acts = {name for name in all_routes() if "/volunteers/{resident_id}" in name}
    assert {name.rpartition("}/")[2] for name in acts} == {
        "approve",
        "decline",
        "guardian-consent",
        "guardian-consent/withdraw",
        "identity",
        # tests/volunteers/test_entries.py
        "entries",
        "revoke",
    }
