"""Checking in and out over HTTP, and the code that the organiser shows for it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.http import Body, Query, Routes, View
from chalicelib.shifts.places.routes import SignUpView, sign_up_view
from chalicelib.shifts.presence import checking as presence

routes = Routes(__name__)


class WithPicture(Query, frozen=True):
    """`picture=false` for the six digits alone, which come at once: WeChat takes a second to draw."""

    picture: bool = True


class CodeView(View, frozen=True):
    """What people check in and out with. Ask again at `refresh_at`; this one still goes through until `good_until`.

    `picture` is a data URL; null when it was not asked for, or WeChat gave none: the six digits do as well.
    """

    code: str
    scene: str
    picture: str | None
    refresh_at: datetime
    good_until: datetime


class Digits(Body, frozen=True):
    """The six digits that the organiser shows or reads out."""

    code: Annotated[str, Meta(max_length=20)]


class Scanned(Body, frozen=True):
    """The scene of the code that was scanned, as the mini-program got it, decoded."""

    scene: Annotated[str, Meta(max_length=64)]


@routes.get("/shifts/{shift_id}/code")
def code(caller: Caller, shift_id: str, query: WithPicture, now: datetime) -> CodeView:
    """Organisers: the code to check in and out with, from half an hour before the shift until two hours after it."""
    shown = presence.show_code(caller=caller, shift_id=shift_id, with_picture=query.picture, now=now)
    return CodeView.of(shown)


@routes.post("/shifts/{shift_id}/check-in")
def check_in(caller: Caller, shift_id: str, body: Digits, attempt: Attempt, now: datetime) -> SignUpView:
    """Check in by the six digits."""
    mine = presence.with_code(caller=caller, shift_id=shift_id, way="in", code=body.code, attempt=attempt, now=now)
    return sign_up_view(mine)


@routes.post("/shifts/{shift_id}/check-out")
def check_out(caller: Caller, shift_id: str, body: Digits, attempt: Attempt, now: datetime) -> SignUpView:
    """Check out by the six digits."""
    mine = presence.with_code(caller=caller, shift_id=shift_id, way="out", code=body.code, attempt=attempt, now=now)
    return sign_up_view(mine)


@routes.post("/check-ins")
def scan_in(caller: Caller, body: Scanned, attempt: Attempt, now: datetime) -> SignUpView:
    """Check in by scanning the organiser's code."""
    return sign_up_view(presence.with_scene(caller=caller, way="in", scene=body.scene, attempt=attempt, now=now))


@routes.post("/check-outs")
def scan_out(caller: Caller, body: Scanned, attempt: Attempt, now: datetime) -> SignUpView:
    """Check out by scanning the organiser's code."""
    return sign_up_view(presence.with_scene(caller=caller, way="out", scene=body.scene, attempt=attempt, now=now))
