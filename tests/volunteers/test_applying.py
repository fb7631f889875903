"""A resident applies to volunteer, and keeps what is known of them up to date."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalicelib.kit.transaction import transaction
from chalicelib.people.models import Resident
from tests.neighbourhood import Hood, Neighbour
from tests.shifts import gate
from tests.volunteers import desk
from tests.volunteers.desk import FORM, MOTHER


def homeless(who: Neighbour, **home: Any) -> None:
    with transaction() as tx:
        change = [Resident.home.remove()] if not home else [Resident.home_state.set("declined")]
        tx.update(Resident.key(who.id), change)


class TestApplying:
    def test_it_waits_for_the_grid_worker_who_is_told_and_finds_it(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker", hood.grid)
        chen = hood.resident("陈建君")
        answer = desk.applied(chen)
        assert answer == desk.mine(chen)
        assert (answer["state"], answer["name"], answer["birth"]) == ("applied", "陈建君", "1986-02-10")
        assert (answer["skills"], answer["free_times"]) == (["medical", "driving"], ["weekend_day"])
        assert (answer["contact"], answer["minor"], answer["number"]) == (MOTHER, False, None)
        assert (answer["area"], answer["place"]) == (hood.micro_grid, "桂苑社区第一网格1幢")
        assert worker.told == ["volunteer_applied"]
        (message,) = worker.get("/inbox").json["items"]
        assert f"{desk.nickname(chen)}申请成为桂苑社区第一网格1幢的志愿者" in message["text"]
        assert message["page"] == "pages/staff/volunteers"
        assert desk.waiting(worker, hood.grid) == [desk.nickname(chen)]

    def test_staff_see_nothing_of_who_somebody_really_is(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker")
        chen = desk.applicant(hood, birth=desk.years_ago(15))
        (line,) = worker.get(f"/volunteers/applications?area={hood.community}").json["items"]
        assert line == {
            "resident_id": chen.id,
            "nickname": desk.nickname(chen),
            "state": "applied",
            "area": hood.micro_grid,
            "place": "桂苑社区第一网格1幢",
            "skills": ["medical", "driving"],
            "free_times": ["weekend_day"],
            "minor": True,
            "guardian_on_file": False,
            "applied_at": line["applied_at"],
        }

    def test_what_is_kept_of_a_person_is_sealed(self, hood: Hood) -> None:
        long = "Maria Magdalena Konstantinopoulou-Papadimitriou"
        chen = hood.resident()
        desk.applied(chen, name=long)
        assert desk.mine(chen)["name"] == long
        stored = f"{desk.file_of(chen).serialize()}"
        assert not [secret for secret in (long, FORM["birth"], *MOTHER.values()) if secret in stored]

    def test_one_may_apply_for_another_community_than_ones_own(self, hood: Hood) -> None:
        elsewhere = Hood(hood.http, hood.wechat)
        worker, mine = elsewhere.staff("grid_worker"), hood.staff("grid_worker")
        assert desk.applied(hood.resident(), area=elsewhere.community)["area"] == elsewhere.community
        assert (worker.told, mine.told) == (["volunteer_applied"], [])

    def test_where_there_is_no_grid_worker_the_community_office_is_told(self, hood: Hood) -> None:
        office = hood.staff("community_worker")
        desk.applicant(hood)
        assert office.told == ["volunteer_applied"]

    def test_a_grid_worker_who_applies_is_not_the_one_who_is_asked(self, hood: Hood) -> None:
        worker, office = hood.staff("grid_worker"), hood.staff("community_worker")
        desk.applied(worker)
        assert (worker.told, office.told) == ([], ["volunteer_applied"])

    def test_a_home_is_needed_unless_an_area_is_named(self, hood: Hood) -> None:
        nowhere, denied = hood.resident(), hood.resident()
        homeless(nowhere), homeless(denied, declined=True)
        for who in (nowhere, denied):
            assert desk.apply(who).code == "home_needed"
            assert desk.mine(who)["state"] == "none"
            assert desk.applied(who, area=hood.grid)["area"] == hood.grid

    def test_the_diary_that_is_there_already_stays(self, hood: Hood) -> None:
        shift, chen = gate.shift(hood, needs_approval=False), hood.resident()
        gate.signed_up(chen, shift)
        assert desk.mine(chen)["state"] == "none"
        desk.applied(chen)
        assert shift in desk.file_of(chen).taken

    def test_a_repeat_is_the_same_application(self, hood: Hood) -> None:
        worker, chen = hood.staff("grid_worker"), hood.resident()
        assert desk.applied(chen, key="a") == desk.applied(chen, key="a")
        assert worker.told == ["volunteer_applied"]
        desk.approved(chen, by=worker)
        assert desk.applied(chen, key="a")["state"] == "approved"
        assert desk.apply(chen, key="a", name="别人").code == "idempotency_key_reused"

    def test_who_waits_or_is_a_volunteer_need_not_apply(self, hood: Hood) -> None:
        worker, chen = hood.staff("grid_worker"), desk.applicant(hood)
        assert desk.apply(chen).code == "already_applied"
        desk.approved(chen, by=worker)
        assert desk.apply(chen).code == "already_a_volunteer"
        assert worker.told == ["volunteer_applied"]

    def test_a_few_times_a_day_are_enough(self, hood: Hood, configure: Callable[..., None]) -> None:
        configure("volunteers", applications_a_day=2)
        chen = hood.resident()
        for _ in range(2):
            desk.applied(chen)
            assert desk.leave(chen).status == 200
        assert desk.apply(chen).code == "too_many_requests"
        assert desk.mine(chen)["state"] == "left"


WRONG = [
    ({"birth": "1899-01-01"}, "birth"),
    ({"birth": "2020-02-30"}, "birth"),
    ({"birth": 19860210}, "birth"),
    ({"name": ""}, "name"),
    ({"name": "\u200b"}, "name"),
    ({"name": "陈" * 51}, "name"),
    ({"skills": ["flying"]}, "skills[0]"),
    ({"skills": ["law", "law"]}, "skills"),
    ({"skills": ["law"] * 10}, "skills"),
    ({"free_times": []}, "free_times"),
    ({"free_times": ["weekend_day", "weekend_day"]}, "free_times"),
    ({"contact": {**MOTHER, "phone": "12345678"}}, "contact.phone"),
    ({"contact": {**MOTHER, "phone": "1" * 21}}, "contact.phone"),
    ({"contact": {**MOTHER, "name": "\u3000\u200b"}}, "contact.name"),
    ({"contact": {**MOTHER, "relation": "远房亲戚的邻居的朋友"}, "name": ""}, "name"),
    ({"contact": {**MOTHER, "relation": "远房亲戚的邻居的朋友家"}}, "contact.relation"),
    ({"contact": {"name": "王秀英"}}, "contact.phone"),
    ({"contact": {**MOTHER, "openid": "x"}}, "contact.openid"),
    ({"state": "approved"}, "state"),
    ({"area": "330402"}, None),
    ({"area": "999999999999"}, None),
    ({"area": "33040200100"}, None),
]


def test_what_is_filled_in_wrongly_is_named_and_nothing_is_kept(hood: Hood) -> None:
    chen = hood.resident()
    wrong = [*WRONG, ({"area": hood.street}, "area"), ({"area": hood.district}, "area")]
    for change, field in [({"birth": desk.years_ago(0, days=-1)}, "birth"), *wrong]:
        answer = desk.apply(chen, **change)
        assert answer.status == 422, (change, answer)
        assert field is None or field in answer.wrong, (change, answer.wrong)
        assert not answer.json["detail"].isascii()
    assert desk.file_of(chen) is None


class TestChanging:
    CHANGED = {
        "skills": [],
        "free_times": ["workday_evening"],
        "contact": {"name": "陈志强", "phone": "0573-82838483", "relation": "父亲"},
    }

    def test_skills_times_and_contact_are_kept_up_to_date(self, hood: Hood) -> None:
        chen = desk.approved(desk.applicant(hood), by=hood.staff("grid_worker"))
        before = desk.mine(chen)
        changed = chen.put("/me/volunteer", json=self.CHANGED).json
        contact = {**self.CHANGED["contact"], "phone": "0573-82838483"}  # type: ignore[dict-item]
        assert changed == desk.mine(chen) == {**before, **self.CHANGED, "contact": contact}

    def test_who_waits_may_correct_it_too_and_it_still_waits(self, hood: Hood) -> None:
        worker, chen = hood.staff("grid_worker"), desk.applicant(hood)
        assert chen.put("/me/volunteer", json=self.CHANGED).json["state"] == "applied"
        (line,) = worker.get(f"/volunteers/applications?area={hood.grid}").json["items"]
        assert line["skills"] == []

    def test_without_an_application_there_is_nothing_to_change(self, hood: Hood) -> None:
        nobody, gone = hood.resident(), desk.applicant(hood)
        desk.leave(gone)
        for who in (nobody, gone):
            assert who.put("/me/volunteer", json=self.CHANGED).code == "application_needed"

    def test_who_one_is_cannot_be_changed(self, hood: Hood) -> None:
        chen = desk.applicant(hood)
        for field in ("name", "birth", "area", "state"):
            answer = chen.put("/me/volunteer", json={**self.CHANGED, field: "x"})
            assert answer.wrong == {field: "没有这一项"}

    def test_what_is_wrong_changes_nothing(self, hood: Hood) -> None:
        chen = desk.applicant(hood)
        before = desk.mine(chen)
        wrong = {**self.CHANGED, "contact": {**MOTHER, "phone": "9" * 11}}
        assert chen.put("/me/volunteer", json=wrong).wrong.keys() == {"contact.phone"}
        assert chen.put("/me/volunteer", json={**self.CHANGED, "skills": ["law", "law"]}).status == 422
        assert desk.mine(chen) == before


def test_whoever_has_not_applied_sees_the_rule_for_the_young_and_nothing_else(hood: Hood) -> None:
    known = {name: value for name, value in desk.mine(hood.resident()).items() if value}
    assert known.pop("guardian_rule").startswith("未满 16 岁")
    assert known == {"state": "none"}


def test_an_organiser_knows_a_volunteer_by_their_number_however_it_is_typed(hood: Hood) -> None:
    worker, chen = hood.staff("grid_worker"), desk.applicant(hood)
    number = desk.mine(desk.approved(chen, by=worker))["number"]
    typed = f" {number[:4].lower()}-{number[4:].replace('0', 'o').replace('1', 'l')} "
    added = worker.post(f"/shifts/{gate.shift(hood)}/people", json={"volunteer_number": typed})
    assert (added.status, added.json["person"]) == (201, chen.id)


def test_nobody_applies_for_somebody_else(hood: Hood) -> None:
    chen, helper = hood.resident(), hood.resident()
    answer = helper.post("/me/volunteer", json=FORM, acting_for=chen.id)
    assert (answer.status, answer.code) == (403, "own_affair_only")
