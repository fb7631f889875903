"""Telling everybody in an area of an urgent post: a page of people at each step, and each step sends the next.

    shown → timer (within a minute) ─▶ PostsQueue.fifo ─▶ step ─▶ notices … ─▶ PushQueue
                                            ▲               │
                                            └── next step ──┘   the timer takes it up again if this chain breaks

What counts is the post's `Alert`: a step tells its page, notes under a condition how far it has come, and only then
sends the next. Cut off before the note, the page is told again, and a notice's id is made of post and person; cut off
after it, the message comes again, is found to be done, and only sends the next. The queue drops the same step sent
twice, and hands out a post's steps one after the other.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec

from chalicelib.areas import service as areas
from chalicelib.kit import aws, log, timers
from chalicelib.kit.errors import Conflict
from chalicelib.kit.table import Action, Condition, read_together
from chalicelib.kit.transaction import transaction
from chalicelib.notices import push
from chalicelib.notices import service as notices
from chalicelib.people import rules as people
from chalicelib.posts import neighbours, rules
from chalicelib.posts.models import Alert, Home, Post

PAGE = 200  # people of one step: as many may still be told of a post that is withdrawn in this moment
KIND = "post_urgent"
_TOGETHER = 25  # people whose credits are read at once
_THREADS = 8
_PATIENCE = timedelta(minutes=10)  # a step takes seconds


class Step(msgspec.Struct, frozen=True):
    """What stands in the queue: which post, and from where on in the list of homes. Nobody's name."""

    post: str
    reached: str


class _MovedOn(Conflict):
    """Another run has done this step."""


def send(alert: Alert, post_id: str) -> None:
    """Put the next step into the queue. Sent twice within five minutes it is one."""
    step = Step(post_id, alert.reached)
    aws.client("sqs").send_message(
        QueueUrl=os.environ["POSTS_QUEUE_URL"],
        MessageBody=msgspec.json.encode(step).decode(),
        MessageGroupId=post_id,
        MessageDeduplicationId=f"{post_id}-{alert.reached}",
    )


@timers.on(Alert.TIMER)
def start(found: Alert, *, now: datetime) -> None:
    """Begin, or go on where it has stood still: a message was lost, or given up by the queue."""
    alert, post = read_together(found, Post(found.pk, "POST"))
    if alert is None or alert.done_at is not None:
        return
    if alert.reached or alert.due_at != alert.began_at:
        log.count("post_spread_resumed")
    send(alert, post.id)
    with suppress(_MovedOn), transaction() as tx:  # else a step was faster and has set it
        tx.update(
            alert,
            timers.set_to(alert.pk, Alert.TIMER, now + _PATIENCE),
            when=_as_read(alert) & (Alert.due_at == alert.due_at),
            or_raise=_MovedOn(),
        )


def step(body: str, *, now: datetime) -> None:
    """Act on one message of the queue."""
    this = msgspec.json.decode(body, type=Step)
    alert, post = read_together(Alert.key(this.post), Post.key(this.post))
    if alert is None or alert.done_at is not None:
        return
    if alert.reached != this.reached:
        send(alert, this.post)  # this step is done; whether its next was sent, nobody knows
        return
    with suppress(_MovedOn):
        _do(alert, post, now)


def _do(alert: Alert, post: Post, now: datetime) -> None:
    if post.state != "shown" or rules.over(post, now):
        _note(alert, [Alert.done_at.set(now), *timers.stop()])
        return
    page = neighbours.after(post.area, alert.reached, at_most=PAGE)
    told = _tell(page, post, alert, now)
    if len(page) < PAGE:
        _note(alert, [Alert.told.add(told), Alert.done_at.set(now), *timers.stop()])
    else:
        reached = page[-1].area_sort
        onward = timers.set_to(alert.pk, Alert.TIMER, now + _PATIENCE)
        _note(alert, [Alert.told.add(told), Alert.reached.set(reached), *onward])
        alert.reached = reached
        send(alert, post.id)
    log.measure({"post_told": told, "post_looked_at": len(page)})


def _note(alert: Alert, change: list[Action]) -> None:
    with transaction() as tx:
        tx.update(alert, change, when=_as_read(alert), or_raise=_MovedOn())


def _as_read(alert: Alert) -> Condition:
    as_read: Condition = (Alert.reached == alert.reached) & Alert.done_at.does_not_exist()
    return as_read


def _tell(page: Sequence[Home], post: Post, alert: Alert, now: datetime) -> int:
    """Tell those of a page whom a push would reach. Returns how many these are, told now or before."""
    some = [page[start : start + _TOGETHER] for start in range(0, len(page), _TOGETHER)]
    if not some:
        return 0
    place = areas.place_name(post.area)
    with ThreadPoolExecutor(min(_THREADS, len(some))) as pool:
        return sum(pool.map(lambda each: _tell_some(each, post, alert, place, now), some))


def _tell_some(some: Sequence[Home], post: Post, alert: Alert, place: str, now: datetime) -> int:
    told = 0
    for resident in push.reachable(KIND, [home.resident_id for home in some]):
        # As it is now: the list may lag, and whose home was declined does not live there.
        if resident.id != post.author and people.lives_in(resident.home, resident.home_state, post.area):
            facts = {"title": post.title, "place": place}
            notices.tell_once(resident.id, KIND, about=post.id, at=alert.began_at, now=now, facts=facts)
            told += 1
    return told
