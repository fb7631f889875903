"""Rights of residents: one partition each, so that all of somebody's are one Query and one of them is one key."""

from __future__ import annotations

from pynamodb.attributes import UnicodeAttribute

from chalicelib.kit.table import InstantAttribute, Item


def partition(resident_id: str) -> str:
    return f"RES_MAY#{resident_id}"


class Entitlement(Item, discriminator="entitlement"):
    """`RES_MAY#<resident id>` / `<what>`: this resident has the right, e.g. `quiz:<quiz id>`: they have passed it.

    That it is there is all that counts. Another slice's act reads it by `Entitlement.key` with whatever else it reads.
    """

    why = UnicodeAttribute()  # Chinese, for its holder
    granted_at = InstantAttribute()  # the first time

    @classmethod
    def key(cls, resident_id: str, what: str) -> Entitlement:
        return cls(partition(resident_id), what)

    @property
    def what(self) -> str:
        return self.sk
