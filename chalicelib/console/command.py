"""What every administrator's command is made of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from chalicelib.kit.errors import Invalid


class CommandInvalid(Invalid):
    code, detail = "command_invalid", "命令写得不对，请对照说明改正。"


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="command"):
    pass


class Call(NamedTuple):
    """What is known of one invocation."""

    request_id: str
    now: datetime
    seconds_left: Callable[[], float]


class Report(NamedTuple):
    """An answer that has more to it than a sentence."""

    detail: str
    figures: dict[str, Any]
