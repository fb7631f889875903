"""What is in the mall, and how administrators change it: terms, closing, stock. Every change leaves a record."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import msgspec

from chalicelib.kit import clock, settings, timers
from chalicelib.kit.errors import Changed, Conflict
from chalicelib.kit.table import Action, read_together
from chalicelib.kit.transaction import settled, transaction
from chalicelib.mall import rules, stock
from chalicelib.mall.models import Product, StockMovement, TermsChange
from chalicelib.mall.rules import Counts, Desk

_KEPT_FOR = 5.0  # seconds; whether its terms are still in force, the stock buckets know
_kept: dict[str, tuple[float, Product]] = {}


def known(product_id: str) -> Product:
    """The product as it was at most five seconds ago, or ProductGone."""
    held = _kept.get(product_id)
    if held and time.monotonic() - held[0] < min(_KEPT_FOR, settings.age_allowed()):
        return held[1]
    return fetch(product_id)


def fetch(product_id: str) -> Product:
    """The product as it is, or ProductGone."""
    key = Product.key(product_id)
    product = Product.fetch(key.pk, key.sk, or_raise=rules.ProductGone())
    _kept[product_id] = (time.monotonic(), product)
    return product


def forget(product_id: str) -> None:
    _kept.pop(product_id, None)


class Terms(msgspec.Struct, frozen=True):
    """All that an administrator says about a product. What a campaign adds is None for a product."""

    name: str
    text: str
    unit: str
    price: int
    area: str
    desks: list[Desk]
    delivers: bool
    collect_days: int
    cap: int | None
    state: str = "open"
    campaign_of: str | None = None
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    quiz: str | None = None


def terms_of(product: Product) -> Terms:
    return msgspec.convert(
        {name: getattr(product, name) for name in Terms.__struct_fields__}
        | {
            "price": int(product.price),
            "collect_days": int(product.collect_days),
            "cap": None if product.cap is None else int(product.cap),
        },
        Terms,
    )


@settled(rules.MallBusy)
def save(product_id: str, terms: Terms, *, buckets: int, by: str, now: datetime) -> Product:
    """Put a product or a campaign into the mall, or change its terms; the same terms again change nothing.

    Whoever is redeeming at this moment either does so under the old terms or is told the new ones. What was closed
    stays closed, whatever `terms.state` says: `set_state` opens it.
    """
    key = Product.key(product_id)
    product = Product.find(key.pk, key.sk)
    if product is None:
        return _create(product_id, terms, buckets, by, now)
    if buckets != product.buckets:
        raise rules.FixedForEver(fields={"buckets": f"已定为 {int(product.buckets)}"})
    if terms.campaign_of != product.campaign_of:
        raise rules.FixedForEver(fields={"product": "已定，不能改成别的商品"})
    rules.check_prolonged(terms.closes_at, product.counts_until)
    return _change(product, msgspec.structs.replace(terms, state=product.state), by, now)


@settled(rules.MallBusy)
def set_state(product_id: str, state: str, *, by: str, now: datetime) -> Product:
    """Stop redeeming at once, or let it go on. What is reserved already stays reserved."""
    product = fetch(product_id)
    return _change(product, msgspec.structs.replace(terms_of(product), state=state), by, now)


def _create(product_id: str, terms: Terms, buckets: int, by: str, now: datetime) -> Product:
    product = Product.key(product_id)
    product.terms, product.buckets, product.created_at = 1, buckets, now
    if terms.campaign_of and terms.closes_at:
        product.counts_until = f"{clock.day(terms.closes_at + rules.COUNTS_AFTER_CLOSING)}"
    _apply(product, terms, now)
    with transaction() as tx:
        tx.create(product, or_raise=Changed())
        tx.create(_record(product, terms, by, now), or_raise=Changed())
        for bucket in stock.all_buckets(product):
            bucket.terms = 1
            tx.create(bucket, or_raise=Changed())
    return product


def _change(product: Product, terms: Terms, by: str, now: datetime) -> Product:
    """First the product, then its buckets one by one: when this returns, nobody redeems under older terms.

    One transaction over all of them would find some bucket held by a redemption as long as there is a rush, and it is
    in a rush that a wrong price must be taken off. A command that fails in between is sent again, and finishes.
    """
    before = int(product.terms)
    if terms != terms_of(product):
        forget(product.id)  # before it changes in memory: what is kept is what was read
        product.terms = before + 1
        _apply(product, terms, now)
        with transaction() as tx:
            tx.update(product, _as_it_is(product), when=Product.terms == before, or_raise=Changed())
            tx.create(_record(product, terms, by, now), or_raise=Changed())
    stock.tell_terms(product)
    forget(product.id)
    return product


def _apply(product: Product, terms: Terms, now: datetime) -> None:
    """The product in memory as these terms want it, listed while it can be redeemed."""
    for name in Terms.__struct_fields__:
        setattr(product, name, getattr(terms, name))
    product.desks = msgspec.to_builtins(terms.desks)
    if terms.state == "open" and not (terms.closes_at and terms.closes_at <= now):
        product.list_it()
    else:
        product.unlist()
    product.due_key = product.due_at = product.timer = None
    if product.area_key and terms.closes_at:
        timers.start(product, "mall.unlist", terms.closes_at)


_CHANGED_WITH_TERMS = (*Terms.__struct_fields__, "terms", "area_key", "area_sort", "due_key", "due_at", "timer")


def _as_it_is(product: Product) -> list[Action]:
    """Level, pictures and what is counted are not part of the terms: others may be changing them just now."""
    actions: list[Action] = []
    for name in _CHANGED_WITH_TERMS:
        attribute, value = getattr(Product, name), getattr(product, name)
        actions.append(attribute.remove() if value is None else attribute.set(value))
    return actions


def _record(product: Product, terms: Terms, by: str, now: datetime) -> TermsChange:
    change = TermsChange.key(product.id, int(product.terms))
    change.document, change.by, change.at = msgspec.to_builtins(terms), by, now
    return change


@settled(rules.MallBusy)
def restock(product_id: str, quantity: int, *, receipt: str, reason: str, by: str, now: datetime) -> Product:
    """Bring goods in (or take some out again, with a negative quantity), once for ever by the receipt's number."""
    product = fetch(product_id)
    known_receipt: StockMovement | None
    known_receipt, *buckets = read_together(StockMovement.key(product_id, receipt), *stock.all_buckets(product))
    if known_receipt is not None:
        if (known_receipt.change, known_receipt.reason) != (quantity, reason):
            raise rules.ReceiptUsed()
        return product
    movement = StockMovement.key(product_id, receipt)
    movement.change, movement.reason, movement.by, movement.at = quantity, reason, by, now
    with transaction() as tx:
        tx.create(movement, or_raise=Changed())
        if quantity > 0:
            stock.bring_in(tx, buckets, quantity)
        else:
            stock.take_out(tx, buckets, -quantity)
    return product


def counts(product: Product) -> Counts:
    """What has become of all that was received, added up over the buckets."""
    return rules.total(bucket.counts for bucket in stock.read_all(product))


def look_at_level(product_id: str) -> None:
    """Note on the product how much is left, for the catalogue; a look that comes late does not undo a newer one."""
    product = fetch(product_id)
    buckets = stock.read_all(product)
    seen = sum(int(bucket.moves) for bucket in buckets)
    level = rules.level(rules.total(bucket.counts for bucket in buckets))
    try:
        with transaction() as tx:
            tx.update(
                product,
                Product.set(level=level, level_seen=seen),
                when=Product.level_seen < seen,
                or_raise=Conflict(),
            )
    except Conflict:
        pass  # another look saw more
    else:
        forget(product_id)


@settled(rules.MallBusy)
def unlist(product: Product, *, now: datetime) -> None:
    """Timer: a campaign is over and leaves the list. It stays what it was: the time alone has closed it."""
    current: Any = Product.find(product.pk, product.sk)
    if current is None or current.timer != "mall.unlist" or current.closes_at is None or current.closes_at > now:
        return
    with transaction() as tx:
        tx.update(
            current,
            [*Product.set(area_key=None, area_sort=None), *timers.stop()],
            when=Product.terms == int(current.terms),
            or_raise=Changed(),
        )
