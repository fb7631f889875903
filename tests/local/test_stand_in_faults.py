import json
import time

import pytest
import urllib3

from local.wechat.catalogue import TEMPLATES

PROGRESS, *_ = TEMPLATES
SEND = "/cgi-bin/message/subscribe/send"


def progress_for(openid: str) -> dict:
    data = {key: {"value": value} for key, value in TEMPLATES[PROGRESS].example.items()}
    return {"touser": openid, "template_id": PROGRESS, "data": data}


def test_down_cuts_the_connection_and_does_nothing(stand_in, api, li_ju):
    stand_in.subscribe("li_ju", accept=[PROGRESS])
    assert api.token
    stand_in.break_("down", SEND, count=1)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        api.post(SEND, progress_for(li_ju["openid"]))
    assert stand_in.messages() == []
    assert api.post(SEND, progress_for(li_ju["openid"]))["errcode"] == 0


def test_a_dropped_answer_leaves_the_message_delivered(stand_in, api, li_ju):
    stand_in.subscribe("li_ju", accept=[PROGRESS])
    assert api.token
    stand_in.break_("drop_answer", SEND, count=1)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        api.post(SEND, progress_for(li_ju["openid"]))
    assert len(stand_in.messages("li_ju")) == 1
    assert stand_in.person("li_ju")["credits"] == {PROGRESS: 0}
    assert api.post(SEND, progress_for(li_ju["openid"]))["errcode"] == 43101


def test_html_comes_with_status_200_and_a_bad_gateway_with_502(stand_in, api):
    assert api.token
    stand_in.break_("html", SEND, count=1)
    page = api.raw_post(SEND, {})
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert page.data.startswith(b"<html>")
    stand_in.break_("bad_gateway", SEND, count=1)
    assert api.raw_post(SEND, {}).status == 502


def test_any_body_and_any_errcode_can_be_answered(stand_in, api):
    stand_in.break_("body", "/cgi-bin/stable_token", count=1, body='{"access_token":')
    assert api.raw_post("/cgi-bin/stable_token", {}, token="").data == b'{"access_token":'
    stand_in.break_("errcode", "/cgi-bin/stable_token", count=1, errcode=-1)
    assert api.post("/cgi-bin/stable_token", token="")["errcode"] == -1


def test_slow_answers_late_but_rightly(stand_in, api):
    stand_in.break_("slow", seconds=0.1, count=1)
    start = time.monotonic()
    assert api.token
    assert time.monotonic() - start >= 0.1


def test_a_switch_for_everything_lasts_until_it_is_mended(stand_in, api):
    stand_in.break_("errcode", errcode=45009)
    assert api.log_in("any")["errcode"] == 45009
    assert api.post("/cgi-bin/stable_token", token="")["errcode"] == 45009
    stand_in.mend()
    assert api.token


def test_a_switch_for_one_endpoint_leaves_the_others_alone(stand_in, api, li_ju):
    stand_in.break_("down", "/wxa/msg_sec_check")
    assert "openid" in api.log_in(stand_in.login_code("li_ju"))


def test_calls_are_counted_without_their_secrets(stand_in, api, li_ju):
    stand_in.clear_calls()
    code = stand_in.login_code("li_ju")
    api.log_in(code)
    api.log_in(code)
    assert stand_in.call_counts() == {"/sns/jscode2session": 2}
    assert [call["outcome"] for call in stand_in.recent_calls()] == ["ok", "40029"]
    assert code not in json.dumps(stand_in.recent_calls())
