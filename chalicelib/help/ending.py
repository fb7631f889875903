"""How a request ends: fulfilled, withdrawn, expired, or with an objection that a person looks at."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from chalicelib.content.models import Photo
from chalicelib.help import offering, rules
from chalicelib.help.models import HelpRequest, Offer, Unanswered, partition
from chalicelib.help.quantities import Changed, settled
from chalicelib.kit import timers, vault
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import rules as people_rules
from chalicelib.people import service as people
from chalicelib.people.service import Person


class Whole(NamedTuple):
    """A request with everything that is shown with it."""

    request: HelpRequest
    offers: list[Offer]
    photos: list[Photo]

    @property
    def live(self) -> list[Offer]:
        return [offer for offer in self.offers if offer.state in rules.LIVE_OFFER]


def read_whole(request_id: str) -> Whole:
    """One Query."""
    found = list(Item.query(partition(request_id), Item.sk.between("OFFER", "REQUEST"), consistent_read=True))
    request = next((item for item in found if isinstance(item, HelpRequest)), None)
    if request is None:
        raise rules.RequestGone()
    return Whole(
        request,
        [item for item in found if isinstance(item, Offer)],
        [item for item in found if isinstance(item, Photo)],
    )


def confirm(*, caller: Caller, request_id: str, attempt: Attempt, now: datetime) -> HelpRequest:
    """The requester has got what was needed: the request is fulfilled, also when less than asked for came."""

    def confirm_it() -> HelpRequest:
        whole = read_whole(request_id)
        if attempt.made(whole.request):
            return whole.request
        person = _owner(caller, whole.request, now)
        fulfil(whole, now=now, by=person, attempt=attempt)
        return whole.request

    return settled(confirm_it)


def fulfil(whole: Whole, *, now: datetime, by: Person | None = None, attempt: Attempt | None = None) -> None:
    """End a request well. `by` is None when seven days have passed without an objection."""
    request = whole.request
    rules.REQUEST.check(request.state, "fulfilled", or_raise=rules.NotNow(detail="这条求助已经结束。"))
    if whole.live:
        raise rules.StillUnderWay()
    collected = [offer for offer in whole.offers if offer.state == "collected"]
    if not collected:
        raise rules.NothingCollected()
    with transaction() as tx:
        _end(tx, request, "fulfilled", now, attempt)
        for offer in collected:
            # Here, in this transaction, a helper will be given the points of a fulfilled offer (once per offer).
            notices.tell(tx, offer.helper, "help_fulfilled", about=request.id, now=now, title=request.title)
        if by:
            by.still(tx)
    request.state = "fulfilled"
    _forget_contact(request)


def object_to(*, caller: Caller, request_id: str, reason: str, attempt: Attempt, now: datetime) -> HelpRequest:
    """Something is wrong with what came: it is not taken for fulfilled by itself, and the grid worker is told."""
    whole = read_whole(request_id)
    request = whole.request
    if attempt.made(request):
        return request
    person = _owner(caller, request, now)
    if request.objected_at is not None:
        raise rules.AlreadyObjected()
    if request.state not in ("open", "covered") or not int(request.collected):
        raise rules.NothingCollected()
    with transaction() as tx:
        tx.update(
            request,
            [
                HelpRequest.objected_at.set(now),
                HelpRequest.objection.set(reason),
                *(timers.stop() if request.timer == "help.fulfil" else []),
                *attempt.remember(),
            ],
            when=HelpRequest.objected_at.does_not_exist() & HelpRequest.state.is_in("open", "covered"),
            or_raise=rules.AlreadyObjected(),
        )
        for carer in people.holders("grid_worker", request.area, now=now):
            notices.tell(
                tx,
                carer,
                "help_objected",
                about=request.id,
                now=now,
                area=request.area,
                title=request.title,
                reason=reason,
            )
        person.still(tx)
    request.objected_at, request.objection = now, reason
    return request


def withdraw(*, caller: Caller, request_id: str, attempt: Attempt, now: datetime) -> HelpRequest:
    """Take a request back; helpers who have not brought anything yet are told."""

    def take_back() -> HelpRequest:
        whole = read_whole(request_id)
        if attempt.made(whole.request):
            return whole.request
        person = _owner(caller, whole.request, now)
        end_without_help(whole, "withdrawn", now=now, by=person, attempt=attempt)
        return whole.request

    return settled(take_back)


def end_without_help(
    whole: Whole, state: str, *, now: datetime, by: Person | None = None, attempt: Attempt | None = None
) -> None:
    """Withdraw or expire a request. Its open offers end with it; goods already brought must be collected first."""
    request = whole.request
    rules.REQUEST.check(request.state, state, or_raise=rules.NotNow(detail="这条求助已经结束。"))
    if any(offer.state == "dropped_off" for offer in whole.offers):
        raise rules.GoodsWaiting()
    kind = {"withdrawn": "help_request_withdrawn", "expired": "help_request_expired"}[state]
    with transaction() as tx:
        _end(tx, request, state, now, attempt)
        for offer in whole.live:
            offering.end(tx, offer, "cancelled", now)
            notices.tell(tx, offer.helper, kind, about=request.id, now=now, title=request.title)
        if state == "expired" and request.owner:
            notices.tell(tx, request.owner, kind, about=request.id, now=now, title=request.title)
        if by:
            by.still(tx)
    request.state = state
    _forget_contact(request)


def _end(tx: transaction, request: HelpRequest, state: str, now: datetime, attempt: Attempt | None) -> None:
    tx.update(
        request,
        [
            HelpRequest.state.set(state),
            *HelpRequest.unlist(),
            *timers.stop(),
            *(attempt.remember() if attempt else []),
        ],
        when=(HelpRequest.state == request.state)
        & (HelpRequest.offered == int(request.offered))
        & (HelpRequest.collected == int(request.collected)),
        or_raise=Changed(),
    )
    if request.escalated_at is not None:
        tx.delete(Unanswered(request.pk, "UNANSWERED"))


def _forget_contact(request: HelpRequest) -> None:
    """Nobody needs the caller's name and phone any more once the request has ended."""
    if request.contact_sealed is not None:
        vault.destroy(request.id)


def _owner(caller: Caller, request: HelpRequest, now: datetime) -> Person:
    """The requester (or their delegate); for a request filed by staff, any carer of the area."""
    person = people.present(caller, now=now)
    if request.requester is None:
        person.must_hold(people_rules.CARERS, request.area)
    elif request.requester != person.id:
        staff = person.holds(people_rules.CARERS, request.area) if request.objected_at is not None else None
        if staff is None:
            raise rules.RequestGone() if request.state in ("in_review", "removed") else rules.NotYours()
        person.must_hold(people_rules.CARERS, request.area)
    return person
