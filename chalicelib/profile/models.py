"""What somebody wants to be seen as, until it has been judged. What is shown stands on the Resident."""

from __future__ import annotations

from pynamodb.attributes import UnicodeAttribute

from chalicelib.kit.table import Item
from chalicelib.people.models import partition


class ProfileDraft(Item, discriminator="profile_draft"):
    """`RES#<resident id>` / `PROFILE`: the nickname and the avatar that wait for a verdict, one of each at most."""

    nickname = UnicodeAttribute(null=True)
    nickname_review = UnicodeAttribute(null=True)
    avatar = UnicodeAttribute(null=True)  # photo id

    @classmethod
    def key(cls, resident_id: str) -> ProfileDraft:
        return cls(partition(resident_id), "PROFILE")

    @classmethod
    def of(cls, resident_id: str) -> ProfileDraft:
        """The draft, an empty one if there is none."""
        key = cls.key(resident_id)
        return cls.find(key.pk, key.sk) or key
