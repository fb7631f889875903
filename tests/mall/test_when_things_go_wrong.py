"""What else may stand still or fail around the mall, and what nobody must notice of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pynamodb.exceptions import PynamoDBException

from chalicelib.kit import clock
from chalicelib.mall import products
from tests.faults.faults import fault
from tests.mall import shop


def test_after_the_sweep_has_stood_still_nobody_is_told_to_fetch_what_is_over(hood):
    masks, chen = shop.masks(hood), shop.buyer(hood)
    made = shop.redeemed(chen, masks)
    late = clock.now() + timedelta(days=20)
    for _ in range(2):
        hood.pass_time(shop.redemption(made["id"]), late)
    assert (shop.redemption(made["id"]).state, chen.told) == ("expired", ["redemption_expired"])


def test_grid_workers_are_not_sent_out_for_what_is_over(hood):
    worker = hood.staff("grid_worker", hood.grid)
    masks, chen = shop.masks(hood, delivers=True), shop.buyer(hood)
    made = shop.redeemed(chen, masks, deliver=True)
    late = clock.now() + timedelta(days=20)
    for _ in range(2):
        hood.pass_time(shop.redemption(made["id"]), late)
    assert (chen.told, worker.told) == (["redemption_not_delivered"], [])


def test_a_change_of_terms_that_fails_is_kept_in_nobodys_memory(hood):
    masks = shop.masks(hood)
    with fault(call=2, kind="throttled") as it, pytest.raises(PynamoDBException):  # 1 the product, 2 its change
        products.set_state(masks, "closed", by="test", now=clock.now())
    assert it.struck
    _, kept = products._kept.get(masks, (0.0, None))
    assert kept is None or kept.state == "open"
