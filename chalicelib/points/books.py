"""One resident's books inside a transaction: read, moved in memory, written under the condition that they are as read.

A write that finds them changed raises `Changed` at the commit; `settled` lets the act read and decide again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

import msgspec

from chalicelib.kit import clock
from chalicelib.kit import transaction as transactions
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Condition
from chalicelib.kit.transaction import transaction
from chalicelib.points import rules
from chalicelib.points.models import Account, Opening, Transfer
from chalicelib.points.rules import Allowance, Counts, Reason, Refusal, Rule

R = TypeVar("R")


# Reads and decides anew as long as others change the same books in between.
settled = transactions.settled(rules.TooManyAtOnce)


class Book:
    """What an act does to the books of one resident. Nothing is written before `write`."""

    def __init__(self, resident_id: str, account: Account | None, now: datetime) -> None:
        self.resident_id, self.now = resident_id, now
        self.account = account
        self.transfers: list[Transfer] = []
        self.used: Counts = rules.running(account.used, now) if account else {}
        self.taken: Counts = rules.running(account.taken, now) if account else {}
        self.refusals = account.refused if account else []
        self._decided = False

    @property
    def open(self) -> bool:
        return self.account is None or self.account.closed_at is None

    @property
    def balance(self) -> int:
        """As it will be."""
        return (int(self.account.balance) if self.account else 0) + self._change

    @property
    def _change(self) -> int:
        return sum(each.change for each in self.transfers)

    def move(self, transfer: Transfer) -> None:
        self.transfers.append(transfer)

    def earn(
        self, rule_id: str, rule: Rule, fact: str, subject: str, with_whom: str | None, *, times: int, told: str
    ) -> Transfer | Reason:
        """Earn by a rule, as far as its caps allow; otherwise keep why not. `told`: the subject a refusal may name."""
        day = clock.day(self.now)
        decision = rules.decide(rule_id, rule, self.used, with_whom=with_whom, day=day, times=times)
        if decision.refused:
            return self.refuse(rule_id, told, decision.refused)
        self.used, self._decided = decision.used, True
        more = {"reason": rule.name, "subject": subject, "rule": rule_id}
        amount = decision.times * rule.points
        earned = Transfer.new(self.resident_id, fact, amount, of=rules.ISSUED, gives=True, at=self.now, **more)
        self.move(earned)
        return earned

    def refuse(self, rule_id: str, subject: str, reason: Reason) -> Reason:
        """Keep why not. What is kept already is not written again: repeats cost nothing and stand in nobody's way."""
        refusals = rules.with_refusal(self.refusals, Refusal(self.now.replace(microsecond=0), rule_id, reason, subject))
        if refusals != self.refusals:
            self.refusals, self._decided = refusals, True
        return reason

    def take(self, wanted: Allowance) -> None:
        self.taken, self._decided = rules.take(self.taken, wanted, day=clock.day(self.now)), True

    def put_back(self, returned: Allowance) -> None:
        self.taken, self._decided = rules.put_back(self.taken, returned), True

    def close(self, tx: transaction) -> None:
        """What is held lapses, and nothing moves any more."""
        self.used, self.taken, self.refusals, self._decided = {}, {}, [], True
        self.write(tx, closing=True)

    def write(self, tx: transaction, *, closing: bool = False) -> None:
        """An account and a transfer: two items; in the first transfer of a month, its opening too."""
        if not self.transfers and not self._decided:
            return
        # A clock that is behind writes into the month that was opened already.
        month = rules.month_of(self.now)
        if self.account and self.account.month > month:
            month = self.account.month
        for transfer in self.transfers:
            transfer.list_in(month)
            tx.create(transfer, or_raise=Changed())
        opens = bool(self.transfers) and (self.account is None or self.account.month != month)
        if opens:
            before, first = (int(self.account.balance), not self.account.month) if self.account else (0, True)
            tx.create(Opening.new(self.resident_id, month, before, first=first), or_raise=Changed())
        if self.account is None:
            self._create(tx, month if opens else "", closing)
        else:
            self._update(tx, month, opens, closing)

    def _create(self, tx: transaction, month: str, closing: bool) -> None:
        made = Account.new(self.resident_id, month)
        made.balance, made.decisions = self.balance, 1
        made.used, made.taken, made.refusals = self.used, self.taken, self._kept()
        made.closed_at = self.now if closing else None
        tx.create(made, or_raise=Changed())

    def _update(self, tx: transaction, month: str, opens: bool, closing: bool) -> None:
        account = self.account
        assert account is not None
        change = self._change
        actions: list[Any] = []
        when: Condition = (Account.month == account.month) & Account.closed_at.does_not_exist()
        if change:
            actions.append(Account.balance.add(change))
        if change < 0:
            when = when & (Account.balance >= -change)
        if opens or closing:
            # The opening and the closing are about the balance itself, so nothing may have moved it.
            when = when & (Account.balance == int(account.balance))
        if opens:
            actions.append(Account.month.set(month))
        if self._decided:
            when = when & (Account.decisions == int(account.decisions))
            actions += Account.set(
                used=self.used, taken=self.taken, refusals=self._kept(), decisions=int(account.decisions) + 1
            )
        if closing:
            actions.append(Account.closed_at.set(self.now))
        tx.update(account, actions, when=when, or_raise=Changed())

    def _kept(self) -> list[Any]:
        kept: list[Any] = msgspec.to_builtins(self.refusals)
        return kept
