"""Residents who follow the service account are found, and forgotten when they follow no longer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.kit import clock, timers
from chalicelib.kit.errors import Unavailable
from chalicelib.kit.table import Item
from chalicelib.people import followers
from chalicelib.people import service as people
from chalicelib.people.models import FollowersRound, UnionidLink
from chalicelib.wechat import followers as wechat_followers
from tests.engine.budget import budget
from tests.neighbourhood import Hood, Neighbour
from tests.people.looking import everything

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _a_table_of_its_own(empty_table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of followers is one for all."""
    monkeypatch.setattr(followers, "_started", False)


@pytest.fixture(autouse=True)
def _nobody_follows_yet(hood: Hood) -> None:
    for person in hood.wechat.people():
        if person["follows"]:
            hood.wechat.change_person(person["id"], follows=False)


def current() -> FollowersRound:
    return FollowersRound.fetch("FOLLOWERS", "ROUND")


def next_day() -> None:
    """The daily round, as often as it wants to go on."""
    followers.join(current(), now=clock.now())
    while current().reached:
        followers.join(current(), now=clock.now())


def follows(neighbour: Neighbour, *, yes: bool = True) -> str:
    """Somebody follows the service account, or stops. Returns their openid there."""
    changed = neighbour.hood.wechat.change_person(neighbour.phone, follows=yes)
    return str(changed["service_openid"])


def found(neighbour: Neighbour) -> str | None:
    """Where we would find this person at the service account."""
    resident = people.find(neighbour.id)
    return followers.openid_of(resident) if resident.service_openid_sealed else None


def links() -> list[UnionidLink]:
    return [item for item in Item.scan() if isinstance(item, UnionidLink)]


def test_a_follower_is_found_the_next_day(hood: Hood) -> None:
    neighbour = hood.logged_in()
    openid = follows(neighbour)
    assert found(neighbour) is None
    timers.sweep(now=clock.now() + DAY, time_left=lambda: 60)
    assert found(neighbour) == openid
    assert current().due_at > clock.now() + DAY


def test_neither_unionid_nor_openid_stands_in_the_table(hood: Hood) -> None:
    neighbour = hood.logged_in()
    openid = follows(neighbour)
    next_day()
    assert found(neighbour) == openid
    known = hood.wechat.person(neighbour.phone)
    stored = everything()
    assert neighbour.id in stored
    assert not [secret for secret in (openid, known["openid"], known["unionid"]) if secret in stored]


def test_who_follows_no_longer_is_forgotten(hood: Hood) -> None:
    stays, leaves = hood.logged_in(), hood.logged_in()
    openid = follows(stays)
    follows(leaves)
    next_day()
    follows(leaves, yes=False)
    next_day()
    assert (found(stays), found(leaves)) == (openid, None)
    follows(leaves)
    next_day()
    assert found(leaves)


def test_a_follower_who_is_no_resident_leaves_no_trace(hood: Hood) -> None:
    hood.logged_in()
    hood.wechat.add_person("stranger", "路人", follows=True)
    before = len(list(Item.scan()))
    next_day()
    assert len(list(Item.scan())) == before


def test_nobody_is_found_without_a_unionid_or_without_consent(hood: Hood) -> None:
    hood.wechat.add_person("unbound", "无绑定", unionid=False)
    unbound = Neighbour(hood, "无绑定", "unbound")
    unbound.log_in()
    unbound.consent()
    neighbour, silent = hood.logged_in(), hood.somebody()
    for each in (neighbour, silent, unbound):
        follows(each)
    next_day()
    assert [found(each) is None for each in (neighbour, silent, unbound)] == [False, True, True]


def test_a_login_notes_the_unionid_once(hood: Hood) -> None:
    neighbour = hood.logged_in()
    with budget() as again:
        neighbour.log_in()
    assert "FOLLOWERS" not in str(again.calls)
    assert [link.resident_id for link in links()] == [neighbour.id]


def test_without_a_service_account_nothing_is_noted_or_asked(hood: Hood, configure) -> None:
    configure("wechat_secrets", service_account_secret="")
    hood.logged_in()
    assert links() == []
    assert FollowersRound.find("FOLLOWERS", "ROUND") is None


def test_a_service_account_that_was_taken_away_is_looked_for_every_day(hood: Hood, configure) -> None:
    neighbour = hood.logged_in()
    openid = follows(neighbour)
    configure("wechat_secrets", service_account_secret="")
    due = current().due_at
    followers.join(current(), now=due)
    assert current().due_at == due + DAY
    configure("wechat_secrets")
    next_day()
    assert found(neighbour) == openid


def test_many_followers_take_several_minutes(hood: Hood, monkeypatch: pytest.MonkeyPatch) -> None:
    neighbours = [hood.logged_in() for _ in range(3)]
    for neighbour in neighbours:
        follows(neighbour)
    monkeypatch.setattr(wechat_followers, "AT_ONCE", 1)
    monkeypatch.setattr(followers, "_SECONDS", -1)
    now = clock.now()
    seen = []
    for _ in range(3):
        followers.join(current(), now=now)
        seen.append((len([each for each in neighbours if found(each)]), current().due_at - now))
    assert seen == [(1, timedelta(minutes=1)), (2, timedelta(minutes=1)), (3, DAY)]


def test_a_closed_account_is_neither_found_nor_in_the_way_of_the_next(hood: Hood) -> None:
    neighbour = hood.logged_in()
    follows(neighbour)
    next_day()
    old = neighbour.id
    assert neighbour.post("/me/close", json={"word": "注销"}).status == 204
    assert links() == []
    closed = people.find(old)
    assert (closed.unionid_link, closed.service_openid_sealed) == (None, None)
    neighbour.log_in()
    neighbour.consent()
    next_day()
    assert neighbour.id != old
    assert found(neighbour)


def test_erasing_late_leaves_the_new_account_its_link(hood: Hood) -> None:
    neighbour = hood.logged_in()
    old = people.find(neighbour.id)
    assert neighbour.post("/me/close", json={"word": "注销"}).status == 204
    neighbour.log_in()
    people.find(old.id).update([type(old).unionid_link.set(old.unionid_link)])
    followers.erase(old.id, now=clock.now())
    assert [link.resident_id for link in links()] == [neighbour.id]


def test_when_wechat_is_down_the_round_is_made_up_for(hood: Hood) -> None:
    neighbour = hood.logged_in()
    openid = follows(neighbour)
    hood.wechat.break_("down", "/cgi-bin/user/info/batchget")
    with pytest.raises(Unavailable):
        followers.join(current(), now=clock.now())
    hood.wechat.mend()
    next_day()
    assert found(neighbour) == openid
