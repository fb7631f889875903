"""All routes of the app, with an address for each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from chalicelib.kit.http import ROUTES, Route
from tests.security import presence, volunteers

# What a GET cannot do without.
QUERIES = {
    "/residences": "area=330402001001",
    "/deliveries": "area=330402001001001",
    "/products": "area=330402001001",
    "/call-sheet": "area=330402001001",
    "/reviews": "area=330402001001",
    "/help-requests": "area=330402001001",
    "/help-requests/unanswered": "area=330402001001",
    "/help-requests/filed": "area=330402001001",
    "/hours-corrections": "area=330402001001",
    "/quizzes": "area=330402001001",
    "/posts": "area=330402001001",
    "/shifts": "area=330402001001&day=2026-12-01",
    "/shifts/near-me": "day=2026-12-01",
    "/shifts/plan": "area=330402001001",
    "/me/templates": "moment=work",
    "/me/points/statement": "month=2026-11",
    **volunteers.QUERIES,
}


def of_the_app(routes: Iterable[Route]) -> list[Route]:
    """Without those that tests of the kit made for themselves."""
    import app  # noqa: F401 - it registers them

    return [route for route in routes if route.view.__module__.startswith("chalicelib.")]


def address(route: Route, area: str = "", **parameters: str) -> str:
    """Where to call it, in a community: each path parameter as given, else an id of nobody; a GET with the query it needs."""
    path = re.sub(r"{(\w+)}", lambda found: parameters.get(found[1], f"{found[1]}_nobody"), route.path)
    query = QUERIES.get(route.path) if route.method == "GET" else None
    if query and area:
        query = re.sub(r"area=\d{12}", f"area={area}", query)
    return f"{path}?{query}" if query else path


def meant_by(route: Route, ids: dict[str, str]) -> dict[str, str]:
    """The ids under the names that this route gives them: some things have the same name on several routes."""
    theirs = dict(ids)
    if route.path == "/activities/{activity_id}/shifts":
        theirs["activity_id"] = ids["shown_activity_id"]
    if route.path.startswith("/deliveries/"):
        theirs["redemption_id"] = ids["delivery_id"]
    if route.path.startswith("/products/"):
        theirs["photo_id"] = ids["picture_id"]
    if route.path.endswith("/hand-over"):
        theirs["team_id"] = ids["handed_team_id"]
    if route.path.endswith("/dissolve"):
        theirs["team_id"] = ids["ended_team_id"]
    if route.path.startswith("/posts/"):
        theirs["photo_id"] = ids["post_photo_id"]
    if route.path.startswith("/volunteers/"):
        theirs["entry_id"] = ids["volunteer_entry_id"]
    if route.path.startswith("/shifts/") and ("/hours" in route.path or route.path.endswith("/confirm")):
        theirs["shift_id"] = ids["served_id"]
    theirs |= volunteers.meant_by(route.name, ids)
    return theirs | presence.meant_by(route.path, ids)


def all_routes() -> dict[str, Any]:
    return {route.name: route for route in of_the_app(ROUTES)}
