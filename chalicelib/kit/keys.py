"""The keys of this installation: one SecureString document, `<SETTINGS_PREFIX>/secrets`."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from chalicelib.kit import settings

T = TypeVar("T", str, list[str])


class Secrets(msgspec.Struct, frozen=True):
    """`session_keys`: newest last; old ones stay until the tokens they signed have ended (two hours).

    `openid_pepper` keys the hash under which a resident is found by openid, and repeatable codes; it must never
    change.
    """

    session_keys: list[str] = msgspec.field(default_factory=list)
    openid_pepper: str = ""


_read = settings.group("secrets", Secrets)


def session_keys() -> list[str]:
    return _required(_read().session_keys)


def openid_pepper() -> bytes:
    return _required(_read().openid_pepper).encode()


def code_key() -> bytes:
    return b"code" + openid_pepper()


def _required(value: T) -> T:
    if not value:
        raise settings.NotConfigured()
    return value
