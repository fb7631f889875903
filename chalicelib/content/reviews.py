"""The moderators' list and decisions, and the texts WeChat is asked about again.

Whoever holds something back registers what a verdict means for it:

    @reviews.on_decision("help_request")
    def decided(tx, review, *, approved: bool, reason: str, now: datetime) -> None: ...

The handler adds its changes to the transaction that decides, under conditions that raise SubjectGone when the
subject has moved on; the review is then closed as moot, and nobody is told anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TypeVar

from chalicelib.areas import rules as area_rules
from chalicelib.areas import service as areas
from chalicelib.content import rules, service
from chalicelib.content.models import Review
from chalicelib.kit import ids, log, timers
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed, Conflict, Forbidden, NotFound, Problem, Unavailable
from chalicelib.kit.table import Action, Item, Page, page
from chalicelib.kit.transaction import transaction
from chalicelib.kit.vault import KeyDestroyed
from chalicelib.notices import service as notices
from chalicelib.people import service as people

MODERATORS = ("moderator",)
WECHAT = "wechat"

Handler = Callable[..., None]
H = TypeVar("H", bound=Handler)
_handlers: dict[str, Handler] = {}


def on_decision(subject: str) -> Callable[[H], H]:
    """Register `handler(tx, review, *, approved, reason, now)` for reviews of this kind of subject."""

    def register(handler: H) -> H:
        if subject in _handlers:
            raise ValueError(f"two handlers for decisions about {subject}")
        _handlers[subject] = handler
        return handler

    return register


def open_for_flags(
    tx: transaction,
    *,
    subject: str,
    subject_pk: str,
    subject_sk: str,
    author_id: str | None,
    area: str,
    excerpt: str,
    reasons: Sequence[str],
    words: Sequence[str],
    now: datetime,
    writer_id: str | None = None,
    flagged_by: Sequence[str] = (),
    hidden: bool = True,
) -> Review:
    """Ask a moderator about something that neighbours have flagged; the caller hides it in the same transaction, or it
    is not `hidden` until the moderator decides, and nobody is told of it.

    `words` are what each of them wrote with their reason, "" for nothing. The moderator reads both; the author is told
    that it is hidden and which reasons were given, neither the words nor by whom. None of those who flagged it decides.
    """
    review = Review.of(
        ids.new_id("review"),
        subject=subject,
        subject_pk=subject_pk,
        subject_sk=subject_sk,
        author_id=author_id,
        writer_id=author_id or writer_id or "",
        area=area,
        excerpt=excerpt,
        cause="flagged" if hidden else "pointed_out",
        now=now,
        as_staff=author_id is None,
        parties=flagged_by,
    )
    review.flags = rules.shown_flags(reasons, words)
    tx.create(review, or_raise=Conflict())
    if hidden:
        service.tell_author(tx, review, "content_hidden_by_flags", now=now, reason=rules.told_flags(reasons))
    return review


def add_flag(tx: transaction, review: Review, *, by: str, reason: str, words: str) -> None:
    """Another neighbour says something about what waits for a moderator. Changed when that has been decided."""
    tx.update(
        review,
        Review.set(
            flags=[*(review.flags or ()), *rules.shown_flags([reason], [words])], parties=[*(review.parties or ()), by]
        ),
        when=(Review.state == "with_moderator") & (Review.flags == review.flags),
        or_raise=Changed(),
    )


def undecided(review_id: str | None) -> Review | None:
    """The review, as long as a moderator has to decide on it."""
    review = Review.find(*_key(review_id)) if review_id else None
    return review if review is not None and review.state == "with_moderator" else None


def _key(review_id: str) -> tuple[str, str]:
    key = Review.key(review_id)
    return key.pk, key.sk


def forget_words(subject_pk: str, *, area: str, reason: str, words: str) -> None:
    """Who wrote these words with their flag has left: moderators who have yet to decide read the reason alone."""
    [said] = rules.shown_flags([reason], [words])
    for review in Item.by_area.query(Review.list_key(area), Item.area_sort.startswith(f"{area}#")):
        if isinstance(review, Review) and review.subject_pk == subject_pk and said in (review.flags or ()):
            left = [reason if each == said else each for each in review.flags]
            with transaction() as tx:
                tx.update(review, [Review.flags.set(left)], when=Review.flags == review.flags, or_raise=Changed())


def drop(tx: transaction, review_id: str, *, now: datetime) -> None:
    """Close a review whose subject its author has replaced, so that no moderator spends time on it.

    Changed at the commit if the verdict has come in this very moment."""
    review = Review.find(f"REVIEW#{review_id}", "REVIEW")
    if review is not None and review.state in rules.REVIEW.moves:
        close(tx, review, "moot", by=review.author_id or review.writer_id, reason="", now=now, or_raise=Changed())


def to_decide(*, caller: Caller, area: str, cursor: str | None, now: datetime) -> Page[Review]:
    """What waits for a moderator in an area, the longest waiting first."""
    if not area_rules.well_formed(area):
        raise area_rules.AreaUnknown()
    people.present(caller, now=now).must_hold(MODERATORS, area)
    return page(
        Item.by_area,
        Review.list_key(area),
        Item.area_sort.startswith(area),
        of=Review,
        cursor=cursor,
        newest_first=False,
    )


def read(review_id: str, *, caller: Caller, now: datetime) -> Review:
    """One review, for a moderator of its area; anybody else finds nothing."""
    person = people.present(caller, now=now)
    review = _for_moderator(review_id, person)
    try:
        _apart(person, review)
    except Forbidden:
        review.flags = None  # what neighbours said of it is not for those it concerns
    return review


def decide(
    review_id: str, *, caller: Caller, approve: bool, reason: str | None, attempt: Attempt, now: datetime
) -> Review:
    """A moderator lets it be seen, or refuses it with a reason that the author is told."""
    said = rules.decision_reason(approve=approve, reason=reason)
    person = people.present(caller, now=now)
    review = _for_moderator(review_id, person)
    if attempt.made(review):
        return review
    _apart(person, review)
    if review.state == "waiting":
        raise rules.NotYetForModerators()
    rules.REVIEW.check(review.state, "approved", or_raise=rules.AlreadyDecided())
    outcome = "approved" if approve else "refused"
    try:
        with person.acting() as tx:
            _conclude(tx, review, approved=approve, by=caller.id, reason=said, now=now, also=attempt.remember())
    except rules.SubjectGone:
        with person.acting() as tx:
            close(tx, review, "moot", by=caller.id, reason="", now=now, also=attempt.remember())
        outcome, said = "moot", ""
    log.count("review_decided", outcome=outcome)
    # As the table has it now, for one read less.
    review.state, review.decided_by, review.decided_at, review.reason = outcome, caller.id, now, said
    review.excerpt = review.texts = review.flags = None
    return review


def recheck(review: Review, *, now: datetime) -> None:
    """Timer: WeChat did not answer when this was written, so it is asked again."""
    current = Review.find(review.pk, review.sk)
    if current is None or current.state != "waiting":
        return
    with suppress(rules.AlreadyDecided):  # the index was late: somebody else has been faster
        _ask_again(current, now=now)


def remind(review: Review, *, now: datetime) -> None:
    """Timer: a review has waited long. The moderators are told, unless they were when another one of the same area,
    still undecided, had waited as long: who decides a hundred a day does not want a hundred messages."""
    waiting = Item.by_area.query(
        Review.list_key(review.area), Item.area_sort.startswith(f"{review.area}#"), limit=1, scan_index_forward=True
    )
    moderators: list[str] = []
    if any(first.pk == review.pk for first in waiting):
        concerned = {review.author_id, review.writer_id, *(review.parties or ())}
        moderators = [each for each in people.holders("moderator", review.area, now=now) if each not in concerned]
    with suppress(rules.AlreadyDecided), transaction() as tx:
        tx.update(review, timers.stop(), when=Review.state == "with_moderator", or_raise=rules.AlreadyDecided())
        for moderator in moderators:
            place = areas.place_name(review.area)
            notices.tell(tx, moderator, "review_waiting", about=review.id, now=now, area=review.area, place=place)


def _ask_again(review: Review, *, now: datetime) -> None:
    writer = people.find(review.writer_id)
    try:
        if writer is None:
            raise KeyDestroyed()
        verdict = service.ask_wechat(people.openid_of(writer), int(review.scene), review.texts)
    except KeyDestroyed:
        if review.author_id is None:  # nobody's own, so it does not end with the account of who wrote it down
            _hand_over(review, cause="wechat_silent", now=now)
            return
        with transaction() as tx:
            close(tx, review, "moot", by=WECHAT, reason="", now=now)
        return
    except Unavailable as trouble:
        _try_later(review, now=now, hopeless=service.is_hopeless(trouble))
        return
    log.count("text_check", outcome=f"later_{verdict.suggest}")
    if verdict.suggest == "review":
        _hand_over(review, cause="wechat_doubts", now=now)
        return
    approved = verdict.suggest == "pass"
    try:
        with transaction() as tx:
            _conclude(tx, review, approved=approved, by=WECHAT, reason="" if approved else verdict.reason, now=now)
    except rules.SubjectGone:
        with transaction() as tx:
            close(tx, review, "moot", by=WECHAT, reason="", now=now)


def _try_later(review: Review, *, now: datetime, hopeless: bool) -> None:
    tried = int(review.tries) + 1
    at = None if hopeless else rules.next_check(tried, since=review.opened_at, now=now)
    if at is None:
        _hand_over(review, cause="wechat_silent", now=now)
        return
    with transaction() as tx:
        tx.update(
            review,
            [Review.tries.set(tried), *timers.set_to(review.pk, "recheck_text", at)],
            when=Review.state == "waiting",
            or_raise=rules.AlreadyDecided(),
        )


def _hand_over(review: Review, *, cause: str, now: datetime) -> None:
    """Put it on the moderators' list; the author is told that it takes a person's time."""
    with transaction() as tx:
        tx.update(
            review,
            [
                *Review.set(
                    state="with_moderator",
                    cause=cause,
                    area_key=Review.list_key(review.area),
                    area_sort=f"{review.area}#{review.person_sort}",
                ),
                *timers.set_to(review.pk, "remind_moderators", now + rules.REMIND_AFTER),
            ],
            when=Review.state == "waiting",
            or_raise=rules.AlreadyDecided(),
        )
        service.tell_author(tx, review, "content_in_review", now=now)


def _conclude(
    tx: transaction,
    review: Review,
    *,
    approved: bool,
    by: str,
    reason: str,
    now: datetime,
    also: Sequence[Action] = (),
) -> None:
    """The verdict, what it means for the subject, and the word to the author, all in one."""
    close(tx, review, "approved" if approved else "refused", by=by, reason=reason, now=now, also=also)
    _handlers[review.subject](tx, review, approved=approved, reason=reason, now=now)
    if approved and review.cause != "pointed_out":
        service.tell_author(tx, review, "content_approved", now=now)
    elif not approved:
        service.tell_author(tx, review, "content_refused", now=now, reason=reason)


def close(
    tx: transaction,
    review: Review,
    state: str,
    *,
    by: str,
    reason: str,
    now: datetime,
    also: Sequence[Action] = (),
    or_raise: Problem | None = None,
) -> None:
    """End a review without a word to anybody. `or_raise` at the commit if it has moved on, else AlreadyDecided."""
    tx.update(
        review,
        [
            *Review.set(state=state, decided_by=by, decided_at=now, reason=reason),
            *(
                attribute.remove()
                for attribute in (
                    Review.excerpt,
                    Review.texts,
                    Review.flags,
                    Review.parties,
                    Review.area_key,
                    Review.area_sort,
                    Review.person_key,
                    Review.person_sort,
                )
            ),
            *timers.stop(),
            *also,
        ],
        when=Review.state == review.state,
        or_raise=or_raise or rules.AlreadyDecided(),
    )


def _apart(person: people.Person, review: Review) -> None:
    """Nobody decides about what they wrote or flagged, what was written for or about them, or as a delegate of these."""
    concerned = (review.author_id, review.writer_id, *(review.parties or ()))
    person.apart_from(*concerned, or_raise=rules.OwnContent(), tied=rules.TiedToAuthor())


def _for_moderator(review_id: str, person: people.Person) -> Review:
    review = Review.fetch(f"REVIEW#{review_id}", "REVIEW")
    try:
        person.must_hold(MODERATORS, review.area)
    except Forbidden:
        raise NotFound() from None
    return review
