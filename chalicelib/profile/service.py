"""Nickname and avatar: everybody's to choose, shown once checked, the old ones staying until then."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from chalicelib.areas import service as areas
from chalicelib.content import photos, reviews
from chalicelib.content import service as content
from chalicelib.content.models import Photo, Review
from chalicelib.content.rules import SubjectGone
from chalicelib.content.service import Screening
from chalicelib.kit import limits
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed, Conflict
from chalicelib.kit.settings import NotConfigured
from chalicelib.kit.table import Condition
from chalicelib.kit.transaction import settled, transaction
from chalicelib.notices import service as notices
from chalicelib.people import duty_ends, personal_data, renaming
from chalicelib.people import service as people
from chalicelib.people.duty_ends import roles_of
from chalicelib.people.models import Resident
from chalicelib.people.rules import SessionEnded, first_nickname, in_force
from chalicelib.people.service import Person
from chalicelib.profile import rules
from chalicelib.profile.models import ProfileDraft
from chalicelib.wechat.content import Scene


class Profile(msgspec.Struct, frozen=True):
    resident: Resident
    draft: ProfileDraft
    coming_avatar: Photo | None = None


def own(*, caller: Caller, now: datetime) -> Profile:
    """What the others see of the caller, and what waits for a verdict."""
    person, [found] = people.present_with(caller, ProfileDraft.key(caller.id), now=now)
    draft = found or ProfileDraft.key(person.id)
    coming = Photo.find(draft.pk, f"PHOTO#{draft.avatar}") if draft.avatar else None
    return Profile(person.resident, draft, coming)


def set_nickname(*, caller: Caller, typed: str, now: datetime) -> Profile:
    """Take another nickname: at once when WeChat passes it, otherwise once a moderator does."""
    name = rules.nickname(typed)
    person = people.present(caller, now=now)
    held = [duty for duty in person.duties if in_force(duty, now)]
    rules.check_not_official(name, roles={duty.role for duty in held})
    if rules.looks_official(name, roles=()):
        person.relied_on = held  # their office gives them the name, as long as they hold it
    screening = content.screen(caller, scene=Scene.PROFILE, now=now, nickname=name)
    return _take(person, name, screening, now)


@settled(Conflict)
def _take(person: Person, name: str, screening: Screening, now: datetime) -> Profile:
    draft = ProfileDraft.of(person.id)
    with transaction() as tx:
        limits.spend(tx, person.id, "nickname", at_most=rules.CHANGES_A_DAY, per=timedelta(days=1), now=now)
        if draft.nickname_review:
            reviews.drop(tx, draft.nickname_review, now=now)
        review = content.hold(
            tx,
            screening,
            subject="nickname",
            subject_pk=draft.pk,
            subject_sk=draft.sk,
            author_id=person.id,
            area=_area(person.resident) if not screening.passed else "",
            excerpt=name,
            now=now,
        )
        if review is None:
            renamed = renaming.to(name, person.resident, now=now)
            tx.update(person.resident, renamed, when=person.condition(), or_raise=SessionEnded())
            person.still_on_duty(tx)
            if draft.nickname_review:
                gone = ProfileDraft.set(nickname=None, nickname_review=None)
                tx.update(draft, gone, when=_as_read(draft), or_raise=Changed())
            person.resident.nickname, draft.nickname = name, None
        else:
            person.still(tx)
            waiting = ProfileDraft.set(nickname=name, nickname_review=review.id)
            tx.update(draft, waiting, create=True, when=_as_read(draft), or_raise=Changed())
            draft.nickname = name
    coming = Photo.find(draft.pk, f"PHOTO#{draft.avatar}") if draft.avatar else None
    return Profile(person.resident, draft, coming)


def _as_read(draft: ProfileDraft) -> Condition:
    """No other wish, and no verdict on the one that waits, has come in between."""
    review = ProfileDraft.nickname_review
    as_read: Condition = review == draft.nickname_review if draft.nickname_review else review.does_not_exist()
    return as_read


@reviews.on_decision("nickname")
def _nickname_decided(tx: transaction, review: Review, *, approved: bool, reason: str, now: datetime) -> None:
    draft = ProfileDraft.find(review.subject_pk, review.subject_sk)
    if draft is None or draft.nickname_review != review.id:
        raise SubjectGone()
    if approved and rules.looks_official(draft.nickname or "", roles=roles_of(str(review.author_id), now=now)):
        raise SubjectGone()  # the office that gave them this name is over: see `_leave_the_office`
    tx.update(
        draft,
        ProfileDraft.set(nickname=None, nickname_review=None),
        when=ProfileDraft.nickname_review == review.id,
        or_raise=SubjectGone(),
    )
    if approved:
        resident = Resident.key(review.author_id)
        renamed = renaming.to(str(draft.nickname), resident, now=now)
        tx.update(resident, renamed, when=Resident.state == "active", or_raise=SubjectGone())


@duty_ends.on_end
@settled(Conflict)
def _leave_the_office(resident_id: str, *, now: datetime) -> None:
    """Nobody goes on being called 网格员小王 whose duty is over: they get the name they began with, and are told."""
    resident, draft = people.find(resident_id), ProfileDraft.of(resident_id)
    roles = roles_of(resident_id, now=now)
    word = rules.looks_official(resident.nickname, roles=roles) if resident else None
    coming = draft.nickname and rules.looks_official(draft.nickname, roles=roles)
    with transaction() as tx:
        if word and resident:
            name = first_nickname(resident_id)
            as_read = (Resident.nickname == resident.nickname) & (Resident.state == "active")
            tx.update(resident, renaming.to(name, resident, now=now), when=as_read, or_raise=Changed())
            facts = {"word": word, "nickname": name}
            notices.tell(tx, resident_id, "nickname_of_office", about=resident_id, now=now, **facts)
        if coming and draft.nickname_review:
            reviews.drop(tx, draft.nickname_review, now=now)
            gone = ProfileDraft.set(nickname=None, nickname_review=None)
            tx.update(draft, gone, when=_as_read(draft), or_raise=Changed())


def new_avatar(
    *, caller: Caller, content_type: photos.ContentType, attempt: Attempt, now: datetime
) -> photos.UploadForm:
    """A form for uploading an avatar. The old one is shown until the new one has passed."""
    person, [found] = people.present_with(caller, ProfileDraft.key(caller.id), now=now)
    draft = found or ProfileDraft.key(person.id)
    if draft.avatar is not None and draft.avatar == attempt.id("photo"):
        return photos.upload_form(photos.invited(draft.pk, attempt), content_type, now=now)
    before = Photo.find(draft.pk, f"PHOTO#{draft.avatar}") if draft.avatar else None
    if before is not None and before.state in ("checking", "held"):
        raise rules.AvatarBeingChecked()
    try:
        with person.acting() as tx:
            photo = photos.invite(
                tx,
                subject_pk=draft.pk,
                author_id=person.id,
                area=_area(person.resident),
                attempt=attempt,
                now=now,
            )
            if before is not None and before.state == "awaited":  # never uploaded: this one takes its place
                photos.remove(tx, before, now=now)
            unchanged = ProfileDraft.avatar == draft.avatar if draft.avatar else ProfileDraft.avatar.does_not_exist()
            tx.update(draft, [ProfileDraft.avatar.set(photo.id)], when=unchanged, or_raise=Conflict(), create=True)
    except photos.AlreadyInvited:
        photo = photos.invited(draft.pk, attempt)
    return photos.upload_form(photo, content_type, now=now)


@photos.on_settled("RES")
def _avatar_settled(tx: transaction, photo: Photo, *, shown: bool, now: datetime) -> None:
    resident_id = photo.author_id
    tx.update(
        ProfileDraft.key(resident_id),
        [ProfileDraft.avatar.remove()],
        when=ProfileDraft.avatar == photo.id,
        or_raise=SubjectGone(),
    )
    if not shown:
        return
    resident = people.find(resident_id)
    if resident is None:
        raise SubjectGone()
    tx.update(
        resident,
        [Resident.avatar.set(photo.id)],
        when=Resident.state == "active",
        or_raise=SubjectGone(),
    )
    before = Photo.find(photo.pk, f"PHOTO#{resident.avatar}") if resident.avatar else None
    if before is not None and before.state == "shown":
        photos.remove(tx, before, now=now)


def _area(resident: Resident) -> str:
    """Whose moderators are asked: those of the home; of the district for somebody who has not said where they live."""
    if resident.home:
        return resident.home
    districts = areas.children("")
    if not districts:
        raise NotConfigured()
    return districts[0].code


@personal_data.section("等待审核的昵称")
def _export(resident_id: str) -> Iterable[dict[str, Any]]:
    waiting = ProfileDraft.of(resident_id).nickname
    return [{"昵称": waiting}] if waiting else []


@personal_data.eraser
def _erase(resident_id: str, *, now: datetime) -> None:
    with transaction() as tx:
        tx.delete(ProfileDraft.key(resident_id))
