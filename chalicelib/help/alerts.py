"""Residents who want to hear when a neighbour needs something."""

from __future__ import annotations

from datetime import datetime

from chalicelib.areas import rules as area_rules
from chalicelib.areas import service as areas
from chalicelib.help import rules
from chalicelib.help.models import HelpAlert, HelpRequest
from chalicelib.kit.auth import Caller
from chalicelib.kit.table import Item
from chalicelib.notices import alerts
from chalicelib.notices.alerts import News
from chalicelib.people import service as people

alerts.moves_with_home(HelpAlert)


def switch(*, caller: Caller, on: bool, now: datetime) -> bool:
    """Be told of new requests in my community, or no more."""
    person = people.present(caller, now=now)
    with person.acting() as tx:
        if on:
            home = person.resident.home or ""
            if area_rules.at_level(home, "community") is None:
                raise rules.HomeNeeded()
            alerts.switch_on(tx, HelpAlert, person.id, home=home)
        else:
            alerts.switch_off(tx, HelpAlert, person.id)
    return on


def wanted(*, caller: Caller) -> bool:
    """Whether I am told of new requests."""
    return alerts.wanted(HelpAlert, caller.id)


def tell_the_willing(request: HelpRequest, *, now: datetime) -> None:
    """Tell everybody willing in the request's community. The one who asked is not told."""
    alerts.tell_each(
        Item.by_area.query(HelpAlert.listed(request.area)),
        news_of(request),
        now=now,
        but={request.requester, request.by, request.filed_by},
    )


def news_of(request: HelpRequest) -> News:
    return News(
        "help_near_you",
        about=request.id,
        since=request.opened_at or request.created_at,
        area=request.area,
        facts={"title": request.title, "place": areas.place_name(request.area)},
        a_day=rules.settings_in_force().alerts_a_day,
    )
