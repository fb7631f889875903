"""An urgent post reaches everybody in its area who can be pushed to, each once, wherever the telling is cut off."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.kit import clock
from chalicelib.notices.models import Credit
from chalicelib.people.models import Resident
from chalicelib.posts import neighbours, spreading
from chalicelib.posts.models import Alert, Home, Post
from tests.engine.budget import budget
from tests.faults.faults import KINDS, fault, possible
from tests.notices.conftest import dispatch
from tests.posts.square import (
    COMMUNITY,
    FOR_EVER,
    PostsQueue,
    alert_of,
    allow,
    at_once,
    begin,
    good,
    handed,
    lives,
    publish,
    run,
    spread,
    step_of,
    stored,
    told,
)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two people to a step, so that a handful need several."""
    monkeypatch.setattr(spreading, "PAGE", 2)


class TestWho:
    def test_everybody_in_the_area_with_credit_once(self, square):
        worker = square.worker()
        near = [square.dweller(credit=1) for _ in range(3)]
        post = publish(worker, square.community, urgent=True)
        spread(post)
        for who in near:
            (notice,) = told(who)
            assert (notice.urgent, notice.push_state, notice.template) == (True, "waiting", "community")
            assert notice.page == f"pages/post/detail?id={post}"
            assert "周六停水" in notice.text
        seen = good(worker.get(f"/posts/{post}"))
        assert (seen["told"], seen["all_told"]) == (3, True)

    @pytest.mark.parametrize("level", ["district", "street", "community", "grid", "micro_grid"])
    def test_an_area_of_any_size_means_all_that_lies_in_it_and_nothing_beside(self, square, level):
        chief = square.worker("community_worker", square.district)
        homes = {
            "micro_grid": [square.micro_grid],
            "grid": [square.grid, f"{square.grid}002"],
            "community": [square.community, f"{square.community}002001"],
            "street": [f"{square.street}002"],
            "district": [f"{square.district}002001"],
        }
        there = {each: [square.dweller(home=home, credit=1) for home in at] for each, at in homes.items()}
        beyond = square.dweller(home=f"{int(square.district) + 700_000}001001", credit=1)
        spread(publish(chief, getattr(square, level), urgent=True))
        inside = list(homes)[: list(homes).index(level) + 1]
        assert {each: [len(told(who)) for who in people] for each, people in there.items()} == {
            each: [1 if each in inside else 0] * len(at) for each, at in homes.items()
        }
        assert told(beyond) == []

    def test_whom_no_push_would_reach_is_not_written_to(self, square):
        without, used_up, gone, declined, moved = (square.dweller(credit=1) for _ in range(5))
        Credit.key(without.id, COMMUNITY).delete()
        Credit.key(used_up.id, COMMUNITY).update([Credit.used.set(1)])
        Resident.key(gone.id).update([Resident.consent_version.set("")])
        lives(declined, square.micro_grid, "declined")
        Resident.key(moved.id).update([Resident.home.set("110101001001")])  # the list lags behind
        post = publish(square.worker(), square.community, urgent=True)
        spread(post)
        assert [told(who) for who in (without, used_up, gone, declined, moved)] == [[]] * 5
        assert alert_of(post).told == 0

    def test_a_standing_permission_counts_and_so_does_following_the_service_account(self, square, configure):
        service = {"id": "service", "fields": {"subject": "thing1"}}
        template = {"one_time": {"id": COMMUNITY}, "long_term": {"id": FOR_EVER}, "service_account": service}
        configure("notices", templates={"community": template}, quiet_from="00:00", quiet_until="00:00")
        standing, follower = square.dweller(), square.dweller()
        Credit.key(standing.id, FOR_EVER).update([Credit.standing.set(True), Credit.kind.set(Credit)])
        Resident.key(follower.id).update([Resident.service_openid_sealed.set(b"sealed")])
        spread(publish(square.worker(), square.community, urgent=True))
        assert [len(told(who)) for who in (standing, follower)] == [1, 1]

    def test_the_author_need_not_be_told(self, square):
        worker = square.worker()
        lives(worker, square.micro_grid)
        allow(worker, 1)
        spread(publish(worker, square.community, urgent=True))
        assert told(worker) == []

    def test_a_post_that_is_not_urgent_tells_nobody(self, square):
        neighbour = square.dweller(credit=1)
        post = publish(square.worker(), square.community)
        assert alert_of(post) is None
        assert handed(step_of(post)) == []
        assert told(neighbour) == []

    def test_choosing_a_home_is_what_puts_somebody_into_the_list(self, hood, configure):
        from tests.posts.square import TEMPLATES

        configure("notices", templates=TEMPLATES, quiet_from="00:00", quiet_until="00:00")
        neighbour = hood.resident()
        good(neighbour.put("/me/residence", json={"area": hood.grid}))
        assert [each.resident_id for each in neighbours.after(hood.community, "", at_most=9)] == [neighbour.id]
        good(neighbour.put("/me/residence", json={"area": hood.community}))
        assert neighbours.after(hood.grid, "", at_most=9) == []
        assert [each.resident_id for each in neighbours.after(hood.community, "", at_most=9)] == [neighbour.id]

    def test_in_quiet_hours_too(self, square, configure):
        from tests.posts.square import TEMPLATES

        configure("notices", templates=TEMPLATES, quiet_from="00:00", quiet_until="23:59")
        neighbour = square.dweller(credit=1)
        spread(publish(square.worker(), square.community, urgent=True))
        assert told(neighbour)[0].push_state == "waiting"


class TestPages:
    def test_a_page_sends_the_next_until_all_are_told(self, square, small_pages):
        people = [square.dweller(credit=1) for _ in range(5)]
        post = publish(square.worker(), square.community, urgent=True)
        assert spread(post) == 3
        assert [len(told(who)) for who in people] == [1] * 5
        done = alert_of(post)
        assert (done.told, done.timer) == (5, None)
        assert done.done_at is not None

    def test_a_page_of_many_is_told_in_parts_at_the_same_time(self, square):
        people = [square.dweller(credit=number % 2) for number in range(70)]
        post = publish(square.worker(), square.community, urgent=True)
        assert spread(post) == 1
        assert [len(told(who)) for who in people] == [number % 2 for number in range(70)]
        assert alert_of(post).told == 35

    def test_a_full_last_page_is_followed_by_an_empty_one(self, square, small_pages):
        people = [square.dweller(credit=1) for _ in range(4)]
        post = publish(square.worker(), square.community, urgent=True)
        assert spread(post) == 3
        assert [len(told(who)) for who in people] == [1] * 4

    def test_in_an_empty_area_there_is_nothing_to_do(self, square):
        post = publish(square.worker(), square.micro_grid, urgent=True)
        assert spread(post) == 1
        assert (alert_of(post).told, alert_of(post).done_at is not None) == (0, True)

    def test_a_step_reads_its_page_and_no_more(self, square, small_pages):
        for _ in range(4):
            square.dweller(credit=1)
        post = publish(square.worker(), square.community, urgent=True)
        with budget() as spent:
            handed(step_of(post))
        assert sorted(spent.calls) == sorted(
            [
                "dynamodb BatchGetItem",  # the post and how far it has come
                "dynamodb Query",  # two people
                "dynamodb BatchGetItem",  # what they have allowed
                "dynamodb PutItem",
                "dynamodb PutItem",
                "dynamodb TransactWriteItems",
                "sqs SendMessage",
            ]
        )


class TestWithdrawn:
    def test_before_the_telling_begins_nobody_is_told(self, square):
        worker, neighbour = square.worker(), square.dweller(credit=1)
        post = publish(worker, square.community, urgent=True)
        good(worker.post(f"/posts/{post}/withdraw"))
        spread(post)
        assert told(neighbour) == []
        assert alert_of(post).done_at is not None

    def test_between_two_pages_the_rest_is_not_told(self, square, small_pages):
        worker, people = square.worker(), [square.dweller(credit=1) for _ in range(6)]
        post = publish(worker, square.community, urgent=True)
        queue = PostsQueue(post)
        begin(post)
        (first,) = queue.receive()
        handed(first)
        good(worker.post(f"/posts/{post}/withdraw"))
        queue.work()
        assert sum(len(told(who)) for who in people) == 2
        assert (alert_of(post).told, alert_of(post).timer) == (2, None)
        assert alert_of(post).done_at is not None

    def test_one_that_has_ended_is_not_told_on(self, square):
        neighbour = square.dweller(credit=1)
        ends = (clock.now() + timedelta(hours=1)).isoformat()
        post = publish(square.worker(), square.community, urgent=True, ends_at=ends)
        stored(post).update([Post.ends_at.set(clock.now() - timedelta(seconds=1))])
        spread(post)
        assert told(neighbour) == []


def killed_at(place: str) -> Any:
    """The worker dies in this moment: what it did before stays, what comes after never happens."""

    class Killed(Exception):
        pass

    def kill(*_: Any, **__: Any) -> None:
        raise Killed

    return patch.object(spreading, place, kill)


class TestCutOff:
    @pytest.mark.parametrize("place", ["_note", "send"])
    @pytest.mark.parametrize("page", [0, 1, 2])
    def test_between_the_telling_and_the_next_step_nobody_is_lost_or_told_twice(self, square, small_pages, place, page):
        people = [square.dweller(credit=1) for _ in range(5)]
        post = publish(square.worker(), square.community, urgent=True)
        queue = PostsQueue(post)
        begin(post)
        for _ in range(page):
            (message,) = queue.receive()
            assert handed(message) == []
        (message,) = queue.receive()
        with killed_at(place):
            wants_again = handed(message)
        last = page == 2  # the last step sends nothing more
        assert bool(wants_again) == (place == "_note" or not last)
        if wants_again:
            assert handed(message) == []  # SQS gives it again
        queue.work()
        assert [len(told(who)) for who in people] == [1] * 5
        assert (alert_of(post).told, alert_of(post).done_at is not None) == (5, True)

    def test_in_the_middle_of_a_page(self, square):
        people = [square.dweller(credit=1) for _ in range(6)]
        post = publish(square.worker(), square.community, urgent=True)
        real, count = spreading.notices.tell_once, iter(range(100))

        def tell_some(*args: Any, **more: Any) -> bool:
            if next(count) == 3:
                raise MemoryError
            return real(*args, **more)

        with patch.object(spreading.notices, "tell_once", tell_some):
            assert handed(step_of(post)) != []
        assert sum(len(told(who)) for who in people) == 3
        assert handed(step_of(post)) == []
        assert [len(told(who)) for who in people] == [1] * 6

    def test_the_same_message_again_and_again_does_the_work_once(self, square, small_pages):
        people = [square.dweller(credit=1) for _ in range(5)]
        post = publish(square.worker(), square.community, urgent=True)
        queue = PostsQueue(post)
        begin(post)
        seen = []
        while waiting := queue.receive():
            assert len(waiting) == 1, "a repeat sends no second chain of steps"
            for message in [*waiting * 3, *seen]:  # thrice, and all that were done before once more
                assert handed(message) == []
            seen += waiting
        assert len(seen) == 3
        assert [len(told(who)) for who in people] == [1] * 5
        assert alert_of(post).told == 5

    def test_the_same_step_in_eight_threads_tells_each_once(self, square, small_pages):
        people = [square.dweller(credit=1) for _ in range(3)]
        post = publish(square.worker(), square.community, urgent=True)
        queue = PostsQueue(post)
        assert {tuple(each) for each in at_once(8, lambda: handed(step_of(post)))} == {()}
        queue.work()
        assert [len(told(who)) for who in people] == [1] * 3
        assert alert_of(post).told == 3

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("attempts", [1, 1_000_000])
    def test_whatever_befalls_any_call_of_a_step_the_repeat_mends(self, square, small_pages, kind, attempts):
        people = [square.dweller(credit=1) for _ in range(3)]

        def another() -> str:
            return publish(square.worker(), square.community, urgent=True)

        post = another()
        with budget() as spent:
            handed(step_of(post))
        PostsQueue(post).work()
        for number, name in enumerate(spent.calls, start=1):
            if not possible(kind, name):
                continue
            post = another()
            queue = PostsQueue(post)
            with fault(call=number, kind=kind, attempts=attempts):
                again = handed(step_of(post))
            if again:
                assert handed(step_of(post)) == []
            queue.work()
            assert [told_of(who.id, post) for who in people] == [1] * 3, (number, name)
            assert alert_of(post).done_at is not None

    def test_a_lost_answer_of_the_queue_is_one_message(self, square, small_pages):
        people = [square.dweller(credit=1) for _ in range(3)]
        post = publish(square.worker(), square.community, urgent=True)
        queue, begun = PostsQueue(post), alert_of(post)
        with fault(call=1, kind="answer_lost", attempts=1) as it:
            spreading.send(begun, post)
        assert it.struck == 1
        assert len(it.sent) == 2
        assert len(queue.receive()) == 1
        handed(step_of(post))
        queue.work()
        assert [len(told(who)) for who in people] == [1] * 3


def told_of(resident: str, post: str) -> int:
    from chalicelib.kit.table import Item
    from chalicelib.notices.models import Notice

    found = Notice.query(f"RES#{resident}", Item.sk.startswith(Notice.PREFIX), consistent_read=True)
    return len([notice for notice in found if notice.about == post])


class TestTheTimer:
    def test_the_sweep_begins_and_waits_while_the_steps_go_on(self, square):
        square.dweller(credit=1)
        post = publish(square.worker(), square.community, urgent=True)
        begun = alert_of(post)
        assert begun.due_at == begun.began_at
        begin(post)
        assert alert_of(post).due_at > begun.due_at + timedelta(minutes=5)
        assert run(Alert.key(post), clock.now()) is None
        assert len(PostsQueue(post).receive()) == 1

    def test_a_chain_whose_message_is_lost_is_taken_up_where_it_was(self, square, small_pages, logs):
        people = [square.dweller(credit=1) for _ in range(5)]
        post = publish(square.worker(), square.community, urgent=True)
        queue = PostsQueue(post)
        begin(post)
        (first,) = queue.receive()
        assert handed(first) == []
        assert len(queue.receive()) == 1  # and is lost
        with patch.object(spreading, "send", wraps=with_another_token):
            assert run(Alert.key(post), clock.now() + timedelta(minutes=11)) == "posts.spread"
        queue.work()
        assert [len(told(who)) for who in people] == [1] * 5
        assert [line for line in logs.metrics if "post_spread_resumed" in line]

    def test_the_queue_failing_at_the_beginning_leaves_the_timer_for_the_next_try(self, square):
        neighbour = square.dweller(credit=1)
        post = publish(square.worker(), square.community, urgent=True)
        before = alert_of(post).due_at
        with fault(call=3, kind="error_500") as it, pytest.raises((ClientError, BotoCoreError)):
            begin(post)
        assert it.calls[2] == "sqs SendMessage"
        assert alert_of(post).due_at == before
        spread(post)
        assert len(told(neighbour)) == 1

    def test_done_is_done(self, square):
        post = publish(square.worker(), square.community, urgent=True)
        listed = alert_of(post)
        spread(post)
        spreading.start(listed, now=clock.now() + timedelta(hours=1))
        assert PostsQueue(post).receive() == []
        assert alert_of(post).timer is None


def with_another_token(alert: Alert, post_id: str) -> None:
    """As if five minutes had passed, after which the queue takes the same step again."""
    import os

    import msgspec

    from chalicelib.kit import aws

    aws.client("sqs").send_message(
        QueueUrl=os.environ["POSTS_QUEUE_URL"],
        MessageBody=msgspec.json.encode(spreading.Step(post_id, alert.reached)).decode(),
        MessageGroupId=post_id,
        MessageDeduplicationId=f"later-{post_id}",
    )


def test_the_token_of_a_step_is_one_that_sqs_takes(square):
    """At most 128 characters; the longest id and the longest place in the list."""
    home = Home.of("res_" + "a" * 26, square.micro_grid)
    assert len(f"post_{'a' * 26}.{square.micro_grid}-{home.area_sort}") <= 128


def test_a_message_that_is_none_is_wanted_again_and_ends_among_the_dead_letters(square, logs):
    from tests.posts.square import as_lambda_gets_it

    assert handed(as_lambda_gets_it("not a step", "x")) == ["m-x"]
    assert "not a step" not in logs.text
    assert handed(step_of("post_nobody.330402")) == []


def test_the_notice_starts_its_push_as_every_other_does(square):
    neighbour = square.dweller(credit=1)
    spread(publish(square.worker(), square.community, urgent=True))
    assert dispatch(*told(neighbour)) == []


def test_neither_queue_nor_log_names_anybody_who_is_told(square, logs):
    neighbour = square.dweller("张阿姨", credit=1)
    post = publish(square.worker(), square.community, urgent=True)
    handed(step_of(post))
    assert told(neighbour)
    assert not {secret for secret in (neighbour.id, neighbour.name, "停水") if secret in logs.text}
