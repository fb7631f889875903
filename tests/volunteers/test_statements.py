"""My hours, and statements of them that anybody can verify."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

from chalicelib.kit import clock, vault
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.people import personal_data
from chalicelib.volunteers.models import Statement, Volunteer, partition
from chalicelib.volunteers.records import rules as record_rules
from chalicelib.volunteers.statements import issuing as statements
from chalicelib.volunteers.statements import routes as statement_routes
from chalicelib.volunteers.statements import rules
from chalicelib.volunteers.statements.rules import Period
from tests.engine.budget import budget
from tests.engine.http import Http
from tests.neighbourhood import Hood
from tests.shifts import gate
from tests.volunteers import hours

DAY = timedelta(days=1)


def test_hours_of_a_period_are_listed_and_added_up(hood: Hood) -> None:
    chen = hours.volunteer(hood)
    hours.served(chen, days_ago=400, minutes=60)
    older = hours.served(chen, days_ago=3, minutes=240)
    newer = hours.served(chen, days_ago=2, minutes=90, how="recorded", why="门口信号不好，没有签到")
    since = hours.today() - 10 * DAY
    answer = chen.get(f"/me/service-hours?from={since}").json
    assert [each["shift"] for each in answer["items"]] == [newer.shift, older.shift]
    assert answer["totals"] == {
        "times": 2,
        "checked": 240,
        "recorded": 90,
        "together": 330,
        "checked_text": "4 小时",
        "recorded_text": "1 小时 30 分钟",
        "together_text": "5 小时 30 分钟",
    }
    first = answer["items"][0]
    assert (first["how"], first["recorded_by"], first["why"]) == ("recorded", "沈组织", "门口信号不好，没有签到")
    assert (first["service"], first["start"][11:]) == ("守小门", "08:00:00+08:00")


def test_the_first_and_the_last_day_of_a_period_belong_to_it(hood: Hood) -> None:
    chen, day = hours.volunteer(hood), date(2026, 3, 8)
    for start in (
        datetime.combine(day, time(0, 0), clock.SHANGHAI),
        datetime.combine(day, time(23, 59), clock.SHANGHAI),
        datetime.combine(day - DAY, time(23, 59), clock.SHANGHAI),
        datetime.combine(day + DAY, time(0, 0), clock.SHANGHAI),
    ):
        hours.served(chen, start=start, minutes=10)
    assert chen.get(f"/me/service-hours?from={day}&to={day}").json["totals"]["times"] == 2


def test_more_hours_than_a_page_follow_by_the_cursor_and_the_totals_stay(hood: Hood) -> None:
    chen = hours.volunteer(hood)
    with Item.batch_write() as batch:
        for number in range(45):
            batch.save(hours.record(chen.id, days_ago=number // 2 + 1, minutes=10))
    query, seen, pages = f"from={hours.today() - hours.YEAR}", [], 0
    answer = chen.get(f"/me/service-hours?{query}").json
    while True:
        pages += 1
        assert answer["totals"]["together"] == 450
        seen += [each["shift"] for each in answer["items"]]
        if answer["next"] is None:
            break
        answer = chen.get(f"/me/service-hours?{query}&cursor={answer['next'].replace('#', '%23')}").json
    assert (pages, len(seen), len(set(seen))) == (3, 45, 45)
    assert chen.get("/me/service-hours?cursor=nonsense").code == "cursor_invalid"


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("from=2026-02-30", "from"),
        ("from=0001-01-01&to=0001-02-01", "from"),
        ("from=9999-12-01&to=9999-12-31", "to"),
        ("from=2026-03-02&to=2026-03-01", "to"),
        ("from=2020-01-01&to=2023-01-01", "to"),
        ("from=2024-02-29&to=2027-03-01", "to"),
    ],
)
def test_periods_that_are_none_are_refused(query: str, wrong: str, hood: Hood) -> None:
    answer = hood.resident().get(f"/me/service-hours?{query}")
    assert (answer.status, wrong in answer.wrong) == (422, True), answer


def test_three_years_to_the_day_are_a_period() -> None:
    record_rules.check_period(Period(date(2020, 1, 1), date(2022, 12, 31)))
    record_rules.check_period(Period(date(2024, 2, 29), date(2027, 2, 28)))


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(0, "0 分钟"), (45, "45 分钟"), (60, "1 小时"), (750, "12 小时 30 分钟"), (90_061, "1,501 小时 1 分钟")],
)
def test_minutes_are_said_as_people_say_them(minutes: int, text: str) -> None:
    assert record_rules.spoken(minutes) == text


def test_a_statement_shows_the_five_groups_to_anybody_with_its_number(hood: Hood) -> None:
    chen = hours.volunteer(hood)
    hours.served(chen, days_ago=3, minutes=240)
    hours.served(
        chen, days_ago=2, minutes=90, how="recorded", why="门口信号不好，没有签到", title="夜间巡逻", service="patrol"
    )
    worker = hood.staff("grid_worker", hood.grid, "沈网格")
    hours.noted(worker, chen, hours.training())
    hours.noted(worker, chen, hours.praise())
    hours.noted(worker, chen, hours.praise(kind="evaluation", title="服务认真负责", by="桂苑社区居委会"))
    mine = hours.issued(chen)
    assert (mine["state"], mine["minutes"], mine["text"]) == ("valid", 330, "5 小时 30 分钟")
    answer = hood.http.get(f"/statements/{mine['number']}")
    assert answer.headers["cache-control"] == "no-store"
    found = answer.json
    assert (found["state"], found["told"], found["issuer"]) == ("valid", "这份证明有效。", "微嘉园社区志愿服务")
    assert '<meta name="state" content="valid">' in hood.http.get(f"/statements/{mine['number']}/page").text
    shown = found["shown"]
    assert shown["basic"] == {
        "name": "陈建君",
        "born": "1962-05-08",
        "area": "桂苑社区",
        "skills": ["水电维修", "驾驶"],
        "volunteer_since": f"{hours.today()}",
    }
    first, second = shown["service"]
    assert (first["title"], first["service"], first["how"], first["by"]) == ("守小门", "守小门", "checked", None)
    assert (second["service"], second["how"], second["by"]) == ("巡逻", "recorded", "沈组织")
    assert second["why"] == "门口信号不好，没有签到"
    assert (shown["training"][0]["title"], shown["training"][0]["minutes"]) == ("心肺复苏初级培训", 210)
    assert [each["title"] for each in shown["commendation"] + shown["evaluation"]] == ["年度优秀志愿者", "服务认真负责"]
    assert found["totals"]["together_text"] == "5 小时 30 分钟"
    assert chen.id not in answer.text


def test_a_statement_needs_a_real_name_and_something_to_state(hood: Hood) -> None:
    nobody, unnamed, idle = hood.resident(), gate.volunteer(hood), hours.volunteer(hood)
    hours.served(unnamed)
    assert [hours.issue(each).code for each in (nobody, unnamed)] == ["real_name_needed"] * 2
    assert hours.issue(idle).code == "nothing_to_state"
    hours.noted(hood.staff("community_worker"), idle)
    assert hours.issue(idle).status == 201


@pytest.mark.parametrize("state", ["applied", "declined"])
def test_a_name_that_nobody_has_approved_stands_on_no_statement(state: str, hood: Hood) -> None:
    chen = hours.volunteer(hood, "别人的名字", state=state)
    hours.served(chen)
    assert hours.issue(chen).code == "real_name_unchecked"


def test_hours_that_were_corrected_to_none_are_nothing_to_state(hood: Hood) -> None:
    chen = hours.volunteer(hood)
    hours.correct(hours.served(chen), 0)
    assert hours.issue(chen).code == "nothing_to_state"
    hours.served(chen, days_ago=2)
    shown = chen.get(f"/statements/{hours.issued(chen)['number']}").json
    assert (len(shown["shown"]["service"]), shown["totals"]["times"]) == (1, 1)
    assert chen.get(f"/me/service-hours?from={hours.today() - hours.YEAR}").json["totals"]["times"] == 1


def test_hours_confirmed_later_leave_a_statement_as_it_is_and_a_new_one_shows_them(hood: Hood) -> None:
    chen = hours.volunteer(hood)
    hours.served(chen, days_ago=3)
    first = hours.issued(chen)["number"]
    hours.served(chen, days_ago=2, how="recorded", why="签到码坏了")
    before = chen.get(f"/statements/{first}").json
    assert (before["state"], before["totals"]["times"]) == ("valid", 1)
    assert "出具以后才确认、补录的服务不在其中" in chen.get(f"/statements/{first}/page").text
    second = hours.issued(chen)
    assert second["minutes"] == 480
    assert chen.get(f"/statements/{first}").json["state"] == "superseded"


def test_what_has_not_happened_is_not_certified(hood: Hood) -> None:
    chen = hours.volunteer(hood)
    hours.served(chen)
    answer = hours.issue(chen, end=hours.today() + DAY)
    assert (answer.status, answer.code, list(answer.wrong)) == (422, "period_wrong", ["to"])
    assert hours.issue(chen, start=hours.today() - 4 * hours.YEAR).code == "period_wrong"


@pytest.mark.parametrize(
    "change",
    [
        str.lower,
        lambda number: number.replace("-", ""),
        lambda number: number.replace("-", " — "),
        lambda number: number.translate({ord("0"): "O", ord("1"): "l"}),
        lambda number: "".join(chr(ord(each) + 0xFEE0) if each != "-" else "－" for each in number),
    ],
)
def test_a_number_is_known_however_it_is_typed(change: Callable[[str], str], hood: Hood) -> None:
    from urllib.parse import quote

    chen = hours.volunteer(hood)
    hours.served(chen)
    number = hours.issued(chen)["number"]
    assert hood.http.get(f"/statements/{quote(change(number))}").json["number"] == number


@pytest.mark.parametrize(
    "number", ["ZM-0000-0000-0000", "ZM", "x" * 900, "%00", "..%2F..", "ZM-____", "STATEMENT", "%F0%9F%98%80"]
)
def test_a_number_that_was_never_given_out_is_not_found_and_said_so(number: str, http: Http) -> None:
    answer = http.get(f"/statements/{number}")
    assert (answer.status, answer.code) == (404, "statement_not_found")
    page = http.get(f"/statements/{number}/page")
    assert (page.status, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "查不到这份证明" in page.text


def test_a_paper_is_checked_so_often_an_hour_and_no_more(hood: Hood, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "CHECKS_AN_HOUR", 2)
    chen = hours.volunteer(hood)
    hours.served(chen)
    number, another = hours.issued(chen)["number"], hours.issued(chen)["number"]
    assert hood.http.get(f"/statements/{number}").status == 200
    assert hood.http.get(f"/statements/{number}/page").status == 200
    with budget() as spent:
        answer, page = hood.http.get(f"/statements/{number}"), hood.http.get(f"/statements/{number}/page")
    assert (answer.status, answer.code, page.status) == (429, "too_many_requests", 429)
    assert "请过一会儿再来" in page.text
    assert not any(call.startswith("kms") for call in spent.calls)
    assert hood.http.get(f"/statements/{another}").status == 200


def test_the_same_request_gives_the_same_statement(hood: Hood) -> None:
    chen = hours.volunteer(hood)
    hours.served(chen)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: hours.issue(chen, key="once"), range(4)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.json["number"] for answer in answers}) == 1
    assert len(chen.get("/me/statements").json["items"]) == 1
    assert hours.issue(chen, start=hours.today() - DAY, key="once").code == "idempotency_key_reused"


def test_a_statement_takes_the_place_of_those_within_its_period(hood: Hood) -> None:
    chen = hours.volunteer(hood)
    hours.served(chen, days_ago=2)
    hours.served(chen, days_ago=100)
    within = hours.issued(chen, start=hours.today() - 10 * DAY, end=hours.today() - DAY)["number"]
    reaching_out = hours.issued(chen, start=hours.today() - 200 * DAY, end=hours.today() - 50 * DAY)["number"]
    newer = hours.issued(chen, start=hours.today() - 120 * DAY)["number"]
    assert [hours.stored(each).state for each in (within, reaching_out, newer)] == ["superseded", "valid", "valid"]
    found = hood.http.get(f"/statements/{within}")
    assert (found.json["state"], found.json["ended_at"] is not None) == ("superseded", True)
    assert "被新开的证明替换" in found.json["told"]
    assert newer not in found.text
    assert newer not in hood.http.get(f"/statements/{within}/page").text
    mine = {each["number"]: each for each in chen.get("/me/statements").json["items"]}
    assert (mine[within]["state_text"], mine[within]["superseded_by"]) == ("已被新证明替换", newer)
    assert [each["number"] for each in hours.register_of(chen).issued] == [reaching_out, newer]


def test_a_correction_revokes_the_statements_that_show_it_and_no_other(hood: Hood) -> None:
    chen = hours.volunteer(hood)
    old, new = hours.served(chen, days_ago=50), hours.served(chen, days_ago=2, minutes=240)
    of_old = hours.issued(chen, start=hours.today() - 60 * DAY, end=hours.today() - 40 * DAY)["number"]
    of_new = hours.issued(chen, start=hours.today() - 10 * DAY)["number"]
    hours.correct(new, 200)
    assert [hours.stored(each).state for each in (of_old, of_new)] == ["valid", "revoked"]
    found = hood.http.get(f"/statements/{of_new}").json
    assert (found["state"], found["reason"], found["totals"]["together"]) == ("revoked", "服务时长有更正", 240)
    assert "已作废" in hood.http.get(f"/statements/{of_new}/page").text
    assert hours.issued(chen, start=hours.today() - 10 * DAY)["minutes"] == 200
    hours.correct(old, 10)
    assert hours.stored(of_old).state == "revoked"
    listed = chen.get(f"/me/service-hours?from={hours.today() - 10 * DAY}").json["items"][0]
    assert [each["minutes"] for each in listed["versions"]] == [240]


def test_what_a_statement_says_are_the_records_of_the_moment_whatever_is_corrected_meanwhile(
    hood: Hood, each_engine: str
) -> None:
    chen = hours.volunteer(hood)
    made = [hours.served(chen, days_ago=day, minutes=100) for day in (2, 3, 4)]

    def correct(turn: int) -> None:
        for each in range(4):
            with suppress(Changed):
                hours.correct(made[turn], 101 + 10 * turn + each)

    def ask(_: int) -> str:
        return str(hours.issued(chen)["number"])

    with ThreadPoolExecutor(5) as pool:
        correcting = [pool.submit(correct, turn) for turn in range(3)]
        numbers = list(pool.map(ask, range(4)))
        for each in correcting:
            each.result()
    found = [hours.stored(number) for number in numbers]
    now_true = chen.get(f"/me/service-hours?from={hours.today() - hours.YEAR}").json["totals"]["together"]
    valid = [each for each in found if each.state == "valid"]
    assert [int(each.minutes) for each in valid] in ([], [now_true])
    assert [each["number"] for each in hours.register_of(chen).issued] == [each.number for each in valid]


@pytest.mark.parametrize("before", ["nothing", "hours", "a statement"])
def test_what_is_recorded_between_reading_and_writing_is_in_the_statement(hood: Hood, before: str) -> None:
    """The narrowest moment, without luck: the records are read, then others come to be, then it is written."""
    worker, chen = hood.staff("grid_worker"), hours.volunteer(hood)
    made = hours.served(chen, minutes=240) if before != "nothing" else hours.noted(worker, chen)
    if before == "a statement":
        hours.issued(chen)
    happen = [
        lambda: hours.served(chen, days_ago=2, minutes=60),
        lambda: hours.noted(worker, chen, hours.training()),
        *([lambda: hours.correct(made, 200)] if before != "nothing" else []),
    ]
    write = statements._write

    def write_late(*arguments: Any) -> None:
        if happen:
            happen.pop()()
        write(*arguments)

    with patch.object(statements, "_write", write_late):
        number = hours.issued(chen)["number"]
    shown = hood.http.get(f"/statements/{number}").json["shown"]
    assert sorted(each["minutes"] for each in shown["service"]) == ([60] if before == "nothing" else [60, 200])
    assert len(shown["training"]) == 1


def test_statements_a_day_are_limited_and_refusals_are_free(hood: Hood, configure: Callable[..., None]) -> None:
    configure("volunteers", statements_a_day=2)
    chen = hours.volunteer(hood)
    for _ in range(3):
        assert hours.issue(chen).code == "nothing_to_state"
    hours.served(chen)
    assert [hours.issue(chen).status for _ in range(3)] == [201, 201, 429]
    assert len(chen.get("/me/statements").json["items"]) == 2


def test_nobody_has_more_than_twenty_valid_statements(hood: Hood, configure: Callable[..., None]) -> None:
    configure("volunteers", statements_a_day=50)
    chen = hours.volunteer(hood)
    hours.served(chen, days_ago=28)  # within all of them, also when midnight comes between
    for days in range(rules.VALID_AT_MOST):  # none of them lies within another
        start, end = hours.today() - (50 - days) * DAY, hours.today() - (25 - days) * DAY
        hours.issued(chen, start=start, end=end)
    refused = hours.issue(chen, start=hours.today() - 30 * DAY)
    assert (refused.status, refused.code) == (409, "too_many_statements")
    hours.issued(chen)
    assert len(hours.register_of(chen).issued) == 1


def test_a_statement_of_more_records_than_one_answer_of_the_table_holds_is_complete(hood: Hood) -> None:
    chen = hours.volunteer(hood)
    with Item.batch_write() as batch:
        for number in range(450):
            extra = {"title": "守小门" * 20, "place": "桂苑社区" * 20, "why": "说明" * 400, "how": "recorded"}
            batch.save(hours.record(chen.id, days_ago=number // 2 + 1, minutes=1, **extra))
    with budget() as spent:
        number = hours.issued(chen)["number"]
    assert spent.calls.count("dynamodb Query") == 3, "two for the records and one for the entries"
    assert hood.http.get(f"/statements/{number}").json["totals"]["times"] == 450
    assert len(hours.stored(number).person_sealed) < 50_000


def test_too_much_for_one_statement_is_refused(hood: Hood) -> None:
    chen = hours.volunteer(hood)
    hours.served(chen)
    with patch.object(rules, "LINES_AT_MOST", 0):
        assert hours.issue(chen).code == "too_much_to_state"
    with patch.object(rules, "BYTES_AT_MOST", 100):
        assert hours.issue(chen).code == "too_much_to_state"
    assert chen.get("/me/statements").json["items"] == []


def test_with_the_account_what_a_statement_says_is_destroyed_and_whoever_verifies_it_learns_that(hood: Hood) -> None:
    chen = hours.volunteer(hood)
    hours.served(chen)
    hours.noted(hood.staff("grid_worker"), chen)
    replaced, mine = hours.issued(chen), hours.issued(chen)
    exported = {title: list(personal_data.sections[title](chen.id)) for title in ("服务时长证明", "培训表彰评价")}
    assert [each["编号"] for each in exported["服务时长证明"]] == [replaced["number"], mine["number"]]
    assert exported["服务时长证明"][0]["时长"] == "4 小时"
    assert exported["培训表彰评价"][0]["名称"] == "年度优秀志愿者"
    with patch.object(personal_data, "erase", side_effect=OSError):  # the key is gone, the rest is cut off
        assert chen.post("/me/close", json={"word": "注销"}).status == 204
    assert hood.http.get(f"/statements/{mine['number']}").json["state"] == "destroyed"
    personal_data.erase(chen.id, now=clock.now())
    for number in (replaced["number"], mine["number"]):
        answer, page = hood.http.get(f"/statements/{number}"), hood.http.get(f"/statements/{number}/page")
        found = answer.json
        assert (answer.status, found["state"], found["shown"], found["totals"]) == (200, "destroyed", None, None)
        assert (found["state_text"], found["ended_at"] is not None) == ("内容已销毁", True)
        assert "持有人已注销账号" in found["told"]
        assert '<meta name="state" content="destroyed">' in page.text
        assert ("持有人已注销账号" in page.text, "已销毁</div>" in page.text) == (True, True)
        assert "陈建君" not in page.text + answer.text
        assert hours.stored(number).person_sealed is None
    assert [item for item in Item.collection(partition(chen.id)) if item.sk.startswith(("ENTRY#", "REGISTER"))] == []
    assert list(Item.by_person.query(Statement.of(chen.id))) == []


def test_a_statement_is_not_issued_under_a_name_that_has_just_changed(hood: Hood) -> None:
    chen, write, changed = hours.volunteer(hood), statements._write, []
    hours.served(chen)

    def write_late(*arguments: Any) -> None:
        if not changed:
            sealed = vault.seal(chen.id, "name", "陈建军")
            with transaction() as tx:
                tx.update(Volunteer.key(chen.id), [Volunteer.name_sealed.set(sealed), Volunteer.version.set(7)])
            changed.append(True)
        write(*arguments)

    with patch.object(statements, "_write", write_late):
        number = hours.issued(chen)["number"]
    assert hood.http.get(f"/statements/{number}").json["shown"]["basic"]["name"] == "陈建军"


def test_the_check_address_is_that_of_the_settings_or_of_the_gateway(
    hood: Hood, configure: Callable[..., None]
) -> None:
    chen = hours.volunteer(hood)
    hours.served(chen)
    mine = hours.issued(chen)
    number = mine["number"]
    assert mine["page"] == f"http://api.test/api/statements/{number}/page"
    assert hood.http.get(f"/statements/{number}").json["check_address"] == mine["page"]
    configure("volunteers", check_address="https://wjy.example.cn/v1/", issuer="南湖区志愿服务中心")
    assert chen.get("/me/statements").json["items"][0]["page"] == f"https://wjy.example.cn/v1/statements/{number}/page"
    assert hood.http.get(f"/statements/{number}").json["issuer"] == "微嘉园社区志愿服务", "as it was issued"


@pytest.mark.parametrize(
    ("path", "base"),
    [
        ("/api/statements/ZM/page", "https://abc.execute-api.cn-north-1.amazonaws.com.cn/api"),
        ("/statements/ZM/page", "https://abc.execute-api.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_on_aws_the_gateway_says_under_which_address_it_was_called(path: str, base: str) -> None:
    context = {
        "domainName": "abc.execute-api.cn-north-1.amazonaws.com.cn",
        "path": path,
        "resourcePath": "/statements/{number}/page",
    }
    called = SimpleNamespace(context=context, headers={"host": "evil.example"})
    assert statement_routes._base(called) == base


def test_who_recorded_and_has_closed_their_account_is_named_by_their_office(hood: Hood) -> None:
    worker, organiser, chen = hood.staff("grid_worker"), hood.staff("community_worker"), hours.volunteer(hood)
    by = {"recorded_by": organiser.id, "recorded_by_name": "沈组织", "area": hood.community}
    made = hours.served(chen, how="recorded", why="签到码坏了", organiser=worker.id, organiser_name="沈网格", **by)
    hours.correct(made, 200, by=worker.id, by_name="沈网格")
    hours.noted(worker, chen)
    revoked = hours.noted(worker, chen, hours.training())["id"]
    worker.post(f"/volunteers/{chen.id}/entries/{revoked}/revoke", json={"reason": "记错了人"})
    before = hours.issued(chen)["number"]

    def named() -> list[Any]:
        (record,) = chen.get(f"/me/service-hours?from={hours.today() - hours.YEAR}").json["items"]
        noted = chen.get("/me/volunteer/entries").json["items"]
        exported = [list(personal_data.sections[title](chen.id)) for title in ("服务时长", "培训表彰评价")]
        return [
            (record["recorded_by"], record["versions"][0]["by"]),
            {name for each in noted for name in (each["recorded_by"], each["revoked_by"]) if name},
            {each["记录人"] for section in exported for each in section} | {exported[0][0]["更正前"][0]["记录人"]},
        ]

    assert named()[0] == ("沈网格", "沈组织")
    for staff in (worker, organiser):
        assert staff.post("/me/close", json={"word": "注销"}).status == 204
    office = "桂苑社区工作人员"
    assert named() == [(office, office), {office}, {office}]
    line = hood.http.get(f"/statements/{hours.issued(chen)['number']}").json["shown"]["service"][0]
    assert (line["by"], line["leader"]) == (office, office)
    line = hood.http.get(f"/statements/{before}").json["shown"]["service"][0]
    assert (line["by"], line["leader"]) == ("沈网格", "沈网格"), "a statement says what its paper says"
