"""The area tree: district 区 › street 镇街 › community 村社区 › grid 网格 › micro-grid 微网格.

An area is a string of digits; one contains another exactly when its code is a prefix of the other's.
Authority, audience and statistics all rest on that one fact. The first twelve digits are the national
statistical code (统计用区划代码); grids and micro-grids add three digits each.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from chalicelib.kit.errors import Conflict, Invalid

# As it is typed or sent; whether there is such an area, `areas.service.get` knows.
AreaCode = Annotated[str, Meta(min_length=6, max_length=18, pattern=r"^[0-9]+\Z")]
LEVELS = {6: "district", 9: "street", 12: "community", 15: "grid", 18: "micro_grid"}
LENGTH_OF = {level: length for length, level in LEVELS.items()}


AreaUnknown = Invalid.named("area_unknown", "没有这个区域，请从列表里重新选择。")
AreaHasAnotherName = Conflict.named("area_has_another_name", "这个编码已有别的名称，请核对编码。")


def well_formed(code: str) -> bool:
    return len(code) in LEVELS and code.isascii() and code.isdigit()


def level(code: str) -> str:
    return LEVELS[len(code)]


def contains(outer: str, inner: str) -> bool:
    return inner.startswith(outer)


def parent(code: str) -> str:
    """The code of the next larger area, "" for a district."""
    lengths = sorted(LEVELS)
    position = lengths.index(len(code))
    return code[: lengths[position - 1]] if position else ""


def up_from(code: str) -> list[str]:
    """The area itself, then each larger one: where to look for whoever is responsible."""
    return [code[:length] for length in sorted(LEVELS, reverse=True) if length <= len(code)]


def at_level(code: str, name: str) -> str | None:
    """The community (or street …) that an area lies in; None when the area is larger than that."""
    length = LENGTH_OF[name]
    return code[:length] if len(code) >= length else None


def district(code: str) -> str:
    return code[: LENGTH_OF["district"]]
