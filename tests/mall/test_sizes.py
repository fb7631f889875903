"""A write unit pays for a kilobyte begun, twice in a transaction: what is written at every redemption stays below one.

Tried with the longest of everything that the commands and the forms let through.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kit.table import Item
from chalicelib.mall import rules
from chalicelib.mall.models import Product, StockBucket
from chalicelib.points.models import Account
from tests.engine.budget import size
from tests.help.street import Street
from tests.mall import shop
from tests.neighbourhood import Hood

KILOBYTE = 1024
WIDE = "兑"  # three bytes, as most of what people read


def stored(item: Item) -> int:
    """Bytes as DynamoDB counts them, of what is in the table now."""
    return size(type(item).fetch(item.pk, item.sk).serialize())


def long_product(street: Street, number: int = 0, **terms: Any) -> str:
    """As long as the commands allow."""
    product = f"{street.district}{number:02d}".ljust(39, "-") + "z"
    place = {"id": "a" * 40, "name": WIDE * rules.DESK_NAME_AT_MOST}
    area = {"code": street.micro_grid, "name": WIDE * 40, "drop_points": [place]}
    shop.done(command="put_areas", areas=[{**area, "rename": True}])
    known = {
        "command": "put_product",
        "product": product,
        "name": WIDE * 20,
        "text": WIDE * 500,
        "unit": WIDE * 4,
        "price": 10_000,
        "area": street.micro_grid,
        "desks": [{"area": street.micro_grid, "place": "a" * 40}],
        "collect_days": 60,
        "cap": 99,
    }
    shop.done(**known | terms)
    return product


@pytest.mark.parametrize("deliver", [False, True], ids=["at a desk", "delivered"])
def test_a_redemption_that_a_delegate_made_out_of_twenty_buckets_stays_below_a_kilobyte(street: Street, deliver: bool):
    """From its making to its end. One out of more buckets costs two units for each of them anyway; and the reason for
    which a delivery has no code may make its last write dearer."""
    product = long_product(street, buckets=64, delivers=True)
    shop.done(command="restock", product=product, quantity=64 * 5, receipt="r" * 40, reason=WIDE * 100)
    father, daughter = shop.buyer(street, points=1_000_000), street.resident()
    street.let_act(daughter, father)
    way = {"deliver": True} if deliver else {"desk": f"{street.micro_grid}-{'a' * 40}"}
    answer = daughter.post(
        f"/products/{product}/redemptions",
        json={"price": 10_000, "quantity": 99, **way},
        key="k" * 64,
        acting_for=father.id,
    )
    assert answer.status == 201, answer
    made = shop.redemption(answer.json["id"])
    assert sorted(made.taken_from.values()) == [4, *[5] * 19]
    assert stored(made) < KILOBYTE
    Hood.pass_time(made, made.created_at)
    Hood.pass_time(made, made.collect_by - timedelta(hours=1))
    assert stored(made) < KILOBYTE
    if deliver:
        ended = father.post(f"/redemptions/{made.id}/cancel", key="c" * 64)
    else:
        clerk = street.staff("desk_clerk", street.micro_grid)
        ended = clerk.post("/desk/collect", json={"code": made.code}, key="c" * 64)
    assert ended.status == 200, ended
    assert stored(made) < KILOBYTE


def test_a_redemption_out_of_all_sixty_four_buckets_is_still_one_transaction(street: Street):
    product = shop.masks(street, stock=64, buckets=rules.BUCKETS_AT_MOST)
    chen = shop.buyer(street, points=1000)
    made = shop.redeemed(chen, product, quantity=64)
    assert shop.counts(product) == (64, 0, 64, 0)
    assert chen.post(f"/redemptions/{made['id']}/cancel").status == 200
    assert (shop.counts(product), shop.balance(chen)) == ((64, 64, 0, 0), 1000)


def test_the_account_of_somebody_who_takes_seven_products_a_month_stays_below_a_kilobyte(street: Street):
    chen = shop.buyer(street, points=1_000_000)
    for number in range(7):
        product = long_product(street, number, price=1)
        shop.done(command="restock", product=product, quantity=99, receipt="r")
        desk = f"{street.micro_grid}-{'a' * 40}"
        shop.redeemed(chen, product, quantity=99, price=1, desk=desk)
    account = Account.key(chen.id)
    assert stored(account) < KILOBYTE


def test_a_stock_bucket_stays_far_below_a_kilobyte(street: Street):
    product = long_product(street, buckets=64)
    shop.done(command="restock", product=product, quantity=1_000_000, receipt="r")
    bucket = StockBucket.key(product, 63)
    assert stored(bucket) < KILOBYTE // 4


def test_a_product_with_twenty_desks_fits_with_its_history_into_what_dynamodb_takes(street: Street):
    places = [{"id": f"{number:040d}", "name": WIDE * 20} for number in range(20)]
    area = {"code": street.micro_grid, "name": WIDE * 40, "drop_points": places}
    shop.done(command="put_areas", areas=[{**area, "rename": True}])
    desks = [{"area": street.micro_grid, "place": place["id"]} for place in places]
    product = shop.masks(street, stock=0, desks=desks, text=WIDE * 500, buckets=rules.BUCKETS_AT_MOST)
    key = Product.key(product)
    assert stored(key) < 16 * KILOBYTE
    assert len(json.loads(json.dumps(Product.fetch(key.pk, key.sk).desks))) == 20
