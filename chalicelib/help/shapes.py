"""What help requests look like from outside: what is sent, what is answered, and who sees which part."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from chalicelib.areas.rules import AreaCode
from chalicelib.content import photos as content_photos
from chalicelib.content.photos import ContentType, PhotoView
from chalicelib.help import lists, rules
from chalicelib.help.lists import Seen
from chalicelib.help.models import HelpRequest, Message, Offer, Unanswered
from chalicelib.kit import clock
from chalicelib.kit.http import Body, Paged, Query, View

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
    contact_phone: Annotated[str, Meta(min_length=5, max_length=40)]


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
    """`code` is the pick-up code, in the eyes of the side that asked. A message not passed yet shows to its author."""

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


class RequestView(View, frozen=True):
    """`offers` holds all of them for the requester and for staff, one's own for a helper, none for others. `mine`: I asked,
    or look after the area of what staff asked for somebody."""

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


class ContactView(View, frozen=True):
    name: str
    phone: str


class CodePicture(View, frozen=True):
    """`picture` is a data URL: show it with `<image src=…>`."""

    code: str
    picture: str


class AlertView(View, frozen=True):
    on: bool


def _time(moment: datetime | None) -> datetime | None:
    return clock.local(moment) if moment else None


def line(request: HelpRequest) -> RequestLine:
    return RequestLine.of(request, area=request.community)


def view(seen: Seen, *, me: str) -> RequestView:
    whole, mine = seen.whole, seen.asks
    request = whole.request
    return RequestView.of(
        request,
        area=request.community,
        asked_by_delegate=request.by_name,
        filed_by_staff=request.requester is None,
        objection=request.objection if mine or (seen.complete and request.objection_state == "shown") else None,
        removed_reason=request.removed_reason if mine else None,
        mine=mine,
        photos=content_photos.views(whole.photos, author=mine),
        offers=[offer_view(offer, me=me, asks=mine) for offer in whole.offers],
    )


def offer_view(offer: Offer, *, me: str, asks: bool = False) -> OfferView:
    return OfferView.of(
        offer,
        message=offer.message if offer.message_state == "shown" or me == offer.helper else None,
        helper_by_delegate=offer.by_name,
        code=offer.code if asks and offer.state == "dropped_off" else None,
        thanks=offer.thanks if asks or offer.thanks_state == "shown" else None,
        mine=me == offer.helper,
    )


def message_view(message: Message, *, me: str) -> MessageView:
    return MessageView.of(message, by_delegate=message.by_name, mine=message.author == me)


def unanswered_line(item: Unanswered) -> UnansweredLine:
    return UnansweredLine.of(item)
