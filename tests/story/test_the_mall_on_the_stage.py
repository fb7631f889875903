"""The mall as it is shipped: the list follows the stock, the desk hands over, a delivery is proved by a photo."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import urllib3

from local import district
from local.phone import Phone
from local.stack import Stack
from tests.story.conftest import soon, whole
from tests.story.test_content_is_checked import CAMERA, picture

Newcomers = Callable[[str, str], Phone]
PRICE = 5
DESK = {"area": district.COMMUNITY, "place": "office"}


@pytest.fixture(scope="module")
def _points_for_coming(stage: Stack) -> Iterator[None]:
    """Whoever logs in has enough points for all of this file."""
    rule = {"name": "每日登录", "points": 100, "once_per_subject": False, "on": True}
    stage.put_setting("points", {"rules": {"login": rule}})
    time.sleep(1.1)
    yield
    stage.put_setting("points", {"rules": {}})
    time.sleep(1.1)


@pytest.fixture
def buyer(_points_for_coming: None, newcomer: Newcomers) -> Phone:
    arrived = newcomer(f"buyer-{uuid.uuid4().hex[:8]}", "买家")
    assert soon(lambda: arrived.get("/me/points").json["balance"]) == 100
    return arrived


def administer(stage: Stack, command: str, **fields: Any) -> dict[str, Any]:
    answer: dict[str, Any] = stage.invoke("administer", {"command": command, **fields})
    assert answer["ok"], answer
    return answer


def product(stage: Stack, stock: int, **terms: Any) -> str:
    name = f"mask-{uuid.uuid4().hex[:8]}"
    fields = {"name": "口罩", "unit": "只", "price": PRICE, "area": district.DISTRICT[0], "desks": [DESK]}
    administer(stage, "put_product", product=name, **fields | terms)
    administer(stage, "restock", product=name, quantity=stock, receipt="first")
    return name


def redeem(who: Phone, what: str, **wish: Any) -> dict[str, Any]:
    answer = who.post(f"/products/{what}/redemptions", {"price": PRICE} | wish)
    assert answer.status == 201, answer
    document: dict[str, Any] = answer.json
    return document


def level(who: Phone, what: str) -> str:
    """What the list says of a product."""
    listed = who.get(f"/products?area={district.COMMUNITY}").json["items"]
    return next((line["stock"] for line in listed if line["id"] == what), "not listed")


def test_the_list_follows_the_stock_and_the_desk_hands_over(stage: Stack, buyer: Phone, newcomer: Newcomers) -> None:
    masks = product(stage, stock=7, buckets=3)
    soon(lambda: level(buyer, masks) == "plenty")
    made = redeem(buyer, masks, quantity=2)
    soon(lambda: level(buyer, masks) == "few")
    redeem(buyer, masks, quantity=5)
    soon(lambda: level(buyer, masks) == "none")
    assert buyer.post(f"/products/{masks}/redemptions", {"price": PRICE}).code == "sold_out"

    code = buyer.get(f"/redemptions/{made['id']}/code").json
    assert (code["code"], code["picture"][:11]) == (made["code"], "data:image/")
    clerk = newcomer("new-clerk", "柜台")
    assert clerk.post("/desk/look-up", {"code": made["code"]}).code == "duty_needed"
    administer(stage, "grant_duty", resident_id=clerk.id, role="desk_clerk", area=district.COMMUNITY)
    seen = clerk.post("/desk/look-up", {"code": made["code"].lower()}).json
    assert (seen["name"], seen["quantity"], seen["state"]) == ("口罩", 2, "reserved")
    assert clerk.post("/desk/collect", {"code": made["code"]}).json["state"] == "collected"
    assert clerk.post("/desk/collect", {"code": made["code"]}).code == "code_used"
    figures = administer(stage, "stock", product=masks)["report"]
    assert figures == {"received": 7, "left": 0, "reserved": 5, "handed_out": 2}

    administer(stage, "restock", product=masks, quantity=1, receipt="second")
    soon(lambda: level(buyer, masks) == "few")
    administer(stage, "close_product", product=masks)
    soon(lambda: level(buyer, masks) == "not listed")


def test_a_delivery_is_left_with_a_photo_that_its_resident_sees(
    stage: Stack, buyer: Phone, phone: Callable[[str], Phone]
) -> None:
    rice = product(stage, stock=1, desks=[], delivers=True)
    made = redeem(buyer, rice, deliver=True)
    worker = phone("grid-worker")
    stage.sweep(at=datetime.now(UTC) + timedelta(minutes=1))
    assert any(made["name"] in line["text"] for line in whole(worker, "/inbox"))
    waiting = whole(worker, f"/deliveries?area={district.GRID}")
    line = next(line for line in waiting if line["id"] == made["id"])
    assert (line["home"], line["nickname"]) == (district.HOME, buyer.get("/me").json["nickname"])

    delivery = f"/deliveries/{made['id']}"
    form = worker.post(f"{delivery}/photos", {}).json
    proof = {"photo_id": form["photo_id"], "reason": "家里没人，放在门口鞋柜上"}
    assert worker.post(f"{delivery}/with-photo", proof).code == "photo_not_there"
    stage.wechat.settings(media_withheld=False)
    assert worker.upload(form, picture("blue")) == 204
    done = soon(lambda: (answer := worker.post(f"{delivery}/with-photo", proof)).status == 200 and answer)
    assert done.json["state"] == "delivered"
    assert made["id"] not in [line["id"] for line in whole(worker, f"/deliveries?area={district.GRID}")]

    shown = soon(lambda: buyer.get(f"/redemptions/{made['id']}").json["photos"])
    assert buyer.get(f"/redemptions/{made['id']}").json["reason"] == proof["reason"]
    loaded = urllib3.request("GET", shown[0]["url"])
    assert loaded.status == 200
    assert CAMERA.encode() not in loaded.data


def test_the_list_shows_a_product_with_its_picture(stage: Stack, buyer: Phone, phone: Callable[[str], Phone]) -> None:
    tea = product(stage, stock=1, area=district.COMMUNITY)
    worker = phone("grid-worker")  # of one grid only
    assert worker.post(f"/products/{tea}/photos", {}).code == "duty_needed"
    administer(stage, "grant_duty", resident_id=worker.id, role="community_worker", area=district.COMMUNITY)
    try:
        stage.wechat.settings(media_withheld=False)
        assert worker.upload(worker.post(f"/products/{tea}/photos", {}).json, picture("green")) == 204
    finally:
        administer(stage, "end_duty", resident_id=worker.id, role="community_worker", area=district.COMMUNITY)

    def seen() -> str | None:
        listed = buyer.get(f"/products?area={district.COMMUNITY}").json["items"]
        found: str | None = next(line["picture"] for line in listed if line["id"] == tea)
        return found

    assert urllib3.request("GET", soon(seen)).status == 200
