"""Importing a bank: all questions of a file become its next version, or nothing changes.

The questions of a version are written first, at keys that come from what they say; one write at the end puts the
version in force, for the bank and the quizzes that draw from it. Cut off in between, the old version stays in force, the
same command writes the same items again, and what it left behind is read by nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from itertools import islice

import msgspec

from chalicelib.kit.table import Action, read_together
from chalicelib.kit.transaction import transaction
from chalicelib.quiz import bank_file, rules
from chalicelib.quiz.bank_file import QuestionRow
from chalicelib.quiz.models import Bank, Question, Quiz

_AT_ONCE = 100  # items in one transaction, as many as DynamoDB takes


class Imported(msgspec.Struct, frozen=True):
    """`first` is the beginning of the first question: whoever reads nonsense there has the wrong encoding."""

    version: str
    questions: int
    encoding: str
    first: str
    changed: bool


def import_questions(bank_id: str, raw: bytes, *, now: datetime) -> Imported:
    """Put the questions of a file in force. The same file again changes nothing."""
    file = bank_file.read(raw)
    version, count = _version(file.questions), len(file.questions)
    bank = Bank.find(*_keys(Bank.key(bank_id)))
    done = Imported(version, count, file.encoding, file.questions[0].text[:20], changed=True)
    if bank is not None and bank.version == version:
        return msgspec.structs.replace(done, changed=False)
    quizzes: list[Quiz] = read_together(*map(Quiz.key, bank.used_at(now))) if bank and bank.used_at(now) else []
    for quiz in quizzes:
        if quiz.closes_at > now and int(quiz.drawn) > count:
            raise rules.BankTooSmall(count, quiz.id, int(quiz.drawn), field="file")
    items = _items(bank_id, version, file.questions)
    while some := list(islice(items, _AT_ONCE)):
        with transaction() as tx:
            for question in some:
                tx.put(question)
    _put_in_force(bank_id, bank, quizzes, version, count, now)
    return done


def _version(questions: list[QuestionRow]) -> str:
    return hashlib.sha256(msgspec.json.encode(questions)).hexdigest()[:16]


def _items(bank_id: str, version: str, questions: list[QuestionRow]) -> Iterator[Question]:
    for number, row in enumerate(questions, start=1):
        question = Question.key(bank_id, version, number)
        question.text, question.options, question.right = row.text, row.options, row.right
        question.explanation = row.explanation
        yield question


def _put_in_force(
    bank_id: str, bank: Bank | None, quizzes: list[Quiz], version: str, count: int, now: datetime
) -> None:
    """Attempts under way keep the version they were drawn from."""
    with transaction() as tx:
        if bank is None:
            new = Bank.key(bank_id)
            new.version, new.questions, new.imported_at, new.uses = version, count, now, {}
            tx.create(new, or_raise=rules.ChangedMeanwhile())
        else:
            in_force: list[Action] = Bank.set(version=version, questions=count, imported_at=now)
            in_force += [Bank.uses.set(bank.used_at(now)), Bank.changes.add(1)]
            tx.update(bank, in_force, when=bank.as_read(), or_raise=rules.ChangedMeanwhile())
        for quiz in quizzes:
            change: list[Action] = [*Quiz.set(version=version, questions=count), Quiz.changes.add(1)]
            tx.update(quiz, change, when=quiz.as_read(), or_raise=rules.ChangedMeanwhile())


def _keys(item: Bank) -> tuple[str, str]:
    return item.pk, item.sk
