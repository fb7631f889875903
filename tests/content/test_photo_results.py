"""WeChat's verdicts on photos: early, twice, late, never; and moderators in between."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
import urllib3

from chalicelib.content import bucket, personal, photo_checks, photos, reviews, routes, rules
from chalicelib.content.models import Photo, Review, Trace
from chalicelib.kit import clock, ids, timers, vault
from chalicelib.kit.transaction import transaction
from chalicelib.wechat import callback
from chalicelib.wechat.callback import MediaChecked
from local.wechat.control import StandIn
from tests.content.conftest import (
    RED,
    YELLOW,
    again,
    announcement,
    attempt,
    inbox_of,
    invite,
    objects,
    picture,
    put_upload,
    review_of,
    taken_in,
    work,
)
from tests.content.test_photos import ASK, add_photo, album
from tests.engine.budget import budget
from tests.neighbourhood import Hood, Neighbour


@pytest.fixture(autouse=True)
def _results_are_ours_to_give(wechat: StandIn):
    wechat.settings(media_withheld=True)


def verdict(trace_id: str, suggest: str = "pass", label: int = 100, errcode: int = 0) -> MediaChecked:
    return MediaChecked(
        at=clock.now(), fingerprint=ids.new_id("f"), trace_id=trace_id, suggest=suggest, label=label, errcode=errcode
    )


def arrive(photo: Photo, suggest: str = "pass", label: int = 100, errcode: int = 0) -> Photo:
    photo_checks.result_arrived(verdict(photo.trace_id, suggest, label, errcode), now=clock.now())
    return again(photo)


@contextmanager
def overtaken(monkeypatch: pytest.MonkeyPatch, errcode: int = 0) -> Iterator[None]:
    """WeChat's event overtakes the answer to our question."""
    ask = photo_checks.check_image

    def early(*question: object) -> str:
        trace_id = ask(*question)
        photo_checks.result_arrived(verdict(trace_id, errcode=errcode), now=clock.now())
        return trace_id

    with monkeypatch.context() as patches:
        patches.setattr(photo_checks, "check_image", early)
        yield


def half_an_hour_later(wechat: StandIn, photo: Photo) -> Photo:
    """The timer of a photo runs. WeChat's own clock moves too: it takes the same link again only after that time."""
    wechat.pass_time(30 * 60 + 1)
    photo_checks.no_result(photo, now=photo.due_at)
    return again(photo)


def silent_to_the_end(wechat: StandIn, photo: Photo) -> Photo:
    """Both questions stay unanswered."""
    for _ in range(2):
        photo = half_an_hour_later(wechat, photo)
    assert (photo.state, photo.review_cause) == ("held", "wechat_silent")
    return photo


def decide(moderator: Neighbour, photo: Photo, *, approve: bool) -> Review:
    return reviews.decide(
        photo.review_id,
        caller=moderator.caller,
        approve=approve,
        reason="看不清",
        attempt=attempt(moderator.id),
        now=clock.now(),
    )


def test_wechat_fetches_the_held_picture_and_its_event_shows_it(wechat: StandIn, hood: Hood):
    wechat.settings(media_withheld=False)
    photo = taken_in(hood.resident())
    give_up = time.monotonic() + 10
    found = []
    while not found and time.monotonic() < give_up:
        found = [each["event"] for each in wechat.pushes() if each["event"].get("trace_id") == photo.trace_id]
        time.sleep(0.02)
    [event] = callback.parse(json.dumps(found[0]).encode())
    assert (event.errcode, event.suggest) == (0, "pass")
    photo_checks.result_arrived(event, now=clock.now())
    shown = photos.view(again(photo))
    assert shown.state == "shown"
    for url in (shown.url, shown.thumbnail):
        answer = urllib3.request("GET", url)
        assert (answer.status, answer.headers["Content-Type"]) == (200, "image/jpeg")
        assert answer.data[:3] == b"\xff\xd8\xff"


def test_a_passed_photo_is_shown_to_everybody(hood: Hood):
    author = hood.resident()
    photo = arrive(taken_in(author))
    assert photo.state == "shown"
    assert [view.url is not None for view in photos.views([photo], author=False)] == [True]
    assert author.told == []
    photos.tidy(photo, now=photo.due_at)
    assert objects(f"held/{photo.id}") == []
    assert len(objects(f"shown/{photo.id}")) == 2
    assert (again(photo).timer, again(photo).state) == (None, "shown")


def test_a_risky_photo_is_refused_deleted_and_its_author_told_why(hood: Hood):
    author, some = hood.resident(), album()
    photo = add_photo(author, some)
    put_upload(photo, picture(RED))
    work(announcement(photo.upload_key))
    photo = arrive(again(photo), "risky", 20002)
    assert (photo.state, photo.reason) == ("refused", "涉及色情")
    assert author.told == ["content_refused"]
    assert "涉及色情" in inbox_of(author)
    assert again(some).count == 0
    photos.tidy(photo, now=photo.due_at)
    assert objects(f"held/{photo.id}") == objects(f"shown/{photo.id}") == []
    assert photos.views([again(photo)], author=False) == []


def test_a_doubtful_photo_goes_to_a_moderator_who_alone_sees_it(hood: Hood):
    author, moderator = hood.resident(), hood.staff("moderator")
    photo = arrive(taken_in(author, picture(YELLOW)), "review", 21000)
    assert (photo.state, photo.timer) == ("held", None)
    assert author.told == ["content_in_review"]
    seen = routes.show_review(caller=moderator.caller, review_id=photo.review_id, now=clock.now())
    assert (seen.subject, seen.cause) == ("photo", "wechat_doubts")
    assert "X-Amz-Expires=300" in seen.photo
    assert urllib3.request("GET", seen.photo).status == 200
    assert photos.view(photo).url is None
    decide(moderator, photo, approve=True)
    shown = again(photo)
    assert shown.state == "shown"
    assert urllib3.request("GET", photos.view(shown).url).status == 200
    assert author.told == ["content_in_review", "content_approved"]
    assert routes.show_review(caller=moderator.caller, review_id=photo.review_id, now=clock.now()).photo is None


def test_a_moderators_refusal_is_told_once_with_its_reason(hood: Hood):
    author, moderator = hood.resident(), hood.staff("moderator")
    photo = arrive(taken_in(author), "review", 21000)
    decide(moderator, photo, approve=False)
    refused = again(photo)
    assert (refused.state, refused.reason) == ("refused", "看不清")
    assert author.told == ["content_in_review", "content_refused"]
    assert objects(f"shown/{photo.id}") == []


def test_a_picture_that_has_expired_can_only_be_refused(hood: Hood):
    author, moderator = hood.resident(), hood.staff("moderator")
    photo = arrive(taken_in(author), "review", 21000)
    bucket.delete(*bucket.held_keys(photo.held_name))
    with pytest.raises(rules.PictureGone):
        decide(moderator, photo, approve=True)
    assert (again(photo).state, review_of(photo).state) == ("held", "with_moderator")
    decide(moderator, photo, approve=False)
    assert again(photo).state == "refused"


def test_an_answer_before_we_know_its_number_is_not_lost(hood: Hood, monkeypatch):
    photo = invite(hood.resident())
    put_upload(photo, picture())
    with overtaken(monkeypatch):
        assert work(announcement(photo.upload_key)) == []
    assert again(photo).state == "shown"


@pytest.mark.parametrize("run", range(6))
def test_question_and_answer_meet_whoever_comes_second(hood: Hood, monkeypatch, run: int):
    """The event worker and the photo worker write at the same moment."""
    photo = invite(hood.resident())
    put_upload(photo, picture())
    ask = photo_checks.check_image
    with ThreadPoolExecutor(1) as elsewhere:
        arriving = []

        def at_once(*question: object) -> str:
            trace_id = ask(*question)
            arriving.append(elsewhere.submit(photo_checks.result_arrived, verdict(trace_id), now=clock.now()))
            time.sleep(run / 1000)
            return trace_id

        monkeypatch.setattr(photo_checks, "check_image", at_once)
        assert work(announcement(photo.upload_key)) == []
        arriving[0].result()
    assert again(photo).state == "shown"


def test_an_early_answer_that_names_an_error_is_asked_about_again(hood: Hood, monkeypatch):
    photo = invite(hood.resident())
    put_upload(photo, picture())
    with overtaken(monkeypatch, errcode=-1008):
        work(announcement(photo.upload_key))
    current = again(photo)
    assert (current.state, current.asked) == ("checking", 1)
    assert current.due_at - current.uploaded_at < timedelta(minutes=2)


def test_the_same_answer_twice_changes_nothing(hood: Hood):
    author = hood.resident()
    photo = taken_in(author)
    arrive(photo, "risky", 10001)
    first = again(photo)
    arrive(photo, "risky", 10001)
    assert again(photo).attribute_values == first.attribute_values
    assert author.told == ["content_refused"]


def test_the_same_answer_twice_at_once_is_told_once(hood: Hood):
    author = hood.resident()
    photo = taken_in(author)
    with ThreadPoolExecutor(4) as several:
        list(several.map(lambda _: arrive(photo, "risky", 10001), range(4)))
    assert again(photo).state == "refused"
    assert author.told == ["content_refused"]


def test_doubts_twice_at_once_open_one_review(hood: Hood):
    author = hood.resident()
    photo = taken_in(author)
    with ThreadPoolExecutor(4) as several:
        list(several.map(lambda _: arrive(photo, "review", 21000), range(4)))
    assert author.told == ["content_in_review"]
    assert review_of(photo).state == "with_moderator"


def test_an_answer_to_a_question_we_never_asked_is_forgotten_in_days(wechat: StandIn):
    trace_id = ids.new_id("unknown")
    photo_checks.result_arrived(verdict(trace_id), now=clock.now())
    left = Trace.fetch(f"TRACE#{trace_id}", "PHOTO").expires_at - clock.now().timestamp()
    assert 2.9 < left / 86400 < 3.1


def test_an_answer_about_a_removed_photo_brings_nothing_back(hood: Hood):
    photo = taken_in(hood.resident())
    with transaction() as tx:
        photos.remove(tx, photo, now=clock.now())
    assert arrive(photo).state == "removed"
    photos.tidy(again(photo), now=clock.now())
    photo_checks.result_arrived(verdict(photo.trace_id), now=clock.now())
    assert Photo.find(photo.pk, photo.sk) is None
    assert objects(f"shown/{photo.id}") == []


# ------------------------------------------------------------------------------------------------ without an answer


def test_after_half_an_hour_wechat_is_asked_once_more_and_then_a_moderator(wechat: StandIn, hood: Hood):
    author = hood.resident()
    photo = taken_in(author)
    second = half_an_hour_later(wechat, photo)
    assert (second.asked, second.state) == (2, "checking")
    assert second.trace_id != photo.trace_id
    assert second.due_at == photo.due_at + timedelta(minutes=30)
    held = half_an_hour_later(wechat, second)
    assert (held.state, held.review_cause, held.timer) == ("held", "wechat_silent", None)
    assert author.told == ["content_in_review"]


def test_the_answer_to_the_first_question_counts_after_the_second(wechat: StandIn, hood: Hood):
    photo = taken_in(hood.resident())
    half_an_hour_later(wechat, photo)
    assert arrive(photo).state == "shown"


def test_a_timer_that_runs_early_waits(hood: Hood):
    photo = taken_in(hood.resident())
    photo_checks.no_result(photo, now=photo.due_at - timedelta(minutes=1))
    assert again(photo).asked == 1


def test_a_picture_wechat_could_not_fetch_is_asked_about_again_soon(wechat: StandIn, hood: Hood):
    photo = taken_in(hood.resident())
    for _ in range(2):
        failed = arrive(photo, "review", 21000, errcode=-1008)
    assert (failed.state, failed.asked) == ("checking", 1)
    assert failed.due_at < clock.now() + timedelta(minutes=1)
    again_asked = half_an_hour_later(wechat, failed)
    assert again_asked.asked == 2
    arrive(photo, errcode=-1008)
    assert again(photo).due_at == again_asked.due_at, "an old failure must not hurry the new question"
    failed_twice = arrive(again_asked, errcode=-1008)
    assert half_an_hour_later(wechat, failed_twice).state == "held"


@pytest.mark.parametrize(
    "trouble",
    [{"kind": "down"}, {"kind": "html"}, {"kind": "errcode", "errcode": 45009}, {"kind": "drop_answer"}],
    ids=str,
)
def test_while_wechat_fails_a_photo_stays_hidden_and_is_asked_about_later(wechat: StandIn, hood: Hood, trouble: dict):
    wechat.break_(endpoint=ASK, **trouble)
    photo = taken_in(hood.resident())
    assert (photo.state, photo.trace_id, photo.tries) == ("checking", None, 1)
    wechat.mend()
    photo_checks.no_result(photo, now=photo.due_at)
    asked = again(photo)
    if trouble["kind"] != "drop_answer":  # WeChat may have taken that one, and takes no link twice
        assert asked.trace_id is not None
        assert arrive(asked).state == "shown"


def test_when_wechat_stays_down_a_moderator_decides_within_two_hours(wechat: StandIn, hood: Hood):
    wechat.break_("down", ASK)
    author, moderator = hood.resident(), hood.staff("moderator")
    photo = taken_in(author)
    for _ in range(20):
        if photo.state != "checking":
            break
        last = photo.due_at
        photo_checks.no_result(photo, now=last)
        photo = again(photo)
    assert (photo.state, photo.review_cause) == ("held", "wechat_silent")
    assert last - photo.uploaded_at < timedelta(hours=2)
    decide(moderator, photo, approve=True)
    assert again(photo).state == "shown"


def test_an_author_who_is_away_is_a_moderators_case(wechat: StandIn, hood: Hood):
    author = hood.resident()
    wechat.away(author.phone)
    photo = taken_in(author)
    assert (photo.state, photo.review_cause) == ("held", "wechat_silent")


def test_a_photo_of_somebody_who_has_left_goes(hood: Hood):
    author = hood.resident()
    photo = invite(author)
    put_upload(photo, picture())
    vault.destroy(author.id)
    work(announcement(photo.upload_key))
    assert again(photo).state == "removed"


def test_a_late_answer_spares_the_moderator(wechat: StandIn, hood: Hood):
    author = hood.resident()
    photo = silent_to_the_end(wechat, taken_in(author))
    assert arrive(photo).state == "shown"
    closed = review_of(photo)
    assert (closed.state, closed.decided_by, closed.area_key) == ("approved", "wechat", None)
    other = silent_to_the_end(wechat, taken_in(author))
    assert arrive(other, "risky", 20002).state == "refused"
    assert review_of(other).state == "refused"


def test_a_late_doubt_adds_nothing(wechat: StandIn, hood: Hood):
    author = hood.resident()
    photo = silent_to_the_end(wechat, taken_in(author))
    assert arrive(photo, "review", 21000).state == "held"
    assert author.told == ["content_in_review"]


def test_after_the_moderator_wechat_changes_nothing(wechat: StandIn, hood: Hood):
    author, moderator = hood.resident(), hood.staff("moderator")
    photo = silent_to_the_end(wechat, taken_in(author))
    decide(moderator, photo, approve=True)
    assert arrive(photo, "risky", 20002).state == "shown"
    other = silent_to_the_end(wechat, taken_in(author))
    decide(moderator, other, approve=False)
    assert arrive(other, "pass").state == "refused"


def test_what_wechat_had_doubts_about_it_does_not_decide_later(hood: Hood):
    photo = taken_in(hood.resident())
    arrive(photo, "review", 21000)
    assert arrive(photo, "pass").state == "held"


@pytest.mark.parametrize("run", range(3))
def test_answer_and_timer_at_once_end_in_one_state(wechat: StandIn, hood: Hood, run: int):
    author = hood.resident()
    photo = taken_in(author)
    second = half_an_hour_later(wechat, photo)
    with ThreadPoolExecutor(2) as both:
        timer = both.submit(photo_checks.no_result, second, now=second.due_at)
        answer = both.submit(arrive, photo, "pass")
        timer.result()
        answer.result()
    ended = again(photo)
    # Either order: shown at once, or handed over and then spared the moderator, or still with the moderator.
    if ended.state == "held":
        assert review_of(ended).state == "with_moderator"
        assert arrive(photo, "pass").state == "shown"
    else:
        assert ended.state == "shown"
        assert ended.review_id is None or review_of(ended).state == "approved"


@pytest.mark.parametrize("approve", [True, False])
def test_moderator_and_answer_at_once_end_in_one_state(wechat: StandIn, hood: Hood, approve: bool):
    author, moderator = hood.resident(), hood.staff("moderator")
    photo = silent_to_the_end(wechat, taken_in(author))

    def by_hand() -> str:
        try:
            return decide(moderator, photo, approve=approve).state
        except rules.AlreadyDecided as late:
            return late.code

    with ThreadPoolExecutor(2) as both:
        human, machine = both.submit(by_hand), both.submit(arrive, photo, "risky" if approve else "pass")
        machine.result()
        outcome = human.result()
    ended, closed = again(photo), review_of(photo)
    assert (ended.state, closed.state) in {("shown", "approved"), ("refused", "refused")}
    assert (closed.decided_by == moderator.id) == (outcome in ("approved", "refused"))
    photos.tidy(ended, now=ended.due_at)
    assert len(objects(f"shown/{photo.id}")) == (2 if ended.state == "shown" else 0)


def test_the_sweep_knows_every_timer_of_photos(empty_table: str, wechat: StandIn, hood: Hood):
    author = hood.resident()
    never, passed = invite(author), taken_in(author)
    arrive(passed)
    forgotten = taken_in(author)
    wechat.pass_time(30 * 60 + 1)
    timers.sweep(now=clock.now() + timedelta(minutes=31), time_left=lambda: 60)
    assert again(forgotten).asked == 2
    assert again(passed).timer is None
    timers.sweep(now=clock.now() + timedelta(days=1, minutes=1), time_left=lambda: 60)
    assert Photo.find(never.pk, never.sk) is None
    assert again(forgotten).state == "held"


def test_who_leaves_takes_photos_and_waiting_texts_along(hood: Hood):
    author = hood.resident()
    shown, held = arrive(taken_in(author)), arrive(taken_in(author), "review", 21000)
    assert {each["状态"] for each in personal.export_photos(author.id)} == {"已显示", "等待审核"}
    assert len(list(personal.export_reviews(author.id))) == 1
    for _ in range(2):
        personal.erase(author.id, now=clock.now())
    assert [again(photo).state for photo in (shown, held)] == ["removed", "removed"]
    assert review_of(held).state == "moot"
    for photo in (shown, held):
        photos.tidy(again(photo), now=clock.now())
        assert objects(f"held/{photo.id}") == objects(f"shown/{photo.id}") == []


def test_a_verdict_costs_few_calls(hood: Hood):
    photo = taken_in(hood.resident())
    with budget() as spent:
        arrive(photo)
    assert spent.calls == [
        "dynamodb UpdateItem",
        "dynamodb GetItem",
        "s3 CopyObject",
        "s3 CopyObject",
        "dynamodb TransactWriteItems",
        "dynamodb GetItem",  # the test's own look
    ]
