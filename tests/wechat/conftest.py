"""What the tests of WeChat need: settings, a table for the shared token, and a server that answers as scripted.

Ordinary behaviour is tested against the stand-in (local/wechat); the scripted server is for what a healthy
service never does: web pages, ten megabytes, silence, a cut line.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import URLError
from urllib.parse import parse_qsl, urlsplit
from urllib.request import urlopen

import botocore.session
import pytest

from chalicelib.kit.table import Item
from chalicelib.wechat import client, settings
from chalicelib.wechat.models import AccessToken
from chalicelib.wechat.settings import Options, Secrets

APPID, SECRET = "wx1234567890abcdef", "5ecre7" * 5 + "xy"
Answer = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def set_up(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Change the secrets of this slice for one test."""

    def change(**values: str) -> None:
        secrets = Secrets(**{"wechat_appid": APPID, "wechat_secret": SECRET, **values})
        monkeypatch.setattr(settings, "secrets", lambda: secrets)

    monkeypatch.setattr(settings, "options", Options)
    change()
    return change


class Scripted:
    """Answers each path with what the test put there: JSON, or a function that handles the request by itself.

    A list is answered item by item, its last one for ever."""

    def __init__(self) -> None:
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

    appid, secret = APPID, SECRET

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
def scripted(set_up: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    scripted = Scripted()
    monkeypatch.setenv("WECHAT_API_BASE", scripted.base)
    scripted.thread.start()
    client._client.cache_clear()
    yield scripted
    client._client.cache_clear()
    scripted.server.shutdown()
    scripted.server.server_close()


@pytest.fixture(scope="session")
def dynamodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A DynamoDB of its own with the table's keys, for as long as these tests run."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    patch = pytest.MonkeyPatch()
    for name, value in {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        patch.setenv(name, value)
    room = tmp_path_factory.mktemp("dynamodb")
    ministack = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "SERVICES": "dynamodb",
        "IOT_MTLS_ENABLED": "0",
        "S3_DATA_DIR": str(room),
        "TMPDIR": str(room),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "ministack"],
        env={**os.environ, **ministack},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(f"{address}/_ministack/health", process)
        keys = {"PK": "HASH", "SK": "RANGE"}
        botocore.session.get_session().create_client("dynamodb").create_table(
            TableName=Item.Meta.table_name,
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        yield address
    finally:
        process.terminate()
        process.wait(10)
        patch.undo()


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        try:
            urlopen(address, timeout=1).close()
            return
        except (URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError("the local DynamoDB did not start")


@pytest.fixture
def shared_token(dynamodb: str) -> Iterator[None]:
    """The table without a token, before and after."""
    AccessToken._connection = None
    AccessToken(*AccessToken.keys(APPID)).delete()
    yield
    AccessToken(*AccessToken.keys(APPID)).delete()
    AccessToken._connection = None
