"""Our own session: a signed token, checked in process without a read.

The token says who (resident, openid, which session, which consent); it never says what somebody may do:
duties are read with the act. It lives two hours. A short list of revoked sessions is re-read at most once
a minute, so for that long an ended session may still read. It writes nothing from the moment it has ended:
an act reads the resident, who knows which sessions have ended, and checks it again in its own transaction.

The openid inside is the bearer's own, readable to the bearer alone; it spares every checked text a read.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec
from itsdangerous import BadData, URLSafeSerializer
from pynamodb.attributes import NumberAttribute

from chalicelib.kit import ids, keys, settings
from chalicelib.kit.errors import Forbidden, Unauthorized
from chalicelib.kit.table import Item

TOKEN_LIFE = timedelta(hours=2)


TokenInvalid = Unauthorized.named("token_invalid", "登录信息无效，请重新登录。")
TokenExpired = Unauthorized.named("token_expired", "登录已过期，请重新登录。")
ConsentNeeded = Forbidden.named("consent_needed", "请先阅读并同意《隐私保护指引》，再继续使用。")
NotADelegate = Forbidden.named("not_a_delegate", "您还不是这位居民的代办人，请先请对方邀请您。")


class PrivacySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`version` is what people agree to; raising it asks everybody again."""

    version: str = "2026-11-01"
    notice: str = (
        "我们只收集办事需要的信息：微信登录标识、昵称头像、居住网格、您主动填写的手机号和内容。"
        "手机号加密保存，不给其他居民看；工作人员查看要写明理由，您能看到谁查过。"
        "改昵称后，正在进行的事情会显示新昵称；已经办完的事情和别人收到的消息里，仍是当时的昵称。"
        "您可以随时下载自己的资料、撤回同意或注销账号。注销后，您写的内容会删除；"
        "别人收到的消息里提到您的昵称和求助标题，最多再保留一年。"
    )


privacy = settings.group("privacy", PrivacySettings)


class Caller(msgspec.Struct, frozen=True):
    """Who is asking. `principal` is whose affairs they are: a delegate acts for another resident."""

    id: str
    openid: str
    session: str
    session_version: int
    consent: str
    acting_for: str | None = None

    @property
    def principal(self) -> str:
        return self.acting_for or self.id

    def require_consent(self) -> None:
        if self.consent != privacy().version:
            raise ConsentNeeded()


DelegationCheck = Callable[..., object]
_delegation_check: DelegationCheck | None = None
D = TypeVar("D", bound=DelegationCheck)


def on_delegation(check: D) -> D:
    """Register `check(caller, *, now)`: it raises unless the caller may act for `caller.acting_for` now.

    While nobody is registered, nobody may."""
    global _delegation_check
    _delegation_check = check
    return check


def require_delegation(caller: Caller, *, now: datetime) -> None:
    if _delegation_check is None:
        raise NotADelegate()
    _delegation_check(caller, now=now)


class _Claims(msgspec.Struct, array_like=True, frozen=True):
    id: str
    openid: str
    session: str
    session_version: int
    consent: str
    ends: int


def issue(
    *, resident_id: str, openid: str, session_version: int, consent: str, now: datetime, session: str | None = None
) -> tuple[str, datetime]:
    """A new token and when it ends. `session` continues one, e.g. after consent was given."""
    ends = now + TOKEN_LIFE
    claims = _Claims(
        resident_id, openid, session or ids.new_id("session"), session_version, consent, int(ends.timestamp())
    )
    token = _signer().dumps(msgspec.to_builtins(claims))
    return (token if isinstance(token, str) else token.decode()), ends


def check(authorization: str | None, *, now: datetime) -> Caller:
    """The caller a request's Authorization header stands for."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized()
    try:
        claims = msgspec.convert(_signer().loads(token.strip()), _Claims)
    except (BadData, msgspec.ValidationError, ValueError) as error:
        raise TokenInvalid() from error
    if claims.ends <= now.timestamp():
        raise TokenExpired()
    if _revocations.cover(claims):
        raise TokenExpired("session_ended", "您已退出登录，请重新登录。")
    return Caller(claims.id, claims.openid, claims.session, claims.session_version, claims.consent)


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(keys.session_keys(), salt="session")


class Revocation(Item, discriminator="revocation"):
    """`REVOKED` / `<session id>` ends one session; `REVOKED` / `<resident id>` ends all below a version.

    For those who only read; who writes is held to what the resident's own item says. Removed by TTL once every token
    it could meet has ended.
    """

    below_version = NumberAttribute(null=True)

    @classmethod
    def of_session(cls, caller: Caller, *, now: datetime) -> Revocation:
        return cls("REVOKED", caller.session, expires_at=tokens_end(now))

    @classmethod
    def of_resident(cls, resident_id: str, *, below_version: int, now: datetime) -> Revocation:
        return cls("REVOKED", resident_id, below_version=below_version, expires_at=tokens_end(now))


def tokens_end(now: datetime) -> int:
    """When every token given out by now has ended, in epoch seconds; clocks may be minutes apart."""
    return int((now + TOKEN_LIFE + timedelta(minutes=5)).timestamp())


class _Revocations:
    """What this container knows of revoked sessions."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read_at: float | None = None
        self._below: dict[str, float] = {}

    def cover(self, claims: _Claims) -> bool:
        with self._lock:
            if self._read_at is None or time.monotonic() - self._read_at >= settings.age_allowed():
                self._below = {
                    item.sk: float(item.below_version if item.below_version is not None else "inf")
                    for item in Item.collection("REVOKED")
                }
                self._read_at = time.monotonic()
            return claims.session in self._below or claims.session_version < self._below.get(claims.id, 0)

    def forget(self) -> None:
        with self._lock:
            self._read_at = None


_revocations = _Revocations()
forget_revocations = _revocations.forget
