"""Many at the same moment, with real threads against the engine: nothing is sold twice, nothing is lost."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.mall import products, rules, stock
from chalicelib.mall.models import Product, Redemption, TermsChange
from tests.engine.http import Answer
from tests.help.street import Street, at_once
from tests.mall import shop
from tests.neighbourhood import Hood, Neighbour
from tests.points import books


def buyers(street: Street, number: int, points: int = 20) -> list[Neighbour]:
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda _: shop.buyer(street, points=points), range(number)))


def redeeming(who: Neighbour, product: str, **wish: Any) -> Any:
    return lambda: shop.redeem(who, product, **wish)


def codes(answers: list[Answer]) -> Counter[str | None]:
    """How often each refusal was given; None: it went well."""
    return Counter(answer.code for answer in answers)


def check_books(whose: list[Neighbour], product: str) -> None:
    """Every resident has paid exactly for what is reserved for them or handed out to them."""
    found = shop.counts(product)
    live = [
        each
        for who in whose
        for each in Redemption.by_person.query(Redemption.of(who.id))
        if each.product_id == product and each.state in ("reserved", "collected", "delivered")
    ]
    assert sum(int(each.quantity) for each in live) == found.reserved + found.handed_out
    for who in whose:
        books.check(who.id)


def last_days(street: Street, redemption_id: str) -> Redemption:
    """The redemption when its reminder has been sent: next comes its end."""
    found = shop.redemption(redemption_id)
    Hood.pass_time(found, found.collect_by - timedelta(hours=1))
    found = shop.redemption(redemption_id)
    assert found.timer == "mall.expire"
    return found


class TestAStampede:
    @pytest.mark.parametrize("kept", [True, False], ids=["", "nothing is kept in memory"])
    @pytest.mark.parametrize("buckets", [1, 8])
    def test_sells_all_there_is_and_not_one_more(self, street: Street, monkeypatch: Any, buckets: int, kept: bool):
        masks, crowd = shop.masks(street, stock=10, buckets=buckets), buyers(street, 48)
        if not kept:
            monkeypatch.setenv("SETTINGS_TTL_SECONDS", "0")
        answers = at_once(*(redeeming(who, masks) for who in crowd))
        assert codes(answers) == {None: 10, "sold_out": 38}
        assert shop.counts(masks) == (10, 0, 10, 0)
        check_books(crowd, masks)
        assert sorted(shop.balance(who) for who in crowd) == [15] * 10 + [20] * 38

    @pytest.mark.parametrize("buckets", [1, 8])
    def test_turns_nobody_away_while_there_is_enough_for_all(self, street: Street, buckets: int):
        """Each bucket holds as many as the next, and residents do not come evenly: they walk on."""
        masks, crowd = shop.masks(street, stock=48, buckets=buckets), buyers(street, 48)
        answers = at_once(*(redeeming(who, masks) for who in crowd))
        assert codes(answers) == {None: 48}
        assert shop.counts(masks) == (48, 0, 48, 0)

    def test_for_different_quantities_leaves_less_than_anybody_was_refused(self, street: Street):
        masks, crowd = shop.masks(street, stock=30, buckets=8), buyers(street, 24)
        wanted = [1 + number % 4 for number in range(24)]
        answers = at_once(*(redeeming(who, masks, quantity=each) for who, each in zip(crowd, wanted, strict=True)))
        assert codes(answers).keys() <= {None, "sold_out", "only_some_left"}, codes(answers)
        left = shop.counts(masks).left
        for quantity, answer in zip(wanted, answers, strict=True):
            assert answer.code is None or quantity > left
            assert answer.code != "sold_out" or left == 0
        check_books(crowd, masks)

    def test_takes_three_from_buckets_that_hold_one_each(self, street: Street):
        masks, crowd = shop.masks(street, stock=8, buckets=8), buyers(street, 8)
        answers = at_once(*(redeeming(who, masks, quantity=3) for who in crowd))
        assert codes(answers) == {None: 2, "only_some_left": 6}
        assert {answer.json["detail"] for answer in answers if answer.code} == {
            "只剩 2 只了，请改小数量再兑换。没有扣您的积分。"
        }
        for answer in answers:
            if answer.code is None:
                assert list(shop.redemption(answer.json["id"]).taken_from.values()) == [1, 1, 1]
        assert shop.counts(masks) == (8, 2, 6, 0)
        check_books(crowd, masks)


class TestOneResident:
    def test_gets_no_more_than_the_cap_from_thirty_two_taps(self, street: Street):
        masks, chen = shop.masks(street, stock=50, buckets=4, cap=2), shop.buyer(street, points=500)
        answers = at_once(*(redeeming(chen, masks) for _ in range(32)))
        assert codes(answers) == {None: 2, "over_the_cap": 30}
        assert (shop.balance(chen), shop.counts(masks)) == (490, (50, 48, 2, 0))

    def test_spends_no_more_points_than_they_have(self, street: Street):
        masks, chen = shop.masks(street, stock=50, buckets=4), shop.buyer(street, points=14)
        answers = at_once(*(redeeming(chen, masks) for _ in range(16)))
        assert codes(answers) == {None: 2, "not_enough_points": 14}
        assert (shop.balance(chen), shop.counts(masks).reserved) == (4, 2)

    @pytest.mark.parametrize("terms", [{}, {"cap": 2}, {"buckets": 8}], ids=str)
    def test_gets_one_redemption_for_one_key_however_often_it_is_tapped(self, street: Street, terms: Any):
        masks, chen = shop.masks(street, stock=2, **terms), shop.buyer(street, points=10)
        answers = at_once(*(redeeming(chen, masks, quantity=2, key="tap") for _ in range(16)))
        assert codes(answers) == {None: 16}
        assert len({answer.text for answer in answers}) == 1
        assert (shop.balance(chen), shop.counts(masks)) == (0, (2, 0, 2, 0))

    def test_and_the_delegate_share_points_and_cap(self, street: Street):
        masks, father, daughter = shop.masks(street, cap=3), shop.buyer(street, points=500), street.resident()
        street.let_act(daughter, father)
        path = f"/products/{masks}/redemptions"
        acting = [lambda: daughter.post(path, json={"price": 5}, acting_for=father.id)] * 8
        answers = at_once(*acting, *(redeeming(father, masks) for _ in range(8)))
        assert codes(answers) == {None: 3, "over_the_cap": 13}
        assert (shop.balance(father), shop.balance(daughter)) == (485, 0)


class TestTheEnd:
    @pytest.mark.parametrize("key", ["k", None], ids=["one key", "no keys"])
    def test_sixteen_cancellations_give_back_once(self, street: Street, key: str | None):
        masks, chen = shop.masks(street, cap=2, buckets=4, stock=2), shop.buyer(street, points=10)
        made = shop.redeemed(chen, masks, quantity=2)
        answers = at_once(*[lambda: chen.post(f"/redemptions/{made['id']}/cancel", key=key)] * 16)
        assert codes(answers) == ({None: 16} if key else {None: 1, "step_not_possible": 15})
        assert (shop.balance(chen), shop.counts(masks)) == (10, (2, 2, 0, 0))
        check_books([chen], masks)
        shop.redeemed(chen, masks, quantity=2)

    def test_is_a_cancellation_or_a_collection_never_both(self, street: Street):
        masks, chen, clerk = shop.masks(street, buckets=2), shop.buyer(street), street.staff("desk_clerk")
        for _ in range(6):
            before = shop.balance(chen)
            made = shop.redeemed(chen, masks, quantity=2)
            cancelled, collected = at_once(
                lambda made=made: chen.post(f"/redemptions/{made['id']}/cancel"),
                lambda made=made: clerk.post("/desk/collect", json={"code": made["code"]}),
            )
            assert sorted((cancelled.status, collected.status)) == [200, 409], (cancelled, collected)
            ended = shop.redemption(made["id"]).state
            assert (ended == "cancelled") == (cancelled.status == 200)
            assert before - shop.balance(chen) == (0 if ended == "cancelled" else 10)
            assert shop.counts(masks).reserved == 0
            check_books([chen], masks)

    def test_is_a_cancellation_or_an_expiry_never_both(self, street: Street):
        masks, chen = shop.masks(street, buckets=2, cap=2), shop.buyer(street, points=10)
        for _ in range(6):
            made = last_days(street, shop.redeemed(chen, masks, quantity=2)["id"])
            told = chen.told.count("redemption_expired")
            cancelled, *_ = at_once(
                lambda made=made: chen.post(f"/redemptions/{made.id}/cancel"),
                *[lambda made=made: Hood.pass_time(made, made.collect_by)] * 3,
            )
            ended = shop.redemption(made.id).state
            assert ended == ("cancelled" if cancelled.status == 200 else "expired")
            assert chen.told.count("redemption_expired") - told == (ended == "expired")
            assert (shop.balance(chen), shop.counts(masks)) == (10, (10, 10, 0, 0))
            check_books([chen], masks)

    def test_is_a_collection_or_an_expiry_never_both(self, street: Street):
        masks, chen, clerk = shop.masks(street, buckets=2), shop.buyer(street, points=60), street.staff("desk_clerk")
        for _ in range(6):
            before = shop.balance(chen)
            made = last_days(street, shop.redeemed(chen, masks)["id"])
            collected, _ = at_once(
                lambda made=made: clerk.post("/desk/collect", json={"code": made.code}),
                lambda made=made: Hood.pass_time(made, made.collect_by),
            )
            ended = shop.redemption(made.id).state
            assert ended == ("collected" if collected.status == 200 else "expired")
            assert collected.code in (None, "code_expired")
            assert before - shop.balance(chen) == (5 if ended == "collected" else 0)
            assert shop.counts(masks).reserved == 0
        check_books([chen], masks)

    def test_makes_room_for_somebody_else_at_once(self, street: Street):
        """What is given back is taken by those who ask at that moment, and all in all no more than there was."""
        masks, crowd = shop.masks(street, stock=8, buckets=4), buyers(street, 24)
        made = [shop.redeemed(who, masks) for who in crowd[:8]]
        answers = at_once(
            *(
                lambda who=who, each=each: who.post(f"/redemptions/{each['id']}/cancel")
                for who, each in zip(crowd[:8], made, strict=True)
            ),
            *(redeeming(who, masks) for who in crowd[8:]),
        )
        assert codes(answers[:8]) == {None: 8}
        assert codes(answers[8:]).keys() <= {None, "sold_out"}
        found = shop.counts(masks)
        assert found == (8, 8 - codes(answers[8:])[None], codes(answers[8:])[None], 0)
        check_books(crowd, masks)

    @pytest.mark.parametrize("buckets", [1, 4])
    def test_makes_a_sold_out_product_available_again_within_a_second(self, street: Street, buckets: int):
        masks, chen, li_ju = shop.masks(street, stock=1, buckets=buckets), shop.buyer(street), shop.buyer(street)
        made = shop.redeemed(chen, masks)
        assert shop.redeem(li_ju, masks).code == "sold_out"
        chen.post(f"/redemptions/{made['id']}/cancel")
        assert stock._EMPTY_FOR <= 1
        time.sleep(stock._EMPTY_FOR)
        shop.redeemed(li_ju, masks)

    def test_is_seen_at_once_where_nothing_is_kept_in_memory(self, street: Street, nothing_kept: None):
        masks, chen, li_ju = shop.masks(street, stock=1, buckets=4), shop.buyer(street), shop.buyer(street)
        for _ in range(3):
            made = shop.redeemed(chen, masks)
            assert shop.redeem(li_ju, masks).code == "sold_out"
            chen.post(f"/redemptions/{made['id']}/cancel")
            other = shop.redeemed(li_ju, masks)
            li_ju.post(f"/redemptions/{other['id']}/cancel")


class TestAdministrators:
    def test_after_closing_nobody_redeems(self, street: Street):
        masks, crowd = shop.masks(street, stock=5000, buckets=8), buyers(street, 16, points=5000)
        over, sold = threading.Event(), []

        def redeem_on_and_on(who: Neighbour) -> list[str | None]:
            told = []
            while not over.is_set() or len(told) < 2:
                answer = shop.redeem(who, masks)
                told.append(answer.code)
                if answer.code is None:
                    sold.append(answer.json["id"])
            return told

        with ThreadPoolExecutor(16) as pool:
            running = [pool.submit(redeem_on_and_on, who) for who in crowd]
            while len(sold) < 20:
                time.sleep(0.01)
            answer = shop.command(command="close_product", product=masks)
            while not answer["ok"]:  # a busy product may say so; the administrator sends the command again
                assert answer["code"] in ("mall_busy", "server_busy"), answer
                answer = shop.command(command="close_product", product=masks)
            at_closing = shop.counts(masks)
            time.sleep(0.3)
            over.set()
            told = [code for each in running for code in each.result()]
        assert shop.counts(masks) == at_closing
        assert at_closing.reserved == len(sold) >= 20
        assert set(told) <= {None, "product_closed", "mall_busy"}
        assert "product_closed" in told

    def test_a_price_is_the_old_or_the_new_one_for_everybody(self, street: Street):
        masks, crowd = shop.masks(street, stock=100, buckets=4), buyers(street, 16)
        desks = [{"area": street.community, "place": "office"}]
        dearer = {"command": "put_product", "product": masks, "name": "口罩", "unit": "只", "price": 7, "buckets": 4}
        *answers, changed = at_once(
            *(redeeming(who, masks) for who in crowd),
            lambda: shop.command(**dearer, area=street.district, desks=desks),
        )
        assert changed["ok"]
        assert codes(answers).keys() <= {None, "price_changed"}
        paid = [20 - shop.balance(who) for who in crowd]
        assert sorted(paid) == sorted(0 if answer.code else 5 for answer in answers)

    def test_terms_saved_at_once_become_one_after_another(self, street: Street):
        masks = shop.masks(street, buckets=4)
        desks = [{"area": street.community, "place": "office"}]
        terms = {"command": "put_product", "product": masks, "name": "口罩", "unit": "只", "area": street.district}
        answers = at_once(
            *(lambda price=price: shop.command(**terms, price=price, desks=desks, buckets=4) for price in range(6, 12))
        )
        assert all(answer["ok"] for answer in answers), answers
        key = Product.key(masks)
        found = Product.fetch(key.pk, key.sk)
        assert found.terms == 7
        assert {int(bucket.terms) for bucket in stock.read_all(found)} == {7}
        changes = Product.collection(key.pk, "TERMS#")
        assert [each.sk for each in changes] == [TermsChange.key(masks, version).sk for version in range(1, 8)]
        assert changes[-1].document["price"] == found.price

    def test_goods_that_come_in_while_others_go_out_are_counted_to_the_piece(self, street: Street):
        masks, crowd = shop.masks(street, stock=10, buckets=4), buyers(street, 24)
        answers = at_once(
            *(redeeming(who, masks) for who in crowd),
            *(
                lambda note=note: shop.command(command="restock", product=masks, quantity=5, receipt=f"n-{note}")
                for note in range(4)
            ),
            lambda: shop.command(command="take_out", product=masks, quantity=1, receipt="out", reason="破损"),
        )
        reports = answers[24:]
        assert all(report["ok"] for report in reports[:4]), reports
        out = 1 if reports[4]["ok"] else 0
        found, sold = shop.counts(masks), codes(answers[:24])
        assert sold.keys() <= {None, "sold_out"}
        assert found == (30 - out, 30 - out - sold[None], sold[None], 0)
        check_books(crowd, masks)

    def test_one_receipt_sent_eight_times_at_once_counts_once(self, street: Street):
        masks = shop.masks(street, stock=0, buckets=4)
        command = {"command": "restock", "product": masks, "quantity": 10, "receipt": "n-1"}
        answers = at_once(*[lambda: shop.command(**command)] * 8)
        assert all(answer["ok"] for answer in answers), answers
        assert shop.counts(masks) == (10, 10, 0, 0)
        assert [int(each.left) for each in stock.read_all(products.fetch(masks))] == rules.spread(10, [0] * 4)

    def test_a_product_put_in_eight_times_at_once_is_one(self, street: Street):
        product = shop.product_id()
        desks = [{"area": street.community, "place": "office"}]
        terms = {"command": "put_product", "product": product, "name": "口罩", "price": 5, "area": street.district}
        answers = at_once(*[lambda: shop.command(**terms, desks=desks, buckets=3)] * 8)
        assert all(answer["ok"] for answer in answers), answers
        assert (products.fetch(product).terms, shop.counts(product)) == (1, (0, 0, 0, 0))
