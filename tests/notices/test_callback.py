from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_args
from urllib.parse import urlencode

import pytest

from chalicelib import wechat_events
from chalicelib.content import photo_checks
from chalicelib.kit import clock
from chalicelib.notices import events
from chalicelib.people.models import Resident
from chalicelib.wechat import callback
from local.wechat import catalogue, pushes
from local.wechat.control import StandIn
from tests.engine.budget import budget
from tests.engine.http import Answer, Http
from tests.notices.conftest import ONE_TIME, TO_DO, Neighbour, Queue, letter, message, report, tell, work

TYPES = {"json": "application/json", "xml": "text/xml"}


@pytest.fixture(params=["json", "xml"])
def form(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


def seconds() -> str:
    return str(int(clock.now().timestamp()))


def a_second_later() -> None:
    """WeChat tells time by the second, and what it says undoes what was given in an earlier one."""
    time.sleep(1.01 - clock.now().timestamp() % 1)


def event(name: str, person: Neighbour | None = None, *, at: float | None = None, **more: Any) -> dict[str, Any]:
    return {
        "ToUserName": catalogue.ORIGINAL_ID,
        "FromUserName": person.openid if person else pushes.PLATFORM,
        "CreateTime": str(int(at)) if at is not None else seconds(),
        "MsgType": "event",
        "Event": name,
        **more,
    }


def popup(person: Neighbour, *templates: str, status: str = "accept", **more: Any) -> dict[str, Any]:
    entries = [{"TemplateId": each, "SubscribeStatusString": status, "PopupScene": "0"} for each in templates]
    listed: Any = entries[0] if len(entries) == 1 else entries
    return event("subscribe_msg_popup_event", person, List=listed, **more)


def post(http: Http, content: dict[str, Any], form: str = "json", **changed: str) -> Answer:
    query, body = pushes.sealed_request(content, form=form, mode="safe", timestamp=seconds(), nonce="4711")
    return http.post(f"/wechat/callback?{urlencode(query | changed)}", body=body, headers={"Content-Type": TYPES[form]})


def test_wechat_finds_that_the_address_is_ours(http: Http, wechat: StandIn) -> None:
    signed = {"signature": pushes.signature(catalogue.PUSH_TOKEN, "1", "2"), "timestamp": "1", "nonce": "2"}
    answer = http.get(f"/wechat/callback?{urlencode({**signed, 'echostr': '4375120948345356249'})}")
    assert (answer.status, answer.text) == (200, "4375120948345356249")
    assert answer.headers["content-type"].startswith("text/plain")


def test_an_accept_goes_from_wechat_to_the_credit(http: Http, li_ju: Neighbour, told: Queue, form: str) -> None:
    answer = post(http, popup(li_ju, ONE_TIME, TO_DO), form)
    assert (answer.status, answer.text) == (200, "success")
    assert told.work() == 2
    assert li_ju.credit() == (0, 1, 0, False)
    assert li_ju.credit(TO_DO) == (0, 1, 0, False)


def test_wechat_repeating_itself_counts_once(http: Http, li_ju: Neighbour, told: Queue, form: str) -> None:
    accepted = popup(li_ju, ONE_TIME)
    for _ in range(3):
        assert post(http, accepted, form).text == "success"
    (queued,) = told.receive()
    assert work(queued, queued, worker=wechat_events.wechat_events) == []
    told.delete(queued)
    assert li_ju.credit() == (0, 1, 0, False)


def test_phone_and_wechat_together_make_one_message(http: Http, li_ju: Neighbour, told: Queue) -> None:
    li_ju.wechat.subscribe(li_ju.phone, accept=[ONE_TIME], tell=False)
    report(li_ju, {ONE_TIME: "accept"})
    post(http, popup(li_ju, ONE_TIME))
    told.work()
    for _ in range(2):
        work(letter(tell(li_ju)))
    assert [notice.push_state for notice in li_ju.notices] == ["sent", "no_channel"]


def test_turning_off_in_wechats_settings_ends_the_credits(http: Http, li_ju: Neighbour, told: Queue, form: str) -> None:
    li_ju.accept(ONE_TIME, times=2)
    a_second_later()
    listed = {"TemplateId": ONE_TIME, "SubscribeStatusString": "reject"}
    post(http, event("subscribe_msg_change_event", li_ju, List=listed), form)
    told.work()
    assert li_ju.credit() == (0, 0, 0, False)


def test_a_message_that_wechat_could_not_deliver_after_all_is_known(http: Http, li_ju: Neighbour, told: Queue) -> None:
    li_ju.accept(ONE_TIME)
    work(letter(tell(li_ju, "help_dropped_off")))
    listed = {"TemplateId": ONE_TIME, "MsgID": li_ju.notice.msgid, "ErrorCode": "-1", "ErrorStatus": "system error"}
    post(http, event("subscribe_msg_sent_event", li_ju, List=listed))
    told.work()
    assert (li_ju.notice.push_state, li_ju.notice.errcode) == ("failed", -1)


def test_closing_the_wechat_account_closes_ours(http: Http, li_ju: Neighbour, told: Queue, form: str) -> None:
    a_second_later()
    post(http, event("user_authorization_cancellation", OpenID=li_ju.openid, AppID=catalogue.APPID), form)
    told.work()
    assert Resident.fetch(f"RES#{li_ju.id}", "ME").state == "closed"


def test_taking_back_the_phone_number_removes_it(http: Http, li_ju: Neighbour, told: Queue, form: str) -> None:
    Resident.key(li_ju.id).update([Resident.phone_masked.set("138******01"), Resident.phone_sealed.set(b"x")])
    post(http, event("user_authorization_revoke", OpenID=li_ju.openid, AppID=catalogue.APPID, RevokeInfo="8"), form)
    told.work()
    assert Resident.fetch(f"RES#{li_ju.id}", "ME").phone_masked is None


def test_what_happened_yesterday_is_refused_and_takes_nothing(
    http: Http, li_ju: Neighbour, told: Queue, form: str
) -> None:
    a_second_later()
    yesterday = (clock.now() - timedelta(days=1)).timestamp()
    for name, more in (("user_authorization_revoke", {"RevokeInfo": "8"}), ("user_authorization_cancellation", {})):
        answer = post(http, event(name, at=yesterday, OpenID=li_ju.openid, AppID=catalogue.APPID, **more), form)
        assert (answer.status, answer.code) == (403, "wechat_message_too_old")
    assert told.receive() == []
    assert Resident.fetch(f"RES#{li_ju.id}", "ME").state == "active"


def test_what_was_sent_yesterday_is_refused_however_often(http: Http, li_ju: Neighbour, told: Queue) -> None:
    """Somebody who has kept a message of WeChat's sends it again."""
    at = clock.now() - timedelta(days=1)
    old = event("user_authorization_cancellation", at=at.timestamp(), OpenID=li_ju.openid, AppID=catalogue.APPID)
    sent = str(int(at.timestamp()))
    query, body = pushes.sealed_request(old, form="json", mode="safe", timestamp=sent, nonce="4711")
    for _ in range(3):
        answer = http.post(f"/wechat/callback?{urlencode(query)}", body=body, headers={"Content-Type": TYPES["json"]})
        assert (answer.status, answer.code) == (403, "wechat_message_too_old")
    assert told.receive() == []


def test_a_phone_given_while_an_event_lay_in_the_queue_is_kept(http: Http, li_ju: Neighbour, told: Queue) -> None:
    revoked = event("user_authorization_revoke", OpenID=li_ju.openid, AppID=catalogue.APPID, RevokeInfo="8")
    assert post(http, revoked).text == "success"
    a_second_later()
    li_ju.wechat.change_person(li_ju.phone, phone="13800000001")
    assert http.post("/me/phone", json={"code": li_ju.wechat.phone_code(li_ju.phone)}, token=li_ju.token).status == 200
    told.work()
    assert http.get("/me/phone", token=li_ju.token).status == 200


def test_the_verdict_on_a_picture_reaches_the_content(http: Http, told: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    came: list[Any] = []
    monkeypatch.setattr(photo_checks, "result_arrived", lambda event, *, now: came.append(event))
    result = {"suggest": "risky", "label": 20002}
    post(
        http, event("wxa_media_check", trace_id="trace-1", version=2, errcode=0, errmsg="ok", detail=[], result=result)
    )
    told.work()
    assert [(each.trace_id, each.suggest, each.label) for each in came] == [("trace-1", "risky", 20002)]


def test_what_nobody_waits_for_is_accepted_and_dropped(http: Http, li_ju: Neighbour, told: Queue) -> None:
    assert post(http, event("user_info_modified", li_ju, OpenID=li_ju.openid)).text == "success"
    assert told.receive() == []


def test_a_penalty_of_wechats_calls_an_administrator(http: Http, li_ju: Neighbour, told: Queue, logs: Any) -> None:
    assert post(http, event("wxa_punish_event", li_ju)).text == "success"
    assert told.receive() == []
    assert [line["message"] for line in logs.lines] == ["wechat_punishes_the_account"]
    assert sum(metric.get("administrator_needed", 0) for metric in logs.metrics) == 1


def test_everything_that_the_callback_queues_has_somebody_who_waits_for_it() -> None:
    assert set(events._handlers) == set(get_args(callback.Event)) - {callback.Unknown}


def test_an_event_about_a_stranger_is_dropped(http: Http, li_ju: Neighbour, told: Queue) -> None:
    li_ju.openid = "o" + "x" * 27
    post(http, popup(li_ju, ONE_TIME))
    assert told.work() == 1
    assert li_ju.credit() == (0, 0, 0, False)


def test_no_openid_stands_in_the_queue_or_the_log(http: Http, li_ju: Neighbour, told: Queue, logs: Any) -> None:
    post(http, popup(li_ju, ONE_TIME))
    post(http, event("user_authorization_revoke", OpenID=li_ju.openid, AppID=catalogue.APPID, RevokeInfo="8"))
    queued = told.receive()
    assert queued
    for each in queued:
        assert li_ju.openid not in json.dumps(each)
        work(each, worker=wechat_events.wechat_events)
        told.delete(each)
    assert li_ju.openid not in logs.text


def test_one_persons_events_stay_in_their_order(http: Http, li_ju: Neighbour, told: Queue) -> None:
    for number in range(4):
        post(http, popup(li_ju, ONE_TIME, at=clock.now().timestamp() - number))
    groups = [each["attributes"]["MessageGroupId"] for each in told.receive()]
    assert len(groups) == 4
    assert len(set(groups)) == 1


@pytest.mark.parametrize("wrong", ["signature", "msg_signature", "timestamp", "nonce"])
def test_what_wechat_did_not_sign_is_refused(http: Http, li_ju: Neighbour, told: Queue, wrong: str) -> None:
    if wrong == "signature":
        answer = http.get("/wechat/callback?signature=x&timestamp=1&nonce=2&echostr=3")
    else:
        answer = post(http, popup(li_ju, ONE_TIME), **{wrong: "口罩"})
    assert (answer.status, answer.code) == (403, "wechat_signature_wrong")
    assert told.receive() == []


def test_an_unencrypted_message_is_refused_where_encryption_is_set_up(http: Http, li_ju: Neighbour) -> None:
    query, body = pushes.sealed_request(popup(li_ju, ONE_TIME), form="json", mode="plain", timestamp="1", nonce="2")
    answer = http.post(f"/wechat/callback?{urlencode(query)}", body=body)
    assert answer.status == 403


BOMB = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><xml><Encrypt>&b;</Encrypt></xml>'


RUBBISH = ["", "{", "[]", "null", "<xml>", BOMB, "\ufffd\ufffd", "[" * 20_000, "<a>" * 9_000]


def test_rubbish_at_the_callback_is_refused(http: Http, wechat: StandIn) -> None:
    for body in RUBBISH:
        for kind in ("application/json", "text/xml", "text/plain", "application/octet-stream"):
            answer = http.post("/wechat/callback?signature=x", body=body, headers={"Content-Type": kind})
            assert answer.status in (403, 422), (body[:20], kind)


def test_a_huge_message_is_refused_unread(http: Http, wechat: StandIn) -> None:
    assert http.post("/wechat/callback", body="x" * 10_000_000).status == 413


def test_a_message_with_many_templates_is_queued_whole(
    http: Http, configure: Callable[..., None], li_ju: Neighbour, told: Queue
) -> None:
    with budget() as spent:
        post(http, popup(li_ju, *[f"template-{number}" for number in range(12)]))
    assert spent.calls == ["sqs SendMessageBatch"] * 2
    assert len(told.receive()) == 10


def test_poison_among_the_events_comes_back_until_it_is_dead(wechat: StandIn) -> None:
    for body in ("", "{", "{}", '{"event":{"type":"Other"},"link":null}', '{"event":{},"link":1}'):
        bad = message(body, "OPENID#1")
        assert work(bad, worker=wechat_events.wechat_events) == [bad["messageId"]], body


def test_when_the_queue_is_down_wechat_shall_tell_us_again(
    http: Http, li_ju: Neighbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Down:
        def send_message_batch(self, **_: Any) -> dict[str, Any]:
            return {"Failed": [{"Id": "0"}]}

    monkeypatch.setattr(events.aws, "client", lambda _: Down())
    assert post(http, popup(li_ju, ONE_TIME)).status == 503


def test_two_slices_cannot_wait_for_the_same_event() -> None:
    with pytest.raises(ValueError, match="MediaChecked"):
        events.on(wechat_events.MediaChecked)(lambda event, *, resident_id, now: None)
