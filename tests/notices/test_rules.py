from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from chalicelib.kit import clock
from chalicelib.notices import rules
from chalicelib.notices.settings import Settings

NIGHT = (time(22), time(7))


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ("2020-02-10T21:59:59", None),
        ("2020-02-10T22:00:00", "2020-02-11T07:00:00"),
        ("2020-02-10T23:59:59", "2020-02-11T07:00:00"),
        ("2020-02-11T00:00:00", "2020-02-11T07:00:00"),
        ("2020-02-11T06:59:59", "2020-02-11T07:00:00"),
        ("2020-02-11T07:00:00", None),
        ("2020-12-31T23:30:00", "2021-01-01T07:00:00"),
    ],
)
def test_the_night_is_quiet_until_seven(at: str, end: str | None) -> None:
    assert rules.quiet_end(shanghai(at), NIGHT) == (shanghai(end) if end else None)


def test_quiet_hours_may_lie_within_a_day_or_not_exist() -> None:
    nap = (time(12), time(14))
    assert rules.quiet_end(shanghai("2020-02-10T13:00:00"), nap) == shanghai("2020-02-10T14:00:00")
    assert rules.quiet_end(shanghai("2020-02-10T15:00:00"), nap) is None
    assert rules.quiet_end(shanghai("2020-02-10T03:00:00"), (time(0), time(0))) is None


@pytest.mark.parametrize(
    ("needed_by", "too_late"),
    [
        ("2020-02-11T06:00:00", True),
        ("2020-02-11T07:19:59", True),  # it may come that late
        ("2020-02-11T07:20:00", False),
        (None, False),
    ],
)
def test_what_is_needed_before_the_night_is_over_cannot_wait_for_the_morning(
    needed_by: str | None, too_late: bool
) -> None:
    by = shanghai(needed_by) if needed_by else None
    assert rules.too_late_after(shanghai("2020-02-11T07:00:00"), by, 20) is too_late
    assert not rules.too_late_after(None, by, 20), "by day nothing waits"


def test_a_notice_keeps_its_place_in_the_morning_and_different_ones_spread() -> None:
    places = [rules.spread(f"notice_{number}", 20) for number in range(500)]
    assert rules.spread("notice_7", 20) == places[7]
    assert all(timedelta(0) <= place <= timedelta(minutes=20) for place in places)
    by_minute = [sum(place // timedelta(minutes=1) == minute for place in places) for minute in range(20)]
    assert max(by_minute) < 60
    assert rules.spread("notice_7", 0) == timedelta(0)


def test_pauses_double_up_to_half_an_hour_with_full_jitter() -> None:
    assert [rules.pause(tries, 1.0) for tries in (0, 1, 2)] == [timedelta(minutes=m) for m in (2, 3, 5)]
    assert rules.pause(50, 1.0) == timedelta(minutes=31)
    assert rules.pause(50, 0.0) == timedelta(minutes=1)


def test_a_message_nobody_reports_on_is_handed_over_ever_more_rarely() -> None:
    assert rules.next_resend(0) == timedelta(minutes=10)
    assert rules.next_resend(99) == timedelta(hours=6)


def credit(reported: int = 0, confirmed: int = 0, used: int = 0, standing: bool = False) -> Any:
    return SimpleNamespace(reported=reported, confirmed=confirmed, used=used, standing=standing)


@pytest.mark.parametrize(
    ("held", "left"),
    [
        (None, 0),
        (credit(), 0),
        (credit(reported=1), 1),
        (credit(confirmed=1), 1),
        (credit(reported=1, confirmed=1), 1),  # the same accept from two sides
        (credit(reported=3, confirmed=2, used=2), 1),
        (credit(reported=1, used=2), 0),
    ],
)
def test_an_accept_counts_once_from_whichever_side_it_is_heard(held: Any, left: int) -> None:
    assert rules.left(held) == left


def test_people_are_asked_for_what_lasts_before_what_is_used_up() -> None:
    wanted = [("long", "one"), (None, "other")]
    assert rules.to_ask(wanted, {}, 5) == (["long"], True)
    assert rules.to_ask(wanted, {"long": credit(standing=True)}, 5) == (["other"], False)


def test_people_with_enough_in_hand_are_not_asked() -> None:
    assert rules.to_ask([(None, "one")], {"one": credit(reported=5)}, 5) == ([], False)
    assert rules.to_ask([(None, "one")], {"one": credit(reported=5, used=1)}, 5) == (["one"], False)
    assert rules.to_ask([(None, None)], {}, 5) == ([], False)


def test_wechat_is_asked_for_five_templates_at_most() -> None:
    assert len(rules.to_ask([(None, str(number)) for number in range(9)], {}, 5)[0]) == 5


def test_every_state_of_a_push_is_reached_and_most_end() -> None:
    assert rules.PUSH.states >= rules.NOT_REACHED
    assert not any(rules.PUSH.moves.get(end) for end in ("seen", "gone", "no_channel", "failed", "unsure", "expired"))


@pytest.mark.parametrize(
    "document",
    [
        {"templates": {"unheard_of": {}}},
        {"templates": {"to_do": {"one_time": {"id": ""}}}},
        {"templates": {"to_do": {"one_time": {"id": "T", "fields": {"state": "phrase1"}}}}},
        {"templates": {"to_do": {"one_time": {"id": "T", "fields": {"hint": "no number"}}}}},
        {"templates": {"to_do": {"sms": {"id": "T"}}}},
        {"quiet_from": "24:00"},
        {"push_per_minute": 0},
    ],
)
def test_settings_that_could_not_work_are_refused(document: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(document, Settings)


def test_a_template_is_known_by_wechats_id() -> None:
    options = msgspec.convert(
        {"templates": {"to_do": {"one_time": {"id": "A"}, "long_term": {"id": "B"}}, "community": {}}}, Settings
    )
    assert options.template_with("A") == ("to_do", False)
    assert options.template_with("B") == ("to_do", True)
    assert options.template_with("C") is None


def test_times_are_spoken_as_wechat_wants_them() -> None:
    assert clock.spoken(shanghai("2020-02-10T09:05:00")) == "2020年02月10日 09:05"
