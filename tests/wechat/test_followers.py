"""Followers of the service account, page by page and a hundred at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.wechat import followers
from chalicelib.wechat.errors import WeChatUnavailable

LIST, UNIONIDS = "/cgi-bin/user/get", "/cgi-bin/user/info/batchget"


@pytest.fixture(autouse=True)
def _service_account(appid: str, set_up: Callable[..., None], scripted: Any) -> None:
    set_up(service_account_appid=appid, service_account_secret="secret")


def test_the_list_is_read_page_by_page(scripted: Any) -> None:
    scripted.answers[LIST] = [
        {"total": 3, "count": 2, "data": {"openid": ["o1", "o2"]}, "next_openid": "o2"},
        {"total": 3, "count": 1, "data": {"openid": ["o3"]}, "next_openid": "o3"},
    ]
    assert list(followers.openids()) == ["o1", "o2", "o3"]
    assert [query.get("next_openid", "") for query, _ in scripted.asked(LIST)] == ["", "o2"]


def test_an_account_that_nobody_follows_has_an_empty_list(scripted: Any) -> None:
    scripted.answers[LIST] = {"total": 0, "count": 0, "next_openid": ""}
    assert list(followers.openids()) == []


def test_a_page_without_anybody_ends_the_list_whatever_the_total_says(scripted: Any) -> None:
    scripted.answers[LIST] = {"total": 5, "count": 0, "next_openid": ""}
    assert list(followers.openids()) == []


def test_only_whose_unionid_is_told_is_known(scripted: Any) -> None:
    scripted.answers[UNIONIDS] = {
        "user_info_list": [
            {"subscribe": 1, "openid": "o2", "unionid": "u2"},
            {"subscribe": 1, "openid": "o1"},
            {"subscribe": 0, "openid": "o3"},
            {"openid": "somebody-else", "unionid": "u4"},
            {"openid": "o5", "unionid": ["u5"]},
            None,
        ]
    }
    assert followers.unionids(["o1", "o2", "o3", "o5"]) == {"o2": "u2"}
    ((_, body),) = scripted.asked(UNIONIDS)
    assert body["user_list"][0] == {"openid": "o1", "lang": "zh_CN"}


@pytest.mark.parametrize("answer", [{}, {"total": "3"}, {"user_info_list": {}}])
def test_an_answer_without_followers_is_none(scripted: Any, answer: dict[str, Any]) -> None:
    scripted.answers[LIST] = scripted.answers[UNIONIDS] = answer
    with pytest.raises(WeChatUnavailable):
        list(followers.openids())
    with pytest.raises(WeChatUnavailable):
        followers.unionids(["o1"])
