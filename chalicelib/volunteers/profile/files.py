"""A volunteer's file, read and written: every write counts only on the file as it was read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

import msgspec

from chalicelib.kit import phones, vault
from chalicelib.kit import transaction as transactions
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Action
from chalicelib.kit.transaction import transaction
from chalicelib.volunteers import diary, rules
from chalicelib.volunteers.models import Volunteer
from chalicelib.volunteers.rules import Contact

R = TypeVar("R")

SEALED = ("name", "birth", "contact", "guardian")
REMEMBERED = 12  # requests, before a file begins anew: each sign-up for a shift reads and writes it


class Personal(msgspec.Struct, frozen=True):
    """What a file keeps sealed; None of what is not there."""

    name: str | None = None
    birth: date | None = None
    contact: Contact | None = None
    guardian: Contact | None = None


def find(resident_id: str) -> Volunteer | None:
    key = Volunteer.key(resident_id)
    return Volunteer.find(key.pk, key.sk)


# Reads and decides anew as long as the same file is changed by others: a sign-up, a decision.
settled = transactions.settled(rules.TryAgain)


def write(
    tx: transaction,
    before: Volunteer | None,
    resident_id: str,
    values: Mapping[str, Any],
    *,
    also: Sequence[Action] = (),
) -> Volunteer:
    """Give a file these attributes (None takes one away), made if there is none. Returns it as it will be.

    Changed is raised at the commit when somebody has written to it since it was read.
    """
    file = before or Volunteer.key(resident_id)
    change = [*also, *diary.next_version(before)]
    unchanged = diary.as_read(before)
    for name, value in values.items():
        attribute: Any = getattr(Volunteer, name)
        change.append(attribute.remove() if value is None else attribute.set(value))
        setattr(file, name, value)
    tx.update(Volunteer.key(resident_id), change, when=unchanged, or_raise=Changed(), create=True)
    return file


def remember(file: Volunteer | None, attempt: Attempt) -> list[Action]:
    """A file may live for years: it remembers the latest requests only, those of an earlier application too."""
    few = file is None or len(file.marks or ()) < REMEMBERED
    return attempt.remember() if few else attempt.remember_alone()


def forgotten() -> dict[str, Any]:
    """Nothing of what somebody applied with, for `write`. Number, area and diary stay: their records need them."""
    sealed = [f"{field}_sealed" for field in SEALED]
    gone = dict.fromkeys([*sealed, "minor", "guardian_at", "guardian_by", "declined_reason"])
    return {**gone, "skills": [], "free_times": []}


def seal(resident_id: str, personal: Personal) -> dict[str, bytes]:
    """The sealed attributes of a file, for `write`: of what is given."""
    texts = {
        "name": personal.name,
        "birth": personal.birth.isoformat() if personal.birth else None,
        "contact": _text(personal.contact),
        "guardian": _text(personal.guardian),
    }
    given = {field: text for field, text in texts.items() if text is not None}
    return {f"{field}_sealed": sealed for field, sealed in vault.seal_together(resident_id, given).items()}


def opened(file: Volunteer, *, only: Collection[str] = SEALED) -> Personal:
    """What a file keeps sealed, for its owner."""
    sealed = {field: getattr(file, f"{field}_sealed") for field in only}
    there = {field: value for field, value in sealed.items() if value is not None}
    if not there:
        return Personal()
    texts = vault.read_together(file.resident_id, there)
    return Personal(
        name=texts.get("name"),
        birth=date.fromisoformat(texts["birth"]) if "birth" in texts else None,
        contact=_contact(texts.get("contact")),
        guardian=_contact(texts.get("guardian")),
    )


def _text(contact: Contact | None) -> str | None:
    return msgspec.json.encode(contact).decode() if contact else None


def _contact(text: str | None) -> Contact | None:
    if text is None:
        return None
    known = msgspec.json.decode(text, type=Contact)
    return msgspec.structs.replace(known, phone=phones.shown(known.phone))
