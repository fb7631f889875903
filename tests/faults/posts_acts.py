"""Every act of posts, over HTTP as a client does it; the steps by which an urgent one is told; its timers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import patch

import msgspec

from chalicelib.kit import clock, timers
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices.models import Credit, Notice
from chalicelib.notices.settings import Channel, Settings, Template
from chalicelib.people.models import partition as resident_partition
from chalicelib.points import statement
from chalicelib.posts import jobs, spreading
from chalicelib.posts.models import Alert, Home, Post
from tests.engine.http import Answer
from tests.faults.acts import Act, hand, message, when_due
from tests.faults.help_acts import posting, send, street

World = dict[str, Any]
WATER = {"title": "周六停水", "text": "上午八点到十一点停水。", "urgent": True}
TEMPLATE = "one-time-of-posts"
REACHED = Settings(
    templates={"community": Template(one_time=Channel(TEMPLATE))}, quiet_from="00:00", quiet_until="00:00"
)


def square() -> World:
    """The street of help requests; two of its people stand in the list of homes and may be pushed to."""
    world = street()
    with transaction() as tx:
        for name in ("asker", "helper"):
            who = world["people"][name]
            tx.put(Home.of(who, world["community"]))
            credit = Credit.key(who, TEMPLATE)
            credit.reported, credit.confirmed, credit.used = 1, 0, 0
            tx.put(credit)
    return world


def publish(world: World, key: str) -> Answer:
    answer = send(world, "worker", "/posts", key, {**WATER, "area": world["community"]})
    if answer.status == 201:
        world["post"] = answer.json["id"]
    return answer


def published() -> World:
    world = square()
    publish(world, "published")
    return world


def pictured() -> World:
    world = published()
    world["photo"] = send(world, "worker", "/posts/{post}/photos", "invited", {}).json["photo_id"]
    return world


def ending() -> World:
    world = published()
    over = clock.now() - timedelta(seconds=1)
    post = Post.key(world["post"])
    post.update([Post.ends_at.set(over), *timers.set_to(post.pk, "posts.end", over)])
    return world


def end(world: World, key: str) -> None:
    when_due(Post.key(world["post"]), clock.now())


def begin(world: World, key: str) -> None:
    when_due(Alert.key(world["post"]), world.setdefault("at", clock.now()))


def step(world: World, key: str) -> None:
    """One message of the queue: the first page of one person, which sends the second."""
    body = msgspec.json.encode(spreading.Step(world["post"], "")).decode()
    with patch.object(spreading, "PAGE", 1), patch("chalicelib.notices.settings.current", return_value=REACHED):
        hand(jobs.spread_posts, message(body))


def facts(world: World) -> Any:
    """What is stored of the posts, who was told, and what was earned, without ids and times."""
    posts = list(Item.by_person.query(f"POSTS_OF#{world['people']['worker']}"))
    told = {
        name: sorted(
            notice.topic for notice in Notice.query(resident_partition(resident), Item.sk.startswith(Notice.PREFIX))
        )
        for name, resident in world["people"].items()
    }
    # Whoever comes first in the list is told first, and that is chance.
    told["some"] = sorted(told.pop("asker") + told.pop("helper"))
    balances = [statement.now_of(resident, now=clock.now())[0] for resident in world["people"].values()]
    return told, balances, [sorted(map(str, map(_fact, Item.collection(post.pk)))) for post in posts]


def _fact(item: Any) -> Any:
    kind = type(item).__name__
    if isinstance(item, Post):
        return kind, item.state, item.urgent, item.photos, item.timer, bool(item.area_key), len(item.marks or ())
    if isinstance(item, Alert):
        return kind, bool(item.reached), int(item.told), item.done_at is not None, item.due_at == item.began_at
    return kind, getattr(item, "state", None)


ACTS = [
    Act("staff publish an urgent post", square, publish, facts, "POST /posts"),
    Act(
        "a resident reads a post",
        published,
        posting("asker", "/posts/{post}/read"),
        facts,
        "POST /posts/{post_id}/read",
    ),
    Act(
        "staff take a post back",
        published,
        posting("worker", "/posts/{post}/withdraw"),
        facts,
        "POST /posts/{post_id}/withdraw",
    ),
    Act(
        "a picture is added to a post",
        published,
        posting("worker", "/posts/{post}/photos", {}),
        facts,
        "POST /posts/{post_id}/photos",
    ),
    Act(
        "a picture is taken off a post",
        pictured,
        posting("worker", "/posts/{post}/photos/{photo}/remove"),
        facts,
        "POST /posts/{post_id}/photos/{photo_id}/remove",
    ),
    Act("the telling of a post begins", published, begin, facts, "timer posts.spread"),
    Act("a page of people is told of a post", published, step, facts, "spread_posts"),
    Act("a post ends", ending, end, facts, "timer posts.end"),
]
