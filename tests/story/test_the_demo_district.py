"""What `make run` looks for before it says that the demo district is there."""

from __future__ import annotations

import json

import pytest

from local import demo, district
from local.stack import Stack

LOST = {
    "区域": ("AREA#330402", "330402010"),
    "问卷": (f"QUIZ#{district.QUIZ}", "QUIZ"),
    "商品": (f"MALL#{district.CAMPAIGN}", "PRODUCT"),
}


def test_a_filled_district_lacks_nothing_and_may_be_filled_again(stage: Stack) -> None:
    people = (stage.kept / demo.LISTED).read_bytes()
    assert demo.missing(stage) == []
    demo.fill(stage)
    assert demo.missing(stage) == []
    assert (stage.kept / demo.LISTED).read_bytes() == people, "nobody has become somebody else"


@pytest.mark.parametrize("what", LOST)
def test_what_is_lost_is_named(stage: Stack, what: str) -> None:
    table, (pk, sk) = stage.client("dynamodb"), LOST[what]
    key = {"PK": {"S": pk}, "SK": {"S": sk}}
    item = table.delete_item(TableName=stage.outputs["TableName"], Key=key, ReturnValues="ALL_OLD")["Attributes"]
    try:
        assert demo.missing(stage) == [what]
    finally:
        table.put_item(TableName=stage.outputs["TableName"], Item=item)


def test_people_are_looked_for_by_the_accounts_they_had(stage: Stack) -> None:
    listed = stage.kept / demo.LISTED
    kept = listed.read_text(encoding="utf-8")
    people = json.loads(kept)
    people["people"][0]["resident"] = "res_of-an-empty-table"
    listed.write_text(json.dumps(people), encoding="utf-8")
    try:
        assert demo.missing(stage) == ["居民"]
    finally:
        listed.write_text(kept, encoding="utf-8")


def test_a_street_that_is_gone_is_there_again_after_filling(stage: Stack) -> None:
    key = {"PK": {"S": "AREA#330402"}, "SK": {"S": "330402010"}}
    stage.client("dynamodb").delete_item(TableName=stage.outputs["TableName"], Key=key)
    demo.fill(stage)
    assert demo.missing(stage) == []
