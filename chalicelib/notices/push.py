"""A notice on its way to the phone, once.

    tell → stream → queue → `deliver` ⟶ sent
                      ↑          └⟶ later ─┐
                      └──── `due` (timer) ←─┘

Stream and queue deliver at least once, and in the end perhaps not at all. So what counts is the notice: a
worker takes it from `waiting` to `sending` by a conditional write, with the credit it will use in the same
transaction, and only who took it sends. A message about a notice in any other state does nothing, however
often it comes, from wherever it was redriven. Every notice that is not done has a timer; the sweep hands it
to the queue again.

One thing cannot be known: whether WeChat sent a message when its answer, or our worker, was lost. Such a
notice is tried again, and counted as `push_answer_lost`.
"""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from chalicelib.kit import aws, clock, log, timers
from chalicelib.kit.errors import Unavailable
from chalicelib.kit.table import Action, Item, read_together
from chalicelib.kit.transaction import transaction
from chalicelib.kit.vault import KeyDestroyed
from chalicelib.notices import credits, rules, settings
from chalicelib.notices.catalogue import KINDS
from chalicelib.notices.models import Credit, Notice
from chalicelib.notices.service import PUSH_TIMER
from chalicelib.people import followers
from chalicelib.people import service as people
from chalicelib.people.models import Resident
from chalicelib.wechat import client, messages
from chalicelib.wechat.callback import SubscribeSent
from chalicelib.wechat.errors import Meaning, WeChatRefused, WeChatUnavailable

_IN_ONE_CALL = 10  # messages SQS takes at once
_CLAIM_TRIES = 3
_ENOUGH_SECONDS = 20  # what one notice may need at WeChat's slowest
_WAIT = {Meaning.QUOTA, Meaning.TOKEN, Meaning.USER_AWAY}
_LOOKED_THROUGH = 50  # recent notices among which a late failure is looked for


class Letter(msgspec.Struct, frozen=True):
    """What stands in the queue: which notice, to whom, and the template, so that all is read in one call."""

    to: str
    notice: str
    template: str
    sends: int = 0

    @classmethod
    def about(cls, notice: Notice, sends: int = 0) -> Letter:
        return cls(notice.resident_id, notice.id, notice.template or "", sends)


# ------------------------------------------------------------------------------------------- into the queue


def enqueue(letters: Sequence[Letter]) -> list[Letter]:
    """Put them into the queue, those of one person in their order. Returns those that SQS did not take."""
    refused: list[Letter] = []
    for start in range(0, len(letters), _IN_ONE_CALL):
        some = letters[start : start + _IN_ONE_CALL]
        answer = aws.client("sqs").send_message_batch(
            QueueUrl=os.environ["PUSH_QUEUE_URL"],
            Entries=[
                {
                    "Id": str(position),
                    "MessageBody": msgspec.json.encode(letter).decode(),
                    # One person's messages one after the other: WeChat refuses two at a time (43108).
                    "MessageGroupId": letter.to,
                    "MessageDeduplicationId": f"{letter.notice}-{letter.sends}",
                }
                for position, letter in enumerate(some)
            ],
        )
        refused += [some[int(failure["Id"])] for failure in answer.get("Failed", [])]
    return refused


class NotQueued(Unavailable):
    """SQS did not take a message."""


@timers.on(PUSH_TIMER)
def due(notice: Notice, *, now: datetime) -> None:
    """Hand a notice to the queue whose pause is over, or whose worker was never heard of again."""
    wait = _budget.wait(now, settings.current().push_per_minute)
    seen = (Notice.push_state == notice.push_state) & (Item.due_at == notice.due_at)
    if wait:
        notice.change(timers.set_to(notice.pk, PUSH_TIMER, now + wait), when=seen)
        return
    sends = int(notice.sends) + 1
    actions = [
        *Notice.set(push_state="waiting", sends=sends),
        *timers.set_to(notice.pk, PUSH_TIMER, now + rules.next_resend(max(sends - int(notice.paused), 0))),
    ]
    crashed = notice.push_state == "sending"
    if crashed:
        actions.append(Notice.answers_lost.add(1))
    if not notice.change(actions, when=seen):
        return
    if crashed:
        log.count("push_answer_lost")
    elif notice.push_state == "waiting":
        log.count("push_resent")
    if enqueue([Letter.about(notice, sends)]):
        raise NotQueued()


class _Budget:
    """What one sweep hands to the queue; the rest get their own places in the minutes after."""

    def __init__(self) -> None:
        self._now: datetime | None = None
        self._asked = 0

    def wait(self, now: datetime, per_minute: int) -> timedelta | None:
        if now != self._now:
            self._now, self._asked = now, 0
        turn, self._asked = self._asked, self._asked + 1
        return timedelta(minutes=turn // per_minute) if turn >= per_minute else None


_budget = _Budget()


# ------------------------------------------------------------------------------------------ out of the queue


class Channel(msgspec.Struct, frozen=True):
    """One way to the phone."""

    name: str  # long_term | one_time | service_account
    template_id: str
    fields: dict[str, str]  # the template's field for each value

    def data(self, notice: Notice) -> dict[str, str]:
        return {field: notice.values[value] for value, field in self.fields.items()}


class Outcome(msgspec.Struct, frozen=True):
    """What became of a try. With `due` it is `later`; `patience` counts it among the failures that lengthen pauses."""

    state: str
    errcode: int | None = None
    channel: str | None = None
    msgid: str | None = None
    answer_lost: bool = False
    due: datetime | None = None
    patience: bool = False


class Round:
    """One worker's round through a batch. Once WeChat does not answer, or asks for patience, the rest waits too."""

    def __init__(self, *, seconds_left: Callable[[], float], now: Callable[[], datetime] = clock.now) -> None:
        self._seconds_left, self._now = seconds_left, now
        self._stopped = False

    def deliver(self, body: str) -> None:
        """Push the notice that a message is about, if it is still to be pushed."""
        letter = msgspec.json.decode(body, type=Letter)
        for _ in range(_CLAIM_TRIES):
            try:
                self._deliver(letter, self._now())
                return
            except rules.CreditGone:
                continue  # look again what there is
            except rules.AlreadyTaken:
                log.count("push_repeat")
                return
        # Then its timer will bring it back.

    def _deliver(self, letter: Letter, now: datetime) -> None:
        options = settings.current()
        notice, resident, held = _read(letter, options)
        if notice is None or notice.push_state != "waiting":
            raise rules.AlreadyTaken()
        if resident is None or resident.state != "active" or not resident.consent_version:
            _close(notice, Outcome("gone"), now)
            return
        early_or_late = _too_early_or_late(notice, options, now)
        channels = [] if early_or_late else _channels(notice, resident, held, options)
        if early_or_late or not channels:
            _close(notice, early_or_late or Outcome("no_channel"), now)
        elif self._stopped or self._seconds_left() < _ENOUGH_SECONDS:
            _close(notice, _later(notice, now), now)
        else:
            try:
                openid = people.openid_of(resident)
            except KeyDestroyed:
                _close(notice, Outcome("gone"), now)
                return
            _take(notice, channels[0], now)
            self._send(notice, resident, openid, channels)

    def _send(self, notice: Notice, resident: Resident, openid: str, channels: list[Channel]) -> None:
        try:
            outcome = _through(channels, notice, resident, openid, self._now())
        except Exception:
            # Our own defect: nothing was sent, and whoever gets this message next may try.
            _record(notice, [Notice.push_state.set("waiting")])
            raise
        self._stopped = outcome.patience
        _close(notice, outcome, self._now())


def _read(letter: Letter, options: settings.Settings) -> tuple[Notice | None, Resident | None, dict[str, Credit]]:
    template = options.templates.get(letter.template)
    ids = template.subscribed if template else []
    notice, resident, *found = read_together(
        Notice.key(letter.to, letter.notice),
        Resident.key(letter.to),
        *(Credit.key(letter.to, template_id) for template_id in ids),
    )
    return notice, resident, {credit.template_id: credit for credit in found if credit}


def _too_early_or_late(notice: Notice, options: settings.Settings, now: datetime) -> Outcome | None:
    if notice.read_at:
        return Outcome("seen")
    if rules.too_old(notice.at, now, options.push_urgent_within_hours if notice.urgent else options.push_within_hours):
        return Outcome("expired")
    quiet_until = None if notice.urgent else rules.quiet_end(now, options.quiet)
    if quiet_until:
        return Outcome("later", due=quiet_until + rules.spread(notice.id, options.quiet_spread_minutes))
    return None


def _channels(notice: Notice, resident: Resident, held: dict[str, Credit], options: settings.Settings) -> list[Channel]:
    """The ways that are open now, the best first: a long-term template costs no credit."""
    return _open_channels(options, notice.template or "", resident, held, paid_with=notice.paid_with)


def _open_channels(
    options: settings.Settings, name: str, resident: Resident, held: dict[str, Credit], paid_with: str | None = None
) -> list[Channel]:
    template = options.templates.get(name)
    if template is None:
        return []
    found = []
    for way in ("long_term", "one_time", "service_account"):
        given: settings.Channel | None = getattr(template, way)
        if given is None:
            continue
        credit = held.get(given.id)
        open_now = {
            "long_term": bool(credit and credit.standing),
            "one_time": paid_with == given.id or rules.left(credit) > 0,
            "service_account": resident.service_openid_sealed is not None and client.has_service_account(),
        }
        if open_now[way]:
            found.append(Channel(way, given.id, given.fields or rules.fields(name)))
    return found


def reachable(kind: str, resident_ids: Sequence[str]) -> list[Resident]:
    """Of these residents those whose phone a push of this kind would reach now: who has credit, or follows the service
    account. One BatchGetItem per hundred items, at most three for each resident."""
    options, name = settings.current(), KINDS[kind].template or ""
    template = options.templates.get(name)
    if template is None or not resident_ids:
        return []
    keys: list[Item] = []
    for resident_id in resident_ids:
        keys += [Resident.key(resident_id), *(Credit.key(resident_id, each) for each in template.subscribed)]
    found = read_together(*keys)
    step = 1 + len(template.subscribed)
    reached = []
    for start in range(0, len(found), step):
        resident, *credits_held = found[start : start + step]
        held = {credit.template_id: credit for credit in credits_held if credit}
        there = resident is not None and resident.state == "active" and resident.consent_version
        if there and _open_channels(options, name, resident, held):
            reached.append(resident)
    return reached


def _take(notice: Notice, channel: Channel, now: datetime) -> None:
    """From `waiting` to `sending`, with the credit that the first channel needs. Only one worker gets this far."""
    pays = channel.name == "one_time" and notice.paid_with != channel.template_id
    actions = [
        Notice.push_state.set("sending"),
        Notice.tries.add(1),
        *([Notice.paid_with.set(channel.template_id)] if pays else []),
        *timers.set_to(notice.pk, PUSH_TIMER, now + rules.LEASE),
    ]
    with transaction() as tx:
        mine = (Notice.push_state == "waiting") & (Notice.tries == notice.tries)
        tx.update(notice, actions, when=mine, or_raise=rules.AlreadyTaken())
        if pays:
            credits.take(tx, notice.resident_id, channel.template_id)
    notice.push_state, notice.tries = "sending", int(notice.tries) + 1
    if pays:
        notice.paid_with = channel.template_id


def _through(channels: Iterable[Channel], notice: Notice, resident: Resident, openid: str, now: datetime) -> Outcome:
    """Try one channel after the other until WeChat takes it, or asks for patience."""
    errcode, failed = None, False
    for channel in channels:
        if channel.name == "one_time" and notice.paid_with != channel.template_id and not _pay(notice, channel):
            continue
        try:
            msgid = _hand_over(channel, notice, resident, openid)
        except WeChatRefused as refusal:
            errcode, failed = refusal.errcode, refusal.meaning is not Meaning.NO_CREDIT
            if refusal.meaning in _WAIT:
                return _later(notice, now, errcode=errcode, channel=channel.name)
            if refusal.meaning is Meaning.BUSY_USER:
                return Outcome("later", errcode, channel.name, due=now + rules.SHORT_PAUSE)
            if refusal.meaning is Meaning.NO_CREDIT and channel.name != "service_account":
                credits.void(notice.resident_id, channel.template_id, now=now)
                spent = notice.paid_with == channel.template_id
                if spent:
                    notice.paid_with = None
                if spent and notice.answers_lost:
                    # The try whose answer was lost has most likely used the last credit: another channel
                    # would say it twice, and calling it sent might be wrong.
                    return Outcome("unsure", errcode, channel.name)
        except messages.FieldBroken as broken:
            log.call_administrator("template_wrong", template=notice.template, reason=str(broken))
        except WeChatUnavailable as failure:
            if failure.answer_lost:
                log.count("push_answer_lost")
            return _later(notice, now, channel=channel.name, answer_lost=failure.answer_lost)
        except client.NotConfigured:
            return _later(notice, now, channel=channel.name)
        else:
            return Outcome("sent", None, channel.name, msgid)
    return Outcome("failed" if failed else "no_channel", errcode)


def _pay(notice: Notice, channel: Channel) -> bool:
    """Take a credit for a channel that is used because a better one failed."""
    try:
        with transaction() as tx:
            credits.take(tx, notice.resident_id, channel.template_id)
            tx.update(notice, [Notice.paid_with.set(channel.template_id)])
    except rules.CreditGone:
        return False
    notice.paid_with = channel.template_id
    return True


def _hand_over(channel: Channel, notice: Notice, resident: Resident, openid: str) -> str | None:
    data = channel.data(notice)
    if channel.name != "service_account":
        return messages.send_subscribe(openid=openid, template_id=channel.template_id, page=notice.page, data=data)
    return messages.send_template(
        openid=followers.openid_of(resident),
        template_id=channel.template_id,
        page=notice.page,
        data=data,
        # The same for every try: within ten minutes a repeat reaches the phone once.
        client_msg_id=hashlib.sha256(notice.id.encode()).hexdigest()[:32],
    )


def _later(
    notice: Notice, now: datetime, *, errcode: int | None = None, channel: str | None = None, answer_lost: bool = False
) -> Outcome:
    due = now + rules.pause(int(notice.paused), random.random())
    return Outcome("later", errcode, channel, None, answer_lost, due, patience=True)


# ------------------------------------------------------------------------------------------------- outcomes


def _close(notice: Notice, outcome: Outcome, now: datetime) -> None:
    """Write down what became of this try, for as long as it is still ours."""
    rules.PUSH.check(notice.push_state, outcome.state, or_raise=rules.AlreadyTaken())
    actions: list[Action] = [Notice.push_state.set(outcome.state)]
    facts: list[tuple[Any, Any]] = [
        (Notice.errcode, outcome.errcode),
        (Notice.channel, outcome.channel),
        (Notice.msgid, outcome.msgid),
        (Notice.sent_at, now if outcome.state == "sent" else None),
    ]
    actions += [attribute.set(value) for attribute, value in facts if value is not None]
    if outcome.answer_lost:
        actions.append(Notice.answers_lost.add(1))
    if outcome.patience:
        actions.append(Notice.paused.add(1))
    actions += timers.set_to(notice.pk, PUSH_TIMER, outcome.due) if outcome.due else timers.stop()
    spent = outcome.state == "unsure" or (outcome.state == "sent" and outcome.channel == "one_time")
    unspent = notice.paid_with if not spent and outcome.state != "later" else None
    if unspent or not notice.paid_with:
        actions.append(Notice.paid_with.remove())
    if outcome.state in rules.NOT_REACHED and notice.matters and not notice.read_at:
        actions += notice.onto_call_sheet()
    if not _record(notice, actions):
        return
    if unspent and not notice.answers_lost:
        credits.give_back(notice.resident_id, unspent)
    log.count("push", outcome=outcome.state, channel=outcome.channel or "none")


def _record(notice: Notice, actions: list[Action]) -> bool:
    return notice.change(actions, when=(Notice.push_state == notice.push_state) & (Notice.tries == notice.tries))


def failed_later(event: SubscribeSent, *, resident_id: str, now: datetime) -> None:
    """WeChat took a message and then could not deliver it, which only an event tells."""
    if event.error_code == 0:
        return
    recent = Notice.query(
        Resident.key(resident_id).pk,
        Item.sk.startswith(Notice.PREFIX),
        scan_index_forward=False,
        limit=_LOOKED_THROUGH,
    )
    notice = next((each for each in recent if each.msgid and each.msgid == event.msgid), None)
    if notice is None or notice.push_state != "sent":
        return
    actions: list[Action] = Notice.set(push_state="failed", errcode=event.error_code)
    seen = Notice.push_state == "sent"
    if notice.matters and not notice.read_at:
        actions += notice.onto_call_sheet()
        seen &= Notice.read_at.does_not_exist()  # who has read it since need not be called
    if notice.change(actions, when=seen):
        log.count("push", outcome="failed", channel=notice.channel or "none")
