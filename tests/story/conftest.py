"""The product as it is shipped: the packaged template on the local AWS, IAM enforced, WeChat's stand-in beside it."""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

from local import demo, district
from local.phone import Phone
from local.stack import ROOT, Stack

T = TypeVar("T")


@pytest.fixture(scope="session")
def stage() -> Iterator[Stack]:
    """Each function may do only what its own role allows. Time passes when a test says `stage.sweep(at=…)`."""
    state = ROOT / ".local" / f"test-story-{os.getpid()}"
    # 李菊 asks for help more often in these tests than anybody may in a day.
    settings = {
        "notices": district.notice_settings(),
        "help": {"asks_a_day": 1000, "offers_a_day": 1000},
        "posts": {"posts_a_day": 1000, "urgent_a_day": 1000},
    }
    with Stack(state, enforce_iam=True, timer=False, settings=settings) as stack:
        demo.fill(stack)
        yield stack


@pytest.fixture
def phone(stage: Stack) -> Callable[[str], Phone]:
    """`phone("li-ju")`: the phone of a demo person (see local/district.py), logged in."""

    def of(person: str) -> Phone:
        phone = Phone(stage.api_url, stage.wechat, person)
        assert phone.log_in().status == 200
        return phone

    return of


@pytest.fixture
def newcomer(stage: Stack, phone: Callable[[str], Phone]) -> Callable[[str, str], Phone]:
    """`newcomer("zhang", "张阿姨")`: somebody new with a phone, logged in and living in the demo community."""

    def arrive(person: str, name: str) -> Phone:
        stage.wechat.add_person(person, name, phone=f"139{zlib.crc32(person.encode()) % 10**8:08d}")
        arrived = phone(person)
        assert arrived.put("/me/residence", {"area": district.HOME}).status == 200
        return arrived

    return arrive


def soon(look: Callable[[], T], *, within: float = 60) -> T:
    """What `look` returns once it is true: streams and queues take a moment. Generous, because machines are shared."""
    until = time.monotonic() + within
    while True:
        seen = look()
        if seen or time.monotonic() > until:
            assert seen, "it never came"
            return seen
        time.sleep(0.1)


def whole(phone: Phone, path: str) -> list[dict[str, Any]]:
    """All pages of a list that stories share: how much the others have left in it is not known."""
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        mark = "&" if "?" in path else "?"
        page = phone.get(f"{path}{mark}cursor={cursor}" if cursor else path).json
        found += page["items"]
        cursor = page["next"]
    return found


def received(stage: Stack, person: str, word: str) -> list[dict[str, Any]]:
    """The WeChat messages on somebody's phone that hold a word."""
    return [message for message in stage.wechat.messages(person) if word in message["text"]]
