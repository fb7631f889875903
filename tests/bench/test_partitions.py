"""The model of DynamoDB's partitions: its parts, and that nobody is sold what is not there or told nothing."""

from __future__ import annotations

import pytest

from bench import partitions
from bench.partitions import Campaign, Person, Stock, Summary, TokenBucket, crowd_of, summary
from chalicelib.kit import transaction
from chalicelib.mall import rules, stock


def played(crowd: list[Person], *, stock: int, buckets: int = 1, hold: float = 0.01, seed: int = 1):
    campaign = Campaign(stock=stock, buckets=buckets, hold=hold, seed=seed)
    campaign.run(crowd)
    return campaign, summary(campaign, crowd, stock=stock)


def at_once(people: int) -> list[Person]:
    return [Person(f"res_{number}", 0.0) for number in range(people)]


def test_the_numbers_are_those_of_the_code():
    assert transaction.CONFLICT_TRIES == partitions.CONFLICT_TRIES
    assert transaction._FIRST_PAUSE == partitions.FIRST_PAUSE
    assert (transaction.TRIES, transaction._PAUSE) == (partitions.DECISIONS, partitions.DECISION_PAUSE)
    assert transaction.ServerBusy().retry_after == rules.MallBusy().retry_after == partitions.RETRY_AFTER
    assert stock._EMPTY_FOR == partitions.EMPTY_FOR


@pytest.mark.parametrize("buckets", [1, 4, 32])
def test_a_resident_has_the_home_bucket_that_the_mall_gives_them(buckets):
    for person in crowd_of(50, seed=1):
        assert partitions.home_bucket(person.id, buckets) == rules.home_bucket(person.id, buckets)


class TestTokenBucket:
    def test_it_gives_what_was_saved_up_and_then_what_comes(self):
        units = TokenBucket(1_000)
        waits = [units.queue(1, 5.0) for _ in range(1_500)]
        assert waits[999] == 0
        assert waits[1_000] == pytest.approx(0.001)
        assert waits[1_499] == pytest.approx(0.5)

    def test_no_more_than_a_second_is_saved_up(self):
        units = TokenBucket(1_000)
        assert units.has(1_000, 3_600.0)
        assert not units.has(1_000.5, 3_600.0)

    def test_it_fills_with_time(self):
        units = TokenBucket(1_000)
        units.units = 0
        assert not units.has(2, 0.001)
        assert units.has(2, 0.002)


class TestOneItem:
    def test_a_sale_takes_two_units_and_one_piece(self):
        there = Stock(3)
        assert there.prepare(0.0) == "held"
        there.commit()
        assert (there.left, there.held, there.writes.units) == (2, False, 998)

    def test_while_it_is_held_another_is_cancelled_and_has_paid_for_the_preparing(self):
        there = Stock(3)
        there.prepare(0.0)
        assert there.prepare(0.0) == "conflict"
        assert (there.left, there.writes.units) == (3, 997)

    def test_a_failed_condition_has_paid_for_the_preparing(self):
        there = Stock(0)
        assert there.prepare(0.0) == "empty"
        assert (there.held, there.writes.units) == (False, 999)

    def test_a_throttled_one_has_paid_nothing(self):
        there = Stock(3)
        there.writes.units = 1.5
        assert there.prepare(0.0) == "throttled"
        assert (there.held, there.writes.units) == (False, 1.5)

    def test_it_takes_no_more_than_five_hundred_sales_a_second(self):
        """Were each over at once and nobody in another's way."""
        there, sold = Stock(10_000), 0
        there.writes.units = 0
        for millisecond in range(10_000):
            if there.prepare(millisecond / 1000) == "held":
                there.commit()
                sold += 1
        assert sold == pytest.approx(5_000, abs=1)


class TestACrowd:
    def test_two_at_the_same_moment_are_in_each_others_way_and_both_are_served(self):
        campaign, seen = played(at_once(2), stock=2)
        assert campaign.said["conflict"] >= 1
        assert (seen.sold, campaign.left) == (2, 0)

    def test_alone_it_takes_a_read_and_a_transaction(self):
        _, seen = played(at_once(1), stock=1)
        assert seen.last_at == pytest.approx(partitions.READ_SECONDS + partitions.TRANSACTION_SECONDS)

    def test_who_meets_conflicts_without_end_is_told_to_come_back_and_does(self):
        campaign = Campaign(stock=1, buckets=1)
        (there,) = campaign.buckets
        there.held = True
        campaign._wake(1.5, _released(there))
        campaign.run(at_once(1))
        (ending,) = campaign.endings
        assert campaign.said["busy"] == 1
        assert campaign.said["conflict"] >= partitions.CONFLICT_TRIES
        assert ending.outcome == "sold"
        assert ending.waited >= partitions.RETRY_AFTER

    def test_who_never_gets_through_gives_up_after_so_many_returns_and_is_counted(self):
        campaign = Campaign(stock=1, buckets=1)
        campaign.buckets[0].held = True  # and nobody lets go
        crowd = at_once(1)
        campaign.run(crowd)
        seen = summary(campaign, crowd, stock=1)
        assert (seen.gave_up, seen.gave_up_in_vain, seen.untold) == (1, 1, 0)
        assert seen.busy == partitions.RETURNS + 1

    def test_without_a_container_one_is_told_to_come_back_and_does(self, monkeypatch):
        monkeypatch.setattr(partitions, "CONTAINERS", 1)
        campaign, seen = played(at_once(2), stock=2)
        assert (seen.crowded, seen.sold) == (1, 2)
        assert len(campaign._idle) == 1

    def test_who_finds_the_home_bucket_empty_walks_on(self):
        crowd = crowd_of(40, seed=1)
        campaign, seen = played(crowd, stock=40, buckets=4)
        assert [bucket.left for bucket in campaign.buckets] == [0, 0, 0, 0]
        assert seen.sold == 40

    def test_a_container_that_saw_all_empty_does_not_look_again_for_a_second(self, monkeypatch):
        monkeypatch.setattr(partitions, "CONTAINERS", 1)
        looked_at: list[int] = []
        read = Campaign._read

        def counted(self, buckets):
            looked_at.append(len(buckets))
            return read(self, buckets)

        monkeypatch.setattr(Campaign, "_read", counted)
        for later, expected in ((0.9, [1, 4, 1]), (1.1, [1, 4, 1, 4])):
            looked_at.clear()
            _, seen = played([Person("res_1", 0.0), Person("res_2", later)], stock=0, buckets=4)
            assert (looked_at, seen.sold_out) == (expected, 2)

    @pytest.mark.parametrize("seed", range(5))
    @pytest.mark.parametrize("buckets", [1, 3, 16])
    def test_exactly_what_is_there_is_sold_and_everybody_is_told(self, buckets, seed):
        crowd = crowd_of(400, seed=seed, within=1.0)
        campaign, seen = played(crowd, stock=150, buckets=buckets, seed=seed)
        assert campaign.left == 0
        assert min(bucket.left for bucket in campaign.buckets) == 0
        assert seen.sold == 150
        assert seen.sold + seen.sold_out + seen.gave_up == 400
        assert (seen.refused_in_vain, seen.untold) == (0, 0)
        assert len({ending.person.id for ending in campaign.endings}) == 400

    @pytest.mark.parametrize("buckets", [1, 4])
    def test_with_enough_for_all_nobody_is_refused(self, buckets):
        _, seen = played(crowd_of(200, seed=1, within=1.0), stock=200, buckets=buckets)
        assert (seen.sold, seen.sold_out, seen.gave_up) == (200, 0, 0)

    def test_the_same_seed_is_the_same_day_and_another_is_another(self):
        days: list[Summary] = [played(crowd_of(300, seed=s, within=1.0), stock=100, seed=s)[1] for s in (1, 1, 2)]
        assert days[0] == days[1] != days[2]


def test_thirty_two_buckets_are_eight_times_as_fast_as_one_and_nobody_gives_up_while_there_is_stock():
    """A tenth of the campaign in a tenth of the minute: the crowd is as dense."""
    crowd = crowd_of(10_000, seed=1, within=6.0)
    _, one = played(crowd, stock=900)
    _, many = played(crowd, stock=900, buckets=32)
    assert one.last_at / many.last_at >= partitions.AIM
    assert (many.gave_up, many.refused_in_vain, many.untold) == (0, 0, 0)


def _released(there: Stock):
    """Somebody else lets go of the item, without having taken anything."""
    there.held = False
    yield 0.0
