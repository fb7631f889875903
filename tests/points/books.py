"""The few things tests of the books do again and again: each is one transaction of a caller."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from unittest.mock import patch

from chalicelib.kit import clock, ids
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.points import audit, service
from chalicelib.points.models import Account, Transfer, partition
from chalicelib.points.rules import Allowance
from chalicelib.points.service import Correction, Earning, settled


def somebody() -> str:
    return ids.new_id("res")


def give(
    resident: str, rule: str = "help", subject: str | None = None, *, now: datetime | None = None, **more: Any
) -> int:
    """The points earned by it: 0 when a rule or a cap gives none."""

    def act() -> int:
        earning = Earning(rule, resident=resident, subject=subject or ids.new_id("offer"), **more)
        with transaction() as tx:
            earned = [each.transfer for each in service.award(tx, earning, now=now or clock.now()) if each.transfer]
        return sum(int(each.amount) for each in earned)

    return settled(act)()


def spend(
    resident: str,
    amount: Any,
    transfer_id: str | None = None,
    *,
    now: datetime | None = None,
    allowance: Allowance | None = None,
    **more: Any,
) -> Transfer:
    def act() -> Transfer:
        with transaction() as tx:
            return service.spend(
                tx,
                resident,
                amount,
                transfer_id=transfer_id or ids.new_id("redemption"),
                reason="兑换口罩",
                subject="口罩",
                now=now or clock.now(),
                allowances=(allowance,) if allowance else (),
                **more,
            )

    return settled(act)()


def give_back(resident: str, transfer_id: str, *, now: datetime | None = None, **more: Any) -> Transfer | None:
    def act() -> Transfer | None:
        reason, at = "兑换已取消", now or clock.now()
        with transaction() as tx:
            return service.give_back(tx, resident, transfer_id=transfer_id, reason=reason, now=at, **more)

    return settled(act)()


def correct(resident: str, transfer_id: str, *, now: datetime | None = None, at_most: Any = None) -> Correction:
    def act() -> Correction:
        more = {"reason": "更正", "now": now or clock.now(), "at_most": at_most}
        with transaction() as tx:
            return service.correct(tx, resident, transfer_id=transfer_id, **more)

    return settled(act)()


def account(resident: str) -> Account:
    return Account.fetch(partition(resident), "ACCOUNT")


def transfers(resident: str) -> list[Transfer]:
    return Item.collection(partition(resident), Transfer.PREFIX)


def check(resident: str) -> int:
    """The books of a resident add up; the balance. Whether a redemption was made for what was spent is not asked."""
    with patch.object(audit, "_checkers", []):
        sums = audit.look_at(resident).sums
    assert sums.wrong == []
    assert sums.issued == sums.held + sums.spent + sums.lapsed
    return sums.held


def at_once(number: int, act: Callable[[int], Any]) -> list[Any]:
    """The act in as many threads; what it returns, or the error it raises."""

    def caught(each: int) -> Any:
        try:
            return act(each)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            return error

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(caught, range(number)))


def codes(results: list[Any]) -> set[str]:
    return {result.code for result in results if isinstance(result, Exception)}  # type: ignore[attr-defined]


def balance_of(resident: str) -> int:
    """What somebody has, who may never have had any."""
    found = Account.find(partition(resident), "ACCOUNT")
    return int(found.balance) if found else 0
