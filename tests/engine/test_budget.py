"""The counting of calls and capacity units, checked against AWS's rules."""

from __future__ import annotations

import pytest

from chalicelib.kit import clock, ids, timers
from chalicelib.kit.table import Item, page, read_together
from chalicelib.kit.transaction import transaction
from tests.engine.budget import budget, size
from tests.kit.things import Named, Note, Shelf, shelf

pytestmark = pytest.mark.usefixtures("each_engine")


def note(**more) -> Note:
    return Note(ids.new_id("n"), "NOTE#1", **more)


def test_a_kilobyte_written_is_one_unit():
    with budget() as spent:
        note().save()
    assert (spent.calls, spent.write_units, spent.read_units) == (["dynamodb PutItem"], 1, 0)
    with budget() as spent:
        note(text="x" * 1500).save()
    assert spent.write_units == 2


def test_each_index_costs_its_own_write():
    with budget() as spent:
        note(area_key="a", area_sort="1").save()
    assert spent.write_units == 2
    with budget() as spent:
        note(area_key="a", area_sort="1", rank_sort="1", person_key="p", person_sort="1").save()
    assert spent.write_units == 4


def test_moving_in_an_index_is_two_writes_and_a_write_that_moves_nothing_is_one():
    there = note(area_key="a", area_sort="1")
    there.save()
    with budget() as spent:
        there.update([Item.area_sort.set("2")])
    assert spent.write_units == 3
    with budget() as spent:
        there.update([Note.text.set("x")])
    assert spent.write_units == 2


def test_in_a_transaction_the_table_costs_double_and_an_index_does_not():
    with budget() as spent, transaction() as tx:
        tx.create(note(), or_raise=Named("exists"))
    assert spent.write_units == 2
    with budget() as spent, transaction() as tx:
        tx.create(note(area_key="a", area_sort="1"), or_raise=Named("exists"))
    assert spent.write_units == 3


def test_a_check_costs_as_a_write_does():
    there = shelf(1)
    with budget() as spent, transaction() as tx:
        tx.check(there, when=Shelf.left == 1, or_raise=Named("no"))
        tx.create(note(), or_raise=Named("exists"))
    assert spent.write_units == 4


def test_a_timer_costs_one_write_more_when_it_is_set_and_when_it_is_stopped():
    there = Shelf(ids.new_id("x"), "SHELF")
    there = Shelf(there.pk, "SHELF", **timers.fields(there.pk, "none", clock.now()))
    with budget() as spent:
        there.save()
    assert spent.write_units == 2
    with budget() as spent:
        there.update(timers.stop())
    assert spent.write_units == 2


def test_a_read_costs_by_four_kilobytes_and_half_when_it_may_be_old():
    there = note(text="x" * 5000)
    there.save()
    for consistent, units in ((True, 2), (False, 1)):
        with budget() as spent:
            Note.get(there.pk, there.sk, consistent_read=consistent)
        assert (spent.read_units, spent.write_units) == (units, 0)


def test_reading_nothing_costs_as_reading_little():
    with budget() as spent:
        Note.find("nowhere", "x")
    assert spent.read_units == 1


def test_a_query_costs_the_sum_of_its_items():
    partition = ids.new_id("list")
    for number in range(6):
        Note(partition, f"NOTE#{number}", text="x" * 1000, area_key=partition, area_sort=str(number)).save()
    with budget() as spent:
        Item.collection(partition)
    assert (spent.calls, spent.read_units) == (["dynamodb Query"], 2)
    with budget() as spent:
        page(Item.by_area, partition, of=Note, cursor=None)
    assert (spent.calls, spent.read_units) == (["dynamodb Query"], 1)


def test_items_read_together_cost_each_its_own():
    there = [shelf(), shelf(), shelf()]
    with budget() as spent:
        read_together(*there)
    assert (spent.calls, spent.read_units) == (["dynamodb BatchGetItem"], 3)


def test_of_items_read_together_those_that_are_not_there_cost_too():
    there = shelf()
    with budget() as spent:
        read_together(there, Shelf("nowhere", "SHELF"))
    assert (spent.calls, spent.read_units) == (["dynamodb BatchGetItem"], 2)


def test_a_refused_write_counts_as_a_call_but_has_no_figure():
    there = shelf()
    with budget() as spent, pytest.raises(Named), transaction() as tx:
        tx.create(there, or_raise=Named("exists"))
    assert (spent.calls, spent.write_units) == (["dynamodb TransactWriteItems"], 0)


@pytest.mark.parametrize(
    ("value", "bytes_"),
    [
        ({"S": "abc"}, 3),
        ({"S": "口罩"}, 6),
        ({"B": b"1234"}, 4),
        ({"N": "0"}, 1),
        ({"N": "100"}, 2),
        ({"N": "1234"}, 3),
        ({"N": "-12"}, 3),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"SS": ["ab", "c"]}, 3),
        ({"L": [{"S": "a"}, {"S": "b"}]}, 7),
        ({"M": {"k": {"S": "v"}}}, 6),
    ],
)
def test_sizes_are_counted_as_dynamodb_does(value, bytes_):
    assert size({"name": value}) == 4 + bytes_
