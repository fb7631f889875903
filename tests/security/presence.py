"""Checking in and out, and the organiser's list: who may, with which body, in a shift at which the owner is expected."""

from __future__ import annotations

from typing import Any

from tests.neighbourhood import Hood, Neighbour
from tests.shifts import door, gate

STAFF = {"staff", "kin"}
APART = {"staff"}  # about the owner, for whom kin may act

ROWS: dict[str, set[str]] = {
    # Who has signed up.
    "POST /shifts/{shift_id}/check-in": {"owner"},
    "POST /shifts/{shift_id}/check-out": {"owner"},
    "POST /check-ins": {"owner"},
    "POST /check-outs": {"owner"},
    # Who runs the shift.
    "GET /shifts/{shift_id}/code": STAFF,
    "GET /shifts/{shift_id}/people": STAFF,
    "POST /shifts/{shift_id}/people": STAFF,
    "POST /shifts/{shift_id}/people/{person_id}/check-in": APART,
    "POST /shifts/{shift_id}/people/{person_id}/check-out": APART,
    "POST /shifts/{shift_id}/people/{person_id}/contact": STAFF,
    "GET /shifts/{shift_id}/not-reached": STAFF,
}
TO_STAFF = {"POST /shifts/{shift_id}/people/{person_id}/contact"}


def bodies(ids: dict[str, str]) -> dict[str, Any]:
    shift = ids["open_shift_id"]
    return {
        "POST /shifts/{shift_id}/check-in": {"code": door.digits(shift)},
        "POST /shifts/{shift_id}/check-out": {"code": door.digits(shift)},
        "POST /check-ins": {"scene": door.scene(shift)},
        "POST /check-outs": {"scene": door.scene(shift)},
        "POST /shifts/{shift_id}/people": {"name": "王阿婆"},
        "POST /shifts/{shift_id}/people/{person_id}/contact": {"reason": "身体不适，联系家人"},
    }


def happened(hood: Hood, owner: Neighbour, ids: dict[str, str]) -> None:
    """The owner is expected at a shift whose check-in is open."""
    gate.approve(owner)
    ids["open_shift_id"] = door.open_shift(hood)
    ids["person_id"] = owner.id
    gate.signed_up(owner, ids["open_shift_id"])


def meant_by(path: str, ids: dict[str, str]) -> dict[str, str]:
    """The shift of these routes is the one whose check-in is open."""
    of_this_part = any(path == name.partition(" ")[2] for name in ROWS)
    return {"shift_id": ids["open_shift_id"]} if of_this_part else {}
