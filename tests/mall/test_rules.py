"""What may be redeemed, from which buckets, and when it ends. No engine is needed for it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kit import clock
from chalicelib.kit.errors import Problem
from chalicelib.mall import rules
from chalicelib.mall.rules import Counts, Desk

NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)  # in Shanghai
SECOND = timedelta(seconds=1)
OFFICE = Desk(area="330402001001", place="office", name="社区居委会")
STATION = Desk(area="330402001002", place="station", name="驿站")
MICRO_GRID = "330402001001001001"

stocks = st.lists(st.integers(0, 40), min_size=1, max_size=64)


def shanghai(*when: int) -> datetime:
    return datetime(*when, tzinfo=clock.SHANGHAI)


class TestPick:
    def test_takes_from_where_it_starts_when_there_is_enough(self):
        assert rules.pick({0: 5, 1: 5, 2: 5}, 3, start=1) == {1: 3}

    def test_walks_on_and_begins_again_at_the_first(self):
        assert rules.pick({0: 5, 1: 0, 2: 1, 3: 2}, 2, start=1) == {3: 2}
        assert rules.pick({0: 5, 1: 0, 2: 1, 3: 2}, 3, start=1) == {0: 3}

    def test_takes_from_several_when_no_bucket_holds_enough_the_fullest_first(self):
        assert rules.pick({0: 1, 1: 2, 2: 1, 3: 0}, 3, start=0) == {1: 2, 0: 1}
        assert rules.pick({0: 1, 1: 1, 2: 1}, 3, start=2) == {2: 1, 0: 1, 1: 1}

    def test_takes_nothing_when_all_together_hold_less(self):
        assert rules.pick({0: 1, 1: 1}, 3, start=0) == {}
        assert rules.pick({0: 0}, 1, start=0) == {}

    @given(stocks, st.integers(1, rules.QUANTITY_AT_MOST), st.data())
    def test_takes_exactly_so_many_and_never_more_than_there_are(self, stock, quantity, data):
        start = data.draw(st.integers(0, len(stock) - 1))
        picked = rules.pick(dict(enumerate(stock)), quantity, start=start)
        if sum(stock) < quantity:
            assert picked == {}
        else:
            assert sum(picked.values()) == quantity
            assert all(0 < pieces <= stock[number] for number, pieces in picked.items())
            assert len(picked) == 1 or max(stock) < quantity, "one that holds enough is better than several"

    @given(stocks, st.integers(1, rules.QUANTITY_AT_MOST))
    def test_touches_no_more_buckets_than_it_must(self, stock, quantity):
        picked = rules.pick(dict(enumerate(stock)), quantity, start=0)
        fullest = sorted(stock, reverse=True)
        if picked:
            assert sum(fullest[: len(picked) - 1]) < quantity

    @given(st.text(min_size=1), st.integers(1, rules.BUCKETS_AT_MOST))
    def test_a_resident_always_starts_at_the_same_bucket(self, resident, buckets):
        first = rules.home_bucket(resident, buckets)
        assert 0 <= first < buckets
        assert rules.home_bucket(resident, buckets) == first

    def test_residents_start_evenly_spread(self):
        starts = [rules.home_bucket(f"res_{number:05d}abc", 32) for number in range(3200)]
        assert all(50 <= starts.count(bucket) <= 160 for bucket in range(32))


class TestSpread:
    def test_fills_up_the_emptiest_first(self):
        assert rules.spread(4, [5, 1, 1]) == [0, 2, 2]
        assert rules.spread(10, [0, 0, 0, 0]) == [3, 3, 2, 2]
        assert rules.spread(1, [0, 0]) == [1, 0]

    @given(st.integers(1, 5000), stocks)
    def test_shares_out_exactly_as_many_and_as_evenly_as_can_be(self, quantity, left):
        shares = rules.spread(quantity, left)
        assert sum(shares) == quantity
        assert min(shares) >= 0
        after = [before + share for before, share in zip(left, shares, strict=True)]
        given_to = [amount for amount, share in zip(after, shares, strict=True) if share]
        assert max(given_to) - min(given_to) <= 1
        assert max(given_to) - 1 <= min(after), "nobody is left behind who got nothing"

    @given(st.integers(1, 5000), stocks)
    def test_taking_out_takes_exactly_as_many_and_no_more_than_there_are(self, quantity, left):
        taken = rules.take_out(quantity, left)
        if sum(left) < quantity:
            assert taken is None
        else:
            assert taken is not None
            assert sum(taken) == quantity
            assert all(0 <= each <= there for each, there in zip(taken, left, strict=True))

    def test_what_was_brought_in_can_be_taken_out_again(self):
        left = rules.spread(7, [0, 0, 0])
        assert rules.take_out(7, left) == left
        assert rules.take_out(8, left) is None
        assert rules.take_out(2, [1, 5, 1]) == [0, 2, 0]


class TestCounts:
    def test_are_added_up_column_by_column(self):
        assert rules.total([Counts(5, 3, 1, 1), Counts(4, 4, 0, 0)]) == Counts(9, 7, 1, 1)
        assert rules.total([]) == Counts(0, 0, 0, 0)

    @pytest.mark.parametrize(
        ("received", "left", "level"),
        [
            (0, 0, "none"),
            (10, 0, "none"),
            (10, 1, "few"),
            (10, 5, "few"),
            (10, 6, "plenty"),
            (9000, 900, "few"),
            (9000, 901, "plenty"),
            (5, 5, "few"),
        ],
    )
    def test_the_catalogue_says_plenty_few_or_none(self, received, left, level):
        assert rules.level(Counts(received, left, 0, received - left)) == level


def terms(**change: Any) -> Any:
    known: dict[str, Any] = {"state": "open", "area": "330402", "opens_at": None, "closes_at": None}
    return SimpleNamespace(**known | change)


def refused(check: Any, *given: Any, **named: Any) -> Problem:
    with pytest.raises(Problem) as problem:
        check(*given, **named)
    return problem.value


class TestOpen:
    def test_a_product_is_open_until_it_is_closed(self):
        rules.check_open(terms(), now=NOON)
        assert refused(rules.check_open, terms(state="closed"), now=NOON).code == "product_closed"

    def test_a_campaign_opens_and_closes_on_the_second(self):
        of = terms(opens_at=NOON, closes_at=NOON + timedelta(hours=1))
        early = refused(rules.check_open, of, now=NOON - timedelta(milliseconds=1))
        assert early.code == "not_open_yet"
        assert "2026年11月22日 12:00" in early.detail, "people are told the time in Shanghai"
        rules.check_open(of, now=NOON)
        rules.check_open(of, now=NOON + timedelta(hours=1) - SECOND)
        assert refused(rules.check_open, of, now=NOON + timedelta(hours=1)).code == "campaign_closed"

    def test_closed_by_hand_goes_before_the_time(self):
        of = terms(state="closed", opens_at=NOON, closes_at=NOON + timedelta(hours=1))
        for now in (NOON - SECOND, NOON, NOON + timedelta(hours=2)):
            assert refused(rules.check_open, of, now=now).code == "product_closed"
            assert not rules.is_open(of, now=now)
        assert rules.is_open(terms(), now=NOON)


class TestAudience:
    def test_residents_of_the_area_and_of_all_in_it_may_redeem(self):
        for home in ("330402", "330402001001", MICRO_GRID):
            rules.check_audience(terms(), home)
        assert refused(rules.check_audience, terms(), "330411001001").code == "wrong_area"
        assert refused(rules.check_audience, terms(area="330402001001"), "330402001").code == "wrong_area"

    def test_who_has_said_no_home_is_asked_for_it(self):
        assert refused(rules.check_audience, terms(), None).code == "home_needed"


class TestWay:
    def way(self, desks: list[Desk], delivers: bool, **wish: Any) -> Desk | None:
        return rules.way(desks, delivers, **{"desk": None, "deliver": False, "home": MICRO_GRID} | wish)

    def test_the_only_desk_need_not_be_chosen(self):
        assert self.way([OFFICE], False) == OFFICE

    def test_one_of_several_ways_is_chosen(self):
        assert self.way([OFFICE, STATION], False, desk=STATION.id) == STATION
        assert self.way([OFFICE], True, desk=OFFICE.id) == OFFICE
        assert self.way([OFFICE], True, deliver=True) is None
        assert self.way([], True, deliver=True) is None

    @pytest.mark.parametrize(
        ("desks", "delivers", "wish", "code"),
        [
            ([OFFICE, STATION], False, {}, "way_needed"),
            ([OFFICE], True, {}, "way_needed"),
            ([OFFICE], True, {"desk": OFFICE.id, "deliver": True}, "way_needed"),
            ([OFFICE], False, {"desk": STATION.id}, "desk_unknown"),
            ([OFFICE], False, {"desk": "office"}, "desk_unknown"),
            ([OFFICE], False, {"deliver": True}, "no_delivery"),
            ([], True, {"deliver": True, "home": "330402001001"}, "home_too_large"),
        ],
    )
    def test_what_is_not_possible_says_so(self, desks, delivers, wish, code):
        assert refused(self.way, desks, delivers, **wish).code == code

    def test_a_grid_is_small_enough_to_deliver_to(self):
        assert self.way([], True, deliver=True, home=MICRO_GRID[:15]) is None


class TestCap:
    def test_says_how_many_more_or_when_again(self):
        assert "您还能兑换 1 只" in rules.OverTheCap(3, 1, "只", "month").detail
        assert "下个月再来" in rules.OverTheCap(3, 0, "只", "month").detail
        assert "留给邻居" in rules.OverTheCap(3, 0, "只", "campaign").detail


class TestTime:
    @pytest.mark.parametrize("at", [(2026, 11, 22, 0, 0), (2026, 11, 22, 12, 0), (2026, 11, 22, 23, 59)])
    def test_whatever_the_hour_the_last_day_is_whole(self, at):
        until = rules.collect_by(shanghai(*at), 7)
        assert until == shanghai(2026, 11, 30)
        assert rules.last_day(until) == "11月29日"

    def test_the_last_day_may_lie_in_the_next_year(self):
        until = rules.collect_by(shanghai(2026, 12, 31, 23, 59), 1)
        assert until == shanghai(2027, 1, 2)
        assert rules.last_day(until) == "1月1日"

    def test_a_word_comes_two_days_before_the_last_at_nine_then_the_end(self):
        until = shanghai(2026, 11, 30)
        assert rules.first_timer("desk", until, NOON) == ("mall.remind", shanghai(2026, 11, 27, 9))
        assert rules.next_timer("mall.remind", until, shanghai(2026, 11, 27, 9)) == ("mall.expire", until)

    def test_a_delivery_is_announced_at_once_and_then_goes_on_as_a_desk(self):
        until = shanghai(2026, 11, 30)
        assert rules.first_timer("delivery", until, NOON) == ("mall.announce", NOON)
        assert rules.next_timer("mall.announce", until, NOON) == ("mall.remind", shanghai(2026, 11, 27, 9))

    @pytest.mark.parametrize("now", [shanghai(2026, 11, 27, 9), shanghai(2026, 11, 29, 23)])
    def test_no_word_when_its_morning_is_over(self, now):
        assert rules.first_timer("desk", shanghai(2026, 11, 30), now) == ("mall.expire", shanghai(2026, 11, 30))

    def test_a_word_said_is_not_said_again_when_it_is_to_be_said_later_since(self, monkeypatch):
        monkeypatch.setattr(rules, "settings_in_force", lambda: rules.MallSettings(remind_days=0))
        until = shanghai(2026, 11, 30)
        assert rules.next_timer("mall.remind", until, shanghai(2026, 11, 27, 9)) == ("mall.expire", until)

    @given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), st.integers(1, 60), st.integers(0, 60))
    def test_a_word_never_comes_after_the_end_nor_before_now(self, at, days, before):
        now = at.replace(tzinfo=UTC)
        until = rules.collect_by(now, days)
        assert timedelta(days=days) < until - now <= timedelta(days=days + 1)
        with patch.object(rules, "settings_in_force", lambda: rules.MallSettings(remind_days=before)):
            name, due = rules.first_timer("desk", until, now)
        assert now < due <= until
        assert (name == "mall.expire") == (due == until)


class TestProlonging:
    def test_is_possible_as_long_as_what_was_taken_still_counts(self):
        rules.check_prolonged(shanghai(2026, 11, 30, 23, 59), f"{date(2026, 11, 30)}")
        rules.check_prolonged(None, None)
        late = refused(rules.check_prolonged, shanghai(2026, 12, 1), "2026-11-30")
        assert (late.code, "2026-11-30" in late.detail) == ("fixed_for_ever", True)


class TestFlow:
    def test_a_redemption_ends_once(self):
        for end in ("collected", "delivered", "cancelled", "expired"):
            rules.REDEMPTION.check("reserved", end, or_raise=rules.NotNow("reserved"))
            for other in ("collected", "delivered", "cancelled", "expired"):
                assert refused(rules.REDEMPTION.check, end, other, or_raise=rules.NotNow(end)).code == (
                    "step_not_possible"
                )


ALL_REFUSALS = [
    rules.ProductGone(),
    rules.RedemptionGone(),
    rules.OffSale(),
    rules.NotOpenYet(opens_at=NOON),
    rules.Closed(),
    rules.HomeNeeded(),
    rules.WrongArea(),
    rules.QuizNotPassed(),
    rules.PriceChanged(price=6),
    rules.NotEnough(missing="积分不够。"),
    rules.SoldOut(),
    rules.OnlySomeLeft(left=3, unit="只"),
    rules.OverTheCap(2, 1, "只", "month"),
    rules.OverTheCap(2, 0, "只", "campaign"),
    rules.WayNeeded(),
    rules.DeskUnknown(),
    rules.NoDelivery(),
    rules.HomeTooLarge(),
    rules.MallBusy(),
]


@pytest.mark.parametrize("problem", ALL_REFUSALS, ids=lambda problem: problem.code)
def test_a_refusal_is_a_chinese_sentence_that_says_what_to_do_next(problem: Problem) -> None:
    """Short enough for a small screen; what to do next stands behind a comma or a full stop."""
    assert problem.detail.endswith("。")
    assert len(problem.detail) <= 60
    next_steps = ("请", "再", "可以", "只给", "让")
    assert any(word in problem.detail for word in next_steps), problem.detail
    assert not any("a" <= letter.lower() <= "z" for letter in problem.detail)
