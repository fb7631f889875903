"""Pictures of a post: up to nine, counted in the post itself, on the same way as everybody's."""

from __future__ import annotations

from datetime import datetime

from chalicelib.content import photos
from chalicelib.content.models import Photo
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Conflict
from chalicelib.kit.table import read_together
from chalicelib.kit.transaction import transaction
from chalicelib.people import service as people
from chalicelib.posts import publishing, rules
from chalicelib.posts.models import Post, partition


def add(*, caller: Caller, post_id: str, attempt: Attempt, now: datetime) -> Photo:
    """Make room for one more picture of a post; the phone then uploads it with the form."""
    person = people.present(caller, now=now)
    found, invited = read_together(Post.key(post_id), Photo.key(partition(post_id), attempt.id("photo")))
    post = publishing.named(found, post_id)
    publishing.may_change(person, post)
    if invited and attempt.made(invited):
        return invited  # type: ignore[no-any-return]
    if post.state not in ("in_review", "shown"):
        raise rules.NotNow(detail="这条信息已经结束，不能再加照片。")
    return photos.add(
        post, counter=Post.photos, person=person, author_id=person.id, area=post.area, attempt=attempt, now=now
    )


def remove(*, caller: Caller, post_id: str, photo_id: str, attempt: Attempt, now: datetime) -> None:
    """Take a picture off a post."""
    person = people.present(caller, now=now)
    found, photo = read_together(Post.key(post_id), Photo.key(partition(post_id), photo_id))
    post = publishing.named(found, post_id)
    publishing.may_change(person, post)
    if photo is None:
        raise rules.PostGone()
    if photo.state == "removed":
        return
    counted = photo.state != "refused"
    with person.acting() as tx:
        photos.remove(tx, photo, now=now)
        if counted:
            tx.update(post, [Post.photos.add(-1)], when=Post.photos > 0, or_raise=Conflict())


@photos.on_settled("POST")
def settled(tx: transaction, photo: Photo, *, shown: bool, now: datetime) -> None:
    """A picture that ended without being shown gives its place back."""
    if not shown:
        tx.update(Post(photo.pk, "POST"), [Post.photos.add(-1)])
