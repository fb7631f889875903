"""The acts that are done with every one of their AWS calls failing in every way.

A slice lists its acts in `tests/faults/<slice>_acts.py` and tries them in `tests/faults/test_<slice>.py`; those that
need WeChat are made in `tests/<slice>/test_every_call_fails.py`, out of a `Hood`. Either way the file has a list ACTS:

    def prepare() -> World: ...              # a fresh world of random ids: residents, a request
    def ask(world, key) -> Answer: ...       # the act, as a client does it, with its Idempotency-Key
    def facts(world) -> Any: ...             # what is now true, without ids and times: comparable between worlds

    ACTS = [Act("a resident asks for help", prepare, ask, facts, tries="POST /help-requests")]

`tries` names the route, timer, worker, event or command that the act begins with, as `reached.py` names them. It is
held against what the act really reaches, and `test_nothing_is_left_out.py` fails for whatever no act begins with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import app  # noqa: F401 - whatever slices register is there from now on
from chalicelib.console import commands
from chalicelib.kit import clock, timers
from chalicelib.kit.errors import Problem, TooMany, Unavailable
from chalicelib.kit.table import Item
from tests.neighbourhood import Hood

EVERY_CALL = 1_000_000


@dataclass(frozen=True)
class Act:
    name: str
    prepare: Callable[[], Any]
    do: Callable[[Any, str], Any]
    """Called with the world and an Idempotency-Key. May return an `Answer` of the http driver or raise."""
    facts: Callable[[Any], Any]
    tries: str = ""
    """What of the product it begins with; empty for what is no entry by itself, such as a part that slices use."""
    one_way_after: int = EVERY_CALL
    """Writes after this one fail in one way each, in turn: what is left there is the same timer's to mend, whatever it was."""
    until: int = EVERY_CALL
    """Listing[CallView] after this one are those of another act, which is tried with all of them."""

    def __str__(self) -> str:
        return self.name.replace(" ", "_")


@dataclass(frozen=True)
class ActInHood:
    """An act that needs a hood, with WeChat, to be made in."""

    tries: str
    make: Callable[[Hood], Act]

    def __call__(self, hood: Hood) -> Act:
        return replace(self.make(hood), tries=self.tries)

    def __str__(self) -> str:
        return self.make.__name__


def in_hood(tries: str) -> Callable[[Callable[[Hood], Act]], ActInHood]:
    return lambda make: ActInHood(tries, make)


def when_due(item: Item, now: Any) -> None:
    """The sweep meets this item as it is now, and its timer is due; trouble gets out."""
    current: Any = type(item).find(item.pk, item.sk)
    if current is not None and current.due_at is not None and current.due_at <= now:
        timers._handlers[current.timer](current, now=now)


def hand(worker: Callable[..., Any], *records: dict[str, Any]) -> None:
    """A worker gets these records of a queue or a stream. What it wants again is trouble."""
    if worker({"Records": list(records)}, Context())["batchItemFailures"]:
        raise Unavailable()


def command(*, done_already: str = "", **fields: Any) -> None:
    """An administrator's command. What it answers is trouble or a refusal, which may say that it was done already; trouble
    that has no words gets out."""
    answer = commands.administer(fields, request_id="request", now=clock.now())
    if answer.get("code") in _codes(Unavailable) | _codes(TooMany):
        raise Unavailable()
    assert answer["ok"] or answer["code"] == done_already, answer


def _codes(kind: type[Problem]) -> set[str]:
    return {kind.code}.union(*map(_codes, kind.__subclasses__()))


def message(body: str) -> dict[str, Any]:
    """A message of a queue, as Lambda hands it to its worker."""
    return {"messageId": "1", "receiptHandle": "1", "body": body, "attributes": {"MessageGroupId": "group"}}


class Context:
    aws_request_id = "request"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000
