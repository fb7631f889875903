"""What the mall knows about a person: for the copy of their data, and when they leave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from chalicelib.content import photos
from chalicelib.kit import clock
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import settled, transaction
from chalicelib.mall import ending, rules
from chalicelib.mall.models import Redemption
from chalicelib.people import personal_data


@personal_data.section("我的兑换")
def export_redemptions(resident_id: str) -> Iterable[dict[str, Any]]:
    for redemption in _redemptions(resident_id):
        yield {
            "时间": clock.spoken(redemption.created_at),
            "商品": redemption.name,
            "数量": f"{int(redemption.quantity)} {redemption.unit}",
            "积分": int(redemption.cost),
            "领取": redemption.desk_name or "送货上门",
            "状态": rules.STATES[redemption.state],
            **({"说明": redemption.without_code} if redemption.without_code else {}),
        }


@personal_data.eraser
def erase(resident_id: str, *, now: datetime) -> None:
    """What was not collected is there for others again. The rest stays as the books of goods, which name an id only."""
    for redemption in _redemptions(resident_id):
        if redemption.state == "reserved":
            _call_off(redemption, now)
        if redemption.how == "delivery":
            _remove_photos(redemption, now)
        with transaction() as tx:
            told = (Redemption.home, Redemption.without_code, Redemption.person_key, Redemption.person_sort)
            tx.update(redemption, [attribute.remove() for attribute in told])


@settled(rules.MallBusy)
def _call_off(redemption: Redemption, now: datetime) -> None:
    current = Redemption.fetch(redemption.pk, redemption.sk)
    if current.state == "reserved":
        with transaction() as tx:
            ending.end(tx, current, "cancelled", now=now)


def _remove_photos(redemption: Redemption, now: datetime) -> None:
    """They show somebody's door."""
    for photo in Item.collection(redemption.pk, "PHOTO#"):
        if photo.state != "removed":
            with transaction() as tx:
                photos.remove(tx, photo, now=now)


def _redemptions(resident_id: str) -> Iterator[Redemption]:
    for item in Item.by_person.query(Redemption.of(resident_id)):
        if isinstance(item, Redemption):
            yield item
