"""Residents find the posts of their areas, by one Query for a page, and read one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.kit import clock
from chalicelib.posts.models import Post
from tests.engine.budget import budget
from tests.posts.square import WATER, good, listed, publish, stored


def test_each_area_has_the_posts_that_were_published_to_it_and_no_others(square):
    chief, resident = square.worker("community_worker", square.district), square.dweller()
    areas = (square.district, square.street, square.community, square.grid, square.micro_grid)
    made = {area: publish(chief, area) for area in areas}
    assert {area: listed(resident, area) for area in areas} == {area: [post] for area, post in made.items()}
    assert listed(resident, f"{square.grid}002") == []


def test_the_newest_come_first_page_by_page(square):
    worker, resident = square.worker(), square.dweller()
    first = stored(publish(worker, square.community))
    made = [first.id]
    with Post.batch_write() as batch:
        for number in range(1, 25):
            at = first.created_at + timedelta(seconds=number)
            copy = Post(**{**first.attribute_values, "pk": f"POST#post_copy{number}{square.district}"})
            copy.shown_at, copy.area_sort = at, copy.lists_it(at)["area_sort"]
            batch.save(copy)
            made.append(copy.id)
    page = good(resident.get(f"/posts?area={square.community}"))
    rest = good(resident.get(f"/posts?area={square.community}&cursor={page['next']}"))
    assert [line["id"] for line in page["items"] + rest["items"]] == made[::-1]
    assert (len(page["items"]), rest["next"]) == (20, None)


@pytest.mark.parametrize("query", ["", "area=", "area=12", "area=3304020", "area=abcdef", "area=330402&cursor=x"])
def test_a_wrong_query_is_told(square, query):
    answer = square.dweller().get(f"/posts?{query}")
    assert answer.status == 422, answer


def test_a_line_and_a_post_tell_who_speaks_for_whom_and_nobodys_id(square):
    worker, resident = square.worker("community_worker"), square.dweller()
    post = publish(worker, square.community, urgent=True)
    (line,) = good(resident.get(f"/posts?area={square.community}"))["items"]
    assert (line["title"], line["urgent"], line["author_name"], line["author_role"]) == (
        WATER["title"],
        True,
        "工作人员",
        "社区工作人员",
    )
    seen = resident.get(f"/posts/{post}")
    assert seen.json["text"] == WATER["text"]
    assert (seen.json["mine"], seen.json["told"], seen.json["all_told"]) == (False, None, None)
    assert worker.id not in seen.text


def test_my_own_are_found_in_whatever_state(square):
    worker, other = square.worker(), square.worker()
    kept, gone = publish(worker, square.community), publish(worker, square.grid)
    publish(other, square.community)
    good(worker.post(f"/posts/{gone}/withdraw"))
    mine = {line["id"]: line["state"] for line in good(worker.get("/posts/mine"))["items"]}
    assert mine == {kept: "shown", gone: "withdrawn"}
    assert good(square.dweller().get("/posts/mine"))["items"] == []


def test_every_list_and_the_post_itself_is_one_query(square):
    worker, resident = square.worker(), square.dweller()
    post = publish(worker, square.community, urgent=True)
    for who, path in (
        (resident, f"/posts?area={square.community}"),
        (worker, "/posts/mine"),
        (resident, f"/posts/{post}"),
        (square.worker(), f"/posts/{post}"),
    ):
        with budget() as spent:
            good(who.get(path))
        assert spent.calls == ["dynamodb Query"], path


def test_an_ended_one_is_read_until_it_is_withdrawn(square):
    post = publish(square.worker(), square.community, ends_at=(clock.now() + timedelta(days=1)).isoformat())
    stored(post).update([Post.state.set("ended")])
    assert square.dweller().get(f"/posts/{post}").status == 200
