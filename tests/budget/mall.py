"""What the mall costs: looking, redeeming, being refused, the ends of a redemption, and how its stock is shown."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from chalicelib.content.models import Photo
from chalicelib.kit import clock, timers
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.mall import catalogue, levels, products, stock
from chalicelib.mall.models import Product, Redemption, StockBucket
from chalicelib.people.models import Duty
from tests.budget.acts import Act, Town, act, good, handed, until, when_due
from tests.budget.content import checking
from tests.budget.people import father_and_daughter
from tests.engine import local_aws
from tests.engine.http import Answer
from tests.mall import shop
from tests.neighbourhood import Neighbour
from tests.quiz import school

LAST_MONTH = timedelta(days=40)


def masks(town: Town, **terms: Any) -> str:
    """A product that the container has read within the last ten seconds."""
    product = shop.masks(town, **terms)
    products.known(product)
    return product


def redeemed(town: Town, **terms: Any) -> tuple[Neighbour, Redemption]:
    chen = shop.buyer(town)
    way = {"deliver": True} if terms.get("delivers") else {}
    made = shop.redeemed(chen, masks(town, **terms), quantity=2, key="r", **way)
    return chen, shop.redemption(made["id"])


def to_deliver(town: Town) -> tuple[Neighbour, Redemption]:
    return redeemed(town, delivers=True, desks=[])


def refused(code: str, ask: Callable[[], Answer]) -> Act:
    """A refusal costs too: less than what is refused."""

    def be_refused() -> None:
        assert ask().code == code

    return be_refused


def crowded(town: Town, **terms: Any) -> tuple[str, Neighbour]:
    """Sold out, and this container has not looked for a second."""
    product, chen = masks(town, stock=1, buckets=8, **terms), shop.buyer(town)
    shop.redeemed(shop.buyer(town), product)
    return product, chen


# ------------------------------------------------------------------------------------------------------- looking


@act("GET /products")
def look_around(town: Town) -> Act:
    chen = shop.buyer(town, points=0)
    for _ in range(3):
        masks(town)
    catalogue._kept.clear()
    return lambda: chen.get(f"/products?area={town.community}")


@act("GET /products (a container that has just looked)")
def look_around_again(town: Town) -> Act:
    look = look_around(town)
    look()
    return look


@act("GET /products/{product_id}")
def look_at(town: Town) -> Act:
    chen, product = shop.buyer(town, points=0), masks(town)
    products.forget(product)
    return lambda: chen.get(f"/products/{product}")


@act("GET /redemptions")
def my_redemptions(town: Town) -> Act:
    chen, _ = redeemed(town)
    return lambda: chen.get("/redemptions")


@act("GET /redemptions/{redemption_id}")
def my_redemption(town: Town) -> Act:
    chen, made = redeemed(town)
    return lambda: chen.get(f"/redemptions/{made.id}")


@act("GET /redemptions/{redemption_id}/code")
def my_code(town: Town) -> Act:
    chen, made = redeemed(town)
    return lambda: chen.get(f"/redemptions/{made.id}/code")


@act("GET /me/points/statement (earned, spent and given back)")
def my_statement(town: Town) -> Act:
    chen, made = redeemed(town)
    good(chen.post(f"/redemptions/{made.id}/cancel"))
    month = good(chen.get("/me/points"))["month"]
    return lambda: chen.get(f"/me/points/statement?month={month}")


# ------------------------------------------------------------------------------------------------------ redeeming


@act("POST /products/{product_id}/redemptions")
def redeem(town: Town) -> Act:
    chen, product = shop.buyer(town), masks(town, cap=4, buckets=8, stock=80)
    return lambda: shop.redeem(chen, product, quantity=2, key="k")


@act("POST /products/{product_id}/redemptions (by a delegate)")
def redeem_for_my_father(town: Town) -> Act:
    father, daughter = father_and_daughter(town)
    shop.give_points(father.id, 100)
    path, body = f"/products/{masks(town, cap=4)}/redemptions", {"price": shop.PRICE}
    return lambda: daughter.post(path, json=body, acting_for=father.id, key="k")


@act("POST /products/{product_id}/redemptions (to be delivered)")
def redeem_to_the_door(town: Town) -> Act:
    chen, product = shop.buyer(town), masks(town, delivers=True, desks=[])
    return lambda: shop.redeem(chen, product, deliver=True)


@act("POST /products/{product_id}/redemptions (a campaign after a quiz)")
def redeem_after_a_quiz(town: Town) -> Act:
    from chalicelib.entitlements import rules as entitlements
    from chalicelib.entitlements import service

    quiz = school.quiz(town.community)
    chen, campaign = shop.buyer(town), shop.campaign(town, cap=2, quiz=quiz, stock=80)
    with transaction() as tx:
        service.grant(tx, chen.id, entitlements.of_quiz(quiz), why="通过了答题", now=clock.now())
    products.known(campaign)
    return lambda: shop.redeem(chen, campaign, quantity=2, key="k")


@act("POST /products/{product_id}/redemptions (the first in a month)")
def redeem_first_in_a_month(town: Town) -> Act:
    chen, product = shop.buyer(town, points=0), masks(town)
    shop.give_points(chen.id, 100, ago=LAST_MONTH)
    return lambda: shop.redeem(chen, product)


@act("POST /products/{product_id}/redemptions (the product was not read for ten seconds)")
def redeem_in_a_cold_container(town: Town) -> Act:
    chen, product = shop.buyer(town), masks(town)
    products.forget(product)
    return lambda: shop.redeem(chen, product)


@act("POST /products/{product_id}/redemptions (out of three buckets)")
def redeem_out_of_three(town: Town) -> Act:
    chen, product = shop.buyer(town), masks(town, stock=8, buckets=8)
    return lambda: shop.redeem(chen, product, quantity=3)


@act("POST /products/{product_id}/redemptions (the same again)")
def redeem_again(town: Town) -> Act:
    chen, product = shop.buyer(town), masks(town)
    shop.redeemed(chen, product, key="k")
    return lambda: shop.redeem(chen, product, key="k")


@act("POST /products/{product_id}/redemptions (refused: sold out)")
def redeem_sold_out(town: Town) -> Act:
    product, chen = crowded(town)
    return refused("sold_out", lambda: shop.redeem(chen, product))


@act("POST /products/{product_id}/redemptions (refused: sold out, with a key)")
def redeem_sold_out_with_a_key(town: Town) -> Act:
    product, chen = crowded(town)
    return refused("sold_out", lambda: shop.redeem(chen, product, key="k"))


@act("POST /products/{product_id}/redemptions (refused: sold out, as seen a moment ago)")
def redeem_still_sold_out(town: Town) -> Act:
    product, chen = crowded(town)

    def see_it() -> None:
        stock._seen_empty[product] = time.monotonic()

    ask = refused("sold_out", lambda: shop.redeem(chen, product, key="k"))
    return lambda: (see_it(), ask())[1]


@act("POST /products/{product_id}/redemptions (refused: the price has changed)")
def redeem_at_another_price(town: Town) -> Act:
    chen, product = shop.buyer(town), masks(town)
    return refused("price_changed", lambda: shop.redeem(chen, product, price=4, key="k"))


@act("POST /products/{product_id}/redemptions (refused: over the cap)")
def redeem_over_the_cap(town: Town) -> Act:
    chen, product = shop.buyer(town), masks(town, cap=1)
    return refused("over_the_cap", lambda: shop.redeem(chen, product, quantity=2))


@act("POST /products/{product_id}/redemptions (refused: over the cap, with a key)")
def redeem_over_the_cap_with_a_key(town: Town) -> Act:
    chen, product = shop.buyer(town), masks(town, cap=1)
    return refused("over_the_cap", lambda: shop.redeem(chen, product, quantity=2, key="k"))


# ---------------------------------------------------------------------------------------------------------- ends


@act("POST /redemptions/{redemption_id}/cancel")
def cancel(town: Town) -> Act:
    chen, made = redeemed(town, cap=4)
    return lambda: chen.post(f"/redemptions/{made.id}/cancel", key="c")


@act("POST /desk/look-up")
def look_up(town: Town) -> Act:
    _, made = redeemed(town)
    clerk = town.staff("desk_clerk")
    return lambda: clerk.post("/desk/look-up", json={"code": made.code})


@act("POST /desk/collect")
def collect(town: Town) -> Act:
    _, made = redeemed(town)
    clerk = town.staff("desk_clerk")
    return lambda: clerk.post("/desk/collect", json={"code": made.code}, key="c")


@act("GET /deliveries")
def deliveries(town: Town) -> Act:
    to_deliver(town)
    worker = town.carer()
    return lambda: worker.get(f"/deliveries?area={town.grid}")


@act("POST /deliveries/{redemption_id}/with-code")
def deliver(town: Town) -> Act:
    _, made = to_deliver(town)
    worker = town.carer()
    return lambda: worker.post(f"/deliveries/{made.id}/with-code", json={"code": made.code}, key="d")


@act("POST /deliveries/{redemption_id}/photos")
def photo_of_a_delivery(town: Town) -> Act:
    _, made = to_deliver(town)
    worker = town.carer()
    return lambda: worker.post(f"/deliveries/{made.id}/photos", json={}, key="p")


@act("POST /deliveries/{redemption_id}/with-photo")
def leave_at_the_door(town: Town) -> Act:
    _, made = to_deliver(town)
    worker = town.account()  # WeChat asks for the openid of whoever took a picture
    duty = Duty.new(worker.id, "grid_worker", town.grid, from_at=clock.now(), until_at=None, granted_by="test")
    with transaction() as tx:
        tx.put(duty)
    photo = good(worker.post(f"/deliveries/{made.id}/photos", json={}))["photo_id"]
    checking(Photo.fetch(made.pk, f"PHOTO#{photo}"))
    left = {"photo_id": photo, "reason": "家里没人，放在门口"}
    return lambda: worker.post(f"/deliveries/{made.id}/with-photo", json=left, key="d")


@act("timer mall.announce")
def announce(town: Town) -> Act:
    town.carer()
    return when_due(to_deliver(town)[1])


@act("timer mall.remind (the resident)")
def remind(town: Town) -> Act:
    return until("mall.remind", redeemed(town)[1])


@act("timer mall.remind (the grid worker)")
def remind_the_worker(town: Town) -> Act:
    town.carer()
    return until("mall.remind", to_deliver(town)[1])


@act("timer mall.expire")
def expire(town: Town) -> Act:
    """In the month it was made: the first points of another month cost three units more."""
    _, made = redeemed(town, cap=4)
    over = [Redemption.collect_by.set(made.created_at), *timers.set_to(made.pk, "mall.expire", made.created_at)]
    with transaction() as tx:
        tx.update(made, over)
    return when_due(made)


# ------------------------------------------------------------------------------------------------------ products


@act("timer mall.unlist")
def unlist(town: Town) -> Act:
    return when_due(Product.key(shop.campaign(town)))


@act("POST /products/{product_id}/photos")
def add_picture(town: Town) -> Act:
    clerk, product = town.staff("desk_clerk", town.district), masks(town)
    return lambda: clerk.post(f"/products/{product}/photos", json={}, key="p")


@act("POST /products/{product_id}/photos/{photo_id}/remove")
def remove_picture(town: Town) -> Act:
    clerk, product = town.staff("desk_clerk", town.district), masks(town)
    photo = good(clerk.post(f"/products/{product}/photos", json={}))["photo_id"]
    return lambda: clerk.post(f"/products/{product}/photos/{photo}/remove")


def moved(bucket: StockBucket) -> dict[str, Any]:
    """What the table's stream says about a bucket that has changed."""
    key = {"PK": {"S": bucket.pk}, "SK": {"S": bucket.sk}}
    found = local_aws.client("dynamodb").get_item(TableName=Item.Meta.table_name, Key=key, ConsistentRead=True)
    told = {"Keys": key, "NewImage": found["Item"], "SequenceNumber": "1"}
    return {"eventID": "1", "eventName": "MODIFY", "dynamodb": told}


@act("look_at_stock")
def look_at_stock(town: Town) -> Act:
    _, made = redeemed(town, buckets=4)
    buckets = stock.all_buckets(products.fetch(made.product_id))
    return handed(levels.look_at_stock, *map(moved, buckets))
