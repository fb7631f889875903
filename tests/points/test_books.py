"""Earning, spending, returning, correcting, against the real engine."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chalicelib.kit import clock
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import read_together
from chalicelib.kit.transaction import transaction
from chalicelib.people import service as people
from chalicelib.people.models import Duty, Resident
from chalicelib.points import rules, service
from chalicelib.points.models import Account, Shortfall, partition
from chalicelib.points.service import Allowance, Earning
from tests.engine.budget import budget
from tests.points.books import (
    account,
    at_once,
    check,
    codes,
    correct,
    give,
    give_back,
    somebody,
    spend,
    transfers,
)

NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)
AREA = "330402001001"

pytestmark = pytest.mark.usefixtures("each_engine")


def masks(quantity: int = 1, **more: Any) -> Allowance:
    return Allowance(**{"of": "prod_masks", "until": date(2026, 11, 30), "quantity": quantity, "at_most": 2, **more})


def refused(resident: str) -> list[str]:
    return [each.reason for each in account(resident).refused]


class TestEarning:
    def test_a_transfer_says_all_about_itself(self, rule):
        rule("help", points=7)
        chen = somebody()
        assert give(chen, subject="offer_1", now=NOON) == 7
        (made,) = transfers(chen)
        assert (made.fact, made.debit, made.credit, made.amount) == ("help:offer_1", "issued", chen, 7)
        assert (made.reason, made.rule, made.subject, made.at) == ("帮助邻居", "help", "offer_1", NOON)
        assert check(chen) == 7

    def test_the_same_fact_earns_once_and_the_resident_can_see_why_not_twice(self):
        chen = somebody()
        assert [give(chen, subject="offer_1") for _ in range(3)] == [10, 0, 0]
        assert refused(chen) == ["already_counted"]
        assert check(chen) == 10

    @pytest.mark.parametrize("off", [{"on": False}, {"area": "110000"}, {"ends": "2020-01-01T00:00:00Z"}])
    def test_a_rule_that_is_off_gives_nothing_and_leaves_nothing(self, rule, off):
        rule("help", points=10, **off)
        chen = somebody()
        assert give(chen) == give(chen, "unheard_of") == 0
        assert Account.find(partition(chen), "ACCOUNT") is None

    def test_a_cap_that_is_reached_is_no_error_and_ends_at_midnight_in_shanghai(self, rule):
        rule("help", points=10, a_day=20)
        chen, late = somebody(), datetime(2026, 11, 22, 15, 59, tzinfo=UTC)
        assert [give(chen, now=late) for _ in range(3)] == [10, 10, 0]
        assert refused(chen) == ["cap_a_day"]
        assert give(chen, now=late + timedelta(minutes=1)) == 10
        assert check(chen) == 30

    def test_of_two_friends_only_so_much(self):
        chen = somebody()
        assert [give(chen, with_whom="res_li") for _ in range(3)] == [10, 10, 0]
        assert give(chen, with_whom="res_wang") == 10
        assert refused(chen) == ["cap_with_one_person"]

    def test_helping_where_one_is_on_duty_is_work_and_elsewhere_it_is_not(self):
        worker, later = somebody(), NOON + timedelta(hours=1)
        resident = Resident.key(worker)
        resident.nickname, resident.created_at = "网格员", NOON
        with transaction() as tx:
            tx.put(resident)
        with budget() as spent:
            assert give(worker, area=AREA, now=later) == 10, "a neighbour like all others"
        assert len(spent.calls) == 2
        with transaction() as tx:
            duty = Duty.new(worker, "grid_worker", AREA, from_at=NOON, until_at=None, granted_by="test")
            people.grant_duty(tx, duty)
        assert give(worker, area=f"{AREA}001001", now=later) == 0
        assert refused(worker) == ["on_duty"]
        assert give(worker, area="330402002001", now=later) == 10
        assert give(worker, area=AREA, now=NOON - timedelta(hours=1)) == 10, "before the duty began"
        with transaction() as tx:
            people.end_duty(tx, duty, now=later)
        assert give(worker, area=AREA, now=later + timedelta(days=1)) == 10

    def test_what_is_private_is_refused_without_a_word_about_the_subject(self, rule):
        rule("help", points=10, a_day=10)
        chen, worker = somebody(), somebody()
        resident = Resident.key(worker)
        resident.nickname, resident.created_at = "网格员", NOON
        with transaction() as tx:
            tx.put(resident)
        with transaction() as tx:
            duty = Duty.new(worker, "grid_worker", AREA, from_at=NOON, until_at=None, granted_by="test")
            people.grant_duty(tx, duty)
        give(chen, subject="post_1", private=True, now=NOON)
        for again in ("post_1", "post_2"):
            assert give(chen, subject=again, private=True, now=NOON) == 0
        assert give(worker, subject="post_2", area=AREA, private=True, now=NOON) == 0
        assert [(each.reason, each.subject) for each in account(chen).refused] == [
            ("already_counted", ""),
            ("cap_a_day", ""),
        ]
        assert [(each.reason, each.subject) for each in account(worker).refused] == [("on_duty", "")]
        assert "post_2" not in repr(account(chen).attribute_values) + repr(account(worker).attribute_values)

    def test_an_act_may_read_what_an_award_needs_together_with_its_own(self):
        chen = somebody()

        def earn(subject: str) -> service.Outcome:
            claimed = service.claim(Earning("help", chen, subject, area=AREA), now=NOON)
            with transaction() as tx:
                (outcome,) = service.settle(tx, claimed, read_together(*claimed.items))
            return outcome

        first, again = earn("o1"), earn("o1")
        assert first.transfer is not None
        assert (int(first.transfer.amount), first.refused) == (10, None)
        assert again == (None, "already_counted")
        assert service.claim(Earning("unheard_of", chen, "o1"), now=NOON).items == []
        assert check(chen) == 10

    def test_one_act_may_reward_many_and_one_of_them_twice(self):
        chen, wang = somebody(), somebody()
        earnings = [Earning("help", chen, "o1"), Earning("help", wang, "o2"), Earning("help", chen, "o3")]
        with transaction() as tx:
            earned = [each.transfer for each in service.award(tx, *earnings, now=NOON) if each.transfer]
        assert [each.fact for each in earned] == ["help:o1", "help:o2", "help:o3"]
        assert (check(chen), check(wang)) == (20, 10)

    def test_what_was_measured_earns_as_many_times_as_it_was_and_a_cap_gives_what_it_leaves(self, rule):
        rule("hours", points=2, a_day=13)
        chen = somebody()
        assert [give(chen, "hours", f"shift_{n}", times=4, now=NOON) for n in range(3)] == [8, 4, 0]
        assert refused(chen) == ["cap_a_day"]
        assert give(chen, "hours", "shift_1", times=4, now=NOON + timedelta(days=1)) == 0, "this shift has earned"
        assert check(chen) == 12

    def test_nothing_is_no_earning(self):
        for wrong in (0, -1):
            with pytest.raises(ValueError, match="nothing"):
                Earning("help", somebody(), "o1", times=wrong)

    def test_a_slow_clock_writes_into_the_month_that_has_begun(self):
        chen = somebody()
        december = datetime(2026, 11, 30, 16, tzinfo=UTC)
        give(chen, now=december)
        give(chen, now=december - timedelta(seconds=1))
        give(chen, now=december + timedelta(days=40))
        assert check(chen) == 30


class TestSpending:
    def test_never_more_than_there_is_and_the_resident_is_told_what_is_missing(self):
        chen = somebody()
        give(chen)
        with pytest.raises(rules.NotEnoughPoints) as problem:
            spend(chen, 11)
        assert "还差 1 分" in problem.value.detail
        spend(chen, 10)
        assert check(chen) == 0

    def test_once_for_ever(self):
        chen = somebody()
        give(chen)
        spend(chen, 3, "redemption:1")
        with pytest.raises(rules.AlreadySpent):
            spend(chen, 3, "redemption:1")
        assert check(chen) == 7

    @pytest.mark.parametrize("wrong", [0, -1, 2**63, 1.5, "2", True])
    def test_a_wrong_amount_takes_nothing(self, wrong):
        chen = somebody()
        give(chen)
        with pytest.raises(rules.AmountInvalid):
            spend(chen, wrong)
        assert check(chen) == 10

    def test_somebody_unknown_has_nothing_to_spend(self):
        with pytest.raises(rules.NotEnoughPoints):
            spend(somebody(), 1)


class TestReturning:
    def test_once_and_only_what_was_spent(self):
        chen = somebody()
        give(chen, subject="o1")
        spend(chen, 4, "redemption:1")
        give_back(chen, "redemption:1")
        assert check(chen) == 10
        with pytest.raises(rules.AlreadyReturned):
            give_back(chen, "redemption:1")
        for unknown in ("redemption:2", "help:o1", "redemption:1:returned"):
            with pytest.raises(rules.TransferUnknown):
                give_back(chen, unknown)
        assert check(chen) == 10


class TestAllowances:
    def test_at_most_so_many_and_then_no_point_is_taken(self):
        chen = somebody()
        give(chen, now=NOON)
        spend(chen, 3, "redemption:1", now=NOON, allowance=masks(2))
        before = account(chen)
        with pytest.raises(rules.AllowanceUsed) as refusal:
            spend(chen, 3, "redemption:2", now=NOON, allowance=masks())
        assert refusal.value.left == 0
        assert account(chen).attribute_values == before.attribute_values
        assert check(chen) == 7
        spend(chen, 3, now=NOON, allowance=masks(of="prod_rice"))
        assert account(chen).taken == {"2026-11-30": {"prod_masks": 2, "prod_rice": 1}}

    def test_who_cannot_pay_has_taken_nothing(self):
        chen = somebody()
        give(chen, now=NOON)
        with pytest.raises(rules.NotEnoughPoints):
            spend(chen, 11, now=NOON, allowance=masks())
        assert account(chen).taken == {}

    def test_a_repeat_is_told_that_it_has_happened_and_counts_once(self):
        chen = somebody()
        give(chen, now=NOON)
        spend(chen, 3, "redemption:1", now=NOON, allowance=masks())
        with pytest.raises(rules.AlreadySpent):
            spend(chen, 3, "redemption:1", now=NOON, allowance=masks())
        assert (account(chen).taken, check(chen)) == ({"2026-11-30": {"prod_masks": 1}}, 7)

    def test_what_is_given_back_may_be_taken_again_once(self):
        chen = somebody()
        give(chen, now=NOON)
        spend(chen, 3, "redemption:1", now=NOON, allowance=masks(2))
        give_back(chen, "redemption:1", now=NOON, allowance=masks(2))
        with pytest.raises(rules.AlreadyReturned):
            give_back(chen, "redemption:1", now=NOON, allowance=masks(2))
        spend(chen, 3, "redemption:2", now=NOON, allowance=masks(2))
        with pytest.raises(rules.AllowanceUsed):
            spend(chen, 3, "redemption:3", now=NOON, allowance=masks())

    def test_a_month_ends_at_midnight_in_shanghai_and_a_return_counts_where_it_was_taken(self):
        chen, late = somebody(), datetime(2026, 11, 30, 15, 59, tzinfo=UTC)
        give(chen, now=NOON)
        spend(chen, 1, "redemption:1", now=late, allowance=masks(2))
        with pytest.raises(rules.AllowanceUsed):
            spend(chen, 1, now=late, allowance=masks())
        december = masks(2, until=date(2026, 12, 31))
        spend(chen, 1, "redemption:2", now=late + timedelta(minutes=1), allowance=december)
        with pytest.raises(rules.AllowanceOver):
            spend(chen, 1, now=late + timedelta(minutes=1), allowance=masks())
        give_back(chen, "redemption:1", now=late + timedelta(hours=2), allowance=masks(2))
        assert account(chen).taken == {"2026-12-31": {"prod_masks": 2}}
        with pytest.raises(rules.AllowanceUsed):
            spend(chen, 1, now=late + timedelta(hours=3), allowance=masks(until=date(2026, 12, 31)))
        assert check(chen) == 9

    def test_earning_meanwhile_forgets_nothing_that_was_taken(self):
        chen = somebody()
        give(chen, now=NOON)
        spend(chen, 1, now=NOON, allowance=masks())
        give(chen, with_whom="res_li", now=NOON)
        assert account(chen).taken == {"2026-11-30": {"prod_masks": 1}}
        assert account(chen).used["2026-11"]["help"] == 20


class TestWithItemsThatTheCallerHasRead:
    def test_spending_and_returning_read_nothing(self):
        chen = somebody()
        give(chen, now=NOON)
        found = read_together(*service.needed_to_spend(chen, "redemption:1"), Duty.key(chen, "grid_worker", AREA))
        with budget() as spent:
            spend(chen, 4, "redemption:1", now=NOON, allowance=masks(), known=found)
        assert (spent.calls, spent.write_units) == (["dynamodb TransactWriteItems"], 5)
        found = read_together(*service.needed_to_give_back(chen, "redemption:1"))
        with budget() as spent:
            give_back(chen, "redemption:1", now=NOON, allowance=masks(), known=found)
        assert (spent.calls, spent.write_units) == (["dynamodb TransactWriteItems"], 5)
        assert (check(chen), account(chen).taken) == (10, {"2026-11-30": {}})

    def test_what_has_changed_since_is_not_spent_twice(self):
        chen = somebody()
        give(chen, now=NOON)
        found = read_together(*service.needed_to_spend(chen, "redemption:1"))
        spend(chen, 4, "redemption:1", now=NOON, allowance=masks(2))
        for other in ("redemption:1", "redemption:2"):
            with pytest.raises(Changed), transaction() as tx:
                more = {"reason": "兑换口罩", "subject": "口罩", "now": NOON, "known": found, "allowances": (masks(2),)}
                service.spend(tx, chen, 4, transfer_id=other, **more)
        assert check(chen) == 6

    def test_who_has_no_account_is_not_taken_for_somebody_not_read(self):
        with pytest.raises(rules.NotEnoughPoints):
            spend(somebody(), 1, known=[None, None])


class TestCorrecting:
    def test_what_was_given_is_taken_back_once(self):
        chen = somebody()
        give(chen, subject="o1")
        assert correct(chen, "help:o1") == service.Correction(10, 0, "帮助邻居")
        with pytest.raises(rules.AlreadyCorrected):
            correct(chen, "help:o1")
        assert check(chen) == 0
        assert give(chen, subject="o1") == 0, "the fact has happened, corrected or not"

    def test_down_to_zero_and_the_rest_is_written_down(self):
        chen = somebody()
        give(chen, subject="o1")
        spend(chen, 7)
        assert correct(chen, "help:o1") == service.Correction(3, 7, "帮助邻居")
        assert Shortfall.fetch(partition(chen), "SHORT#help:o1").missing == 7
        assert check(chen) == 0

    def test_a_part_of_it_once(self):
        chen = somebody()
        give(chen, subject="o1")
        assert correct(chen, "help:o1", at_most=4) == service.Correction(4, 0, "帮助邻居")
        with pytest.raises(rules.AlreadyCorrected):
            correct(chen, "help:o1", at_most=4)
        assert check(chen) == 6
        for wrong in (0, -1, True, 1.5):
            with pytest.raises(rules.AmountInvalid):
                correct(chen, "help:o1", at_most=wrong)

    def test_a_part_that_is_more_than_all_is_all_and_what_is_missing_is_of_the_part(self):
        chen = somebody()
        give(chen, subject="o1")
        give(chen, subject="o2")
        assert correct(chen, "help:o1", at_most=40) == service.Correction(10, 0, "帮助邻居")
        spend(chen, 8)
        assert correct(chen, "help:o2", at_most=5) == service.Correction(2, 3, "帮助邻居")
        assert Shortfall.fetch(partition(chen), "SHORT#help:o2").missing == 3
        assert check(chen) == 0

    def test_of_several_the_last_that_still_stands_is_found(self):
        chen = somebody()
        facts = ["help:o1", "help:o2", "help:o3"]
        give(chen, subject="o1")
        give(chen, subject="o2")

        def last() -> str | None:
            keys = [key for fact in facts for key in service.needed_to_correct(chen, fact)]
            return service.last_standing(chen, facts, read_together(*keys))

        assert last() == "help:o2"
        correct(chen, "help:o2", at_most=1)
        assert last() == "help:o1"
        spend(chen, 19)
        correct(chen, "help:o1")
        assert last() is None
        assert check(chen) == 0

    def test_with_nothing_left_nothing_moves_now_or_later(self):
        chen = somebody()
        give(chen, subject="o1")
        spend(chen, 10)
        assert correct(chen, "help:o1") == service.Correction(0, 10, "帮助邻居")
        give(chen, subject="o2")
        with pytest.raises(rules.AlreadyCorrected):
            correct(chen, "help:o1")
        assert check(chen) == 10

    def test_a_transfer_that_does_not_exist_or_was_no_gift(self):
        chen = somebody()
        give(chen)
        spend(chen, 4, "redemption:1")
        with pytest.raises(rules.TransferUnknown):
            correct(chen, "help:nothing")
        with pytest.raises(rules.NotCorrectable):
            correct(chen, "redemption:1")
        assert check(chen) == 6


class TestLeaving:
    def test_what_is_held_lapses_and_nothing_moves_any_more(self):
        chen = somebody()
        give(chen, now=NOON)
        spend(chen, 4, "redemption:1", now=NOON, allowance=masks())
        for _ in range(2):
            service.close(chen, now=NOON)
        mine = account(chen)
        assert (check(chen), mine.used, mine.taken, mine.refusals) == (0, {}, {}, [])
        assert give(chen, now=NOON) == 0
        assert give_back(chen, "redemption:1", now=NOON, allowance=masks()) is None
        with pytest.raises(rules.NotEnoughPoints):
            spend(chen, 1, now=NOON, allowance=masks())
        assert {each.credit for each in transfers(chen)} == {chen, "spent", "lapsed"}

    def test_who_never_had_any_gets_none_after_leaving(self):
        chen = somebody()
        service.close(chen, now=clock.now())
        assert give(chen) == 0
        assert check(chen) == 0


class TestManyAtOnce:
    def test_thirty_two_threads_spend_one_balance(self, rule):
        rule("help", points=100)
        chen = somebody()
        give(chen)
        results = at_once(32, lambda _: spend(chen, 9))
        assert codes(results) == {"not_enough_points"}
        assert len(transfers(chen)) == 12
        assert check(chen) == 1

    def test_an_allowance_of_two_is_taken_twice_by_thirty_two_threads(self, rule):
        rule("help", points=100)
        chen = somebody()
        give(chen, now=NOON)
        results = at_once(32, lambda _: spend(chen, 9, now=NOON, allowance=masks()))
        assert codes(results) == {"allowance_used"}
        assert len([each for each in results if not isinstance(each, Exception)]) == 2
        assert (check(chen), account(chen).taken) == (82, {"2026-11-30": {"prod_masks": 2}})

    def test_an_allowance_holds_while_others_earn_and_take_it_back(self, rule):
        rule("help", points=10)
        chen = somebody()
        for number in range(4):
            give(chen, now=NOON)
            spend(chen, 1, f"redemption:{number}", now=NOON, allowance=masks(at_most=4))
        acts = [
            *(lambda: spend(chen, 1, now=NOON, allowance=masks(at_most=4)) for _ in range(6)),
            *(lambda n=n: give_back(chen, f"redemption:{n}", now=NOON, allowance=masks()) for n in range(2)),
            *(lambda: give(chen, now=NOON) for _ in range(2)),
        ]
        results = at_once(len(acts), lambda number: acts[number]())
        assert codes(results) <= {"allowance_used", "points_busy"}
        standing = [each.fact for each in transfers(chen) if each.credit == "spent"]
        returned = [each.undoes for each in transfers(chen) if each.undoes]
        assert account(chen).taken == {"2026-11-30": {"prod_masks": len(standing) - len(returned)}}
        assert len(standing) - len(returned) <= 4
        check(chen)

    def test_the_same_transfer_from_thirty_two_threads_happens_once(self):
        chen = somebody()
        assert sum(at_once(32, lambda _: give(chen, subject="o1"))) == 10
        results = at_once(32, lambda _: spend(chen, 1, "redemption:1"))
        assert codes(results) == {"points_already_spent"}
        results = at_once(32, lambda _: give_back(chen, "redemption:1"))
        assert codes(results) == {"points_already_returned"}
        results = at_once(32, lambda _: correct(chen, "help:o1"))
        assert codes(results) == {"transfer_already_corrected"}
        assert len(transfers(chen)) == 4
        assert check(chen) == 0

    def test_a_cap_holds_against_many_at_once(self, rule):
        rule("help", points=10, a_day=50)
        chen = somebody()
        results = at_once(12, lambda _: give(chen))
        assert codes(results) <= {"points_busy"}
        assert sum(each for each in results if isinstance(each, int)) == check(chen) == 50

    def test_everything_at_once_and_the_books_are_right(self, rule):
        rule("help", points=10)
        chen = somebody()
        for number in range(6):
            give(chen, subject=f"o{number}")
            spend(chen, 4, f"redemption:{number}")
        acts = [
            *(lambda n=n: give(chen, subject=f"o{n + 6}") for n in range(4)),
            *(lambda n=n: spend(chen, 20, f"redemption:{n + 6}") for n in range(4)),
            *(lambda n=n: give_back(chen, f"redemption:{n}") for n in range(4)),
            *(lambda n=n: correct(chen, f"help:o{n}") for n in range(4)),
        ]
        results = at_once(len(acts), lambda number: acts[number]())
        assert codes(results) <= {"not_enough_points", "points_busy"}
        check(chen)
