"""What WeChat tells us, on its way to whoever waits for it.

The callback's route only proves that a message is WeChat's and puts its events into a queue, because WeChat
wants its answer within five seconds. In the queue a person is the keyed hash of the openid, never the openid.
Slices above register for the events they wait for; `chalicelib.wechat_events` brings them together.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from chalicelib.kit import aws, log
from chalicelib.kit.errors import Unavailable
from chalicelib.notices import credits, push
from chalicelib.people.models import OpenidLink
from chalicelib.wechat import callback
from chalicelib.wechat.callback import Event, SubscribeChange, SubscribePopup, SubscribeSent

_IN_ONE_CALL = 10  # messages SQS takes at once
_PUNISHED = "wxa_punish_event"  # WeChat warns our account, or takes an ability from it; its console says which

Handler = Callable[..., None]
H = TypeVar("H", bound=Handler)
_handlers: dict[type[Any], Handler] = {}


class Told(msgspec.Struct, frozen=True):
    """One event in the queue. `link` finds the resident it is about, None when it is about nobody."""

    event: Event
    link: str | None


def on(kind: type[Any]) -> Callable[[H], H]:
    """Register `handler(event, *, resident_id, now)` for events of this kind; `resident_id` is None for those
    about nobody in particular. The same event may come more than once, and long after it happened: a handler asks
    `event.undoes` of whatever it would take back."""

    def register(handler: H) -> H:
        if kind in _handlers:
            raise ValueError(f"two handlers for {kind.__name__}")
        _handlers[kind] = handler
        return handler

    return register


on(SubscribePopup)(credits.popup_answered)
on(SubscribeChange)(credits.turned_off)
on(SubscribeSent)(push.failed_later)


class NotQueued(Unavailable):
    """SQS did not take an event: WeChat shall tell us again."""


def receive(query: Mapping[str, str], body: bytes, *, now: datetime) -> None:
    """Queue the events of a message from WeChat, after proof that it is from WeChat and no old one.

    How long they then wait in the queue does not matter."""
    known: list[Event] = []
    for event in callback.receive(query, body, now=now):
        if not isinstance(event, callback.Unknown):
            known.append(event)
        elif event.name == _PUNISHED:
            log.call_administrator("wechat_punishes_the_account")
        else:
            log.logger.info("wechat_event_unknown", extra={"event": event.name})
    for start in range(0, len(known), _IN_ONE_CALL):
        answer = aws.client("sqs").send_message_batch(
            QueueUrl=os.environ["WECHAT_EVENTS_QUEUE_URL"],
            Entries=[
                _entry(str(position), event) for position, event in enumerate(known[start : start + _IN_ONE_CALL])
            ],
        )
        if answer.get("Failed"):
            raise NotQueued()


def _entry(position: str, event: Event) -> dict[str, str]:
    told = Told(event, None)
    openid = getattr(event, "openid", None)
    if openid:
        told = Told(msgspec.structs.replace(event, openid=""), OpenidLink.key(openid).pk)
    return {
        "Id": position,
        "MessageBody": msgspec.json.encode(told).decode(),
        # One person's events one after the other; those about nobody need no order.
        "MessageGroupId": told.link or event.fingerprint,
        "MessageDeduplicationId": event.fingerprint,
    }


def handle(body: str, *, now: datetime) -> None:
    """Give one queued event to who waits for it."""
    told = msgspec.json.decode(body, type=Told)
    name = type(told.event).__name__
    resident_id = None
    if told.link:
        link = OpenidLink.find(told.link, "LINK")
        if link is None:
            log.count("wechat_event", kind=name, outcome="stranger")
            return
        resident_id = link.resident_id
    _handlers[type(told.event)](told.event, resident_id=resident_id, now=now)
    log.count("wechat_event", kind=name, outcome="handled")
