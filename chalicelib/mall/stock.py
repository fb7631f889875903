"""A product's pieces: taken, put back, handed out, brought in. Each change is decided inside the caller's write.

    received = left + reserved + handed_out, in each bucket

Buckets also know which version of the product's terms is in force. So a redemption holds no item that all residents
share, and yet cannot pass a price, a cap or a closing that was changed a moment ago.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from chalicelib.kit import settings
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import read_together
from chalicelib.kit.transaction import transaction
from chalicelib.mall import rules
from chalicelib.mall.models import Product, Redemption, StockBucket

# A container that has seen every bucket empty says so for this long without looking: a stampede's losers would
# otherwise read all buckets each.
_EMPTY_FOR = 1.0  # seconds
_seen_empty: dict[str, float] = {}


def home_bucket(product: Product, resident_id: str) -> StockBucket:
    return StockBucket.key(product.id, rules.home_bucket(resident_id, int(product.buckets)))


def all_buckets(product: Product) -> list[StockBucket]:
    return [StockBucket.key(product.id, number) for number in range(int(product.buckets))]


def read_all(product: Product) -> list[StockBucket]:
    """Every bucket as it is now, in one BatchGetItem."""
    found: list[StockBucket] = read_together(*all_buckets(product))
    return found


def take(tx: transaction, product: Product, home: StockBucket, quantity: int, *, of: Redemption) -> dict[int, int]:
    """Reserve pieces of a redemption: from the home bucket, or walking on from it. Says from which buckets how many.

    Before it is refused it is looked for: a repeat that overtakes the first request finds only what that has left.
    """
    buckets, made = [home], None
    if int(home.left) < quantity:
        if not home.left and _sold_out_a_moment_ago(product):
            raise rules.SoldOut()
        *buckets, made = read_together(*all_buckets(product), of)
    left = {bucket.number: int(bucket.left) for bucket in buckets}
    picked = rules.pick(left, quantity, start=home.number)
    if not picked:
        if made is not None:
            raise Changed()
        _refuse(product, sum(left.values()))
    for bucket in buckets:
        pieces = picked.get(bucket.number, 0)
        if pieces:
            tx.update(
                bucket,
                [StockBucket.left.add(-pieces), StockBucket.reserved.add(pieces), StockBucket.moves.add(1)],
                when=(StockBucket.left >= pieces) & (StockBucket.terms <= int(product.terms)),
                or_raise=Changed(),
            )
    return picked


def _refuse(product: Product, left: int) -> None:
    if left:
        raise rules.OnlySomeLeft(left=left, unit=product.unit)
    _seen_empty[product.id] = time.monotonic()
    raise rules.SoldOut()


def _sold_out_a_moment_ago(product: Product) -> bool:
    seen = _seen_empty.get(product.id)
    return seen is not None and time.monotonic() - seen < min(_EMPTY_FOR, settings.age_allowed())


def newer_terms(product: Product, bucket: StockBucket) -> bool:
    """The product was read too long ago. (Older ones than the product's are those of a bucket not told yet.)"""
    return int(bucket.terms) > int(product.terms)


def tell_terms(product: Product) -> None:
    """Let every bucket know that older terms than these are no longer in force."""
    version = int(product.terms)
    for bucket in read_all(product):
        if int(bucket.terms) < version:
            with suppress(Changed), transaction() as tx:  # Changed: told of newer ones meanwhile
                tx.update(
                    bucket, [StockBucket.terms.set(version)], when=StockBucket.terms < version, or_raise=Changed()
                )


def put_back(tx: transaction, product_id: str, taken: Mapping[int, int]) -> None:
    """What was reserved is there for others again."""
    for number, pieces in taken.items():
        tx.update(
            StockBucket.key(product_id, number),
            [StockBucket.left.add(pieces), StockBucket.reserved.add(-pieces), StockBucket.moves.add(1)],
            when=StockBucket.reserved >= pieces,
            or_raise=Changed(),
        )


def hand_out(tx: transaction, product_id: str, taken: Mapping[int, int]) -> None:
    """What was reserved has reached its resident."""
    for number, pieces in taken.items():
        tx.update(
            StockBucket.key(product_id, number),
            [StockBucket.reserved.add(-pieces), StockBucket.handed_out.add(pieces), StockBucket.moves.add(1)],
            when=StockBucket.reserved >= pieces,
            or_raise=Changed(),
        )


def bring_in(tx: transaction, buckets: Sequence[StockBucket], quantity: int) -> None:
    """Spread a delivery over the buckets. Redemptions may go on meanwhile, so it is as even as it was read."""
    for bucket, share in zip(buckets, rules.spread(quantity, [int(each.left) for each in buckets]), strict=True):
        if share:
            tx.update(
                bucket,
                [StockBucket.received.add(share), StockBucket.left.add(share), StockBucket.moves.add(1)],
                or_raise=Changed(),
            )


def take_out(tx: transaction, buckets: Sequence[StockBucket], quantity: int) -> None:
    """Undo a delivery as far as nobody has redeemed it, or NotSoManyLeft."""
    left = [int(each.left) for each in buckets]
    shares = rules.take_out(quantity, left)
    if shares is None:
        raise rules.NotSoManyLeft(left=sum(left))
    for bucket, share in zip(buckets, shares, strict=True):
        if share:
            tx.update(
                bucket,
                [StockBucket.received.add(-share), StockBucket.left.add(-share), StockBucket.moves.add(1)],
                when=StockBucket.left >= share,
                or_raise=Changed(),
            )
