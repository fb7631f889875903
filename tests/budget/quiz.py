"""What quizzes cost: finding one, beginning an attempt, handing it in."""

from __future__ import annotations

from unittest.mock import patch

from chalicelib.points import audit
from tests.budget.acts import Act, Town, act, good
from tests.neighbourhood import Neighbour
from tests.points.books import give
from tests.quiz import school


def somebody_who_earned(town: Town) -> Neighbour:
    """This month already, as most who answer quizzes."""
    chen = town.resident()
    with patch.object(audit, "_started", True):
        give(chen.id)
    return chen


@act("GET /quizzes")
def open_quizzes(town: Town) -> Act:
    chen = town.resident()
    for _ in range(3):
        school.quiz(town.community)
    return lambda: chen.get(f"/quizzes?area={town.community}")


@act("GET /quizzes/{quiz_id}")
def one_quiz(town: Town) -> Act:
    chen, quiz = town.resident(), school.quiz(town.community)
    good(school.start(chen, quiz))
    return lambda: chen.get(f"/quizzes/{quiz}")


@act("POST /quizzes/{quiz_id}/attempts")
def start(town: Town) -> Act:
    chen, quiz = town.resident(), ten_questions(town)
    return lambda: school.start(chen, quiz)


@act("POST /quizzes/{quiz_id}/attempts (one is under way)")
def start_again(town: Town) -> Act:
    chen, quiz = town.resident(), ten_questions(town)
    good(school.start(chen, quiz))

    def again() -> object:
        return school.start(chen, quiz)

    return again


@act("GET /quizzes/{quiz_id}/attempts/{attempt_id}")
def look_at_attempt(town: Town) -> Act:
    chen, quiz = town.resident(), ten_questions(town)
    attempt = good(school.start(chen, quiz))["id"]
    return lambda: chen.get(f"/quizzes/{quiz}/attempts/{attempt}")


@act("POST /quizzes/{quiz_id}/attempts/{attempt_id}/submit")
def submit(town: Town) -> Act:
    chen, quiz = somebody_who_earned(town), ten_questions(town)
    attempt = good(school.start(chen, quiz))
    answers = school.solution(chen, attempt["id"])
    return lambda: school.submit(chen, attempt, answers)


@act("POST /quizzes/{quiz_id}/attempts/{attempt_id}/submit (not passed)")
def submit_and_fail(town: Town) -> Act:
    chen, quiz = town.resident(), ten_questions(town)
    attempt = good(school.start(chen, quiz))
    answers = school.wrong(school.solution(chen, attempt["id"]))
    return lambda: school.submit(chen, attempt, answers)


def ten_questions(town: Town) -> str:
    """Of a bank of two hundred."""
    return school.quiz(town.community, bank=school.bank(200), questions=10, pass_mark=6)
