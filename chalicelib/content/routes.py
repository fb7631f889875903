"""The moderators' pages."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from chalicelib.areas.rules import AreaCode
from chalicelib.content import photo_checks, reviews, rules
from chalicelib.content.models import Review
from chalicelib.kit import clock
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.http import Body, Listing, Paged, Routes, View, listing

routes = Routes(__name__)


class ReviewsOf(Paged, frozen=True, kw_only=True):
    area: AreaCode


class Decision(Body, frozen=True):
    decision: Literal["approve", "refuse"]
    reason: Annotated[str, Meta(max_length=rules.REASON_AT_MOST)] | None = None


class ReviewLine(View, frozen=True):
    id: str
    subject: str
    cause: str
    area: str
    excerpt: str
    since: datetime


class ReviewView(View, frozen=True):
    """`reasons` are ready-made ones to choose from; the author reads what the moderator sends."""

    id: str
    state: str
    subject: str
    cause: str
    area: str
    excerpt: str
    flags: list[str]
    photo: str | None
    since: datetime
    decided_at: datetime | None
    reason: str | None
    reasons: list[str]


def line(review: Review) -> ReviewLine:
    return ReviewLine.of(review, excerpt=(review.excerpt or "")[:100], since=clock.local(review.opened_at))


def view(review: Review) -> ReviewView:
    undecided = review.state == "with_moderator"
    return ReviewView.of(
        review,
        excerpt=review.excerpt or "",
        flags=list(review.flags or []),
        photo=photo_checks.moderators_link(review) if undecided and review.subject == "photo" else None,
        since=clock.local(review.opened_at),
        decided_at=clock.local(review.decided_at) if review.decided_at else None,
        reason=review.reason or None,
        reasons=list(rules.REASONS) if undecided else [],
    )


@routes.get("/reviews")
def list_reviews(caller: Caller, query: ReviewsOf, now: datetime) -> Listing[ReviewLine]:
    """What waits for a moderator's decision in an area, the longest waiting first."""
    page = reviews.to_decide(caller=caller, area=query.area, cursor=query.cursor, now=now)
    return listing(page, line)


@routes.get("/reviews/{review_id}")
def show_review(caller: Caller, review_id: str, now: datetime) -> ReviewView:
    """One of them in full. The link to a photo is good for five minutes."""
    return view(reviews.read(review_id, caller=caller, now=now))


@routes.post("/reviews/{review_id}/decide")
def decide(caller: Caller, review_id: str, body: Decision, attempt: Attempt, now: datetime) -> ReviewView:
    """Let it be seen, or refuse it with a reason that the author is told."""
    decided = reviews.decide(
        review_id,
        caller=caller,
        approve=body.decision == "approve",
        reason=body.reason,
        attempt=attempt,
        now=now,
    )
    return view(decided)
