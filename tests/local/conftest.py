"""A running stand-in, our server's side of it, and a client that speaks to WeChat's endpoints."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import urllib3

from local.wechat import catalogue
from local.wechat.control import StandIn
from local.wechat.server import running

DATA = Path(__file__).parent.parent / "data"


@dataclass
class Received:
    query: dict[str, str]
    body: str
    content_type: str


@dataclass
class OurServer:
    """Stands where our backend is: takes events at /callback and serves pictures at any other path."""

    base: str = ""
    received: list[Received] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)
    answer: Callable[[], str] = lambda: "success"

    @property
    def callback_url(self) -> str:
        return f"{self.base}/callback"

    def wait_for(self, count: int) -> list[Received]:
        deadline = time.monotonic() + 5
        while len(self.received) < count and time.monotonic() < deadline:
            time.sleep(0.005)
        assert len(self.received) >= count, f"{len(self.received)} of {count} events came"
        return self.received


class Api:
    """WeChat as our client sees it. Every call returns the decoded JSON."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.pool = urllib3.PoolManager(retries=False)
        self._token = ""

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        return json.loads(self.pool.request("GET", f"{self.base}{path}?{urlencode(query)}").data)

    def post(self, path: str, body: Any = None, *, token: str | None = None, **more: Any) -> dict[str, Any]:
        return json.loads(self.raw_post(path, {**(body or {}), **more}, token=token).data)

    def raw_post(self, path: str, body: Any, *, token: str | None = None) -> urllib3.BaseHTTPResponse:
        content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        return self.pool.request(
            "POST", f"{self.base}{path}?access_token={self.token if token is None else token}", body=content
        )

    @property
    def token(self) -> str:
        if not self._token:
            self._token = self.fetch_token()
        return self._token

    def fetch_token(self, appid: str = catalogue.APPID, secret: str = catalogue.SECRET, **more: Any) -> str:
        body = {"grant_type": "client_credential", "appid": appid, "secret": secret, **more}
        return self.post("/cgi-bin/stable_token", body, token="")["access_token"]

    def service_token(self) -> str:
        return self.fetch_token(catalogue.SERVICE_APPID, catalogue.SERVICE_SECRET)

    def log_in(self, code: str, **changed: str) -> dict[str, Any]:
        query = {
            "appid": catalogue.APPID,
            "secret": catalogue.SECRET,
            "js_code": code,
            "grant_type": "authorization_code",
        }
        return self.get("/sns/jscode2session", **(query | changed))


@pytest.fixture(scope="session")
def _our_server() -> Iterator[OurServer]:
    ours = OurServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query))
            if parts.path == "/callback":
                self._answer(200, query.get("echostr", "").encode())
            elif parts.path in ours.pictures:
                self._answer(200, ours.pictures[parts.path])
            else:
                self._answer(404, b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            query = dict(parse_qsl(urlsplit(self.path).query))
            ours.received.append(Received(query, body, self.headers["Content-Type"]))
            self._answer(200, ours.answer().encode())

        def _answer(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        ours.base = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield ours
        server.shutdown()


@pytest.fixture
def our_server(_our_server: OurServer) -> OurServer:
    _our_server.received.clear()
    _our_server.pictures.clear()
    _our_server.answer = lambda: "success"
    return _our_server


@pytest.fixture(scope="session")
def _stand_in() -> Iterator[StandIn]:
    with running() as stand_in:
        yield stand_in


@pytest.fixture
def stand_in(_stand_in: StandIn, our_server: OurServer) -> StandIn:
    """Empty, knowing our callback, and faster than WeChat."""
    _stand_in.reset()
    _stand_in.settings(
        callback_url=our_server.callback_url,
        push_timeout_seconds=0.5,
        push_retry_pause_seconds=0.01,
        media_delay_seconds=0.01,
    )
    return _stand_in


@pytest.fixture
def api(stand_in: StandIn) -> Api:
    return Api(stand_in.base)


@pytest.fixture
def li_ju(stand_in: StandIn) -> dict[str, Any]:
    """She has just opened the mini-program."""
    stand_in.add_person("li_ju", "李菊", phone="13800000001")
    stand_in.open("li_ju")
    return stand_in.person("li_ju")


@pytest.fixture
def vectors() -> dict[str, Any]:
    return json.loads((DATA / "wechat_push_vectors.json").read_text("utf-8"))
