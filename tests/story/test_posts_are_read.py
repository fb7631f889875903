"""The grid worker tells the grid that the water will be off; everybody reads it, and the urgent word reaches each phone once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from local import district
from local.phone import Phone
from local.stack import Stack
from tests.story.conftest import received, soon, whole
from tests.story.test_content_is_checked import picture

People = Callable[[str], Phone]
Newcomers = Callable[[str, str], Phone]
WATER = {"title": "周六停水", "text": "周六上午八点到十一点停水，请提前存水。", "area": district.GRID}


def listed(phone: Phone, area: str = district.GRID) -> list[str]:
    return [line["id"] for line in phone.get(f"/posts?area={area}").json["items"]]


def begin(stage: Stack) -> None:
    """The next minute's sweep."""
    stage.sweep(at=datetime.now(UTC) + timedelta(seconds=1))


def all_told(phone: Phone, post: str) -> dict[str, Any] | None:
    seen: dict[str, Any] = phone.get(f"/posts/{post}").json
    return seen if seen["all_told"] else None


def test_residents_read_what_staff_publish_and_earn_once(phone: People, newcomer: Newcomers) -> None:
    worker, fang = phone("grid-worker"), newcomer("fang", "方大姐")
    published = worker.post("/posts", WATER)
    assert (published.status, published.json["state"]) == (201, "shown")
    post = published.json["id"]
    assert post in listed(fang)
    assert post not in listed(fang, district.COMMUNITY), "another area's list"
    assert fang.get(f"/posts/{post}").json["text"] == WATER["text"]

    before = fang.get("/me/points").json
    assert fang.post(f"/posts/{post}/read").json == {"points": 1, "reason": None, "detail": None}
    assert fang.post(f"/posts/{post}/read").json["points"] == 1, "read again it says the same"
    earned = fang.get("/me/points").json
    assert (earned["balance"], earned["refusals"]) == (before["balance"] + 1, [])
    statement = fang.get(f"/me/points/statement?month={earned['month']}").json["items"]
    assert (statement[-1]["change"], statement[-1]["reason"]) == (1, "阅读信息")
    assert worker.post(f"/posts/{post}/read").json["reason"] == "own_post"


def test_only_staff_of_the_area_publish_and_a_moderator_sees_what_is_doubtful(phone: People) -> None:
    worker, chen, moderator = phone("grid-worker"), phone("chen-caiming"), phone("moderator")
    assert chen.post("/posts", WATER).code == "duty_needed"
    assert worker.post("/posts", WATER | {"area": district.COMMUNITY}).code == "duty_needed"
    assert worker.post("/posts", WATER | {"text": "上门赌博"}).code == "content_refused"
    doubtful = worker.post("/posts", WATER | {"text": "高价回收旧水桶"}).json
    assert (doubtful["state"], doubtful["id"] in listed(chen)) == ("in_review", False)
    waiting = whole(moderator, f"/reviews?area={district.DISTRICT[0]}")
    review = next(line["id"] for line in waiting if "旧水桶" in line["excerpt"])
    assert moderator.post(f"/reviews/{review}/decide", {"decision": "approve"}).json["state"] == "approved"
    assert doubtful["id"] in listed(chen)


def test_a_picture_is_seen_once_it_has_passed(stage: Stack, phone: People) -> None:
    worker, chen = phone("grid-worker"), phone("chen-caiming")
    post = worker.post("/posts", WATER).json["id"]
    form = worker.post(f"/posts/{post}/photos", {}).json
    assert worker.upload(form, picture("blue")) == 204
    seen = soon(lambda: chen.get(f"/posts/{post}").json["photos"])
    assert seen[0]["url"]


def test_an_urgent_post_reaches_two_phones_once_each(stage: Stack, phone: People, newcomer: Newcomers) -> None:
    worker = phone("grid-worker")
    he, jin, quiet = newcomer("he-reads", "贺师傅"), newcomer("jin-reads", "金阿姨"), newcomer("quiet-reads", "闻大伯")
    for each in (he, jin):
        for _ in range(3):  # credit for more than one, so that a second push could be sent
            each.allow_messages("follow_posts")
    title = "台风紧急避险"
    post = worker.post("/posts", WATER | {"title": title, "urgent": True}).json["id"]
    begin(stage)
    for person in ("he-reads", "jin-reads"):
        (message,) = soon(lambda person=person: received(stage, person, title))
        assert message["page"] == f"pages/post/detail?id={post}"
    told = soon(lambda: all_told(worker, post))["told"]
    assert told >= 2

    # All again: the sweep, the very same step by hand, and the same from the queue under another token.
    begin(stage)
    again = json.dumps({"post": post, "reached": ""})
    record = {"messageId": "m", "body": again, "attributes": {"MessageGroupId": post}}
    for _ in range(2):
        assert stage.invoke("spread_posts", {"Records": [record]}) == {"batchItemFailures": []}
    stage.client("sqs").send_message(
        QueueUrl=stage.outputs["PostsQueueUrl"],
        MessageBody=again,
        MessageGroupId=post,
        MessageDeduplicationId=f"again-{post}",
    )
    second = worker.post("/posts", WATER | {"title": "台风解除", "urgent": True}).json["id"]
    begin(stage)
    soon(lambda: all_told(worker, second))
    soon(lambda: received(stage, "jin-reads", "台风解除") and received(stage, "he-reads", "台风解除"))
    for person in ("he-reads", "jin-reads"):
        assert len(received(stage, person, title)) == 1
    assert stage.wechat.messages("quiet-reads") == []
    assert quiet.get("/inbox").json["items"] == [], "who cannot be pushed to finds it in the list of posts"
    assert post in listed(quiet)


def test_an_urgent_post_taken_back_before_the_telling_reaches_nobody(
    stage: Stack, phone: People, newcomer: Newcomers
) -> None:
    worker, gu = phone("grid-worker"), newcomer("gu-reads", "顾阿姨")
    gu.allow_messages("follow_posts")
    post = worker.post("/posts", WATER | {"title": "发错了的通知", "urgent": True}).json["id"]
    assert worker.post(f"/posts/{post}/withdraw").json["state"] == "withdrawn"
    begin(stage)
    soon(lambda: worker.get(f"/posts/{post}").json["all_told"])
    time.sleep(1)
    assert received(stage, "gu-reads", "发错了") == []
    assert gu.get(f"/posts/{post}").code == "post_not_found"


def test_after_its_end_date_a_post_is_listed_no_more(stage: Stack, phone: People) -> None:
    worker, chen = phone("grid-worker"), phone("chen-caiming")
    ends = datetime.now(UTC) + timedelta(hours=1)
    post = worker.post("/posts", WATER | {"ends_at": ends.isoformat()}).json["id"]
    assert post in listed(chen)
    stage.sweep(at=ends + timedelta(minutes=1))
    assert post not in listed(chen)
    assert chen.get(f"/posts/{post}").json["state"] == "ended"
