"""What the books say about a person: for the copy of their data, and when they leave."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from chalicelib.kit import clock
from chalicelib.people import personal_data
from chalicelib.points import service, statement


@personal_data.section("我的积分")
def export_points(resident_id: str) -> Iterable[dict[str, Any]]:
    for line in statement.all_of(resident_id):
        yield {
            "时间": clock.spoken(line.transfer.at),
            "事由": line.transfer.reason,
            "变动": line.transfer.change,
            "余额": line.balance,
        }


@personal_data.eraser_at_last
def erase(resident_id: str, *, now: datetime) -> None:
    """The books stay, or they would not add up; they name nobody but an id that no longer leads to anybody.

    At last, so that what waits in the mall gives its points back before they lapse.
    """
    service.close(resident_id, now=now)
