"""Fills the demo district: areas, a quiz, goods and duties as an administrator, people as themselves.

Once, and again when something of it is not there. What is there stays as it is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chalicelib.areas.rules import parent
from local import district
from local.phone import Phone
from local.stack import Stack, StackFailed

LISTED = "people.json"


def fill(stack: Stack) -> Path:
    """Returns the file that lists the demo people: `{"people": [{"label", "openid", "phone", "resident"}]}`."""
    _administer(stack, {"command": "put_areas", "areas": district.areas()})
    _set_up_the_quiz(stack)
    for command in district.goods():
        _administer(stack, command)
    people = [_settle(stack, person) for person in district.PEOPLE]
    listed = stack.kept / LISTED
    listed.write_text(json.dumps({"people": people}, ensure_ascii=False, indent=2), encoding="utf-8")
    return listed


def missing(stack: Stack) -> list[str]:
    """What of the demo district is not there, in words: looked for in the table and among the phones."""
    listed = stack.kept / LISTED
    people = json.loads(listed.read_text(encoding="utf-8"))["people"] if listed.exists() else []
    wanted = {
        "区域": [(f"AREA#{parent(area['code'])}", area["code"]) for area in district.areas()],
        "居民": [(f"RES#{person['resident']}", "ME") for person in people],
        "商品": [(f"MALL#{product}", "PRODUCT") for product in district.PRODUCTS],
        "问卷": [(f"QUIZ#{district.QUIZ}", "QUIZ")],
    }
    there = _in_the_table(stack, [key for keys in wanted.values() for key in keys])
    lost = [what for what, keys in wanted.items() if not keys or not there.issuperset(keys)]
    phones = {person["id"] for person in stack.wechat.people()}
    return lost if phones.issuperset(phone_id for phone_id, *_ in district.PEOPLE) else [*lost, "手机"]


def _in_the_table(stack: Stack, keys: list[tuple[str, str]]) -> set[tuple[str, str]]:
    table = stack.outputs["TableName"]
    asked = {"Keys": [{"PK": {"S": pk}, "SK": {"S": sk}} for pk, sk in keys], "ProjectionExpression": "PK, SK"}
    found = stack.client("dynamodb").batch_get_item(RequestItems={table: asked})["Responses"][table]
    return {(item["PK"]["S"], item["SK"]["S"]) for item in found}


def _settle(stack: Stack, person: district.Demo) -> dict[str, str]:
    """Somebody gets a phone, logs in, consents, says where they live, and takes up their duties."""
    phone_id, name, number, home, duties = person
    added = stack.wechat.add_person(phone_id, name, phone=number)
    phone = Phone(stack.api_url, stack.wechat, phone_id)
    for answer in (
        phone.log_in(),
        phone.put("/me/nickname", {"nickname": name}) if not duties else phone.get("/me"),
        phone.put("/me/residence", {"area": home}),
    ):
        if answer.status >= 400:
            raise StackFailed(
                f"演示数据填不进去，可以先 make clean 清空。 The demo district cannot be filled: {answer}"
            )
    for role, area in duties:
        _administer(stack, {"command": "grant_duty", "resident_id": phone.id, "role": role, "area": area})
    return {"label": name, "openid": added["openid"], "phone": phone_id, "resident": phone.id}


def _set_up_the_quiz(stack: Stack) -> None:
    """As an administrator does it: the file into the bucket's folder, then the commands."""
    file = district.MASK_QUIZ
    stack.client("s3").put_object(
        Bucket=stack.outputs["MediaBucketName"], Key=f"imports/{file.name}", Body=file.read_bytes()
    )
    _administer(stack, {"command": "import_questions", "bank": "masks", "file": file.name})
    _administer(stack, district.mask_quiz())


def _administer(stack: Stack, command: dict[str, Any]) -> None:
    answer = stack.invoke("administer", command)
    if not answer["ok"]:
        raise StackFailed(f"演示数据填不进去，可以先 make clean 清空。 The demo district cannot be filled: {answer}")
