"""Items, lists and cursors."""

from __future__ import annotations

import inspect
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from itsdangerous import URLSafeSerializer
from pynamodb.attributes import Attribute
from pynamodb.indexes import Index

from chalicelib.kit import clock, ids
from chalicelib.kit.errors import Invalid, NotFound
from chalicelib.kit.table import Item, Page, page, read_together
from tests.engine import local_aws, wire
from tests.engine.budget import budget
from tests.kit.things import Named, Note, Shelf, left, shelf

pytestmark = pytest.mark.usefixtures("each_engine")


def notes(count: int, partition: str | None = None) -> str:
    partition = partition or ids.new_id("list")
    for number in range(count):
        Note(
            partition,
            f"NOTE#{number:03}",
            text=str(number),
            area_key=f"AREA#{partition}",
            area_sort=f"{number:03}",
            rank_sort=f"{count - number:03}",
            person_key=f"PERSON#{partition}",
            person_sort=f"{number:03}",
        ).save()
    return partition


@pytest.mark.parametrize("kind", [Item, Note, Shelf])
def test_a_kind_is_made_of_what_inspect_finds_in_it(kind: type[Item]) -> None:
    found = inspect.getmembers(kind, lambda part: isinstance(part, Attribute | Index))
    attributes = {name: id(part) for name, part in found if isinstance(part, Attribute)}
    assert {name: id(part) for name, part in kind.get_attributes().items()} == attributes
    indexes = {name: id(part) for name, part in found if isinstance(part, Index)}
    assert {name: id(part) for name, part in kind._indexes.items()} == indexes
    assert {part._model for part in kind._indexes.values()} == {kind}
    assert len(indexes) == 4


class Asked(wire.Watcher):
    """The Query calls as they are sent."""

    def __init__(self) -> None:
        super().__init__()
        self.queries: list[dict[str, Any]] = []

    def parameters(self, service: str, operation: str, parameters: dict[str, Any]) -> None:
        self.queries.append(parameters)


def texts(read: Page[Note]) -> list[int]:
    return [int(note.text) for note in read]


class TestFinding:
    def test_what_is_not_there_is_none_or_the_named_error(self):
        assert Shelf.find("nowhere", "x") is None
        with pytest.raises(NotFound):
            Shelf.fetch("nowhere", "x")
        with pytest.raises(Named, match="gone"):
            Shelf.fetch("nowhere", "x", or_raise=Named("gone"))

    def test_a_moment_comes_back_as_it_was_stored(self):
        now = clock.now()
        there = shelf(due_at=now)
        assert Shelf.fetch(there.pk, there.sk).due_at == now

    def test_what_is_not_stored_has_its_default_and_what_was_removed_is_gone(self):
        there = shelf(3, title="口罩", due_at=clock.now())
        there.update([Shelf.title.remove(), Shelf.left.remove()])
        read = Shelf.fetch(there.pk, there.sk)
        for item in (there, read):
            assert (item.left, item.title, item.due_at) == (0, None, read.due_at)

    def test_what_this_version_does_not_know_of_an_item_is_left_alone(self):
        there = shelf(3)
        local_aws.client("dynamodb").update_item(
            TableName=Item.Meta.table_name,
            Key={"PK": {"S": there.pk}, "SK": {"S": there.sk}},
            UpdateExpression="SET colour = :c, title = :n",
            ExpressionAttributeValues={":c": {"S": "red"}, ":n": {"NULL": True}},
        )
        read = Shelf.fetch(there.pk, there.sk)
        assert (read.left, read.title) == (3, None)
        assert not hasattr(read, "colour")

    def test_an_item_of_another_kind_is_not_taken_for_one_of_this(self):
        there = shelf()
        with pytest.raises(ValueError):
            Note.find(there.pk, there.sk)

    def test_a_collection_has_all_kinds_that_begin_alike(self):
        partition = notes(3)
        Shelf(partition, "SHELF").save()
        assert [type(item) for item in Item.collection(partition)] == [Note, Note, Note, Shelf]
        assert [item.sk for item in Item.collection(partition, "NOTE#00", limit=2)] == ["NOTE#000", "NOTE#001"]
        assert Item.collection(partition, "OFFER#") == []

    def test_a_kind_this_version_does_not_know_is_left_out_of_a_list(self):
        partition = notes(1)
        local_aws.client("dynamodb").put_item(
            TableName=Item.Meta.table_name,
            Item={"PK": {"S": partition}, "SK": {"S": "NOTE#9"}, "kind": {"S": "from_tomorrow"}},
        )
        assert [item.sk for item in Item.collection(partition)] == ["NOTE#000"]

    def test_several_are_read_together_in_the_order_asked_for(self):
        first, second = shelf(1), shelf(2)
        with budget() as spent:
            read = read_together(second, Shelf("nowhere", "x"), first, second)
        assert [item and item.left for item in read] == [2, None, 1, 2]
        assert spent.calls == ["dynamodb BatchGetItem"]

    def test_a_query_sends_no_list_of_all_kinds(self):
        partition = notes(1)
        asked = Asked()
        with wire.watched(asked):
            list(Item.query(partition))
            list(Item.by_area.query(f"AREA#{partition}"))
            list(Note.query(partition))
        assert ["FilterExpression" in query for query in asked.queries] == [False, False, True]

    def test_all_kinds_share_one_client(self):
        assert Shelf._get_connection() is Note._get_connection() is Item._get_connection()


class TestPages:
    def test_a_list_is_read_to_its_end_page_by_page_and_nothing_twice(self):
        partition, seen, cursor = notes(7), [], None
        for _ in range(4):
            read = page(Item.by_area, f"AREA#{partition}", of=Note, cursor=cursor, limit=3)
            seen += texts(read)
            cursor = read.next
            if cursor is None:
                break
        assert seen == [6, 5, 4, 3, 2, 1, 0]

    def test_one_page_is_one_query(self):
        partition = notes(7)
        with budget() as spent:
            first = page(Item.by_area, f"AREA#{partition}", of=Note, cursor=None, limit=3)
        with budget() as spent_more:
            page(Item.by_area, f"AREA#{partition}", of=Note, cursor=first.next, limit=3)
        assert spent.calls == spent_more.calls == ["dynamodb Query"]

    def test_oldest_first_when_asked(self):
        partition = notes(3)
        assert texts(page(Item.by_area, f"AREA#{partition}", of=Note, cursor=None, newest_first=False)) == [0, 1, 2]

    def test_the_same_items_in_another_order(self):
        partition = notes(3)
        assert texts(page(Item.by_rank, f"AREA#{partition}", of=Note, cursor=None)) == [0, 1, 2]

    def test_a_range_narrows_the_list_and_its_cursor_keeps_to_it(self):
        partition = notes(9)
        newer = Item.person_sort > "005"
        first = page(Item.by_person, f"PERSON#{partition}", newer, of=Note, cursor=None, limit=2)
        rest = page(Item.by_person, f"PERSON#{partition}", newer, of=Note, cursor=first.next, limit=2)
        assert texts(first) + texts(rest) == [8, 7, 6]

    def test_a_partition_has_pages_too(self):
        partition = notes(3)
        first = page(Item, partition, Item.sk.startswith("NOTE#"), of=Note, cursor=None, limit=2)
        assert texts(first) == [2, 1]
        assert texts(page(Item, partition, Item.sk.startswith("NOTE#"), of=Note, cursor=first.next)) == [0]

    def test_an_empty_list_is_one_empty_page(self):
        read = page(Item.by_area, f"AREA#{ids.new_id('x')}", of=Note, cursor=None)
        assert (read.items, read.next) == ([], None)

    def test_what_is_of_another_kind_is_left_out(self):
        partition = notes(2)
        Shelf(partition, "SHELF", area_key=f"AREA#{partition}", area_sort="9").save()
        assert texts(page(Item.by_area, f"AREA#{partition}", of=Note, cursor=None)) == [1, 0]

    def test_new_items_do_not_shift_the_next_page(self):
        partition = notes(4)
        first = page(Item.by_area, f"AREA#{partition}", of=Note, cursor=None, limit=2)
        Note(partition, "NOTE#new", text="99", area_key=f"AREA#{partition}", area_sort="099").save()
        assert texts(page(Item.by_area, f"AREA#{partition}", of=Note, cursor=first.next, limit=2)) == [1, 0]

    def test_a_page_goes_on_when_the_item_it_stopped_at_is_gone(self):
        partition = notes(4)
        first = page(Item.by_area, f"AREA#{partition}", of=Note, cursor=None, limit=2)
        Note(partition, "NOTE#002").delete()
        assert texts(page(Item.by_area, f"AREA#{partition}", of=Note, cursor=first.next, limit=2)) == [1, 0]


class TestCursors:
    @pytest.fixture
    def partition(self):
        return notes(4)

    def cursor(self, partition, index=Item.by_area, key="AREA"):
        return page(index, f"{key}#{partition}", of=Note, cursor=None, limit=1).next

    def salt(self, partition):
        return f"cursor by_area AREA#{partition} None newest first"

    def refused(self, partition, cursor, index=Item.by_area, key="AREA"):
        with pytest.raises(Invalid) as caught:
            page(index, f"{key}#{partition}", of=Note, cursor=cursor, limit=1)
        assert caught.value.code == "cursor_invalid"
        assert caught.value.fields == {"cursor": "不是这个列表的翻页位置"}
        return True

    def test_a_cursor_of_another_list_is_refused(self, partition):
        assert self.refused(partition, self.cursor(notes(2)))

    def test_a_cursor_of_another_index_is_refused(self, partition):
        assert self.refused(partition, self.cursor(partition, Item.by_rank))
        assert self.refused(partition, self.cursor(partition, Item.by_person, "PERSON"))

    def test_a_cursor_of_another_part_of_the_list_or_of_its_other_end_is_refused(self, partition):
        def part(begin, cursor=None, newest_first=True):
            key, within = f"AREA#{partition}", Item.area_sort.startswith(begin)
            return page(Item.by_area, key, within, of=Note, cursor=cursor, limit=1, newest_first=newest_first)

        cursor = part("00").next
        assert texts(part("00", cursor)) == [2]
        for begin, newest_first in (("0", True), ("002", True), ("00", False)):
            with pytest.raises(Invalid) as caught:
                part(begin, cursor, newest_first)
            assert caught.value.code == "cursor_invalid"
        assert self.refused(partition, cursor), "nor is it one of the whole list"

    def test_a_cursor_of_another_kind_of_things_in_the_same_partition_is_refused(self, partition):
        cursor = page(Item, partition, Item.sk.startswith("NOTE#0"), of=Note, cursor=None, limit=1).next
        with pytest.raises(Invalid):
            page(Item, partition, Item.sk.startswith("NOTE#"), of=Note, cursor=cursor, limit=1)

    def test_a_cursor_does_not_say_which_list_it_is_of(self, partition):
        (key,) = local_aws.SECRETS["session_keys"]["session_keys"]
        inside = URLSafeSerializer(key, salt=self.salt(partition)).loads(self.cursor(partition))
        assert set(inside) == {"PK", "SK", "area_key", "area_sort"}

    def test_a_changed_cursor_is_refused(self, partition):
        cursor = self.cursor(partition)
        for at in range(0, len(cursor), 7):
            other = "A" if cursor[at] != "A" else "B"
            if at + 1 < len(cursor):  # the last character of base64 may carry no bits at all
                assert self.refused(partition, cursor[:at] + other + cursor[at + 1 :])

    @pytest.mark.parametrize("nonsense", ["", "x", "null", "W10.x", "é", "\ud800", "a" * 10_000, "..", "{}"])
    def test_nonsense_is_refused(self, partition, nonsense):
        assert self.refused(partition, nonsense)

    def test_a_cursor_signed_by_somebody_else_is_refused(self, partition):
        made = URLSafeSerializer("another key", salt=self.salt(partition)).dumps({"PK": "x"})
        assert self.refused(partition, made)

    def test_a_session_token_is_no_cursor(self, partition):
        (key,) = local_aws.SECRETS["session_keys"]["session_keys"]
        made = URLSafeSerializer(key, salt="session").dumps({"PK": "x"})
        assert self.refused(partition, made)

    def test_a_cursor_outlives_the_change_of_the_key(self, partition, configure):
        cursor = self.cursor(partition)
        old = local_aws.SECRETS["session_keys"]["session_keys"]
        configure("session_keys", session_keys=[*old, "the new key"])
        assert texts(page(Item.by_area, f"AREA#{partition}", of=Note, cursor=cursor, limit=1)) == [2]
        configure("session_keys", session_keys=["the new key"])
        assert self.refused(partition, cursor)


def test_threads_that_add_to_one_item_lose_nothing():
    there = shelf()

    def add(_):
        Shelf(there.pk, there.sk).update([Shelf.left.add(1)])

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(add, range(64)))
    assert left(there) == 64


def test_an_index_shows_a_timer_by_its_time():
    now = clock.now()
    there = shelf(due_key=f"DUE#{ids.new_id('x')}", due_at=now, timer="x")
    assert [item.pk for item in Item.by_due.query(there.due_key, Item.due_at <= now)] == [there.pk]
    assert not list(Item.by_due.query(there.due_key, Item.due_at <= now - timedelta(milliseconds=1)))
