"""The times that somebody's shifts take: decided in the write of the sign-up, so nobody is on two shifts at once.

Each function adds its change of the volunteer's file to the caller's transaction, under the condition that the file
still is as it was read; if it is not, `Changed` is raised at the commit and the caller reads and decides again.
Waiting for a shift takes the time too: who is promoted has it free, whatever else they have signed up for meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Action, Condition, Item
from chalicelib.kit.transaction import transaction
from chalicelib.volunteers import rules
from chalicelib.volunteers.models import Volunteer
from chalicelib.volunteers.rules import Times


def enter(
    tx: transaction,
    file: Volunteer | None,
    resident_id: str,
    times: Times,
    *,
    now: datetime,
    rested: bool = True,
) -> None:
    """Take these times (again at other hours, when the shift has them already): Clash, TooManyAhead, or NeedsRest when
    they have to be `rested`.

    `file` as read, None when there is none yet.
    """
    _write(tx, file, resident_id, rules.with_times(file.taken if file else {}, times, now=now, rested=rested))


def leave(tx: transaction, file: Volunteer | None, shift: str, *, now: datetime) -> None:
    """Give the times of a shift free."""
    if file is not None and shift in file.taken:
        _write(tx, file, file.resident_id, rules.without(file.taken, shift, now))


def _write(tx: transaction, file: Volunteer | None, resident_id: str, taken: Mapping[str, tuple[int, int]]) -> None:
    change = [Volunteer.taken.set(dict(taken)), *next_version(file)]
    tx.update(Volunteer.key(resident_id), change, when=as_read(file), or_raise=Changed(), create=True)


def as_read(file: Volunteer | None) -> Condition:
    """True as long as nobody has written to the file since."""
    unchanged: Condition = Item.pk.does_not_exist() if file is None else Volunteer.version == int(file.version)
    return unchanged


def next_version(file: Volunteer | None) -> list[Action]:
    return [Volunteer.version.set(int(file.version) + 1 if file else 1)]
