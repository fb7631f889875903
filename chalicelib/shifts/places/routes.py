"""Signing up for shifts over HTTP."""

from __future__ import annotations

from datetime import datetime

import msgspec

from chalicelib.kit import clock
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.http import Body, Routes, View
from chalicelib.shifts import rules
from chalicelib.shifts.models import SignUp
from chalicelib.shifts.places import signing_up

routes = Routes(__name__)


class SignUpFor(Body, frozen=True):
    """`role`: come as a staff member whom the shift needs. `wait`: on the waiting list, if there is no place."""

    role: rules.NeededRole | None = None
    wait: bool = False


class SignUpView(View, frozen=True):
    """My place on a shift. `late_withdrawals`: how often I gave one back within twelve hours of the start."""

    shift: str
    state: str
    title: str
    place: str
    start: datetime
    end: datetime
    role: str | None
    team: str | None
    late_withdrawals: int
    checked_in: datetime | None
    checked_out: datetime | None
    minutes: int | None


def sign_up_view(mine: SignUp) -> SignUpView:
    return SignUpView.of(
        mine,
        start=clock.local(mine.start_at),
        end=clock.local(mine.end_at),
        team=mine.team_name,
        checked_in=clock.local(mine.in_at) if mine.in_at else None,
        checked_out=clock.local(mine.out_at) if mine.out_at else None,
        minutes=None if mine.minutes is None else int(mine.minutes),
    )


@routes.post("/shifts/{shift_id}/sign-up", status=201)
def sign_up(caller: Caller, shift_id: str, body: SignUpFor, attempt: Attempt, now: datetime) -> SignUpView:
    """Sign up for a shift, or wait for a place on it."""
    wish = msgspec.convert(body, signing_up.Wish, from_attributes=True)
    mine = signing_up.sign_up(caller=caller, shift_id=shift_id, wish=wish, attempt=attempt, now=now)
    return sign_up_view(mine)


@routes.post("/shifts/{shift_id}/withdraw")
def withdraw(caller: Caller, shift_id: str, attempt: Attempt, now: datetime) -> SignUpView:
    """Give my place back before the shift starts, or leave its queue."""
    return sign_up_view(signing_up.withdraw(caller=caller, shift_id=shift_id, attempt=attempt, now=now))
