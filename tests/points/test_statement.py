"""What residents see of their points."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.kit import clock
from chalicelib.people import personal_data
from tests.neighbourhood import Hood
from tests.points.books import correct, give, give_back, spend

OCTOBER = datetime(2026, 10, 31, 15, 59, tzinfo=UTC)  # a minute before November in Shanghai


@pytest.fixture
def chen(hood: Hood, rule):
    rule("help", points=10)
    return hood.resident("陈彩明")


def statement(who, month: str, cursor: str | None = None):
    answer = who.get(f"/me/points/statement?month={month}" + (f"&cursor={cursor}" if cursor else ""))
    assert answer.status == 200, answer
    return answer.json


def changes(page):
    return [(line["change"], line["balance"]) for line in page["items"]]


def test_each_gain_and_spend_with_reason_and_balance(chen):
    at = OCTOBER
    give(chen.id, subject="o1", now=at - timedelta(hours=1))
    spend(chen.id, 4, "redemption:1", now=at)
    give_back(chen.id, "redemption:1", now=at + timedelta(minutes=1))
    correct(chen.id, "help:o1", now=at + timedelta(minutes=2))
    october, november = statement(chen, "2026-10"), statement(chen, "2026-11")
    assert (october["opening"], changes(october)) == (0, [(10, 10), (-4, 6)])
    assert (november["opening"], changes(november)) == (6, [(4, 10), (-10, 0)])
    assert [line["reason"] for line in october["items"]] == ["帮助邻居", "兑换口罩"]
    assert october["items"][1]["at"] == "2026-10-31T23:59:00+08:00"
    assert october["next"] is None


def test_a_refusal_bears_the_name_its_rule_has_now(hood, configure):
    chen, reading = hood.resident(), {"name": "阅读信息", "points": 2, "a_day": 2}
    configure("points", rules={"reading": reading})
    for _ in range(2):
        give(chen.id, "reading")
    assert [each["name"] for each in chen.get("/me/points").json["refusals"]] == ["阅读信息"]
    configure("points", rules={"reading": {**reading, "name": "看看新消息", "on": False}})
    assert [each["name"] for each in chen.get("/me/points").json["refusals"]] == ["看看新消息"]
    configure("points", rules={})
    (refusal,) = chen.get("/me/points").json["refusals"]
    assert (refusal["name"], refusal["reason"]) == ("已停用的积分规则", "cap_a_day")


def test_balances_go_on_from_page_to_page(chen):
    give(chen.id, now=OCTOBER)
    for number in range(45):
        give(chen.id, now=OCTOBER + timedelta(minutes=number + 1))
    seen, cursor = [], None
    for _ in range(4):
        page = statement(chen, "2026-11", cursor)
        assert page["opening"] == (seen[-1][1] if seen else 10)
        seen += changes(page)
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [(10, 20 + 10 * number) for number in range(45)]


@pytest.mark.parametrize(
    "query", ["", "?month=2026-13", "?month=2026-1", "?month=20261", "?month=２０２６-11", "?month=2026-11&x=1"]
)
def test_a_month_is_a_month(chen, query):
    assert chen.get(f"/me/points/statement{query}").status == 422


@pytest.mark.parametrize("cursor", ["x", "~", "5~x", "-5~x", "²~x", "5~", "99999999999999999999~x"])
def test_a_cursor_of_ones_own_making_is_refused(chen, cursor):
    answer = chen.get(f"/me/points/statement?month=2026-11&cursor={cursor}")
    assert (answer.status, answer.code) == (422, "cursor_invalid")


def test_a_cursor_of_somebody_elses_statement_is_refused(chen, hood):
    for number in range(22):
        give(chen.id, now=OCTOBER + timedelta(minutes=number + 1))
    cursor = statement(chen, "2026-11")["next"]
    other = hood.resident()
    assert other.get(f"/me/points/statement?month=2026-11&cursor={cursor}").code == "cursor_invalid"


def test_who_never_earned_has_nothing_and_reads_an_empty_statement(chen):
    assert chen.get("/me/points").json == {"balance": 0, "month": f"{clock.day(clock.now()):%Y-%m}", "refusals": []}
    assert statement(chen, "2026-11") == {"month": "2026-11", "opening": 0, "items": [], "next": None}


def test_why_did_i_get_no_points(chen, rule):
    rule("help", points=10, a_day=10)
    give(chen.id, subject="o1")
    give(chen.id, subject="o2")
    give(chen.id, subject="o1")
    mine = chen.get("/me/points").json
    assert mine["balance"] == 10
    assert [(each["reason"], each["subject"]) for each in mine["refusals"]] == [
        ("already_counted", "o1"),
        ("cap_a_day", "o2"),
    ]
    assert "今天" in mine["refusals"][1]["detail"]


def test_yesterdays_refusals_are_of_no_interest_today(chen, rule):
    rule("help", points=10, a_day=10)
    yesterday = clock.now() - timedelta(days=1)
    give(chen.id, now=yesterday)
    give(chen.id, now=yesterday)
    assert chen.get("/me/points").json["refusals"] == []


def test_the_copy_of_my_data_has_every_line(chen):
    give(chen.id, now=OCTOBER)
    spend(chen.id, 4, now=OCTOBER + timedelta(minutes=5))
    lines = list(personal_data.sections["我的积分"](chen.id))
    assert [(line["事由"], line["变动"], line["余额"]) for line in lines] == [("帮助邻居", 10, 10), ("兑换口罩", -4, 6)]


def test_leaving_lets_the_balance_lapse_and_the_books_stay(chen):
    from tests.points.books import check, transfers

    give(chen.id)
    assert chen.post("/me/close", json={"word": "注销"}).status < 300
    assert check(chen.id) == 0
    assert [each.credit for each in transfers(chen.id)].count("lapsed") == 1


class TestLogin:
    def test_earns_nothing_by_itself(self, hood):
        chen = hood.resident()
        chen.log_in()
        assert chen.get("/me/points").json["balance"] == 0

    def test_earns_once_a_day_where_an_administrator_wants_it(self, hood, configure):
        daily = {"name": "每日登录", "points": 1, "once_per_subject": False}
        configure("points", rules={"login": daily})
        chen = hood.somebody()
        chen.log_in()
        chen.consent()
        mine = chen.get("/me/points").json
        assert (mine["balance"], [each["reason"] for each in mine["refusals"]]) == (1, ["already_counted"])

    def test_books_that_do_not_answer_keep_nobody_out(self, hood, configure, monkeypatch):
        from chalicelib.points import service

        def crash(*_, **__):
            raise OSError

        monkeypatch.setattr(service, "award", crash)
        assert hood.somebody().log_in().status == 200
