"""A small rush for one shift on each engine: exactly as many places as there are, and a queue in the order they came."""

from __future__ import annotations

import pytest

from bench import crowd, signup_rush
from bench.signup_rush import Found, Rush
from chalicelib.kit import settings


@pytest.fixture(autouse=True)
def _settings_are_read_once(monkeypatch):
    monkeypatch.setenv("SETTINGS_TTL_SECONDS", "3600")
    settings.forget()


def test_two_hundred_people_on_twenty_places(each_engine, monkeypatch):
    monkeypatch.setattr(crowd, "LOSES_ITS_ANSWER", 0.2)
    rush = Rush(people=200, places=20)
    told = rush.rush(threads=16)
    assert rush.found(told) == Found(placed=20, waiting=180, doubled=0, wrong=0, in_order=True)
    assert {"TransactWriteItems once", "TransactWriteItems for good"} <= rush.lost.keys()
    assert any(not one.first_tap for one in told)


def test_the_bare_calls_are_those_of_a_sign_up_and_disturb_nobody(each_engine):
    beside = signup_rush.bare_sign_ups(12)
    for each in beside:
        assert [next(iter(item)) for item in each.args[1]] == ["ConditionCheck", "Put", "Update", "Update"]
    rush = Rush(people=30, places=10)
    told = rush.rush(threads=8, beside=beside)
    assert sorted(each.calls for each in rush.beside) == [1] * 6 + [2] * 6
    assert rush.found(told) == Found(placed=10, waiting=20, doubled=0, wrong=0, in_order=True)
