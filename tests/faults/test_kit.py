"""The kit's own ways to write on a bad day of AWS: see `trying.py`."""

from __future__ import annotations

from tests.faults.kit_acts import ACTS
from tests.faults.trying import every_call_fails

test_the_repeat_of_a_failed_act_ends_as_if_nothing_had_failed = every_call_fails(ACTS, every_way=True)
