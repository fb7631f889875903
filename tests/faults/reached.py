"""What of the product somebody or something can begin with, and which of it an act has begun with.

Names are those of `docs/budget.json`: `POST /help-requests`, `timer help.lapse`, `event MediaChecked`, a worker's own
name, and `command restock` for what administrators send.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from chalicelib.console import commands
from chalicelib.kit import log, timers
from chalicelib.notices import events
from tests.engine import local_aws
from tests.security.routes import all_routes

# The worker of events only finds out which event it is, and `administer` which command.
ONLY_THE_WAY_TO = {"wechat_events", "administer"}


def everything() -> set[str]:
    """Whatever may write. A GET does not."""
    import app

    routes = {name for name in all_routes() if not name.startswith("GET ")}
    workers = {handler.name for handler in (*app.app.event_sources, *app.app.pure_lambda_functions)}
    return (
        routes
        | {handler_name.rpartition(".")[2] for handler_name in workers} - ONLY_THE_WAY_TO
        | {_timer(name) for name, handler in timers._handlers.items() if _of_the_product(handler)}
        | {_event(kind) for kind, handler in events._handlers.items() if _of_the_product(handler)}
        | {_command(kind) for kind in commands._HANDLERS}
    )


@contextmanager
def reaching() -> Iterator[set[str]]:
    """The names of all that is begun meanwhile."""
    reached: set[str] = set()
    begin = log.begin

    def begun(**keys: str) -> None:
        """Routes and workers begin with their line in the log."""
        reached.update({keys.get("route") or keys["worker"]} - ONLY_THE_WAY_TO)
        begin(**keys)

    def noting(name: str, handler: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*given: Any, **named: Any) -> Any:
            reached.add(name)
            return handler(*given, **named)

        return noted

    with ExitStack() as patches:
        patches.enter_context(patch.object(log, "begin", begun))
        for registry, named in ((timers._handlers, _timer), (events._handlers, _event), (commands._HANDLERS, _command)):
            known: dict[Any, Any] = registry  # type: ignore[assignment]
            instead = {kind: noting(named(kind), handler) for kind, handler in known.items()}  # type: ignore[operator]
            patches.enter_context(patch.dict(known, instead))
        yield reached


@contextmanager
def with_its_settings(tries: str) -> Iterator[None]:
    """Only the settings that the function may read with which this begins: another group is a crash, as in Lambda."""
    with patch.dict("os.environ"):
        if tries:
            function = local_aws.template()["Resources"][_function(tries)]["Properties"]
            os.environ["SETTINGS_GROUPS"] = function["Environment"]["Variables"].get("SETTINGS_GROUPS", "")
        yield


def _function(tries: str) -> str:
    """The name in the template, e.g. `Sweep` for a timer."""
    first, *named = tries.split()
    if not named:
        return first.title().replace("_", "")
    return {"timer": "Sweep", "event": "WechatEvents", "command": "Administer"}.get(first, "APIHandler")


def _timer(name: str) -> str:
    return f"timer {name}"


def _event(kind: type[Any]) -> str:
    return f"event {kind.__name__}"


def _command(kind: type[Any]) -> str:
    return f"command {kind.__struct_config__.tag}"  # type: ignore[attr-defined]


def _of_the_product(handler: Callable[..., Any]) -> bool:
    """Tests of the kit register handlers of their own."""
    return handler.__module__.startswith("chalicelib.")
