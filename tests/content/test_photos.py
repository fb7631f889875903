"""From the invitation to upload a photo to the question WeChat is asked about it."""

from __future__ import annotations

import io
import itertools
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import urllib3
from PIL import Image
from pynamodb.attributes import NumberAttribute

from chalicelib.content import bucket, photo_checks, photos, rules, uploads
from chalicelib.content.models import Photo
from chalicelib.kit import clock, ids
from chalicelib.kit.attempt import KeyReused
from chalicelib.kit.errors import TooMany
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from local.wechat.control import StandIn
from tests.content.conftest import (
    again,
    announcement,
    announcements,
    attempt,
    inbox_of,
    invite,
    objects,
    picture,
    put_upload,
    taken_in,
    upload,
    work,
)
from tests.engine.budget import budget
from tests.neighbourhood import Hood, Neighbour

ASK = "/wxa/media_check_async"


class Album(Item, discriminator="test_album"):
    """A subject that counts its photos."""

    count = NumberAttribute(default=0)


@photos.on_settled("ALBUM")
def _settled(tx, photo, *, shown, now):
    if not shown:
        tx.update(Album(photo.pk, "ALBUM"), [Album.count.add(-1)], or_raise=rules.SubjectGone())


def album() -> Album:
    made = Album(f"ALBUM#{ids.new_id('album')}", "ALBUM")
    made.save()
    return made


def add_photo(author: Neighbour, to: Album, key: str | None = None) -> Photo:
    """As a capability does it."""
    this = attempt(author.id, key)
    try:
        with transaction() as tx:
            photo = photos.invite(
                tx, subject_pk=to.pk, author_id=author.id, area=author.hood.community, attempt=this, now=clock.now()
            )
            tx.update(to, [Album.count.add(1)], when=photos.room(Album.count), or_raise=rules.TooManyPhotos())
    except photos.AlreadyInvited:
        return photos.invited(to.pk, this)
    return photo


# --------------------------------------------------------------------------------------------------- the invitation


def test_nine_photos_and_no_more(hood: Hood):
    author, full = hood.resident(), album()
    for _ in range(9):
        add_photo(author, full)
    with pytest.raises(rules.TooManyPhotos):
        add_photo(author, full)
    assert len(Item.collection(full.pk, "PHOTO#")) == again(full).count == 9


def test_nine_places_are_given_out_once_whatever_the_rush(hood: Hood):
    author, full = hood.resident(), album()

    def one(_: int) -> bool:
        try:
            add_photo(author, full)
        except rules.TooManyPhotos:
            return False
        return True

    with ThreadPoolExecutor(8) as several:
        assert sum(several.map(one, range(14))) == 9
    assert again(full).count == 9


def test_a_repeated_invitation_is_the_same_photo_even_when_the_album_is_full(hood: Hood):
    author, full = hood.resident(), album()
    first = add_photo(author, full, key="k")
    for _ in range(8):
        add_photo(author, full)
    assert add_photo(author, full, key="k").id == first.id
    assert again(full).count == 9


def test_a_repeat_with_another_content_is_refused(hood: Hood):
    author, some = hood.resident(), album()
    add_photo(author, some, key="k")
    with pytest.raises(KeyReused):
        photos.invited(some.pk, attempt(author.id, "k", b'{"other": 1}'))


def test_uploads_are_limited_per_person_and_hour(hood: Hood, monkeypatch):
    monkeypatch.setattr(rules, "UPLOADS_AN_HOUR", 2)
    author, now = hood.resident(), clock.now()
    invite(author, now=now)
    invite(author, now=now)
    with pytest.raises(TooMany):
        invite(author, now=now)


def test_an_invitation_is_one_transaction_and_its_form_none(hood: Hood):
    author, some = hood.resident(), album()
    with budget() as spent:
        photos.upload_form(add_photo(author, some), now=clock.now())
    assert spent.calls == ["dynamodb TransactWriteItems"]


# -------------------------------------------------------------------------------------------------------- the form


def test_the_form_uploads_and_s3_announces_it(hood: Hood):
    photo = invite(hood.resident())
    form = photos.upload_form(photo, now=clock.now())
    assert upload(form, picture()) == 204
    assert objects(photo.upload_key) == [photo.upload_key]
    assert work(*announcements(photo.upload_key)) == []
    assert again(photo).state == "checking"


def test_s3_refuses_what_the_form_does_not_say(hood: Hood):
    photo = invite(hood.resident())
    form = photos.upload_form(photo, now=clock.now())
    assert upload(form, b"x" * (rules.LARGEST_UPLOAD + 1)) == 400
    assert upload(form, b"") == 400
    assert upload(form, picture(), **{"Content-Type": "text/html"}) == 403
    assert upload(form, picture(), key="shown/mine.jpg") == 403
    assert upload(form, picture(), key=photo.upload_key + "x") == 403
    assert objects(photo.upload_key) == []


def test_a_form_for_png_takes_png_alone(hood: Hood):
    photo = invite(hood.resident())
    form = photos.upload_form(photo, "image/png", now=clock.now())
    assert upload(form, picture(kind="PNG"), **{"Content-Type": "image/jpeg"}) == 403
    assert upload(form, picture(kind="PNG")) == 204


def test_a_form_ends_after_five_minutes(hood: Hood, monkeypatch):
    monkeypatch.setattr(rules, "FORM_LIFE", timedelta(seconds=-1))
    photo = invite(hood.resident())
    assert upload(photos.upload_form(photo, now=clock.now()), picture()) == 403


# ------------------------------------------------------------------------------------------------------ the worker


def test_a_photo_is_cleaned_held_and_shown_to_wechat_alone(wechat: StandIn, hood: Hood):
    wechat.settings(media_withheld=True)
    sent = io.BytesIO()
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (30.0, 45.0, 8.0)}
    Image.new("RGB", (2000, 1000), (9, 99, 9)).save(sent, "JPEG", exif=exif)
    photo = taken_in(hood.resident(), sent.getvalue())
    assert (photo.state, photo.width, photo.height, photo.asked) == ("checking", 1600, 800, 1)
    assert (photo.timer, photo.due_at - photo.uploaded_at) == ("await_photo_result", timedelta(minutes=30))
    assert sorted(objects(f"held/{photo.id}")) == sorted(bucket.held_keys(photo.held_name))
    assert objects(photo.upload_key) == objects(f"shown/{photo.id}") == []
    shown = photos.view(photo)
    assert (shown.state, shown.url, shown.thumbnail) == ("checking", None, None)
    assert photos.views([photo], author=False) == []
    assert [each.id for each in photos.views([photo], author=True)] == [photo.id]


def test_told_twice_it_asks_wechat_once(wechat: StandIn, hood: Hood):
    photo = invite(hood.resident())
    put_upload(photo, picture())
    message = announcement(photo.upload_key)
    wechat.clear_calls()
    assert work(message, message) == work(message) == []
    assert again(photo).asked == wechat.call_counts()[ASK] == 1


def test_told_twice_at_once_there_is_one_photo(hood: Hood):
    photo = invite(hood.resident())
    put_upload(photo, picture())
    message = announcement(photo.upload_key)
    with ThreadPoolExecutor(4) as several:
        assert list(several.map(lambda _: work(message), range(4))) == [[]] * 4
    current = again(photo)
    assert current.state == "checking"
    assert sorted(objects(f"held/{photo.id}")) == sorted(bucket.held_keys(current.held_name))


def test_a_second_upload_with_the_same_form_never_replaces_the_checked_one(hood: Hood):
    photo = taken_in(hood.resident(), picture((0, 200, 0)))
    before = again(photo)
    put_upload(photo, picture((0, 0, 200)))
    assert work(announcement(photo.upload_key)) == []
    assert again(photo).held_name == before.held_name
    assert sorted(objects(f"held/{photo.id}")) == sorted(bucket.held_keys(before.held_name))
    assert objects(photo.upload_key) == []


def test_of_two_uploads_cleaned_at_once_one_counts_and_the_other_is_deleted(hood: Hood):
    author = hood.resident()
    photo = invite(author)
    for name in ("one", "other"):
        bucket.put_held(f"{photo.id}-{name}", b"x", b"x")
    first, second = again(photo), again(photo)
    won = uploads.start_checking(first, held_name=f"{photo.id}-one", width=1, height=1, now=clock.now())
    lost = uploads.start_checking(second, held_name=f"{photo.id}-other", width=1, height=1, now=clock.now())
    assert (won.held_name, lost) == (f"{photo.id}-one", None)
    assert sorted(objects(f"held/{photo.id}")) == sorted(bucket.held_keys(f"{photo.id}-one"))


def test_what_a_worker_could_not_ask_before_it_died_the_timer_asks(hood: Hood, monkeypatch):
    photo = invite(hood.resident())
    put_upload(photo, picture())
    with monkeypatch.context() as dying:
        dying.setattr(photo_checks, "ask_wechat", lambda *_, **__: 1 / 0)
        assert len(work(announcement(photo.upload_key))) == 1
    stuck = again(photo)
    assert (stuck.state, stuck.trace_id) == ("checking", None)
    assert work(announcement(photo.upload_key)) == []
    assert again(photo).trace_id is None
    photo_checks.no_result(stuck, now=stuck.due_at)
    assert again(photo).trace_id is not None


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"<html>", "不是 JPG 或 PNG 图片"),
        (b"GIF89a" + bytes(50), "不是 JPG 或 PNG 图片"),
        (picture(size=(500, 500))[:900], "图片已损坏，打不开"),
    ],
)
def test_what_is_no_photo_is_refused_and_its_author_told(wechat: StandIn, hood: Hood, sent: bytes, reason: str):
    author = hood.resident()
    wechat.clear_calls()
    photo = taken_in(author, sent)
    assert (photo.state, photo.reason) == ("refused", reason)
    assert author.told == ["content_refused"]
    assert reason in inbox_of(author)
    assert objects(photo.upload_key) == objects(f"held/{photo.id}") == []
    assert ASK not in wechat.call_counts()
    assert work(announcement(photo.upload_key)) == []
    assert author.told == ["content_refused"]


def test_a_bad_photo_gives_its_place_back(hood: Hood):
    author, some = hood.resident(), album()
    photo = add_photo(author, some)
    put_upload(photo, b"no picture")
    assert work(announcement(photo.upload_key)) == []
    assert again(some).count == 0


def test_an_upload_nobody_asked_for_is_deleted(hood: Hood):
    photo = Photo.key(f"THING#{ids.new_id('thing')}", ids.new_id("photo"))
    put_upload(photo, picture())
    assert work(announcement(photo.upload_key)) == []
    assert objects(photo.upload_key) == []


def test_an_upload_that_has_expired_is_let_go(hood: Hood):
    photo = invite(hood.resident())
    assert work(announcement(photo.upload_key)) == []
    assert again(photo).state == "awaited"


@pytest.mark.parametrize(
    "body",
    [
        '{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"weijiayuan"}',
        "",
        "null",
        "[]",
        "no json",
        '{"Records": 5}',
        '{"Records": [null, 5, {}, {"s3": {}}, {"s3": {"object": {"key": 5}}}]}',
    ],
)
def test_messages_that_announce_nothing_are_done_with(wechat: StandIn, body: str):
    assert work({"messageId": "m", "body": body}) == []


def test_a_key_is_read_as_s3_writes_it():
    assert list(uploads.announced('{"Records": [{"s3": {"object": {"key": "incoming/A+b/%E7%85%A7"}}}]}')) == [
        "incoming/A b/照"
    ]


@pytest.mark.parametrize("key", ["x", "incoming", "incoming/x", "held/A/b/c", "incoming/A/b/c/d/e", "incoming//"])
def test_a_key_that_we_never_gave_out_harms_nothing(wechat: StandIn, key: str):
    assert work(announcement(key)) == []


def test_one_bad_message_does_not_hold_up_the_others(hood: Hood, monkeypatch):
    author = hood.resident()
    good, bad = invite(author), invite(author)
    put_upload(good, picture())
    put_upload(bad, picture())
    fetch = bucket.fetch_upload

    def broken(key: str) -> Any:
        return 1 / 0 if key == bad.upload_key else fetch(key)

    monkeypatch.setattr(bucket, "fetch_upload", broken)
    poison = announcement(bad.upload_key)
    assert work(poison, announcement(good.upload_key)) == [poison["messageId"]]
    assert (again(good).state, again(bad).state) == ("checking", "awaited")
    assert objects(bad.upload_key) == [bad.upload_key]


# ------------------------------------------------------------------------------------------------------- its end


def test_a_photo_never_uploaded_is_gone_after_a_day_and_gives_its_place_back(hood: Hood):
    author, some = hood.resident(), album()
    photo = add_photo(author, some)
    assert again(photo).due_at - again(photo).invited_at == timedelta(days=1)
    for _ in range(2):
        photos.no_upload(photo, now=clock.now() + timedelta(days=1))
    assert Photo.find(photo.pk, photo.sk) is None
    assert again(some).count == 0


def test_a_photo_that_the_worker_failed_with_gives_its_place_back_and_its_author_is_told(hood: Hood):
    author, some = hood.resident(), album()
    photo = add_photo(author, some)
    put_upload(photo, picture())
    for _ in range(2):
        photos.no_upload(photo, now=clock.now() + timedelta(days=1))
    refused = again(photo)
    assert (refused.state, refused.reason) == ("refused", "系统没能处理这张图片")
    assert again(some).count == 0
    assert author.told == ["content_refused"]
    assert "系统没能处理这张图片" in inbox_of(author)
    photos.tidy(refused, now=refused.due_at)
    assert objects(photo.upload_key) == []


def test_a_photo_uploaded_in_time_does_not_care_about_that_timer(hood: Hood):
    photo = invite(hood.resident())
    put_upload(photo, picture())
    work(announcement(photo.upload_key))
    photos.no_upload(photo, now=clock.now() + timedelta(days=1))
    assert again(photo).state == "checking"


def test_two_sweeps_at_once_give_a_place_back_once(hood: Hood):
    author, some = hood.resident(), album()
    photo = add_photo(author, some)
    later = clock.now() + timedelta(days=1)
    with ThreadPoolExecutor(4) as several:
        for done in [several.submit(photos.no_upload, photo, now=later) for _ in range(4)]:
            done.result()
    assert again(some).count == 0


def test_two_sweeps_tidy_as_one(hood: Hood):
    photo = taken_in(hood.resident(), b"no picture")
    with ThreadPoolExecutor(4) as several:
        for done in [several.submit(photos.tidy, photo, now=photo.due_at) for _ in range(4)]:
            done.result()
    assert again(photo).timer is None


def test_a_removed_photo_takes_its_files_along(hood: Hood):
    photo = taken_in(hood.resident())
    with transaction() as tx:
        photos.remove(tx, photo, now=clock.now())
    photos.tidy(again(photo), now=clock.now())
    assert objects(f"held/{photo.id}") == []
    assert Photo.find(photo.pk, photo.sk) is None


@pytest.mark.parametrize("sent", [b"no picture", picture()])
def test_a_photo_that_is_of_no_use_can_be_taken_off(hood: Hood, sent: bytes):
    photo = taken_in(hood.resident(), sent)
    for _ in range(2):
        with suppress(rules.SubjectGone), transaction() as tx:
            photos.remove(tx, again(photo), now=clock.now())
    assert photos.views([again(photo)], author=True) == []


def test_a_link_stays_the_same_for_half_an_hour(monkeypatch: pytest.MonkeyPatch):
    """And is good for half an hour more, so that it works for whoever got it last."""
    numbers = itertools.count()
    monkeypatch.setattr(bucket, "link", lambda key, life: f"{key}?{next(numbers)}")
    given = []
    for minute in (0, 29, 30):
        monkeypatch.setattr(clock, "now", lambda minute=minute: datetime(2027, 1, 1, 8, minute, 59, tzinfo=UTC))
        given.append(photos.links("photo_y"))
    assert given[0] == given[1] != given[2]


def test_a_link_names_the_bucket_of_the_region_and_ends(hood: Hood):
    url, _ = photos.links("photo_x")
    assert "X-Amz-Expires=3600" in url
    assert "/shown/photo_x.jpg" in url
    assert urllib3.request("GET", url).status == 404
