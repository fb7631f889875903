"""Everything the stand-in remembers: people, tokens, messages, pending work. Plain data with one clock.

Only the server's event loop touches a world, so it needs no locks.
"""

import base64
import hashlib
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Literal

import msgspec

from . import catalogue

MINUTE = 60
HOUR = 60 * MINUTE


class Person(msgspec.Struct):
    """Somebody with a phone. `credits` counts one-time accepts; `subscribed` holds long-term templates."""

    id: str
    name: str
    openid: str
    service_openid: str
    unionid: str | None = None
    phone: str | None = None
    follows: bool = False
    blocked: bool = False
    messages_off: bool = False
    risk_rank: int = 0
    last_seen: float | None = None
    session_key: str | None = None
    credits: dict[str, int] = {}
    subscribed: set[str] = set()
    lost_messages: int = 0


class Code(msgspec.Struct):
    """A code a mini-program gets from wx.login or from the phone-number button."""

    value: str
    kind: Literal["login", "phone"]
    openid: str
    issued_at: float
    used: bool = False


class Token(msgspec.Struct):
    value: str
    appid: str
    slot: Literal["stable", "plain"]
    issued_at: float
    expires_at: float
    revoked: bool = False
    replaced: bool = False


class Message(msgspec.Struct):
    """A message as it lies on a phone: `lines` are (label, value) pairs in the template's order."""

    id: int
    at: float
    person: str
    channel: Literal["mini_program", "service_account"]
    template_id: str
    title: str
    lines: list[tuple[str, str]]
    page: str = ""
    client_msg_id: str = ""

    @property
    def text(self) -> str:
        return "\n".join([self.title, *(f"{label}：{value}" for label, value in self.lines)])


class MediaCheck(msgspec.Struct):
    trace_id: str
    media_url: str
    media_type: int
    openid: str
    due_at: float
    asked_at: float


class Push(msgspec.Struct):
    """An event on its way to our callback."""

    id: int
    event: dict[str, object]
    due_at: float
    attempts: int = 0
    outcome: Literal["waiting", "delivered", "given_up"] = "waiting"
    answers: list[str] = []


class Fault(msgspec.Struct):
    """A switch: what goes wrong, where (`*`: everywhere), for how many requests (None: until cleared)."""

    kind: Literal["slow", "down", "bad_gateway", "html", "body", "errcode", "drop_answer"]
    endpoint: str = "*"
    count: int | None = None
    seconds: float = 0
    errcode: int = -1
    body: str = ""


class Quota(msgspec.Struct):
    per_minute: int | None = None
    per_day: int | None = None


class Settings(msgspec.Struct, forbid_unknown_fields=True):
    """What the admin console, or a test, can change while the stand-in runs."""

    callback_url: str | None = None
    push_format: Literal["json", "xml"] = "json"
    push_mode: Literal["safe", "plain"] = "safe"
    push_timeout_seconds: float = 5
    push_retry_pause_seconds: float = 1
    push_copies: int = 1
    media_delay_seconds: float = 0.3
    media_withheld: bool = False
    send_milliseconds: float = 5
    sent_events: Literal["failures", "all"] = "failures"
    used_code_errcode: Literal[40029, 40163] = 40029
    banned_templates: set[str] = set()
    missing_pages: set[str] = set()
    risky_words: dict[str, int] = {}
    review_words: dict[str, int] = {}


# Per account, as WeChat documents them. jscode2session's own limit is per person: limits.LOGINS_PER_MINUTE.
DOCUMENTED_QUOTAS = {
    "/cgi-bin/stable_token": Quota(per_minute=10_000, per_day=500_000),
    "/cgi-bin/token": Quota(per_day=2_000),
    "/cgi-bin/message/subscribe/send": Quota(per_day=10_000_000),
    "/cgi-bin/message/template/send": Quota(per_day=100_000),
    "/wxa/msg_sec_check": Quota(per_minute=4_000, per_day=2_000_000),
    "/wxa/media_check_async": Quota(per_minute=2_000, per_day=200_000),
    "/wxa/getwxacodeunlimit": Quota(per_minute=5_000),
}


class Call(msgspec.Struct):
    at: float
    endpoint: str
    outcome: str


class World(msgspec.Struct):
    """The whole state; `save` and `load` keep it between two runs."""

    settings: Settings = msgspec.field(default_factory=Settings)
    people: dict[str, Person] = {}
    codes: dict[str, Code] = {}
    tokens: list[Token] = []
    forced_refreshes: dict[str, list[float]] = {}
    messages: list[Message] = []
    media_checks: list[MediaCheck] = []
    pushes: list[Push] = []
    faults: list[Fault] = []
    quotas: dict[str, Quota] = msgspec.field(default_factory=lambda: dict(DOCUMENTED_QUOTAS))
    used_quota: dict[str, int] = {}
    call_counts: dict[str, int] = {}
    recent_calls: list[Call] = []
    clock_offset: float = 0
    serial: int = 0
    # Who is being sent to at this very moment; meaningless after a restart, so emptied by `load`.
    sending: set[str] = set()

    def now(self) -> float:
        return time.time() + self.clock_offset

    def next_serial(self) -> int:
        self.serial += 1
        return self.serial

    def by_openid(self, openid: object) -> Person | None:
        return next((p for p in self.people.values() if p.openid == openid), None)

    def by_service_openid(self, openid: object) -> Person | None:
        return next((p for p in self.people.values() if p.service_openid == openid), None)

    def save(self, path: Path) -> None:
        """Write beside the old file and swap, so that a kill in between loses nothing old."""
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(self))
        fresh.replace(path)

    @classmethod
    def load(cls, path: Path) -> "World":
        world = msgspec.json.decode(path.read_bytes(), type=cls)
        world.sending.clear()
        return world


def china_date(at: float) -> str:
    """WeChat counts its days in Beijing time."""
    return datetime.fromtimestamp(at, timezone(timedelta(hours=8))).date().isoformat()


def stable_openid(appid: str, person_id: str) -> str:
    """The same person has the same openid after every reset, so demos can be written down."""
    digest = hashlib.sha256(f"{appid}:{person_id}".encode()).digest()
    return "o" + base64.urlsafe_b64encode(digest).decode()[:27]


def new_person(
    person_id: str,
    name: str,
    *,
    phone: str | None = None,
    unionid: bool = True,
    follows: bool = False,
) -> Person:
    """`unionid=False` is an account that is bound to no Open Platform account."""
    return Person(
        id=person_id,
        name=name,
        openid=stable_openid(catalogue.APPID, person_id),
        service_openid=stable_openid(catalogue.SERVICE_APPID, person_id),
        unionid=stable_openid("open-platform", person_id) if unionid else None,
        phone=phone,
        follows=follows,
    )
