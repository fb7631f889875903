"""Changing a shift that people have signed up for: they are told what is new, and may leave.

The shift changes in one write, with a round that then goes to everybody. A sign-up says which version its person knows
of, and which times and place they were told; what is new for them is the difference between that and the shift.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from chalicelib.content.rules import refuse_blank
from chalicelib.kit import clock, limits, timers
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed, Invalid
from chalicelib.kit.table import Action
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.shifts import rounds, rules
from chalicelib.shifts.in_charge import in_charge
from chalicelib.shifts.models import Round, Shift, SignUp, settled, times
from chalicelib.shifts.places import counting as places
from chalicelib.shifts.places import signing_up
from chalicelib.shifts.planning import place_check, plans
from chalicelib.shifts.planning.publishing import END
from chalicelib.volunteers import diary
from chalicelib.volunteers.models import Volunteer
from chalicelib.volunteers.rules import Clash, NeedsRest, Times, with_times

_MOVED = ("start", "place", "quorum")  # what stays as it is once people are there


class Change(msgspec.Struct, frozen=True):
    """What becomes different; None stays as it is. `version`: of the shift as it was shown."""

    version: int
    start: datetime | None = None
    end: datetime | None = None
    place: str | None = None
    capacity: int | None = None
    quorum: dict[str, int] | None = None


class _Terms(msgspec.Struct):
    start: datetime
    end: datetime
    place: str
    capacity: int
    quorum: Mapping[str, int]


def change(*, caller: Caller, shift_id: str, wanted: Change, attempt: Attempt, now: datetime) -> Shift:
    """Give a shift other times, another place, or room for others. Everybody on it is told within minutes."""
    checked: set[str] = set()

    @settled
    def act() -> Shift:
        person, shift, _ = in_charge(caller, shift_id, now=now)
        if attempt.made(shift):
            return shift
        if shift.state == "cancelled":
            raise rules.ShiftCancelled()
        if shift.state != "published" or now >= shift.end_at:
            raise rules.ShiftOver()
        if int(shift.version) != wanted.version:
            raise rules.Stale()
        before, after = _terms(shift), _wanted(shift, wanted)
        _check(shift, before, after, now)
        if after.place != before.place and after.place not in checked:
            place_check.check(person.caller, after.place, now=now)
            checked.add(after.place)
        with person.acting() as tx:
            _write(tx, shift, before, after, attempt, now)
            a_day = rules.settings_in_force().changes_a_day
            limits.spend(tx, person.id, "shift_change", at_most=a_day, per=timedelta(days=1), now=now)
        shift.start_at, shift.end_at, shift.place = after.start, after.end, after.place
        shift.capacity, shift.quorum, shift.version = after.capacity, dict(after.quorum), wanted.version + 1
        return shift

    return act()


def _terms(shift: Shift) -> _Terms:
    return _Terms(shift.start_at, shift.end_at, shift.place, int(shift.capacity), dict(shift.quorum))


def _wanted(shift: Shift, wanted: Change) -> _Terms:
    terms = _terms(shift)
    for name in ("start", "end", "place", "capacity", "quorum"):
        value = getattr(wanted, name)
        if value is not None:
            setattr(terms, name, value)
    return terms


def _check(shift: Shift, before: _Terms, after: _Terms, now: datetime) -> None:
    if before == after:
        raise Invalid("nothing_to_change", "没有改动，请先修改时间、地点或人数。")
    refuse_blank(place=after.place)
    moved_to = {
        name: getattr(after, name) for name in ("start", "end") if getattr(after, name) != getattr(before, name)
    }
    wrong = plans.length_faults(after.start, after.end) | plans.quorum_faults(after.capacity, after.quorum)
    wrong |= plans.uneven(**moved_to)
    if now >= before.start:
        moved = [name for name in _MOVED if getattr(before, name) != getattr(after, name)]
        wrong |= dict.fromkeys(moved, "班次已经开始，只能改结束时间和名额")
        if after.end != before.end and after.end < now:
            wrong.setdefault("end", "结束时间不能早于现在")
    elif after.start != before.start:
        if after.start <= now:
            wrong["start"] = "开始时间已经过去"
        elif after.start > now + plans.LATEST_START:
            wrong["start"] = "最多安排到一年以内"
    if wrong:
        raise Invalid(fields=wrong)
    if after.capacity < int(shift.taken):
        raise rules.FewerThanSignedUp(taken=int(shift.taken))
    for role, there in shift.staffed.items():
        if after.quorum.get(role, 0) < there:
            raise rules.RoleSignedUp(role, there)


def _write(tx: transaction, shift: Shift, before: _Terms, after: _Terms, attempt: Attempt, now: datetime) -> None:
    version = int(shift.version) + 1
    changes: list[Action] = [
        *Shift.set(
            start_at=after.start,
            end_at=after.end,
            place=after.place,
            capacity=after.capacity,
            quorum=dict(after.quorum),
            version=version,
        ),
        *attempt.remember_alone(),
    ]
    if after.start != before.start:
        changes += shift.relist(after.start)
    if after.end != before.end:
        changes += timers.set_to(shift.pk, END, after.end + rules.CLOSES_AFTER)
    still = places.as_planned(shift) & (Shift.taken <= after.capacity)
    if after.quorum != before.quorum:
        still = still & (Shift.staffed == shift.staffed)
    tx.update(shift, changes, when=still, or_raise=Changed())
    terms = rules.told_terms((before.capacity, after.capacity), (before.quorum, after.quorum))
    made = Round.of(shift, "changed", now, version=str(version), terms="；".join(terms))
    tx.create(made, or_raise=Changed())


def _moved(tx: transaction, file: Volunteer, whom: str, times: Times, now: datetime) -> list[str]:
    """Who has too little rest now keeps the place, which they may give back, and is told."""
    try:
        with_times(file.taken, times, now=now)
    except NeedsRest:
        diary.enter(tx, file, whom, times, now=now, rested=False)
        return ["和您的另一个班次离得近，休息时间可能不够，可以退出"]
    diary.enter(tx, file, whom, times, now=now)
    return []


@rounds.of("changed")
def tell(this: Round, shift: Shift, mine: SignUp, file: Volunteer | None, *, now: datetime) -> None:
    """Tell one person what is new for them, and move the time in their diary; or take them off, if they have not the
    time any more. Who has signed up since knows already."""
    version = int(this.facts["version"])
    if int(mine.told) >= version or shift.state == "cancelled" or mine.state not in _CONCERNED:
        return
    before = (mine.place, mine.start_at, mine.end_at)
    after = (shift.place, shift.start_at, shift.end_at)
    said, too_early = rules.told_changes(before, after), _came_too_early(shift, mine)
    with transaction() as tx:
        try:
            if before[1:] != after[1:] and file is not None:
                said += _moved(tx, file, mine.person, times(shift), now)
        except Clash:
            if now < shift.start_at and (mine.state in rules.EXPECTED or too_early):
                _take_off(tx, shift, mine, file, said, now)
                return
            # They are there, or about to be. Who has to go on to another shift leaves earlier.
            said.append("和您的另一个班次有重叠，可以提前离开")
        if too_early:
            said.append("原来的签到不算，到时请重新签到")
        if this.facts["terms"]:
            said.append(this.facts["terms"])
        _note(tx, shift, mine, version, moved=before != after, too_early=too_early, now=now)
        if said and file is not None:  # guests have none, nor has whoever has closed their account
            facts = {"title": shift.title, "changes": "；".join(said), "when": clock.spoken(shift.start_at)}
            kind = "shift_changed" if before != after else "shift_terms_changed"
            by = min(mine.start_at, shift.start_at) - rules.ON_THE_WAY
            notices.tell_in_time(
                tx, mine.person, kind, needed_by=by, about=shift.id, now=now, area=shift.area, facts=facts
            )


_CONCERNED = frozenset({"waiting", "signed_up", "checked_in"})


def _came_too_early(shift: Shift, mine: SignUp) -> bool:
    """Have they checked in for a start that was put off meanwhile? Nobody knows whether they will come again."""
    return mine.state == "checked_in" and mine.in_at is not None and mine.in_at < rules.opens(shift.start_at)


def _note(
    tx: transaction, shift: Shift, mine: SignUp, version: int, *, moved: bool, too_early: bool, now: datetime
) -> None:
    changes: list[Action] = [SignUp.told.set(version)]
    if moved:
        changes += SignUp.set(place=shift.place, start_at=shift.start_at, end_at=shift.end_at, changed_at=now)
        if mine.person_key:
            changes.append(SignUp.person_sort.set(f"{clock.stamp(shift.start_at)}#{shift.id}"))
    if too_early:
        changes += SignUp.set(state="signed_up", in_at=None, in_by=None)
    # Should the shift move again in this moment, that change has a round of its own. The shift itself is left alone
    # here: eight at once would hold it against each other.
    as_read = (SignUp.state == mine.state) & (SignUp.told == int(mine.told))
    tx.update(mine, changes, when=as_read, or_raise=Changed())


def _take_off(
    tx: transaction, shift: Shift, mine: SignUp, file: Volunteer | None, said: list[str], now: datetime
) -> None:
    """The new times are taken by another of their shifts. This is nobody's withdrawal, and never a late one."""
    signing_up.take_out(tx, shift, mine, file, by="shift", now=now)
    facts = {"title": shift.title, "changes": "；".join(said), "when": clock.spoken(shift.start_at)}
    kind, by = "shift_changed_clash", min(mine.start_at, shift.start_at) - rules.ON_THE_WAY
    notices.tell_in_time(tx, mine.person, kind, needed_by=by, about=shift.id, now=now, area=shift.area, facts=facts)


@rounds.finished("changed")
def fill(shift: Shift, *, now: datetime) -> None:
    """Places that came free meanwhile go to those who wait."""
    places.fill(shift.id, now=now)
