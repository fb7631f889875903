import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.wechat.catalogue import TEMPLATES
from local.wechat.control import Declined

PROGRESS, NOTICE, REVIEW, TO_DO, CIVIC, SERVICE = TEMPLATES
SEND = "/cgi-bin/message/subscribe/send"
SEND_SERVICE = "/cgi-bin/message/template/send"


def message_for(openid: str, template: str = PROGRESS, **changed) -> dict:
    data = {key: {"value": value} for key, value in TEMPLATES[template].example.items()}
    body = {
        "touser": openid,
        "template_id": template,
        "page": "pages/help/request?id=help_01",
        "data": data,
        "miniprogram_state": "formal",
        "lang": "zh_CN",
    }
    return body | changed


def test_an_accepted_message_arrives_readable_on_the_phone(stand_in, api, li_ju):
    stand_in.subscribe("li_ju", accept=[PROGRESS])
    sent = api.post(SEND, message_for(li_ju["openid"]))
    [message] = stand_in.messages("li_ju")
    assert sent == {"errcode": 0, "errmsg": "ok", "msgid": message["id"]}
    assert message["text"] == (
        "求助进展提醒\n事项：需要口罩5个\n状态：已送达\n提示：请到社区服务站领取\n时间：2026年3月1日 15:01"
    )
    assert message["page"] == "pages/help/request?id=help_01"


def test_one_accept_is_one_message(stand_in, api, li_ju):
    stand_in.subscribe("li_ju", accept=[PROGRESS])
    stand_in.subscribe("li_ju", accept=[PROGRESS])
    answers = [api.post(SEND, message_for(li_ju["openid"]))["errcode"] for _ in range(3)]
    assert answers == [0, 0, 43101]
    assert len(stand_in.messages("li_ju")) == 2


def test_credits_belong_to_one_template_and_one_person(stand_in, api, li_ju):
    chen = stand_in.add_person("chen", "陈彩明")
    stand_in.subscribe("li_ju", accept=[PROGRESS])
    assert api.post(SEND, message_for(li_ju["openid"], NOTICE))["errcode"] == 43101
    assert api.post(SEND, message_for(chen["openid"]))["errcode"] == 43101
    assert api.post(SEND, message_for(li_ju["openid"]))["errcode"] == 0


def test_a_long_term_subscription_sends_until_it_is_turned_off(stand_in, api, li_ju):
    stand_in.subscribe("li_ju", accept=[CIVIC])
    assert [api.post(SEND, message_for(li_ju["openid"], CIVIC))["errcode"] for _ in range(3)] == [0, 0, 0]
    stand_in.turn_off("li_ju", CIVIC)
    assert api.post(SEND, message_for(li_ju["openid"], CIVIC))["errcode"] == 43101


def test_turning_a_template_off_ends_its_credits(stand_in, api, li_ju):
    stand_in.subscribe("li_ju", accept=[PROGRESS, NOTICE])
    stand_in.turn_off("li_ju", PROGRESS)
    assert api.post(SEND, message_for(li_ju["openid"]))["errcode"] == 43101
    assert api.post(SEND, message_for(li_ju["openid"], NOTICE))["errcode"] == 0


def test_a_second_message_while_the_first_is_on_its_way_is_refused(stand_in, api, li_ju):
    stand_in.settings(send_milliseconds=100)
    for _ in range(4):
        stand_in.subscribe("li_ju", accept=[PROGRESS])
    assert api.token
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: api.post(SEND, message_for(li_ju["openid"]))["errcode"], range(4)))
    assert sorted(answers) == [0, 43108, 43108, 43108]
    assert stand_in.person("li_ju")["credits"][PROGRESS] == 3
    assert api.post(SEND, message_for(li_ju["openid"]))["errcode"] == 0


def test_messages_to_different_people_may_run_side_by_side(stand_in, api):
    stand_in.settings(send_milliseconds=50)
    openids = []
    for number in range(4):
        openids.append(stand_in.add_person(f"p{number}", "居民")["openid"])
        stand_in.subscribe(f"p{number}", accept=[PROGRESS])
    assert api.token
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda o: api.post(SEND, message_for(o))["errcode"], openids)) == [0, 0, 0, 0]


def test_a_broken_field_costs_no_credit(stand_in, api, li_ju):
    stand_in.subscribe("li_ju", accept=[PROGRESS])
    data = message_for(li_ju["openid"])["data"] | {"thing3": {"value": "字" * 21}}
    refused = api.post(SEND, message_for(li_ju["openid"], data=data))
    assert refused["errcode"] == 47003
    assert refused["errmsg"].startswith("argument invalid! data.thing3.value invalid rid: ")
    assert stand_in.person("li_ju")["credits"] == {PROGRESS: 1}


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [
        ({"touser": "oNobody"}, 40003),
        ({"touser": None}, 40003),
        ({"template_id": "unknown"}, 40037),
        ({"template_id": ["a list"]}, 40037),
        ({"template_id": SERVICE}, 40037),
        ({"page": "pages/两个字"}, 41030),
        ({"data": "text"}, 47003),
        ({"miniprogram_state": "release"}, 40097),
        ({"lang": "zh-CN"}, 40097),
    ],
)
def test_a_wrong_parameter_is_refused(stand_in, api, li_ju, changed, errcode):
    stand_in.subscribe("li_ju", accept=[PROGRESS])
    assert api.post(SEND, message_for(li_ju["openid"], **changed))["errcode"] == errcode


def test_a_page_that_is_not_released_is_refused(stand_in, api, li_ju):
    stand_in.settings(missing_pages=["pages/help/request"])
    stand_in.subscribe("li_ju", accept=[PROGRESS])
    assert api.post(SEND, message_for(li_ju["openid"]))["errcode"] == 41030
    assert api.post(SEND, message_for(li_ju["openid"], page="pages/index/index"))["errcode"] == 0


def test_a_banned_template_is_refused_and_cannot_be_accepted(stand_in, api, li_ju):
    stand_in.subscribe("li_ju", accept=[PROGRESS])
    stand_in.settings(banned_templates=[PROGRESS])
    assert api.post(SEND, message_for(li_ju["openid"]))["errcode"] == 43107
    assert stand_in.subscribe("li_ju", accept=[PROGRESS])[PROGRESS] == "ban"


def test_a_replaced_and_an_expired_token_are_refused(stand_in, api, li_ju):
    stand_in.subscribe("li_ju", accept=[PROGRESS])
    old = api.token
    stand_in.rotate_tokens()
    assert api.post(SEND, message_for(li_ju["openid"]), token=old)["errcode"] == 40001
    new = api.fetch_token()
    stand_in.expire_tokens()
    assert api.post(SEND, message_for(li_ju["openid"]), token=new)["errcode"] == 42001
    assert api.post(SEND, message_for(li_ju["openid"]), token=api.fetch_token())["errcode"] == 0


def test_the_days_quota_ends_with_the_day(stand_in, api, li_ju):
    stand_in.set_quota(SEND, per_day=1)
    for _ in range(3):
        stand_in.subscribe("li_ju", accept=[PROGRESS])
    answers = [api.post(SEND, message_for(li_ju["openid"]))["errcode"] for _ in range(2)]
    stand_in.pass_time(86_400)
    answers.append(api.post(SEND, message_for(li_ju["openid"]), token=api.fetch_token())["errcode"])
    assert answers == [0, 45009, 0]


@pytest.mark.parametrize(
    ("body", "errcode"),
    [(b"", 44002), (b"{", 47001), (b"[]", 47001), (b"\xff", 47001), (b'{"touser":"\\ud800"}', 47001)],
)
def test_a_body_that_is_no_json_object_is_refused(api, body, errcode):
    assert json.loads(api.raw_post(SEND, body).data)["errcode"] == errcode


def test_the_popup_follows_wechats_rules(stand_in, li_ju):
    def err_code(**answer) -> int:
        with pytest.raises(Declined) as declined:
            stand_in.subscribe("li_ju", **answer)
        return declined.value.answer["errCode"]

    assert err_code() == 10001
    assert err_code(accept=["unknown"]) == 20001
    assert err_code(accept=[SERVICE]) == 20001
    assert err_code(accept=[PROGRESS], reject=[CIVIC]) == 20002
    assert err_code(accept=[PROGRESS] * 6) == 20003
    stand_in.change_person("li_ju", messages_off=True)
    assert err_code(accept=[PROGRESS]) == 20004
    stand_in.change_person("li_ju", messages_off=False)
    answered = stand_in.subscribe("li_ju", accept=[PROGRESS], reject=[NOTICE])
    assert answered == {"errMsg": "requestSubscribeMessage:ok", PROGRESS: "accept", NOTICE: "reject"}


def test_the_retired_uniform_message_says_so(api):
    assert api.post("/cgi-bin/message/wxopen/template/uniform_send", {})["errcode"] == 45109


def test_the_template_list_tells_one_time_from_long_term(api):
    listed = api.get("/wxaapi/newtmpl/gettemplate", access_token=api.token)["data"]
    types = {template["priTmplId"]: template["type"] for template in listed}
    assert types == {PROGRESS: 2, NOTICE: 2, REVIEW: 2, TO_DO: 2, CIVIC: 3}
    assert listed[0]["content"].startswith("事项:{{thing1.DATA}}\n")


def service_message(person: dict, **changed) -> dict:
    body = message_for(person["service_openid"], SERVICE)
    return {key: body[key] for key in ("touser", "template_id", "data")} | changed


def test_a_follower_receives_the_service_accounts_message(stand_in, api, li_ju):
    stand_in.change_person("li_ju", follows=True)
    link = {"appid": "wx5f1c0de000000001", "pagepath": "pages/help/request?id=help_01"}
    sent = api.post(SEND_SERVICE, service_message(li_ju, miniprogram=link), token=api.service_token())
    [message] = stand_in.messages("li_ju")
    assert (message["id"], message["channel"]) == (sent["msgid"], "service_account")
    assert message["page"] == link["pagepath"]


def test_who_does_not_follow_cannot_be_reached(stand_in, api, li_ju):
    token = api.service_token()
    assert api.post(SEND_SERVICE, service_message(li_ju), token=token)["errcode"] == 43004
    assert api.post(SEND_SERVICE, service_message(li_ju, touser=li_ju["openid"]), token=token)["errcode"] == 40003


def test_the_mini_programs_token_does_not_send_for_the_service_account(stand_in, api, li_ju):
    stand_in.change_person("li_ju", follows=True)
    assert api.post(SEND_SERVICE, service_message(li_ju))["errcode"] == 48001


def test_the_same_client_msg_id_is_one_message_for_ten_minutes(stand_in, api, li_ju):
    stand_in.change_person("li_ju", follows=True)
    body = service_message(li_ju, client_msg_id="notice_01")
    first, again = (api.post(SEND_SERVICE, body, token=api.service_token()) for _ in range(2))
    assert first == again
    assert len(stand_in.messages("li_ju")) == 1
    stand_in.pass_time(601)
    api.post(SEND_SERVICE, body, token=api.service_token())
    assert len(stand_in.messages("li_ju")) == 2


def test_a_closed_account_receives_nothing(stand_in, api, li_ju):
    stand_in.subscribe("li_ju", accept=[PROGRESS])
    stand_in.cancel("li_ju")
    assert api.post(SEND, message_for(li_ju["openid"]))["errcode"] == 43101
