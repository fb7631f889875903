"""HTTP in and out: WeChat's endpoints as api.weixin.qq.com answers them, and the stand-in's own pages."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from . import content, control_routes, limits, messages, page, people, qr, tokens
from .catalogue import APPID, SERVICE_APPID
from .errors import WeChatError
from .postman import Postman
from .world import World

LARGEST_BODY = 1024 * 1024
BLANK_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"

Answer = dict[str, object] | Response
Act = Callable[[World, Request], Awaitable[Answer]]


class NoAnswer(Response):
    """The connection is cut without a byte. The server puts the scissors into the scope."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["extensions"]["stand_in.cut"]()
        while (await receive())["type"] != "http.disconnect":
            pass


async def read_object(request: Request) -> dict[str, Any]:
    """The JSON object of the body. WeChat answers 47001 to anything else, whatever the content type."""
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > LARGEST_BODY:
            raise WeChatError(45002)
    if not raw:
        raise WeChatError(44002)
    try:
        body = json.loads(raw.decode())
        json.dumps(body, ensure_ascii=False).encode()  # an escaped lone surrogate is no text
    except (ValueError, RecursionError):
        raise WeChatError(47001) from None
    if not isinstance(body, dict):
        raise WeChatError(47001)
    return body


def endpoint(path: str, method: str, act: Act, *, token_of: str | None) -> Route:
    """One endpoint of WeChat: switches first, then quota, token and act; every refusal is HTTP 200."""

    async def answer(request: Request) -> Response:
        world: World = request.app.state.world
        cut_after = False
        for fault in limits.take_faults(world, path):
            match fault.kind:
                case "slow":
                    await asyncio.sleep(fault.seconds)
                case "drop_answer":
                    cut_after = True
                case _:
                    limits.log_call(world, path, fault.kind)
                    return _broken(world, fault.kind, fault.errcode, fault.body)
        response = await _obey(world, request)
        request.app.state.postman.wake()
        return NoAnswer() if cut_after else response

    async def _obey(world: World, request: Request) -> Response:
        try:
            if request.method != method:
                raise WeChatError(43001 if method == "GET" else 43002)
            if token_of is not None:
                tokens.require_token(world, request.query_params.get("access_token", ""), appid=token_of)
            limits.count_call(world, path)
            result = await act(world, request)
        except WeChatError as refusal:
            limits.log_call(world, path, str(refusal.errcode))
            return JSONResponse(refusal.answer(world.now()))
        limits.log_call(world, path, "ok")
        return result if isinstance(result, Response) else JSONResponse(result)

    return Route(path, answer, methods=["GET", "POST"])


def _broken(world: World, kind: str, errcode: int, body: str) -> Response:
    match kind:
        case "down":
            return NoAnswer()
        case "bad_gateway":
            return HTMLResponse(BLANK_PAGE, status_code=502)
        case "html":
            return HTMLResponse(BLANK_PAGE)
        case "body":
            return Response(body, media_type="application/json")
        case _:
            return JSONResponse(WeChatError(errcode).answer(world.now()))


def _posted(act: Callable[[World, dict[str, Any]], dict[str, object]]) -> Act:
    async def run(world: World, request: Request) -> Answer:
        return act(world, await read_object(request))

    return run


async def _code2session(world: World, request: Request) -> Answer:
    asked = request.query_params
    return people.code2session(
        world,
        appid=asked.get("appid", ""),
        secret=asked.get("secret", ""),
        js_code=asked.get("js_code", ""),
        grant_type=asked.get("grant_type", ""),
    )


async def _plain_token(world: World, request: Request) -> Answer:
    asked = request.query_params
    return tokens.plain_token(
        world,
        appid=asked.get("appid", ""),
        secret=asked.get("secret", ""),
        grant_type=asked.get("grant_type", ""),
    )


async def _check_session(world: World, request: Request) -> Answer:
    asked = request.query_params
    return people.check_session(
        world,
        openid=asked.get("openid", ""),
        signature=asked.get("signature", ""),
        sig_method=asked.get("sig_method", ""),
    )


async def _send_subscribe(world: World, request: Request) -> Answer:
    return await messages.send_subscribe(world, await read_object(request))


async def _code_picture(world: World, request: Request) -> Answer:
    return Response(qr.code_picture(world, await read_object(request)), media_type="image/png")


async def _templates(world: World, request: Request) -> Answer:
    return messages.list_templates()


async def _service_templates(world: World, request: Request) -> Answer:
    return messages.list_service_templates()


async def _followers(world: World, request: Request) -> Answer:
    return people.followers(world, request.query_params.get("next_openid", ""))


async def _follower_info(world: World, request: Request) -> Answer:
    return people.follower_info(world, request.query_params.get("openid", ""))


async def _withdrawn(world: World, request: Request) -> Answer:
    raise WeChatError(45109)


WECHAT = [
    endpoint("/sns/jscode2session", "GET", _code2session, token_of=None),
    endpoint("/cgi-bin/stable_token", "POST", _posted(tokens.stable_token), token_of=None),
    endpoint("/cgi-bin/token", "GET", _plain_token, token_of=None),
    endpoint("/cgi-bin/message/subscribe/send", "POST", _send_subscribe, token_of=APPID),
    endpoint("/cgi-bin/message/wxopen/template/uniform_send", "POST", _withdrawn, token_of=APPID),
    endpoint("/wxa/msg_sec_check", "POST", _posted(content.check_text), token_of=APPID),
    endpoint("/wxa/media_check_async", "POST", _posted(content.ask_about_media), token_of=APPID),
    endpoint("/wxa/business/getuserphonenumber", "POST", _posted(people.phone_number), token_of=APPID),
    endpoint("/wxa/getwxacodeunlimit", "POST", _code_picture, token_of=APPID),
    endpoint("/wxa/checksession", "GET", _check_session, token_of=APPID),
    endpoint("/wxa/getuserriskrank", "POST", _posted(people.risk_rank), token_of=APPID),
    endpoint("/wxaapi/newtmpl/gettemplate", "GET", _templates, token_of=APPID),
    endpoint("/cgi-bin/message/template/send", "POST", _posted(messages.send_template), token_of=SERVICE_APPID),
    endpoint("/cgi-bin/template/get_all_private_template", "GET", _service_templates, token_of=SERVICE_APPID),
    endpoint("/cgi-bin/user/get", "GET", _followers, token_of=SERVICE_APPID),
    endpoint("/cgi-bin/user/info", "GET", _follower_info, token_of=SERVICE_APPID),
    endpoint("/cgi-bin/user/info/batchget", "POST", _posted(people.followers_info), token_of=SERVICE_APPID),
]


async def _phones(request: Request) -> Response:
    return HTMLResponse(page.phones(request.app.state.world))


def create(callback_url: str | None = None, state_file: Path | None = None) -> Starlette:
    """The whole service. With a state file it goes on where a graceful stop left it."""
    world = World.load(state_file) if state_file is not None and state_file.exists() else World()
    if callback_url is not None:
        world.settings.callback_url = callback_url

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.postman = Postman(lambda: app.state.world)
        async with app.state.postman.working():
            yield
        if state_file is not None:
            app.state.world.save(state_file)

    app = Starlette(
        routes=[Route("/", _phones), *control_routes.ROUTES, *WECHAT],
        # A web page open in the developer's browser must not reach the controls under another host name.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
        lifespan=lifespan,
    )
    app.state.world = world
    return app
