"""What each slice holds about a person: each says how to show it to them, and how to let go of it.

A slice registers here, so that the copy of my data and the closing of my account reach slices that this
one does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

Exporter = Callable[[str], Iterable[dict[str, Any]]]
Eraser = Callable[..., None]
E = TypeVar("E", bound=Exporter)
R = TypeVar("R", bound=Eraser)

sections: dict[str, Exporter] = {}
erasers: list[Eraser] = []
_at_last: set[Eraser] = set()


def section(title: str) -> Callable[[E], E]:
    """Register `export(resident_id)`: the entries under this Chinese title in the copy of somebody's data."""

    def register(exporter: E) -> E:
        sections[title] = exporter
        return exporter

    return register


def eraser(erase: R) -> R:
    """Register `erase(resident_id, *, now)`: takes the person out of what must stay, deletes the rest.

    It runs again until it has run without an error, so it must bear being repeated.
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
