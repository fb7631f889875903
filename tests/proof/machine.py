"""Points and goods in one state machine: whatever happens in whatever order, all is as the model in plain Python says.

Each act runs against the engine with the story's own time, and its outcome code must be the model's. After each act the
stored items are read and added up (`stored.py`).
"""

from __future__ import annotations

import itertools
import os
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chalicelib.account import closing
from chalicelib.kit import clock, timers
from chalicelib.kit import settings as kit_settings
from chalicelib.kit.errors import Problem
from chalicelib.mall import audit as mall_audit
from chalicelib.mall import collecting, delivering, ending, products, redeeming, stock
from chalicelib.mall.models import Product, Redemption
from chalicelib.people import service as people
from chalicelib.points import reversal
from chalicelib.points.service import Allowance
from tests.engine import local_aws
from tests.mall.model import Goods, Mall, Redeemed, Terms, Wish, last_of_month
from tests.points import books
from tests.points.model import SHANGHAI, Model, Rule, Taken
from tests.proof import stored
from tests.proof.street import QUIZ, Street

ACTS: Counter[tuple[str, str]] = Counter()  # how often each act came to each outcome
SECOND = ("redeem again", "redeem as it was")  # acts that follow another in the same step
BEGINS = datetime(2026, 11, 27, 4, tzinfo=UTC)  # three days before the month ends
BUCKETS = (1, 4, 4)
FEST_ENDS = date(2026, 11, 29)
_names = itertools.count()

residents = st.sampled_from(range(3))
any_goods = st.sampled_from(range(3))
quantities = st.sampled_from([1, 2, 3])
subjects = st.sampled_from([f"s{number}" for number in range(8)])
others = st.sampled_from([None, "res_li", "res_wang"])
rule_names = st.sampled_from(["help", "read", "off"])
caps = st.one_of(st.none(), st.integers(5, 60))
limits = st.one_of(st.none(), st.integers(1, 6))
fees = st.sampled_from([f"fee:{number}" for number in range(12)])
which = st.integers(0, 30)
maybe = st.sampled_from([None, 0, 1])

# Administrators act once where residents act four times.
rarely = precondition(lambda self: self.steps % 4 == 0)

NOBODYS = "YYYYYYYY"  # a code that no redemption has, also not those of other tests in the same table


class PointsAndGoods(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.now = BEGINS
        self.street = Street(self.now)
        self.people = self.street.residents
        letters = "abcdefghij"
        here = "".join(letters[int(digit)] for digit in f"{os.getpid()}{next(_names)}")[-20:]
        self.name = {kind: f"{kind}_{here}" for kind in ("help", "read", "gift", "off")}
        goods = self.street.mall(self.now)
        self.mall = Mall(Model({}), goods, self.street.homes, self.street.duties)
        self.goods = list(goods)
        self.books = self.mall.books
        self.steps, self.keys = 0, itertools.count()
        self.set_rules(Rule(10, a_day=30, pair=20), Rule(3))
        for number, resident in enumerate(self.people):
            self.give(resident, "gift", "start", None)
            if number == 1:
                self.street.pass_quiz(resident, self.now)
                self.mall.passed.add((resident, QUIZ))
        for product, quantity in zip(self.goods, (9, 7, 8), strict=True):
            self.move_stock(product, quantity, "first")

    def did(self, act: str, outcome: str) -> None:
        self.steps += 1
        ACTS[act, outcome] += 1

    # ----------------------------------------------------------------------------------------- time and settings

    @rule(
        hours=st.integers(0, 20),
        to=st.sampled_from(["later"] * 3 + ["midnight", "month", "campaign", "expiry", "expiry"]),
        just_before=st.booleans(),
    )
    def time_passes(self, hours: int, to: str, just_before: bool) -> None:
        """Some hours, or to the very moment (or the millisecond before it) at which something ends."""
        ends = self.next_end(to)
        if ends is None or ends <= self.now:
            to, ends = "later", self.now + timedelta(hours=hours, minutes=1)
        elif just_before:
            ends -= timedelta(milliseconds=1)
        self.now = max(self.now, ends.astimezone(UTC))
        self.did("time passes", to)

    def next_end(self, of: str) -> datetime | None:
        today = clock.day(self.now)
        if of == "midnight":
            return datetime.combine(today + timedelta(days=1), time(0), SHANGHAI)
        if of == "month":
            return datetime.combine(last_of_month(today) + timedelta(days=1), time(0), SHANGHAI)
        if of == "campaign":
            masks = self.mall.goods[self.goods[2]]
            assert masks.opens_at
            return masks.opens_at if self.now < masks.opens_at else masks.terms.closes_at
        return min((each.collect_by for each in self.mall.redeemed if each.state == "reserved"), default=None)

    def set_rules(self, help_: Rule, read: Rule) -> None:
        self.books.rules = {"help": help_, "read": read, "gift": Rule(60), "off": Rule(5, on=False)}
        document = {
            self.name[kind]: {
                "name": kind,
                "points": each.points,
                "on": each.on,
                "a_day": each.a_day,
                "a_month": each.a_month,
                "with_one_person_a_month": each.pair,
            }
            for kind, each in self.books.rules.items()
        }
        local_aws.put_setting("points", {"rules": document})
        kit_settings.forget()

    @rarely
    @rule(points=st.integers(1, 15), a_day=caps, a_month=caps, pair=caps, on=st.booleans())
    def an_administrator_changes_a_rule(self, points: int, a_day: Any, a_month: Any, pair: Any, on: bool) -> None:
        self.set_rules(Rule(points, a_day, a_month, pair, on), self.books.rules["read"])
        self.did("change a rule", "on" if on else "off")

    # ------------------------------------------------------------------------------------------------- the books

    def give(self, resident: str, kind: str, subject: str, whom: str | None, times: int = 1) -> int:
        given = books.give(resident, self.name[kind], subject, with_whom=whom, now=self.now, times=times)
        assert given == self.books.award(resident, kind, subject, whom, self.now, times)
        return given

    @rule(who=residents, kind=rule_names, subject=subjects, whom=others, times=st.sampled_from([1, 1, 2, 4]))
    def award(self, who: int, kind: str, subject: str, whom: str | None, times: int) -> None:
        points = self.books.rules[kind].points
        given = self.give(self.people[who], kind, subject, whom, times)
        self.did("award", "nothing" if not given else "earned" if given == times * points else "earned in part")

    @rule(who=residents, amount=st.integers(1, 15), transfer=fees)
    def spend(self, who: int, amount: int, transfer: str) -> None:
        resident = self.people[who]
        done = outcome(lambda: books.spend(resident, amount, transfer, now=self.now))
        assert done == self.books.spend(resident, transfer, amount, None, self.now)
        self.did("spend", done)

    @rule(
        who=residents,
        amount=st.integers(1, 6),
        transfer=fees,
        quantity=st.integers(1, 3),
        cap=limits,
        monthly=st.booleans(),
    )
    def spend_within_an_allowance(
        self, who: int, amount: int, transfer: str, quantity: int, cap: int | None, monthly: bool
    ) -> None:
        """Seats by the month, places at a fest whose last day is fixed; the cap changes from call to call."""
        resident = self.people[who]
        of, until = ("seat", last_of_month(clock.day(self.now))) if monthly else ("fest", FEST_ENDS)
        allowance, taken = Allowance(of, until, quantity, cap), Taken(of, until, quantity, cap)
        done = outcome(lambda: books.spend(resident, amount, transfer, now=self.now, allowance=allowance))
        assert done == self.books.spend(resident, transfer, amount, taken, self.now)
        self.did("spend within an allowance", done)

    @rule(who=residents, transfer=fees, known=st.sampled_from([True, True, False]))
    def give_back(self, who: int, transfer: str, known: bool) -> None:
        resident = self.people[who]
        fees_of_theirs = [each for of, each in self.books.spent if of == resident and each.startswith("fee")]
        if known and fees_of_theirs:
            transfer = fees_of_theirs[int(transfer.partition(":")[2]) % len(fees_of_theirs)]
        spent = self.books.spent.get((resident, transfer))
        taken = spent and spent.taken
        allowance = Allowance(taken.of, taken.until, taken.quantity, taken.at_most) if taken else None
        done = outcome(lambda: books.give_back(resident, transfer, now=self.now, allowance=allowance))
        assert done == self.books.give_back(resident, transfer)
        self.did("give back", done)

    @rule(who=residents, kind=st.sampled_from(["help", "read", "gift"]), subject=subjects, at_most=caps)
    def correct(self, who: int, kind: str, subject: str, at_most: int | None) -> None:
        """All that it gave, or a part of it."""
        resident, subject = self.people[who], "start" if kind == "gift" else subject
        fact = f"{self.name[kind]}:{subject}"
        done = outcome(lambda: books.correct(resident, fact, now=self.now, at_most=at_most))
        assert done == self.books.correct(resident, kind, subject, at_most)
        self.did("correct", done)

    @rarely  # it is much the dearest too: sixteen queries a day
    @rule(kind=st.sampled_from(["read", "help", "gift"]), hours=st.sampled_from([5, 72, 168]), late=st.integers(0, 1))
    def reverse(self, kind: str, hours: int, late: int) -> None:
        since, until = self.now - timedelta(hours=hours), self.now + timedelta(seconds=late)
        before = self.books.taken_back
        done = reversal.reverse(
            rule=self.name[kind], since=since, until=until, dry_run=False, now=self.now, seconds_left=lambda: 60
        )
        self.books.reverse(kind, since, until)
        assert (done.points, done.finished) == (self.books.taken_back - before, True)
        self.did("reverse", "corrected" if done.points else "nothing")

    # --------------------------------------------------------------------------------------------- redeeming

    @rule(who=residents, of=any_goods, quantity=st.sampled_from([1, 2, 3]))
    def redeem(self, who: int, of: int, quantity: int) -> None:
        """As the app lets them: at the price that is shown, at a desk that is listed."""
        product = self.goods[of]
        goods = self.mall.goods[product]
        wish = Wish(quantity, goods.terms.price, next(iter(goods.desks)))
        self.tap(self.people[who], product, wish, f"tap{next(self.keys)}", "redeem")

    @rule(who=residents, quantity=st.sampled_from([1, 2]))
    def have_it_delivered(self, who: int, quantity: int) -> None:
        goods = self.mall.goods[self.goods[1]]
        wish = Wish(quantity, goods.terms.price, deliver=True)
        self.tap(self.people[who], self.goods[1], wish, f"tap{next(self.keys)}", "redeem")

    @rule(
        who=residents,
        of=any_goods,
        quantity=st.sampled_from([1, 2, 4, 8]),
        way=st.sampled_from(["listed", "none", "door", "elsewhere"]),
        dearer=st.sampled_from([0, 0, 0, 1]),
        again=st.booleans(),
    )
    def redeem_anyhow(self, who: int, of: int, quantity: int, way: str, dearer: int, again: bool) -> None:
        """Too many, at a price of before, nowhere or where it is not; and the tap comes twice."""
        resident, product = self.people[who], self.goods[of]
        goods, key = self.mall.goods[product], f"tap{next(self.keys)}"
        desk = {"listed": next(iter(goods.desks)), "elsewhere": f"{self.street.there}-office"}.get(way)
        wish = Wish(quantity, goods.terms.price + dearer, desk, deliver=way == "door")
        self.tap(resident, product, wish, key, "redeem")
        if again:
            self.tap(resident, product, wish, key, "redeem again")

    @precondition(lambda self: self.mall.keys)
    @rule(which=which, quantity=quantities)
    def redeem_with_a_key_of_before(self, which: int, quantity: int) -> None:
        (resident, product, key), (wish, _) = list(self.mall.keys.items())[which % len(self.mall.keys)]
        self.tap(resident, product, replace(wish, quantity=quantity), key, "redeem with an old key")

    def tap(self, resident: str, product: str, wish: Wish, key: str, act: str) -> None:
        stock._seen_empty.clear()  # as in a container that has not been asked for a second
        content = [wish.quantity, wish.price, wish.desk, wish.deliver]
        attempt = self.street.attempt(resident, f"POST /products/{product}/redemptions", content, key)
        made: list[Redemption] = []
        done = outcome(
            lambda: made.append(
                redeeming.redeem(
                    caller=self.street.callers[resident],
                    product_id=product,
                    wish=redeeming.Wish(*content),
                    attempt=attempt,
                    now=self.now,
                )
            )
        )
        said, redeemed = self.mall.redeem(resident, product, wish, key, self.now)
        assert done == said
        if redeemed is not None:
            if not redeemed.id:
                redeemed.id, redeemed.code = made[0].id, made[0].code
            assert made[0].id == redeemed.id
        self.did(act, done)

    # ------------------------------------------------------------------------------------------ how it ends

    def one(self, number: int, waiting: bool, of: Any = lambda each: True) -> Redeemed:
        """One of all redemptions; preferably one that waits, when that is wanted."""
        some = [each for each in self.mall.redeemed if of(each)] or self.mall.redeemed
        some = [each for each in some if waiting and each.state == "reserved"] or some
        return some[number % len(some)]

    @precondition(lambda self: self.mall.redeemed)
    @rule(number=which, waiting=st.booleans(), foreign=st.integers(0, 5), key=st.sampled_from(["a", "b"]))
    def cancel(self, number: int, waiting: bool, foreign: int, key: str) -> None:
        redeemed = self.one(number, waiting)
        self.call_off(self.people[number % 3] if foreign == 0 else redeemed.resident, redeemed, key)

    def call_off(self, who: str, redeemed: Redeemed, key: str) -> None:
        attempt = self.street.attempt(who, f"POST /redemptions/{redeemed.id}/cancel", "", key)
        done = outcome(
            lambda: ending.cancel(
                caller=self.street.callers[who], redemption_id=redeemed.id, attempt=attempt, now=self.now
            )
        )
        assert done == self.mall.cancel(who, redeemed, key)
        self.did("cancel", done)

    @precondition(lambda self: self.mall.redeemed)
    @rule(
        number=which,
        waiting=st.booleans(),
        clerk=st.sampled_from([0, 0, 0, 1, 2]),
        wrong=st.integers(0, 9),
        key=st.sampled_from(["a", "b"]),
    )
    def collect(self, number: int, waiting: bool, clerk: int, wrong: int, key: str) -> None:
        redeemed = self.one(number, waiting, of=lambda each: each.desk)
        self.at_the_desk(self.street.clerks[clerk], NOBODYS if wrong == 0 else redeemed.code, key)

    def at_the_desk(self, who: str, code: str, key: str) -> None:
        attempt = self.street.attempt(who, "POST /desk/collect", code, key)
        done = outcome(
            lambda: collecting.collect(caller=self.street.callers[who], code=code, attempt=attempt, now=self.now)
        )
        assert done == self.mall.collect(who, code, key, self.now)
        self.did("collect", done)

    @precondition(lambda self: any(each.home for each in self.mall.redeemed))
    @rule(
        number=which,
        waiting=st.booleans(),
        worker=st.sampled_from([0, 0, 0, 1, 2]),
        wrong=st.integers(0, 9),
        key=st.sampled_from(["a", "b"]),
    )
    def deliver(self, number: int, waiting: bool, worker: int, wrong: int, key: str) -> None:
        redeemed = self.one(number, waiting, of=lambda each: each.home)
        self.at_the_door(self.street.workers[worker], redeemed, NOBODYS if wrong == 0 else redeemed.code, key)

    def at_the_door(self, who: str, redeemed: Redeemed, code: str, key: str) -> None:
        attempt = self.street.attempt(who, f"POST /deliveries/{redeemed.id}/with-code", code, key)
        done = outcome(
            lambda: delivering.deliver_with_code(
                caller=self.street.callers[who], redemption_id=redeemed.id, code=code, attempt=attempt, now=self.now
            )
        )
        assert done == self.mall.deliver(who, redeemed, code, key, self.now)
        self.did("deliver", done)

    @precondition(lambda self: self.steps % 3 == 0 and any(each.state == "reserved" for each in self.mall.redeemed))
    @rule(just_before=st.booleans())
    def somebody_comes_at_the_last_moment(self, just_before: bool) -> None:
        """Or in the first that is too late, before the timer."""
        waiting = (each for each in self.mall.redeemed if each.state == "reserved")
        redeemed = min(waiting, key=lambda each: each.collect_by)
        ends = redeemed.collect_by - timedelta(milliseconds=just_before)
        self.now = max(self.now, ends.astimezone(UTC))
        if redeemed.desk:
            place = self.mall.goods[redeemed.goods].desks[redeemed.desk]
            self.at_the_desk(self.street.clerks[place == self.street.there], redeemed.code, "last")
        else:
            self.at_the_door(self.street.workers[0], redeemed, redeemed.code, "last")

    @precondition(lambda self: self.mall.redeemed and self.steps % 2 == 0)
    @rule()
    def the_timers_run(self) -> None:
        """As the sweeper does every minute: what is due, until nothing is. Each comes twice, as the index lags."""
        expired = 0
        for redeemed in self.mall.redeemed:
            while (item := Redemption.fetch(*_key(redeemed))).due_at is not None and item.due_at <= self.now:
                timers._handlers[item.timer](item, now=self.now)
                timers._handlers[item.timer](item, now=self.now)
            expired += self.mall.expire(redeemed, self.now)
        self.did("timers", "expired" if expired else "nothing")

    @precondition(lambda self: self.mall.redeemed)
    @rule(number=which, waiting=st.booleans())
    def a_timer_comes_unasked(self, number: int, waiting: bool) -> None:
        """Too early, or for what has ended, or before the reminder: it may end only what is due and waits for it."""
        redeemed = self.one(number, waiting)
        item = Redemption.fetch(*_key(redeemed))
        ending.expire(item, now=self.now)
        due = item.timer == "mall.expire" and self.mall.expire(redeemed, self.now)
        self.did("expire unasked", "expired" if due else "nothing")

    @precondition(lambda self: self.steps >= 25 and self.steps % 8 == 0 and not self.books.lapsed)
    @rule(who=residents)
    def somebody_closes_their_account(self, who: int) -> None:
        """One of the three, late in the story."""
        resident = people.find(self.people[who])
        assert resident
        closing.close(resident, now=self.now)
        self.mall.close_account(self.people[who])
        self.did("close an account", "closed")
        theirs = [each for each in self.mall.redeemed if each.resident == self.people[who]]
        for redeemed in theirs[-1:]:  # from a phone that does not know it yet
            self.call_off(self.people[who], redeemed, "late")

    # --------------------------------------------------------------------------------------- administrators

    def move_stock(self, product: str, quantity: int, receipt: str) -> str:
        done = outcome(
            lambda: products.restock(product, quantity, receipt=receipt, reason="进货", by="proof", now=self.now)
        )
        assert done == self.mall.restock(product, quantity, receipt)
        return done

    @rule(of=any_goods, quantity=st.integers(1, 9), receipt=st.integers(0, 9))
    def restock(self, of: int, quantity: int, receipt: int) -> None:
        self.did("restock", self.move_stock(self.goods[of], quantity, f"in{receipt}"))

    @rule(of=any_goods, quantity=st.integers(1, 9), receipt=st.integers(0, 9))
    def take_out(self, of: int, quantity: int, receipt: int) -> None:
        self.did("take out", self.move_stock(self.goods[of], -quantity, f"out{receipt}"))

    def change(self, product: str, terms: Terms, tapped_by: int | None) -> str:
        """Somebody may tap what they saw before, in a container that keeps the product as it was."""
        before, goods = Product.fetch(*_of(product)), self.mall.goods[product]
        shown = Wish(1, goods.terms.price, next(iter(goods.desks)))
        done = outcome(lambda: self.administer(product, goods, terms))
        assert done == self.mall.change(product, terms)
        if tapped_by is not None:
            products._kept[product] = (monotonic(), before)
            self.tap(self.people[tapped_by], product, shown, f"tap{next(self.keys)}", "redeem as it was")
        return done

    def administer(self, product: str, goods: Goods, terms: Terms) -> None:
        """By the commands `close_product` and `open_product` if that is all, otherwise by `put_product`."""
        if replace(goods.terms, state=terms.state) == terms:
            products.set_state(product, terms.state, by="proof", now=self.now)
        else:
            wanted = self.street.terms(replace(goods, terms=terms), self.mall.goods)
            buckets = BUCKETS[self.goods.index(product)]
            products.save(product, wanted, buckets=buckets, by="proof", now=self.now)

    @rarely
    @rule(of=any_goods, price=st.integers(1, 4), cap=limits, tapped_by=maybe)
    def terms_change(self, of: int, price: int, cap: int | None, tapped_by: int | None) -> None:
        """Also to a cap below what somebody has taken already."""
        product = self.goods[of]
        terms = replace(self.mall.goods[product].terms, price=price, cap=cap)
        self.did("change terms", self.change(product, terms, tapped_by))

    @precondition(lambda self: self.steps % 4 == 0 and any(each.state == "reserved" for each in self.mall.redeemed))
    @rule(number=which)
    def a_cap_falls_below_what_somebody_has(self, number: int) -> None:
        """And just they tap once more, in a container that has not heard of it."""
        redeemed = self.one(number, waiting=True)
        terms = replace(self.mall.goods[redeemed.goods].terms, cap=1)
        tapped_by = self.people.index(redeemed.resident)
        self.did("change terms", self.change(redeemed.goods, terms, tapped_by))

    @rarely
    @rule(of=any_goods, state=st.sampled_from(["open", "closed", "open"]), tapped_by=maybe)
    def close_or_open(self, of: int, state: str, tapped_by: int | None) -> None:
        product = self.goods[of]
        done = self.change(product, replace(self.mall.goods[product].terms, state=state), tapped_by)
        assert done == "ok"
        self.did("close or open", state)

    @rarely
    @rule(days=st.sampled_from([-1, 1, 2, 7, 70]), tapped_by=maybe)
    def the_campaign_is_prolonged(self, days: int, tapped_by: int | None) -> None:
        """Or ends earlier; after its end it goes on."""
        product = self.goods[2]
        terms = self.mall.goods[product].terms
        assert terms.closes_at
        terms = replace(terms, closes_at=terms.closes_at + timedelta(days=days))
        self.did("prolong", self.change(product, terms, tapped_by))

    @precondition(lambda self: (self.people[0], QUIZ) not in self.mall.passed and self.steps % 4 == 0)
    @rule()
    def the_quiz_is_passed(self) -> None:
        """By Chen; Wang has passed it before."""
        self.street.pass_quiz(self.people[0], self.now)
        self.mall.passed.add((self.people[0], QUIZ))
        self.did("pass the quiz", "ok")

    # ----------------------------------------------------------------------------------------- what is true

    @invariant()
    def all_is_as_it_should_be(self) -> None:
        if not hasattr(self, "mall"):
            return
        all_books = [stored.Books(resident) for resident in self.people]
        stored.check_books(all_books, self.mall)
        redemptions, buckets = stored.read(self.mall.redeemed, dict(zip(self.goods, BUCKETS, strict=True)))
        stored.check_redemptions(redemptions, self.mall.redeemed)
        stored.check_stock(self.mall.goods, buckets, redemptions)
        now_and_then = self.steps % 10 == 0  # what takes as many reads as all the rest
        if now_and_then:
            stored.check_lists(self.mall)
            assert [mall_audit.look_at(product) for product in self.goods] == [[], [], []]
        for each in all_books:
            stored.check_debits(each, self.mall.redeemed)
            self.what_was_taken_is_counted(each)
            stored.check_audit(each, also_the_mall=now_and_then)

    def what_was_taken_is_counted(self, of: stored.Books) -> None:
        """As far as the period is not over: then nobody can take any more in it."""
        today = clock.day(self.now)
        monthly = last_of_month(today)
        periods = {"seat": monthly, "fest": FEST_ENDS}
        periods |= {product: goods.counts_until or monthly for product, goods in self.mall.goods.items()}
        for what, until in periods.items():
            if until >= today and of.resident not in self.books.lapsed:
                assert of.taken(what, until) == self.books.taken(of.resident, what, until), what


def outcome(act: Any) -> str:
    try:
        act()
    except Problem as problem:
        return problem.code
    return "ok"


def _key(redeemed: Redeemed) -> tuple[str, str]:
    key = Redemption.key(redeemed.id)
    return key.pk, key.sk


def _of(product_id: str) -> tuple[str, str]:
    key = Product.key(product_id)
    return key.pk, key.sk
