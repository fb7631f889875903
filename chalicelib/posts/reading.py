"""Reading earns, once per post for ever, where one lives. Who read what is known by the transfer and by nothing else."""

from __future__ import annotations

from datetime import datetime

import msgspec

from chalicelib.kit.auth import Caller
from chalicelib.kit.transaction import transaction
from chalicelib.people import service as people
from chalicelib.points import rules as points_rules
from chalicelib.points import service as points
from chalicelib.points.models import Transfer
from chalicelib.points.service import Earning
from chalicelib.posts import publishing, rules
from chalicelib.posts.models import Post, area_of

RULE = "post_read"


class Credited(msgspec.Struct, frozen=True):
    """What this post has given its reader, now or before; with 0, why nothing."""

    points: int
    reason: rules.NoPoints | points_rules.Reason | None

    @property
    def detail(self) -> str | None:
        return {**rules.NO_POINTS, **points_rules.REASONS}[self.reason] if self.reason else None


@points.settled
def read(*, caller: Caller, post_id: str, now: datetime) -> Credited:
    """Somebody has read a post. With the rule off, or for a post that earns them nothing, nothing is written at all."""
    area = area_of(post_id)
    if area is None:
        raise rules.PostGone()
    earning = Earning(RULE, resident=caller.id, subject=post_id, area=area, private=True)
    claimed = points.claim(earning, now=now)
    person, (found, *known) = people.present_with(caller, Post.key(post_id), *claimed.items, now=now)
    post = publishing.named(found, post_id)
    if post.state not in rules.READABLE:
        raise rules.PostGone()
    if not claimed.wanted:
        return Credited(0, "rule_off")
    earned = next((item for item in known if isinstance(item, Transfer)), None)
    if earned is not None:
        return Credited(int(earned.amount), None)  # a repeat, or read again: nothing is said of it anywhere
    home, home_state = person.resident.home, person.resident.home_state
    reason = rules.no_points(post, reader=person.id, home=home, home_state=home_state, now=now)
    if reason is not None:
        return Credited(0, reason)
    # The books' own conditions are enough here: those of a closed account take nothing any more.
    with transaction() as tx:
        (outcome,) = points.settle(tx, claimed, known)
    return Credited(int(outcome.transfer.amount) if outcome.transfer else 0, outcome.refused)
