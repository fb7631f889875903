"""Who looked at somebody's identity, why, and when: written with the look itself, shown to the person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from chalicelib.kit import clock, limits
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.errors import Conflict, Refused
from chalicelib.kit.table import Item, Page, page
from chalicelib.kit.transaction import transaction
from chalicelib.people import personal_data
from chalicelib.people import service as people
from chalicelib.people.models import Lookup
from chalicelib.people.service import Person

REPEATS_WITHIN = timedelta(minutes=10)
A_DAY = 50  # by one staff member
WHO_HAS_LEFT = "（已注销）"


LookOver = Refused.named("look_over", "这次查看已经过了十分钟。还要看的话，请重新写明理由。")


def once(write_down: Callable[[], None], *, attempt: Attempt, now: datetime) -> None:
    """Let a look be written down, unless this very request was before: its repeat sees the same again."""
    if _recorded(attempt, now=now):
        return
    try:
        write_down()
    except Conflict:
        if not _recorded(attempt, now=now):  # else the same tap, doubled
            raise


def record(
    tx: transaction, *, whom: str, what: str, by: Person, role: str, reason: str, attempt: Attempt, now: datetime
) -> None:
    """Write the look down, and count it, in the transaction that allows it. Raises Conflict for a repeat of it.

    `what` was seen, and the `role` by which, in the words in which the person reads them."""
    lookup = Lookup(f"LOOKUP#{attempt.id('look')}", "LOOKUP")
    lookup.whom, lookup.what, lookup.by, lookup.by_name = whom, what, by.id, by.resident.nickname
    lookup.role, lookup.reason, lookup.looked_at, lookup.marks = role, reason, now, attempt.marks()
    lookup.person_key, lookup.person_sort = _of(whom), clock.stamp(now)
    tx.create(lookup, or_raise=Conflict())
    limits.spend(tx, by.id, "look_up", at_most=A_DAY, per=timedelta(days=1), now=now)


def _recorded(attempt: Attempt, *, now: datetime) -> bool:
    """Was this very request written down before? (Then its repeat may see the same again, for some minutes.)"""
    if attempt.key is None:
        return False
    found = Lookup.find(f"LOOKUP#{attempt.id('look')}", "LOOKUP")
    if found is None or not attempt.made(found):
        return False
    if found.looked_at + REPEATS_WITHIN <= now:
        raise LookOver()  # or one key would be good for looking ever after, unseen
    return True


def all_about(whom: str) -> Iterator[Lookup]:
    """Not by pages: their cursors are signed with the session keys, which only the API may read."""
    found = Item.by_person.query(_of(whom), scan_index_forward=False)
    return (look for look in found if isinstance(look, Lookup))


def about(whom: str, *, cursor: str | None) -> Page[Lookup]:
    """Who looked, the latest first. Who has closed their account since is named by their role alone (docs/decisions/0016)."""
    found = page(Item.by_person, _of(whom), of=Lookup, cursor=cursor)
    closed = people.closed_among(look.by for look in found)
    for look in found:
        if look.by in closed:
            look.by_name = WHO_HAS_LEFT
    return found


@personal_data.eraser
def erase(resident_id: str, *, now: datetime) -> None:
    """That staff looked, and when, is theirs to answer for and stays; why may say whom it was about."""
    for look in all_about(resident_id):
        with transaction() as tx:
            tx.update(look, [Lookup.reason.set("")])


def _of(whom: str) -> str:
    return f"LOOKUPS_OF#{whom}"
