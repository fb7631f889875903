"""A right is there from the first time on, whoever grants it again, and goes with its holder."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.entitlements import rules, service
from chalicelib.entitlements.models import Entitlement
from chalicelib.entitlements.personal import erase, export_entitlements
from chalicelib.kit import clock, ids
from chalicelib.kit.errors import Conflict
from chalicelib.kit.table import Item, read_together
from chalicelib.kit.transaction import transaction
from chalicelib.people.models import Resident
from tests.points.books import at_once

NOW = clock.now()
MASKS = rules.of_quiz("masks")


def grant(resident: str, what: str = MASKS, *, why: str = "通过答题：口罩知识", now=NOW) -> None:
    with transaction() as tx:
        service.grant(tx, resident, what, why=why, now=now)


def somebody() -> str:
    return ids.new_id("res")


def test_it_is_read_by_its_key_among_other_items():
    holder, other = somebody(), somebody()
    grant(holder)
    found = read_together(Entitlement.key(holder, MASKS), Entitlement.key(other, MASKS), Resident.key(holder))
    assert [found[0].what, *found[1:]] == ["quiz:masks", None, None]
    assert isinstance(found[0], Entitlement)


def test_granted_again_it_stays_as_the_first_time():
    holder = somebody()
    grant(holder)
    grant(holder, why="再次通过", now=NOW + timedelta(days=3))
    (held,) = Item.collection(f"RES_MAY#{holder}")
    assert (held.why, held.granted_at) == ("通过答题：口罩知识", NOW)


def test_granted_by_sixteen_at_once_it_is_there_once_and_nobody_is_refused():
    holder = somebody()
    refused = [error for error in at_once(16, lambda _: grant(holder)) if getattr(error, "code", None) != "server_busy"]
    assert set(refused) == {None}
    assert len(Item.collection(f"RES_MAY#{holder}")) == 1


def test_what_its_transaction_refuses_is_not_granted():
    holder = somebody()
    with pytest.raises(Conflict), transaction() as tx:
        service.grant(tx, holder, MASKS, why="x", now=NOW)
        tx.check(Resident.key(holder), when=Resident.state == "active", or_raise=Conflict())
    assert Item.collection(f"RES_MAY#{holder}") == []


def test_its_holder_reads_why_and_takes_it_along_when_they_leave():
    holder, other = somebody(), somebody()
    grant(holder), grant(holder, rules.of_quiz("hygiene"), why="通过答题：卫生知识"), grant(other)
    assert [entry["资格"] for entry in export_entitlements(holder)] == ["通过答题：卫生知识", "通过答题：口罩知识"]
    for _ in range(2):
        erase(holder, now=NOW)
    assert list(export_entitlements(holder)) == []
    assert len(list(export_entitlements(other))) == 1
