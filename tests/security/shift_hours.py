"""Hours in the world of `world.py`: a shift that waits to be confirmed, and one whose hours the owner wants corrected."""

from __future__ import annotations

from tests.neighbourhood import Hood, Neighbour
from tests.shifts import evening

MINUTES = 200
REASON = "我一直在门口"


def served(hood: Hood, owner: Neighbour, ids: dict[str, str]) -> None:
    organiser = hood.staff("community_worker", name="另一位")
    ids["served_id"], confirmed = (evening.over(hood, organiser=organiser) for _ in range(2))
    ids["person_id"] = owner.id
    for shift in (ids["served_id"], confirmed):
        evening.on(owner, shift, came=0, left=120)
    evening.confirmed(organiser, confirmed)
    answer = evening.ask(owner, confirmed, MINUTES, reason=REASON)
    assert answer.status == 201, answer
    ids["correction_id"] = answer.json["id"]
