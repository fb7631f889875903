"""What the books should say, in plain Python: a dictionary and the rules as the issue words them, and no more.

It is written from the rules, not from the code, and knows neither items nor transactions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8))


@dataclass
class Rule:
    points: int
    a_day: int | None = None
    a_month: int | None = None
    pair: int | None = None
    on: bool = True


@dataclass
class Given:
    resident: str
    rule: str
    subject: str
    whom: str | None
    points: int
    at: datetime
    corrected: bool = False

    @property
    def day(self) -> date:
        return self.at.astimezone(SHANGHAI).date()


@dataclass
class Taken:
    """So many of something that is capped by the period which ends with `until`."""

    of: str
    until: date
    quantity: int
    at_most: int | None


@dataclass
class Spent:
    amount: int
    taken: Taken | None
    returned: bool = False


@dataclass
class Model:
    rules: dict[str, Rule]
    balance: dict[str, int] = field(default_factory=dict)
    given: list[Given] = field(default_factory=list)
    spent: dict[tuple[str, str], Spent] = field(default_factory=dict)  # by resident and id
    missing: dict[str, int] = field(default_factory=dict)
    taken_back: int = 0
    lapsed: dict[str, int] = field(default_factory=dict)  # by residents who have left

    def award(self, resident: str, rule_id: str, subject: str, whom: str | None, now: datetime, times: int = 1) -> int:
        """As many times the rule's points as every cap leaves."""
        rule = self.rules.get(rule_id)
        if rule is None or not rule.on or resident in self.lapsed:
            return 0
        mine = [each for each in self.given if (each.resident, each.rule) == (resident, rule_id)]
        if any(each.subject == subject for each in mine):
            return 0
        day = now.astimezone(SHANGHAI).date()
        today = [each for each in mine if each.day == day]
        month = [each for each in mine if (each.day.year, each.day.month) == (day.year, day.month)]
        pair = [each for each in month if whom is not None and each.whom == whom]
        for earlier, cap in ((today, rule.a_day), (month, rule.a_month), (pair, rule.pair if whom else None)):
            while cap is not None and times and sum(each.points for each in earlier) + times * rule.points > cap:
                times -= 1
        if not times:
            return 0
        points = times * rule.points
        self.given.append(Given(resident, rule_id, subject, whom, points, now))
        self.balance[resident] = self.balance.get(resident, 0) + points
        return points

    def taken(self, resident: str, of: str, until: date) -> int:
        """What this resident has taken of it in the period and not given back."""
        mine = [each for (who, _), each in self.spent.items() if who == resident and not each.returned]
        return sum(
            each.taken.quantity for each in mine if each.taken and (each.taken.of, each.taken.until) == (of, until)
        )

    def may_spend(self, resident: str, transfer_id: str, amount: int, taken: Taken | None, now: datetime) -> str:
        if (resident, transfer_id) in self.spent:
            return "points_already_spent"
        if resident in self.lapsed:
            return "not_enough_points"
        if taken is not None:
            if now.astimezone(SHANGHAI).date() > taken.until:
                return "allowance_over"
            there = self.taken(resident, taken.of, taken.until)
            if taken.at_most is not None and there + taken.quantity > taken.at_most:
                return "allowance_used"
        return "ok" if self.balance.get(resident, 0) >= amount else "not_enough_points"

    def spend(self, resident: str, transfer_id: str, amount: int, taken: Taken | None, now: datetime) -> str:
        said = self.may_spend(resident, transfer_id, amount, taken, now)
        if said == "ok":
            self.balance[resident] -= amount
            self.spent[resident, transfer_id] = Spent(amount, taken)
        return said

    def give_back(self, resident: str, transfer_id: str) -> str:
        spent = self.spent.get((resident, transfer_id))
        if spent is None:
            return "transfer_unknown"
        if spent.returned:
            return "points_already_returned"
        if resident in self.lapsed:
            return "ok"  # and nothing moves: there is nobody to give it to
        spent.returned = True
        self.balance[resident] += spent.amount
        return "ok"

    def correct(self, resident: str, rule_id: str, subject: str, at_most: int | None = None) -> str:
        found = [e for e in self.given if (e.resident, e.rule, e.subject) == (resident, rule_id, subject)]
        if not found:
            return "transfer_unknown"
        (given,) = found
        if given.corrected:
            return "transfer_already_corrected"
        wanted = given.points if at_most is None else min(at_most, given.points)
        taken = min(wanted, self.balance.get(resident, 0))
        self.balance[resident] = self.balance.get(resident, 0) - taken
        self.taken_back += taken
        self.missing[resident] = self.missing.get(resident, 0) + wanted - taken
        given.corrected = True
        return "ok"

    def reverse(self, rule_id: str, since: datetime, until: datetime) -> None:
        wanted = [e for e in self.given if e.rule == rule_id and since <= e.at < until and not e.corrected]
        for each in wanted:
            self.correct(each.resident, rule_id, each.subject)

    def close(self, resident: str) -> None:
        self.lapsed[resident] = self.balance.get(resident, 0)
        self.balance[resident] = 0

    @property
    def held(self) -> int:
        return sum(self.balance.values())

    @property
    def issued(self) -> int:
        return sum(each.points for each in self.given) - self.taken_back

    @property
    def out(self) -> int:
        return sum(each.amount for each in self.spent.values() if not each.returned)
