"""Shifts in the neighbourhood in which much has happened."""

from __future__ import annotations

from typing import Any

from tests.neighbourhood import Hood, Neighbour
from tests.shifts import organised


def form(hood: Hood) -> dict[str, Any]:
    """A plan that anybody who lives there may sign up for."""
    return {
        "title": "守小门",
        "text": "在小区门口测温、登记。",
        "service": "gate",
        "area": hood.community,
        "needs_approval": False,
        "shifts": [organised.single()],
        "recurring": organised.gates(1),
    }


def planned(hood: Hood, staff: Neighbour, ids: dict[str, str]) -> None:
    """A published shift with its activity, and a draft."""
    shown = organised.good(organised.publish(staff, organised.good(staff.post("/activities", json=form(hood)))))
    ids["shown_activity_id"], ids["shift_id"] = shown["id"], shown["shifts"][0]["id"]
    ids["activity_id"] = organised.good(staff.post("/activities", json=form(hood)))["id"]
