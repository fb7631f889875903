"""How a story is told while it is played: each step, each WeChat message as it looks on the phone."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.panel import Panel

from local import district
from local.phone import Answer
from local.wechat.control import StandIn

_PUSH_SECONDS = 30


class StoryBroken(Exception):
    """Told as it is, without a traceback."""


class Teller:
    def __init__(self, wechat: StandIn, console: Console) -> None:
        self._wechat, self._console = wechat, console
        self._shown = {message["id"] for message in wechat.messages()}
        self.names = {phone_id: name for phone_id, name, *_ in district.PEOPLE}

    def chapter(self, title: str) -> None:
        self._console.rule(f"[bold]{title}[/]", align="left", style="dim")

    def attempt(self, what: str, answer: Answer) -> dict[str, Any] | None:
        """A step that the rules may refuse: then it is said why, in the product's own words."""
        if answer.status != 409:
            return self.step(what, answer)
        self._console.print(f"[bold]· {what}：[/]没有成功")
        self.say(answer.json["detail"])
        return None

    def step(self, what: str, *answers: Answer) -> dict[str, Any]:
        answer = next((answer for answer in answers if answer.status >= 400), answers[-1])
        self._console.print(f"[bold]{'✓' if answer.status < 400 else '✗'} {what}[/]")
        if answer.status >= 400:
            raise StoryBroken(f"  {answer.status} {answer.code}: {(answer.json or {}).get('detail', '')}")
        given: dict[str, Any] = answer.json or {}
        return given

    def say(self, *lines: str) -> None:
        for line in lines:
            self._console.print(f"    {line}", markup=False, soft_wrap=True)

    def phone_shows(self, person: str, word: str) -> None:
        """Wait for the push that holds this word, and show what else came."""
        self.phones_show([person], word)

    def phones_show(self, people: Iterable[str], word: str) -> None:
        """The same on several phones, in whatever order."""
        waiting, until = set(people), time.monotonic() + _PUSH_SECONDS
        while time.monotonic() < until:
            for message in self._wechat.messages():
                if message["id"] in self._shown:
                    continue
                self._shown.add(message["id"])
                lines = "\n".join(f"{label}　{value}" for label, value in message["lines"])
                title = f"{self.names.get(message['person'], message['person'])}的微信 · {message['title']}"
                self._console.print(Panel(lines, title=title, title_align="left", width=52, border_style="green"))
                if word in message["text"]:
                    waiting.discard(message["person"])
            if not waiting:
                return
            time.sleep(0.1)
        raise StoryBroken(f"  {_PUSH_SECONDS} 秒内没有收到“{word}”的微信消息，请看 make run 的日志。")
