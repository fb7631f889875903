"""Codes from the phone become an identity or a number, or a sentence that says what to do."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.kit.errors import Problem
from chalicelib.wechat import login
from chalicelib.wechat.errors import Meaning, WeChatRefused, WeChatUnavailable

LOGIN = "/sns/jscode2session"
PHONE = "/wxa/business/getuserphonenumber"


def test_a_code_becomes_an_identity_without_any_token(scripted: Any) -> None:
    scripted.answers[LOGIN] = {"openid": "o1", "unionid": "u1", "session_key": "5ession"}
    assert login.code_to_session("code-1") == login.Identity("o1", "u1")
    ((query, _),) = scripted.asked(LOGIN)
    assert query == {
        "appid": scripted.appid,
        "secret": scripted.secret,
        "js_code": "code-1",
        "grant_type": "authorization_code",
    }
    assert [path for path, _, _ in scripted.requests] == [LOGIN]


def test_the_session_key_goes_no_further(scripted: Any) -> None:
    scripted.answers[LOGIN] = {"openid": "o1", "session_key": "5ession", "unionid": ""}
    identity = login.code_to_session("code-1")
    assert "5ession" not in repr(identity)
    assert identity.unionid is None


@pytest.mark.parametrize(
    ("errcode", "code", "status"),
    [
        (40029, "login_code_invalid", 401),
        (40163, "login_code_invalid", 401),
        (40226, "account_blocked_by_wechat", 403),
        (45011, "login_too_often", 429),
    ],
)
def test_a_refused_login_says_in_chinese_what_to_do(scripted: Any, errcode: int, code: str, status: int) -> None:
    scripted.answers[LOGIN] = {"errcode": errcode, "errmsg": "no rid: 1"}
    with pytest.raises(Problem) as problem:
        login.code_to_session("code-1")
    assert (problem.value.code, problem.value.status) == (code, status)
    assert "请" in problem.value.detail
    assert "rid" not in problem.value.detail
    assert len(scripted.asked(LOGIN)) == 1, "a code is never tried twice"


def test_a_wrong_setup_is_not_blamed_on_the_person(scripted: Any) -> None:
    scripted.answers[LOGIN] = {"errcode": 40125, "errmsg": "invalid appsecret"}
    with pytest.raises(WeChatRefused) as refusal:
        login.code_to_session("code-1")
    assert (refusal.value.meaning, refusal.value.status) == (Meaning.CONFIG, 503)


@pytest.mark.parametrize("code", ["", " ", "口令", "a b", "x" * 257, "\ud800", "a\x00"])
def test_what_cannot_be_a_code_is_not_sent(scripted: Any, code: str) -> None:
    with pytest.raises(login.LoginCodeInvalid):
        login.code_to_session(code)
    with pytest.raises(login.PhoneCodeInvalid):
        login.phone_number(code, "o1")
    assert scripted.requests == []


class TestThePhoneNumber:
    def answer(self, scripted: Any, **info: Any) -> dict[str, Any]:
        known = {"phoneNumber": "13800138000", "watermark": {"appid": scripted.appid, "timestamp": 1}}
        return {"errcode": 0, "errmsg": "ok", "phone_info": {**known, **info}}

    def test_it_is_asked_for_together_with_the_person(self, scripted: Any) -> None:
        scripted.answers[PHONE] = self.answer(scripted)
        assert login.phone_number("code-1", "o1") == "13800138000"
        ((_, body),) = scripted.asked(PHONE)
        assert body == {"code": "code-1", "openid": "o1"}

    @pytest.mark.parametrize(
        ("errcode", "code"),
        [(40029, "phone_code_invalid"), (40163, "phone_code_invalid"), (45011, "phone_asked_too_often")],
    )
    def test_a_refusal_says_in_chinese_what_to_do(self, scripted: Any, errcode: int, code: str) -> None:
        scripted.answers[PHONE] = {"errcode": errcode, "errmsg": "no"}
        with pytest.raises(Problem) as problem:
            login.phone_number("code-1", "o1")
        assert problem.value.code == code
        assert "请" in problem.value.detail

    @pytest.mark.parametrize(
        "wrong",
        [
            {"phoneNumber": 13800138000},
            {"phoneNumber": "not a number"},
            {"phoneNumber": ""},
            {"watermark": {"appid": "wxanother"}},
            {"watermark": None},
        ],
    )
    def test_an_answer_that_is_not_ours_is_not_believed(self, scripted: Any, wrong: dict[str, Any]) -> None:
        scripted.answers[PHONE] = self.answer(scripted, **wrong)
        with pytest.raises(WeChatUnavailable):
            login.phone_number("code-1", "o1")
