"""A client's request, told apart from its repeats."""

from __future__ import annotations

import pytest

from chalicelib.kit.attempt import Attempt, KeyReused
from chalicelib.kit.transaction import transaction
from tests.kit.things import Named, Shelf, shelf


def attempt(key="key-1", body=b'{"quantity":1}', actor="resident_1", path="POST /shelves"):
    return Attempt(actor, path, body, key)


def act(there: Shelf, this: Attempt) -> str:
    """How slices do it: look, then change and remember in one write."""
    now = Shelf.fetch(there.pk, there.sk)
    if this.made(now):
        return "repeated"
    with transaction() as tx:
        tx.update(now, [Shelf.left.add(1), *this.remember()], or_raise=Named("gone"))
    return "done"


def test_a_repeat_makes_the_same_id():
    assert attempt().id("help") == attempt().id("help")


@pytest.mark.parametrize("other", [{"key": "key-2"}, {"actor": "resident_2"}, {"path": "POST /others"}])
def test_another_key_person_or_path_makes_another_id(other):
    assert attempt().id("help") != attempt(**other).id("help")


def test_without_a_key_every_attempt_is_a_new_one():
    assert attempt(key=None).id("help") != attempt(key=None).id("help")


def test_a_repeat_is_recognised_and_done_once():
    there = shelf()
    assert [act(there, attempt()) for _ in range(3)] == ["done", "repeated", "repeated"]
    assert Shelf.fetch(there.pk, there.sk).left == 1


def test_an_item_made_by_a_request_remembers_it():
    there = shelf(marks=attempt().marks())
    assert attempt().made(Shelf.fetch(there.pk, there.sk))


def test_the_same_key_with_another_content_is_refused():
    there = shelf()
    act(there, attempt())
    with pytest.raises(KeyReused) as caught:
        act(there, attempt(body=b'{"quantity":2}'))
    assert (caught.value.status, caught.value.code) == (422, "idempotency_key_reused")
    assert Shelf.fetch(there.pk, there.sk).left == 1


def test_two_people_may_use_the_same_key():
    there = shelf()
    assert act(there, attempt()) == act(there, attempt(actor="resident_2", body=b"{}")) == "done"
    assert act(there, attempt()) == "repeated"


def test_without_a_key_it_is_done_again_and_nothing_is_remembered():
    there = shelf()
    assert [act(there, attempt(key=None)) for _ in range(2)] == ["done", "done"]
    assert Shelf.fetch(there.pk, there.sk).marks is None
    assert attempt(key=None).marks() is None


def test_what_is_remembered_is_neither_key_nor_content():
    (mark,) = attempt(key="secret-key", body="我住在月河小区".encode()).marks()
    assert "secret" not in mark
    assert len(mark) == 33
