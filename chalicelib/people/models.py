"""Residents, their duties and their delegates: one partition per resident, read by one Query.

Whatever says who somebody really is (openid, phone) is sealed with the resident's own vault key.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)

from chalicelib.kit import keys, timers
from chalicelib.kit.attempt import Remembers
from chalicelib.kit.table import CompactJSONAttribute, Condition, InstantAttribute, Item


def partition(resident_id: str) -> str:
    return f"RES#{resident_id}"


def keyed_hash(identifier: str) -> str:
    """How somebody's openid or unionid is found again without being in the table."""
    return hmac.new(keys.openid_pepper(), identifier.encode(), hashlib.sha256).hexdigest()


class Resident(Remembers, discriminator="resident"):
    """`RES#<resident id>` / `ME`: one person who has logged in.

    by_area: `RESIDENCE#<district>` / `<home>#<time>` while the home waits for the grid worker's word.
    by_due: timer `people.renamed` until another nickname is shown everywhere, or `account.erase` until a closed account
        is erased: for a day.
    """

    state = UnicodeAttribute(default="active")  # active | closed
    nickname = UnicodeAttribute()
    avatar = UnicodeAttribute(null=True)  # photo id, once shown
    openid_sealed = BinaryAttribute(legacy_encoding=False, null=True)
    service_openid_sealed = BinaryAttribute(legacy_encoding=False, null=True)  # of a follower of the service account
    unionid_link = UnicodeAttribute(null=True)  # PK of their UnionidLink
    phone_sealed = BinaryAttribute(legacy_encoding=False, null=True)
    phone_masked = UnicodeAttribute(null=True)
    phone_given_at = InstantAttribute(null=True)
    session_version = NumberAttribute(default=0)
    # Sessions that were logged out of, each with when its last token ends (epoch seconds). As JSON: conditions look for
    # a session's id in the text.
    ended_sessions = CompactJSONAttribute(null=True)
    consent_version = UnicodeAttribute(default="")
    consent_at = InstantAttribute(null=True)
    home = UnicodeAttribute(null=True)  # area code, a community at the largest
    home_state = UnicodeAttribute(default="none")  # none | waiting | confirmed | declined
    home_reason = UnicodeAttribute(null=True)
    home_since = InstantAttribute(null=True)  # in this community, wherever in it
    renamed_at = InstantAttribute(null=True)
    # As the Delegation items say, in the same write: an act reads this item anyway, and is held to it as it was read.
    delegates = UnicodeSetAttribute(null=True)  # who may act for them
    principals = UnicodeSetAttribute(null=True)  # for whom they may act
    had_duty = BooleanAttribute(null=True)  # ever: for acts that would seldom find one if they looked
    created_at = InstantAttribute()
    closed_at = InstantAttribute(null=True)

    @classmethod
    def key(cls, resident_id: str) -> Resident:
        return cls(partition(resident_id), "ME")

    @property
    def id(self) -> str:
        return self.pk.removeprefix("RES#")

    @property
    def tied_to(self) -> set[str]:
        """With whom somebody is joined by a delegation, either way."""
        return {*(self.delegates or ()), *(self.principals or ())}

    def tied_as_read(self) -> Condition:
        """True as long as no delegation of theirs, either way, was granted or ended since this was read."""
        delegates = Resident.delegates == self.delegates if self.delegates else Resident.delegates.does_not_exist()
        principals = Resident.principals == self.principals if self.principals else Resident.principals.does_not_exist()
        return delegates & principals  # type: ignore[no-any-return]


class OpenidLink(Item, discriminator="openid_link"):
    """`OPENID#<keyed hash of the openid>` / `LINK`: which resident logs in with it. The openid itself is not here."""

    resident_id = UnicodeAttribute()

    @classmethod
    def key(cls, openid: str) -> OpenidLink:
        return cls(f"OPENID#{keyed_hash(openid)}", "LINK")


class UnionidLink(Item, discriminator="unionid_link"):
    """`UNIONID#<keyed hash of the unionid>` / `LINK`: which resident has it, in all WeChat accounts of our operator.

    by_person: `FOLLOWERS` / `<keyed hash of the openid there>` while they follow the service account.
    """

    resident_id = UnicodeAttribute()

    FOLLOWERS = "FOLLOWERS"

    @classmethod
    def key(cls, unionid: str) -> UnionidLink:
        return cls(f"UNIONID#{keyed_hash(unionid)}", "LINK")


class FollowersRound(Item, discriminator="followers_round"):
    """`FOLLOWERS` / `ROUND`: how far today's look at the service account's followers has come.

    by_due: timer `people.join_followers`.
    """

    reached = UnicodeAttribute(default="")  # keyed hash of the openid up to which all have been looked at

    @classmethod
    def key(cls) -> FollowersRound:
        return cls("FOLLOWERS", "ROUND")


class Duty(Item, discriminator="duty"):
    """`RES#<resident id>` / `ME#DUTY#<role>#<area>`: a role over an area for a time. Ended ones stay as history.

    by_area: `DUTY#<role>#<area>` / `<resident id>`: who holds it.
    by_due: timer `people.duty_over` at its end: what hung on it is taken back.
    """

    TIMER = "people.duty_over"

    role = UnicodeAttribute()
    area = UnicodeAttribute()
    from_at = InstantAttribute()
    until_at = InstantAttribute(null=True)
    granted_by = UnicodeAttribute()  # the AWS request by which an administrator granted it

    @classmethod
    def key(cls, resident_id: str, role: str, area: str) -> Duty:
        return cls(partition(resident_id), f"ME#DUTY#{role}#{area}")

    @classmethod
    def new(
        cls,
        resident_id: str,
        role: str,
        area: str,
        *,
        from_at: datetime,
        until_at: datetime | None,
        granted_by: str,
    ) -> Duty:
        duty = cls.key(resident_id, role, area)
        duty.role, duty.area, duty.granted_by = role, area, granted_by
        duty.from_at, duty.until_at = from_at, until_at
        duty.area_key, duty.area_sort = f"DUTY#{role}#{area}", resident_id
        if until_at:
            duty.due_key, duty.due_at, duty.timer = timers.fields(duty.pk, cls.TIMER, until_at).values()
        return duty

    @property
    def resident_id(self) -> str:
        return self.pk.removeprefix("RES#")


class Delegation(Remembers, discriminator="delegation"):
    """`RES#<principal>` / `ME#DELEGATE#<delegate>`: the delegate may act for the principal until it is revoked.

    by_person: `DELEGATE_OF#<delegate>` / `<principal>`: for whom somebody may act.
    """

    since = InstantAttribute()
    delegate_name = UnicodeAttribute()
    principal_name = UnicodeAttribute()

    @classmethod
    def key(cls, principal: str, delegate: str) -> Delegation:
        return cls(partition(principal), f"ME#DELEGATE#{delegate}")

    @property
    def principal(self) -> str:
        return self.pk.removeprefix("RES#")

    @property
    def delegate(self) -> str:
        return self.sk.removeprefix("ME#DELEGATE#")


class Lookup(Remembers, discriminator="lookup"):
    """`LOOKUP#<lookup id>` / `LOOKUP`: a staff member saw somebody's phone number or real name, and had to say why.

    by_person: `LOOKUPS_OF#<resident or request id>` / `<time>`.
    """

    whom = UnicodeAttribute()
    what = UnicodeAttribute()
    by = UnicodeAttribute()
    by_name = UnicodeAttribute()
    role = UnicodeAttribute()
    reason = UnicodeAttribute()
    looked_at = InstantAttribute()
