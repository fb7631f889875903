"""The codes that a shift's organiser shows, and that nobody keeps: they follow from the shift, the time, and our key.

| code | is | shown for | goes through for |
|---|---|---|---|
| scene | of a WeChat mini-program code: the shift's 26 characters and 6 of the moment | 30 s | that and the next 30 s |
| digits | six, to read out or to type | 60 s | that and the next 60 s |

Who knows the codes of one shift or of one moment knows nothing of those of another.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

from chalicelib.kit import keys

SCENE_SHOWN = timedelta(seconds=30)
DIGITS_SHOWN = timedelta(seconds=60)
REMEMBERED = timedelta(minutes=10)  # so long an old code is told from a wrong one

Verdict = Literal["right", "old", "wrong"]
_ID = "shift_"
_SCENE = r"([a-z2-7]{26})([a-z2-7]{6})"
_DIGITS = r"[0-9]{6}"
_BETWEEN = r"[\s-]"


def scene(shift_id: str, now: datetime) -> str:
    """32 characters, which is all that WeChat takes: which shift, and that the phone is there."""
    return _random_part(shift_id) + _nonce(keys.code_key(), shift_id, _window(now, SCENE_SHOWN))


def digits(shift_id: str, now: datetime) -> str:
    return _digits(keys.code_key(), shift_id, _window(now, DIGITS_SHOWN))


def shown_until(now: datetime, shown: timedelta) -> datetime:
    """When the next code takes the place of the one that is shown."""
    return datetime.fromtimestamp((_window(now, shown) + 1) * shown.total_seconds(), UTC)


def shift_in(scene: str) -> str | None:
    """The id (without its area) of the shift that a scene names; None when it is no scene of ours."""
    found = re.fullmatch(_SCENE, scene)
    return _ID + found[1] if found else None


def judge_scene(shift_id: str, scene: str, now: datetime) -> Verdict:
    found = re.fullmatch(_SCENE, scene)
    if found is None or found[1] != _random_part(shift_id):
        return "wrong"
    return _judge(_nonce, shift_id, found[2], SCENE_SHOWN, now)


def judge_digits(shift_id: str, typed: str, now: datetime) -> Verdict:
    return _judge(_digits, shift_id, typed, DIGITS_SHOWN, now)


def as_typed(text: str) -> str | None:
    """Six digits as a person types them (with spaces, or in full width), made equal to ours; None when they are none."""
    plain = re.sub(_BETWEEN, "", unicodedata.normalize("NFKC", text))
    return plain if re.fullmatch(_DIGITS, plain) else None


def _judge(
    made: Callable[[bytes, str, int], str], shift_id: str, given: str, shown: timedelta, now: datetime
) -> Verdict:
    key, current = keys.code_key(), _window(now, shown)
    ages = range(int(REMEMBERED / shown) + 1)
    # All are made and compared, whichever is equal: how long it takes says nothing.
    equal = [age for age in ages if hmac.compare_digest(made(key, shift_id, current - age), given)]
    if not equal:
        return "wrong"
    return "right" if equal[0] <= 1 else "old"


def _random_part(shift_id: str) -> str:
    return shift_id.partition(".")[0].removeprefix(_ID)


def _nonce(key: bytes, shift_id: str, window: int) -> str:
    return base64.b32encode(_digest(key, "scene", shift_id, window))[:6].decode().lower()


def _digits(key: bytes, shift_id: str, window: int) -> str:
    return f"{int.from_bytes(_digest(key, 'digits', shift_id, window)[:8]) % 1_000_000:06d}"


def _digest(key: bytes, what: str, shift_id: str, window: int) -> bytes:
    facts = chr(0).join(("check-in", what, _random_part(shift_id), str(window)))
    return hmac.new(key, facts.encode(), hashlib.sha256).digest()


def _window(now: datetime, shown: timedelta) -> int:
    return int(now.timestamp() // shown.total_seconds())
