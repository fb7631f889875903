"""What must be true of the items themselves, whatever was done: each test of it reads the table and adds up by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.kit.table import Item, read_together
from chalicelib.mall import audit as mall_audit
from chalicelib.mall.models import Redemption, StockBucket
from chalicelib.points import rules as points_rules
from chalicelib.points.models import Account, Opening, Transfer, partition
from chalicelib.points.rules import ISSUED, LAPSED, SPENT
from tests.mall.model import ENDED_FOR_NOTHING, Goods, Mall, Redeemed

SYSTEM = {ISSUED, SPENT, LAPSED}


class Books:
    """One resident's, as stored."""

    def __init__(self, resident: str) -> None:
        items = Item.collection(partition(resident))
        self.resident = resident
        self.account = next((item for item in items if isinstance(item, Account)), None)
        self.openings = {item.month: int(item.balance) for item in items if isinstance(item, Opening)}
        self.transfers = {item.fact: item for item in items if isinstance(item, Transfer)}

    @property
    def balance(self) -> int:
        return int(self.account.balance) if self.account else 0

    def sum_of(self, system: str) -> int:
        """What the resident has from (positive) or gave to this system account."""
        mine = (each for each in self.transfers.values() if system in (each.debit, each.credit))
        return sum(each.change for each in mine)

    def taken(self, of: str, until: Any) -> int:
        return int(self.account.taken.get(f"{until}", {}).get(of, 0)) if self.account else 0


def check_books(all_books: Iterable[Books], mall: Mall) -> None:
    """Zero-sum; a balance is never negative, is the sum of its transfers, and is what the model says."""
    books = list(all_books)
    for each in books:
        for transfer in each.transfers.values():
            sides = {transfer.debit, transfer.credit}
            assert each.resident in sides, transfer.fact
            assert len(sides & SYSTEM) == 1, transfer.fact
            assert transfer.amount >= 1, transfer.fact
        assert each.balance == sum(transfer.change for transfer in each.transfers.values())
        assert each.balance == mall.books.balance.get(each.resident, 0)
        assert each.balance >= 0
    assert sum(each.sum_of(ISSUED) for each in books) == mall.books.issued
    assert -sum(each.sum_of(SPENT) for each in books) == mall.books.out
    assert -sum(each.sum_of(LAPSED) for each in books) == sum(mall.books.lapsed.values())
    assert mall.books.issued == mall.books.held + mall.books.out + sum(mall.books.lapsed.values())


def check_debits(books: Books, redeemed: Iterable[Redeemed]) -> None:
    """Each redemption took its cost once and gave it back once or never; nobody paid for one that is not there."""
    expected: dict[str, int] = {}
    for each in redeemed:
        if each.resident == books.resident:
            expected[each.fact] = -each.cost
            if each.state in ENDED_FOR_NOTHING:
                expected[f"{each.fact}:returned"] = each.cost
    stored = {fact: each.change for fact, each in books.transfers.items() if fact.startswith("redemption:")}
    assert stored == expected


def read(redeemed: list[Redeemed], buckets: Mapping[str, int]) -> tuple[list[Redemption], list[StockBucket]]:
    """All redemptions and all of the stock, together."""
    redemptions = [Redemption.key(each.id) for each in redeemed]
    stock = [StockBucket.key(product, number) for product, many in buckets.items() for number in range(many)]
    found = read_together(*redemptions, *stock)
    return found[: len(redeemed)], found[len(redeemed) :]


def check_redemptions(stored: list[Redemption], redeemed: list[Redeemed]) -> None:
    """Each is stored as the model knows it; no two are one."""
    assert len({each.id for each in redeemed}) == len({each.code for each in redeemed}) == len(redeemed)
    for found, each in zip(stored, redeemed, strict=True):
        assert (found.state, found.resident, found.product_id) == (each.state, each.resident, each.goods)
        assert (found.quantity, found.cost, found.code) == (each.quantity, each.cost, each.code)
        assert (found.collect_by, found.home) == (each.collect_by, each.home)
        assert sum(found.taken_from.values()) == each.quantity
        assert (found.timer is None) == (found.due_key is None) == (each.state != "reserved")


def check_lists(mall: Mall) -> None:
    """Everybody's list has all of theirs and no more: no redemption was made that nobody knows of."""
    for who in mall.homes:
        listed = {item.id for item in Item.by_person.query(Redemption.of(who))}  # type: ignore[attr-defined]
        mine = {each.id for each in mall.redeemed if each.resident == who and not mall.gone(who)}
        assert listed == mine


def check_stock(goods: Mapping[str, Goods], buckets: list[StockBucket], redemptions: list[Redemption]) -> None:
    """In each bucket: received = left + reserved + handed out, which are what the redemptions say; in all: the model."""
    reserved: Counter[tuple[str, int]] = Counter()
    handed_out: Counter[tuple[str, int]] = Counter()
    for each in redemptions:
        column = reserved if each.state == "reserved" else handed_out
        if each.state not in ENDED_FOR_NOTHING:
            for number, pieces in each.taken_from.items():
                column[each.product_id, number] += pieces
    totals: dict[str, Counter[str]] = {product: Counter() for product in goods}
    for bucket in buckets:
        counts, place = bucket.counts, (bucket.product_id, bucket.number)
        assert counts.received == counts.left + counts.reserved + counts.handed_out, place
        assert min(counts) >= 0, place
        assert (counts.reserved, counts.handed_out) == (reserved[place], handed_out[place]), place
        totals[bucket.product_id].update(counts._asdict())
    for product, model in goods.items():
        said = {name: getattr(model, name) for name in ("received", "left", "reserved", "handed_out")}
        assert dict(totals[product]) == said, product


def check_audit(books: Books, *, also_the_mall: bool) -> None:
    """The nightly audit would find nothing: what is true is not called wrong."""
    movements = [transfer.movement for transfer in books.transfers.values()]
    assert points_rules.add_up(books.resident, books.balance, books.openings, movements).wrong == []
    if also_the_mall:
        assert mall_audit.check_redemptions(books.resident, movements) == []
