"""What happens to points by itself: the nightly audit, and what a login earns where that rule is on."""

from __future__ import annotations

from datetime import datetime

from chalicelib.kit import log, timers
from chalicelib.kit.transaction import transaction
from chalicelib.people import service as people
from chalicelib.people.models import Resident
from chalicelib.points import audit, service
from chalicelib.points.models import AuditRound
from chalicelib.points.service import Earning, settled


@timers.on(audit.TIMER)
def audit_some(current: AuditRound, *, now: datetime) -> None:
    """A piece of tonight's audit; the next minute goes on."""
    audit.go_on(current, now=now)


@people.after_login
def reward_login(resident: Resident, *, now: datetime) -> None:
    """The first login of a day, if the rule is on. Nobody is kept out because the books do not answer."""

    @settled
    def reward() -> None:
        earning = Earning("login", resident=resident.id, subject="app", area=resident.home)
        with transaction() as tx:
            service.award(tx, earning, now=now)

    try:
        reward()
    except Exception as error:  # noqa: BLE001 - the next login of the day earns it
        log.crash(error, act="reward_login")
