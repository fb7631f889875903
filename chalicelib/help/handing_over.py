"""An offer kept: brought to the drop point (or done), and handed over to the one who asked."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta

from chalicelib.help import quantities, rules
from chalicelib.help.models import HelpRequest, Offer, PickUp
from chalicelib.help.quantities import settled
from chalicelib.help.sides import asker_or_carer, helps, not_helping, speaker, tell_asker
from chalicelib.kit import ids, limits, timers
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import read_together
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import rules as people_rules
from chalicelib.people import service as people
from chalicelib.people.service import Person
from chalicelib.wechat.codes import mini_program_code

CODE_LIFE = timedelta(days=60)
# Opened by whoever scans a pick-up code; the code itself is in its scene.
PICK_UP_PAGE = "pages/staff/pick-up"
CODE_PICTURES_AN_HOUR = 30  # WeChat draws 5,000 a minute for all of us


@settled
def drop_off(*, caller: Caller, request_id: str, offer_id: str, attempt: Attempt, now: datetime) -> Offer:
    """The helper has left the goods at the drop point (or has done what was asked)."""
    promised: Offer | None
    person, (promised,) = people.present_with(caller, Offer.key(request_id, offer_id), now=now)
    if promised is None or promised.helper != person.id:
        raise rules.OfferGone()
    if attempt.made(promised):
        return promised
    person.apart_from(promised.requester, or_raise=rules.OwnRequest(), tied=rules.TiedToAsker())
    rules.OFFER.check(promised.state, "dropped_off", or_raise=rules.NotNow(detail=rules.why_not(promised.state)))
    promised.dropped_off_at, promised.code = now, ids.pick_up_code() if promised.what == "goods" else None
    with person.acting() as tx:
        _drop(tx, promised, attempt, now)
        kind = "help_dropped_off" if promised.code else "help_done"
        said = {"helper": promised.helper_name, "place": promised.drop_point_name or ""}
        tell_asker(tx, promised, kind, now=now, area=promised.area, **said)
    promised.state = "dropped_off"
    return promised


def _drop(tx: transaction, promised: Offer, attempt: Attempt, now: datetime) -> None:
    remind_at = now + timedelta(hours=rules.settings_in_force().collect_reminder_hours)
    tx.update(
        promised,
        [
            *Offer.set(state="dropped_off", dropped_off_at=now),
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


@settled
def collect(*, caller: Caller, request_id: str, offer_id: str, attempt: Attempt, now: datetime) -> Offer:
    """The requester has the goods; for a request filed by staff, a carer of the area says so."""
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


def collect_by_code(*, caller: Caller, code: str, attempt: Attempt, now: datetime) -> Offer:
    """Staff at the drop point hand the goods to whoever shows the pick-up code."""
    clerk = people.present(caller, now=now)
    known: Person | None = clerk
    if not any(duty.role in people_rules.COUNTER and people_rules.in_force(duty, now) for duty in clerk.duties):
        raise people_rules.DutyNeeded()  # before the code is looked at: nobody else learns which ones exist
    with transaction() as tx:
        tries = rules.settings_in_force().pick_up_tries_an_hour
        limits.spend(tx, caller.id, "pick_up", at_most=tries, per=timedelta(hours=1), now=now)
    pick_up = PickUp.fetch(*_keys(PickUp.key(ids.as_typed(code))), or_raise=rules.CodeUnknown())

    @settled
    def hand_over() -> Offer:
        nonlocal known
        request: HelpRequest | None
        brought: Offer | None
        request, brought = read_together(
            HelpRequest.key(pick_up.request_id), Offer.key(pick_up.request_id, pick_up.offer_id)
        )
        if request is None or brought is None:
            raise rules.CodeUnknown()
        person, known = known or people.present(caller, now=now), None  # read anew when it is decided anew
        person.must_hold(people_rules.COUNTER, request.area)
        if attempt.made(brought):
            return brought
        if brought.state == "collected":
            raise rules.CodeUsed()
        return _hand_over(person, request, brought, attempt, now)

    return hand_over()


def _hand_over(person: Person, request: HelpRequest, brought: Offer, attempt: Attempt, now: datetime) -> Offer:
    not_helping(person, [brought])
    rules.OFFER.check(brought.state, "collected", or_raise=rules.NotNow(detail=rules.why_not(brought.state)))
    with person.acting() as tx:
        tx.update(
            brought,
            [*Offer.set(state="collected", collected_at=now), *timers.stop(), *attempt.remember()],
            when=Offer.state == "dropped_off",
            or_raise=Changed(),
        )
        quantities.collect(tx, request, int(brought.quantity), now=now)
        kind = "help_collected" if brought.what == "goods" else "help_confirmed"
        notices.tell(tx, brought.helper, kind, about=request.id, now=now, title=request.title)
    brought.state, brought.collected_at = "collected", now
    return brought


def code_picture(*, caller: Caller, request_id: str, offer_id: str, now: datetime) -> tuple[str, str]:
    """The pick-up code, and a picture of it (as a data URL) for staff to scan with WeChat. For the side that asked."""
    brought: Offer | None
    person, (brought,) = people.present_with(caller, Offer.key(request_id, offer_id), now=now)
    if brought is None:
        raise rules.OfferGone()
    person = speaker(caller, person, brought, now=now, or_raise=rules.OfferGone())
    if helps(caller, brought):
        raise rules.OwnHelp()
    if brought.state != "dropped_off" or brought.code is None:
        raise rules.NotNow(detail=rules.why_not(brought.state))
    with transaction() as tx:
        limits.spend(tx, caller.id, "code_picture", at_most=CODE_PICTURES_AN_HOUR, per=timedelta(hours=1), now=now)
    picture = mini_program_code(brought.code, PICK_UP_PAGE)
    kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    return brought.code, f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def _keys(item: PickUp) -> tuple[str, str]:
    return item.pk, item.sk
