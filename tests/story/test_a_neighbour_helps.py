"""李菊 needs masks to go back to work; 陈彩明 sees it and leaves five at the community office; 李菊 fetches them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from local import district
from local.phone import Phone
from local.stack import Stack
from local.story import MASKS
from tests.story.conftest import received, soon, whole

People = Callable[[str], Phone]


def test_a_neighbour_brings_five_masks_and_both_are_told_on_their_phones(stage: Stack, phone: People) -> None:
    li_ju, chen = phone("li-ju"), phone("chen-caiming")
    li_ju.allow_messages("ask_for_help")
    asked = li_ju.post("/help-requests", MASKS)
    assert asked.status == 201
    request = f"/help-requests/{asked.json['id']}"

    nearby = chen.get(f"/help-requests?area={district.COMMUNITY}").json["items"]
    assert asked.json["id"] in [line["id"] for line in nearby]
    chen.allow_messages("offer_help")
    offered = chen.post(f"{request}/offers", {"quantity": 5, "message": "我家有，放到居委会"})
    assert offered.status == 201
    offer = f"{request}/offers/{offered.json['id']}"
    soon(lambda: received(stage, "li-ju", "有人帮忙"))

    li_ju.allow_messages("ask_for_help")
    assert chen.post(f"{offer}/drop-off").json["code"] is None, "the code is for the requester's eyes only"
    soon(lambda: received(stage, "li-ju", "已送达"))
    code = li_ju.get(request).json["offers"][0]["code"]
    assert len(code) == 8

    chen.allow_messages("offer_help")
    assert li_ju.post(f"{offer}/collect").json["state"] == "collected"
    soon(lambda: received(stage, "chen-caiming", "已领取"))
    assert li_ju.post(f"{offer}/thanks", {"text": "谢谢你，帮了大忙！"}).status == 200
    before = chen.get("/me/points").json
    assert li_ju.post(f"{request}/confirm").json["state"] == "fulfilled"
    earned = chen.get("/me/points").json
    assert earned["balance"] == before["balance"] + 10
    statement = chen.get(f"/me/points/statement?month={earned['month']}").json["items"]
    assert (statement[-1]["change"], statement[-1]["reason"]) == (10, "帮助邻居")
    assert "邻居感谢您" in [notice["title"] for notice in chen.get("/inbox").json["items"]]


def test_an_administrator_audits_the_books(stage: Stack, phone: People) -> None:
    phone("chen-caiming")
    answer = stage.invoke("administer", {"command": "audit"})
    while "report" not in answer:
        answer = stage.invoke("administer", {"command": "audit"})
    assert answer["report"]["wrong"] == 0
    assert (
        answer["report"]["issued"] == answer["report"]["held"] + answer["report"]["spent"] + answer["report"]["lapsed"]
    )
    stage.sweep(at=datetime.now(UTC))
    dry = {
        "command": "reverse_points",
        "rule": "help",
        "since": "2026-01-01T00:00:00Z",
        "until": "2026-01-02T00:00:00Z",
    }
    assert stage.invoke("administer", dry)["report"]["transfers"] == 0


def test_staff_hand_the_goods_over_to_whoever_shows_the_pick_up_code(phone: People) -> None:
    li_ju, chen, grid_worker = phone("li-ju"), phone("chen-caiming"), phone("grid-worker")
    request = f"/help-requests/{li_ju.post('/help-requests', MASKS).json['id']}"
    offered = chen.post(f"{request}/offers", {"quantity": 5})
    chen.post(f"{request}/offers/{offered.json['id']}/drop-off")
    code = li_ju.get(request).json["offers"][0]["code"]

    assert chen.post("/pick-ups", {"code": code}).code == "duty_needed"
    assert grid_worker.post("/pick-ups", {"code": "00000000"}).code == "pick_up_code_wrong"
    assert grid_worker.post("/pick-ups", {"code": code.lower()}).json["state"] == "collected"
    assert grid_worker.post("/pick-ups", {"code": code}).code == "pick_up_code_used"


def test_of_eight_neighbours_offering_at_once_five_are_taken(
    stage: Stack, phone: People, newcomer: Callable[[str, str], Phone]
) -> None:
    request = f"/help-requests/{phone('li-ju').post('/help-requests', MASKS).json['id']}"
    neighbours = [newcomer(f"racer-{number}", f"邻居{number}") for number in range(2)]
    with ThreadPoolExecutor(8) as crowd:  # 32 of them race in tests/help, where a thread needs no process
        answers = list(crowd.map(lambda n: neighbours[n % 2].post(f"{request}/offers", {"quantity": 1}), range(8)))
    refused = {answer.code for answer in answers if answer.status != 201}
    assert sum(answer.status == 201 for answer in answers) == 5
    assert refused <= {"request_not_open", "more_than_needed", "server_busy"}
    seen = phone("li-ju").get(request).json
    assert (seen["state"], seen["offered"], len(seen["offers"])) == ("covered", 5, 5)


def test_a_request_sent_again_because_its_answer_was_lost_is_one_request(phone: People) -> None:
    li_ju = phone("li-ju")
    first, again = (li_ju.post("/help-requests", MASKS, key="the-same-tap") for _ in range(2))
    assert first.json["id"] == again.json["id"]
    other = li_ju.post("/help-requests", MASKS | {"quantity": 6}, key="the-same-tap")
    assert (other.status, other.code) == (422, "idempotency_key_reused")


def test_time_does_what_nobody_does(stage: Stack, phone: People) -> None:
    """Unanswered: the grid worker is told. Not brought within 48 hours: open again. Nobody at all: expired."""
    li_ju, chen, grid_worker = phone("li-ju"), phone("chen-caiming"), phone("grid-worker")
    asked = li_ju.post("/help-requests", MASKS).json
    request, now = f"/help-requests/{asked['id']}", datetime.now(UTC)

    stage.sweep(at=now)
    stage.sweep(at=now + timedelta(hours=2, minutes=1))
    unanswered = whole(grid_worker, f"/help-requests/unanswered?area={district.GRID}")
    assert asked["id"] in [line["request_id"] for line in unanswered]

    offered = chen.post(f"{request}/offers", {"quantity": 5}).json
    assert li_ju.get(request).json["state"] == "covered"
    stage.sweep(at=now + timedelta(hours=48, minutes=1))
    seen = li_ju.get(request).json
    assert (seen["state"], seen["offered"]) == ("open", 0)
    assert [offer["state"] for offer in seen["offers"] if offer["id"] == offered["id"]] == ["lapsed"]

    stage.sweep(at=now + timedelta(days=15))
    assert li_ju.get(request).json["state"] == "expired"


def test_staff_file_for_somebody_without_wechat(phone: People) -> None:
    grid_worker, chen = phone("grid-worker"), phone("chen-caiming")
    filed = grid_worker.post(
        "/help-requests/on-behalf",
        {
            "what": "errand",
            "title": "帮忙买药",
            "text": "老人独居，需要有人代买降压药。",
            "area": district.HOME,
            "contact_name": "王奶奶",
            "contact_phone": "0573-82220000",
        },
    )
    assert filed.status == 201
    assert filed.json["filed_by_staff"] is True
    request = f"/help-requests/{filed.json['id']}"
    assert chen.post(f"{request}/contact", {"reason": "想直接打电话"}).status in (403, 404)
    shown = grid_worker.post(f"{request}/contact", {"reason": "回电确认药名"})
    assert shown.json == {"name": "王奶奶", "phone": "0573-82220000"}
