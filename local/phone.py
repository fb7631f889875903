"""A phone with the mini-program on it: what a client does with the API, for the demo and the story tests."""

from __future__ import annotations

import argparse
import json
import sys
import uuid
from typing import Any

import urllib3

from local.wechat.control import Declined, StandIn


class Answer:
    """What the API answered: `status`, `json` (None for an empty body), `code` of a problem."""

    def __init__(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.status, self.content, self.headers = status, content, headers
        self.json: Any = json.loads(content) if content and "json" in headers.get("content-type", "") else None

    @property
    def code(self) -> str | None:
        return self.json["code"] if self.status >= 400 and self.json else None

    def __repr__(self) -> str:
        return f"<{self.status} {self.content[:300].decode(errors='replace')}>"


class Phone:
    """`person` is the owner's id in the WeChat stand-in. Every POST carries an Idempotency-Key, as a client should."""

    def __init__(self, api_url: str, wechat: StandIn, person: str) -> None:
        self.person = person
        self._api_url = api_url.rstrip("/")
        self._wechat = wechat
        self._pool = urllib3.PoolManager(maxsize=8, retries=False, timeout=urllib3.Timeout(connect=2, read=35))
        self.token: str | None = None
        self.id = ""

    def log_in(self) -> Answer:
        """wx.login, then our login; agrees to the privacy notice when asked."""
        answer = self.post("/login", {"code": self._wechat.login_code(self.person)})
        if answer.status != 200:
            return answer
        self.token, self.id = answer.json["token"], answer.json["resident_id"]
        if answer.json["consent_needed"]:
            version = self.get("/privacy-notice").json["version"]
            answer = self.post("/me/consent", {"version": version})
            self.token = answer.json["token"]
        return answer

    def allow_messages(self, moment: str) -> None:
        """Tap 允许 in wx.requestSubscribeMessage for what this moment asks, and report it."""
        templates = self.get(f"/me/templates?moment={moment}").json["template_ids"]
        if templates:
            self._wechat.subscribe(self.person, accept=templates)
            self.post("/me/credits", {"answers": dict.fromkeys(templates, "accept")})

    def upload(self, form: dict[str, Any], picture: bytes) -> int:
        """wx.uploadFile with a form from the API. Returns S3's status."""
        fields = {**form["fields"], "file": ("photo.jpg", picture, form["fields"]["Content-Type"])}
        return self._pool.request("POST", form["url"], fields=fields).status

    def get(self, path: str, **more: Any) -> Answer:
        return self._call("GET", path, None, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self._call("POST", path, body, **more)

    def put(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self._call("PUT", path, body, **more)

    def delete(self, path: str, **more: Any) -> Answer:
        return self._call("DELETE", path, None, **more)

    def _call(
        self, method: str, path: str, body: Any, *, key: str | None = None, acting_for: str | None = None
    ) -> Answer:
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if method == "POST":
            headers["Idempotency-Key"] = key or uuid.uuid4().hex
        if acting_for:
            headers["Acting-For"] = acting_for
        sent = json.dumps(body, ensure_ascii=False).encode() if body is not None else None
        answer = self._pool.request(method, self._api_url + path, headers=headers, body=sent)
        return Answer(answer.status, answer.data, {name.lower(): value for name, value in answer.headers.items()})


def main() -> int:
    """`python -m local.phone li-ju`: log in as a demo person of a running `make run`, and print the token for curl."""
    parser = argparse.ArgumentParser(prog="make token", description="Log in as a demo person.")
    parser.add_argument("person", nargs="?", default="li-ju")
    parser.add_argument("--port", type=int, default=8092)
    parser.add_argument("--wechat-port", type=int, default=8091)
    asked = parser.parse_args()
    phone = Phone(f"http://127.0.0.1:{asked.port}/api", StandIn(f"http://127.0.0.1:{asked.wechat_port}"), asked.person)
    try:
        answer = phone.log_in()
    except Declined:
        print(f"没有这位演示居民：{asked.person}", file=sys.stderr)
        return 1
    except urllib3.exceptions.HTTPError:
        print("没有找到正在运行的服务，请先在另一个窗口运行 make run。", file=sys.stderr)
        return 1
    if answer.status != 200:
        print(f"{answer.status} {answer.code}: {answer.json and answer.json.get('detail')}", file=sys.stderr)
        return 1
    print(phone.token)
    return 0


if __name__ == "__main__":
    sys.exit(main())
