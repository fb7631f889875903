"""A resident trades points for goods."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from chalicelib.entitlements import rules as entitlements
from chalicelib.entitlements.models import Entitlement
from chalicelib.kit import clock, timers
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import settled, transaction
from chalicelib.mall import products, rules, stock
from chalicelib.mall.models import Product, Redemption
from chalicelib.mall.rules import Desk
from chalicelib.people import service as people
from chalicelib.people.service import Person
from chalicelib.points import service as points
from chalicelib.points.rules import Allowance, AllowanceUsed, AlreadySpent, NotEnoughPoints, month_end

_OF_ANYTHING = "*"  # among the names of products: how many redemptions, whatever became of them


class Wish(msgspec.Struct, frozen=True):
    """How many, at the price a piece that the resident was shown, and how it reaches them."""

    quantity: int
    price: int
    desk: str | None = None
    deliver: bool = False


@settled(rules.MallBusy)
def redeem(*, caller: Caller, product_id: str, wish: Wish, attempt: Attempt, now: datetime) -> Redemption:
    """Take points, stock and cap in one step, and make the redemption. One read and one write of four items.

    The product may be some seconds old here: the bucket says whether its terms are still in force. That the resident
    still has an account is decided by the points' account, so no further item is held (docs/ledger.md counts them).
    """
    redemption_id = attempt.id("redemption")
    product = products.known(product_id)
    passed = [Entitlement.key(caller.principal, entitlements.of_quiz(product.quiz))] if product.quiz else []
    person, (mine, home, *found) = people.present_with(
        caller,
        Redemption.key(redemption_id),
        stock.home_bucket(product, caller.principal),
        *passed,
        *points.needed_to_spend(caller.principal, rules.fact(redemption_id)),
        now=now,
    )
    if mine and attempt.made(mine):
        return mine  # type: ignore[no-any-return]
    if stock.newer_terms(product, home):
        products.forget(product_id)
        raise Changed()
    desk = _may_redeem(person, product, wish, passed=bool(passed) and found[0] is not None, now=now)
    new = _reserved(redemption_id, person, product, wish, desk, attempt, now)
    try:
        with transaction() as tx:
            _pay(tx, new, product, known=found, now=now)
            new.taken_from = stock.take(tx, product, home, wish.quantity, of=new)
            tx.create(new, or_raise=Changed())
    except (rules.NotEnough, rules.OverTheCap):
        _look_again(new, attempt)
        raise
    return new


def _look_again(new: Redemption, attempt: Attempt) -> None:
    """Nobody is refused for the sake of what this very request has got them: Changed, when it has.

    A repeat that reads while the first request writes may find no redemption yet, but the points it has taken.
    """
    if attempt.key is not None and Redemption.find(new.pk, new.sk) is not None:
        raise Changed()


def _may_redeem(person: Person, product: Product, wish: Wish, *, passed: bool, now: datetime) -> Desk | None:
    rules.check_open(product, now=now)
    # A home that the grid worker has yet to confirm counts; one that was declined is nobody's.
    home = person.resident.home if person.resident.home_state != "declined" else None
    rules.check_audience(product, home)
    if product.quiz and not passed:
        raise rules.QuizNotPassed()
    if wish.price != product.price:
        raise rules.PriceChanged(price=int(product.price))
    return rules.way(product.places, product.delivers, desk=wish.desk, deliver=wish.deliver, home=home or "")


def _reserved(
    redemption_id: str,
    person: Person,
    product: Product,
    wish: Wish,
    desk: Desk | None,
    attempt: Attempt,
    now: datetime,
) -> Redemption:
    new = Redemption.key(redemption_id)
    new.state, new.resident, new.by = "reserved", person.id, person.by
    new.product_id, new.name, new.unit = product.id, product.name, product.unit
    new.quantity, new.cost = wish.quantity, wish.quantity * int(product.price)
    if desk:
        new.desk_area, new.desk_name = desk.area, desk.name
    else:
        new.home = person.resident.home
    new.code, new.marks = attempt.code(), attempt.marks()
    new.created_at, new.collect_by = now, rules.collect_by(now, int(product.collect_days))
    new.counts_until = product.counts_until or f"{month_end(clock.day(now))}"
    new.list_it()
    timers.start(new, *rules.first_timer(new.how, new.collect_by, now))
    return new


def _pay(tx: transaction, new: Redemption, product: Product, *, known: list[Item | None], now: datetime) -> None:
    """Take the points, within the product's cap and what somebody redeems in a day."""
    cap = int(product.cap) if product.cap else None
    today = Allowance(_OF_ANYTHING, clock.day(now), quantity=1, at_most=rules.settings_in_force().redemptions_a_day)
    try:
        points.spend(
            tx,
            new.resident,
            int(new.cost),
            transfer_id=new.fact,
            reason=f"兑换{new.name}",
            subject=new.id,
            now=now,
            allowances=(allowance(new, at_most=cap), today),
            known=known,
        )
    except AllowanceUsed as used:
        if used.of == _OF_ANYTHING:
            raise rules.EnoughToday(retry_after=clock.until_midnight(now)) from None
        raise rules.OverTheCap(cap or 0, used.left, new.unit, product.cap_period) from None
    except NotEnoughPoints as short:
        raise rules.NotEnough(missing=short.detail) from None
    except AlreadySpent:
        raise Changed() from None  # by this very request, a moment ago: its redemption is there now


def allowance(redemption: Redemption, *, at_most: int | None = None) -> Allowance:
    """What this redemption counts towards its product's cap."""
    return Allowance(
        of=redemption.product_id,
        until=date.fromisoformat(redemption.counts_until),
        quantity=int(redemption.quantity),
        at_most=at_most,
    )
