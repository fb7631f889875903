"""Logging in, consent and the phone number."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from chalicelib.kit import auth, clock
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.http import Body, Routes, View
from chalicelib.people import service

routes = Routes(__name__)

WeChatCode = Annotated[str, Meta(min_length=1, max_length=256)]


class LogIn(Body, frozen=True):
    code: WeChatCode


class Consent(Body, frozen=True):
    version: Annotated[str, Meta(min_length=1, max_length=40)]


class RegisterPhone(Body, frozen=True):
    code: WeChatCode


class SessionView(View, frozen=True):
    token: str
    ends_at: datetime
    resident_id: str
    nickname: str
    consent_needed: bool


class NoticeOfPrivacy(View, frozen=True):
    version: str
    text: str


class MaskedPhone(View, frozen=True):
    phone: str


class OwnPhone(View, frozen=True):
    phone: str


def view(session: service.Session) -> SessionView:
    return SessionView(
        token=session.token,
        ends_at=clock.local(session.ends),
        resident_id=session.resident.id,
        nickname=session.resident.nickname,
        consent_needed=session.resident.consent_version != auth.privacy().version,
    )


@routes.post("/login")
def log_in(body: LogIn, address: str, now: datetime) -> SessionView:
    """Log in with the code of `wx.login`. The first time this makes the resident.

    Not repeatable by design: WeChat takes each code once, and the phone gets a new one for nothing.
    """
    return view(service.log_in(js_code=body.code, address=address, now=now))


@routes.post("/logout", needs="login")
def log_out(caller: Caller, attempt: Attempt, now: datetime) -> None:
    """End the session of this phone."""
    service.log_out(caller=caller, now=now)


@routes.post("/sessions/revoke", needs="login")
def log_out_everywhere(caller: Caller, attempt: Attempt, now: datetime) -> None:
    """End all my sessions on all phones, this one included."""
    service.log_out_everywhere(caller=caller, now=now)


@routes.get("/privacy-notice")
def privacy_notice() -> NoticeOfPrivacy:
    """The privacy notice in force, to be read before consenting."""
    notice = auth.privacy()
    return NoticeOfPrivacy(version=notice.version, text=notice.notice)


@routes.post("/me/consent", needs="login")
def consent(caller: Caller, body: Consent, attempt: Attempt, now: datetime) -> SessionView:
    """Agree to the privacy notice. Go on with the token answered here."""
    return view(service.consent(caller=caller, version=body.version, now=now))


@routes.delete("/me/consent", needs="login")
def withdraw_consent(caller: Caller, now: datetime) -> SessionView:
    """Withdraw the consent. Go on with the token answered here."""
    return view(service.withdraw_consent(caller=caller, now=now))


@routes.post("/me/phone")
def register_phone(caller: Caller, body: RegisterPhone, attempt: Attempt, now: datetime) -> MaskedPhone:
    """Register my phone number with the code of WeChat's phone button. It is stored encrypted."""
    resident = service.register_phone(caller=caller, code=body.code, attempt=attempt, now=now)
    return MaskedPhone(phone=resident.phone_masked or "")


@routes.get("/me/phone")
def own_phone(caller: Caller, now: datetime) -> OwnPhone:
    """My own phone number in full. Nobody else can ask for it here."""
    return OwnPhone(phone=service.own_phone(caller=caller, now=now))


@routes.delete("/me/phone")
def forget_phone(caller: Caller, now: datetime) -> None:
    """Delete my phone number."""
    service.forget_phone(caller=caller, now=now)
