"""What the others see of me."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from chalicelib.content import photos
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.http import Body, Routes, View
from chalicelib.profile import service

routes = Routes(__name__)


class Nickname(Body, frozen=True):
    # Longer than a nickname may be: what is cut by folding characters together is judged by the rules.
    nickname: Annotated[str, Meta(min_length=1, max_length=100)]


class NewAvatar(Body, frozen=True):
    content_type: photos.ContentType = "image/jpeg"


class ProfileView(View, frozen=True):
    """`waiting_nickname` and `waiting_avatar` are hidden from the others until their check is over."""

    nickname: str
    avatar: str | None
    thumbnail: str | None
    waiting_nickname: str | None
    waiting_avatar: photos.PhotoView | None


def view(profile: service.Profile) -> ProfileView:
    avatar, thumbnail = photos.links(profile.resident.avatar) if profile.resident.avatar else (None, None)
    return ProfileView(
        nickname=profile.resident.nickname,
        avatar=avatar,
        thumbnail=thumbnail,
        waiting_nickname=profile.draft.nickname,
        waiting_avatar=photos.view(profile.coming_avatar) if profile.coming_avatar else None,
    )


@routes.get("/me/profile")
def own_profile(caller: Caller, now: datetime) -> ProfileView:
    """My nickname and avatar, and what of them is still being checked."""
    return view(service.own(caller=caller, now=now))


@routes.put("/me/nickname")
def set_nickname(caller: Caller, body: Nickname, now: datetime) -> ProfileView:
    """Take another nickname. If it has to be looked at first, the old one stays meanwhile."""
    return view(service.set_nickname(caller=caller, typed=body.nickname, now=now))


@routes.post("/me/avatar", status=201)
def new_avatar(caller: Caller, body: NewAvatar, attempt: Attempt, now: datetime) -> photos.UploadForm:
    """A form for uploading an avatar within five minutes. It is shown once it has passed the check."""
    return service.new_avatar(caller=caller, content_type=body.content_type, attempt=attempt, now=now)
