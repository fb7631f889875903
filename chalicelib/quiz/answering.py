"""A resident answers a quiz: questions are drawn, answers handed in once, graded, and what they earn is given with them.

Right answers and explanations leave the table only in `Paper.graded`, which is there only when the sheet was handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from chalicelib.entitlements import rules as entitlement_rules
from chalicelib.entitlements import service as entitlements
from chalicelib.kit import clock, ids
from chalicelib.kit import transaction as transactions
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import read_together
from chalicelib.kit.transaction import transaction
from chalicelib.people import service as people
from chalicelib.people.service import Person
from chalicelib.points import service as points
from chalicelib.points.service import Earning
from chalicelib.quiz import rules
from chalicelib.quiz.models import Question, Quiz, Sheet, Standing
from chalicelib.quiz.rules import Drawn

RULE = "quiz"
_KEPT_UNANSWERED = timedelta(days=30)
R = TypeVar("R")


class Graded(msgspec.Struct, frozen=True):
    """One question of a sheet that was handed in; letters as on this sheet."""

    answered: str
    right: str
    correct: bool
    explanation: str


class Paper(msgspec.Struct, frozen=True):
    """A sheet with its questions, in its order. `graded` is empty until it is handed in."""

    sheet: Sheet
    questions: list[Question]
    graded: list[Graded]


# Reads and decides anew as long as the same attempt, or the resident's points, change in between.
settled = transactions.settled(rules.TryAgain)


@settled
def start(*, caller: Caller, quiz_id: str, attempt: Attempt, now: datetime) -> Paper:
    """Draw the questions of an attempt. Who has one under way gets that one back, and it costs none of the day's."""
    sheet_id, seed = attempt.id("sheet"), ids.new_id("seed")
    quiz: Quiz | None
    standing: Standing | None
    started: Sheet | None
    person, (quiz, standing, started) = people.present_with(
        caller,
        Quiz.key(quiz_id),
        Standing.key(caller.id, quiz_id),
        Sheet.key(caller.id, sheet_id),
        now=now,
    )
    if started is not None and attempt.made(started):
        return paper(started)
    quiz = _open_to(person, quiz, now)
    under_way = standing.open_at(now) if standing else None
    if under_way:
        return paper(Sheet.fetch(*_keys(Sheet.key(person.id, under_way))))
    if standing is not None and standing.used_on(now) >= int(quiz.attempts_a_day):
        raise rules.AttemptsUsedUp(int(quiz.attempts_a_day), now)
    sheet = _new_sheet(person, quiz, sheet_id, attempt, now)
    questions = _draw(sheet, quiz, seed)
    with person.acting() as tx:
        tx.create(sheet, or_raise=Changed())
        _count(tx, person, quiz, standing, sheet, now)
    return Paper(sheet, questions, [])


def _open_to(person: Person, quiz: Quiz | None, now: datetime) -> Quiz:
    if quiz is None:
        raise rules.QuizGone()
    home = person.resident.home if person.resident.home_state != "declined" else None
    rules.check_area(quiz.area, home)
    rules.check_open(quiz.opens_at, quiz.closes_at, now)
    return quiz


def _new_sheet(person: Person, quiz: Quiz, sheet_id: str, attempt: Attempt, now: datetime) -> Sheet:
    sheet = Sheet.key(person.id, sheet_id)
    sheet.quiz, sheet.title, sheet.bank, sheet.version = quiz.id, quiz.title, quiz.bank, quiz.version
    sheet.pass_mark, sheet.gives_points, sheet.entitles = int(quiz.pass_mark), quiz.gives_points, quiz.entitles
    sheet.started_at = now
    sheet.ends_at = min(now + timedelta(minutes=int(quiz.minutes)), quiz.closes_at)
    sheet.expires_at = int((sheet.ends_at + _KEPT_UNANSWERED).timestamp())
    sheet.marks = attempt.marks()
    return sheet


def _draw(sheet: Sheet, quiz: Quiz, seed: str) -> list[Question]:
    """Put questions on a new sheet, of a bank's thousand only those that are asked."""
    numbers = rules.draw(int(quiz.drawn), int(quiz.questions), seed)
    questions = _read_questions(quiz.bank, quiz.version, numbers)
    sheet.questions = [
        [number, rules.shuffled(len(question.options), number, seed), len(question.right) > 1]
        for number, question in zip(numbers, questions, strict=True)
    ]
    return questions


def _read_questions(bank: str, version: str, numbers: Sequence[int]) -> list[Question]:
    found: list[Question | None] = read_together(*(Question.key(bank, version, number) for number in numbers))
    questions = [question for question in found if question is not None]
    if len(questions) < len(numbers):
        raise rules.BankIncomplete()
    return questions


def _count(tx: transaction, person: Person, quiz: Quiz, standing: Standing | None, sheet: Sheet, now: datetime) -> None:
    """One more of the day's attempts, under the condition that none has been begun since it was read."""
    if standing is None:
        first = Standing.key(person.id, quiz.id)
        first.day, first.used = str(clock.day(now)), 1
        first.open_sheet, first.open_until = sheet.id, sheet.ends_at
        tx.create(first, or_raise=Changed())
        return
    change = [
        *Standing.set(
            day=str(clock.day(now)), used=standing.used_on(now) + 1, open_sheet=sheet.id, open_until=sheet.ends_at
        ),
        Standing.changes.add(1),
    ]
    tx.update(standing, change, when=standing.as_read(), or_raise=Changed())


@settled
def hand_in(
    *,
    caller: Caller,
    quiz_id: str,
    sheet_id: str,
    answers: Sequence[tuple[int, Sequence[str]]],
    attempt: Attempt,
    now: datetime,
) -> Paper:
    """Grade the answers, once. The same answers again get the same result, with or without their key."""
    quiz: Quiz | None
    standing: Standing | None
    sheet: Sheet | None
    person, (quiz, standing, sheet) = people.present_with(
        caller,
        Quiz.key(quiz_id),
        Standing.key(caller.id, quiz_id),
        Sheet.key(caller.id, sheet_id),
        now=now,
    )
    if quiz is None or standing is None or sheet is None or sheet.quiz != quiz_id:
        raise rules.SheetGone()
    given = rules.as_answered(answers, sheet.drawn)
    if sheet.answers is not None:
        if given == sheet.answers:
            return paper(sheet)
        attempt.made(sheet)  # says so when it is the key that was used before
        raise rules.AlreadySubmitted()
    if now >= quiz.closes_at:
        raise rules.Closed()
    if now >= sheet.ends_at:
        raise rules.TimeOver()
    questions = _questions_of(sheet)
    sheet.answers, sheet.submitted_at = given, now
    graded = _grade(sheet, questions)
    sheet.score = sum(each.correct for each in graded)
    sheet.passed = sheet.score >= int(sheet.pass_mark)
    with person.acting() as tx:
        _reward(tx, person, sheet, now)
        _write(tx, sheet, standing, attempt, now)
    return Paper(sheet, questions, graded)


def _reward(tx: transaction, person: Person, sheet: Sheet, now: datetime) -> None:
    """Points as far as rule and caps allow, and the right to a campaign. Neither ever fails the result."""
    sheet.points, sheet.no_points = 0, None
    if not sheet.passed:
        sheet.no_points = "not_passed"
        return
    if sheet.entitles:
        why = f"通过答题：{sheet.title}"
        entitlements.grant(tx, person.id, entitlement_rules.of_quiz(sheet.quiz), why=why, now=now)
    if sheet.gives_points:
        sheet.points, sheet.no_points = _earn(tx, person, sheet, now)
    else:
        sheet.no_points = "no_points"


def _earn(tx: transaction, person: Person, sheet: Sheet, now: datetime) -> tuple[int, str | None]:
    """How many points, or why none."""
    earning = Earning(RULE, resident=person.id, subject=sheet.quiz, area=person.resident.home)
    for outcome in points.award(tx, earning, now=now):
        if outcome.transfer is not None:
            return int(outcome.transfer.amount), None
        return 0, outcome.refused or "rule_off"
    return 0, "rule_off"


def _write(tx: transaction, sheet: Sheet, standing: Standing, attempt: Attempt, now: datetime) -> None:
    tx.update(
        sheet,
        [
            *Sheet.set(answers=sheet.answers, score=sheet.score, passed=sheet.passed, points=sheet.points),
            *([Sheet.no_points.set(sheet.no_points)] if sheet.no_points else []),
            *Sheet.set(submitted_at=now, expires_at=None),
            *attempt.remember(),
        ],
        when=Sheet.answers.does_not_exist(),
        or_raise=Changed(),
    )
    ended = [*Standing.set(open_sheet=None, open_until=None), Standing.changes.add(1)]
    if sheet.passed and standing.passed_at is None:
        ended.append(Standing.passed_at.set(now))
    tx.update(standing, ended, when=standing.as_read(), or_raise=Changed())


def paper(sheet: Sheet) -> Paper:
    """A stored sheet with its questions, and what came of it if it was handed in."""
    questions = _questions_of(sheet)
    return Paper(sheet, questions, _grade(sheet, questions) if sheet.answers is not None else [])


def _questions_of(sheet: Sheet) -> list[Question]:
    return _read_questions(sheet.bank, sheet.version, [each.number for each in sheet.drawn])


def _grade(sheet: Sheet, questions: list[Question]) -> list[Graded]:
    drawn: list[Drawn] = sheet.drawn
    right = [each.as_shown(question.right) for each, question in zip(drawn, questions, strict=True)]
    given: list[str] = sheet.answers
    correct = rules.grade(given, right)
    rows = zip(given, right, correct, questions, strict=True)
    return [Graded(answered, letters, is_right, asked.explanation) for answered, letters, is_right, asked in rows]


def _keys(item: Sheet) -> tuple[str, str]:
    return item.pk, item.sk
