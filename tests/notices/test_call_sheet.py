from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest

from chalicelib.kit import clock, ids
from chalicelib.kit.attempt import Attempt
from chalicelib.notices import call_sheet, rules, service
from chalicelib.notices.models import Notice
from chalicelib.people.models import Duty, Resident
from tests.engine.budget import budget
from tests.engine.http import Http
from tests.notices.conftest import COMMUNITY, Neighbour, letter, tell, work


@pytest.fixture
def area() -> str:
    """A community of its own in a district of its own, for lists of no other test."""
    return f"{int.from_bytes(ids.new_id('x').encode()[-4:]) % 900000 + 100000}001001"


@pytest.fixture
def grid_worker(neighbour: Callable[..., Neighbour], area: str) -> Neighbour:
    return on_duty(neighbour(), "grid_worker", area)


def on_duty(person: Neighbour, role: str, area: str) -> Neighbour:
    Duty.new(person.id, role, area, from_at=clock.now(), until_at=None, granted_by="test").save()
    return person


def not_reached(person: Neighbour, area: str, kind: str = "help_dropped_off") -> Notice:
    notice = tell(person, kind)
    notice.update([Notice.area.set(area)])
    work(letter(notice))
    return Notice.fetch(notice.pk, notice.sk)


def sheet(http: Http, staff: Neighbour, area: str) -> list[dict[str, str]]:
    answer = http.get(f"/call-sheet?area={area}", token=staff.token)
    assert answer.status == 200, answer
    items: list[dict[str, str]] = answer.json["items"]
    return items


def done(http: Http, staff: Neighbour, entry: str, key: str | None = None) -> tuple[int, str | None]:
    answer = http.post(f"/call-sheet/{quote(entry)}/done", token=staff.token, key=key)
    return answer.status, answer.code


def test_whom_an_important_message_did_not_reach_stands_on_the_call_sheet(
    http: Http, li_ju: Neighbour, grid_worker: Neighbour, area: str
) -> None:
    notice = not_reached(li_ju, area)
    (entry,) = sheet(http, grid_worker, area)
    resident = Resident.fetch(f"RES#{li_ju.id}", "ME")
    assert entry == {
        "id": f"{li_ju.id}.{notice.id}",
        "resident_id": li_ju.id,
        "nickname": resident.nickname,
        "title": "东西已送到，请去领取",
        "text": notice.text,
        "page": "pages/help/detail?id=help_1",
        "area": area,
        "since": clock.local(notice.at).isoformat(),
    }


def test_what_does_not_matter_calls_nobody(http: Http, li_ju: Neighbour, grid_worker: Neighbour, area: str) -> None:
    not_reached(li_ju, area, "help_offered")
    assert sheet(http, grid_worker, area) == []


def test_a_message_without_an_area_is_on_no_sheet(li_ju: Neighbour) -> None:
    notice = tell(li_ju, "help_dropped_off")
    notice.update([Notice.area.remove()])
    work(letter(notice))
    assert (li_ju.notice.push_state, li_ju.notice.area_key) == ("no_channel", None)


def test_a_duty_over_more_sees_more_and_one_elsewhere_nothing(
    http: Http, li_ju: Neighbour, neighbour: Callable[..., Neighbour], area: str
) -> None:
    not_reached(li_ju, area)
    street = on_duty(neighbour(), "community_worker", area[:9])
    assert len(sheet(http, street, area[:9])) == 1
    assert len(sheet(http, street, area)) == 1
    assert sheet(http, street, area[:9] + "999") == []
    for elsewhere in (area[:6], area[:8] + "9", COMMUNITY):
        answer = http.get(f"/call-sheet?area={elsewhere}", token=street.token)
        assert (answer.status, answer.code) == (403, "duty_needed")


def test_who_has_another_duty_does_not_see_it(http: Http, li_ju: Neighbour, area: str) -> None:
    for role in ("moderator", "reviewer", "desk_clerk"):
        on_duty(li_ju, role, area)
        assert http.get(f"/call-sheet?area={area}", token=li_ju.token).code == "duty_needed"


def test_an_area_that_is_none_is_refused(http: Http, grid_worker: Neighbour) -> None:
    for query in ("", "?area=", "?area=abc", "?area=３３０４０２", "?area=330402001001001001001", "?area=330402&all=1"):
        answer = http.get(f"/call-sheet{quote(query, safe='?=&')}", token=grid_worker.token)
        assert (answer.status, answer.code) == (422, "invalid"), query
    assert http.get("/call-sheet?area=3304021", token=grid_worker.token).code == "area_unknown"


def test_a_call_is_noted_once_with_who_and_when(
    http: Http, li_ju: Neighbour, grid_worker: Neighbour, neighbour: Callable[..., Neighbour], area: str
) -> None:
    not_reached(li_ju, area)
    colleague = on_duty(neighbour(), "micro_grid_head", area)
    (entry,) = sheet(http, grid_worker, area)
    assert done(http, grid_worker, entry["id"], key="a") == (204, None)
    assert done(http, grid_worker, entry["id"], key="a") == (204, None)
    assert done(http, grid_worker, entry["id"], key="b") == (409, "already_called")
    assert done(http, colleague, entry["id"]) == (409, "already_called")
    assert sheet(http, grid_worker, area) == []
    assert li_ju.notice.called_by == grid_worker.id
    assert li_ju.notice.called_at


def test_of_many_who_called_at_once_one_is_first(
    http: Http, li_ju: Neighbour, grid_worker: Neighbour, area: str
) -> None:
    not_reached(li_ju, area)
    (entry,) = sheet(http, grid_worker, area)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda key: _called(grid_worker, entry["id"], key), range(8)))
    assert sorted(answers) == ["already_called"] * 7 + ["done"]


def _called(staff: Neighbour, entry_id: str, key: int) -> str:
    attempt = Attempt(staff.id, "POST /call-sheet/x/done", b"", str(key))
    try:
        call_sheet.called(caller=staff.caller, entry_id=entry_id, attempt=attempt, now=clock.now())
    except rules.AlreadyCalled as refused:
        return refused.code
    return "done"


def test_who_reads_it_in_the_app_need_not_be_called(
    http: Http, li_ju: Neighbour, grid_worker: Neighbour, area: str
) -> None:
    notice = not_reached(li_ju, area)
    entry = f"{li_ju.id}.{notice.id}"
    service.read(caller=li_ju.caller, notice_id=notice.id, now=clock.now())
    assert sheet(http, grid_worker, area) == []
    assert done(http, grid_worker, entry) == (409, "already_called")


def test_somebody_elses_messages_are_not_to_be_found_out_about(
    http: Http, li_ju: Neighbour, neighbour: Callable[..., Neighbour], grid_worker: Neighbour, area: str
) -> None:
    elsewhere = on_duty(neighbour(), "grid_worker", COMMUNITY)
    notice = not_reached(li_ju, area)
    private = tell(li_ju, "copy_ready")
    private.update([Notice.area.remove()])
    assert done(http, elsewhere, f"{li_ju.id}.{notice.id}") == (404, "notice_unknown")
    assert done(http, li_ju, f"{li_ju.id}.{notice.id}") == (404, "notice_unknown")
    assert done(http, grid_worker, f"{li_ju.id}.{private.id}") == (404, "notice_unknown")
    for nonsense in ("x", ".", f"{li_ju.id}.", f".{notice.id}", f"{grid_worker.id}.{notice.id}", "口罩", "x" * 400):
        assert done(http, grid_worker, nonsense) == (404, "notice_unknown")


def test_a_closed_account_is_not_called(http: Http, li_ju: Neighbour, grid_worker: Neighbour, area: str) -> None:
    not_reached(li_ju, area)
    Resident.key(li_ju.id).update([Resident.state.set("closed")])
    assert sheet(http, grid_worker, area) == []


def test_the_sheet_shows_no_phone_number_and_no_openid(
    http: Http, li_ju: Neighbour, grid_worker: Neighbour, area: str
) -> None:
    not_reached(li_ju, area)
    answer = http.get(f"/call-sheet?area={area}", token=grid_worker.token)
    assert li_ju.openid not in answer.text
    assert "phone" not in answer.text


def test_the_sheet_and_a_call_cost_few_calls(http: Http, li_ju: Neighbour, grid_worker: Neighbour, area: str) -> None:
    not_reached(li_ju, area)
    with budget() as spent:
        (entry,) = sheet(http, grid_worker, area)
    assert spent.calls == ["dynamodb Query", "dynamodb Query", "dynamodb BatchGetItem"]
    with budget() as spent:
        done(http, grid_worker, entry["id"])
    assert spent.calls == ["dynamodb GetItem", "dynamodb Query", "dynamodb TransactWriteItems"]
