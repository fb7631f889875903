"""What people have allowed us to send: told by their phones, told by WeChat, and used up one message at a time.

WeChat answers no question about it, so we keep count. Asking for it never earns anything: WeChat takes the
right to send from whoever rewards it.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from chalicelib.kit import limits
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Conflict
from chalicelib.kit.table import Action, Condition, InstantAttribute, Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices import rules, settings
from chalicelib.notices.catalogue import MOMENTS, Moment
from chalicelib.notices.models import Counted, Credit
from chalicelib.people import service as people
from chalicelib.people.models import partition
from chalicelib.wechat.callback import SubscribeChange, SubscribePopup

Answer = Literal["accept", "reject", "ban", "filter"]
REPORTS_AN_HOUR = 60  # a phone asks once for each act
_REMEMBERED = timedelta(days=2)  # a report, which phones repeat within minutes
_REMEMBERED_OF_WECHAT = timedelta(days=20)  # an event, which may lie in the queue and then in its dead letters for 18


class _AlreadyCounted(Conflict):
    """A repeat of something counted before."""


class _Overtaken(Conflict):
    """There is nothing to change, or the person has decided anew since."""


class ToAsk(msgspec.Struct, frozen=True):
    template_ids: list[str]
    long_term: bool


def to_ask(*, caller: Caller, moment: Moment) -> ToAsk:
    """The template ids to hand to `wx.requestSubscribeMessage` at this tap: none when there is enough in hand."""
    options = settings.current()
    templates = [options.templates[name] for name in MOMENTS[moment] if name in options.templates]
    wanted = [(t.long_term.id if t.long_term else None, t.one_time.id if t.one_time else None) for t in templates]
    held = {c.template_id: c for c in Item.collection(partition(caller.id), Credit.PREFIX) if isinstance(c, Credit)}
    return ToAsk(*rules.to_ask(wanted, held, options.credits_enough))


def report(*, caller: Caller, answers: dict[str, Answer], attempt: Attempt, now: datetime) -> None:
    """Count what the phone says the person answered to `wx.requestSubscribeMessage`."""
    options = settings.current()
    long_term = {template_id: options.template_with(template_id) for template_id in answers}
    if None in long_term.values():
        raise rules.TemplateUnknown()
    counted = Counted.key(caller.id, attempt.id("report"))
    counted.marks, counted.expires_at = attempt.marks(), int((now + _REMEMBERED).timestamp())
    try:
        with transaction() as tx:
            people.still_logged_in(tx, caller)
            limits.spend(tx, caller.id, "credits", at_most=REPORTS_AN_HOUR, per=timedelta(hours=1), now=now)
            if attempt.key:
                tx.create(counted, or_raise=_AlreadyCounted())
            for template_id, answer in answers.items():
                found = long_term[template_id]
                if found and found[1]:
                    _stand(tx, Credit.key(caller.id, template_id), answer == "accept", now)
                elif answer == "accept":
                    _count(tx, Credit.key(caller.id, template_id), "reported", now)
    except _AlreadyCounted:
        attempt.made(Counted.fetch(counted.pk, counted.sk))  # KeyReused when it said something else


def popup_answered(event: SubscribePopup, *, resident_id: str, now: datetime) -> None:
    """WeChat's word on the same answers. Its repeats are known by the event's fingerprint.

    It may come long after other decisions. Then an accept still counts, unless what was allowed by then has been voided,
    and it is not the latest word.
    """
    found = settings.current().template_with(event.template_id)
    if found is None:
        return
    long_term, accepted = found[1], event.status == "accept"
    credit, counted = Credit.key(resident_id, event.template_id), Counted.key(resident_id, event.fingerprint)
    counted.expires_at = int((now + _REMEMBERED_OF_WECHAT).timestamp())
    with suppress(_AlreadyCounted):
        try:
            with transaction() as tx:
                tx.create(counted, or_raise=_AlreadyCounted())
                if long_term:
                    _stand(tx, credit, accepted, event.at, when=_older(Credit.decided_at, event.at))
                elif accepted:
                    _count(tx, credit, "confirmed", event.at, when=_older(Credit.decided_at, event.at))
        except _Overtaken:
            if long_term:
                return
            with suppress(_Overtaken), transaction() as tx:
                tx.create(counted, or_raise=_AlreadyCounted())
                _count(tx, credit, "confirmed", None, when=_older(Credit.voided_at, event.at))


def turned_off(event: SubscribeChange, *, resident_id: str, now: datetime) -> None:
    """Somebody refused the template in WeChat's own settings: what they had allowed before is void."""
    if event.status == "reject" and settings.current().template_with(event.template_id):
        credit, older = Credit.key(resident_id, event.template_id), _older(Credit.decided_at, event.at)
        with suppress(_Overtaken), transaction() as tx:
            # Also where nothing is counted: the word on an accept before this one may be yet to come.
            tx.update(credit, _nothing(event.at), when=older, or_raise=_Overtaken(), create=True)


def take(tx: transaction, resident_id: str, template_id: str) -> None:
    """Use one, in the transaction of the push that it pays for. Raises CreditGone at its commit."""
    credit = Credit.key(resident_id, template_id)
    tx.update(credit, [Credit.used.add(1)], when=Credit.usable(), or_raise=rules.CreditGone())


def give_back(resident_id: str, template_id: str) -> None:
    """A push that never reached WeChat frees its credit."""
    credit = Credit.key(resident_id, template_id)
    with suppress(_Overtaken), transaction() as tx:
        tx.update(credit, [Credit.used.add(-1)], when=Credit.used >= 1, or_raise=_Overtaken())


def void(resident_id: str, template_id: str, *, now: datetime) -> None:
    """WeChat says that nothing is left (43101), whatever we had counted."""
    with transaction() as tx:
        tx.update(Credit.key(resident_id, template_id), _nothing(now), create=True)


def _count(
    tx: transaction,
    credit: Credit,
    by: Literal["reported", "confirmed"],
    at: datetime | None,
    *,
    when: Condition | None = None,
) -> None:
    sums = {"reported": Credit.reported, "confirmed": Credit.confirmed, "used": Credit.used}
    # A sum that is not there compares with nothing, so all three are always there.
    there = [each.add(1) if name == by else each.set(each | 0) for name, each in sums.items()]
    latest = [Credit.decided_at.set(at)] if at else []
    tx.update(credit, [*there, *latest], when=when, or_raise=_Overtaken(), create=True)


def _stand(tx: transaction, credit: Credit, accepted: bool, at: datetime, *, when: Condition | None = None) -> None:
    actions = Credit.set(standing=accepted, decided_at=at)
    tx.update(credit, actions, when=when, or_raise=_Overtaken(), create=True)


def _nothing(at: datetime) -> list[Action]:
    zero = Credit.set(reported=0, confirmed=0, used=0)
    return [*zero, *Credit.set(standing=False, decided_at=at, voided_at=at)]


def _older(since: InstantAttribute, at: datetime) -> Condition:
    """`Event.undoes`, as a condition."""
    older: Condition = since.does_not_exist() | (since < at)
    return older
