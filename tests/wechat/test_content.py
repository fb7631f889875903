"""Nothing counts as checked unless WeChat said so."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.wechat import content
from chalicelib.wechat.content import Scene, Verdict
from chalicelib.wechat.errors import Meaning, WeChatRefused, WeChatUnavailable

TEXT = "/wxa/msg_sec_check"
IMAGE = "/wxa/media_check_async"


def verdict(**result: Any) -> dict[str, Any]:
    return {"errcode": 0, "errmsg": "ok", "result": result, "trace_id": "t-1", "detail": [{"errcode": -1}]}


def test_a_text_is_asked_about_under_its_author(scripted: Any) -> None:
    scripted.answers[TEXT] = verdict(suggest="pass", label=100)
    answer = content.check_text("o1", "需要口罩", Scene.FORUM, title="求助", nickname="李菊")
    assert answer == Verdict("pass", 100, "t-1")
    ((_, body),) = scripted.asked(TEXT)
    assert body == {
        "version": 2,
        "scene": 3,
        "openid": "o1",
        "content": "需要口罩",
        "title": "求助",
        "nickname": "李菊",
    }


@pytest.mark.parametrize(
    ("suggest", "label", "reason"),
    [("risky", 10001, "像是广告"), ("review", "20006", "涉及违法犯罪"), ("risky", 99999, "不适合公开")],
)
def test_a_verdict_comes_with_a_reason_for_the_author(scripted: Any, suggest: str, label: Any, reason: str) -> None:
    scripted.answers[TEXT] = verdict(suggest=suggest, label=label)
    answer = content.check_text("o1", "…", Scene.COMMENT)
    assert (answer.suggest, answer.reason) == (suggest, reason)


def test_a_word_of_wechat_that_we_do_not_know_goes_to_a_person(scripted: Any) -> None:
    scripted.answers[TEXT] = verdict(suggest="perhaps", label=None)
    assert content.check_text("o1", "…", Scene.COMMENT) == Verdict("review", 21000, "t-1")


@pytest.mark.parametrize("answer", [{}, {"result": None}, {"result": []}, {"result": {}}, {"result": {"suggest": 1}}])
def test_an_answer_without_a_verdict_is_not_a_pass(scripted: Any, answer: dict[str, Any]) -> None:
    scripted.answers[TEXT] = {"errcode": 0, **answer}
    with pytest.raises(WeChatUnavailable):
        content.check_text("o1", "…", Scene.COMMENT)


def test_a_text_beyond_wechats_limit_is_never_sent(scripted: Any) -> None:
    with pytest.raises(content.TextTooLong):
        content.check_text("o1", "长" * 2501, Scene.FORUM)
    assert scripted.requests == []


def test_an_empty_text_needs_no_check_but_its_title_does(scripted: Any) -> None:
    scripted.answers[TEXT] = verdict(suggest="risky", label=10001)
    assert content.check_text("o1", " \n", Scene.FORUM).suggest == "pass"
    assert scripted.requests == []
    assert content.check_text("o1", "", Scene.FORUM, title="标题").suggest == "risky"
    ((_, body),) = scripted.asked(TEXT)
    assert body["content"] == "标题"


def test_a_person_who_has_been_away_cannot_be_asked_about(scripted: Any) -> None:
    scripted.answers[TEXT] = {"errcode": 61010, "errmsg": "code is expired"}
    with pytest.raises(WeChatRefused) as refusal:
        content.check_text("o1", "…", Scene.FORUM)
    assert refusal.value.meaning is Meaning.USER_AWAY


def test_a_picture_gets_a_number_for_its_later_verdict(scripted: Any) -> None:
    scripted.answers[IMAGE] = {"errcode": 0, "trace_id": "t-2"}
    assert content.check_image("o1", "https://photos.example/1.jpg", Scene.FORUM) == "t-2"
    ((_, body),) = scripted.asked(IMAGE)
    assert body == {
        "version": 2,
        "scene": 3,
        "openid": "o1",
        "media_type": 2,
        "media_url": "https://photos.example/1.jpg",
    }


@pytest.mark.parametrize("trace_id", [None, "", 17, "t" * 129])
def test_a_picture_without_a_number_was_not_taken(scripted: Any, trace_id: Any) -> None:
    scripted.answers[IMAGE] = {"errcode": 0, "trace_id": trace_id}
    with pytest.raises(WeChatUnavailable):
        content.check_image("o1", "https://photos.example/1.jpg", Scene.FORUM)
