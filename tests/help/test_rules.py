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


@pytest.mark.parametrize(
    "text",
    [
        "借钱应急",
        "求 借 钱",
        "借\u200b款五百",
        "请转账给我",
        "发个红包吧",
        "募.捐",
        "请先垫付",
        "贷款",
    ],
)
def test_money_is_not_asked_for(text: str) -> None:
    with pytest.raises(rules.MoneyAsked):
        rules.refuse_money([text], "只")


@pytest.mark.parametrize("unit", ["元", " 元", "块钱", "万元", "RMB", "ＲＭＢ", "¥", "人民币"])
def test_money_is_no_unit_of_help(unit: str) -> None:
    with pytest.raises(rules.MoneyAsked):
        rules.refuse_money(["求助"], unit)


@pytest.mark.parametrize(
    ("text", "unit"), [("借一把梯子", "把"), ("三块肥皂", "块"), ("想借钱包样品看看", "个"), ("", "人")]
)
def test_things_are_no_money(text: str, unit: str) -> None:
    rules.refuse_money([text], unit)


@pytest.mark.parametrize(
    "text",
    [
        "13800138000",
        "打我电话13800138000。",
        "138 0013 8000",
        "138-0013-8000",
        "138—0013—8000",
        "138.0013.8000",
        "+8613800138000",
        "+86 138 0013 8000",
        "0086-13800138000",
        "１３８００１３８０００",
        "一三八零零一三八零零零",
        "幺三八零零幺三八零零零",
        "壹叁捌零零壹叁捌零零零",
        "1三8零0一38零零0",
        "①③⑧００①③⑧０００",
        "1️⃣3️⃣8️⃣0️⃣0️⃣1️⃣3️⃣8️⃣0️⃣0️⃣0️⃣",
        "138\u200b0013\u200b8000",
        "1 3 8 0 0 1 3 8 0 0 0",
        "0573-82838483",
        "0573 8283 8483",
        "021-62345678",
        "（0573）82838483",
    ],
)
def test_phone_numbers_are_refused_however_they_are_written(text: str) -> None:
    with pytest.raises(rules.PhoneInText):
        rules.refuse_phone_numbers(["好的", text])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "70只口罩",
        "2020年2月10日",
        "2020-02-10",
        "2020-02-10 09:05",
        "2020/02/10 14:30-16:30",
        "14:30-16:30 205室",
        "2月10日13:00到15:00，5只",
        "住15幢3单元501",
        "订单号1234567890123456",
        "快递 SF1380013800012345",
        "订单号138001380001380013",
        "30元以内的药，医保编号6228",
        "12345热线",
        "110、119、120",
        "一起去，三五个人，二十分钟",
        "1.5 米，2.5 米，3.5 米",
        "13 14 15 16号都可以",
    ],
)
def test_other_numbers_are_no_phone_numbers(text: str) -> None:
    rules.refuse_phone_numbers([text])


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
