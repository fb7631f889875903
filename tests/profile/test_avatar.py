"""Uploading an avatar, over HTTP and S3."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import urllib3

from chalicelib.content import photo_checks, photos
from chalicelib.content.models import Photo
from chalicelib.kit import clock
from chalicelib.people import service as people
from chalicelib.people.models import partition
from chalicelib.wechat.callback import MediaChecked
from local.wechat.control import StandIn
from tests.content.conftest import again, announcement, objects, picture, put_upload, upload, work
from tests.engine.budget import budget
from tests.engine.http import Answer
from tests.neighbourhood import Hood, Neighbour


@pytest.fixture(autouse=True)
def _results_are_ours_to_give(wechat: StandIn):
    wechat.settings(media_withheld=True)


def choose(somebody: Neighbour, *, key: str | None = None, **body: object) -> Answer:
    return somebody.post("/me/avatar", json=body, key=key)


def chosen(somebody: Neighbour) -> Photo:
    """An avatar is invited."""
    answer = choose(somebody)
    assert answer.status == 201, answer
    return Photo.fetch(partition(somebody.id), f"PHOTO#{answer.json['photo_id']}")


def uploaded(somebody: Neighbour, content: bytes | None = None) -> Photo:
    photo = chosen(somebody)
    put_upload(photo, content or picture())
    assert work(announcement(photo.upload_key)) == []
    return again(photo)


def judged(photo: Photo, suggest: str = "pass", label: int = 100) -> Photo:
    event = MediaChecked(
        at=clock.now(), fingerprint=photo.id, trace_id=photo.trace_id, suggest=suggest, label=label, errcode=0
    )
    photo_checks.result_arrived(event, now=clock.now())
    return again(photo)


def avatar_of(somebody: Neighbour) -> str | None:
    return people.find(somebody.id).avatar


def test_an_avatar_is_shown_once_it_has_passed(hood: Hood):
    li_ju = hood.resident()
    form = choose(li_ju).json
    photo = Photo.fetch(partition(li_ju.id), f"PHOTO#{form['photo_id']}")
    assert form["fields"]["key"] == f"incoming/RES/{li_ju.id}/{photo.id}"
    assert upload(photos.UploadForm(**form), picture()) == 204
    assert work(announcement(photo.upload_key)) == []
    profile = li_ju.get("/me/profile").json
    assert (profile["avatar"], profile["waiting_avatar"]["state"]) == (None, "checking")
    assert profile["waiting_avatar"]["url"] is None
    judged(again(photo))
    profile = li_ju.get("/me/profile").json
    assert profile["waiting_avatar"] is None
    for link in (profile["avatar"], profile["thumbnail"]):
        assert urllib3.request("GET", link).status == 200
    assert avatar_of(li_ju) == photo.id


def test_a_new_avatar_replaces_the_old_one_when_it_passes(hood: Hood):
    li_ju = hood.resident()
    old = judged(uploaded(li_ju))
    new = uploaded(li_ju, picture((1, 99, 1)))
    assert avatar_of(li_ju) == old.id
    judged(new)
    assert avatar_of(li_ju) == new.id
    assert again(old).state == "removed"
    photos.tidy(again(old), now=clock.now())
    assert objects(f"shown/{old.id}") == []


def test_a_refused_avatar_leaves_the_old_one(hood: Hood):
    li_ju = hood.resident()
    old = judged(uploaded(li_ju))
    assert judged(uploaded(li_ju), "risky", 20002).state == "refused"
    assert avatar_of(li_ju) == old.id
    assert li_ju.get("/me/profile").json["waiting_avatar"] is None
    assert li_ju.told[-1] == "content_refused"


def test_what_is_no_picture_leaves_room_for_another(hood: Hood):
    li_ju = hood.resident()
    assert uploaded(li_ju, b"no picture").state == "refused"
    assert choose(li_ju).status == 201


def test_one_avatar_at_a_time_is_checked(hood: Hood):
    li_ju = hood.resident()
    uploaded(li_ju)
    assert choose(li_ju).code == "avatar_being_checked"


def test_an_avatar_never_uploaded_gives_way_to_the_next(hood: Hood):
    li_ju = hood.resident()
    first, second = chosen(li_ju), chosen(li_ju)
    assert again(first).state == "removed"
    assert judged_after_upload(second).state == "shown"
    assert avatar_of(li_ju) == second.id
    put_upload(first, picture())
    assert work(announcement(first.upload_key)) == []
    assert objects(first.upload_key) == []


def judged_after_upload(photo: Photo) -> Photo:
    put_upload(photo, picture())
    work(announcement(photo.upload_key))
    return judged(again(photo))


def test_choosing_at_once_invites_one_that_counts(hood: Hood):
    li_ju = hood.resident()
    with ThreadPoolExecutor(4) as several:
        answers = list(several.map(lambda _: choose(li_ju), range(4)))
    invited = [answer.json["photo_id"] for answer in answers if answer.status == 201]
    assert invited
    assert {answer.code for answer in answers} <= {None, "changed_meanwhile"}
    waiting = li_ju.get("/me/profile").json["waiting_avatar"]["id"]
    assert waiting in invited


def test_a_repeat_gets_the_same_avatar(hood: Hood):
    li_ju = hood.resident()
    first = choose(li_ju, key="k").json["photo_id"]
    assert choose(li_ju, key="k").json["photo_id"] == first
    assert choose(li_ju, key="k", content_type="image/png").code == "idempotency_key_reused"
    photo = Photo.fetch(partition(li_ju.id), f"PHOTO#{first}")
    judged_after_upload(photo)
    assert choose(li_ju, key="k").json["photo_id"] == first
    assert avatar_of(li_ju) == first


def test_a_moderator_may_let_an_avatar_pass(hood: Hood):
    li_ju, moderator = hood.resident(), hood.staff("moderator")
    held = judged(uploaded(li_ju), "review", 21000)
    [line] = moderator.get(f"/reviews?area={hood.community}").json["items"]
    assert (line["subject"], line["excerpt"]) == ("photo", "头像")
    assert moderator.get(f"/reviews/{line['id']}").json["photo"]
    assert moderator.post(f"/reviews/{line['id']}/decide", json={"decision": "approve"}).status == 200
    assert avatar_of(li_ju) == held.id


def test_somebody_who_has_not_said_where_they_live_may_have_an_avatar_too(hood: Hood):
    newcomer = hood.somebody()
    newcomer.consent()
    assert choose(newcomer).status == 201


@pytest.mark.parametrize("body", [{"content_type": "image/gif"}, {"content_type": 5}, {"size": 3}], ids=str)
def test_another_kind_of_file_is_sent_back(hood: Hood, body: dict):
    answer = hood.resident().post("/me/avatar", json=body)
    assert answer.status == 422
    assert set(answer.wrong) == set(body)


def test_an_avatar_costs_two_calls(hood: Hood):
    li_ju = hood.resident()
    with budget() as spent:
        choose(li_ju)
    assert spent.calls == ["dynamodb BatchGetItem", "dynamodb TransactWriteItems"]
