"""`make run`: the whole product on this machine, until Ctrl-C.

What it holds lives in .local/run and is there again at the next start; `make clean` forgets it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.status import Status

from local import demo, district
from local.packaging import ROOT, PackagingFailed
from local.stack import Stack, StackFailed, port_is_free

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Steps:
    """Says what is being done now and how long it took: a spinner on a terminal, lines elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._doing: tuple[str, float, Status] | None = None

    def begin(self, what: str) -> None:
        self.done()
        status = self._console.status(f"{what} …")
        status.start()
        self._doing = what, time.monotonic(), status

    def done(self, mark: str = "[green]✓[/]") -> None:
        if self._doing is None:
            return
        what, since, status = self._doing
        status.stop()
        self._console.print(f"{mark} {what} [dim]{time.monotonic() - since:.1f} s[/]")
        self._doing = None


def main() -> int:
    state, asked = _arguments()
    console = Console(highlight=False)
    for name, port in asked.items():
        if not port_is_free(port):
            console.print(
                f"端口 {port} 被占用：先停掉占用它的程序，或 make run {name}={port + 1000} · "
                f"Port {port} is in use: stop that program (another make run?), or make run {name}={port + 1000}",
                markup=False,
                soft_wrap=True,
            )
            return 1
    for number in _STOP_SIGNALS:
        signal.signal(number, _stop)
    steps = _Steps(console)
    stack = Stack(
        state,
        port=asked["AWS_PORT"],
        wechat_port=asked["WECHAT_PORT"],
        keep=True,
        settings={"notices": district.notice_settings()},
        say=steps.begin,
    )
    status = 0
    try:
        _run(stack, asked["PORT"], steps, console)
    except _Stopped:
        pass
    except (PackagingFailed, StackFailed) as failed:
        steps.done("[red]✗[/]")
        console.print(str(failed), markup=False)
        status = 1
    finally:
        # From here on a second Ctrl-C must not leave half of it running.
        for number in _STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        steps.begin("正在保存并停止 Saving and stopping")
        stack.stop()
        steps.done()
    return status


def _run(stack: Stack, page_port: int, steps: _Steps, console: Console) -> None:
    stack.start()
    steps.done()
    if stack.lost:
        console.print(f"[yellow]![/] {stack.lost}", soft_wrap=True)
    people = _fill(stack, steps, console)
    steps.begin("Starting the page with the API")
    page_url = f"http://127.0.0.1:{page_port}"
    # Where a statement of hours says that it can be checked: an address that opens in a browser here.
    stack.put_setting("volunteers", {"check_address": f"{page_url}/api"})
    stack.start_beside(
        "local.api_page",
        ["--port", str(page_port), "--api-url", stack.api_url, "--wechat-url", stack.wechat_url]
        + ["--people", str(people)],
        answers_at=f"{page_url}/",
    )
    steps.done()
    who = "　".join(f"{name} {phone_id}" for phone_id, name, *_ in district.PEOPLE)
    console.print(
        f"""
[bold]微嘉园已在本机运行 · Weijiayuan runs on this machine[/]

  接口 API          {page_url}/api/    （本地 AWS 上的原始地址：{stack.api_url}）
  接口说明 API page {page_url}/        选一位演示居民登录，就可以直接试用
  登录 Log in       TOKEN=$(make -s token PERSON=li-ju)，再 curl -H "Authorization: Bearer $TOKEN" {page_url}/api/me
                    {who}
  手机 Phones       {stack.wechat_url}/        每个人的微信收到了什么
  演示 Demo         make demo         李菊求口罩、陈彩明送到；陈建君守小门
  命令行 AWS CLI    AWS_ENDPOINT_URL={stack.aws_url} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1

按 Ctrl-C 停止，数据会保留；make clean 清空。 Ctrl-C stops and keeps the data; make clean forgets it.
""",
        soft_wrap=True,
    )
    while not (ended := stack.ended()):
        time.sleep(1)
    raise StackFailed(f"{ended} ended by itself. Its log is in {os.path.relpath(stack.state)}/")


def _fill(stack: Stack, steps: _Steps, console: Console) -> Path:
    """The demo district as it should be, whatever became of it."""
    listed = stack.kept / demo.LISTED
    missing = demo.missing(stack)
    if not missing:
        return listed
    if listed.exists():
        lost = f"演示数据不全（{'、'.join(missing)}），重新填入。 The demo district is not whole: filling it again."
        console.print(f"[yellow]![/] {lost}", soft_wrap=True)
    steps.begin("Filling the demo district")
    return demo.fill(stack)


class _Stopped(BaseException):
    """Ctrl-C, a kill, or a closed terminal: all mean the same."""


def _stop(*_: object) -> None:
    raise _Stopped


def _arguments() -> tuple[Path, dict[str, int]]:
    parser = argparse.ArgumentParser(prog="make run", description="The whole product on this machine.")
    parser.add_argument("--state", type=Path, default=ROOT / ".local" / "run")
    ports = {"PORT": 8092, "AWS_PORT": 4566, "WECHAT_PORT": 8091}
    for name, port in ports.items():
        parser.add_argument(f"--{name.lower().replace('_', '-')}", type=int, default=port)
    asked = vars(parser.parse_args())
    return asked["state"], {name: asked[name.lower()] for name in ports}


if __name__ == "__main__":
    sys.exit(main())
