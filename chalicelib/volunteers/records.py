"""Service records: the confirmed hours of one shift, written once and changed only by a decided correction.

Whatever a statement shows is written together with the person's register: see `statements`.
"""

from __future__ import annotations

from datetime import datetime

from chalicelib.kit import clock
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Condition, Item
from chalicelib.kit.transaction import transaction
from chalicelib.volunteers.models import Register, ServiceRecord, Statement


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
        [
            ServiceRecord.minutes.set(minutes),
            ServiceRecord.points.set(points),
            ServiceRecord.how.set("recorded"),
            ServiceRecord.recorded_by.set(by),
            ServiceRecord.recorded_by_name.set(by_name),
            ServiceRecord.recorded_at.set(now),
            ServiceRecord.why.set(why),
            ServiceRecord.versions.set([*record.versions, earlier]),
        ],
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
        [Register.issued.set(others), Register.version.set(int(register.version) + 1 if register else 1)],
        when=as_read(register),
        or_raise=Changed(),
        create=True,
    )
    for each in covering:
        revoked = [Statement.state.set("revoked"), Statement.ended_at.set(now), Statement.reason.set(reason)]
        tx.update(Statement.key(each["number"]), revoked, when=Statement.state == "valid", or_raise=Changed())


def as_read(register: Register | None) -> Condition:
    """True as long as no statement was issued, and nothing that one shows was added, corrected or revoked since."""
    unchanged: Condition = Item.pk.does_not_exist() if register is None else Register.version == int(register.version)
    return unchanged
