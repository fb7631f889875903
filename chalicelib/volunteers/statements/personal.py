"""What statements and the records beside hours know about a person: for the copy of their data, and when they leave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from chalicelib.kit import clock
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.people import personal_data
from chalicelib.volunteers.models import Entry, Register, Statement, partition
from chalicelib.volunteers.records import recorders
from chalicelib.volunteers.records import rules as record_rules
from chalicelib.volunteers.statements import rules as papers


@personal_data.section("服务时长证明")
def export_statements(resident_id: str) -> Iterable[dict[str, Any]]:
    for statement in _statements(resident_id):
        yield {
            "编号": statement.number,
            "出具时间": clock.spoken(statement.issued_at),
            "时间段": f"{statement.from_day} 至 {statement.to_day}",
            "时长": record_rules.spoken(int(statement.minutes)),
            "状态": papers.STATES[statement.state],
            **({"结束时间": clock.spoken(statement.ended_at)} if statement.ended_at else {}),
            **({"原因": statement.reason} if statement.reason else {}),
        }


@personal_data.section("培训表彰评价")
def export_entries(resident_id: str) -> Iterable[dict[str, Any]]:
    for entry in recorders.name_in_entries(Item.collection(partition(resident_id), Entry.PREFIX)):
        yield {
            "类别": record_rules.KINDS[entry.what],
            "日期": entry.day,
            "名称": entry.title,
            "单位": entry.by,
            **({"学时": record_rules.spoken(int(entry.minutes))} if entry.minutes is not None else {}),
            "记录人": entry.recorded_by_name,
            "状态": record_rules.ENTRY_STATES[entry.state],
            **({"原因": entry.reason} if entry.reason else {}),
        }


@personal_data.eraser
def erase(resident_id: str, *, now: datetime) -> None:
    """What statements show goes, and nothing leads from the person to them any more.

    The number stays: whoever is shown the paper is told why it cannot be verified.
    """
    destroyed = [
        *Statement.set(state="destroyed", ended_at=Statement.ended_at | now),  # it may have ended before
        *(each.remove() for each in (Statement.person_sealed, Statement.person_key, Statement.person_sort)),
    ]
    for number in _numbers(resident_id):
        with transaction() as tx:
            tx.update(Statement.key(number), destroyed)
    with Item.batch_write() as batch:
        for entry in Item.collection(partition(resident_id), Entry.PREFIX):
            batch.delete(entry)
    with Item.batch_write() as batch:  # last: a verdict on an entry, in this very moment, would make another one
        batch.delete(Register.key(resident_id))


def _statements(resident_id: str) -> Iterator[Statement]:
    for item in Item.by_person.query(Statement.of(resident_id)):
        if isinstance(item, Statement):
            yield item


def _numbers(resident_id: str) -> list[str]:
    """Those in force first: the index may not know yet of the latest."""
    key = Register.key(resident_id)
    register = Register.find(key.pk, key.sk)
    in_force = [each["number"] for each in register.issued] if register else []
    return list(dict.fromkeys([*in_force, *(statement.number for statement in _statements(resident_id))]))
