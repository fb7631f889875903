"""Administrators set quizzes up: everything is checked before anything is written, and sent again it changes nothing more.

A change bites for attempts that begin afterwards; those under way keep the terms they were started under. Only the end of
the quiz ends them too.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from chalicelib.areas import service as areas
from chalicelib.kit import clock
from chalicelib.kit.table import Item, read_together
from chalicelib.kit.transaction import transaction
from chalicelib.quiz import rules
from chalicelib.quiz.models import Bank, Quiz


class Plan(msgspec.Struct, frozen=True):
    """A quiz as an administrator wants it. `questions` are drawn for each attempt, `pass_mark` of them must be right."""

    id: str
    title: str
    bank: str
    questions: int
    pass_mark: int
    attempts_a_day: int
    minutes: int
    opens: datetime
    closes: datetime
    area: str
    points: bool
    entitles: bool


def put(plan: Plan, *, now: datetime) -> Quiz:
    """Create a quiz, or change it to this."""
    areas.get(plan.area)
    rules.check_times(plan.opens, plan.closes, now)
    if plan.pass_mark > plan.questions:
        raise rules.PassMarkUnreachable(plan.questions)
    before: Quiz | None
    bank: Bank | None
    before, bank = read_together(Quiz.key(plan.id), Bank.key(plan.bank))
    if bank is None:
        raise rules.BankUnknown(fields={"bank": "没有这个题库"})
    if plan.questions > int(bank.questions):
        raise rules.BankTooSmall(int(bank.questions), plan.id, plan.questions)
    quiz = _quiz(plan, bank, before)
    if before is not None and _content(before) == _content(quiz):
        return before
    if len(bank.used_at(now).keys() | {plan.id}) > rules.QUIZZES_OF_A_BANK:
        raise rules.BankUsedTooOften()
    with transaction() as tx:
        unchanged = before.as_read() if before is not None else Item.pk.does_not_exist()
        tx.put(quiz, when=unchanged, or_raise=rules.ChangedMeanwhile())
        _use(tx, bank, bank.used_at(now) | {quiz.id: clock.stamp(quiz.closes_at)})
        if before is not None and before.bank != bank.id:
            _no_longer_use(tx, before, now)
    return quiz


def _quiz(plan: Plan, bank: Bank, before: Quiz | None) -> Quiz:
    quiz = Quiz.key(plan.id)
    quiz.title, quiz.area = plan.title, plan.area
    quiz.bank, quiz.version, quiz.questions = bank.id, bank.version, int(bank.questions)
    quiz.drawn, quiz.pass_mark = plan.questions, plan.pass_mark
    quiz.attempts_a_day, quiz.minutes = plan.attempts_a_day, plan.minutes
    quiz.opens_at, quiz.closes_at = plan.opens, plan.closes
    quiz.gives_points, quiz.entitles = plan.points, plan.entitles
    quiz.changes = int(before.changes) + 1 if before is not None else 0
    quiz.list_it()
    return quiz


def _content(quiz: Quiz) -> dict[str, object]:
    """As it is stored, but for the count of changes: two quizzes of the same content are the same."""
    return {name: value for name, value in quiz.to_dynamodb_dict().items() if name != "changes"}


def close(quiz_id: str, *, now: datetime) -> Quiz:
    """End a quiz now, for attempts under way too."""
    quiz = Quiz.find(f"QUIZ#{quiz_id}", "QUIZ")
    if quiz is None:
        raise rules.QuizUnknown(fields={"id": "没有这份问卷"})
    if quiz.closes_at <= now:
        return quiz
    quiz.closes_at = now
    quiz.list_it()
    with transaction() as tx:
        ended = [*Quiz.set(closes_at=now, area_sort=quiz.area_sort), Quiz.changes.add(1)]
        tx.update(quiz, ended, when=quiz.as_read(), or_raise=rules.ChangedMeanwhile())
        _no_longer_use(tx, quiz, now)
    return quiz


def _no_longer_use(tx: transaction, quiz: Quiz, now: datetime) -> None:
    bank = Bank.fetch(*_keys(Bank.key(quiz.bank)))
    _use(tx, bank, {each: closes for each, closes in bank.used_at(now).items() if each != quiz.id})


def _use(tx: transaction, bank: Bank, uses: dict[str, str]) -> None:
    """The bank knows its quizzes, so that an import neither forgets one nor leaves it with too few questions."""
    tx.update(
        bank,
        [Bank.uses.set(uses), Bank.changes.add(1)],
        when=bank.as_read(),
        or_raise=rules.ChangedMeanwhile(),
    )


def _keys(item: Item) -> tuple[str, str]:
    return item.pk, item.sk
