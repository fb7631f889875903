"""What WeChat or neighbours doubt is seen by nobody before somebody has decided, and the author is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.content import reviews
from chalicelib.content.models import Review
from chalicelib.kit import clock
from local.wechat import catalogue
from tests.help.street import (
    MASKS,
    Street,
    ask,
    bring,
    check_books,
    code_of,
    decide,
    lines,
    offer,
    path,
    review_of,
    run_request,
    states,
    stored,
)
from tests.neighbourhood import Hood

RISKY = next(iter(catalogue.RISKY_WORDS))
DOUBTFUL = next(iter(catalogue.REVIEW_WORDS))


@pytest.fixture
def moderator(street: Street) -> Any:
    return street.staff("moderator", name="审核员")


def flag(who: Any, request: str, reason: str = "fraud", **more: Any) -> Any:
    return who.post(f"/help-requests/{request}/flags", json={"reason": reason}, **more)


class TestARequestWeChatDoubts:
    @pytest.mark.parametrize("field", ["title", "text"])
    def test_a_risky_one_is_refused_and_nothing_is_kept(self, street, field):
        author = street.resident()
        answer = author.post("/help-requests", json={**MASKS, field: f"口罩{RISKY}"}, key="k")
        assert (answer.status, answer.code) == (409, "content_refused")
        assert author.get("/help-requests/mine").json["items"] == []
        assert author.post("/help-requests", json={**MASKS, "title": "急需口罩"}, key="k").status == 201

    def test_a_doubtful_one_is_seen_by_its_author_only(self, street, moderator):
        author, other = street.residents(2)
        request = ask(author, text=f"口罩，{DOUBTFUL}")
        assert author.get(f"/help-requests/{request}").json["state"] == "in_review"
        assert author.told == ["content_in_review"]
        assert street.open_list(other) == []
        assert other.get(f"/help-requests/{request}").code == "help_request_not_found"
        assert other.post(f"/help-requests/{request}/offers", json={}).code == "help_request_not_found"
        assert flag(other, request).code == "help_request_not_found"
        assert stored(request).timer is None
        assert moderator.get(f"/help-requests/{request}").status == 200

    def test_a_moderator_lets_it_stand_and_then_it_is_announced(self, street, moderator):
        author, willing = street.residents(2)
        willing.put("/me/help-alerts", json={"on": True})
        request = ask(author, text=f"口罩，{DOUBTFUL}")
        assert decide(moderator, review_of(author, "help_request"), "approve").status == 200
        assert (check_books(request).request.state, street.open_list(willing)) == ("open", [request])
        assert run_request(request, clock.now()) == "help.announce"
        assert (author.told[-1], willing.told) == ("content_approved", ["help_near_you"])

    def test_a_moderator_removes_it_with_a_reason_for_the_author_only(self, street, moderator):
        author, other = street.residents(2)
        request = ask(author, text=f"口罩，{DOUBTFUL}")
        review = review_of(author, "help_request")
        assert decide(moderator, review, "refuse").code == "reason_needed"
        assert decide(moderator, review, "refuse", "含有广告推销").status == 200
        seen = author.get(f"/help-requests/{request}").json
        assert (seen["state"], seen["removed_reason"]) == ("removed", "含有广告推销")
        assert author.told[-1] == "content_refused"
        assert other.get(f"/help-requests/{request}").status == 404
        for act in ("withdraw", "confirm"):
            assert author.post(f"/help-requests/{request}/{act}").code == "step_not_possible"

    def test_one_withdrawn_meanwhile_needs_no_decision(self, street, moderator):
        author = street.resident()
        request = ask(author, text=f"口罩，{DOUBTFUL}")
        review = review_of(author, "help_request")
        author.post(f"/help-requests/{request}/withdraw")
        assert decide(moderator, review, "approve").json["state"] == "moot"
        assert stored(request).state == "withdrawn"

    def test_time_in_review_does_not_count_but_a_needed_by_stays(self, street, moderator):
        author = street.resident()
        soon = clock.now() + timedelta(hours=3)
        timed = ask(author, text=DOUBTFUL, needed_by=soon.isoformat())
        decide(moderator, review_of(author, "help_request"), "approve")
        assert stored(timed).open_until == soon.replace(microsecond=soon.microsecond // 1000 * 1000)
        other = street.resident()
        request = ask(other, text=DOUBTFUL)
        item = stored(request)
        item.update([type(item).open_until.set(clock.now() - timedelta(days=1))])
        decide(moderator, review_of(other, "help_request"), "approve")
        assert stored(request).open_until > clock.now() + timedelta(hours=23)

    def test_one_decided_after_its_time_is_not_announced(self, street, moderator):
        author, willing = street.residents(2)
        willing.put("/me/help-alerts", json={"on": True})
        request = ask(author, text=DOUBTFUL, needed_by=(clock.now() + timedelta(hours=2)).isoformat())
        item = stored(request)
        past = clock.now() - timedelta(minutes=1)
        item.update([type(item).open_until.set(past), type(item).needed_by.set(past)])
        decide(moderator, review_of(author, "help_request"), "approve")
        assert run_request(request, clock.now()) == "help.close"
        assert (stored(request).state, willing.told) == ("expired", [])


class TestWhenWeChatIsDown:
    def test_nothing_is_lost_and_nothing_shown_and_it_opens_when_wechat_is_back(self, hood: Hood):
        author, other = hood.resident(), hood.resident()
        hood.wechat.break_("down", "/wxa/msg_sec_check")
        answer = author.post("/help-requests", json=MASKS, key="k")
        assert (answer.status, answer.json["state"]) == (201, "in_review")
        request = answer.json["id"]
        assert other.get(f"/help-requests/{request}").status == 404
        review = review_of(author, "help_request")
        assert review.state == "waiting"
        hood.wechat.mend()
        hood.pass_time(review, clock.now() + timedelta(minutes=2))
        assert stored(request).state == "open"
        assert Review.fetch(review.pk, review.sk).state == "approved"

    def test_and_is_removed_when_wechat_then_refuses(self, hood: Hood):
        author = hood.resident()
        hood.wechat.break_("down", "/wxa/msg_sec_check")
        request = ask(author, text=f"口罩{RISKY}")
        hood.wechat.mend()
        reviews.recheck(review_of(author, "help_request"), now=clock.now())
        assert stored(request).state == "removed"
        assert "content_refused" in author.told

    def test_a_message_waits_as_well(self, hood: Hood):
        author, helper = hood.resident(), hood.resident()
        request = ask(author)
        made = offer(helper, request)
        hood.wechat.break_("down", "/wxa/msg_sec_check")
        helper.post(path(request, made, "messages"), json={"text": "放在门口了"})
        assert lines(author.get(path(request, made, "messages"))) == []
        hood.wechat.mend()
        reviews.recheck(review_of(helper, "help_message"), now=clock.now())
        assert [line["text"] for line in lines(author.get(path(request, made, "messages")))] == ["放在门口了"]
        assert "help_message" in author.told


class TestWordsOnAnOffer:
    def test_a_doubtful_message_of_an_offer_is_hidden_but_the_offer_counts(self, street, moderator):
        author, helper = street.residents(2)
        request = ask(author)
        offer(helper, request, message=DOUBTFUL)
        assert author.get(f"/help-requests/{request}").json["offers"][0]["message"] is None
        assert helper.get(f"/help-requests/{request}").json["offers"][0]["message"] == DOUBTFUL
        assert check_books(request).request.state == "covered"
        decide(moderator, review_of(helper, "offer_message"), "approve")
        assert author.get(f"/help-requests/{request}").json["offers"][0]["message"] == DOUBTFUL

    def test_a_risky_one_makes_no_offer(self, street):
        author, helper = street.residents(2)
        request = ask(author)
        answer = helper.post(f"/help-requests/{request}/offers", json={"quantity": 5, "message": RISKY})
        assert (answer.code, states(request)) == ("content_refused", [])
        check_books(request)

    @pytest.mark.parametrize(("decision", "seen"), [("approve", [DOUBTFUL]), ("refuse", [])])
    def test_a_doubtful_message_is_seen_and_told_after_a_yes_only(self, street, moderator, decision, seen):
        author, helper = street.residents(2)
        request = ask(author)
        made = offer(helper, request)
        messages = path(request, made, "messages")
        written = helper.post(messages, json={"text": DOUBTFUL})
        assert written.json["state"] == "hidden"
        assert (lines(author.get(messages)), len(lines(helper.get(messages)))) == ([], 1)
        assert "help_message" not in author.told
        decide(moderator, review_of(helper, "help_message"), decision, "含有广告推销")
        assert [line["text"] for line in lines(author.get(messages))] == seen
        assert ("help_message" in author.told) == bool(seen)

    @pytest.mark.parametrize(("decision", "seen"), [("approve", DOUBTFUL), ("refuse", None)])
    def test_so_are_thanks(self, street, moderator, decision, seen):
        author, helper = street.residents(2)
        request = ask(author)
        made = bring(helper, request)
        author.post(path(request, made, "collect"))
        assert author.post(path(request, made, "thanks"), json={"text": DOUBTFUL}).json["thanks"] == DOUBTFUL
        assert lines(helper.get("/help-requests/helping"))[0]["thanks"] is None
        decide(moderator, review_of(author, "help_thanks"), decision, "含有广告推销")
        assert lines(helper.get("/help-requests/helping"))[0]["thanks"] == seen
        assert ("help_thanked" in helper.told) == bool(seen)

    @pytest.mark.parametrize(("decision", "seen"), [("approve", DOUBTFUL), ("refuse", None)])
    def test_an_objection_counts_at_once_and_its_words_after_a_yes(self, street, moderator, decision, seen):
        author, helper = street.residents(2)
        worker = street.staff("grid_worker", street.grid)
        request = ask(author)
        bring(helper, request)
        author.post(f"/help-requests/{request}/object", json={"reason": DOUBTFUL})
        assert worker.told == ["help_objected"]
        assert DOUBTFUL not in worker.get("/notices").text
        assert worker.get(f"/help-requests/{request}?as_staff=true").json["objection"] is None
        decide(moderator, review_of(author, "help_objection"), decision, "含有广告推销")
        assert worker.get(f"/help-requests/{request}?as_staff=true").json["objection"] == seen
        assert author.get(f"/help-requests/{request}").json["objection"] == DOUBTFUL


class TestFlags:
    def test_three_different_residents_hide_it(self, street):
        author, *neighbours = street.residents(5)
        request = ask(author)
        made = offer(neighbours[3], request, 2)
        for each in neighbours[:2]:
            assert flag(each, request).status == 204
        assert stored(request).state == "open"
        assert flag(neighbours[2], request, "money").status == 204
        assert (stored(request).state, street.open_list(author)) == ("in_review", [])
        assert author.told[-1] == "content_hidden_by_flags"
        assert neighbours[0].get(f"/help-requests/{request}").status == 404
        assert author.get(f"/help-requests/{request}").status == 200
        # who has promised something goes on
        assert neighbours[3].get(f"/help-requests/{request}").status == 200
        assert neighbours[3].post(path(request, made, "drop-off")).status == 200
        assert author.post(path(request, made, "collect")).status == 200
        check_books(request)

    def test_the_same_resident_counts_once(self, street):
        author, neighbour = street.residents(2)
        request = ask(author)
        for _ in range(4):
            assert flag(neighbour, request).status == 204
        assert (stored(request).flags, stored(request).state) == (1, "open")

    def test_a_repeat_is_answered_alike_and_other_words_are_refused(self, street):
        author, *neighbours = street.residents(4)
        request = ask(author)
        for each in neighbours:
            flag(each, request, key="k")
        assert stored(request).state == "in_review"
        assert flag(neighbours[0], request, key="k").status == 204
        assert flag(neighbours[0], request, "other", key="k").code == "idempotency_key_reused"

    def test_the_moderator_reads_what_neighbours_wrote_and_the_author_does_not(self, street, moderator):
        author, first, *others = street.residents(4)
        request = ask(author)
        first.post(f"/help-requests/{request}/flags", json={"reason": "fraud", "text": "上周也收了口罩"})
        for each in others:
            flag(each, request)
        review = review_of(author, "help_request")
        said = moderator.get(f"/reviews/{review.id}").json["flags"]
        assert sorted(said) == ["可能是骗人的", "可能是骗人的", "可能是骗人的：上周也收了口罩"]
        assert "上周" not in author.get("/inbox").text
        assert decide(moderator, review, "approve").json["flags"] == []

    def test_nobody_flags_their_own(self, street):
        father, daughter = street.resident("父亲"), street.resident("女儿")
        street.let_act(daughter, father)
        request = daughter.post("/help-requests", json=MASKS, acting_for=father.id).json["id"]
        for who in (father, daughter):
            assert flag(who, request).code == "own_request_flag"
        assert flag(daughter, request, acting_for=father.id).code == "own_affair_only"

    @pytest.mark.parametrize("body", [{}, {"reason": "x"}, {"reason": None}, {"reason": "fraud", "text": "长" * 201}])
    def test_a_flag_has_one_of_the_reasons(self, street, body):
        request = ask(street.resident())
        assert street.resident().post(f"/help-requests/{request}/flags", json=body).status == 422

    def test_ten_flags_a_day_are_enough(self, street, configure):
        configure("help", flags_a_day=1)
        requests, neighbour = [ask(street.resident()) for _ in range(2)], street.resident()
        assert [flag(neighbour, request).status for request in requests] == [204, 429]

    def test_after_a_yes_flags_count_anew_and_the_same_three_do_not_count_again(self, street, moderator):
        author, *neighbours = street.residents(7)
        request = ask(author)
        for each in neighbours[:3]:
            flag(each, request, "advertising")
        decide(moderator, review_of(author, "help_request"), "approve")
        assert (stored(request).flags, check_books(request).request.state) == (0, "open")
        for each in (*neighbours[:3], *neighbours[3:5]):
            flag(each, request, "insult")
        assert (stored(request).flags, stored(request).state) == (2, "open")
        flag(neighbours[5], request, "insult")
        assert stored(request).state == "in_review"
        assert review_of(author, "help_request").flags == ["辱骂他人"] * 3

    def test_a_covered_one_comes_back_covered(self, street, moderator):
        author, helper, *neighbours = street.residents(5)
        request = ask(author)
        made = bring(helper, request)
        for each in neighbours:
            flag(each, request)
        author.post(path(request, made, "collect"))
        decide(moderator, review_of(author, "help_request"), "approve")
        assert (check_books(request).request.state, stored(request).timer) == ("covered", "help.fulfil")

    def test_a_no_ends_open_offers_but_not_goods_that_wait(self, street, moderator):
        author, helper, bringer, *neighbours = street.residents(6)
        request = ask(author)
        offer(helper, request, 2)
        brought = bring(bringer, request, 2)
        for each in neighbours:
            flag(each, request)
        decide(moderator, review_of(author, "help_request"), "refuse", "含有虚假信息")
        assert (states(request), helper.told) == (["cancelled", "dropped_off"], ["help_request_withdrawn"])
        assert check_books(request).request.state == "removed"
        clerk = street.staff("desk_clerk")
        assert clerk.post("/pick-ups", json={"code": code_of(request, brought)}).status == 200
        check_books(request)

    def test_while_hidden_an_offer_may_lapse_and_the_books_stay_right(self, street, moderator):
        author, helper, *neighbours = street.residents(5)
        request = ask(author)
        made = offer(helper, request, 5)
        for each in neighbours:
            flag(each, request)
        helper.post(path(request, made, "cancel"))
        assert check_books(request).request.state == "in_review"
        decide(moderator, review_of(author, "help_request"), "approve")
        assert (check_books(request).request.state, street.open_list(helper)) == ("open", [request])


def test_a_moderator_does_not_decide_about_their_own(street: Street) -> None:
    judge = street.staff("moderator")
    ask(judge, text=DOUBTFUL)
    assert decide(judge, review_of(judge, "help_request"), "approve").code == "own_content"


def test_what_waits_is_on_the_list_of_the_areas_moderators(street: Street) -> None:
    judge = street.staff("moderator")
    ask(street.resident(), text=DOUBTFUL)
    assert len(lines(judge.get(f"/reviews?area={street.community}"))) == 1
    elsewhere = Street(street.http, street.wechat).staff("moderator")
    assert elsewhere.get(f"/reviews?area={street.community}").code == "duty_needed"
