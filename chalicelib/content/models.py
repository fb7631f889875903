"""What is judged before others see it: reviews of texts and photos, the photos, and WeChat's answers about them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.areas import rules as areas
from chalicelib.content import rules
from chalicelib.kit import clock, timers
from chalicelib.kit.attempt import Remembers
from chalicelib.kit.table import Condition, InstantAttribute, Item

TRACE_KEPT_FOR = timedelta(days=3)


class Review(Remembers, discriminator="review"):
    """`REVIEW#<review id>` / `REVIEW`: something nobody but its author may see yet, then the verdict on it.

    by_area: `REVIEW#<district>` / `<area>#<time>`: what a moderator has to decide, until it is decided.
    by_person: `REVIEWS#<author>` / `<time>`: what of somebody's is undecided.
    by_due: timers `recheck_text` while WeChat has not answered, `remind_moderators` while they have not.
    What was written (`excerpt`, `texts`, `flags`), and by whom it was flagged, is erased with the decision.
    """

    state = UnicodeAttribute()  # rules.REVIEW
    cause = UnicodeAttribute()  # wechat_doubts | wechat_silent | flagged | pointed_out (flagged, and shown meanwhile)
    subject = UnicodeAttribute()
    subject_pk = UnicodeAttribute()
    subject_sk = UnicodeAttribute()
    author_id = UnicodeAttribute(null=True)  # whose it is; None of what is nobody's own, but an area's
    as_staff = BooleanAttribute(null=True)  # said for an area: told is who looks after that when it is told
    writer_id = UnicodeAttribute()  # who typed it (a delegate, perhaps): WeChat is asked under their openid
    area = UnicodeAttribute()
    excerpt = UnicodeAttribute(null=True)
    texts = JSONAttribute(null=True)
    scene = NumberAttribute(null=True)
    tries = NumberAttribute(default=0)
    flags = JSONAttribute(null=True)  # what neighbours said, one entry for each flag
    parties = JSONAttribute(null=True)  # ids of others who do not decide: who flagged it, whom it is about
    opened_at = InstantAttribute()
    decided_at = InstantAttribute(null=True)
    decided_by = UnicodeAttribute(null=True)  # resident id of the moderator, or "wechat"
    reason = UnicodeAttribute(null=True)

    @classmethod
    def key(cls, review_id: str) -> Review:
        return cls(f"REVIEW#{review_id}", "REVIEW")

    @classmethod
    def of(
        cls,
        review_id: str,
        *,
        subject: str,
        subject_pk: str,
        subject_sk: str,
        author_id: str | None,
        writer_id: str,
        area: str,
        excerpt: str,
        cause: str,
        now: datetime,
        as_staff: bool = False,
        parties: Iterable[str | None] = (),
    ) -> Review:
        """A review for the moderators' list."""
        review = cls.key(review_id)
        review.state, review.cause = "with_moderator", cause
        review.subject, review.subject_pk, review.subject_sk = subject, subject_pk, subject_sk
        review.author_id, review.writer_id, review.area, review.excerpt = author_id, writer_id, area, excerpt
        review.opened_at = now
        review.area_key, review.area_sort = cls.list_key(area), f"{area}#{clock.stamp(now)}"
        if author_id:
            review.person_key, review.person_sort = f"REVIEWS#{author_id}", clock.stamp(now)
        review.as_staff, review.parties = as_staff or None, [each for each in parties if each] or None
        review._wait("remind_moderators", now + rules.REMIND_AFTER)
        return review

    def await_wechat(self, *, texts: dict[str, str], scene: int, at: datetime) -> None:
        """Keep it off the moderators' list, and ask WeChat at this time."""
        self.state, self.texts, self.scene = "waiting", texts, scene
        self.area_key = self.area_sort = None
        self._wait("recheck_text", at)

    def _wait(self, timer: str, at: datetime) -> None:
        timers.start(self, timer, at)

    @staticmethod
    def list_key(area: str) -> str:
        return f"REVIEW#{areas.district(area)}"

    @property
    def id(self) -> str:
        return self.pk.removeprefix("REVIEW#")

    @property
    def what(self) -> str:
        """What it is, in a notice to its author: the beginning of what they wrote, or what a photo is called."""
        line = " ".join((self.excerpt or "").split())
        if self.subject == "photo":
            return line
        return f"“{line if len(line) <= 16 else line[:15] + '…'}”"


class Photo(Remembers, discriminator="photo"):
    """`<subject pk>` / `PHOTO#<photo id>`: one picture, from the invitation to upload it to its end.

    by_person: `PHOTOS#<author>` / `<time>`: whose it is.
    by_due: timers `await_upload`, `await_photo_result`, `tidy_photo`.
    """

    state = UnicodeAttribute(default="awaited")  # rules.PHOTO
    author_id = UnicodeAttribute(null=True)  # None of what is nobody's own, but an area's
    writer_id = UnicodeAttribute()
    area = UnicodeAttribute()
    invited_at = InstantAttribute()
    uploaded_at = InstantAttribute(null=True)
    held_name = UnicodeAttribute(null=True)  # under held/; says which of several uploads was taken
    width = NumberAttribute(null=True)
    height = NumberAttribute(null=True)
    asked = NumberAttribute(default=0)  # times WeChat took the question
    tries = NumberAttribute(default=0)  # times it did not
    trace_id = UnicodeAttribute(null=True)
    review_id = UnicodeAttribute(null=True)
    review_cause = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)

    @classmethod
    def key(cls, subject_pk: str, photo_id: str) -> Photo:
        return cls(subject_pk, f"PHOTO#{photo_id}")

    @property
    def id(self) -> str:
        return self.sk.removeprefix("PHOTO#")

    @property
    def called(self) -> str:
        """What people call it."""
        return "头像" if self.pk.startswith("RES#") else "照片"

    def still(self) -> Condition:
        """The state it was read in. Copies of one picture agree; a state is never come back to."""
        return Photo.state == self.state

    @property
    def upload_key(self) -> str:
        """Where S3 lets the author put it. The subject's `#` becomes a folder, so that no key needs escaping."""
        return f"incoming/{self.pk.replace('#', '/')}/{self.id}"

    @staticmethod
    def at_upload_key(key: str) -> tuple[str, str] | None:
        """The item's key that an upload's key stands for."""
        folder, *rest = key.split("/")
        if folder != "incoming" or len(rest) < 2 or not all(rest):
            return None
        return "#".join(rest[:-1]), f"PHOTO#{rest[-1]}"


class Trace(Item, discriminator="trace"):
    """`TRACE#<trace id>` / `PHOTO`: where our question about a photo and WeChat's answer meet, in either order.

    Each side adds its half in one write that returns the whole, so whoever comes second knows it, and acts.
    Removed by TTL.
    """

    photo_pk = UnicodeAttribute(null=True)
    photo_sk = UnicodeAttribute(null=True)
    suggest = UnicodeAttribute(null=True)
    label = NumberAttribute(null=True)
    errcode = NumberAttribute(null=True)

    @classmethod
    def meet(cls, trace_id: str, *, now: datetime, **half: Any) -> Trace:
        """Add one half and return what is known now."""
        trace = cls(f"TRACE#{trace_id}", "PHOTO")
        trace.update(
            [
                cls.kind.set(cls),
                cls.expires_at.set(int((now + TRACE_KEPT_FOR).timestamp())),
                *(getattr(cls, name).set(value) for name, value in half.items()),
            ]
        )
        return trace

    @property
    def complete(self) -> bool:
        return self.photo_pk is not None and self.suggest is not None

    @property
    def id(self) -> str:
        return self.pk.removeprefix("TRACE#")
