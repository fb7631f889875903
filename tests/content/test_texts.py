"""Texts: WeChat's verdict while the author waits, and later when WeChat did not answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chalicelib.content import reviews, rules, service
from chalicelib.content.models import Review
from chalicelib.content.service import Screening
from chalicelib.kit import clock, ids, timers, vault
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.wechat.content import Scene
from local.wechat import catalogue
from local.wechat.control import StandIn
from tests.content.conftest import again, inbox_of
from tests.engine.budget import budget
from tests.neighbourhood import Hood, Neighbour

RISKY, LABEL = next(iter(catalogue.RISKY_WORDS.items()))
DOUBTFUL = next(iter(catalogue.REVIEW_WORDS))
CHECK = "/wxa/msg_sec_check"


class Thing(Item, discriminator="test_thing"):
    """Something somebody wrote, for want of a slice above this one."""


@reviews.on_decision("test_thing")
def _decided(tx, review, *, approved, reason, now):
    tx.update(
        Thing(review.subject_pk, review.subject_sk),
        [Item.area_sort.set("shown" if approved else f"removed:{reason}")],
        when=Item.area_sort == "hidden",
        or_raise=rules.SubjectGone(),
    )


def screened(author: Neighbour, text: str, **more: str | None) -> Screening:
    return service.screen(author.caller, scene=Scene.FORUM, now=clock.now(), text=text, **more)


def written(author: Neighbour, text: str, *, since=None) -> tuple[Thing, Review | None]:
    """Somebody writes something, hidden until WeChat or a moderator has said yes."""
    now = since or clock.now()
    screening = screened(author, text)
    thing = Thing(f"THING#{ids.new_id('thing')}", "THING", area_sort="shown" if screening.passed else "hidden")
    with transaction() as tx:
        tx.put(thing)
        review = service.hold(
            tx,
            screening,
            subject="test_thing",
            subject_pk=thing.pk,
            subject_sk=thing.sk,
            author_id=author.id,
            area=author.hood.community,
            excerpt=text,
            now=now,
        )
    return thing, review


def written_in_silence(hood: Hood, text: str) -> tuple[Neighbour, Thing, Review]:
    """Somebody writes something while WeChat is down; now it is up again."""
    author = hood.resident()
    hood.wechat.break_("down", CHECK)
    thing, review = written(author, text)
    hood.wechat.mend()
    return author, thing, review


def test_a_harmless_text_passes_at_once(hood: Hood):
    author = hood.resident()
    thing, review = written(author, "需要五个口罩")
    assert (thing.area_sort, review) == ("shown", None)
    assert author.told == []


def test_a_risky_text_is_refused_with_wechats_reason(hood: Hood):
    with pytest.raises(rules.ContentRefused) as refused:
        screened(hood.resident(), f"你好{RISKY}")
    assert refused.value.code == "content_refused"
    assert "（" in refused.value.detail


def test_a_risky_title_is_refused_as_well(hood: Hood):
    with pytest.raises(rules.ContentRefused):
        screened(hood.resident(), "需要五个口罩", title=RISKY)


def test_no_text_is_no_question(wechat: StandIn, hood: Hood):
    author = hood.resident()
    wechat.clear_calls()
    assert screened(author, "  \n", title=None).passed
    assert CHECK not in wechat.call_counts()


def test_markup_stays_text(hood: Hood):
    assert screened(hood.resident(), "<script>alert(1)</script>").passed


def test_a_doubtful_text_waits_for_a_moderator_and_its_author_is_told(hood: Hood):
    author = hood.resident()
    thing, review = written(author, DOUBTFUL)
    assert again(thing).area_sort == "hidden"
    assert again(review).state == "with_moderator"
    assert author.told == ["content_in_review"]


@pytest.mark.parametrize(
    "trouble",
    [
        {"kind": "down"},
        {"kind": "html"},
        {"kind": "bad_gateway"},
        {"kind": "drop_answer"},
        {"kind": "body", "body": '{"errcode":0}'},
        {"kind": "body", "body": "not json"},
        {"kind": "errcode", "errcode": 44991},
        {"kind": "errcode", "errcode": 45009},
        {"kind": "errcode", "errcode": 48001},
        {"kind": "errcode", "errcode": -1},
    ],
    ids=str,
)
def test_when_wechat_fails_a_text_is_kept_hidden_and_asked_about_later(wechat: StandIn, hood: Hood, trouble: dict):
    author = hood.resident()
    wechat.break_(endpoint=CHECK, **trouble)
    thing, review = written(author, "需要五个口罩")
    kept = again(review)
    assert (kept.state, kept.timer, kept.area_key) == ("waiting", "recheck_text", None)
    assert again(thing).area_sort == "hidden"
    wechat.mend()
    reviews.recheck(kept, now=clock.now())
    assert again(thing).area_sort == "shown"
    decided = again(review)
    assert (decided.state, decided.decided_by) == ("approved", "wechat")
    assert (decided.texts, decided.excerpt, decided.timer, decided.due_key) == (None, None, None, None)
    assert author.told == ["content_approved"]


def test_not_even_a_token_is_needed_to_keep_a_text(wechat: StandIn, hood: Hood):
    author = hood.resident()
    wechat.break_("down")
    assert screened(author, "需要五个口罩").suggest == "unchecked"


def test_a_text_found_risky_later_is_removed_and_its_author_told_why(hood: Hood):
    author, thing, review = written_in_silence(hood, RISKY)
    reviews.recheck(again(review), now=clock.now())
    reason = again(review).reason
    assert again(thing).area_sort == f"removed:{reason}"
    assert author.told == ["content_refused"]
    assert reason in inbox_of(author)


def test_a_text_found_doubtful_later_goes_to_a_moderator(hood: Hood):
    author, thing, review = written_in_silence(hood, DOUBTFUL)
    reviews.recheck(again(review), now=clock.now())
    held = again(review)
    assert (held.state, held.cause, held.timer) == ("with_moderator", "wechat_doubts", "remind_moderators")
    assert held.area_sort == f"{hood.community}#{clock.stamp(held.opened_at)}"
    assert author.told == ["content_in_review"]


def test_the_timer_asks_ever_more_slowly_and_then_a_moderator_decides(wechat: StandIn, hood: Hood):
    author = hood.resident()
    wechat.break_("errcode", CHECK, errcode=44991)
    thing, review = written(author, "需要五个口罩")
    kept = again(review)
    for _ in range(20):
        if kept.state != "waiting":
            break
        reviews.recheck(kept, now=kept.due_at)
        kept = again(review)
    assert (kept.state, kept.cause, kept.timer) == ("with_moderator", "wechat_silent", "remind_moderators")
    assert kept.tries == 6
    assert again(thing).area_sort == "hidden"
    assert author.told == ["content_in_review"]


def test_an_author_who_is_away_is_a_moderators_case(wechat: StandIn, hood: Hood):
    author, _, review = written_in_silence(hood, "需要五个口罩")
    wechat.away(author.phone)
    reviews.recheck(again(review), now=clock.now())
    assert again(review).state == "with_moderator"


def test_an_author_who_is_away_from_the_start_is_one_too(wechat: StandIn, hood: Hood):
    author = hood.resident()
    wechat.away(author.phone)
    _, review = written(author, "需要五个口罩")
    assert again(review).state == "with_moderator"


def test_what_somebody_wrote_who_has_left_is_forgotten(hood: Hood):
    author, thing, review = written_in_silence(hood, "需要五个口罩")
    vault.destroy(author.id)
    reviews.recheck(again(review), now=clock.now())
    assert (again(review).state, again(review).texts) == ("moot", None)
    assert again(thing).area_sort == "hidden"


def test_a_text_withdrawn_meanwhile_is_no_longer_decided_about(hood: Hood):
    author, thing, review = written_in_silence(hood, "需要五个口罩")
    with transaction() as tx:
        tx.update(thing, [Item.area_sort.set("withdrawn")])
    reviews.recheck(again(review), now=clock.now())
    assert again(review).state == "moot"
    assert again(thing).area_sort == "withdrawn"
    assert author.told == []


def test_a_text_asked_about_twice_at_once_is_decided_once(hood: Hood):
    author, thing, review = written_in_silence(hood, "需要五个口罩")
    kept = again(review)
    with ThreadPoolExecutor(4) as several:
        for done in [several.submit(reviews.recheck, kept, now=clock.now()) for _ in range(4)]:
            done.result()
    assert again(thing).area_sort == "shown"
    assert author.told == ["content_approved"]
    reviews.recheck(kept, now=clock.now())
    assert author.told == ["content_approved"]


def test_the_sweep_finds_what_is_to_be_asked_again(empty_table: str, hood: Hood):
    _, thing, _ = written_in_silence(hood, "需要五个口罩")
    timers.sweep(now=clock.now() + timedelta(seconds=30), time_left=lambda: 60)
    assert again(thing).area_sort == "hidden"
    timers.sweep(now=clock.now() + timedelta(seconds=90), time_left=lambda: 60)
    assert again(thing).area_sort == "shown"


def test_a_text_too_long_for_wechat_is_refused_before_it_is_asked(wechat: StandIn, hood: Hood):
    author = hood.resident()
    wechat.clear_calls()
    with pytest.raises(Exception) as refused:
        screened(author, "长" * 2501)
    assert refused.value.code == "text_too_long"
    assert CHECK not in wechat.call_counts()


def test_screening_costs_no_call_to_aws_once_the_token_is_known(hood: Hood):
    author = hood.resident()
    screened(author, "需要五个口罩")
    with budget() as spent:
        screened(author, "需要五个口罩")
    assert spent.calls == []


def test_a_held_text_travels_in_the_acts_own_transaction(hood: Hood):
    author = hood.resident()
    screened(author, "需要五个口罩")
    with budget() as spent:
        written(author, DOUBTFUL)
    assert spent.calls == ["dynamodb TransactWriteItems"]
