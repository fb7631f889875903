"""Moderators, WeChat and the photo worker on a bad day of AWS: done again, it has been done once."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib import photo_uploads, wechat_events
from chalicelib.content import bucket
from chalicelib.notices import events
from tests.content.conftest import again, announcement, invite, objects, picture, put_upload, taken_in
from tests.content.test_photo_results import verdict
from tests.content.test_reviews import flagged
from tests.engine.http import Answer
from tests.faults.acts import Act, ActInHood, hand, in_hood, message
from tests.faults.trying import fail_every_call
from tests.neighbourhood import Hood


@in_hood("POST /reviews/{review_id}/decide")
def deciding(hood: Hood) -> Act:
    author, moderator = hood.resident(), hood.staff("moderator")

    def prepare() -> Any:
        thing, review = flagged(author)
        return thing, review, len(author.told)

    def decide(world: Any, key: str) -> Answer:
        said = {"decision": "refuse", "reason": "广告"}
        return moderator.post(f"/reviews/{world[1].id}/decide", json=said, key=key)

    def facts(world: Any) -> Any:
        thing, review, told = world
        return again(thing).area_sort, again(review).state, author.told[told:]

    return Act("a moderator decides", prepare, decide, facts)


@in_hood("event MediaChecked")
def hearing_from_wechat(hood: Hood) -> Act:
    author = hood.resident()

    def arrive(photo: Any, key: str) -> None:
        told = msgspec.json.encode(events.Told(verdict(photo.trace_id), None)).decode()
        hand(wechat_events.wechat_events, message(told))

    def facts(photo: Any) -> Any:
        current = again(photo)
        return current.state, current.timer, len(objects(f"shown/{photo.id}"))

    return Act("wechat lets a photo pass", lambda: taken_in(author), arrive, facts)


@in_hood("process_photos")
def taking_in(hood: Hood) -> Act:
    author = hood.resident()

    def prepare() -> Any:
        photo = invite(author)
        put_upload(photo, picture())
        return photo

    def take_in(photo: Any, key: str) -> None:
        hand(photo_uploads.process_photos, announcement(photo.upload_key))

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


ACTS: list[ActInHood] = [deciding, hearing_from_wechat, taking_in]


@pytest.mark.parametrize("make", ACTS, ids=str)
def test_the_repeat_of_a_failed_act_ends_as_if_nothing_had_failed(make: ActInHood, hood: Hood) -> None:
    hood.wechat.settings(media_withheld=True)
    fail_every_call(make(hood))
