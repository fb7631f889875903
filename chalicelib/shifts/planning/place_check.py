"""The words for a place where people are expected: they must find it at once, so it cannot wait hidden for a moderator."""

from __future__ import annotations

from datetime import datetime

from chalicelib.content import service as content
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Unavailable
from chalicelib.shifts import rules
from chalicelib.wechat.content import Scene


def check(caller: Caller, places: str, *, now: datetime) -> None:
    """Ask WeChat about them: ContentRefused, PlaceInDoubt, or Unavailable when it does not answer."""
    screening = content.screen(caller, scene=Scene.FORUM, now=now, official=True, place=places)
    if screening.suggest == "unchecked":
        raise Unavailable("place_unchecked", "地点暂时没能检查，这次没有保存。请过几分钟再试。")
    if not screening.passed:
        raise rules.PlaceInDoubt()
