"""What is so about shifts, in plain Python: who has a place, who waits, whose time is taken, what counts as an hour.

Each act answers with the code of its refusal, or with "ok" and changes the model. For `tests/proof`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

LATE = timedelta(hours=12)
AFTER_A_CHANGE = timedelta(hours=24)  # nobody's withdrawal is late
OPENS = timedelta(minutes=30)
CLOSES = timedelta(hours=2)
NEITHER = {
    "checked_in": "already_checked_in",
    "checked_out": "already_checked_out",
    "waiting": "still_waiting",
    "no_show": "marked_absent",
}
HOLDS = ("signed_up", "checked_in", "checked_out", "no_show")


@dataclass
class Place:
    state: str
    at: datetime
    team: str | None = None
    late: int = 0
    changed_at: datetime | None = None  # when they were told of other times
    in_at: datetime | None = None
    out_at: datetime | None = None
    minutes: int | None = None  # once recorded


@dataclass
class Shift:
    start: datetime
    end: datetime
    capacity: int
    an_hour: int = 0
    state: str = "published"
    version: int = 0
    confirmed: bool = False
    cancelled_at: datetime | None = None
    places: dict[str, Place] = field(default_factory=dict)

    @property
    def taken(self) -> int:
        return sum(each.state in HOLDS for each in self.places.values())

    @property
    def queue(self) -> list[str]:
        """Who waits, in the order in which they came."""
        waiting = [(each.at, person) for person, each in self.places.items() if each.state == "waiting"]
        return [person for _, person in sorted(waiting)]

    @property
    def left(self) -> int:
        return 0 if self.queue else max(self.capacity - self.taken, 0)

    @property
    def over(self) -> datetime:
        """Until when its hours run."""
        return min(self.end, self.cancelled_at) if self.cancelled_at else self.end


@dataclass
class Gate:
    """All shifts, and what came of them for each volunteer."""

    shifts: dict[str, Shift] = field(default_factory=dict)
    points: dict[str, int] = field(default_factory=dict)

    def busy(self, person: str, shift: str, now: datetime) -> bool:
        """Is the person's time taken by another shift that overlaps this one?"""
        wanted = self.shifts[shift]
        return any(
            other != shift and each.end > now and each.start < wanted.end and wanted.start < each.end
            for other, each in self.of(person).items()
        )

    def of(self, person: str) -> dict[str, Shift]:
        """The shifts that take the person's time."""
        return {
            name: shift
            for name, shift in self.shifts.items()
            if shift.state != "cancelled" and person in shift.places and shift.places[person].state != "cancelled"
        }

    def may(self, person: str, name: str, now: datetime) -> str:
        shift = self.shifts[name]
        if person in shift.places and shift.places[person].state != "cancelled":
            return "already_signed_up"
        return closed(shift, now)

    def sign_up(self, person: str, name: str, *, wait: bool, now: datetime) -> str:
        shift = self.shifts[name]
        refused = self.may(person, name, now)
        if refused != "ok":
            return refused
        if not shift.left and not wait:
            return "shift_full"
        if self.busy(person, name, now):
            return "shifts_overlap"
        before = shift.places.get(person)
        state = "signed_up" if shift.left else "waiting"
        shift.places[person] = Place(state, now, late=before.late if before else 0)
        return "ok"

    def withdraw(self, person: str, name: str, now: datetime) -> str:
        shift = self.shifts[name]
        mine = shift.places.get(person)
        if mine is None or mine.state == "cancelled":
            return "not_signed_up"
        if shift.state == "cancelled":
            return "shift_cancelled"
        waits = mine.state == "waiting" and shift.state == "published"
        if not waits and (now >= shift.start or mine.state not in ("signed_up", "checked_in")):
            return "too_late_to_withdraw"
        mine.late += is_late(shift, mine, now)
        mine.state = "cancelled"
        self.fill(shift, now)
        return "ok"

    def fill(self, shift: Shift, now: datetime) -> None:
        """Whoever has waited longest comes in, as long as there is a place."""
        while shift.state == "published" and now < shift.start and shift.queue and shift.taken < shift.capacity:
            shift.places[shift.queue[0]].state = "signed_up"

    def team_sign_up(self, team: str, people: list[str], name: str, now: datetime) -> str:
        """All or none."""
        shift = self.shifts[name]
        refused = closed(shift, now)
        if refused != "ok":
            return refused
        if shift.left < len(people):
            return "only_some_places_left" if shift.left else "shift_full"
        for person in people:
            if self.may(person, name, now) != "ok":
                return "team_member_already_signed_up"
            if self.busy(person, name, now):
                return "team_member_busy"
        for person in people:
            before = shift.places.get(person)
            shift.places[person] = Place("signed_up", now, team, late=before.late if before else 0)
        return "ok"

    def team_withdraw(self, team: str, leader: str, name: str, now: datetime) -> str:
        """All who are still signed up with it; a late one is noted with the leader alone."""
        shift = self.shifts[name]
        with_it = {
            person: each for person, each in shift.places.items() if each.team == team and each.state == "signed_up"
        }
        if not with_it:
            return "team_not_signed_up"
        if now >= shift.start:
            return "too_late_to_withdraw"
        for person, mine in with_it.items():
            mine.late += person == leader and is_late(shift, mine, now)
            mine.state = "cancelled"
        self.fill(shift, now)
        return "ok"

    def elsewhere(self, person: str, name: str, now: datetime) -> bool:
        """Has the person another shift at this hour?"""
        return any(other != name and each.start - OPENS <= now < each.end for other, each in self.of(person).items())

    def check_in(self, person: str, name: str, now: datetime, *, listed: bool) -> str:
        """By the organiser's list, or by themself with the right code: then they are told which shift is theirs."""
        shift, mine = self.shifts[name], self.shifts[name].places.get(person)
        if listed and mine is None:
            return "not_on_the_list"
        theirs = "wrong_shift" if not listed and self.elsewhere(person, name, now) else None
        if shift.state == "cancelled":
            return "shift_cancelled"
        if mine is None or mine.state == "cancelled":
            return theirs or "not_signed_up"
        if listed and mine.state == "waiting" and shift.state == "published" and shift.start <= now < shift.end:
            if shift.taken >= shift.capacity:
                return "shift_full"
            mine.state, mine.in_at = "checked_in", now
            return "ok"
        if mine.state != "signed_up":
            return NEITHER[mine.state]
        if now >= shift.end or shift.state != "published":
            return theirs or "shift_over"
        if now < shift.start - OPENS:
            return theirs or "check_in_too_early"
        mine.state, mine.in_at = "checked_in", now
        return "ok"

    def check_out(self, person: str, name: str, now: datetime, *, listed: bool) -> str:
        shift, mine = self.shifts[name], self.shifts[name].places.get(person)
        if listed and mine is None:
            return "not_on_the_list"
        if mine is None or mine.state == "cancelled":
            if shift.state == "cancelled":
                return "shift_cancelled"
            return "wrong_shift" if not listed and self.elsewhere(person, name, now) else "not_signed_up"
        if mine.state == "signed_up":
            return "not_checked_in"
        if mine.state != "checked_in":
            return NEITHER[mine.state]
        if shift.state != "published" or now >= shift.end + CLOSES:
            return "shift_over"
        if now < shift.start:
            return "check_out_too_early"
        mine.state, mine.out_at = "checked_out", now
        return "ok"

    def cancel(self, name: str, now: datetime) -> str:
        """And everybody is told: whoever is there has served until now."""
        shift = self.shifts[name]
        if shift.state == "cancelled":
            return "shift_cancelled"
        if shift.state != "published" or now >= shift.end:
            return "shift_over"
        shift.state, shift.cancelled_at, shift.version = "cancelled", now, shift.version + 1
        for mine in shift.places.values():
            if mine.state == "checked_in" and now > shift.start:
                mine.state, mine.out_at = "checked_out", now
            elif mine.state in ("signed_up", "waiting", "checked_in"):
                mine.state = "cancelled"
        return "ok"

    def settle(self, name: str) -> None:
        """The shift is over: who has not come has not come, who forgot to check out was there until the end."""
        shift = self.shifts[name]
        shift.state = "ended" if shift.state == "published" else shift.state
        for mine in shift.places.values():
            if mine.state == "waiting":
                mine.state = "cancelled"
            elif mine.state == "signed_up":
                mine.state = "no_show"
            elif mine.state == "checked_in":
                mine.state, mine.out_at = "checked_out", shift.over

    def confirm(self, name: str, now: datetime) -> str:
        """The hours of everybody who was there count, and earn, once."""
        shift = self.shifts[name]
        if shift.confirmed:
            return "hours_already_confirmed"
        if shift.cancelled_at and shift.cancelled_at <= shift.start:
            return "shift_never_began"
        if now < shift.over:
            return "shift_not_over"
        self.settle(name)
        shift.confirmed = True
        for person, mine in shift.places.items():
            if mine.state == "checked_out" and mine.minutes is None:
                assert mine.in_at
                assert mine.out_at
                minutes = served(mine.in_at, mine.out_at, shift.start, shift.over)
                if minutes:
                    mine.minutes = minutes
                    self.points[person] = self.points.get(person, 0) + minutes * shift.an_hour // 60
        return "ok"

    def correct(self, person: str, name: str, minutes: int) -> None:
        """Other minutes are in force, and the points follow: nobody has spent any."""
        shift, mine = self.shifts[name], self.shifts[name].places[person]
        due, was = (each * shift.an_hour // 60 for each in (minutes, mine.minutes or 0))
        self.points[person] = self.points.get(person, 0) + due - was
        mine.minutes, mine.state = minutes, "checked_out"

    def minutes(self, person: str) -> int:
        return sum(shift.places[person].minutes or 0 for shift in self.shifts.values() if person in shift.places)


def is_late(shift: Shift, mine: Place, now: datetime) -> bool:
    told = mine.changed_at is not None and now - mine.changed_at < AFTER_A_CHANGE
    return mine.state != "waiting" and shift.start - now < LATE and not told


def closed(shift: Shift, now: datetime) -> str:
    if shift.state == "cancelled":
        return "shift_cancelled"
    return "ok" if shift.state == "published" and now < shift.start else "sign_up_closed"


def served(came: datetime, left: datetime, start: datetime, end: datetime) -> int:
    return max(int((min(left, end) - max(came, start)).total_seconds()) // 60, 0)
