"""Staff see a phone number only by an act with a reason, which its owner sees."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.account import identity
from chalicelib.kit import clock, limits
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.transaction import transaction
from chalicelib.people import lookups
from tests.engine.http import Answer
from tests.neighbourhood import Hood, Neighbour

REASON = "电话核实居住情况"


@pytest.fixture
def neighbour(hood: Hood) -> Neighbour:
    somebody = hood.resident("李菊")
    assert somebody.post("/me/phone", json={"code": hood.wechat.phone_code(somebody.phone)}).status == 200
    return somebody


def look(worker: Neighbour, neighbour: Neighbour, key: str | None = None, reason: object = REASON) -> Answer:
    return worker.post(f"/residents/{neighbour.id}/identity", json={"reason": reason}, key=key)


def looks(neighbour: Neighbour) -> list[dict[str, str]]:
    return list(neighbour.get("/me/lookups").json["items"])


def test_who_cares_for_the_area_sees_the_number(hood: Hood, neighbour: Neighbour) -> None:
    answer = look(hood.staff("grid_worker"), neighbour)
    assert answer.json["phone"] == hood.wechat.person(neighbour.phone)["phone"]
    assert answer.json["home"] == hood.micro_grid


def test_the_owner_sees_who_looked_and_why_and_is_told(hood: Hood, neighbour: Neighbour) -> None:
    worker = hood.staff("grid_worker")
    look(worker, neighbour)
    (entry,) = looks(neighbour)
    assert (entry["role"], entry["what"], entry["reason"]) == ("网格员", "手机号", REASON)
    assert entry["by"] == worker.get("/me").json["nickname"]
    assert neighbour.told == ["looked_up"]
    (message,) = neighbour.get("/inbox").json["items"]
    assert REASON in message["text"]


def test_nobody_else_sees_who_looked(hood: Hood, neighbour: Neighbour) -> None:
    worker = hood.staff("grid_worker")
    look(worker, neighbour)
    assert looks(worker) == looks(hood.resident()) == []


@pytest.mark.parametrize("reason", [None, "", "看看", "      ", "x" * 101, 5, "\u0000\u0000\u0000\u0000"])
def test_without_a_reason_there_is_nothing_to_see(hood: Hood, neighbour: Neighbour, reason: object) -> None:
    assert look(hood.staff("grid_worker"), neighbour, reason=reason).wrong.keys() == {"reason"}
    assert looks(neighbour) == []


def test_nobody_else_sees_anything_or_learns_that_there_is_something(hood: Hood, neighbour: Neighbour) -> None:
    others = (
        hood.resident(),
        neighbour,
        hood.staff("grid_worker", f"{hood.community}002"),
        hood.staff("moderator"),
        hood.staff("desk_clerk"),
        hood.staff("reviewer", hood.district),
    )
    for somebody in others:
        answer = look(somebody, neighbour)
        assert (answer.status, answer.code) == (404, "resident_not_found")
    assert looks(neighbour) == []


def test_who_says_nowhere_to_live_is_nobodys_to_look_up(hood: Hood) -> None:
    homeless = hood.somebody()
    homeless.consent()
    assert look(hood.staff("grid_worker", hood.district), homeless).code == "resident_not_found"


@pytest.mark.parametrize("resident_id", ["res_nobody", "ME", "%23", "..%2F", "x" * 300])
def test_who_does_not_exist_is_not_found(hood: Hood, resident_id: str) -> None:
    answer = hood.staff("grid_worker").post(f"/residents/{resident_id}/identity", json={"reason": REASON})
    assert (answer.status, answer.code) == (404, "resident_not_found")


def test_a_look_at_somebody_without_a_phone_is_written_down_all_the_same(hood: Hood) -> None:
    neighbour = hood.resident()
    assert look(hood.staff("grid_worker"), neighbour).json["phone"] is None
    assert len(looks(neighbour)) == 1


class TestTheSameRequestAgain:
    def test_it_is_one_look(self, hood: Hood, neighbour: Neighbour) -> None:
        worker = hood.staff("grid_worker")
        first, again = look(worker, neighbour, "k"), look(worker, neighbour, "k")
        assert (first.status, first.json) == (again.status, again.json)
        assert len(looks(neighbour)) == len(neighbour.told) == 1

    def test_each_other_request_is_another(self, hood: Hood, neighbour: Neighbour) -> None:
        worker = hood.staff("grid_worker")
        for key in ("k", "l", None, None):
            look(worker, neighbour, key)
        assert len(looks(neighbour)) == len(neighbour.told) == 4

    def test_its_key_is_of_no_use_for_somebody_else_or_by_somebody_else(self, hood: Hood, neighbour: Neighbour) -> None:
        worker, other = hood.staff("grid_worker"), hood.resident()
        look(worker, neighbour, "k"), look(worker, other, "k"), look(hood.staff("grid_worker"), neighbour, "k")
        assert (len(looks(neighbour)), len(looks(other))) == (2, 1)

    def test_another_reason_under_the_same_key_is_refused(self, hood: Hood, neighbour: Neighbour) -> None:
        worker = hood.staff("grid_worker")
        look(worker, neighbour, "k")
        assert look(worker, neighbour, "k", "另外一个理由").code == "idempotency_key_reused"

    def test_one_key_is_not_good_for_looking_for_ever(self, hood: Hood, neighbour: Neighbour) -> None:
        worker = hood.staff("grid_worker")
        attempt, now = Attempt(worker.id, "POST /x", b"{}", "k"), clock.now()

        def show(after: timedelta) -> identity.Identity:
            return identity.show(
                caller=worker.caller, resident_id=neighbour.id, reason=REASON, attempt=attempt, now=now + after
            )

        show(timedelta(0)), show(timedelta(minutes=9))
        with pytest.raises(lookups.LookOver):
            show(lookups.REPEATS_WITHIN)
        assert len(looks(neighbour)) == 1


def test_an_ended_duty_shows_nothing_even_for_a_repeat(hood: Hood, neighbour: Neighbour) -> None:
    from chalicelib.people import service as people
    from chalicelib.people.models import Duty

    worker = hood.staff("grid_worker")
    look(worker, neighbour, "k")
    with transaction() as tx:
        people.end_duty(tx, Duty.key(worker.id, "grid_worker", hood.community), now=clock.now())
    assert look(worker, neighbour, "k").code == "resident_not_found"


def test_fifty_looks_a_day_are_enough(hood: Hood, neighbour: Neighbour) -> None:
    worker, most = hood.staff("grid_worker"), lookups.A_DAY
    with transaction() as tx:
        limits.spend(tx, worker.id, "look_up", at_most=most, per=timedelta(days=1), now=clock.now(), cost=most)
    assert look(worker, neighbour).code == "too_many_requests"
    assert looks(neighbour) == []


def test_the_list_comes_page_by_page_the_latest_first(hood: Hood, neighbour: Neighbour) -> None:
    worker = hood.staff("grid_worker")
    for number in range(21):
        look(worker, neighbour, reason=f"第 {number} 次核实")
    first = neighbour.get("/me/lookups").json
    rest = neighbour.get(f"/me/lookups?cursor={first['next']}").json
    reasons = [entry["reason"] for entry in first["items"] + rest["items"]]
    assert reasons == [f"第 {number} 次核实" for number in range(20, -1, -1)]
    assert worker.get(f"/me/lookups?cursor={first['next']}").code == "cursor_invalid"
