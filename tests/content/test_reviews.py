"""What moderators see and decide."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.areas.models import Area
from chalicelib.content import reviews, rules
from chalicelib.content.models import Review
from chalicelib.kit import clock, ids
from chalicelib.kit.errors import Problem
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.people.models import Duty
from local.wechat.control import StandIn
from tests.content.conftest import AREA, OTHER_AREA, Neighbour, again, attempt
from tests.content.test_texts import CHECK, DOUBTFUL, Thing, written
from tests.engine.budget import budget
from tests.engine.http import Http

Neighbours = Callable[..., Neighbour]


@pytest.fixture
def place() -> str:
    """An area of its own, so that its list holds only what this test puts there."""
    return f"{int(ids.new_id('x').encode().hex(), 16) % 10**6:06d}{AREA[6:]}"


def flagged(author: Neighbour, *, area: str = AREA, text: str = "谁要便宜手机") -> tuple[Thing, Review]:
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
            area=area,
            excerpt=text,
            reasons=["广告", "诈骗", "广告"],
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


def test_flags_open_a_review_and_the_author_is_told(wechat: StandIn, neighbour: Neighbours):
    author = neighbour()
    _, review = flagged(author)
    held = again(review)
    assert (held.state, held.cause, held.flags) == ("with_moderator", "flagged", ["广告", "诈骗", "广告"])
    assert author.notices == ["content_hidden_by_flags"]


def test_a_moderator_lets_it_be_seen(wechat: StandIn, neighbour: Neighbours):
    author, moderator = neighbour(), neighbour(moderates=AREA[:6])
    thing, review = written(author, DOUBTFUL)
    decided = decide(moderator, review, approve=True)
    for known in (decided, again(review)):
        assert (known.state, known.decided_by, known.excerpt) == ("approved", moderator.id, None)
    assert again(review).area_key is None
    assert again(thing).area_sort == "shown"
    assert author.notices == ["content_in_review", "content_approved"]


def test_a_moderator_refuses_it_and_the_author_reads_the_reason(wechat: StandIn, neighbour: Neighbours):
    author, moderator = neighbour(), neighbour(moderates=AREA)
    thing, review = flagged(author)
    decided = decide(moderator, review, approve=False, reason="含有广告推销，并且\n留了电话")
    assert (decided.state, decided.reason) == ("refused", "含有广告推销，并且 留了电话")
    assert again(thing).area_sort == "removed:含有广告推销，并且 留了电话"
    assert "含有广告推销，并且 留了电话" in author.texts


def test_a_refusal_without_a_reason_is_sent_back(wechat: StandIn, neighbour: Neighbours):
    author, moderator = neighbour(), neighbour(moderates=AREA)
    _, review = flagged(author)
    with pytest.raises(rules.ReasonNeeded):
        decide(moderator, review, approve=False, reason=" ")
    assert again(review).state == "with_moderator"


def test_nobody_decides_about_their_own(wechat: StandIn, neighbour: Neighbours):
    moderator = neighbour(moderates=AREA)
    _, review = flagged(moderator)
    with pytest.raises(rules.OwnContent):
        decide(moderator, review, approve=True)


@pytest.mark.parametrize("moderates", [None, OTHER_AREA, AREA + "001"])
def test_for_others_than_its_areas_moderators_a_review_does_not_exist(
    wechat: StandIn, neighbour: Neighbours, moderates: str | None
):
    author, other = neighbour(), neighbour(moderates=moderates)
    _, review = flagged(author)
    for act in (
        lambda: reviews.read(review.id, caller=other.caller, now=clock.now()),
        lambda: decide(other, review, approve=True),
    ):
        with pytest.raises(Problem) as refused:
            act()
        assert refused.value.status == 404


def test_a_duty_that_has_ended_decides_nothing(wechat: StandIn, neighbour: Neighbours):
    author, moderator = neighbour(), neighbour(moderates=AREA)
    _, review = flagged(author)
    Duty.key(moderator.id, "moderator", AREA).update([Duty.until_at.set(clock.now())])
    with pytest.raises(Problem) as refused:
        decide(moderator, review, approve=True)
    assert refused.value.status == 404


def test_a_decision_is_made_once(wechat: StandIn, neighbour: Neighbours):
    author, moderator = neighbour(), neighbour(moderates=AREA)
    thing, review = flagged(author)
    decide(moderator, review, approve=False, reason="广告")
    with pytest.raises(rules.AlreadyDecided):
        decide(moderator, review, approve=True)
    assert again(thing).area_sort == "removed:广告"


def test_a_repeat_gets_the_same_answer(wechat: StandIn, neighbour: Neighbours):
    author, moderator = neighbour(), neighbour(moderates=AREA)
    _, review = flagged(author)
    first = decide(moderator, review, approve=True, key="tap")
    second = decide(moderator, review, approve=True, key="tap")
    assert first.state == second.state == "approved"
    assert author.notices == ["content_hidden_by_flags", "content_approved"]


def test_two_moderators_at_once_make_one_decision(wechat: StandIn, neighbour: Neighbours):
    author = neighbour()
    moderators = [neighbour(moderates=AREA[:6]) for _ in range(4)]
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
    assert len(author.notices) == 2
    shown = again(review).state == "approved"
    assert again(thing).area_sort == ("shown" if shown else "removed:广告")


def test_what_the_author_has_withdrawn_is_closed_without_a_word(wechat: StandIn, neighbour: Neighbours):
    author, moderator = neighbour(), neighbour(moderates=AREA)
    thing, review = flagged(author)
    with transaction() as tx:
        tx.update(thing, [Item.area_sort.set("withdrawn")])
    decided = decide(moderator, review, approve=True)
    assert (decided.state, again(review).state, again(review).area_key) == ("moot", "moot", None)
    assert again(thing).area_sort == "withdrawn"
    assert author.notices == ["content_hidden_by_flags"]


def test_a_review_can_be_dropped_once(wechat: StandIn, neighbour: Neighbours):
    _, review = flagged(neighbour())
    for _ in range(2):
        with transaction() as tx:
            reviews.drop(tx, review.id, now=clock.now())
    assert again(review).state == "moot"


def test_what_wechat_is_still_asked_about_is_not_a_moderators(wechat: StandIn, neighbour: Neighbours):
    author, moderator = neighbour(), neighbour(moderates=AREA)
    wechat.break_("down", CHECK)
    _, review = written(author, "需要五个口罩")
    with pytest.raises(rules.NotYetForModerators):
        decide(moderator, review, approve=True)


# ------------------------------------------------------------------------------------------------------ over HTTP


def test_the_list_shows_a_moderators_area_the_longest_waiting_first(
    wechat: StandIn, neighbour: Neighbours, http: Http, place: str
):
    author, moderator = neighbour(), neighbour(moderates=place[:9])
    inside = [flagged(author, area=place, text=f"第{n}条")[1] for n in range(3)]
    flagged(author, area=place[:6] + "999001")
    answer = http.get(f"/reviews?area={place}", token=moderator.token)
    assert answer.status == 200
    assert [each["id"] for each in answer.json["items"]] == [review.id for review in inside]
    assert [each["excerpt"] for each in answer.json["items"]] == ["第0条", "第1条", "第2条"]
    assert author.id not in answer.text
    decide(moderator, inside[0], approve=True)
    assert len(http.get(f"/reviews?area={place[:9]}", token=moderator.token).json["items"]) == 2
    assert http.get(f"/reviews?area={place[:6]}", token=moderator.token).code == "duty_needed"


def test_the_list_goes_on_page_by_page(wechat: StandIn, neighbour: Neighbours, http: Http, place: str):
    author, moderator = neighbour(), neighbour(moderates=place)
    for n in range(21):
        flagged(author, area=place, text=str(n))
    first = http.get(f"/reviews?area={place}", token=moderator.token).json
    rest = http.get(f"/reviews?area={place}&cursor={first['next']}", token=moderator.token).json
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (20, 1, None)
    foreign = http.get(f"/reviews?area={place[:6]}999001&cursor={first['next']}", token=moderator.token)
    assert foreign.code == "duty_needed"
    assert http.get(f"/reviews?area={place}&cursor=forged", token=moderator.token).code == "cursor_invalid"


def test_a_list_costs_two_queries(wechat: StandIn, neighbour: Neighbours, http: Http, place: str):
    moderator = neighbour(moderates=place)
    with budget() as spent:
        http.get(f"/reviews?area={place}", token=moderator.token)
    assert spent.calls == ["dynamodb Query", "dynamodb Query"]


def test_a_decision_costs_two_reads_and_a_transaction(wechat: StandIn, neighbour: Neighbours, http: Http):
    author, moderator = neighbour(), neighbour(moderates=AREA)
    _, review = flagged(author)
    with budget() as spent:
        answer = http.post(f"/reviews/{review.id}/decide", json={"decision": "approve"}, token=moderator.token)
    assert answer.json["state"] == "approved"
    assert spent.calls == ["dynamodb Query", "dynamodb GetItem", "dynamodb TransactWriteItems"]


def test_one_review_in_full_with_reasons_to_choose_from(wechat: StandIn, neighbour: Neighbours, http: Http):
    author, moderator = neighbour(), neighbour(moderates=AREA)
    _, review = flagged(author, text="便" * 300)
    shown = http.get(f"/reviews/{review.id}", token=moderator.token).json
    assert shown["excerpt"] == "便" * 300
    assert shown["flags"] == ["广告", "诈骗", "广告"]
    assert "含有广告推销" in shown["reasons"]
    assert shown["photo"] is None
    refused = http.post(
        f"/reviews/{review.id}/decide",
        json={"decision": "refuse", "reason": shown["reasons"][0]},
        token=moderator.token,
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
def test_a_decision_that_is_none_is_sent_back(
    wechat: StandIn, neighbour: Neighbours, http: Http, body: dict, field: str
):
    author, moderator = neighbour(), neighbour(moderates=AREA)
    _, review = flagged(author)
    answer = http.post(f"/reviews/{review.id}/decide", json=body, token=moderator.token)
    assert answer.status == 422
    assert field in answer.wrong
    assert again(review).state == "with_moderator"


@pytest.mark.parametrize("area", ["", "33", "3304020", "abcdef", "33040２", "330402'--", "9" * 40])
def test_a_list_of_no_area_is_sent_back(wechat: StandIn, neighbour: Neighbours, http: Http, area: str):
    moderator = neighbour(moderates=AREA[:6])
    assert http.get(f"/reviews?area={area}", token=moderator.token).status == 422


def test_a_review_nobody_has_heard_of_is_not_found(wechat: StandIn, neighbour: Neighbours, http: Http):
    moderator = neighbour(moderates=AREA)
    for review_id in ("review_none", "%23", "..%2f", "%00", "%F0%9F%98%80"):
        assert http.get(f"/reviews/{review_id}", token=moderator.token).status == 404


def test_without_login_there_is_nothing_to_see(http: Http):
    assert http.get("/reviews?area=330402").code == "login_needed"


def test_the_same_key_with_another_decision_is_refused(wechat: StandIn, neighbour: Neighbours, http: Http):
    author, moderator = neighbour(), neighbour(moderates=AREA)
    _, review = flagged(author)
    path = f"/reviews/{review.id}/decide"
    first = http.post(path, json={"decision": "approve"}, token=moderator.token, key="k")
    assert http.post(path, json={"decision": "approve"}, token=moderator.token, key="k").json == first.json
    other = http.post(path, json={"decision": "refuse", "reason": "广告"}, token=moderator.token, key="k")
    assert other.code == "idempotency_key_reused"


class TestReminding:
    """A review that nobody has decided for two hours."""

    @pytest.fixture(autouse=True)
    def _known_place(self, place: str) -> None:
        Area(f"AREA#{place[:9]}", place, name="桂苑社区").save()

    def remind(self, review: Review) -> None:
        reviews.remind(again(review), now=again(review).opened_at + rules.REMIND_AFTER)

    def test_its_moderators_are_told_and_nobody_else(self, wechat: StandIn, neighbour: Neighbours, place: str):
        author, moderator, other = neighbour(), neighbour(moderates=place), neighbour(moderates=OTHER_AREA)
        _, review = flagged(author, area=place)
        held = again(review)
        assert (held.timer, held.due_at) == ("remind_moderators", held.opened_at + rules.REMIND_AFTER)
        self.remind(review)
        assert moderator.notices == ["review_waiting"]
        assert "桂苑社区" in moderator.texts
        assert (author.notices, other.notices) == (["content_hidden_by_flags"], [])
        assert again(review).timer is None

    def test_a_hundred_reviews_are_one_message(self, wechat: StandIn, neighbour: Neighbours, place: str):
        author, moderator = neighbour(), neighbour(moderates=place)
        waiting = [flagged(author, area=place)[1] for _ in range(3)]
        for review in waiting:
            self.remind(review)
        assert moderator.notices == ["review_waiting"]
        assert {again(review).timer for review in waiting} == {None}

    def test_what_was_decided_in_time_reminds_nobody(self, wechat: StandIn, neighbour: Neighbours, place: str):
        author, moderator = neighbour(), neighbour(moderates=place)
        _, review = flagged(author, area=place)
        decide(moderator, review, approve=True)
        assert again(review).timer is None
        self.remind(review)
        assert moderator.notices == []

    def test_a_moderator_is_not_asked_to_decide_about_themselves(
        self, wechat: StandIn, neighbour: Neighbours, place: str
    ):
        moderator = neighbour(moderates=place)
        _, review = flagged(moderator, area=place)
        self.remind(review)
        assert "review_waiting" not in moderator.notices
