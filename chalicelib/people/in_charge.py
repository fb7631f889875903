"""Who looks after something at this moment. Nobody is written down as that: a duty may end at any time, also by itself."""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import datetime

from chalicelib.people import service as people

# They are told in the transaction of an act, which holds a hundred items; a community has a handful of each.
TOLD_AT_MOST = 20
_IN_TURN = ("grid_worker", "community_worker", "micro_grid_head")


def whom_to_tell(
    area: str,
    *,
    now: datetime,
    first: str | None = None,
    but: Container[str | None] = (),
    roles: Sequence[str] = _IN_TURN,
) -> list[str]:
    """Who hears of what has to be looked after there: `first` (who began with it), as long as they look after that area;
    else its grid workers, or else who may in their place. Nobody, when nobody does."""
    if first and first not in but and people.looks_after(first, area, now=now):
        return [first]
    for role in roles:
        others = [each for each in people.holders(role, area, now=now) if each not in but]
        if others:
            return others[:TOLD_AT_MOST]
    return []
