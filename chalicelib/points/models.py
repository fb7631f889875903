"""The books: one partition per resident, `POINTS#<resident>`. System accounts have no item, so they are never hot."""

from __future__ import annotations

import zlib
from datetime import date, datetime
from typing import Any

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.kit import clock
from chalicelib.kit.table import CompactJSONAttribute, InstantAttribute, Item
from chalicelib.points import rules

SHARDS = 16  # partitions of an index; each takes 1,000 writes a second


def partition(resident_id: str) -> str:
    return f"POINTS#{resident_id}"


def shard(resident_id: str) -> int:
    return zlib.crc32(resident_id.encode()) % SHARDS


class Transfer(Item, discriminator="points_transfer"):
    """`POINTS#<resident>` / `TRANSFER#<business fact>`: points that moved between a resident and a system account.

    by_person: `POINTS_OF#<resident>#<month>` / `<time>#<fact>`: the statement of a month.
    by_area: `POINTS_RULE#<rule>#<day>#<shard>` / `<time>#<fact>`: what a rule gave on a day.
    Written once, never changed, never removed. The fact is the id: it happens once for ever.
    """

    PREFIX = "TRANSFER#"

    debit = UnicodeAttribute()
    credit = UnicodeAttribute()
    amount = NumberAttribute()
    reason = UnicodeAttribute()  # Chinese, as it was called then
    rule = UnicodeAttribute(null=True)
    subject = UnicodeAttribute()
    undoes = UnicodeAttribute(null=True)  # the fact that is corrected or returned
    at = InstantAttribute()
    month = UnicodeAttribute()  # in whose statement it stands

    @classmethod
    def key(cls, resident_id: str, fact: str) -> Transfer:
        return cls(partition(resident_id), f"{cls.PREFIX}{fact}")

    @classmethod
    def new(
        cls, resident_id: str, fact: str, amount: int, *, of: str, gives: bool, at: datetime, **more: Any
    ) -> Transfer:
        """`of` is the system account on the other side; `gives` says that the resident gets the points."""
        made = cls.key(resident_id, fact)
        made.debit, made.credit = (of, resident_id) if gives else (resident_id, of)
        made.amount, made.at = rules.amount(amount), at
        made.reason, made.subject = more["reason"], more["subject"]
        made.rule, made.undoes = more.get("rule"), more.get("undoes")
        if made.rule and made.undoes is None:
            made.area_key, made.area_sort = cls.of_rule(made.rule, clock.day(at), shard(resident_id)), made._place
        return made

    def list_in(self, month: str) -> None:
        self.month = month
        self.person_key, self.person_sort = statement(self.resident_id, month), self._place

    @staticmethod
    def of_rule(rule: str, day: date, number: int) -> str:
        return f"POINTS_RULE#{rule}#{day}#{number}"

    @property
    def _place(self) -> str:
        return f"{clock.stamp(self.at)}#{self.fact}"

    @property
    def fact(self) -> str:
        return self.sk.removeprefix(self.PREFIX)

    @property
    def resident_id(self) -> str:
        return self.pk.removeprefix("POINTS#")

    @property
    def change(self) -> int:
        """What it did to the resident's balance."""
        return int(self.amount) if self.credit == self.resident_id else -int(self.amount)

    @property
    def movement(self) -> rules.Movement:
        return rules.Movement(self.fact, self.debit, self.credit, int(self.amount), self.month, self.undoes)


class Account(Item, discriminator="points_account"):
    """`POINTS#<resident>` / `ACCOUNT`: the balance, a cache of the transfers, and what counts towards caps.

    In no index: it changes with every transfer, and each change would be written there too. Below a kilobyte even of
    somebody busy, because each change is paid by the kilobyte.
    """

    balance = NumberAttribute(default=0)
    month = UnicodeAttribute()  # the latest that has an opening
    used = CompactJSONAttribute(default=dict)  # `{<day or month>: {<rule>[ <with whom, shortened>]: points earned}}`
    taken = CompactJSONAttribute(default=dict)  # `{<last day of the period>: {<product>: how many}}`
    refusals = CompactJSONAttribute(
        default=list
    )  # of the day of the last one: `[[<time>, <rule>, <reason>, <subject>]]`
    decisions = NumberAttribute(default=0)  # how often these three changed: a write counts only on what it read
    closed_at = InstantAttribute(null=True)

    @classmethod
    def key(cls, resident_id: str) -> Account:
        return cls(partition(resident_id), "ACCOUNT")

    @classmethod
    def new(cls, resident_id: str, month: str) -> Account:
        made = cls.key(resident_id)
        made.month = month
        return made

    @property
    def refused(self) -> list[rules.Refusal]:
        return msgspec.convert(self.refusals, list[rules.Refusal])


class Opening(Item, discriminator="points_opening"):
    """`POINTS#<resident>` / `OPENING#<month>`: the balance with which a month began, written with its first transfer.

    by_person: `POINTS_OF#<resident>#<month>` / `0`: before the first line of the statement.
    by_area: `POINTS_BOOKS#<shard>` / `<resident>`: the audit's way through all books, only by a resident's very first one.
    """

    PREFIX = "OPENING#"

    balance = NumberAttribute()

    @classmethod
    def new(cls, resident_id: str, month: str, balance: int, *, first: bool) -> Opening:
        made = cls(partition(resident_id), f"{cls.PREFIX}{month}")
        made.balance = balance
        made.person_key, made.person_sort = statement(resident_id, month), "0"
        if first:
            made.area_key, made.area_sort = cls.listed(shard(resident_id)), resident_id
        return made

    @staticmethod
    def listed(number: int) -> str:
        return f"POINTS_BOOKS#{number}"

    @property
    def resident_id(self) -> str:
        return self.pk.removeprefix("POINTS#")

    @property
    def month(self) -> str:
        return self.sk.removeprefix(self.PREFIX)


class Shortfall(Item, discriminator="points_shortfall"):
    """`POINTS#<resident>` / `SHORT#<fact>`: what a correction could not take back, because it was spent already.

    by_area: `POINTS_SHORT#<rule>` / `<time>#<fact>`: for a person to decide about.
    """

    missing = NumberAttribute()
    at = InstantAttribute()

    @classmethod
    def key(cls, resident_id: str, fact: str) -> Shortfall:
        return cls(partition(resident_id), f"SHORT#{fact}")

    @classmethod
    def new(cls, first: Transfer, missing: int, at: datetime) -> Shortfall:
        made = cls.key(first.resident_id, first.fact)
        made.missing, made.at = missing, at
        made.area_key, made.area_sort = f"POINTS_SHORT#{first.rule}", f"{clock.stamp(at)}#{first.fact}"
        return made


class AuditRound(Item, discriminator="points_audit"):
    """`POINTS_AUDIT` / `ROUND`: how far tonight's audit has come, and what it has added up so far.

    by_due: timer `points.audit`.
    """

    day = UnicodeAttribute(default="")  # of the round under way, "" between two
    shard = NumberAttribute(default=0)
    reached = UnicodeAttribute(default="")  # resident up to whom this shard is done
    residents = NumberAttribute(default=0)
    issued = NumberAttribute(default=0)
    spent = NumberAttribute(default=0)
    lapsed = NumberAttribute(default=0)
    held = NumberAttribute(default=0)
    wrong = NumberAttribute(default=0)

    @classmethod
    def key(cls) -> AuditRound:
        return cls("POINTS_AUDIT", "ROUND")


class AuditReport(Item, discriminator="points_audit_report"):
    """`POINTS_AUDIT` / `REPORT#<day>`: what the audit of a night found."""

    PREFIX = "REPORT#"

    residents = NumberAttribute()
    issued = NumberAttribute()
    spent = NumberAttribute()
    lapsed = NumberAttribute()
    held = NumberAttribute()
    wrong = NumberAttribute()
    finished_at = InstantAttribute()

    @classmethod
    def key(cls, day: str) -> AuditReport:
        return cls("POINTS_AUDIT", f"{cls.PREFIX}{day}")


class Mismatch(Item, discriminator="points_mismatch"):
    """`POINTS_MISMATCH#<day>` / `<resident, or stock and a product>`: what does not add up, for a person to look into."""

    wrong = UnicodeAttribute()

    @classmethod
    def key(cls, day: str, whose: str) -> Mismatch:
        return cls(f"POINTS_MISMATCH#{day}", whose)


def statement(resident_id: str, month: str) -> str:
    return f"POINTS_OF#{resident_id}#{month}"
