"""Notices, credits, and the marks by which a repeated report of an accept is known. All in the resident's partition."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Self

from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.exceptions import PutError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.areas import rules as areas
from chalicelib.kit import aws, clock, ids
from chalicelib.kit.attempt import Remembers
from chalicelib.kit.table import InstantAttribute, Item
from chalicelib.notices import rules
from chalicelib.people.models import partition

_ID = r"notice_(\d{8}T\d{9}Z_[a-z2-7]{26})"


class Notice(Remembers, discriminator="notice"):
    """`RES#<resident id>` / `NOTICE#<time>_<random>`: one message to one person, and how its push went.

    by_person: `UNREAD#<resident id>` / `<time>_<random>` until it is read.
    by_area: `NOT_REACHED#<district>` / `<area>#<time>_<random>` while somebody should call instead.
    by_due: timer `push_notice` until its push has ended.
    """

    topic = UnicodeAttribute()  # its kind in the catalogue
    title = UnicodeAttribute()
    text = UnicodeAttribute()
    page = UnicodeAttribute()
    about = UnicodeAttribute()
    area = UnicodeAttribute(null=True)
    at = InstantAttribute()
    read_at = InstantAttribute(null=True)
    template = UnicodeAttribute(null=True)
    values = JSONAttribute(null=True)  # what the template shows, cut to its fields
    urgent = BooleanAttribute(default=False)
    matters = BooleanAttribute(default=False)
    push_state = UnicodeAttribute()  # see rules.PUSH
    sends = NumberAttribute(default=0)  # times handed to the queue by the sweep
    tries = NumberAttribute(default=0)  # times taken up by a worker
    paused = NumberAttribute(default=0)  # tries after which WeChat asked for patience, or was not there
    answers_lost = NumberAttribute(default=0)
    paid_with = UnicodeAttribute(null=True)  # the template id whose credit it holds
    channel = UnicodeAttribute(null=True)
    msgid = UnicodeAttribute(null=True)
    errcode = NumberAttribute(null=True)
    sent_at = InstantAttribute(null=True)
    called_at = InstantAttribute(null=True)
    called_by = UnicodeAttribute(null=True)

    PREFIX = "NOTICE#"

    @classmethod
    def new(cls, resident_id: str, at: datetime, *facts: str) -> Notice:
        """With `facts` it has the same id for the same person, time and facts: so it is told once."""
        when = clock.stamp(at).replace("-", "").replace(":", "").replace(".", "")
        made = ids.repeatable_id(when, resident_id, *facts) if facts else ids.new_id(when)
        notice = cls(partition(resident_id), cls.PREFIX + made, at=at)
        notice.person_key, notice.person_sort = unread(resident_id), notice.sk.removeprefix(cls.PREFIX)
        return notice

    @classmethod
    def key(cls, resident_id: str, notice_id: str) -> Notice:
        """The key of a notice; its id carries its time, so no index is needed to find it."""
        found = re.fullmatch(_ID, notice_id)
        if found is None:
            raise rules.NoticeUnknown()
        return cls(partition(resident_id), cls.PREFIX + found[1])

    @property
    def id(self) -> str:
        return "notice_" + self.sk.removeprefix(self.PREFIX)

    @property
    def resident_id(self) -> str:
        return self.pk.removeprefix("RES#")

    def onto_call_sheet(self) -> list[Action]:
        """The actions that put it where staff see whom to call."""
        if not self.area:
            return []
        return Notice.set(area_key=not_reached(self.area), area_sort=f"{self.area}#{self.sk.removeprefix(self.PREFIX)}")

    def create(self) -> bool:
        """Write it in one conditional write of its own; False when it was there before."""
        try:
            self.save(condition=Item.pk.does_not_exist())
        except PutError as error:
            if aws.error_code(error) != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def change(self, actions: Sequence[Action], *, when: Condition) -> bool:
        """One conditional write; False when the condition does not hold (any more)."""
        try:
            self.update(list(actions), condition=when)
        except UpdateError as error:
            if aws.error_code(error) != "ConditionalCheckFailedException":
                raise
            return False
        return True


OFF_CALL_SHEET = Notice.set(area_key=None, area_sort=None)


def unread(resident_id: str) -> str:
    return f"UNREAD#{resident_id}"


def not_reached(area: str) -> str:
    return f"NOT_REACHED#{areas.district(area)}"


class Credit(Item, discriminator="credit"):
    """`RES#<resident id>` / `CREDIT#<WeChat's template id>`: what this person has allowed for one template.

    By template id and not by our name for it: when an account gets another template, what people allowed
    for the old one is worth nothing. See rules.left for the sums.
    """

    reported = NumberAttribute(default=0)  # accepts the client told of
    confirmed = NumberAttribute(default=0)  # accepts WeChat told of
    used = NumberAttribute(default=0)
    standing = BooleanAttribute(default=False)  # a long-term template, accepted
    decided_at = InstantAttribute(null=True)  # the person's latest word, or WeChat's that there is nothing
    voided_at = InstantAttribute(null=True)  # what was allowed up to then is worth nothing

    PREFIX = "CREDIT#"

    @classmethod
    def key(cls, resident_id: str, template_id: str) -> Self:
        return cls(partition(resident_id), cls.PREFIX + template_id)

    @property
    def template_id(self) -> str:
        return self.sk.removeprefix(self.PREFIX)

    @classmethod
    def usable(cls) -> Condition:
        usable: Condition = (cls.used < cls.reported) | (cls.used < cls.confirmed)
        return usable


class Counted(Remembers, discriminator="counted"):
    """`RES#<resident id>` / `COUNTED#<mark>`: an accept that has been counted. Removed by TTL after two days."""

    PREFIX = "COUNTED#"

    @classmethod
    def key(cls, resident_id: str, mark: str) -> Self:
        return cls(partition(resident_id), cls.PREFIX + mark)


class Willing(Item):
    """Somebody who wants to hear of one kind of news near their home; each kind is a class of its own, with `SK`.

    Its list in by_area is what `place` says; `alerts` keeps it up to date when they move.
    """

    SK = ""

    day = UnicodeAttribute(default="")  # the Shanghai day of `told`
    told = UnicodeSetAttribute(null=True)  # what they were told of on that day

    @classmethod
    def key(cls, resident_id: str) -> Self:
        return cls(partition(resident_id), cls.SK)

    @property
    def resident_id(self) -> str:
        return self.pk.removeprefix("RES#")

    @classmethod
    def place(cls, resident_id: str, home: str) -> tuple[str, str]:
        """The list in which those with this home are found, and their place in it."""
        raise NotImplementedError
