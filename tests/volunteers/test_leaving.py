"""A volunteer leaves: always possible, and what is known of them goes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.kit import clock
from chalicelib.people import personal_data
from chalicelib.volunteers.models import Volunteer
from chalicelib.volunteers.profile import files, follow_up
from tests.neighbourhood import Hood
from tests.shifts import gate
from tests.volunteers import desk
from tests.volunteers.desk import FORM

LATER = timedelta(minutes=3)


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who has left, as slices above hear of it."""
    heard: list[str] = []
    monkeypatch.setattr(follow_up, "_handlers", [*follow_up._handlers])
    follow_up.on_loss(lambda file, *, now: heard.append(file.resident_id))
    return heard


class TestLeaving:
    def test_who_they_are_is_forgotten_and_the_diary_stays(self, hood: Hood, left: list[str]) -> None:
        worker, shift = hood.staff("grid_worker"), gate.shift(hood, needs_approval=False)
        young = desk.approved(desk.applicant(hood, birth=desk.years_ago(15)), by=worker)
        desk.consent(young, by=worker)
        gate.signed_up(young, shift)
        number = desk.mine(young)["number"]
        answer = desk.leave(young)
        assert (answer.status, answer.json["state"]) == (200, "left")
        file = desk.file_of(young)
        assert [getattr(file, f"{field}_sealed") for field in files.SEALED] == [None] * 4
        assert (file.minor, file.guardian_at, file.timer) == (None, None, None)
        assert shift in file.taken
        known = desk.mine(young)
        assert [known[name] for name in ("name", "birth", "contact", "guardian")] == [None] * 4
        assert (known["number"], left) == (number, [young.id])
        assert gate.sign_up(young, gate.shift(hood)).code == "volunteer_approval_needed"
        assert gate.signed_up(young, gate.shift(hood, needs_approval=False, starts=timedelta(days=5)))

    def test_places_on_shifts_that_need_approval_go_to_those_who_wait(self, hood: Hood) -> None:
        chen, waiting = gate.volunteer(hood), gate.volunteer(hood)
        needs, open_to_all = (
            gate.shift(hood, capacity=1),
            gate.shift(hood, needs_approval=False, starts=timedelta(days=5)),
        )
        gate.signed_up(chen, needs), gate.signed_up(chen, open_to_all), gate.signed_up(waiting, needs, wait=True)
        desk.leave(chen)
        assert (gate.state_of(chen, needs), gate.state_of(chen, open_to_all)) == ("cancelled", "signed_up")
        assert gate.state_of(waiting, needs) == "signed_up"
        assert waiting.told[-1] == "shift_place_free"
        assert list(desk.file_of(chen).taken) == [open_to_all]
        gate.adds_up(needs)

    @pytest.mark.parametrize("state", ["applied", "approved", "declined"])
    def test_it_is_possible_at_any_time(self, hood: Hood, state: str, left: list[str]) -> None:
        worker, chen = hood.staff("grid_worker"), desk.applicant(hood)
        if state != "applied":
            (desk.approve if state == "approved" else desk.decline)(chen, by=worker)
        assert desk.leave(chen).json["state"] == "left"
        assert desk.file_of(chen).name_sealed is None
        assert desk.waiting(worker, hood.grid) == []
        assert desk.approve(chen, by=worker).code == "application_not_waiting"
        assert left == [chen.id]

    def test_there_must_be_something_to_leave(self, hood: Hood) -> None:
        nobody, chen, diarist = hood.resident(), desk.applicant(hood), hood.resident()
        gate.signed_up(diarist, gate.shift(hood, needs_approval=False))
        desk.leave(chen)
        for who in (nobody, chen, diarist):
            answer = desk.leave(who)
            assert (answer.status, answer.code) == (409, "not_a_volunteer")

    def test_a_repeat_leaves_once(self, hood: Hood, left: list[str]) -> None:
        chen = desk.applicant(hood)
        assert desk.leave(chen, key="a").json == desk.leave(chen, key="a").json
        assert left == [chen.id]

    def test_the_number_is_kept_for_who_comes_back(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker")
        chen = desk.approved(desk.applicant(hood), by=worker)
        number = desk.mine(chen)["number"]
        desk.leave(chen)
        assert desk.link(number).resident_id == chen.id
        desk.applied(chen)
        desk.approved(chen, by=worker)
        assert desk.mine(chen)["number"] == number
        assert desk.link(number).resident_id == chen.id


class TestWhatFollows:
    @pytest.fixture
    def broken(self, monkeypatch: pytest.MonkeyPatch, left: list[str]) -> list[bool]:
        """What follows fails as long as this is not empty."""
        failing = [True]

        def follow(file: Volunteer, *, now: datetime) -> None:
            if failing:
                raise RuntimeError

        follow_up.on_loss(follow)
        return failing

    def test_what_fails_is_done_by_the_timer(self, hood: Hood, left: list[str], broken: list[bool], logs: Any) -> None:
        chen = desk.approved(desk.applicant(hood), by=hood.staff("grid_worker"))
        assert desk.leave(chen).json["state"] == "left"
        assert "RuntimeError" in logs.text
        assert desk.file_of(chen).timer == "volunteers.follow_up"
        hood.pass_time(Volunteer.key(chen.id), clock.now() + LATER)
        assert desk.file_of(chen).timer_tries == 1
        broken.clear()
        hood.pass_time(Volunteer.key(chen.id), clock.now() + timedelta(hours=1))
        file = desk.file_of(chen)
        assert (file.state, file.timer, file.due_key, file.timer_tries) == ("left", None, None, None)
        assert left == [chen.id] * 3

    def test_or_by_the_repeat(self, hood: Hood, left: list[str], broken: list[bool]) -> None:
        chen = desk.applicant(hood)
        desk.leave(chen, key="a")
        broken.clear()
        assert desk.leave(chen, key="a").status == 200
        assert desk.file_of(chen).timer is None

    def test_who_has_come_back_meanwhile_keeps_what_is_theirs(
        self, hood: Hood, left: list[str], broken: list[bool]
    ) -> None:
        worker = hood.staff("grid_worker")
        chen = desk.approved(desk.applicant(hood), by=worker)
        desk.leave(chen)
        desk.applied(chen)
        desk.approved(chen, by=worker)
        shift = gate.shift(hood)
        gate.signed_up(chen, shift)
        chen.put("/me/shift-alerts", json={"on": True})
        broken.clear()
        hood.pass_time(Volunteer.key(chen.id), clock.now() + LATER)
        assert desk.file_of(chen).timer is None
        assert gate.state_of(chen, shift) == "signed_up"
        assert chen.get("/me/shift-alerts").json == {"on": True}

    def test_a_timer_that_comes_too_late_does_nothing(self, hood: Hood, left: list[str], broken: list[bool]) -> None:
        chen = desk.applicant(hood)
        desk.leave(chen)
        waiting = desk.file_of(chen)
        broken.clear()
        follow_up.follow(waiting, now=clock.now())
        follow_up.follow(waiting, now=clock.now())
        assert left == [chen.id] * 2
        files_gone = Volunteer.key(chen.id)
        personal_data.erase(chen.id, now=clock.now())
        follow_up.follow(files_gone, now=clock.now())
        assert desk.file_of(chen) is None


class TestMyData:
    def section(self, resident_id: str, title: str = "志愿者档案") -> list[dict[str, Any]]:
        return list(personal_data.sections[title](resident_id))

    def test_the_copy_of_my_data_shows_all_of_my_file(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker")
        young = desk.approved(desk.applicant(hood, birth=desk.years_ago(15)), by=worker)
        desk.consent(young, by=worker, name="陈志强", relation="父亲")
        (entry,) = self.section(young.id)
        assert {name: value for name, value in entry.items() if "时间" not in name or name == "空闲时间"} == {
            "状态": "已通过",
            "志愿者编号": desk.mine(young)["number"],
            "区域": "桂苑社区第一网格1幢",
            "姓名": FORM["name"],
            "出生日期": desk.years_ago(15),
            "特长": "医护急救、驾驶",
            "空闲时间": "周末白天",
            "紧急联系人": "王秀英（母亲）13857300011",
            "监护人": "陈志强（父亲）13857300011",
            "未通过原因": "",
        }
        assert all(entry[name] for name in ("监护人同意时间", "申请时间", "审核时间"))

    def test_of_whoever_never_applied_there_is_nothing_or_only_a_diary(self, hood: Hood) -> None:
        nobody, diarist = hood.resident(), hood.resident()
        assert self.section(nobody.id) == []
        gate.signed_up(diarist, gate.shift(hood, needs_approval=False))
        (entry,) = self.section(diarist.id)
        assert {name: value for name, value in entry.items() if value} == {"状态": "未申请", "已占用的时间": 1}

    def test_with_the_account_the_file_and_the_number_go(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker")
        chen = desk.approved(desk.applicant(hood), by=worker)
        number = desk.mine(chen)["number"]
        assert chen.post("/me/close", json={"word": "注销"}).status == 204
        assert desk.file_of(chen) is None
        assert desk.link(number) is None
        personal_data.erase(chen.id, now=clock.now())
        assert desk.approve(chen, by=worker).code == "volunteer_not_found"

    def test_whoever_waited_when_they_closed_it_is_on_no_list(self, hood: Hood) -> None:
        worker, chen = hood.staff("grid_worker"), desk.applicant(hood)
        chen.post("/me/close", json={"word": "注销"})
        assert desk.waiting(worker, hood.community) == []
