"""Who lives in an area: kept as people move, read a page at a time."""

from __future__ import annotations

from datetime import datetime

from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.people import homes
from chalicelib.posts.models import Home
from chalicelib.posts.models import homes as list_of_homes


@homes.on_move
def move(tx: transaction, resident_id: str, *, home: str, now: datetime) -> None:
    """One item more in the write by which somebody chooses a home."""
    tx.put(Home.of(resident_id, home))


def after(area: str, reached: str, *, at_most: int) -> list[Home]:
    """Those who live in an area, in the order of the list, behind the place that has been reached ("" to begin)."""
    # An area's code begins that of every home in it; ":" follows the digits, "!" comes before all that an id is made of.
    beyond = f"{reached}!" if reached else area
    found = Item.by_area.query(list_of_homes(area), Item.area_sort.between(beyond, f"{area}:"), limit=at_most)
    return [item for item in found if isinstance(item, Home)]
