"""Who looked at somebody's identity, why, and when: written with the look itself, shown to the person."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.kit import clock, limits
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.errors import Conflict, Refused
from chalicelib.kit.table import Item, Page, page
from chalicelib.kit.transaction import transaction
from chalicelib.people.models import Lookup

REPEATS_WITHIN = timedelta(minutes=10)
A_DAY = 50  # by one staff member


class LookOver(Refused):
    code, detail = "look_over", "这次查看已经过了十分钟。还要看的话，请重新写明理由。"


def record(
    tx: transaction, *, whom: str, by: str, by_name: str, role: str, reason: str, attempt: Attempt, now: datetime
) -> Lookup:
    """Write the look down, and count it, in the transaction that allows it. Raises Conflict for a repeat of it."""
    lookup = Lookup(f"LOOKUP#{attempt.id('look')}", "LOOKUP")
    lookup.whom, lookup.by, lookup.by_name, lookup.role = whom, by, by_name, role
    lookup.reason, lookup.looked_at, lookup.marks = reason, now, attempt.marks()
    lookup.person_key, lookup.person_sort = f"LOOKUPS_OF#{whom}", clock.stamp(now)
    tx.create(lookup, or_raise=Conflict())
    limits.spend(tx, by, "look_up", at_most=A_DAY, per=timedelta(days=1), now=now)
    return lookup


def recorded(attempt: Attempt, *, now: datetime) -> bool:
    """Was this very request written down before? (Then its repeat may see the same again, for some minutes.)"""
    if attempt.key is None:
        return False
    found = Lookup.find(f"LOOKUP#{attempt.id('look')}", "LOOKUP")
    if found is None or not attempt.made(found):
        return False
    if found.looked_at + REPEATS_WITHIN <= now:
        raise LookOver()  # or one key would be good for looking ever after, unseen
    return True


def about(whom: str, *, cursor: str | None) -> Page[Lookup]:
    return page(Item.by_person, f"LOOKUPS_OF#{whom}", of=Lookup, cursor=cursor)
