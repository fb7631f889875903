"""What happens in the mall when nobody does anything: reminders, the end of what is not collected, a new month."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from chalicelib.kit import clock, timers
from chalicelib.kit.attempt import Attempt
from chalicelib.mall import catalogue, ending, redeeming
from chalicelib.mall.models import Product, Redemption
from chalicelib.mall.redeeming import Wish
from chalicelib.points import service as points
from chalicelib.points.models import Account
from tests.help.street import Street
from tests.mall import shop
from tests.neighbourhood import Hood, Neighbour
from tests.points import books

MINUTE = timedelta(minutes=1)


def at(day: date, *when: int) -> datetime:
    """That time of that day in Shanghai."""
    return clock.at_local(day, time(*when))


def sweep(item: Any, now: datetime) -> None:
    """Twice, as when a sweep is started twice: the second finds what the first has left."""
    seen = type(item).fetch(item.pk, item.sk)
    Hood.pass_time(item, now)
    if seen.timer and seen.due_at <= now:
        timers._run(seen, now)  # as the index still shows it


def redeem_at(who: Neighbour, product: str, now: datetime, *, quantity: int = 1) -> Redemption:
    """What the route does, at another time."""
    wish = Wish(quantity=quantity, price=shop.PRICE)
    attempt = Attempt(who.id, f"/products/{product}/redemptions", b"")
    return redeeming.redeem(caller=who.caller, product_id=product, wish=wish, attempt=attempt, now=now)


class TestWhatNobodyCollects:
    def test_is_reminded_of_and_gives_points_stock_and_cap_back_at_the_end_of_its_last_day(self, street: Street):
        masks, chen = shop.masks(street, cap=2, buckets=2), shop.buyer(street, points=10)
        made = shop.redemption(shop.redeemed(chen, masks, quantity=2)["id"])
        today = clock.day(made.created_at)
        last = today + timedelta(days=7)
        assert made.collect_by == at(last + timedelta(days=1), 0)

        sweep(made, at(last - timedelta(days=2), 8, 59))
        assert chen.told == []
        sweep(made, at(last - timedelta(days=2), 9))
        assert chen.told == ["redemption_waiting"]
        sweep(made, at(last, 23, 59))
        assert (shop.redemption(made.id).state, shop.counts(masks)) == ("reserved", (10, 8, 2, 0))

        sweep(made, at(last + timedelta(days=1), 0))
        ended = shop.redemption(made.id)
        assert (ended.state, ended.timer, ended.due_key) == ("expired", None, None)
        assert chen.told == ["redemption_waiting", "redemption_expired"]
        assert (shop.balance(chen), shop.counts(masks)) == (10, (10, 10, 0, 0))
        assert books.check(chen.id) == 10
        shop.redeemed(chen, masks, quantity=2)

    def test_says_until_when_and_what_became_of_the_points(self, street: Street):
        masks, chen = shop.masks(street), shop.buyer(street)
        made = shop.redemption(shop.redeemed(chen, masks, quantity=2)["id"])
        for when in (made.collect_by - timedelta(hours=1), made.collect_by):
            sweep(made, when)
        waiting, expired = (notice["text"] for notice in reversed(chen.get("/inbox").json["items"]))
        last = clock.day(made.collect_by - MINUTE)
        assert f"{last.month}月{last.day}日" in waiting
        assert "社区居委会" in waiting
        assert "10" in expired

    def test_is_ended_by_a_sweep_that_comes_days_late_with_its_reminder_first(self, street: Street):
        masks, chen = shop.masks(street), shop.buyer(street)
        made = shop.redemption(shop.redeemed(chen, masks)["id"])
        late = made.collect_by + timedelta(days=3)
        sweep(made, late)
        sweep(made, late)
        assert (shop.redemption(made.id).state, shop.balance(chen)) == ("expired", 100)
        assert chen.told.count("redemption_expired") == 1

    def test_that_was_collected_meanwhile_is_left_alone(self, street: Street):
        masks, chen, clerk = shop.masks(street), shop.buyer(street), street.staff("desk_clerk")
        made = shop.redeemed(chen, masks)
        seen = shop.redemption(made["id"])
        assert clerk.post("/desk/collect", json={"code": made["code"]}).status == 200
        for timer, now in (("mall.remind", seen.collect_by - timedelta(days=2)), ("mall.expire", seen.collect_by)):
            seen.timer = timer
            timers._run(seen, now)
        assert (shop.redemption(made["id"]).state, shop.counts(masks)) == ("collected", (10, 9, 0, 1))
        assert chen.told == ["redemption_collected"]

    def test_is_said_once_even_if_reminders_are_set_to_come_later_meanwhile(self, street: Street, configure: Any):
        masks, chen = shop.masks(street), shop.buyer(street)
        configure("mall", remind_days=5)
        made = shop.redemption(shop.redeemed(chen, masks)["id"])
        configure("mall", remind_days=1)
        sweep(made, made.due_at)
        assert shop.redemption(made.id).timer == "mall.expire"
        sweep(made, made.collect_by - timedelta(hours=1))
        assert chen.told == ["redemption_waiting"]

    def test_of_a_delivery_is_announced_and_called_late_to_the_grid_worker(self, street: Street):
        worker = street.staff("grid_worker", street.grid)
        masks, chen = shop.masks(street, desks=[], delivers=True), shop.buyer(street)
        made = shop.redemption(shop.redeemed(chen, masks, deliver=True)["id"])
        sweep(made, made.created_at)
        assert (worker.told, chen.told) == (["delivery_waiting"], [])
        for when in (made.collect_by - timedelta(hours=1), made.collect_by):
            sweep(made, when)
        assert worker.told == ["delivery_waiting", "delivery_late"]
        assert chen.told == ["redemption_not_delivered"]
        ended = shop.redemption(made.id)
        assert (ended.state, ended.area_key, shop.balance(chen)) == ("expired", None, 100)

    def test_may_still_be_called_off_between_its_end_and_the_sweep(self, street: Street):
        masks, chen = shop.masks(street), shop.buyer(street)
        made = shop.redemption(shop.redeemed(chen, masks)["id"])
        sweep(made, made.collect_by - timedelta(hours=1))
        late = made.collect_by + MINUTE
        path = f"/redemptions/{made.id}/cancel"
        ending.cancel(caller=chen.caller, redemption_id=made.id, attempt=Attempt(chen.id, path, b""), now=late)
        sweep(made, late)
        assert (shop.redemption(made.id).state, shop.balance(chen)) == ("cancelled", 100)
        assert shop.counts(masks) == (10, 10, 0, 0)
        assert chen.told == ["redemption_waiting"]


class TestAResidentWhoHasLeft:
    def test_has_no_points_to_get_back_but_others_get_the_goods(self, street: Street):
        """Their books were closed, and the redemption was not called off with them."""
        masks, chen = shop.masks(street, buckets=2), shop.buyer(street, points=30)
        made = shop.redemption(shop.redeemed(chen, masks, quantity=2)["id"])
        points.close(chen.id, now=clock.now())
        for when in (made.collect_by - timedelta(hours=1), made.collect_by):
            sweep(made, when)
        assert (shop.redemption(made.id).state, shop.counts(masks)) == ("expired", (10, 10, 0, 0))
        assert (shop.balance(chen), books.check(chen.id)) == (0, 0)

    def test_leaves_nothing_reserved(self, hood: Hood):
        masks, chen = shop.masks(hood, buckets=2), shop.buyer(hood, points=30)
        made = shop.redeemed(chen, masks, quantity=2)
        assert chen.post("/me/close", json={"word": "注销"}).status == 204
        ended = shop.redemption(made["id"])
        assert (ended.state, ended.person_key) == ("cancelled", None)
        assert shop.counts(masks) == (10, 10, 0, 0)
        assert books.check(chen.id) == 0


class TestANewMonth:
    def test_brings_a_fresh_cap_at_midnight_in_shanghai(self, street: Street):
        masks, chen = shop.masks(street, cap=2), shop.buyer(street)
        first = (clock.day(clock.now()).replace(day=28) + timedelta(days=4)).replace(day=1)
        eve, midnight = at(first, 0) - MINUTE, at(first, 0)
        before = redeem_at(chen, masks, eve, quantity=2)
        with pytest.raises(redeeming.rules.OverTheCap):
            redeem_at(chen, masks, eve)
        redeem_at(chen, masks, midnight, quantity=2)
        with pytest.raises(redeeming.rules.OverTheCap):
            redeem_at(chen, masks, midnight)
        # What was taken in the old month and comes back in the new one makes no room in the new one.
        sweep(before, before.collect_by - timedelta(hours=1))
        sweep(before, before.collect_by)
        assert shop.redemption(before.id).state == "expired"
        with pytest.raises(redeeming.rules.OverTheCap):
            redeem_at(chen, masks, midnight + timedelta(days=9))
        assert shop.counts(masks) == (10, 8, 2, 0)
        assert books.check(chen.id) == 90

    def test_of_a_campaign_that_lasts_over_it_brings_none(self, street: Street):
        now = clock.now()
        closes = f"{clock.local(now + timedelta(days=60)):%Y-%m-%dT%H:%M:%S}+08:00"
        masks, chen = shop.campaign(street, cap=2, closes_at=closes), shop.buyer(street)
        redeem_at(chen, masks, now, quantity=2)
        for days in (31, 59):
            with pytest.raises(redeeming.rules.OverTheCap):
                redeem_at(chen, masks, now + timedelta(days=days))

    def test_does_not_make_the_account_grow(self, street: Street):
        masks, chen = shop.masks(street, cap=1), shop.buyer(street)
        now = clock.now()
        for month in range(3):
            redeem_at(chen, masks, now + timedelta(days=32 * month))
        account = Account.fetch(f"POINTS#{chen.id}", "ACCOUNT")
        assert [sorted(counted.values()) for counted in account.taken.values()] == [[1], [1]], (
            "of the month, and of the day"
        )


class TestACampaign:
    def listed(self, street: Street) -> list[str]:
        catalogue._kept.clear()
        return [each.id for each in catalogue.open_for(street.community, cursor=None, now=clock.now())]

    def stored(self, campaign: str) -> Product:
        return Product.fetch(f"MALL#{campaign}", "PRODUCT")

    def test_leaves_the_list_at_its_end_and_what_is_reserved_stays(self, street: Street):
        product = shop.masks(street)
        campaign, chen = shop.campaign(street, product=product), shop.buyer(street)
        made = shop.redeemed(chen, campaign)
        assert set(self.listed(street)) == {product, campaign}
        closes = self.stored(campaign).closes_at
        sweep(self.stored(campaign), closes - MINUTE)
        assert set(self.listed(street)) == {product, campaign}
        with pytest.raises(redeeming.rules.Closed):
            redeem_at(chen, campaign, closes)
        sweep(self.stored(campaign), closes)
        assert self.listed(street) == [product]
        # Who asked in its last moment is served, however long the request took.
        redeem_at(chen, campaign, closes - timedelta(milliseconds=1))
        assert (self.stored(campaign).timer, self.stored(campaign).state) == (None, "open")
        assert shop.redemption(made["id"]).state == "reserved"

    def test_that_is_prolonged_is_listed_until_its_new_end(self, street: Street):
        product, campaign, chen = shop.masks(street), shop.product_id(), shop.buyer(street)
        now = clock.local(clock.now())
        terms = {"command": "put_campaign", "campaign": campaign, "product": product, "opens_at": now.isoformat()}
        shop.done(**terms, closes_at=(now + timedelta(hours=1)).isoformat())
        shop.done(command="restock", product=campaign, quantity=10, receipt="r")
        early = self.stored(campaign)
        shop.done(**terms, closes_at=(now + timedelta(days=1)).isoformat())
        timers._run(early, early.closes_at)  # as the index still shows it
        assert campaign in self.listed(street)
        redeem_at(chen, campaign, clock.now() + timedelta(hours=2))
        late = self.stored(campaign)
        sweep(late, late.closes_at)
        assert campaign not in self.listed(street)
        shop.done(**terms, closes_at=(now + timedelta(days=2)).isoformat())
        assert campaign in self.listed(street), "also when it was over already"

    def test_that_is_over_is_not_listed_by_opening_it(self, street: Street):
        now = clock.local(clock.now())
        campaign = shop.campaign(
            street,
            opens_at=(now - timedelta(hours=2)).isoformat(),
            closes_at=(now - timedelta(hours=1)).isoformat(),
            at=now - timedelta(hours=2),
        )
        assert campaign not in self.listed(street)
        shop.done(command="close_product", product=campaign)
        shop.done(command="open_product", product=campaign)
        assert campaign not in self.listed(street)
        assert self.stored(campaign).timer is None

    def test_closed_by_hand_leaves_the_list_at_once_and_comes_back(self, street: Street):
        campaign = shop.campaign(street)
        shop.done(command="close_product", product=campaign)
        assert campaign not in self.listed(street)
        shop.done(command="open_product", product=campaign)
        assert campaign in self.listed(street)
        assert self.stored(campaign).timer == "mall.unlist"
