"""Photos of a subject: invited, uploaded to S3 by the phone, shown once checked, removed.

    photo = photos.add(request, counter=HelpRequest.photos, person=person, area=request.area, attempt=attempt, now=now)
    return photos.upload_form(photo, now=now)

What happens between upload and verdict: `uploads` and `photo_checks`. A slice that counts its photos, or that must do
something once one is shown, registers with `on_settled`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal, TypeVar

from chalicelib.content import bucket, reviews, rules, service
from chalicelib.content.models import Photo
from chalicelib.kit import clock, limits, timers
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.errors import Conflict
from chalicelib.kit.http import View
from chalicelib.kit.table import Action, Condition, Item, NumberAttribute
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people.in_charge import whom_to_tell
from chalicelib.people.service import Person

ContentType = Literal["image/jpeg", "image/png"]

_LINK_LIFE = timedelta(hours=1)
_SAME_LINK_FOR = timedelta(minutes=30)
_TIDY_AFTER = timedelta(minutes=2)

Settled = Callable[..., None]
S = TypeVar("S", bound=Settled)
_settled: dict[str, Settled] = {}


class UploadForm(View, frozen=True):
    """What the phone sends with the file (`wx.uploadFile`: `url`, `formData` = fields, `name` = "file")."""

    photo_id: str
    url: str
    fields: dict[str, str]
    largest_bytes: int
    good_until: datetime


class PhotoView(View, frozen=True):
    """`state`: awaited, checking, held (a moderator looks), shown, refused. Links only for shown ones."""

    id: str
    state: str
    url: str | None = None
    thumbnail: str | None = None
    width: int | None = None
    height: int | None = None
    reason: str | None = None


class AlreadyInvited(Conflict):
    """This very request has invited a photo before: `invited` finds it."""


def on_settled(prefix: str) -> Callable[[S], S]:
    """Register `handler(tx, photo, *, shown: bool, now)` for photos of subjects whose key starts so, e.g. `HELP`.

    Called inside the transaction by which a photo comes to be shown, or ends without: refused, or never
    uploaded. (A counted photo that ends without gives its place back here.)
    """

    def register(handler: S) -> S:
        if prefix in _settled:
            raise ValueError(f"two handlers for settled photos of {prefix}")
        _settled[prefix] = handler
        return handler

    return register


def room(counter: NumberAttribute) -> Condition:
    """True while one more photo may be added; the caller adds 1 to its counter under this condition."""
    not_full: Condition = counter.does_not_exist() | (counter < rules.PHOTOS_AT_MOST)
    return not_full


def invite(
    tx: transaction,
    *,
    subject_pk: str,
    author_id: str | None,
    area: str,
    attempt: Attempt,
    now: datetime,
) -> Photo:
    """Expect a photo for a subject. Call it before the caller's own conditions: a repeat must find itself first.

    Raises AlreadyInvited at the commit when this request did so before; `invited` then finds the photo.
    """
    photo = Photo.key(subject_pk, attempt.id("photo"))
    photo.author_id, photo.writer_id, photo.area, photo.invited_at = author_id, attempt.actor, area, now
    photo.marks = attempt.marks()
    if author_id:
        photo.person_key, photo.person_sort = f"PHOTOS#{author_id}", clock.stamp(now)
    for name, value in timers.fields(subject_pk, "await_upload", now + rules.AWAITED_FOR).items():
        setattr(photo, name, value)
    tx.create(photo, or_raise=AlreadyInvited())
    limits.spend(tx, attempt.actor, "upload", at_most=rules.UPLOADS_AN_HOUR, per=timedelta(hours=1), now=now)
    return photo


def add(
    subject: Item,
    *,
    counter: NumberAttribute | None,
    person: Person,
    author_id: str | None,
    area: str,
    attempt: Attempt,
    now: datetime,
) -> Photo:
    """Invite one more photo of a subject in a transaction of its own, or find the one that this request invited before.

    With a `counter` of the subject's, TooManyPhotos when it is full. `author_id`: whose photo it is, None for nobody's own.
    """
    try:
        with person.acting() as tx:
            photo = invite(tx, subject_pk=subject.pk, author_id=author_id, area=area, attempt=attempt, now=now)
            if counter is not None:
                tx.update(subject, [counter.add(1)], when=room(counter), or_raise=rules.TooManyPhotos())
    except AlreadyInvited:
        return invited(subject.pk, attempt)
    return photo


def invited(subject_pk: str, attempt: Attempt) -> Photo:
    """The photo that this request invited the first time; KeyReused if its key was used for another content."""
    photo = Photo.fetch(subject_pk, f"PHOTO#{attempt.id('photo')}")
    attempt.made(photo)
    return photo


def upload_form(photo: Photo, content_type: ContentType = "image/jpeg", *, now: datetime) -> UploadForm:
    """A form with which exactly one key can be written for five minutes; S3 enforces size and type."""
    form = bucket.form(photo.upload_key, content_type)
    return UploadForm(
        photo_id=photo.id,
        url=form["url"],
        fields=form["fields"],
        largest_bytes=rules.LARGEST_UPLOAD,
        good_until=clock.local(now + rules.FORM_LIFE),
    )


def view(photo: Photo) -> PhotoView:
    """A photo as its author sees it; `views` is for everybody else."""
    url, thumbnail = links(photo.id) if photo.state == "shown" else (None, None)
    return PhotoView.of(
        photo,
        url=url,
        thumbnail=thumbnail,
        width=int(photo.width) if photo.width else None,
        height=int(photo.height) if photo.height else None,
    )


def views(photos: Iterable[Photo], *, author: bool) -> list[PhotoView]:
    """The photos of one subject: all that still exist for its author, the shown ones for others."""
    visible = {"awaited", "checking", "held", "shown", "refused"} if author else {"shown"}
    return [view(photo) for photo in photos if photo.state in visible]


def links(photo_id: str) -> tuple[str, str]:
    """Links to a shown photo and its thumbnail, good for half an hour or longer. Only for ids of shown photos.

    A container gives the same ones for half an hour: a phone finds a picture that it has kept by its link.
    """
    return _links(photo_id, int(clock.now().timestamp() / _SAME_LINK_FOR.total_seconds()))


@lru_cache(maxsize=2000)
def _links(photo_id: str, half_hour: int) -> tuple[str, str]:
    picture, thumbnail = bucket.shown_keys(photo_id)
    return bucket.link(picture, _LINK_LIFE), bucket.link(thumbnail, _LINK_LIFE)


def remove(tx: transaction, photo: Photo, *, now: datetime) -> None:
    """Take a photo away for good, whatever its state; the files go in minutes. (No word to `on_settled`.)"""
    rules.PHOTO.check(photo.state, "removed", or_raise=rules.SubjectGone())
    tx.update(photo, [Photo.state.set("removed"), *_tidy_soon(photo, now)], when=photo.still(), or_raise=Conflict())
    if photo.state == "held" and photo.review_id:
        reviews.drop(tx, photo.review_id, now=now)


def settle(tx: transaction, photo: Photo, *, shown: bool, reason: str, now: datetime) -> None:
    """The verdict. Raises SubjectGone at the commit if the photo has moved on."""
    state = "shown" if shown else "refused"
    rules.PHOTO.check(photo.state, state, or_raise=rules.SubjectGone())
    tx.update(
        photo,
        [*Photo.set(state=state, reason=reason), *_tidy_soon(photo, now)],
        when=photo.still(),
        or_raise=rules.SubjectGone(),
    )
    _tell_subject(tx, photo, shown=shown, now=now)


def refuse_upload(photo: Photo, *, reason: str, now: datetime) -> None:
    """It is no picture that we can show; the author is told."""
    try:
        with transaction() as tx:
            settle(tx, photo, shown=False, reason=reason, now=now)
            tell_refused(tx, photo, reason=reason, now=now)
    except rules.SubjectGone:
        pass  # another upload under the same form was faster, or the other sweep


def tell_refused(tx: transaction, photo: Photo, *, reason: str, now: datetime) -> None:
    """The word to the author of a refused photo."""
    told = [photo.author_id] if photo.author_id else whom_to_tell(photo.area, now=now, first=photo.writer_id)
    said = {"about": service.about(photo.pk), "area": photo.area, "what": photo.called, "reason": reason}
    for who in told:
        notices.tell(tx, who, "content_refused", now=now, **said)


def no_upload(photo: Photo, *, now: datetime) -> None:
    """Timer: a day after the invitation nothing has come (the form was good for five minutes).

    Or it came, and the worker failed with it until the queue gave it up. Who saw their upload go well is then told.
    """
    current = Photo.find(photo.pk, photo.sk)
    if current is None or current.state != "awaited":
        return
    if bucket.holds(current.upload_key):
        refuse_upload(current, reason=rules.NOT_PROCESSED, now=now)
        return
    with suppress(rules.SubjectGone), transaction() as tx:  # the other sweep, or the upload, was faster
        tx.delete(current, when=current.still(), or_raise=rules.SubjectGone())
        _tell_subject(tx, current, shown=False, now=now)


def tidy(photo: Photo, *, now: datetime) -> None:
    """Timer: once a photo is settled, files that nobody may see any more are deleted."""
    current = Photo.find(photo.pk, photo.sk)
    if current is None or current.timer != "tidy_photo":
        return
    useless = [current.upload_key, *(bucket.held_keys(current.held_name) if current.held_name else ())]
    if current.state != "shown":
        useless += bucket.shown_keys(current.id)
    bucket.delete(*useless)
    as_it_was = current.still() & (Photo.timer == "tidy_photo")
    with suppress(rules.SubjectGone), transaction() as tx:  # removed meanwhile: that set the timer anew
        if current.state == "removed":
            tx.delete(current, when=as_it_was, or_raise=rules.SubjectGone())
        else:
            tx.update(current, timers.stop(), when=as_it_was, or_raise=rules.SubjectGone())


def _tell_subject(tx: transaction, photo: Photo, *, shown: bool, now: datetime) -> None:
    handler = _settled.get(photo.pk.partition("#")[0])
    if handler is not None:
        handler(tx, photo, shown=shown, now=now)


def _tidy_soon(photo: Photo, now: datetime) -> list[Action]:
    """Files are deleted by a timer: before the commit would be too early, and after it a crash would leave them.
    It waits longer than any function runs, so it also meets what the loser of a race has copied to shown/."""
    return timers.set_to(photo.pk, "tidy_photo", now + _TIDY_AFTER)
