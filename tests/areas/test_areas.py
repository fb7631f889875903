"""The area tree: what anybody may read, and what it refuses to hold."""

from __future__ import annotations

import pytest

from chalicelib.areas import rules, service
from chalicelib.areas.rules import AreaUnknown
from chalicelib.kit.table import Item
from tests.engine.budget import budget
from tests.engine.http import Http
from tests.neighbourhood import Hood

CODE = "330402001002003004"


@pytest.mark.parametrize(
    ("code", "level", "parent"),
    [
        (CODE[:6], "district", ""),
        (CODE[:9], "street", CODE[:6]),
        (CODE[:12], "community", CODE[:9]),
        (CODE[:15], "grid", CODE[:12]),
        (CODE, "micro_grid", CODE[:15]),
    ],
)
def test_the_length_of_a_code_says_its_level_and_its_parent(code: str, level: str, parent: str) -> None:
    assert rules.well_formed(code)
    assert (rules.level(code), rules.parent(code)) == (level, parent)


@pytest.mark.parametrize(
    "code",
    ["", "3", "33040", "3304020", "33040a", "３３０４０２", "330402\n", "-30402", "33 402", "³³⁰⁴⁰²", CODE + "1"],
)
def test_anything_else_is_no_code(code: str) -> None:
    assert not rules.well_formed(code)
    with pytest.raises(AreaUnknown):
        service.get(code)


def test_the_community_of_an_area_is_the_beginning_of_its_code() -> None:
    assert rules.at_level(CODE, "community") == CODE[:12]
    assert rules.at_level(CODE[:12], "community") == CODE[:12]
    assert rules.at_level(CODE[:9], "community") is None
    assert rules.district(CODE) == CODE[:6]


def test_anybody_walks_down_the_tree_without_logging_in(hood: Hood, http: Http) -> None:
    assert hood.district in [area["code"] for area in http.get("/areas").json["items"]]
    (street,) = http.get(f"/areas?parent={hood.district}").json["items"]
    assert street == {"code": hood.street, "name": "南湖街道", "level": "street", "drop_points": []}
    (community,) = http.get(f"/areas?parent={hood.street}").json["items"]
    assert community["drop_points"] == [{"id": "office", "name": "社区居委会"}]
    assert http.get(f"/areas?parent={hood.micro_grid}").json["items"] == []


@pytest.mark.parametrize("parent", ["1", "abc", "%00", "330402%20", "AREA%23", "9" * 300, "%F0%9F%98%80"])
def test_a_parent_that_is_no_code_is_refused(http: Http, parent: str) -> None:
    assert http.get(f"/areas?parent={parent}").status == 422


def test_an_unknown_parameter_is_refused(http: Http) -> None:
    assert http.get("/areas?code=330402").wrong == {"code": "没有这一项"}


def test_children_come_in_the_order_of_their_codes(hood: Hood) -> None:
    for number in (9, 3, 7):
        service.put(f"{hood.street}{number:03d}", f"第{number}社区", [])
    assert [area.name for area in service.children(hood.street)] == ["桂苑社区", "第3社区", "第7社区", "第9社区"]


def test_an_area_without_its_parent_is_not_put(hood: Hood) -> None:
    orphan = f"{hood.district}999001"
    with pytest.raises(AreaUnknown):
        service.put(orphan, "没有街道的社区", [])
    assert Item.collection(f"AREA#{rules.parent(orphan)}") == []


def test_a_changed_name_is_there_at_once_where_it_was_changed(hood: Hood) -> None:
    assert service.get(hood.community).name == "桂苑社区"
    service.put(hood.community, "凌塘社区", [("office", "凌塘社区居委会")], rename=True)
    assert service.get(hood.community).name == "凌塘社区"
    assert service.place_name(hood.micro_grid) == "凌塘社区"
    assert service.place_name(hood.street) == "南湖街道"


def test_a_place_is_called_so_that_who_goes_there_finds_it(hood: Hood) -> None:
    assert service.full_name(hood.micro_grid) == "桂苑社区第一网格1幢"
    assert service.full_name(hood.community) == "桂苑社区"
    assert service.full_name(hood.street) == "南湖街道"
    with pytest.raises(AreaUnknown):
        service.full_name(f"{hood.community}999")


def test_an_area_is_read_once_a_minute_and_a_list_is_one_call(hood: Hood) -> None:
    service.get(hood.grid)
    with budget() as spent:
        for _ in range(5):
            service.get(hood.grid)
        assert spent.calls == []
        service.children(hood.street)
    assert spent.calls == ["dynamodb Query"]
