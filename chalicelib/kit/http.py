"""HTTP in and out: one decorator binds a typed function to a Chalice route.

    routes = Routes(__name__)

    @routes.post("/help-requests", status=201)
    def ask(caller: Caller, body: AskForHelp, attempt: Attempt, now: datetime) -> HelpRequestView:
        \"\"\"Ask the neighbours for help.\"\"\"

A view receives what its parameters name: `caller` (checked; without it the route is open to anybody),
`body` and `query` (msgspec Structs, validated), `attempt` (this request, told apart from its repeats),
`now`, `address` (that of the network it comes from), `request` (Chalice's), and the path's parameters as text. It returns a Struct, a list of Structs, a
Chalice Response, or None for 204. Problems become RFC 9457 problem details; anything else becomes a 500 that
tells nothing.
"""

from __future__ import annotations

import functools
import inspect
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Generic, Literal, Self, TypeVar
from urllib.parse import unquote

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from chalice import Blueprint, Response
from pynamodb.exceptions import PynamoDBException

from chalicelib.kit import auth, clock, log
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Forbidden, Invalid, PerhapsDone, Problem, TooLarge, Unavailable
from chalicelib.kit.table import Page

BODY_AT_MOST = 64 * 1024  # bytes; the longest legal body is a text of 2,000 characters and some fields
_JSON = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
_PROBLEM = {"Content-Type": "application/problem+json; charset=utf-8", "Cache-Control": "no-store"}
_KEY = r"[\x21-\x7e]{1,64}"
# No keyboard types them: control characters (but tab and line breaks), halves of surrogate pairs, and what lets a text be
# read in another order than it is written.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)

# A defect may show after what was to be done is done.
_HALF_WAY = "系统出了点问题，不知道这次有没有办好。请先刷新看看，没有办好再联系社区。"

V = TypeVar("V")
F = TypeVar("F", bound=Callable[..., Any])
Needs = Literal["nobody", "login", "consent"]


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of request bodies: a field we do not know is an error, not silently dropped."""


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of query strings; numbers and booleans are read from their text."""


class Paged(Query, frozen=True):
    cursor: str | None = None


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what is answered. Times in it are Shanghai's (`clock.local`)."""

    @classmethod
    def of(cls, item: object, **named: Any) -> Self:
        """What is answered about an item: a field that is not named is the item's own of that name."""
        for name in cls.__struct_fields__:
            if name not in named:
                value = getattr(item, name)
                named[name] = clock.local(value) if isinstance(value, datetime) else value
        return cls(**named)


class Listing(View, Generic[V], frozen=True):
    """A page of a list: give `next` back as `cursor` for the rest."""

    items: list[V]
    next: str | None


def listing(found: Page[Any], view: Callable[[Any], V]) -> Listing[V]:
    return Listing(items=[view(each) for each in found], next=found.next)


MalformedJson = Invalid.named("malformed_json", "提交的内容读不出来，请重试。")
ActingForSomeone = Forbidden.named("own_affair_only", "这件事只能本人办理，不能代办，请本人登录后办理。")


class Route(msgspec.Struct, frozen=True, dict=True):
    """What the documentation and the tests need to know of a route.

    Of its view it looks at the signature, and does so when it is first called: for all routes at once, that is 6 ms of
    a cold start.
    """

    method: str
    path: str
    view: Callable[..., Any]
    needs_of_caller: Needs
    delegable: bool
    success: int

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @functools.cached_property
    def _signature(self) -> inspect.Signature:
        return inspect.signature(self.view, eval_str=True)

    @property
    def wanted(self) -> Mapping[str, inspect.Parameter]:
        """The view's parameters by their names."""
        return self._signature.parameters

    @property
    def needs(self) -> Needs:
        return self.needs_of_caller if "caller" in self.wanted else "nobody"

    @property
    def body(self) -> Any:
        return self.wanted["body"].annotation if "body" in self.wanted else None

    @property
    def query(self) -> Any:
        return self.wanted["query"].annotation if "query" in self.wanted else None

    @property
    def result(self) -> Any:
        return self._signature.return_annotation

    @property
    def status(self) -> int:
        return 204 if self.result is None else self.success

    @property
    def repeatable(self) -> bool:
        return "attempt" in self.wanted


ROUTES: list[Route] = []


class Routes:
    """The routes of one slice, a Chalice blueprint."""

    def __init__(self, name: str) -> None:
        self.blueprint = Blueprint(name)

    def get(self, path: str, *, needs: Needs = "consent", delegable: bool = False) -> Callable[[F], F]:
        return self._route("GET", path, needs, 200, delegable)

    def post(
        self, path: str, *, needs: Needs = "consent", status: int = 200, delegable: bool = False
    ) -> Callable[[F], F]:
        return self._route("POST", path, needs, status, delegable)

    def put(self, path: str, *, needs: Needs = "consent", delegable: bool = False) -> Callable[[F], F]:
        return self._route("PUT", path, needs, 200, delegable)

    def delete(self, path: str, *, needs: Needs = "consent", delegable: bool = False) -> Callable[[F], F]:
        return self._route("DELETE", path, needs, 200, delegable)

    def _route(self, method: str, path: str, needs: Needs, status: int, delegable: bool) -> Callable[[F], F]:
        def register(view: F) -> F:
            route = Route(method, path, view, needs, delegable, status)
            ROUTES.append(route)

            def serve(**path_parameters: str) -> Response:
                return _serve(route, self.blueprint.current_request, path_parameters)

            # Any content type is let in, because Chalice would refuse others in English and not as a problem.
            self.blueprint.route(path, methods=[method], content_types=["*/*"], name=f"{method} {path}")(serve)
            return view

        return register


def _serve(route: Route, request: Any, path_parameters: dict[str, str]) -> Response:
    began = time.perf_counter()
    code = "ok"
    request_id = request.context.get("requestId", "")
    log.begin(route=route.name, request_id=request_id)
    try:
        result = route.view(**_arguments(route, request, path_parameters))
        if isinstance(result, Response):
            response = result
        elif result is None:
            response = Response(body="", status_code=204, headers={"Cache-Control": "no-store"})
        else:
            response = Response(body=msgspec.json.encode(result).decode(), status_code=route.status, headers=_JSON)
    except Problem as problem:
        code, response = problem.code, answer(problem)
    except (PynamoDBException, BotoCoreError, ClientError) as error:
        # AWS did not answer, or throttled us beyond botocore's retries. What was sent may or may not
        # have been applied; the client repeats with its Idempotency-Key and finds out.
        log.crash(error)
        trouble = Unavailable() if route.method == "GET" else PerhapsDone()
        code, response = trouble.code, answer(trouble)
    except Exception as error:  # noqa: BLE001 - the last line before the network: nothing internal may leave
        log.crash(error)
        code, response = Problem.code, answer(Problem(detail=None if route.method == "GET" else _HALF_WAY))
    # The request's line in the log is its line of metrics: the logger would take nine times as long for another.
    log.measure(
        {"requests": 1, "ms": round((time.perf_counter() - began) * 1000, 1)},
        beside={"request_id": request_id, "status_code": response.status_code, "code": code},
        route=route.name,
        status=f"{response.status_code // 100}xx",
    )
    return response


def answer(problem: Problem) -> Response:
    """RFC 9457 problem details. `detail` is for people, `code` is for programs."""
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
    }
    headers = dict(_PROBLEM)
    if isinstance(problem, Invalid) and problem.fields:
        document["fields"] = [{"field": field, "reason": reason} for field, reason in problem.fields.items()]
    retry_after = getattr(problem, "retry_after", None)
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return Response(body=msgspec.json.encode(document).decode(), status_code=problem.status, headers=headers)


def _arguments(route: Route, request: Any, path_parameters: dict[str, str]) -> dict[str, Any]:
    wanted = route.wanted
    now = clock.now()
    values: dict[str, Any] = {name: _path_text(text) for name, text in path_parameters.items()}
    if "caller" in wanted:
        values["caller"] = _caller(route, request, now)
    if "now" in wanted:
        values["now"] = now
    if "query" in wanted:
        given = dict(request.query_params.items()) if request.query_params else {}
        values["query"] = _convert(given, route.query, strict=False)
    if "address" in wanted:
        values["address"] = request.context["identity"]["sourceIp"]
    if "request" in wanted:
        values["request"] = request
    if "body" in wanted or "attempt" in wanted:
        raw = body_bytes(request)
        if "body" in wanted:
            values["body"] = _decode(raw, route.body)
        if "attempt" in wanted:
            caller: Caller = values["caller"]
            concrete_path = request.context.get("path") or route.path.format(**path_parameters)
            # The same key for oneself and for somebody else are two requests.
            act = f"{route.method} {concrete_path}" + (f" for {caller.acting_for}" if caller.acting_for else "")
            values["attempt"] = Attempt(caller.id, act, raw, _key(request))
    return values


def _caller(route: Route, request: Any, now: datetime) -> Caller:
    caller = auth.check(request.headers.get("authorization"), now=now)
    if route.needs == "consent":
        caller.require_consent()
    acting_for = request.headers.get("acting-for")
    if acting_for:
        if not route.delegable:
            raise ActingForSomeone()
        caller = msgspec.structs.replace(caller, acting_for=_path_text(acting_for))
        if route.method == "GET":
            # An act reads the delegation with whatever else it needs; a list would read nothing but the list.
            auth.require_delegation(caller, now=now)
    return caller


def _key(request: Any) -> str | None:
    key: str | None = request.headers.get("idempotency-key")
    if key is not None and not re.fullmatch(_KEY, key):
        raise Invalid("idempotency_key_invalid", fields={"Idempotency-Key": "1 到 64 个字母、数字或符号"})
    return key


def body_bytes(request: Any) -> bytes:
    """The body as sent, refused above BODY_AT_MOST."""
    try:
        raw: bytes = request.raw_body
    except (UnicodeError, ValueError) as error:
        raise MalformedJson() from error
    if len(raw) > BODY_AT_MOST:
        raise TooLarge()
    return raw


_building = threading.Lock()


def _decoder(shape: Any) -> msgspec.json.Decoder[Any]:
    """Made by one thread: msgspec 0.22 builds what it knows of a shape at its first use, and two threads must not do so at
    once. Lambda has one request at a time; tests and local servers have more."""
    with _building:
        return _made_decoder(shape)


@functools.cache
def _made_decoder(shape: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(shape)


def _decode(raw: bytes, shape: Any) -> Any:
    try:
        value = _decoder(shape).decode(raw or b"{}")
    except msgspec.ValidationError as error:
        raise _invalid(_plain(raw or b"{}"), shape, strict=True) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise MalformedJson() from error
    refuse_unprintable(value)
    return value


def _plain(raw: bytes) -> Any:
    """JSON without a shape. It may be malformed all the same: the shape stops reading at the first wrong field."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise MalformedJson() from error


def _convert(given: dict[str, str], shape: Any, *, strict: bool) -> Any:
    _decoder(shape)
    try:
        value = msgspec.convert(given, shape, strict=strict)
    except msgspec.ValidationError as error:
        raise _invalid(given, shape, strict=strict) from error
    refuse_unprintable(value)
    return value


def _invalid(given: Any, shape: Any, *, strict: bool) -> Invalid:
    from chalicelib.kit.explain import wrong_fields  # only a wrong request pays for the explanation

    return Invalid(fields=wrong_fields(given, shape, strict=strict))


def refuse_unprintable(value: Any) -> None:
    """Invalid, naming each field with a text that no keyboard types, and that not every store takes."""
    wrong = {path: "含有无法显示的字符" for path, text in _texts(value, "") if _UNPRINTABLE.search(text)}
    if wrong:
        raise Invalid(fields=wrong)


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _texts(getattr(value, name), f"{path}.{name}".lstrip("."))
    elif isinstance(value, (list, tuple)):
        for position, part in enumerate(value):
            yield from _texts(part, f"{path}[{position}]")
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _texts(key, path)
            yield from _texts(part, f"{path}.{key}".lstrip("."))


def _path_text(text: str) -> str:
    """A path parameter as meant: API Gateway hands it over percent-encoded. Nonsense simply is not found."""
    decoded = unquote(text, errors="replace")
    return decoded[:200] if not _UNPRINTABLE.search(decoded) else "?"
