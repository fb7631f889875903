"""Messages that appear on the phone: subscribe messages (订阅消息) of the mini-program, template messages of
the service account, and WeChat's rules for what may stand in their fields."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from chalicelib.kit import clock
from chalicelib.wechat import settings
from chalicelib.wechat.client import mini_program, service_account

Value = str | int | datetime

_HAN = r"\u3400-\u4dbf\u4e00-\u9fff"
_DAY = r"[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}日"
_CLOCK = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?"
_TIME = rf"(?:{_DAY} ?)?{_CLOCK}"
_DATE = rf"{_DAY}(?: ?{_CLOCK})?"


class Rule(msgspec.Struct, frozen=True):
    """One kind of field: what WeChat takes (else 47003), and how free text is made to fit.

    A kind with `empty` is for text that people wrote: `unwanted` characters are dropped, the rest is cut to
    `longest` and ends in `cut_mark`; if nothing remains, `empty` stands there. Kinds without `empty` hold what
    our own code made (a time, an amount); changing those would tell people something wrong.
    """

    longest: int
    pattern: str
    empty: str | None = None
    unwanted: str | None = None
    cut_mark: str = ""


_THING = Rule(20, r".+", empty="无", cut_mark="…")
_CHOICE = Rule(20, r".+")

RULES: dict[str, Rule] = {
    "thing": _THING,
    "keyword": _THING,  # the service account's older templates
    "character_string": Rule(32, r"[\x21-\x7e]+", empty="-", unwanted=r"[^\x21-\x7e]"),
    "phrase": Rule(5, rf"[{_HAN}]+", empty="无", unwanted=rf"[^{_HAN}]"),
    # A Chinese name, or one in letters and symbols. Mixed ones, digits and emoji are not on WeChat's list.
    "name": Rule(20, rf"[{_HAN}·]+|[A-Za-z·.,'\- ]+", empty="居民", unwanted=rf"[^{_HAN}A-Za-z·.,'\- ]"),
    "number": Rule(32, r"-?[0-9]+(?:\.[0-9]+)?"),
    "letter": Rule(32, r"[A-Za-z]+"),
    "symbol": Rule(5, rf"[^\w\s{_HAN}]+"),
    "phone_number": Rule(17, r"[0-9+\-()]+"),
    "car_number": Rule(8, rf"[{_HAN}A-Za-z0-9][A-Za-z0-9]*[{_HAN}A-Za-z0-9]"),
    "amount": Rule(16, r"[¥￥$€£]?[0-9]{1,10}(?:\.[0-9]{1,2})?元?"),
    "time": Rule(64, rf"{_TIME}(?: ?~ ?{_TIME})?"),
    "date": Rule(64, rf"{_DATE}(?: ?~ ?{_DATE})?"),
    "enum": _CHOICE,
    "const": _CHOICE,
}
LONGEST_CHINESE_NAME = 10


class FieldBroken(ValueError):
    """A value that WeChat would refuse with 47003. The value itself is not quoted: somebody may have written it."""


def check(field: str, value: str, *, choices: Collection[str] = ()) -> None:
    """Raise FieldBroken unless WeChat takes `value` in a template's `field`, e.g. `thing1` or `time3`.

    `choices` are the values which the template lists for an `enum`."""
    rule = _rule(field)
    if not value:
        raise FieldBroken(f"{field} is empty")
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in value):
        raise FieldBroken(f"{field} holds a line break or control character")
    if _length(value) > _longest(field, value):
        raise FieldBroken(f"{field} is longer than {_longest(field, value)}")
    if not re.fullmatch(rule.pattern, value):
        raise FieldBroken(f"{field} does not have the form of its kind")
    if choices and value not in choices:
        raise FieldBroken(f"{field} is not one of the template's values")


def fit(field: str, value: Value) -> str:
    """The value as WeChat takes it: line breaks become spaces, what is too long ends in …, nothing becomes 无.

    Raises FieldBroken for kinds that our own code fills (times, amounts …) when the value is wrong."""
    rule = _rule(field)
    text = clock.spoken(value) if isinstance(value, datetime) else str(value)
    if rule.empty is not None:
        text = _visible(re.sub(rule.unwanted, "", _visible(text)) if rule.unwanted else text)
        if _is_chinese_name(field, text):
            text = re.sub(rf"[^{_HAN}·]", "", text)
        text = _cut(text, _longest(field, text), rule.cut_mark) or rule.empty
    check(field, text)
    return text


def send_subscribe(
    *,
    openid: str,
    template_id: str,
    page: str,
    data: Mapping[str, Value],
    state: Literal["formal", "trial", "developer"] | None = None,
) -> str | None:
    """Send one subscribe message, one-time or long-term alike, and return WeChat's msgid if it names one.

    The values are fitted to their fields. `state` is the edition of the mini-program that a tap opens, the
    one in the settings if None. Whether it may be repeated after a failure is in WeChatRefused.meaning and
    WeChatUnavailable.answer_lost; WeChat has no number of ours to recognise a repeat by."""
    answer = mini_program().call(
        "/cgi-bin/message/subscribe/send",
        {
            "touser": openid,
            "template_id": template_id,
            "page": page,
            "data": _fitted(data),
            "miniprogram_state": state or settings.options().miniprogram_state,
            "lang": "zh_CN",
        },
    )
    return _msgid(answer)


def send_template(
    *, openid: str, template_id: str, page: str, data: Mapping[str, Value], client_msg_id: str
) -> str | None:
    """Send one template message of the service account to a follower and return WeChat's msgid.

    `openid` is the follower's under the service account. A repeat with the same `client_msg_id` (32 characters)
    within ten minutes reaches the phone once."""
    if not 0 < len(client_msg_id) <= 32:
        raise ValueError("client_msg_id has 1 to 32 characters")
    answer = service_account().call(
        "/cgi-bin/message/template/send",
        {
            "touser": openid,
            "template_id": template_id,
            "miniprogram": {"appid": settings.secrets().wechat_appid, "pagepath": page},
            "data": _fitted(data),
            "client_msg_id": client_msg_id,
        },
    )
    return _msgid(answer)


def _fitted(data: Mapping[str, Value]) -> dict[str, dict[str, str]]:
    return {field: {"value": fit(field, value)} for field, value in data.items()}


def _msgid(answer: dict[str, Any]) -> str | None:
    msgid = answer.get("msgid")
    return str(msgid)[:64] if isinstance(msgid, (str, int)) and msgid else None


def _rule(field: str) -> Rule:
    rule = RULES.get(field.rstrip("0123456789"))
    if rule is None:
        raise FieldBroken(f"{field} is of no kind that WeChat has")
    return rule


def _longest(field: str, text: str) -> int:
    return LONGEST_CHINESE_NAME if _is_chinese_name(field, text) else _rule(field).longest


def _is_chinese_name(field: str, text: str) -> bool:
    return field.startswith("name") and bool(re.search(f"[{_HAN}]", text))


def _length(text: str) -> int:
    """In UTF-16 units: an emoji counts twice. Whichever way WeChat counts, it does not count more."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _visible(text: str) -> str:
    """One line of visible characters: invisible and broken ones go, line breaks and spaces become one space."""
    kept = (c for c in text if unicodedata.category(c) not in ("Cf", "Cs", "Co", "Cn"))
    return " ".join("".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in kept).split())


def _cut(text: str, longest: int, mark: str) -> str:
    if _length(text) <= longest:
        return text
    while _length(text) > longest - len(mark):
        text = text[:-1]
    return text.rstrip() + mark
