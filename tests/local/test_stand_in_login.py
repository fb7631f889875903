import hashlib
import hmac

import pytest

from local.wechat.catalogue import APPID
from local.wechat.control import Declined


def test_a_code_becomes_an_openid_and_a_session_key(stand_in, api, li_ju):
    session = api.log_in(stand_in.login_code("li_ju"))
    assert session["openid"] == li_ju["openid"]
    assert session["unionid"] == li_ju["unionid"]
    assert session["session_key"]
    assert "errcode" not in session


def test_an_account_outside_the_open_platform_has_no_unionid(stand_in, api):
    stand_in.add_person("chen", "陈彩明", unionid=False)
    assert "unionid" not in api.log_in(stand_in.login_code("chen"))


def test_a_code_works_only_once(stand_in, api, li_ju):
    code = stand_in.login_code("li_ju")
    api.log_in(code)
    assert api.log_in(code)["errcode"] == 40029


def test_a_used_code_can_answer_as_the_live_service_is_reported_to(stand_in, api, li_ju):
    stand_in.settings(used_code_errcode=40163)
    code = stand_in.login_code("li_ju")
    api.log_in(code)
    assert api.log_in(code)["errcode"] == 40163


def test_a_code_expires_after_five_minutes(stand_in, api, li_ju):
    early, late = stand_in.login_code("li_ju"), stand_in.login_code("li_ju")
    stand_in.pass_time(299)
    assert "openid" in api.log_in(early)
    stand_in.pass_time(2)
    assert api.log_in(late)["errcode"] == 40029


def test_an_invented_code_is_refused_with_a_request_id(api):
    refused = api.log_in("invented")
    assert refused["errcode"] == 40029
    assert "rid: " in refused["errmsg"]


def test_a_phone_code_is_no_login_code(stand_in, api, li_ju):
    assert api.log_in(stand_in.phone_code("li_ju"))["errcode"] == 40029


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [({"appid": "wx0"}, 40013), ({"secret": "wrong"}, 40125), ({"grant_type": "x"}, 40002), ({"appid": ""}, 41002)],
)
def test_wrong_credentials_are_refused_and_do_not_use_up_the_code(stand_in, api, li_ju, changed, errcode):
    code = stand_in.login_code("li_ju")
    assert api.log_in(code, **changed)["errcode"] == errcode
    assert "openid" in api.log_in(code)


def test_a_blocked_person_cannot_log_in(stand_in, api, li_ju):
    stand_in.change_person("li_ju", blocked=True)
    assert api.log_in(stand_in.login_code("li_ju"))["errcode"] == 40226


def test_logging_in_more_than_100_times_a_minute_is_too_frequent(stand_in, api, li_ju):
    answers = [api.log_in(stand_in.login_code("li_ju")) for _ in range(101)]
    assert all("openid" in answer for answer in answers[:100])
    assert answers[100]["errcode"] == 45011


def test_only_the_latest_session_key_checks_out(stand_in, api, li_ju):
    def check(session_key: str) -> int:
        signature = hmac.new(session_key.encode(), b"", hashlib.sha256).hexdigest()
        return api.get(
            "/wxa/checksession",
            access_token=api.token,
            openid=li_ju["openid"],
            signature=signature,
            sig_method="hmac_sha256",
        )["errcode"]

    first = api.log_in(stand_in.login_code("li_ju"))["session_key"]
    assert check(first) == 0
    second = api.log_in(stand_in.login_code("li_ju"))["session_key"]
    assert check(first) == 87009
    assert check(second) == 0


def test_a_phone_code_gives_the_number_once(stand_in, api, li_ju):
    code = stand_in.phone_code("li_ju")
    path = "/wxa/business/getuserphonenumber"
    info = api.post(path, code=code, openid=li_ju["openid"])["phone_info"]
    assert info["purePhoneNumber"] == "13800000001"
    assert info["watermark"]["appid"] == APPID
    assert api.post(path, code=code)["errcode"] == 40029


def test_a_phone_code_is_bound_to_its_person_and_five_minutes(stand_in, api, li_ju):
    chen = stand_in.add_person("chen", "陈彩明")
    code = stand_in.phone_code("li_ju")
    path = "/wxa/business/getuserphonenumber"
    assert api.post(path, code=code, openid=chen["openid"])["errcode"] == 40029
    stand_in.pass_time(301)
    assert api.post(path, code=code, openid=li_ju["openid"])["errcode"] == 40029


def test_a_person_without_a_number_gets_no_phone_code(stand_in):
    stand_in.add_person("chen", "陈彩明")
    with pytest.raises(Declined):
        stand_in.phone_code("chen")


def test_the_risk_rank_is_what_the_person_was_given(stand_in, api, li_ju):
    stand_in.change_person("li_ju", risk_rank=3)
    asked = {"appid": APPID, "openid": li_ju["openid"], "scene": 1, "client_ip": "192.0.2.1"}
    assert api.post("/wxa/getuserriskrank", asked)["risk_rank"] == 3
    stand_in.away("li_ju")
    assert api.post("/wxa/getuserriskrank", asked)["errcode"] == 61010


def test_followers_are_joined_to_residents_by_unionid(stand_in, api, li_ju):
    token = api.service_token()
    assert api.get("/cgi-bin/user/get", access_token=token)["total"] == 0
    stand_in.change_person("li_ju", follows=True)
    [openid] = api.get("/cgi-bin/user/get", access_token=token)["data"]["openid"]
    assert openid != li_ju["openid"]
    info = api.get("/cgi-bin/user/info", access_token=token, openid=openid)
    assert (info["subscribe"], info["unionid"]) == (1, li_ju["unionid"])
    many = api.post("/cgi-bin/user/info/batchget", {"user_list": [{"openid": openid}]}, token=token)
    assert many["user_info_list"] == [info]
    assert api.get("/cgi-bin/user/get", access_token=token, next_openid=openid)["count"] == 0


@pytest.mark.parametrize("asked", [None, [], "x", [1], [{"openid": "x"}] * 101])
def test_followers_are_asked_about_a_hundred_at_once(api, asked):
    answer = api.post("/cgi-bin/user/info/batchget", {"user_list": asked}, token=api.service_token())
    assert answer["errcode"] == 40097


def test_the_same_person_has_the_same_openid_after_a_reset(stand_in, li_ju):
    stand_in.reset()
    assert stand_in.people() == []
    assert stand_in.add_person("li_ju", "李菊")["openid"] == li_ju["openid"]
