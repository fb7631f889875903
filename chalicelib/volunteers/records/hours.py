"""Service records: the confirmed hours of one shift, written once and changed only by a decided correction.

Whatever a statement shows is written together with the person's register: see `statements`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from chalicelib.kit import clock
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed, Invalid
from chalicelib.kit.table import PAGE_SIZE, Condition, Item
from chalicelib.kit.transaction import transaction
from chalicelib.volunteers.models import Register, ServiceRecord, Statement, partition
from chalicelib.volunteers.records import recorders
from chalicelib.volunteers.records import rules as record_rules
from chalicelib.volunteers.records.rules import Period


def add(tx: transaction, record: ServiceRecord) -> None:
    """Write the hours of a shift, once: Changed when they have been written meanwhile.

    A statement that covers their day stays valid: it certifies what had been confirmed when it was issued, and says so.
    """
    tx.create(record, or_raise=Changed())
    changed(tx, record.resident_id)


def add_by_correction(tx: transaction, record: ServiceRecord, register: Register | None, *, now: datetime) -> None:
    """Write hours that were missing: statements that cover their day said that there were none, and are revoked."""
    tx.create(record, or_raise=Changed())
    _revoke(tx, register, record, now=now)


def changed(tx: transaction, resident_id: str) -> None:
    """Let a statement that is being written in this very moment read anew what it is to show."""
    tx.update(Register.key(resident_id), [Register.version.add(1)], create=True)


def correct(
    tx: transaction,
    record: ServiceRecord,
    register: Register | None,
    *,
    minutes: int,
    points: int,
    by: str,
    by_name: str,
    why: str,
    now: datetime,
) -> None:
    """Put other minutes in force; the earlier ones stay in `versions`. Statements that show them are revoked.

    `record` and `register` as read consistently.
    """
    earlier = {
        "minutes": int(record.minutes),
        "how": record.how,
        "by": record.recorded_by,
        "by_name": record.recorded_by_name,
        "at": clock.stamp(record.recorded_at),
        "why": record.why,
    }
    tx.update(
        record,
        ServiceRecord.set(
            minutes=minutes,
            points=points,
            how="recorded",
            recorded_by=by,
            recorded_by_name=by_name,
            recorded_at=now,
            why=why,
            versions=[*record.versions, earlier],
        ),
        when=(ServiceRecord.minutes == int(record.minutes)) & (ServiceRecord.recorded_at == record.recorded_at),
        or_raise=Changed(),
    )
    _revoke(tx, register, record, now=now)


def _revoke(tx: transaction, register: Register | None, record: ServiceRecord, *, now: datetime) -> None:
    day = f"{clock.day(record.start_at)}"
    revoke_covering(tx, record.resident_id, register, day=day, reason="服务时长有更正", now=now)


def revoke_covering(
    tx: transaction, resident_id: str, register: Register | None, *, day: str, reason: str, now: datetime
) -> None:
    """Revoke the statements that cover a day: what they show of it is not so. `register` as read consistently."""
    issued = register.issued if register else []
    covering = [each for each in issued if each["from"] <= day <= each["to"]]
    others = [each for each in issued if each not in covering]
    tx.update(
        Register.key(resident_id),
        Register.set(issued=others, version=int(register.version) + 1 if register else 1),
        when=as_read(register),
        or_raise=Changed(),
        create=True,
    )
    for each in covering:
        revoked = Statement.set(state="revoked", ended_at=now, reason=reason)
        tx.update(Statement.key(each["number"]), revoked, when=Statement.state == "valid", or_raise=Changed())


def as_read(register: Register | None) -> Condition:
    """True as long as no statement was issued, and nothing that one shows was added, corrected or revoked since."""
    unchanged: Condition = Item.pk.does_not_exist() if register is None else Register.version == int(register.version)
    return unchanged


class Hours(msgspec.Struct, frozen=True):
    """One page of the records of a period, and the totals of all of them."""

    page: list[ServiceRecord]
    next: str | None
    totals: record_rules.Totals


def of_period(*, caller: Caller, period: Period, cursor: str | None) -> Hours:
    """My confirmed hours of a period, the newest first. One Query for all, which the totals need."""
    record_rules.check_period(period)
    found = records_of(caller.id, period)[::-1]
    start = 0
    if cursor is not None:
        places = {_place(record): position for position, record in enumerate(found, start=1)}
        if cursor not in places:
            raise Invalid("cursor_invalid", "翻页位置已失效，请从头刷新列表。", {"cursor": "不是这个列表的翻页位置"})
        start = places[cursor]
    shown = found[start : start + PAGE_SIZE]
    more = len(found) > start + PAGE_SIZE
    after = _place(shown[-1]) if more else None
    return Hours(recorders.name_in(shown, checked=False), after, totals(found))


def _place(record: ServiceRecord) -> str:
    return record.sk.removeprefix(ServiceRecord.PREFIX)


def totals(found: Sequence[ServiceRecord]) -> record_rules.Totals:
    return record_rules.totals_of((record.how, int(record.minutes)) for record in found)


def records_of(resident_id: str, period: Period) -> list[ServiceRecord]:
    """All records of shifts that began in a period, the oldest first, read consistently, however many there are."""
    first, last = (f"{ServiceRecord.PREFIX}{clock.stamp(moment)}" for moment in (period.begins, period.ends))
    found = Item.query(partition(resident_id), Item.sk.between(first, last), consistent_read=True)
    return [item for item in found if isinstance(item, ServiceRecord)]
