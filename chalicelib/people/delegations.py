"""A delegation begins and ends on three items in one write: its own, and the two residents whom it joins."""

from __future__ import annotations

from chalicelib.kit.errors import Problem
from chalicelib.kit.table import Condition, Item
from chalicelib.kit.transaction import transaction
from chalicelib.people import rules
from chalicelib.people.models import Delegation, Resident
from chalicelib.people.service import Person


def begin(tx: transaction, delegation: Delegation, *, by: Person, when: Condition, or_raise: Problem) -> None:
    """`by` is the delegate, held to who they were when they were read; `when` is asked of the principal."""
    tx.put(delegation)
    acts_for = [Resident.principals.add({delegation.principal})]
    tx.update(by.resident, acts_for, when=by.condition(), or_raise=rules.SessionEnded())
    has = [Resident.delegates.add({delegation.delegate})]
    tx.update(Resident.key(delegation.principal), has, when=when, or_raise=or_raise)


def end(tx: transaction, delegation: Delegation, *, by: Person | None = None, or_raise: Problem) -> None:
    """`by` is who ends it, one of the two, if somebody does; `or_raise` when it has ended already."""
    if delegation.principal == delegation.delegate:
        raise or_raise  # nobody has one with themself, and no write may hold one resident twice
    tx.delete(delegation, when=Item.pk.exists(), or_raise=or_raise)
    for resident, change in (
        (delegation.principal, Resident.delegates.delete({delegation.delegate})),
        (delegation.delegate, Resident.principals.delete({delegation.principal})),
    ):
        if by is not None and by.id == resident:
            tx.update(by.resident, [change], when=by.condition(), or_raise=rules.SessionEnded())
        else:
            tx.update(Resident.key(resident), [change])
