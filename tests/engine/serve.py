"""Runs ministack until the test run that started it is gone, however it went.

The parent holds the other end of stdin; when it ends or is killed, stdin closes. Then this process removes
its folder and ends. Run as `python -P serve.py <folder>` (without -P this folder would hide the
standard library's http) with ministack's settings in the environment.

Served by uvicorn instead of ministack's own hypercorn, whose HTTP parser is written in Python, and without the headers
that only browsers read: a read takes three quarters of the time, and tests make some hundred thousand. `make run`
serves as ministack does.
"""

import os
import shutil
import sys
import threading
import time
from typing import Any

import time_machine

if ahead := os.environ.get("TESTS_AHEAD"):  # see tests/calendar; before ministack looks at the clock
    time_machine.travel(time.time() + float(ahead), tick=True).start()

import uvicorn  # noqa: E402
from ministack.app import app  # noqa: E402

_FOR_BROWSERS = b"access-control-"


def _end_with_parent(folder: str) -> None:
    sys.stdin.buffer.read()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


async def _for_an_sdk(scope: Any, receive: Any, send: Any) -> None:
    async def send_less(event: Any) -> None:
        if event["type"] == "http.response.start":
            event["headers"] = [pair for pair in event["headers"] if not pair[0].lower().startswith(_FOR_BROWSERS)]
        await send(event)

    await app(scope, receive, send_less)


threading.Thread(target=_end_with_parent, args=(sys.argv[1],), daemon=True).start()
uvicorn.run(
    _for_an_sdk,
    host=os.environ["BIND_HOST"],
    port=int(os.environ["GATEWAY_PORT"]),
    log_level="warning",
    access_log=False,
    server_header=False,
    date_header=False,
)
