"""Posts over HTTP."""

from __future__ import annotations

from datetime import datetime

import msgspec

from chalicelib.content import photos as content_photos
from chalicelib.content.photos import UploadForm
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.http import Listing, Paged, Routes, listing
from chalicelib.posts import lists, pictures, publishing, reading, shapes
from chalicelib.posts.lists import Whole

routes = Routes(__name__)


@routes.post("/posts", status=201)
def publish(caller: Caller, body: shapes.Publish, attempt: Attempt, now: datetime) -> shapes.PostView:
    """Staff tell an area of theirs something. Hidden (`in_review`) while the content check has not passed it."""
    draft = msgspec.convert(body, publishing.Draft, from_attributes=True)
    post = publishing.publish(caller=caller, draft=draft, attempt=attempt, now=now)
    return shapes.view(Whole(post, [], None), me=caller.id, complete=True)


@routes.get("/posts")
def of_area(caller: Caller, query: shapes.OfArea, now: datetime) -> Listing[shapes.PostLine]:
    """What was published to an area, newest first. Ask for each area that my home lies in, from the district down."""
    found = lists.of_area(query.area, cursor=query.cursor, now=now)
    return listing(found, shapes.line)


@routes.get("/posts/mine")
def mine(caller: Caller, query: Paged, now: datetime) -> Listing[shapes.PostLine]:
    """What I have published, newest first, as long as I look after its area in whatever state."""
    found = lists.mine(caller=caller, cursor=query.cursor, now=now)
    return listing(found, shapes.line)


@routes.get("/posts/{post_id}")
def look_at(caller: Caller, post_id: str, now: datetime) -> shapes.PostView:
    """One post."""
    whole, everything = lists.look_at(post_id, caller=caller, now=now)
    return shapes.view(whole, me=caller.id, complete=everything)


@routes.post("/posts/{post_id}/read")
def read(caller: Caller, post_id: str, attempt: Attempt, now: datetime) -> shapes.ReadView:
    """I have read it: points, once per post, where I live. Nothing else is kept of who read what."""
    credited = reading.read(caller=caller, post_id=post_id, now=now)
    return shapes.ReadView(points=credited.points, reason=credited.reason, detail=credited.detail)


@routes.post("/posts/{post_id}/withdraw")
def withdraw(caller: Caller, post_id: str, attempt: Attempt, now: datetime) -> shapes.PostLine:
    """Take a post back, as staff of its area, whoever has published it."""
    return shapes.line(publishing.withdraw(caller=caller, post_id=post_id, attempt=attempt, now=now))


@routes.post("/posts/{post_id}/photos", status=201)
def add_photo(caller: Caller, post_id: str, body: shapes.AddPhoto, attempt: Attempt, now: datetime) -> UploadForm:
    """A form with which the phone uploads one picture (JPEG or PNG, 5 MB at most) within five minutes."""
    photo = pictures.add(caller=caller, post_id=post_id, attempt=attempt, now=now)
    return content_photos.upload_form(photo, body.content_type, now=now)


@routes.post("/posts/{post_id}/photos/{photo_id}/remove")
def remove_photo(caller: Caller, post_id: str, photo_id: str, attempt: Attempt, now: datetime) -> None:
    """Take a picture off a post."""
    pictures.remove(caller=caller, post_id=post_id, photo_id=photo_id, attempt=attempt, now=now)
