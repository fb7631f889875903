"""Uploads: what S3 announces is taken in, cleaned and handed to WeChat."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import unquote_plus

import msgspec

from chalicelib.content import bucket, photo_checks, photos, pictures, rules
from chalicelib.content.models import Photo
from chalicelib.kit import log, timers
from chalicelib.kit.transaction import transaction

_STARTED = timedelta(minutes=2)  # by then the worker has asked WeChat, or is dead: it lives one minute


def announcement(body: str, *, now: datetime) -> None:
    """Act on one message of the queue."""
    for key in announced(body):
        take_in(key, now=now)


def announced(body: str) -> Iterator[str]:
    """The keys in one message of the queue. S3's own test message, and anything malformed, announce nothing."""
    try:
        records = msgspec.convert(msgspec.json.decode(body), _Message).records
    except msgspec.MsgspecError:
        log.logger.error("photo_message_unreadable")
        return
    for record in records:
        try:
            yield unquote_plus(msgspec.convert(record, _Record).s3.object.key)
        except msgspec.ValidationError:
            log.logger.error("photo_message_unreadable")


class _Object(msgspec.Struct):
    key: str


class _Place(msgspec.Struct):
    object: _Object


class _Record(msgspec.Struct):
    s3: _Place


class _Message(msgspec.Struct):
    records: list[object] = msgspec.field(default_factory=list, name="Records")


def take_in(key: str, *, now: datetime) -> None:
    """One upload has arrived. Told twice, or late, nothing is done twice; what a crash left undone is a timer's."""
    place = Photo.at_upload_key(key)
    photo = Photo.find(*place) if place else None
    if photo is None:
        log.logger.warning("photo_unexpected")
    elif photo.state == "awaited":
        _clean(photo, now=now)
    # Whatever became of it: the original, with the place where it was taken, is needed no more.
    bucket.delete(key)


def _clean(photo: Photo, *, now: datetime) -> None:
    sent = bucket.fetch_upload(photo.upload_key)
    if sent is None:
        return  # told late: it has expired, and the day's timer removes the photo
    try:
        picture = pictures.clean(sent)
    except pictures.BadPicture as bad:
        photos.refuse_upload(photo, reason=bad.reason, now=now)
        return
    name = f"{photo.id}-{picture.fingerprint}"
    bucket.put_held(name, picture.jpeg, picture.thumbnail)
    taken = start_checking(photo, held_name=name, width=picture.width, height=picture.height, now=now)
    if taken is not None:
        photo_checks.ask_wechat(taken, now=now)


def start_checking(photo: Photo, *, held_name: str, width: int, height: int, now: datetime) -> Photo | None:
    """The cleaned picture lies in held/: from now on this one is the photo, and whoever calls asks WeChat.

    None for a second upload, or the same one announced twice: the first counts, and asks.
    """
    try:
        with transaction() as tx:
            tx.update(
                photo,
                [
                    *Photo.set(state="checking", held_name=held_name, width=width, height=height, uploaded_at=now),
                    *timers.set_to(photo.pk, "await_photo_result", now + _STARTED),
                ],
                when=photo.still(),
                or_raise=rules.SubjectGone(),
            )
    except rules.SubjectGone:
        current = Photo.find(photo.pk, photo.sk)
        if current is None or current.held_name != held_name:
            bucket.delete(*bucket.held_keys(held_name))
        return None
    photo.state, photo.held_name, photo.uploaded_at = "checking", held_name, now
    return photo
