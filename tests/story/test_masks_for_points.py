"""Masks for points: a helper earns, answers the mask quiz, redeems two masks and collects them at the desk; another's
are delivered by the grid worker; one is called off, one is not fetched in time. At the end everything adds up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from local import district
from local.phone import Phone
from local.stack import Stack
from local.story import MASKS
from tests.story.conftest import received, soon

People = Callable[[str], Phone]
Newcomer = Callable[[str, str], Phone]

CAMPAIGN = "masks-for-points"
REDEEM = f"/products/{CAMPAIGN}/redemptions"
TWO = {"quantity": 2, "price": district.MASK_PRICE}
AT_THE_DESK = TWO | {"desk": f"{district.COMMUNITY}-office"}
AT_THE_DOOR = TWO | {"deliver": True}


def test_a_helper_redeems_two_masks_and_collects_them_at_the_desk(
    stage: Stack, phone: People, newcomer: Newcomer
) -> None:
    helper, clerk = newcomer("points-helper", "热心人"), phone("desk-clerk")
    help_somebody(helper, newcomer("points-asker", "求助人"))
    assert balance(helper) == 10

    assert helper.post(REDEEM, AT_THE_DESK).code == "quiz_not_passed"
    pass_the_quiz(helper)
    assert balance(helper) == 20

    shown = one_of(helper.get(f"/products?area={district.COMMUNITY}").json["items"], CAMPAIGN)
    assert (shown["price"], shown["cap"], shown["open"], shown["quiz"]) == (district.MASK_PRICE, 2, True, "masks")
    soon(lambda: helper.get(f"/products/{CAMPAIGN}").json["stock"] == "plenty")

    helper.allow_messages("redeem")
    assert helper.post(REDEEM, AT_THE_DESK | {"price": 1}).code == "price_changed"
    reserved = helper.post(REDEEM, AT_THE_DESK, key="one-tap")
    assert reserved.status == 201
    assert helper.post(REDEEM, AT_THE_DESK, key="one-tap").json == reserved.json, "a second tap changes nothing"
    assert balance(helper) == 10
    assert helper.post(REDEEM, AT_THE_DESK).code == "over_the_cap"

    code = {"code": reserved.json["code"]}
    assert helper.post("/desk/collect", code).code == "duty_needed"
    assert phone("grid-worker").post("/desk/collect", code).code == "code_of_another_desk"
    assert clerk.post("/desk/collect", {"code": "00000000"}).code == "code_wrong"
    assert clerk.post("/desk/look-up", code).json["quantity"] == 2
    assert clerk.post("/desk/collect", code).json["state"] == "collected"
    assert clerk.post("/desk/collect", code).code == "code_used"
    soon(lambda: received(stage, "points-helper", "已领走"))

    statement = helper.get(f"/me/points/statement?month={helper.get('/me/points').json['month']}").json["items"]
    assert [(line["reason"], line["change"], line["balance"]) for line in statement] == [
        ("帮助邻居", 10, 10),
        ("答题及格", 10, 20),
        ("兑换医用口罩", -10, 10),
    ]


def test_the_grid_worker_delivers_with_the_residents_code(stage: Stack, newcomer: Newcomer) -> None:
    old, grid_worker = newcomer("points-door", "行动不便的邻居"), newcomer("points-worker", "二社区网格员")
    grid, building = "330402010002001", "330402010002001002"
    old.put("/me/residence", {"area": building})
    command({"command": "grant_duty", "resident_id": grid_worker.id, "role": "grid_worker", "area": grid}, stage)
    pass_the_quiz(old)
    old.allow_messages("redeem")
    reserved = old.post(REDEEM, AT_THE_DOOR).json
    soon(lambda: stage.sweep() and "有东西要送" in titles(grid_worker))

    waiting = one_of(grid_worker.get(f"/deliveries?area={grid}").json["items"], reserved["id"])
    assert (waiting["home"], waiting["nickname"], waiting["quantity"]) == (building, old.get("/me").json["nickname"], 2)
    door = f"/deliveries/{reserved['id']}/with-code"
    assert grid_worker.post(door, {"code": "00000000"}).code == "code_wrong"
    assert grid_worker.post(door, {"code": reserved["code"]}).json["state"] == "delivered"
    assert grid_worker.get(f"/deliveries?area={building}").json["items"] == []
    soon(lambda: received(stage, "points-door", "已送到"))


def test_what_is_called_off_or_not_fetched_comes_back_once(stage: Stack, newcomer: Newcomer) -> None:
    undecided, forgetful = newcomer("points-undecided", "改主意的"), newcomer("points-forgetful", "忘了领的")
    for each in (undecided, forgetful):
        pass_the_quiz(each)
    before = stock(stage)

    called_off = undecided.post(REDEEM, AT_THE_DESK).json["id"]
    for _ in range(2):
        answer = undecided.post(f"/redemptions/{called_off}/cancel", key="no-thanks")
        assert answer.json["state"] == "cancelled"
    assert balance(undecided) == 10

    left_there = forgetful.post(REDEEM, AT_THE_DESK).json["id"]
    assert stock(stage)["reserved"] == before["reserved"] + 2
    for days in (6, 9, 9):  # a reminder, the end, and the same minute again
        stage.sweep(at=datetime.now(UTC) + timedelta(days=days))
    assert forgetful.get(f"/redemptions/{left_there}").json["state"] == "expired"
    assert balance(forgetful) == 10
    assert [title for title in titles(forgetful) if "兑换" in title] == ["兑换已过期，积分退回", "您兑换的东西还没有领"]
    assert stock(stage) == before


def test_an_administrator_closes_the_campaign_and_takes_back_what_a_runaway_rule_gave(
    stage: Stack, newcomer: Newcomer
) -> None:
    saver, spender = newcomer("points-saver", "攒分的"), newcomer("points-spender", "花分的")
    since = datetime.now(UTC)
    for each in (saver, spender):
        pass_the_quiz(each)
    assert spender.post(REDEEM, AT_THE_DESK).status == 201

    command({"command": "close_product", "product": CAMPAIGN}, stage)
    assert saver.post(REDEEM, AT_THE_DESK).code == "product_closed"
    command({"command": "open_product", "product": CAMPAIGN}, stage)

    reverse = {
        "command": "reverse_points",
        "rule": "quiz",
        "since": since.isoformat(),
        "until": (datetime.now(UTC) + timedelta(seconds=1)).isoformat(),
    }
    tried = command(reverse, stage)["report"]
    assert (tried["transfers"], tried["points"], tried["short"]) == (2, 10, {spender.id: 10})
    assert balance(saver) == 10, "a dry run changes nothing"
    assert command(reverse | {"dry_run": False}, stage)["report"]["points"] == 10
    assert (balance(saver), balance(spender)) == (0, 0)

    counted = stock(stage)
    assert counted["received"] == counted["left"] + counted["reserved"] + counted["handed_out"]
    audit = command({"command": "audit"}, stage)
    while "report" not in audit:
        audit = command({"command": "audit"}, stage)
    assert audit["report"]["wrong"] == 0


def help_somebody(helper: Phone, asker: Phone) -> None:
    request = f"/help-requests/{asker.post('/help-requests', MASKS).json['id']}"
    offer = f"{request}/offers/{helper.post(f'{request}/offers', {'quantity': 5}).json['id']}"
    for answer in (
        helper.post(f"{offer}/drop-off"),
        asker.post(f"{offer}/collect"),
        asker.post(f"{request}/confirm"),
    ):
        assert answer.status == 200


def pass_the_quiz(phone: Phone) -> None:
    attempt = phone.post("/quizzes/masks/attempts").json
    handed = phone.post(f"/quizzes/masks/attempts/{attempt['id']}/submit", district.who_knows_answers(attempt))
    assert handed.json["result"]["passed"]


def balance(phone: Phone) -> int:
    points: int = phone.get("/me/points").json["balance"]
    return points


def stock(stage: Stack) -> dict[str, int]:
    report: dict[str, int] = command({"command": "stock", "product": CAMPAIGN}, stage)["report"]
    return report


def command(event: dict[str, Any], stage: Stack) -> dict[str, Any]:
    answer: dict[str, Any] = stage.invoke("administer", event)
    assert answer["ok"], answer
    return answer


def titles(phone: Phone) -> list[str]:
    """Of the messages in somebody's inbox."""
    return [notice["title"] for notice in phone.get("/inbox").json["items"]]


def one_of(items: list[dict[str, Any]], wanted: str) -> dict[str, Any]:
    return next(item for item in items if item["id"] == wanted)
