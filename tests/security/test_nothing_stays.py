"""Somebody who has done everything closes their account: then nothing in the table says who they were or what they wrote.

Everybody in a neighbourhood in which much has happened asks for everything there is, each with a character of their own in
the nickname and in every text they type. What new slices keep is looked at as soon as their routes have a right body.
"""

from __future__ import annotations

import json
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

# What messages to others may quote of somebody, and what else somebody types: a character for each person.
QUOTED = {"nickname", "title", "name"}
QUOTABLE, WORDS = "犇骉猋鱻羴蟲毳麤贔皛", "畾瞐灥蘽嚞歮惢掱焱淼"

# What stays, and why.
ENDS = "messages in others' inboxes say who did what, for a year (docs/decisions/0004)"
COMMUNITYS = "said in the community's name, and shown without who said it"
OFFICE = "who recorded something or looked: shown by their office once they have left (docs/decisions/0016)"
ANOTHERS = "filed for somebody without an account, and handed on"
OF_ANYBODY = {("notice", name): ENDS for name in ("title", "text", "values")}
OF_STAFF = {
    **{("post", name): COMMUNITYS for name in ("title", "text")},
    **{("shift", name): COMMUNITYS for name in ("place", "reason")},
    ("activity", "reason"): COMMUNITYS,
    **{("help_request", name): ANOTHERS for name in ("title", "text", "unit")},
    ("lookup", "by_name"): OFFICE,
    ("shift", "confirmed_by_name"): OFFICE,
}
# Where another nickname does not reach: what is over, who recorded or decided something, and what a team is called.
OVER = {
    *(("hours_correction", "name", "accepted"), ("sign_up", "name", "cancelled"), ("post", "author_name", "withdrawn")),
    *(("activity", "organiser_name", "cancelled"), ("shift", "organiser_name", "cancelled")),
}
BY_WHOM = {"recorded_by_name", "revoked_by_name", "confirmed_by_name", "by_name"}
TEAMS = {("team", "name"), ("team_membership", "name")}
# Kinds by which indexes lead from an id to what stays: the books, what staff answer for, and files of photos until they are gone.
STILL_LISTED = {"points_transfer", "points_opening", "lookup", "photo"}


class Marking(Http):
    """Puts a mark of whose affair it is behind every Chinese text that is sent."""

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        self.by_token: dict[str, str] = {}
        self.number_of: dict[str, int] = {}

    def call(self, method: str, path: str, **more: Any) -> Answer:
        whose = more.get("acting_for") or self.by_token.get(more.get("token") or "", "")
        if "json" in more and whose in self.number_of:
            more["json"] = marked(more["json"], *self.marks_of(whose))
        return super().call(method, path, **more)

    def marks_of(self, whose: str) -> tuple[str, str]:
        return QUOTABLE[self.number_of[whose]], WORDS[self.number_of[whose]]


def marked(value: Any, quotable: str, words: str, name: str = "") -> Any:
    if isinstance(value, dict):
        return {name: marked(each, quotable, words, name) for name, each in value.items()}
    if isinstance(value, list):
        return [marked(each, quotable, words, name) for each in value]
    chinese = isinstance(value, str) and any("\u4e00" <= character <= "\u9fff" for character in value)
    return f"{value}{quotable if name in QUOTED else words}" if chinese and name != "word" else value


class MarkedHood(Hood):
    http: Marking

    def __init__(self, app: Any, wechat: StandIn) -> None:
        super().__init__(Marking(app), wechat)

    def resident(self, name: str = "居民") -> Neighbour:
        neighbour = super().resident(name)
        self.http.number_of[neighbour.id] = len(self.http.number_of)
        self.http.by_token[neighbour.token] = neighbour.id
        quotable, _ = self.http.marks_of(neighbour.id)
        with transaction() as tx:
            tx.update(Resident.key(neighbour.id), [Resident.nickname.set(f"{name}{quotable}")])
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
    """The kinds and attributes of all items that hold it, as it is or as JSON writes it."""
    forms = (word, json.dumps(word).strip('"'))
    found = ((item["kind"]["S"], name, next(iter(value.values()))) for item in items() for name, value in item.items())
    return {(kind, name) for kind, name, value in found if any(form in str(value) for form in forms)}


def listed(resident_id: str) -> set[str]:
    """The kinds of items that are found by somebody's id."""
    return {item["kind"]["S"] for item in items() if resident_id in item.get("person_key", {}).get("S", "")}


@pytest.mark.usefixtures("empty_table")
def test_nothing_says_who_it_was_or_what_they_wrote(http: Http, wechat: StandIn) -> None:
    hood = MarkedHood(http.app, wechat)
    world = build(hood)
    ask_for_everything(world)
    stays: set[tuple[str, str]] = set()
    for who in (world.delegate, world.helper, world.stranger, world.owner, world.foreign_staff, world.staff):
        with lagging():
            assert who.post("/me/close", json={"word": "注销"}).status == 204
        hood.pass_time(Resident.key(who.id), clock.now() + timedelta(minutes=16))
        quotable, words = (places(mark) for mark in hood.http.marks_of(who.id))
        allowed = OF_ANYBODY | (OF_STAFF if who is world.staff else {})
        assert (quotable | words) - allowed.keys() == set(), who.name
        assert {place for place in words if place in OF_ANYBODY} == set(), "what they wrote stands in others' inboxes"
        assert listed(who.id) - STILL_LISTED == set(), who.name
        stays |= quotable | words
    assert stays == OF_ANYBODY.keys() | OF_STAFF.keys(), "what is said to stay, and does not"


@pytest.mark.usefixtures("empty_table")
def test_another_nickname_is_shown_wherever_something_is_under_way(http: Http, wechat: StandIn) -> None:
    hood = MarkedHood(http.app, wechat)
    world = build(hood)
    ask_for_everything(world)
    for number, who in enumerate(world.everybody):
        assert who.put("/me/nickname", json={"nickname": f"New {number}"}).status == 200
        with lagging():
            hood.pass_time(Resident.key(who.id), clock.now())
        hood.pass_time(Resident.key(who.id), clock.now() + timedelta(minutes=16))
        old, _ = hood.http.marks_of(who.id)
        left = {each for each in named(old) if each[:2] not in TEAMS}
        assert {each for each in left if each[1] not in BY_WHOM and each not in OVER} == set(), who.name


def named(nickname: str) -> set[tuple[str, str, str]]:
    """Where somebody is called by it: kind, attribute and state of the items. Messages to others are left out."""
    return {
        (item["kind"]["S"], name, item.get("state", {}).get("S", ""))
        for item in items()
        for name, value in item.items()
        if ("name" in name or name == "members") and nickname in str(value)
    }
