"""Whatever happens in whatever order, books, stock and shifts are what some pages of plain Python say they should be.

Short here; `make prove` takes twenty thousand steps and more (PROVE=<number of stories>), and says which.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

import app  # noqa: F401 - every slice has registered what it does with a closed account
from chalicelib.kit import clock
from chalicelib.kit import settings as kit_settings
from chalicelib.points import audit
from tests.engine import local_aws
from tests.proof import gate_machine
from tests.proof.gate_machine import Gates
from tests.proof.machine import ACTS, SECOND, PointsAndGoods

STORIES = int(os.environ.get("PROVE", "0"))
LENGTH = 60 if STORIES else 30  # steps of a story

# A proof that never came there would prove nothing about them.
REACHED_AT_THE_GATE = {
    "sign up": "ok already_signed_up shift_full shifts_overlap sign_up_closed shift_cancelled",
    "withdraw": "ok not_signed_up too_late_to_withdraw shift_cancelled",
    "team signs up": "ok only_some_places_left shift_full team_member_already_signed_up team_member_busy sign_up_closed",
    "team withdraws": "ok team_not_signed_up",
    "check in": "ok not_on_the_list not_signed_up wrong_shift check_in_too_early shift_over already_checked_in "
    "already_checked_out still_waiting marked_absent shift_cancelled",
    "check out": "ok not_checked_in already_checked_out not_signed_up shift_over check_out_too_early",
    "cancel": "ok shift_cancelled shift_over",
    "change capacity": "ok",
    "change the end": "ok",
    "time passes": "shift_ends",
    "confirm": "ok shift_not_over hours_already_confirmed shift_never_began",
    "correct": "ok",
    "statement": "ok nothing_to_state",
}
REACHED = {
    "redeem": "ok over_the_cap not_enough_points sold_out only_some_left product_closed not_open_yet campaign_closed "
    "wrong_area quiz_not_passed price_changed way_needed desk_unknown no_delivery home_too_large account_closed",
    "redeem as it was": "ok price_changed product_closed over_the_cap",
    "redeem with an old key": "ok idempotency_key_reused account_closed",
    "cancel": "ok step_not_possible redemption_not_found account_closed",
    "collect": "ok code_used code_expired code_cancelled code_wrong code_of_another_desk own_redemption",
    "deliver": "ok code_wrong redemption_not_found own_redemption step_not_possible redemption_expired",
    "timers": "expired nothing",
    "expire unasked": "expired nothing",
    "restock": "ok receipt_used",
    "take out": "ok receipt_used not_so_many_left",
    "change terms": "ok",
    "prolong": "ok fixed_for_ever",
    "close an account": "closed",
    "award": "earned nothing",
    "spend": "ok not_enough_points points_already_spent",
    "spend within an allowance": "ok allowance_used allowance_over not_enough_points points_already_spent",
    "give back": "ok transfer_unknown points_already_returned",
    "correct": "ok transfer_unknown transfer_already_corrected",
    "reverse": "corrected nothing",
    "time passes": "later midnight month campaign expiry",
}


@pytest.fixture(autouse=True)
def _in_the_storys_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings are read once; no audit starts by the way; and no act may look at a clock of its own."""
    monkeypatch.setenv("SETTINGS_TTL_SECONDS", "3600")
    monkeypatch.setattr(audit, "_started", True)
    monkeypatch.setattr(clock, "now", _nobody_asks)
    kit_settings.forget()
    yield
    local_aws.remove_setting("points")
    kit_settings.forget()


def _nobody_asks() -> datetime:
    raise AssertionError("an act has looked at the clock; its caller gives it the time")


def test_whatever_happens_points_and_goods_are_what_the_model_says(capsys: Any) -> None:
    prove(PointsAndGoods, ACTS, REACHED, capsys)


def test_whatever_happens_at_the_gate_is_what_the_model_says(capsys: Any, configure: Any) -> None:
    configure("volunteers", statements_a_day=1000)
    prove(Gates, gate_machine.ACTS, REACHED_AT_THE_GATE, capsys)


def prove(machine: Any, acts: Counter[tuple[str, str]], reached: dict[str, str], capsys: Any) -> None:
    """Play stories, and say what happened in them."""
    acts.clear()
    began = time.monotonic()
    try:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=STORIES or 6,
                stateful_step_count=LENGTH,
                deadline=None,
                # What fails is shown as it happened: to shrink it against the engine takes minutes.
                phases=[Phase.explicit, Phase.generate],
                derandomize=not STORIES,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        if STORIES:
            with capsys.disabled():
                sys.stdout.write(_told(acts, time.monotonic() - began))
    if STORIES >= 100:
        missed = {(act, each) for act, said in reached.items() for each in said.split() if not acts[act, each]}
        assert missed == set()


def _told(acts: Counter[tuple[str, str]], seconds: float) -> str:
    steps = sum(count for (act, _), count in acts.items() if act not in SECOND)
    lines = [f"\n{steps} steps in {seconds:.0f} s ({seconds / max(steps, 1) * 1000:.0f} ms each)"]
    for act in sorted({act for act, _ in acts}):
        said = sorted(((count, each) for (of, each), count in acts.items() if of == act), reverse=True)
        lines.append(
            f"  {act}: {sum(count for count, _ in said)} = " + ", ".join(f"{each} {count}" for count, each in said)
        )
    return "\n".join([*lines, ""])
