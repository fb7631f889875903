"""Granting a right, in the transaction of the act that earns it."""

from __future__ import annotations

from datetime import datetime

from chalicelib.entitlements.models import Entitlement
from chalicelib.kit.transaction import transaction


def grant(tx: transaction, resident_id: str, what: str, *, why: str, now: datetime) -> None:
    """Let somebody have this right from now on. Granted again, it stays as the first time, and nothing is refused.

    `why` is a Chinese sentence for its holder. The caller's transaction must check that the resident is still there.
    """
    tx.update(
        Entitlement.key(resident_id, what),
        Entitlement.set(why=Entitlement.why | why, granted_at=Entitlement.granted_at | now),
        create=True,
    )
