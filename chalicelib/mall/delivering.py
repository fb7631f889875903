"""To the door: the grid worker has a list by building, and confirms with the resident's code, or a photo and a reason."""

from __future__ import annotations

import hmac
from datetime import datetime

import msgspec

from chalicelib.areas import rules as areas
from chalicelib.content import photos
from chalicelib.content.models import Photo
from chalicelib.kit import ids
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Item, page, read_together
from chalicelib.kit.transaction import settled, transaction
from chalicelib.mall import rules
from chalicelib.mall.collecting import handed_over, not_own, said, spend_a_try
from chalicelib.mall.models import Redemption
from chalicelib.notices import service as notices
from chalicelib.people import rules as people_rules
from chalicelib.people import service as people
from chalicelib.people.models import Resident
from chalicelib.people.service import Person

_UPLOADED = ("checking", "held", "shown")


class Delivery(msgspec.Struct, frozen=True):
    redemption: Redemption
    nickname: str


class Deliveries(msgspec.Struct, frozen=True):
    items: list[Delivery]
    next: str | None


def waiting(*, caller: Caller, area: str, cursor: str | None, now: datetime) -> Deliveries:
    """What is to be delivered in a grid or a micro-grid, building by building, the oldest first in each."""
    grid = areas.at_level(area, "grid") if areas.well_formed(area) else None
    if grid is None:
        raise areas.AreaUnknown(fields={"area": "请选到网格或微网格"})
    people.present(caller, now=now).must_hold(people_rules.CARERS, area)
    found = page(
        Item.by_area,
        Redemption.to_deliver(grid),
        Item.area_sort.startswith(area),
        of=Redemption,
        cursor=cursor,
        newest_first=False,
    )
    residents = read_together(*(Resident.key(each.resident) for each in found)) if found.items else []
    names = [resident.nickname if resident else people_rules.NICKNAME_OF_THE_CLOSED for resident in residents]
    return Deliveries([Delivery(*each) for each in zip(found.items, names, strict=True)], found.next)


def deliver_with_code(*, caller: Caller, redemption_id: str, code: str, attempt: Attempt, now: datetime) -> Redemption:
    """Handed over at the door to whoever shows the resident's code."""
    people.present(caller, now=now)  # a session that has ended spends no try
    spend_a_try(caller, now)
    key = Redemption.key(redemption_id)

    @settled(rules.MallBusy)
    def hand_over() -> Redemption:
        person = people.present(caller, now=now)
        current = _mine_to_deliver(person, Redemption.find(key.pk, key.sk))
        if attempt.made(current):
            return current
        if not hmac.compare_digest(ids.as_typed(code).encode(), current.code.encode()):
            raise rules.CodeUnknown(detail="兑换码不对，请居民打开“我的兑换”再核对一遍。")
        return _delivered(person, current, attempt, now)

    return hand_over()


@settled(rules.MallBusy)
def deliver_with_photo(
    *, caller: Caller, redemption_id: str, photo_id: str, reason: str, attempt: Attempt, now: datetime
) -> Redemption:
    """Left at the door, or with somebody: the photo shows it and the reason says why there was no code."""
    key = Redemption.key(redemption_id)
    person = people.present(caller, now=now)
    redemption, photo = read_together(key, Photo.key(key.pk, photo_id))
    current = _mine_to_deliver(person, redemption)
    if attempt.made(current):
        return current
    if photo is None or photo.state not in _UPLOADED:
        raise rules.PhotoNotThere()
    return _delivered(person, current, attempt, now, proof=photo, without_code=reason)


def add_photo(*, caller: Caller, redemption_id: str, attempt: Attempt, now: datetime) -> Photo:
    """Room for a photo of a delivery; the phone then uploads it with the form."""
    person = people.present(caller, now=now)
    redemption: Redemption | None
    key = Redemption.key(redemption_id)
    redemption, invited = read_together(key, Photo.key(key.pk, attempt.id("photo")))
    current = _mine_to_deliver(person, redemption)
    if invited and attempt.made(invited):
        return invited  # type: ignore[no-any-return]
    rules.REDEMPTION.check(current.state, "delivered", or_raise=rules.NotNow(current.state))
    return photos.add(
        current, counter=None, person=person, author_id=person.id, area=current.home or "", attempt=attempt, now=now
    )


def _mine_to_deliver(person: Person, redemption: Redemption | None) -> Redemption:
    """What this person, and not for themselves, may bring to the door; others learn nothing of it."""
    if redemption is None or redemption.home is None:
        raise rules.RedemptionGone()
    if person.holds(people_rules.CARERS, redemption.home) is None:
        raise rules.RedemptionGone()
    person.must_hold(people_rules.CARERS, redemption.home)
    not_own(person, redemption)
    return redemption


def _delivered(
    person: Person,
    current: Redemption,
    attempt: Attempt,
    now: datetime,
    *,
    proof: Photo | None = None,
    without_code: str | None = None,
) -> Redemption:
    rules.REDEMPTION.check(current.state, "delivered", or_raise=rules.NotNow(current.state))
    if now >= current.collect_by:
        raise rules.TooLateToCollect()
    with transaction() as tx:
        handed_over(tx, current, "delivered", person, attempt=attempt, now=now, without_code=without_code)
        if proof:
            tx.check(proof, when=Photo.state.is_in(*_UPLOADED), or_raise=Changed())
        kind = "redemption_left" if proof else "redemption_delivered"
        facts = said(current) | ({"reason": without_code} if without_code else {})
        notices.tell(tx, current.resident, kind, about=current.id, now=now, **facts)
    current.state, current.ended_at = "delivered", now
    return current
