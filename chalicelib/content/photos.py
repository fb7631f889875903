"""Photos: invited, uploaded to S3 by the phone, cleaned, checked by WeChat, and only then shown.

In the bucket: `incoming/` what phones sent (never linked), `held/` cleaned pictures without a verdict (linked
for WeChat and for a moderator only, for minutes), `shown/` what everybody may see.

    with transaction() as tx:
        photo = photos.invite(tx, subject_pk=request.pk, …)
        tx.update(request, [HelpRequest.photos.add(1)], when=photos.room(HelpRequest.photos), or_raise=TooManyPhotos())
    return photos.upload_form(photo)

A slice that counts its photos, or that must do something once one is shown, registers with `on_settled`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Literal, TypeVar

from botocore.exceptions import ClientError

from chalicelib.content import reviews, rules, service
from chalicelib.content.models import Photo, Review, Trace
from chalicelib.kit import aws, clock, ids, limits, log, timers
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.errors import Conflict, Unavailable
from chalicelib.kit.http import View
from chalicelib.kit.table import Action, Condition, NumberAttribute
from chalicelib.kit.transaction import transaction
from chalicelib.kit.vault import KeyDestroyed
from chalicelib.notices import service as notices
from chalicelib.people import service as people
from chalicelib.wechat.callback import MediaChecked
from chalicelib.wechat.content import Scene, check_image
from chalicelib.wechat.content import reason as reason_of
from chalicelib.wechat.errors import WeChatRefused

TooManyPhotos = rules.TooManyPhotos
ContentType = Literal["image/jpeg", "image/png"]

_LINK_LIFE = timedelta(hours=1)
_MODERATORS_LINK_LIFE = timedelta(minutes=5)
_WECHATS_LINK_LIFE = timedelta(hours=2)  # WeChat may take half an hour until it fetches the picture
_STARTED = timedelta(minutes=2)  # by then the worker has asked WeChat, or is dead: it lives one minute
_TIDY_AFTER = timedelta(minutes=2)
_ASKED_ALREADY = 87020  # about the very same link
# S3 says AccessDenied instead to a role that may not list the folder, so those who read may list (resources.yaml).
_MISSING = frozenset({"NoSuchKey", "404"})

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
    author_id: str,
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
    photo.person_key, photo.person_sort = f"PHOTOS#{author_id}", clock.stamp(now)
    for name, value in timers.fields(subject_pk, "await_upload", now + rules.AWAITED_FOR).items():
        setattr(photo, name, value)
    tx.create(photo, or_raise=AlreadyInvited())
    limits.spend(tx, attempt.actor, "upload", at_most=rules.UPLOADS_AN_HOUR, per=timedelta(hours=1), now=now)
    return photo


def invited(subject_pk: str, attempt: Attempt) -> Photo:
    """The photo that this request invited the first time; KeyReused if its key was used for another content."""
    photo = Photo.fetch(subject_pk, f"PHOTO#{attempt.id('photo')}")
    attempt.made(photo)
    return photo


def upload_form(photo: Photo, content_type: ContentType = "image/jpeg", *, now: datetime) -> UploadForm:
    """A form with which exactly one key can be written for five minutes; S3 enforces size and type."""
    form = aws.client("s3").generate_presigned_post(
        _bucket(),
        photo.upload_key,
        Fields={"Content-Type": content_type},
        Conditions=[{"Content-Type": content_type}, ["content-length-range", 1, rules.LARGEST_UPLOAD]],
        ExpiresIn=int(rules.FORM_LIFE.total_seconds()),
    )
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
    return PhotoView(
        id=photo.id,
        state=photo.state,
        url=url,
        thumbnail=thumbnail,
        width=int(photo.width) if photo.width else None,
        height=int(photo.height) if photo.height else None,
        reason=photo.reason,
    )


def views(photos: Iterable[Photo], *, author: bool) -> list[PhotoView]:
    """The photos of one subject: all that still exist for its author, the shown ones for others."""
    visible = {"awaited", "checking", "held", "shown", "refused"} if author else {"shown"}
    return [view(photo) for photo in photos if photo.state in visible]


def links(photo_id: str) -> tuple[str, str]:
    """Links to a shown photo and its thumbnail, good for an hour. Only for ids of shown photos, e.g. an avatar."""
    return _link(_shown_key(photo_id), _LINK_LIFE), _link(_shown_key(photo_id, small=True), _LINK_LIFE)


def moderators_link(review: Review) -> str | None:
    """For the moderator who decides about a held photo, good for five minutes."""
    photo = Photo.find(review.subject_pk, review.subject_sk)
    if photo is None or photo.state != "held" or photo.held_name is None:
        return None
    return _link(_held_key(photo.held_name), _MODERATORS_LINK_LIFE)


def remove(tx: transaction, photo: Photo, *, now: datetime) -> None:
    """Take a photo away for good, whatever its state; the files go in minutes. (No word to `on_settled`.)"""
    rules.PHOTO.check(photo.state, "removed", or_raise=rules.SubjectGone())
    tx.update(photo, [Photo.state.set("removed"), *_tidy_soon(photo, now)], when=_still(photo), or_raise=Conflict())
    if photo.state == "held" and photo.review_id:
        reviews.drop(tx, photo.review_id, now=now)


# ------------------------------------------------------------------------------------------------ taking it in


def start_checking(photo: Photo, *, held_name: str, width: int, height: int, now: datetime) -> Photo | None:
    """The cleaned picture lies in held/: from now on this one is the photo, and whoever calls asks WeChat.

    None for a second upload, or the same one announced twice: the first counts, and asks.
    """
    try:
        with transaction() as tx:
            tx.update(
                photo,
                [
                    Photo.state.set("checking"),
                    Photo.held_name.set(held_name),
                    Photo.width.set(width),
                    Photo.height.set(height),
                    Photo.uploaded_at.set(now),
                    *timers.set_to(photo.pk, "await_photo_result", now + _STARTED),
                ],
                when=_still(photo),
                or_raise=rules.SubjectGone(),
            )
    except rules.SubjectGone:
        current = Photo.find(photo.pk, photo.sk)
        if current is None or current.held_name != held_name:
            delete(*held_keys(held_name))
        return None
    photo.state, photo.held_name, photo.uploaded_at = "checking", held_name, now
    return photo


def refuse_upload(photo: Photo, *, reason: str, now: datetime) -> None:
    """It is no picture that we can show; the author is told."""
    try:
        with transaction() as tx:
            _settle(tx, photo, shown=False, reason=reason, now=now)
            _tell_refused(tx, photo, reason=reason, now=now)
    except rules.SubjectGone:
        pass  # another upload under the same form was faster


def ask_wechat(photo: Photo, *, now: datetime) -> None:
    """Hand a held picture to WeChat; the verdict comes to `result_arrived`. Without an answer, later again."""
    if photo.held_name is None or photo.uploaded_at is None:
        raise ValueError("only an uploaded photo can be checked")
    writer = people.find(photo.writer_id)
    try:
        if writer is None:
            raise KeyDestroyed()
        openid = people.openid_of(writer)
        trace_id = check_image(openid, _link(_held_key(photo.held_name), _WECHATS_LINK_LIFE), _scene(photo))
    except KeyDestroyed:
        with transaction() as tx:
            remove(tx, photo, now=now)
        return
    except Unavailable as trouble:
        log.count("photo_check", outcome="unanswered")
        repeated = isinstance(trouble, WeChatRefused) and trouble.errcode == _ASKED_ALREADY
        _try_later(photo, now=now, hopeless=service.is_hopeless(trouble) and not repeated)
        return
    log.count("photo_check", outcome="asked")
    photo.asked, photo.trace_id = int(photo.asked) + 1, trace_id
    _while_checking(
        photo,
        Photo.asked.set(photo.asked),
        Photo.trace_id.set(trace_id),
        *timers.set_to(photo.pk, "await_photo_result", now + rules.ANSWER_WITHIN),
    )
    trace = Trace.meet(trace_id, now=now, photo_pk=photo.pk, photo_sk=photo.sk)
    if trace.complete:  # WeChat was faster than we
        _apply(trace, now=now)


def result_arrived(event: MediaChecked, *, now: datetime) -> None:
    """WeChat's verdict: perhaps before we stored its number, twice, hours late, or about a photo long gone."""
    trace = Trace.meet(event.trace_id, now=now, suggest=event.suggest, label=event.label, errcode=event.errcode)
    if trace.complete:
        _apply(trace, now=now)


def _apply(trace: Trace, *, now: datetime) -> None:
    photo = Photo.find(str(trace.photo_pk), str(trace.photo_sk))
    # With a moderator only because WeChat was silent: its verdict still spares the moderator the work.
    late = photo is not None and photo.state == "held" and photo.review_cause == "wechat_silent"
    if photo is None or not (photo.state == "checking" or late):
        return
    log.count("photo_check", outcome=str(trace.suggest) if not trace.errcode else "failed")
    try:
        if trace.errcode:
            if not late and photo.trace_id == trace.id:
                # WeChat could not look at it, e.g. not fetch it. The timer asks again, or gives up.
                soon = timers.set_to(photo.pk, "await_photo_result", now + timedelta(minutes=1))
                _while_checking(photo, *soon)
        elif trace.suggest == "pass":
            _decided_by_wechat(photo, shown=True, reason="", now=now)
        elif trace.suggest == "risky":
            _decided_by_wechat(photo, shown=False, reason=reason_of(int(trace.label or 0)), now=now)
        elif not late:
            _hand_over(photo, cause="wechat_doubts", now=now)
    except (rules.SubjectGone, rules.AlreadyDecided):
        pass  # the same verdict twice at once, or a moderator in the same second: one of them was first


def _decided_by_wechat(photo: Photo, *, shown: bool, reason: str, now: datetime) -> None:
    if shown and not _publish(photo):
        raise rules.SubjectGone()
    with transaction() as tx:
        if photo.review_id:
            review = Review.fetch(f"REVIEW#{photo.review_id}", "REVIEW")
            verdict = "approved" if shown else "refused"
            rules.REVIEW.check(review.state, verdict, or_raise=rules.AlreadyDecided())
            reviews.close(tx, review, verdict, by=reviews.WECHAT, reason=reason, now=now)
        _settle(tx, photo, shown=shown, reason=reason, now=now)
        if not shown:
            _tell_refused(tx, photo, reason=reason, now=now)


@reviews.on_decision("photo")
def _decided_by_moderator(tx: transaction, review: Review, *, approved: bool, reason: str, now: datetime) -> None:
    photo = Photo.find(review.subject_pk, review.subject_sk)
    if photo is None or photo.state != "held" or (approved and not _publish(photo)):
        raise rules.SubjectGone()
    _settle(tx, photo, shown=approved, reason=reason, now=now)


# -------------------------------------------------------------------------------------------------- when it is time


def no_upload(photo: Photo, *, now: datetime) -> None:
    """Timer: a day after the invitation nothing has come (the form was good for five minutes)."""
    current = Photo.find(photo.pk, photo.sk)
    if current is None or current.state != "awaited":
        return
    with suppress(rules.SubjectGone), transaction() as tx:  # the other sweep, or the upload, was faster
        tx.delete(current, when=_still(current), or_raise=rules.SubjectGone())
        _tell_subject(tx, current, shown=False, now=now)


def no_result(photo: Photo, *, now: datetime) -> None:
    """Timer: WeChat owes us a verdict. It is asked once more, then a moderator decides."""
    current = Photo.find(photo.pk, photo.sk)
    if current is None or current.state != "checking" or (current.due_at and current.due_at > now):
        return
    if int(current.asked) < rules.ASKED_AT_MOST:
        ask_wechat(current, now=now)
        return
    with suppress(rules.SubjectGone):  # the verdict came in this very moment
        _hand_over(current, cause="wechat_silent", now=now)


def tidy(photo: Photo, *, now: datetime) -> None:
    """Timer: once a photo is settled, files that nobody may see any more are deleted."""
    current = Photo.find(photo.pk, photo.sk)
    if current is None or current.timer != "tidy_photo":
        return
    useless = [current.upload_key, *(held_keys(current.held_name) if current.held_name else ())]
    if current.state != "shown":
        useless += [_shown_key(current.id), _shown_key(current.id, small=True)]
    delete(*useless)
    as_it_was = _still(current) & (Photo.timer == "tidy_photo")
    with suppress(rules.SubjectGone), transaction() as tx:  # removed meanwhile: that set the timer anew
        if current.state == "removed":
            tx.delete(current, when=as_it_was, or_raise=rules.SubjectGone())
        else:
            tx.update(current, timers.stop(), when=as_it_was, or_raise=rules.SubjectGone())


def _try_later(photo: Photo, *, now: datetime, hopeless: bool) -> None:
    tried = int(photo.tries) + 1
    at = None if hopeless else rules.next_check(tried, since=photo.uploaded_at or now, now=now)
    if at is None:
        with suppress(rules.SubjectGone):  # the verdict on an earlier question came in this very moment
            _hand_over(photo, cause="wechat_silent", now=now)
        return
    _while_checking(photo, Photo.tries.set(tried), *timers.set_to(photo.pk, "await_photo_result", at))


def _while_checking(photo: Photo, *actions: Action) -> None:
    try:
        with transaction() as tx:
            tx.update(photo, actions, when=Photo.state == "checking", or_raise=rules.SubjectGone())
    except rules.SubjectGone:
        pass  # settled meanwhile: nothing is left to wait for


def _hand_over(photo: Photo, *, cause: str, now: datetime) -> None:
    review = Review.of(
        ids.new_id("review"),
        subject="photo",
        subject_pk=photo.pk,
        subject_sk=photo.sk,
        author_id=photo.author_id,
        writer_id=photo.writer_id,
        area=photo.area,
        excerpt=photo.called,
        cause=cause,
        now=now,
    )
    with transaction() as tx:
        tx.create(review, or_raise=Conflict())
        tx.update(
            photo,
            [
                Photo.state.set("held"),
                Photo.review_id.set(review.id),
                Photo.review_cause.set(cause),
                *timers.stop(),
            ],
            when=_still(photo),
            or_raise=rules.SubjectGone(),
        )
        notices.tell(
            tx,
            photo.author_id,
            "content_in_review",
            about=service.about(photo.pk),
            now=now,
            area=photo.area,
            what=review.what,
        )


def _settle(tx: transaction, photo: Photo, *, shown: bool, reason: str, now: datetime) -> None:
    state = "shown" if shown else "refused"
    rules.PHOTO.check(photo.state, state, or_raise=rules.SubjectGone())
    tx.update(
        photo,
        [Photo.state.set(state), Photo.reason.set(reason), *_tidy_soon(photo, now)],
        when=_still(photo),
        or_raise=rules.SubjectGone(),
    )
    _tell_subject(tx, photo, shown=shown, now=now)


def _tell_subject(tx: transaction, photo: Photo, *, shown: bool, now: datetime) -> None:
    handler = _settled.get(photo.pk.partition("#")[0])
    if handler is not None:
        handler(tx, photo, shown=shown, now=now)


def _tell_refused(tx: transaction, photo: Photo, *, reason: str, now: datetime) -> None:
    notices.tell(
        tx,
        photo.author_id,
        "content_refused",
        about=service.about(photo.pk),
        now=now,
        area=photo.area,
        what=photo.called,
        reason=reason,
    )


def _still(photo: Photo) -> Condition:
    """The state it was read in. Copies of one picture agree; a state is never come back to."""
    return Photo.state == photo.state


def _tidy_soon(photo: Photo, now: datetime) -> list[Action]:
    """Files are deleted by a timer: before the commit would be too early, and after it a crash would leave them.
    It waits longer than any function runs, so it also meets what the loser of a race has copied to shown/."""
    return timers.set_to(photo.pk, "tidy_photo", now + _TIDY_AFTER)


def _scene(photo: Photo) -> Scene:
    return Scene.PROFILE if photo.pk.startswith("RES#") else Scene.FORUM


# ---------------------------------------------------------------------------------------------------------- in S3


def fetch_upload(key: str) -> bytes | None:
    """What a phone sent, or None when it is gone. Never more than S3's own limit lets in, so never too large."""
    try:
        found: bytes = aws.client("s3").get_object(Bucket=_bucket(), Key=key)["Body"].read(rules.LARGEST_UPLOAD + 1)
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            return None
        raise
    return found


def put_held(name: str, picture: bytes, thumbnail: bytes) -> None:
    for key, body in zip(held_keys(name), (picture, thumbnail), strict=True):
        aws.client("s3").put_object(Bucket=_bucket(), Key=key, Body=body, ContentType="image/jpeg")


def delete(*keys: str) -> None:
    for key in keys:
        aws.client("s3").delete_object(Bucket=_bucket(), Key=key)


def held_keys(name: str) -> tuple[str, str]:
    return _held_key(name), _held_key(name, small=True)


def _held_key(name: str, *, small: bool = False) -> str:
    return f"held/{name}{'-small' if small else ''}.jpg"


def _shown_key(photo_id: str, *, small: bool = False) -> str:
    return f"shown/{photo_id}{'-small' if small else ''}.jpg"


def _publish(photo: Photo) -> bool:
    """Copy to shown/, before the state says so: nobody has a link until it does. False when it is gone from held/."""
    if photo.held_name is None:
        return False
    try:
        for small in (False, True):
            aws.client("s3").copy_object(
                Bucket=_bucket(),
                Key=_shown_key(photo.id, small=small),
                CopySource={"Bucket": _bucket(), "Key": _held_key(photo.held_name, small=small)},
            )
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            return False
        raise
    return True


def _link(key: str, life: timedelta) -> str:
    link: str = aws.client("s3").generate_presigned_url(
        "get_object", Params={"Bucket": _bucket(), "Key": key}, ExpiresIn=int(life.total_seconds())
    )
    return link


def _bucket() -> str:
    return os.environ["MEDIA_BUCKET"]
