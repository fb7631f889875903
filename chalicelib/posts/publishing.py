"""Publishing to an area, taking it back, and what a verdict on it means."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from chalicelib.areas import service as areas
from chalicelib.content import reviews
from chalicelib.content import service as content
from chalicelib.content.models import Review
from chalicelib.content.rules import SubjectGone, refuse_blank
from chalicelib.kit import clock, limits, timers
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed, Conflict
from chalicelib.kit.transaction import settled, transaction
from chalicelib.notices import service as notices
from chalicelib.people import service as people
from chalicelib.people.service import Person
from chalicelib.posts import rules
from chalicelib.posts.models import Alert, Post
from chalicelib.wechat.content import Scene

END = "posts.end"


class Draft(msgspec.Struct, frozen=True):
    """What somebody wants to tell an area, as filled in."""

    title: str
    text: str
    area: str
    urgent: bool = False
    ends_at: datetime | None = None


def publish(*, caller: Caller, draft: Draft, attempt: Attempt, now: datetime) -> Post:
    """Tell an area something. Hidden while its text is in review; an urgent one is pushed once it is shown."""
    person = people.present(caller, now=now)
    duty = person.must_hold(rules.PUBLISHERS, draft.area)
    post = Post(f"POST#{attempt.id('post')}", "POST")
    published_before = Post.find(post.pk, post.sk)
    if published_before and attempt.made(published_before):
        return published_before
    refuse_blank(title=draft.title, text=draft.text)
    rules.check_end(draft.ends_at, now)
    post.area = areas.get(draft.area).code
    post.title, post.text, post.urgent, post.ends_at = draft.title, draft.text, draft.urgent, draft.ends_at
    post.author, post.author_name, post.author_role = person.id, person.resident.nickname, duty.role
    post.created_at, post.marks = now, attempt.marks()
    post.person_key, post.person_sort = f"POSTS_OF#{person.id}", clock.stamp(now)
    try:
        _write(post, person, now)
    except Conflict:
        # The first try of this very request was faster than its repeat.
        published_before = Post.fetch(post.pk, post.sk)
        if not attempt.made(published_before):
            raise
        return published_before
    return post


def _write(post: Post, person: Person, now: datetime) -> None:
    screening = content.screen(
        person.caller, scene=Scene.FORUM, now=now, official=True, title=post.title, text=post.text
    )
    post.state = "in_review"
    if screening.passed:
        post.state, post.shown_at = "shown", now
        for name, value in post.lists_it(now).items():
            setattr(post, name, value)
    if post.ends_at:
        timers.start(post, END, post.ends_at)
    with person.acting() as tx:
        tx.create(post, or_raise=Conflict())
        content.hold(
            tx,
            screening,
            subject="post",
            subject_pk=post.pk,
            subject_sk=post.sk,
            author_id=person.id,
            as_staff=True,
            area=post.area,
            excerpt=f"{post.title}\n{post.text}",
            now=now,
        )
        if post.urgent and screening.passed:
            tx.create(Alert.of(post, now), or_raise=Conflict())
        _count(tx, post, person.id, now)


def _count(tx: transaction, post: Post, author: str, now: datetime) -> None:
    allowed = rules.settings_in_force()
    limits.spend(tx, author, "post", at_most=allowed.posts_a_day, per=timedelta(days=1), now=now)
    if post.urgent:
        limits.spend(tx, author, "post_urgent", at_most=allowed.urgent_a_day, per=timedelta(days=1), now=now)


@reviews.on_decision("post")
def judged(tx: transaction, review: Review, *, approved: bool, reason: str, now: datetime) -> None:
    """Show it, and only now tell people of an urgent one; or remove it. Too late for its end date, it just ends."""
    post = Post.find(review.subject_pk, review.subject_sk)
    if post is None or post.state != "in_review":
        raise SubjectGone()
    if not approved:
        change = [*Post.set(state="removed", removed_reason=reason), *timers.stop()]
    elif rules.over(post, now):
        change = [Post.state.set("ended"), *timers.stop()]
    else:
        change = [*Post.set(state="shown", shown_at=now), *post.list_it(now)]
        if post.urgent:
            tx.create(Alert.of(post, now), or_raise=SubjectGone())
    tx.update(post, change, when=Post.state == "in_review", or_raise=SubjectGone())


@settled(rules.TryAgain)
def withdraw(*, caller: Caller, post_id: str, attempt: Attempt, now: datetime) -> Post:
    """Take a post back: whoever publishes to its area now, its author or another. Who has not been told of it yet, is not."""
    person = people.present(caller, now=now)
    post = find(post_id)
    may_change(person, post)
    if attempt.made(post):
        return post
    rules.POST.check(post.state, "withdrawn", or_raise=rules.NotNow(detail=rules.why_not(post.state)))
    _take_back(post, person, attempt, now)  # Changed: shown, ended or taken back in this very moment
    post.state = "withdrawn"
    return post


def find(post_id: str) -> Post:
    """The post with this id, or PostGone."""
    key = Post.key(post_id)
    return named(Post.find(key.pk, key.sk), post_id)


def named(post: Post | None, post_id: str) -> Post:
    """The post, if it is the one that the whole id means, its area included."""
    if post is None or post.id != post_id:
        raise rules.PostGone()
    return post


def may_change(person: Person, post: Post) -> None:
    """A post is the community's: whoever publishes to its area now may, whether they have written it or not."""
    if post.state not in rules.READABLE and person.holds(rules.LOOKERS, post.area) is None:
        raise rules.PostGone()
    person.must_hold(rules.PUBLISHERS, post.area)


def _take_back(post: Post, person: Person, attempt: Attempt, now: datetime) -> None:
    with person.acting() as tx:
        tx.update(
            post,
            [
                *Post.set(state="withdrawn", withdrawn_at=now, withdrawn_by=person.id),
                *Post.unlist(),
                *timers.stop(),
                *attempt.remember(),
            ],
            when=Post.state == post.state,
            or_raise=Changed(),
        )
        if post.author and post.author != person.id and people.looks_after(post.author, post.area, now=now):
            facts = {"who": person.resident.nickname, "title": post.title}
            notices.tell(tx, post.author, "post_withdrawn", about=post.id, now=now, **facts)
