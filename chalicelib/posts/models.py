"""Posts, how far the telling of an urgent one has come, and who lives where, for whom to tell."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from chalicelib.areas import rules as areas
from chalicelib.kit import clock, timers
from chalicelib.kit.attempt import Remembers
from chalicelib.kit.table import InstantAttribute, Item
from chalicelib.people.models import partition as resident_partition


class Post(Remembers, discriminator="post"):
    """`POST#<post>` / `POST`: what staff tell an area.

    by_area: `POSTS#<area>` / `<time>#<post>` while it is shown.
    by_person: `POSTS_OF#<author>` / `<time>`: what somebody has published.
    by_due: timer `posts.end` until its end date, if it has one.
    """

    state = UnicodeAttribute()  # rules.POST
    title = UnicodeAttribute()
    text = UnicodeAttribute()
    area = UnicodeAttribute()
    urgent = BooleanAttribute(default=False)
    author = UnicodeAttribute(null=True)  # None once their account is closed
    author_name = UnicodeAttribute()
    author_role = UnicodeAttribute()  # the role by which they published
    photos = NumberAttribute(default=0)
    created_at = InstantAttribute()
    shown_at = InstantAttribute(null=True)
    ends_at = InstantAttribute(null=True)
    withdrawn_at = InstantAttribute(null=True)
    withdrawn_by = UnicodeAttribute(null=True)
    removed_reason = UnicodeAttribute(null=True)

    @classmethod
    def key(cls, post_id: str) -> Post:
        return cls(partition(post_id), "POST")

    @property
    def id(self) -> str:
        """As it is known outside: with its area, so that a reader is judged with the read that finds the post."""
        return f"{self.pk.removeprefix('POST#')}.{self.area}"

    def lists_it(self, at: datetime) -> dict[str, str]:
        """The index keys of a post shown since `at`."""
        return {"area_key": listed(self.area), "area_sort": f"{clock.stamp(at)}#{self.id}"}

    def list_it(self, at: datetime) -> list[Action]:
        keys = self.lists_it(at)
        return Post.set(area_key=keys["area_key"], area_sort=keys["area_sort"])

    @staticmethod
    def unlist() -> list[Action]:
        return Post.set(area_key=None, area_sort=None)


class Alert(Item, discriminator="post_alert"):
    """`POST#<post>` / `ALERT`: how far everybody in the area has been told of an urgent post.

    by_due: timer `posts.spread` until all are: it starts the telling, and takes it up again when it has stood still.
    """

    began_at = InstantAttribute()
    reached = UnicodeAttribute(default="")  # the place in the list of homes up to which all have been told
    told = NumberAttribute(default=0)
    done_at = InstantAttribute(null=True)

    TIMER = "posts.spread"

    @classmethod
    def key(cls, post_id: str) -> Alert:
        return cls(partition(post_id), "ALERT")

    @classmethod
    def of(cls, post: Post, now: datetime) -> Alert:
        made: Alert = cls(post.pk, "ALERT", began_at=now, **timers.fields(post.pk, cls.TIMER, now))
        return made


class Home(Item, discriminator="posts_home"):
    """`RES#<resident>` / `POSTS_HOME`: where a resident has chosen to live.

    by_area: `HOMES#<district>` / `<home>#<resident>`: everybody who lives in an area, by its code's beginning.
    """

    @classmethod
    def of(cls, resident_id: str, home: str) -> Home:
        fields: dict[str, Any] = {"area_key": homes(home), "area_sort": f"{home}#{resident_id}"}
        return cls(resident_partition(resident_id), "POSTS_HOME", **fields)

    @property
    def resident_id(self) -> str:
        return self.pk.removeprefix("RES#")


def partition(post_id: str) -> str:
    return f"POST#{post_id.partition('.')[0]}"


def area_of(post_id: str) -> str | None:
    """The area that a post's id names; None when it names none."""
    area = post_id.partition(".")[2]
    return area if areas.well_formed(area) else None


def listed(area: str) -> str:
    return f"POSTS#{area}"


def homes(area: str) -> str:
    return f"HOMES#{areas.district(area)}"
