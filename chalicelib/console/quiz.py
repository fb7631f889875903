"""Administrators' commands about quizzes: banks of questions, and the quizzes that draw from them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chalicelib.areas import service as areas
from chalicelib.areas.rules import AreaCode
from chalicelib.console import files
from chalicelib.console.command import Call, Command, Report, area_must_exist
from chalicelib.kit import clock
from chalicelib.quiz import bank_file, banks, setting_up
from chalicelib.quiz.rules import DRAWN_AT_MOST, BankId, QuizId, Title


class ImportQuestions(Command, frozen=True, tag="import_questions"):
    """Make the questions of a CSV file the bank's next version, or say what is wrong with every line of it.

    The file lies in the media bucket's folder `imports/`. `chalicelib/quiz/bank_file.py` says what it looks like.
    """

    bank: BankId
    file: files.Name

    @property
    def about(self) -> dict[str, Any]:
        return {"bank": self.bank}


class PutQuiz(Command, frozen=True, tag="put_quiz"):
    """Create or change a quiz for the residents of an area. `questions` are drawn, `pass_mark` of them must be right.

    `points`: passing earns by the points rule `quiz`. `entitles`: passing opens campaigns that require this quiz.
    """

    id: QuizId
    title: Title
    bank: BankId
    questions: Annotated[int, Meta(ge=1, le=DRAWN_AT_MOST)]
    pass_mark: Annotated[int, Meta(ge=1)]
    opens: Annotated[datetime, Meta(tz=True)]
    closes: Annotated[datetime, Meta(tz=True)]
    area: AreaCode
    attempts_a_day: Annotated[int, Meta(ge=1, le=20)] = 3
    minutes: Annotated[int, Meta(ge=1, le=180)] = 20
    points: bool = True
    entitles: bool = False

    @property
    def about(self) -> dict[str, Any]:
        return {"quiz": self.id}


class CloseQuiz(Command, frozen=True, tag="close_quiz"):
    """End a quiz now. Attempts under way can no longer be handed in; what was passed stays passed."""

    id: QuizId

    @property
    def about(self) -> dict[str, Any]:
        return {"quiz": self.id}


def import_questions(command: ImportQuestions, call: Call) -> Report:
    raw = files.fetch(command.file, at_most=bank_file.BYTES_AT_MOST)
    done = banks.import_questions(command.bank, raw, now=call.now)
    said = "已导入" if done.changed else "与现有题库完全相同，没有改动："
    detail = f"{said} {done.questions} 题（{done.encoding}），第一题：“{done.first}”；文字不对就换编码另存再导入。"
    return Report(detail, msgspec.to_builtins(done))


def put_quiz(command: PutQuiz, call: Call) -> str:
    area_must_exist(command.area)
    wanted = msgspec.convert(command, setting_up.Plan, from_attributes=True)
    quiz = setting_up.put(wanted, now=call.now)
    when = f"{clock.spoken(quiz.opens_at)} 到 {clock.spoken(quiz.closes_at)}"
    return (
        f"问卷“{quiz.title}”已保存：{areas.full_name(quiz.area)}，{when}，"
        f"从 {int(quiz.questions)} 题里抽 {int(quiz.drawn)} 题，答对 {int(quiz.pass_mark)} 题及格。"
    )


def close_quiz(command: CloseQuiz, call: Call) -> str:
    quiz = setting_up.close(command.id, now=call.now)
    return f"问卷“{quiz.title}”已于 {clock.spoken(quiz.closes_at)} 结束。"


HANDLERS: dict[type[Command], Any] = {
    ImportQuestions: import_questions,
    PutQuiz: put_quiz,
    CloseQuiz: close_quiz,
}
