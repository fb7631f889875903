from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.kit import clock
from chalicelib.kit.transaction import ServerBusy, transaction
from chalicelib.notices import credits, rules
from chalicelib.notices.models import Counted, Credit
from chalicelib.wechat.callback import SubscribeChange, SubscribePopup
from local.wechat import catalogue
from local.wechat.control import StandIn
from tests.engine.budget import budget
from tests.engine.http import Http
from tests.notices.conftest import (
    ALL_CHANNELS,
    COMMUNITY_NEWS,
    LONG_TERM,
    ONE_TIME,
    TEMPLATES,
    TO_DO,
    Neighbour,
    letter,
    report,
    tell,
    work,
)

REVIEW_RESULT = list(catalogue.TEMPLATES)[2]


def popup(person: Neighbour, status: str = "accept", template: str = ONE_TIME, *, at: datetime | None = None) -> Any:
    """WeChat's event on an answer; each call is another one."""
    at = at or clock.now()
    event = SubscribePopup(
        openid="", template_id=template, status=status, at=at, fingerprint=clock.stamp(clock.now()) + status + template
    )
    credits.popup_answered(event, resident_id=person.id, now=clock.now())
    return event


def turned_off(person: Neighbour, template: str = ONE_TIME, *, at: datetime | None = None) -> None:
    event = SubscribeChange(
        openid="", template_id=template, status="reject", at=at or clock.now(), fingerprint="whatever"
    )
    credits.turned_off(event, resident_id=person.id, now=clock.now())


def take(person: Neighbour) -> bool:
    try:
        with transaction() as tx:
            credits.take(tx, person.id, ONE_TIME)
    except rules.CreditGone:
        return False
    return True


def taken(person: Neighbour) -> int:
    """How many can be taken until there are no more."""
    return next(number for number in range(99) if not take(person))


@pytest.mark.parametrize("order", ["phone first", "WeChat first"])
def test_the_same_accept_from_both_sides_is_one_message(li_ju: Neighbour, order: str) -> None:
    sides: list[Callable[[], Any]] = [lambda: report(li_ju, {ONE_TIME: "accept"}), lambda: popup(li_ju)]
    for side in sides if order == "phone first" else reversed(sides):
        side()
    assert li_ju.credit() == (1, 1, 0, False)
    assert taken(li_ju) == 1


def test_accepts_that_one_side_missed_still_count(li_ju: Neighbour) -> None:
    report(li_ju, {ONE_TIME: "accept"})
    popup(li_ju), popup(li_ju)
    assert taken(li_ju) == 2
    report(li_ju, {ONE_TIME: "accept"})
    assert taken(li_ju) == 0, "the phone is only catching up with WeChat"
    report(li_ju, {ONE_TIME: "accept"})
    assert taken(li_ju) == 1


def test_an_accept_is_worth_nothing_twice_however_often_it_is_told(li_ju: Neighbour) -> None:
    event = popup(li_ju)
    credits.popup_answered(event, resident_id=li_ju.id, now=clock.now())
    for _ in range(3):
        report(li_ju, {ONE_TIME: "accept"}, key="tap-1")
    assert li_ju.credit() == (1, 1, 0, False)


def test_32_tellings_at_once_of_the_same_accept_count_once(li_ju: Neighbour) -> None:
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(lambda _: report(li_ju, {ONE_TIME: "accept"}, key="tap-1"), range(32)))
    assert li_ju.credit()[0] == 1


def test_32_pushes_at_once_never_take_more_than_there_is(li_ju: Neighbour) -> None:
    for _ in range(5):
        report(li_ju, {ONE_TIME: "accept"})
    with ThreadPoolExecutor(32) as pool:
        assert sum(pool.map(lambda _: take_patiently(li_ju), range(32))) == 5
    assert li_ju.credit() == (5, 0, 5, False)


def take_patiently(person: Neighbour) -> bool:
    while True:
        try:
            return take(person)
        except ServerBusy:
            continue


def seconds(number: int) -> datetime:
    """Away from now, in WeChat's whole seconds."""
    return clock.now().replace(microsecond=0) + timedelta(seconds=number)


def test_an_accept_told_late_is_not_worth_more_than_what_was_voided_since(li_ju: Neighbour) -> None:
    report(li_ju, {ONE_TIME: "accept"})
    turned_off(li_ju, at=seconds(2))
    popup(li_ju, at=seconds(0))
    assert li_ju.credit() == (0, 0, 0, False)
    popup(li_ju, at=seconds(3))
    assert li_ju.credit() == (0, 1, 0, False)


def test_a_refusal_told_before_the_accept_that_it_voids(li_ju: Neighbour) -> None:
    turned_off(li_ju, at=seconds(-5))
    popup(li_ju, at=seconds(-9))
    assert taken(li_ju) == 0


def test_what_wechat_would_not_send_for_is_not_given_back_by_an_accept_told_late(li_ju: Neighbour) -> None:
    report(li_ju, {ONE_TIME: "accept"})
    credits.void(li_ju.id, ONE_TIME, now=clock.now())
    popup(li_ju, at=seconds(-1))
    assert taken(li_ju) == 0


def test_an_accept_told_late_does_not_let_an_old_refusal_void_a_newer_one(li_ju: Neighbour) -> None:
    report(li_ju, {ONE_TIME: "accept"})
    popup(li_ju, at=seconds(-60))
    turned_off(li_ju, at=seconds(-30))
    assert li_ju.credit() == (1, 1, 0, False)


def test_an_accept_told_late_counts_once_however_often_it_is_told(li_ju: Neighbour) -> None:
    report(li_ju, {ONE_TIME: "accept"})
    event = popup(li_ju, at=seconds(-60))
    credits.popup_answered(event, resident_id=li_ju.id, now=clock.now() + timedelta(days=1))
    assert li_ju.credit() == (1, 1, 0, False)


def test_an_event_is_known_for_longer_than_it_can_lie_in_our_queues(li_ju: Neighbour) -> None:
    event = popup(li_ju)
    known = Counted.fetch(*(Counted.key(li_ju.id, event.fingerprint).pk, Counted.key(li_ju.id, event.fingerprint).sk))
    assert known.expires_at >= (clock.now() + timedelta(days=4 + 14)).timestamp()


def test_turning_off_what_is_no_template_of_ours_writes_nothing(li_ju: Neighbour) -> None:
    turned_off(li_ju, "template-of-somebody")
    assert Credit.find(f"RES#{li_ju.id}", "CREDIT#template-of-somebody") is None


def test_turning_it_off_in_wechat_voids_what_was_allowed_before(li_ju: Neighbour) -> None:
    report(li_ju, {ONE_TIME: "accept"})
    turned_off(li_ju, at=clock.now() + timedelta(seconds=1))
    assert li_ju.credit() == (0, 0, 0, False)


def test_a_turning_off_that_arrives_after_a_later_accept_changes_nothing(li_ju: Neighbour) -> None:
    report(li_ju, {ONE_TIME: "accept"})
    turned_off(li_ju, at=clock.now() - timedelta(minutes=1))
    assert taken(li_ju) == 1


def test_turning_off_what_was_never_allowed_is_harmless(li_ju: Neighbour) -> None:
    turned_off(li_ju)
    assert li_ju.credit() == (0, 0, 0, False)


def test_a_no_to_a_question_takes_nothing_away(li_ju: Neighbour) -> None:
    report(li_ju, {ONE_TIME: "accept"})
    report(li_ju, {ONE_TIME: "reject", TO_DO: "ban", COMMUNITY_NEWS: "filter"})
    popup(li_ju, "reject")
    assert taken(li_ju) == 1


def test_a_long_term_yes_stands_until_it_is_taken_back(set_up: Callable[..., None], li_ju: Neighbour) -> None:
    set_up(templates=ALL_CHANNELS)
    report(li_ju, {LONG_TERM: "accept"})
    assert li_ju.credit(LONG_TERM)[3]
    popup(li_ju, "reject", LONG_TERM, at=clock.now() - timedelta(minutes=1))
    assert li_ju.credit(LONG_TERM)[3], "an older word does not undo a newer one"
    popup(li_ju, "reject", LONG_TERM)
    assert not li_ju.credit(LONG_TERM)[3]
    popup(li_ju, "accept", LONG_TERM)
    assert li_ju.credit(LONG_TERM)[3]


def test_an_event_about_a_template_that_is_not_ours_is_ignored(li_ju: Neighbour) -> None:
    popup(li_ju, template="somebody-elses")
    assert li_ju.credit("somebody-elses") == (0, 0, 0, False)


def test_after_the_account_changes_a_template_old_credits_are_worth_nothing(
    set_up: Callable[..., None], li_ju: Neighbour
) -> None:
    li_ju.accept(ONE_TIME)
    set_up(templates={"help_progress": {"one_time": {"id": TO_DO}}})
    work(letter(tell(li_ju)))
    assert li_ju.notice.push_state == "no_channel"


# ------------------------------------------------------------------------------------------------ over HTTP


def test_the_phone_reports_what_the_person_answered(http: Http, li_ju: Neighbour) -> None:
    body = {"answers": {ONE_TIME: "accept", TO_DO: "reject"}}
    for _ in range(2):
        assert http.post("/me/credits", json=body, token=li_ju.token, key="tap-1").status == 204
    assert li_ju.credit() == (1, 0, 0, False)
    assert http.post("/me/credits", json=body, token=li_ju.token, key="tap-2").status == 204
    assert li_ju.credit() == (2, 0, 0, False)


def test_a_repeated_key_with_other_answers_is_refused(http: Http, li_ju: Neighbour) -> None:
    http.post("/me/credits", json={"answers": {ONE_TIME: "accept"}}, token=li_ju.token, key="tap-1")
    answer = http.post("/me/credits", json={"answers": {TO_DO: "accept"}}, token=li_ju.token, key="tap-1")
    assert (answer.status, answer.code) == (422, "idempotency_key_reused")
    assert li_ju.credit(TO_DO) == (0, 0, 0, False)


IMPOSSIBLE: list[tuple[Any, str]] = [
    ({"answers": {"unknown": "accept"}}, "template_unknown"),
    ({"answers": {ONE_TIME: "accept", "unknown": "accept"}}, "template_unknown"),
    ({"answers": {}}, "invalid"),
    ({"answers": {str(number): "accept" for number in range(6)}}, "invalid"),
    ({"answers": {ONE_TIME: "yes"}}, "invalid"),
    ({"answers": {ONE_TIME: 1}}, "invalid"),
    ({"answers": {"": "accept"}}, "invalid"),
    ({"answers": {"x" * 65: "accept"}}, "invalid"),
    ({"answers": {"\x00": "accept"}}, "invalid"),
    ({"answers": [ONE_TIME]}, "invalid"),
    ({"answers": None}, "invalid"),
    ({}, "invalid"),
    ({"answers": {ONE_TIME: "accept"}, "points": 5}, "invalid"),
    ([], "invalid"),
]


def test_answers_that_cannot_be_are_refused_whole(http: Http, li_ju: Neighbour) -> None:
    for body, code in IMPOSSIBLE:
        answer = http.post("/me/credits", json=body, token=li_ju.token)
        assert (answer.status, answer.code) == (422, code), body
    assert li_ju.credit() == (0, 0, 0, False)


def test_malformed_json_is_refused(http: Http, li_ju: Neighbour) -> None:
    assert http.post("/me/credits", body='{"answers":', token=li_ju.token).code == "malformed_json"
    assert http.post("/me/credits", body='{"answers":{"\\ud800":"accept"}}', token=li_ju.token).status == 422
    assert http.post("/me/credits", body="x" * 70_000, token=li_ju.token).status == 413


def ask(http: Http, person: Neighbour, moment: str = "ask_for_help") -> Any:
    answer = http.get(f"/me/templates?moment={moment}", token=person.token)
    assert answer.status == 200
    return answer.json


def test_the_phone_learns_what_to_ask_for_at_this_tap(
    set_up: Callable[..., None], http: Http, li_ju: Neighbour
) -> None:
    set_up(templates={**TEMPLATES, "review_result": {"one_time": {"id": REVIEW_RESULT}}})
    assert ask(http, li_ju) == {"template_ids": [ONE_TIME, REVIEW_RESULT], "long_term": False}
    assert ask(http, li_ju, "work") == {"template_ids": [TO_DO], "long_term": False}


def test_nobody_is_asked_for_more_than_enough(set_up: Callable[..., None], http: Http, li_ju: Neighbour) -> None:
    set_up(credits_enough=2)
    li_ju.accept(ONE_TIME)
    assert ask(http, li_ju)["template_ids"] == [ONE_TIME]
    li_ju.accept(ONE_TIME)
    assert ask(http, li_ju)["template_ids"] == []
    work(letter(tell(li_ju)))
    assert ask(http, li_ju)["template_ids"] == [ONE_TIME]


def test_what_lasts_is_asked_for_first_and_once(set_up: Callable[..., None], http: Http, li_ju: Neighbour) -> None:
    set_up(templates=ALL_CHANNELS)
    assert ask(http, li_ju) == {"template_ids": [LONG_TERM], "long_term": True}
    li_ju.accept(LONG_TERM)
    assert ask(http, li_ju) == {"template_ids": [], "long_term": False}


def test_without_templates_nothing_is_asked(set_up: Callable[..., None], http: Http, li_ju: Neighbour) -> None:
    set_up(templates={})
    assert ask(http, li_ju) == {"template_ids": [], "long_term": False}


def test_a_moment_that_is_none_is_refused(http: Http, li_ju: Neighbour) -> None:
    for query in ("", "?moment=", "?moment=birthday", "?moment=work&x=1"):
        assert http.get(f"/me/templates{query}", token=li_ju.token).status == 422, query


def test_asking_and_reporting_cost_one_call_each(http: Http, li_ju: Neighbour) -> None:
    with budget() as spent:
        ask(http, li_ju)
    assert spent.calls == ["dynamodb Query"]
    with budget() as spent:
        http.post("/me/credits", json={"answers": {ONE_TIME: "accept"}}, token=li_ju.token, key="1")
    assert spent.calls == ["dynamodb TransactWriteItems"]


def test_the_stand_in_and_we_agree_on_what_is_left(li_ju: Neighbour, wechat: StandIn) -> None:
    li_ju.accept(ONE_TIME, times=4)
    for _ in range(6):
        work(letter(tell(li_ju)))
    assert len(li_ju.received) == 4
    (phone,) = [person for person in wechat.people() if person["id"] == li_ju.phone]
    assert phone["credits"].get(ONE_TIME, 0) == 0
    assert wechat.call_counts()["/cgi-bin/message/subscribe/send"] == 4
