"""Many at once, against the real engine: one result, one attempt, points once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest

from chalicelib.kit import clock
from chalicelib.kit.table import Item
from chalicelib.people.models import Resident
from chalicelib.quiz import answering, banks, setting_up
from chalicelib.quiz.models import Bank, Sheet
from chalicelib.quiz.rules import BankTooSmall, ChangedMeanwhile
from chalicelib.quiz.setting_up import Plan
from tests.neighbourhood import Hood, Neighbour
from tests.points import books
from tests.points.books import at_once
from tests.quiz import school

THREADS = 16


def sheets(neighbour: Neighbour) -> list[Sheet]:
    return Item.collection(f"QUIZ_OF#{neighbour.id}", Sheet.PREFIX)


def test_the_same_attempt_handed_in_sixteen_times_has_one_result_and_earns_once(hood: Hood) -> None:
    li_ju, quiz = hood.resident(), school.quiz(hood.community)
    attempt = school.start(li_ju, quiz).json
    answers = school.solution(li_ju, attempt["id"])
    results = at_once(THREADS, lambda _: school.submit(li_ju, attempt, answers))
    good = [answer for answer in results if answer.status == 200]
    assert {answer.code for answer in results if answer.status != 200} <= {"server_busy", "quiz_busy"}
    assert good
    assert len({answer.text for answer in good}) == 1
    assert [transfer.fact for transfer in books.transfers(li_ju.id)] == [f"quiz:{quiz}"]
    assert books.check(li_ju.id) == 10
    assert len(Item.collection(f"RES_MAY#{li_ju.id}")) == 1


def test_of_different_answers_handed_in_at_once_one_counts_and_the_others_are_told(hood: Hood) -> None:
    li_ju, quiz = hood.resident(), school.quiz(hood.community)
    attempt = school.start(li_ju, quiz).json
    right = school.solution(li_ju, attempt["id"])
    both = [right, school.wrong(right)]
    results = at_once(THREADS, lambda number: school.submit(li_ju, attempt, both[number % 2]))
    kept = school.sheet(li_ju, attempt["id"])
    assert len({answer.text for answer in results if answer.status == 200}) == 1
    refused = {answer.code for answer in results if answer.status != 200}
    assert "quiz_attempt_submitted" in refused
    assert refused <= {"quiz_attempt_submitted", "server_busy", "quiz_busy"}
    assert books.check(li_ju.id) == (10 if kept.passed else 0)


def test_two_begun_at_once_when_one_is_left_are_one(hood: Hood) -> None:
    li_ju, quiz = hood.resident(), school.quiz(hood.community, attempts_a_day=1)
    results = at_once(2, lambda number: school.start(li_ju, quiz, key=f"k{number}"))
    assert {answer.json["id"] for answer in results if answer.status == 201} == {each.id for each in sheets(li_ju)}
    assert {answer.code for answer in results} <= {None, "server_busy"}
    assert len(sheets(li_ju)) == 1


def test_sixteen_begun_at_once_are_one_and_count_once(hood: Hood) -> None:
    li_ju, quiz = hood.resident(), school.quiz(hood.community)
    results = at_once(THREADS, lambda _: school.start(li_ju, quiz))
    assert {answer.code for answer in results} <= {None, "server_busy", "quiz_busy"}
    assert len({answer.json["id"] for answer in results if answer.status == 201}) == len(sheets(li_ju)) == 1
    assert li_ju.get(f"/quizzes/{quiz}").json["attempts_left"] == 2


@contextmanager
def meanwhile(
    something: Callable[[], Any], module: Any = answering, reading: str = "_read_questions"
) -> Iterator[None]:
    """Something happens once, after an act has read and before it writes."""
    read, waiting = getattr(module, reading), [something]

    def read_slowly(*arguments: Any) -> Any:
        found = read(*arguments)
        if waiting:
            waiting.pop()()
        return found

    with patch.object(module, reading, read_slowly):
        yield


@pytest.mark.parametrize("tried_before", [False, True])
def test_who_is_overtaken_by_their_own_second_tap_gets_its_attempt(hood: Hood, tried_before: bool) -> None:
    li_ju, quiz = hood.resident(), school.quiz(hood.community, attempts_a_day=1 + tried_before)
    if tried_before:
        school.passed(li_ju, quiz)
    faster: list[str] = []
    with meanwhile(lambda: faster.append(school.start(li_ju, quiz).json["id"])):
        slower = school.start(li_ju, quiz)
    assert [slower.json["id"]] == faster
    assert len(sheets(li_ju)) == 1 + tried_before


def test_who_is_overtaken_by_their_own_other_answers_is_told(hood: Hood) -> None:
    li_ju, quiz = hood.resident(), school.quiz(hood.community)
    attempt = school.start(li_ju, quiz).json
    answers = school.solution(li_ju, attempt["id"])
    with meanwhile(lambda: school.submit(li_ju, attempt, school.wrong(answers))):
        slower = school.submit(li_ju, attempt, answers)
    assert (slower.status, slower.code) == (409, "quiz_attempt_submitted")
    assert books.transfers(li_ju.id) == Item.collection(f"RES_MAY#{li_ju.id}") == []


@pytest.mark.parametrize("act", ["start", "submit"])
def test_who_leaves_in_the_middle_of_it_leaves_nothing_behind(hood: Hood, act: str) -> None:
    li_ju, quiz = hood.resident(), school.quiz(hood.community)
    if act == "submit":
        attempt = school.start(li_ju, quiz).json
        answers = school.solution(li_ju, attempt["id"])
    with meanwhile(lambda: li_ju.post("/me/close", json={"word": "注销"})):
        answer = school.start(li_ju, quiz) if act == "start" else school.submit(li_ju, attempt, answers)
    assert answer.status in (401, 403), answer
    assert Item.collection(f"QUIZ_OF#{li_ju.id}") == Item.collection(f"RES_MAY#{li_ju.id}") == []
    assert books.transfers(li_ju.id) == []


@pytest.mark.parametrize("act", ["start", "submit"])
def test_an_account_that_is_closed_but_not_yet_erased_answers_nothing_any_more(hood: Hood, act: str) -> None:
    li_ju, quiz = hood.resident(), school.quiz(hood.community)
    attempt = school.start(li_ju, quiz).json if act == "submit" else None
    answers = school.solution(li_ju, attempt["id"]) if attempt else []
    with meanwhile(lambda: Resident.key(li_ju.id).update([Resident.state.set("closed")])):
        answer = school.submit(li_ju, attempt, answers) if attempt else school.start(li_ju, quiz)
    assert answer.status in (401, 403), answer
    assert [each.answers for each in sheets(li_ju)] == ([None] if attempt else [])
    assert books.transfers(li_ju.id) == Item.collection(f"RES_MAY#{li_ju.id}") == []


def test_a_version_put_in_force_meanwhile_is_not_mixed_with_the_one_that_is_being_drawn(hood: Hood) -> None:
    li_ju, bank = hood.resident(), school.bank(6)
    quiz = school.quiz(hood.community, bank=bank)
    new = school.table([school.row(f"新{number}") for number in range(5)])
    with meanwhile(lambda: banks.import_questions(bank, new, now=clock.now())):
        attempt = school.start(li_ju, quiz).json
    assert not any(question["text"].startswith("新") for question in attempt["questions"])
    assert school.submit(li_ju, attempt, school.solution(li_ju, attempt["id"])).json["result"]["score"] == 3


def test_two_quizzes_passed_at_once_earn_what_the_cap_leaves(hood: Hood, rule) -> None:
    rule(points=10, a_day=10)
    li_ju, quizzes = hood.resident(), [school.quiz(hood.community) for _ in range(4)]
    papers = [school.start(li_ju, quiz).json for quiz in quizzes]
    answers = [school.solution(li_ju, paper["id"]) for paper in papers]
    results = at_once(4, lambda number: school.submit(li_ju, papers[number], answers[number]))
    assert {answer.status for answer in results} == {200}
    assert sorted(answer.json["result"]["points"] for answer in results) == [0, 0, 0, 10]
    assert books.check(li_ju.id) == 10


def test_a_closed_account_and_an_answer_at_once_leave_nothing_behind(hood: Hood) -> None:
    li_ju, quiz = hood.resident(), school.quiz(hood.community)
    attempt = school.start(li_ju, quiz).json
    answers = school.solution(li_ju, attempt["id"])
    acts = [
        lambda: school.submit(li_ju, attempt, answers),
        lambda: li_ju.post("/me/close", json={"word": "注销"}),
    ]
    handed, closed = at_once(2, lambda number: acts[number]())
    assert closed.status < 300, closed
    assert handed.status == 200 or handed.code in ("account_closed", "session_ended", "quiz_attempt_not_found"), handed
    assert Item.collection(f"QUIZ_OF#{li_ju.id}") == Item.collection(f"RES_MAY#{li_ju.id}") == []


def test_an_import_and_a_quiz_at_once_never_leave_a_quiz_that_draws_too_many(hood: Hood) -> None:
    for _ in range(6):
        bank = school.bank(6)
        plan = school.plan(hood.community, bank=bank, questions=6, pass_mark=6)
        acts = [
            lambda plan=plan: setting_up.put(plan, now=clock.now()),
            lambda bank=bank: banks.import_questions(bank, school.table(school.rows(3)), now=clock.now()),
        ]
        put, imported = at_once(2, lambda number, acts=acts: acts[number]())
        refused = [each for each in (put, imported) if isinstance(each, Exception)]
        assert refused, "six questions of three"
        assert all(isinstance(each, (BankTooSmall, ChangedMeanwhile)) for each in refused)
        there = Bank.fetch(f"QUIZ_BANK#{bank}", "BANK")
        drawn = [int(school.stored(quiz).drawn) for quiz in there.used_at(clock.now())]
        assert all(each <= int(there.questions) for each in drawn)


def changed(plan: Plan, **change: Any) -> Plan:
    return Plan(**{**{name: getattr(plan, name) for name in plan.__struct_fields__}, **change})


def test_a_quiz_that_is_overtaken_by_a_smaller_bank_is_not_saved(hood: Hood) -> None:
    plan = school.plan(hood.community, questions=6, pass_mark=6)
    smaller = school.table(school.rows(3))

    def shrink() -> None:
        banks.import_questions(plan.bank, smaller, now=clock.now())

    with meanwhile(shrink, setting_up, "read_together"), pytest.raises(ChangedMeanwhile):
        setting_up.put(plan, now=clock.now())
    assert Item.collection(f"QUIZ#{plan.id}") == []
    with pytest.raises(BankTooSmall):
        setting_up.put(plan, now=clock.now())


def test_a_change_that_is_overtaken_by_another_s_is_not_saved_over_it(hood: Hood) -> None:
    plan = school.plan(hood.community)
    setting_up.put(plan, now=clock.now())
    to_another_bank = changed(plan, bank=school.bank(8))

    def rename() -> None:
        setting_up.put(changed(plan, title="别人的名字"), now=clock.now())

    with meanwhile(rename, setting_up, "read_together"), pytest.raises(ChangedMeanwhile):
        setting_up.put(to_another_bank, now=clock.now())
    assert (school.stored(plan.id).title, school.stored(plan.id).bank) == ("别人的名字", plan.bank)


def test_administrators_who_change_the_same_quiz_at_once_are_told(hood: Hood) -> None:
    plan = school.plan(hood.community)
    plans = [changed(plan, minutes=10 + number) for number in range(4)]
    results = at_once(4, lambda number: setting_up.put(plans[number], now=clock.now()))
    refused = [each for each in results if isinstance(each, Exception)]
    assert all(isinstance(each, ChangedMeanwhile) or each.code == "server_busy" for each in refused)  # type: ignore[attr-defined]
    assert len(refused) < 4
