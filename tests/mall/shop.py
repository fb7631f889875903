"""A shop of its own for each test: products put into the mall as administrators do it, residents with points.

masks = shop.masks(hood, stock=10)
chen = shop.buyer(hood, points=100)
shop.redeem(chen, masks, quantity=2, key="k1")
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from chalicelib.console import commands
from chalicelib.kit import clock
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.mall import products
from chalicelib.mall.models import Product, Redemption
from chalicelib.mall.rules import Counts
from chalicelib.points import rules as points_rules
from chalicelib.points.books import Book
from chalicelib.points.models import Account, Transfer
from tests.engine.http import Answer
from tests.neighbourhood import Hood, Neighbour

PRICE = 5


def command(*, at: datetime | None = None, **fields: Any) -> dict[str, Any]:
    return commands.administer(fields, request_id=secrets.token_hex(4), now=at or clock.now())


def done(**fields: Any) -> dict[str, Any]:
    answer = command(**fields)
    assert answer["ok"], answer
    return answer


def product_id() -> str:
    return f"mask-{secrets.token_hex(6)}"


def masks(hood: Hood, *, stock: int = 10, **terms: Any) -> str:
    """A product for the whole district, at the community's desk, in its first second. Returns its id."""
    product = product_id()
    desks = [{"area": hood.community, "place": "office"}]
    done(
        **{"command": "put_product", "product": product, "name": "口罩", "unit": "只", "price": PRICE}
        | {"area": hood.district, "desks": desks}
        | terms
    )
    if stock:
        done(command="restock", product=product, quantity=stock, receipt="first")
    return product


def campaign(hood: Hood, *, stock: int = 10, product: str | None = None, **terms: Any) -> str:
    """A campaign that began a minute ago and ends in an hour. Returns its id."""
    campaign, now = product_id(), clock.now()
    fields = {
        "command": "put_campaign",
        "campaign": campaign,
        "product": product or masks(hood, stock=0),
        "opens_at": f"{clock.local(now - timedelta(minutes=1)):%Y-%m-%dT%H:%M:%S}+08:00",
        "closes_at": f"{clock.local(now + timedelta(hours=1)):%Y-%m-%dT%H:%M:%S}+08:00",
        "buckets": 4,
    }
    done(**fields | terms)
    if stock:
        done(command="restock", product=campaign, quantity=stock, receipt="first")
    return campaign


def give_points(resident_id: str, amount: int, *, ago: timedelta = timedelta(0)) -> None:
    """Points out of nowhere, but properly in the books."""
    now = clock.now() - ago
    book = Book(resident_id, Account.find(*_key(Account.key(resident_id))), now)
    fact = f"help:{secrets.token_hex(6)}"
    more = {"reason": "帮助邻居", "subject": fact, "rule": "help"}
    book.move(Transfer.new(resident_id, fact, amount, of=points_rules.ISSUED, gives=True, at=now, **more))
    with transaction() as tx:
        book.write(tx)


def buyer(hood: Hood, *, points: int = 100, name: str = "居民") -> Neighbour:
    neighbour = hood.resident(name)
    if points:
        give_points(neighbour.id, points)
    return neighbour


def redeem(who: Neighbour, product: str, *, key: str | None = None, **wish: Any) -> Answer:
    return who.post(f"/products/{product}/redemptions", json={"price": PRICE} | wish, key=key)


def redeemed(who: Neighbour, product: str, *, key: str | None = None, **wish: Any) -> dict[str, Any]:
    answer = redeem(who, product, key=key, **wish)
    assert answer.status == 201, answer
    document: dict[str, Any] = answer.json
    return document


def balance(who: Neighbour) -> int:
    account = Account.find(*_key(Account.key(who.id)))
    return int(account.balance) if account else 0


def counts(product: str) -> Counts:
    """What has become of the stock; in each bucket, received = left + reserved + handed out."""
    key = Product.key(product)
    found = Product.fetch(key.pk, key.sk)
    for bucket in products.stock.read_all(found):
        each = bucket.counts
        assert each.received == each.left + each.reserved + each.handed_out, bucket.pk
        assert min(each) >= 0, bucket.pk
    return products.counts(found)


def redemption(redemption_id: str) -> Redemption:
    return Redemption.fetch(*_key(Redemption.key(redemption_id)))


def _key(item: Item) -> tuple[str, str]:
    return item.pk, item.sk
