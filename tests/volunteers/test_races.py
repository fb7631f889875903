"""Several at the same moment, with real threads: what has been read and is not so any more decides nothing."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.kit import clock
from chalicelib.people import personal_data
from tests.engine.http import Answer
from tests.help.street import at_once
from tests.neighbourhood import Hood
from tests.shifts import gate
from tests.volunteers import desk

TIMES = 2


def test_two_who_decide_at_once_decide_once(hood: Hood) -> None:
    first, second = hood.staff("grid_worker"), hood.staff("community_worker")
    for _ in range(TIMES):
        chen = desk.applicant(hood)
        acts: list[Callable[[], Answer]] = [
            lambda who=chen: desk.approve(who, by=first),
            lambda who=chen: desk.decline(who, by=second),
            lambda who=chen: desk.approve(who, by=second),
        ]
        answers = at_once(*acts)
        (decided,) = [answer.json["state"] for answer in answers if answer.status == 200]
        assert {answer.code for answer in answers if answer.status != 200} == {"application_not_waiting"}
        assert desk.mine(chen)["state"] == decided
        assert chen.told == [f"volunteer_{decided}"]
        assert bool(desk.mine(chen)["number"]) == (decided == "approved")


def test_the_same_tap_twice_at_once_is_one_approval(hood: Hood) -> None:
    worker, chen = hood.staff("grid_worker"), desk.applicant(hood)
    answers = at_once(*[lambda: desk.approve(chen, by=worker, key="a")] * 4)
    assert {(answer.status, answer.text) for answer in answers} == {(200, answers[0].text)}
    assert chen.told == ["volunteer_approved"]


def test_the_same_application_sent_twice_at_once_is_one(hood: Hood) -> None:
    worker, chen = hood.staff("grid_worker"), hood.resident()
    answers = at_once(*[lambda: desk.apply(chen, key="a")] * 4)
    assert {answer.status for answer in answers} == {201}
    assert worker.told == ["volunteer_applied"]


def test_whoever_leaves_while_it_is_decided_has_left(hood: Hood) -> None:
    worker = hood.staff("grid_worker")
    for _ in range(TIMES):
        chen = desk.applicant(hood)
        approved, left = at_once(lambda who=chen: desk.approve(who, by=worker), lambda who=chen: desk.leave(who))
        assert left.status == 200
        assert approved.status == 200 or approved.code == "application_not_waiting"
        known = desk.mine(chen)
        assert (known["state"], known["name"]) == ("left", None)
        assert bool(known["number"]) == (approved.status == 200)
        assert desk.waiting(worker, hood.community) == []


def test_whoever_signs_up_while_they_leave_comes_to_no_shift_that_needs_approval(hood: Hood) -> None:
    for _ in range(TIMES):
        chen, shift = gate.volunteer(hood), gate.shift(hood)
        signed, left = at_once(lambda who=chen, at=shift: gate.sign_up(who, at), lambda who=chen: desk.leave(who))
        assert left.status == 200
        assert signed.status == 201 or signed.code == "volunteer_approval_needed"
        file = desk.file_of(chen)
        assert file.state == "left"
        assert gate.state_of(chen, shift) == ("cancelled" if signed.status == 201 else None)
        assert (shift in file.taken, int(gate.adds_up(shift).taken)) == (False, 0)


def test_changes_of_the_same_file_are_all_kept_and_no_shift_without_consent(hood: Hood) -> None:
    worker, chen = hood.staff("grid_worker"), hood.resident()
    desk.applied(chen, birth=desk.years_ago(15))
    desk.approved(chen, by=worker)
    desk.consent(chen, by=worker)
    shift = gate.shift(hood)
    change = {"skills": ["law"], "free_times": ["weekend_evening"], "contact": desk.MOTHER}
    signed, changed, withdrawn = at_once(
        lambda: gate.sign_up(chen, shift),
        lambda: chen.put("/me/volunteer", json=change),
        lambda: worker.post(f"/volunteers/{chen.id}/guardian-consent/withdraw"),
    )
    assert (changed.status, withdrawn.status) == (200, 200)
    assert signed.status == 201 or signed.code == "guardian_consent_needed"
    file = desk.file_of(chen)
    assert (file.skills, file.guardian_at) == (["law"], None)
    assert gate.state_of(chen, shift) == ("cancelled" if signed.status == 201 else None)
    assert (shift in file.taken, int(gate.adds_up(shift).taken)) == (False, 0)


def test_nobody_is_approved_whose_account_is_being_closed(hood: Hood) -> None:
    worker = hood.staff("grid_worker")
    chen = desk.applicant(hood)
    closed, approved = at_once(
        lambda: chen.post("/me/close", json={"word": "注销"}), lambda: desk.approve(chen, by=worker)
    )
    assert closed.status == 204
    assert approved.status == 200 or approved.code in ("volunteer_not_found", "application_not_waiting")
    personal_data.erase(chen.id, now=clock.now())
    assert desk.file_of(chen) is None
