"""Activities and their shifts, who has signed up for them, and what everybody on a shift has yet to be told."""

from __future__ import annotations

from datetime import datetime

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.areas import rules as areas
from chalicelib.kit import clock, timers
from chalicelib.kit import transaction as transactions
from chalicelib.kit.attempt import Remembers
from chalicelib.kit.table import Action, CompactJSONAttribute, InstantAttribute, Item
from chalicelib.notices.models import Willing
from chalicelib.shifts import rules
from chalicelib.volunteers.rules import Times


class Activity(Remembers, discriminator="activity"):
    """`ACTIVITY#<activity>` / `ACTIVITY`: what somebody wants to get done with volunteers' help, and its planned shifts.

    by_person: `ACTIVITIES_OF#<organiser>` / `<time>`: what somebody organises, drafts too.
    by_due: timer `shifts.announce` from its publication, and again when shifts were added, until those who want to know
        have been told; `shifts.cancel_rest` when it is cancelled, until all its shifts are.
    """

    state = UnicodeAttribute()  # rules.ACTIVITY
    title = UnicodeAttribute()
    text = UnicodeAttribute()
    service = UnicodeAttribute()  # rules.SERVICES
    area = UnicodeAttribute()
    audience = UnicodeAttribute()  # whoever lives there may sign up
    organiser = UnicodeAttribute(null=True)  # None once their account is closed
    organiser_name = UnicodeAttribute()
    needs_approval = BooleanAttribute(default=True)
    points_an_hour = NumberAttribute(default=0)
    # The shifts to come, until they are published: `[{"start", "end", "place", "capacity", "quorum"}]`
    plan = CompactJSONAttribute(default=list)
    shifts = CompactJSONAttribute(default=list)  # ids of those that were published
    told_of = NumberAttribute(default=0)  # so many of them, the first, were announced
    # What people see of it, or which shifts it has, is changed only as it was read, and raises this.
    version = NumberAttribute(default=0)
    created_at = InstantAttribute()
    published_at = InstantAttribute(null=True)
    added_at = InstantAttribute(null=True)  # when shifts were last added to those that were published
    cancelled_at = InstantAttribute(null=True)
    reason = UnicodeAttribute(null=True)  # of a cancellation, or of a moderator's refusal

    @classmethod
    def named(cls, activity_id: str) -> Activity:
        """The activity with this id, or ActivityGone."""
        key = cls.key(activity_id)
        return cls.fetch(key.pk, key.sk, or_raise=rules.ActivityGone())

    @classmethod
    def key(cls, activity_id: str) -> Activity:
        return cls(f"ACTIVITY#{activity_id}", "ACTIVITY")

    @property
    def id(self) -> str:
        return self.pk.removeprefix("ACTIVITY#")

    def list_it(self) -> None:
        self.person_key, self.person_sort = activities_of(str(self.organiser)), clock.stamp(self.created_at)


class Shift(Remembers, discriminator="shift"):
    """`SHIFT#<shift>` / `SHIFT`: one time at one place, how many it takes, and how many places are taken.

    by_area: `SHIFTS#<community, or larger area>` / `<start>#<shift>` while it is not cancelled.
    by_person: `SHIFTS_RUN_BY#<organiser>` / `<start>#<shift>`: those to run.
    by_due: timer `shifts.end` two hours after its end, then `shifts.unconfirmed` while its hours wait for confirmation.

    `taken` and `waiting` count sign-ups of volunteers, `staffed` those who come in a role: decided in the write of
    each sign-up. What the organiser changes raises `version`, and a sign-up counts only on the version it has read.
    """

    state = UnicodeAttribute()  # rules.SHIFT
    activity = UnicodeAttribute()
    title = UnicodeAttribute()
    service = UnicodeAttribute()
    area = UnicodeAttribute()
    audience = UnicodeAttribute()
    place = UnicodeAttribute()
    organiser = UnicodeAttribute(null=True)
    organiser_name = UnicodeAttribute()
    start_at = InstantAttribute()
    end_at = InstantAttribute()
    capacity = NumberAttribute()  # of volunteers; roles of the quorum have places of their own
    quorum = CompactJSONAttribute(default=dict)  # `{"volunteer": 2, "community_worker": 1}`
    needs_approval = BooleanAttribute(default=True)
    points_an_hour = NumberAttribute(default=0)
    taken = NumberAttribute(default=0)
    waiting = NumberAttribute(default=0)
    staffed = CompactJSONAttribute(default=dict)  # `{"community_worker": 1}`
    version = NumberAttribute(default=0)
    cancelled_at = InstantAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    ended_at = InstantAttribute(null=True)
    confirmed_at = InstantAttribute(null=True)
    confirmed_by = UnicodeAttribute(null=True)
    confirmed_by_name = UnicodeAttribute(null=True)
    left_out = CompactJSONAttribute(default=list)  # people whose hours the confirmation does not count
    not_theirs = CompactJSONAttribute(default=list)  # nor these, who are joined to who confirmed by a delegation

    @classmethod
    def key(cls, shift_id: str) -> Shift:
        return cls(partition(shift_id), "SHIFT")

    @property
    def id(self) -> str:
        """As it is known outside: with its area, so that a duty over it is read together with the shift."""
        return f"{self.pk.removeprefix('SHIFT#')}.{self.area}"

    @property
    def left(self) -> int:
        """Free places for volunteers. Those who wait come first."""
        return max(int(self.capacity) - int(self.taken), 0) if not int(self.waiting) else 0

    @property
    def missing(self) -> dict[str, int]:
        return rules.missing(self.quorum, volunteers=int(self.taken), staffed=self.staffed)

    def list_it(self) -> None:
        """Its place in the lists, for a new shift or one whose start has changed."""
        place = f"{clock.stamp(self.start_at)}#{self.id}"
        self.area_key, self.area_sort = listed(self.area), place
        if self.organiser:
            self.person_key, self.person_sort = run_by(self.organiser), place

    @staticmethod
    def unlist() -> list[Action]:
        return Shift.set(area_key=None, area_sort=None)

    def relist(self, start: datetime) -> list[Action]:
        """Its place in the lists when it starts at another time."""
        place = f"{clock.stamp(start)}#{self.id}"
        run = [Shift.person_sort.set(place)] if self.organiser else []
        return [Shift.area_sort.set(place), *run]


class SignUp(Remembers, discriminator="sign_up"):
    """`SHIFT#<shift>` / `SIGN_UP#<person>`: somebody's place on a shift or on its waiting list, and what became of it.

    by_person: `SHIFTS_OF#<person>` / `<start>#<shift>`: my shifts. Title and times are the shift's, kept up to date.
    """

    PREFIX = "SIGN_UP#"

    state = UnicodeAttribute()  # rules.SIGN_UP
    shift = UnicodeAttribute()
    name = UnicodeAttribute()
    role = UnicodeAttribute(null=True)  # comes as a staff member, not as a volunteer
    team = UnicodeAttribute(null=True)
    team_name = UnicodeAttribute(null=True)
    added_by = UnicodeAttribute(null=True)  # the organiser who added them
    rest_reason = UnicodeAttribute(null=True)  # why, though they had too little rest
    guest = BooleanAttribute(null=True)  # added by name, without an account: no hours of their own
    title = UnicodeAttribute()
    place = UnicodeAttribute()
    start_at = InstantAttribute()
    end_at = InstantAttribute()
    told = NumberAttribute()  # the shift's version they know of
    changed_at = InstantAttribute(null=True)  # when they were last told of another time or place
    at = InstantAttribute()  # when they asked: the order of the waiting list
    times_that_day = NumberAttribute(default=1)  # that they have asked for this shift
    late_withdrawals = NumberAttribute(default=0)
    cancelled_at = InstantAttribute(null=True)
    # self | guardian | team | organiser | duty (its role is over) | shift (cancelled, or moved to a time they have not)
    cancelled_by = UnicodeAttribute(null=True)
    in_at = InstantAttribute(null=True)
    in_by = UnicodeAttribute(null=True)  # qr | code | <organiser's id>
    out_at = InstantAttribute(null=True)
    out_by = UnicodeAttribute(null=True)  # qr | code | <organiser's id> | forgotten | cancelled
    minutes = NumberAttribute(null=True)  # once recorded
    recorded_at = InstantAttribute(null=True)
    name_sealed = BinaryAttribute(legacy_encoding=False, null=True)  # of a guest, with the key of the shift's guests

    @classmethod
    def key(cls, shift_id: str, person: str) -> SignUp:
        return cls(partition(shift_id), f"{cls.PREFIX}{person}")

    @property
    def person(self) -> str:
        return self.sk.removeprefix(self.PREFIX)

    def list_it(self) -> None:
        self.person_key, self.person_sort = shifts_of(self.person), f"{clock.stamp(self.start_at)}#{self.shift}"


class Waiting(Item, discriminator="waiting"):
    """`SHIFT#<shift>` / `WAIT#<time>#<person>`: a place in the queue. The first of them is promoted when a place is free."""

    PREFIX = "WAIT#"

    @classmethod
    def of(cls, sign_up: SignUp) -> Waiting:
        return cls(sign_up.pk, f"{cls.PREFIX}{clock.stamp(sign_up.at)}#{sign_up.person}")

    @property
    def person(self) -> str:
        return self.sk.rpartition("#")[2]


class Round(Item, discriminator="shift_round"):
    """`SHIFT#<shift>` / `ROUND#<time>#<what>[#<team>]`: what has yet to be done for everybody on a shift, one after the other.

    by_due: timer `shifts.round` until everybody has had their turn; then it is removed.
    """

    PREFIX = "ROUND#"
    TIMER = "shifts.round"

    what = UnicodeAttribute()  # changed | cancelled | settled | team_joined | team_left
    facts = CompactJSONAttribute(default=dict)  # of the message: what was changed, why it was cancelled
    reached = UnicodeAttribute(default="")  # SK of the sign-up up to which it is done
    left = CompactJSONAttribute(default=list)  # people before that for whom it has failed, and is tried again
    read_all = BooleanAttribute(null=True)  # the last sign-up was reached: what remains are those left

    @classmethod
    def of(cls, shift: Shift, what: str, now: datetime, *, team: str | None = None, **facts: str) -> Round:
        """`team`: whose round it is, where several may begin in the same moment."""
        if team:
            facts["team"] = team
        made: Round = cls(
            shift.pk,
            "#".join([f"{cls.PREFIX}{clock.stamp(now)}", what, *([team] if team else [])]),
            what=what,
            facts=facts,
            **timers.fields(shift.pk, cls.TIMER, now),
        )
        return made

    @property
    def begun_at(self) -> datetime:
        return clock.from_stamp(self.sk.removeprefix(self.PREFIX).partition("#")[0])


class ShiftAlert(Willing, discriminator="shift_alert"):
    """`RES#<resident id>` / `SHIFT_ALERT`: this volunteer wants to hear of new shifts near their home.

    by_area: `SHIFT_ALERT#<district>` / `<home>#<resident id>`: those who live in any area of it.
    """

    SK = "SHIFT_ALERT"

    @classmethod
    def place(cls, resident_id: str, home: str) -> tuple[str, str]:
        return cls.listed(home), f"{home}#{resident_id}"

    @staticmethod
    def listed(area: str) -> str:
        return f"SHIFT_ALERT#{areas.district(area)}"

    @property
    def home(self) -> str:
        return (self.area_sort or "").partition("#")[0]


class HoursCorrection(Remembers, discriminator="hours_correction"):
    """`VOLUNTEER#<resident>` / `CORRECTION#<shift>`: what somebody says is wrong with their hours of a shift.

    by_area: `HOURS_CORRECTIONS#<district>` / `<area>#<time>#<resident>` while it waits for a decision.
    One for each shift, the latest: those decided before are in `earlier`.
    """

    PREFIX = "CORRECTION#"

    state = UnicodeAttribute()  # hours_rules.CORRECTION
    number = NumberAttribute()  # 1, 2, … of this person and shift
    shift = UnicodeAttribute()
    name = UnicodeAttribute()
    title = UnicodeAttribute()
    area = UnicodeAttribute()
    start_at = InstantAttribute()
    end_at = InstantAttribute()
    recorded = NumberAttribute(null=True)  # minutes when it was asked; None without a record
    recorded_by = UnicodeAttribute(null=True)
    recorded_by_name = UnicodeAttribute(null=True)
    minutes = NumberAttribute()  # as they say it was
    reason = UnicodeAttribute()
    reason_held = UnicodeAttribute(null=True)  # the reason itself, while `reason` only says that it is being checked
    asked_at = InstantAttribute()
    decided_at = InstantAttribute(null=True)
    decided_by = UnicodeAttribute(null=True)
    decision = UnicodeAttribute(null=True)  # why it was declined
    # `[{"number", "state", "minutes", "reason", "asked_at", "decided_at", "decided_by", "decision"}]`
    earlier = CompactJSONAttribute(default=list)

    @classmethod
    def key(cls, resident_id: str, shift_id: str) -> HoursCorrection:
        return cls(f"VOLUNTEER#{resident_id}", f"{cls.PREFIX}{shift_id}")

    @classmethod
    def named(cls, correction_id: str) -> HoursCorrection:
        """The key of what this id means, whether there is such a one or not."""
        resident, _, rest = correction_id.partition(".")
        return cls.key(resident, rest.partition(".")[2])

    @property
    def id(self) -> str:
        """As staff know it: with its number, so that nobody decides about another than the one they have read."""
        return f"{self.resident_id}.{int(self.number)}.{self.shift}"

    @property
    def resident_id(self) -> str:
        return self.pk.removeprefix("VOLUNTEER#")

    def list_it(self) -> None:
        self.area_key = self.listed(self.area)
        self.area_sort = f"{self.area}#{clock.stamp(self.asked_at)}#{self.resident_id}"

    @staticmethod
    def unlist() -> list[Action]:
        return HoursCorrection.set(area_key=None, area_sort=None)

    @staticmethod
    def listed(area: str) -> str:
        return f"HOURS_CORRECTIONS#{areas.district(area)}"


class Guests(Item, discriminator="shift_guests"):
    """`SHIFT#<shift>` / `GUESTS`: somebody was added by name; all of them are sealed with one key of the shift's own.

    by_due: timer `shifts.forget_guests` thirty days after the shift: the key is destroyed, and this is removed.
    """

    TIMER = "shifts.forget_guests"

    @classmethod
    def key(cls, shift_id: str) -> Guests:
        return cls(partition(shift_id), "GUESTS")

    @property
    def vault_key(self) -> str:
        return f"guests_{self.pk.removeprefix('SHIFT#')}"


def partition(shift_id: str) -> str:
    return f"SHIFT#{shift_id.partition('.')[0]}"


def area_of(shift_id: str) -> str | None:
    """The area that a shift's id names; None when it names none."""
    area = shift_id.partition(".")[2]
    return area if areas.well_formed(area) else None


def listed(area: str) -> str:
    return f"SHIFTS#{rules.listed_in(area)}"


def shifts_of(person: str) -> str:
    return f"SHIFTS_OF#{person}"


def activities_of(person: str) -> str:
    return f"ACTIVITIES_OF#{person}"


def run_by(person: str) -> str:
    return f"SHIFTS_RUN_BY#{person}"


def named(shift: Shift | None, shift_id: str) -> Shift:
    """The shift, if it is the one that the whole id means, its area included; else ShiftGone."""
    if shift is None or shift.id != shift_id:
        raise rules.ShiftGone()
    return shift


def times(shift: Shift) -> Times:
    return Times(shift.id, shift.start_at, shift.end_at)


settled = transactions.settled(rules.TryAgain)
