from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import urllib3
import uvicorn

from local.api_page import app
from local.wechat import server as wechat
from local.wechat.control import StandIn

_pool = urllib3.PoolManager(retries=False)


class Api(BaseHTTPRequestHandler):
    """Stands in for the deployed API: tells what it was asked."""

    def do_POST(self) -> None:  # noqa: N802 - the name http.server calls
        asked = {
            "path": self.path,
            "authorization": self.headers["Authorization"],
            "cookie": self.headers["Cookie"],
            "body": json.loads(self.rfile.read(int(self.headers["Content-Length"]))),
        }
        self.send_response(201)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Retry-After", "3")
        self.end_headers()
        self.wfile.write(json.dumps(asked).encode())

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def served(page: Any) -> Iterator[str]:
    with wechat.listen(0) as listener:
        server = uvicorn.Server(uvicorn.Config(page, ws="none", log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.005)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    with wechat.running() as stand_in:
        stand_in.add_person("liju", "李菊")
        yield stand_in


@pytest.fixture(scope="module")
def page(stand_in: StandIn) -> Iterator[str]:
    api = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=api.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    with served(app.create(f"http://127.0.0.1:{api.server_port}/api/", stand_in.base)) as url:
        yield url
    api.shutdown()
    api.server_close()


def post(url: str, document: Any, **headers: str) -> urllib3.BaseHTTPResponse:
    return _pool.request("POST", url, json=document, headers={"Content-Type": "application/json", **headers})


def test_the_page_and_its_viewer_come_from_this_machine_alone(page: str) -> None:
    shown = _pool.request("GET", f"{page}/")
    assert shown.status == 200
    assert shown.headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert b"://" not in shown.data
    for part in ("/page.js", "/viewer/swagger-ui-bundle.js", "/viewer/swagger-ui.css", "/viewer/favicon-32x32.png"):
        assert _pool.request("GET", page + part).status == 200, part


def test_a_call_goes_to_the_api_as_it_was_sent(page: str) -> None:
    answer = post(f"{page}/api/help-requests/a%2Fb?x=%E5%8F%A3", {"n": 1}, Authorization="Bearer t", Cookie="a=b")
    assert (answer.status, answer.headers["Retry-After"]) == (201, "3")
    assert answer.json() == {
        "path": "/api/help-requests/a%2Fb?x=%E5%8F%A3",
        "authorization": "Bearer t",
        "cookie": None,
        "body": {"n": 1},
    }


def test_logging_in_takes_a_code_from_the_persons_phone(page: str) -> None:
    people = _pool.request("GET", f"{page}/demo/people").json()
    assert [person["label"] for person in people] == ["李菊"]
    asked = post(f"{page}/demo/login", {"openid": people[0]["openid"]}).json()
    assert asked["path"] == "/api/login"
    assert len(asked["body"]["code"]) == 32


def test_the_demo_may_name_whom_to_show(stand_in: StandIn, tmp_path: Path) -> None:
    (tmp_path / "people.json").write_text('{"people": [{"label": "李菊（居民）", "openid": "o1"}]}', "utf-8")
    with served(app.create("http://127.0.0.1:9", stand_in.base, tmp_path / "people.json")) as url:
        assert _pool.request("GET", f"{url}/demo/people").json() == [{"label": "李菊（居民）", "openid": "o1"}]


def test_a_backend_that_is_not_there_is_told_in_chinese(stand_in: StandIn) -> None:
    with served(app.create("http://127.0.0.1:9", stand_in.base)) as url:
        answer = post(f"{url}/api/login", {})
    assert answer.status == 502
    assert "后端没有应答" in answer.json()["detail"]


def test_another_host_name_is_refused(page: str) -> None:
    assert post(f"{page}/demo/login", {}, Host="evil.example").status == 400
