"""What each act of the product costs on AWS stands in `docs/budget.json`, and no act costs more.

Counted are the calls to AWS (DynamoDB, SQS, S3, KMS) and DynamoDB's capacity units, in a warm container that has
never met the people of the act: it knows the settings, the areas and WeChat's token, but no data key. When an act
has changed its cost for a good reason, this writes the file anew, and its diff says by how much:

    BUDGET_WRITE=1 .venv/bin/pytest tests/budget
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_origin

import pytest

from chalicelib.kit import timers, vault
from chalicelib.notices import events
from chalicelib.wechat import client
from local.wechat.control import StandIn
from tests.budget import (  # noqa: F401, A004 - they register their acts
    content,
    help,
    mall,
    notices,
    people,
    planning,  # noqa: F401, A004 - they register their acts
    points,
    posts,
    presence,  # noqa: F401, A004 - they register their acts
    quiz,
    sign_up,
    statements,
    teams,  # noqa: F401, A004 - they register their acts
    volunteers,
)
from tests.budget import hours as hours
from tests.budget.acts import ACTS, Town
from tests.engine.budget import Spent, budget
from tests.engine.http import Answer, Http
from tests.notices.conftest import LONG_TERM, ONE_TIME
from tests.posts.square import COMMUNITY
from tests.security.routes import all_routes

FILE = Path(__file__).parents[2] / "docs" / "budget.json"
BUDGET: dict[str, Any] = json.loads(FILE.read_text()) if FILE.exists() else {}
WRITING = "BUDGET_WRITE" in os.environ
TEMPLATES = {
    "help_progress": {"one_time": {"id": ONE_TIME}, "long_term": {"id": LONG_TERM}},
    "community": {"one_time": {"id": COMMUNITY}},
}

# Costs of workers are those of what they work on: of wechat_events, the events. An administrator's commands
# (`administer`) are too rare to have any.
WORKERS = {"sweep", "dispatch_notices", "look_at_stock", "push_notices", "process_photos", "spread_posts"}

# A person's act is one write, so that it happens or does not. These are several, and why:
WRITES = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"}
SEVERAL_WRITES = {
    "POST /login (the first time)": "the key in the vault comes before what is sealed with it; each login is counted",
    "POST /help-requests/on-behalf": "the key in the vault comes before what is sealed with it",
    "POST /me/phone": "WeChat charges for each code, so a try counts whatever becomes of it",
    "POST /delegations": "a wrong guess at a code counts",
    "POST /shifts/{shift_id}/people (the first guest)": "the key in the vault comes before what is sealed with it",
    "POST /pick-ups": "a wrong guess at a code counts",
    "POST /desk/collect": "a wrong guess at a code counts",
    "POST /deliveries/{redemption_id}/with-code": "a wrong guess at a code counts",
    "POST /me/volunteer/leave": "what one write has ended follows piece by piece, by a timer if need be",
    "POST /volunteers/{resident_id}/guardian-consent/withdraw": "the same",
    "POST /teams/join": "a wrong guess at a code counts",
    "POST /shifts/{shift_id}/team-withdraw (two, and two who wait are let in)": "afterwards, by a timer if need be",
    "POST /me/close": "what one write has closed is erased piece by piece, by a timer if need be",
}

# Areas change a few times a year; a container keeps those it has read for a minute.
COLD = {"POST /help-requests (its areas were not read for ten minutes)"}
# Nobody is written down as who is told of it: whose duty is in force is read when it is told.
FOR_NOBODY = {"POST /help-requests/{request_id}/offers (filed by staff)"}

# A list is one call. These are more, and why:
DUTIES = "the duties of staff are read first, because one that has ended bites at once"
LONGER_LISTS = {
    "GET /residences": DUTIES,
    "GET /reviews": DUTIES,
    "GET /help-requests/unanswered": DUTIES,
    "GET /help-requests/filed": DUTIES,
    "GET /volunteers/applications": DUTIES,
    "GET /me/volunteer/entries": "then who of those who recorded them still has an account: docs/decisions/0016",
    "GET /volunteers/{resident_id}/entries": f"{DUTIES}; the area of the volunteer; then the same",
    "GET /me/lookups": "the same of those who looked",
    "GET /deliveries": f"{DUTIES}; then the nicknames of all to whom something is brought, as they are now",
    "GET /hours-corrections": DUTIES,
    "GET /call-sheet": f"{DUTIES}; then the nicknames of all who are to be called, as they are now",
    "GET /shifts/{shift_id}/not-reached": f"{DUTIES}, with the shift; then the nicknames, if there are any",
    "GET /shifts/plan": DUTIES,
    "GET /shifts/running": f"{DUTIES}, of those who organise anything",
    "GET /activities/mine": "the same",
    "GET /shifts/near-me": "where I live, then a list for each level, at the same time: docs/decisions/0014",
    "GET /help-requests/mine (by a delegate)": "the delegation is read first, because a revoked one bites at once",
}


@pytest.fixture
def town(http: Http, wechat: StandIn, configure: Callable[..., None]) -> Town:
    """At an hour when messages may be sent."""
    configure("notices", templates=TEMPLATES, quiet_from="00:00", quiet_until="00:00")
    wechat.settings(media_withheld=True)
    assert client.mini_program().access_token
    return Town(http, wechat)


@pytest.fixture(scope="module", autouse=True)
def _written() -> Iterator[None]:
    yield
    if WRITING:
        FILE.write_text("{\n" + ",\n".join(line(name, BUDGET[name]) for name in sorted(BUDGET)) + "\n}\n")


def line(name: str, cost: dict[str, float]) -> str:
    return f"  {json.dumps(name)}: {json.dumps(cost)}"


def measure(act: Callable[[], Any]) -> Spent:
    vault._unwrapped = vault._Unwrapped()
    with budget() as spent:
        answer = act()
    assert not isinstance(answer, Answer) or answer.status < 300, answer
    return spent


def kind(name: str) -> str:
    """The act without its case: `POST /login (the first time)` is a `POST /login`."""
    return name.partition(" (")[0]


def of_the_product(handler: Callable[..., Any]) -> bool:
    """Other tests register handlers of their own."""
    return handler.__module__.startswith("chalicelib.")


def whole(units: float) -> float:
    return int(units) if units == int(units) else units


@pytest.mark.parametrize("name", sorted(ACTS))
def test_an_act_costs_what_its_budget_says(name: str, town: Town) -> None:
    spent = measure(ACTS[name](town))
    cost = {"calls": len(spent.calls), "read_units": whole(spent.read_units), "write_units": whole(spent.write_units)}
    if kind(name) in all_routes():
        writes = [call for call in spent.calls if call.partition(" ")[2] in WRITES]
        assert (len(writes) > 1) == bool({name, kind(name)} & SEVERAL_WRITES.keys()), spent.calls
    if WRITING:
        BUDGET[name] = cost
    assert cost == BUDGET.get(name), (
        f"{spent.calls} is not what docs/budget.json says. If it should be so, the line is\n{line(name, cost)}"
    )


def test_every_route_worker_timer_and_event_is_an_act() -> None:
    expected = {*all_routes(), *WORKERS}
    expected |= {f"timer {name}" for name, handler in timers._handlers.items() if of_the_product(handler)}
    expected |= {f"event {event.__name__}" for event, handler in events._handlers.items() if of_the_product(handler)}
    assert {kind(name) for name in ACTS} == expected


def test_no_budget_is_left_of_an_act_that_is_gone() -> None:
    if WRITING:
        for name in BUDGET.keys() - ACTS.keys():
            del BUDGET[name]
    assert BUDGET.keys() == ACTS.keys()


@pytest.mark.parametrize("act", ["POST /help-requests", "POST /help-requests/{request_id}/offers"])
def test_a_request_and_an_offer_are_made_in_two_calls_with_all_they_read(act: str) -> None:
    calls = {
        name: cost["calls"] for name, cost in BUDGET.items() if kind(name) == act and name not in COLD | FOR_NOBODY
    }
    assert calls
    assert max(calls.values()) <= 2, calls


def test_a_statement_is_one_query_and_an_award_adds_one_read_and_two_items() -> None:
    assert BUDGET["GET /me/points/statement"]["calls"] == 1
    cost = BUDGET["POST /help-requests/{request_id}/confirm"]
    without = BUDGET["POST /help-requests/{request_id}/confirm (the rule is off)"]
    assert cost["calls"] - without["calls"] == 1
    this_month = BUDGET["POST /help-requests/{request_id}/confirm (the helper has earned this month)"]
    assert this_month["write_units"] - without["write_units"] == 6
    assert cost["write_units"] - without["write_units"] == 10, "with the first opening of all"
    assert cost["read_units"] - without["read_units"] == 3, "account, transfer, and whether there ever was a duty"


def test_of_a_bank_of_two_hundred_an_attempt_reads_no_more_than_its_ten_questions() -> None:
    attempts = "/quizzes/{quiz_id}/attempts"
    calls = {name: cost["calls"] for name, cost in BUDGET.items() if attempts in name}
    assert calls == {
        f"POST {attempts}": 3,
        f"POST {attempts} (one is under way)": 3,
        f"GET {attempts}/{{attempt_id}}": 2,
        f"POST {attempts}/{{attempt_id}}/submit": 4,
        f"POST {attempts}/{{attempt_id}}/submit (not passed)": 3,
    }
    assert BUDGET[f"GET {attempts}/{{attempt_id}}"]["read_units"] == 1 + 10


def test_reading_is_one_read_and_one_write_of_two_items_and_a_repeat_writes_nothing() -> None:
    name = "POST /posts/{post_id}/read"
    first, again = BUDGET[f"{name} (the first points of a month)"], BUDGET[f"{name} (again)"]
    assert (BUDGET[name]["calls"], BUDGET[name]["write_units"]) == (2, 6)
    assert (first["calls"], first["write_units"]) == (2, 10)
    assert (again["calls"], again["write_units"]) == (1, 0)
    assert BUDGET[f"{name} (the rule is off)"] == {"calls": 1, "read_units": 2, "write_units": 0}


def test_redeeming_is_two_calls_and_twelve_write_units() -> None:
    redeeming = "POST /products/{product_id}/redemptions"
    within = [redeeming, *(f"{redeeming} ({case})" for case in ("by a delegate", "to be delivered"))]
    for name in [*within, f"{redeeming} (a campaign after a quiz)"]:
        cost = BUDGET[name]
        assert cost["calls"] <= 2, name
        assert cost["write_units"] <= 12, name
    dearer = {"the first in a month": 3, "out of three buckets": 4}
    for case, more in dearer.items():
        assert BUDGET[f"{redeeming} ({case})"]["write_units"] == 12 + more, case


def test_who_is_refused_in_the_mall_costs_a_read_or_two_and_no_write() -> None:
    refusals = {name: cost for name, cost in BUDGET.items() if "(refused: " in name}
    assert {cost["write_units"] for cost in refusals.values()} == {0}
    calls = {name.partition("(refused: ")[2].rstrip(")"): cost["calls"] for name, cost in refusals.items()}
    assert calls == {
        "sold out": 2,
        "sold out, with a key": 2,
        "sold out, as seen a moment ago": 1,
        "the price has changed": 1,
        "over the cap": 1,
        "over the cap, with a key": 2,  # it may be its own doing: see `redeeming._look_again`
    }


def test_verifying_a_statement_is_one_read_and_the_key_and_hours_are_one_query() -> None:
    for name in ("GET /statements/{number}", "GET /statements/{number}/page"):
        assert BUDGET[name]["calls"] == 4, "the statement, its limit, the wrapped key, and KMS, asked once a container"
        assert BUDGET[f"{name} (a number of nobody's)"]["calls"] == 1
    assert BUDGET["GET /statements/{number} (not a number at all)"]["calls"] == 0
    assert BUDGET["GET /me/service-hours"]["calls"] == 1
    again = BUDGET["POST /me/statements (the same again)"]
    assert (again["calls"], again["write_units"]) == (1, 0)


def test_two_weeks_of_a_gate_are_published_by_one_write_and_a_day_is_one_query() -> None:
    published = BUDGET["POST /activities/{activity_id}/publish (28 shifts)"]
    assert published["calls"] == 3, "duties, draft, and the one write"
    added = BUDGET["POST /activities/{activity_id}/shifts (28 shifts)"]
    assert added["calls"] == 4, "duties, activity, its shifts, and the one write"
    assert BUDGET["GET /shifts"]["calls"] == 1


def test_the_inbox_is_one_call() -> None:
    assert {cost["calls"] for name, cost in BUDGET.items() if kind(name) == "GET /inbox"} == {1}


def test_a_list_is_one_call() -> None:
    shapes = {name: get_origin(route.result) or route.result for name, route in all_routes().items()}
    lists = {name for name, shape in shapes.items() if "items" in getattr(shape, "__struct_fields__", ())}
    longer = {name for name, cost in BUDGET.items() if kind(name) in lists and cost["calls"] > 1}
    assert longer == LONGER_LISTS.keys()


def test_a_team_of_nine_signs_up_and_withdraws_with_two_reads_and_one_write() -> None:
    assert BUDGET["POST /shifts/{shift_id}/team-sign-up (nine)"]["calls"] == 2 + 1
    assert BUDGET["POST /shifts/{shift_id}/team-withdraw (nine)"]["calls"] == 2 + 1
