"""What is in the mall and what I have redeemed, as residents look at it."""

from __future__ import annotations

import time
from datetime import datetime

from chalicelib.areas import rules as areas
from chalicelib.content.models import Photo
from chalicelib.kit import settings
from chalicelib.kit.auth import Caller
from chalicelib.kit.table import Item, Page, page
from chalicelib.mall import rules
from chalicelib.mall.models import Product, Redemption

_KEPT_FOR = 5.0  # seconds; with the few that the level of stock lags behind, never more than ten
_PAGES_KEPT = 200
_kept: dict[tuple[str, str | None], tuple[float, Page[Product]]] = {}


def open_for(area: str, *, cursor: str | None, now: datetime) -> Page[Product]:
    """What residents of an area may redeem, now or soon: one Query, or none when a container has just looked.

    A district has some dozens of products, of all its areas in one list; what others may redeem is left out, and so is
    what is over though the sweep has not come by.
    """
    if not areas.well_formed(area):
        raise areas.AreaUnknown()
    found = _page(areas.district(area), cursor)
    return Page(
        [product for product in found if areas.contains(product.area, area) and not rules.is_over(product, now=now)],
        found.next,
    )


def _page(district: str, cursor: str | None) -> Page[Product]:
    held = _kept.get((district, cursor))
    if held and time.monotonic() - held[0] < min(_KEPT_FOR, settings.age_allowed()):
        return held[1]
    found = page(Item.by_area, Product.listed(district), of=Product, cursor=cursor)
    if len(_kept) >= _PAGES_KEPT:
        _kept.clear()
    _kept[district, cursor] = (time.monotonic(), found)
    return found


def mine(*, caller: Caller, cursor: str | None) -> Page[Redemption]:
    """What I have redeemed, newest first. One Query."""
    return page(Item.by_person, Redemption.of(caller.principal), of=Redemption, cursor=cursor)


def one_of_mine(redemption_id: str, *, caller: Caller) -> tuple[Redemption, list[Photo]]:
    """A redemption of mine, with the photos of its delivery. One Query."""
    found = Item.collection(Redemption.key(redemption_id).pk)
    redemption = next((item for item in found if isinstance(item, Redemption)), None)
    if redemption is None or redemption.resident != caller.principal:
        raise rules.RedemptionGone()
    return redemption, [item for item in found if isinstance(item, Photo)]
