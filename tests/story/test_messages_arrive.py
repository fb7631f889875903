"""Every message is in the inbox; the push is once and best effort; whoever is not reached is called."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from local import district
from local.phone import Phone
from local.stack import Stack
from local.story import MASKS
from tests.story.conftest import received, soon, whole

Newcomers = Callable[[str, str], Phone]
People = Callable[[str], Phone]


def help_each_other(asker: Phone, helper: Phone) -> str:
    """A request answered and dropped off: the asker is told twice."""
    request = f"/help-requests/{asker.post('/help-requests', MASKS).json['id']}"
    offer = helper.post(f"{request}/offers", {"quantity": 5}).json["id"]
    assert helper.post(f"{request}/offers/{offer}/drop-off").status == 200
    return request


def test_the_inbox_has_it_all_and_counts_what_is_unread(phone: People, newcomer: Newcomers) -> None:
    he = newcomer("he", "何师傅")
    help_each_other(he, phone("chen-caiming"))
    notices = he.get("/inbox").json["items"]
    assert [notice["title"] for notice in notices] == ["东西已送到，请去领取", "有邻居要帮您"]
    assert he.get("/inbox/unread").json["count"] == 2
    assert he.post(f"/inbox/{notices[0]['id']}/read").status == 204
    assert he.get("/inbox/unread").json["count"] == 1


def test_without_a_credit_nothing_is_pushed_and_the_call_sheet_names_who_was_not_reached(
    stage: Stack, phone: People, newcomer: Newcomers
) -> None:
    lv, grid_worker = newcomer("lv", "吕阿姨"), phone("grid-worker")
    help_each_other(lv, phone("chen-caiming"))

    def on_the_sheet() -> list[dict[str, Any]]:
        calls = whole(grid_worker, f"/call-sheet?area={district.GRID}")
        return [call for call in calls if call["resident_id"] == lv.id]

    call = soon(on_the_sheet)[0]
    assert stage.wechat.messages("lv") == []
    assert grid_worker.post(f"/call-sheet/{call['id']}/done").status == 204
    assert on_the_sheet() == []


def test_wechat_down_for_an_hour_loses_nothing(stage: Stack, phone: People, newcomer: Newcomers) -> None:
    shi = newcomer("shi", "施老师")
    shi.allow_messages("ask_for_help")
    stage.wechat.break_("bad_gateway", "/cgi-bin/message/subscribe/send")
    request = f"/help-requests/{shi.post('/help-requests', MASKS).json['id']}"
    phone("chen-caiming").post(f"{request}/offers", {"quantity": 5})
    soon(lambda: stage.wechat.call_counts().get("/cgi-bin/message/subscribe/send"))
    stage.wechat.mend()
    for hour in range(1, 4):
        stage.sweep(at=datetime.now(UTC) + timedelta(hours=hour))
    soon(lambda: received(stage, "shi", "有人帮忙"))


def test_the_same_notice_delivered_again_and_again_is_pushed_once(
    stage: Stack, phone: People, newcomer: Newcomers
) -> None:
    cao = newcomer("cao", "曹师傅")
    for _ in range(4):
        cao.allow_messages("ask_for_help")
    request = f"/help-requests/{cao.post('/help-requests', MASKS).json['id']}"
    phone("chen-caiming").post(f"{request}/offers", {"quantity": 5})
    soon(lambda: received(stage, "cao", "有人帮忙"))
    notice = cao.get("/inbox").json["items"][-1]["id"]
    letter = json.dumps({"to": cao.id, "notice": notice, "template": "help_progress"})
    again = {"body": letter, "attributes": {"MessageGroupId": cao.id}}
    for batch in range(3):
        copies = [again | {"messageId": f"{batch}-{copy}"} for copy in range(3)]
        assert stage.invoke("push_notices", {"Records": copies}) == {"batchItemFailures": []}
    assert len(received(stage, "cao", "有人帮忙")) == 1


def test_wechat_knows_our_callback(stage: Stack) -> None:
    assert stage.wechat.verify_callback()
