"""Photos of a request: room for nine, for its owner, once per repeat. (What happens to them: tests/content.)"""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.content import photos
from chalicelib.content.models import Photo
from chalicelib.kit import clock
from tests.help.street import Street, ask, partition, stored


@pytest.fixture
def album(street: Street) -> Any:
    asker = street.resident()
    request = ask(asker)
    return asker, request, f"/help-requests/{request}/photos"


def test_a_photo_is_invited_once_per_repeat(album):
    asker, request, where = album
    forms = [asker.post(where, json={}, key="k") for _ in range(2)]
    assert {form.status for form in forms} == {201}
    assert len({form.json["photo_id"] for form in forms}) == 1
    assert stored(request).photos == 1
    assert asker.post(where, json={"content_type": "image/png"}, key="k").code == "idempotency_key_reused"


def test_a_repeat_is_answered_alike_after_the_end(album):
    asker, request, where = album
    first = asker.post(where, json={}, key="k")
    asker.post(f"/help-requests/{request}/withdraw")
    assert asker.post(where, json={}, key="k").json["photo_id"] == first.json["photo_id"]
    assert asker.post(where, json={}).code == "step_not_possible"


def test_there_is_room_for_nine(album):
    asker, request, where = album
    added = [asker.post(where, json={}) for _ in range(10)]
    assert [each.status for each in added] == [201] * 9 + [409]
    assert added[-1].code == "too_many_photos"
    first = added[0].json["photo_id"]
    for _ in range(2):
        assert asker.post(f"{where}/{first}/remove").status == 204
    assert stored(request).photos == 8
    assert asker.post(where, json={}).status == 201


def test_nobody_else_adds_or_removes_one(street, album):
    asker, _, where = album
    photo = asker.post(where, json={}).json["photo_id"]
    other = street.resident()
    assert other.post(where, json={}).status == 404
    assert other.post(f"{where}/{photo}/remove").status == 404
    assert asker.post(f"{where}/photo_x/remove").status == 404


@pytest.mark.parametrize("body", [{"content_type": "image/gif"}, {"content_type": "text/html"}, {"size": 5}])
def test_only_pictures_that_we_can_show(album, body):
    asker, _, where = album
    assert asker.post(where, json=body).status == 422


def test_a_refused_photo_gives_its_place_back_once(album):
    asker, request, where = album
    photo = Photo.fetch(partition(request), f"PHOTO#{asker.post(where, json={}).json['photo_id']}")
    photos.refuse_upload(photo, reason="不是图片", now=clock.now())
    assert stored(request).photos == 0
    assert asker.get(f"/help-requests/{request}").json["photos"][0]["state"] == "refused"
    assert asker.post(f"{where}/{photo.id}/remove").status == 204
    assert stored(request).photos == 0


def test_one_never_uploaded_gives_its_place_back(album):
    asker, request, where = album
    photo = Photo.fetch(partition(request), f"PHOTO#{asker.post(where, json={}).json['photo_id']}")
    for _ in range(2):
        photos.no_upload(photo, now=clock.now())
    assert stored(request).photos == 0


def test_others_see_shown_photos_only(street, album):
    asker, request, where = album
    asker.post(where, json={})
    assert street.resident().get(f"/help-requests/{request}").json["photos"] == []
    assert asker.get(f"/help-requests/{request}").json["photos"][0]["state"] == "awaited"
