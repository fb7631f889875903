"""Photos of a request: up to nine, counted in the request itself."""

from __future__ import annotations

from datetime import datetime

from chalicelib.content import photos
from chalicelib.content.models import Photo
from chalicelib.help import rules
from chalicelib.help.models import HelpRequest
from chalicelib.help.sides import speaker
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Conflict
from chalicelib.kit.transaction import transaction
from chalicelib.people import service as people


def add(*, caller: Caller, request_id: str, attempt: Attempt, now: datetime) -> Photo:
    """Make room for one more photo of my request; the phone then uploads it with the form."""
    key = HelpRequest.key(request_id)
    person, (request, invited) = people.present_with(caller, key, Photo.key(key.pk, attempt.id("photo")), now=now)
    if request is None:
        raise rules.RequestGone()
    person = speaker(caller, person, request, now=now, or_raise=rules.RequestGone())
    if invited and attempt.made(invited):
        return invited  # type: ignore[no-any-return]
    if request.state not in ("in_review", "open", "covered"):
        raise rules.NotNow(detail="这条求助已经结束，不能再加照片。")
    return photos.add(
        request,
        counter=HelpRequest.photos,
        person=person,
        author_id=request.requester,
        area=request.area,
        attempt=attempt,
        now=now,
    )


def remove(*, caller: Caller, request_id: str, photo_id: str, attempt: Attempt, now: datetime) -> None:
    """Take a photo off my request."""
    person, (request, photo) = people.present_with(
        caller, HelpRequest.key(request_id), Photo.key(HelpRequest.key(request_id).pk, photo_id), now=now
    )
    if request is None or photo is None:
        raise rules.RequestGone()
    person = speaker(caller, person, request, now=now, or_raise=rules.RequestGone())
    if photo.state == "removed":
        return
    counted = photo.state != "refused"
    with person.acting() as tx:
        photos.remove(tx, photo, now=now)
        if counted:
            tx.update(request, [HelpRequest.photos.add(-1)], when=HelpRequest.photos > 0, or_raise=Conflict())


@photos.on_settled("HELP")
def settled(tx: transaction, photo: Photo, *, shown: bool, now: datetime) -> None:
    """A photo that ended without being shown gives its place back."""
    if not shown:
        tx.update(HelpRequest(photo.pk, "REQUEST"), [HelpRequest.photos.add(-1)])
