"""Finding posts: those of an area, my own, and one of them."""

from __future__ import annotations

from datetime import datetime

import msgspec

from chalicelib.areas import rules as areas
from chalicelib.content.models import Photo
from chalicelib.kit.auth import Caller
from chalicelib.kit.table import Item, Page, page
from chalicelib.people import service as people
from chalicelib.posts import rules
from chalicelib.posts.models import Alert, Post, listed, partition


class Whole(msgspec.Struct, frozen=True):
    """A post with everything that is shown with it. `alert` only of an urgent one that is or was shown."""

    post: Post
    photos: list[Photo]
    alert: Alert | None


def of_area(area: str, *, cursor: str | None, now: datetime) -> Page[Post]:
    """What was published to exactly this area, the newest first, by one Query."""
    if not areas.well_formed(area):
        raise areas.AreaUnknown(fields={"area": "没有这个区域"})
    found = page(Item.by_area, listed(area), of=Post, cursor=cursor)
    # The timer takes one off the list within a minute of its end.
    return Page([post for post in found if not rules.over(post, now)], found.next)


def mine(*, caller: Caller, cursor: str | None) -> Page[Post]:
    """What I have published, newest first, in whatever state."""
    return page(Item.by_person, f"POSTS_OF#{caller.id}", of=Post, cursor=cursor)


def look_at(post_id: str, *, caller: Caller, now: datetime) -> tuple[Whole, bool]:
    """A post, and whether the caller may see all about it: its author and those who look after its area.

    Anybody reads one that is shown or has ended: that is one Query, which reads nobody's duties.
    """
    whole = _read(post_id)
    if caller.id == whole.post.author:
        return whole, True
    if whole.post.state in rules.READABLE:
        return whole, False
    if people.present(caller, now=now).holds(rules.LOOKERS, whole.post.area) is None:
        raise rules.PostGone()
    return whole, True


def _read(post_id: str) -> Whole:
    found = list(Item.query(partition(post_id), Item.sk.between("ALERT", "POST"), consistent_read=True))
    post = next((item for item in found if isinstance(item, Post)), None)
    if post is None or post.id != post_id:
        raise rules.PostGone()
    alert = next((item for item in found if isinstance(item, Alert)), None)
    return Whole(post, [item for item in found if isinstance(item, Photo)], alert)
