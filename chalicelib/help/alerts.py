"""Residents who want to hear when a neighbour needs something."""

from __future__ import annotations

from datetime import datetime

from chalicelib.areas import rules as area_rules
from chalicelib.areas import service as areas
from chalicelib.help import rules
from chalicelib.help.models import HelpAlert, HelpRequest
from chalicelib.kit import clock
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Conflict
from chalicelib.kit.table import Action, Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import homes
from chalicelib.people import service as people
from chalicelib.people.models import partition


class ToldMeanwhile(Conflict):
    """The index was behind: this resident was told of something meanwhile, or wants to hear no more."""


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
            tx.update(alert, [*listed, HelpAlert.day.set(HelpAlert.day | "")], create=True)
        else:
            tx.delete(alert)
        person.still(tx)
    return on


@homes.on_move
def move(tx: transaction, resident_id: str, *, home: str, now: datetime) -> None:
    """Somebody who wants to hear of neighbours hears of the new ones from now on."""
    alert = HelpAlert.find(partition(resident_id), "HELP_ALERT")
    if alert is not None:
        community = area_rules.at_level(home, "community")
        tx.update(alert, [HelpAlert.area_key.set(f"HELP_ALERT#{community}")], or_raise=Conflict())


def wanted(*, caller: Caller) -> bool:
    """Whether I am told of new requests."""
    return HelpAlert.find(partition(caller.id), "HELP_ALERT") is not None


def tell_the_willing(request: HelpRequest, *, now: datetime) -> None:
    """Tell everybody willing in the request's community, each once and at most a few times a day.

    The one who asked is not told. May be interrupted and run again: whoever was told is not told twice.
    """
    community = area_rules.at_level(request.area, "community")
    for listed in Item.by_area.query(f"HELP_ALERT#{community}"):
        if listed.resident_id not in (request.requester, request.by, request.filed_by):
            _tell(listed, request, now)


def _tell(alert: HelpAlert, request: HelpRequest, now: datetime) -> None:
    """One resident, unless they know already or have heard of enough for today."""
    current: HelpAlert | None = alert
    while current is not None and _wants(current, request, now):
        try:
            _tell_as_read(current, request, now)
        except ToldMeanwhile:
            current = HelpAlert.find(alert.pk, alert.sk)
        else:
            return


def _wants(alert: HelpAlert, request: HelpRequest, now: datetime) -> bool:
    told = alert.told or set() if alert.day == clock.day(now).isoformat() else set()
    return request.id not in told and len(told) < rules.settings_in_force().alerts_a_day


def _tell_as_read(alert: HelpAlert, request: HelpRequest, now: datetime) -> None:
    today = clock.day(now).isoformat()
    note: Action
    if alert.day == today:
        note = HelpAlert.told.add({request.id})
        as_read = (HelpAlert.day == today) & (HelpAlert.told == alert.told)
    else:
        note, as_read = HelpAlert.told.set({request.id}), HelpAlert.day == alert.day
    with transaction() as tx:
        tx.update(alert, [HelpAlert.day.set(today), note], when=as_read, or_raise=ToldMeanwhile())
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
