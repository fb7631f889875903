"""How often one person may do a costly act."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.kit import clock, ids, limits
from chalicelib.kit.errors import TooMany
from chalicelib.kit.limits import Limit
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from tests.kit.things import Named, Shelf, shelf, unsaved

NOON = datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def person() -> str:
    return ids.new_id("resident")


def spend(person, *, at_most=3, per=MINUTE, now=NOON, act="ask", cost=1):
    with transaction() as tx:
        limits.spend(tx, person, act, at_most=at_most, per=per, now=now, cost=cost)


def test_it_may_be_done_so_often_and_no_more(person):
    for _ in range(3):
        spend(person)
    with pytest.raises(TooMany) as caught:
        spend(person)
    assert caught.value.status == 429
    assert caught.value.retry_after == 30


def test_the_next_window_begins_anew(person):
    for _ in range(3):
        spend(person)
    spend(person, now=NOON + timedelta(seconds=30))


@pytest.mark.parametrize(("per", "said"), [(timedelta(days=1), "明天"), (timedelta(hours=1), "过一会儿")])
def test_a_refusal_says_when_to_come_back(person, per, said):
    spend(person, at_most=1, per=per)
    with pytest.raises(TooMany) as caught:
        spend(person, at_most=1, per=per)
    assert said in caught.value.detail


def test_people_and_acts_are_counted_apart(person):
    for _ in range(3):
        spend(person)
    spend(ids.new_id("resident"))
    spend(person, act="offer")


def test_some_acts_cost_more_than_one(person):
    spend(person, cost=2)
    with pytest.raises(TooMany):
        spend(person, cost=2)
    spend(person, cost=1)


def test_an_act_that_costs_more_than_all_is_never_allowed(person):
    with pytest.raises(TooMany):
        spend(person, cost=4)


def test_an_act_that_fails_is_not_counted(person):
    for _ in range(5):
        with pytest.raises(Named), transaction() as tx:
            limits.spend(tx, person, "ask", at_most=3, per=MINUTE, now=NOON)
            tx.update(unsaved(), [Shelf.left.add(1)], or_raise=Named("gone"))
    spend(person)


def test_when_the_limit_refuses_the_act_is_not_done(person):
    there = shelf()
    for _ in range(3):
        spend(person)
    with pytest.raises(TooMany), transaction() as tx:
        tx.update(there, [Shelf.left.add(1)], or_raise=Named("gone"))
        limits.spend(tx, person, "ask", at_most=3, per=MINUTE, now=NOON)
    assert Shelf.fetch(there.pk, there.sk).left == 0


def test_thirty_two_threads_never_exceed_it(person):
    def try_it(_):
        try:
            spend(person, at_most=5)
        except TooMany:
            return False
        return True

    with ThreadPoolExecutor(32) as pool:
        assert sum(pool.map(try_it, range(64))) == 5


def test_the_counter_is_removed_some_time_after_its_window(person):
    spend(person)
    (counter,) = Item.collection(f"LIMIT#{person}")
    assert isinstance(counter, Limit)
    assert counter.sk == "ask#2026-11-22T12:00:00.000Z"
    assert datetime.fromtimestamp(counter.expires_at, UTC) == NOON.replace(second=0) + MINUTE + timedelta(hours=1)


def test_a_day_begins_at_midnight_in_shanghai(person):
    late, early = datetime(2026, 11, 22, 15, 59, 59, tzinfo=UTC), datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
    assert clock.day(late) != clock.day(early)
    for _ in range(3):
        spend(person, per=timedelta(days=1), now=late)
    spend(person, per=timedelta(days=1), now=early)


def room(person, *, at_most=3, now=NOON, act="ask"):
    with transaction() as tx:
        limits.leave_room(tx, person, act, at_most=at_most, per=MINUTE, now=now)


def test_an_act_may_depend_on_room_that_it_does_not_take(person):
    for _ in range(5):
        room(person)
    assert Item.collection(f"LIMIT#{person}") == []
    spend(person), spend(person)
    room(person)
    spend(person)
    with pytest.raises(TooMany) as caught:
        room(person)
    assert caught.value.retry_after == 30
    room(person, act="offer")
    room(person, now=NOON + MINUTE)


def test_without_room_the_act_that_depends_on_it_is_not_done(person, each_engine):
    there = shelf()
    for _ in range(3):
        spend(person)
    with pytest.raises(TooMany), transaction() as tx:
        tx.update(there, [Shelf.left.add(1)], or_raise=Named("gone"))
        limits.leave_room(tx, person, "ask", at_most=3, per=MINUTE, now=NOON)
    assert Shelf.fetch(there.pk, there.sk).left == 0
