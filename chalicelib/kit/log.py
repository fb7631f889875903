"""Structured logs without personal data, and metrics as CloudWatch's embedded metric format (EMF).

What may be logged: codes, ids, counts, times, AWS request ids. Never a text somebody wrote, a phone
number, a name, an openid, a token, a URL with a query.
"""

from __future__ import annotations

import logging
import os
import sys
import time
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

logger = logging.getLogger("weijiayuan")
_keys: dict[str, str] = {}
_USUAL = logging.makeLogRecord({}).__dict__.keys()  # what every record has; the rest is `extra`


class _Line(logging.Formatter):
    """One JSON object a line, as CloudWatch's queries want it.

    Powertools' Logger writes the same, and with what it imports it is a twelfth of the API's cold start.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "level": record.levelname,
            "message": record.getMessage(),
            "timestamp": datetime.fromtimestamp(record.created, UTC),
            "location": f"{record.module}.{record.funcName}:{record.lineno}",
            **_keys,
            **{name: fact for name, fact in record.__dict__.items() if name not in _USUAL},
        }
        return msgspec.json.encode(line).decode()


handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(_Line())
logger.addHandler(handler)
logger.setLevel(logging.INFO)
logger.propagate = False  # Lambda's own handler would write every line again


def begin(**keys: str) -> None:
    """Start one invocation's log: keys of the one before are dropped, or they would leak into this one."""
    _keys.clear()
    _keys.update(keys)


def count(name: str, by: float = 1, **dimensions: str) -> None:
    """One metric, e.g. `count("push", outcome="sent")`. Dimensions are few and of few values (CloudWatch bills each)."""
    measure({name: by}, beside=None, **dimensions)


def measure(values: dict[str, float], *, beside: Mapping[str, str | float] | None = None, **dimensions: str) -> None:
    """Several metrics of one thing in one line, e.g. requests and milliseconds of a route.

    `beside` is written on the same line for whoever searches the log: ids and codes, of which no metric is made.

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
