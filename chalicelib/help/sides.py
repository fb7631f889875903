"""Who may speak for the one who asked, and who acts in whose name."""

from __future__ import annotations

from datetime import datetime

from chalicelib.help.models import ActedFor, HelpRequest
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Problem
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.people import rules as people_rules
from chalicelib.people import service as people
from chalicelib.people.service import Person


def asker(person: Person, request: HelpRequest, *, or_raise: Problem) -> Person:
    """The requester (or their delegate), else somebody who stands in for them: `person` as read with duties."""
    if request.requester == person.id:
        return person
    stands_in = request.requester is None or request.objected_at is not None
    if not stands_in or person.holds(people_rules.CARERS, request.area) is None:
        raise or_raise
    person.must_hold(people_rules.CARERS, request.area)
    return person


def asker_or_carer(caller: Caller, person: Person, request: HelpRequest, *, now: datetime, or_raise: Problem) -> Person:
    """The same for a person read without duties: only who is not the requester is read again, with them.

    Any carer of the area stands in where staff filed the request, or the requester has objected to the help.
    """
    if request.requester == person.id:
        return person
    return asker(people.present(caller, now=now), request, or_raise=or_raise)


def sign(tx: transaction, person: Person, item: Item) -> None:
    """Note what a delegate did for another: it shows the delegate's name, who may leave one day."""
    if person.by:
        tx.put(ActedFor.of(person.by, item))
