"""Settings that an administrator changes without a deployment: JSON documents in SSM Parameter Store.

One document per group (`<SETTINGS_PREFIX>/<group>`), all fetched together and kept for SETTINGS_TTL_SECONDS, so a
change bites within a minute. A missing document means the defaults. A document that does not fit its shape is reported
in the log and ignored: the last good one stays in force.

Each function asks for the groups of its SETTINGS_GROUPS, which are those its role may read: one name too many, and IAM
refuses them all. Without that variable (tests, a developer's machine) it asks for all that are registered.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.kit import aws, log
from chalicelib.kit.errors import Unavailable

T = TypeVar("T", bound=msgspec.Struct)


NotConfigured = Unavailable.named("not_configured", "系统还没有设置好，请联系管理员。")


_GET_PARAMETERS_AT_MOST = 10  # names in one call, an SSM limit
_lock, _reading = threading.Lock(), threading.Lock()
_names: set[str] = set()
_documents: dict[str, str] = {}
_asked: set[str] = set()
_fetched_at: float | None = None


def group(name: str, shape: type[T]) -> Callable[[], T]:
    """A reader of one group. The shape's defaults are the settings of a fresh installation."""
    _names.add(name)
    held: dict[str, Any] = {}

    def read() -> T:
        text = _document(name)
        if "text" not in held or held["text"] != text:
            with (
                _reading
            ):  # msgspec builds what it knows of a shape at its first use, which two threads must not do at once
                _take_over(held, name, shape, text)
        value: T | None = held.get("value")
        if value is None:
            raise NotConfigured()
        return value

    return read


def _take_over(held: dict[str, Any], name: str, shape: type[T], text: str | None) -> None:
    try:
        held["value"] = msgspec.json.decode(text if text is not None else "{}", type=shape)
    except msgspec.MsgspecError as error:
        # msgspec names the field and the type, never the value, so a secret cannot reach the log.
        log.call_administrator("settings_invalid", group=name, reason=str(error))
    held["text"] = text  # last, or another thread would take the value for there while it is not


def age_allowed() -> float:
    """Seconds for which anything an administrator or a revocation may change is kept in memory."""
    return float(os.environ.get("SETTINGS_TTL_SECONDS", "60"))


def _document(name: str) -> str | None:
    global _fetched_at
    groups = _groups()
    if name not in groups:
        raise LookupError(f"SETTINGS_GROUPS of this function does not name {name}")
    with _lock:
        if name not in _asked:  # nothing yet, or a slice that was loaded since has brought it
            _fetched_at = None
        if _fetched_at is None or time.monotonic() - _fetched_at >= age_allowed():
            try:
                _fetch(groups)
            except (BotoCoreError, ClientError) as error:
                log.logger.error("settings_unreachable", extra={"error": type(error).__name__})
                if _fetched_at is None:
                    raise Unavailable() from error
            _fetched_at = time.monotonic()
        return _documents.get(name)


def _groups() -> set[str]:
    listed = os.environ.get("SETTINGS_GROUPS")
    return set(_names) if listed is None else set(listed.split())


def _fetch(groups: set[str]) -> None:
    prefix = os.environ["SETTINGS_PREFIX"]
    names = sorted(f"{prefix}/{group}" for group in groups)
    found: dict[str, str] = {}
    for start in range(0, len(names), _GET_PARAMETERS_AT_MOST):
        answer = aws.client("ssm").get_parameters(
            Names=names[start : start + _GET_PARAMETERS_AT_MOST], WithDecryption=True
        )
        found |= {p["Name"].removeprefix(f"{prefix}/"): p["Value"] for p in answer["Parameters"]}
    _documents.clear()
    _documents.update(found)
    _asked.clear()
    _asked.update(groups)


def forget() -> None:
    """Fetch again at the next reading (after a change made by this very process)."""
    global _fetched_at
    with _lock:
        _fetched_at = None
