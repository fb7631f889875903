"""Somebody who has done everything closes their account: then nothing in the table says who they were or what they wrote.

Everybody in a neighbourhood in which much has happened asks for everything there is, each with a character of their own in
the nickname and in every text they type. What new slices keep is looked at as soon as their routes have a right body.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kit import clock
from chalicelib.kit.transaction import transaction
from chalicelib.people.models import Resident
from local.wechat.control import StandIn
from tests.engine.http import Answer, Http
from tests.engine.lagging import lagging
from tests.neighbourhood import Hood, Neighbour
from tests.people.looking import items
from tests.security.bodies import right_body
from tests.security.routes import address, all_routes, meant_by
from tests.security.test_secrets import LEAVING
from tests.security.world import World, build

MARKS = "犇骉猋鱻羴蟲毳麤贔皛畾瞐灥蘽"

# What stays, and why. All of it is of staff, who spoke for the community, or of a team, which goes on without its leader.
COMMUNITY, TEAM = "said in the community's name", "the team's name"
STAYS: dict[tuple[str, str], str] = {}


class Marking(Http):
    """Puts the mark of whose affair it is behind every Chinese text that is sent."""

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        self.mark_of: dict[str, str] = {}
        self.by_token: dict[str, str] = {}

    def call(self, method: str, path: str, **more: Any) -> Answer:
        whose = more.get("acting_for") or self.by_token.get(more.get("token") or "", "")
        if "json" in more and whose in self.mark_of:
            more["json"] = marked(more["json"], self.mark_of[whose])
        return super().call(method, path, **more)


def marked(value: Any, mark: str) -> Any:
    if isinstance(value, dict):
        return {name: marked(each, mark) for name, each in value.items()}
    if isinstance(value, list):
        return [marked(each, mark) for each in value]
    chinese = isinstance(value, str) and any("\u4e00" <= character <= "\u9fff" for character in value)
    return f"{value}{mark}" if chinese and value != "注销" else value


class MarkedHood(Hood):
    http: Marking

    def __init__(self, app: Any, wechat: StandIn) -> None:
        super().__init__(Marking(app), wechat)

    def resident(self, name: str = "居民") -> Neighbour:
        neighbour = super().resident(name)
        mark = MARKS[len(self.http.mark_of)]
        self.http.mark_of[neighbour.id], self.http.by_token[neighbour.token] = mark, neighbour.id
        with transaction() as tx:
            tx.update(Resident.key(neighbour.id), [Resident.nickname.set(f"{name}{mark}")])
        return neighbour


def ask_for_everything(world: World) -> None:
    routes = [route for route in all_routes().values() if route.name not in LEAVING]
    routes.sort(key=lambda route: ("GET", "POST", "PUT", "DELETE").index(route.method))
    for route in routes:
        body = right_body(route, world)
        more: dict[str, Any] = {} if body is None else {"json": body}
        path = address(route, world.hood.community, **meant_by(route, world.ids))
        for who in world.everybody:
            world.hood.http.call(route.method, path, token=who.token, **more)
        if route.delegable:
            acting = {**more, "acting_for": world.owner.id}
            world.hood.http.call(route.method, path, token=world.delegate.token, **acting)


def places(word: str) -> set[tuple[str, str]]:
    """The kinds and attributes of all items that hold it. Messages to others are looked at apart."""
    return {(item["kind"]["S"], name) for item in items() for name in _holding(item, word)}


def _holding(item: dict[str, Any], word: str) -> Iterator[str]:
    yield from (name for name, value in item.items() if word in str(value))


@pytest.mark.usefixtures("empty_table")
@pytest.mark.parametrize("lag", [False, True], ids=["indexes_show_all", "indexes_lag"])
def test_nothing_says_who_it_was_or_what_they_wrote(http: Http, wechat: StandIn, lag: bool) -> None:
    hood = MarkedHood(http.app, wechat)
    world = build(hood)
    ask_for_everything(world)
    for who in (world.delegate, world.helper, world.stranger, world.owner, world.foreign_staff, world.staff):
        mark = hood.http.mark_of[who.id]
        before = places(mark)
        print(who.name, "BEFORE", sorted(before))
        with lagging() if lag else nullcontext():
            answer = who.post("/me/close", json={"word": "注销"})
            print(answer)
        if lag:
            hood.pass_time(Resident.key(who.id), clock.now() + timedelta(minutes=16))
        print(who.name, "AFTER", sorted(places(mark)))
        print("KEYS", {item["kind"]["S"] for item in items() if who.id in item.get("person_key", {}).get("S", "")})
        print("IDS", {(item["kind"]["S"], n) for item in items() for n in _holding(item, who.id)})
    raise SystemExit
