"""What has to be done for everybody on a shift: one after the other, each once, wherever it is cut off.

    @rounds.of("changed")
    def tell(this: Round, shift: Shift, mine: SignUp, file: Volunteer | None, *, now: datetime) -> None: ...

    @rounds.finished("changed")
    def fill(shift: Shift, *, now: datetime) -> None: ...

The act that starts a round writes its `Round` in its own transaction (`Round.of`); the minute's sweep then walks through
the sign-ups in the order of their keys, a page at a time, and notes how far it has come. What is done for one person is
one write, under a condition on that sign-up, so a page that is done again does nothing again. With every sign-up come
the shift and the person's file as they were read with the page; who finds them outdated raises `Changed`, and is called
again with what is there now. Somebody for whom it fails holds up nobody else: they are noted and tried again later.

When all have had their turn, the kind's `finished` is called, then the round is removed. It is called again after those
for whom it had failed, and when it was cut off between the two, and must bear it. A kind may have no part for each
person, or no `finished`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TypeVar

from chalicelib.kit import log, timers
from chalicelib.kit.errors import Conflict
from chalicelib.kit.table import Action, Item, read_together
from chalicelib.kit.transaction import transaction
from chalicelib.shifts.models import Round, Shift, SignUp, settled
from chalicelib.volunteers.models import Volunteer

Each = Callable[..., None]
Finished = Callable[..., None]
E = TypeVar("E", bound=Each)
F = TypeVar("F", bound=Finished)

PAGE = 96  # sign-ups read, and files with them: a BatchGetItem takes a hundred
PAGES = 5  # of one run, so that one large shift does not keep others' timers waiting
_THREADS = 8
_NEXT_RUN = timedelta(seconds=1)  # after this one: the next minute's sweep finds it
_TRY_AGAIN = timedelta(minutes=2)  # at first

_each: dict[str, Each] = {}
_finished: dict[str, Finished] = {}


class _MovedOn(Conflict):
    """Another run has done this page."""


def of(what: str) -> Callable[[E], E]:
    """Register `each(round, shift, sign_up, file, *, now)` for rounds of this kind."""

    def register(each: E) -> E:
        if what in _each:
            raise ValueError(f"two ways to do the round {what}")
        _each[what] = each
        return each

    return register


def finished(what: str) -> Callable[[F], F]:
    """Register `finished(shift, *, now)`, called when everybody has had their turn."""

    def register(hook: F) -> F:
        if what in _finished:
            raise ValueError(f"two ends of the round {what}")
        _finished[what] = hook
        return hook

    return register


@timers.on(Round.TIMER)
def walk(found: Round, *, now: datetime) -> None:
    """Go on with a round, for some pages; then let the next run go on."""
    this, shift = read_together(found, Shift(found.pk, "SHIFT"))
    if this is None:
        return
    with suppress(_MovedOn):
        if this.what in _each and not this.read_all and not _pages(this, shift, now):
            return
        left = _try_again(this, shift, now) if this.left else []
        if this.what in _finished:
            _finished[this.what](shift, now=now)
        if not left:
            with transaction() as tx:
                tx.delete(this, when=Item.pk.exists(), or_raise=_MovedOn())


def _try_again(this: Round, shift: Shift, now: datetime) -> list[str]:
    """Those for whom it has failed before. Returns those for whom it still does: their turn comes after the others'."""
    again = [SignUp.key(shift.id, person) for person in this.left[:PAGE]]
    left = [*this.left[PAGE:], *_do_page(again, this, shift, now, read=True)]
    if left:
        _note(this, [Round.left.set(left), *timers.set_to(this.pk, Round.TIMER, _again_at(this, now))])
        log.count("shift_round_left", len(left))
    return left


def _again_at(this: Round, now: datetime) -> datetime:
    """Soon at first, then ever more rarely: what has failed for a day will hardly work a minute later."""
    return now + max(_TRY_AGAIN, (now - this.begun_at) / 4)


def _pages(this: Round, shift: Shift, now: datetime) -> bool:
    """Some pages; True when the last has been done."""
    for _ in range(PAGES):
        page = _page(this)
        failed = _do_page(page, this, shift, now) if page else []
        if page and len(failed) == len(page) > 1:
            raise _NobodyWasReached()
        left, last = [*this.left, *failed], len(page) < PAGE
        reached = page[-1].sk if page else this.reached
        _note(
            this,
            [
                *Round.set(reached=reached, left=left),
                *([Round.read_all.set(True)] if last else []),
                *timers.set_to(this.pk, Round.TIMER, _again_at(this, now) if last else now + _NEXT_RUN),
            ],
        )
        this.reached, this.left, this.read_all = reached, left, last or None
        if last:
            return True
    return False


class _NobodyWasReached(Exception):
    """Not one person's trouble but everybody's: the timer tries the same page again."""


def _page(this: Round) -> list[SignUp]:
    after = Item.sk.between(f"{this.reached}\x01" if this.reached else SignUp.PREFIX, f"{SignUp.PREFIX}\uffff")
    found = Item.query(this.pk, after, consistent_read=True, limit=PAGE)
    return [each for each in found if isinstance(each, SignUp)]


def _do_page(page: Sequence[SignUp], this: Round, shift: Shift, now: datetime, *, read: bool = False) -> list[str]:
    """Do it for these people, several at a time. Returns those for whom it has failed."""
    files = [None] * len(page) if read else read_together(*(Volunteer.key(each.person) for each in page))

    def one(position: int) -> str | None:
        mine = page[position]
        try:
            _do_one(this, shift, mine, files[position], now, read=read)
        except Exception as error:  # noqa: BLE001 - one person's trouble must not stop the others
            log.crash(error, timer=Round.TIMER, pk=this.pk)
            return mine.person
        return None

    with ThreadPoolExecutor(min(_THREADS, len(page))) as pool:
        return [person for person in pool.map(one, range(len(page))) if person]


def _do_one(this: Round, shift: Shift, mine: SignUp, file: Volunteer | None, now: datetime, *, read: bool) -> None:
    as_read: list[tuple[Shift, SignUp | None, Volunteer | None]] = [] if read else [(shift, mine, file)]

    @settled
    def act() -> None:
        if as_read:
            current = as_read.pop()
        else:  # somebody has changed one of them meanwhile
            found = read_together(Shift(this.pk, "SHIFT"), SignUp(mine.pk, mine.sk), Volunteer.key(mine.person))
            current = (found[0], found[1], found[2])
        if current[1] is not None:
            _each[this.what](this, *current, now=now)

    act()


def _note(this: Round, change: list[Action]) -> None:
    """How far it has come, unless another run has been faster."""
    with transaction() as tx:
        as_read = (Round.reached == this.reached) & (Round.left == this.left)
        tx.update(this, change, when=as_read, or_raise=_MovedOn())
