"""The mall's part of the nightly audit (`points.audit`): each redemption has one debit and at most one return, and every
piece that was received is somewhere.

It finds and says what is wrong, in codes with ids; it changes nothing. What it reads is read consistently, apart from the
two lists by which it finds redemptions and products.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from chalicelib.kit.table import Item, read_together
from chalicelib.mall import rules, stock
from chalicelib.mall.models import Product, Redemption, StockBucket, StockMovement, TermsChange
from chalicelib.points import audit
from chalicelib.points import rules as points
from chalicelib.points.models import Account
from chalicelib.points.rules import Movement

_THREADS = 8
_LOOKS = 3  # an act between two reads of the same product looks like a mismatch once, never three times


@audit.checker
def check_redemptions(resident_id: str, movements: Sequence[Movement]) -> list[str]:
    """Debits and returns against the redemptions that they name, and those that the resident has in their list."""
    debits = {each.fact: each for each in movements if each.undoes is None}
    returns = {each.undoes: each for each in movements if each.undoes is not None}
    named = (fact.removeprefix(rules.FACT) for fact in (*debits, *returns) if fact.startswith(rules.FACT))
    listed = (item.id for item in Item.by_person.query(Redemption.of(resident_id)) if isinstance(item, Redemption))
    ids = sorted({*named, *listed})
    if not ids:
        return []
    account, *redemptions = read_together(Account.key(resident_id), *(Redemption.key(each) for each in ids))
    left_at = account.closed_at if account else None
    wrong: list[str] = []
    for redemption_id, redemption in zip(ids, redemptions, strict=True):
        if redemption is None:
            wrong.append(f"no_redemption {rules.fact(redemption_id)}")
        else:
            fact = redemption.fact
            if redemption.resident != resident_id:
                wrong.append(f"redemption_of_another {fact}")
            wrong += _check(redemption, debits.get(fact), returns.get(fact), left_at)
    return wrong


def _check(
    redemption: Redemption, debit: Movement | None, returned: Movement | None, left_at: datetime | None
) -> Iterable[str]:
    fact = redemption.fact
    if debit is None:
        yield f"no_debit {fact}"
    elif (debit.credit, debit.amount) != (points.SPENT, int(redemption.cost)):
        yield f"debit {fact} {debit.amount} is not {int(redemption.cost)}"
    came_to_nothing = redemption.state in rules.CAME_TO_NOTHING
    if returned is not None and not came_to_nothing:
        yield f"returned_though_{redemption.state} {fact}"
    if returned is not None and returned.amount != int(redemption.cost):
        yield f"return {fact} {returned.amount} is not {int(redemption.cost)}"
    # What ends after its resident has left has nobody to give the points back to.
    gone = left_at is not None and redemption.ended_at is not None and redemption.ended_at > left_at
    if returned is None and came_to_nothing and not gone:
        yield f"not_returned {fact}"


@audit.round_checker
def check_stock() -> dict[str, list[str]]:
    """All products that there ever were, each by one Query and one BatchGetItem: what is wrong, by `stock <product>`."""
    first_terms = Item.by_area.query(TermsChange.LISTED)
    products = [item.product_id for item in first_terms if isinstance(item, TermsChange)]
    with ThreadPoolExecutor(_THREADS) as pool:
        found = zip(products, pool.map(look_at, products), strict=True)
        return {f"stock {product}": wrong for product, wrong in found if wrong}


def look_at(product_id: str) -> list[str]:
    """What is wrong with a product's stock; looked at again, because somebody may just be moving it."""
    for look in range(_LOOKS):
        if look:
            time.sleep(0.05)
        wrong = _look_at(product_id)
        if not wrong:
            break
    return wrong


def _look_at(product_id: str) -> list[str]:
    items = Item.collection(Product.key(product_id).pk)
    product = next((item for item in items if isinstance(item, Product)), None)
    if product is None:
        return ["product_lost"]
    receipts = sum(int(item.change) for item in items if isinstance(item, StockMovement))
    buckets: list[StockBucket | None] = read_together(*stock.all_buckets(product))
    there = [bucket for bucket in buckets if bucket is not None]
    wrong = [f"bucket_lost {number}" for number, bucket in enumerate(buckets) if bucket is None]
    for bucket in there:
        received, left, reserved, handed_out = bucket.counts
        if received != left + reserved + handed_out:
            wrong.append(f"bucket {bucket.number}: {received} is not {left} + {reserved} + {handed_out}")
        if min(bucket.counts) < 0:
            wrong.append(f"bucket {bucket.number} is negative")
        if bucket.terms != product.terms:
            wrong.append(f"bucket {bucket.number} has terms {int(bucket.terms)}, not {int(product.terms)}")
    received = rules.total(bucket.counts for bucket in there).received
    if received != receipts:
        wrong.append(f"received {received} is not {receipts} by the receipts")
    return wrong
