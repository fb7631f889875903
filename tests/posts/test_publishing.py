"""Staff publish to their own areas and take back what they said; WeChat and moderators come before anybody sees it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.content import service as content
from chalicelib.kit import clock
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.people import service as people
from chalicelib.people.models import Duty
from chalicelib.posts.models import Post
from local.wechat import catalogue
from tests.help.street import decide, review_of
from tests.posts.square import WATER, alert_of, at_once, good, listed, publish, run, stored

RISKY = next(iter(catalogue.RISKY_WORDS))
DOUBTFUL = next(iter(catalogue.REVIEW_WORDS))


def draft(square: Any, **change: Any) -> dict[str, Any]:
    return {**WATER, "area": square.community, **change}


class TestWhoMay:
    @pytest.mark.parametrize("role", ["grid_worker", "community_worker", "micro_grid_head"])
    def test_who_looks_after_an_area_speaks_to_it_and_to_what_lies_in_it(self, square, role):
        worker = square.worker(role, square.grid)
        for area in (square.grid, square.micro_grid):
            post = worker.post("/posts", json=draft(square, area=area)).json
            assert (post["state"], post["area"], post["mine"]) == ("shown", area, True)
            assert listed(square.dweller(), area) == [post["id"]]

    @pytest.mark.parametrize("role", ["coordinator", "instructor", "reviewer", "moderator", "desk_clerk", "handler"])
    def test_no_other_duty_publishes(self, square, role):
        assert square.worker(role).post("/posts", json=draft(square)).code == "duty_needed"

    def test_not_above_or_beside_ones_own_area(self, square):
        worker = square.worker("grid_worker", square.grid)
        for area in (square.community, square.district, f"{square.community}002", f"{square.district[:-1]}x"):
            answer = worker.post("/posts", json=draft(square, area=area))
            assert answer.status in (403, 422), answer
        assert good(worker.get("/posts/mine"))["items"] == []

    def test_a_resident_does_not(self, square):
        assert square.dweller().post("/posts", json=draft(square)).code == "duty_needed"

    def test_a_duty_that_has_ended_no_longer_does(self, square):
        worker = square.worker()
        with transaction() as tx:
            people.end_duty(tx, Duty.key(worker.id, "grid_worker", square.community), now=clock.now())
        assert worker.post("/posts", json=draft(square)).code == "duty_needed"

    def test_a_duty_that_ends_while_wechat_is_asked_does_not_either(self, square, monkeypatch):
        worker, real = square.worker(), content.screen

        def screen(*args: Any, **more: Any) -> Any:
            with transaction() as tx:
                people.end_duty(tx, Duty.key(worker.id, "grid_worker", square.community), now=clock.now())
            return real(*args, **more)

        monkeypatch.setattr(content, "screen", screen)
        assert worker.post("/posts", json=draft(square)).code == "duty_needed"
        assert listed(worker, square.community) == []

    def test_a_delegate_does_not_publish_for_a_staff_member(self, square):
        worker, daughter = square.worker(), square.dweller()
        square.let_act(daughter, worker)
        answer = daughter.post("/posts", json=draft(square), acting_for=worker.id)
        assert (answer.status, answer.code) == (403, "own_affair_only")


class TestBadInput:
    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            ({"title": "停"}, "invalid"),
            ({"title": "停" * 41}, "invalid"),
            ({"title": "\u200b\u200b\u200b"}, "invalid"),
            ({"text": ""}, "invalid"),
            ({"text": "\u200b \u2060"}, "invalid"),
            ({"text": "水" * 2001}, "invalid"),
            ({"text": "停水\x07"}, "invalid"),
            ({"urgent": "true"}, "invalid"),
            ({"urgent": 1}, "invalid"),
            ({"area": "33"}, "invalid"),
            ({"ends_at": "2030-01-01T00:00:00"}, "invalid"),
            ({"ends_at": "2020-01-01T00:00:00Z"}, "ends_at_invalid"),
            ({"ends_at": "9999-01-01T00:00:00Z"}, "ends_at_invalid"),
            ({"author": "res_x"}, "invalid"),
        ],
    )
    def test_is_told_field_by_field_and_leaves_nothing(self, square, wrong, code):
        worker = square.worker()
        answer = worker.post("/posts", json=draft(square, **wrong))
        assert (answer.status, answer.code) == (422, code), answer
        assert next(iter(wrong)) in answer.wrong
        assert good(worker.get("/posts/mine"))["items"] == []

    def test_an_area_that_does_not_exist_is_named(self, square):
        worker = square.worker()
        answer = worker.post("/posts", json=draft(square, area=f"{square.community}999"))
        assert (answer.status, answer.code) == (422, "area_unknown")

    def test_the_longest_post_there_may_be(self, square):
        post = publish(square.worker(), square.community, title="停" * 40, text="水" * 2000)
        assert len(stored(post).text) == 2000

    def test_so_many_a_day_and_fewer_urgent_ones(self, square, configure):
        configure("posts", posts_a_day=3, urgent_a_day=1)
        worker = square.worker()
        publish(worker, square.community, urgent=True)
        again = worker.post("/posts", json=draft(square, urgent=True))
        assert (again.status, again.code) == (429, "too_many_requests")
        assert int(again.headers["retry-after"]) > 0
        for _ in range(2):
            publish(worker, square.community)
        assert worker.post("/posts", json=draft(square)).status == 429
        assert len(good(worker.get("/posts/mine"))["items"]) == 3
        publish(square.worker(), square.community)


class TestRepeats:
    def test_the_same_tap_is_one_post(self, square):
        worker = square.worker()
        first, again = (worker.post("/posts", json=draft(square, urgent=True), key="k") for _ in range(2))
        assert (first.status, again.status) == (201, 201)
        assert first.json["id"] == again.json["id"]
        assert len(listed(worker, square.community)) == 1

    @pytest.mark.parametrize("other", [{"title": "周日停水"}, {"urgent": True}, {"area": "grid"}])
    def test_the_same_key_with_something_else_is_refused(self, square, other):
        worker = square.worker()
        worker.post("/posts", json=draft(square), key="k")
        other = {**other, **({"area": square.grid} if "area" in other else {})}
        answer = worker.post("/posts", json=draft(square, **other), key="k")
        assert (answer.status, answer.code) == (422, "idempotency_key_reused")
        assert len(good(worker.get("/posts/mine"))["items"]) == 1

    def test_eight_taps_at_once_are_one_post(self, square):
        worker = square.worker()
        taps = at_once(8, lambda: worker.post("/posts", json=draft(square), key="k"))
        assert {tap.status for tap in taps} <= {201, 429}, taps
        assert len({tap.json["id"] for tap in taps if tap.status == 201}) == 1
        assert len(good(worker.get("/posts/mine"))["items"]) == 1


class TestWhatWeChatDoubts:
    @pytest.mark.parametrize("field", ["title", "text"])
    def test_a_risky_one_is_refused_with_the_reason(self, square, field):
        worker = square.worker()
        answer = worker.post("/posts", json=draft(square, **{field: f"停水{RISKY}"}))
        assert (answer.status, answer.code) == (409, "content_refused")
        assert good(worker.get("/posts/mine"))["items"] == []

    def test_a_doubtful_one_waits_unseen_and_the_author_is_told(self, square):
        worker, resident = square.worker(), square.dweller()
        post = publish(worker, square.community, text=f"停水，{DOUBTFUL}", urgent=True)
        assert stored(post).state == "in_review"
        assert worker.told == ["content_in_review"]
        assert (listed(resident, square.community), alert_of(post)) == ([], None)
        assert resident.get(f"/posts/{post}").code == "post_not_found"
        assert resident.post(f"/posts/{post}/read").code == "post_not_found"
        assert worker.get(f"/posts/{post}").json["state"] == "in_review"
        assert square.worker("community_worker").get(f"/posts/{post}").status == 200

    def test_once_a_moderator_lets_it_pass_it_is_shown_and_only_then_told(self, square):
        worker, moderator = square.worker(), square.staff("moderator")
        post = publish(worker, square.community, text=DOUBTFUL, urgent=True)
        assert decide(moderator, review_of(worker, "post"), "approve").status == 200
        assert listed(square.dweller(), square.community) == [post]
        begun = alert_of(post)
        assert begun is not None
        assert begun.timer == "posts.spread"
        assert worker.told[-1] == "content_approved"

    def test_refused_by_a_moderator_only_its_author_and_staff_read_why(self, square):
        worker, moderator = square.worker(), square.staff("moderator")
        post = publish(worker, square.community, text=DOUBTFUL, urgent=True)
        assert decide(moderator, review_of(worker, "post"), "refuse", "含有广告推销").status == 200
        seen = worker.get(f"/posts/{post}").json
        assert (seen["state"], seen["removed_reason"]) == ("removed", "含有广告推销")
        assert square.dweller().get(f"/posts/{post}").status == 404
        assert (alert_of(post), worker.told[-1]) == (None, "content_refused")
        assert worker.post(f"/posts/{post}/withdraw").code == "step_not_possible"

    def test_withdrawn_meanwhile_there_is_nothing_left_to_decide(self, square):
        worker, moderator = square.worker(), square.staff("moderator")
        post = publish(worker, square.community, text=DOUBTFUL, urgent=True)
        good(worker.post(f"/posts/{post}/withdraw"))
        assert decide(moderator, review_of(worker, "post"), "approve").json["state"] == "moot"
        assert (stored(post).state, alert_of(post)) == ("withdrawn", None)

    def test_let_pass_after_its_end_it_has_ended_and_nobody_is_told(self, square):
        worker, moderator = square.worker(), square.staff("moderator")
        soon = (clock.now() + timedelta(hours=1)).isoformat()
        post = publish(worker, square.community, text=DOUBTFUL, urgent=True, ends_at=soon)
        item = stored(post)
        assert run(item, clock.now() + timedelta(hours=2)) == "posts.end"
        assert (stored(post).state, stored(post).timer) == ("in_review", None)
        item.update([Post.ends_at.set(clock.now() - timedelta(minutes=1))])
        decide(moderator, review_of(worker, "post"), "approve")
        assert (stored(post).state, alert_of(post), listed(worker, square.community)) == ("ended", None, [])


class TestTakingBack:
    def test_it_is_gone_at_once(self, square):
        worker = square.worker()
        post = publish(worker, square.community)
        assert good(worker.post(f"/posts/{post}/withdraw"))["state"] == "withdrawn"
        assert listed(worker, square.community) == []
        assert square.dweller().get(f"/posts/{post}").code == "post_not_found"

    def test_its_author_takes_nothing_back_once_their_duty_is_over_nor_sees_more_than_others(self, square):
        worker, colleague = square.worker(), square.worker("community_worker")
        post, doubtful = publish(worker, square.community, urgent=True), publish(worker, square.grid, text=DOUBTFUL)
        assert [worker.get(f"/posts/{each}").status for each in (post, doubtful)] == [200, 200]
        square.end_duty(worker, "grid_worker", square.community)
        assert worker.post(f"/posts/{post}/withdraw").code == "duty_needed"
        assert worker.post(f"/posts/{doubtful}/withdraw").code == "post_not_found"
        seen = good(worker.get(f"/posts/{post}"))
        assert (seen["state"], seen["told"], seen["mine"]) == ("shown", None, False)
        assert worker.get(f"/posts/{doubtful}").code == "post_not_found"
        assert [line["id"] for line in good(worker.get("/posts/mine"))["items"]] == [post]
        good(colleague.post(f"/posts/{post}/withdraw"))
        assert "post_withdrawn" not in worker.told

    def test_what_becomes_of_a_text_in_review_is_told_to_who_is_in_charge_by_then(self, square):
        worker, colleague, moderator = square.worker(), square.worker(), square.staff("moderator", square.community)
        publish(worker, square.grid, text=DOUBTFUL)
        square.end_duty(worker, "grid_worker", square.community)
        [review] = good(moderator.get(f"/reviews?area={square.grid}"))["items"]
        good(moderator.post(f"/reviews/{review['id']}/decide", json={"decision": "approve"}))
        assert ("content_approved" in worker.told, "content_approved" in colleague.told) == (False, True)

    def test_a_colleague_takes_it_back_and_the_author_is_told(self, square):
        worker, colleague = square.worker(), square.worker("community_worker")
        post = publish(worker, square.grid)
        good(colleague.post(f"/posts/{post}/withdraw"))
        assert worker.told == ["post_withdrawn"]
        assert stored(post).withdrawn_by == colleague.id

    def test_nobody_else_does(self, square):
        post = publish(square.worker(), square.community)
        others = [square.dweller(), square.staff("moderator"), square.worker("grid_worker", square.grid)]
        for other in others:
            assert other.post(f"/posts/{post}/withdraw").code == "duty_needed"
        assert stored(post).state == "shown"

    def test_the_same_tap_again_answers_alike_and_another_says_that_it_is_over(self, square):
        worker = square.worker()
        post = publish(worker, square.community)
        taps = [worker.post(f"/posts/{post}/withdraw", key="k") for _ in range(2)]
        assert [(tap.status, tap.json["state"]) for tap in taps] == [(200, "withdrawn")] * 2
        other = worker.post(f"/posts/{post}/withdraw")
        assert (other.status, other.code) == (409, "step_not_possible")

    def test_two_at_once_take_it_back_once(self, square):
        worker = square.worker()
        post = publish(worker, square.community)
        colleagues = iter([square.worker("community_worker") for _ in range(4)])
        answers = at_once(4, lambda: next(colleagues).post(f"/posts/{post}/withdraw"))
        assert sorted(answer.status for answer in answers) == [200, 409, 409, 409], answers
        assert worker.told == ["post_withdrawn"]

    @pytest.mark.parametrize("wrong", ["post_nobody", "post_nobody.330402", "x", ".", "post_x.330402001"])
    def test_what_does_not_exist_is_not_found(self, square, wrong):
        worker = square.worker()
        for path in (f"/posts/{wrong}/withdraw", f"/posts/{wrong}/read", f"/posts/{wrong}/photos"):
            assert worker.post(path, json={} if "photos" in path else None).code == "post_not_found"

    def test_an_id_with_another_area_names_nothing(self, square):
        worker = square.worker()
        name = publish(worker, square.grid).partition(".")[0]
        for area in (square.community, square.micro_grid, ""):
            assert worker.get(f"/posts/{name}.{area}").code == "post_not_found"
            assert worker.post(f"/posts/{name}.{area}/read").code == "post_not_found"
        assert worker.get(f"/posts/{name}").code == "post_not_found"


class TestTheEnd:
    def test_after_its_end_it_is_listed_no_more_though_the_timer_has_not_run(self, square):
        worker, resident = square.worker(), square.dweller()
        post = publish(worker, square.community, ends_at=(clock.now() + timedelta(hours=1)).isoformat())
        assert listed(resident, square.community) == [post]
        stored(post).update([Post.ends_at.set(clock.now() - timedelta(seconds=1))])
        assert listed(resident, square.community) == []

    def test_the_timer_takes_it_off_and_it_can_still_be_read(self, square):
        worker, resident = square.worker(), square.dweller()
        post = publish(worker, square.community, ends_at=(clock.now() + timedelta(hours=1)).isoformat())
        assert run(stored(post), clock.now()) is None
        assert run(stored(post), clock.now() + timedelta(hours=2)) == "posts.end"
        assert (stored(post).state, stored(post).timer, stored(post).area_key) == ("ended", None, None)
        assert listed(resident, square.community) == []
        assert resident.get(f"/posts/{post}").json["state"] == "ended"
        assert worker.post(f"/posts/{post}/withdraw").code == "step_not_possible"

    def test_one_withdrawn_before_has_no_timer_left(self, square):
        worker = square.worker()
        post = publish(worker, square.community, ends_at=(clock.now() + timedelta(hours=1)).isoformat())
        due = stored(post)
        good(worker.post(f"/posts/{post}/withdraw"))
        assert stored(post).timer is None
        from chalicelib.posts import jobs

        jobs.end(due, now=clock.now() + timedelta(hours=2))
        assert stored(post).state == "withdrawn"


def test_a_post_is_stored_without_anything_but_what_its_docstring_says(square):
    worker = square.worker()
    post = publish(worker, square.community)
    kinds = {type(item).__name__ for item in Item.collection(stored(post).pk)}
    assert kinds == {"Post"}
