"""What points cost: looking at them, and a piece of the audit."""

from __future__ import annotations

from unittest.mock import patch

from chalicelib.kit import clock
from chalicelib.points import audit
from chalicelib.points.models import AuditRound
from tests.budget.acts import Act, Town, act, good, when_due
from tests.budget.help import collected
from tests.points.books import give


@act("GET /me/points")
def my_points(town: Town) -> Act:
    chen = town.resident()
    give(chen.id)
    return lambda: chen.get("/me/points")


@act("GET /me/points/statement")
def my_statement(town: Town) -> Act:
    chen = town.resident()
    for _ in range(3):
        give(chen.id)
    month = good(chen.get("/me/points"))["month"]
    return lambda: chen.get(f"/me/points/statement?month={month}")


@act("POST /help-requests/{request_id}/confirm (the helper has earned this month)")
def confirm_again(town: Town) -> Act:
    li_ju, chen, request, _ = collected(town)
    give(chen.id)
    return lambda: li_ju.post(f"/help-requests/{request}/confirm")


@act("POST /help-requests/{request_id}/confirm (the rule is off)")
def confirm_without_points(town: Town) -> Act:
    from chalicelib.points.settings import DEFAULTS, Rule

    li_ju, _, request, _ = collected(town)
    off = {"help": Rule(name="帮助邻居", points=10, on=False)}

    def confirm() -> object:
        with patch.dict(DEFAULTS, off):
            return li_ju.post(f"/help-requests/{request}/confirm")

    return confirm


@act("timer points.audit (the end of a round)")
def audit_the_last(town: Town) -> Act:
    audit._started = False
    audit.start(clock.now())
    with patch.object(audit, "_next_residents", return_value=[]):
        for _ in range(audit.SHARDS - 1):
            audit.go_on(AuditRound.key(), now=clock.now(), seconds=0)
    piece = when_due(AuditRound.key())

    def finish() -> None:
        """Without what slices check at the end: that is two reads for each product that there is."""
        with patch.object(audit, "_next_residents", return_value=[]), patch.object(audit, "_round_checkers", []):
            piece()

    return finish
