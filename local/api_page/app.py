"""The page, the way through to the API, and the log-in as a demo person."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from typing import Any

import urllib3
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from local.openapi import TARGET
from local.wechat.control import Declined, StandIn

_HERE = Path(__file__).parent
_HEADERS_IN = {"accept", "acting-for", "authorization", "content-type", "idempotency-key"}
_HEADERS_OUT = {"cache-control", "content-type", "location", "retry-after"}
# The browser itself holds the page to what it promises: nothing comes from elsewhere.
_ONLY_FROM_HERE = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"
# Every method, because a wrong one deserves the API's own answer.
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


def create(api_url: str, wechat_url: str, people: Path | None = None) -> Starlette:
    """`people` is a JSON file, `{"people": [{"label", "openid"}]}`; without it everybody with a phone is shown."""
    pages = _Pages(api_url, StandIn(wechat_url), people)
    return Starlette(
        routes=[
            Route("/", pages.page),
            Route("/page.js", pages.script),
            Route("/openapi.json", pages.openapi),
            Route("/demo/people", pages.people),
            Route("/demo/login", pages.log_in, methods=["POST"]),
            Route("/api/{path:path}", pages.through, methods=_METHODS),
            Mount("/viewer", StaticFiles(directory=_viewer())),
        ],
        # A page of somebody else's, open in the same browser, must not log in under another host name.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
    )


def _viewer() -> str:
    # Found by its files and not imported: its code is for FastAPI, of which nothing is used here.
    return str(importlib.metadata.distribution("fastapi-swagger").locate_file("fastapi_swagger/resources"))


class _Pages:
    def __init__(self, api_url: str, wechat: StandIn, people: Path | None) -> None:
        self._api_url = api_url.rstrip("/")
        self._wechat = wechat
        self._people = people
        self._pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=2, read=35))

    async def page(self, request: Request) -> Response:
        return FileResponse(_HERE / "page.html", headers={"Content-Security-Policy": _ONLY_FROM_HERE})

    async def script(self, request: Request) -> Response:
        return FileResponse(_HERE / "page.js")

    async def openapi(self, request: Request) -> Response:
        return FileResponse(TARGET, headers={"Cache-Control": "no-store"})

    async def people(self, request: Request) -> Response:
        try:
            return JSONResponse(await run_in_threadpool(self._demo_people))
        except urllib3.exceptions.HTTPError:
            return _trouble("微信替身没有应答，请看 make run 是否还在运行。")

    def _demo_people(self) -> list[dict[str, str]]:
        """Read each time: the demo may be filled while the page is open."""
        if self._people is None:
            return [{"label": person["name"], "openid": person["openid"]} for person in self._wechat.people()]
        listed: list[dict[str, str]] = json.loads(self._people.read_text("utf-8"))["people"]
        return listed

    async def log_in(self, request: Request) -> Response:
        """Take a code from the person's phone, as wx.login does, and trade it for a session."""
        openid = (await request.json())["openid"]
        try:
            code = await run_in_threadpool(self._login_code, openid)
            body = json.dumps({"code": code}).encode()
            return await self._call("POST", "/login", {"content-type": "application/json"}, body)
        except (Declined, urllib3.exceptions.HTTPError):
            return _trouble("微信替身没有给出登录码，请看 make run 是否还在运行。")

    def _login_code(self, openid: str) -> str:
        ids = {person["openid"]: person["id"] for person in self._wechat.people()}
        return self._wechat.login_code(ids.get(openid, openid))

    async def through(self, request: Request) -> Response:
        # As sent, percent-encoding included: the API is to see what a phone would send.
        sent: str = request.scope["raw_path"].decode("ascii").removeprefix("/api")
        query = request.scope["query_string"].decode("ascii")
        headers = {name: value for name, value in request.headers.items() if name in _HEADERS_IN}
        return await self._call(request.method, f"{sent}?{query}" if query else sent, headers, await request.body())

    async def _call(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Response:
        def call() -> Any:
            return self._pool.request(method, self._api_url + path, headers=headers, body=body or None, redirect=False)

        try:
            answer = await run_in_threadpool(call)
        except urllib3.exceptions.HTTPError:
            return _trouble("后端没有应答，请看 make run 是否还在运行。")
        kept = {name: value for name, value in answer.headers.items() if name.lower() in _HEADERS_OUT}
        return Response(answer.data, answer.status, kept)


def _trouble(detail: str) -> Response:
    problem = {"type": "about:blank", "title": "没有应答", "status": 502, "code": "no_answer", "detail": detail}
    return JSONResponse(problem, 502, media_type="application/problem+json")
