"""Taking back what a runaway rule gave: an administrator's act, first as a dry run, then as visible corrections.

It is found by rule and day, corrected one by one, and sent again until nothing is left: what is corrected already is
passed over. The index may lag behind by a moment, so switch the rule off first, and send the command once more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice

import msgspec

from chalicelib.kit import clock
from chalicelib.kit.table import Item, read_together
from chalicelib.kit.transaction import transaction
from chalicelib.points import rules
from chalicelib.points.models import SHARDS, Account, Shortfall, Transfer
from chalicelib.points.service import correct, settled

LISTED_AT_MOST = 50
LONGEST = timedelta(days=92)  # of the period: each day is sixteen queries
_AT_ONCE = 30  # transfers looked at in one read: each with its correction and its shortfall


class Reversal(msgspec.Struct):
    """What was or would be done. `short` lists residents with what is missing, the largest first."""

    dry_run: bool
    residents: int = 0
    transfers: int = 0
    points: int = 0
    missing: int = 0
    short: dict[str, int] = {}
    finished: bool = True


def reverse(
    *, rule: str, since: datetime, until: datetime, dry_run: bool, now: datetime, seconds_left: Callable[[], float]
) -> Reversal:
    """Take back what `rule` gave from `since` on and before `until`. Counts what this call does, the missing also of earlier ones."""
    done = Reversal(dry_run)
    residents: set[str] = set()
    short: dict[str, int] = defaultdict(int)
    balances: dict[str, int] = {}
    given = _given(rule, since, until)
    while some := list(islice(given, _AT_ONCE)):
        if seconds_left() < 5:
            done.finished = False
            break
        for first in _standing(some, short):
            if dry_run:
                taken, missing = _would_take(first, balances)
            else:
                result = _take_back(first, now)
                if result is None:
                    continue
                taken, missing = result
            residents.add(first.resident_id)
            done.transfers += 1
            done.points += taken
            if missing:
                short[first.resident_id] += missing
    done.residents, done.missing = len(residents), sum(short.values())
    largest = sorted(short.items(), key=lambda each: (-each[1], each[0]))
    done.short = dict(largest[:LISTED_AT_MOST])
    return done


def _given(rule: str, since: datetime, until: datetime) -> Iterator[Transfer]:
    day = clock.day(since)
    while day <= clock.day(until):
        for number in range(SHARDS):
            between = Item.area_sort.between(clock.stamp(since), clock.stamp(until))
            for found in Item.by_area.query(Transfer.of_rule(rule, day, number), between):
                if isinstance(found, Transfer):
                    yield found
        day += timedelta(days=1)


def _standing(some: list[Transfer], short: dict[str, int]) -> list[Transfer]:
    """Those that nobody has corrected yet; what earlier corrections missed is added to `short`."""
    keys: list[Item] = []
    for each in some:
        keys += [
            Transfer.key(each.resident_id, f"{each.fact}:corrected"),
            Shortfall.key(each.resident_id, each.fact),
        ]
    found = read_together(*keys)
    standing = []
    for number, each in enumerate(some):
        corrected, missed = found[2 * number], found[2 * number + 1]
        if missed is not None:
            short[each.resident_id] += int(missed.missing)
        if corrected is None and missed is None:
            standing.append(each)
    return standing


def _would_take(first: Transfer, balances: dict[str, int]) -> tuple[int, int]:
    resident = first.resident_id
    if resident not in balances:
        account = Account.find(*_key(Account.key(resident)))
        balances[resident] = int(account.balance) if account else 0
    taken = min(int(first.amount), balances[resident])
    balances[resident] -= taken
    return taken, int(first.amount) - taken


def _take_back(first: Transfer, now: datetime) -> tuple[int, int] | None:
    @settled
    def take() -> tuple[int, int]:
        with transaction() as tx:
            reason = f"更正：{first.reason}"
            done = correct(tx, first.resident_id, transfer_id=first.fact, reason=reason, now=now)
        return done.taken, done.missing

    with suppress(rules.AlreadyCorrected):  # by another who sent the same command
        return take()
    return None


def _key(item: Item) -> tuple[str, str]:
    return item.pk, item.sk
