"""What the mall should say, in plain Python beside the model of the books: products, their stock, who redeemed what.

It is written from the rules as the issue words them (docs/ledger.md, docs/decisions), not from the code: it knows one
number of pieces per product and no buckets, no versions of terms, no items, no transactions. Where several reasons to
refuse hold at once, it says the one a resident can do least about first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from tests.points.model import SHANGHAI, Model, Taken

ENDED_WELL = ("collected", "delivered")
ENDED_FOR_NOTHING = ("cancelled", "expired")


def day(moment: datetime) -> date:
    return moment.astimezone(SHANGHAI).date()


def last_of_month(of: date) -> date:
    return (of.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)


@dataclass(frozen=True)
class Terms:
    """What an administrator may change."""

    price: int
    cap: int | None = None
    state: str = "open"
    closes_at: datetime | None = None


@dataclass
class Goods:
    """A product or a campaign, and what has become of its pieces."""

    terms: Terms
    area: str
    desks: dict[str, str]  # the area of each
    delivers: bool = False
    collect_days: int = 7
    opens_at: datetime | None = None
    counts_until: date | None = None  # of a campaign: fixed when it was made
    quiz: str | None = None
    left: int = 0
    reserved: int = 0
    handed_out: int = 0
    receipts: dict[str, int] = field(default_factory=dict)

    @property
    def received(self) -> int:
        return sum(self.receipts.values())


@dataclass(frozen=True)
class Wish:
    quantity: int
    price: int
    desk: str | None = None
    deliver: bool = False


@dataclass
class Redeemed:
    resident: str
    goods: str
    quantity: int
    cost: int
    desk: str | None  # None: it is delivered
    home: str | None
    collect_by: datetime
    state: str = "reserved"
    done_by: set[tuple[str, str, str]] = field(default_factory=set)  # (who, what, key) of requests that changed it
    id: str = ""  # as the engine calls it
    code: str = ""

    @property
    def fact(self) -> str:
        return f"redemption:{self.id}"


@dataclass
class Mall:
    books: Model
    goods: dict[str, Goods]
    homes: dict[str, str]
    duties: dict[str, set[str]]  # areas in which somebody hands over
    passed: set[tuple[str, str]] = field(default_factory=set)
    redeemed: list[Redeemed] = field(default_factory=list)
    keys: dict[tuple[str, str, str], tuple[Wish, Redeemed]] = field(default_factory=dict)

    def gone(self, who: str) -> bool:
        return who in self.books.lapsed

    # ------------------------------------------------------------------------------------------------ redeeming

    def redeem(self, who: str, goods_id: str, wish: Wish, key: str, now: datetime) -> tuple[str, Redeemed | None]:
        """What is said, and the redemption: `id` and `code` of a new one are filled in by whoever learns them."""
        if self.gone(who):
            return "account_closed", None
        if (who, goods_id, key) in self.keys:
            before, made = self.keys[who, goods_id, key]
            return ("ok", made) if before == wish else ("idempotency_key_reused", None)
        goods, home = self.goods[goods_id], self.homes[who]
        refused = self.closed(goods, now) or self.not_for(who, goods) or self.not_so(goods, wish, home)
        if refused:
            return refused, None
        cost, taken = wish.quantity * goods.terms.price, self.taken(goods_id, wish.quantity, now)
        transfer = f"redemption {len(self.redeemed)}"
        said = self.books.may_spend(who, transfer, cost, taken, now)
        if said != "ok":
            return ("over_the_cap" if said == "allowance_used" else said), None
        if goods.left < wish.quantity:
            return ("only_some_left" if goods.left else "sold_out"), None
        self.books.spend(who, transfer, cost, taken, now)
        goods.left -= wish.quantity
        goods.reserved += wish.quantity
        desk = None if wish.deliver else wish.desk or next(iter(goods.desks))
        ends = datetime.combine(day(now) + timedelta(days=goods.collect_days + 1), time(0), SHANGHAI)
        new = Redeemed(who, goods_id, wish.quantity, cost, desk, None if desk else home, ends)
        self.redeemed.append(new)
        self.keys[who, goods_id, key] = wish, new
        return "ok", new

    def closed(self, goods: Goods, now: datetime) -> str | None:
        if goods.terms.state != "open":
            return "product_closed"
        if goods.opens_at and now < goods.opens_at:
            return "not_open_yet"
        return "campaign_closed" if goods.terms.closes_at and now >= goods.terms.closes_at else None

    def not_for(self, who: str, goods: Goods) -> str | None:
        if not self.homes[who].startswith(goods.area):
            return "wrong_area"
        return "quiz_not_passed" if goods.quiz and (who, goods.quiz) not in self.passed else None

    @staticmethod
    def not_so(goods: Goods, wish: Wish, home: str) -> str | None:
        if wish.price != goods.terms.price:
            return "price_changed"
        if wish.deliver:
            if not goods.delivers:
                return "no_delivery"
            return None if len(home) >= 15 else "home_too_large"
        if wish.desk is None:
            return None if len(goods.desks) == 1 and not goods.delivers else "way_needed"
        return None if wish.desk in goods.desks else "desk_unknown"

    def taken(self, goods_id: str, quantity: int, now: datetime) -> Taken:
        goods = self.goods[goods_id]
        return Taken(goods_id, goods.counts_until or last_of_month(day(now)), quantity, goods.terms.cap)

    # --------------------------------------------------------------------------------------------- how it ends

    def cancel(self, who: str, redeemed: Redeemed, key: str) -> str:
        if self.gone(who):
            return "account_closed"
        if redeemed.resident != who:
            return "redemption_not_found"
        if (who, "cancel", key) in redeemed.done_by:
            return "ok"
        if redeemed.state != "reserved":
            return "step_not_possible"
        redeemed.done_by.add((who, "cancel", key))
        self.end(redeemed, "cancelled")
        return "ok"

    def collect(self, clerk: str, code: str, key: str, now: datetime) -> str:
        if self.gone(clerk):
            return "account_closed"
        redeemed = next((each for each in self.redeemed if each.code == code and each.desk), None)
        if redeemed is None or redeemed.desk is None:
            return "code_wrong"
        if (clerk, "collect", key) in redeemed.done_by:
            return "ok"
        if not self.on_duty(clerk, self.goods[redeemed.goods].desks[redeemed.desk]):
            return "code_of_another_desk"
        if redeemed.resident == clerk:
            return "own_redemption"
        if redeemed.state == "expired" or (redeemed.state == "reserved" and now >= redeemed.collect_by):
            return "code_expired"
        if redeemed.state != "reserved":
            return "code_cancelled" if redeemed.state == "cancelled" else "code_used"
        redeemed.done_by.add((clerk, "collect", key))
        self.hand_over(redeemed, "collected")
        return "ok"

    def deliver(self, worker: str, redeemed: Redeemed, code: str, key: str, now: datetime) -> str:
        if self.gone(worker):
            return "account_closed"
        if redeemed.home is None or not self.on_duty(worker, redeemed.home):
            return "redemption_not_found"
        if redeemed.resident == worker:
            return "own_redemption"
        if (worker, "deliver", key) in redeemed.done_by:
            return "ok" if code == redeemed.code else "idempotency_key_reused"
        if code != redeemed.code:
            return "code_wrong"
        if redeemed.state != "reserved":
            return "step_not_possible"
        if now >= redeemed.collect_by:
            return "redemption_expired"
        redeemed.done_by.add((worker, "deliver", key))
        self.hand_over(redeemed, "delivered")
        return "ok"

    def expire(self, redeemed: Redeemed, now: datetime) -> bool:
        due = redeemed.state == "reserved" and now >= redeemed.collect_by
        if due:
            self.end(redeemed, "expired")
        return due

    def on_duty(self, who: str, area: str) -> bool:
        return any(area.startswith(held) for held in self.duties.get(who, ()))

    def hand_over(self, redeemed: Redeemed, state: str) -> None:
        redeemed.state = state
        self.goods[redeemed.goods].reserved -= redeemed.quantity
        self.goods[redeemed.goods].handed_out += redeemed.quantity

    def end(self, redeemed: Redeemed, state: str) -> None:
        redeemed.state = state
        self.goods[redeemed.goods].reserved -= redeemed.quantity
        self.goods[redeemed.goods].left += redeemed.quantity
        self.books.give_back(redeemed.resident, f"redemption {self.redeemed.index(redeemed)}")

    def close_account(self, who: str) -> None:
        """What waits for them is called off, then what they hold lapses."""
        for each in self.redeemed:
            if each.resident == who and each.state == "reserved":
                self.end(each, "cancelled")
            if each.resident == who:
                each.home = None
        self.books.close(who)

    # ------------------------------------------------------------------------------------------ administrators

    def restock(self, goods_id: str, quantity: int, receipt: str) -> str:
        """Goods come in, or with a negative quantity are taken out again."""
        goods = self.goods[goods_id]
        if receipt in goods.receipts:
            return "ok" if goods.receipts[receipt] == quantity else "receipt_used"
        if goods.left + quantity < 0:
            return "not_so_many_left"
        goods.receipts[receipt] = quantity
        goods.left += quantity
        return "ok"

    def change(self, goods_id: str, terms: Terms) -> str:
        goods = self.goods[goods_id]
        if goods.counts_until and terms.closes_at and day(terms.closes_at) > goods.counts_until:
            return "fixed_for_ever"
        goods.terms = terms
        return "ok"
