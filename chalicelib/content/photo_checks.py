"""Who decides whether a photo is shown: WeChat, and where it doubts or stays silent, a moderator."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from chalicelib.content import bucket, photos, reviews, rules, service
from chalicelib.content.models import Photo, Review, Trace
from chalicelib.kit import ids, log, timers
from chalicelib.kit.errors import Conflict, Unavailable
from chalicelib.kit.table import Action
from chalicelib.kit.transaction import transaction
from chalicelib.kit.vault import KeyDestroyed
from chalicelib.people import service as people
from chalicelib.wechat.callback import MediaChecked
from chalicelib.wechat.content import Scene, check_image
from chalicelib.wechat.content import reason as reason_of
from chalicelib.wechat.errors import WeChatRefused

_MODERATORS_LINK_LIFE = timedelta(minutes=5)
_WECHATS_LINK_LIFE = timedelta(hours=2)  # WeChat may take half an hour until it fetches the picture
_ASKED_ALREADY = 87020  # about the very same link


def ask_wechat(photo: Photo, *, now: datetime) -> None:
    """Hand a held picture to WeChat; the verdict comes to `result_arrived`. Without an answer, later again."""
    if photo.held_name is None or photo.uploaded_at is None:
        raise ValueError("only an uploaded photo can be checked")
    writer = people.find(photo.writer_id)
    try:
        if writer is None:
            raise KeyDestroyed()
        openid = people.openid_of(writer)
        trace_id = check_image(
            openid, bucket.link(bucket.held_keys(photo.held_name)[0], _WECHATS_LINK_LIFE), _scene(photo)
        )
    except KeyDestroyed:
        with transaction() as tx:
            photos.remove(tx, photo, now=now)
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


def moderators_link(review: Review) -> str | None:
    """For the moderator who decides about a held photo, good for five minutes."""
    photo = Photo.find(review.subject_pk, review.subject_sk)
    if photo is None or photo.state != "held" or photo.held_name is None:
        return None
    return bucket.link(bucket.held_keys(photo.held_name)[0], _MODERATORS_LINK_LIFE)


@reviews.on_decision("photo")
def _decided_by_moderator(tx: transaction, review: Review, *, approved: bool, reason: str, now: datetime) -> None:
    photo = Photo.find(review.subject_pk, review.subject_sk)
    if photo is None or photo.state != "held":
        raise rules.SubjectGone()
    if approved and not _publish(photo):
        raise rules.PictureGone()
    photos.settle(tx, photo, shown=approved, reason=reason, now=now)


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
        photos.settle(tx, photo, shown=shown, reason=reason, now=now)
        if not shown:
            photos.tell_refused(tx, photo, reason=reason, now=now)


def _publish(photo: Photo) -> bool:
    return photo.held_name is not None and bucket.publish(photo.held_name, photo.id)


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
        as_staff=photo.author_id is None,
    )
    with transaction() as tx:
        tx.create(review, or_raise=Conflict())
        tx.update(
            photo,
            [
                *Photo.set(state="held", review_id=review.id, review_cause=cause),
                *timers.stop(),
            ],
            when=photo.still(),
            or_raise=rules.SubjectGone(),
        )
        service.tell_author(tx, review, "content_in_review", now=now)


def _scene(photo: Photo) -> Scene:
    return Scene.PROFILE if photo.pk.startswith("RES#") else Scene.FORUM
