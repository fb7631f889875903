"""A neighbour's offer, from the promise to the goods in the requester's hands."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.content import service as content
from chalicelib.content.service import Screening
from chalicelib.help import quantities, rules
from chalicelib.help.models import HelpRequest, Offer, PickUp
from chalicelib.help.quantities import Changed, settled
from chalicelib.help.sides import asker_or_carer
from chalicelib.kit import clock, ids, limits, timers
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.table import read_together
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import rules as people_rules
from chalicelib.people import service as people
from chalicelib.people.service import Person
from chalicelib.wechat.content import Scene

# Who may hand over goods at a drop point besides those who care for the area.
COUNTER = people_rules.CARERS | {"desk_clerk"}
CODE_LIFE = timedelta(days=60)


def offer(*, caller: Caller, request_id: str, quantity: int, message: str, attempt: Attempt, now: datetime) -> Offer:
    """Promise a quantity of what is needed. All offers together never exceed the need."""
    rules.refuse_phone_numbers([message])
    offer_id = attempt.id("offer")
    screening: Screening | None = None

    def promise() -> Offer:
        nonlocal screening
        request: HelpRequest | None
        mine: Offer | None
        person, (request, mine) = people.present_with(
            caller, HelpRequest.key(request_id), Offer.key(request_id, offer_id), now=now
        )
        if mine and attempt.made(mine):
            return mine
        _may_answer(person, request)
        with transaction() as tx:
            quantities.take(tx, request, quantity, now=now)
            screening = screening or content.screen(caller, scene=Scene.COMMENT, now=now, message=message)
            new = _new_offer(person, request, offer_id, quantity, message, now)
            new.message_state = "shown" if screening.passed else "hidden"
            new.marks = attempt.marks()
            tx.create(new, or_raise=Changed())
            content.hold(
                tx,
                screening,
                subject="offer_message",
                subject_pk=new.pk,
                subject_sk=new.sk,
                author_id=new.helper,
                area=request.area,
                excerpt=message,
                now=now,
            )
            a_day = rules.settings_in_force().offers_a_day
            limits.spend(tx, caller.id, "offer", at_most=a_day, per=timedelta(days=1), now=now)
            person.still(tx)
            _tell_owner(tx, request, "help_offered", now, helper=new.helper_name)
        return new

    return settled(promise)


def _may_answer(person: Person, request: HelpRequest | None) -> None:
    if request is None or request.state in ("in_review", "removed"):
        raise rules.RequestGone()
    if {person.id, person.caller.id} & {request.requester, request.by, request.filed_by}:
        raise rules.OwnRequest()


def _new_offer(
    person: Person, request: HelpRequest, offer_id: str, quantity: int, message: str, now: datetime
) -> Offer:
    new = Offer.key(request.id, offer_id)
    new.state, new.quantity, new.unit, new.message = "offered", quantity, request.unit, message
    new.helper, new.helper_name = person.id, person.resident.nickname
    new.by, new.by_name = person.by, person.by_name
    new.title, new.what, new.area = request.title, request.what, request.area
    new.requester, new.requester_name = request.owner, request.requester_name
    new.drop_point_name, new.created_at = request.drop_point_name, now
    new.person_key, new.person_sort = f"OFFERS_OF#{person.id}", clock.stamp(now)
    lapse = timers.fields(new.pk, "help.lapse", now + timedelta(hours=rules.settings_in_force().lapse_hours))
    for name, value in lapse.items():
        setattr(new, name, value)
    return new


def drop_off(*, caller: Caller, request_id: str, offer_id: str, attempt: Attempt, now: datetime) -> Offer:
    """The helper has left the goods at the drop point (or has done what was asked)."""

    def bring() -> Offer:
        promised: Offer | None
        person, (promised,) = people.present_with(caller, Offer.key(request_id, offer_id), now=now)
        if promised is None or promised.helper != person.id:
            raise rules.OfferGone()
        if attempt.made(promised):
            return promised
        rules.OFFER.check(promised.state, "dropped_off", or_raise=rules.NotNow(detail=_why_not(promised)))
        promised.dropped_off_at, promised.code = now, ids.pick_up_code() if promised.what == "goods" else None
        with transaction() as tx:
            _drop(tx, promised, attempt, now)
            person.still(tx)
            kind = "help_dropped_off" if promised.code else "help_done"
            _tell_offer_owner(tx, promised, kind, now, place=promised.drop_point_name or "")
        promised.state = "dropped_off"
        return promised

    return settled(bring)


def _drop(tx: transaction, promised: Offer, attempt: Attempt, now: datetime) -> None:
    remind_at = now + timedelta(hours=rules.settings_in_force().collect_reminder_hours)
    tx.update(
        promised,
        [
            Offer.state.set("dropped_off"),
            Offer.dropped_off_at.set(now),
            *([Offer.code.set(promised.code)] if promised.code else []),
            *timers.set_to(promised.pk, "help.remind", remind_at),
            *attempt.remember(),
        ],
        when=Offer.state == "offered",
        or_raise=Changed(),
    )
    if promised.code:
        pick_up = PickUp.key(promised.code)
        pick_up.request_id, pick_up.offer_id = promised.request_id, promised.id
        pick_up.expires_at = int((now + CODE_LIFE).timestamp())
        tx.create(pick_up, or_raise=Changed())


def collect(*, caller: Caller, request_id: str, offer_id: str, attempt: Attempt, now: datetime) -> Offer:
    """The requester has the goods; for a request filed by staff, a carer of the area says so."""

    def confirm() -> Offer:
        request: HelpRequest | None
        brought: Offer | None
        person, (request, brought) = people.present_with(
            caller, HelpRequest.key(request_id), Offer.key(request_id, offer_id), now=now
        )
        if request is None or brought is None:
            raise rules.OfferGone()
        if attempt.made(brought):
            return brought
        person = asker_or_carer(caller, person, request, now=now, or_raise=rules.OfferGone())
        return _hand_over(person, request, brought, attempt, now)

    return settled(confirm)


def collect_by_code(*, caller: Caller, code: str, attempt: Attempt, now: datetime) -> Offer:
    """Staff at the drop point hand the goods to whoever shows the pick-up code."""
    person = people.present(caller, now=now)
    if not any(duty.role in COUNTER for duty in person.duties):
        raise people_rules.DutyNeeded()  # before the code is looked at: nobody else learns which ones exist
    with transaction() as tx:
        tries = rules.settings_in_force().pick_up_tries_an_hour
        limits.spend(tx, caller.id, "pick_up", at_most=tries, per=timedelta(hours=1), now=now)
    pick_up = PickUp.fetch(*_keys(PickUp.key(ids.as_typed(code))), or_raise=rules.CodeUnknown())

    def hand_over() -> Offer:
        request: HelpRequest | None
        brought: Offer | None
        request, brought = read_together(
            HelpRequest.key(pick_up.request_id), Offer.key(pick_up.request_id, pick_up.offer_id)
        )
        if request is None or brought is None:
            raise rules.CodeUnknown()
        person.must_hold(COUNTER, request.area)
        if attempt.made(brought):
            return brought
        if brought.state == "collected":
            raise rules.CodeUsed()
        return _hand_over(person, request, brought, attempt, now)

    return settled(hand_over)


def _hand_over(person: Person, request: HelpRequest, brought: Offer, attempt: Attempt, now: datetime) -> Offer:
    rules.OFFER.check(brought.state, "collected", or_raise=rules.NotNow(detail=_why_not(brought)))
    with transaction() as tx:
        tx.update(
            brought,
            [Offer.state.set("collected"), Offer.collected_at.set(now), *timers.stop(), *attempt.remember()],
            when=Offer.state == "dropped_off",
            or_raise=Changed(),
        )
        quantities.collect(tx, request, int(brought.quantity), now=now)
        person.still(tx)
        notices.tell(tx, brought.helper, "help_collected", about=request.id, now=now, title=request.title)
    brought.state, brought.collected_at = "collected", now
    return brought


def cancel(*, caller: Caller, request_id: str, offer_id: str, attempt: Attempt, now: datetime) -> Offer:
    """The helper cannot help after all, or the requester does not want this offer: the quantity opens again.

    What has been brought already only a carer calls off, where nobody else can (see `sides`).
    """

    def call_off() -> Offer:
        request: HelpRequest | None
        promised: Offer | None
        person, (request, promised) = people.present_with(
            caller, HelpRequest.key(request_id), Offer.key(request_id, offer_id), now=now
        )
        if request is None or promised is None:
            raise rules.OfferGone()
        if attempt.made(promised):
            return promised
        other, name = request.owner, promised.helper_name
        if person.id != promised.helper:
            person = asker_or_carer(caller, person, request, now=now, or_raise=rules.OfferGone())
            other, name = promised.helper, request.requester_name
        # Goods that lie somewhere after an objection, a carer has looked into it: the helper takes them back.
        carer = person.id not in (promised.helper, request.requester)
        state = "returned" if promised.state == "dropped_off" and carer else "cancelled"
        rules.OFFER.check(promised.state, state, or_raise=rules.NotNow(detail=_why_not(promised)))
        with transaction() as tx:
            end(tx, promised, state, now, attempt, before=promised.state)
            quantities.give_back(tx, request, int(promised.quantity), now=now)
            person.still(tx)
            notices.tell(tx, other, "help_offer_cancelled", about=request.id, now=now, title=request.title, who=name)
        promised.state, promised.ended_at = state, now
        return promised

    return settled(call_off)


def end(
    tx: transaction,
    promised: Offer,
    state: str,
    now: datetime,
    attempt: Attempt | None = None,
    *,
    before: str = "offered",
) -> None:
    """Take an offer out of the running that nobody collected."""
    tx.update(
        promised,
        [
            Offer.state.set(state),
            Offer.ended_at.set(now),
            *timers.stop(),
            *(attempt.remember() if attempt else []),
        ],
        when=Offer.state == before,
        or_raise=Changed(),
    )


_WHY_NOT = {
    "offered": "邻居还没有送到或办好，请等对方送到后再确认。",
    "dropped_off": "已经送到或办好了，现在请求助人领取、确认。",
    "collected": "求助人已经收到，这次帮忙已经完成。",
    "cancelled": "这次认领已经取消。",
    "returned": "这次帮忙已经结束，请把东西取回。",
    "lapsed": "太久没有送到，这次认领已经失效，可以重新认领。",
}


def _why_not(promised: Offer) -> str:
    return _WHY_NOT[promised.state]


def _tell_owner(tx: transaction, request: HelpRequest, kind: str, now: datetime, **facts: str) -> None:
    notices.tell(tx, request.owner, kind, about=request.id, now=now, area=request.area, title=request.title, **facts)


def _tell_offer_owner(tx: transaction, promised: Offer, kind: str, now: datetime, **facts: str) -> None:
    notices.tell(
        tx,
        promised.requester,
        kind,
        about=promised.request_id,
        now=now,
        area=promised.area,
        title=promised.title,
        helper=promised.helper_name,
        **facts,
    )


def _keys(item: PickUp) -> tuple[str, str]:
    return item.pk, item.sk
