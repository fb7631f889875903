"""Home, phone, delegates, who looked me up, a copy of my data, and the way out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import urllib3

from local import district
from local.phone import Phone
from local.stack import Stack
from local.story import MASKS
from tests.story.conftest import soon, whole

Newcomers = Callable[[str, str], Phone]
People = Callable[[str], Phone]


def test_the_grid_worker_confirms_where_somebody_lives(phone: People, newcomer: Newcomers) -> None:
    zhang, grid_worker = newcomer("zhang", "张阿姨"), phone("grid-worker")
    waiting = whole(grid_worker, f"/residences?area={district.GRID}")
    assert zhang.id in [line["resident_id"] for line in waiting]
    assert grid_worker.post(f"/residences/{zhang.id}/confirm", {"area": district.HOME}).json["state"] == "confirmed"
    assert zhang.get("/me").json["home"]["state"] == "confirmed"


def test_staff_see_a_phone_number_only_with_a_reason_that_its_owner_reads(
    stage: Stack, phone: People, newcomer: Newcomers
) -> None:
    zhao, grid_worker, neighbour = newcomer("zhao", "赵师傅"), phone("grid-worker"), phone("chen-caiming")
    number = stage.wechat.person("zhao")["phone"]
    masked = zhao.post("/me/phone", {"code": stage.wechat.phone_code("zhao")})
    assert masked.json["phone"] == f"{number[:3]}******{number[-2:]}"
    assert zhao.get("/me/phone").json["phone"] == number

    path = f"/residents/{zhao.id}/identity"
    assert neighbour.post(path, {"reason": "想认识一下"}).status == 404
    assert grid_worker.post(path, {}).status == 422
    assert grid_worker.post(path, {"reason": "口罩到了，电话通知"}).json["phone"] == number
    looks = zhao.get("/me/lookups").json["items"]
    assert [(look["role"], look["reason"]) for look in looks] == [("网格员", "口罩到了，电话通知")]


def test_a_daughter_acts_for_her_father_until_he_takes_it_back(newcomer: Newcomers) -> None:
    father, daughter = newcomer("father", "老周"), newcomer("daughter", "小周")
    code = father.post("/me/delegates").json["code"]
    assert daughter.post("/delegations", {"code": code}).json["id"] == father.id
    asked = daughter.post("/help-requests", MASKS, acting_for=father.id)
    assert (asked.status, asked.json["asked_by_delegate"]) == (201, daughter.get("/me").json["nickname"])
    assert [line["id"] for line in father.get("/help-requests/mine").json["items"]] == [asked.json["id"]]
    assert father.delete(f"/me/delegates/{daughter.id}").status == 204
    assert daughter.post("/help-requests", MASKS, acting_for=father.id).code == "not_a_delegate"


def test_a_copy_of_all_my_data_is_prepared_and_fetched_by_a_link(stage: Stack, newcomer: Newcomers) -> None:
    qian = newcomer("qian", "钱老师")
    qian.post("/help-requests", MASKS | {"text": "这是钱老师写的"})
    assert qian.post("/me/copy").json["state"] == "preparing"
    stage.sweep(at=datetime.now(UTC) + timedelta(minutes=1))
    ready = soon(lambda: qian.get("/me/copy").json.get("json_url") and qian.get("/me/copy").json)
    copy = json.loads(urllib3.request("GET", ready["json_url"]).data)
    assert copy["我的求助"][0]["内容"] == "这是钱老师写的"
    page = urllib3.request("GET", ready["page_url"]).data.decode()
    assert "这是钱老师写的" in page


def test_closing_the_account_makes_a_person_unreadable_at_once(stage: Stack, newcomer: Newcomers) -> None:
    sun, chen = newcomer("sun", "孙大爷"), newcomer("helper-of-sun", "小陈")
    sun.post("/me/phone", {"code": stage.wechat.phone_code("sun")})
    asked = sun.post("/help-requests", MASKS | {"text": "住在一幢的孙大爷要口罩"}).json
    chen.post(f"/help-requests/{asked['id']}/offers", {"quantity": 2})
    assert sun.post("/me/close", {"word": "好的"}).code == "closing_not_confirmed"
    assert sun.post("/me/close", {"word": "注销"}).status == 204

    table, vault = stage.outputs["TableName"], stage.outputs["VaultTableName"]
    left = json.dumps(stage.client("dynamodb").scan(TableName=table)["Items"], default=str, ensure_ascii=False)
    assert "孙大爷" not in left
    key = stage.client("dynamodb").get_item(TableName=vault, Key={"subject": {"S": sun.id}})
    assert "Item" not in key
    soon(lambda: sun.get("/me").status == 401)
    assert sun.log_in().status == 200, "the same phone gets a new account"
    assert sun.get("/help-requests/mine").json["items"] == []


def test_leaving_through_wechats_own_settings_does_the_same(stage: Stack, newcomer: Newcomers) -> None:
    li = newcomer("li-left", "李师傅")
    before = li.id
    time.sleep(1)  # WeChat tells time by the second, and undoes what was there in an earlier one
    stage.wechat.cancel("li-left")
    vault = stage.outputs["VaultTableName"]
    soon(lambda: "Item" not in stage.client("dynamodb").get_item(TableName=vault, Key={"subject": {"S": before}}))
    assert li.log_in().status == 200
    assert li.id != before


def test_withdrawing_consent_stops_everything_until_it_is_given_again(newcomer: Newcomers) -> None:
    wu = newcomer("wu", "吴阿姨")
    wu.token = wu.delete("/me/consent").json["token"]
    assert wu.post("/help-requests", MASKS).code == "consent_needed"
    assert wu.log_in().status == 200
    assert wu.post("/help-requests", MASKS).status == 201


def test_an_administrator_ends_a_duty_and_it_bites_at_once(stage: Stack, newcomer: Newcomers) -> None:
    zheng = newcomer("zheng", "郑师傅")
    duty = {"resident_id": zheng.id, "role": "grid_worker", "area": district.GRID}
    until = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    assert stage.invoke("administer", {"command": "grant_duty", "until_at": until, **duty})["ok"] is True
    assert zheng.get(f"/residences?area={district.GRID}").status == 200
    assert stage.invoke("administer", {"command": "end_duty", **duty})["ok"] is True
    assert zheng.get(f"/residences?area={district.GRID}").code == "duty_needed"
    wrong = stage.invoke("administer", {"command": "grant_duty", **duty, "role": "king"})
    assert (wrong["ok"], wrong["code"]) == (False, "command_invalid")
