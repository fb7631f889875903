"""Pictures of a post: room for nine, for its author while on duty, seen once they have passed."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.content import photos
from chalicelib.content.models import Photo
from chalicelib.kit import clock
from chalicelib.kit.transaction import transaction
from chalicelib.people import service as people
from chalicelib.people.models import Duty
from tests.posts.square import good, publish, stored


@pytest.fixture
def album(square: Any) -> Any:
    worker = square.worker()
    post = publish(worker, square.community)
    return worker, post, f"/posts/{post}/photos"


def photo_of(post: str, made: Any) -> Photo:
    return Photo.fetch(stored(post).pk, f"PHOTO#{made.json['photo_id']}")


def test_one_is_invited_once_per_repeat(album):
    worker, post, where = album
    forms = [worker.post(where, json={}, key="k") for _ in range(2)]
    assert {form.status for form in forms} == {201}
    assert len({form.json["photo_id"] for form in forms}) == 1
    assert stored(post).photos == 1
    assert worker.post(where, json={"content_type": "image/png"}, key="k").code == "idempotency_key_reused"


def test_there_is_room_for_nine(album):
    worker, post, where = album
    added = [worker.post(where, json={}) for _ in range(10)]
    assert [each.status for each in added] == [201] * 9 + [409]
    assert added[-1].code == "too_many_photos"
    for _ in range(2):
        assert worker.post(f"{where}/{added[0].json['photo_id']}/remove").status == 204
    assert stored(post).photos == 8


def test_only_who_publishes_there_adds_or_removes_one(square, album):
    worker, post, where = album
    photo = worker.post(where, json={}).json["photo_id"]
    for other in (square.dweller(), square.staff("moderator", square.community)):
        assert other.post(where, json={}).code == "duty_needed"
        assert other.post(f"{where}/{photo}/remove").code == "duty_needed"
    assert square.worker("community_worker").post(f"{where}/{photo}/remove").status == 204
    assert stored(post).photos == 0
    assert worker.post(f"{where}/photo_x/remove").code == "post_not_found"


def test_with_the_duty_ends_the_right_to_add(square, album):
    worker, _, where = album
    with transaction() as tx:
        people.end_duty(tx, Duty.key(worker.id, "grid_worker", square.community), now=clock.now())
    assert worker.post(where, json={}).code == "duty_needed"


def test_none_is_added_to_what_is_over(album):
    worker, post, where = album
    good(worker.post(f"/posts/{post}/withdraw"))
    assert worker.post(where, json={}).code == "step_not_possible"


@pytest.mark.parametrize("body", [{"content_type": "image/gif"}, {"size": 5}])
def test_only_pictures_that_we_can_show(album, body):
    worker, _, where = album
    assert worker.post(where, json=body).status == 422


def test_a_refused_one_gives_its_place_back(album):
    worker, post, where = album
    photo = photo_of(post, worker.post(where, json={}))
    photos.refuse_upload(photo, reason="不是图片", now=clock.now())
    assert stored(post).photos == 0
    assert worker.post(f"{where}/{photo.id}/remove").status == 204
    assert stored(post).photos == 0


def test_one_never_uploaded_gives_its_place_back(album):
    worker, post, where = album
    photo = photo_of(post, worker.post(where, json={}))
    for _ in range(2):
        photos.no_upload(photo, now=clock.now())
    assert stored(post).photos == 0


def test_residents_see_those_that_have_passed_only(square, album):
    worker, post, where = album
    waiting, passed = (photo_of(post, worker.post(where, json={})) for _ in range(2))
    passed.update([Photo.state.set("shown")])
    seen = good(square.dweller().get(f"/posts/{post}"))["photos"]
    assert [(each["id"], each["state"]) for each in seen] == [(passed.id, "shown")]
    assert seen[0]["url"]
    mine = {each["id"]: each["state"] for each in good(worker.get(f"/posts/{post}"))["photos"]}
    assert mine == {waiting.id: "awaited", passed.id: "shown"}
