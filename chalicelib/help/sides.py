"""The two sides of an offer: the one who asked (or who stands in for them now), and the one who helps.

Where staff asked for somebody without WeChat, nobody is the requester: whoever looks after the area at this moment acts
for them and is told of each step. Who that is, is read with each act, and written down nowhere: duties end, also by
themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from chalicelib.help import rules
from chalicelib.help.models import ActedFor, HelpRequest, Message, Offer
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Problem
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import in_charge
from chalicelib.people import rules as people_rules
from chalicelib.people import service as people
from chalicelib.people.service import Person


def asker(person: Person, request: HelpRequest, *, or_raise: Problem) -> Person:
    """The requester (or their delegate), else a carer who stands in for them: `person` as read with duties.

    A carer does so where staff filed the request, or the requester has objected to the help; then they are to judge
    between the two, and belong to neither."""
    if request.requester == person.id:
        return person
    stands_in = request.requester is None or request.objected_at is not None
    if not stands_in or person.holds(people_rules.CARERS, request.area) is None:
        raise or_raise
    person.must_hold(people_rules.CARERS, request.area)
    person.apart_from(request.requester, request.by, or_raise=rules.OwnHelp(), tied=rules.TiedInHelp())
    return person


def asker_or_carer(caller: Caller, person: Person, request: HelpRequest, *, now: datetime, or_raise: Problem) -> Person:
    """The same for a person read without duties: only who is not the requester is read again, with them."""
    if request.requester == person.id:
        return person
    return asker(people.present(caller, now=now), request, or_raise=or_raise)


def speaker(caller: Caller, person: Person, of: Offer | HelpRequest, *, now: datetime, or_raise: Problem) -> Person:
    """Who speaks for the side that asked: the requester, or a carer where nobody is that."""
    return person if of.requester == person.id else carer(caller, of, now=now, or_raise=or_raise)


def carer(caller: Caller, of: Offer | HelpRequest, *, now: datetime, or_raise: Problem) -> Person:
    """Who looks after the area at this moment, where nobody is the requester."""
    person = people.present(caller, now=now)
    if of.requester is not None or person.holds(people_rules.CARERS, of.area) is None:
        raise or_raise
    person.must_hold(people_rules.CARERS, of.area)
    return person


def not_helping(person: Person, offers: Iterable[Offer]) -> None:
    """Who acts for the side that asked has no part in this help."""
    helpers = [who for each in offers for who in (each.helper, each.by)]
    person.apart_from(*helpers, or_raise=rules.OwnHelp(), tied=rules.TiedInHelp())


def helps(caller: Caller, offer: Offer) -> bool:
    """Is the caller, or for whom they act, on the side that helps?"""
    return bool({caller.id, caller.principal} & {offer.helper, offer.by})


def whom_to_tell(of: HelpRequest | Offer | Message, *, now: datetime) -> list[str]:
    """The requester; where nobody is that, who filed it as long as they look after the area, else who does by now."""
    if of.requester is not None:
        return [of.requester]
    key = HelpRequest.key(of.id if isinstance(of, HelpRequest) else of.request_id)
    request = of if isinstance(of, HelpRequest) else HelpRequest.fetch(key.pk, key.sk)
    return in_charge.whom_to_tell(request.area, now=now, first=request.filed_by)


def tell_asker(
    tx: transaction, of: HelpRequest | Offer, kind: str, *, now: datetime, area: str | None = None, **facts: str
) -> None:
    about = of.id if isinstance(of, HelpRequest) else of.request_id
    for who in whom_to_tell(of, now=now):
        notices.tell(tx, who, kind, about=about, now=now, area=area, title=of.title, **facts)


def sign(tx: transaction, person: Person, item: Item, *, as_staff: bool = False) -> None:
    """Note what somebody did in another's affairs, as a delegate or as staff: it shows who that was, who may leave."""
    who = person.id if as_staff else person.by
    if who:
        tx.put(ActedFor.of(who, item))
