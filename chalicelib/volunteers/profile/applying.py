"""A resident applies to volunteer, keeps what is known of them up to date, and leaves again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import msgspec

from chalicelib.areas import rules as area_rules
from chalicelib.areas import service as areas
from chalicelib.kit import clock, limits
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.notices import service as notices
from chalicelib.people import in_charge
from chalicelib.people import service as people
from chalicelib.people.models import Resident
from chalicelib.volunteers import rules
from chalicelib.volunteers.models import Volunteer
from chalicelib.volunteers.profile import files, follow_up, forgetting
from chalicelib.volunteers.profile.files import Personal, settled
from chalicelib.volunteers.rules import Contact


class Application(msgspec.Struct, frozen=True):
    """What somebody applies with, as filled in. Without an `area` it is for where they live."""

    name: str
    birth: date
    skills: Sequence[str]
    free_times: Sequence[str]
    contact: Contact
    area: str | None = None


@settled
def apply(*, caller: Caller, wish: Application, attempt: Attempt, now: datetime) -> Volunteer:
    """Ask to be a volunteer of an area; those who decide there are told. Again after having been declined or left."""
    wish = _checked(wish, now)
    file: Volunteer | None
    person, (file,) = people.present_with(caller, Volunteer.key(caller.id), now=now)
    if file and attempt.made(file):
        return file
    _check_may_apply(file)
    area = wish.area or _home(person.resident)
    personal = Personal(name=wish.name, birth=wish.birth, contact=wish.contact)
    values = {
        "state": "applied",
        "nickname": person.resident.nickname,
        "area": area,
        "skills": list(wish.skills),
        "free_times": list(wish.free_times),
        "minor": rules.needs_guardian(wish.birth, clock.day(now)),
        "applied_at": now,
        "decided_at": None,
        "decided_by": None,
        "declined_reason": None,
        **files.seal(person.id, personal),
        **Volunteer.listed(area, now),
        **forgetting.not_now(file),
    }
    a_day = rules.settings_in_force().applications_a_day
    with person.acting() as tx:
        limits.spend(tx, person.id, "volunteer", at_most=a_day, per=timedelta(days=1), now=now)
        applied = files.write(tx, file, person.id, values, also=files.remember(file, attempt))
        facts = {"nickname": applied.nickname, "place": areas.full_name(area)}
        deciders = in_charge.whom_to_tell(area, now=now, but=(person.id,), roles=("grid_worker", "community_worker"))
        for decider in deciders:
            notices.tell(tx, decider, "volunteer_applied", about=person.id, now=now, area=area, **facts)
    return applied


def _checked(wish: Application, now: datetime) -> Application:
    rules.checked_choice(skills=wish.skills, free_times=wish.free_times)
    if wish.area is not None and area_rules.at_level(areas.get(wish.area).code, "community") is None:
        raise area_rules.AreaUnknown(fields={"area": "请选到社区或更小的区域"})
    return msgspec.structs.replace(
        wish,
        name=rules.checked_name(wish.name),
        birth=rules.checked_birth(wish.birth, clock.day(now)),
        contact=rules.checked_contact(wish.contact, within="contact"),
    )


def _check_may_apply(file: Volunteer | None) -> None:
    state = file.state if file else "none"
    refusal = rules.AlreadyAVolunteer() if state == "approved" else rules.AlreadyApplied()
    rules.VOLUNTEER.check(state, "applied", or_raise=refusal)


def _home(resident: Resident) -> str:
    if resident.home is None or resident.home_state == "declined":
        raise rules.HomeNeeded()
    return resident.home


@settled
def change(
    *, caller: Caller, skills: Sequence[str], free_times: Sequence[str], contact: Contact, now: datetime
) -> Volunteer:
    """Keep what one applied with up to date. Name, birth date and area stay; for others one leaves and applies anew."""
    rules.checked_choice(skills=skills, free_times=free_times)
    reachable = rules.checked_contact(contact, within="contact")
    file: Volunteer | None
    person, (file,) = people.present_with(caller, Volunteer.key(caller.id), now=now)
    if file is None or file.state not in rules.IN_FORCE:
        raise rules.NoFileYet()
    sealed = files.seal(person.id, Personal(contact=reachable))
    values = {"skills": list(skills), "free_times": list(free_times), **sealed}
    with person.acting() as tx:
        return files.write(tx, file, person.id, values)


def leave(*, caller: Caller, attempt: Attempt, now: datetime) -> Volunteer:
    """Take an application back, or be a volunteer no more. Who they are is forgotten; their service records stay."""

    @settled
    def leave_once() -> Volunteer:
        file: Volunteer | None
        person, (file,) = people.present_with(caller, Volunteer.key(caller.id), now=now)
        if file and attempt.made(file):
            return file
        if file is None:
            raise rules.NothingToLeave()
        rules.VOLUNTEER.check(file.state, "left", or_raise=rules.NothingToLeave())
        values = {"state": "left", **files.forgotten(), **Volunteer.unlisted(), **follow_up.later(file, now)}
        with person.acting() as tx:
            return files.write(tx, file, person.id, values, also=files.remember(file, attempt))

    left = leave_once()
    follow_up.at_once(left, now=now)
    return left
