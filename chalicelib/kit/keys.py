"""The keys of this installation: SecureString documents of their own, so that each function reads what it needs."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from chalicelib.kit import settings

T = TypeVar("T", str, list[str])


class SessionKeys(msgspec.Struct, frozen=True):
    """Newest last; old ones stay until the tokens they signed have ended (two hours)."""

    session_keys: list[str] = []


class OpenidPepper(msgspec.Struct, frozen=True):
    """Keys the hash under which a resident is found by openid, and repeatable codes; it must never change."""

    openid_pepper: str = ""


_sessions = settings.group("session_keys", SessionKeys)
_openids = settings.group("openid_pepper", OpenidPepper)


def session_keys() -> list[str]:
    return _required(_sessions().session_keys)


def openid_pepper() -> bytes:
    return _required(_openids().openid_pepper).encode()


def code_key() -> bytes:
    return b"code" + openid_pepper()


def _required(value: T) -> T:
    if not value:
        raise settings.NotConfigured()
    return value
