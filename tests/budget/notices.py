"""What messages cost, from the table's stream to the phone, and WeChat's word on them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec

from chalicelib import wechat_events
from chalicelib.kit import clock, ids, timers
from chalicelib.kit.table import Item
from chalicelib.notices import events, jobs, push
from chalicelib.notices.models import Notice
from chalicelib.people.models import OpenidLink, partition
from chalicelib.wechat.callback import (
    AuthorizationCancelled,
    AuthorizationRevoked,
    Event,
    SubscribeChange,
    SubscribePopup,
    SubscribeSent,
)
from local.wechat import catalogue, pushes
from tests.budget.acts import Act, Context, Town, act, good, handed, message, when_due
from tests.budget.people import with_phone
from tests.help.street import ask, bring
from tests.neighbourhood import Neighbour
from tests.notices.conftest import LONG_TERM, ONE_TIME, stream_record

# A page of an inbox, and more.
MANY = 25


def told(town: Town) -> tuple[Neighbour, Notice]:
    """Somebody, and the message that a neighbour has left something for them, on its way to the phone."""
    li_ju = town.account("李菊")
    bring(town.resident("陈彩明"), ask(li_ju))
    return li_ju, inbox_of(li_ju)[-1]


def inbox_of(neighbour: Neighbour) -> list[Notice]:
    return list(Notice.query(partition(neighbour.id), Item.sk.startswith(Notice.PREFIX), consistent_read=True))


def accept(neighbour: Neighbour, template: str) -> None:
    neighbour.hood.wechat.subscribe(neighbour.phone, accept=[template], tell=False)
    good(neighbour.post("/me/credits", json={"answers": {template: "accept"}}))


def full_inbox(town: Town) -> Neighbour:
    li_ju, latest = told(town)
    with Item.batch_write() as batch:
        for _ in range(MANY - len(inbox_of(li_ju))):
            batch.save(Notice(**{**latest.attribute_values, "sk": f"{Notice.PREFIX}{ids.new_id('x')}"}))
    return li_ju


def delivered(notice: Notice) -> Act:
    """The push worker gets the message about this notice."""
    return handed(jobs.push_notices, message(msgspec.json.encode(push.Letter.about(notice)).decode()))


def not_reached(town: Town) -> tuple[Neighbour, Notice]:
    """The grid worker, and the message of somebody who has not allowed that any be sent."""
    worker = town.carer()
    _, notice = told(town)
    delivered(notice)()
    return worker, notice


def told_by_wechat(event: Event, neighbour: Neighbour | None = None) -> Act:
    """The worker gets an event that the callback has queued."""
    link = OpenidLink.key(neighbour.caller.openid).pk if neighbour else None
    return handed(wechat_events.wechat_events, message(msgspec.json.encode(events.Told(event, link)).decode()))


def _of(neighbour: Neighbour) -> dict[str, Any]:
    return {"at": clock.now(), "fingerprint": ids.new_id("f"), "openid": ""}


@act("GET /inbox")
def inbox(town: Town) -> Act:
    li_ju, _ = told(town)
    return lambda: li_ju.get("/inbox")


@act("GET /inbox (a full page)")
def inbox_page(town: Town) -> Act:
    li_ju = full_inbox(town)
    return lambda: li_ju.get("/inbox")


@act("GET /inbox/unread")
def unread(town: Town) -> Act:
    li_ju, _ = told(town)
    return lambda: li_ju.get("/inbox/unread")


@act("POST /inbox/{notice_id}/read")
def read(town: Town) -> Act:
    li_ju, notice = told(town)
    return lambda: li_ju.post(f"/inbox/{notice.id}/read")


@act("POST /inbox/read-all (25 messages)")
def read_all(town: Town) -> Act:
    li_ju = full_inbox(town)
    return lambda: li_ju.post("/inbox/read-all")


@act("GET /me/templates")
def templates(town: Town) -> Act:
    li_ju = town.resident()
    return lambda: li_ju.get("/me/templates?moment=ask_for_help")


@act("POST /me/credits")
def report_a_credit(town: Town) -> Act:
    li_ju = town.resident()
    return lambda: li_ju.post("/me/credits", json={"answers": {ONE_TIME: "accept"}}, key="a")


@act("GET /call-sheet")
def calls(town: Town) -> Act:
    worker, _ = not_reached(town)
    return lambda: worker.get(f"/call-sheet?area={town.grid}")


@act("POST /call-sheet/{entry_id}/done")
def called(town: Town) -> Act:
    worker, notice = not_reached(town)
    return lambda: worker.post(f"/call-sheet/{notice.resident_id}.{notice.id}/done")


@act("GET /wechat/callback")
def confirm_callback(town: Town) -> Act:
    signed = {"signature": pushes.signature(catalogue.PUSH_TOKEN, "1", "2"), "timestamp": "1", "nonce": "2"}
    return lambda: town.http.get(f"/wechat/callback?{urlencode({**signed, 'echostr': '4375'})}")


@act("POST /wechat/callback")
def receive_callback(town: Town) -> Act:
    said = {
        "ToUserName": catalogue.ORIGINAL_ID,
        "FromUserName": town.resident().caller.openid,
        "CreateTime": str(int(clock.now().timestamp())),
        "MsgType": "event",
        "Event": "subscribe_msg_popup_event",
        "List": {"TemplateId": ONE_TIME, "SubscribeStatusString": "accept", "PopupScene": "0"},
    }
    query, body = pushes.sealed_request(said, form="json", mode="safe", timestamp=said["CreateTime"], nonce="4711")
    kind = {"Content-Type": "application/json"}
    return lambda: town.http.post(f"/wechat/callback?{urlencode(query)}", body=body, headers=kind)


@act("event SubscribePopup")
def popup_answered(town: Town) -> Act:
    li_ju = town.account()
    return told_by_wechat(SubscribePopup(**_of(li_ju), template_id=ONE_TIME, status="accept"), li_ju)


@act("event SubscribeChange")
def turned_off(town: Town) -> Act:
    li_ju = town.account()
    accept(li_ju, ONE_TIME)
    later = {**_of(li_ju), "at": clock.now() + timedelta(seconds=2)}
    return told_by_wechat(SubscribeChange(**later, template_id=ONE_TIME, status="reject"), li_ju)


@act("event SubscribeSent (it was not delivered)")
def not_delivered(town: Town) -> Act:
    li_ju, notice = told(town)
    accept(li_ju, ONE_TIME)
    delivered(notice)()
    sent = inbox_of(li_ju)[-1]
    failed = SubscribeSent(**_of(li_ju), template_id=ONE_TIME, msgid=sent.msgid or "", error_code=-1)
    return told_by_wechat(failed, li_ju)


@act("event AuthorizationRevoked (the phone number)")
def revoked(town: Town) -> Act:
    li_ju = with_phone(town)
    return told_by_wechat(AuthorizationRevoked(**_of(li_ju), revoke_info="8"), li_ju)


@act("event AuthorizationCancelled (somebody who has done nothing yet)")
def cancelled(town: Town) -> Act:
    li_ju = town.account()
    return told_by_wechat(AuthorizationCancelled(**_of(li_ju)), li_ju)


@act("dispatch_notices")
def dispatch(town: Town) -> Act:
    _, notice = told(town)
    return handed(jobs.dispatch_notices, stream_record(notice))


@act("dispatch_notices (ten messages)")
def dispatch_ten(town: Town) -> Act:
    _, notice = told(town)
    return handed(jobs.dispatch_notices, *[stream_record(notice, number) for number in range(10)])


@act("push_notices (sent, for a one-time credit)")
def push_one_time(town: Town) -> Act:
    li_ju, notice = told(town)
    accept(li_ju, ONE_TIME)
    return delivered(notice)


@act("push_notices (sent, by a long-term template)")
def push_long_term(town: Town) -> Act:
    li_ju, notice = told(town)
    accept(li_ju, LONG_TERM)
    return delivered(notice)


@act("push_notices (nothing is allowed, so the call sheet)")
def push_without_channel(town: Town) -> Act:
    _, notice = told(town)
    return delivered(notice)


@act("push_notices (told twice)")
def push_again(town: Town) -> Act:
    li_ju, notice = told(town)
    accept(li_ju, ONE_TIME)
    delivered(notice)()
    return delivered(notice)


@act("timer push_notice")
def push_later(town: Town) -> Act:
    _, notice = told(town)
    return when_due(notice)


@act("sweep (nothing is due)")
def sweep(town: Town) -> Act:
    import app

    event = dict.fromkeys(("id", "account", "region", "source", "detail-type", "version"), "")
    event |= {"time": "2020-01-01T00:00:00Z", "detail": {}, "resources": []}
    assert timers.SHARDS == 16
    return lambda: app.sweep(event, Context())
