"""What posts say about a person: for the copy of their data, and when they leave."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any

from chalicelib.areas import service as areas
from chalicelib.kit import clock, timers
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.people import personal_data
from chalicelib.people.models import partition as resident_partition
from chalicelib.people.personal_data import Named
from chalicelib.people.rules import NICKNAME_OF_THE_CLOSED
from chalicelib.posts import rules
from chalicelib.posts.models import Home, Post


@personal_data.section("我发布的信息")
def export_posts(resident_id: str) -> Iterable[dict[str, Any]]:
    for post in _posts(resident_id):
        yield {
            "时间": clock.spoken(post.created_at),
            "标题": post.title,
            "内容": post.text,
            "区域": areas.full_name(post.area),
            "紧急": "是" if post.urgent else "否",
            "状态": rules.STATES[post.state],
        }


@personal_data.section("紧急通知")
def export_home(resident_id: str) -> Iterable[dict[str, Any]]:
    home = Home.find(resident_partition(resident_id), "POSTS_HOME")
    if home is not None and home.area_sort:
        yield {"按哪个住址接收": areas.full_name(home.area_sort.partition("#")[0])}


@personal_data.eraser
def erase(resident_id: str, *, now: datetime) -> None:
    """What was said in the community's name stays, without who said it. What nobody has seen yet is not shown any more."""
    for post in _posts(resident_id):
        if post.state == "in_review":
            _take_back(post, now)
        with transaction() as tx:
            gone = Post.set(author=None, withdrawn_by=None, person_key=None, person_sort=None)
            # The pictures were theirs and go with them, see content.personal.
            tx.update(post, [*Post.set(author_name=NICKNAME_OF_THE_CLOSED, photos=0), *gone])
    with transaction() as tx:
        tx.delete(Home(resident_partition(resident_id), "POSTS_HOME"))


@personal_data.renamer
def rename(named: Named) -> None:
    for post in _posts(named.id):
        if post.state in rules.POST.moves:
            named.show(post, Post.author_name)


def _take_back(post: Post, now: datetime) -> None:
    change = [*Post.set(state="withdrawn", withdrawn_at=now), *timers.stop()]
    with suppress(Changed), transaction() as tx:  # decided in this moment: then it was seen
        tx.update(post, change, when=Post.state == "in_review", or_raise=Changed())


def _posts(resident_id: str) -> list[Post]:
    found = Item.by_person.query(f"POSTS_OF#{resident_id}")
    return [post for post in found if isinstance(post, Post)]
