"""No act goes on without an end: whoever does the same again and again comes to a limit, and no item grows meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from chalicelib.kit import attempt, clock
from chalicelib.notices import credits
from chalicelib.shifts.models import SignUp
from local.wechat import catalogue
from local.wechat.control import StandIn
from tests.engine.http import Http
from tests.help.street import Street
from tests.mall import shop
from tests.neighbourhood import Hood, Neighbour
from tests.security.routes import all_routes
from tests.shifts import gate
from tests.volunteers import crew

WRITING = {name for name, route in all_routes().items() if route.method != "GET" and route.needs != "nobody"}

# What keeps an act from being done without an end, where no counter of the person's does (`kit.limits`).
ONCE = "a step of something that was made under a limit, taken once"
OWN = "writes over one's own item and tells nobody"
THINGS = "once for each thing, and who makes the things is limited"
DECIDED = "waits for somebody else's decision in between"
ENDS = "ends what a limit let begin"
SHIFT = (
    "each shift has so many places, and who gave one back takes it again a few times a day (`SignUp.times_that_day`)"
)
SHEETS = "so many attempts a day, counted with one's standing in the quiz"
ACCOUNT = "so many redemptions a day, counted with the points (docs/decisions/0025)"
ROOM = "an activity has room for so many shifts"

BOUND = {
    **dict.fromkeys(("POST /me/close", "POST /logout", "POST /sessions/revoke", "DELETE /me/consent"), ENDS),
    **dict.fromkeys(("DELETE /delegations/{principal_id}", "DELETE /me/delegates/{delegate_id}"), ENDS),
    **dict.fromkeys(("DELETE /me/invitations/{code}", "DELETE /me/phone", "POST /me/consent"), ENDS),
    **dict.fromkeys(("POST /inbox/read-all", "POST /inbox/{notice_id}/read", "PUT /me/help-alerts"), OWN),
    **dict.fromkeys(("PUT /me/shift-alerts", "PUT /me/volunteer", "PUT /activities/{activity_id}"), OWN),
    **dict.fromkeys(("POST /posts/{post_id}/read", "POST /call-sheet/{entry_id}/done"), THINGS),
    "POST /posts/{post_id}/withdraw": ENDS,
    "POST /posts/{post_id}/photos/{photo_id}/remove": ENDS,
    "POST /products/{product_id}/photos/{photo_id}/remove": ENDS,
    # Help.
    **dict.fromkeys((f"POST /help-requests/{{request_id}}/{act}" for act in ("confirm", "object", "withdraw")), ONCE),
    "POST /help-requests/{request_id}/photos/{photo_id}/remove": ENDS,
    **dict.fromkeys(
        (
            f"POST /help-requests/{{request_id}}/offers/{{offer_id}}/{act}"
            for act in ("cancel", "collect", "drop-off", "thanks")
        ),
        ONCE,
    ),
    # What staff decide.
    **dict.fromkeys((f"POST /hours-corrections/{{correction_id}}/{how}" for how in ("accept", "decline")), ONCE),
    **dict.fromkeys((f"POST /residences/{{resident_id}}/{how}" for how in ("confirm", "decline")), DECIDED),
    **dict.fromkeys((f"POST /volunteers/{{resident_id}}/{how}" for how in ("approve", "decline")), DECIDED),
    "POST /reviews/{review_id}/decide": ONCE,
    "POST /volunteers/{resident_id}/entries/{entry_id}/revoke": ONCE,
    "POST /volunteers/{resident_id}/guardian-consent/withdraw": ENDS,
    "POST /me/volunteer/leave": ENDS,
    # Goods.
    "POST /products/{product_id}/redemptions": ACCOUNT,
    "POST /redemptions/{redemption_id}/cancel": ENDS,
    "POST /deliveries/{redemption_id}/with-photo": ONCE,
    # Quizzes.
    "POST /quizzes/{quiz_id}/attempts": SHEETS,
    "POST /quizzes/{quiz_id}/attempts/{attempt_id}/submit": ONCE,
    # Shifts.
    **dict.fromkeys((f"POST /activities/{{activity_id}}/{act}" for act in ("cancel", "publish")), ONCE),
    "POST /activities/{activity_id}/shifts": ROOM,
    **dict.fromkeys((f"POST /shifts/{{shift_id}}/{act}" for act in ("cancel", "confirm")), ONCE),
    **dict.fromkeys((f"POST /shifts/{{shift_id}}/{act}" for act in ("sign-up", "team-sign-up", "people")), SHIFT),
    **dict.fromkeys((f"POST /shifts/{{shift_id}}/{act}" for act in ("withdraw", "team-withdraw")), ENDS),
    **dict.fromkeys(
        (
            f"POST /shifts/{{shift_id}}/people/{{person_id}}/{act}"
            for act in ("check-in", "check-out", "confirm", "hours")
        ),
        ONCE,
    ),
    "POST /check-outs": ONCE,
    "POST /shifts/{shift_id}/check-out": ONCE,
    "POST /shifts/{shift_id}/hours/corrections": DECIDED,
    # Teams.
    **dict.fromkeys((f"POST /teams/{{team_id}}/{act}" for act in ("dissolve", "leave")), ENDS),
    "POST /teams/{team_id}/members/{member}/remove": ENDS,
}
# Where a counter of the person's does: the name of it.
COUNTED = {
    "POST /activities": "activity",
    "POST /shifts/{shift_id}/change": "shift_change",
    "POST /check-ins": "guess",
    "POST /shifts/{shift_id}/check-in": "guess",
    "POST /me/delegates": "invite",
    "POST /delegations": "accept",
    "POST /help-requests": "ask",
    "POST /help-requests/on-behalf": "file_for",
    "POST /help-requests/{request_id}/flags": "flag",
    "POST /help-requests/{request_id}/offers": "offer",
    "POST /help-requests/{request_id}/offers/{offer_id}/messages": "help_message",
    "POST /pick-ups": "pick_up",
    **dict.fromkeys(("POST /desk/collect", "POST /desk/look-up"), "redemption_code"),
    "POST /deliveries/{redemption_id}/with-code": "redemption_code",
    **dict.fromkeys(("POST /help-requests/{request_id}/contact", "POST /residents/{resident_id}/identity"), "look_up"),
    **dict.fromkeys(("POST /shifts/{shift_id}/people/{person_id}/contact",), "look_up"),
    "POST /volunteers/{resident_id}/identity": "look_up",
    **dict.fromkeys(("POST /help-requests/{request_id}/photos", "POST /posts/{post_id}/photos"), "upload"),
    **dict.fromkeys(("POST /products/{product_id}/photos", "POST /deliveries/{redemption_id}/photos"), "upload"),
    "POST /me/avatar": "upload",
    "POST /me/copy": "copy",
    "POST /me/credits": "credits",
    "POST /me/phone": "phone",
    "PUT /me/nickname": "nickname",
    "PUT /me/residence": "home",
    "POST /me/statements": "statement",
    "POST /me/volunteer": "volunteer",
    "POST /volunteers/{resident_id}/entries": "volunteer_entry",
    "POST /volunteers/{resident_id}/guardian-consent": "guardian",
    "POST /posts": "post",
    **dict.fromkeys(("POST /teams", "POST /teams/{team_id}/name"), "team_name"),
    "POST /teams/join": "team_join",
    "POST /teams/{team_id}/code": "team_code",
    "POST /teams/{team_id}/hand-over": "team_hand_over",
}
SOURCES = [path.read_text("utf-8") for path in Path("chalicelib").rglob("*.py")]


def test_every_act_has_its_bound() -> None:
    assert BOUND.keys() & COUNTED.keys() == set()
    assert BOUND.keys() | COUNTED.keys() == WRITING, "say what keeps the new route from being called without an end"


def test_every_counter_is_there() -> None:
    for counter in set(COUNTED.values()):
        assert any(f'"{counter}"' in source and "limits." in source for source in SOURCES), counter


class TestRedeeming:
    """Redeeming and cancelling in a loop keeps an item each time, and holds stock meanwhile."""

    @pytest.fixture
    def buyer(self, http: Http, wechat: StandIn, configure: Callable[..., None]) -> tuple[Neighbour, str]:
        configure("mall", redemptions_a_day=3)
        street = Street(http, wechat)
        return shop.buyer(street, points=1000), shop.masks(street, stock=50)

    def test_comes_to_an_end_for_the_day(self, buyer: tuple[Neighbour, str]) -> None:
        chen, masks = buyer
        for _ in range(3):
            made = shop.redeemed(chen, masks)
            assert chen.post(f"/redemptions/{made['id']}/cancel").status == 200
        answer = shop.redeem(chen, masks)
        assert (answer.status, answer.code) == (429, "enough_redeemed_today")
        assert 0 < int(answer.headers["retry-after"]) <= 24 * 3600
        assert "明天再来" in answer.json["detail"]

    def test_also_with_many_at_the_same_moment(self, buyer: tuple[Neighbour, str]) -> None:
        chen, masks = buyer
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: shop.redeem(chen, masks), range(8)))
        assert [answer.status for answer in answers].count(201) == 3
        assert shop.redeem(chen, masks).code == "enough_redeemed_today"

    def test_a_repeat_counts_once(self, buyer: tuple[Neighbour, str]) -> None:
        chen, masks = buyer
        for _ in range(5):
            assert shop.redeem(chen, masks, key="k").status == 201
        for _ in range(2):
            shop.redeemed(chen, masks)
        assert shop.redeem(chen, masks, key="k").status == 201
        assert shop.redeem(chen, masks).code == "enough_redeemed_today"


class TestSigningUp:
    def test_again_and_again_comes_to_an_end_for_the_day_and_nothing_grows(
        self, hood: Hood, configure: Callable[..., None]
    ) -> None:
        configure("shifts", sign_ups_a_day=40)
        shift, chen, sizes = gate.shift(hood), gate.volunteer(hood), []
        for number in range(40):
            gate.signed_up(chen, shift, key=f"in-{number}")
            assert chen.post(f"/shifts/{shift}/withdraw", key=f"out-{number}").status == 200
            sizes.append(len(gate.place_of(chen, shift).marks))
        assert max(sizes) <= attempt.LATEST + 2
        answer = gate.sign_up(chen, shift)
        assert (answer.status, answer.code) == (429, "signed_up_too_often")
        assert 0 < int(answer.headers["retry-after"]) <= 24 * 3600

    def test_for_one_shift_says_nothing_of_another(self, hood: Hood, configure: Callable[..., None]) -> None:
        configure("shifts", sign_ups_a_day=1)
        first, second = gate.shift(hood), gate.shift(hood, starts=timedelta(days=9))
        chen = gate.volunteer(hood)
        gate.signed_up(chen, first)
        assert chen.post(f"/shifts/{first}/withdraw").status == 200
        assert gate.sign_up(chen, first).code == "signed_up_too_often"
        gate.signed_up(chen, second)

    def test_the_next_day_it_is_possible_again(self, hood: Hood, configure: Callable[..., None]) -> None:
        configure("shifts", sign_ups_a_day=1)
        shift, chen = gate.shift(hood), gate.volunteer(hood)
        gate.signed_up(chen, shift)
        assert chen.post(f"/shifts/{shift}/withdraw").status == 200
        mine = gate.place_of(chen, shift)
        mine.update([SignUp.at.set(clock.now() - timedelta(days=1))])
        gate.signed_up(chen, shift)

    def test_a_team_tells_its_members_so_often_and_no_more(self, hood: Hood, configure: Callable[..., None]) -> None:
        configure("shifts", sign_ups_a_day=2)
        shift, leader, member = gate.shift(hood), gate.volunteer(hood), gate.volunteer(hood)
        team = crew.team(leader, [member])
        for _ in range(2):
            assert leader.post(f"/shifts/{shift}/team-sign-up", json={"team": team}).status == 201
            assert leader.post(f"/shifts/{shift}/team-withdraw", json={"team": team}).status == 200
        answer = leader.post(f"/shifts/{shift}/team-sign-up", json={"team": team})
        assert (answer.status, answer.code) == (409, "team_member_signed_up_too_often"), answer


def test_what_phones_report_is_kept_so_often_an_hour(
    hood: Hood, configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    template = next(iter(catalogue.TEMPLATES))
    configure("notices", templates={"to_do": {"one_time": {"id": template}}})
    monkeypatch.setattr(credits, "REPORTS_AN_HOUR", 3)
    chen = hood.resident()
    for number in range(3):
        report = {"answers": {template: "accept"}}
        assert chen.post("/me/credits", json=report, key=f"{number}").status == 204
    assert chen.post("/me/credits", json={"answers": {template: "accept"}}, key="4").code == "too_many_requests"
