"""How a request ends: fulfilled, withdrawn, expired, or with an objection that a person looks at."""

from __future__ import annotations

from datetime import datetime

import msgspec

from chalicelib.content import service as content
from chalicelib.content.models import Photo
from chalicelib.content.service import Screening
from chalicelib.help import offering, rules
from chalicelib.help.models import HelpRequest, Offer, Unanswered, partition
from chalicelib.help.quantities import as_read, settled
from chalicelib.help.sides import asker, not_helping, tell_asker
from chalicelib.kit import timers
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Action, Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import service as people
from chalicelib.people.service import Person
from chalicelib.points import service as points
from chalicelib.points.service import Earning
from chalicelib.wechat.content import Scene


class Whole(msgspec.Struct, frozen=True):
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


@settled
def confirm(*, caller: Caller, request_id: str, attempt: Attempt, now: datetime) -> HelpRequest:
    """The requester has got what was needed: the request is fulfilled, also when less than asked for came."""
    whole = read_whole(request_id)
    if attempt.made(whole.request):
        return whole.request
    person = _asker(caller, whole.request, now)
    not_helping(person, (offer for offer in whole.offers if offer.state == "collected"))
    fulfil(whole, now=now, by=person, attempt=attempt)
    return whole.request


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
            notices.tell(tx, offer.helper, "help_fulfilled", about=request.id, now=now, title=request.title)
        points.award(tx, *(_earning(request, offer) for offer in collected), now=now)
        if by:
            by.still(tx)
    request.state = "fulfilled"


def _earning(request: HelpRequest, offer: Offer) -> Earning:
    """Of each helper, once per offer. The cap per pair counts who asked; for somebody without WeChat, the request."""
    whom = request.requester or request.id
    return Earning("help", resident=offer.helper, subject=offer.id, area=request.area, with_whom=whom)


def object_to(*, caller: Caller, request_id: str, reason: str, attempt: Attempt, now: datetime) -> HelpRequest:
    """Something is wrong with what came: it is not taken for fulfilled by itself, and the grid worker is told."""
    screening: Screening | None = None

    @settled
    def object_to_it() -> HelpRequest:
        nonlocal screening
        whole = read_whole(request_id)
        request = whole.request
        if attempt.made(request):
            return request
        person = _asker(caller, request, now)
        if caller.id != request.requester:  # whose own word nothing may keep from being heard
            not_helping(person, whole.offers)
        _may_object(whole)
        screening = screening or content.screen(caller, scene=Scene.COMMENT, now=now, text=reason)
        request.objected_at, request.objection = now, reason
        request.objection_state = "shown" if screening.passed else "hidden"
        with person.acting() as tx:
            _note_objection(tx, request, attempt)
            content.hold(
                tx,
                screening,
                subject="help_objection",
                subject_pk=request.pk,
                subject_sk=request.sk,
                author_id=person.id,
                about_whom=[offer.helper for offer in whole.offers],
                area=request.area,
                excerpt=reason,
                now=now,
            )
            tell_of_objection(tx, request, now)
        return request

    return object_to_it()


def _may_object(whole: Whole) -> None:
    request = whole.request
    if request.objected_at is not None:
        raise rules.AlreadyObjected()
    if request.state not in ("open", "covered"):
        raise rules.NotNow(detail="这条求助已经结束。")
    if not any(offer.state in ("dropped_off", "collected") for offer in whole.offers):
        raise rules.NothingToObjectTo()


def _note_objection(tx: transaction, request: HelpRequest, attempt: Attempt) -> None:
    tx.update(
        request,
        [
            *HelpRequest.set(
                objected_at=request.objected_at, objection=request.objection, objection_state=request.objection_state
            ),
            *(timers.stop() if request.timer == "help.fulfil" else []),
            *attempt.remember(),
        ],
        when=HelpRequest.objected_at.does_not_exist() & as_read(request),
        or_raise=Changed(),
    )


def tell_of_objection(tx: transaction, request: HelpRequest, now: datetime) -> None:
    """Tell the grid worker at once; the words themselves stand in the request, once they may be seen."""
    for carer in people.holders("grid_worker", request.area, now=now):
        notices.tell(tx, carer, "help_objected", about=request.id, now=now, area=request.area, title=request.title)


@settled
def withdraw(*, caller: Caller, request_id: str, attempt: Attempt, now: datetime) -> HelpRequest:
    """Take a request back; helpers who have not brought anything yet are told."""
    whole = read_whole(request_id)
    if attempt.made(whole.request):
        return whole.request
    person = _asker(caller, whole.request, now)
    if int(whole.request.collected) and rules.REQUEST.allows(whole.request.state, "fulfilled"):
        raise rules.ConfirmInstead()
    end_without_help(whole, "withdrawn", now=now, by=person, attempt=attempt)
    return whole.request


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
        if state == "expired":
            tell_asker(tx, request, kind, now=now)
        if by:
            by.still(tx)
    request.state = state


def _end(tx: transaction, request: HelpRequest, state: str, now: datetime, attempt: Attempt | None) -> None:
    tx.update(
        request,
        [
            *HelpRequest.set(state=state, offered=int(request.collected)),
            *HelpRequest.unlist(),
            *let_go(request, now),
            *(attempt.remember() if attempt else []),
        ],
        when=as_read(request),
        or_raise=Changed(),
    )
    if request.escalated_at is not None:
        tx.delete(Unanswered(request.pk, "UNANSWERED"))


def let_go(request: HelpRequest, now: datetime) -> list[Action]:
    """No timer waits for a request that has ended, and nobody needs the caller's name and phone any more.

    The key to them is destroyed by a timer (`help.forget`), which tries until it has succeeded.
    """
    if request.requester is not None:
        return timers.stop()
    gone = HelpRequest.set(contact_sealed=None, person_key=None, person_sort=None)
    return [*gone, *timers.set_to(request.pk, "help.forget", now)]


def _asker(caller: Caller, request: HelpRequest, now: datetime) -> Person:
    """Who decides about a request; anybody else does not even learn of one that is hidden or over."""
    visible = request.state in ("open", "covered")
    return asker(
        people.present(caller, now=now), request, or_raise=rules.NotYours() if visible else rules.RequestGone()
    )
