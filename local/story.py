"""`make demo`: the story of the masks, played over HTTP against a running `make run`.

李菊 needs masks to go back to work, 陈彩明 sees it and leaves five at the community office, 李菊 fetches them.
Each step is printed, and each WeChat message as it looks on the phone.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import urllib3
from rich.console import Console
from rich.panel import Panel

from local import district
from local.phone import Answer, Phone
from local.wechat.control import StandIn

MASKS = {
    "what": "goods",
    "title": "急需口罩",
    "text": "明天要回厂上班，家里没有口罩了，急需五只。",
    "quantity": 5,
    "unit": "只",
    "urgency": "urgent",
    "drop_point": "office",
}
_PUSH_SECONDS = 30


class StoryBroken(Exception):
    """Told as it is, without a traceback."""


class Story:
    def __init__(self, api_url: str, wechat: StandIn, console: Console) -> None:
        self._wechat, self._console = wechat, console
        self._shown = {message["id"] for message in wechat.messages()}
        self._names = {phone_id: name for phone_id, name, *_ in district.PEOPLE}
        self.li_ju, self.chen = (Phone(api_url, wechat, person) for person in ("li-ju", "chen-caiming"))

    def play(self) -> None:
        li_ju, chen = self.li_ju, self.chen
        self._step("李菊、陈彩明打开小程序登录", li_ju.log_in(), chen.log_in())
        li_ju.allow_messages("ask_for_help")
        asked = self._step("李菊发求助：急需口罩 5 只；微信检查过文字", li_ju.post("/help-requests", MASKS))
        request = f"/help-requests/{asked['id']}"

        nearby = self._step("陈彩明看本社区的求助", chen.get(f"/help-requests?area={district.COMMUNITY}"))
        self._say(
            *(
                f"· {line['title']}　还差 {line['quantity'] - line['offered']} {line['unit']}"
                for line in nearby["items"]
            )
        )
        chen.allow_messages("offer_help")
        offered = self._step(
            "陈彩明认领 5 只：“我家有，放到居委会，您自己来拿。”",
            chen.post(f"{request}/offers", {"quantity": 5, "message": "我家有，放到居委会，您自己来拿。"}),
        )
        self._phone_shows("li-ju", "有人帮忙")

        offer = f"{request}/offers/{offered['id']}"
        self._step("李菊留言", li_ju.post(f"{offer}/messages", {"text": "太感谢了！我下班就去拿。"}))
        li_ju.allow_messages("ask_for_help")
        chen.allow_messages("offer_help")
        self._step("陈彩明把口罩放到社区居委会", chen.post(f"{offer}/drop-off"))
        self._phone_shows("li-ju", "已送达")
        seen = self._step("李菊打开求助，看到取件码", li_ju.get(request))
        self._say(f"取件码 {seen['offers'][0]['code']}（只有李菊看得到）")

        self._step("李菊取到口罩", li_ju.post(f"{offer}/collect"))
        self._phone_shows("chen-caiming", "已领取")
        self._step("李菊感谢：“谢谢你，帮了大忙！”", li_ju.post(f"{offer}/thanks", {"text": "谢谢你，帮了大忙！"}))
        self._step("李菊确认收到，求助完成", li_ju.post(f"{request}/confirm"))
        mine = self._step("陈彩明看积分：帮助邻居得了分", chen.get("/me/points"))
        self._say(f"现有积分 {mine['balance']} 分")
        for phone in (li_ju, chen):
            inbox = self._step(f"{self._names[phone.person]}的消息盒子", phone.get("/inbox"))
            self._say(*(f"· {notice['title']}　{notice['text']}" for notice in inbox["items"][:6]))

    def _step(self, what: str, *answers: Answer) -> dict[str, Any]:
        answer = next((answer for answer in answers if answer.status >= 400), answers[-1])
        self._console.print(f"[bold]{'✓' if answer.status < 400 else '✗'} {what}[/]")
        if answer.status >= 400:
            raise StoryBroken(f"  {answer.status} {answer.code}: {(answer.json or {}).get('detail', '')}")
        given: dict[str, Any] = answer.json or {}
        return given

    def _say(self, *lines: str) -> None:
        for line in lines:
            self._console.print(f"    {line}", markup=False, soft_wrap=True)

    def _phone_shows(self, person: str, word: str) -> None:
        """Wait for the push that holds this word, and show what else came."""
        until = time.monotonic() + _PUSH_SECONDS
        while time.monotonic() < until:
            new = [message for message in self._wechat.messages() if message["id"] not in self._shown]
            for message in new:
                self._shown.add(message["id"])
                lines = "\n".join(f"{label}　{value}" for label, value in message["lines"])
                title = f"{self._names.get(message['person'], message['person'])}的微信 · {message['title']}"
                self._console.print(Panel(lines, title=title, title_align="left", width=52, border_style="green"))
            if any(message["person"] == person and word in message["text"] for message in new):
                return
            time.sleep(0.1)
        raise StoryBroken(f"  {_PUSH_SECONDS} 秒内没有收到“{word}”的微信消息，请看 make run 的日志。")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--port", type=int, default=8092)
    parser.add_argument("--wechat-port", type=int, default=8091)
    asked = parser.parse_args()
    console = Console(highlight=False)
    try:
        Story(f"http://127.0.0.1:{asked.port}/api", StandIn(f"http://127.0.0.1:{asked.wechat_port}"), console).play()
    except StoryBroken as broken:
        console.print(str(broken), markup=False, style="red")
        return 1
    except urllib3.exceptions.HTTPError:
        console.print(
            "没有找到正在运行的服务，请先在另一个窗口运行 make run。 Start `make run` in another window first."
        )
        return 1
    console.print("\n[bold green]故事讲完了。[/]")
    return 0


if __name__ == "__main__":
    sys.exit(main())
