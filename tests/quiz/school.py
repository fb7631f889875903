"""The few things tests of quizzes do again and again: a bank, a quiz, and somebody who answers it."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from typing import Any

from chalicelib.console import commands
from chalicelib.kit import clock, ids
from chalicelib.kit.attempt import Attempt
from chalicelib.quiz import answering, banks, setting_up
from chalicelib.quiz.bank_file import COLUMNS
from chalicelib.quiz.models import Bank, Question, Quiz, Sheet
from chalicelib.quiz.setting_up import Plan
from tests.engine import local_aws
from tests.engine.http import Answer
from tests.neighbourhood import Neighbour

NOW = clock.now()


def row(
    text: str = "勤洗手有用吗？", *options: str, answer: str = "A", explanation: str = "洗手能洗掉病菌。"
) -> list[str]:
    given = [*(options or ("有用", "没用")), *[""] * 6][:6]
    return [text, *given, answer, explanation]


def rows(number: int) -> list[list[str]]:
    """Questions with one right answer (A), and every third with two (A and C)."""
    return [
        row(f"第 {each} 问", f"对{each}", f"错{each}", f"也对{each}", answer="AC", explanation=f"解释{each}")
        if each % 3 == 0
        else row(f"第 {each} 问", f"对{each}", f"错{each}", f"也错{each}", explanation=f"解释{each}")
        for each in range(1, number + 1)
    ]


def table(questions: list[list[str]], *, heading: bool = True) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([COLUMNS, *questions] if heading else questions)
    return text.getvalue().encode()


def bank(number: int = 6, name: str | None = None) -> str:
    name = name or ids.new_id("bank").replace("_", "-")
    banks.import_questions(name, table(rows(number)), now=clock.now())
    return name


def plan(area: str, **change: Any) -> Plan:
    given = {
        "id": ids.new_id("quiz").replace("_", "-"),
        "title": "口罩知识",
        "questions": 3,
        "pass_mark": 2,
        "attempts_a_day": 3,
        "minutes": 20,
        "opens": NOW - timedelta(days=1),
        "closes": NOW + timedelta(days=30),
        "area": area,
        "points": True,
        "entitles": True,
    }
    return Plan(**{**given, **({} if "bank" in change else {"bank": bank()}), **change})


def quiz(area: str, **change: Any) -> str:
    return setting_up.put(plan(area, **change), now=clock.now()).id


def stored(quiz_id: str) -> Quiz:
    return Quiz.fetch(f"QUIZ#{quiz_id}", "QUIZ")


def start(neighbour: Neighbour, quiz_id: str, **more: Any) -> Answer:
    return neighbour.post(f"/quizzes/{quiz_id}/attempts", **more)


def sheet(neighbour: Neighbour, attempt_id: str) -> Sheet:
    return Sheet.fetch(f"QUIZ_OF#{neighbour.id}", f"SHEET#{attempt_id}")


def solution(neighbour: Neighbour, attempt_id: str) -> list[dict[str, Any]]:
    """The right answers, from the table: no answer of the API has them before."""
    paper = sheet(neighbour, attempt_id)
    found = [Question.fetch(*_keys(Question.key(paper.bank, paper.version, each.number))) for each in paper.drawn]
    return [
        {"question": place, "options": list(each.as_shown(question.right))}
        for place, (each, question) in enumerate(zip(paper.drawn, found, strict=True), start=1)
    ]


def wrong(answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every answer wrong, and each with one option that exists."""
    return [{**each, "options": [next(x for x in "ABC" if [x] != each["options"])]} for each in answers]


def submit(neighbour: Neighbour, attempt: dict[str, Any], answers: list[dict[str, Any]], **more: Any) -> Answer:
    path = f"/quizzes/{attempt['quiz_id']}/attempts/{attempt['id']}/submit"
    return neighbour.post(path, json={"answers": answers}, **more)


def passed(neighbour: Neighbour, quiz_id: str) -> dict[str, Any]:
    attempt = start(neighbour, quiz_id).json
    answer = submit(neighbour, attempt, solution(neighbour, attempt["id"]))
    assert answer.json["result"]["passed"], answer
    result: dict[str, Any] = answer.json
    return result


def begin(neighbour: Neighbour, quiz_id: str, now: datetime, key: str | None = None) -> Sheet:
    """Start at this very moment, whatever the time is."""
    caller = neighbour.caller
    request = Attempt(caller.id, f"POST /quizzes/{quiz_id}/attempts", b"", key)
    return answering.start(caller=caller, quiz_id=quiz_id, attempt=request, now=now).sheet


def tried(neighbour: Neighbour, quiz_id: str, now: datetime) -> None:
    """An attempt begun, and handed in with wrong answers."""
    begun = begin(neighbour, quiz_id, now)
    answers = [(each["question"], each["options"]) for each in wrong(solution(neighbour, begun.id))]
    caller = neighbour.caller
    request = Attempt(caller.id, f"POST {begun.id}", b"")
    answering.hand_in(caller=caller, quiz_id=quiz_id, sheet_id=begun.id, answers=answers, attempt=request, now=now)


def upload(name: str, raw: bytes) -> None:
    """What an administrator does in the S3 console."""
    bucket = local_aws.ENVIRONMENT["MEDIA_BUCKET"]
    local_aws.client("s3").put_object(Bucket=bucket, Key=f"imports/{name}", Body=raw)


def administer(command: str, **more: Any) -> dict[str, Any]:
    return commands.administer({"command": command, **more}, request_id="request-1", now=clock.now())


def move(item: Any, **change: datetime) -> None:
    """Change the times of a stored item, as if it had been made at another time."""
    item.update([getattr(type(item), name).set(value) for name, value in change.items()])


def _keys(item: Any) -> tuple[str, str]:
    return item.pk, item.sk


def questions_of(bank_id: str, number: int) -> list[Question]:
    """The questions of the version in force, all of them."""
    version = Bank.fetch(f"QUIZ_BANK#{bank_id}", "BANK").version
    keys = [_keys(Question.key(bank_id, version, each)) for each in range(1, number + 1)]
    return list(Question.batch_get(keys))
