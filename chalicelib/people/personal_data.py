"""What each slice holds about a person: each says how to show it to them, how to let go of it, where it shows their name.

A slice registers here, so that the copy of my data, the closing of my account and a change of my nickname reach slices
that this one does not know.

Erasing and renaming find things by indexes, which show what was written a moment before only some time later, and an act
that is under way may still write what it has read. So both go over everything again, however well it went: see `again`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec

from chalicelib.kit.errors import Changed, Conflict
from chalicelib.kit.table import Action, Item
from chalicelib.kit.transaction import transaction
from chalicelib.people.models import Resident

Exporter = Callable[[str], Iterable[dict[str, Any]]]
Eraser = Callable[..., None]
Renamer = Callable[["Named"], None]
E = TypeVar("E", bound=Exporter)
R = TypeVar("R", bound=Eraser)
N = TypeVar("N", bound=Renamer)

sections: dict[str, Exporter] = {}
erasers: list[Eraser] = []
renamers: list[Renamer] = []
_at_last: set[Eraser] = set()

# No act lives longer than half a minute, and no index lags for minutes but on AWS's very worst day: that is what the
# last run is for, and for what some queue or timer has held back.
AGAIN = (timedelta(minutes=15), timedelta(days=1))


class RenamedAgain(Conflict):
    """They have another nickname by now, whose own timer shows it everywhere."""


def again(since: datetime, *, began: datetime) -> datetime | None:
    """When to go over everything once more because of what somebody did then (`since`), after a run that began at `began`
    and went well; None after the last."""
    return next((since + after for after in AGAIN if since + after > began), None)


def section(title: str) -> Callable[[E], E]:
    """Register `export(resident_id)`: the entries under this Chinese title in the copy of somebody's data."""

    def register(exporter: E) -> E:
        sections[title] = exporter
        return exporter

    return register


def eraser(erase: R) -> R:
    """Register `erase(resident_id, *, now)`: takes the person out of what must stay, deletes the rest.

    It runs again until it has run without an error, and then twice more, so it must bear being repeated: what an earlier
    run has seen may be there no more, and what it has not seen be found for the first time.
    """
    erasers.append(erase)
    return erase


def eraser_at_last(erase: R) -> R:
    """The same, after all others: what they call off may still move what this one closes."""
    _at_last.add(erase)
    return eraser(erase)


def erase(resident_id: str, *, now: datetime) -> None:
    for erase_in_slice in sorted(erasers, key=_at_last.__contains__):
        erase_in_slice(resident_id, now=now)


class Named(msgspec.Struct, frozen=True):
    """Somebody, by the nickname that they have now."""

    id: str
    nickname: str

    def differs(self, item: Item, *attributes: Any) -> list[Action]:
        """What changes of an item so that these attributes show it; nothing when they do."""
        shown = item.attribute_values
        return [each.set(self.nickname) for each in attributes if shown.get(each.attr_name) != self.nickname]

    def show(self, item: Item, *attributes: Any) -> None:
        """Let an item show it by these attributes. RenamedAgain when it is theirs no more: of two changes in a row the
        last one wins. What is gone meanwhile needs no name."""
        change = self.differs(item, *attributes)
        if change:
            with suppress(Changed), transaction() as tx:
                self.still(tx)
                tx.update(item, change, or_raise=Changed())

    def still(self, tx: transaction) -> None:
        tx.check(Resident.key(self.id), when=Resident.nickname == self.nickname, or_raise=RenamedAgain())


def renamer(rename: N) -> N:
    """Register `rename(named)`: whatever of theirs is under way shows the nickname that they have now.

    It runs three times, as an eraser does, and should write only what does not show it yet. What is over keeps the name
    by which it was done (docs/decisions/0004).
    """
    renamers.append(rename)
    return rename


def rename(named: Named) -> None:
    for rename_in_slice in renamers:
        rename_in_slice(named)
