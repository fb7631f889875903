"""What every administrator's command is made of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from chalicelib.areas import rules as area_rules
from chalicelib.areas import service as areas
from chalicelib.kit.errors import Invalid
from chalicelib.people import service as people
from chalicelib.people.models import Resident

Name = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"\S")]
ResidentId = Annotated[str, Meta(min_length=1, max_length=64)]


CommandInvalid = Invalid.named("command_invalid", "命令写得不对，请对照说明改正。")


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="command"):
    @property
    def about(self) -> dict[str, Any]:
        """What the log keeps of it: ids, codes and counts, no personal data."""
        return {}


class Call(NamedTuple):
    """What is known of one invocation."""

    request_id: str
    now: datetime
    seconds_left: Callable[[], float]


class Report(NamedTuple):
    """An answer that has more to it than a sentence."""

    detail: str
    figures: dict[str, Any]


def area_must_exist(area: str, *, field: str = "area", missing: str = "没有找到") -> None:
    try:
        areas.get(area)
    except area_rules.AreaUnknown:
        raise area_rules.AreaUnknown(detail="没有这个区域，请核对编码。", fields={field: missing}) from None


def active_resident(resident_id: str) -> Resident:
    resident = people.find(resident_id)
    if resident is None or resident.state != "active":
        raise Invalid("resident_unknown", "没有这位居民，或者账号已经注销。", {"resident_id": "没有找到"})
    return resident
