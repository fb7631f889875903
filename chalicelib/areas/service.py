"""Finding areas. They change a few times a year, so each container keeps those it has read ten times as long as
settings: ten minutes."""

from __future__ import annotations

import time
from collections.abc import Iterable

from chalicelib.areas import rules
from chalicelib.areas.models import Area
from chalicelib.kit import settings
from chalicelib.kit.table import Item, read_together
from chalicelib.kit.transaction import transaction

_KEPT_LONGER = 10  # times the age that settings may have
_kept: dict[str, tuple[float, Area]] = {}


def get(code: str) -> Area:
    """The area with this code, or AreaUnknown: also for an area of another district."""
    if not rules.well_formed(code):
        raise rules.AreaUnknown()
    held = _kept.get(code)
    if held and time.monotonic() - held[0] < _KEPT_LONGER * settings.age_allowed():
        return held[1]
    area = Area.fetch(f"AREA#{rules.parent(code)}", code, or_raise=rules.AreaUnknown())
    _kept[code] = (time.monotonic(), area)
    return area


def names(codes: Iterable[str]) -> dict[str, str]:
    """What those of these areas that exist are called, as stored."""
    keys = [Area.key(code) for code in codes]
    found = read_together(*keys) if keys else []
    return {area.code: area.name for area in found if area is not None}


def children(code: str) -> list[Area]:
    """The areas directly inside one, in the order of their codes; of "" the districts."""
    if code and not rules.well_formed(code):
        raise rules.AreaUnknown()
    return Item.collection(f"AREA#{code}")


def put(code: str, name: str, drop_points: list[tuple[str, str]], *, rename: bool = False) -> None:
    """Add an area or change its drop points. Its parent must exist, except a district's.

    Another name only with `rename`, else AreaHasAnotherName: a list with a wrong column of codes names other places."""
    if not rules.well_formed(code):
        raise rules.AreaUnknown()
    if rules.parent(code):
        get(rules.parent(code))
    area = Area.new(code, name, drop_points)
    same = None if rename else Item.pk.does_not_exist() | (Area.name == name)
    with transaction() as tx:
        tx.put(area, when=same, or_raise=rules.AreaHasAnotherName())
    _kept.pop(code, None)


def full_name(code: str) -> str:
    """Where exactly, for who has to go there: 桂苑社区第一网格1幢. There is a building 1 in every grid."""
    smaller = [length for length in rules.LEVELS if rules.LENGTH_OF["community"] <= length <= len(code)]
    return "".join(get(code[:length]).name for length in smaller) or get(code).name


def place_name(code: str) -> str:
    """What people call the place an area lies in: its community, or the larger area itself."""
    return get(rules.at_level(code, "community") or code).name
