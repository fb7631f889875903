"""Help requests over HTTP."""

from __future__ import annotations

from datetime import datetime

import msgspec

from chalicelib.content import photos as content_photos
from chalicelib.content.photos import UploadForm
from chalicelib.help import alerts, asking, ending, handing_over, judging, lists, offering, pictures, shapes, talking
from chalicelib.help.ending import Whole
from chalicelib.help.lists import Seen
from chalicelib.help.models import HelpRequest
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.http import Listing, Paged, Routes, listing

routes = Routes(__name__)


def _wish(body: shapes.AskForHelp) -> asking.Wish:
    return msgspec.convert(body, asking.Wish, from_attributes=True)


@routes.post("/help-requests", status=201, delegable=True)
def ask(caller: Caller, body: shapes.AskForHelp, attempt: Attempt, now: datetime) -> shapes.RequestView:
    """Ask the neighbours for help. Hidden (`in_review`) while WeChat's content check has not passed it."""
    request = asking.ask(caller=caller, wish=_wish(body), attempt=attempt, now=now)
    return _asked(caller, request)


@routes.post("/help-requests/on-behalf", status=201)
def file_for(caller: Caller, body: shapes.FileForSomeone, attempt: Attempt, now: datetime) -> shapes.RequestView:
    """Staff of the area ask for somebody without WeChat, who called or came to the desk."""
    request = asking.file_for(caller=caller, wish=_wish(body), attempt=attempt, now=now)
    return _asked(caller, request)


def _asked(caller: Caller, request: HelpRequest) -> shapes.RequestView:
    return shapes.view(Seen(Whole(request, [], []), asks=True, complete=True), me=caller.principal)


@routes.post("/help-requests/{request_id}/contact")
def show_contact(
    caller: Caller, request_id: str, body: shapes.ShowContact, attempt: Attempt, now: datetime
) -> shapes.ContactView:
    """Whom staff filed this request for. The look is written down with its reason."""
    contact = asking.show_contact(caller=caller, request_id=request_id, reason=body.reason, attempt=attempt, now=now)
    return shapes.ContactView(name=contact.name, phone=contact.phone)


@routes.get("/help-requests")
def open_in(caller: Caller, query: shapes.OpenIn) -> Listing[shapes.RequestLine]:
    """Open requests of a community, the most urgent (or the newest) first."""
    found = lists.open_in(query.area, order=query.order, cursor=query.cursor)
    return listing(found, shapes.line)


@routes.get("/help-requests/mine", delegable=True)
def mine(caller: Caller, query: Paged) -> Listing[shapes.RequestLine]:
    """What I asked, in whatever state, newest first."""
    found = lists.mine(caller=caller, cursor=query.cursor)
    return listing(found, shapes.line)


@routes.get("/help-requests/helping", delegable=True)
def helping(caller: Caller, query: Paged) -> Listing[shapes.OfferView]:
    """My offers, newest first."""
    found = lists.helping(caller=caller, cursor=query.cursor)
    return listing(found, lambda offer: shapes.offer_view(offer, me=caller.principal))


@routes.get("/help-requests/unanswered")
def unanswered(caller: Caller, query: shapes.OfArea, now: datetime) -> Listing[shapes.UnansweredLine]:
    """Requests nobody has answered in time, for the staff of the area, the oldest first."""
    found = lists.unanswered(caller=caller, area=query.area, cursor=query.cursor, now=now)
    return listing(found, shapes.unanswered_line)


@routes.get("/help-requests/filed")
def filed(caller: Caller, query: shapes.OfArea, now: datetime) -> Listing[shapes.RequestLine]:
    """What staff asked for people without WeChat and is not over, for those who look after the area, by place."""
    found = lists.filed(caller=caller, area=query.area, cursor=query.cursor, now=now)
    return listing(found, shapes.line)


@routes.get("/help-requests/{request_id}", delegable=True)
def look_at(caller: Caller, request_id: str, query: shapes.LookAt, now: datetime) -> shapes.RequestView:
    """One request."""
    seen = lists.look_at(request_id, caller=caller, as_staff=query.as_staff, now=now)
    return shapes.view(seen, me=caller.principal)


@routes.post("/help-requests/{request_id}/withdraw", delegable=True)
def withdraw(caller: Caller, request_id: str, attempt: Attempt, now: datetime) -> shapes.RequestLine:
    """Take my request back."""
    return shapes.line(ending.withdraw(caller=caller, request_id=request_id, attempt=attempt, now=now))


@routes.post("/help-requests/{request_id}/confirm", delegable=True)
def confirm(caller: Caller, request_id: str, attempt: Attempt, now: datetime) -> shapes.RequestLine:
    """I have got what I needed: the request is fulfilled."""
    return shapes.line(ending.confirm(caller=caller, request_id=request_id, attempt=attempt, now=now))


@routes.post("/help-requests/{request_id}/object", delegable=True)
def object_to(
    caller: Caller, request_id: str, body: shapes.ObjectTo, attempt: Attempt, now: datetime
) -> shapes.RequestLine:
    """Something was wrong with what came; the grid worker is told."""
    return shapes.line(
        ending.object_to(caller=caller, request_id=request_id, reason=body.reason, attempt=attempt, now=now)
    )


@routes.post("/help-requests/{request_id}/flags", status=204)
def flag(caller: Caller, request_id: str, body: shapes.FlagIt, attempt: Attempt, now: datetime) -> None:
    """This should not stand here. Three flags by different residents hide it until a moderator decides."""
    judging.flag(caller=caller, request_id=request_id, reason=body.reason, text=body.text, attempt=attempt, now=now)


@routes.post("/help-requests/{request_id}/photos", status=201, delegable=True)
def add_photo(caller: Caller, request_id: str, body: shapes.AddPhoto, attempt: Attempt, now: datetime) -> UploadForm:
    """A form with which the phone uploads one photo (JPEG or PNG, 5 MB at most) within five minutes."""
    photo = pictures.add(caller=caller, request_id=request_id, attempt=attempt, now=now)
    return content_photos.upload_form(photo, body.content_type, now=now)


@routes.post("/help-requests/{request_id}/photos/{photo_id}/remove", delegable=True)
def remove_photo(caller: Caller, request_id: str, photo_id: str, attempt: Attempt, now: datetime) -> None:
    """Take a photo off my request."""
    pictures.remove(caller=caller, request_id=request_id, photo_id=photo_id, attempt=attempt, now=now)


@routes.post("/help-requests/{request_id}/offers", status=201, delegable=True)
def offer(caller: Caller, request_id: str, body: shapes.OfferHelp, attempt: Attempt, now: datetime) -> shapes.OfferView:
    """Offer to help with a quantity of what is needed."""
    new = offering.offer(
        caller=caller,
        request_id=request_id,
        quantity=body.quantity,
        message=body.message,
        attempt=attempt,
        now=now,
    )
    return shapes.offer_view(new, me=caller.principal)


@routes.post("/help-requests/{request_id}/offers/{offer_id}/drop-off", delegable=True)
def drop_off(caller: Caller, request_id: str, offer_id: str, attempt: Attempt, now: datetime) -> shapes.OfferView:
    """I have left the goods at the drop point, or done what was asked."""
    brought = handing_over.drop_off(caller=caller, request_id=request_id, offer_id=offer_id, attempt=attempt, now=now)
    return shapes.offer_view(brought, me=caller.principal)


@routes.post("/help-requests/{request_id}/offers/{offer_id}/collect", delegable=True)
def collect(caller: Caller, request_id: str, offer_id: str, attempt: Attempt, now: datetime) -> shapes.OfferView:
    """I have fetched the goods (or the help was given)."""
    fetched = handing_over.collect(caller=caller, request_id=request_id, offer_id=offer_id, attempt=attempt, now=now)
    return shapes.offer_view(fetched, me=caller.principal)


@routes.post("/help-requests/{request_id}/offers/{offer_id}/cancel", delegable=True)
def cancel(caller: Caller, request_id: str, offer_id: str, attempt: Attempt, now: datetime) -> shapes.OfferView:
    """Call an offer off, as its helper or as the requester. Its quantity opens again."""
    ended = offering.cancel(caller=caller, request_id=request_id, offer_id=offer_id, attempt=attempt, now=now)
    return shapes.offer_view(ended, me=caller.principal)


@routes.post("/help-requests/{request_id}/offers/{offer_id}/thanks", delegable=True)
def thank(
    caller: Caller, request_id: str, offer_id: str, body: shapes.Thank, attempt: Attempt, now: datetime
) -> shapes.OfferView:
    """Thank the helper with a sentence, once."""
    thanked = talking.thank(
        caller=caller, request_id=request_id, offer_id=offer_id, text=body.text, attempt=attempt, now=now
    )
    return shapes.offer_view(thanked, me=caller.principal, asks=True)


@routes.get("/help-requests/{request_id}/offers/{offer_id}/messages", delegable=True)
def read_messages(caller: Caller, request_id: str, offer_id: str, now: datetime) -> shapes.MessageList:
    """The messages between helper and requester, oldest first."""
    messages = talking.read(caller=caller, request_id=request_id, offer_id=offer_id, now=now)
    return shapes.MessageList(items=[shapes.message_view(message, me=caller.principal) for message in messages])


@routes.post("/help-requests/{request_id}/offers/{offer_id}/messages", status=201, delegable=True)
def write_message(
    caller: Caller, request_id: str, offer_id: str, body: shapes.WriteMessage, attempt: Attempt, now: datetime
) -> shapes.MessageView:
    """Write to the other side of an offer."""
    message = talking.write(
        caller=caller, request_id=request_id, offer_id=offer_id, text=body.text, attempt=attempt, now=now
    )
    return shapes.message_view(message, me=caller.principal)


@routes.get("/help-requests/{request_id}/offers/{offer_id}/code", delegable=True)
def code_picture(caller: Caller, request_id: str, offer_id: str, now: datetime) -> shapes.CodePicture:
    """My pick-up code as a picture that staff scan with WeChat."""
    code, picture = handing_over.code_picture(caller=caller, request_id=request_id, offer_id=offer_id, now=now)
    return shapes.CodePicture(code=code, picture=picture)


@routes.post("/pick-ups")
def collect_by_code(caller: Caller, body: shapes.PickUpCode, attempt: Attempt, now: datetime) -> shapes.OfferView:
    """Staff at the drop point hand the goods over to whoever shows the pick-up code."""
    handed = handing_over.collect_by_code(caller=caller, code=body.code, attempt=attempt, now=now)
    return shapes.offer_view(handed, me=caller.id)


@routes.get("/me/help-alerts")
def alerts_wanted(caller: Caller) -> shapes.AlertView:
    """Whether I hear of new requests in my community."""
    return shapes.AlertView(on=alerts.wanted(caller=caller))


@routes.put("/me/help-alerts")
def switch_alerts(caller: Caller, body: shapes.Alert, now: datetime) -> shapes.AlertView:
    """Whether I want to hear of new requests in my community, a few a day at most."""
    return shapes.AlertView(on=alerts.switch(caller=caller, on=body.on, now=now))
