"""What hours on shifts say about a person: for the copy of their data, under another nickname, and when they leave."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from chalicelib.kit import clock
from chalicelib.kit.table import Item
from chalicelib.people import personal_data
from chalicelib.people.personal_data import Named
from chalicelib.shifts.hours import rules
from chalicelib.shifts.models import HoursCorrection
from chalicelib.volunteers.models import ServiceRecord, partition
from chalicelib.volunteers.records import recorders

_HOW = {"checked": "签到签退", "recorded": "组织者记录"}


@personal_data.section("服务时长")
def export_hours(resident_id: str) -> Iterable[dict[str, Any]]:
    """Every record with the versions before it, then what was asked to be corrected."""
    for record in recorders.name_in(_records(resident_id)):
        yield {
            "服务": record.title,
            "开始": clock.spoken(record.start_at),
            "时长": rules.spoken_minutes(int(record.minutes)),
            "方式": _HOW[record.how],
            "记录人": record.recorded_by_name,
            "说明": record.why or "",
            "积分": int(record.points),
            "更正前": [_version(each) for each in record.versions],
        }
    for asked in _corrections(resident_id):
        for each in asked.earlier:
            yield _asked(asked.title, each["minutes"], each["reason"], each["state"], each["decision"])
        reason = asked.reason_held or asked.reason
        yield _asked(asked.title, int(asked.minutes), reason, asked.state, asked.decision)


def _version(each: dict[str, Any]) -> dict[str, Any]:
    return {
        "时长": rules.spoken_minutes(each["minutes"]),
        "方式": _HOW[each["how"]],
        "记录人": each["by_name"],
        "时间": clock.spoken(clock.from_stamp(each["at"])),
        "说明": each["why"] or "",
    }


def _asked(title: str, minutes: int, reason: str, state: str, decision: str | None) -> dict[str, Any]:
    return {
        "申请更正": title,
        "时长": rules.spoken_minutes(minutes),
        "原因": reason,
        "结果": rules.CORRECTION_STATES[state],
        "答复": decision or "",
    }


@personal_data.eraser
def erase(resident_id: str, *, now: datetime) -> None:
    with Item.batch_write() as batch:  # a volunteer of some years has many
        for item in (*_records(resident_id), *_corrections(resident_id)):
            batch.delete(item)


@personal_data.renamer
def rename(named: Named) -> None:
    """In corrections that wait. Records keep the names they were made with."""
    for asked in _corrections(named.id):
        if asked.state in rules.CORRECTION.moves:
            named.show(asked, HoursCorrection.name)


def _records(resident_id: str) -> list[ServiceRecord]:
    return Item.collection(partition(resident_id), ServiceRecord.PREFIX)


def _corrections(resident_id: str) -> list[HoursCorrection]:
    return Item.collection(partition(resident_id), HoursCorrection.PREFIX)
