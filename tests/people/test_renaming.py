"""After another nickname, whatever is under way shows it to everybody. See tests/security/test_nothing_stays.py as well."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.kit import clock
from chalicelib.people import personal_data, renaming
from chalicelib.people import service as people
from chalicelib.people.models import Resident
from chalicelib.people.personal_data import AGAIN, Named, RenamedAgain
from tests.content.test_texts import DOUBTFUL
from tests.engine.lagging import lagging
from tests.engine.meanwhile import meanwhile
from tests.help.street import ask, offer, path
from tests.neighbourhood import Hood, Neighbour
from tests.profile.test_nickname import waiting
from tests.volunteers import crew


@pytest.fixture
def li_ju(hood: Hood) -> Neighbour:
    return known_as(hood.resident(), "李菊真名")


def known_as(who: Neighbour, name: str) -> Neighbour:
    call_me(who, name)
    time_passes(who)
    return who


def call_me(who: Neighbour, name: str = "菊花") -> None:
    assert who.put("/me/nickname", json={"nickname": name}).status == 200


def time_passes(who: Neighbour, after: timedelta = timedelta(0)) -> None:
    who.hood.pass_time(Resident.key(who.id), clock.now() + after)


def test_lists_requests_and_offers_show_the_name_of_now(hood: Hood, li_ju: Neighbour) -> None:
    chen = known_as(hood.resident(), "陈彩明真名")
    request = ask(li_ju)
    made = offer(chen, request, 2)
    chen.post(path(request, made, "messages"), json={"text": "下午送到"})
    known_as(li_ju, "菊花")
    known_as(chen, "老陈")
    (listed,) = hood.resident().get(f"/help-requests?area={hood.community}").json["items"]
    seen = li_ju.get(f"/help-requests/{request}").json
    (message,) = li_ju.get(path(request, made, "messages")).json["items"]
    assert [listed["requester_name"], seen["requester_name"]] == ["菊花", "菊花"]
    assert [seen["offers"][0]["helper_name"], message["author_name"]] == ["老陈", "老陈"]


def test_what_is_over_keeps_the_name_by_which_it_was_done(hood: Hood, li_ju: Neighbour) -> None:
    chen = known_as(hood.resident(), "陈彩明真名")
    request = ask(li_ju)
    assert chen.post(path(request, offer(chen, request, 2), "cancel")).status == 200
    assert li_ju.post(f"/help-requests/{request}/withdraw").status == 200
    known_as(chen, "老陈")
    assert li_ju.get(f"/help-requests/{request}").json["offers"][0]["helper_name"] == "陈彩明真名"


def test_a_name_that_a_moderator_has_allowed_is_shown_as_well(hood: Hood, li_ju: Neighbour) -> None:
    request = ask(li_ju)
    call_me(li_ju, DOUBTFUL)
    time_passes(li_ju)
    review = waiting(li_ju).id
    assert hood.staff("moderator").post(f"/reviews/{review}/decide", json={"decision": "approve"}).status == 200
    time_passes(li_ju)
    assert li_ju.get(f"/help-requests/{request}").json["requester_name"] == DOUBTFUL


def test_what_an_index_did_not_show_yet_is_found_a_quarter_of_an_hour_later(li_ju: Neighbour) -> None:
    request = ask(li_ju)
    call_me(li_ju)
    with lagging():
        time_passes(li_ju)
    assert li_ju.get(f"/help-requests/{request}").json["requester_name"] == "李菊真名"
    time_passes(li_ju, AGAIN[0])
    assert li_ju.get(f"/help-requests/{request}").json["requester_name"] == "菊花"


def test_it_is_gone_over_three_times_and_no_more(li_ju: Neighbour) -> None:
    call_me(li_ju)
    for after in (timedelta(0), *AGAIN):
        assert people.find(li_ju.id).timer == renaming.TIMER
        time_passes(li_ju, after)
    assert people.find(li_ju.id).timer is None


def test_of_two_changes_in_a_row_the_last_one_wins(li_ju: Neighbour) -> None:
    request = ask(li_ju)
    call_me(li_ju, "菊花")
    with meanwhile(f"HELP#{request}", lambda: call_me(li_ju, "菊香")):
        time_passes(li_ju)
    time_passes(li_ju)
    assert li_ju.get(f"/help-requests/{request}").json["requester_name"] == "菊香"


def test_an_old_name_is_not_written_over_a_newer_one(hood: Hood, li_ju: Neighbour) -> None:
    team = crew.found(li_ju).json["id"]
    known_as(li_ju, "菊花")
    with pytest.raises(RenamedAgain):
        personal_data.rename(Named(li_ju.id, "李菊真名"))
    assert [each["name"] for each in li_ju.get(f"/teams/{team}").json["members"]] == ["菊花"]


def test_closing_the_account_has_the_last_word(hood: Hood, li_ju: Neighbour) -> None:
    ask(li_ju)
    call_me(li_ju)
    before = people.find(li_ju.id)
    assert li_ju.post("/me/close", json={"word": "注销"}).status == 204
    renaming.show_everywhere(before, now=clock.now())
    closed = people.find(li_ju.id)
    assert (closed.nickname, closed.timer) == ("已注销用户", "account.erase")
