"""One act, one write, and every condition names its error."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException

from chalicelib.kit import ids
from chalicelib.kit import transaction as transaction_module
from chalicelib.kit.errors import PerhapsDone
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import CONFLICT_TRIES, ServerBusy, transaction
from tests.engine.aws_rules import RefusedByAWS
from tests.engine.budget import budget
from tests.engine.wire import Call, Watcher, watched
from tests.faults import faults
from tests.faults.faults import fault
from tests.kit.things import Named, Note, Shelf, left, shelf, unsaved

pytestmark = pytest.mark.usefixtures("each_engine")


def test_everything_is_written_together():
    first, second, note = shelf(5), unsaved(left=1), Note(ids.new_id("x"), "NOTE#1")
    with transaction() as tx:
        tx.create(second, or_raise=Named("exists"))
        tx.update(first, [Shelf.left.add(-2)], when=Shelf.left >= 2, or_raise=Named("too_few"))
        tx.put(note)
    assert left(first) == 3
    assert left(second) == 1
    assert Note.find(note.pk, note.sk)


def test_nothing_is_written_when_one_condition_fails():
    first, second = shelf(1), unsaved()
    with pytest.raises(Named, match="too_few"), transaction() as tx:
        tx.create(second, or_raise=Named("exists"))
        tx.update(first, [Shelf.left.add(-2)], when=Shelf.left >= 2, or_raise=Named("too_few"))
    assert left(first) == 1
    assert Shelf.find(second.pk, second.sk) is None


def test_nothing_is_written_when_the_block_raises():
    made = unsaved()
    with pytest.raises(KeyError), transaction() as tx:
        tx.create(made, or_raise=Named("exists"))
        raise KeyError
    assert Shelf.find(made.pk, made.sk) is None


def test_an_empty_block_calls_nobody():
    with budget() as spent, transaction():
        pass
    assert spent.calls == []


def test_one_transaction_is_one_call():
    with budget() as spent, transaction() as tx:
        tx.create(unsaved(), or_raise=Named("exists"))
        tx.create(unsaved(), or_raise=Named("exists"))
    assert spent.calls == ["dynamodb TransactWriteItems"]


# PynamoDB sends checks, deletes, puts, then updates. Every order of the calls must blame the call that failed.
def _check(tx, item, code):
    tx.check(item, when=Shelf.left >= 1, or_raise=Named(code))


def _delete(tx, item, code):
    tx.delete(item, when=Shelf.left >= 1, or_raise=Named(code))


def _put(tx, item, code):
    tx.put(Shelf(item.pk, item.sk, left=9), when=Shelf.left >= 1, or_raise=Named(code))


def _update(tx, item, code):
    tx.update(item, [Shelf.left.add(1)], when=Shelf.left >= 1, or_raise=Named(code))


def _create(tx, item, code):
    tx.create(Shelf(item.pk, item.sk), or_raise=Named(code))


CALLS = {"check": _check, "delete": _delete, "put": _put, "update": _update}


@pytest.mark.parametrize("order", list(itertools.permutations(CALLS)), ids="-".join)
@pytest.mark.parametrize("failing", CALLS)
def test_the_call_that_failed_is_blamed_whatever_the_order(order, failing):
    items = {name: shelf(0 if name == failing else 1) for name in order}
    with pytest.raises(Named) as caught, transaction() as tx:
        for name in order:
            CALLS[name](tx, items[name], name)
    assert caught.value.code == failing


def test_the_right_one_of_several_calls_of_a_kind_is_blamed():
    items = [shelf(1) for _ in range(8)]
    items[5] = shelf(0)
    with pytest.raises(Named) as caught, transaction() as tx:
        for number, item in enumerate(items):
            list(CALLS.values())[number % 4](tx, item, str(number))
    assert caught.value.code == "5"


def test_of_several_failed_conditions_the_first_call_is_blamed():
    with pytest.raises(Named) as caught, transaction() as tx:
        _update(tx, shelf(0), "first")
        _check(tx, shelf(0), "second")
    assert caught.value.code == "first"


def test_a_condition_without_a_name_stays_a_crash():
    with pytest.raises(PynamoDBException), transaction() as tx:
        tx.put(shelf(0), when=Shelf.left >= 1)


def test_creating_what_exists_is_refused_by_its_name():
    with pytest.raises(Named, match="exists"), transaction() as tx:
        _create(tx, shelf(), "exists")


def test_updating_what_does_not_exist_is_refused_and_makes_nothing():
    nowhere = unsaved()
    with pytest.raises(Named, match="gone"), transaction() as tx:
        tx.update(nowhere, [Shelf.left.add(1)], or_raise=Named("gone"))
    assert Shelf.find(nowhere.pk, nowhere.sk) is None


def test_a_condition_on_what_does_not_exist_fails():
    nowhere = unsaved()
    with pytest.raises(Named, match="gone"), transaction() as tx:
        tx.update(nowhere, [Shelf.left.add(1)], when=Shelf.title.does_not_exist(), or_raise=Named("gone"))
    assert Shelf.find(nowhere.pk, nowhere.sk) is None


def test_what_an_update_makes_gets_its_kind():
    made = unsaved()
    with transaction() as tx:
        tx.update(made, [Shelf.left.add(3)], create=True)
    assert [type(each) for each in Item.collection(made.pk)] == [Shelf]
    assert left(made) == 3


def test_what_exists_keeps_its_kind_when_an_update_may_make_it():
    there = shelf(1)
    with transaction() as tx:
        tx.update(there, [Shelf.left.add(1)], create=True)
    assert [type(each) for each in Item.collection(there.pk)] == [Shelf]
    assert left(there) == 2


def test_the_object_in_memory_stays_as_it_was():
    there = shelf(1)
    with transaction() as tx:
        tx.update(there, [Shelf.left.add(1)])
    assert there.left == 1


def test_the_same_actions_can_be_used_twice():
    actions, first, second = [Shelf.left.add(1)], unsaved(), unsaved()
    with transaction() as tx:
        tx.update(first, actions, create=True)
        tx.update(second, actions, create=True)
    assert len(actions) == 1
    assert left(first) == left(second) == 1


def test_a_race_for_five_ends_with_exactly_five():
    there = shelf(5)

    def take(_):
        try:
            with transaction() as tx:
                tx.create(unsaved(), or_raise=Named("exists"))
                tx.update(there, [Shelf.left.add(-1)], when=Shelf.left >= 1, or_raise=Named("sold_out"))
        except Named as refusal:
            return refusal.code
        return "taken"

    with ThreadPoolExecutor(32) as pool:
        outcomes = list(pool.map(take, range(32)))
    assert outcomes.count("taken") == 5
    assert outcomes.count("sold_out") == 27
    assert left(there) == 0


def add_one(there: Shelf) -> None:
    with transaction() as tx:
        tx.update(there, [Shelf.left.add(1)])
        tx.create(unsaved(), or_raise=Named("exists"))


def test_a_conflict_is_tried_again():
    there = shelf()
    with fault(call=1, kind="conflict", attempts=1) as it:
        add_one(there)
    assert it.struck == 1
    assert left(there) == 1


def test_conflicts_without_end_are_answered_with_try_later():
    there = shelf()
    with fault(call=None, kind="conflict") as it, pytest.raises(ServerBusy) as caught:
        add_one(there)
    assert caught.value.status == 429
    assert caught.value.retry_after >= 1
    assert it.struck == CONFLICT_TRIES
    assert left(there) == 0


def test_between_conflicts_it_waits_a_random_time_of_ever_wider_bounds(monkeypatch):
    bounds = []
    monkeypatch.setattr(transaction_module.random, "uniform", lambda low, high: bounds.append((low, high)) or 0)
    there = shelf()
    with (
        fault(call=None, kind="conflict"),
        patch.object(transaction_module, "_FIRST_PAUSE", 1),  # undone before the fault puts back what it found
        pytest.raises(ServerBusy),
    ):
        add_one(there)
    assert bounds == [(0, 2), (0, 4), (0, 8), (0, 16)]


@pytest.mark.parametrize("kind", ["throttled", "error_500", "cut_before"])
def test_a_short_trouble_is_not_noticed(kind):
    there = shelf()
    with fault(call=1, kind=kind, attempts=2) as it:
        add_one(there)
    assert it.struck == 2
    assert left(there) == 1


@pytest.mark.parametrize("kind", ["throttled", "error_500", "cut_before"])
def test_a_long_trouble_writes_nothing_and_is_no_refusal(kind):
    there = shelf()
    with fault(call=1, kind=kind), pytest.raises(PynamoDBException):
        add_one(there)
    assert left(there) == 0


def test_a_lost_answer_is_asked_for_again_and_not_done_again():
    there = shelf()
    with fault(call=1, kind="answer_lost", attempts=1) as it:
        add_one(there)
    assert it.struck == 1
    assert left(there) == 1


def test_answers_lost_for_good_leave_it_done_once_and_say_nothing_false():
    there = shelf()
    with fault(call=1, kind="answer_lost") as it, pytest.raises((PynamoDBException, BotoCoreError)):
        add_one(there)
    assert it.struck == 3
    assert left(there) == 1


def test_a_transaction_that_is_still_running_is_asked_about_and_not_started_anew():
    """A first try whose answer was lost may still be at work: the same token finds it, a new one would do it twice."""
    there = shelf()
    with fault(call=None, kind="in_progress", attempts=4) as it:
        add_one(there)
    assert len(it.sent) == 5
    assert len({json.loads(body)["ClientRequestToken"] for body in it.sent}) == 1
    assert left(there) == 1


class Scripted(Watcher):
    """Each sending ends as the script says: done, done without a word of it, or as `tests.faults` strikes. Then all is well."""

    def __init__(self, *script: str) -> None:
        super().__init__()
        self.script, self.tokens = iter(script), []

    def sends(self, call: Call, request: Any) -> Any:
        self.tokens.append(json.loads(request.body)["ClientRequestToken"])
        kind = next(self.script, "done")
        return None if kind == "done" else faults.strike(kind, call, request)


@contextmanager
def scripted(*script: str) -> Iterator[Scripted]:
    it = Scripted(*script)
    with faults.no_waiting(), watched(it):
        yield it


IN_PROGRESS_FOR_EVER = ["in_progress"] * 3 * CONFLICT_TRIES  # botocore asks three times by itself


@pytest.mark.parametrize(("first", "done"), [("answer_lost", 1), ("in_progress", 0)])
def test_what_may_have_been_done_is_not_said_to_be_undone(first, done):
    """The answer of the first try is lost, and until the end it is said to be at work: it may be there, or not."""
    there = shelf()
    with scripted(first, *IN_PROGRESS_FOR_EVER) as it, pytest.raises(PerhapsDone) as caught:
        add_one(there)
    assert (caught.value.status, caught.value.code) == (503, "perhaps_done")
    assert len(set(it.tokens)) == 1
    assert left(there) == done


def test_conflicts_after_a_try_that_may_be_at_work_leave_it_in_doubt():
    there = shelf()
    with scripted(*["in_progress"] * 3, *["conflict"] * 99) as it, pytest.raises(PerhapsDone):
        add_one(there)
    assert len(set(it.tokens)) == 1


def test_a_conflict_met_by_the_repeat_of_a_lost_try_is_asked_about_with_the_same_token():
    there = shelf()
    with scripted("cut_before", "conflict") as it:
        add_one(there)
    assert len(it.tokens) == 3
    assert len(set(it.tokens)) == 1
    assert left(there) == 1


def test_a_conflict_of_a_first_try_is_tried_under_a_new_token():
    there = shelf()
    with scripted("conflict", "conflict") as it:
        add_one(there)
    assert len(set(it.tokens)) == 3
    assert left(there) == 1


def test_more_than_a_hundred_items_are_a_crash_and_write_nothing():
    there = shelf()
    with pytest.raises((PynamoDBException, RefusedByAWS)), transaction() as tx:
        tx.update(there, [Shelf.left.add(1)])
        for _ in range(100):
            tx.create(unsaved(), or_raise=Named("exists"))
    assert left(there) == 0


def test_transactions_of_many_threads_use_one_client():
    clients = set()
    barrier = threading.Barrier(8)

    def write(_):
        barrier.wait()
        add_one(shelf())
        clients.add(id(Item._get_connection().connection.client))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert len(clients) == 1
