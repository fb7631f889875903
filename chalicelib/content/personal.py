"""What this slice holds about a person: photos, and texts that wait for a verdict."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from chalicelib.content import photos, reviews, rules
from chalicelib.content.models import Photo, Review
from chalicelib.kit import clock
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.people import personal_data

_STATES = {
    "awaited": "等待上传",
    "checking": "正在检查",
    "held": "等待审核",
    "shown": "已显示",
    "refused": "没有通过",
    "removed": "已删除",
}


@personal_data.section("照片")
def export_photos(resident_id: str) -> Iterable[dict[str, Any]]:
    return [
        {"时间": clock.spoken(photo.invited_at), "种类": photo.called, "状态": _STATES[photo.state], "编号": photo.id}
        for photo in Item.by_person.query(f"PHOTOS#{resident_id}")
    ]


@personal_data.section("等待审核的内容")
def export_reviews(resident_id: str) -> Iterable[dict[str, Any]]:
    return [
        {"时间": clock.spoken(review.opened_at), "内容": review.excerpt}
        for review in Item.by_person.query(f"REVIEWS#{resident_id}")
    ]


@personal_data.eraser
def erase(resident_id: str, *, now: datetime) -> None:
    """Photos go, files and all; what waits for a verdict no longer does, and its text is erased."""
    for found in Item.by_person.query(f"PHOTOS#{resident_id}"):
        photo = Photo.find(found.pk, found.sk)
        if photo is not None and photo.state in rules.PHOTO.moves:
            with transaction() as tx:
                photos.remove(tx, photo, now=now)
    for found in Item.by_person.query(f"REVIEWS#{resident_id}"):
        review = Review.find(found.pk, found.sk)
        if review is not None and review.state in rules.REVIEW.moves:
            with transaction() as tx:
                reviews.close(tx, review, "moot", by=resident_id, reason="", now=now)
