"""Where somebody lives: said by them, confirmed by those who care for the area."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chalicelib.account import residence, rules
from chalicelib.areas import service as areas
from chalicelib.kit import clock, limits
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.transaction import transaction
from chalicelib.people import homes
from chalicelib.people import service as people
from chalicelib.people.models import Duty
from tests.engine.budget import budget
from tests.engine.http import Answer
from tests.neighbourhood import Hood, Neighbour

REASON = {"reason": "登记的楼里没有这户人家"}


def move_in(hood: Hood, name: str = "居民") -> Neighbour:
    """Somebody who says where they live as people do, so that the grid worker is told."""
    neighbour = hood.somebody(name)
    neighbour.consent()
    assert choose(neighbour, hood.micro_grid).status == 200
    return neighbour


def choose(neighbour: Neighbour, area: str) -> Answer:
    return neighbour.put("/me/residence", json={"area": area})


def confirm(worker: Neighbour, neighbour: Neighbour, area: str | None = None, key: str | None = None) -> Answer:
    seen = {"area": area or worker.hood.micro_grid}
    return worker.post(f"/residences/{neighbour.id}/confirm", json=seen, key=key)


def decline(worker: Neighbour, neighbour: Neighbour, area: str | None = None, **more: str) -> Answer:
    seen = {"area": area or worker.hood.micro_grid, **REASON}
    return worker.post(f"/residences/{neighbour.id}/decline", json=seen, **more)


def home(neighbour: Neighbour) -> dict[str, object]:
    return dict(neighbour.get("/me").json["home"])


class TestChoosing:
    def test_it_waits_for_the_grid_worker_who_is_told(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker", hood.grid)
        neighbour = move_in(hood, "李菊")
        assert home(neighbour) == {
            "area": hood.micro_grid,
            "name": "桂苑社区第一网格1幢",
            "state": "waiting",
            "reason": None,
        }
        assert worker.told == ["residence_waiting"]
        (message,) = worker.get("/inbox").json["items"]
        assert "桂苑社区第一网格1幢" in message["text"]

    @pytest.mark.parametrize("level", ["community", "grid", "micro_grid"])
    def test_a_community_or_anything_smaller_is_a_home(self, hood: Hood, level: str) -> None:
        assert choose(hood.resident(), getattr(hood, level)).status == 200

    @pytest.mark.parametrize("level", ["district", "street"])
    def test_a_district_or_street_is_too_large(self, hood: Hood, level: str) -> None:
        answer = choose(hood.resident(), getattr(hood, level))
        assert (answer.status, answer.code, list(answer.wrong)) == (422, "home_too_large", ["area"])

    @pytest.mark.parametrize(
        "area", ["999999999999", "33040200100", "330402001001\n", "abcdefabcdef", "", None, 330402]
    )
    def test_an_area_that_is_none_is_refused(self, hood: Hood, area: object) -> None:
        assert hood.resident().put("/me/residence", json={"area": area}).status == 422

    def test_the_same_home_again_changes_and_tells_nothing(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker", hood.grid)
        neighbour = move_in(hood)
        confirm(worker, neighbour)
        assert choose(neighbour, hood.micro_grid).json["state"] == "confirmed"
        assert worker.told == ["residence_waiting"]

    def test_another_home_has_to_be_confirmed_again(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker", hood.grid)
        neighbour = move_in(hood)
        confirm(worker, neighbour)
        assert choose(neighbour, hood.grid).json["state"] == "waiting"
        assert worker.told == ["residence_waiting"] * 2

    def test_a_declined_one_may_be_said_again_and_the_reason_goes(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker", hood.grid)
        neighbour = hood.resident()
        decline(worker, neighbour)
        answer = choose(neighbour, hood.micro_grid)
        assert (answer.json["state"], answer.json["reason"]) == ("waiting", None)

    def test_a_grid_worker_who_moves_is_not_asked_to_confirm_that(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker", hood.grid)
        choose(worker, hood.grid)
        assert worker.told == []

    def test_five_times_a_day_is_enough(self, hood: Hood) -> None:
        neighbour = hood.resident()
        most = rules.HOME_CHANGES_A_DAY
        with transaction() as tx:
            limits.spend(tx, neighbour.id, "home", at_most=most, per=timedelta(days=1), now=clock.now(), cost=most)
        assert choose(neighbour, hood.grid).code == "too_many_requests"
        assert home(neighbour)["area"] == hood.micro_grid

    def test_slices_hear_of_a_move_in_its_own_transaction(self, hood: Hood, monkeypatch: pytest.MonkeyPatch) -> None:
        moves: list[tuple[str, str]] = []
        monkeypatch.setattr(homes, "_handlers", [])
        homes.on_move(lambda tx, resident_id, *, home, now: moves.append((resident_id, home)))
        neighbour = move_in(hood)
        choose(neighbour, hood.grid), choose(neighbour, hood.grid)
        assert moves == [(neighbour.id, hood.micro_grid), (neighbour.id, hood.grid)]

    def test_it_costs_reading_oneself_ones_wishes_and_the_worker_and_one_transaction(self, hood: Hood) -> None:
        neighbour = hood.resident()
        hood.staff("grid_worker", hood.grid)
        areas.full_name(hood.grid)
        with budget() as spent:
            choose(neighbour, hood.grid)
        reads = ["dynamodb Query", "dynamodb BatchGetItem", "dynamodb Query"]
        assert spent.calls == [*reads, "dynamodb TransactWriteItems"]


class TestTheList:
    def waiting(self, worker: Neighbour, area: str) -> list[str]:
        return [line["resident_id"] for line in worker.get(f"/residences?area={area}").json["items"]]

    def test_it_shows_what_waits_in_the_area_the_oldest_first(self, hood: Hood) -> None:
        first, second, elsewhere = hood.resident(), hood.resident(), hood.resident()
        choose(elsewhere, hood.community)
        worker = hood.staff("grid_worker", hood.grid)
        found = [each for each in self.waiting(worker, hood.grid) if each != worker.id]
        assert found == [first.id, second.id]

    @pytest.mark.parametrize("level", ["district", "street", "community", "grid", "micro_grid"])
    def test_a_duty_at_any_level_reads_its_part(self, hood: Hood, level: str) -> None:
        neighbour = hood.resident()
        worker = hood.staff("community_worker", getattr(hood, level))
        assert neighbour.id in self.waiting(worker, getattr(hood, level))

    def test_nobody_reads_beyond_their_duty(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker", hood.grid)
        for area in (hood.community, hood.district, f"{hood.community}002"):
            assert worker.get(f"/residences?area={area}").code == "duty_needed"
        assert hood.resident().get(f"/residences?area={hood.grid}").code == "duty_needed"
        assert hood.staff("moderator").get(f"/residences?area={hood.grid}").code == "duty_needed"

    def test_what_is_decided_or_has_moved_leaves_it(self, hood: Hood) -> None:
        confirmed, declined, moved = (hood.resident() for _ in range(3))
        worker = hood.staff("grid_worker", hood.grid)
        confirm(worker, confirmed), decline(worker, declined), choose(moved, hood.community)
        assert self.waiting(worker, hood.grid) == [worker.id]

    def test_it_comes_page_by_page_and_its_cursor_is_good_for_it_alone(self, hood: Hood) -> None:
        neighbours = [hood.resident() for _ in range(21)]
        worker = hood.staff("grid_worker", hood.community)
        first = worker.get(f"/residences?area={hood.grid}").json
        rest = worker.get(f"/residences?area={hood.grid}&cursor={first['next']}").json
        seen = [line["resident_id"] for line in first["items"] + rest["items"]]
        assert seen == [neighbour.id for neighbour in neighbours] + [worker.id]
        assert rest["next"] is None
        assert worker.get(f"/reviews?area={hood.grid}&cursor={first['next']}").status in (403, 422)


class TestDeciding:
    def test_a_confirmed_resident_is_told(self, hood: Hood) -> None:
        worker, neighbour = hood.staff("grid_worker", hood.grid), hood.resident()
        answer = confirm(worker, neighbour)
        assert answer.json["state"] == "confirmed"
        assert home(neighbour)["state"] == "confirmed"
        assert neighbour.told == ["residence_confirmed"]

    def test_a_declined_one_is_told_why(self, hood: Hood) -> None:
        worker, neighbour = hood.staff("micro_grid_head", hood.micro_grid), hood.resident()
        assert decline(worker, neighbour).json["state"] == "declined"
        assert home(neighbour)["reason"] == REASON["reason"]
        (message,) = neighbour.get("/inbox").json["items"]
        assert REASON["reason"] in message["text"]

    @pytest.mark.parametrize("reason", ["", "短", "    ", None, "x" * 101])
    def test_a_refusal_needs_a_reason(self, hood: Hood, reason: object) -> None:
        worker, neighbour = hood.staff("grid_worker"), hood.resident()
        body = {"area": hood.micro_grid, "reason": reason}
        assert worker.post(f"/residences/{neighbour.id}/decline", json=body).wrong.keys() == {"reason"}

    def test_staff_of_elsewhere_do_not_even_learn_that_somebody_lives_there(self, hood: Hood) -> None:
        neighbour = hood.resident()
        for stranger in (hood.staff("grid_worker", f"{hood.community}002"), hood.staff("moderator"), hood.resident()):
            for act in (confirm, decline):
                answer = act(stranger, neighbour)
                assert (answer.status, answer.code) == (404, "resident_not_found")
        assert home(neighbour)["state"] == "waiting"

    @pytest.mark.parametrize("resident_id", ["res_nobody", "ME", "%23", "..%2F..", "x" * 300, "%F0%9F%98%80" * 60])
    def test_who_does_not_exist_is_not_found(self, hood: Hood, resident_id: str) -> None:
        worker = hood.staff("grid_worker")
        answer = worker.post(f"/residences/{resident_id}/confirm", json={"area": hood.grid})
        assert (answer.status, answer.code) == (404, "resident_not_found")

    def test_nobody_confirms_their_own(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker")
        answer = confirm(worker, worker)
        assert (answer.status, answer.code) == (403, "own_residence")

    def test_it_is_decided_once(self, hood: Hood) -> None:
        one, other, neighbour = hood.staff("grid_worker"), hood.staff("community_worker"), hood.resident()
        confirm(one, neighbour)
        for answer in (decline(other, neighbour), confirm(one, neighbour)):
            assert (answer.status, answer.code) == (409, "residence_not_waiting")
        assert home(neighbour)["state"] == "confirmed"

    def test_of_two_at_once_one_decides(self, hood: Hood) -> None:
        neighbour = hood.resident()
        workers = [hood.staff("grid_worker") for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda worker: confirm(worker, neighbour), workers))
        assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
        assert neighbour.told == ["residence_confirmed"]

    def test_the_same_request_again_gets_the_same_answer(self, hood: Hood) -> None:
        worker, neighbour = hood.staff("grid_worker"), hood.resident()
        first, again = (confirm(worker, neighbour, key="k") for _ in range(2))
        assert (first.status, first.json) == (again.status, again.json)
        assert neighbour.told == ["residence_confirmed"]
        other = worker.post(f"/residences/{neighbour.id}/confirm", json={"area": hood.grid}, key="k")
        assert (other.status, other.code) == (422, "idempotency_key_reused")

    def test_who_has_moved_since_the_list_was_read_has_to_be_looked_at_again(self, hood: Hood) -> None:
        worker, neighbour = hood.staff("grid_worker"), hood.resident()
        choose(neighbour, hood.grid)
        answer = confirm(worker, neighbour, area=hood.micro_grid)
        assert (answer.status, answer.code) == (409, "residence_not_waiting")
        assert home(neighbour)["state"] == "waiting"

    def test_who_moves_in_that_very_moment_is_not_confirmed(self, hood: Hood, monkeypatch: pytest.MonkeyPatch) -> None:
        worker, neighbour = hood.staff("grid_worker"), hood.resident()
        as_read = people.find(neighbour.id)
        choose(neighbour, hood.grid)
        monkeypatch.setattr(people, "find", lambda _: as_read)
        assert confirm(worker, neighbour).code == "residence_not_waiting"

    def test_a_duty_that_ends_in_that_very_moment_decides_nothing(
        self, hood: Hood, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        worker, neighbour = hood.staff("grid_worker"), hood.resident()
        person = people.present(worker.caller, now=clock.now())
        with transaction() as tx:
            people.end_duty(tx, Duty.key(worker.id, "grid_worker", hood.community), now=clock.now())
        monkeypatch.setattr(people, "present", lambda *_, **__: person)
        answer = confirm(worker, neighbour)
        assert (answer.status, answer.code) == (403, "duty_needed")
        assert home(neighbour)["state"] == "waiting"

    def test_who_has_closed_their_account_is_not_found(self, hood: Hood) -> None:
        worker, neighbour = hood.staff("grid_worker"), hood.resident()
        neighbour.post("/me/close", json={"word": "注销"})
        assert confirm(worker, neighbour).code == "resident_not_found"

    def test_it_costs_two_reads_and_one_transaction(self, hood: Hood) -> None:
        worker, neighbour = hood.staff("grid_worker"), hood.resident()
        attempt = Attempt(worker.id, "POST /x", b"", None)
        now = clock.now()
        areas.full_name(hood.micro_grid)
        with budget() as spent:
            residence.decide(
                caller=worker.caller,
                resident_id=neighbour.id,
                area=hood.micro_grid,
                reason=None,
                attempt=attempt,
                now=now,
            )
        assert spent.calls == ["dynamodb Query", "dynamodb GetItem", "dynamodb TransactWriteItems"]
