import json
import time

import pytest
import xmltodict
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import check_signature

from local.wechat import pushes
from local.wechat.catalogue import APPID, ORIGINAL_ID, PUSH_AES_KEY, PUSH_TOKEN, TEMPLATES
from local.wechat.world import MediaCheck, World, new_person

PROGRESS, NOTICE, *_ = TEMPLATES
SEND = "/cgi-bin/message/subscribe/send"


def opened(push) -> str:
    """What our server reads in safe mode; raises when the signature is wrong."""
    body = json.loads(push.body) if push.content_type == "application/json" else push.body
    return WeChatCrypto(PUSH_TOKEN, PUSH_AES_KEY, APPID).decrypt_message(
        body, push.query["msg_signature"], push.query["timestamp"], push.query["nonce"]
    )


def test_signatures_equal_the_official_ones(vectors):
    for case in (vectors["url_verification"], vectors["plain_mode"]):
        assert pushes.signature(vectors["token"], case["timestamp"], case["nonce"]) == case["signature"]
    safe = vectors["safe_mode_json"]
    signed = pushes.signature(vectors["token"], safe["timestamp"], safe["nonce"], safe["body"]["Encrypt"])
    assert signed == safe["msg_signature"]


def test_encryption_equals_the_official_sample(vectors):
    reply = vectors["reply"]
    sealed = pushes.encrypt(
        reply["plain"], aes_key=vectors["encoding_aes_key"], appid=vectors["appid"], random=reply["random"]
    )
    assert sealed == reply["encrypt"]
    assert pushes.signature(vectors["token"], reply["timestamp"], reply["nonce"], sealed) == reply["msg_signature"]


def test_events_in_xml_have_the_official_shape(vectors):
    world, person = World(), new_person("li_ju", "李菊")
    popup = {"TemplateId": "A", "SubscribeStatusString": "accept", "PopupScene": 0}
    pushes.subscribe_event(world, person, "subscribe_msg_popup_event", [popup])
    change = {"TemplateId": "A", "SubscribeStatusString": "reject"}
    pushes.subscribe_event(world, person, "subscribe_msg_change_event", [change])
    sent = {"TemplateId": "A", "MsgID": 17, "ErrorCode": 0, "ErrorStatus": "success"}
    pushes.subscribe_event(world, person, "subscribe_msg_sent_event", [sent])
    check = MediaCheck(trace_id="t1", media_url="", media_type=2, openid=person.openid, due_at=0, asked_at=0)
    pushes.media_event(world, check, ("pass", 100), -1008)

    for push, official in zip(world.pushes, vectors["events_xml"], strict=True):
        ours, theirs = (xmltodict.parse(text)["xml"] for text in (pushes.to_xml(push.event), official))
        same_everywhere = {"ToUserName": "g", "FromUserName": "o", "CreateTime": "0"}
        if "appid" in ours:
            same_everywhere["appid"] = "wx"
        assert ours | same_everywhere == theirs | same_everywhere


def test_accepting_pushes_an_object_for_one_template_and_an_array_for_several(stand_in, our_server, li_ju):
    stand_in.subscribe("li_ju", accept=[PROGRESS])
    one = json.loads(opened(our_server.wait_for(1)[0]))
    stand_in.subscribe("li_ju", accept=[PROGRESS], reject=[NOTICE])
    several = json.loads(opened(our_server.wait_for(2)[1]))
    accepted = {"TemplateId": PROGRESS, "SubscribeStatusString": "accept", "PopupScene": "0"}
    assert one["List"] == accepted
    assert several["List"] == [accepted, accepted | {"TemplateId": NOTICE, "SubscribeStatusString": "reject"}]
    assert (one["Event"], one["FromUserName"]) == ("subscribe_msg_popup_event", li_ju["openid"])
    assert one["ToUserName"] == ORIGINAL_ID
    assert one["CreateTime"].isdigit()


def test_a_push_is_signed_both_ways_in_safe_mode(stand_in, our_server, li_ju):
    stand_in.change_profile("li_ju")
    [push] = our_server.wait_for(1)
    check_signature(PUSH_TOKEN, push.query["signature"], push.query["timestamp"], push.query["nonce"])
    assert push.query["encrypt_type"] == "aes"
    assert set(json.loads(push.body)) == {"ToUserName", "Encrypt"}
    assert json.loads(opened(push))["Event"] == "user_info_modified"


def test_plain_mode_sends_the_event_itself(stand_in, our_server, li_ju):
    stand_in.settings(push_mode="plain")
    stand_in.withdraw("li_ju", "8")
    [push] = our_server.wait_for(1)
    check_signature(PUSH_TOKEN, push.query["signature"], push.query["timestamp"], push.query["nonce"])
    assert "msg_signature" not in push.query
    event = json.loads(push.body)
    assert (event["Event"], event["RevokeInfo"]) == ("user_authorization_revoke", "8")
    assert (event["OpenID"], event["AppID"]) == (li_ju["openid"], APPID)


@pytest.mark.parametrize("mode", ["safe", "plain"])
def test_xml_nests_the_list(stand_in, our_server, li_ju, mode):
    stand_in.settings(push_format="xml", push_mode=mode)
    stand_in.subscribe("li_ju", accept=[PROGRESS, NOTICE])
    [push] = our_server.wait_for(1)
    assert push.content_type == "text/xml"
    event = xmltodict.parse(opened(push) if mode == "safe" else push.body)["xml"]
    assert [item["TemplateId"] for item in event["SubscribeMsgPopupEvent"]["List"]] == [PROGRESS, NOTICE]


def test_xml_is_escaped():
    event = {"Event": "x", "Text": "</Text>]]><a>&"}
    assert xmltodict.parse(pushes.to_xml(event))["xml"]["Text"] == event["Text"]


def test_turning_off_and_closing_an_account_are_told(stand_in, our_server, li_ju):
    stand_in.turn_off("li_ju", PROGRESS)
    changed = json.loads(opened(our_server.wait_for(1)[0]))
    assert changed["Event"] == "subscribe_msg_change_event"
    assert changed["List"] == {"TemplateId": PROGRESS, "SubscribeStatusString": "reject"}
    stand_in.cancel("li_ju")
    closed = json.loads(opened(our_server.wait_for(2)[1]))
    assert (closed["Event"], closed["OpenID"]) == ("user_authorization_cancellation", li_ju["openid"])


def test_an_accept_can_be_kept_from_us(stand_in, li_ju):
    stand_in.subscribe("li_ju", accept=[PROGRESS], tell=False)
    assert stand_in.pushes() == []
    assert stand_in.person("li_ju")["credits"] == {PROGRESS: 1}


def test_a_message_lost_inside_wechat_is_told_by_an_event_only(stand_in, api, our_server, li_ju):
    stand_in.change_person("li_ju", lost_messages=1)
    stand_in.subscribe("li_ju", accept=[PROGRESS], tell=False)
    data = {key: {"value": value} for key, value in TEMPLATES[PROGRESS].example.items()}
    sent = api.post(SEND, touser=li_ju["openid"], template_id=PROGRESS, data=data)
    assert sent["errcode"] == 0
    event = json.loads(opened(our_server.wait_for(1)[0]))
    assert event["List"] == {
        "TemplateId": PROGRESS,
        "MsgID": str(sent["msgid"]),
        "ErrorCode": "-1",
        "ErrorStatus": "system error",
    }
    assert stand_in.messages("li_ju") == []


def test_an_event_is_repeated_until_we_answer_success(stand_in, our_server, li_ju):
    answers = iter(["busy", "busy", "success"])
    our_server.answer = lambda: next(answers)
    stand_in.change_profile("li_ju")
    received = our_server.wait_for(3)
    assert len({opened(push) for push in received}) == 1
    wait_until_settled(stand_in)
    [push] = stand_in.pushes()
    assert (push["outcome"], push["attempts"]) == ("delivered", 3)


def test_an_empty_answer_is_as_good_as_success(stand_in, our_server, li_ju):
    our_server.answer = lambda: ""
    stand_in.change_profile("li_ju")
    wait_until_settled(stand_in)
    assert stand_in.pushes()[0]["attempts"] == 1


def test_wechat_gives_up_after_three_repeats(stand_in, our_server, li_ju):
    our_server.answer = lambda: '{"message":"Internal Server Error"}'
    stand_in.change_profile("li_ju")
    wait_until_settled(stand_in)
    [push] = stand_in.pushes()
    assert (push["outcome"], push["attempts"]) == ("given_up", 4)
    assert len(our_server.received) == 4


def test_an_answer_that_takes_too_long_is_no_answer(stand_in, our_server, li_ju):
    stand_in.settings(push_timeout_seconds=0.05)
    our_server.answer = lambda: "success" if len(our_server.received) > 1 else time.sleep(0.15) or "success"
    stand_in.change_profile("li_ju")
    wait_until_settled(stand_in)
    [push] = stand_in.pushes()
    assert push["attempts"] == 2
    assert push["answers"][0] == "no answer: ReadTimeoutError"


def test_copies_of_an_event_can_be_sent(stand_in, our_server, li_ju):
    stand_in.settings(push_copies=2)
    stand_in.change_profile("li_ju")
    first, second = our_server.wait_for(2)
    assert opened(first) == opened(second)


def test_events_wait_until_a_callback_is_set(stand_in, our_server, li_ju):
    stand_in.settings(callback_url=None)
    stand_in.change_profile("li_ju")
    assert stand_in.pushes()[0]["outcome"] == "waiting"
    stand_in.settings(callback_url=our_server.callback_url)
    our_server.wait_for(1)


def test_the_callback_address_is_verified_by_its_echo(stand_in, our_server):
    assert stand_in.verify_callback()
    stand_in.settings(callback_url=f"{our_server.base}/elsewhere")
    assert not stand_in.verify_callback()


def wait_until_settled(stand_in) -> None:
    deadline = time.monotonic() + 5
    while any(push["outcome"] == "waiting" for push in stand_in.pushes()):
        assert time.monotonic() < deadline
        time.sleep(0.005)
