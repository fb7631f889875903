"""Proof that the books add up: every night each resident's balance is compared with the sum of their transfers.

It finds and lists; it changes nothing. It goes in pieces, each within a part of one sweep, and remembers on its own
item how far it has come: what a run loses by being cut off is one piece. A million residents take some hours.
"""

from __future__ import annotations

import time as clockwork
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, time, timedelta
from typing import Any, TypeVar

import msgspec

from chalicelib.kit import clock, log, timers
from chalicelib.kit.errors import Conflict
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.points import rules
from chalicelib.points.models import (
    SHARDS,
    Account,
    AuditReport,
    AuditRound,
    Mismatch,
    Opening,
    Transfer,
    partition,
)
from chalicelib.points.rules import Movement, Sums

TIMER = "points.audit"
AT = time(1)  # in Shanghai, when hardly anybody moves points
PIECE = 200  # residents between two notes of how far it has come
SECONDS = 20  # of a minute's sweep, which has other things to do
_THREADS = 8
_LOOKS = 3  # an act between two reads of the same books looks like a mismatch once, never three times

Checker = Callable[[str, Sequence[Movement]], list[str]]
C = TypeVar("C", bound=Checker)
RoundChecker = Callable[[], dict[str, list[str]]]
R = TypeVar("R", bound=RoundChecker)

_checkers: list[Checker] = []
_round_checkers: list[RoundChecker] = []
_started = False


class _MovedOn(Conflict):
    """Another run is at work on this round."""


class Found(msgspec.Struct, frozen=True):
    resident_id: str
    sums: Sums


def checker(check: C) -> C:
    """Let a slice compare what it holds with a resident's movements, of everybody who ever spent any points.

        @audit.checker
        def check(resident_id: str, movements: Sequence[Movement]) -> list[str]: ...

    It answers what is wrong, as codes with ids and nothing that people wrote. It may read, and changes nothing: it is called
    up to three times, because somebody may be in the middle of an act between the two reads.
    """
    _checkers.append(check)
    return check


def round_checker(check: R) -> R:
    """Let a slice check what is no resident's, once at the end of each round: what is wrong, by the name of the thing.

    Within some seconds of a minute's sweep: it is for things of which there are few, and is done again if it is cut off.
    """
    _round_checkers.append(check)
    return check


def look_at(resident_id: str) -> Found:
    """Add up one resident's books; again, if they look wrong, because somebody may just be moving them."""
    for look in range(_LOOKS):
        if look:
            clockwork.sleep(0.05)
        found = Found(resident_id, _add_up(resident_id))
        if not found.sums.wrong:
            break
    return found


def _add_up(resident_id: str) -> Sums:
    items = Item.collection(partition(resident_id))
    account = next((item for item in items if isinstance(item, Account)), None)
    openings = {item.month: int(item.balance) for item in items if isinstance(item, Opening)}
    movements = [item.movement for item in items if isinstance(item, Transfer)]
    sums = rules.add_up(resident_id, int(account.balance) if account else 0, openings, movements)
    if not any(rules.SPENT in (each.debit, each.credit) for each in movements):
        return sums
    return sums._replace(wrong=[*sums.wrong, *(said for check in _checkers for said in check(resident_id, movements))])


def start(now: datetime) -> None:
    """Let there be an audit every night. Looked at once in each container."""
    global _started
    if not _started:
        first = AuditRound.key()
        timers.start(first, TIMER, next_night(now))
        with suppress(_MovedOn), transaction() as tx:
            tx.create(first, or_raise=_MovedOn())
        _started = True


def next_night(now: datetime) -> datetime:
    tonight = clock.at_local(clock.day(now), AT)
    return tonight if tonight > now else clock.at_local(clock.day(now) + timedelta(days=1), AT)


def go_on(current: AuditRound, *, now: datetime, seconds: float = SECONDS) -> AuditReport | None:
    """Do as much of the round as there is time for; the report, when this finished it. A double run gives way."""
    with suppress(_MovedOn):
        return _go_on(current, now, seconds)
    return None


def _go_on(current: AuditRound, now: datetime, seconds: float) -> AuditReport | None:
    until = clockwork.monotonic() + seconds
    state = AuditRound.fetch(current.pk, current.sk)
    if not state.day:
        state = _note(state, now, day=f"{clock.day(now)}", **dict.fromkeys(_TOTALS, 0), shard=0, reached="")
    while int(state.shard) < SHARDS:
        state = _piece(state, now)
        if clockwork.monotonic() > until and int(state.shard) < SHARDS:
            return None
    return _finish(state, now)


_TOTALS = ("residents", "issued", "spent", "lapsed", "held", "wrong")


def _piece(state: AuditRound, now: datetime) -> AuditRound:
    residents = _next_residents(int(state.shard), state.reached)
    with ThreadPoolExecutor(_THREADS) as pool:
        found = list(pool.map(look_at, residents))
    wrong = [each for each in found if each.sums.wrong]
    for each in wrong:
        _list(state.day, each.resident_id, each.sums.wrong)
    sums = {name: sum(getattr(each.sums, name) for each in found) for name in ("issued", "spent", "lapsed", "held")}
    totals = {name: int(getattr(state, name)) + by for name, by in sums.items()}
    totals |= {"residents": int(state.residents) + len(found), "wrong": int(state.wrong) + len(wrong)}
    if len(residents) < PIECE:
        return _note(state, now, **totals, shard=int(state.shard) + 1, reached="")
    return _note(state, now, **totals, reached=residents[-1])


def _next_residents(shard: int, reached: str) -> list[str]:
    """By the first opening of each: who has no transfer holds nothing that could be wrong."""
    later = Opening.area_sort > reached if reached else None
    found = Item.by_area.query(Opening.listed(shard), later, limit=PIECE)
    return [item.resident_id for item in found if isinstance(item, Opening)]


def _list(day: str, whose: str, wrong: list[str]) -> None:
    mismatch = Mismatch.key(day, whose)
    mismatch.wrong = "；".join(wrong)[:1000]
    with transaction() as tx:
        tx.put(mismatch)


def _note(state: AuditRound, now: datetime, **changed: Any) -> AuditRound:
    """Remember how far it has come, unless another run has been faster."""
    actions = [getattr(AuditRound, name).set(value) for name, value in changed.items()]
    with transaction() as tx:
        tx.update(
            state,
            [*actions, *timers.set_to(state.pk, TIMER, now + timedelta(minutes=1))],
            when=_as_read(state),
            or_raise=_MovedOn(),
        )
    for name, value in changed.items():
        setattr(state, name, value)
    return state


def _as_read(state: AuditRound) -> Any:
    return (
        (AuditRound.day == state.day)
        & (AuditRound.shard == int(state.shard))
        & (AuditRound.reached == state.reached)
        & (AuditRound.residents == int(state.residents))
    )


def _finish(state: AuditRound, now: datetime) -> AuditReport:
    report = AuditReport.key(state.day)
    for name in _TOTALS:
        setattr(report, name, int(getattr(state, name)))
    things = {name: wrong for check in _round_checkers for name, wrong in check().items() if wrong}
    for name, wrong in things.items():
        _list(state.day, name, wrong)
    report.wrong += len(things)
    report.finished_at = now
    adds_up = report.issued == report.held + report.spent + report.lapsed
    with transaction() as tx:
        tx.put(report)
        tx.update(
            state,
            [AuditRound.day.set(""), *timers.set_to(state.pk, TIMER, next_night(now))],
            when=_as_read(state),
            or_raise=_MovedOn(),
        )
    log.measure(
        {"points_mismatches": int(report.wrong), "points_total_wrong": 0 if adds_up else 1},
        beside={name: int(getattr(report, name)) for name in _TOTALS if name != "wrong"},
    )
    return report


def run(*, now: datetime, seconds_left: Callable[[], float]) -> AuditReport | None:
    """An audit at once, for an administrator: goes on with the round under way. None: send the command again."""
    start(now)
    return go_on(AuditRound.key(), now=now, seconds=max(seconds_left() - 8, 0))


def mismatches(day: str, at_most: int = 50) -> dict[str, str]:
    found = Item.collection(f"POINTS_MISMATCH#{day}", limit=at_most)
    return {item.sk: item.wrong for item in found}
