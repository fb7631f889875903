"""What may happen to points: they are earned, spent, given back, corrected. Each joins its caller's transaction.

The caller's act is repeated by `settled` when others changed the same books in between:

    def confirm_it():
        with transaction() as tx:
            ...
            points.award(tx, Earning("help", resident=helper, subject=offer.id), now=now)
    settled(confirm_it)()

What is earned never fails the act that earns it: a rule that is off gives nothing, and a cap that is reached leaves
a word about it in the account, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Item, read_together
from chalicelib.kit.transaction import transaction
from chalicelib.people import service as people
from chalicelib.people.models import Resident
from chalicelib.points import audit, rules, settings
from chalicelib.points.books import Book
from chalicelib.points.books import settled as settled
from chalicelib.points.models import Account, Shortfall, Transfer
from chalicelib.points.rules import Allowance as Allowance
from chalicelib.points.rules import Reason, Rule


class Earning(msgspec.Struct, frozen=True):
    """Somebody did something for which there may be a rule. `area` is where; `with_whom` the other resident.

    `private`: what it was about is nobody's business. A refusal is then kept without the subject, so that no more than
    the transfer itself says who did it.

    `times`: what it is worth in points of the rule, for what is measured (hours served). A cap that leaves less than
    all of them gives as many as it leaves.
    """

    rule: str
    resident: str
    subject: str
    area: str | None = None
    with_whom: str | None = None
    private: bool = False
    times: int = 1

    def __post_init__(self) -> None:
        if self.times < 1:
            raise ValueError("an earning of nothing")


class Claim(NamedTuple):
    """Earnings for which a rule is in force, and what must be read to decide about them."""

    wanted: list[tuple[Earning, Rule, str]]
    now: datetime

    @property
    def items(self) -> list[Item]:
        """Keys of accounts, transfers of the same facts, and who earns; none without a rule in force."""
        keys: dict[tuple[str, str], Item] = {}
        for earning, _, fact in self.wanted:
            # The resident says whether they ever had a duty: hardly anybody has, and only then are duties read.
            resident = Resident.key(earning.resident)
            for item in (Account.key(earning.resident), Transfer.key(earning.resident, fact), resident):
                keys[_key(item)] = item
        return list(keys.values())


class Outcome(NamedTuple):
    """What is earned if the transaction commits, or why nothing."""

    transfer: Transfer | None
    refused: Reason | None


def award(tx: transaction, *earnings: Earning, now: datetime) -> list[Outcome]:
    """Let residents earn, as far as rules and caps allow: one read, and two items in the transaction for each of them.

    With no rule in force, nothing is read or written, and there is no outcome.
    """
    claimed = claim(*earnings, now=now)
    return settle(tx, claimed, read_together(*claimed.items)) if claimed.wanted else []


def claim(*earnings: Earning, now: datetime) -> Claim:
    """The first half of `award`, for an act that reads what it needs together with the claim's `items`."""
    rules_now = settings.current()
    wanted: list[tuple[Earning, Rule, str]] = []
    for earning in earnings:
        rule = rules_now.rule(earning.rule)
        if rule is not None and rules.in_force(rule, area=earning.area, now=now):
            wanted.append((earning, rule, rules.fact(earning.rule, rule, earning.subject, now=now)))
    return Claim(wanted, now)


def settle(tx: transaction, claimed: Claim, read: Iterable[Item | None]) -> list[Outcome]:
    """The second half: decide by what was read, and write. One outcome for each of the claim's `wanted`."""
    known = {_key(item): item for item in read if item is not None}
    now = claimed.now
    books: dict[str, Book] = {}
    outcomes: list[Outcome] = []
    for earning, rule, fact in claimed.wanted:
        account = known.get(_key(Account.key(earning.resident)))
        book = books.setdefault(
            earning.resident, Book(earning.resident, account if isinstance(account, Account) else None, now)
        )
        outcomes.append(_decide(book, earning, rule, fact, known))
    if any(book.account is None for book in books.values()):
        audit.start(now)
    for book in books.values():
        book.write(tx)
    return outcomes


def _decide(book: Book, earning: Earning, rule: Rule, fact: str, known: dict[tuple[str, str], Item]) -> Outcome:
    if not book.open:
        return Outcome(None, None)
    told = "" if earning.private else earning.subject
    if _key(Transfer.key(earning.resident, fact)) in known or any(each.fact == fact for each in book.transfers):
        return Outcome(None, book.refuse(earning.rule, told, "already_counted"))
    if _on_duty(earning, known, book.now):
        return Outcome(None, book.refuse(earning.rule, told, "on_duty"))
    decision = book.earn(earning.rule, rule, fact, earning.subject, earning.with_whom, times=earning.times, told=told)
    return Outcome(decision, None) if isinstance(decision, Transfer) else Outcome(None, decision)


def _on_duty(earning: Earning, known: dict[tuple[str, str], Item], now: datetime) -> bool:
    """Would it be this resident's work there (docs/decisions/0009)?"""
    resident = known.get(_key(Resident.key(earning.resident)))
    if not isinstance(resident, Resident) or not earning.area:
        return False
    # Who never had a duty, as nearly everybody, needs no Query for theirs.
    return bool(resident.had_duty) and people.looks_after(resident.id, earning.area, now=now)


def needed_to_spend(resident_id: str, transfer_id: str) -> tuple[Item, Item]:
    """The keys of what `spend` looks at, for a caller that reads everything in one go and hands it on as `known`."""
    return Account.key(resident_id), Transfer.key(resident_id, transfer_id)


def spend(
    tx: transaction,
    resident_id: str,
    amount: int,
    *,
    transfer_id: str,
    reason: str,
    subject: str,
    now: datetime,
    allowances: Iterable[Allowance] = (),
    known: Iterable[Item | None] | None = None,
) -> Transfer:
    """Take points from a resident, or NotEnoughPoints. The same `transfer_id` is taken once for ever (AlreadySpent).

    With `allowances`, what this resident has taken of things capped is decided in the same write, or AllowanceUsed.
    `known` are items read consistently, those `needed_to_spend` among them as far as they exist: nothing is read then.
    """
    rules.amount(amount)
    account, spent = _found(needed_to_spend(resident_id, transfer_id), known)
    if spent is not None:
        raise rules.AlreadySpent()
    book = Book(resident_id, account, now)
    for allowance in allowances if book.open else ():
        book.take(allowance)
    if not book.open or book.balance < amount:
        raise rules.NotEnoughPoints(amount, book.balance)
    transfer = Transfer.new(
        resident_id, transfer_id, amount, of=rules.SPENT, gives=False, at=now, reason=reason, subject=subject
    )
    book.move(transfer)
    book.write(tx)
    return transfer


def needed_to_give_back(resident_id: str, transfer_id: str) -> tuple[Item, Item, Item]:
    """The keys of what `give_back` looks at, as for `needed_to_spend`."""
    return *needed_to_spend(resident_id, transfer_id), Transfer.key(resident_id, _returned(transfer_id))


def _returned(transfer_id: str) -> str:
    return f"{transfer_id}:returned"


def give_back(
    tx: transaction,
    resident_id: str,
    *,
    transfer_id: str,
    reason: str,
    now: datetime,
    allowance: Allowance | None = None,
    known: Iterable[Item | None] | None = None,
) -> Transfer | None:
    """Return what was spent by this transfer, once. None for a closed account, whose points have lapsed.

    The `allowance` is the one with which it was spent, however the cap has changed since; `known` as for `spend`.
    """
    account, first, returned = _found(needed_to_give_back(resident_id, transfer_id), known)
    if first is None or first.credit != rules.SPENT:
        raise rules.TransferUnknown()
    if returned is not None:
        raise rules.AlreadyReturned()
    book = Book(resident_id, account, now)
    if not book.open:
        return None
    more = {"reason": reason, "subject": first.subject, "undoes": first.fact}
    fact = _returned(transfer_id)
    transfer = Transfer.new(resident_id, fact, int(first.amount), of=rules.SPENT, gives=True, at=now, **more)
    book.move(transfer)
    if allowance is not None:
        book.put_back(allowance)
    book.write(tx)
    return transfer


class Correction(msgspec.Struct, frozen=True):
    """What was taken back, what could not be because it was spent already, and for what it had been given."""

    taken: int
    missing: int
    what: str


def needed_to_correct(resident_id: str, transfer_id: str) -> tuple[Item, Item, Item, Item]:
    """The keys of what `correct` looks at, as for `needed_to_spend`: account, transfer, its correction, what it missed."""
    account, first = needed_to_spend(resident_id, transfer_id)
    corrected = Transfer.key(resident_id, _corrected(transfer_id))
    return account, first, corrected, Shortfall.key(resident_id, transfer_id)


def last_standing(resident_id: str, transfer_ids: Sequence[str], known: Iterable[Item | None]) -> str | None:
    """The last of these transfers that has given points and was not corrected; None when there is none.

    `known` as for `correct`, with what that needs of each of them.
    """
    there = list(known)
    for transfer_id in reversed(transfer_ids):
        _, first, corrected, short = _found(needed_to_correct(resident_id, transfer_id), there)
        if first is not None and first.debit == rules.ISSUED and corrected is None and short is None:
            return transfer_id
    return None


def _corrected(transfer_id: str) -> str:
    return f"{transfer_id}:corrected"


def correct(
    tx: transaction,
    resident_id: str,
    *,
    transfer_id: str,
    reason: str,
    now: datetime,
    at_most: int | None = None,
    known: Iterable[Item | None] | None = None,
) -> Correction:
    """Take back what was earned by this transfer, or `at_most` so many of it; once, down to zero and never below.

    What is missing is written down for a person to decide about; it is not taken from what is earned later.
    `known` are items read consistently, those `needed_to_correct` among them as far as they exist: nothing is read then.
    """
    if at_most is not None:
        rules.amount(at_most)
    corrected_id = _corrected(transfer_id)
    account, first, corrected, short = _found(needed_to_correct(resident_id, transfer_id), known)
    if first is None:
        raise rules.TransferUnknown()
    if first.debit != rules.ISSUED:
        raise rules.NotCorrectable()
    if corrected is not None or short is not None:
        raise rules.AlreadyCorrected()
    book = Book(resident_id, account, now)
    wanted = int(first.amount) if at_most is None else min(at_most, int(first.amount))
    taken = min(wanted, book.balance) if book.open else 0
    missing = wanted - taken
    if taken:
        more = {"reason": reason, "subject": first.subject, "rule": first.rule, "undoes": first.fact}
        book.move(Transfer.new(resident_id, corrected_id, taken, of=rules.ISSUED, gives=False, at=now, **more))
        book.write(tx)
        if missing:
            tx.create(Shortfall.new(first, missing, now), or_raise=Changed())
    else:
        tx.create(Shortfall.new(first, missing, now), or_raise=Changed())
    return Correction(taken, missing, first.reason)


@settled
def close(resident_id: str, *, now: datetime) -> None:
    """The resident leaves: what they hold lapses by a visible transfer, and the books stay, without the person."""
    account = Account.find(*_key(Account.key(resident_id)))
    book = Book(resident_id, account, now)
    if not book.open:
        return
    if book.balance:
        more = {"reason": "账号注销，积分作废", "subject": "account"}
        book.move(Transfer.new(resident_id, "closed", book.balance, of=rules.LAPSED, gives=False, at=now, **more))
    with transaction() as tx:
        book.close(tx)


def _found(keys: Sequence[Item], known: Iterable[Item | None] | None) -> list[Any]:
    """The stored items with these keys, None where there is none: out of what the caller has read, or read now."""
    if known is None:
        return read_together(*keys)
    by_key = {_key(item): item for item in known if item is not None}
    return [by_key.get(_key(key)) for key in keys]


def _key(item: Item) -> tuple[str, str]:
    return item.pk, item.sk
