"""What may be asked, and what happens by itself when: without AWS."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.help import rules

NOW = datetime(2020, 2, 10, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def request(**change: Any) -> Any:
    told = {"announced_at": NOW, "escalated_at": None, "opened_at": NOW, "open_until": NOW + 14 * DAY}
    return SimpleNamespace(**{"urgency": "normal", "objected_at": None, "settled_at": None, **told, **change})


def following(state: str = "open", *, offered: int = 0, collected: int = 0, now: datetime = NOW, **change: Any) -> Any:
    return rules.next_timer(request(**change), state=state, offered=offered, collected=collected, now=now)


@pytest.fixture(autouse=True)
def _defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "settings_in_force", rules.HelpSettings)


class TestWhatHappensNext:
    def test_a_new_request_is_announced_first(self):
        assert following(announced_at=None) == ("help.announce", NOW)

    def test_one_that_could_not_be_seen_in_time_is_not_announced_any_more(self):
        assert following(announced_at=None, open_until=NOW - HOUR) == ("help.close", NOW - HOUR)

    def test_unanswered_for_a_day_it_goes_to_the_grid_worker(self):
        assert following() == ("help.escalate", NOW + 24 * HOUR)

    def test_an_urgent_one_goes_there_after_two_hours(self):
        assert following(urgency="urgent") == ("help.escalate", NOW + 2 * HOUR)

    def test_of_a_short_time_half_is_left_to_the_grid_worker(self):
        assert following(urgency="urgent", open_until=NOW + HOUR) == ("help.escalate", NOW + HOUR / 2)

    def test_an_answered_one_waits_for_its_end(self):
        assert following(offered=1) == ("help.close", NOW + 14 * DAY)

    def test_an_escalated_one_waits_for_its_end(self):
        assert following(escalated_at=NOW) == ("help.close", NOW + 14 * DAY)

    def test_a_covered_one_waits_for_people(self):
        assert following("covered", offered=5, collected=4) is None

    def test_when_all_is_collected_silence_confirms_after_seven_days(self):
        assert following("covered", offered=5, collected=5, settled_at=NOW) == ("help.fulfil", NOW + 7 * DAY)

    def test_nothing_is_confirmed_by_silence_after_an_objection(self):
        assert following("covered", offered=5, collected=5, settled_at=NOW, objected_at=NOW) is None

    @pytest.mark.parametrize("state", ["in_review", "fulfilled", "withdrawn", "expired", "removed"])
    def test_nothing_happens_by_itself_to_what_is_hidden_or_over(self, state):
        assert following(state) is None


class TestUntilWhen:
    def test_without_a_time_it_stays_open_two_weeks(self):
        assert rules.open_until(None, NOW) == NOW + 14 * DAY

    @pytest.mark.parametrize("wait", [HOUR, DAY, 30 * DAY])
    def test_with_one_until_then(self, wait):
        assert rules.open_until(NOW + wait, NOW) == NOW + wait

    @pytest.mark.parametrize("wait", [-DAY, timedelta(0), HOUR - timedelta(seconds=1), 30 * DAY + timedelta(seconds=1)])
    def test_not_in_the_past_not_at_once_not_in_a_far_future(self, wait):
        with pytest.raises(rules.TooLate) as refusal:
            rules.open_until(NOW + wait, NOW)
        assert "needed_by" in refusal.value.fields


class TestLifeCycles:
    def test_every_end_is_an_end(self):
        assert rules.REQUEST.states - rules.REQUEST.moves.keys() == {"fulfilled", "withdrawn", "expired", "removed"}
        assert rules.OFFER.states - rules.OFFER.moves.keys() == {"collected", "cancelled", "lapsed", "returned"}

    def test_every_state_has_a_name_for_people(self):
        assert rules.REQUEST_STATES.keys() == rules.REQUEST.states
        assert rules.OFFER_STATES.keys() == rules.OFFER.states

    def test_what_was_brought_cannot_lapse(self):
        assert not rules.OFFER.allows("dropped_off", "lapsed")

    def test_only_open_requests_expire(self):
        assert rules.REQUEST.before("expired") == {"open"}
