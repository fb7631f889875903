"""The stand-in's own side, under /stand-in/: what people do with their phones, and what goes wrong.

Used by the demo and the tests through `control.StandIn`.
"""

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import people, pushes, tokens
from .catalogue import TEMPLATES
from .world import Fault, Person, Quota, Settings, World, new_person

Shape = TypeVar("Shape")


class NewPerson(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    name: str
    phone: str | None = None
    unionid: bool = True
    follows: bool = False


class PersonChange(msgspec.Struct, forbid_unknown_fields=True):
    name: str | msgspec.UnsetType = msgspec.UNSET
    phone: str | msgspec.UnsetType | None = msgspec.UNSET
    follows: bool | msgspec.UnsetType = msgspec.UNSET
    blocked: bool | msgspec.UnsetType = msgspec.UNSET
    messages_off: bool | msgspec.UnsetType = msgspec.UNSET
    risk_rank: Literal[0, 1, 2, 3, 4] | msgspec.UnsetType = msgspec.UNSET
    lost_messages: int | msgspec.UnsetType = msgspec.UNSET


class PopupAnswer(msgspec.Struct, forbid_unknown_fields=True):
    accept: list[str] = []
    reject: list[str] = []
    tell: bool = True


class TurnOff(msgspec.Struct, forbid_unknown_fields=True):
    templates: list[str]


class Withdrawal(msgspec.Struct, forbid_unknown_fields=True):
    revoke_info: str


class QuotaChange(msgspec.Struct, forbid_unknown_fields=True):
    endpoint: str
    per_minute: int | None = None
    per_day: int | None = None


class ClockChange(msgspec.Struct, forbid_unknown_fields=True):
    advance: float


async def read(request: Request, shape: type[Shape]) -> Shape:
    try:
        return msgspec.json.decode(await request.body(), type=shape)
    except msgspec.MsgspecError as wrong:
        raise HTTPException(422, str(wrong)) from None


def the_person(request: Request) -> Person:
    person = _world(request).people.get(request.path_params["person"])
    if person is None:
        raise HTTPException(404, "nobody has this id")
    return person


async def list_people(request: Request) -> Response:
    return _json([_person_view(person) for person in _world(request).people.values()])


async def add_person(request: Request) -> Response:
    """The same id again changes nothing, so that a demo can be filled twice."""
    asked, world = await read(request, NewPerson), _world(request)
    if asked.id not in world.people:
        world.people[asked.id] = new_person(
            asked.id, asked.name, phone=asked.phone, unionid=asked.unionid, follows=asked.follows
        )
    return _json(_person_view(world.people[asked.id]))


async def show_person(request: Request) -> Response:
    return _json(_person_view(the_person(request)))


async def change_person(request: Request) -> Response:
    person, change = the_person(request), await read(request, PersonChange)
    for field in change.__struct_fields__:
        value = getattr(change, field)
        if value is not msgspec.UNSET:
            setattr(person, field, value)
    return _json(_person_view(person))


async def login_code(request: Request) -> Response:
    return _json({"code": people.take_code(_world(request), the_person(request), "login")})


async def phone_code(request: Request) -> Response:
    return _json({"code": people.take_code(_world(request), the_person(request), "phone")})


async def open_app(request: Request) -> Response:
    the_person(request).last_seen = _world(request).now()
    return _json({})


async def go_away(request: Request) -> Response:
    people.go_away(_world(request), the_person(request))
    return _json({})


async def answer_popup(request: Request) -> Response:
    asked = await read(request, PopupAnswer)
    answers = people.answer_popup(_world(request), the_person(request), asked.accept, asked.reject, tell=asked.tell)
    return _json({"errMsg": "requestSubscribeMessage:ok", **answers})


async def turn_off(request: Request) -> Response:
    people.turn_off(_world(request), the_person(request), (await read(request, TurnOff)).templates)
    return _json({})


async def withdraw(request: Request) -> Response:
    people.withdraw(_world(request), the_person(request), (await read(request, Withdrawal)).revoke_info)
    return _json({})


async def cancel(request: Request) -> Response:
    people.cancel(_world(request), the_person(request))
    return _json({})


async def change_profile(request: Request) -> Response:
    people.change_profile(_world(request), the_person(request))
    return _json({})


async def list_messages(request: Request) -> Response:
    person = request.query_params.get("person")
    return _json(
        [
            {**msgspec.to_builtins(message), "text": message.text}
            for message in _world(request).messages
            if person in (None, message.person)
        ]
    )


async def clear_messages(request: Request) -> Response:
    _world(request).messages.clear()
    return _json({})


async def show_settings(request: Request) -> Response:
    return _json(_world(request).settings)


async def change_settings(request: Request) -> Response:
    """Only the settings named in the body change."""
    world, change = _world(request), await read(request, dict[str, Any])
    try:
        world.settings = msgspec.convert({**msgspec.to_builtins(world.settings), **change}, Settings)
    except msgspec.ValidationError as wrong:
        raise HTTPException(422, str(wrong)) from None
    return _json(world.settings)


async def list_faults(request: Request) -> Response:
    return _json(_world(request).faults)


async def add_fault(request: Request) -> Response:
    fault = await read(request, Fault)
    _world(request).faults.append(fault)
    return _json(fault)


async def clear_faults(request: Request) -> Response:
    _world(request).faults.clear()
    return _json({})


async def set_quota(request: Request) -> Response:
    asked = await read(request, QuotaChange)
    _world(request).quotas[asked.endpoint] = Quota(per_minute=asked.per_minute, per_day=asked.per_day)
    return _json(asked)


async def rotate_tokens(request: Request) -> Response:
    tokens.rotate(_world(request))
    return _json({})


async def expire_tokens(request: Request) -> Response:
    tokens.expire(_world(request))
    return _json({})


async def move_clock(request: Request) -> Response:
    world = _world(request)
    world.clock_offset += (await read(request, ClockChange)).advance
    return _json({"now": world.now()})


async def list_calls(request: Request) -> Response:
    world = _world(request)
    return _json({"counts": world.call_counts, "recent": world.recent_calls})


async def clear_calls(request: Request) -> Response:
    world = _world(request)
    world.call_counts.clear()
    world.recent_calls.clear()
    return _json({})


async def list_pushes(request: Request) -> Response:
    return _json(_world(request).pushes)


async def verify_callback(request: Request) -> Response:
    world = _world(request)
    if world.settings.callback_url is None:
        raise HTTPException(409, "no callback_url is set")
    return _json(
        await run_in_threadpool(
            pushes.verify_callback,
            world.settings.callback_url,
            now=world.now(),
            timeout=world.settings.push_timeout_seconds,
        )
    )


async def list_templates(request: Request) -> Response:
    return _json(list(TEMPLATES.values()))


async def reset(request: Request) -> Response:
    """Forget everything but the address of our callback."""
    callback_url = _world(request).settings.callback_url
    request.app.state.world = World(settings=Settings(callback_url=callback_url))
    return _json({})


def _world(request: Request) -> World:
    world: World = request.app.state.world
    return world


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


def _person_view(person: Person) -> dict[str, object]:
    view: dict[str, object] = msgspec.to_builtins(person)
    del view["session_key"]  # it never leaves WeChat except through jscode2session
    return view


def _route(method: str, path: str, act: Callable[[Request], Any]) -> Route:
    async def run(request: Request) -> Response:
        try:
            response: Response = await act(request)
        except people.Declined as declined:
            return JSONResponse({"errCode": declined.err_code, "errMsg": str(declined)}, 409)
        except HTTPException as refused:
            return JSONResponse({"error": refused.detail}, refused.status_code)
        request.app.state.postman.wake()
        return response

    return Route(f"/stand-in{path}", run, methods=[method])


ROUTES = [
    _route("GET", "/people", list_people),
    _route("POST", "/people", add_person),
    _route("GET", "/people/{person}", show_person),
    _route("PATCH", "/people/{person}", change_person),
    _route("POST", "/people/{person}/login-code", login_code),
    _route("POST", "/people/{person}/phone-code", phone_code),
    _route("POST", "/people/{person}/open", open_app),
    _route("POST", "/people/{person}/away", go_away),
    _route("POST", "/people/{person}/subscribe", answer_popup),
    _route("POST", "/people/{person}/turn-off", turn_off),
    _route("POST", "/people/{person}/withdraw", withdraw),
    _route("POST", "/people/{person}/cancel", cancel),
    _route("POST", "/people/{person}/change-profile", change_profile),
    _route("GET", "/messages", list_messages),
    _route("DELETE", "/messages", clear_messages),
    _route("GET", "/settings", show_settings),
    _route("PATCH", "/settings", change_settings),
    _route("GET", "/faults", list_faults),
    _route("POST", "/faults", add_fault),
    _route("DELETE", "/faults", clear_faults),
    _route("POST", "/quotas", set_quota),
    _route("POST", "/tokens/rotate", rotate_tokens),
    _route("POST", "/tokens/expire", expire_tokens),
    _route("POST", "/clock", move_clock),
    _route("GET", "/calls", list_calls),
    _route("DELETE", "/calls", clear_calls),
    _route("GET", "/pushes", list_pushes),
    _route("POST", "/verify-callback", verify_callback),
    _route("GET", "/templates", list_templates),
    _route("POST", "/reset", reset),
]
