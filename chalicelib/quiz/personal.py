"""What somebody has answered: for the copy of their data, and when they leave."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from chalicelib.kit import clock
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.people import personal_data
from chalicelib.quiz.models import Sheet, partition


@personal_data.section("我的答题")
def export_results(resident_id: str) -> Iterable[dict[str, Any]]:
    sheets: list[Sheet] = Item.collection(partition(resident_id), Sheet.PREFIX)
    for sheet in sorted(sheets, key=lambda each: each.started_at):
        done = sheet.answers is not None
        yield {
            "时间": clock.spoken(sheet.started_at),
            "问卷": sheet.title,
            "结果": f"{int(sheet.score or 0)} / {len(sheet.drawn)}" if done else "没有交",
            "及格": ("是" if sheet.passed else "否") if done else "",
            "积分": int(sheet.points or 0),
        }


@personal_data.eraser
def erase(resident_id: str, *, now: datetime) -> None:
    for item in Item.collection(partition(resident_id)):
        with transaction() as tx:
            tx.delete(item)
