"""A small stampede on each engine: exactly what is there is sold, once each, whatever is lost on the way."""

from __future__ import annotations

import pytest

from bench import aftermath, bare, crowd
from chalicelib.kit import settings
from chalicelib.kit.table import Item


@pytest.fixture(autouse=True)
def _settings_are_read_once(monkeypatch):
    monkeypatch.setenv("SETTINGS_TTL_SECONDS", "3600")
    settings.forget()


@pytest.mark.parametrize("buckets", [1, 8])
def test_sixty_masks_and_two_hundred_residents(each_engine, monkeypatch, buckets):
    monkeypatch.setattr(crowd, "LOSES_ITS_ANSWER", 0.3)
    market = crowd.Market.opened(masks=60, residents=200, buckets=buckets)
    told = market.stampede(threads=16)
    found = aftermath.found(market, told)
    assert (found.sold, found.unsold) == (60, 0)
    assert (found.doubled, found.negative, found.wrong) == (0, 0, 0)
    assert {one.refusal for one in told} >= {"sold_out", "not_enough_points", "wrong_area", "over_the_cap", None}
    assert {"TransactWriteItems once", "TransactWriteItems for good"} <= market.lost.keys()
    assert any(not one.first_tap for one in told)


def test_the_bare_calls_are_those_of_a_redemption_and_disturb_nobody(each_engine):
    beside = bare.of_a_redemption().prepare(12)
    reads = [each.args[0] for each in beside]
    assert [len(read[Item.Meta.table_name]["Keys"]) if read else 0 for read in reads] == [0, 5] * 6
    for each in beside:
        assert [next(iter(item)) for item in each.args[1]] == ["Put", "Put", "Update", "Update"]
    market = crowd.Market.opened(masks=10, residents=40, buckets=2)
    told = market.stampede(threads=8, beside=beside)
    assert sorted(each.calls for each in market.beside) == [1] * 6 + [2] * 6
    found = aftermath.found(market, told)
    assert (found.sold, found.doubled, found.negative, found.wrong) == (10, 0, 0, 0)
