"""What moderators see and decide."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.content import reviews, rules
from chalicelib.content.models import Review
from chalicelib.kit import clock, ids
from chalicelib.kit.errors import Problem
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.people.models import Duty
from local.wechat.control import StandIn
from tests.content.conftest import again, attempt, inbox_of
from tests.content.test_texts import CHECK, DOUBTFUL, Thing, written
from tests.engine.budget import budget
from tests.engine.http import Http
from tests.neighbourhood import Hood, Neighbour

ELSEWHERE = "330402002001"


def flagged(author: Neighbour, *, area: str | None = None, text: str = "谁要便宜手机") -> tuple[Thing, Review]:
    """Three neighbours have flagged something, which hides it."""
    thing = Thing(f"THING#{ids.new_id('thing')}", "THING", area_sort="hidden")
    with transaction() as tx:
        tx.put(thing)
        review = reviews.open_for_flags(
            tx,
            subject="test_thing",
            subject_pk=thing.pk,
            subject_sk=thing.sk,
            author_id=author.id,
            area=area or author.hood.community,
            excerpt=text,
            reasons=["广告", "诈骗", "广告"],
            words=["", "卖家  不发货", ""],
            now=clock.now(),
        )
    return thing, review


def decide(moderator: Neighbour, review: Review, *, approve: bool, reason: str | None = None, key: str | None = None):
    return reviews.decide(
        review.id,
        caller=moderator.caller,
        approve=approve,
        reason=reason,
        attempt=attempt(moderator.id, key),
        now=clock.now(),
    )


def test_flags_open_a_review_and_the_author_is_told(hood: Hood):
    author = hood.resident()
    _, review = flagged(author)
    held = again(review)
    assert (held.state, held.cause, held.flags) == ("with_moderator", "flagged", ["广告", "诈骗：卖家 不发货", "广告"])
    assert author.told == ["content_hidden_by_flags"]


def test_a_moderator_lets_it_be_seen(hood: Hood):
    author, moderator = hood.resident(), hood.staff("moderator", hood.district)
    thing, review = written(author, DOUBTFUL)
    decided = decide(moderator, review, approve=True)
    for known in (decided, again(review)):
        assert (known.state, known.decided_by, known.excerpt) == ("approved", moderator.id, None)
    assert again(review).area_key is None
    assert again(thing).area_sort == "shown"
    assert author.told == ["content_in_review", "content_approved"]


def test_a_moderator_refuses_it_and_the_author_reads_the_reason(hood: Hood):
    author, moderator = hood.resident(), hood.staff("moderator")
    thing, review = flagged(author)
    decided = decide(moderator, review, approve=False, reason="含有广告推销，并且\n留了电话")
    assert (decided.state, decided.reason) == ("refused", "含有广告推销，并且 留了电话")
    assert again(thing).area_sort == "removed:含有广告推销，并且 留了电话"
    assert "含有广告推销，并且 留了电话" in inbox_of(author)


def test_a_refusal_without_a_reason_is_sent_back(hood: Hood):
    author, moderator = hood.resident(), hood.staff("moderator")
    _, review = flagged(author)
    with pytest.raises(rules.ReasonNeeded):
        decide(moderator, review, approve=False, reason=" ")
    assert again(review).state == "with_moderator"


def test_nobody_decides_about_their_own(hood: Hood):
    moderator = hood.staff("moderator")
    _, review = flagged(moderator)
    with pytest.raises(rules.OwnContent):
        decide(moderator, review, approve=True)


def test_for_others_than_its_areas_moderators_a_review_does_not_exist(hood: Hood):
    _, review = flagged(hood.resident())
    path = f"/reviews/{review.id}"
    for other in (hood.resident(), hood.staff("moderator", ELSEWHERE), hood.staff("moderator", hood.grid)):
        assert other.get(path).status == 404
        assert other.post(f"{path}/decide", json={"decision": "approve"}).status == 404


def test_a_duty_that_has_ended_decides_nothing(hood: Hood):
    author, moderator = hood.resident(), hood.staff("moderator")
    _, review = flagged(author)
    Duty.key(moderator.id, "moderator", hood.community).update([Duty.until_at.set(clock.now())])
    with pytest.raises(Problem) as refused:
        decide(moderator, review, approve=True)
    assert refused.value.status == 404


def test_a_decision_is_made_once(hood: Hood):
    author, moderator = hood.resident(), hood.staff("moderator")
    thing, review = flagged(author)
    decide(moderator, review, approve=False, reason="广告")
    with pytest.raises(rules.AlreadyDecided):
        decide(moderator, review, approve=True)
    assert again(thing).area_sort == "removed:广告"


def test_a_repeat_gets_the_same_answer(hood: Hood):
    author, moderator = hood.resident(), hood.staff("moderator")
    _, review = flagged(author)
    first = decide(moderator, review, approve=True, key="tap")
    second = decide(moderator, review, approve=True, key="tap")
    assert first.state == second.state == "approved"
    assert author.told == ["content_hidden_by_flags", "content_approved"]


def test_two_moderators_at_once_make_one_decision(hood: Hood):
    author = hood.resident()
    moderators = [hood.staff("moderator", hood.district) for _ in range(4)]
    thing, review = flagged(author)

    def one(position: int) -> str:
        try:
            decide(moderators[position], review, approve=position % 2 == 0, reason="广告")
        except rules.AlreadyDecided as late:
            return late.code
        return "decided"

    with ThreadPoolExecutor(4) as several:
        outcomes = sorted(several.map(one, range(4)))
    assert outcomes == ["already_decided"] * 3 + ["decided"]
    assert len(author.told) == 2
    shown = again(review).state == "approved"
    assert again(thing).area_sort == ("shown" if shown else "removed:广告")


def test_what_the_author_has_withdrawn_is_closed_without_a_word(hood: Hood):
    author, moderator = hood.resident(), hood.staff("moderator")
    thing, review = flagged(author)
    with transaction() as tx:
        tx.update(thing, [Item.area_sort.set("withdrawn")])
    decided = decide(moderator, review, approve=True)
    assert (decided.state, again(review).state, again(review).area_key) == ("moot", "moot", None)
    assert again(thing).area_sort == "withdrawn"
    assert author.told == ["content_hidden_by_flags"]


def test_a_review_can_be_dropped_once(hood: Hood):
    _, review = flagged(hood.resident())
    for _ in range(2):
        with transaction() as tx:
            reviews.drop(tx, review.id, now=clock.now())
    assert again(review).state == "moot"


def test_what_wechat_is_still_asked_about_is_not_a_moderators(wechat: StandIn, hood: Hood):
    author, moderator = hood.resident(), hood.staff("moderator")
    wechat.break_("down", CHECK)
    _, review = written(author, "需要五个口罩")
    with pytest.raises(rules.NotYetForModerators):
        decide(moderator, review, approve=True)


# ------------------------------------------------------------------------------------------------------ over HTTP


def test_the_list_shows_a_moderators_area_the_longest_waiting_first(hood: Hood):
    author, moderator = hood.resident(), hood.staff("moderator", hood.street)
    inside = [flagged(author, text=f"第{n}条")[1] for n in range(3)]
    flagged(author, area=hood.district + "999001")
    answer = moderator.get(f"/reviews?area={hood.community}")
    assert answer.status == 200
    assert [each["id"] for each in answer.json["items"]] == [review.id for review in inside]
    assert [each["excerpt"] for each in answer.json["items"]] == ["第0条", "第1条", "第2条"]
    assert author.id not in answer.text
    decide(moderator, inside[0], approve=True)
    assert len(moderator.get(f"/reviews?area={hood.street}").json["items"]) == 2
    assert moderator.get(f"/reviews?area={hood.district}").code == "duty_needed"


def test_the_list_goes_on_page_by_page(hood: Hood):
    author, moderator = hood.resident(), hood.staff("moderator")
    for n in range(21):
        flagged(author, text=str(n))
    first = moderator.get(f"/reviews?area={hood.community}").json
    rest = moderator.get(f"/reviews?area={hood.community}&cursor={first['next']}").json
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (20, 1, None)
    foreign = moderator.get(f"/reviews?area={hood.district}999001&cursor={first['next']}")
    assert foreign.code == "duty_needed"
    assert moderator.get(f"/reviews?area={hood.community}&cursor=forged").code == "cursor_invalid"


def test_a_list_costs_two_queries(hood: Hood):
    moderator = hood.staff("moderator")
    with budget() as spent:
        moderator.get(f"/reviews?area={hood.community}")
    assert spent.calls == ["dynamodb Query", "dynamodb Query"]


def test_a_decision_costs_two_reads_and_a_transaction(hood: Hood):
    author, moderator = hood.resident(), hood.staff("moderator")
    _, review = flagged(author)
    with budget() as spent:
        answer = moderator.post(f"/reviews/{review.id}/decide", json={"decision": "approve"})
    assert answer.json["state"] == "approved"
    assert spent.calls == ["dynamodb Query", "dynamodb GetItem", "dynamodb TransactWriteItems"]


def test_one_review_in_full_with_reasons_to_choose_from(hood: Hood):
    author, moderator = hood.resident(), hood.staff("moderator")
    _, review = flagged(author, text="便" * 300)
    shown = moderator.get(f"/reviews/{review.id}").json
    assert shown["excerpt"] == "便" * 300
    assert shown["flags"] == ["广告", "诈骗：卖家 不发货", "广告"]
    assert "含有广告推销" in shown["reasons"]
    assert shown["photo"] is None
    refused = moderator.post(
        f"/reviews/{review.id}/decide",
        json={"decision": "refuse", "reason": shown["reasons"][0]},
    )
    assert (refused.status, refused.json["reason"]) == (200, "含有广告推销")
    assert (refused.json["excerpt"], refused.json["reasons"]) == ("", [])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "decision"),
        ({"decision": "delete"}, "decision"),
        ({"decision": True}, "decision"),
        ({"decision": "refuse"}, "reason"),
        ({"decision": "refuse", "reason": "长" * 201}, "reason"),
        ({"decision": "refuse", "reason": 5}, "reason"),
        ({"decision": "approve", "state": "approved"}, "state"),
        ({"decision": "refuse", "reason": "\u0000"}, "reason"),
    ],
    ids=range(8),
)
def test_a_decision_that_is_none_is_sent_back(hood: Hood, body: dict, field: str):
    author, moderator = hood.resident(), hood.staff("moderator")
    _, review = flagged(author)
    answer = moderator.post(f"/reviews/{review.id}/decide", json=body)
    assert answer.status == 422
    assert field in answer.wrong
    assert again(review).state == "with_moderator"


@pytest.mark.parametrize("area", ["", "33", "3304020", "abcdef", "33040２", "330402'--", "9" * 40])
def test_a_list_of_no_area_is_sent_back(hood: Hood, area: str):
    moderator = hood.staff("moderator", hood.district)
    assert moderator.get(f"/reviews?area={area}").status == 422


def test_a_review_nobody_has_heard_of_is_not_found(hood: Hood):
    moderator = hood.staff("moderator")
    for review_id in ("review_none", "%23", "..%2f", "%00", "%F0%9F%98%80"):
        assert moderator.get(f"/reviews/{review_id}").status == 404


def test_without_login_there_is_nothing_to_see(http: Http):
    assert http.get("/reviews?area=330402").code == "login_needed"


def test_the_same_key_with_another_decision_is_refused(hood: Hood):
    author, moderator = hood.resident(), hood.staff("moderator")
    _, review = flagged(author)
    path = f"/reviews/{review.id}/decide"
    first = moderator.post(path, json={"decision": "approve"}, key="k")
    assert moderator.post(path, json={"decision": "approve"}, key="k").json == first.json
    other = moderator.post(path, json={"decision": "refuse", "reason": "广告"}, key="k")
    assert other.code == "idempotency_key_reused"


class TestReminding:
    """A review that nobody has decided for two hours."""

    def remind(self, review: Review) -> None:
        reviews.remind(again(review), now=again(review).opened_at + rules.REMIND_AFTER)

    def test_its_moderators_are_told_and_nobody_else(self, hood: Hood):
        author, moderator, other = hood.resident(), hood.staff("moderator"), hood.staff("moderator", ELSEWHERE)
        _, review = flagged(author)
        held = again(review)
        assert (held.timer, held.due_at) == ("remind_moderators", held.opened_at + rules.REMIND_AFTER)
        self.remind(review)
        assert moderator.told == ["review_waiting"]
        assert "桂苑社区" in inbox_of(moderator)
        assert (author.told, other.told) == (["content_hidden_by_flags"], [])
        assert again(review).timer is None

    def test_a_hundred_reviews_are_one_message(self, hood: Hood):
        author, moderator = hood.resident(), hood.staff("moderator")
        waiting = [flagged(author)[1] for _ in range(3)]
        for review in waiting:
            self.remind(review)
        assert moderator.told == ["review_waiting"]
        assert {again(review).timer for review in waiting} == {None}

    def test_what_was_decided_in_time_reminds_nobody(self, hood: Hood):
        author, moderator = hood.resident(), hood.staff("moderator")
        _, review = flagged(author)
        decide(moderator, review, approve=True)
        assert again(review).timer is None
        self.remind(review)
        assert moderator.told == []

    def test_a_moderator_is_not_asked_to_decide_about_themselves(self, hood: Hood):
        moderator = hood.staff("moderator")
        _, review = flagged(moderator)
        self.remind(review)
        assert "review_waiting" not in moderator.told
