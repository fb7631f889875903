"""WeChat's content check (内容安全): mandatory for everything people write or photograph for others to see."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Any, Literal

import msgspec

from chalicelib.kit.errors import Invalid
from chalicelib.wechat.client import mini_program
from chalicelib.wechat.errors import WeChatUnavailable

LONGEST_TEXT = 2500  # characters, WeChat's limit for one check
NORMAL = 100
_OTHER = 21000
_VERSION = 2
_IMAGE = 2

LABELS: dict[int, str] = {
    NORMAL: "没有问题",
    10001: "像是广告",
    20001: "涉及时政",
    20002: "涉及色情",
    20003: "有辱骂的话",
    20006: "涉及违法犯罪",
    20008: "像是诈骗",
    20012: "内容低俗",
    20013: "可能侵犯版权",
    _OTHER: "不适合公开",
}


class Scene(IntEnum):
    """Where the content will stand; WeChat judges each by its own measure."""

    PROFILE = 1
    COMMENT = 2
    FORUM = 3
    SOCIAL_LOG = 4


TextTooLong = Invalid.named("text_too_long", f"文字太长了，请缩短到 {LONGEST_TEXT} 字以内。")


class Verdict(msgspec.Struct, frozen=True):
    """`pass`: show it. `risky`: refuse it. `review`: a person must look. `trace_id` is WeChat's number for it."""

    suggest: Literal["pass", "risky", "review"]
    label: int
    trace_id: str

    @property
    def reason(self) -> str:
        return reason(self.label)


def reason(label: int) -> str:
    """The label in words for the author, e.g. 像是广告."""
    return LABELS.get(label, LABELS[_OTHER])


def check_text(
    openid: str, text: str, scene: Scene, *, title: str | None = None, nickname: str | None = None
) -> Verdict:
    """Ask about a text under its author's openid, within two hours of the author's last use of the mini-program
    (else WeChatRefused with meaning USER_AWAY). Title and nickname are judged along with the text; where there
    is nothing to read, WeChat is not asked (it refuses an empty check)."""
    if len(text) > LONGEST_TEXT:
        raise TextTooLong()
    if not text.strip():
        text = title or nickname or ""
    if not text.strip():
        return Verdict("pass", NORMAL, "")
    body: dict[str, Any] = {"version": _VERSION, "scene": int(scene), "openid": openid, "content": text}
    if title:
        body["title"] = title
    if nickname:
        body["nickname"] = nickname
    answer = mini_program().call("/wxa/msg_sec_check", body)
    result = answer.get("result")
    if not isinstance(result, dict) or not isinstance(result.get("suggest"), str):
        raise WeChatUnavailable("no verdict in the answer to a check", answer_lost=True)
    return Verdict(suggestion(result["suggest"]), label(result.get("label")), str(answer.get("trace_id", ""))[:128])


def check_image(openid: str, url: str, scene: Scene) -> str:
    """Hand in a picture (at most 10 MB) and return its trace_id; the verdict comes to the callback within 30
    minutes as callback.MediaChecked. WeChat fetches the address, so it must be good for that long."""
    answer = mini_program().call(
        "/wxa/media_check_async",
        {"version": _VERSION, "scene": int(scene), "openid": openid, "media_type": _IMAGE, "media_url": url},
    )
    trace_id = answer.get("trace_id")
    if not isinstance(trace_id, str) or not 0 < len(trace_id) <= 128:
        raise WeChatUnavailable("no trace_id in the answer to a check", answer_lost=True)
    return trace_id


def suggestion(text: str) -> Literal["pass", "risky", "review"]:
    """WeChat's advice; a word we do not know means that a person must look."""
    if text == "pass":
        return "pass"
    return "risky" if text == "risky" else "review"


def label(value: object) -> int:
    """A label as number or numeric text."""
    text = str(value)
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else _OTHER
