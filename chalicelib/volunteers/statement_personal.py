"""What statements and the records beside hours know about a person: for the copy of their data, and when they leave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from chalicelib.kit import clock
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.people import personal_data
from chalicelib.volunteers import statement_rules as papers
from chalicelib.volunteers.models import Entry, Register, Statement, partition


@personal_data.section("服务时长证明")
def export_statements(resident_id: str) -> Iterable[dict[str, Any]]:
    for statement in _statements(resident_id):
        yield {
            "编号": statement.number,
            "出具时间": clock.spoken(statement.issued_at),
            "时间段": f"{statement.from_day} 至 {statement.to_day}",
            "时长": papers.spoken(int(statement.minutes)),
            "状态": papers.STATES[statement.state],
            **({"结束时间": clock.spoken(statement.ended_at)} if statement.ended_at else {}),
            **({"原因": statement.reason} if statement.reason else {}),
        }


@personal_data.section("培训表彰评价")
def export_entries(resident_id: str) -> Iterable[dict[str, Any]]:
    for entry in Item.collection(partition(resident_id), Entry.PREFIX):
        yield {
            "类别": papers.KINDS[entry.what],
            "日期": entry.day,
            "名称": entry.title,
            "单位": entry.by,
            **({"学时": papers.spoken(int(entry.minutes))} if entry.minutes is not None else {}),
            "记录人": entry.recorded_by_name,
            "状态": papers.ENTRY_STATES[entry.state],
            **({"原因": entry.reason} if entry.reason else {}),
        }


@personal_data.eraser
def erase(resident_id: str, *, now: datetime) -> None:
    """What statements show is unreadable with the key; then nothing leads from the person to them any more.

    The number and its state stay: whoever is shown the paper is told why it cannot be verified.
    """
    for statement in _statements(resident_id):
        with transaction() as tx:
            tx.update(statement, [Statement.person_key.remove(), Statement.person_sort.remove()])
    with Item.batch_write() as batch:
        for entry in Item.collection(partition(resident_id), Entry.PREFIX):
            batch.delete(entry)
    with Item.batch_write() as batch:  # last: a verdict on an entry, in this very moment, would make another one
        batch.delete(Register.key(resident_id))


def _statements(resident_id: str) -> Iterator[Statement]:
    for item in Item.by_person.query(Statement.of(resident_id)):
        if isinstance(item, Statement):
            yield item
