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


def mine(*, caller: Caller, cursor: str | None, now: datetime) -> Page[Post]:
    """What I have published, newest first; where my duty has ended, only what everybody may read."""
    found = page(Item.by_person, f"POSTS_OF#{caller.id}", of=Post, cursor=cursor)
    if all(post.state in rules.READABLE for post in found):
        return found
    person = people.present(caller, now=now)
    seen = [post for post in found if post.state in rules.READABLE or person.holds(rules.LOOKERS, post.area)]
    return Page(seen, found.next)


def look_at(post_id: str, *, caller: Caller, now: datetime) -> tuple[Whole, bool]:
    """A post, and whether the caller may see all about it: those who look after its area now, its author among them.

    Anybody reads one that is shown or has ended: that is one Query, which reads nobody's duties but its author's.
    """
    whole = _read(post_id)
    post = whole.post
    if post.state in rules.READABLE and caller.id != post.author:
        return whole, False
    looks_after = people.present(caller, now=now).holds(rules.LOOKERS, post.area) is not None
    if not looks_after and post.state not in rules.READABLE:
        raise rules.PostGone()
    return whole, looks_after


def _read(post_id: str) -> Whole:
    found = list(Item.query(partition(post_id), Item.sk.between("ALERT", "POST"), consistent_read=True))
    post = next((item for item in found if isinstance(item, Post)), None)
    if post is None or post.id != post_id:
        raise rules.PostGone()
    alert = next((item for item in found if isinstance(item, Alert)), None)
    return Whole(post, [item for item in found if isinstance(item, Photo)], alert)
