"""Moderators, WeChat and the photo worker on a bad day of AWS: done again, it has been done once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from chalicelib import photo_uploads, wechat_events
from chalicelib.content import bucket
from chalicelib.content.models import Photo
from chalicelib.help.models import HelpRequest
from chalicelib.kit import clock
from chalicelib.notices import events
from tests.content.conftest import again, announcement, invite, objects, picture, put_upload, taken_in
from tests.content.test_photo_results import verdict
from tests.content.test_reviews import flagged
from tests.content.test_texts import DOUBTFUL
from tests.engine.http import Answer
from tests.faults.acts import Act, ActInHood, hand, in_hood, message, when_due
from tests.faults.help_acts import WISH
from tests.faults.trying import fail_every_call
from tests.help.street import review_of
from tests.neighbourhood import Hood, Neighbour


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
        hand(wechat_events.wechat_events, passed(photo))

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


def ask(author: Neighbour, **change: Any) -> str:
    answer = author.post("/help-requests", json={**WISH, **change})
    assert answer.status == 201, answer
    request: str = answer.json["id"]
    return request


def what_became_of(world: Any) -> Any:
    """The request and its review, and what was told to whom since."""
    request, review, listeners = world
    told = [neighbour.told[known:] for neighbour, known in listeners]
    return again(request).state, bool(again(request).area_key), again(review).state, again(review).timer, told


def held(author: Neighbour, *listeners: Neighbour, **change: Any) -> Any:
    request = HelpRequest.key(ask(author, **change))
    return request, again(review_of(author, "help_request")), [(each, len(each.told)) for each in listeners]


@in_hood("timer recheck_text")
def rechecking(hood: Hood) -> Act:
    """WeChat was down when it was written, and now lets it pass."""

    def prepare() -> Any:
        author = hood.resident()
        hood.wechat.break_("down", "/wxa/msg_sec_check", count=1)
        return held(author, author)

    def recheck(world: Any, key: str) -> None:
        when_due(world[1], clock.now() + timedelta(hours=1))

    return Act("wechat is asked again about a text", prepare, recheck, what_became_of)


@in_hood("timer remind_moderators")
def reminding(hood: Hood) -> Act:
    def prepare() -> Any:
        here = Hood(hood.http, hood.wechat)  # moderators hear of the first one that waits in an area
        return held(here.resident(), here.staff("moderator"), text=DOUBTFUL)

    def remind(world: Any, key: str) -> None:
        when_due(world[1], clock.now() + timedelta(days=3))

    return Act("moderators are reminded", prepare, remind, what_became_of)


def photo_facts(photo: Any) -> Any:
    current = again(photo)
    kept = [sorted(objects(f"{folder}/{photo.id}")) != [] for folder in ("held", "shown")]
    return current.state, current.timer, kept, objects(photo.upload_key)


@in_hood("timer await_upload")
def waiting_in_vain(hood: Hood) -> Act:
    author = hood.resident()

    def give_up(photo: Any, key: str) -> None:
        when_due(photo, clock.now() + timedelta(days=2))

    def facts(photo: Any) -> Any:
        return Photo.find(photo.pk, photo.sk), HelpRequest.fetch(photo.pk, "REQUEST").photos

    return Act("a photo never comes", lambda: invite(author, subject_pk=pictured(author)), give_up, facts)


def pictured(author: Neighbour) -> str:
    """A request with room for a photo taken."""
    request = HelpRequest.key(ask(author))
    request.update([HelpRequest.photos.add(1)])
    pk: str = request.pk
    return pk


@in_hood("timer tidy_photo")
def tidying(hood: Hood) -> Act:
    author = hood.resident()

    def prepare() -> Any:
        photo = taken_in(author)
        hand(wechat_events.wechat_events, passed(photo))
        return again(photo)

    def tidy(photo: Any, key: str) -> None:
        when_due(photo, clock.now() + timedelta(days=2))

    return Act("what a shown photo no longer needs goes", prepare, tidy, photo_facts)


def passed(photo: Any) -> dict[str, Any]:
    return message(msgspec.json.encode(events.Told(verdict(photo.trace_id), None)).decode())


ACTS: list[ActInHood] = [deciding, hearing_from_wechat, taking_in, rechecking, reminding, waiting_in_vain, tidying]


@pytest.mark.parametrize("make", ACTS, ids=str)
def test_the_repeat_of_a_failed_act_ends_as_if_nothing_had_failed(make: ActInHood, hood: Hood) -> None:
    hood.wechat.settings(media_withheld=True)
    fail_every_call(make(hood))
