"""What must happen later: late, twice, failing and poisonous timers."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import chain, repeat

import pytest

from chalicelib.kit import clock, ids, timers
from chalicelib.kit.errors import Refused
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from tests.engine import local_aws
from tests.faults.faults import fault
from tests.kit.things import Named, Shelf, left

NOW = clock.from_stamp("2026-11-22T04:00:00.000Z")
MINUTE = timedelta(minutes=1)

pytestmark = pytest.mark.usefixtures("empty_table")


@pytest.fixture(autouse=True)
def handlers(monkeypatch):
    """Handlers of one test. `expire` does it as a slice does: through a write that fails when it is done already."""
    monkeypatch.setattr(timers, "_handlers", {})

    @timers.on("expire")
    def expire(item, *, now):
        with transaction() as tx:
            tx.update(
                item,
                [Shelf.left.add(1), *timers.stop()],
                when=Shelf.timer == "expire",
                or_raise=Named("done_already"),
            )

    return timers._handlers


def waiting(at: datetime = NOW, timer: str = "expire", shard: int | None = None) -> Shelf:
    while True:
        pk = f"SHELF#{ids.new_id('x')}"
        if shard is None or timers._shard(pk) == f"DUE#{shard}":
            break
    made = Shelf(pk, "SHELF", left=0, **timers.fields(pk, timer, at))
    made.save()
    return made


def sweep(now: datetime = NOW, seconds_left: float = 60) -> int:
    return timers.sweep(now=now, time_left=lambda: seconds_left)


def again(item: Shelf) -> Shelf:
    return Shelf.fetch(item.pk, item.sk)


def test_what_is_due_is_done_and_done_once():
    there = waiting()
    assert [sweep(), sweep()] == [1, 0]
    assert left(there) == 1


def test_what_is_not_due_yet_waits():
    there = waiting(NOW + timedelta(milliseconds=1))
    assert sweep() == 0
    assert left(there) == 0
    assert sweep(NOW + MINUTE) == 1


def test_what_is_long_overdue_is_done_all_the_same():
    there = waiting(NOW - timedelta(days=30))
    assert sweep() == 1
    assert left(there) == 1


def test_all_shards_are_swept_and_many_are_more_than_one_query(monkeypatch):
    monkeypatch.setattr(timers, "_BATCH", 5)
    there = [waiting(shard=number % timers.SHARDS) for number in range(2 * timers._BATCH)]
    there += [waiting(shard=0) for _ in range(2 * timers._BATCH)]
    assert sweep() == len(there)
    assert {left(each) for each in there} == {1}


def test_the_oldest_in_a_shard_comes_first(handlers):
    order = []

    @timers.on("look")
    def look(item, *, now):
        order.append(item.due_at)
        Shelf(item.pk, item.sk).update(timers.stop())

    for minutes in (3, 1, 2):
        waiting(NOW - minutes * MINUTE, "look", shard=1)
    sweep()
    assert order == sorted(order)


def test_two_sweeps_at_once_do_it_once(handlers):
    there = waiting()
    stale = Shelf.fetch(there.pk, there.sk)
    sweep()
    timers._run(stale, NOW)  # the other sweep had read the index before
    assert left(there) == 1
    assert again(there).timer is None


def test_an_index_that_lags_behind_does_not_make_the_sweep_run_in_circles(monkeypatch):
    there = waiting()
    index = list(Item.by_due.query(there.due_key, limit=9))
    monkeypatch.setattr(Item.by_due, "query", lambda key, *_, limit: [i for i in index if i.due_key == key][:limit])
    assert sweep() == 1
    assert left(there) == 1


def test_a_timer_may_be_set_anew_by_its_handler(handlers):
    @timers.on("remind")
    def remind(item, *, now):
        Shelf(item.pk, item.sk).update([Shelf.left.add(1), *timers.set_to(item.pk, "expire", now + MINUTE)])

    there = waiting(timer="remind")
    assert sweep() == 1
    assert (again(there).timer, again(there).due_at) == ("expire", NOW + MINUTE)
    assert sweep(NOW + MINUTE) == 1
    assert again(there).timer is None


def test_a_timer_set_anew_for_the_past_runs_in_the_same_sweep(handlers):
    @timers.on("chain")
    def chain(item, *, now):
        Shelf(item.pk, item.sk).update(timers.set_to(item.pk, "expire", item.due_at + MINUTE))

    waiting(NOW - 5 * MINUTE, "chain")
    assert sweep() == 2


class TestFailing:
    @pytest.fixture(autouse=True)
    def _failing(self):
        @timers.on("fail")
        def fail(item, *, now):
            raise RuntimeError("李菊 18767315555")

    def test_a_failing_timer_does_not_stop_the_others(self):
        waiting(NOW - MINUTE, "fail", shard=2)
        there = waiting(shard=2)
        assert sweep() == 2
        assert left(there) == 1

    def test_it_is_tried_again_ever_slower_and_never_given_up(self):
        there, now, pauses = waiting(timer="fail"), NOW, []
        for _ in range(12):
            assert sweep(now) == 1
            pauses.append(again(there).due_at - now)
            now = again(there).due_at
        assert pauses[:4] == [2 * MINUTE, 4 * MINUTE, 8 * MINUTE, 16 * MINUTE]
        assert pauses == sorted(pauses)
        assert pauses[-1] == timedelta(hours=6)

    def test_after_it_went_well_once_the_next_timer_starts_with_short_pauses(self, handlers):
        there = waiting(timer="fail")
        sweep()
        Shelf(there.pk, there.sk).update(timers.set_to(there.pk, "fail", NOW))
        sweep()
        assert again(there).due_at == NOW + 2 * MINUTE

    def test_it_is_reported_without_what_somebody_wrote(self, logs):
        waiting(timer="fail")
        sweep()
        (line,) = logs.lines
        assert (line["error"], line["timer"]) == ("RuntimeError", "fail")
        assert "timer_failed" in logs.text
        assert "李菊" not in logs.text
        assert "18767315555" not in logs.text

    def test_an_unknown_timer_waits_for_the_version_that_knows_it(self, handlers):
        there = waiting(timer="from_tomorrow")
        assert sweep() == 1
        assert (again(there).timer, again(there).timer_tries) == ("from_tomorrow", 1)

    def test_an_item_of_an_unknown_kind_does_not_stop_the_sweep(self):
        there = waiting(shard=3)
        local_aws.client("dynamodb").put_item(
            TableName=Item.Meta.table_name,
            Item={
                "PK": {"S": "ODD#1"},
                "SK": {"S": "ODD"},
                "kind": {"S": "from_tomorrow"},
                "due_key": {"S": "DUE#3"},
                "due_at": {"S": clock.stamp(NOW - MINUTE)},
                "timer": {"S": "expire"},
            },
        )
        assert sweep() == 1
        assert left(there) == 1

    def test_a_refusal_is_a_failure_too_and_postpones(self, handlers):
        @timers.on("refuse")
        def refuse(item, *, now):
            raise Refused("not_now", "现在不行。")

        there = waiting(timer="refuse")
        sweep()
        assert again(there).timer_tries == 1

    def test_an_item_that_moved_on_meanwhile_is_not_postponed(self):
        there = waiting(timer="fail")
        stale = again(there)
        Shelf(there.pk, there.sk).update(timers.set_to(there.pk, "expire", NOW + MINUTE))
        timers._run(stale, NOW)
        assert (again(there).timer, again(there).due_at) == ("expire", NOW + MINUTE)
        assert again(there).timer_tries is None

    def test_an_item_that_is_gone_meanwhile_is_not_made_again(self):
        there = waiting(timer="fail")
        stale = again(there)
        there.delete()
        timers._run(stale, NOW)
        assert Item.find(there.pk, there.sk) is None

    def test_what_cannot_even_be_postponed_does_not_stop_the_others(self):
        first, there = waiting(NOW - MINUTE, "fail", shard=0), waiting(shard=0)
        with fault(call=2, kind="throttled") as it:  # 1 the query, 2 the postponing
            assert sweep() == 2
        assert it.struck
        assert left(there) == 1
        assert again(first).timer_tries is None


class TestShortOfTime:
    def test_it_stops_while_there_is_time_to_stop(self):
        there = [waiting(shard=0) for _ in range(5)]
        clock_left = chain([60, 60], repeat(9))
        assert timers.sweep(now=NOW, time_left=lambda: next(clock_left)) == 2
        assert sum(left(each) for each in there) == 2

    def test_the_next_minute_goes_on_with_the_rest(self):
        there = [waiting(shard=0) for _ in range(5)]
        clock_left = chain([60, 60], repeat(9))
        timers.sweep(now=NOW, time_left=lambda: next(clock_left))
        sweep(NOW + MINUTE)
        assert [left(each) for each in there] == [1] * 5

    def test_a_shard_that_never_ends_does_not_starve_the_others(self):
        for _ in range(3 * timers.SHARDS):
            waiting(shard=0)
        there = waiting(shard=2)
        for minute in range(timers.SHARDS):
            clock_left = chain([60, 60], repeat(9))
            timers.sweep(now=NOW + minute * MINUTE, time_left=lambda times=clock_left: next(times))
        assert left(there) == 1


def test_a_name_has_one_handler(handlers):
    with pytest.raises(ValueError, match="two handlers"):
        timers.on("expire")(lambda item, *, now: None)
