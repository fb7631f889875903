"""How much of a need is taken: the part of every act on an offer that is decided inside the write.

Each function adds its change of the request to the caller's transaction, under the condition that the
request still is as it was read. If it is not, `Changed` is raised at the commit; `settled` then lets the
act read and decide again, so that what is said to the resident is true of the request as it is.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from chalicelib.help import rules
from chalicelib.help.models import HelpRequest, Unanswered
from chalicelib.kit import timers
from chalicelib.kit import transaction as transactions
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Action, Condition
from chalicelib.kit.transaction import transaction

R = TypeVar("R")


# Reads and decides anew as long as others change the same request, or a helper's points, in between.
settled = transactions.settled(rules.TryAgain)


def take(tx: transaction, request: HelpRequest, quantity: int, *, now: datetime) -> None:
    """Put a quantity of the need aside for an offer; the last one covers the request."""
    if request.state != "open" or now >= request.open_until:
        raise rules.NotOpen()
    if quantity > request.left:
        raise rules.MoreThanNeeded(request.left, request.unit)
    if int(request.helpers) >= rules.HELPERS_AT_MOST:
        raise rules.EnoughHelpers()
    offered = int(request.offered) + quantity
    if offered == int(request.quantity):
        # Only the offer that fills the need exactly takes the request off the list.
        room = HelpRequest.offered == int(request.offered)
        change = [HelpRequest.state.set("covered"), *HelpRequest.unlist(), *_timer(request, "covered", offered, now)]
    else:
        # Offers that leave something open do not disturb each other.
        room = HelpRequest.offered < int(request.quantity) - quantity
        change = _timer(request, "open", offered, now)
    tx.update(
        request,
        [HelpRequest.offered.add(quantity), HelpRequest.helpers.add(1), *change],
        # The timer as it was read, or one that has run meanwhile would be set again.
        when=(HelpRequest.state == "open")
        & (HelpRequest.timer == request.timer)
        & (HelpRequest.helpers < rules.HELPERS_AT_MOST)
        & room,
        or_raise=Changed(),
    )
    if request.escalated_at is not None:
        tx.delete(Unanswered(request.pk, "UNANSWERED"))


def give_back(tx: transaction, request: HelpRequest, quantity: int, *, now: datetime) -> None:
    """Open a quantity again because its offer was cancelled or lapsed.

    With nobody left who helps it is unanswered again. After the time for answers it stays content with the others.
    """
    offered = int(request.offered) - quantity
    change: list[Action] = []
    if offered == 0:
        request.escalated_at = None
        change += [HelpRequest.escalated_at.remove()]
    if request.state in ("open", "covered"):
        state = "open" if offered == 0 or now < request.open_until else "covered"
        listing = request.list_it() if state == "open" else []
        change += [HelpRequest.state.set(state), *listing, *_timer(request, state, offered, now)]
    tx.update(
        request,
        [HelpRequest.offered.add(-quantity), HelpRequest.helpers.add(-1), *change],
        when=as_read(request),
        or_raise=Changed(),
    )


def collect(tx: transaction, request: HelpRequest, quantity: int, *, now: datetime) -> None:
    """Note that an offered quantity has reached the requester."""
    collected = int(request.collected) + quantity
    change: list[Action] = [HelpRequest.collected.add(quantity)]
    if collected == int(request.offered):
        request.settled_at = now
        change += [HelpRequest.settled_at.set(now)]
    if request.state == "covered":
        change += _timer(request, "covered", int(request.offered), now, collected)
    tx.update(request, change, when=as_read(request), or_raise=Changed())


def as_read(request: HelpRequest) -> Condition:
    return (  # type: ignore[no-any-return]
        (HelpRequest.state == request.state)
        & (HelpRequest.offered == int(request.offered))
        & (HelpRequest.collected == int(request.collected))
    )


def _timer(request: HelpRequest, state: str, offered: int, now: datetime, collected: int | None = None) -> list[Action]:
    collected = int(request.collected) if collected is None else collected
    following = rules.next_timer(request, state=state, offered=offered, collected=collected, now=now)
    return list(timers.set_to(request.pk, *following) if following else timers.stop())
