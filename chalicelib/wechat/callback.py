"""What WeChat tells us (消息推送): proof that it comes from WeChat, and the events in it as plain values.

Pure functions; the route keeps the answer within WeChat's five seconds by queueing what `receive` returns.
WeChat repeats a message up to three times, so each event has a fingerprint by which a repeat is known. A message that
is older than an hour is refused, and what is younger undoes nothing that is newer than itself (docs/decisions/0021).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from xml.parsers import expat

import msgspec

from chalicelib.kit.errors import Forbidden, Invalid, TooLarge
from chalicelib.kit.log import logger
from chalicelib.wechat import settings
from chalicelib.wechat.client import NotConfigured
from chalicelib.wechat.content import label, suggestion

LARGEST_BODY = 256 * 1024
# WeChat repeats a message within seconds and may take half an hour over a picture; clocks may be minutes apart.
OLDEST = timedelta(hours=1)
_DEEPEST = 8
_LONGEST_VALUE = 256  # WeChat's ids have at most 64 characters
_ECHO = r"[\x21-\x7e]{1,512}"


SignatureWrong = Forbidden.named("wechat_signature_wrong", "签名不对，这条消息不是微信发来的。")
MessageUnreadable = Invalid.named("wechat_message_unreadable", "消息的格式不对。")
MessageTooLarge = TooLarge.named("wechat_message_too_large", "消息太大。")
MessageTooOld = Forbidden.named("wechat_message_too_old", "这条消息是很久以前的，不再处理。")


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """`at` is when it happened, by WeChat's clock, in whole seconds, and never later than we were told of it.

    `fingerprint` is the same for every repeat of this event."""

    at: datetime
    fingerprint: str

    def undoes(self, given_at: datetime | None) -> bool:
        """May this event take back what somebody gave then? Only what was given in an earlier second.

        What has no time was given before there were times."""
        return given_at is None or given_at < self.at


class SubscribePopup(_Event, frozen=True):
    """Somebody answered the dialogue that asks for messages of a template."""

    openid: str
    template_id: str
    status: str  # accept | reject


class SubscribeChange(_Event, frozen=True):
    """Somebody changed their mind in WeChat's own settings; WeChat reports refusals only."""

    openid: str
    template_id: str
    status: str  # reject


class SubscribeSent(_Event, frozen=True):
    """The outcome of a message that WeChat had accepted; 0 is delivered."""

    openid: str
    template_id: str
    msgid: str
    error_code: int


class MediaChecked(_Event, frozen=True):
    """The verdict on a picture. With an `errcode` other than 0 there is none, e.g. -1008: could not be fetched."""

    trace_id: str
    suggest: Literal["pass", "risky", "review"]
    label: int
    errcode: int


class AuthorizationRevoked(_Event, frozen=True):
    """Somebody took back the use of some of their data; `revoke_info` says which, e.g. 8 is the phone number."""

    openid: str
    revoke_info: str


class AuthorizationCancelled(_Event, frozen=True):
    """Somebody closed their WeChat account: their personal data must go."""

    openid: str


class Unknown(_Event, frozen=True):
    """A message that nothing here waits for, by the name WeChat gives it.

    One of them is `user_info_modified`, WeChat's word that it has cleaned somebody's WeChat profile: names and
    pictures are never taken from there, and those chosen here were checked when they were chosen.
    """

    name: str


Event = (
    SubscribePopup
    | SubscribeChange
    | SubscribeSent
    | MediaChecked
    | AuthorizationRevoked
    | AuthorizationCancelled
    | Unknown
)


def confirm_url(query: Mapping[str, str]) -> str:
    """The echo that proves to WeChat that this address is ours (GET, when an administrator enters it)."""
    _verify(query.get("signature", ""), query)
    echo = query.get("echostr", "")
    if not re.fullmatch(_ECHO, echo):
        raise MessageUnreadable()
    return echo


def receive(query: Mapping[str, str], body: bytes, *, now: datetime) -> list[Event]:
    """The events in a message (POST), after proof that WeChat sent it within the hour.

    With an AES key in the settings only encrypted messages count: the plain signature does not cover the body,
    so whoever has seen one address of ours could sign anything."""
    if len(body) > LARGEST_BODY:
        raise MessageTooLarge()
    if settings.secrets().push_aes_key:
        sealed = _fields(body).get("Encrypt")
        encrypted = sealed if isinstance(sealed, str) else ""
        _verify(query.get("msg_signature", ""), query, encrypted)
        body = _decrypt(encrypted)
    else:
        _verify(query.get("signature", ""), query)
    sent_at = _moment(_number(query.get("timestamp")))
    events = parse(body)
    if min([sent_at, *(event.at for event in events)]) < now - OLDEST:
        raise MessageTooOld()
    return [msgspec.structs.replace(event, at=min(event.at, now)) for event in events]


def parse(body: bytes) -> list[Event]:
    """The events of a verified, decrypted message in JSON or XML; a list, because one message may tell of several
    templates. Numbers may come as text, lists of one as the thing itself."""
    message = _Message.read(_fields(body))
    read = _READERS.get(message.name)
    events = read(message) if read else None
    if events is not None:
        return events
    return [Unknown(name=message.name, **message.head(hashlib.sha256(body).hexdigest()))]


class _Message(msgspec.Struct, frozen=True):
    """What every message has, and the rest as it came."""

    name: str
    sender: str
    # In authorization events the sender is WeChat itself and the person has a field of their own.
    person: str
    created: int | None
    id: str
    data: dict[str, Any]

    @classmethod
    def read(cls, data: dict[str, Any]) -> _Message:
        return cls(
            name=_text(data.get("Event")) or _text(data.get("MsgType")),
            sender=_text(data.get("FromUserName")),
            person=_text(data.get("OpenID")),
            created=_number(data.get("CreateTime")),
            id=_text(data.get("MsgId")),
            data=data,
        )

    def head(self, *distinct: str) -> dict[str, Any]:
        """Time and fingerprint of one event of this message, told apart from its others by `distinct`."""
        at = _moment(self.created)
        parts = (self.sender, str(self.created), self.name, self.id, *distinct)
        return {"at": at, "fingerprint": hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:40]}


def _popups(message: _Message) -> list[Event]:
    return [
        SubscribePopup(openid=message.sender, template_id=template, status=status, **message.head(template, status))
        for template, status in _statuses(message.data, "SubscribeMsgPopupEvent")
    ]


def _changes(message: _Message) -> list[Event]:
    return [
        SubscribeChange(openid=message.sender, template_id=template, status=status, **message.head(template, status))
        for template, status in _statuses(message.data, "SubscribeMsgChangeEvent")
    ]


def _outcomes(message: _Message) -> list[Event]:
    return [
        SubscribeSent(
            openid=message.sender,
            template_id=_text(entry.get("TemplateId")),
            msgid=_text(entry.get("MsgID")),
            error_code=_number(entry.get("ErrorCode")) or 0,
            **message.head(_text(entry.get("TemplateId")), _text(entry.get("MsgID"))),
        )
        for entry in _entries(message.data, "SubscribeMsgSentEvent")
    ]


def _verdict(message: _Message) -> list[Event] | None:
    trace_id, result = _text(message.data.get("trace_id")), message.data.get("result")
    if not trace_id:
        return None
    result = result if isinstance(result, dict) else {}
    return [
        MediaChecked(
            trace_id=trace_id,
            suggest=suggestion(_text(result.get("suggest"))),
            label=label(_text(result.get("label"))),
            errcode=_number(message.data.get("errcode")) or 0,
            **message.head(trace_id),
        )
    ]


def _revoked(message: _Message) -> list[Event] | None:
    if not message.person:
        return None
    info = _text(message.data.get("RevokeInfo"))
    return [AuthorizationRevoked(openid=message.person, revoke_info=info, **message.head(message.person, info))]


def _cancelled(message: _Message) -> list[Event] | None:
    if not message.person:
        return None
    return [AuthorizationCancelled(openid=message.person, **message.head(message.person))]


# What each kind of message tells. None is a message of that name that lacks whom or what it is about.
_READERS: dict[str, Callable[[_Message], list[Event] | None]] = {
    "subscribe_msg_popup_event": _popups,
    "subscribe_msg_change_event": _changes,
    "subscribe_msg_sent_event": _outcomes,
    "wxa_media_check": _verdict,
    "user_authorization_revoke": _revoked,
    "user_authorization_cancellation": _cancelled,
}


def _verify(signature: str, query: Mapping[str, str], *signed: str) -> None:
    token = settings.secrets().push_token
    if not token:
        raise NotConfigured()
    parts = sorted(
        part.encode("utf-8", "replace") for part in (token, query.get("timestamp", ""), query.get("nonce", ""), *signed)
    )
    expected = hashlib.sha1(b"".join(parts), usedforsecurity=False).hexdigest()  # WeChat's choice
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
        raise SignatureWrong()


def _decrypt(encrypted: str) -> bytes:
    from wechatpy.crypto import PrpCrypto  # 150 ms: not at import

    secrets = settings.secrets()
    if not (re.fullmatch(r"[A-Za-z0-9]{43}", secrets.push_aes_key) and secrets.wechat_appid):
        raise NotConfigured()
    crypto = PrpCrypto(base64.b64decode(secrets.push_aes_key + "="))
    try:
        # wechatpy compares the appid inside with ours.
        message: str = crypto.decrypt(encrypted, secrets.wechat_appid)
    except Exception as error:  # noqa: BLE001  wechatpy checks little, so bad input ends in any of a dozen types
        logger.error("wechat_message_not_decrypted", extra={"error": type(error).__name__})
        raise SignatureWrong() from None
    return message.encode()


def _fields(body: bytes) -> dict[str, Any]:
    data = _from_xml(body) if body.lstrip()[:1] == b"<" else _from_json(body)
    if not isinstance(data, dict):
        raise MessageUnreadable()
    return data


def _from_json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise MessageUnreadable() from None


class _Refused(Exception):
    """Raised inside the parser's handlers to stop it at once."""


def _from_xml(body: bytes) -> object:
    """The root's children as a dict; repeated children as a list. A document type is refused where it begins,
    before any entity could be declared, so neither bombs nor outside entities get further."""
    levels: list[dict[str, Any]] = [{}]
    texts: list[list[str]] = [[]]

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(levels) > _DEEPEST:
            raise _Refused
        levels.append({})
        texts.append([])

    def end(name: str) -> None:
        children, text = levels.pop(), "".join(texts.pop()).strip()
        value: Any = children or text
        parent = levels[-1]
        if name not in parent:
            parent[name] = value
        elif isinstance(parent[name], list):
            parent[name].append(value)
        else:
            parent[name] = [parent[name], value]

    def refuse(*_: object) -> None:
        raise _Refused

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = lambda text: texts[-1].append(text)
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError, _Refused):
        raise MessageUnreadable() from None
    (root,) = levels[0].values()
    return root


def _statuses(data: dict[str, Any], wrapper: str) -> list[tuple[str, str]]:
    return [
        (_text(entry.get("TemplateId")), _text(entry.get("SubscribeStatusString"))) for entry in _entries(data, wrapper)
    ]


def _entries(data: dict[str, Any], wrapper: str) -> list[dict[str, Any]]:
    """XML wraps the list in an element named after the event, JSON does not; one entry may come without a list."""
    wrapped = data.get(wrapper)
    found = wrapped.get("List") if isinstance(wrapped, dict) else data.get("List")
    entries = found if isinstance(found, list) else [found]
    return [entry for entry in entries if isinstance(entry, dict) and _text(entry.get("TemplateId"))]


def _moment(seconds: int | None) -> datetime:
    """WeChat's time; what has none is from the beginning of time."""
    try:
        return datetime.fromtimestamp(seconds or 0, UTC)
    except (ValueError, OverflowError, OSError):
        raise MessageUnreadable() from None


def _text(value: object) -> str:
    if isinstance(value, str):
        # JSON can spell half a character, which nothing could store.
        return value[:_LONGEST_VALUE].encode("utf-8", "replace").decode()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _number(value: object) -> int | None:
    text = _text(value)
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else None
