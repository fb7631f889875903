"""What posts hold about people: in the copy of their data, and gone when they leave."""

from __future__ import annotations

from chalicelib.kit import clock
from chalicelib.people import personal_data
from chalicelib.posts import neighbours
from chalicelib.posts.models import Home
from local.wechat import catalogue
from tests.help.street import decide, review_of
from tests.posts.square import WATER, alert_of, good, listed, publish, stored

DOUBTFUL = next(iter(catalogue.REVIEW_WORDS))


def test_an_author_finds_their_posts_in_the_copy_of_their_data(square):
    worker = square.worker()
    publish(worker, square.community, urgent=True)
    (entry,) = personal_data.sections["我发布的信息"](worker.id)
    assert (entry["标题"], entry["内容"], entry["紧急"], entry["状态"]) == (
        WATER["title"],
        WATER["text"],
        "是",
        "已发布",
    )


def test_a_resident_finds_by_which_home_they_are_told(square):
    (entry,) = personal_data.sections["紧急通知"](square.dweller().id)
    assert entry == {"按哪个住址接收": "桂苑社区" * 3}
    assert list(personal_data.sections["紧急通知"](square.resident().id)) == []


def test_when_an_author_leaves_the_post_stays_without_their_name(square):
    worker = square.worker()
    post = publish(worker, square.community)
    for _ in range(2):
        personal_data.erase(worker.id, now=clock.now())
    left = stored(post)
    assert (left.state, left.text) == ("shown", WATER["text"])
    assert worker.id not in repr(left.attribute_values)
    assert worker.name not in repr(left.attribute_values)
    seen = good(square.dweller().get(f"/posts/{post}"))
    assert (seen["author_name"], seen["author_role"]) == ("已注销用户", "网格员")
    assert listed(square.dweller(), square.community) == [post]
    assert good(worker.get("/posts/mine"))["items"] == []
    colleague = square.worker("community_worker")
    assert good(colleague.post(f"/posts/{post}/withdraw"))["state"] == "withdrawn"


def test_what_nobody_had_seen_yet_is_not_shown_after_its_author_left(square):
    worker, moderator = square.worker(), square.staff("moderator")
    post = publish(worker, square.community, text=DOUBTFUL, urgent=True)
    review = review_of(worker, "post")
    personal_data.erase(worker.id, now=clock.now())
    assert stored(post).state == "withdrawn"
    assert decide(moderator, review, "approve").status in (200, 409)
    assert (stored(post).state, alert_of(post)) == ("withdrawn", None)


def test_who_has_left_is_told_of_nothing_any_more(square):
    neighbour = square.dweller(credit=1)
    personal_data.erase(neighbour.id, now=clock.now())
    assert neighbours.after(square.community, "", at_most=9) == []
    assert Home.find(f"RES#{neighbour.id}", "POSTS_HOME") is None
