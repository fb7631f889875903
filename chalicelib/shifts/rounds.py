"""What has to be done for everybody on a shift, one person after the other: see `models.Round`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from chalicelib.kit import timers
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.shifts.models import Round, Shift, SignUp

F = TypeVar("F", bound=Callable[..., None])
_one: dict[str, Callable[..., None]] = {}
_finished: dict[str, Callable[..., None]] = {}


def of(what: str) -> Callable[[F], F]:
    """Register `act(shift, sign_up, *, now)`, done for each sign-up of a shift; it must bear being repeated."""

    def register(act: F) -> F:
        _one[what] = act
        return act

    return register


def finished(what: str) -> Callable[[F], F]:
    """Register `act(shift, *, now)`, done when everybody has had their turn."""

    def register(act: F) -> F:
        _finished[what] = act
        return act

    return register


@timers.on(Round.TIMER)
def walk(current: Round, *, now: datetime) -> None:
    shift = Shift.fetch(current.pk, "SHIFT")
    for sign_up in Item.collection(current.pk, SignUp.PREFIX):
        _one[current.what](shift, sign_up, now=now)
    if current.what in _finished:
        _finished[current.what](shift, now=now)
    with transaction() as tx:
        tx.delete(current)
