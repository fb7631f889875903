"""Administrators' commands about the mall: each says in Chinese what was done, or which field is wrong and why."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.areas import service as areas
from chalicelib.console import commands
from chalicelib.kit import clock
from chalicelib.kit.table import Item
from chalicelib.mall.models import Product, StockMovement, TermsChange
from tests.mall import shop
from tests.neighbourhood import Hood


def administer(command: str, now: datetime | None = None, **more: Any) -> dict[str, Any]:
    return commands.administer({"command": command, **more}, request_id="request-1", now=now or clock.now())


def masks(hood: Hood, **terms: Any) -> dict[str, Any]:
    """A command that is right."""
    desks = [{"area": hood.community, "place": "office"}]
    fields = {"product": "mask", "name": "口罩", "unit": "只", "price": 5, "area": hood.district, "desks": desks}
    return fields | {"product": shop.product_id()} | terms


def campaign(product: str, **terms: Any) -> dict[str, Any]:
    now = clock.now()
    fields = {"campaign": shop.product_id(), "product": product}
    period = {"opens_at": stamp(now), "closes_at": stamp(now + timedelta(days=3))}
    return fields | period | terms


def stamp(moment: datetime) -> str:
    return f"{clock.local(moment):%Y-%m-%dT%H:%M:%S}+08:00"


def stored(product: str) -> Product | None:
    key = Product.key(product)
    return Product.find(key.pk, key.sk)


def of_kind(product: str, kind: type[Item]) -> list[Any]:
    return [item for item in Item.collection(f"MALL#{product}") if isinstance(item, kind)]


def untouched(product: str) -> bool:
    return Item.collection(f"MALL#{product}") == []


class TestPuttingAProduct:
    def test_it_is_there_with_its_terms_written_down(self, hood):
        fields = masks(hood, cap=10, text="一次性", collect_days=3, delivers=True, buckets=4)
        answer = administer("put_product", **fields)
        assert answer == {"ok": True, "detail": "已保存商品“口罩”：每只 5 分。库存请用 restock 登记。"}
        product = stored(fields["product"])
        assert product is not None
        assert (product.name, product.price, product.cap, product.buckets) == ("口罩", 5, 10, 4)
        assert [desk.name for desk in product.places] == ["社区居委会"]
        (change,) = of_kind(fields["product"], TermsChange)
        assert (change.by, change.document["price"]) == ("request-1", 5)

    def test_again_changes_nothing_more(self, hood):
        fields = masks(hood)
        assert administer("put_product", **fields) == administer("put_product", **fields)
        assert len(of_kind(fields["product"], TermsChange)) == 1

    def test_other_terms_are_in_force_at_once_and_written_down(self, hood):
        fields = masks(hood)
        chen = shop.buyer(hood)
        administer("put_product", **fields)
        administer("restock", product=fields["product"], quantity=5, receipt="first")
        assert shop.redeem(chen, fields["product"]).status == 201
        answer = administer("put_product", **fields | {"price": 8})
        assert "每只 8 分" in answer["detail"]
        assert shop.redeem(chen, fields["product"]).code == "price_changed"
        assert [change.document["price"] for change in of_kind(fields["product"], TermsChange)] == [5, 8]

    def test_a_closed_one_stays_closed_when_its_terms_change(self, hood):
        fields = masks(hood)
        administer("put_product", **fields)
        administer("close_product", product=fields["product"])
        administer("put_product", **fields | {"price": 8})
        product = stored(fields["product"])
        assert product is not None
        assert (product.state, product.area_key) == ("closed", None)

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"product": "Mask"}, "product"),
            ({"product": ""}, "product"),
            ({"product": "口罩"}, "product"),
            ({"product": "a" * 41}, "product"),
            ({"product": "-mask"}, "product"),
            ({"name": " "}, "name"),
            ({"name": "长" * 21}, "name"),
            ({"unit": ""}, "unit"),
            ({"price": 0}, "price"),
            ({"price": -5}, "price"),
            ({"price": 1.5}, "price"),
            ({"price": "5"}, "price"),
            ({"price": 10_001}, "price"),
            ({"price": 2**63}, "price"),
            ({"cap": 0}, "cap"),
            ({"collect_days": 0}, "collect_days"),
            ({"collect_days": 61}, "collect_days"),
            ({"buckets": 0}, "buckets"),
            ({"buckets": 65}, "buckets"),
            ({"delivers": "yes"}, "delivers"),
            ({"area": "NANHU"}, "area"),
            ({"desks": "office"}, "desks"),
            ({"desks": [{"area": "330402"}]}, "desks[0].place"),
            ({"colour": "blue"}, "colour"),
        ],
    )
    def test_a_wrong_field_is_named_in_chinese(self, hood, wrong, field):
        fields = masks(hood, **wrong)
        answer = administer("put_product", **fields)
        assert (answer["ok"], answer["code"]) == (False, "command_invalid")
        assert list(answer["fields"]) == [field]
        assert not answer["fields"][field].isascii()
        assert untouched(str(fields["product"]))

    def test_what_cannot_be_collected_anywhere_is_refused(self, hood):
        answer = administer("put_product", **masks(hood, desks=[]))
        assert (answer["code"], list(answer["fields"])) == ("command_invalid", ["desks"])
        assert administer("put_product", **masks(hood, desks=[], delivers=True))["ok"]

    def test_a_desk_must_be_a_place_of_its_area_with_a_short_name(self, hood):
        areas.put(f"{hood.street}002", "凌塘社区", [("office", "长" * 21)])
        for desk, field in (
            ({"area": hood.community, "place": "kiosk"}, "desks[0].place"),
            ({"area": f"{hood.street}002", "place": "office"}, "desks[0].place"),
            ({"area": f"{hood.street}009", "place": "office"}, "desks[0].area"),
        ):
            fields = masks(hood, desks=[desk])
            answer = administer("put_product", **fields)
            assert (answer["ok"], list(answer["fields"])) == (False, [field])
            assert untouched(fields["product"])

    def test_the_same_desk_twice_is_refused(self, hood):
        desk = {"area": hood.community, "place": "office"}
        answer = administer("put_product", **masks(hood, desks=[desk, desk]))
        assert answer["fields"] == {"desks": "同一个兑换点出现了两次"}

    def test_an_area_nobody_knows_is_refused(self, hood):
        fields = masks(hood, area=f"{hood.street}009")
        answer = administer("put_product", **fields)
        assert (answer["code"], answer["fields"]) == ("area_unknown", {"area": "没有找到"})
        assert untouched(fields["product"])

    def test_buckets_are_fixed_for_ever(self, hood):
        fields = masks(hood, buckets=2)
        administer("put_product", **fields)
        answer = administer("put_product", **fields | {"buckets": 3})
        assert (answer["code"], answer["fields"]) == ("fixed_for_ever", {"buckets": "已定为 2"})


class TestPuttingACampaign:
    def test_it_takes_over_what_the_product_is(self, hood):
        product = shop.masks(hood, cap=5)
        fields = campaign(product, price=3, cap=2, buckets=8)
        answer = administer("put_campaign", **fields)
        assert answer["ok"], answer
        assert answer["detail"].startswith("已保存“口罩”的兑换活动：")
        made = stored(fields["campaign"])
        assert made is not None
        assert (made.name, made.unit, made.area, made.price, made.cap) == ("口罩", "只", hood.district, 3, 2)
        assert (made.campaign_of, made.buckets, stamp(made.closes_at)) == (product, 8, fields["closes_at"])

    def test_without_a_price_it_is_the_products(self, hood):
        fields = campaign(shop.masks(hood))
        administer("put_campaign", **fields)
        made = stored(fields["campaign"])
        assert made is not None
        assert (made.price, made.buckets, made.cap) == (5, 32, None)

    def test_again_changes_nothing_more(self, hood):
        fields = campaign(shop.masks(hood))
        assert administer("put_campaign", **fields) == administer("put_campaign", **fields)
        assert len(of_kind(fields["campaign"], TermsChange)) == 1

    def test_periods_that_cannot_be_are_refused(self, hood):
        product, now = shop.masks(hood), clock.now()
        for period, field in (
            ({"closes_at": stamp(now - timedelta(days=1)), "opens_at": stamp(now - timedelta(days=2))}, "closes_at"),
            ({"opens_at": stamp(now + timedelta(days=4))}, "closes_at"),
            ({"closes_at": stamp(now + timedelta(days=400))}, "closes_at"),
            ({"closes_at": "2026-12-01T00:00:00"}, "closes_at"),  # of which time zone?
            ({"opens_at": "tomorrow"}, "opens_at"),
        ):
            fields = campaign(product, **period)
            answer = administer("put_campaign", **fields)
            assert (answer["ok"], list(answer["fields"])) == (False, [field]), answer
            assert not answer["fields"][field].isascii()
            assert untouched(fields["campaign"])

    def test_of_a_product_nobody_knows_there_is_none(self, hood):
        fields = campaign("mask-nothing")
        answer = administer("put_campaign", **fields)
        assert (answer["code"], answer["fields"]) == ("product_unknown", {"product": "没有找到"})
        assert untouched(fields["campaign"])

    def test_of_a_campaign_there_is_none(self, hood):
        running = shop.campaign(hood)
        answer = administer("put_campaign", **campaign(running))
        assert (answer["code"], list(answer["fields"])) == ("command_invalid", ["product"])

    def test_it_has_an_id_of_its_own(self, hood):
        product = shop.masks(hood)
        answer = administer("put_campaign", **campaign(product, campaign=product))
        assert list(answer["fields"]) == ["campaign"]
        other = shop.masks(hood)
        answer = administer("put_campaign", **campaign(product, campaign=other, buckets=1))
        assert answer["code"] == "fixed_for_ever", "the id of another product"

    def test_it_may_be_prolonged_but_not_for_ever(self, hood):
        fields = campaign(shop.masks(hood))
        administer("put_campaign", **fields)
        longer = fields | {"closes_at": stamp(clock.now() + timedelta(days=30))}
        assert administer("put_campaign", **longer)["ok"]
        answer = administer("put_campaign", **fields | {"closes_at": stamp(clock.now() + timedelta(days=120))})
        assert (answer["code"], list(answer["fields"])) == ("fixed_for_ever", ["closes_at"])


class TestClosingAndOpening:
    def test_what_is_reserved_is_still_handed_over(self, hood):
        product, chen = shop.masks(hood), shop.buyer(hood)
        made = shop.redeemed(chen, product)
        for _ in range(2):
            answer = administer("close_product", product=product)
            assert answer == {"ok": True, "detail": "“口罩”已经停止兑换，已兑换的照常领取。"}
        assert shop.redeem(chen, product).code == "product_closed"
        clerk = hood.staff("desk_clerk", hood.community)
        assert clerk.post("/desk/collect", json={"code": made["code"]}).status == 200
        for _ in range(2):
            assert administer("open_product", product=product) == {"ok": True, "detail": "“口罩”可以兑换了。"}
        assert shop.redeem(chen, product).status == 201
        assert len(of_kind(product, TermsChange)) == 3


class TestStock:
    def test_goods_come_in_once_for_each_receipt(self, hood):
        product = shop.masks(hood, stock=0, buckets=3)
        for _ in range(2):
            answer = administer("restock", product=product, quantity=10, receipt="YS-2026-001")
            assert answer["detail"] == "单号 YS-2026-001 已登记：“口罩”共收到 10 只，还有 10，待领 0，已交付 0。"
            assert answer["report"] == {"received": 10, "left": 10, "reserved": 0, "handed_out": 0}
        (movement,) = of_kind(product, StockMovement)
        assert (movement.receipt, movement.change, movement.reason, movement.by) == (
            "YS-2026-001",
            10,
            "进货",
            "request-1",
        )

    def test_the_same_receipt_with_other_goods_is_refused(self, hood):
        product = shop.masks(hood, stock=0)
        administer("restock", product=product, quantity=10, receipt="a")
        for command, more in (
            ("restock", {"quantity": 11}),
            ("restock", {"quantity": 10, "reason": "捐赠"}),
            ("take_out", {"quantity": 10, "reason": "进货"}),
        ):
            answer = administer(command, product=product, receipt="a", **more)
            assert (answer["ok"], answer["code"]) == (False, "receipt_used")
        assert shop.counts(product) == (10, 10, 0, 0)

    def test_goods_are_taken_out_as_far_as_nobody_has_redeemed_them(self, hood):
        product = shop.masks(hood, stock=10)
        shop.redeemed(shop.buyer(hood), product, quantity=4)
        answer = administer("take_out", product=product, quantity=7, receipt="b", reason="受潮")
        assert (answer["ok"], answer["code"]) == (False, "not_so_many_left")
        assert "6 件" in answer["detail"]
        assert shop.counts(product) == (10, 6, 4, 0)
        for _ in range(2):
            assert administer("take_out", product=product, quantity=6, receipt="b", reason="受潮")["ok"]
        assert shop.counts(product) == (4, 0, 4, 0)

    def test_how_much_there_is(self, hood):
        product = shop.masks(hood, stock=10, buckets=4)
        shop.redeemed(shop.buyer(hood), product, quantity=4)
        answer = administer("stock", product=product)
        assert answer["detail"] == "库存：“口罩”共收到 10 只，还有 6，待领 4，已交付 0。"
        assert answer["report"] == {"received": 10, "left": 6, "reserved": 4, "handed_out": 0}

    @pytest.mark.parametrize(
        ("command", "wrong", "field"),
        [
            ("restock", {"quantity": 0}, "quantity"),
            ("restock", {"quantity": -3}, "quantity"),
            ("restock", {"quantity": 1.5}, "quantity"),
            ("restock", {"quantity": "10"}, "quantity"),
            ("restock", {"quantity": 1_000_001}, "quantity"),
            ("restock", {"quantity": True}, "quantity"),
            ("restock", {"receipt": ""}, "receipt"),
            ("restock", {"receipt": "a b"}, "receipt"),
            ("restock", {"receipt": "单号"}, "receipt"),
            ("restock", {"receipt": "a" * 41}, "receipt"),
            ("restock", {"reason": " "}, "reason"),
            ("take_out", {"quantity": -3, "reason": "受潮"}, "quantity"),
            ("take_out", {}, "reason"),
        ],
    )
    def test_a_wrong_field_is_named_in_chinese(self, hood, command, wrong, field):
        product = shop.masks(hood)
        fields = {"product": product, "quantity": 1, "receipt": "x"} | wrong
        answer = administer(command, **fields)
        assert (answer["ok"], answer["code"], list(answer["fields"])) == (False, "command_invalid", [field])
        assert not answer["fields"][field].isascii()
        assert shop.counts(product) == (10, 10, 0, 0)


@pytest.mark.parametrize(
    ("command", "more"),
    [
        ("close_product", {}),
        ("open_product", {}),
        ("restock", {"quantity": 1, "receipt": "x"}),
        ("take_out", {"quantity": 1, "receipt": "x", "reason": "受潮"}),
        ("stock", {}),
    ],
)
def test_an_id_nobody_knows_is_said_to_be_none(command: str, more: dict[str, Any]) -> None:
    answer = administer(command, product="mask-nothing", **more)
    assert (answer["ok"], answer["code"], answer["fields"]) == (False, "product_unknown", {"product": "没有找到"})
    assert untouched("mask-nothing")


def test_the_log_names_the_command_the_product_and_the_figures(hood: Hood, logs: Any) -> None:
    product = shop.product_id()
    running = shop.product_id()
    assert administer("put_product", **masks(hood, product=product, text="只在这里说的话"))["ok"]
    assert administer("put_campaign", **campaign(product, campaign=running))["ok"]
    administer("restock", product=product, quantity=9, receipt="r1")
    administer("take_out", product=product, quantity=2, receipt="r2", reason="只在这里说的话")
    administer("close_product", product=product)
    administer("open_product", product=product)
    administer("stock", product=product)
    administer("stock", product="mask-nothing")
    lines = [line for line in logs.lines if line["message"] == "administer"]
    assert [(line.get("command"), line.get("product"), line["code"]) for line in lines] == [
        ("put_product", product, "ok"),
        ("put_campaign", running, "ok"),
        ("restock", product, "ok"),
        ("take_out", product, "ok"),
        ("close_product", product, "ok"),
        ("open_product", product, "ok"),
        ("stock", product, "ok"),
        (None, None, "product_unknown"),
    ]
    assert [(line.get("quantity"), line.get("receipt")) for line in lines[2:4]] == [(9, "r1"), (2, "r2")]
    assert all(line["audit"] == 1 for line in lines[:-1])
    assert "只在这里说的话" not in logs.text
