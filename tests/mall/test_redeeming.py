"""A resident trades points for goods, or is told why not; nothing is taken then."""

from __future__ import annotations

from tests.mall import shop


class TestRedeeming:
    def test_takes_points_and_stock_and_makes_a_redemption_in_one_step(self, hood):
        masks, chen = shop.masks(hood), shop.buyer(hood, points=12)
        made = shop.redeemed(chen, masks, quantity=2)
        assert (made["state"], made["quantity"], made["cost"], made["desk_name"]) == (
            "reserved",
            2,
            10,
            "社区居委会",
        )
        assert len(made["code"]) == 8
        assert shop.balance(chen) == 2
        assert shop.counts(masks) == (10, 8, 2, 0)

    def test_the_same_tap_again_gives_the_same_redemption_back(self, hood):
        masks, chen = shop.masks(hood), shop.buyer(hood)
        first = shop.redeemed(chen, masks, quantity=2, key="tap")
        assert shop.redeemed(chen, masks, quantity=2, key="tap") == first
        assert shop.counts(masks) == (10, 8, 2, 0)
        again = shop.redeem(chen, masks, quantity=1, key="tap")
        assert (again.status, again.code) == (422, "idempotency_key_reused")

    def test_cancelling_gives_points_stock_and_cap_back_once(self, hood):
        masks, chen = shop.masks(hood, cap=2), shop.buyer(hood, points=10)
        made = shop.redeemed(chen, masks, quantity=2)
        for _ in range(2):
            answer = chen.post(f"/redemptions/{made['id']}/cancel", key="c")
            assert (answer.status, answer.json["state"]) == (200, "cancelled")
        assert (shop.balance(chen), shop.counts(masks)) == (10, (10, 10, 0, 0))
        shop.redeemed(chen, masks, quantity=2)

    def test_the_desk_hands_over_for_the_code(self, hood):
        masks, chen = shop.masks(hood), shop.buyer(hood)
        clerk = hood.staff("desk_clerk", hood.community)
        made = shop.redeemed(chen, masks, quantity=2)
        seen = clerk.post("/desk/look-up", json={"code": made["code"].lower()})
        assert (seen.status, seen.json["quantity"], seen.json["state"]) == (200, 2, "reserved")
        given = clerk.post("/desk/collect", json={"code": made["code"]})
        assert (given.status, given.json["state"]) == (200, "collected")
        assert shop.counts(masks) == (10, 8, 0, 2)
        assert chen.told == ["redemption_collected"]
