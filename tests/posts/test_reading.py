"""Reading earns once per post, where one lives; and nothing but the transfer knows who read what."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.kit import clock
from chalicelib.kit.transaction import transaction
from chalicelib.points import statement
from chalicelib.points.models import Account
from chalicelib.points.models import partition as books_of
from chalicelib.points.settings import DEFAULTS
from chalicelib.posts.models import Post
from tests.engine.budget import budget
from tests.points.books import check
from tests.posts.square import at_once, earned, everything_about, good, lives, publish, read, stored


def rules(**change):
    return {"post_read": {"name": "阅读信息", "points": 2, **change}}


class TestEarning:
    def test_it_is_on_by_default_small_and_capped(self):
        rule = DEFAULTS["post_read"]
        assert (rule.name, rule.points, rule.on, rule.once_per_subject) == ("阅读信息", 1, True, True)
        assert rule.a_day is not None
        assert rule.a_day >= rule.points

    def test_a_post_of_my_area_gives_points_once(self, square):
        post, reader = publish(square.worker(), square.community), square.dweller()
        assert read(reader, post) == {"points": 1, "reason": None, "detail": None}
        assert earned(reader) == [f"post_read:{post}"]
        (line,) = good(reader.get(f"/me/points/statement?month={good(reader.get('/me/points'))['month']}"))["items"]
        assert (line["change"], line["reason"], line["subject"]) == (1, "阅读信息", post)

    def test_read_again_it_says_the_same_and_writes_nothing(self, square):
        post, reader = publish(square.worker(), square.community), square.dweller()
        first, before = read(reader, post), everything_about(reader)
        assert [read(reader, post), read(reader, post, key="k"), read(reader, post, key="k")] == [first] * 3
        assert everything_about(reader) == before
        assert check(reader.id) == 1

    def test_sixteen_taps_at_once_earn_once(self, square):
        post, reader = publish(square.worker(), square.community), square.dweller()
        answers = at_once(16, lambda: reader.post(f"/posts/{post}/read"))
        assert {answer.status for answer in answers} <= {200, 429}
        assert {answer.json["points"] for answer in answers if answer.status == 200} == {1}
        assert check(reader.id) == 1
        assert earned(reader) == [f"post_read:{post}"]

    def test_sixteen_posts_at_once_stay_below_the_cap(self, square, configure):
        configure("points", rules=rules(a_day=10))
        worker, reader = square.worker(), square.dweller()
        posts = iter([publish(worker, square.community) for _ in range(16)])
        answers = at_once(16, lambda: reader.post(f"/posts/{next(posts)}/read"))
        assert {answer.status for answer in answers} <= {200, 429}
        assert sum(answer.json["points"] for answer in answers if answer.status == 200) == check(reader.id) <= 10

    @pytest.mark.parametrize("level", ["district", "street", "community", "grid", "micro_grid"])
    def test_every_area_around_ones_home_counts(self, square, level):
        chief = square.worker("community_worker", square.district)
        assert read(square.dweller(), publish(chief, getattr(square, level)))["points"] == 1


class TestEarningNothing:
    def test_elsewhere_without_a_home_or_with_a_declined_one(self, square):
        worker = square.worker()
        there, here = publish(worker, square.community), publish(worker, square.micro_grid)
        abroad, homeless, declined = (
            square.dweller(home="110101001001"),
            square.somebody_without_home(),
            square.dweller(),
        )
        lives(declined, square.micro_grid, "declined")
        neighbour = square.dweller(home=f"{square.grid}002")
        for who, post in ((abroad, there), (homeless, there), (declined, there), (neighbour, here)):
            answer = read(who, post)
            assert (answer["points"], answer["reason"]) == (0, "not_here")
            assert "住" in answer["detail"]
            assert Account.find(books_of(who.id), "ACCOUNT") is None

    def test_ones_own_post_and_one_that_has_ended(self, square):
        worker = square.worker("grid_worker", square.grid)
        post = publish(worker, square.grid)
        assert read(worker, post)["reason"] == "own_post"
        stored(post).update([Post.ends_at.set(clock.now() - timedelta(seconds=1))])
        reader = square.dweller()
        assert (read(reader, post)["reason"], earned(reader)) == ("ended", [])

    def test_on_duty_there_reading_is_work_and_elsewhere_it_is_not(self, square):
        chief, worker = square.worker("community_worker", square.district), square.worker("grid_worker", square.grid)
        lives(worker, square.micro_grid)
        answer = read(worker, publish(chief, square.micro_grid))
        assert (answer["points"], answer["reason"]) == (0, "on_duty")
        assert read(worker, publish(chief, square.district))["points"] == 1, "the district is not theirs to look after"

    def test_a_withdrawn_one_is_not_there_to_be_read(self, square):
        worker, reader = square.worker(), square.dweller()
        post = publish(worker, square.community)
        good(worker.post(f"/posts/{post}/withdraw"))
        assert reader.post(f"/posts/{post}/read").code == "post_not_found"
        assert earned(reader) == []

    def test_above_the_cap_it_is_read_all_the_same(self, square, configure):
        configure("points", rules=rules(a_day=2))
        worker, reader = square.worker(), square.dweller()
        assert read(reader, publish(worker, square.community))["points"] == 2
        answer = read(reader, publish(worker, square.community))
        assert (answer["points"], answer["reason"]) == (0, "cap_a_day")
        assert "上限" in answer["detail"]
        assert reader.get(f"/posts/{publish(worker, square.community)}").status == 200

    def test_with_the_rule_off_nothing_at_all_is_kept(self, square, configure):
        configure("points", rules=rules(on=False))
        post, reader = publish(square.worker(), square.community), square.dweller()
        before = everything_about(reader)
        with budget() as spent:
            assert read(reader, post)["reason"] == "rule_off"
        assert spent.calls == ["dynamodb BatchGetItem"]
        assert everything_about(reader) == before

    def test_nobody_reads_in_anothers_name(self, square):
        father, daughter = square.dweller(), square.dweller()
        square.let_act(daughter, father)
        post = publish(square.worker(), square.community)
        assert daughter.post(f"/posts/{post}/read", acting_for=father.id).code == "own_affair_only"


class TestNothingElseKnows:
    def test_a_refusal_at_the_cap_names_no_post_and_says_why(self, square, configure):
        configure("points", rules=rules(a_day=2))
        worker, reader = square.worker(), square.dweller()
        first, *others = (publish(worker, square.community) for _ in range(4))
        for post in (first, *others):
            read(reader, post)
        (refusal,) = good(reader.get("/me/points"))["refusals"]
        assert (refusal["rule"], refusal["reason"], refusal["subject"]) == ("post_read", "cap_a_day", "")
        kept = everything_about(reader)
        assert not [post for post in others if post.partition(".")[0] in kept]

    def test_on_duty_leaves_no_trace_of_the_post(self, square):
        chief, worker = square.worker("community_worker", square.district), square.worker("grid_worker", square.grid)
        lives(worker, square.micro_grid)
        post = publish(chief, square.micro_grid)
        read(worker, post)
        assert post.partition(".")[0] not in everything_about(worker)

    def test_the_log_does_not_know_who_read_what(self, square, logs):
        post, reader = publish(square.worker(), square.community), square.dweller()
        logs.text  # noqa: B018 - what came before
        read(reader, post, key="k")
        reader.get(f"/posts/{post}")
        assert "POST /posts/{post_id}/read" in logs.text
        assert post.partition(".")[0] not in logs.text
        assert reader.id not in logs.text

    def test_the_post_does_not_know_its_readers(self, square):
        post, reader = publish(square.worker(), square.community), square.dweller()
        before = stored(post).attribute_values
        read(reader, post)
        assert stored(post).attribute_values == before


class TestCost:
    def test_it_is_one_read_and_one_write_of_two_items(self, square):
        worker, reader = square.worker(), square.dweller()
        posts = [publish(worker, square.micro_grid) for _ in range(2)]
        with budget() as first:
            read(reader, posts[0])
        with budget() as second:
            read(reader, posts[1])
        assert first.calls == second.calls == ["dynamodb BatchGetItem", "dynamodb TransactWriteItems"]
        assert (first.write_units, second.write_units) == (10, 6), "the first in a life opens the statement"


def test_after_leaving_nothing_is_earned_any_more(square):
    from chalicelib.points import service

    post, reader = publish(square.worker(), square.community), square.dweller()
    service.close(reader.id, now=clock.now())
    assert read(reader, post)["points"] == 0
    assert statement.now_of(reader.id, now=clock.now())[0] == 0


def test_a_reader_who_is_gone_is_told(square):
    from chalicelib.people.models import Resident

    post, reader = publish(square.worker(), square.community), square.dweller()
    with transaction() as tx:
        tx.update(Resident.key(reader.id), [Resident.state.set("closed")])
    assert reader.post(f"/posts/{post}/read").code == "account_closed"
    assert earned(reader) == []
