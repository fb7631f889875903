"""What posts look like from outside."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from chalicelib.areas.rules import AreaCode
from chalicelib.content import photos as content_photos
from chalicelib.content.photos import ContentType, PhotoView
from chalicelib.kit import clock
from chalicelib.kit.http import Body, Paged, View
from chalicelib.people.rules import ROLE_NAMES
from chalicelib.posts.lists import Whole
from chalicelib.posts.models import Post


class Publish(Body, frozen=True):
    """`urgent`: pushed, at any hour, to everybody in the area who can be pushed to. `ends_at` carries its zone."""

    title: Annotated[str, Meta(min_length=2, max_length=40, pattern=r"\S")]
    text: Annotated[str, Meta(min_length=1, max_length=2000, pattern=r"\S")]
    area: AreaCode
    urgent: bool = False
    ends_at: Annotated[datetime, Meta(tz=True)] | None = None


class AddPhoto(Body, frozen=True):
    content_type: ContentType = "image/jpeg"


class OfArea(Paged, frozen=True, kw_only=True):
    """Posts published to exactly this area. A resident's posts are those of each area their home lies in: ask for each."""

    area: AreaCode


class PostLine(View, frozen=True):
    id: str
    state: str
    title: str
    area: str
    urgent: bool
    author_name: str
    author_role: str
    photos: int
    created_at: datetime
    shown_at: datetime | None
    ends_at: datetime | None


class PostView(View, frozen=True):
    """`told`: how many phones an urgent post was sent to, for its author and the staff; `all_told` when it is done."""

    id: str
    state: str
    title: str
    text: str
    area: str
    urgent: bool
    author_name: str
    author_role: str
    created_at: datetime
    shown_at: datetime | None
    ends_at: datetime | None
    photos: list[PhotoView]
    mine: bool
    removed_reason: str | None
    told: int | None
    all_told: bool | None


class ReadView(View, frozen=True):
    """`points`: what this post has given me, now or before. With 0, `reason` and `detail` say why."""

    points: int
    reason: str | None
    detail: str | None


def line(post: Post) -> PostLine:
    return PostLine.of(post, author_role=ROLE_NAMES.get(post.author_role, post.author_role))


def view(whole: Whole, *, me: str, complete: bool) -> PostView:
    post, alert = whole.post, whole.alert if complete else None
    return PostView.of(
        post,
        author_role=ROLE_NAMES.get(post.author_role, post.author_role),
        photos=content_photos.views(whole.photos, author=complete),
        mine=complete and me == post.author,
        removed_reason=post.removed_reason if complete else None,
        told=int(alert.told) if alert else None,
        all_told=alert.done_at is not None if alert else None,
    )


def _time(moment: datetime | None) -> datetime | None:
    return clock.local(moment) if moment else None
