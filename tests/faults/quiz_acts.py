"""Quizzes over HTTP, and what administrators do to set them up."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from chalicelib.kit import clock
from chalicelib.kit.table import Item
from chalicelib.quiz.models import Bank, Question, Quiz, Sheet, Standing
from tests.engine.http import Answer, token_of
from tests.faults.acts import Act, command
from tests.faults.help_acts import _http, street
from tests.points import books
from tests.quiz import school

World = dict[str, Any]
LATER = school.NOW + timedelta(days=30)


def with_a_quiz() -> World:
    world = street()
    world["who"] = world["people"]["asker"]
    world["quiz"] = school.quiz(world["community"])
    world["token"] = token_of(world["who"], session_version=0)
    return world


def with_an_attempt() -> World:
    world = with_a_quiz()
    started = _http().post(f"/quizzes/{world['quiz']}/attempts", token=world["token"], key="begun").json
    world["attempt"] = started["id"]
    world["answers"] = school.solution(_Resident(world["who"]), started["id"])
    return world


class _Resident:
    """As much of a neighbour as `school` asks for."""

    def __init__(self, resident_id: str) -> None:
        self.id = resident_id


def who_has_earned() -> World:
    world = with_an_attempt()
    books.give(world["who"], subject="o1")
    return world


def start(world: World, key: str) -> Answer:
    return _http().post(f"/quizzes/{world['quiz']}/attempts", token=world["token"], key=key)


def submit(world: World, key: str) -> Answer:
    path = f"/quizzes/{world['quiz']}/attempts/{world['attempt']}/submit"
    return _http().post(path, token=world["token"], key=key, json={"answers": world["answers"]})


def submit_wrong(world: World, key: str) -> Answer:
    return submit({**world, "answers": school.wrong(world["answers"])}, key)


def facts(world: World) -> Any:
    """All that is kept of the resident's attempts, what they earned and may, without ids and times."""
    kept = Item.collection(f"QUIZ_OF#{world['who']}")
    moved = sorted((each.rule, each.change) for each in books.transfers(world["who"]))
    may = len(Item.collection(f"RES_MAY#{world['who']}"))
    return sorted(map(str, map(_fact, kept))), moved, books.check(world["who"]), may


def _fact(item: Any) -> Any:
    if isinstance(item, Standing):
        return "standing", item.used, bool(item.open_sheet), bool(item.passed_at)
    assert isinstance(item, Sheet)
    return "sheet", item.score, item.passed, item.points, item.no_points, len(item.questions), bool(item.expires_at)


def with_a_bank() -> World:
    world = with_a_quiz()
    world["bank"] = school.stored(world["quiz"]).bank
    school.upload("faults.csv", school.table(school.rows(120)))
    world["plan"] = school.plan(world["community"], bank=world["bank"])
    return world


def import_(world: World, key: str) -> None:
    command(command="import_questions", bank=world["bank"], file="faults.csv")


def put(world: World, key: str) -> None:
    plan = {**msgspec.to_builtins(world["plan"]), "opens": _as_typed(school.NOW), "closes": _as_typed(LATER)}
    command(command="put_quiz", **plan)


def close(world: World, key: str) -> None:
    command(command="close_quiz", id=world["quiz"])


def _as_typed(moment: datetime) -> str:
    return clock.local(moment).isoformat(timespec="seconds")


def what_is_set_up(world: World) -> Any:
    bank = Bank.fetch(f"QUIZ_BANK#{world['bank']}", "BANK")
    quizzes = [Quiz.find(f"QUIZ#{quiz}", "QUIZ") for quiz in (world["quiz"], world["plan"].id)]
    keys = [Question.key(world["bank"], bank.version, number) for number in range(1, int(bank.questions) + 1)]
    written = list(Question.batch_get([(key.pk, key.sk) for key in keys]))
    said = [
        quiz and (quiz.questions, quiz.version == bank.version, quiz.changes, quiz.closes_at > clock.now())
        for quiz in quizzes
    ]
    return bank.questions, bank.changes, len(bank.uses), len(written), said


SUBMIT = "POST /quizzes/{quiz_id}/attempts/{attempt_id}/submit"
ACTS = [
    Act("a resident begins a quiz", with_a_quiz, start, facts, "POST /quizzes/{quiz_id}/attempts"),
    Act("a resident passes a quiz and earns for the first time", with_an_attempt, submit, facts, SUBMIT),
    Act("a resident passes a quiz", who_has_earned, submit, facts, SUBMIT),
    Act("a resident fails a quiz", with_an_attempt, submit_wrong, facts, SUBMIT),
    Act("a bank is imported", with_a_bank, import_, what_is_set_up, "command import_questions"),
    Act("a quiz is set up", with_a_bank, put, what_is_set_up, "command put_quiz"),
    Act("a quiz is closed", with_a_bank, close, what_is_set_up, "command close_quiz"),
]
