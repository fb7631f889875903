"""Lists: what is open here, what I asked, whom I help. One call each."""

from __future__ import annotations

import pytest

from chalicelib.kit.table import PAGE_SIZE
from tests.engine.budget import budget
from tests.help.street import Street, ask, bring, lines, offer, path


def test_urgent_ones_come_first_and_among_equals_the_newest(street: Street) -> None:
    asker = street.resident()
    first, urgent, last = ask(asker), ask(asker, urgency="urgent"), ask(asker)
    assert street.open_list(asker, "urgent") == [urgent, last, first]
    assert street.open_list(asker, "newest") == [last, urgent, first]


def test_a_community_shows_its_own_from_any_place_inside(street: Street) -> None:
    asker, other = street.resident(), Street(street.http, street.wechat)
    request = ask(asker)
    ask(other.resident())
    for area in (street.community, street.grid, street.micro_grid):
        assert [line["id"] for line in lines(asker.get(f"/help-requests?area={area}"))] == [request]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "area=",
        "area=330402",
        "area=330402001",
        "area=33040200100",
        "area=abc",
        "area=330402001001&order=oldest",
        "area=330402001001&x=1",
        "area=330402001001%0a",
        "area=330402001001&cursor=",
        "area=330402001001&cursor=x.y",
        "area=" + "1" * 500,
    ],
)
def test_nonsense_is_refused(street: Street, query: str) -> None:
    assert street.resident().get(f"/help-requests?{query}").status == 422


def test_pages_follow_each_other_without_a_gap(street: Street) -> None:
    asker = street.resident()
    for _ in range(3):
        who = street.resident()
        for _ in range(9):
            ask(who)
    found, cursor = [], ""
    while True:
        answer = asker.get(f"/help-requests?area={street.community}{cursor}")
        found.append([line["id"] for line in lines(answer)])
        if not answer.json["next"]:
            break
        cursor = f"&cursor={answer.json['next']}"
    assert [len(each) for each in found] == [PAGE_SIZE, 7]
    assert len({request for each in found for request in each}) == 27


def test_a_cursor_of_another_list_is_refused(street: Street, configure) -> None:
    configure("help", asks_a_day=100)
    asker = street.resident()
    for _ in range(PAGE_SIZE + 1):
        ask(asker)
    cursor = asker.get(f"/help-requests?area={street.community}").json["next"]
    mine = asker.get("/help-requests/mine").json["next"]
    assert cursor
    assert mine
    other = Street(street.http, street.wechat)
    for where in (
        f"/help-requests?area={other.community}&cursor={cursor}",
        f"/help-requests?area={street.community}&order=newest&cursor={cursor}",
        f"/help-requests/mine?cursor={cursor}",
        f"/help-requests/helping?cursor={mine}",
    ):
        assert asker.get(where).code == "cursor_invalid", where
    assert street.resident().get(f"/help-requests/mine?cursor={mine}").code == "cursor_invalid"
    assert len(lines(asker.get(f"/help-requests/mine?cursor={mine}"))) == 1


def test_mine_shows_every_state_and_helping_what_became_of_it(street: Street) -> None:
    asker, helper = street.residents(2)
    first, second = ask(asker), ask(asker)
    asker.post(f"/help-requests/{first}/withdraw")
    made = bring(helper, second)
    assert [(line["id"], line["state"]) for line in lines(asker.get("/help-requests/mine"))] == [
        (second, "covered"),
        (first, "withdrawn"),
    ]
    (mine,) = lines(helper.get("/help-requests/helping"))
    assert (mine["id"], mine["request_id"], mine["state"], mine["mine"]) == (made, second, "dropped_off", True)
    assert lines(asker.get("/help-requests/helping")) == lines(helper.get("/help-requests/mine")) == []


class TestOneRequest:
    def test_a_helper_sees_their_own_offers_only(self, street):
        asker, *helpers = street.residents(3)
        request = ask(asker)
        made = [offer(each, request, 1) for each in helpers]
        assert [each["id"] for each in helpers[0].get(f"/help-requests/{request}").json["offers"]] == [made[0]]
        assert street.resident().get(f"/help-requests/{request}").json["offers"] == []
        assert len(asker.get(f"/help-requests/{request}").json["offers"]) == 2

    def test_one_that_is_over_is_seen_by_its_two_sides_and_the_carers(self, street):
        asker, helper, other = street.residents(3)
        request = ask(asker)
        made = bring(helper, request)
        asker.post(path(request, made, "collect"))
        asker.post(f"/help-requests/{request}/confirm")
        for who in (asker, helper, street.staff("grid_worker", street.grid)):
            assert who.get(f"/help-requests/{request}").json["state"] == "fulfilled"
        elsewhere = Street(street.http, street.wechat).staff("grid_worker")
        for who in (other, elsewhere):
            assert who.get(f"/help-requests/{request}").status == 404

    @pytest.mark.parametrize("as_staff", ["yes", "2", ""])
    def test_as_staff_is_yes_or_no(self, street, as_staff):
        somebody = street.resident()
        assert somebody.get(f"/help-requests/{ask(somebody)}?as_staff={as_staff}").status == 422


def test_every_list_costs_one_call(street: Street) -> None:
    asker, helper = street.residents(2)
    request = ask(asker)
    made = offer(helper, request, 1)
    worker = street.staff("grid_worker")
    helper.post(path(request, made, "messages"), json={"text": "好"})
    for who, where in (
        (asker, f"/help-requests?area={street.community}"),
        (asker, f"/help-requests?area={street.community}&order=newest"),
        (asker, "/help-requests/mine"),
        (helper, "/help-requests/helping"),
        (asker, f"/help-requests/{request}"),
        (helper, f"/help-requests/{request}"),
        (asker, "/me/help-alerts"),
    ):
        with budget() as spent:
            assert who.get(where).status == 200
        assert len(spent.calls) == 1, (where, spent.calls)
    with budget() as spent:
        worker.get(f"/help-requests/unanswered?area={street.community}")
    assert spent.calls == ["dynamodb Query"] * 2  # the duty, then the list
