"""Every path parameter with an id of somebody else, of something else, or of nothing: not found, and no data."""

from __future__ import annotations

import re
from collections import defaultdict
from urllib.parse import quote

from chalicelib.kit.http import Route
from tests.engine.http import Answer
from tests.neighbourhood import Hood, Neighbour
from tests.security.bodies import right_body
from tests.security.routes import address, all_routes, meant_by
from tests.security.world import World

# Parameters that name the same kind of thing.
KINDS = {
    "delegate_id": "resident_id",
    "principal_id": "resident_id",
    "filed_id": "request_id",
    "delivery_id": "redemption_id",
    "picture_id": "photo_id",
    "proof_id": "photo_id",
    "post_photo_id": "photo_id",
    "volunteer_entry_id": "entry_id",
    "served_id": "shift_id",
    "person_id": "resident_id",
    "applicant_id": "resident_id",
    "shown_activity_id": "activity_id",
    "open_shift_id": "shift_id",
    "member": "resident_id",
    "handed_team_id": "team_id",
    "ended_team_id": "team_id",
}
OTHERS_AT_LEAST = 3  # kinds tried on each parameter of each route
STRANGE = [
    *("..", "../../ME", "..%2f..%2fsecrets", "%zz", "%00", "#", "REQUEST", "ME", "*", "' OR '1'='1", "{{7*7}}"),
    *(":PK", "a" * 2000, "😀" * 300, "\u202e", " ", "\r\nX: y"),
]


def parameters(route: Route) -> list[str]:
    return re.findall(r"{(\w+)}", route.path)


def call(route: Route, reader: Neighbour, world: World, **ids: str) -> Answer:
    body = right_body(route, world)
    more = {} if body is None else {"json": body}
    if body is None and route.method == "POST":
        more = {"json": {}}
    path = address(route, world.hood.community, **{**meant_by(route, world.ids), **ids})
    return world.hood.http.call(route.method, path, token=reader.token, **more)


def test_ids_of_things_of_another_kind_are_not_found(world: World) -> None:
    """Each kind of parameter with an id of each other kind, dealt out among the routes that have such a parameter."""
    ids = {KINDS.get(name, name): value for name, value in world.ids.items()}
    places = defaultdict(list)
    for route in all_routes().values():
        for name in parameters(route):
            places[KINDS.get(name, name)].append((route, name))
    for kind, routes in places.items():
        others = [other for other in ids if other != kind]
        for turn in range(max(len(others), OTHERS_AT_LEAST * len(routes))):
            (route, name), other = routes[turn % len(routes)], others[turn % len(others)]
            for reader in (world.owner, world.staff):
                answer = call(route, reader, world, **{name: ids[other]})
                assert answer.status in (401, 403, 404), (route.name, name, other, reader.name, answer)


def test_ids_of_another_neighbourhood_are_not_for_its_neighbours(world: World, hood: Hood) -> None:
    elsewhere = Hood(hood.http, hood.wechat)
    strangers = (elsewhere.resident(), elsewhere.staff("grid_worker"), elsewhere.staff("moderator"))
    public = {
        "GET /quizzes/{quiz_id}",
        "GET /help-requests/{request_id}",
        "POST /help-requests/{request_id}/flags",
        "POST /help-requests/{request_id}/offers",
        "GET /products/{product_id}",
        "POST /products/{product_id}/redemptions",
        "GET /posts/{post_id}",
        "GET /statements/{number}",
        "GET /statements/{number}/page",
        "POST /posts/{post_id}/read",  # and earns nothing
        "GET /teams/{team_id}",  # without its members
        "GET /shifts/{shift_id}",
        "POST /shifts/{shift_id}/sign-up",  # and is not of the audience
        "POST /shifts/{shift_id}/withdraw",  # and is not signed up
    }
    for route in all_routes().values():
        if parameters(route) and route.name not in public:
            for stranger in strangers:
                answer = call(route, stranger, world)
                assert answer.status in (403, 404), (route.name, answer)


def test_strange_ids_are_not_found_and_never_a_crash(world: World) -> None:
    for route in all_routes().values():
        for name in parameters(route):
            staffs = name in ("resident_id", "review_id", "entry_id", "person_id") or route.path.startswith(
                "/deliveries/"
            )
            reader = world.staff if staffs else world.owner
            for text in STRANGE:
                answer = call(route, reader, world, **{name: quote(text, safe="")})
                assert answer.status in (403, 404, 422, 429), (route.name, name, text[:20], answer)


def test_ids_that_are_not_percent_encoded_well_are_not_found(world: World) -> None:
    for route in all_routes().values():
        for name in parameters(route):
            for text in ("%", "%zz", "%C3%28", "%ED%A0%80", "%00%00", "+", "%2F%2F", "%23ME"):
                answer = call(route, world.owner, world, **{name: text})
                assert answer.status in (403, 404, 422, 429), (route.name, name, text, answer)


def test_nobody_reaches_another_offer_through_the_beginning_of_its_id(world: World) -> None:
    ids = world.ids
    for cut in (ids["offer_id"][:-1], "offer_", "", "%20"):
        path = f"/help-requests/{ids['request_id']}/offers/{cut or '%20'}/messages"
        assert world.stranger.get(path).status == 404
        assert world.owner.get(path).status == 404
