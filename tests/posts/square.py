"""The square where posts hang: residents who live around it, staff who publish, and the queue between the steps."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import msgspec

from chalicelib.kit import clock, timers
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices.models import Credit, Notice
from chalicelib.people.models import Resident
from chalicelib.people.models import partition as resident_partition
from chalicelib.points.models import Transfer
from chalicelib.points.models import partition as books_of
from chalicelib.posts import jobs
from chalicelib.posts.models import Alert, Home, Post
from chalicelib.posts.spreading import Step
from tests.engine import local_aws
from tests.engine.http import Answer
from tests.help.street import Street
from tests.neighbourhood import Neighbour

WATER = {"title": "周六停水", "text": "周六上午八点到十一点，桂苑社区停水，请提前存水。"}
COMMUNITY, FOR_EVER = "one-time-community", "long-term-community"
TEMPLATES = {"community": {"one_time": {"id": COMMUNITY}, "long_term": {"id": FOR_EVER}}}


class Square(Street):
    def dweller(self, name: str = "居民", *, home: str | None = None, credit: int = 0) -> Neighbour:
        """A resident who stands in the list of homes, with so many pushes allowed."""
        neighbour = self.resident(name)
        lives(neighbour, home or self.micro_grid)
        if credit:
            allow(neighbour, credit)
        return neighbour

    def somebody_without_home(self) -> Neighbour:
        neighbour = self.resident()
        with transaction() as tx:
            tx.update(Resident.key(neighbour.id), [Resident.home.remove(), Resident.home_state.set("none")])
        return neighbour

    def worker(self, role: str = "grid_worker", area: str | None = None) -> Neighbour:
        return self.staff(role, area)


def lives(who: Neighbour, home: str, state: str = "waiting") -> None:
    with transaction() as tx:
        tx.update(Resident.key(who.id), [Resident.home.set(home), Resident.home_state.set(state)])
        tx.put(Home.of(who.id, home))


def allow(who: Neighbour, times: int) -> None:
    credit = Credit.key(who.id, COMMUNITY)
    credit.reported, credit.confirmed, credit.used = times, 0, 0
    with transaction() as tx:
        tx.put(credit)


def publish(who: Neighbour, area: str, **change: Any) -> str:
    answer = who.post("/posts", json={**WATER, "area": area, **change})
    assert answer.status == 201, answer
    post: str = answer.json["id"]
    return post


def stored(post: str) -> Post:
    key = Post.key(post)
    return Post.fetch(key.pk, key.sk)


def alert_of(post: str) -> Alert | None:
    key = Alert.key(post)
    return Alert.find(key.pk, key.sk)


def listed(who: Neighbour, area: str) -> list[str]:
    answer = who.get(f"/posts?area={area}")
    assert answer.status == 200, answer
    return [line["id"] for line in answer.json["items"]]


def told(who: Neighbour) -> list[Notice]:
    """The urgent notices in somebody's inbox."""
    found = Notice.query(resident_partition(who.id), Item.sk.startswith(Notice.PREFIX), consistent_read=True)
    return [notice for notice in found if notice.topic == "post_urgent"]


def read(who: Neighbour, post: str, **more: Any) -> Any:
    answer = who.post(f"/posts/{post}/read", **more)
    assert answer.status == 200, answer
    return answer.json


def earned(who: Neighbour) -> list[str]:
    return [each.fact for each in Item.collection(books_of(who.id), Transfer.PREFIX)]


def everything_about(who: Neighbour) -> str:
    """All items in the partitions of a resident and of their books."""
    found = [*Item.collection(resident_partition(who.id)), *Item.collection(books_of(who.id))]
    return repr([each.attribute_values for each in found])


def run(item: Item, now: datetime) -> str | None:
    """Run the timer of an item if it is due at this time, as the sweeper would, but let its errors out."""
    current: Any = type(item).fetch(item.pk, item.sk)
    if current.due_at is None or current.due_at > now:
        return None
    name: str = current.timer
    timers._handlers[name](current, now=now)
    return name


def begin(post: str, now: datetime | None = None) -> None:
    """The minute's sweep finds that the telling of a post is due."""
    run(Alert.key(post), now or clock.now())


class Context:
    aws_request_id = "request"
    function_name = "spread_posts"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 60_000


class PostsQueue:
    """The real FIFO queue, read by the test in Lambda's place. It is one for all tests, so each looks at its own post."""

    def __init__(self, post: str) -> None:
        self.post, self.url = post, local_aws.ENVIRONMENT["POSTS_QUEUE_URL"]
        self._sqs = local_aws.client("sqs")

    def receive(self) -> list[dict[str, Any]]:
        """The message waiting for this post; those of other posts, left by other tests, are thrown away."""
        mine: list[dict[str, Any]] = []
        while True:
            found = self._sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, AttributeNames=["All"])
            if not found.get("Messages"):
                return mine
            for each in found["Messages"]:
                self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=each["ReceiptHandle"])
                if self.post in each["Body"]:
                    mine.append(as_lambda_gets_it(each["Body"], self.post))

    def work(self) -> int:
        """Hand over what waits, and what that sends, until nothing does. Returns how many messages it was."""
        done = 0
        while waiting := self.receive():
            for each in waiting:
                assert handed(each) == []
                done += 1
        return done


def as_lambda_gets_it(body: str, group: str) -> dict[str, Any]:
    return {"messageId": f"m-{group}", "receiptHandle": "r", "body": body, "attributes": {"MessageGroupId": group}}


def step_of(post: str, reached: str = "") -> dict[str, Any]:
    return as_lambda_gets_it(msgspec.json.encode(Step(post, reached)).decode(), post)


def handed(*messages: dict[str, Any]) -> list[str]:
    """The worker gets these. Returns those that it wants again."""
    answer = jobs.spread_posts({"Records": list(messages)}, Context())
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def spread(post: str) -> int:
    """From the sweep on, until everybody has been told."""
    queue = PostsQueue(post)
    begin(post)
    return queue.work()


def at_once(number: int, act: Any) -> list[Any]:
    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(lambda _: act(), range(number)))


def good(answer: Answer) -> Any:
    assert answer.status < 300, answer
    return answer.json if answer.content else None
