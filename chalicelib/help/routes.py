"""Help requests over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib.content import photos as content_photos
from chalicelib.content.photos import ContentType, PhotoView, UploadForm
from chalicelib.help import alerts, asking, ending, judging, lists, offering, pictures, rules, talking
from chalicelib.help.ending import Whole
from chalicelib.help.models import HelpRequest, Message, Offer, Unanswered
from chalicelib.kit import clock
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.http import Body, Paged, Query, Routes, View

routes = Routes(__name__)

AreaCode = Annotated[str, Meta(min_length=6, max_length=18, pattern="^[0-9]+$")]
Quantity = Annotated[int, Meta(ge=1, le=9999)]
Title = Annotated[str, Meta(min_length=2, max_length=40, pattern=r"\S")]
Text = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"\S")]
Sentence = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
Unit = Annotated[str, Meta(min_length=1, max_length=6, pattern=r"\S")]


class AskForHelp(Body, frozen=True):
    """For anything but goods, `quantity` is how many neighbours are wanted. `needed_by` carries its zone.

    Without an `area` it is asked in the community the resident lives in.
    """

    what: rules.Kind
    title: Title
    text: Text
    quantity: Quantity = 1
    unit: Unit = "人"
    urgency: rules.Urgency = "normal"
    needed_by: Annotated[datetime, Meta(tz=True)] | None = None
    area: AreaCode | None = None
    drop_point: Annotated[str, Meta(min_length=1, max_length=40)] | None = None


class FileForSomeone(AskForHelp, frozen=True, kw_only=True):
    """Filed by staff for somebody without WeChat. Name and phone are sealed."""

    area: AreaCode
    contact_name: Annotated[str, Meta(min_length=1, max_length=20, pattern=r"\S")]
    contact_phone: Annotated[str, Meta(min_length=5, max_length=20, pattern=r"^[0-9+\- ]+$")]


class ShowContact(Body, frozen=True):
    reason: Annotated[str, Meta(min_length=4, max_length=100, pattern=r"\S")]


class OfferHelp(Body, frozen=True):
    quantity: Quantity = 1
    message: Annotated[str, Meta(max_length=200)] = ""


class WriteMessage(Body, frozen=True):
    text: Sentence


class Thank(Body, frozen=True):
    text: Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\S")]


class ObjectTo(Body, frozen=True):
    reason: Sentence


class FlagIt(Body, frozen=True):
    reason: rules.FlagReason
    text: Annotated[str, Meta(max_length=200)] = ""


class PickUpCode(Body, frozen=True):
    code: Annotated[str, Meta(min_length=8, max_length=16)]


class AddPhoto(Body, frozen=True):
    content_type: ContentType = "image/jpeg"


class Alert(Body, frozen=True):
    on: bool


class OpenIn(Paged, frozen=True, kw_only=True):
    area: AreaCode
    order: lists.Order = "urgent"


class LookAt(Query, frozen=True):
    """`as_staff`: with everything those who care for the area may see."""

    as_staff: bool = False


class OfArea(Paged, frozen=True, kw_only=True):
    area: AreaCode


class OfferView(View, frozen=True):
    """`code` is the pick-up code, in the requester's eyes only. A message not passed yet shows to its author."""

    id: str
    request_id: str
    title: str
    what: str
    state: str
    quantity: int
    unit: str
    message: str | None
    helper_name: str
    helper_by_delegate: str | None
    requester_name: str
    drop_point_name: str | None
    code: str | None
    thanks: str | None
    created_at: datetime
    dropped_off_at: datetime | None
    collected_at: datetime | None
    mine: bool


class RequestLine(View, frozen=True):
    id: str
    state: str
    what: str
    title: str
    quantity: int
    offered: int
    unit: str
    urgency: str
    area: str
    requester_name: str
    photos: int
    created_at: datetime
    needed_by: datetime | None


class RequestList(View, frozen=True):
    items: list[RequestLine]
    next: str | None


class RequestView(View, frozen=True):
    """`offers` holds all of them for the requester and for staff, one's own for a helper, none for others."""

    id: str
    state: str
    what: str
    title: str
    text: str
    quantity: int
    offered: int
    collected: int
    unit: str
    urgency: str
    area: str
    drop_point: str | None
    drop_point_name: str | None
    requester_name: str
    asked_by_delegate: str | None
    filed_by_staff: bool
    created_at: datetime
    needed_by: datetime | None
    open_until: datetime
    objection: str | None
    removed_reason: str | None
    mine: bool
    photos: list[PhotoView]
    offers: list[OfferView]


class OfferList(View, frozen=True):
    items: list[OfferView]
    next: str | None


class MessageView(View, frozen=True):
    id: str
    text: str
    state: str
    author_name: str
    by_delegate: str | None
    mine: bool
    sent_at: datetime


class MessageList(View, frozen=True):
    items: list[MessageView]


class UnansweredLine(View, frozen=True):
    request_id: str
    title: str
    urgency: str
    area: str
    asked_at: datetime


class UnansweredList(View, frozen=True):
    items: list[UnansweredLine]
    next: str | None


class ContactView(View, frozen=True):
    name: str
    phone: str


class AlertView(View, frozen=True):
    on: bool


def _time(moment: datetime | None) -> datetime | None:
    return clock.local(moment) if moment else None


def line(request: HelpRequest) -> RequestLine:
    return RequestLine(
        id=request.id,
        state=request.state,
        what=request.what,
        title=request.title,
        quantity=int(request.quantity),
        offered=int(request.offered),
        unit=request.unit,
        urgency=request.urgency,
        area=request.community,
        requester_name=request.requester_name,
        photos=int(request.photos),
        created_at=clock.local(request.created_at),
        needed_by=_time(request.needed_by),
    )


def view(whole: Whole, *, me: str, complete: bool = False) -> RequestView:
    request = whole.request
    mine = me == request.owner
    return RequestView(
        id=request.id,
        state=request.state,
        what=request.what,
        title=request.title,
        text=request.text,
        quantity=int(request.quantity),
        offered=int(request.offered),
        collected=int(request.collected),
        unit=request.unit,
        urgency=request.urgency,
        area=request.community,
        drop_point=request.drop_point,
        drop_point_name=request.drop_point_name,
        requester_name=request.requester_name,
        asked_by_delegate=request.by_name,
        filed_by_staff=request.filed_by is not None,
        created_at=clock.local(request.created_at),
        needed_by=_time(request.needed_by),
        open_until=clock.local(request.open_until),
        objection=request.objection if mine or (complete and request.objection_state == "shown") else None,
        removed_reason=request.removed_reason if mine else None,
        mine=mine,
        photos=content_photos.views(whole.photos, author=mine),
        offers=[offer_view(offer, me=me) for offer in whole.offers],
    )


def offer_view(offer: Offer, *, me: str) -> OfferView:
    return OfferView(
        id=offer.id,
        request_id=offer.request_id,
        title=offer.title,
        what=offer.what,
        state=offer.state,
        quantity=int(offer.quantity),
        unit=offer.unit,
        message=offer.message if offer.message_state == "shown" or me == offer.helper else None,
        helper_name=offer.helper_name,
        helper_by_delegate=offer.by_name,
        requester_name=offer.requester_name,
        drop_point_name=offer.drop_point_name,
        code=offer.code if me == offer.requester and offer.state == "dropped_off" else None,
        thanks=offer.thanks if offer.thanks_state == "shown" or me == offer.requester else None,
        created_at=clock.local(offer.created_at),
        dropped_off_at=_time(offer.dropped_off_at),
        collected_at=_time(offer.collected_at),
        mine=me == offer.helper,
    )


def message_view(message: Message, *, me: str) -> MessageView:
    return MessageView(
        id=message.id,
        text=message.text,
        state=message.state,
        author_name=message.author_name,
        by_delegate=message.by_name,
        mine=message.author == me,
        sent_at=clock.local(message.sent_at),
    )


def _unanswered_line(item: Unanswered) -> UnansweredLine:
    return UnansweredLine(
        request_id=item.request_id,
        title=item.title,
        urgency=item.urgency,
        area=item.area,
        asked_at=clock.local(item.asked_at),
    )


def _wish(body: AskForHelp) -> asking.Wish:
    return msgspec.convert(body, asking.Wish, from_attributes=True)


@routes.post("/help-requests", status=201, delegable=True)
def ask(caller: Caller, body: AskForHelp, attempt: Attempt, now: datetime) -> RequestView:
    """Ask the neighbours for help. Hidden (`in_review`) while WeChat's content check has not passed it."""
    request = asking.ask(caller=caller, wish=_wish(body), attempt=attempt, now=now)
    return view(Whole(request, [], []), me=caller.principal)


@routes.post("/help-requests/on-behalf", status=201)
def file_for(caller: Caller, body: FileForSomeone, attempt: Attempt, now: datetime) -> RequestView:
    """Staff of the area ask for somebody without WeChat, who called or came to the desk."""
    request = asking.file_for(caller=caller, wish=_wish(body), attempt=attempt, now=now)
    return view(Whole(request, [], []), me=caller.id)


@routes.post("/help-requests/{request_id}/contact")
def show_contact(caller: Caller, request_id: str, body: ShowContact, attempt: Attempt, now: datetime) -> ContactView:
    """Whom staff filed this request for. The look is written down with its reason."""
    contact = asking.show_contact(caller=caller, request_id=request_id, reason=body.reason, attempt=attempt, now=now)
    return ContactView(name=contact.name, phone=contact.phone)


@routes.get("/help-requests")
def open_in(caller: Caller, query: OpenIn) -> RequestList:
    """Open requests of a community, the most urgent (or the newest) first."""
    found = lists.open_in(query.area, order=query.order, cursor=query.cursor)
    return RequestList(items=[line(request) for request in found], next=found.next)


@routes.get("/help-requests/mine", delegable=True)
def mine(caller: Caller, query: Paged) -> RequestList:
    """What I asked, in whatever state, newest first."""
    found = lists.mine(caller=caller, cursor=query.cursor)
    return RequestList(items=[line(request) for request in found], next=found.next)


@routes.get("/help-requests/helping", delegable=True)
def helping(caller: Caller, query: Paged) -> OfferList:
    """My offers, newest first."""
    found = lists.helping(caller=caller, cursor=query.cursor)
    return OfferList(items=[offer_view(offer, me=caller.principal) for offer in found], next=found.next)


@routes.get("/help-requests/unanswered")
def unanswered(caller: Caller, query: OfArea, now: datetime) -> UnansweredList:
    """Requests nobody has answered in time, for the staff of the area, the oldest first."""
    found = lists.unanswered(caller=caller, area=query.area, cursor=query.cursor, now=now)
    return UnansweredList(items=[_unanswered_line(item) for item in found], next=found.next)


@routes.get("/help-requests/{request_id}", delegable=True)
def look_at(caller: Caller, request_id: str, query: LookAt, now: datetime) -> RequestView:
    """One request."""
    whole, everything = lists.look_at(request_id, caller=caller, as_staff=query.as_staff, now=now)
    return view(whole, me=caller.principal, complete=everything)


@routes.post("/help-requests/{request_id}/withdraw", delegable=True)
def withdraw(caller: Caller, request_id: str, attempt: Attempt, now: datetime) -> RequestLine:
    """Take my request back."""
    return line(ending.withdraw(caller=caller, request_id=request_id, attempt=attempt, now=now))


@routes.post("/help-requests/{request_id}/confirm", delegable=True)
def confirm(caller: Caller, request_id: str, attempt: Attempt, now: datetime) -> RequestLine:
    """I have got what I needed: the request is fulfilled."""
    return line(ending.confirm(caller=caller, request_id=request_id, attempt=attempt, now=now))


@routes.post("/help-requests/{request_id}/object", delegable=True)
def object_to(caller: Caller, request_id: str, body: ObjectTo, attempt: Attempt, now: datetime) -> RequestLine:
    """Something was wrong with what came; the grid worker is told."""
    return line(ending.object_to(caller=caller, request_id=request_id, reason=body.reason, attempt=attempt, now=now))


@routes.post("/help-requests/{request_id}/flags", status=204)
def flag(caller: Caller, request_id: str, body: FlagIt, attempt: Attempt, now: datetime) -> None:
    """This should not stand here. Three flags by different residents hide it until a moderator decides."""
    judging.flag(caller=caller, request_id=request_id, reason=body.reason, text=body.text, attempt=attempt, now=now)


@routes.post("/help-requests/{request_id}/photos", status=201, delegable=True)
def add_photo(caller: Caller, request_id: str, body: AddPhoto, attempt: Attempt, now: datetime) -> UploadForm:
    """A form with which the phone uploads one photo (JPEG or PNG, 5 MB at most) within five minutes."""
    photo = pictures.add(caller=caller, request_id=request_id, attempt=attempt, now=now)
    return content_photos.upload_form(photo, body.content_type, now=now)


@routes.post("/help-requests/{request_id}/photos/{photo_id}/remove", delegable=True)
def remove_photo(caller: Caller, request_id: str, photo_id: str, attempt: Attempt, now: datetime) -> None:
    """Take a photo off my request."""
    pictures.remove(caller=caller, request_id=request_id, photo_id=photo_id, attempt=attempt, now=now)


@routes.post("/help-requests/{request_id}/offers", status=201, delegable=True)
def offer(caller: Caller, request_id: str, body: OfferHelp, attempt: Attempt, now: datetime) -> OfferView:
    """Offer to help with a quantity of what is needed."""
    new = offering.offer(
        caller=caller,
        request_id=request_id,
        quantity=body.quantity,
        message=body.message,
        attempt=attempt,
        now=now,
    )
    return offer_view(new, me=caller.principal)


@routes.post("/help-requests/{request_id}/offers/{offer_id}/drop-off", delegable=True)
def drop_off(caller: Caller, request_id: str, offer_id: str, attempt: Attempt, now: datetime) -> OfferView:
    """I have left the goods at the drop point, or done what was asked."""
    brought = offering.drop_off(caller=caller, request_id=request_id, offer_id=offer_id, attempt=attempt, now=now)
    return offer_view(brought, me=caller.principal)


@routes.post("/help-requests/{request_id}/offers/{offer_id}/collect", delegable=True)
def collect(caller: Caller, request_id: str, offer_id: str, attempt: Attempt, now: datetime) -> OfferView:
    """I have fetched the goods (or the help was given)."""
    fetched = offering.collect(caller=caller, request_id=request_id, offer_id=offer_id, attempt=attempt, now=now)
    return offer_view(fetched, me=caller.principal)


@routes.post("/help-requests/{request_id}/offers/{offer_id}/cancel", delegable=True)
def cancel(caller: Caller, request_id: str, offer_id: str, attempt: Attempt, now: datetime) -> OfferView:
    """Call an offer off, as its helper or as the requester. Its quantity opens again."""
    ended = offering.cancel(caller=caller, request_id=request_id, offer_id=offer_id, attempt=attempt, now=now)
    return offer_view(ended, me=caller.principal)


@routes.post("/help-requests/{request_id}/offers/{offer_id}/thanks", delegable=True)
def thank(caller: Caller, request_id: str, offer_id: str, body: Thank, attempt: Attempt, now: datetime) -> OfferView:
    """Thank the helper with a sentence, once."""
    thanked = talking.thank(
        caller=caller, request_id=request_id, offer_id=offer_id, text=body.text, attempt=attempt, now=now
    )
    return offer_view(thanked, me=caller.principal)


@routes.get("/help-requests/{request_id}/offers/{offer_id}/messages", delegable=True)
def read_messages(caller: Caller, request_id: str, offer_id: str) -> MessageList:
    """The messages between helper and requester, oldest first."""
    messages = talking.read(caller=caller, request_id=request_id, offer_id=offer_id)
    return MessageList(items=[message_view(message, me=caller.principal) for message in messages])


@routes.post("/help-requests/{request_id}/offers/{offer_id}/messages", status=201, delegable=True)
def write_message(
    caller: Caller, request_id: str, offer_id: str, body: WriteMessage, attempt: Attempt, now: datetime
) -> MessageView:
    """Write to the other side of an offer."""
    message = talking.write(
        caller=caller, request_id=request_id, offer_id=offer_id, text=body.text, attempt=attempt, now=now
    )
    return message_view(message, me=caller.principal)


@routes.post("/pick-ups")
def collect_by_code(caller: Caller, body: PickUpCode, attempt: Attempt, now: datetime) -> OfferView:
    """Staff at the drop point hand the goods over to whoever shows the pick-up code."""
    handed = offering.collect_by_code(caller=caller, code=body.code, attempt=attempt, now=now)
    return offer_view(handed, me=caller.id)


@routes.get("/me/help-alerts")
def alerts_wanted(caller: Caller) -> AlertView:
    """Whether I hear of new requests in my community."""
    return AlertView(on=alerts.wanted(caller=caller))


@routes.put("/me/help-alerts")
def switch_alerts(caller: Caller, body: Alert, now: datetime) -> AlertView:
    """Whether I want to hear of new requests in my community, a few a day at most."""
    return AlertView(on=alerts.switch(caller=caller, on=body.on, now=now))
