"""Finding requests: what is open here, what I asked, whom I help, whom nobody has answered."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from chalicelib.areas import rules as areas
from chalicelib.help import rules
from chalicelib.help.ending import Whole, read_whole
from chalicelib.help.models import HelpRequest, Offer, Unanswered
from chalicelib.kit.auth import Caller
from chalicelib.kit.table import Item, Page, page
from chalicelib.people import rules as people_rules
from chalicelib.people import service as people

Order = Literal["urgent", "newest"]


def open_in(area: str, *, order: Order, cursor: str | None) -> Page[HelpRequest]:
    """Open requests of the community that an area lies in. One Query."""
    community = areas.at_level(area, "community") if areas.well_formed(area) else None
    if community is None:
        raise areas.AreaUnknown(fields={"area": "请选到村或社区"})
    index = Item.by_rank if order == "urgent" else Item.by_area
    return page(index, f"HELP_OPEN#{community}", of=HelpRequest, cursor=cursor)


def mine(*, caller: Caller, cursor: str | None) -> Page[HelpRequest]:
    """What I asked (or filed for others), newest first, in whatever state."""
    return page(Item.by_person, f"HELP_OF#{caller.principal}", of=HelpRequest, cursor=cursor)


def helping(*, caller: Caller, cursor: str | None) -> Page[Offer]:
    """My offers, newest first."""
    return page(Item.by_person, f"OFFERS_OF#{caller.principal}", of=Offer, cursor=cursor)


def unanswered(*, caller: Caller, area: str, cursor: str | None, now: datetime) -> Page[Unanswered]:
    """Requests nobody has answered in time, for those who care for the area."""
    if not areas.well_formed(area):
        raise areas.AreaUnknown()
    people.present(caller, now=now).must_hold(people_rules.CARERS, area)
    return page(
        Item.by_area,
        f"HELP_UNANSWERED#{areas.district(area)}",
        Item.area_sort.startswith(area),
        of=Unanswered,
        cursor=cursor,
        newest_first=False,
    )


def look_at(request_id: str, *, caller: Caller, as_staff: bool, now: datetime) -> tuple[Whole, bool]:
    """A request with its offers and photos, and whether the caller may see all of them.

    Anybody sees an open or covered request; one that is hidden or over is seen by its two sides and by
    those who care for the area. A helper sees their own offers only. Staff say that they look as staff,
    which spares everybody else the reading of duties.
    """
    whole = read_whole(request_id)
    me = caller.principal
    if me == whole.request.owner:
        return whole, True
    own = [offer for offer in whole.offers if offer.helper == me]
    visible = bool(own) or whole.request.state in ("open", "covered")
    if visible and not as_staff:
        return msgspec.structs.replace(whole, offers=own), False
    if people.present(caller, now=now).holds(people_rules.CARERS | {"moderator"}, whole.request.area):
        return whole, True
    raise people_rules.DutyNeeded() if visible else rules.RequestGone()
