"""At the desk: a clerk scans a resident's pick-up code, or types it, and hands the goods over."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta

from chalicelib.kit import ids, limits, timers
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import settled, transaction
from chalicelib.mall import rules, stock
from chalicelib.mall.models import Redemption
from chalicelib.notices import service as notices
from chalicelib.people import rules as people_rules
from chalicelib.people import service as people
from chalicelib.people.service import Person
from chalicelib.wechat.codes import mini_program_code

# Opened by whoever scans a pick-up code; the code itself is in its scene.
DESK_PAGE = "pages/staff/redeem"
CODE_PICTURES_AN_HOUR = 30  # WeChat draws 5,000 a minute for all of us


def look_up(*, caller: Caller, code: str, now: datetime) -> Redemption:
    """What is to be handed over for this code, or why nothing is."""
    person = _at_a_desk(caller, now)
    redemption = _of_code(code)
    _may_hand_over(person, redemption, now)
    return redemption


def collect(*, caller: Caller, code: str, attempt: Attempt, now: datetime) -> Redemption:
    """Hand the goods over for this code, once."""
    known: Person | None = _at_a_desk(caller, now)
    found = _of_code(code)

    @settled(rules.MallBusy)
    def hand_over() -> Redemption:
        nonlocal known
        person, known = known or people.present(caller, now=now), None  # read anew when it is decided anew
        current = Redemption.fetch(found.pk, found.sk)
        if attempt.made(current):
            return current
        _may_hand_over(person, current, now)
        with transaction() as tx:
            handed_over(tx, current, "collected", person, attempt=attempt, now=now)
            notices.tell(tx, current.resident, "redemption_collected", about=current.id, now=now, **said(current))
        current.state, current.ended_at = "collected", now
        return current

    return hand_over()


def handed_over(
    tx: transaction,
    redemption: Redemption,
    state: str,
    person: Person,
    *,
    attempt: Attempt,
    now: datetime,
    without_code: str | None = None,
) -> None:
    """The end that everybody wants; by whom stays on it."""
    tx.update(
        redemption,
        [
            *Redemption.set(state=state, ended_at=now, ended_by=person.id),
            *([Redemption.without_code.set(without_code)] if without_code else []),
            *redemption.unlist(),
            *timers.stop(),
            *attempt.remember(),
        ],
        when=Redemption.state == "reserved",
        or_raise=Changed(),
    )
    stock.hand_out(tx, redemption.product_id, redemption.taken_from)
    person.still(tx)


def said(redemption: Redemption) -> dict[str, str]:
    """What messages say about a redemption."""
    return {"name": redemption.name, "quantity": f"{int(redemption.quantity)} {redemption.unit}"}


def code_picture(*, caller: Caller, redemption_id: str, now: datetime) -> tuple[str, str]:
    """The pick-up code, and a picture of it (as a data URL) for the clerk to scan. For its resident only."""
    mine: Redemption | None
    person, (mine,) = people.present_with(caller, Redemption.key(redemption_id), now=now)
    if mine is None or mine.resident != person.id:
        raise rules.RedemptionGone()
    if mine.state != "reserved":
        raise rules.NotNow(mine.state)
    with transaction() as tx:
        limits.spend(tx, caller.id, "code_picture", at_most=CODE_PICTURES_AN_HOUR, per=timedelta(hours=1), now=now)
    picture = mini_program_code(mine.code, DESK_PAGE)
    kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    return mine.code, f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def _at_a_desk(caller: Caller, now: datetime) -> Person:
    """Somebody who works at some desk; nobody else learns which codes exist, and nobody tries for ever."""
    person = people.present(caller, now=now)
    if not any(duty.role in people_rules.COUNTER and people_rules.in_force(duty, now) for duty in person.duties):
        raise people_rules.DutyNeeded()
    spend_a_try(caller, now)
    return person


def spend_a_try(caller: Caller, now: datetime) -> None:
    """Right and wrong codes count, or whoever guesses would only have to stop at the right one."""
    with transaction() as tx:
        tries = rules.settings_in_force().code_tries_an_hour
        limits.spend(tx, caller.id, "redemption_code", at_most=tries, per=timedelta(hours=1), now=now)


def _of_code(code: str) -> Redemption:
    found = Item.by_area.query(Redemption.with_code(ids.as_typed(code)))
    redemptions = [each for each in found if isinstance(each, Redemption)]
    if not redemptions:
        raise rules.CodeUnknown()
    # Forty random bits: two of the same are not to be expected, and the one that waits is meant.
    return min(redemptions, key=lambda each: each.state != "reserved")


def not_own(person: Person, redemption: Redemption) -> None:
    """Nobody hands to themselves what they redeemed, or what they may redeem for somebody else."""
    person.apart_from(redemption.resident, redemption.by, or_raise=rules.OwnRedemption())


def _may_hand_over(person: Person, redemption: Redemption, now: datetime) -> None:
    if not person.holds(people_rules.COUNTER, redemption.desk_area or ""):
        raise rules.CodeElsewhere(desk=redemption.desk_name or "")
    person.must_hold(people_rules.COUNTER, redemption.desk_area or "")
    not_own(person, redemption)
    if redemption.state == "expired" or (redemption.state == "reserved" and now >= redemption.collect_by):
        raise rules.CodeExpired()
    if redemption.state != "reserved":
        raise rules.CodeCancelled() if redemption.state == "cancelled" else rules.CodeUsed()
