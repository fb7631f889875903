"""Mini-program codes."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.wechat import codes, settings
from chalicelib.wechat.errors import Meaning, WeChatRefused, WeChatUnavailable
from chalicelib.wechat.settings import Options

CODE = "/wxa/getwxacodeunlimit"
PNG = b"\x89PNG\r\n\x1a\n..."


def test_a_code_is_an_image(scripted: Any) -> None:
    scripted.answers[CODE] = lambda handler: scripted.respond(handler, PNG, 200, "image/png")
    assert codes.mini_program_code("c=AbC-_~.1", "pages/pick-up/index") == PNG
    ((_, body),) = scripted.asked(CODE)
    assert body == {
        "scene": "c=AbC-_~.1",
        "page": "pages/pick-up/index",
        "width": 430,
        "env_version": "release",
        "check_path": True,
    }


def test_a_trial_edition_has_pages_that_are_not_released(scripted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "options", lambda: Options(miniprogram_state="trial"))
    scripted.answers[CODE] = lambda handler: scripted.respond(handler, PNG, 200, "image/png")
    codes.mini_program_code("1", "pages/new")
    ((_, body),) = scripted.asked(CODE)
    assert (body["env_version"], body["check_path"]) == ("trial", False)


def test_json_instead_of_an_image_is_a_refusal_or_no_answer(scripted: Any) -> None:
    scripted.answers[CODE] = [{"errcode": 41030, "errmsg": "invalid page"}, {"errcode": 0}]
    with pytest.raises(WeChatRefused) as refusal:
        codes.mini_program_code("1", "pages/index")
    assert refusal.value.meaning is Meaning.CONFIG
    with pytest.raises(WeChatUnavailable):
        codes.mini_program_code("1", "pages/index")


@pytest.mark.parametrize(
    ("scene", "page", "width"),
    [
        ("", "pages/index", 430),
        ("x" * 33, "pages/index", 430),
        ("100%", "pages/index", 430),
        ("口罩", "pages/index", 430),
        ("a b", "pages/index", 430),
        ("a\n", "pages/index", 430),
        ("a", "", 430),
        ("a", "/pages/index", 430),
        ("a", "pages/index?id=1", 430),
        ("a", "pages/index", 279),
        ("a", "pages/index", 1281),
    ],
)
def test_what_wechat_would_not_take_is_not_sent(scripted: Any, scene: str, page: str, width: int) -> None:
    with pytest.raises(ValueError, match="not a"):
        codes.mini_program_code(scene, page, width=width)
    assert scripted.requests == []
