"""Who may do what: a row for every route, tried with everybody.

A route without a row fails. Who is not named in a row is refused with 401, 403 or 404 and changes nothing.
"""

from __future__ import annotations

import pytest

from chalicelib.kit.http import Route
from tests.engine.http import Answer
from tests.neighbourhood import Hood, Neighbour
from tests.security import presence, volunteers
from tests.security.bodies import right_body
from tests.security.routes import address, all_routes, meant_by
from tests.security.world import MASKS, World, made

ANYBODY = {
    *("nobody", "newcomer", "stranger", "foreign_staff", "staff", "former", "kin"),
    *("helper", "owner", "delegate"),
}
LOGGED_IN = ANYBODY - {"nobody", "delegate"}
RESIDENTS = LOGGED_IN - {"newcomer"}
STAFF = {"staff", "kin"}
APART = {"staff"}  # about the owner or the helper: not for who may act for them
OWNER = {"owner", "delegate"}  # a delegate with `Acting-For: <the owner>`
BOTH_SIDES = {"owner", "delegate", "helper"}

ROWS: dict[str, set[str]] = {
    # Nobody's data.
    "GET /areas": ANYBODY,
    "GET /privacy-notice": ANYBODY,
    # Whoever holds the paper.
    "GET /statements/{number}": ANYBODY,
    "GET /statements/{number}/page": ANYBODY,
    # Who proves it by something else than a session: WeChat's code, WeChat's signature.
    "POST /login": set(),
    "GET /wechat/callback": set(),
    "POST /wechat/callback": set(),
    # One's own affairs, consent or not.
    "GET /me": LOGGED_IN,
    "POST /me/copy": LOGGED_IN,
    "GET /me/copy": LOGGED_IN,
    "POST /me/close": LOGGED_IN,
    "POST /logout": LOGGED_IN,
    "POST /sessions/revoke": LOGGED_IN,
    "POST /me/consent": LOGGED_IN,
    "DELETE /me/consent": LOGGED_IN,
    # One's own affairs.
    "PUT /me/residence": RESIDENTS,
    "GET /me/lookups": RESIDENTS,
    "POST /me/delegates": RESIDENTS,
    "GET /me/delegates": RESIDENTS,
    "GET /me/invitations": RESIDENTS,
    "POST /delegations": RESIDENTS,
    "GET /delegations": RESIDENTS,
    "POST /me/phone": RESIDENTS,
    "GET /me/phone": RESIDENTS,
    "DELETE /me/phone": RESIDENTS,
    "GET /me/profile": RESIDENTS,
    "PUT /me/nickname": RESIDENTS,
    "POST /me/avatar": RESIDENTS,
    "GET /me/help-alerts": RESIDENTS,
    "PUT /me/help-alerts": RESIDENTS,
    "GET /me/points": RESIDENTS,
    "GET /me/points/statement": RESIDENTS,
    "GET /inbox": RESIDENTS,
    "GET /inbox/unread": RESIDENTS,
    "POST /inbox/read-all": RESIDENTS,
    "GET /me/templates": RESIDENTS,
    "POST /me/credits": RESIDENTS,
    "POST /inbox/{notice_id}/read": {"owner"},
    "DELETE /me/delegates/{delegate_id}": {"owner"},
    "DELETE /me/invitations/{code}": {"owner"},
    "DELETE /delegations/{principal_id}": {"kin"},
    # Staff, in their area.
    "GET /residences": STAFF,
    "POST /residences/{resident_id}/confirm": APART,
    "POST /residences/{resident_id}/decline": APART,
    "POST /residents/{resident_id}/identity": APART,
    "GET /reviews": STAFF,
    "GET /reviews/{review_id}": STAFF,
    "POST /reviews/{review_id}/decide": APART,
    "GET /help-requests/unanswered": STAFF,
    "GET /help-requests/filed": STAFF,
    "POST /help-requests/on-behalf": STAFF,
    "POST /help-requests/{request_id}/contact": STAFF,
    "POST /pick-ups": APART,
    "POST /desk/look-up": APART,
    "POST /desk/collect": APART,
    "GET /deliveries": STAFF,
    "POST /deliveries/{redemption_id}/with-code": APART,
    "POST /deliveries/{redemption_id}/with-photo": APART,
    "POST /deliveries/{redemption_id}/photos": APART,
    "POST /products/{product_id}/photos": STAFF,
    "POST /products/{product_id}/photos/{photo_id}/remove": STAFF,
    "GET /call-sheet": STAFF,
    "POST /call-sheet/{entry_id}/done": STAFF,
    # The mall.
    "GET /products": RESIDENTS,
    "GET /products/{product_id}": RESIDENTS,
    "POST /products/{product_id}/redemptions": RESIDENTS | {"delegate"},
    "GET /redemptions": RESIDENTS | {"delegate"},
    "GET /redemptions/{redemption_id}": OWNER,
    "GET /redemptions/{redemption_id}/code": OWNER,
    "POST /redemptions/{redemption_id}/cancel": OWNER,
    "POST /posts": STAFF,
    "POST /posts/{post_id}/withdraw": STAFF,
    "POST /posts/{post_id}/photos": STAFF,
    "POST /posts/{post_id}/photos/{photo_id}/remove": STAFF,
    # What staff say to everybody.
    "GET /posts": RESIDENTS,
    "GET /posts/mine": RESIDENTS,
    "GET /posts/{post_id}": RESIDENTS,
    "POST /posts/{post_id}/read": RESIDENTS,
    # Neighbours.
    "POST /help-requests": RESIDENTS | {"delegate"},
    "GET /help-requests": RESIDENTS,
    "GET /help-requests/mine": RESIDENTS | {"delegate"},
    "GET /help-requests/helping": RESIDENTS | {"delegate"},
    "GET /help-requests/{request_id}": RESIDENTS | {"delegate"},
    "POST /help-requests/{request_id}/flags": RESIDENTS - {"kin"},
    "POST /help-requests/{request_id}/offers": RESIDENTS - {"kin"} | {"delegate"},
    "POST /help-requests/{request_id}/withdraw": OWNER,
    "POST /help-requests/{request_id}/confirm": OWNER,
    "POST /help-requests/{request_id}/object": OWNER,
    "POST /help-requests/{request_id}/photos": OWNER,
    "POST /help-requests/{request_id}/photos/{photo_id}/remove": OWNER,
    "POST /help-requests/{request_id}/offers/{offer_id}/drop-off": {"helper"},
    "POST /help-requests/{request_id}/offers/{offer_id}/collect": OWNER,
    "POST /help-requests/{request_id}/offers/{offer_id}/cancel": BOTH_SIDES,
    "POST /help-requests/{request_id}/offers/{offer_id}/thanks": OWNER,
    "GET /help-requests/{request_id}/offers/{offer_id}/messages": BOTH_SIDES,
    "GET /help-requests/{request_id}/offers/{offer_id}/code": OWNER,
    "POST /help-requests/{request_id}/offers/{offer_id}/messages": BOTH_SIDES,
    # Hours and statements of them: one's own affair; what stands beside them is recorded by who keeps the file.
    "GET /me/service-hours": RESIDENTS,
    "GET /me/volunteer/entries": RESIDENTS,
    "POST /me/statements": RESIDENTS,
    "GET /me/statements": RESIDENTS,
    "GET /volunteers/{resident_id}/entries": APART,
    "POST /volunteers/{resident_id}/entries": APART,
    "POST /volunteers/{resident_id}/entries/{entry_id}/revoke": APART,
    # Hours of volunteers: confirmed and corrected by those who look after the area, asked about by their own.
    "GET /shifts/{shift_id}/hours": STAFF,
    "POST /shifts/{shift_id}/confirm": STAFF,
    "POST /shifts/{shift_id}/people/{person_id}/confirm": APART,
    "POST /shifts/{shift_id}/people/{person_id}/hours": APART,
    "POST /shifts/{shift_id}/hours/corrections": {"owner"},
    "GET /hours-corrections": STAFF,
    "POST /hours-corrections/{correction_id}/accept": APART,
    "POST /hours-corrections/{correction_id}/decline": APART,
    # Shifts: planned by who looks after the area, found by everybody.
    "POST /activities": STAFF,
    "GET /activities/mine": RESIDENTS,
    "GET /activities/{activity_id}": STAFF,  # a draft
    "PUT /activities/{activity_id}": STAFF,
    "POST /activities/{activity_id}/publish": STAFF,
    "POST /activities/{activity_id}/shifts": STAFF,
    "POST /activities/{activity_id}/cancel": STAFF,
    "POST /shifts/{shift_id}/change": STAFF,
    "POST /shifts/{shift_id}/cancel": STAFF,
    "GET /shifts/plan": STAFF,
    "GET /shifts": RESIDENTS,
    "GET /shifts/near-me": RESIDENTS,
    "GET /shifts/mine": RESIDENTS,
    "GET /shifts/running": RESIDENTS,
    "GET /shifts/{shift_id}": RESIDENTS,
    "POST /shifts/{shift_id}/sign-up": RESIDENTS,
    "POST /shifts/{shift_id}/withdraw": {"owner"},
    # Quizzes: one's own affair, which no delegate does for somebody.
    "GET /quizzes": RESIDENTS,
    "GET /quizzes/{quiz_id}": RESIDENTS,
    "POST /quizzes/{quiz_id}/attempts": RESIDENTS,
    "GET /quizzes/{quiz_id}/attempts/{attempt_id}": {"owner"},
    "POST /quizzes/{quiz_id}/attempts/{attempt_id}/submit": {"owner"},
    # Volunteers.
    **volunteers.ROWS,
    **presence.ROWS,
    # Teams: the owner leads one, the helper is in it.
    "POST /teams": RESIDENTS,
    "GET /teams/mine": RESIDENTS,
    "POST /teams/join": RESIDENTS,
    "GET /teams/{team_id}": RESIDENTS,
    "POST /teams/{team_id}/name": {"owner"},
    "POST /teams/{team_id}/code": {"owner"},
    "POST /teams/{team_id}/hand-over": {"owner"},
    "POST /teams/{team_id}/members/{member}/remove": {"owner"},
    "POST /teams/{team_id}/leave": {"owner", "helper"},
    "POST /teams/{team_id}/dissolve": {"owner"},
    "POST /shifts/{shift_id}/team-sign-up": {"owner"},
    "POST /shifts/{shift_id}/team-withdraw": {"owner"},
}
# Of their own who may, some have nothing to show yet; that is no refusal of theirs.
# Answers of 404 to who may: there is none yet, or the code is none.
NOTHING_YET = {"GET /me/copy": "no_copy", "POST /delegations": "invitation_not_found"}
ENDS_THE_SESSION = {"POST /me/close", "POST /logout", "POST /sessions/revoke", "DELETE /me/consent"}


def test_every_route_has_a_row_and_no_row_is_without_a_route() -> None:
    assert sorted(ROWS) == sorted(all_routes())


def call(route: Route, who: str, world: World) -> Answer:
    ids = meant_by(route, world.ids)
    if "contact" in route.path:
        ids["request_id"] = ids["filed_id"]
    if "flags" in route.path and who in ROWS[route.name]:  # three flags hide a request, so one for each
        ids["request_id"] = made(world.owner.post("/help-requests", json=MASKS))["id"]
    caller: Neighbour | None = None if who == "nobody" else getattr(world, who)
    more = {"acting_for": world.owner.id} if who == "delegate" else {}
    body = right_body(route, world)
    if body is not None:
        more["json"] = body
    return world.hood.http.call(
        route.method, address(route, world.hood.community, **ids), token=caller.token if caller else None, **more
    )


def refused(name: str, answer: Answer) -> bool:
    return answer.status in (401, 403, 404) and answer.code != NOTHING_YET.get(name)


def test_who_may_not_is_refused_and_who_may_is_not(fresh_world: World) -> None:
    """First all the refusals, which change nothing; then what is allowed, looking before touching."""
    world, routes = fresh_world, all_routes()
    let_in = [
        (name, who, call(routes[name], who, world))
        for name, allowed in ROWS.items()
        for who in sorted(ANYBODY - allowed)
        if routes[name].needs != "nobody"
    ]
    assert [(name, who, answer) for name, who, answer in let_in if not refused(name, answer)] == []

    kept_out = [
        (name, who, call(routes[name], who, world))
        for name in sorted(ROWS, key=lambda name: (_touches(name), routes[name].method))
        if name not in ENDS_THE_SESSION
        for who in sorted(ROWS[name] & ANYBODY)
    ]
    for name, who, answer in kept_out:
        assert not refused(name, answer), (name, who, answer)
        assert answer.status < 500, (name, who, answer)


def _touches(name: str) -> int:
    """What hides or ends something that the others need comes after them."""
    method = name.partition(" ")[0]
    ends = any(word in name for word in ("flags", "withdraw", "contact", "decide", "remove", "leave"))
    return {"GET": 0, "DELETE": 3}.get(method, 2 if ends else 1)


@pytest.mark.parametrize("name", sorted(ENDS_THE_SESSION))
def test_anybody_may_leave(name: str, hood: Hood) -> None:
    for leaving in (hood.somebody(), hood.resident()):
        answer = hood.http.call(
            *name.split(" "), token=leaving.token, json={"word": "注销"} if name == "POST /me/close" else {}
        )
        assert answer.status < 300, answer
    assert hood.http.call(*name.split(" "), json={}).code == "login_needed"


def test_wechats_own_address_takes_nothing_without_wechats_signature(world: World) -> None:
    for method in ("GET", "POST"):
        answer = world.hood.http.call(method, "/wechat/callback?echostr=1", body="{}")
        assert (answer.status, answer.code) == (403, "wechat_signature_wrong")
