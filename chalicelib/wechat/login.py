"""Who is it, and what is their phone number: the two questions that a code from the phone answers, once."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from chalicelib.kit.errors import Conflict, Forbidden, Problem, TooMany, Unauthorized
from chalicelib.wechat.client import mini_program
from chalicelib.wechat.errors import WeChatRefused, WeChatUnavailable

_CODE = r"[\x21-\x7e]{1,256}"
_OPENID = r"[A-Za-z0-9_-]{1,128}"
_PHONE = r"\+?[0-9]{5,17}"


LoginCodeInvalid = Unauthorized.named("login_code_invalid", "登录没有成功，请重新打开小程序再登录一次。")
BlockedByWeChat = Forbidden.named(
    "account_blocked_by_wechat",
    "微信认为这个账号有安全风险，暂时不能登录。请先在微信里按提示解除限制，或到社区服务台办理。",
)
LoginTooOften = TooMany.named("login_too_often", "登录太频繁了，请过一分钟再试。")
PhoneCodeInvalid = Conflict.named("phone_code_invalid", "这次授权已经失效，请重新点一次“获取手机号”。")
PhoneAskedTooOften = TooMany.named("phone_asked_too_often", "获取手机号太频繁了，请过一分钟再试。")


class Identity(msgspec.Struct, frozen=True):
    """A WeChat user as seen by our mini-program; `unionid` only if it is bound to an Open Platform account."""

    openid: str
    unionid: str | None = None


_LOGIN_PROBLEMS: dict[int, type[Problem]] = {
    40029: LoginCodeInvalid,
    40163: LoginCodeInvalid,
    40226: BlockedByWeChat,
    45011: LoginTooOften,
}
_PHONE_PROBLEMS: dict[int, type[Problem]] = {
    40029: PhoneCodeInvalid,
    40163: PhoneCodeInvalid,
    45011: PhoneAskedTooOften,
}


def code_to_session(js_code: str) -> Identity:
    """Trade the code of wx.login (five minutes, once) for the person's identity. No access token is involved.

    The session_key that comes along ends here: nothing we do needs it, so it cannot leak. Not repeated after
    a lost answer: WeChat may have used the code up, and the phone gets a new one for nothing.
    """
    if not re.fullmatch(_CODE, js_code):
        raise LoginCodeInvalid()
    try:
        answer = mini_program().wxa.code_to_session(js_code)
    except WeChatRefused as refusal:
        problem = _LOGIN_PROBLEMS.get(refusal.errcode)
        if problem is None:
            raise
        raise problem() from None
    openid = answer.get("openid") if isinstance(answer, dict) else None
    unionid = answer.get("unionid") if isinstance(answer, dict) else None
    if not isinstance(openid, str) or not re.fullmatch(_OPENID, openid):
        raise WeChatUnavailable("no openid in the answer to a login", answer_lost=True)
    return Identity(openid, unionid if isinstance(unionid, str) and unionid else None)


def phone_number(code: str, openid: str) -> str:
    """The number behind the code of the phone button (five minutes, once), e.g. `13800138000`, or with the
    country code for foreign ones. WeChat checks that the code was given to this very person."""
    if not re.fullmatch(_CODE, code):
        raise PhoneCodeInvalid()
    client = mini_program()
    try:
        answer = client.call("/wxa/business/getuserphonenumber", {"code": code, "openid": openid})
    except WeChatRefused as refusal:
        problem = _PHONE_PROBLEMS.get(refusal.errcode)
        if problem is None:
            raise
        raise problem() from None
    info = answer.get("phone_info")
    info = info if isinstance(info, dict) else {}
    watermark = info.get("watermark")
    number = _whole(info)
    ours = isinstance(watermark, dict) and watermark.get("appid") == client.appid
    if not ours or not isinstance(number, str) or not re.fullmatch(_PHONE, number):
        raise WeChatUnavailable("no phone number in the answer", answer_lost=True)
    return number


def _whole(info: dict[str, Any]) -> Any:
    """A foreign number is only told from one of here by its country code, which stands apart."""
    pure, country = info.get("purePhoneNumber"), info.get("countryCode")
    return f"+{country}{pure}" if isinstance(pure, str) and isinstance(country, str | int) else info.get("phoneNumber")
