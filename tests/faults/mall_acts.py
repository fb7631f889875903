"""Every act of the mall: redeeming and its four ends, and what administrators do to products and their stock.

In the world's first month of books a transfer writes an opening too, so acts about points are tried with and without.
"""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from chalicelib.areas import service as areas
from chalicelib.areas.models import Area
from chalicelib.areas.rules import up_from as areas_up_from
from chalicelib.content.models import Photo
from chalicelib.kit import clock
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.mall import levels, products, stock
from chalicelib.mall.models import Product, Redemption, StockBucket, StockMovement
from chalicelib.notices.models import Notice
from chalicelib.people.models import Duty, Resident, partition
from chalicelib.points.books import Book
from chalicelib.points.models import Account, Transfer
from tests.engine.http import Answer
from tests.faults.acts import Act, command, hand, when_due
from tests.faults.help_acts import send, street
from tests.mall import shop
from tests.points import books

World = dict[str, Any]
PRICE = shop.PRICE
LAST_MONTH = timedelta(days=40)


def market(*, buckets: int = 1, each: int = 5, opened: bool = True, **terms: Any) -> World:
    """A product at the community's desk; somebody with points, earned this month or long ago; a clerk, a grid worker."""
    world = street()
    who = world["people"]
    now = clock.now()
    with transaction() as tx:
        duty = {"from_at": now - timedelta(days=1), "until_at": None, "granted_by": "test"}
        tx.put(Duty.new(who["listener"], "desk_clerk", world["community"], **duty))
        tx.put(Area.new(world["community"] + "001", "第一网格", []))
        tx.update(Resident.key(who["asker"]), [Resident.home.set(world["community"] + "001")])
    earn(who["asker"], 100, now if opened else now - LAST_MONTH)
    world["product"] = shop.product_id()
    fields = {"command": "put_product", "product": world["product"], "name": "口罩", "unit": "只", "price": PRICE}
    world["terms"] = (
        fields
        | {
            "area": world["community"][:6],
            "desks": [{"area": world["community"], "place": "office"}],
            "buckets": buckets,
            "cap": 10,
        }
        | terms
    )
    shop.done(**world["terms"])
    if each:
        shop.done(command="restock", product=world["product"], quantity=buckets * each, receipt="first")
    warm(world)
    return world


def earn(resident: str, amount: int, now: Any) -> None:
    book = Book(resident, None, now)
    fact = f"help:{secrets.token_hex(6)}"
    more = {"reason": "帮助邻居", "subject": fact, "rule": "help"}
    book.move(Transfer.new(resident, fact, amount, of="issued", gives=True, at=now, **more))
    with transaction() as tx:
        book.write(tx)


def warm(world: World) -> None:
    """What a container has read a moment ago and keeps is no part of an act."""
    products.known(world["product"])
    for code in areas_up_from(world["community"] + "001"):
        areas.get(code)
    stock._seen_empty.clear()


def post(world: World, who: str, where: str, key: str, body: Any = None) -> Answer:
    """One request over HTTP, of a container that knows the product."""
    products._kept.pop(world["product"], None)
    return send(world, who, where, key, body)


# ------------------------------------------------------------------------------------------------------- redeeming


def redeeming(quantity: int, **wish: Any) -> Callable[[World, str], Answer]:
    return lambda world, key: post(
        world, "asker", "/products/{product}/redemptions", key, {"quantity": quantity, "price": PRICE, **wish}
    )


def reserved(quantity: int = 2, **more: Any) -> World:
    world = market(**more)
    way = {"deliver": True} if more.get("delivers") else {}
    made = redeeming(quantity, **way)(world, "reserved")
    assert made.status == 201, made
    world["redemption"], world["code"] = made.json["id"], made.json["code"]
    return world


def reserved_last_month(**more: Any) -> World:
    """Points, redemption and its transfer are of an earlier month: what is given back opens a new one."""
    then = clock.now() - LAST_MONTH
    with patch.object(clock, "now", lambda: then):
        return reserved(**more, opened=True)


def reminded(**more: Any) -> World:
    world = reserved(**more)
    found = shop.redemption(world["redemption"])
    while shop.redemption(world["redemption"]).timer != "mall.expire":
        when_due(shop.redemption(world["redemption"]), found.collect_by - timedelta(hours=1))
    return world


def expiring(world: World, key: str) -> None:
    found = Redemption.key(world["redemption"])
    when_due(found, clock.now() + timedelta(days=30))


def reminding(world: World, key: str) -> None:
    """Just before the last days; nothing more happens when it is asked for twice."""
    found = shop.redemption(world["redemption"])
    when_due(found, found.collect_by - timedelta(hours=1))


def announcing(world: World, key: str) -> None:
    when_due(Redemption.key(world["redemption"]), clock.now())


def cancelling(world: World, key: str) -> Answer:
    return post(world, "asker", "/redemptions/{redemption}/cancel", key)


def looking_up(world: World, key: str) -> Answer:
    return post(world, "listener", "/desk/look-up", key, {"code": world["code"]})


def collecting(world: World, key: str) -> Answer:
    return post(world, "listener", "/desk/collect", key, {"code": world["code"]})


def delivering(world: World, key: str) -> Answer:
    return post(world, "worker", "/deliveries/{redemption}/with-code", key, {"code": world["code"]})


# -------------------------------------------------------------------------------------------------- administrators


def commanding(**fields: Any) -> Callable[[World, str], None]:
    """An administrator's command, about the world's product. Trouble gets out, as it does in Lambda."""

    def send_it(world: World, key: str) -> None:
        command(**{"product": world["product"]} | fields)

    return send_it


def changing(world: World, key: str) -> None:
    commanding(**world["terms"] | {"price": PRICE + 1, "buckets": 2})(world, key)


def putting(world: World, key: str) -> None:
    world.setdefault("new", shop.product_id())
    commanding(**world["terms"] | {"product": world["new"], "buckets": 3})(world, key)


A_MONTH = timedelta(days=30)


def campaigning(world: World, key: str) -> None:
    world.setdefault("new", shop.product_id())
    now = world.setdefault("now", clock.now().replace(microsecond=0))
    times = {"opens_at": now.isoformat(), "closes_at": (now + A_MONTH).isoformat()}
    commanding(command="put_campaign", campaign=world["new"], **times, buckets=3, cap=2)(world, key)


def ending_soon() -> World:
    world = market()
    campaigning(world, "")
    return world


def unlisting(world: World, key: str) -> None:
    found = Product.key(world["new"])
    when_due(found, world["now"] + A_MONTH)


# ----------------------------------------------------------------------------------------------------------- facts


def facts(world: World) -> Any:
    """Books, stock, redemptions and messages, without ids and times; and that they agree with each other."""
    resident = world["people"]["asker"]
    account = Account.fetch(f"POINTS#{resident}", "ACCOUNT")
    moved = sorted(each.change for each in books.transfers(resident))
    openings = len(Item.collection(f"POINTS#{resident}", "OPENING#"))
    taken = [sorted(counted.values()) for counted in account.taken.values()]
    redemptions = [
        (each.state, int(each.quantity), sorted(each.taken_from.values()), each.timer, each.how, len(each.marks or ()))
        for each in (shop.redemption(item.id) for item in Redemption.by_person.query(Redemption.of(resident)))
    ]
    told = {
        name: sorted(map(_topic, Item.collection(partition(who), Notice.PREFIX)))
        for name, who in world["people"].items()
    }
    mall = [_product(world[name]) for name in ("product", "new") if name in world and _stored(world[name])]
    return books.check(resident), int(account.balance), moved, openings, taken, redemptions, told, mall


def _topic(notice: Notice) -> str:
    return f"{notice.topic}"


def _stored(product: str) -> Product | None:
    key = Product.key(product)
    return Product.find(key.pk, key.sk)


def _product(product: str) -> Any:
    found = _stored(product)
    assert found is not None
    buckets: list[StockBucket] = stock.read_all(found)
    receipts = [int(each.change) for each in Item.collection(found.pk, StockMovement.PREFIX)]
    changes = len(Item.collection(found.pk, "TERMS#"))
    terms = int(found.terms), found.state, int(found.price), bool(found.area_key), found.timer, changes
    assert {int(bucket.terms) for bucket in buckets} == {int(found.terms)}
    # From which bucket somebody is served depends on their id; all together does not.
    return terms, shop.counts(product), sorted(receipts)


# ---------------------------------------------------------------------------------------------------------- photos


def at_the_door() -> World:
    """The grid worker has taken a picture, and it is uploaded."""
    world = reserved(delivers=True, desks=[])
    made = post(world, "worker", "/deliveries/{redemption}/photos", "invited", {}).json
    world["photo"] = made["photo_id"]
    photo = Photo.key(Redemption.key(world["redemption"]).pk, world["photo"])
    photo.update([Photo.state.set("checking"), Photo.uploaded_at.set(clock.now())])
    return world


def leaving(world: World, key: str) -> Answer:
    left = {"photo_id": world["photo"], "reason": "家里没人，放在门口"}
    return post(world, "worker", "/deliveries/{redemption}/with-photo", key, left)


def counter() -> World:
    """The clerk is responsible for the product's area, and may take pictures of it."""
    world = market()
    duty = {"from_at": clock.now() - timedelta(days=1), "until_at": None, "granted_by": "test"}
    with transaction() as tx:
        tx.put(Duty.new(world["people"]["listener"], "desk_clerk", world["community"][:6], **duty))
    return world


def pictured() -> World:
    world = counter()
    world["photo"] = photographing("listener", "/products/{product}/photos")(world, "invited").json["photo_id"]
    return world


def photographing(who: str, where: str) -> Callable[[World, str], Answer]:
    return lambda world, key: post(world, who, where, key, {})


def pictures(world: World) -> Any:
    """Photos of product and redemption with their states, and how many the product counts."""
    partitions = [Product.key(world["product"]).pk]
    partitions += [Redemption.key(world["redemption"]).pk] if "redemption" in world else []
    found = [(item.state, item.timer) for each in partitions for item in Item.collection(each, "PHOTO#")]
    return facts(world), found, int(_stored(world["product"]).photos or 0)  # type: ignore[union-attr]


# ----------------------------------------------------------------------------------------------------------- stock


def looked_at(world: World, key: str) -> None:
    """The table's stream tells of two buckets that have changed."""
    records = [
        {"dynamodb": {"Keys": {"PK": {"S": bucket.pk}, "SK": {"S": bucket.sk}}, "SequenceNumber": f"{number}"}}
        for number, bucket in enumerate(stock.all_buckets(_stored(world["product"])))  # type: ignore[arg-type]
    ]
    hand(levels.look_at_stock, *records)


def level(world: World) -> Any:
    found = _stored(world["product"])
    assert found is not None
    return found.level


def nearly_sold_out() -> World:
    world = market(buckets=2, each=2)
    taken = redeeming(3)(world, "all-but-one")
    assert taken.status == 201, taken
    return world


def closed() -> World:
    world = market(buckets=1)
    shop.done(command="close_product", product=world["product"])
    return world


delivered = functools.partial(reserved, delivers=True, desks=[])
two, three = functools.partial(market, buckets=2), functools.partial(market, buckets=3)
REDEEM, CANCEL = "POST /products/{product_id}/redemptions", "POST /redemptions/{redemption_id}/cancel"
D = "POST /deliveries/{redemption_id}"

ACTS = [
    Act("a resident redeems", market, redeeming(2), facts, REDEEM),
    Act(
        "a resident redeems for the first time this month",
        functools.partial(market, opened=False),
        redeeming(2),
        facts,
        REDEEM,
    ),
    Act(
        "a resident redeems and walks on to several buckets",
        functools.partial(market, buckets=4, each=1),
        redeeming(3),
        facts,
        REDEEM,
    ),
    Act("a redemption is cancelled", reserved, cancelling, facts, CANCEL),
    Act(
        "a redemption out of several buckets is cancelled",
        functools.partial(reserved, 3, buckets=4, each=1),
        cancelling,
        facts,
        CANCEL,
    ),
    Act("a redemption of last month is cancelled", reserved_last_month, cancelling, facts, CANCEL),
    Act("a redemption is reminded of", reserved, reminding, facts, "timer mall.remind"),
    Act("a redemption expires", reminded, expiring, facts, "timer mall.expire"),
    Act("a delivery is announced", delivered, announcing, facts, "timer mall.announce"),
    Act(
        "a delivery comes to nothing",
        functools.partial(reminded, delivers=True, desks=[]),
        expiring,
        facts,
        "timer mall.expire",
    ),
    Act("the desk looks up a code", reserved, looking_up, facts, "POST /desk/look-up"),
    Act("the desk hands over", reserved, collecting, facts, "POST /desk/collect"),
    Act("the grid worker delivers", delivered, delivering, facts, f"{D}/with-code"),
    Act("the grid worker leaves it at the door", at_the_door, leaving, pictures, f"{D}/with-photo"),
    Act(
        "a photo of a delivery is invited",
        delivered,
        photographing("worker", "/deliveries/{redemption}/photos"),
        pictures,
        f"{D}/photos",
    ),
    Act(
        "a picture of a product is invited",
        counter,
        photographing("listener", "/products/{product}/photos"),
        pictures,
        "POST /products/{product_id}/photos",
    ),
    Act(
        "a picture of a product is taken away",
        pictured,
        photographing("listener", "/products/{product}/photos/{photo}/remove"),
        pictures,
        "POST /products/{product_id}/photos/{photo_id}/remove",
    ),
    Act("the catalogue hears how much is left", nearly_sold_out, looked_at, level, "look_at_stock"),
    Act("a product is put into the mall", market, putting, facts, "command put_product"),
    Act("a campaign is put into the mall", market, campaigning, facts, "command put_campaign"),
    Act("a campaign leaves the list", ending_soon, unlisting, facts, "timer mall.unlist"),
    Act("terms are changed", two, changing, facts, "command put_product"),
    Act("a product is closed", two, commanding(command="close_product"), facts, "command close_product"),
    Act("a product is opened again", closed, commanding(command="open_product"), facts, "command open_product"),
    Act("goods come in", three, commanding(command="restock", quantity=7, receipt="n"), facts, "command restock"),
    Act(
        "goods are taken out",
        three,
        commanding(command="take_out", quantity=7, receipt="n", reason="破损"),
        facts,
        "command take_out",
    ),
]
