"""Running it: in a process of its own, or inside a test on a free port. 127.0.0.1 only."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from . import app
from .control import StandIn

HOST = "127.0.0.1"
STARTING_SECONDS = 10
# A request made slow on purpose must not keep the stand-in from stopping.
GOODBYE_SECONDS = 2


class CuttableProtocol(H11Protocol):
    """Lets the app cut the connection, which ASGI has no word for."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        served = self.app

        async def with_scissors(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})["stand_in.cut"] = lambda: self.transport.abort()
            await served(scope, receive, send)

        self.app = with_scissors


def listen(port: int) -> socket.socket:
    """A busy port raises OSError here, before anything else has started."""
    # Named as TCP, because asyncio sets TCP_NODELAY only then; without it every answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def make_server(callback_url: str | None, state_file: Path | None) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app.create(callback_url, state_file),
            http=CuttableProtocol,
            ws="none",
            lifespan="on",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GOODBYE_SECONDS,
        )
    )


@contextmanager
def running(callback_url: str | None = None, *, port: int = 0, state_file: Path | None = None) -> Iterator[StandIn]:
    """The stand-in on a thread of this process, on a free port unless one is given."""
    with listen(port) as listener:
        server = make_server(callback_url, state_file)
        thread = threading.Thread(target=server.run, args=([listener],), name="wechat-stand-in", daemon=True)
        thread.start()
        try:
            deadline = time.monotonic() + STARTING_SECONDS
            while not server.started:
                if not thread.is_alive() or time.monotonic() > deadline:
                    raise RuntimeError("the WeChat stand-in did not start")
                time.sleep(0.005)
            yield StandIn(f"http://{HOST}:{listener.getsockname()[1]}")
        finally:
            server.should_exit = True
            thread.join()
