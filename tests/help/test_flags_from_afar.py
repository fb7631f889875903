"""A flag counts from who lives in the community, for some time; what others say, a moderator reads meanwhile."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chalicelib.areas import service as areas
from chalicelib.content.models import Review
from chalicelib.kit import clock
from chalicelib.kit.table import Item
from chalicelib.people.models import Resident
from tests.engine.meanwhile import meanwhile
from tests.help.street import Street, ask, check_books, offer, stored
from tests.help.test_moderation import decide, flag, review_of
from tests.neighbourhood import Neighbour

A_MOMENT = timedelta(minutes=1)


def with_home(who: Neighbour, home: str | None, since: timedelta = timedelta(days=30), state: str = "waiting") -> None:
    where = [Resident.home.set(home)] if home else [Resident.home.remove()]
    Resident.key(who.id).update([*where, Resident.home_since.set(clock.now() - since), Resident.home_state.set(state)])


@pytest.fixture
def moderator(street: Street) -> Neighbour:
    return street.staff("moderator")


@pytest.fixture
def from_afar(street: Street) -> list[Neighbour]:
    """Without a home, of another community, arrived a minute ago, and denied by the grid worker."""
    strangers = street.residents(4)
    with_home(strangers[0], None)
    with_home(strangers[1], f"{street.street}009001001")
    with_home(strangers[2], street.micro_grid, A_MOMENT)
    with_home(strangers[3], street.micro_grid, state="declined")
    return strangers


def reviews_of(request: str) -> list[Review]:
    about = stored(request)
    found = Item.by_area.query(Review.list_key(about.area), Item.area_sort.startswith(about.area))
    return [each for each in found if isinstance(each, Review) and each.subject_pk == about.pk]


def test_accounts_made_a_minute_ago_hide_nothing(street: Street, from_afar: list[Neighbour]) -> None:
    author = street.resident()
    request = ask(author)
    for each in from_afar:
        assert flag(each, request, "fraud").status == 204
    assert (stored(request).state, stored(request).flags) == ("open", 0)
    assert request in street.open_list(street.resident())
    assert author.told == [], "nobody is alarmed before somebody has looked"


def test_the_moderator_reads_them_all_in_one_review(
    street: Street, from_afar: list[Neighbour], moderator: Neighbour
) -> None:
    request = ask(street.resident())
    for each in from_afar:
        flag(each, request, "fraud")
    (review,) = reviews_of(request)
    (line,) = moderator.get(f"/reviews?area={street.community}").json["items"]
    assert (line["id"], line["cause"]) == (review.id, "pointed_out")
    assert moderator.get(f"/reviews/{review.id}").json["flags"] == ["可能是骗人的"] * 4


def test_a_yes_leaves_it_and_tells_nobody_a_no_removes_it(
    street: Street, from_afar: list[Neighbour], moderator: Neighbour
) -> None:
    author, helper = street.residents(2)
    for decision, reason, state in (("approve", None, "open"), ("refuse", "含有虚假信息", "removed")):
        request = ask(author)
        offer(helper, request, 2)
        told = len(author.told)
        flag(from_afar[0], request, "fraud")
        (review,) = reviews_of(request)
        decide(moderator, review, decision, *([reason] if reason else []))
        assert check_books(request).request.state == state
        assert author.told[told:] == ([] if decision == "approve" else ["content_refused"])
        assert reviews_of(request) == []
    assert request not in street.open_list(helper)


def test_after_a_yes_another_stranger_opens_another_review(
    street: Street, from_afar: list[Neighbour], moderator: Neighbour
) -> None:
    request = ask(street.resident())
    flag(from_afar[0], request, "fraud")
    (first,) = reviews_of(request)
    decide(moderator, first, "approve")
    flag(from_afar[1], request, "insult")
    (second,) = reviews_of(request)
    assert (second.id != first.id, second.flags) == (True, ["辱骂他人"])


def test_three_who_live_there_hide_it_and_all_that_was_said_is_read_together(
    street: Street, from_afar: list[Neighbour], moderator: Neighbour
) -> None:
    author, *neighbours = street.residents(4)
    request = ask(author)
    flag(from_afar[0], request, "fraud")
    for each in neighbours:
        flag(each, request, "insult")
    assert stored(request).state == "in_review"
    (review,) = reviews_of(request)
    assert sorted(review.flags) == sorted(["可能是骗人的", *["辱骂他人"] * 3])
    decide(moderator, review_of(author, "help_request"), "approve")
    assert (stored(request).state, stored(request).flags) == ("open", 0)


def test_none_of_those_who_flagged_it_decides(street: Street) -> None:
    request = ask(street.resident())
    moderator = street.staff("moderator")
    with_home(moderator, None)
    flag(moderator, request, "fraud")
    (review,) = reviews_of(request)
    assert moderator.post(f"/reviews/{review.id}/decide", json={"decision": "approve"}).code == "own_content"


def test_many_strangers_at_once_are_one_review(street: Street) -> None:
    request, strangers = ask(street.resident()), street.residents(6)
    for each in strangers:
        with_home(each, None)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda each: flag(each, request, "fraud"), strangers))
    assert {answer.status for answer in answers} <= {204, 409}
    (review,) = reviews_of(request)
    assert len(review.flags) == [answer.status for answer in answers].count(204)


def test_a_verdict_in_the_same_moment_lets_the_stranger_s_word_open_the_next(
    street: Street, from_afar: list[Neighbour], moderator: Neighbour
) -> None:
    request = ask(street.resident())
    flag(from_afar[0], request, "fraud")
    (first,) = reviews_of(request)
    with meanwhile(first.pk, lambda: decide(moderator, first, "approve")):
        assert flag(from_afar[1], request, "insult").status == 204
    (second,) = reviews_of(request)
    assert second.id != first.id


class TestSince:
    def since(self, who: Neighbour) -> object:
        return Resident.fetch(f"RES#{who.id}", "ME").home_since

    def test_moving_within_the_community_keeps_it_and_moving_away_and_back_begins_anew(self, street: Street) -> None:
        chen = street.resident()
        before = self.since(chen)
        chen.put("/me/residence", json={"area": street.grid})
        assert self.since(chen) == before
        elsewhere = f"{street.street}002"
        areas.put(elsewhere, "凌塘社区", [])
        chen.put("/me/residence", json={"area": elsewhere})
        away = self.since(chen)
        chen.put("/me/residence", json={"area": street.micro_grid})
        assert before < away < self.since(chen)

    def test_a_home_that_was_denied_begins_anew_when_it_is_chosen_again(self, street: Street) -> None:
        chen = street.resident()
        with_home(chen, street.micro_grid, state="declined")
        before = self.since(chen)
        assert chen.put("/me/residence", json={"area": street.micro_grid}).status == 200
        assert self.since(chen) > before

    def test_how_long_is_a_setting(self, street: Street, configure) -> None:
        configure("help", flags_count_after_days=0)
        request, strangers = ask(street.resident()), street.residents(3)
        for each in strangers:
            with_home(each, street.micro_grid, A_MOMENT)
            flag(each, request, "fraud")
        assert stored(request).state == "in_review"
