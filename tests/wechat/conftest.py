"""What the tests of WeChat need: settings, a server that answers as scripted, and the stand-in.

Ordinary behaviour is tested against the stand-in (local/wechat); the scripted server is for what a healthy
service never does: web pages, ten megabytes, silence, a cut line.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from chalicelib.wechat import client, settings
from chalicelib.wechat.settings import Options, Secrets

SECRET = "5ecre7" * 5 + "xy"
Answer = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def appid() -> str:
    """An account of its own for every test, so that no test meets the token of another."""
    return f"wx{secrets.token_hex(8)}"


@pytest.fixture
def set_up(appid: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Change the secrets of this slice for one test."""

    def change(**values: str) -> None:
        told = Secrets(**{"wechat_appid": appid, "wechat_secret": SECRET, **values})
        monkeypatch.setattr(settings, "secrets", lambda: told)

    monkeypatch.setattr(settings, "options", Options)
    change()
    return change


class Scripted:
    """Answers each path with what the test put there: JSON, or a function that handles the request by itself.

    A list is answered item by item, its last one for ever."""

    secret = SECRET

    def __init__(self, appid: str) -> None:
        self.appid = appid
        self.answers: dict[str, Any] = {"/cgi-bin/stable_token": {"access_token": "TOKEN-1", "expires_in": 7200}}
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                scripted.connections += 1
                super().setup()

            def do_POST(self) -> None:
                url = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                scripted.bodies.append(body)
                scripted.requests.append((url.path, dict(parse_qsl(url.query)), json.loads(body) if body else None))
                answer = scripted.answers[url.path]
                if isinstance(answer, list):
                    answer = answer.pop(0) if len(answer) > 1 else answer[0]
                if callable(answer):
                    answer(self)
                else:
                    scripted.respond(self, json.dumps(answer).encode())

            do_GET = do_POST

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.base = f"http://127.0.0.1:{self.server.server_port}"

    @staticmethod
    def respond(
        handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, kind: str = "application/json"
    ) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def asked(self, path: str) -> list[tuple[dict[str, str], Any]]:
        return [(query, body) for asked, query, body in self.requests if asked == path]


@pytest.fixture
def scripted(appid: str, set_up: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    scripted = Scripted(appid)
    monkeypatch.setenv("WECHAT_API_BASE", scripted.base)
    scripted.thread.start()
    client._client.cache_clear()
    yield scripted
    client._client.cache_clear()
    scripted.server.shutdown()
    scripted.server.server_close()
