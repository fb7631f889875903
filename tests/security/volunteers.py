"""Volunteers' files in the world of these tests: who may do what, right bodies, and what nobody else may read."""

from __future__ import annotations

from typing import Any

from tests.neighbourhood import Neighbour
from tests.volunteers import desk

RESIDENTS = {"stranger", "foreign_staff", "staff", "former", "kin", "helper", "owner"}
STAFF = {"staff", "kin"}
APART = {"staff"}  # about the applicant, for whom kin may act
ROWS: dict[str, set[str]] = {
    "GET /me/volunteer": RESIDENTS,
    "POST /me/volunteer": RESIDENTS,
    "PUT /me/volunteer": RESIDENTS,
    "POST /me/volunteer/leave": RESIDENTS,
    "GET /me/shift-alerts": RESIDENTS,
    "PUT /me/shift-alerts": RESIDENTS,
    "GET /volunteers/applications": STAFF,
    "POST /volunteers/{resident_id}/identity": APART,
    "POST /volunteers/{resident_id}/approve": APART,
    "POST /volunteers/{resident_id}/decline": APART,
    "POST /volunteers/{resident_id}/guardian-consent": APART,
    "POST /volunteers/{resident_id}/guardian-consent/withdraw": APART,
}
BODIES: dict[str, Any] = {
    "POST /me/volunteer": desk.FORM,
    "PUT /me/volunteer": {name: desk.FORM[name] for name in ("skills", "free_times", "contact")},
    "PUT /me/shift-alerts": {"on": True},
    "POST /volunteers/{resident_id}/identity": {"reason": "核对身份证上的姓名"},
    "POST /volunteers/{resident_id}/decline": desk.REASON,
    "POST /volunteers/{resident_id}/guardian-consent": desk.MOTHER,
}
QUERIES = {"/volunteers/applications": "area=330402001001"}

NAME = "李菊的本名"
CONTACT = {"name": "李家外婆", "phone": "13957301234", "relation": "外婆"}
GUARDIAN = {"name": "李家母亲", "phone": "13957305678", "relation": "母亲"}
BIRTH = desk.years_ago(15)
TO_STAFF = {"POST /volunteers/{resident_id}/identity"}
# To the applicant's own eyes, but for that act of staff.
SECRETS = {NAME, BIRTH, *(person[part] for person in (CONTACT, GUARDIAN) for part in ("name", "phone"))}


def apply(applicant: Neighbour, staff: Neighbour, ids: dict[str, str]) -> None:
    """Somebody of fifteen has applied; a guardian has agreed."""
    desk.applied(applicant, name=NAME, birth=BIRTH, contact=CONTACT)
    assert desk.consent(applicant, by=staff, **GUARDIAN).status == 200
    ids["applicant_id"] = applicant.id


def meant_by(name: str, ids: dict[str, str]) -> dict[str, str]:
    """Staff decide about the one whose application waits."""
    return {"resident_id": ids["applicant_id"]} if name in ROWS and "{resident_id}" in name else {}
