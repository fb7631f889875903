"""Moderators, WeChat and the photo worker on a bad day of AWS: done again, it has been done once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.content import bucket, photo_checks, reviews, uploads
from chalicelib.kit import clock
from tests.content.conftest import again, attempt, invite, objects, picture, put_upload, taken_in
from tests.content.test_photo_results import verdict
from tests.content.test_reviews import flagged
from tests.faults.acts import Act
from tests.faults.faults import FOR_EVER, Kind
from tests.faults.test_every_call_fails import attempts_worth_trying, fail_then_repeat, faultless
from tests.neighbourhood import Hood

# AWS says no, or does it and falls silent, or somebody else holds the item. The other ways come to the same for an
# act: tests/faults shows that the kit turns them into these.
HERE: tuple[Kind, ...] = ("throttled", "answer_lost", "conflict")


def deciding(hood: Hood) -> Act:
    author, moderator = hood.resident(), hood.staff("moderator")

    def prepare() -> Any:
        thing, review = flagged(author)
        return thing, review, len(author.told)

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
        return again(thing).area_sort, again(review).state, author.told[told:]

    return Act("a moderator decides", prepare, decide, facts)


def hearing_from_wechat(hood: Hood) -> Act:
    author = hood.resident()

    def arrive(photo: Any, key: str) -> None:
        photo_checks.result_arrived(verdict(photo.trace_id), now=clock.now())

    def facts(photo: Any) -> Any:
        current = again(photo)
        return current.state, current.timer, len(objects(f"shown/{photo.id}"))

    return Act("wechat lets a photo pass", lambda: taken_in(author), arrive, facts)


def taking_in(hood: Hood) -> Act:
    author = hood.resident()

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


def fail_every_call(act: Act) -> None:
    calls, wanted = faultless(act)
    for number, name in enumerate(calls, start=1):
        for kind in HERE:
            # An act that botocore's own repeat heals is the kit's test; here it is the act that fails.
            if FOR_EVER in attempts_worth_trying(kind, name):
                fail_then_repeat(act, number, kind, FOR_EVER, wanted)


@pytest.mark.parametrize("make", [deciding, hearing_from_wechat, taking_in], ids=lambda make: make.__name__)
def test_the_repeat_of_a_failed_act_ends_as_if_nothing_had_failed(make: Callable[[Hood], Act], hood: Hood):
    hood.wechat.settings(media_withheld=True)
    fail_every_call(make(hood))
