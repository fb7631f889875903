"""What AWS does on a bad day, done to one chosen call.

    with fault(call=2, kind="answer_lost") as it:
        act()
    assert it.struck

No local engine throttles, conflicts or loses an answer; AWS does all three, and code that was never shown them
answers with nonsense. A fault strikes each attempt of its call (botocore's own repeats as well) unless `attempts`
says how many. Or all calls are struck, one attempt by each kind in turn, and then healed:

    with faults_that_heal("throttled", "cut_before") as it:
        act()
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from types import SimpleNamespace
from typing import Any, Literal
from unittest.mock import patch

import botocore.endpoint
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session
from botocore.retries.quota import RetryQuota

from chalicelib.kit import transaction
from tests.engine.wire import Call, Watcher, watched

Kind = Literal["throttled", "error_500", "cut_before", "answer_lost", "conflict", "in_progress"]
KINDS: tuple[Kind, ...] = ("throttled", "error_500", "cut_before", "answer_lost", "conflict", "in_progress")

FOR_EVER = 1_000_000
_SINGLE_WRITES = ("PutItem", "UpdateItem", "DeleteItem")
_THROTTLED = {
    "dynamodb": ("ProvisionedThroughputExceededException", 400),
    "s3": ("SlowDown", 503),
    "sqs": ("RequestThrottled", 403),
}


class Fault(Watcher):
    """`struck` counts the attempts that were hit; a call that cannot fail this way is let through.

    A transaction that the kit repeats as a new call is still the same one to whoever holds its items: the repeats of a
    struck one are struck too.
    """

    def __init__(self, call: int | None, kind: Kind, attempts: int) -> None:
        super().__init__()
        self.call, self.kind, self.attempts = call, kind, attempts
        self.struck = 0
        self.hit: set[int] = set()
        self._same: str | None = None
        self.calls: list[str] = []
        self.sent: list[bytes] = []

    def begins(self, call: Call) -> None:
        self.calls.append(call.name)

    def sends(self, call: Call, request: Any) -> Any:
        self.sent.append(request.body)
        if self.struck >= self.attempts or not possible(self.kind, call.name) or not self._is_meant(call, request):
            return None
        self.struck += 1
        self.hit.add(call.number)
        return strike(self.kind, call, request)

    def _is_meant(self, call: Call, request: Any) -> bool:
        if self.call is None:
            return True
        if call.operation != "TransactWriteItems":
            return call.number == self.call
        if call.number == self.call:
            self._same = _content(request)
        return self._same == _content(request)


class Healing(Watcher):
    """Each attempt of a call is struck by the next kind, until there is none left. `by_the_kit`: only transactions, which
    the kit repeats as a new call each time; they go by what they write."""

    def __init__(self, kinds: tuple[Kind, ...], *, by_the_kit: bool) -> None:
        super().__init__()
        self.kinds, self.by_the_kit = kinds, by_the_kit
        self.struck: Counter[Any] = Counter()
        self.calls: list[str] = []

    def begins(self, call: Call) -> None:
        self.calls.append(call.name)

    def sends(self, call: Call, request: Any) -> Any:
        if self.by_the_kit and call.operation != "TransactWriteItems":
            return None
        which = _content(request) if self.by_the_kit else call.number
        left = [kind for kind in self.kinds if possible(kind, call.name)][self.struck[which] :]
        if not left:
            return None
        self.struck[which] += 1
        return strike(left[0], call, request)


def _content(request: Any) -> str:
    """What a transaction writes, whichever token it is sent with."""
    return json.dumps(json.loads(request.body).get("TransactItems"), sort_keys=True)


def strike(kind: Kind, call: Call, request: Any) -> AWSResponse:
    if kind == "cut_before":
        raise ConnectionClosedError(endpoint_url=request.url)
    if kind == "answer_lost":
        URLLib3Session().send(request)  # AWS gets it and does it; only the answer never arrives
        raise ConnectionClosedError(endpoint_url=request.url)
    return _refusal(call, request, kind)


def possible(kind: Kind, call: str) -> bool:
    """Whether a call, e.g. `dynamodb PutItem`, can fail in this way."""
    service, _, operation = call.partition(" ")
    if kind == "conflict":
        return service == "dynamodb" and operation in (*_SINGLE_WRITES, "TransactWriteItems")
    return kind != "in_progress" or operation == "TransactWriteItems"


def _refusal(call: Call, request: Any, kind: Kind) -> AWSResponse:
    more: dict[str, Any] = {}
    if kind == "throttled":
        code, status = _THROTTLED.get(call.service, ("ThrottlingException", 400))
    elif kind == "error_500":
        code, status = "InternalServerError", 500
    elif kind == "in_progress":
        code, status = "TransactionInProgressException", 400
    elif call.operation in _SINGLE_WRITES:
        code, status = "TransactionConflictException", 400
    else:
        # Somebody holds one of the items; the others had nothing against it.
        code, status = "TransactionCanceledException", 400
        others = len(json.loads(request.body)["TransactItems"]) - 1
        more["CancellationReasons"] = [{"Code": "TransactionConflict"}, *[{"Code": "None"}] * others]
    if call.service == "s3":
        body = f"<Error><Code>{code}</Code><Message>injected</Message></Error>".encode()
    else:
        body = json.dumps({"__type": f"com.amazonaws#{code}", "message": "injected", **more}).encode()
    return AWSResponse(request.url, status, {"content-length": str(len(body))}, _Raw(body))


class _Raw(BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        while part := self.read():
            yield part


@contextmanager
def fault(*, call: int | None, kind: Kind, attempts: int = FOR_EVER) -> Iterator[Fault]:
    """Strike AWS call number `call`, counted from 1 within the block, or every call when None."""
    it = Fault(call, kind, attempts)
    with no_waiting(), watched(it):
        yield it


@contextmanager
def faults_that_heal(*kinds: Kind, by_the_kit: bool = False) -> Iterator[Healing]:
    """Strike every call, at as many attempts as there are kinds that it can fail in."""
    it = Healing(kinds, by_the_kit=by_the_kit)
    with no_waiting(), watched(it):
        yield it


_lock = threading.Lock()
_impatient = 0  # how many threads and blocks want it so
_patches = ExitStack()


@contextmanager
def no_waiting() -> Iterator[None]:
    """Repeats follow at once, and the allowance for repeats that botocore keeps per client is never used up.

    Threads may want it at overlapping times: only the last one lets the world wait again.
    """
    global _impatient
    with _lock:
        _impatient += 1
        if _impatient == 1:
            _patches.enter_context(patch.object(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _: None)))
            _patches.enter_context(patch.object(RetryQuota, "acquire", lambda *_: True))
            _patches.enter_context(patch.object(transaction, "_FIRST_PAUSE", 0))
            _patches.enter_context(patch.object(transaction, "_PAUSE", 0))
    try:
        yield
    finally:
        with _lock:
            _impatient -= 1
            if _impatient == 0:
                _patches.close()
