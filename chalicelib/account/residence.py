"""Where somebody lives: chosen by them, confirmed by the grid worker."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.account import rules
from chalicelib.areas import rules as area_rules
from chalicelib.areas import service as areas
from chalicelib.kit import clock, limits
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.table import Item, Page, page
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import homes
from chalicelib.people import rules as people_rules
from chalicelib.people import service as people
from chalicelib.people.models import Resident


def choose(*, caller: Caller, area: str, now: datetime) -> Resident:
    """Say where I live; the grid worker of the place is asked to confirm it."""
    areas.get(area)
    if area_rules.at_level(area, "community") is None:
        raise rules.HomeTooLarge(fields={"area": "请选到社区或更小的区域"})
    person = people.present(caller, now=now)
    if person.resident.home == area and person.resident.home_state in ("waiting", "confirmed"):
        return person.resident
    with transaction() as tx:
        tx.update(
            person.resident,
            [
                *Resident.set(home=area, home_state="waiting", home_reason=None),
                *([] if _stays(person.resident, area) else [Resident.home_since.set(now)]),
                *Resident.set(area_key=_waiting(area), area_sort=f"{area}#{clock.stamp(now)}"),
            ],
            when=person.condition(),
            or_raise=people_rules.SessionEnded(),
        )
        limits.spend(tx, person.id, "home", at_most=rules.HOME_CHANGES_A_DAY, per=timedelta(days=1), now=now)
        homes.moved(tx, person.id, home=area, now=now)
        for carer in people.holders("grid_worker", area, now=now):
            if carer != person.id:  # nobody confirms their own
                facts = {"nickname": person.resident.nickname, "place": areas.full_name(area)}
                notices.tell(tx, carer, "residence_waiting", about=person.id, now=now, **facts)
    person.resident.home, person.resident.home_state, person.resident.home_reason = area, "waiting", None
    return person.resident


def _stays(resident: Resident, area: str) -> bool:
    """Moves within the community, or says again what nobody has denied."""
    community = area_rules.at_level(area, "community")
    return community is not None and people_rules.lives_in(resident.home, resident.home_state, community)


def waiting(*, caller: Caller, area: str, cursor: str | None, now: datetime) -> Page[Resident]:
    """Homes in an area that wait to be confirmed, for its staff, the oldest first."""
    if not area_rules.well_formed(area):
        raise area_rules.AreaUnknown()
    people.present(caller, now=now).must_hold(people_rules.CARERS, area)
    return page(
        Item.by_area,
        _waiting(area),
        Item.area_sort.startswith(area),
        of=Resident,
        cursor=cursor,
        newest_first=False,
    )


def decide(
    *, caller: Caller, resident_id: str, area: str, reason: str | None, attempt: Attempt, now: datetime
) -> Resident:
    """Confirm that somebody lives where they said, or decline it with a reason that they are told.

    `area` is the home that was looked at: who has moved meanwhile has to be looked at again.
    """
    person = people.present(caller, now=now)
    resident = people.find(resident_id)
    if resident is None or resident.home is None:
        raise rules.ResidentUnknown()
    person.apart_from(resident.id, or_raise=rules.OwnResidence())
    if person.holds(people_rules.CARERS, resident.home) is None:
        raise rules.ResidentUnknown()
    person.must_hold(people_rules.CARERS, resident.home)
    if attempt.made(resident):
        return resident
    if resident.home != area:
        raise rules.NothingToConfirm()
    state = "declined" if reason else "confirmed"
    place = areas.full_name(resident.home)
    with person.acting() as tx:
        tx.update(
            resident,
            [
                Resident.home_state.set(state),
                Resident.home_reason.set(reason) if reason else Resident.home_reason.remove(),
                *Resident.set(area_key=None, area_sort=None),
                *attempt.remember_alone(),
            ],
            when=(Resident.state == "active") & (Resident.home_state == "waiting") & (Resident.home == area),
            or_raise=rules.NothingToConfirm(),
        )
        notices.tell(
            tx, resident.id, f"residence_{state}", about=resident.id, now=now, place=place, reason=reason or ""
        )
    resident.home_state, resident.home_reason = state, reason
    return resident


def _waiting(area: str) -> str:
    return f"RESIDENCE#{area_rules.district(area)}"
