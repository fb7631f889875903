"""The mall's part of the nightly proof: what is right is left in peace, what somebody damaged is named, nothing is changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kit import clock
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.mall import audit, ending, personal
from chalicelib.mall.models import Product, Redemption, StockBucket, StockMovement, TermsChange
from chalicelib.people import personal_data
from chalicelib.points import audit as points_audit
from chalicelib.points import service as points
from chalicelib.points.models import Account, AuditRound, Transfer
from tests.mall import shop
from tests.neighbourhood import Hood, Neighbour

Made = dict[str, Any]


@pytest.fixture
def lived(hood: Hood) -> tuple[Neighbour, str, dict[str, Made]]:
    """Somebody who has redeemed four times: one waits, one was collected, one called off, one expired."""
    masks, chen = shop.masks(hood), shop.buyer(hood)
    made = {
        state: shop.redeemed(chen, masks, quantity=2) for state in ("reserved", "collected", "cancelled", "expired")
    }
    clerk = hood.staff("desk_clerk", hood.community)
    assert clerk.post("/desk/collect", json={"code": made["collected"]["code"]}).status == 200
    assert chen.post(f"/redemptions/{made['cancelled']['id']}/cancel").status == 200
    late = clock.now() + timedelta(days=9)
    for _ in range(2):  # the reminder, then the end
        hood.pass_time(shop.redemption(made["expired"]["id"]), late)
    assert shop.redemption(made["expired"]["id"]).state == "expired"
    return chen, masks, made


def wrong_with(who: Neighbour) -> list[str]:
    """What the mall says, whatever the books say of themselves."""
    transfers: list[Transfer] = Item.collection(Account.key(who.id).pk, Transfer.PREFIX)
    return audit.check_redemptions(who.id, [each.movement for each in transfers])


def write(act: Callable[[transaction], None]) -> None:
    with transaction() as tx:
        act(tx)


def transfer(who: Neighbour, made: Made, more: str = "") -> Transfer:
    key = Transfer.key(who.id, f"redemption:{made['id']}{more}")
    return Transfer.fetch(key.pk, key.sk)


class TestRedemptions:
    def test_whatever_has_become_of_them_right_ones_are_right(self, lived):
        chen, masks, _ = lived
        assert (wrong_with(chen), audit.look_at(masks)) == ([], [])
        assert points_audit.look_at(chen.id).sums.wrong == []

    def test_a_redemption_that_is_lost_is_missed_by_its_debit(self, lived):
        chen, _, made = lived
        write(lambda tx: tx.delete(shop.redemption(made["collected"]["id"])))
        assert wrong_with(chen) == [f"no_redemption redemption:{made['collected']['id']}"]

    def test_a_redemption_without_its_debit_is_found_in_the_residents_list(self, lived):
        chen, _, made = lived
        write(lambda tx: tx.delete(transfer(chen, made["collected"])))
        assert wrong_with(chen) == [f"no_debit redemption:{made['collected']['id']}"]

    def test_a_debit_of_another_amount_than_the_cost(self, lived):
        chen, _, made = lived
        write(lambda tx: tx.update(shop.redemption(made["reserved"]["id"]), [Redemption.cost.set(9)]))
        assert wrong_with(chen) == [f"debit redemption:{made['reserved']['id']} 10 is not 9"]

    @pytest.mark.parametrize("state", ["cancelled", "expired"])
    def test_one_that_came_to_nothing_and_gave_nothing_back(self, lived, state):
        chen, _, made = lived
        write(lambda tx: tx.delete(transfer(chen, made[state], ":returned")))
        assert wrong_with(chen) == [f"not_returned redemption:{made[state]['id']}"]

    @pytest.mark.parametrize("state", ["reserved", "collected"])
    def test_one_that_gave_points_back_though_it_still_counts(self, lived, state):
        chen, _, made = lived
        fact, now = f"redemption:{made[state]['id']}", clock.now()
        write(lambda tx: points.give_back(tx, chen.id, transfer_id=fact, reason="手工", now=now))
        assert wrong_with(chen) == [f"returned_though_{state} redemption:{made[state]['id']}"]

    def test_one_that_belongs_to_somebody_else(self, lived, hood):
        chen, _, made = lived
        write(lambda tx: tx.update(shop.redemption(made["reserved"]["id"]), [Redemption.resident.set("res_other")]))
        assert wrong_with(chen) == [f"redemption_of_another redemption:{made['reserved']['id']}"]

    def test_whoever_leaves_gets_back_what_waits_before_it_lapses(self, lived):
        chen, masks, made = lived
        personal_data.erase(chen.id, now=clock.now())
        assert transfer(chen, made["reserved"], ":returned").amount == 10
        assert (shop.balance(chen), shop.counts(masks)) == (0, (10, 8, 0, 2))
        assert wrong_with(chen) == []

    def test_what_ends_after_its_resident_has_left_gives_points_to_nobody_and_that_is_right(self, lived):
        """A redemption made in the very moment of leaving is not in the list yet: it expires some days later."""
        chen, masks, made = lived
        points.close(chen.id, now=clock.now())
        late = shop.redemption(made["reserved"]["id"])
        write(lambda tx: ending.end(tx, late, "expired", now=clock.now() + timedelta(days=9)))
        personal.erase(chen.id, now=clock.now())
        assert (wrong_with(chen), shop.counts(masks)) == ([], (10, 8, 0, 2))


class TestStock:
    @pytest.fixture
    def masks(self, hood: Hood) -> str:
        masks = shop.campaign(hood, stock=40)
        shop.redeemed(shop.buyer(hood), masks, quantity=2)
        shop.done(command="take_out", product=masks, quantity=3, receipt="broken", reason="破损")
        return masks

    def bucket(self, masks: str, number: int = 1) -> StockBucket:
        key = StockBucket.key(masks, number)
        return StockBucket.fetch(key.pk, key.sk)

    def damage(self, masks: str, *actions: Any) -> list[str]:
        write(lambda tx: tx.update(self.bucket(masks), list(actions)))
        return audit.look_at(masks)

    def test_what_is_right_is_right(self, masks):
        assert audit.look_at(masks) == []

    def test_pieces_that_have_vanished_from_a_bucket(self, masks):
        received, left, reserved, handed_out = self.bucket(masks).counts
        found = self.damage(masks, StockBucket.left.add(-1))
        assert found == [f"bucket 1: {received} is not {left - 1} + {reserved} + {handed_out}"]

    def test_fewer_pieces_than_none(self, masks):
        left = self.bucket(masks).counts.left
        found = self.damage(masks, StockBucket.left.add(-left - 1), StockBucket.handed_out.add(left + 1))
        assert found == ["bucket 1 is negative"]

    def test_pieces_that_no_receipt_brought(self, masks):
        found = self.damage(masks, StockBucket.received.add(5), StockBucket.left.add(5))
        assert found == ["received 42 is not 37 by the receipts"]

    def test_a_receipt_that_is_lost(self, masks):
        write(lambda tx: tx.delete(StockMovement.key(masks, "broken")))
        assert audit.look_at(masks) == ["received 37 is not 40 by the receipts"]

    def test_a_bucket_that_is_lost(self, masks):
        write(lambda tx: tx.delete(self.bucket(masks)))
        assert "bucket_lost 1" in audit.look_at(masks)

    def test_a_bucket_in_which_other_terms_are_in_force(self, masks):
        assert self.damage(masks, StockBucket.terms.set(7)) == ["bucket 1 has terms 7, not 1"]

    def test_a_product_that_is_lost(self, masks):
        write(lambda tx: tx.delete(Product.key(masks)))
        assert audit.look_at(masks) == ["product_lost"]

    def test_somebody_who_is_just_moving_it_is_no_mismatch(self, masks, monkeypatch):
        answers = iter([["bucket 1: 3 is not 2 + 0 + 0"]])
        look = audit._look_at
        monkeypatch.setattr(audit, "_look_at", lambda product: next(answers, None) or look(product))
        assert audit.look_at(masks) == []


class TestTheNight:
    @pytest.fixture(autouse=True)
    def _a_table_of_its_own(self, empty_table: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(points_audit, "_started", False)

    def test_names_the_resident_and_the_product_and_changes_nothing(self, lived, hood):
        chen, masks, made = lived
        closed = shop.masks(hood)
        shop.done(command="close_product", product=closed)
        write(lambda tx: tx.delete(shop.redemption(made["collected"]["id"])))
        for product in (masks, closed):
            write(lambda tx, product=product: tx.update(StockBucket.key(product, 0), [StockBucket.left.add(1)]))
        before = [bucket.counts for bucket in (self.bucket(masks), self.bucket(closed))]
        answer = shop.command(command="audit")
        assert answer["report"]["wrong"] == 3
        assert answer["report"]["mismatches"] == {
            chen.id: f"no_redemption redemption:{made['collected']['id']}",
            f"stock {masks}": "bucket 0: 10 is not 7 + 2 + 2",
            f"stock {closed}": "bucket 0: 10 is not 11 + 0 + 0",
        }
        assert "3 处账目不符" in answer["detail"]
        assert before == [bucket.counts for bucket in (self.bucket(masks), self.bucket(closed))]

    def test_is_content_with_what_is_right(self, lived):
        answer = shop.command(command="audit")
        assert (answer["report"]["wrong"], answer["report"]["residents"]) == (0, 1)
        assert "全部相符" in answer["detail"]

    def test_finds_every_product_however_its_terms_have_changed(self, hood):
        masks = shop.masks(hood)
        shop.done(command="close_product", product=masks)
        listed = [item.product_id for item in Item.by_area.query(TermsChange.LISTED)]
        assert listed == [masks]

    def test_a_round_without_residents_looks_at_stock_too(self, hood, monkeypatch):
        masks = shop.masks(hood)
        write(lambda tx: tx.update(StockBucket.key(masks, 0), [StockBucket.left.add(-1)]))
        points_audit.start(clock.now())
        report = points_audit.go_on(AuditRound.key(), now=clock.now())
        assert report is not None
        assert (report.residents, report.wrong) == (0, 1)

    def bucket(self, product: str) -> StockBucket:
        key = StockBucket.key(product, 0)
        return StockBucket.fetch(key.pk, key.sk)
