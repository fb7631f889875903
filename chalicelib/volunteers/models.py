"""Those who volunteer: one partition per resident, `VOLUNTEER#<resident>`, and their teams and statements.

Who somebody really is (name, birth date, contacts) is sealed with the resident's own vault key.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.areas import rules as areas
from chalicelib.kit import clock
from chalicelib.kit.attempt import Remembers
from chalicelib.kit.table import CompactJSONAttribute, InstantAttribute, Item
from chalicelib.volunteers.rules import TEAMS_AT_MOST


def partition(resident_id: str) -> str:
    return f"VOLUNTEER#{resident_id}"


class Volunteer(Remembers, discriminator="volunteer"):
    """`VOLUNTEER#<resident>` / `FILE`: somebody's application, and the times that their shifts take.

    by_area: `VOLUNTEERS_APPLIED#<district>` / `<area>#<time>` while the application waits for a decision.
    by_due: timer `volunteers.follow_up` until all that follows from a loss is done, `volunteers.forget` once declined.
    Every write raises `version` and counts only on the version it has read: so nobody is on two shifts at once.
    """

    state = UnicodeAttribute(default="none")  # rules.VOLUNTEER
    nickname = UnicodeAttribute(default="")
    area = UnicodeAttribute(null=True)  # whose grid worker decides
    skills = CompactJSONAttribute(default=list)
    free_times = CompactJSONAttribute(default=list)
    name_sealed = BinaryAttribute(legacy_encoding=False, null=True)
    birth_sealed = BinaryAttribute(legacy_encoding=False, null=True)
    contact_sealed = BinaryAttribute(legacy_encoding=False, null=True)  # JSON of rules.Contact: in an emergency
    minor = BooleanAttribute(null=True)  # when they applied: only then is the birth date looked at by a sign-up
    guardian_sealed = BinaryAttribute(legacy_encoding=False, null=True)  # JSON of rules.Contact
    guardian_at = InstantAttribute(null=True)
    guardian_by = UnicodeAttribute(null=True)
    applied_at = InstantAttribute(null=True)
    decided_at = InstantAttribute(null=True)
    decided_by = UnicodeAttribute(null=True)
    declined_reason = UnicodeAttribute(null=True)
    taken = CompactJSONAttribute(default=dict)  # rules.Taken
    version = NumberAttribute(default=0)
    number = UnicodeAttribute(null=True)  # from the first approval on, for ever: see VolunteerNumber

    @classmethod
    def key(cls, resident_id: str) -> Volunteer:
        return cls(partition(resident_id), "FILE")

    @property
    def resident_id(self) -> str:
        return self.pk.removeprefix("VOLUNTEER#")

    @staticmethod
    def applied(area: str) -> str:
        return f"VOLUNTEERS_APPLIED#{areas.district(area)}"

    @staticmethod
    def listed(area: str, now: datetime) -> dict[str, str | None]:
        """The index keys of an application that waits for whoever decides."""
        return {"area_key": Volunteer.applied(area), "area_sort": f"{area}#{clock.stamp(now)}"}

    @staticmethod
    def unlisted() -> dict[str, str | None]:
        return {"area_key": None, "area_sort": None}


class VolunteerNumber(Item, discriminator="volunteer_number"):
    """`VOLUNTEER_NUMBER#<number>` / `LINK`: whose volunteer number it is, which an organiser types for them."""

    resident_id = UnicodeAttribute()

    @classmethod
    def key(cls, number: str) -> VolunteerNumber:
        """As the number was given out; `ids.as_typed` makes it so."""
        return cls(f"VOLUNTEER_NUMBER#{number}", "LINK")


class ServiceRecord(Remembers, discriminator="service_record"):
    """`VOLUNTEER#<resident>` / `RECORD#<start>#<shift>`: the confirmed hours of one shift. All versions are kept.

    Written once by the confirmation; only a decided correction changes `minutes`, and adds to `versions`.
    """

    PREFIX = "RECORD#"

    shift = UnicodeAttribute()
    title = UnicodeAttribute()
    service = UnicodeAttribute()
    area = UnicodeAttribute()
    place = UnicodeAttribute()
    start_at = InstantAttribute()
    end_at = InstantAttribute()
    minutes = NumberAttribute()
    how = UnicodeAttribute()  # checked | recorded
    organiser = UnicodeAttribute(null=True)  # who answered for the shift
    organiser_name = UnicodeAttribute(null=True)
    recorded_by = UnicodeAttribute()
    recorded_by_name = UnicodeAttribute()
    recorded_at = InstantAttribute()
    why = UnicodeAttribute(null=True)  # of hours recorded by an organiser, or by a correction
    # The reason of the first hours itself, while `why` (or by now the first of `versions`) says that it is checked
    why_held = UnicodeAttribute(null=True)
    points_an_hour = NumberAttribute(default=0)
    points_each = NumberAttribute(default=1)  # what the rule made of each of them when it was recorded
    points = NumberAttribute(default=0)  # what was earned with it
    # The earlier ones, oldest first: `[{"minutes", "how", "by", "by_name", "at", "why"}]`
    versions = CompactJSONAttribute(default=list)

    @classmethod
    def key(cls, resident_id: str, shift: str, start: datetime) -> ServiceRecord:
        return cls(partition(resident_id), f"{cls.PREFIX}{clock.stamp(start)}#{shift}")

    @property
    def resident_id(self) -> str:
        return self.pk.removeprefix("VOLUNTEER#")


class Register(Item, discriminator="service_register"):
    """`VOLUNTEER#<resident>` / `REGISTER`: which statements of hours are out and valid, and how often records changed.

    A statement is issued under the version it has read, and everything that one shows raises the version with the write
    that adds, corrects or revokes it: so no statement is issued without what was recorded in the same moment.
    """

    issued = CompactJSONAttribute(default=list)  # `[{"number", "from", "to"}]`, days in Shanghai, both included
    version = NumberAttribute(default=0)

    @classmethod
    def key(cls, resident_id: str) -> Register:
        return cls(partition(resident_id), "REGISTER")


class Statement(Remembers, discriminator="statement"):
    """`STATEMENT#<number>` / `STATEMENT`: a statement of hours as it was issued. The number is all it takes to see it.

    by_person: `STATEMENTS_OF#<resident>` / `<time>`: those somebody was issued.
    """

    resident = UnicodeAttribute()
    state = UnicodeAttribute()  # statement_rules.State
    from_day = UnicodeAttribute()
    to_day = UnicodeAttribute()
    issued_at = InstantAttribute()
    # statement_rules.Paper, compressed: whose hours, and which. Goes with their account.
    person_sealed = BinaryAttribute(legacy_encoding=False, null=True)
    content = CompactJSONAttribute()  # what may be told of it even then: `{"issuer"}`
    minutes = NumberAttribute()
    superseded_by = UnicodeAttribute(null=True)
    ended_at = InstantAttribute(null=True)  # when it was superseded or revoked, or else destroyed
    reason = UnicodeAttribute(null=True)

    @classmethod
    def key(cls, number: str) -> Statement:
        return cls(f"STATEMENT#{number}", "STATEMENT")

    @staticmethod
    def of(resident_id: str) -> str:
        return f"STATEMENTS_OF#{resident_id}"

    @property
    def number(self) -> str:
        return self.pk.removeprefix("STATEMENT#")


class Entry(Remembers, discriminator="volunteer_entry"):
    """`VOLUNTEER#<resident>` / `ENTRY#<kind>#<day>#<entry>`: a training, commendation or evaluation by staff.

    Never edited: a wrong one is revoked, with the reason, and stays visible to the volunteer.
    """

    PREFIX = "ENTRY#"

    state = UnicodeAttribute()  # statement_rules.ENTRY
    title = UnicodeAttribute()
    by = UnicodeAttribute()  # who trained, commended or evaluated
    area = UnicodeAttribute()
    minutes = NumberAttribute(null=True)  # of a training
    recorded_by = UnicodeAttribute()
    recorded_by_name = UnicodeAttribute()
    recorded_at = InstantAttribute()
    revoked_by = UnicodeAttribute(null=True)
    revoked_by_name = UnicodeAttribute(null=True)
    revoked_at = InstantAttribute(null=True)
    reason = UnicodeAttribute(null=True)  # of the revocation, or of a moderator's refusal

    @classmethod
    def key(cls, resident_id: str, entry_id: str) -> Entry:
        """By its id outside, `entry_….<kind>.<day>`. What is no such id is found nowhere."""
        name, _, rest = entry_id.partition(".")
        what, _, day = rest.partition(".")
        return cls(partition(resident_id), f"{cls.PREFIX}{what}#{day}#{name}")

    @property
    def id(self) -> str:
        return f"{self.sk.rpartition('#')[2]}.{self.what}.{self.day}"

    @property
    def what(self) -> str:
        """training | commendation | evaluation."""
        return self.sk.split("#")[1]

    @property
    def day(self) -> str:
        return self.sk.split("#")[2]

    @property
    def resident_id(self) -> str:
        return self.pk.removeprefix("VOLUNTEER#")


class Team(Remembers, discriminator="team"):
    """`TEAM#<team>` / `TEAM`: people who sign up for shifts as one, and who of them leads.

    Every write raises `version` and counts only on the one it has read: so a sign-up takes exactly those who are in
    the team at that moment. A dissolved one keeps nobody, and is removed by TTL.
    """

    state = UnicodeAttribute(default="active")  # active | dissolved
    name = UnicodeAttribute(null=True)  # once passed
    coming_name = UnicodeAttribute(null=True)  # waits for a verdict; nobody but the leader sees it
    review = UnicodeAttribute(null=True)
    leader = UnicodeAttribute()
    code = UnicodeAttribute(null=True)
    # In the order of their joining: `[{"id", "name", "since", "slot"}]`, `slot` as in Membership
    members = CompactJSONAttribute(default=list)
    version = NumberAttribute(default=0)
    created_at = InstantAttribute()

    @classmethod
    def key(cls, team_id: str) -> Team:
        return cls(f"TEAM#{team_id}", "TEAM")

    @property
    def id(self) -> str:
        return self.pk.removeprefix("TEAM#")

    def member(self, resident_id: str | None) -> dict[str, Any] | None:
        return next((each for each in self.members if each["id"] == resident_id), None)


class TeamCode(Item, discriminator="team_code"):
    """`TEAM_CODE#<code>` / `LINK`: the team that this code invites to, until its leader renews it."""

    team = UnicodeAttribute()

    @classmethod
    def key(cls, code: str) -> TeamCode:
        return cls(f"TEAM_CODE#{code}", "LINK")

    @classmethod
    def to(cls, team: Team) -> TeamCode:
        """The one of this team's code."""
        link = cls.key(str(team.code))
        link.team = team.id
        return link


class Membership(Remembers, discriminator="team_membership"):
    """`VOLUNTEER#<resident>` / `TEAM#<1 to 5>`: one of the teams somebody is in. There are as many as one may be in.

    Written only together with the team, so it says what the team says; a list of somebody's teams reads nothing else.
    """

    PREFIX = "TEAM#"

    team = UnicodeAttribute()
    name = UnicodeAttribute(null=True)
    leads = BooleanAttribute(default=False)
    since = InstantAttribute()

    @classmethod
    def key(cls, resident_id: str, slot: int) -> Membership:
        return cls(partition(resident_id), f"{cls.PREFIX}{slot}")

    @classmethod
    def slots(cls, resident_id: str) -> list[Membership]:
        """The keys of all that somebody may have."""
        return [cls.key(resident_id, slot) for slot in range(1, TEAMS_AT_MOST + 1)]

    @classmethod
    def of(cls, team: Team, resident_id: str, slot: int, now: datetime) -> Membership:
        new = cls.key(resident_id, slot)
        new.team, new.name, new.leads, new.since = team.id, team.name, team.leader == resident_id, now
        return new

    @property
    def slot(self) -> int:
        return int(self.sk.removeprefix(self.PREFIX))
