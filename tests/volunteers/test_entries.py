"""Training, commendation and evaluation: recorded by staff, told to the volunteer, never edited."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kit.table import Item
from chalicelib.volunteers.models import Entry, partition
from local.wechat import catalogue
from tests.neighbourhood import Hood, Neighbour
from tests.shifts import evening
from tests.volunteers import hours

WHY = {"reason": "证书编号查无此人"}


def told(who: Neighbour) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = who.get("/inbox").json["items"]
    return found


def test_staff_record_and_the_volunteer_is_told_and_shown(hood: Hood) -> None:
    worker, chen = hood.staff("grid_worker", hood.grid, "沈网格"), hours.volunteer(hood)
    made, called = hours.noted(worker, chen, hours.training()), worker.get("/me").json["nickname"]
    assert (made["state"], made["kind"], made["hours"], made["recorded_by"]) == ("shown", "training", 3.5, called)
    assert [each["id"] for each in chen.get("/me/volunteer/entries").json["items"]] == [made["id"]]
    assert [each["id"] for each in worker.get(f"/volunteers/{chen.id}/entries").json["items"]] == [made["id"]]
    assert f"{called}为您记录了一项培训：“心肺复苏初级培训”" in told(chen)[0]["text"]


def test_nobody_records_or_revokes_for_themselves_elsewhere_or_without_a_duty(hood: Hood) -> None:
    worker, chen = hood.staff("grid_worker"), hours.volunteer(hood)
    hours.register(worker, "沈网格")
    colleague, stranger = hood.staff("community_worker"), hood.staff("grid_worker", f"{hood.street}002")
    own = hours.noted(colleague, worker)
    assert worker.post(f"/volunteers/{worker.id}/entries", json=hours.praise()).code == "own_entry"
    assert worker.post(f"/volunteers/{worker.id}/entries/{own['id']}/revoke", json=WHY).code == "own_entry"
    assert worker.get(f"/volunteers/{worker.id}/entries").code == "own_entry"
    made = hours.noted(worker, chen)
    for other in (stranger, chen, hood.staff("micro_grid_head", hood.micro_grid)):
        assert other.post(f"/volunteers/{chen.id}/entries", json=hours.praise()).code == "duty_needed"
        assert other.post(f"/volunteers/{chen.id}/entries/{made['id']}/revoke", json=WHY).code == "duty_needed"
        assert other.get(f"/volunteers/{chen.id}/entries").code == "duty_needed"
    assert len(chen.get("/me/volunteer/entries").json["items"]) == 1


def test_only_volunteers_have_a_file(hood: Hood) -> None:
    worker, nobody, applied = hood.staff("grid_worker"), hood.resident(), hood.resident()
    hours.register(applied, "李申请", state="applied")
    gone = hours.volunteer(hood)
    evening.closed(gone.id)  # and not erased yet: the file goes last
    for who in (nobody.id, applied.id, gone.id, "res_nobody", "FILE"):
        assert worker.post(f"/volunteers/{who}/entries", json=hours.praise()).code == "volunteer_not_found"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "blame"}, "kind"),
        ({"day": "2026-02-30"}, "day"),
        ({"day": "1999-12-31"}, "day"),
        ({"day": lambda: f"{hours.today() + timedelta(days=1)}"}, "day"),
        ({"title": "  　 "}, "title"),
        ({"title": "x" * 61}, "title"),
        ({"by": "\u3000\u3000"}, "by"),
        ({"hours": 0}, "hours"),
        ({"hours": 1.3}, "hours"),
        ({"hours": 1001}, "hours"),
        ({"kind": "commendation", "hours": 2}, "hours"),
    ],
)
def test_what_is_filled_in_wrongly_is_named(change: dict[str, Any], field: str, hood: Hood) -> None:
    worker, chen = hood.staff("grid_worker"), hours.volunteer(hood)
    filled_in = {name: value() if callable(value) else value for name, value in change.items()}
    answer = worker.post(f"/volunteers/{chen.id}/entries", json=hours.training(**filled_in))
    assert (answer.status, list(answer.wrong)) == (422, [field]), answer
    assert chen.get("/me/volunteer/entries").json["items"] == []


def test_a_repeat_records_once_and_another_content_is_refused(hood: Hood) -> None:
    worker, chen = hood.staff("grid_worker"), hours.volunteer(hood)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: hours.noted(worker, chen, key="once")["id"], range(4)))
    assert len(set(made)) == 1
    assert len(chen.get("/me/volunteer/entries").json["items"]) == 1
    again = worker.post(f"/volunteers/{chen.id}/entries", json=hours.praise(title="别的名称"), key="once")
    assert again.code == "idempotency_key_reused"


def test_a_revoked_entry_stays_visible_and_takes_the_statements_that_show_it_along(hood: Hood) -> None:
    worker, chen = hood.staff("grid_worker", name="沈网格"), hours.volunteer(hood)
    hours.served(chen, days_ago=30)
    made = hours.noted(worker, chen)
    shows = hours.issued(chen, start=hours.today() - timedelta(days=9))["number"]
    shows_not = hours.issued(chen, start=hours.today() - timedelta(days=40), end=hours.today() - timedelta(days=9))
    answer = worker.post(f"/volunteers/{chen.id}/entries/{made['id']}/revoke", json=WHY, key="once")
    assert (answer.status, answer.json["state"], answer.json["reason"]) == (200, "revoked", WHY["reason"])
    (mine,) = chen.get("/me/volunteer/entries").json["items"]
    called = worker.get("/me").json["nickname"]
    assert (mine["state"], mine["revoked_by"], mine["reason"]) == ("revoked", called, WHY["reason"])
    assert "证明已作废" in told(chen)[0]["text"]
    assert hours.stored(shows).state == "revoked"
    assert hours.stored(shows).reason == "表彰奖励记录已撤销"
    assert hours.stored(shows_not["number"]).state == "valid"
    again = worker.post(f"/volunteers/{chen.id}/entries/{made['id']}/revoke", json=WHY, key="once")
    assert (again.status, again.json["state"]) == (200, "revoked")
    assert worker.post(f"/volunteers/{chen.id}/entries/{made['id']}/revoke", json=WHY).code == "entry_over"
    assert chen.told.count("volunteer_entry_revoked") == 1
    assert hours.issue(chen, start=hours.today() - timedelta(days=9)).code == "nothing_to_state"


def test_a_revocation_without_a_reason_changes_nothing(hood: Hood) -> None:
    worker, chen = hood.staff("grid_worker"), hours.volunteer(hood)
    made = hours.noted(worker, chen)
    for reason in ("", "　　　　　", None):
        answer = worker.post(f"/volunteers/{chen.id}/entries/{made['id']}/revoke", json={"reason": reason})
        assert list(answer.wrong) == ["reason"], answer
    assert chen.get("/me/volunteer/entries").json["items"][0]["state"] == "shown"


@pytest.mark.parametrize("entry", ["x", "entry_x.training.2026-01-01", "..", "a.b.c.d", "#.#.#", "x" * 300])
def test_an_entry_that_is_none_is_not_found(entry: str, hood: Hood) -> None:
    from urllib.parse import quote

    worker, chen = hood.staff("grid_worker"), hours.volunteer(hood)
    answer = worker.post(f"/volunteers/{chen.id}/entries/{quote(entry, safe='')}/revoke", json=WHY)
    assert answer.code == "entry_not_found"


def doubtful(worker: Neighbour, chen: Neighbour) -> dict[str, Any]:
    made: dict[str, Any] = hours.noted(
        worker, chen, hours.praise(title=f"表彰{sorted(catalogue.REVIEW_WORDS)[0]}志愿者")
    )
    assert made["state"] == "in_review"
    return made


def test_what_wechat_doubts_is_hidden_until_a_moderator_has_decided(hood: Hood) -> None:
    worker, chen, moderator = hood.staff("grid_worker"), hours.volunteer(hood), hood.staff("moderator")
    doubtful(worker, chen)
    assert chen.get("/me/volunteer/entries").json["items"] == []
    assert hours.issue(chen).code == "nothing_to_state"
    assert "volunteer_entry_added" not in chen.told
    assert [each["state"] for each in worker.get(f"/volunteers/{chen.id}/entries").json["items"]] == ["in_review"]
    (review,) = moderator.get(f"/reviews?area={hood.community}").json["items"]
    assert moderator.post(f"/reviews/{review['id']}/decide", json={"decision": "approve"}).status == 200
    assert [each["state"] for each in chen.get("/me/volunteer/entries").json["items"]] == ["shown"]
    assert chen.told[-1] == "volunteer_entry_added"
    assert hours.issue(chen).status == 201


def test_what_a_moderator_refuses_or_staff_take_back_first_the_volunteer_never_sees(hood: Hood) -> None:
    worker, chen, moderator = hood.staff("grid_worker"), hours.volunteer(hood), hood.staff("moderator")
    doubtful(worker, chen)
    taken_back = doubtful(worker, chen)
    taken = worker.post(f"/volunteers/{chen.id}/entries/{taken_back['id']}/revoke", json=WHY)
    assert taken.json["state"] == "removed"
    for review in moderator.get(f"/reviews?area={hood.community}").json["items"]:
        answer = moderator.post(
            f"/reviews/{review['id']}/decide", json={"decision": "refuse", "reason": "与社区事务无关"}
        )
        assert answer.status == 200, answer
    assert chen.get("/me/volunteer/entries").json["items"] == []
    assert {each.state for each in Item.collection(partition(chen.id), Entry.PREFIX)} == {"removed"}
    assert not any(kind.startswith("volunteer_entry") for kind in chen.told)


def test_a_risky_text_is_refused(hood: Hood) -> None:
    worker, chen = hood.staff("grid_worker"), hours.volunteer(hood)
    risky = hours.praise(title=f"表彰{sorted(catalogue.RISKY_WORDS)[0]}")
    assert worker.post(f"/volunteers/{chen.id}/entries", json=risky).code == "content_refused"
    assert chen.get("/me/volunteer/entries").json["items"] == []


def test_recording_revoking_and_issuing_at_once_leave_no_valid_statement_that_shows_what_is_revoked(
    hood: Hood, each_engine: str
) -> None:
    worker, chen = hood.staff("grid_worker"), hours.volunteer(hood)
    made = [hours.noted(worker, chen)["id"] for _ in range(3)]

    def revoke(entry: str) -> int:
        return worker.post(f"/volunteers/{chen.id}/entries/{entry}/revoke", json=WHY).status

    with ThreadPoolExecutor(5) as pool:
        revoking = [pool.submit(revoke, entry) for entry in made[:2]]
        asked = [pool.submit(hours.issue, chen) for _ in range(3)]
        assert [each.result() for each in revoking] == [200, 200]
        numbers = [each.result().json["number"] for each in asked]
    for number in numbers:
        found = hood.http.get(f"/statements/{number}").json
        if found["state"] == "valid":
            assert len(found["shown"]["commendation"]) == 1
