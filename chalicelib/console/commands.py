"""What administrators do, as commands they send to the `administer` function from the AWS console.

Paste one as a test event, e.g.

    {"command": "grant_duty", "resident_id": "res_…", "role": "grid_worker", "area": "330402010001001"}

Who did it is in CloudTrail; the function's request id joins it with the log line, which names the command and what
it was about. A command is checked as a whole before anything is written. Sending it again changes nothing more.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from chalicelib.console import mall, places, points, quiz
from chalicelib.console.command import Call, Command, CommandInvalid, Report
from chalicelib.kit import log
from chalicelib.kit.errors import Invalid, Problem
from chalicelib.kit.http import refuse_unprintable

_HANDLERS: dict[type[Command], Callable[[Any, Call], str | Report]] = (
    places.HANDLERS | points.HANDLERS | quiz.HANDLERS | mall.HANDLERS
)
_ANY: Any = functools.reduce(operator.or_, _HANDLERS)


def administer(
    event: Any, *, request_id: str, now: datetime, seconds_left: Callable[[], float] = lambda: 30.0
) -> dict[str, Any]:
    """Carry out one command. The answer says in Chinese what was done, or why not."""
    try:
        command = _understand(event)
        done = _HANDLERS[type(command)](command, Call(request_id, now, seconds_left))
    except Problem as problem:
        log.logger.info("administer", extra={"code": problem.code})
        fields = problem.fields if isinstance(problem, Invalid) else {}
        return {"ok": False, "code": problem.code, "detail": problem.detail, "fields": fields}
    log.logger.info("administer", extra={"code": "ok", "audit": 1, **_named(command)})
    if isinstance(done, Report):
        return {"ok": True, "detail": done.detail, "report": done.figures}
    return {"ok": True, "detail": done}


def _understand(event: Any) -> Command:
    try:
        command: Command = msgspec.convert(event, _ANY)
    except msgspec.ValidationError as error:
        raise CommandInvalid(fields=_what_is_wrong(event)) from error
    refuse_unprintable(command)
    return command


def _what_is_wrong(event: Any) -> dict[str, str]:
    if not isinstance(event, dict):
        return {"": "应为一组内容"}
    shapes = {_config(shape).tag: shape for shape in _HANDLERS}
    shape = shapes.get(event.get("command")) if isinstance(event.get("command"), str) else None
    if shape is None:
        return {"command": f"可用的命令：{'、'.join(shapes)}"}
    from chalicelib.kit import explain  # only a wrong command pays for the explanation

    return explain.wrong_fields({name: event[name] for name in event if name != "command"}, shape, strict=True)


def _config(shape: type[Any]) -> Any:
    return shape.__struct_config__


def _named(command: Command) -> dict[str, Any]:
    return {"command": _config(type(command)).tag, **command.about}
