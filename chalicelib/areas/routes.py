"""The area tree, for choosing where one lives. Public: it holds nobody's data."""

from __future__ import annotations

from chalicelib.areas import rules, service
from chalicelib.areas.models import Area
from chalicelib.kit.http import Query, Routes, View

routes = Routes(__name__)


class ParentArea(Query, frozen=True):
    parent: str = ""


class DropPointView(View, frozen=True):
    id: str
    name: str


class AreaView(View, frozen=True):
    code: str
    name: str
    level: str
    drop_points: list[DropPointView]


class AreaList(View, frozen=True):
    items: list[AreaView]


def view(area: Area) -> AreaView:
    places = [DropPointView(id=place.id, name=place.name) for place in area.drop_points]
    return AreaView(code=area.code, name=area.name, level=rules.level(area.code), drop_points=places)


@routes.get("/areas")
def list_areas(query: ParentArea) -> AreaList:
    """The areas directly inside `parent`; without it, the districts served here."""
    return AreaList(items=[view(area) for area in service.children(query.parent)])
