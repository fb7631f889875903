"""Fills the demo district, once: areas, a quiz, goods and duties as an administrator, people as themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from local import district
from local.phone import Phone
from local.stack import Stack, StackFailed


def fill(stack: Stack) -> Path:
    """Returns the file that lists the demo people: `{"people": [{"label", "openid", "phone"}]}`."""
    listed = stack.state / "people.json"
    if not listed.exists():
        _administer(stack, {"command": "put_areas", "areas": district.areas()})
        _set_up_the_quiz(stack)
        for command in district.goods():
            _administer(stack, command)
        people = [_settle(stack, person) for person in district.PEOPLE]
        listed.write_text(json.dumps({"people": people}, ensure_ascii=False, indent=2), encoding="utf-8")
    return listed


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
            raise StackFailed(f"The demo district cannot be filled: {answer}")
    for role, area in duties:
        _administer(stack, {"command": "grant_duty", "resident_id": phone.id, "role": role, "area": area})
    return {"label": name, "openid": added["openid"], "phone": phone_id}


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
        raise StackFailed(f"The demo district cannot be filled: {answer}")
