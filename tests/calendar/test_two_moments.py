"""The short form of `make calendar`: what has to do with days, at two of the moments, other ones each day."""

from __future__ import annotations

import re
from datetime import date

import pytest

from tests.calendar.__main__ import MOMENTS, SENSITIVE, run_at

DAY = date.today().toordinal()  # which two does not matter, and a run begins on one day
TURNS = [list(MOMENTS)[(2 * DAY + turn) % len(MOMENTS)] for turn in (0, 1)]


@pytest.mark.parametrize("moment", TURNS)
def test_what_has_to_do_with_days_holds_at_another_moment(moment: str) -> None:
    done = run_at(MOMENTS[moment], SENSITIVE)
    assert done.returncode == 0, f"{moment}\n{done.stdout}\n{done.stderr}"
    assert re.search(r"\d{3,} passed", done.stdout), "hundreds of tests, or the list is wrong"
