"""Who recorded something is named by it. Once they have closed their account, by their office (decisions/0016)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from chalicelib.areas import service as areas
from chalicelib.areas.rules import AreaUnknown
from chalicelib.people import service as people
from chalicelib.people.rules import NICKNAME_OF_THE_CLOSED
from chalicelib.volunteers.models import Entry, ServiceRecord

# How to name somebody with this id, who was called so, in what they did in this area.
Name = Callable[[str | None, str | None, str], str | None]


def names(ids: Iterable[str | None]) -> Name:
    """How to name these people. One BatchGetItem, or nothing for nobody."""
    closed = people.closed_among(ids)

    def name(by: str | None, called: str | None, area: str) -> str | None:
        return f"{place(area) or '社区'}工作人员" if by in closed or called == NICKNAME_OF_THE_CLOSED else called

    return name


def name_in(records: Iterable[ServiceRecord], *, checked: bool = True) -> list[ServiceRecord]:
    """Records as they are shown: with the names of those whose account is open. One BatchGetItem.

    `checked`: of hours that were checked and never corrected, too. Where nobody is named for these, they cost nothing.
    """
    found = list(records)
    named = [each for each in found if checked or each.how == "recorded" or each.versions]
    name = names(by for each in named for by in _recorded(each))
    for each in named:
        each.recorded_by_name = name(each.recorded_by, each.recorded_by_name, each.area)
        each.organiser_name = name(each.organiser, each.organiser_name, each.area)
        each.versions = [
            {**version, "by_name": name(version["by"], version["by_name"], each.area)} for version in each.versions
        ]
    return found


def name_in_entries(entries: Iterable[Entry]) -> list[Entry]:
    """The same for what is recorded beside hours."""
    found = list(entries)
    name = names(by for each in found for by in (each.recorded_by, each.revoked_by))
    for each in found:
        each.recorded_by_name = name(each.recorded_by, each.recorded_by_name, each.area)
        each.revoked_by_name = name(each.revoked_by, each.revoked_by_name, each.area)
    return found


def place(area: str | None) -> str | None:
    """The community, or larger area, in which something was; None of an area that is no more."""
    try:
        return areas.place_name(area) if area else None
    except AreaUnknown:
        return None


def _recorded(record: ServiceRecord) -> list[str | None]:
    return [record.recorded_by, record.organiser, *(version["by"] for version in record.versions)]
