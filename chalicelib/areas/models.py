"""The areas of this installation."""

from __future__ import annotations

from pynamodb.attributes import ListAttribute, MapAttribute, UnicodeAttribute

from chalicelib.areas import rules
from chalicelib.kit.table import Item


class DropPoint(MapAttribute[str, str]):
    """A place where goods change hands, usually the community office 居委会."""

    id = UnicodeAttribute()
    name = UnicodeAttribute()


class Area(Item, discriminator="area"):
    """`AREA#<parent code>` / `<code>`: one area; the children of an area are one partition."""

    name = UnicodeAttribute()
    drop_points: ListAttribute[DropPoint] = ListAttribute(of=DropPoint, default=list)

    @classmethod
    def key(cls, code: str) -> Area:
        return cls(f"AREA#{rules.parent(code)}", code)

    @classmethod
    def new(cls, code: str, name: str, drop_points: list[tuple[str, str]] | None = None) -> Area:
        places = [
            DropPoint(id=place_id, name=place)  # type: ignore[no-untyped-call]
            for place_id, place in drop_points or []
        ]
        return cls(f"AREA#{rules.parent(code)}", code, name=name, drop_points=places)

    @property
    def code(self) -> str:
        return self.sk
