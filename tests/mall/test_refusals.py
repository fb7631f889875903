"""Whoever cannot redeem is told why and what to do next, and nothing is taken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.entitlements import rules as entitlements
from chalicelib.entitlements import service as entitlement_service
from chalicelib.kit import clock
from chalicelib.kit.transaction import transaction
from chalicelib.mall import products, redeeming, rules, stock
from chalicelib.mall.models import Product, Redemption
from chalicelib.people.models import Resident
from chalicelib.points.models import Account
from tests.engine.http import Answer
from tests.help.street import Street
from tests.mall import shop
from tests.neighbourhood import Neighbour
from tests.points import books
from tests.quiz import school


def state(who: Neighbour, product: str) -> Any:
    """All that a redemption could change."""
    account = Account.find(f"POINTS#{who.id}", "ACCOUNT")
    kept = account and (account.balance, account.taken, account.decisions)
    redemptions = sorted(each.id for each in Redemption.by_person.query(Redemption.of(who.id)))
    return kept, len(books.transfers(who.id)), shop.counts(product), redemptions


@contextmanager
def nothing_changes(who: Neighbour, product: str) -> Iterator[None]:
    before = state(who, product)
    yield
    assert state(who, product) == before


def refused(who: Neighbour, product: str, **wish: Any) -> Answer:
    """The same answer, first and repeated; nothing is taken by it."""
    with nothing_changes(who, product):
        answer = shop.redeem(who, product, key="refused", **wish)
        assert answer.status in (409, 422), answer
        again = shop.redeem(who, product, key="refused", **wish)
        assert (again.status, again.code) == (answer.status, answer.code)
    return answer


def terms_version(product: str) -> int:
    found = Product.fetch(f"MALL#{product}", "PRODUCT")
    return int(found.terms)


def known_elsewhere(product: str) -> Any:
    """What another container has in its memory now; put back, it is as if this process were that container."""
    products.known(product)
    return products._kept[product]


class TestTheResident:
    def test_with_too_few_points_learns_how_many_are_missing(self, street: Street):
        masks, chen = shop.masks(street), shop.buyer(street, points=7)
        answer = refused(chen, masks, quantity=2)
        assert (answer.status, answer.code) == (409, "not_enough_points")
        assert "还差 3 分" in answer.json["detail"]
        assert "没有扣您的积分" in answer.json["detail"]
        shop.redeemed(chen, masks, quantity=1)

    def test_without_any_books_has_no_points(self, street: Street):
        masks, newcomer = shop.masks(street), shop.buyer(street, points=0)
        assert refused(newcomer, masks).code == "not_enough_points"

    def test_from_elsewhere_is_told_whom_it_is_for(self, street: Street):
        grid = street.community + "002"
        shop.done(command="put_areas", areas=[{"code": grid, "name": "第二网格"}])
        masks, chen = shop.masks(street, area=grid), shop.buyer(street)
        assert refused(chen, masks).code == "wrong_area"

    def test_without_a_home_is_asked_to_choose_one(self, street: Street):
        masks, chen = shop.masks(street), shop.buyer(street)
        with transaction() as tx:
            tx.update(Resident.key(chen.id), [Resident.home.remove()])
        assert refused(chen, masks).code == "home_needed"

    def test_has_to_pass_the_quiz_first(self, street: Street):
        quiz = school.quiz(street.community)
        masks, chen = shop.campaign(street, quiz=quiz), shop.buyer(street)
        assert refused(chen, masks).code == "quiz_not_passed"
        other = shop.buyer(street)
        for who, passed in ((chen, quiz), (other, f"{quiz}-other")):
            with transaction() as tx:
                entitlement_service.grant(tx, who.id, entitlements.of_quiz(passed), why="通过了答题", now=clock.now())
        shop.redeemed(chen, masks)
        assert refused(other, masks).code == "quiz_not_passed"

    def test_whose_delegate_redeems_needs_the_points_and_the_quiz_themself(self, street: Street):
        quiz = school.quiz(street.community)
        masks, father, daughter = shop.campaign(street, quiz=quiz), shop.buyer(street), shop.buyer(street)
        street.let_act(daughter, father)
        with transaction() as tx:
            entitlement_service.grant(tx, daughter.id, entitlements.of_quiz(quiz), why="通过了答题", now=clock.now())
        path = f"/products/{masks}/redemptions"
        assert daughter.post(path, json={"price": 5}, acting_for=father.id).code == "quiz_not_passed"
        with transaction() as tx:
            entitlement_service.grant(tx, father.id, entitlements.of_quiz(quiz), why="通过了答题", now=clock.now())
        made = daughter.post(path, json={"price": 5}, acting_for=father.id)
        assert made.status == 201
        assert (shop.balance(father), shop.balance(daughter)) == (95, 100)
        assert shop.redemption(made.json["id"]).by == daughter.id


class TestTheStock:
    @pytest.mark.parametrize("buckets", [1, 8])
    def test_is_sold_out(self, street: Street, nothing_kept: None, buckets: int):
        masks, chen, li_ju = shop.masks(street, stock=2, buckets=buckets), shop.buyer(street), shop.buyer(street)
        shop.redeemed(chen, masks, quantity=2)
        answer = refused(li_ju, masks)
        assert (answer.status, answer.code) == (409, "sold_out")
        assert "补货后" in answer.json["detail"]

    def test_has_never_come_in(self, street: Street, nothing_kept: None):
        masks, chen = shop.masks(street, stock=0), shop.buyer(street)
        assert refused(chen, masks).code == "sold_out"

    @pytest.mark.parametrize("buckets", [1, 4])
    def test_holds_fewer_than_wanted(self, street: Street, nothing_kept: None, buckets: int):
        masks, chen = shop.masks(street, stock=3, buckets=buckets), shop.buyer(street)
        answer = refused(chen, masks, quantity=4)
        assert (answer.code, "只剩 3 只" in answer.json["detail"]) == ("only_some_left", True)
        shop.redeemed(chen, masks, quantity=3)

    def test_that_came_back_a_moment_after_it_was_seen_sold_out_is_not_called_sold_out(self, street: Street):
        """The container remembers that all buckets were empty; it sees that one is not."""
        masks, chen = shop.masks(street, stock=1, buckets=2), shop.buyer(street)
        made = shop.redeemed(chen, masks)
        assert shop.redeem(chen, masks).code == "sold_out"
        assert shop.redeem(chen, masks).code == "sold_out"
        chen.post(f"/redemptions/{made['id']}/cancel")
        (there,) = shop.redemption(made["id"]).taken_from
        neighbour = next(who for who in street.residents(30) if products.rules.home_bucket(who.id, 2) == there)
        shop.give_points(neighbour.id, 100)
        assert shop.redeem(neighbour, masks, quantity=2).code == "only_some_left"
        shop.redeemed(neighbour, masks)


class TestTheCap:
    def test_of_a_month(self, street: Street):
        masks, chen = shop.masks(street, cap=3), shop.buyer(street)
        shop.redeemed(chen, masks, quantity=2)
        answer = refused(chen, masks, quantity=2)
        assert (answer.status, answer.code) == (409, "over_the_cap")
        assert "每人每月最多兑换 3 只，您还能兑换 1 只" in answer.json["detail"]
        shop.redeemed(chen, masks)
        assert "下个月再来" in refused(chen, masks).json["detail"]

    def test_of_a_campaign_is_its_own(self, street: Street):
        product, chen = shop.masks(street, cap=1), shop.buyer(street)
        campaign = shop.campaign(street, product=product, cap=2)
        shop.redeemed(chen, product)
        shop.redeemed(chen, campaign, quantity=2)
        answer = refused(chen, campaign)
        assert (answer.code, "这次活动每人最多兑换 2 只" in answer.json["detail"]) == ("over_the_cap", True)
        assert refused(chen, product).code == "over_the_cap"

    def test_lowered_under_what_was_taken_refuses_and_takes_nothing_back(self, street: Street):
        masks, chen = shop.masks(street, cap=5), shop.buyer(street)
        made = shop.redeemed(chen, masks, quantity=4)
        again(street, masks, cap=2)
        answer = refused(chen, masks)
        assert (answer.code, "最多兑换 2 只，您这个月已经兑满" in answer.json["detail"]) == ("over_the_cap", True)
        assert shop.redemption(made["id"]).state == "reserved"
        chen.post(f"/redemptions/{made['id']}/cancel")
        shop.redeemed(chen, masks, quantity=2)
        assert refused(chen, masks).code == "over_the_cap"

    def test_set_in_the_middle_of_a_month_counts_what_was_taken_before(self, street: Street):
        masks, chen = shop.masks(street), shop.buyer(street)
        shop.redeemed(chen, masks, quantity=4)
        again(street, masks, cap=5)
        assert "您还能兑换 1 只" in refused(chen, masks, quantity=2).json["detail"]


def again(street: Street, product: str, **terms: Any) -> dict[str, Any]:
    """The command that made the product, with other terms."""
    desks = [{"area": street.community, "place": "office"}]
    known = {"command": "put_product", "product": product, "name": "口罩", "unit": "只", "price": shop.PRICE}
    return shop.command(**known | {"area": street.district, "desks": desks} | terms)


class TestTheTime:
    def spell(self, **ago: int) -> str:
        return f"{clock.local(clock.now() + timedelta(**ago)):%Y-%m-%dT%H:%M:%S}+08:00"

    def test_has_not_come(self, street: Street):
        campaign = shop.campaign(street, opens_at=self.spell(hours=1), closes_at=self.spell(hours=2))
        answer = refused(shop.buyer(street), campaign)
        assert (answer.status, answer.code) == (409, "not_open_yet")
        assert "开始兑换，请到时再来" in answer.json["detail"]

    def test_is_over(self, street: Street):
        campaign = shop.campaign(
            street, opens_at=self.spell(hours=-2), closes_at=self.spell(hours=-1), at=clock.now() - timedelta(hours=2)
        )
        answer = refused(shop.buyer(street), campaign)
        assert (answer.status, answer.code) == (409, "campaign_closed")

    def test_is_over_because_somebody_closed_it(self, street: Street):
        masks, chen = shop.masks(street), shop.buyer(street)
        shop.done(command="close_product", product=masks)
        assert refused(chen, masks).code == "product_closed"
        shop.done(command="open_product", product=masks)
        shop.redeemed(chen, masks)


class TestTermsThatChangeMeanwhile:
    """This process is one container, which has read the product; an administrator's command runs in another."""

    def test_closed_while_a_container_still_knows_it_as_open(self, street: Street):
        masks, chen = shop.masks(street), shop.buyer(street)
        old = known_elsewhere(masks)
        shop.done(command="close_product", product=masks)
        products._kept[masks] = old
        assert products.known(masks).state == "open"
        assert refused(chen, masks).code == "product_closed"

    def test_opened_while_a_container_still_knows_it_as_closed(self, street: Street):
        masks, chen = shop.masks(street), shop.buyer(street)
        shop.done(command="close_product", product=masks)
        old = known_elsewhere(masks)
        shop.done(command="open_product", product=masks)
        products._kept[masks] = old
        shop.redeemed(chen, masks)

    def test_dearer_while_a_container_still_knows_the_old_price(self, street: Street):
        masks, chen = shop.masks(street), shop.buyer(street)
        old = known_elsewhere(masks)
        again(street, masks, price=6)
        products._kept[masks] = old
        answer = refused(chen, masks)
        assert (answer.code, "现在每件 6 分" in answer.json["detail"]) == ("price_changed", True)
        shop.redeemed(chen, masks, price=6)
        assert shop.balance(chen) == 94

    @pytest.mark.parametrize("price", [4, 6])
    def test_the_client_was_shown_another_price(self, street: Street, price: int):
        masks, chen = shop.masks(street), shop.buyer(street)
        answer = refused(chen, masks, price=price)
        assert (answer.status, answer.code) == (409, "price_changed")
        assert "现在每件 5 分。没有扣您的积分" in answer.json["detail"]

    @pytest.mark.parametrize(
        ("change", "code"), [({"price": 6}, "price_changed"), ({"cap": 1}, "over_the_cap"), ("close", "product_closed")]
    )
    def test_between_our_reading_and_our_writing(self, street: Street, monkeypatch: Any, change: Any, code: str):
        masks, chen = shop.masks(street), shop.buyer(street)
        take = redeeming.stock.take
        changed: list[Any] = []

        def take_after_the_change(*given: Any, **named: Any) -> Any:
            if not changed:
                closing = change == "close"
                changed.append(
                    shop.command(command="close_product", product=masks) if closing else again(street, masks, **change)
                )
                assert changed[0]["ok"], changed
            return take(*given, **named)

        monkeypatch.setattr(redeeming.stock, "take", take_after_the_change)
        answer = shop.redeem(chen, masks, quantity=2)
        assert (answer.code, len(changed)) == (code, 1)
        assert (shop.balance(chen), shop.counts(masks)) == (100, (10, 10, 0, 0))

    def test_closed_by_a_command_that_failed_half_way_is_closed_and_the_repeat_finishes_it(
        self, street: Street, monkeypatch: Any
    ):
        masks, chen = shop.masks(street, buckets=4), shop.buyer(street)
        tell = stock.tell_terms

        def fail(product: Product) -> None:
            raise rules.MallBusy()

        monkeypatch.setattr(stock, "tell_terms", fail)
        assert shop.command(command="close_product", product=masks)["code"] == "mall_busy"
        monkeypatch.setattr(stock, "tell_terms", tell)
        products.forget(masks)
        assert {int(each.terms) for each in stock.read_all(products.fetch(masks))} == {1}
        assert refused(chen, masks).code == "product_closed"
        shop.done(command="close_product", product=masks)
        assert (terms_version(masks), {int(each.terms) for each in stock.read_all(products.fetch(masks))}) == (2, {2})

    def test_opened_by_a_command_that_failed_half_way_is_open(self, street: Street, monkeypatch: Any):
        """A bucket that knows older terms than a container has just read is no reason to wait."""
        masks, chen = shop.masks(street, buckets=4), shop.buyer(street)
        shop.done(command="close_product", product=masks)
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(stock, "tell_terms", lambda _: None)
            shop.done(command="open_product", product=masks)
        shop.redeemed(chen, masks)

    def test_again_and_again_ends_in_a_word_to_try_again(self, street: Street, monkeypatch: Any):
        """Every time before we write, the terms change: bounded tries, then 429, and nothing is taken."""
        masks, chen = shop.masks(street), shop.buyer(street)
        take, texts = redeeming.stock.take, iter(range(1000))

        def take_after_a_change(*given: Any, **named: Any) -> Any:
            assert again(street, masks, text=f"{next(texts)}")["ok"]
            return take(*given, **named)

        monkeypatch.setattr(redeeming.stock, "take", take_after_a_change)
        with nothing_changes(chen, masks):
            answer = shop.redeem(chen, masks)
        assert (answer.status, answer.code) == (429, "mall_busy")
        assert answer.headers["retry-after"] == "2"


class TestHowItIsCollected:
    def product(self, street: Street, **terms: Any) -> str:
        shop.done(
            command="put_areas",
            areas=[
                {
                    "code": street.community,
                    "name": "桂苑社区",
                    "drop_points": [{"id": "office", "name": "居委会"}, {"id": "station", "name": "驿站"}],
                }
            ],
        )
        places = [{"area": street.community, "place": place} for place in ("office", "station")]
        return shop.masks(street, **{"desks": places} | terms)

    def test_must_be_said_where_there_is_a_choice(self, street: Street):
        masks, chen = self.product(street, delivers=True), shop.buyer(street)
        for wish in ({}, {"desk": f"{street.community}-station", "deliver": True}):
            answer = refused(chen, masks, **wish)
            assert (answer.status, answer.code, list(answer.wrong)) == (422, "way_needed", ["desk"])
        made = shop.redeemed(chen, masks, desk=f"{street.community}-station")
        assert (made["how"], made["desk_name"]) == ("desk", "驿站")
        assert shop.redeemed(chen, masks, deliver=True)["how"] == "delivery"

    def test_at_a_desk_that_it_has(self, street: Street):
        masks, chen = self.product(street), shop.buyer(street)
        for desk in ("office", f"{street.community}-nowhere", f"{street.district}-office"):
            answer = refused(chen, masks, desk=desk)
            assert (answer.status, answer.code, list(answer.wrong)) == (422, "desk_unknown", ["desk"])

    def test_at_a_desk_that_was_given_up_meanwhile(self, street: Street):
        masks, chen = self.product(street), shop.buyer(street)
        made = shop.redeemed(chen, masks, desk=f"{street.community}-station")
        again(street, masks)
        assert refused(chen, masks, desk=f"{street.community}-station").code == "desk_unknown"
        assert shop.redemption(made["id"]).desk_name == "驿站", "who has redeemed collects where it was promised"

    def test_not_at_home_when_it_is_not_delivered(self, street: Street):
        masks, chen = self.product(street), shop.buyer(street)
        answer = refused(chen, masks, deliver=True)
        assert (answer.status, answer.code) == (422, "no_delivery")

    def test_not_at_home_when_home_is_a_whole_community(self, street: Street):
        masks, chen = shop.masks(street, desks=[], delivers=True), shop.buyer(street)
        with transaction() as tx:
            tx.update(Resident.key(chen.id), [Resident.home.set(street.community)])
        answer = refused(chen, masks, deliver=True)
        assert (answer.status, answer.code) == (409, "home_too_large")


class TestNonsense:
    @pytest.mark.parametrize("quantity", [0, -1, 2**63, 2**64, 1.5, 2.0, "2", True, None, 100, [1]], ids=str)
    def test_quantities(self, street: Street, quantity: Any):
        masks, chen = shop.masks(street), shop.buyer(street)
        with nothing_changes(chen, masks):
            answer = shop.redeem(chen, masks, quantity=quantity)
        assert (answer.status, list(answer.wrong)) == (422, ["quantity"]), answer

    @pytest.mark.parametrize("price", [0, -5, 2**63, 5.5, 5.0, "5", True, None, 10_001], ids=str)
    def test_prices(self, street: Street, price: Any):
        masks, chen = shop.masks(street), shop.buyer(street)
        with nothing_changes(chen, masks):
            answer = shop.redeem(chen, masks, price=price)
        assert (answer.status, list(answer.wrong)) == (422, ["price"]), answer

    def test_no_price_at_all_and_fields_we_do_not_know(self, street: Street):
        masks, chen = shop.masks(street), shop.buyer(street)
        with nothing_changes(chen, masks):
            assert chen.post(f"/products/{masks}/redemptions", json={"quantity": 1}).wrong.keys() == {"price"}
            assert shop.redeem(chen, masks, cost=1).status == 422
            assert shop.redeem(chen, masks, desk="x" * 61).status == 422
            assert shop.redeem(chen, masks, deliver="yes").status == 422

    @pytest.mark.parametrize("product", ["mask-unknown", "x" * 2000, "%E5%8F%A3%E7%BD%A9", "a%23b", "x" * 3000])
    def test_a_product_that_is_not_there(self, street: Street, product: str):
        answer = shop.redeem(shop.buyer(street), product)
        assert answer.status in (404, 422), answer
        assert answer.code in ("product_not_found", "invalid", "path_invalid"), answer

    def test_the_most_that_may_be_asked_for_at_once(self, street: Street):
        masks, chen = shop.masks(street, stock=200, price=10_000), shop.buyer(street)
        shop.give_points(chen.id, 999_900)
        made = shop.redeemed(chen, masks, quantity=99, price=10_000)
        assert (made["cost"], shop.balance(chen)) == (990_000, 10_000)


class TestARepeatWhileTheFirstIsStillWriting:
    """The repeat reads points, cap and stock as the first has left them, and its redemption is not there yet."""

    @pytest.mark.parametrize(
        ("points", "terms", "stock"),
        [(10, {}, 10), (100, {"cap": 2}, 10), (100, {}, 2), (100, {"buckets": 4}, 2), (100, {}, 3), (100, {}, 10)],
        ids=["no points left", "no cap left", "nothing left", "nothing left in any bucket", "one left", "enough left"],
    )
    @pytest.mark.parametrize("paid", [True, False], ids=["its payment is seen", "its payment is not seen"])
    def test_gets_what_the_first_has_got(
        self, street: Street, monkeypatch: Any, points: int, terms: Any, stock: int, paid: bool
    ):
        masks, chen = shop.masks(street, stock=stock, **terms), shop.buyer(street, points=points)
        read = redeeming.people.present_with
        first: list[Any] = []

        def read_late(*given: Any, **named: Any) -> Any:
            """The redemption (and its payment) as before the first request, account and bucket as after it."""
            if first:
                return read(*given, **named)
            first.append(None)
            first[0] = shop.redeemed(chen, masks, quantity=2, key="tap")
            person, (_, bucket, account, transfer) = read(*given, **named)
            return person, [None, bucket, account, transfer if paid else None]

        monkeypatch.setattr(redeeming.people, "present_with", read_late)
        assert shop.redeemed(chen, masks, quantity=2, key="tap") == first[0]
        assert (shop.balance(chen), shop.counts(masks).reserved) == (points - 10, 2)


class TestAdministratorsCommands:
    def wrong(self, **fields: Any) -> dict[str, Any]:
        answer = shop.command(**fields)
        assert not answer["ok"], answer
        return answer

    @pytest.mark.parametrize("command", ["restock", "take_out"])
    @pytest.mark.parametrize("quantity", [0, -3, 1.5, "3", True, 2**63, 1_000_001, None], ids=str)
    def test_stock_moves_by_whole_numbers_from_one_to_a_million(self, street: Street, command: str, quantity: Any):
        masks = shop.masks(street)
        answer = self.wrong(command=command, product=masks, quantity=quantity, receipt="r", reason="盘点")
        assert (answer["code"], list(answer["fields"])) == ("command_invalid", ["quantity"])
        assert shop.counts(masks) == (10, 10, 0, 0)

    def test_a_receipt_counts_once_for_ever(self, street: Street):
        masks = shop.masks(street, buckets=3)
        for _ in range(2):
            report = shop.done(command="restock", product=masks, quantity=7, receipt="n-2", reason="捐赠")["report"]
            assert report == {"received": 17, "left": 17, "reserved": 0, "handed_out": 0}
        for change in ({"quantity": 8}, {"reason": "进货"}, {"command": "take_out"}):
            known = {"command": "restock", "product": masks, "quantity": 7, "receipt": "n-2", "reason": "捐赠"}
            answer = self.wrong(**known | change)
            assert (answer["code"], "单号" in answer["detail"]) == ("receipt_used", True)
        other = shop.masks(street, stock=0)
        shop.done(command="restock", product=other, quantity=7, receipt="n-2")
        assert shop.counts(masks) == (17, 17, 0, 0)

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"receipt": ""}, "receipt"),
            ({"receipt": "收据"}, "receipt"),
            ({"receipt": "n#1"}, "receipt"),
            ({"receipt": "n-1\n"}, "receipt"),
            ({"receipt": "n" * 41}, "receipt"),
            ({"reason": " "}, "reason"),
            ({"reason": "\ud800"}, "reason"),
            ({"reason": "长" * 101}, "reason"),
        ],
        ids=str,
    )
    def test_a_receipt_is_a_number_that_can_be_read_and_a_reason_a_sentence(
        self, street: Street, change: dict[str, Any], field: str
    ):
        masks = shop.masks(street)
        known = {"command": "restock", "product": masks, "quantity": 1, "receipt": "n-1"}
        assert list(self.wrong(**known | change)["fields"]) == [field]
        assert shop.counts(masks) == (10, 10, 0, 0)

    def test_no_more_is_taken_out_than_nobody_has_redeemed(self, street: Street):
        masks, chen = shop.masks(street, stock=5, buckets=2), shop.buyer(street)
        shop.redeemed(chen, masks, quantity=2)
        answer = self.wrong(command="take_out", product=masks, quantity=4, receipt="out", reason="破损")
        assert (answer["code"], "只有 3 件" in answer["detail"]) == ("not_so_many_left", True)
        for _ in range(2):
            report = shop.done(command="take_out", product=masks, quantity=3, receipt="out", reason="破损")["report"]
            assert report == {"received": 2, "left": 0, "reserved": 2, "handed_out": 0}
        shop.counts(masks)

    @pytest.mark.parametrize("command", ["restock", "stock", "close_product", "open_product"])
    def test_what_is_not_there_cannot_be_changed(self, street: Street, command: str):
        more = {"quantity": 1, "receipt": "r"} if command == "restock" else {}
        assert self.wrong(command=command, product="nothing-of-the-kind", **more)["code"] == "product_unknown"

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"area": "999999"}, "area"),
            ({"area": "33040"}, "area"),
            ({"desks": [{"area": "999999", "place": "office"}]}, "desks[0].area"),
            ({"desks": [{"area": "DISTRICT", "place": "office"}]}, "desks[0].place"),
            ({"desks": [{"area": "COMMUNITY", "place": "cellar"}]}, "desks[0].place"),
            ({"desks": [{"area": "COMMUNITY", "place": "office"}] * 2}, "desks"),
            ({"desks": []}, "desks"),
            ({"name": ""}, "name"),
            ({"name": "口" * 21}, "name"),
            ({"unit": "  "}, "unit"),
            ({"price": 0}, "price"),
            ({"price": 5.5}, "price"),
            ({"price": 10_001}, "price"),
            ({"cap": 0}, "cap"),
            ({"cap": 100}, "cap"),
            ({"collect_days": 0}, "collect_days"),
            ({"collect_days": 61}, "collect_days"),
            ({"buckets": 0}, "buckets"),
            ({"buckets": 65}, "buckets"),
            ({"colour": "red"}, "colour"),
            ({"product": "Mask"}, "product"),
            ({"product": "a#b"}, "product"),
            ({"product": ""}, "product"),
            ({"product": "mask\n"}, "product"),
            ({"name": "\ud800口罩"}, "name"),
            ({"text": "口\x00罩"}, "text"),
        ],
        ids=str,
    )
    def test_terms_that_make_no_sense_are_named(self, street: Street, change: dict[str, Any], field: str):
        change, spoken = dict(change), {"DISTRICT": street.district, "COMMUNITY": street.community}
        if change.get("desks"):
            change = {"desks": [each | {"area": spoken.get(each["area"], each["area"])} for each in change["desks"]]}
        product = change.pop("product", shop.product_id())
        answer = again(street, product, **change)
        assert (answer["ok"], list(answer["fields"])) == (False, [field]), answer
        if field != "product":
            assert self.wrong(command="stock", product=product)["code"] == "product_unknown"

    def test_a_desk_with_a_name_too_long_for_a_redemption(self, street: Street):
        place = {"id": "far", "name": "长" * 21}
        area = {"code": street.community, "name": "桂苑社区", "drop_points": [place]}
        shop.done(command="put_areas", areas=[area])
        answer = again(street, shop.product_id(), desks=[{"area": street.community, "place": "far"}])
        assert list(answer["fields"]) == ["desks[0].place"]

    def test_some_things_are_fixed_for_ever(self, street: Street):
        product = shop.masks(street, buckets=2)
        campaign = shop.campaign(street, product=product)
        assert again(street, product, buckets=3)["code"] == "fixed_for_ever"
        assert again(street, campaign, buckets=4)["fields"].keys() == {"product"}, "a campaign becomes no product"
        assert (terms_version(product), terms_version(campaign)) == (1, 1)

    def test_the_same_command_twice_changes_nothing(self, street: Street):
        product = shop.masks(street, cap=3, text="每只独立包装")
        assert again(street, product, cap=3, text="每只独立包装")["ok"]
        assert terms_version(product) == 1
        assert again(street, product, cap=4, text="每只独立包装")["ok"]
        assert terms_version(product) == 2
        for command in ("close_product", "open_product"):
            for _ in range(2):
                shop.done(command=command, product=product)
        assert terms_version(product) == 4

    def test_a_closed_product_stays_closed_when_its_terms_change(self, street: Street):
        product, chen = shop.masks(street), shop.buyer(street)
        shop.done(command="close_product", product=product)
        assert again(street, product, price=6)["ok"]
        assert refused(chen, product, price=6).code == "product_closed"

    def test_closing_is_not_undone_by_terms_that_are_saved_at_the_same_moment(self, street: Street, monkeypatch: Any):
        product = shop.masks(street)
        save = products.save

        def save_late(*given: Any, **named: Any) -> Product:
            monkeypatch.setattr(products, "save", save)
            shop.done(command="close_product", product=product)
            return save(*given, **named)

        monkeypatch.setattr(products, "save", save_late)
        assert again(street, product, price=6)["ok"]
        stored = Product.fetch(f"MALL#{product}", "PRODUCT")
        assert (stored.state, stored.price, stored.area_key) == ("closed", 6, None)


class TestCampaignCommands:
    def put(self, street: Street, product: str, **change: Any) -> dict[str, Any]:
        now = clock.local(clock.now())
        fields = {
            "command": "put_campaign",
            "campaign": shop.product_id(),
            "product": product,
            "opens_at": now.isoformat(),
            "closes_at": (now + timedelta(days=3)).isoformat(),
            "buckets": 2,
        }
        return shop.command(**fields | change)

    def test_twice_with_the_same_content_changes_nothing_however_exact_its_times_are(self, street: Street):
        product, campaign = shop.masks(street), shop.product_id()
        opens = clock.local(clock.now() - timedelta(days=1)).replace(microsecond=123456)
        closes = (clock.now() + timedelta(days=6)).replace(microsecond=987654)
        times = {"opens_at": opens.isoformat(), "closes_at": f"{closes:%Y-%m-%dT%H:%M:%S.%fZ}"}
        for _ in range(2):
            assert self.put(street, product, campaign=campaign, **times)["ok"]
        assert terms_version(campaign) == 1

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"closes_at": "2020-01-01T00:00:00+08:00"}, "closes_at"),
            ({"closes_at": "2099-01-01T00:00:00+08:00"}, "closes_at"),
            ({"opens_at": "2026-11-22T00:00:00"}, "opens_at"),
            ({"opens_at": "tomorrow"}, "opens_at"),
            ({"opens_at": "9999-12-30T00:00:00+08:00", "closes_at": "9999-12-31T00:00:00+08:00"}, "opens_at"),
            ({"opens_at": "0001-01-01T00:00:00+08:00", "closes_at": "0001-01-02T00:00:00+08:00"}, "opens_at"),
            ({"price": 0}, "price"),
            ({"quiz": ""}, "quiz"),
            ({"cap": "2"}, "cap"),
            ({"buckets": 65}, "buckets"),
        ],
        ids=str,
    )
    def test_that_make_no_sense_are_named(self, street: Street, change: dict[str, Any], field: str):
        answer = self.put(street, shop.masks(street), **change)
        assert (answer["ok"], list(answer["fields"])) == (False, [field]), answer

    def test_of_itself_of_a_campaign_or_of_nothing_are_refused(self, street: Street):
        product = shop.masks(street)
        campaign = shop.campaign(street, product=product)
        assert list(self.put(street, product, campaign=product)["fields"]) == ["campaign"]
        assert list(self.put(street, campaign)["fields"]) == ["product"]
        assert self.put(street, "nothing-of-the-kind")["code"] == "product_unknown"

    def test_a_product_becomes_no_campaign_and_a_campaign_changes_no_product(self, street: Street):
        product, other = shop.masks(street, buckets=2), shop.masks(street, buckets=2)
        assert self.put(street, product, campaign=other)["code"] == "fixed_for_ever"
        campaign = shop.campaign(street, product=product, buckets=2)
        assert self.put(street, other, campaign=campaign)["code"] == "fixed_for_ever"

    def test_it_may_be_prolonged_as_long_as_what_was_taken_counts(self, street: Street):
        product, campaign, now = shop.masks(street), shop.product_id(), clock.local(clock.now())
        opens = now.isoformat()
        chen = shop.buyer(street)

        def until(days: int) -> dict[str, Any]:
            closes = (now + timedelta(days=days)).isoformat()
            return self.put(street, product, campaign=campaign, opens_at=opens, closes_at=closes, cap=2)

        assert until(3)["ok"]
        shop.done(command="restock", product=campaign, quantity=9, receipt="r")
        shop.redeemed(chen, campaign, quantity=2)
        assert until(60)["ok"]
        assert refused(chen, campaign).code == "over_the_cap"
        answer = until(70)
        assert (answer["code"], list(answer["fields"])) == ("fixed_for_ever", ["closes_at"])
        assert "最晚可以延到" in answer["detail"]

    def test_a_quiz_must_be_there_and_give_the_right(self, street: Street):
        product, campaign = shop.masks(street), shop.product_id()
        for quiz, why in (
            ("no-such-quiz", "没有这份问卷"),
            (school.quiz(street.community, entitles=False), "entitles"),
        ):
            answer = self.put(street, product, campaign=campaign, quiz=quiz)
            assert why in answer["fields"]["quiz"]
        assert Product.find(f"MALL#{campaign}", "PRODUCT") is None


class TestCallingOff:
    def test_is_for_the_resident_and_their_delegate_only(self, street: Street):
        masks, father, daughter, stranger = shop.masks(street), shop.buyer(street), *street.residents(2)
        made = shop.redeemed(father, masks)
        path = f"/redemptions/{made['id']}/cancel"
        with nothing_changes(father, masks):
            answer = stranger.post(path)
            assert (answer.status, answer.code) == (404, "redemption_not_found")
            assert daughter.post(path, acting_for=father.id).status == 403
            assert father.post("/redemptions/redemption_unknown/cancel").code == "redemption_not_found"
        street.let_act(daughter, father)
        assert daughter.post(path, acting_for=father.id).json["state"] == "cancelled"
        assert (shop.balance(father), shop.balance(daughter)) == (100, 0)

    @pytest.mark.parametrize("ended", ["cancelled", "collected"])
    def test_is_not_possible_when_it_is_over_and_says_how_it_ended(self, street: Street, ended: str):
        masks, chen, clerk = shop.masks(street), shop.buyer(street), street.staff("desk_clerk")
        made = shop.redeemed(chen, masks)
        if ended == "collected":
            assert clerk.post("/desk/collect", json={"code": made["code"]}).status == 200
        else:
            assert chen.post(f"/redemptions/{made['id']}/cancel", key="first").status == 200
        with nothing_changes(chen, masks):
            answer = chen.post(f"/redemptions/{made['id']}/cancel", key="second")
            assert (answer.status, answer.code) == (409, "step_not_possible")
        assert {"cancelled": "已取消", "collected": "已领取"}[ended] in answer.json["detail"]
