"""Whether a volunteer hears of new shifts, over HTTP."""

from __future__ import annotations

from datetime import datetime

from chalicelib.kit.auth import Caller
from chalicelib.kit.http import Body, Routes, View
from chalicelib.shifts.planning import announcing

routes = Routes(__name__)


class ShiftAlerts(Body, frozen=True):
    on: bool


class ShiftAlertsView(View, frozen=True):
    on: bool


@routes.get("/me/shift-alerts")
def alerts_wanted(caller: Caller) -> ShiftAlertsView:
    """Whether I hear of new shifts near my home."""
    return ShiftAlertsView(on=announcing.wanted(caller=caller))


@routes.put("/me/shift-alerts")
def switch_alerts(caller: Caller, body: ShiftAlerts, now: datetime) -> ShiftAlertsView:
    """Whether I want to hear of new shifts near my home, a few a day at most."""
    return ShiftAlertsView(on=announcing.switch(caller=caller, on=body.on, now=now))
