"""What goes between the code and AWS, seen in botocore: every client of every session made after `watch_all()`.

PynamoDB and `kit.aws` each make their own sessions and clients, so handlers are given to sessions as they are
made. While nobody watches, this only holds each call against what AWS refuses (`aws_rules`).
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import botocore

from tests.engine import aws_rules


class Call:
    """One operation, however many times botocore tries it."""

    def __init__(self, service: str, operation: str, number: int) -> None:
        self.service, self.operation, self.number = service, operation, number

    @property
    def name(self) -> str:
        return f"{self.service} {self.operation}"


class Watcher:
    """Override what is to be seen. `number` of a call counts from 1 since the watching began, over all threads."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)
        self.lock = threading.Lock()

    def parameters(self, service: str, operation: str, parameters: dict[str, Any]) -> None:
        """Before the parameters are serialised; they may be changed in place."""

    def begins(self, call: Call) -> None:
        """Once for each call."""

    def sends(self, call: Call, request: Any) -> Any:
        """Each time a request of the call is about to be sent: an answer or an error here replaces the sending."""

    def ends(self, call: Call, answer: dict[str, Any]) -> None:
        """The call was answered, well or with an error."""


_watcher: Watcher | None = None
_current = threading.local()


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    global _watcher
    outer, _watcher = _watcher, watcher
    try:
        yield
    finally:
        _watcher = outer


def watch_all() -> None:
    botocore.register_initializer(_install)


def _install(session: Any) -> None:
    session.register("provide-client-params.*.*", _parameters)
    session.register("before-call.*.*", _begins)
    session.register("before-send.*.*", _sends)
    session.register("after-call.*.*", _ends)


def _parameters(params: dict[str, Any], model: Any, **_: Any) -> dict[str, Any] | None:
    aws_rules.check(_service(model), model.name, params)
    if _watcher is None:
        return None
    changed = dict(params)
    _watcher.parameters(_service(model), model.name, changed)
    return changed


def _begins(model: Any, **_: Any) -> None:
    if _watcher is not None:
        call = Call(_service(model), model.name, next(_watcher.numbers))
        _current.call, _current.watcher = call, _watcher
        _watcher.begins(call)


def _sends(request: Any, **_: Any) -> Any:
    if _watcher is not None and getattr(_current, "watcher", None) is _watcher:
        return _watcher.sends(_current.call, request)
    return None


def _ends(parsed: dict[str, Any], **_: Any) -> None:
    if _watcher is not None and getattr(_current, "watcher", None) is _watcher:
        _watcher.ends(_current.call, parsed)


def _service(model: Any) -> str:
    name: str = model.service_model.service_name
    return name
