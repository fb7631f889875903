"""Residents who want to hear when a neighbour needs something."""

from __future__ import annotations

from datetime import datetime

from pynamodb.expressions.update import Action

from chalicelib.areas import rules as area_rules
from chalicelib.areas import service as areas
from chalicelib.help import rules
from chalicelib.help.models import HelpAlert, HelpRequest
from chalicelib.kit import clock
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Conflict
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import service as people
from chalicelib.people.models import partition


class EnoughForToday(Conflict):
    """This resident was told of as many requests today as the cap allows, or of this one already."""


def switch(*, caller: Caller, on: bool, now: datetime) -> bool:
    """Be told of new requests in my community, or no more. Asking earns nothing (WeChat forbids rewarding it)."""
    person = people.present(caller, now=now)
    alert = HelpAlert(partition(person.id), "HELP_ALERT")
    with transaction() as tx:
        if on:
            community = area_rules.at_level(person.resident.home or "", "community")
            if community is None:
                raise rules.HomeNeeded()
            listed = [HelpAlert.area_key.set(f"HELP_ALERT#{community}"), HelpAlert.area_sort.set(person.id)]
            defaults = [HelpAlert.day.set(HelpAlert.day | ""), HelpAlert.last_request.set(HelpAlert.last_request | "")]
            tx.update(alert, [*listed, *defaults], create=True)
        else:
            tx.delete(alert)
        person.still(tx)
    return on


def tell_the_willing(request: HelpRequest, *, now: datetime) -> None:
    """Tell everybody willing in the request's community, each once and at most a few times a day.

    The one who asked is not told. May be interrupted and run again: whoever was told is not told twice.
    """
    community = area_rules.at_level(request.area, "community")
    for alert in Item.by_area.query(f"HELP_ALERT#{community}"):
        if alert.resident_id not in (request.requester, request.by, request.filed_by):
            _tell(alert, request, now)


def _tell(alert: HelpAlert, request: HelpRequest, now: datetime) -> None:
    today = clock.day(now).isoformat()
    cap = rules.settings_in_force().alerts_a_day
    same_day = alert.day == today
    if alert.last_request == request.id or (same_day and int(alert.told) >= cap):
        return
    count: Action
    if same_day:
        count, as_read = HelpAlert.told.add(1), (HelpAlert.day == today) & (HelpAlert.told < cap)
    else:
        count, as_read = HelpAlert.told.set(1), HelpAlert.day != today
    try:
        with transaction() as tx:
            tx.update(
                alert,
                [HelpAlert.day.set(today), HelpAlert.last_request.set(request.id), count],
                when=(HelpAlert.last_request != request.id) & as_read,
                or_raise=EnoughForToday(),
            )
            notices.tell(
                tx,
                alert.resident_id,
                "help_near_you",
                about=request.id,
                now=now,
                area=request.area,
                title=request.title,
                place=areas.place_name(request.area),
            )
    except EnoughForToday:
        pass  # the index was behind: somebody else told them meanwhile, or they have switched it off
