"""What belongs to an account besides the resident: invitations and the copy of one's data."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.kit.attempt import Remembers
from chalicelib.kit.table import InstantAttribute
from chalicelib.people.models import partition


class Invitation(Remembers, discriminator="invitation"):
    """`INVITE#<code>` / `DELEGATE`: somebody asks somebody to act for them. Removed by TTL.

    by_person: `INVITES_OF#<principal>` / `<time>`: to be listed, and to be deleted with the account.
    """

    principal = UnicodeAttribute()
    session_version = NumberAttribute(default=-1)  # the principal's: when that goes up, all their invitations end
    principal_name = UnicodeAttribute()
    used_by = UnicodeAttribute(null=True)
    ends_at = InstantAttribute()

    @classmethod
    def key(cls, code: str) -> Invitation:
        return cls(f"INVITE#{code}", "DELEGATE")

    @property
    def code(self) -> str:
        return self.pk.removeprefix("INVITE#")


class DataCopy(Remembers, discriminator="data_copy"):
    """`RES#<resident id>` / `COPY`: the latest copy of somebody's data, prepared by the timer `account.copy`."""

    state = UnicodeAttribute()  # preparing | ready
    folder = UnicodeAttribute()  # below copies/, unguessable
    asked_at = InstantAttribute()
    ready_at = InstantAttribute(null=True)

    @classmethod
    def key(cls, resident_id: str) -> DataCopy:
        return cls(partition(resident_id), "COPY")

    @property
    def resident_id(self) -> str:
        return self.pk.removeprefix("RES#")
