"""The nightly proof: right books pass, wrong ones are listed, and nothing is changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.console import commands
from chalicelib.kit import clock, timers
from chalicelib.kit.transaction import transaction
from chalicelib.points import (
    audit,
    jobs,  # noqa: F401 - registers the timer
    service,
)
from chalicelib.points.models import Account, AuditReport, AuditRound, Mismatch, Transfer
from chalicelib.points.rules import Movement
from tests.points.books import account, at_once, correct, give, give_back, somebody, spend

NIGHT = datetime(2026, 11, 22, 17, tzinfo=UTC)
DAY = "2026-11-23"


@pytest.fixture(autouse=True)
def _a_table_of_its_own(empty_table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_started", False)
    audit.start(NIGHT - timedelta(hours=1))


def sweep(now: datetime = NIGHT) -> Any:
    timers.sweep(now=now, time_left=lambda: 60)
    return AuditReport.find("POINTS_AUDIT", f"REPORT#{DAY}")


def lives() -> list[str]:
    chen, wang, li = somebody(), somebody(), somebody()
    for number in range(3):
        give(chen, subject=f"o{number}", now=NIGHT)
    give(wang, subject="o9", now=NIGHT)
    spend(chen, 25, "redemption:1", now=NIGHT)
    give_back(chen, "redemption:1", now=NIGHT)
    spend(chen, 12, "redemption:2", now=NIGHT)
    correct(wang, "help:o9", now=NIGHT)
    give(li, subject="o7", now=NIGHT)
    return [chen, wang, li]


def everything(table: str) -> list[Any]:
    from tests.engine import local_aws

    items = local_aws.client("dynamodb").scan(TableName=table, ConsistentRead=True)["Items"]
    return sorted((item for item in items if item["PK"]["S"].startswith("POINTS#")), key=str)


def test_what_is_right_is_found_right_and_nothing_is_changed(empty_table, logs):
    lives()
    before = everything(empty_table)
    report = sweep()
    assert (report.residents, report.issued, report.held, report.spent, report.lapsed) == (3, 40, 28, 12, 0)
    assert report.wrong == 0
    assert everything(empty_table) == before
    measured = [line for line in logs.metrics if "points_mismatches" in line]
    assert [(line["points_mismatches"], line["points_total_wrong"]) for line in measured] == [(0, 0)]


def test_a_wrong_balance_and_a_lost_transfer_are_listed_and_left_alone(empty_table, logs):
    chen, wang, li = lives()
    with transaction() as tx:
        tx.update(account(chen), [Account.balance.add(5)])
        tx.delete(Transfer.key(li, "help:o7"))
    before = everything(empty_table)
    report = sweep()
    assert (report.residents, report.wrong) == (3, 2)
    found = Mismatch.collection(f"POINTS_MISMATCH#{DAY}")
    assert {each.sk for each in found} == {chen, li}
    assert "balance 23 is not the sum 18" in {each.wrong for each in found}
    assert everything(empty_table) == before
    assert [line["points_mismatches"] for line in logs.metrics if "points_mismatches" in line] == [2]


def test_everybody_with_a_transfer_is_looked_at_and_whoever_has_none_has_nothing_to_look_at(rule):
    rule("help", points=10, a_day=5)
    refused, left, gone = somebody(), somebody(), somebody()
    give(refused, now=NIGHT)
    service.close(left, now=NIGHT)
    rule("help", points=10)
    give(gone, now=NIGHT)
    service.close(gone, now=NIGHT)
    assert {account(each).month for each in (refused, left)} == {""}
    assert (sweep().residents, AuditReport.fetch("POINTS_AUDIT", f"REPORT#{DAY}").lapsed) == (1, 10)
    give(refused, subject="o1", now=NIGHT)
    give(refused, subject="o2", now=NIGHT + timedelta(days=40))
    timers.sweep(now=NIGHT + timedelta(days=41), time_left=lambda: 60)
    assert AuditReport.fetch("POINTS_AUDIT", "REPORT#2027-01-03").residents == 2


def test_books_whose_account_is_lost_are_found():
    chen = somebody()
    give(chen, now=NIGHT)
    with transaction() as tx:
        tx.delete(account(chen))
    assert sweep().wrong == 1


class TestWhatSlicesCheck:
    def test_what_they_find_is_listed_and_only_who_has_spent_is_looked_at(self):
        seen: list[str] = []

        @audit.checker
        def check(resident_id: str, movements: Sequence[Movement]) -> list[str]:
            seen.append(resident_id)
            spent = {each.fact for each in movements if each.credit == "spent"}
            returned = {each.undoes for each in movements if each.debit == "spent"}
            return [f"not_handed_out {fact}" for fact in sorted(spent - returned)]

        chen, wang, li = lives()
        spend(li, 10, "redemption:3", now=NIGHT)
        give_back(li, "redemption:3", now=NIGHT)
        assert sweep().wrong == 1
        (found,) = Mismatch.collection(f"POINTS_MISMATCH#{DAY}")
        assert (found.sk, found.wrong) == (chen, "not_handed_out redemption:2")
        assert set(seen) == {chen, li}
        assert wang not in seen

    def test_what_is_no_residents_is_looked_at_once_at_the_end_of_a_round(self):
        looks: list[int] = []

        @audit.round_checker
        def check() -> dict[str, list[str]]:
            looks.append(1)
            return {"stock masks": ["bucket_lost 3"], "stock rice": []}

        lives()
        assert (sweep().wrong, len(looks)) == (1, 1)
        (found,) = Mismatch.collection(f"POINTS_MISMATCH#{DAY}")
        assert (found.sk, found.wrong) == ("stock masks", "bucket_lost 3")

    def test_an_act_between_the_two_reads_is_no_mismatch(self):
        answers = iter([["no_debit redemption:2"], ["no_debit redemption:2"]])
        audit.checker(lambda resident_id, movements: next(answers, []))
        chen, *_ = lives()
        assert audit.look_at(chen).sums.wrong == []


def test_it_goes_on_where_it_was_cut_off(monkeypatch):
    monkeypatch.setattr(audit, "PIECE", 2)
    for _ in range(9):
        give(somebody(), now=NIGHT)
    runs, report = 0, None
    while report is None:
        report = audit.go_on(AuditRound.key(), now=NIGHT, seconds=0)
        runs += 1
    assert runs > 15
    assert (report.residents, report.issued, report.wrong) == (9, 90, 0)


def test_two_runs_at_once_count_everybody_once():
    for _ in range(5):
        give(somebody(), now=NIGHT)
    at_once(2, lambda _: audit.go_on(AuditRound.key(), now=NIGHT))
    while (report := AuditReport.find("POINTS_AUDIT", f"REPORT#{DAY}")) is None:
        audit.go_on(AuditRound.key(), now=NIGHT)
    assert (report.residents, report.held) == (5, 50)


def test_the_next_night_it_comes_again():
    sweep()
    state = AuditRound.fetch("POINTS_AUDIT", "ROUND")
    assert (state.day, state.due_at) == ("", NIGHT + timedelta(days=1))
    give(somebody(), now=NIGHT)
    timers.sweep(now=NIGHT + timedelta(days=1), time_left=lambda: 60)
    assert AuditReport.fetch("POINTS_AUDIT", "REPORT#2026-11-24").residents == 1


def test_an_act_in_the_middle_is_no_mismatch(monkeypatch):
    chen = somebody()
    give(chen)
    first = audit._add_up(chen)._replace(wrong=["balance 20 is not the sum 10"])
    looks = iter([first])
    real = audit._add_up
    monkeypatch.setattr(audit, "_add_up", lambda resident: next(looks, None) or real(resident))
    assert audit.look_at(chen).sums.wrong == []


class TestTheCommand:
    def test_says_that_all_is_well(self):
        lives()
        answer = commands.administer({"command": "audit"}, request_id="r", now=clock.now())
        assert answer["ok"] is True
        assert "全部相符" in answer["detail"]
        assert answer["report"]["residents"] == 3

    def test_names_whose_books_are_wrong(self):
        chen, *_ = lives()
        with transaction() as tx:
            tx.update(account(chen), [Account.balance.add(-1)])
        answer = commands.administer({"command": "audit"}, request_id="r", now=clock.now())
        assert answer["report"]["mismatches"] == {chen: "balance 17 is not the sum 18"}
        assert "1 处账目不符" in answer["detail"]

    def test_asks_to_be_sent_again_when_its_time_is_over(self):
        answer = commands.administer({"command": "audit"}, request_id="r", now=clock.now(), seconds_left=lambda: 0)
        assert "再发一次" in answer["detail"]
