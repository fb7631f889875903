"""Messages and what may be pushed on a bad day of AWS: done again, it has been done once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from chalicelib import wechat_events
from chalicelib.kit import clock, ids
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices import events, jobs, push, service
from chalicelib.notices.models import Credit, Notice
from chalicelib.people.models import OpenidLink, partition
from chalicelib.wechat.callback import Event, SubscribeChange, SubscribePopup, SubscribeSent
from local.wechat import catalogue, pushes
from tests.engine.http import Answer
from tests.faults.acts import Act, ActInHood, hand, in_hood, message
from tests.faults.trying import fail_every_call
from tests.neighbourhood import Hood, Neighbour
from tests.notices.conftest import ONE_TIME, Queue, stream_record


def tell(neighbour: Neighbour) -> None:
    facts = {"title": "需要口罩5个", "helper": "陈彩明", "place": "社区居委会", "who": "陈彩明"}
    with transaction() as tx:
        service.tell(
            tx,
            neighbour.id,
            "help_dropped_off",
            about="help_1",
            now=clock.now(),
            area=neighbour.hood.community,
            **facts,
        )


def told(hood: Hood, times: int = 1) -> Neighbour:
    neighbour = hood.resident()
    for _ in range(times):
        tell(neighbour)
    return neighbour


def inbox(neighbour: Neighbour) -> list[Notice]:
    return list(Notice.query(partition(neighbour.id), Item.sk.startswith(Notice.PREFIX), consistent_read=True))


def accept(neighbour: Neighbour) -> None:
    neighbour.hood.wechat.subscribe(neighbour.phone, accept=[ONE_TIME], tell=False)
    assert neighbour.post("/me/credits", json={"answers": {ONE_TIME: "accept"}}).status == 204


def deliver(notice: Notice) -> None:
    hand(jobs.push_notices, message(msgspec.json.encode(push.Letter.about(notice)).decode()))


def what_is_in_hand(neighbour: Neighbour) -> Any:
    """Messages with what became of them, and what may still be pushed."""
    credit = Credit.find(f"RES#{neighbour.id}", f"CREDIT#{ONE_TIME}")
    sums = credit and (int(credit.reported), int(credit.confirmed), int(credit.used), credit.standing)
    return [
        (each.push_state, each.read_at is not None, each.timer, bool(each.area_key)) for each in inbox(neighbour)
    ], sums


@in_hood("POST /inbox/{notice_id}/read")
def reading(hood: Hood) -> Act:
    def prepare() -> Neighbour:
        neighbour = told(hood)
        neighbour.notice = inbox(neighbour)[0].id
        return neighbour

    return Act("a message is read", prepare, lambda n, key: n.post(f"/inbox/{n.notice}/read", key=key), what_is_in_hand)


@in_hood("POST /inbox/read-all")
def reading_all(hood: Hood) -> Act:
    return Act(
        "all messages are read",
        lambda: told(hood, 3),
        lambda n, key: n.post("/inbox/read-all", key=key),
        what_is_in_hand,
    )


@in_hood("POST /me/credits")
def allowing(hood: Hood) -> Act:
    def allow(neighbour: Neighbour, key: str) -> Answer:
        return neighbour.post("/me/credits", json={"answers": {ONE_TIME: "accept"}}, key=key)

    return Act("a message is allowed", hood.resident, allow, what_is_in_hand)


@in_hood("POST /call-sheet/{entry_id}/done")
def calling(hood: Hood) -> Act:
    worker = hood.staff("grid_worker")

    def prepare() -> Neighbour:
        neighbour = told(hood)
        deliver(inbox(neighbour)[0])  # nothing is allowed, so somebody has to call
        neighbour.entry = f"{neighbour.id}.{inbox(neighbour)[0].id}"
        return neighbour

    def call(neighbour: Neighbour, key: str) -> Answer:
        return worker.post(f"/call-sheet/{neighbour.entry}/done", key=key)

    return Act("somebody has been called", prepare, call, what_is_in_hand)


def hear(world: tuple[Neighbour, events.Told], _key: str) -> None:
    hand(wechat_events.wechat_events, message(msgspec.json.encode(world[1]).decode()))


def told_of(event: Event, neighbour: Neighbour) -> tuple[Neighbour, events.Told]:
    return neighbour, events.Told(event, OpenidLink.key(neighbour.caller.openid).pk)


def about(neighbour: Neighbour, after: timedelta = timedelta(0)) -> dict[str, Any]:
    return {"at": clock.now() + after, "fingerprint": ids.new_id("f"), "openid": "", "template_id": ONE_TIME}


@in_hood("event SubscribePopup")
def hearing_of_an_answer(hood: Hood) -> Act:
    def prepare() -> Any:
        neighbour = hood.resident()
        return told_of(SubscribePopup(**about(neighbour), status="accept"), neighbour)

    return Act(
        "wechat tells that a message is allowed",
        prepare,
        hear,
        lambda world: what_is_in_hand(world[0]),
    )


@in_hood("event SubscribeChange")
def hearing_of_a_refusal(hood: Hood) -> Act:
    def prepare() -> Any:
        neighbour = hood.resident()
        accept(neighbour)
        return told_of(SubscribeChange(**about(neighbour, timedelta(seconds=2)), status="reject"), neighbour)

    return Act(
        "wechat tells that messages are refused",
        prepare,
        hear,
        lambda world: what_is_in_hand(world[0]),
    )


@in_hood("event SubscribeSent")
def hearing_of_a_failure(hood: Hood) -> Act:
    def prepare() -> Any:
        neighbour = told(hood)
        accept(neighbour)
        deliver(inbox(neighbour)[0])
        sent = inbox(neighbour)[0]
        assert sent.msgid, sent.push_state
        return told_of(SubscribeSent(**about(neighbour), msgid=sent.msgid, error_code=-1), neighbour)

    return Act(
        "wechat tells that a message was not delivered",
        prepare,
        hear,
        lambda world: what_is_in_hand(world[0]),
    )


def bodies(queue: Queue, world: dict[str, Any]) -> list[str]:
    """All that the queue has had of this world so far."""
    for got in queue.receive():
        queue.delete(got)
        world["got"].append(got["body"])
    return world["got"]


@in_hood("dispatch_notices")
def dispatching(hood: Hood) -> Act:
    queue = Queue("PUSH_QUEUE_URL", jobs.push_notices)

    def prepare() -> dict[str, Any]:
        queue.empty()
        return {"records": [stream_record(notice, 1) for notice in inbox(told(hood))], "got": []}

    def dispatch(world: dict[str, Any], key: str) -> None:
        hand(jobs.dispatch_notices, *world["records"])

    return Act("a new message is put into the queue", prepare, dispatch, lambda world: len(bodies(queue, world)))


@in_hood("POST /wechat/callback")
def being_told(hood: Hood) -> Act:
    queue = Queue("WECHAT_EVENTS_QUEUE_URL", wechat_events.wechat_events)

    def prepare() -> dict[str, Any]:
        queue.empty()
        said = {
            "ToUserName": catalogue.ORIGINAL_ID,
            "FromUserName": hood.resident().caller.openid,
            "CreateTime": str(int(clock.now().timestamp())),
            "MsgType": "event",
            "Event": "subscribe_msg_popup_event",
            "List": {"TemplateId": ONE_TIME, "SubscribeStatusString": "accept", "PopupScene": "0"},
        }
        query, body = pushes.sealed_request(said, form="json", mode="safe", timestamp=said["CreateTime"], nonce="4711")
        return {"path": f"/wechat/callback?{urlencode(query)}", "body": body, "got": []}

    def call_back(world: dict[str, Any], key: str) -> Answer:
        kind = {"Content-Type": "application/json"}
        return hood.http.post(world["path"], body=world["body"], headers=kind)

    return Act("wechat calls back", prepare, call_back, lambda world: len(bodies(queue, world)))


ACTS: list[ActInHood] = [
    *(reading, reading_all, allowing, calling, hearing_of_an_answer, hearing_of_a_refusal, hearing_of_a_failure),
    *(dispatching, being_told),
]


@pytest.mark.parametrize("make", ACTS, ids=str)
def test_the_repeat_of_a_failed_act_ends_as_if_nothing_had_failed(make: ActInHood, hood: Hood) -> None:
    fail_every_call(make(hood))
