"""A help request and what belongs to it: one partition, `HELP#<request id>`.

The sort keys are ordered so that one Query from `OFFER` to `REQUEST` reads the request with its offers and
photos, and leaves flags and talks aside.
"""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from chalicelib.areas import rules as areas
from chalicelib.kit import clock
from chalicelib.kit.attempt import Remembers
from chalicelib.kit.table import InstantAttribute, Item
from chalicelib.notices.models import Willing
from chalicelib.people.models import partition as resident_partition


def partition(request_id: str) -> str:
    return f"HELP#{request_id}"


class HelpRequest(Remembers, discriminator="help_request"):
    """`HELP#<request id>` / `REQUEST`: somebody needs something.

    by_area: `HELP_OPEN#<community>` / `<time>` while open; by_rank: the same / `<urgency><time>`.
    by_person: `HELP_OF#<requester>` / `<time>`; filed by staff, and not over, `HELP_FILED#<district>` / `<area>#<time>`.
    """

    state = UnicodeAttribute()
    title = UnicodeAttribute()
    text = UnicodeAttribute()
    what = UnicodeAttribute()  # goods | errand | skill | company
    quantity = NumberAttribute()
    unit = UnicodeAttribute()
    urgency = UnicodeAttribute()
    needed_by = InstantAttribute(null=True)
    area = UnicodeAttribute()
    drop_point = UnicodeAttribute(null=True)  # its id in the community
    drop_point_name = UnicodeAttribute(null=True)
    requester = UnicodeAttribute(null=True)  # None when staff filed it for somebody without WeChat
    requester_name = UnicodeAttribute()
    by = UnicodeAttribute(null=True)  # the delegate who asked
    by_name = UnicodeAttribute(null=True)
    filed_by = UnicodeAttribute(
        null=True
    )  # who filed it: told first, while they look after the area; no right comes of it
    contact_sealed = BinaryAttribute(legacy_encoding=False, null=True)  # name and phone, with the request's own key
    offered = NumberAttribute(default=0)  # quantity of live and collected offers; never above `quantity`
    collected = NumberAttribute(default=0)
    helpers = NumberAttribute(default=0)  # live and collected offers, whatever their quantity
    photos = NumberAttribute(default=0)
    flags = NumberAttribute(default=0)  # of those who live there
    pointed_out = UnicodeAttribute(null=True)  # the review that waits while it is shown, of what others have flagged
    created_at = InstantAttribute()
    opened_at = InstantAttribute(null=True)
    open_until = InstantAttribute()
    announced_at = InstantAttribute(null=True)
    escalated_at = InstantAttribute(null=True)
    settled_at = InstantAttribute(null=True)  # when the last offer was collected
    objected_at = InstantAttribute(null=True)
    objection = UnicodeAttribute(null=True)
    objection_state = UnicodeAttribute(null=True)  # shown | hidden | removed
    cleared_at = InstantAttribute(null=True)  # when a moderator let it stand: flags count anew from there
    removed_reason = UnicodeAttribute(null=True)

    @classmethod
    def key(cls, request_id: str) -> HelpRequest:
        return cls(partition(request_id), "REQUEST")

    @property
    def id(self) -> str:
        return self.pk.removeprefix("HELP#")

    def list_for_its_own(self) -> None:
        """Onto the requester's list, or that of who looks after the area where nobody is the requester."""
        time = clock.stamp(self.created_at)
        if self.requester:
            self.person_key, self.person_sort = f"HELP_OF#{self.requester}", time
        else:
            self.person_key, self.person_sort = self.filed_in(self.area), f"{self.area}#{time}"

    @staticmethod
    def filed_in(area: str) -> str:
        return f"HELP_FILED#{areas.district(area)}"

    @property
    def left(self) -> int:
        return int(self.quantity) - int(self.offered)

    @property
    def community(self) -> str:
        """All that is shown of the area: the smaller ones may tell the building somebody lives in."""
        return areas.at_level(self.area, "community") or self.area

    def listed(self) -> dict[str, str]:
        """The index keys of an open request."""
        time = clock.stamp(self.created_at)
        rank = "1" if self.urgency == "urgent" else "0"
        return {
            "area_key": f"HELP_OPEN#{self.community}",
            "area_sort": f"{time}#{self.id}",
            "rank_sort": f"{rank}{time}",
        }

    def list_it(self) -> list[Action]:
        keys = self.listed()
        return HelpRequest.set(area_key=keys["area_key"], area_sort=keys["area_sort"], rank_sort=keys["rank_sort"])

    @staticmethod
    def unlist() -> list[Action]:
        return HelpRequest.set(area_key=None, area_sort=None, rank_sort=None)


class Offer(Remembers, discriminator="offer"):
    """`HELP#<request id>` / `OFFER#<offer id>`: a neighbour's answer to a request.

    by_person: `OFFERS_OF#<helper>` / `<time>`. It carries what the helper's list shows of the request.
    """

    state = UnicodeAttribute()
    quantity = NumberAttribute()
    unit = UnicodeAttribute()
    message = UnicodeAttribute()
    message_state = UnicodeAttribute(default="shown")  # shown | hidden
    helper = UnicodeAttribute()
    helper_name = UnicodeAttribute()
    by = UnicodeAttribute(null=True)
    by_name = UnicodeAttribute(null=True)
    title = UnicodeAttribute()
    what = UnicodeAttribute()
    area = UnicodeAttribute()
    requester = UnicodeAttribute(null=True)  # the request's
    requester_name = UnicodeAttribute()
    drop_point_name = UnicodeAttribute(null=True)
    code = UnicodeAttribute(null=True)  # pick-up code, from the drop-off on; shown to the requester only
    messages = NumberAttribute(default=0)
    thanks = UnicodeAttribute(null=True)
    thanks_state = UnicodeAttribute(default="none")  # none | shown | hidden
    created_at = InstantAttribute()
    dropped_off_at = InstantAttribute(null=True)
    collected_at = InstantAttribute(null=True)
    ended_at = InstantAttribute(null=True)

    @classmethod
    def key(cls, request_id: str, offer_id: str) -> Offer:
        return cls(partition(request_id), f"OFFER#{offer_id}")

    @property
    def request_id(self) -> str:
        return self.pk.removeprefix("HELP#")

    @property
    def id(self) -> str:
        return self.sk.removeprefix("OFFER#")


class PickUp(Item, discriminator="pick_up"):
    """`PICKUP#<code>` / `OFFER`: which offer a pick-up code belongs to."""

    request_id = UnicodeAttribute()
    offer_id = UnicodeAttribute()

    @classmethod
    def key(cls, code: str) -> PickUp:
        return cls(f"PICKUP#{code}", "OFFER")


class Message(Remembers, discriminator="help_message"):
    """`HELP#<request id>` / `TALK#<offer id>#<message id>`: one message between helper and requester.

    An offer has some dozens at most, so they are read together and put in order of `sent_at`; with the time
    in the key a repeated request could not find what the first one wrote.

    by_person: `MESSAGES_OF#<author>` / `<time>`: for the copy of their data, when they take another nickname or leave.
        Staff write in requests that are no longer theirs when they leave.
    """

    text = UnicodeAttribute()
    state = UnicodeAttribute()  # shown | hidden | removed
    author = UnicodeAttribute()
    author_name = UnicodeAttribute()
    by_name = UnicodeAttribute(null=True)
    helper = UnicodeAttribute()
    requester = UnicodeAttribute(null=True)
    sent_at = InstantAttribute()

    @classmethod
    def key(cls, request_id: str, offer_id: str, message_id: str) -> Message:
        return cls(partition(request_id), f"TALK#{offer_id}#{message_id}")

    @property
    def request_id(self) -> str:
        return self.pk.removeprefix("HELP#")

    @property
    def offer_id(self) -> str:
        return self.sk.split("#")[1]

    @property
    def id(self) -> str:
        return self.sk.rpartition("#")[2]


class Flag(Remembers, discriminator="help_flag"):
    """`HELP#<request id>` / `FLAG#<resident id>`: somebody thinks the request should not stand here.

    by_person: `FLAGS_OF#<resident>` / `<time>`: for the copy of their data, and when they leave.
    """

    reason = UnicodeAttribute()
    text = UnicodeAttribute(default="")
    counts = BooleanAttribute(null=True)  # towards hiding it: they live there
    flagged_at = InstantAttribute()


class Unanswered(Item, discriminator="help_unanswered"):
    """`HELP#<request id>` / `UNANSWERED`: nobody has answered in time; the grid worker looks after it.

    by_area: `HELP_UNANSWERED#<district>` / `<area>#<time>`. Deleted by the first offer.
    """

    title = UnicodeAttribute()
    urgency = UnicodeAttribute()
    area = UnicodeAttribute()
    asked_at = InstantAttribute()

    @classmethod
    def of(cls, request: HelpRequest) -> Unanswered:
        fields: dict[str, Any] = {
            "area_key": f"HELP_UNANSWERED#{areas.district(request.area)}",
            "area_sort": f"{request.area}#{clock.stamp(request.created_at)}",
        }
        return cls(
            request.pk,
            "UNANSWERED",
            title=request.title,
            urgency=request.urgency,
            area=request.area,
            asked_at=request.created_at,
            **fields,
        )

    @property
    def request_id(self) -> str:
        return self.pk.removeprefix("HELP#")


class HelpAlert(Willing, discriminator="help_alert"):
    """`RES#<resident id>` / `HELP_ALERT`: this resident wants to hear of new requests in their community.

    by_area: `HELP_ALERT#<community>` / `<resident id>`.
    """

    SK = "HELP_ALERT"

    @classmethod
    def place(cls, resident_id: str, home: str) -> tuple[str, str]:
        return cls.listed(home), resident_id

    @staticmethod
    def listed(area: str) -> str:
        return f"HELP_ALERT#{areas.at_level(area, 'community')}"


class ActedFor(Item, discriminator="help_acted_for"):
    """`RES#<resident>` / `HELP_ACTED#<sort key>#<request id>`: what shows a delegate or staff member in others' affairs.

    Written with the act, so that they can be taken out again when they leave.
    """

    PREFIX = "HELP_ACTED#"
    item_pk = UnicodeAttribute()
    item_sk = UnicodeAttribute()

    @classmethod
    def of(cls, who: str, item: Item) -> ActedFor:
        place = f"{cls.PREFIX}{item.sk}#{item.pk.removeprefix('HELP#')}"
        return cls(resident_partition(who), place, item_pk=item.pk, item_sk=item.sk)
