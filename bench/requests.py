"""What our own code adds to a request: CPU of the whole app against a bare handler making the same AWS calls.

    python -m bench.requests [--seconds 2] [--api-url URL --wechat-url URL]

Each act is done once against the local AWS, where its calls and their answers are written down. Then the app
and a bare handler (boto3 as anybody would use it, JSON out) do it again and again in process against a server
that repeats those answers, and their CPU time is compared. A warm container: settings and revoked sessions are in
memory, as in all but one request a minute, and so is the product that is redeemed. Acts with words in them are
left out, for they also call WeChat.

With the addresses of a running stage (`make run` says them), requests per second over HTTP are counted too.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.engine import local_aws, wire

# Before anything of chalicelib is imported, as in tests/conftest.py.
for _name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[_name]
os.environ.update(local_aws.ENVIRONMENT, SETTINGS_TTL_SECONDS="3600")
wire.watch_all()

import boto3  # noqa: E402
import urllib3  # noqa: E402
from botocore import xform_name  # noqa: E402
from botocore.httpsession import URLLib3Session  # noqa: E402

from chalicelib.areas import service as areas  # noqa: E402
from chalicelib.mall import products  # noqa: E402
from local import district  # noqa: E402
from local.wechat import server as wechat  # noqa: E402
from local.wechat.control import StandIn  # noqa: E402
from tests.engine.http import Http  # noqa: E402
from tests.mall import shop  # noqa: E402

ROOT = Path(__file__).parent.parent
AIM = 1.5
_PLACES = [("330402", "南湖区"), ("330402001", "建设街道"), ("330402001001", "杨柳湾社区")]
_HOME = "330402001001"
_WISH = {
    "what": "goods",
    "title": "需要几个口罩",
    "text": "准备返岗，家里没有口罩了，需要几个。",
    "quantity": 5,
    "unit": "个",
    "drop_point": "desk",
}
_ONCE = 20  # requests in one measurement; app and bare handler take turns

Handler = Callable[[dict[str, Any], Any], Any]


class Recorder(wire.Watcher):
    """The calls of one act, with what AWS answered."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.answers: list[bytes] = []

    def parameters(self, service: str, operation: str, parameters: dict[str, Any]) -> None:
        self.calls.append((service, xform_name(operation), parameters))

    def answered(self, answer: Any) -> None:
        head = [f"HTTP/1.1 {answer.status_code} Said"]
        head += [
            f"{name}: {value}"
            for name, value in answer.headers.items()
            if name.lower().startswith(("x-", "content-type"))
        ]
        head += [f"Content-Length: {len(answer.content)}", "", ""]
        self.answers.append("\r\n".join(head).encode() + answer.content)


class Kept:
    """The app, and the last event it was given."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.event: dict[str, Any] = {}
        self.context: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.app, name)

    def __call__(self, event: dict[str, Any], context: Any) -> Any:
        self.event, self.context = event, context
        return self.app(event, context)


@contextmanager
def recording() -> Iterator[Recorder]:
    recorder, send = Recorder(), URLLib3Session.send

    def sent(self: URLLib3Session, request: Any) -> Any:
        answer = send(self, request)
        recorder.answered(answer)
        return answer

    with wire.watched(recorder), patch.object(URLLib3Session, "send", sent):
        yield recorder


@contextmanager
def replaying(answers: list[bytes]) -> Iterator[None]:
    """All AWS calls of this process go to a server that repeats these answers."""
    server = subprocess.Popen(
        [sys.executable, "-m", "bench.replay"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdin
    assert server.stdout
    print(json.dumps([base64.b64encode(answer).decode() for answer in answers]), file=server.stdin, flush=True)
    url, send = f"http://127.0.0.1:{server.stdout.readline().strip()}", URLLib3Session.send

    def redirected(self: URLLib3Session, request: Any) -> Any:
        request.url = url + request.url.removeprefix(local_aws.URL)
        return send(self, request)

    try:
        with patch.object(URLLib3Session, "send", redirected):
            yield
    finally:
        server.stdin.close()
        server.wait(5)


def bare_handler(calls: list[tuple[str, str, dict[str, Any]]]) -> Handler:
    clients = {service: boto3.client(service) for service, _, _ in calls}

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        answers = [getattr(clients[service], operation)(**parameters) for service, operation, parameters in calls]
        return {"statusCode": 200, "body": json.dumps(answers, default=str, ensure_ascii=False)}

    return handler


def compare(app: Handler, bare: Handler, event: dict[str, Any], context: Any, seconds: float) -> tuple[float, float]:
    """Milliseconds of CPU for one request: the app's and the bare handler's, the least of many turns each."""
    took: dict[Handler, list[float]] = {app: [], bare: []}
    until = time.monotonic() + seconds
    while time.monotonic() < until or len(took[bare]) < 3:
        for handler in (app, bare):
            began = time.process_time()
            for _ in range(_ONCE):
                handler(event, context)
            took[handler].append((time.process_time() - began) / _ONCE * 1000)
    return min(took[app]), min(took[bare])


@contextmanager
def silent() -> Iterator[None]:
    """What is logged is written, as in Lambda, but nobody wants to read it here."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def neighbours(http: Http, phones: StandIn) -> tuple[str, str, str]:
    """A community with twenty open requests: the token of one who asked, of one who helps, and a request."""
    for code, name in _PLACES:
        areas.put(code, name, [("desk", "社区服务台")] if code == _HOME else [])
    askers = [_moved_in(http, phones, f"neighbour{number}") for number in range(10)]
    asked = [http.post("/help-requests", json=_WISH, token=token).json["id"] for token in askers for _ in range(2)]
    return askers[0], _moved_in(http, phones, "helper"), asked[0]


def masks_in_the_mall(http: Http, token: str) -> str:
    """A product, and points enough for it for the one whose token this is. Returns its id."""
    product = shop.product_id()
    desks = [{"area": _HOME, "place": "desk"}]
    terms = {"name": "口罩", "unit": "只", "price": shop.PRICE, "area": _PLACES[0][0], "desks": desks}
    shop.done(command="put_product", product=product, **terms)
    shop.done(command="restock", product=product, quantity=100, receipt="first")
    shop.give_points(http.get("/me", token=token).json["id"], 100)
    products.known(product)
    return product


def _moved_in(http: Http, phones: StandIn, person: str) -> str:
    phones.add_person(person, "邻居")
    token = http.post("/login", json={"code": phones.login_code(person)}).json["token"]
    version = http.get("/privacy-notice").json["version"]
    consented: str = http.post("/me/consent", json={"version": version}, token=token).json["token"]
    http.put("/me/residence", json={"area": _HOME}, token=consented)
    return consented


def in_process(seconds: float) -> None:
    import app

    with local_aws.running(), wechat.running() as phones:
        os.environ["WECHAT_API_BASE"] = phones.base
        kept = Kept(app.app)
        http = Http(kept)
        with silent():
            asker, helper, request_id = neighbours(http, phones)
            product = masks_in_the_mall(http, helper)
        acts: list[tuple[str, str, dict[str, Any]]] = [
            ("GET", f"/help-requests?area={_HOME}", {"token": helper}),
            ("GET", f"/help-requests/{request_id}", {"token": helper}),
            ("GET", "/help-requests/mine", {"token": asker}),
            ("POST", f"/help-requests/{request_id}/offers", {"token": helper, "json": {"quantity": 1}}),
            (
                "POST",
                f"/products/{product}/redemptions",
                {"token": helper, "json": {"quantity": 1, "price": shop.PRICE}},
            ),
            ("GET", "/inbox", {"token": asker}),
            ("GET", "/inbox/unread", {"token": asker}),
        ]
        print(f"{'act':<44}{'AWS calls':>10}{'app ms':>9}{'bare ms':>9}{'ratio':>7}   aim")
        for method, path, more in acts:
            with silent(), patch.object(products, "_KEPT_FOR", 3600.0):
                with recording() as seen:
                    answer = http.call(method, path, **more)
                bare = bare_handler(seen.calls)
                with replaying(seen.answers):
                    ours, theirs = compare(kept.app, bare, kept.event, kept.context, seconds)
            name = f"{method} {path.replace(request_id, '…').replace(product, '…').partition('?')[0]} {answer.status}"
            aim = f"≤ {AIM} {'met' if ours / theirs <= AIM else 'missed'}"
            print(f"{name:<44}{len(seen.calls):>10}{ours:>9.2f}{theirs:>9.2f}{ours / theirs:>7.2f}   {aim}")


def over_http(api_url: str, wechat_url: str, seconds: float) -> None:
    """Requests per second that a running stage answers to eight people at once.

    Refused are those beyond the stage's throttle (RequestsPerSecond), which local stages have too."""
    pool, phones = urllib3.PoolManager(maxsize=8, retries=False), StandIn(wechat_url)
    api = api_url.rstrip("/")

    def ask(method: str, path: str, token: str | None = None, document: Any = None) -> Any:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        return pool.request(method, api + path, headers=headers, body=json.dumps(document) if document else None)

    code = phones.login_code(phones.people()[0]["id"])
    token = ask("POST", "/login", None, {"code": code}).json()["token"]
    notice = ask("GET", "/privacy-notice").json()
    token = ask("POST", "/me/consent", token, {"version": notice["version"]}).json()["token"]
    print(f"\n{'over HTTP, eight at once':<44}{'requests/s':>12}{'refused':>9}")
    for path in ("/privacy-notice", "/inbox/unread", "/inbox", f"/help-requests?area={district.COMMUNITY}"):

        def look(path: str = path) -> int:
            status: int = ask("GET", path, token).status
            return status

        crowd(look, 1)  # the first of each may be a cold start
        answered = crowd(look, seconds)
        refused = sum(status >= 400 for status in answered)
        print(f"GET {path:<40}{(len(answered) - refused) / seconds:>12.0f}{refused:>9}")


def crowd(look: Callable[[], int], seconds: float) -> list[int]:
    """What eight people are answered who look again and again."""
    answered: list[int] = []
    until = time.monotonic() + seconds

    def one_person() -> None:
        while time.monotonic() < until:
            answered.append(look())

    people = [threading.Thread(target=one_person) for _ in range(8)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    return answered


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.requests", description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=2, help="for each act")
    parser.add_argument("--api-url", help="a running stage; its requests per second are counted too")
    parser.add_argument("--wechat-url", help="the WeChat stand-in of that stage")
    asked = parser.parse_args()
    if bool(asked.api_url) != bool(asked.wechat_url):
        parser.error("--api-url and --wechat-url go together")
    in_process(asked.seconds)
    if asked.api_url:
        over_http(asked.api_url, asked.wechat_url, asked.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
