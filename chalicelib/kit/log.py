"""Structured logs without personal data, and metrics as CloudWatch's embedded metric format (EMF).

What may be logged: codes, ids, counts, times, AWS request ids. Never a text somebody wrote, a phone
number, a name, an openid, a token, a URL with a query.
"""

from __future__ import annotations

import functools
import os
import sys
import time
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import msgspec

if TYPE_CHECKING:
    from aws_lambda_powertools.logging import Logger

_keys: dict[str, str] = {}  # on every line of this invocation


class _MadeForItsFirstLine:
    """Powertools' Logger, which takes 8 ms of a cold start: most requests write no line but that of their metrics."""

    @functools.cached_property
    def made(self) -> Logger:
        from aws_lambda_powertools.logging import Logger

        made = Logger(service="weijiayuan", utc=True, json_serializer=lambda line: msgspec.json.encode(line).decode())
        made.append_keys(**_keys)
        return made

    def __getattr__(self, name: str) -> Any:
        return getattr(self.made, name)


_lazy = _MadeForItsFirstLine()
logger = cast("Logger", _lazy)


def begin(**keys: str) -> None:
    """Start one invocation's log: keys of the one before are dropped, or they would leak into this one."""
    _keys.clear()
    _keys.update(keys)
    if "made" in vars(_lazy):
        logger.clear_state()
        logger.append_keys(**_keys)


def count(name: str, by: float = 1, **dimensions: str) -> None:
    """One metric, e.g. `count("push", outcome="sent")`. Dimensions are few and of few values (CloudWatch bills each)."""
    measure({name: by}, beside=None, **dimensions)


def measure(values: dict[str, float], *, beside: Mapping[str, str | float] | None = None, **dimensions: str) -> None:
    """Several metrics of one thing in one line, e.g. requests and milliseconds of a route.

    `beside` is written on the same line for whoever searches the log: ids and codes, of which no metric is made.
    Powertools' Metrics holds one set of dimensions per container, and its single_metric writes a line per metric; a
    request would write three lines instead of one.

    The namespace has the stage in it (METRICS_NAMESPACE), so that stages of one account are told apart.
    """
    document = {
        "_aws": {
            "Timestamp": int(time.time() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": os.environ.get("METRICS_NAMESPACE", "Weijiayuan"),
                    "Dimensions": [sorted(dimensions)],
                    "Metrics": [{"Name": name} for name in values],
                }
            ],
        },
        **(beside or {}),
        **dimensions,
        **values,
    }
    sys.stdout.write(msgspec.json.encode(document).decode() + "\n")


def call_administrator(what: str, **facts: object) -> None:
    """Report what only an administrator can put right, such as a setting; an alarm rings."""
    logger.error(what, extra=facts)
    count("administrator_needed")


def crash(error: BaseException, **facts: str) -> None:
    """Report a defect by its type and place; an alarm rings. The message is left out: it may quote what somebody wrote."""
    places = [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)
    ]
    logger.error("crash", extra={"error": type(error).__name__, "at": places[-8:], **facts})
    count("crash")
