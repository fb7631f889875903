"""What earns and what does not, and whether books add up: values in, values out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from chalicelib.points import rules
from chalicelib.points.rules import Allowance, Movement, Refusal, Rule, add_up, decide
from chalicelib.points.settings import DEFAULTS, Settings

DAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)
HELP = Rule(name="帮助邻居", points=10, a_day=20, a_month=50, with_one_person_a_month=20)


def earn(times: int, rule: Rule = HELP, *, whom: str | None = None, day: date = DAY, used=None):
    used, refused = dict(used or {}), None
    for _ in range(times):
        used, refused, _ = decide("help", rule, used, with_whom=whom, day=day)
    return used, refused


class TestCaps:
    def test_up_to_the_cap_and_not_one_point_more(self):
        assert earn(2)[1] is None
        used, refused = earn(3)
        assert refused == "cap_a_day"
        assert used["2026-11-22"] == {"help": 20}

    def test_nothing_is_given_in_part(self):
        assert earn(1, Rule(name="x", points=10, a_day=9))[1] == "cap_a_day"

    def test_a_new_day_begins_anew_and_the_month_goes_on(self):
        used, _ = earn(2)
        used, refused = earn(2, day=DAY + timedelta(days=1), used=used)
        assert refused is None
        assert used == {"2026-11-22": {"help": 20}, "2026-11-23": {"help": 20}, "2026-11": {"help": 40}}
        used, refused = earn(2, day=DAY + timedelta(days=2), used=used)
        assert (refused, used["2026-11"]) == ("cap_a_month", {"help": 50})
        used, refused = earn(1, day=date(2026, 12, 1), used=used)
        assert (refused, used["2026-12-01"], used["2026-12"]) == (None, {"help": 10}, {"help": 10})

    def test_two_friends_do_not_farm(self):
        used, refused = earn(2, whom="res_a")
        assert refused is None
        rule = msgspec.structs.replace(HELP, a_day=None)
        assert earn(1, rule, whom="res_a", used=used)[1] == "cap_with_one_person"
        assert earn(1, rule, whom="res_b", used=used)[1] is None

    def test_a_cap_set_at_noon_counts_the_morning(self):
        used, _ = earn(5, Rule(name="x", points=10))
        assert earn(1, HELP, used=used)[1] == "cap_a_day"

    def test_of_what_is_worth_several_times_the_points_as_many_as_the_caps_leave_are_given(self):
        hours = Rule(name="x", points=2, a_day=9, a_month=12)
        used, refused, times = decide("hours", hours, {}, with_whom=None, day=DAY, times=3)
        assert (refused, times, used["2026-11-22"]) == (None, 3, {"hours": 6})
        used, refused, times = decide("hours", hours, used, with_whom=None, day=DAY, times=3)
        assert (refused, times, used["2026-11-22"]) == (None, 1, {"hours": 8}), "one left, and half a time is none"
        again = decide("hours", hours, used, with_whom=None, day=DAY, times=3)
        assert (again.used, again.refused, again.times) == (used, "cap_a_day", 0)
        tomorrow = DAY + timedelta(days=1)
        used, refused, times = decide("hours", hours, used, with_whom=None, day=tomorrow, times=3)
        assert (refused, times, used["2026-11"]) == (None, 2, {"hours": 12})
        assert decide("hours", hours, used, with_whom=None, day=tomorrow, times=1).refused == "cap_a_month"

    def test_never_more_than_one_transfer_may_move(self):
        dear = Rule(name="x", points=300_000)
        assert decide("hours", dear, {}, with_whom=None, day=DAY, times=9).times == 3

    def test_rules_do_not_share_their_caps(self):
        used, _ = earn(2)
        assert decide("read", HELP, used, with_whom=None, day=DAY).refused is None


class TestAllowances:
    LAST = date(2026, 11, 30)

    def masks(self, quantity: int = 1, at_most: int | None = 2) -> Allowance:
        return Allowance(of="prod_masks", until=self.LAST, quantity=quantity, at_most=at_most)

    def test_as_many_as_allowed_and_then_it_says_how_many_are_left(self):
        taken = rules.take({}, self.masks(), day=DAY)
        assert taken == {"2026-11-30": {"prod_masks": 1}}
        with pytest.raises(rules.AllowanceUsed) as refusal:
            rules.take(taken, self.masks(2), day=DAY)
        assert (refusal.value.left, "还可以兑换 1 份" in refusal.value.detail) == (1, True)
        with pytest.raises(rules.AllowanceUsed) as refusal:
            rules.take(rules.take(taken, self.masks(), day=DAY), self.masks(), day=DAY)
        assert (refusal.value.left, refusal.value.code) == (0, "allowance_used")
        assert not refusal.value.detail.isascii()

    def test_what_is_not_capped_is_counted_for_a_cap_that_comes_later(self):
        taken = rules.take({}, self.masks(5, at_most=None), day=DAY)
        with pytest.raises(rules.AllowanceUsed) as refusal:
            rules.take(taken, self.masks(1, at_most=2), day=DAY)
        assert refusal.value.left == 0, "lowered under what was taken"

    def test_another_thing_and_another_period_have_their_own(self):
        taken = rules.take({}, self.masks(2), day=DAY)
        rice = msgspec.structs.replace(self.masks(2), of="prod_rice")
        december = msgspec.structs.replace(self.masks(2), until=date(2026, 12, 31))
        assert len(rules.take(rules.take(taken, rice, day=DAY), december, day=DAY)) == 2

    def test_after_the_last_day_nothing_is_allowed(self):
        assert rules.take({}, self.masks(), day=self.LAST)
        with pytest.raises(rules.AllowanceOver):
            rules.take({}, self.masks(), day=self.LAST + timedelta(days=1))

    def test_what_is_put_back_may_be_taken_again_and_never_more(self):
        taken = rules.put_back(rules.take({}, self.masks(2), day=DAY), self.masks(1))
        assert taken == {"2026-11-30": {"prod_masks": 1}}
        assert rules.running(rules.put_back(taken, self.masks(2)), NOON) == {}
        assert rules.put_back({}, self.masks(2)) == {}, "forgotten stays forgotten"

    def test_nothing_or_less_is_no_quantity(self):
        for wrong in (0, -1):
            with pytest.raises(ValueError, match="nothing"):
                self.masks(wrong)

    @pytest.mark.parametrize(
        ("day", "end"),
        [("2026-11-01", "2026-11-30"), ("2026-12-31", "2026-12-31"), ("2028-02-05", "2028-02-29")],
    )
    def test_a_month_ends_on_its_last_day(self, day, end):
        assert rules.month_end(date.fromisoformat(day)) == date.fromisoformat(end)


def test_counts_are_kept_until_their_period_is_over_in_shanghai_and_an_hour_longer():
    counts = {"2026-11-30": {"prod_masks": 2}, "2026-11": {"help": 10}, "2026-11-29": {"help": 10}, "2027-01-31": {}}
    midnight = datetime(2026, 11, 30, 16, tzinfo=UTC)
    assert rules.running(counts, midnight).keys() == {"2026-11-30", "2026-11"}
    assert rules.running(counts, midnight + rules.LATE - timedelta(seconds=1)).keys() == {"2026-11-30", "2026-11"}
    assert rules.running(counts, midnight + rules.LATE) == {}
    assert rules.running({"2026-12": {"help": 3}}, NOON) == {"2026-12": {"help": 3}}, "by a clock that is ahead"


class TestInForce:
    @pytest.mark.parametrize(
        ("change", "area", "wanted"),
        [
            ({}, None, True),
            ({"on": False}, None, False),
            ({"begins": NOON + timedelta(seconds=1)}, None, False),
            ({"begins": NOON}, None, True),
            ({"ends": NOON}, None, False),
            ({"area": "330402"}, "330402001001", True),
            ({"area": "330402"}, "330403001001", False),
            ({"area": "330402"}, None, False),
        ],
    )
    def test_a_rule_has_its_time_and_its_place(self, change, area, wanted):
        rule = msgspec.structs.replace(HELP, **change)
        assert rules.in_force(rule, area=area, now=NOON) is wanted

    def test_an_unknown_rule_is_not_in_force(self):
        assert rules.in_force(None, area=None, now=NOON) is False

    def test_the_day_begins_at_midnight_in_shanghai(self):
        daily = msgspec.structs.replace(HELP, once_per_subject=False)
        before, after = (datetime(2026, 11, 22, 15, 59, 59, tzinfo=UTC) + timedelta(seconds=s) for s in (0, 1))
        assert rules.fact("login", daily, "app", now=before) == "login:app:2026-11-22"
        assert rules.fact("login", daily, "app", now=after) == "login:app:2026-11-23"
        assert rules.fact("help", HELP, "offer_1", now=after) == "help:offer_1"


class TestSettings:
    def test_logins_earn_nothing_unless_an_administrator_says_so(self):
        assert DEFAULTS["login"].on is False
        assert Settings().rule("help") is DEFAULTS["help"]
        assert Settings().rule("unheard_of") is None

    @pytest.mark.parametrize(
        "wrong",
        [
            {"points": 0},
            {"points": -1},
            {"points": 2**63},
            {"points": 1.5},
            {"points": "2"},
            {"a_day": 0},
            {"x": 1},
            {"name": " "},
        ],
    )
    def test_a_rule_that_makes_no_sense_is_no_rule(self, wrong):
        document = msgspec.json.encode({"rules": {"help": {"name": "x", "points": 5, **wrong}}})
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(document, type=Settings)


@pytest.mark.parametrize("wrong", [0, -1, 2**63, 1.5, "2", True, None, rules.POINTS_AT_MOST + 1])
def test_what_is_no_amount_is_refused(wrong):
    with pytest.raises(rules.AmountInvalid):
        rules.amount(wrong)


def test_refusals_are_those_of_the_day_and_each_once():
    one = Refusal(NOON, "help", "cap_a_day", "offer_1")
    other = msgspec.structs.replace(one, subject="offer_2")
    assert rules.with_refusal([one, other], one) == [one, other]
    again = msgspec.structs.replace(one, at=NOON + timedelta(minutes=1))
    assert rules.with_refusal([one, other], again) == [one, other]
    tomorrow = msgspec.structs.replace(one, at=NOON + timedelta(days=1))
    assert rules.with_refusal([one, other], tomorrow) == [tomorrow]
    many = [msgspec.structs.replace(one, subject=f"{number}") for number in range(50)]
    assert len(rules.with_refusal(many, one)) == rules.REFUSALS_KEPT


def test_every_refusal_says_in_chinese_why():
    assert all(not text.isascii() for text in rules.REASONS.values())


class TestAddingUp:
    GIVEN = Movement("help:1", "issued", "me", 10, "2026-11", None)
    SPENT = Movement("redemption:1", "me", "spent", 4, "2026-11", None)
    BACK = Movement("redemption:1:returned", "spent", "me", 4, "2026-12", "redemption:1")
    OPENINGS = {"2026-11": 0, "2026-12": 6}  # noqa: RUF012

    def wrong(self, balance, *movements, openings=None):
        return add_up("me", balance, openings or self.OPENINGS, movements).wrong

    def test_books_that_are_right(self):
        sums = add_up("me", 10, self.OPENINGS, [self.GIVEN, self.SPENT, self.BACK])
        assert sums == (10, 0, 0, 10, [])

    def test_a_balance_that_is_not_the_sum(self):
        assert self.wrong(11, self.GIVEN, openings={"2026-11": 0}) == ["balance 11 is not the sum 10"]

    def test_a_return_twice_of_nothing_or_of_more(self):
        again = self.BACK._replace(fact="redemption:1:again")
        assert "undone_twice redemption:1" in self.wrong(14, self.GIVEN, self.SPENT, self.BACK, again)
        assert "undoes_nothing redemption:1:returned" in self.wrong(14, self.GIVEN, self.BACK)
        more = self.BACK._replace(amount=5)
        assert "undoes_nothing redemption:1:returned" in self.wrong(11, self.GIVEN, self.SPENT, more)

    def test_a_transfer_between_nobody_or_of_nothing(self):
        for strange in (
            self.GIVEN._replace(credit="you"),
            self.GIVEN._replace(debit="me"),
            self.GIVEN._replace(amount=0),
        ):
            assert self.wrong(0, strange) == ["malformed help:1"]

    def test_an_opening_that_is_not_what_was_there(self):
        assert self.wrong(10, self.GIVEN, openings={"2026-11": 3}) == ["opening 2026-11 3 is not 0"]
