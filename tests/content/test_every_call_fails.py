"""Moderators, WeChat and the photo worker on a bad day of AWS: done again, it has been done once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.content import bucket, photo_checks, reviews, uploads
from chalicelib.kit import clock
from local.wechat.control import StandIn
from tests.content.conftest import AREA, Neighbour, again, attempt, invite, objects, picture, put_upload, taken_in
from tests.content.test_photo_results import verdict
from tests.content.test_reviews import flagged
from tests.faults.acts import Act
from tests.faults.faults import FOR_EVER, KINDS, Kind, possible
from tests.faults.test_every_call_fails import fail_then_repeat, faultless

Neighbours = Callable[..., Neighbour]


@pytest.fixture
def act(request: pytest.FixtureRequest, wechat: StandIn, neighbour: Neighbours) -> Act:
    wechat.settings(media_withheld=True)
    author = neighbour()
    return request.param(author, neighbour)


def deciding(author: Neighbour, neighbour: Neighbours) -> Act:
    moderator = neighbour(moderates=AREA)

    def prepare() -> Any:
        thing, review = flagged(author)
        return thing, review, len(author.notices)

    def decide(world: Any, key: str) -> None:
        reviews.decide(
            world[1].id,
            caller=moderator.caller,
            approve=False,
            reason="广告",
            attempt=attempt(moderator.id, key),
            now=clock.now(),
        )

    def facts(world: Any) -> Any:
        thing, review, told = world
        return again(thing).area_sort, again(review).state, author.notices[told:]

    return Act("a moderator decides", prepare, decide, facts)


def hearing_from_wechat(author: Neighbour, neighbour: Neighbours) -> Act:
    def prepare() -> Any:
        return taken_in(author)

    def arrive(photo: Any, key: str) -> None:
        photo_checks.result_arrived(verdict(photo.trace_id), now=clock.now())

    def facts(photo: Any) -> Any:
        current = again(photo)
        return current.state, current.timer, len(objects(f"shown/{photo.id}"))

    return Act("wechat lets a photo pass", prepare, arrive, facts)


def taking_in(author: Neighbour, neighbour: Neighbours) -> Act:
    def prepare() -> Any:
        photo = invite(author)
        put_upload(photo, picture())
        return photo

    def take_in(photo: Any, key: str) -> None:
        uploads.take_in(photo.upload_key, now=clock.now())

    def facts(photo: Any) -> Any:
        """Whether WeChat has been asked is not among them: what a crash left unasked is the timer's."""
        current = again(photo)
        held = bucket.held_keys(current.held_name)
        return (
            current.state,
            current.timer,
            sorted(objects(f"held/{photo.id}")) == sorted(held),
            objects(photo.upload_key),
        )

    return Act("an upload is taken in", prepare, take_in, facts)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("act", [deciding, hearing_from_wechat, taking_in], indirect=True, ids=lambda of: of.__name__)
def test_the_repeat_of_a_failed_act_ends_as_if_nothing_had_failed(act: Act, kind: Kind):
    calls, wanted = faultless(act)
    for number, name in enumerate(calls, start=1):
        if possible(kind, name):
            # An act that botocore's own repeat heals is the kit's test; here it is the act that fails.
            fail_then_repeat(act, number, kind, FOR_EVER, wanted)
