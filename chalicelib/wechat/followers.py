"""Who follows the service account (服务号): WeChat lists their openids there, and says the unionid of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from chalicelib.wechat.client import service_account
from chalicelib.wechat.errors import WeChatUnavailable

AT_ONCE = 100  # unionids in one answer, WeChat's limit


def openids() -> Iterator[str]:
    """The openids of all followers under the service account: a call for every 10,000, of which a day has 500."""
    last, seen = "", 0
    while True:
        answer = service_account().get("/cgi-bin/user/get", params={"next_openid": last})
        total = answer.get("total") if isinstance(answer, dict) else None
        if not isinstance(total, int):
            raise WeChatUnavailable("no list of followers in the answer", answer_lost=True)
        listed = _openids(answer)
        yield from listed
        seen += len(listed)
        if not listed or seen >= total:
            return
        last = listed[-1]


def unionids(some: Sequence[str]) -> dict[str, str]:
    """The unionid of each of these followers, at most AT_ONCE. Left out: who has none, or follows no longer."""
    asked = {"user_list": [{"openid": openid, "lang": "zh_CN"} for openid in some]}
    answer = service_account().post("/cgi-bin/user/info/batchget", data=asked)
    infos = answer.get("user_info_list") if isinstance(answer, dict) else None
    if not isinstance(infos, list):
        raise WeChatUnavailable("no followers in the answer", answer_lost=True)
    told = {str(info.get("openid")): info.get("unionid") for info in infos if isinstance(info, dict)}
    known = ((openid, told.get(openid)) for openid in some)
    return {openid: unionid for openid, unionid in known if isinstance(unionid, str) and unionid}


def _openids(answer: dict[str, Any]) -> list[str]:
    data = answer.get("data")
    listed = data.get("openid") if isinstance(data, dict) else None
    return [openid for openid in listed if isinstance(openid, str)] if isinstance(listed, list) else []
