"""What posts cost: publishing, finding, reading for points, and telling everybody of an urgent one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import patch

from chalicelib.kit import clock
from chalicelib.posts import jobs
from chalicelib.posts.models import Alert, Post
from tests.budget.acts import Act, Town, act, good, handed, when_due
from tests.neighbourhood import Neighbour
from tests.points.books import give
from tests.posts.square import WATER, allow, lives, publish, step_of, stored


def published(town: Town, **more: Any) -> tuple[Neighbour, Neighbour, str]:
    """The grid worker, a resident, and a post to the building in which the resident lives."""
    worker = town.carer()
    return worker, town.resident(), publish(worker, town.micro_grid, **more)


@act("POST /posts")
def publish_one(town: Town) -> Act:
    worker = town.carer()
    return lambda: worker.post("/posts", json={**WATER, "area": town.micro_grid})


@act("POST /posts (an urgent one)")
def publish_urgent(town: Town) -> Act:
    worker = town.carer()
    return lambda: worker.post("/posts", json={**WATER, "area": town.micro_grid, "urgent": True})


@act("POST /posts (the same again)")
def publish_again(town: Town) -> Act:
    worker = town.carer()
    body = {**WATER, "area": town.micro_grid}
    good(worker.post("/posts", json=body, key="a"))
    return lambda: worker.post("/posts", json=body, key="a")


@act("GET /posts")
def of_area(town: Town) -> Act:
    _, resident, _ = published(town)
    return lambda: resident.get(f"/posts?area={town.micro_grid}")


@act("GET /posts/mine")
def mine(town: Town) -> Act:
    worker, _, _ = published(town)
    return lambda: worker.get("/posts/mine")


@act("GET /posts/{post_id}")
def look_at(town: Town) -> Act:
    _, resident, post = published(town)
    return lambda: resident.get(f"/posts/{post}")


@act("POST /posts/{post_id}/read (the first points of a month)")
def read_first(town: Town) -> Act:
    _, resident, post = published(town)
    give(town.resident().id)  # the audit has been started in this container
    return lambda: resident.post(f"/posts/{post}/read")


@act("POST /posts/{post_id}/read")
def read(town: Town) -> Act:
    _, resident, post = published(town)
    give(resident.id)
    return lambda: resident.post(f"/posts/{post}/read")


@act("POST /posts/{post_id}/read (again)")
def read_again(town: Town) -> Act:
    _, resident, post = published(town)
    good(resident.post(f"/posts/{post}/read"))
    return lambda: resident.post(f"/posts/{post}/read")


@act("POST /posts/{post_id}/read (the rule is off)")
def read_without_points(town: Town) -> Act:
    from chalicelib.points.settings import DEFAULTS, Rule

    _, resident, post = published(town)

    def read_it() -> object:
        with patch.dict(DEFAULTS, {"post_read": Rule(name="阅读信息", points=1, on=False)}):
            return resident.post(f"/posts/{post}/read")

    return read_it


@act("POST /posts/{post_id}/withdraw")
def withdraw(town: Town) -> Act:
    worker, _, post = published(town)
    return lambda: worker.post(f"/posts/{post}/withdraw")


@act("POST /posts/{post_id}/photos")
def add_photo(town: Town) -> Act:
    worker, _, post = published(town)
    return lambda: worker.post(f"/posts/{post}/photos", json={})


@act("POST /posts/{post_id}/photos/{photo_id}/remove")
def remove_photo(town: Town) -> Act:
    worker, _, post = published(town)
    photo = good(worker.post(f"/posts/{post}/photos", json={}))["photo_id"]
    return lambda: worker.post(f"/posts/{post}/photos/{photo}/remove")


@act("spread_posts (nobody lives there)")
def tell_nobody(town: Town) -> Act:
    _, _, post = published(town, urgent=True)
    return handed(jobs.spread_posts, step_of(post))


@act("spread_posts (25 people, of whom ten can be pushed to)")
def tell_ten(town: Town) -> Act:
    _, _, post = published(town, urgent=True)
    for number in range(25):
        neighbour = town.resident()
        lives(neighbour, town.micro_grid)
        if number < 10:
            allow(neighbour, 1)
    return handed(jobs.spread_posts, step_of(post))


@act("spread_posts (told already)")
def tell_again(town: Town) -> Act:
    _, _, post = published(town, urgent=True)
    handed(jobs.spread_posts, step_of(post))()
    return handed(jobs.spread_posts, step_of(post))


@act("timer posts.spread")
def begin(town: Town) -> Act:
    _, _, post = published(town, urgent=True)
    return when_due(Alert.key(post))


@act("timer posts.end")
def end(town: Town) -> Act:
    _, _, post = published(town, ends_at=(clock.now() + timedelta(hours=1)).isoformat())
    return when_due(Post(stored(post).pk, "POST"))
