"""A neighbour's offer: promised, and perhaps called off. What is brought goes on in `handing_over`."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.content import service as content
from chalicelib.content.service import Screening
from chalicelib.help import quantities, rules
from chalicelib.help.models import HelpRequest, Offer
from chalicelib.help.quantities import settled
from chalicelib.help.sides import asker_or_carer, not_helping, sign, tell_asker
from chalicelib.kit import clock, limits, timers
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import service as people
from chalicelib.people.service import Person
from chalicelib.wechat.content import Scene


def offer(*, caller: Caller, request_id: str, quantity: int, message: str, attempt: Attempt, now: datetime) -> Offer:
    """Promise a quantity of what is needed. All offers together never exceed the need."""
    offer_id = attempt.id("offer")
    screening: Screening | None = None

    @settled
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
        with person.acting() as tx:
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
                about_whom=(request.requester, request.by),
                area=request.area,
                excerpt=message,
                now=now,
            )
            a_day = rules.settings_in_force().offers_a_day
            limits.spend(tx, caller.id, "offer", at_most=a_day, per=timedelta(days=1), now=now)
            sign(tx, person, new)
            tell_asker(tx, request, "help_offered", now=now, area=request.area, helper=new.helper_name)
        return new

    return promise()


def _may_answer(person: Person, request: HelpRequest | None) -> None:
    if request is None or request.state in ("in_review", "removed"):
        raise rules.RequestGone()
    theirs = (request.requester, request.by, request.filed_by)
    person.apart_from(*theirs, or_raise=rules.OwnRequest(), tied=rules.TiedToAsker())


def _new_offer(
    person: Person, request: HelpRequest, offer_id: str, quantity: int, message: str, now: datetime
) -> Offer:
    new = Offer.key(request.id, offer_id)
    new.state, new.quantity, new.unit, new.message = "offered", quantity, request.unit, message
    new.helper, new.helper_name = person.id, person.resident.nickname
    new.by, new.by_name = person.by, person.by_name
    new.title, new.what, new.area = request.title, request.what, request.area
    new.requester, new.requester_name = request.requester, request.requester_name
    new.drop_point_name, new.created_at = request.drop_point_name, now
    new.person_key, new.person_sort = f"OFFERS_OF#{person.id}", clock.stamp(now)
    timers.start(new, "help.lapse", now + timedelta(hours=rules.settings_in_force().lapse_hours))
    return new


@settled
def cancel(*, caller: Caller, request_id: str, offer_id: str, attempt: Attempt, now: datetime) -> Offer:
    """The helper cannot help after all, or the requester does not want this offer: the quantity opens again.

    What has been brought already only a carer calls off, where nobody else can (see `sides`).
    """
    request: HelpRequest | None
    promised: Offer | None
    person, (request, promised) = people.present_with(
        caller, HelpRequest.key(request_id), Offer.key(request_id, offer_id), now=now
    )
    if request is None or promised is None:
        raise rules.OfferGone()
    if attempt.made(promised):
        return promised
    by_helper = person.id == promised.helper
    if not by_helper:
        person = asker_or_carer(caller, person, request, now=now, or_raise=rules.OfferGone())
        if person.id != request.requester:
            not_helping(person, [promised])
    # Goods that lie somewhere after an objection, a carer has looked into it: the helper takes them back.
    carer = not by_helper and person.id != request.requester
    state = "returned" if promised.state == "dropped_off" and carer else "cancelled"
    rules.OFFER.check(promised.state, state, or_raise=rules.NotNow(detail=rules.why_not(promised.state)))
    with person.acting() as tx:
        end(tx, promised, state, now, attempt, before=promised.state)
        quantities.give_back(tx, request, int(promised.quantity), now=now)
        if by_helper:
            who = promised.helper_name
            tell_asker(tx, request, "help_offer_cancelled", now=now, area=request.area, who=who)
        else:
            tell_not_needed(tx, promised, why="由社区工作人员取消" if carer else "求助人取消了认领", now=now)
    promised.state, promised.ended_at = state, now
    return promised


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
            *Offer.set(state=state, ended_at=now),
            *timers.stop(),
            *(attempt.remember() if attempt else []),
        ],
        when=Offer.state == before,
        or_raise=Changed(),
    )


def tell_not_needed(tx: transaction, promised: Offer, *, why: str, now: datetime) -> None:
    """Tell the helper that the other side calls it off; goods that lie at the drop point are theirs to take back."""
    facts = {"title": promised.title, "why": why}
    if promised.state == "dropped_off" and promised.drop_point_name:
        kind, facts["place"] = "help_take_back", promised.drop_point_name
    else:
        kind = "help_not_needed"
    notices.tell(tx, promised.helper, kind, about=promised.request_id, now=now, area=promised.area, **facts)
