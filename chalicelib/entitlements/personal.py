"""What somebody has the right to: for the copy of their data, and when they leave."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from chalicelib.entitlements.models import partition
from chalicelib.kit import clock
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.people import personal_data


@personal_data.section("我取得的资格")
def export_entitlements(resident_id: str) -> Iterable[dict[str, Any]]:
    for entitlement in Item.collection(partition(resident_id)):
        yield {"时间": clock.spoken(entitlement.granted_at), "资格": entitlement.why}


@personal_data.eraser
def erase(resident_id: str, *, now: datetime) -> None:
    for entitlement in Item.collection(partition(resident_id)):
        with transaction() as tx:
            tx.delete(entitlement)
