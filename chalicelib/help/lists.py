"""Finding requests: what is open here, what I asked, whom I help, whom nobody has answered."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from chalicelib.areas import rules as areas
from chalicelib.help import rules
from chalicelib.help.ending import Whole, read_whole
from chalicelib.help.models import HelpRequest, Offer, Unanswered
from chalicelib.help.sides import helps
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
    """What I asked, newest first, in whatever state."""
    return page(Item.by_person, f"HELP_OF#{caller.principal}", of=HelpRequest, cursor=cursor)


def filed(*, caller: Caller, area: str, cursor: str | None, now: datetime) -> Page[HelpRequest]:
    """What staff asked for people without WeChat and is not over, for those who look after the area."""
    _must_care(caller, area, now)
    here = Item.person_sort.startswith(area)
    return page(Item.by_person, HelpRequest.filed_in(area), here, of=HelpRequest, cursor=cursor, newest_first=False)


def helping(*, caller: Caller, cursor: str | None) -> Page[Offer]:
    """My offers, newest first."""
    return page(Item.by_person, f"OFFERS_OF#{caller.principal}", of=Offer, cursor=cursor)


def unanswered(*, caller: Caller, area: str, cursor: str | None, now: datetime) -> Page[Unanswered]:
    """Requests nobody has answered in time, for those who care for the area."""
    _must_care(caller, area, now)
    return page(
        Item.by_area,
        f"HELP_UNANSWERED#{areas.district(area)}",
        Item.area_sort.startswith(area),
        of=Unanswered,
        cursor=cursor,
        newest_first=False,
    )


def _must_care(caller: Caller, area: str, now: datetime) -> None:
    if not areas.well_formed(area):
        raise areas.AreaUnknown()
    people.present(caller, now=now).must_hold(people_rules.CARERS, area)


class Seen(msgspec.Struct, frozen=True):
    """A request as somebody may see it. `asks`: they are on the side that asked. `complete`: they see all offers."""

    whole: Whole
    asks: bool
    complete: bool


def look_at(request_id: str, *, caller: Caller, as_staff: bool, now: datetime) -> Seen:
    """A request with its offers and photos, as far as the caller may see them.

    Anybody sees an open or covered request; one that is hidden or over is seen by its two sides and by
    those who care for the area. A helper sees their own offers only. Staff say that they look as staff,
    which spares everybody else the reading of duties; where nobody is the requester, these are always read.
    """
    whole = read_whole(request_id)
    request, me = whole.request, caller.principal
    if me == request.requester:
        return Seen(_without_own_codes(caller, whole), asks=True, complete=True)
    own = [offer for offer in whole.offers if offer.helper == me]
    visible = bool(own) or request.state in ("open", "covered")
    if not visible or as_staff or request.requester is None:
        person = people.present(caller, now=now)
        cares = person.holds(people_rules.CARERS, request.area) is not None
        if cares and request.requester is None:
            return Seen(_without_own_codes(caller, whole), asks=True, complete=True)
        if cares or person.holds(["moderator"], request.area):
            return Seen(whole, asks=False, complete=True)
        if not visible:
            raise rules.RequestGone()
        if as_staff:
            raise people_rules.DutyNeeded()
    return Seen(msgspec.structs.replace(whole, offers=own), asks=False, complete=False)


def _without_own_codes(caller: Caller, whole: Whole) -> Whole:
    """Whoever shows a pick-up code has the goods handed over: nobody sees that of what they brought themselves."""
    for offer in whole.offers:
        if helps(caller, offer):
            offer.code = None
    return whole
