"""Structured logs without personal data, and metrics as CloudWatch's embedded metric format (EMF).

What may be logged: codes, ids, counts, times, AWS request ids. Never a text somebody wrote, a phone
number, a name, an openid, a token, a URL with a query.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Mapping

import msgspec
from aws_lambda_powertools.logging import Logger

logger = Logger(service="weijiayuan", utc=True, json_serializer=lambda line: msgspec.json.encode(line).decode())


def begin(**keys: str) -> None:
    """Start one invocation's log: keys of the one before are dropped, or they would leak into this one."""
    logger.clear_state()
    logger.append_keys(**keys)


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
