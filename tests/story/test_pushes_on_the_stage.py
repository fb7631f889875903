"""Pushes on the deployed stage, when something is wrong: with our key, with our settings, with WeChat, with the sender."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import urllib3

from chalicelib.kit import clock
from local import district
from local.phone import Phone
from local.stack import Stack
from local.story import MASKS
from local.wechat import catalogue, pushes
from tests.story.conftest import received, soon, whole

Newcomers = Callable[[str, str], Phone]
People = Callable[[str], Phone]
COMMUNITY_NEWS = district.notice_settings()["templates"]["community"]["one_time"]["id"]
SEND = "/cgi-bin/message/subscribe/send"
HOUR = timedelta(hours=1)


@pytest.fixture
def asker(newcomer: Newcomers, request: pytest.FixtureRequest) -> Phone:
    """Somebody new, with a message in hand."""
    phone = newcomer(f"asker-{request.node.name}"[:60], "求助的邻居")
    phone.allow_messages("ask_for_help")
    return phone


def offered(asker: Phone, helper: Phone) -> str:
    """Somebody is offered help, which is one message to them. Returns the request."""
    request = f"/help-requests/{asker.post('/help-requests', MASKS).json['id']}"
    assert helper.post(f"{request}/offers", {"quantity": 5}).status == 201
    return request


def stored(stage: Stack, pk: str, sk: str) -> list[dict[str, Any]]:
    """Items as they stand in the table, their SK beginning so."""
    return stage.client("dynamodb").query(
        TableName=stage.outputs["TableName"],
        KeyConditionExpression="PK = :pk AND begins_with(SK, :sk)",
        ExpressionAttributeValues={":pk": {"S": pk}, ":sk": {"S": sk}},
        ConsistentRead=True,
    )["Items"]


def push_states(stage: Stack, phone: Phone) -> list[str]:
    return [notice["push_state"]["S"] for notice in stored(stage, f"RES#{phone.id}", "NOTICE#")]


@contextmanager
def changed(stage: Stack, group: str, **values: Any) -> Iterator[None]:
    """Other settings for a while. Functions see a change after a second."""
    name = f"/weijiayuan/{stage.stage}/{group}"
    before = json.loads(stage.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])
    stage.put_setting(group, before | values)
    time.sleep(1.1)
    try:
        yield
    finally:
        stage.put_setting(group, before)
        time.sleep(1.1)


@contextmanager
def impatient_queue(stage: Stack) -> Iterator[None]:
    """What a worker fails at comes back after a second, not after six minutes."""
    sqs, queue = stage.client("sqs"), stage.outputs["PushQueueUrl"]
    before = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1"})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=before)


@contextmanager
def without_our_key(stage: Stack) -> Iterator[None]:
    """An administrator has disabled the key with which openids are sealed."""
    kms, key = stage.client("kms"), stage.outputs["VaultKeyArn"]
    kms.disable_key(KeyId=key)
    try:
        yield
    finally:
        kms.enable_key(KeyId=key)


def dead_letters(stage: Stack) -> list[dict[str, Any]]:
    sqs = stage.client("sqs")
    queue = sqs.get_queue_url(QueueName=f"weijiayuan-{stage.stage}-push-dead-letters.fifo")["QueueUrl"]
    found = sqs.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, AttributeNames=["MessageGroupId"], VisibilityTimeout=0
    )
    return [{**letter, "Queue": queue} for letter in found.get("Messages", [])]


def send(stage: Stack, body: str, group: str, number: int) -> str:
    """Put a letter into the push queue, as a redrive does: under a message id of its own."""
    sent = stage.client("sqs").send_message(
        QueueUrl=stage.outputs["PushQueueUrl"],
        MessageBody=body,
        MessageGroupId=group,
        MessageDeduplicationId=f"redriven-{group}-{number}",
    )
    message_id: str = sent["MessageId"]
    return message_id


def test_what_fails_again_and_again_waits_among_the_dead_letters_and_is_sent_once_when_redriven(
    stage: Stack, phone: People, asker: Phone
) -> None:
    for _ in range(3):
        asker.allow_messages("ask_for_help")
    chen = phone("chen-caiming")
    with impatient_queue(stage):
        with without_our_key(stage):
            send(stage, "not a letter at all", "poison", 0)
            offered(asker, chen)
            dead = soon(lambda: (found := dead_letters(stage)) and len(found) == 2 and found)
        assert push_states(stage, asker) == ["waiting"]
        assert {letter["Body"] for letter in dead} > {"not a letter at all"}
        letter = next(letter for letter in dead if asker.id in letter["Body"])
        again = [send(stage, letter["Body"], asker.id, number) for number in range(3)]
        assert letter["MessageId"] not in again
        soon(lambda: received(stage, asker.person, "有人帮忙"))
        for each in dead:
            stage.client("sqs").delete_message(QueueUrl=each["Queue"], ReceiptHandle=each["ReceiptHandle"])
        stage.sweep(at=datetime.now(UTC) + HOUR)
        offered(asker, chen)  # behind all the copies in the queue
        soon(lambda: len(received(stage, asker.person, "有人帮忙")) == 2)
    assert push_states(stage, asker) == ["sent", "sent"]


def test_in_quiet_hours_a_message_waits_and_an_administrator_ends_them_without_a_deployment(
    stage: Stack, phone: People, asker: Phone
) -> None:
    now = clock.local(clock.now())
    quiet = {"quiet_from": f"{now - HOUR:%H:%M}", "quiet_until": f"{now + HOUR:%H:%M}"}
    with changed(stage, "notices", **quiet):
        offered(asker, phone("chen-caiming"))
        assert push_states(stage, asker) == ["later"]
        assert asker.get("/inbox/unread").json["count"] == 1
        stage.sweep(at=datetime.now(UTC) + HOUR - timedelta(minutes=2))
        assert push_states(stage, asker) == ["later"]
    stage.sweep(at=datetime.now(UTC) + HOUR * 1.5)
    soon(lambda: received(stage, asker.person, "有人帮忙"))


def test_wechat_asking_for_patience_gets_it(stage: Stack, phone: People, asker: Phone) -> None:
    stage.wechat.break_("errcode", SEND, errcode=45009)
    before = stage.wechat.call_counts().get(SEND, 0)
    try:
        offered(asker, phone("chen-caiming"))
        soon(lambda: push_states(stage, asker) == ["later"])
        stage.sweep(at=datetime.now(UTC))
        assert push_states(stage, asker) == ["later"], "a pause is a minute at least"
        assert stage.wechat.call_counts()[SEND] == before + 1
    finally:
        stage.wechat.mend()
    stage.sweep(at=datetime.now(UTC) + HOUR)
    soon(lambda: received(stage, asker.person, "有人帮忙"))


def test_a_follower_without_a_credit_is_reached_by_the_service_account(
    stage: Stack, phone: People, newcomer: Newcomers
) -> None:
    """And who has stopped following is called, because WeChat refuses (43004)."""
    pan, chen = newcomer("pan", "潘大妈"), phone("chen-caiming")
    stage.wechat.change_person("pan", follows=True)
    (daily,) = stored(stage, "FOLLOWERS", "ROUND")
    stage.sweep(at=clock.from_stamp(daily["due_at"]["S"]) + timedelta(seconds=1))
    offered(pan, chen)
    (message,) = soon(lambda: received(stage, "pan", "陈彩明"))
    assert (message["channel"], message["title"]) == ("service_account", "社区事项提醒")
    assert message["page"].startswith("pages/help/detail")

    stage.wechat.change_person("pan", follows=False)
    request = offered(pan, chen)
    offer = pan.get(request).json["offers"][0]["id"]
    assert chen.post(f"{request}/offers/{offer}/drop-off").status == 200
    soon(lambda: push_states(stage, pan)[1:] == ["no_channel", "no_channel"])
    sheet = whole(phone("grid-worker"), f"/call-sheet?area={district.GRID}")
    assert pan.id in [call["resident_id"] for call in sheet]


def accepted(stage: Stack, person: str) -> dict[str, Any]:
    """What WeChat tells of an accept."""
    return {
        "ToUserName": catalogue.ORIGINAL_ID,
        "FromUserName": stage.wechat.person(person)["openid"],
        "CreateTime": str(int(time.time())),
        "MsgType": "event",
        "Event": "subscribe_msg_popup_event",
        "List": {"TemplateId": COMMUNITY_NEWS, "SubscribeStatusString": "accept", "PopupScene": "0"},
    }


def sealed(event: dict[str, Any], *, mode: str = "safe", **more: str) -> tuple[dict[str, str], str]:
    sent_at = str(int(time.time()))
    return pushes.sealed_request(event, form="json", mode=mode, timestamp=sent_at, nonce="4711", **more)


def told(stage: Stack, query: dict[str, str], body: str) -> tuple[int, str]:
    """Post something to our callback, as WeChat does or as somebody who pretends to be WeChat."""
    headers = {"Content-Type": "application/json"}
    url = f"{stage.api_url}wechat/callback?{urlencode(query)}"
    answer = urllib3.request("POST", url, body=body.encode(), headers=headers)
    return answer.status, answer.data.decode()


def confirmed(stage: Stack, phone: Phone) -> int:
    """How many accepts of news we have counted by WeChat's word."""
    return sum(int(credit["confirmed"]["N"]) for credit in stored(stage, f"RES#{phone.id}", f"CREDIT#{COMMUNITY_NEWS}"))


def test_whoever_is_not_wechat_is_refused_at_the_callback(stage: Stack, newcomer: Newcomers) -> None:
    ju = newcomer("ju", "居阿姨")
    event = accepted(stage, "ju")
    query, body = sealed(event)
    other, _ = sealed(event, token="guessed")
    _, body_of_another_key = sealed(event, aes_key="x" * 43)
    plain_query, plain = sealed(event, mode="plain")
    forged = [
        (query | {"msg_signature": "0" * 40}, body),
        (query | {"timestamp": "1795000001"}, body),
        (query | {"msg_signature": query["signature"]}, body),  # the signature that does not cover the body
        (other, body),
        (query, body_of_another_key),
        (plain_query, plain),
        ({}, body),
    ]
    for forged_query, forged_body in forged:
        status, answer = told(stage, forged_query, forged_body)
        assert (status, json.loads(answer)["code"]) == (403, "wechat_signature_wrong")
    assert told(stage, query, body) == (200, "success")
    soon(lambda: confirmed(stage, ju) == 1)


def test_plain_mode_takes_wechats_signature_and_no_other(stage: Stack, newcomer: Newcomers) -> None:
    shen = newcomer("shen", "沈大爷")
    event = accepted(stage, "shen")
    with changed(stage, "wechat_secrets", push_aes_key=""):
        query, body = sealed(event, mode="plain")
        forged, _ = sealed(event, mode="plain", token="guessed")
        assert told(stage, forged, body)[0] == 403
        assert told(stage, query, body) == (200, "success")
        soon(lambda: confirmed(stage, shen) == 1)


def test_what_wechat_tells_three_times_counts_once(stage: Stack, newcomer: Newcomers) -> None:
    lu = newcomer("lu", "陆阿姨")
    query, body = sealed(accepted(stage, "lu"))
    assert [told(stage, query, body) for _ in range(3)] == [(200, "success")] * 3
    soon(lambda: confirmed(stage, lu))
    event = accepted(stage, "lu") | {"CreateTime": str(int(time.time()) + 1)}  # another accept, behind the copies
    assert told(stage, *sealed(event)) == (200, "success")
    soon(lambda: confirmed(stage, lu) == 2)
