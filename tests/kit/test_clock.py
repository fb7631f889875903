"""Time: UTC inside, Shanghai outside."""

from datetime import UTC, date, datetime, time, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kit import clock

moments = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)


@given(moments)
def test_a_stamp_gives_the_moment_back(moment):
    assert clock.from_stamp(clock.stamp(moment)) == moment


@given(moments, moments)
def test_stamps_sort_as_time_does(one, other):
    assert (clock.stamp(one) < clock.stamp(other)) == (one < other)


def test_a_moment_of_another_zone_is_stamped_in_utc():
    assert clock.stamp(datetime(2020, 2, 10, 9, 5, tzinfo=clock.SHANGHAI)) == "2020-02-10T01:05:00.000Z"
    assert clock.stamp(datetime(2020, 2, 10, 9, 5, tzinfo=timezone(timedelta(hours=9)))) == "2020-02-10T00:05:00.000Z"


def test_now_is_what_a_stamp_can_hold():
    now = clock.now()
    assert clock.from_stamp(clock.stamp(now)) == now


def test_a_day_begins_at_midnight_in_shanghai():
    assert clock.day(datetime(2020, 2, 9, 15, 59, 59, tzinfo=UTC)) == date(2020, 2, 9)
    assert clock.day(datetime(2020, 2, 9, 16, 0, tzinfo=UTC)) == date(2020, 2, 10)
    assert clock.at_local(date(2020, 2, 10), time(0)) == datetime(2020, 2, 9, 16, 0, tzinfo=UTC)


def test_time_is_spoken_as_people_read_it():
    assert clock.spoken(datetime(2020, 2, 10, 1, 5, tzinfo=UTC)) == "2020年02月10日 09:05"
    assert clock.local(datetime(2020, 2, 10, 1, 5, tzinfo=UTC)).isoformat() == "2020-02-10T09:05:00+08:00"
