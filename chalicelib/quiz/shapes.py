"""What quizzes look like from outside. What grades an answer is in `GradedView` alone, and so never in an open attempt."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from chalicelib.areas.rules import AreaCode
from chalicelib.kit import clock
from chalicelib.kit.http import Body, Paged, View
from chalicelib.quiz import rules
from chalicelib.quiz.answering import Paper
from chalicelib.quiz.lists import OwnView
from chalicelib.quiz.models import Question, Quiz
from chalicelib.quiz.rules import Drawn


class OpenIn(Paged, frozen=True, kw_only=True):
    area: AreaCode


class AnswerBody(Body, frozen=True):
    """`question` is its place on the sheet, from 1; `options` are the letters shown with it."""

    question: Annotated[int, Meta(ge=-1_000_000, le=1_000_000)]
    options: Annotated[list[Annotated[str, Meta(max_length=20)]], Meta(max_length=20)]


class HandIn(Body, frozen=True):
    answers: Annotated[list[AnswerBody], Meta(max_length=200)]


class QuizLine(View, frozen=True):
    """`questions` are asked in an attempt, `pass_mark` of them must be right. `gives_points`, `entitles`: for passing."""

    id: str
    title: str
    area: str
    opens_at: datetime
    closes_at: datetime
    questions: int
    pass_mark: int
    minutes: int
    attempts_a_day: int
    gives_points: bool
    entitles: bool


class QuizView(QuizLine, frozen=True):
    """`attempts_left`: how many more may be begun today. `open_attempt`: the one under way."""

    state: Literal["coming", "open", "closed"]
    attempts_left: int
    open_attempt: str | None
    passed: bool


class OptionView(View, frozen=True):
    id: str
    text: str


class QuestionView(View, frozen=True):
    question: int
    text: str
    several: bool
    options: list[OptionView]


class GradedView(View, frozen=True):
    question: int
    answered: list[str]
    right_options: list[str]
    correct: bool
    explanation: str


class ResultView(View, frozen=True):
    """`points` were earned by it; `no_points` says why none were. `entitled`: it gives the right to a campaign."""

    submitted_at: datetime
    score: int
    passed: bool
    points: int
    no_points: str | None
    entitled: bool
    questions: list[GradedView]


class AttemptView(View, frozen=True):
    """`state`: `open` until it is handed in (`submitted`) or its time is over (`over`)."""

    id: str
    quiz_id: str
    title: str
    state: Literal["open", "submitted", "over"]
    started_at: datetime
    ends_at: datetime
    pass_mark: int
    questions: list[QuestionView]
    result: ResultView | None


def line(quiz: Quiz) -> QuizLine:
    return QuizLine.of(quiz, questions=int(quiz.drawn))


def view(own: OwnView, now: datetime) -> QuizView:
    quiz, standing = own.quiz, own.standing
    shown = line(quiz)
    state: Literal["coming", "open", "closed"] = "open"
    if now < quiz.opens_at:
        state = "coming"
    elif now >= quiz.closes_at:
        state = "closed"
    used = standing.used_on(now) if standing else 0
    return QuizView(
        **{name: getattr(shown, name) for name in QuizLine.__struct_fields__},
        state=state,
        attempts_left=max(0, int(quiz.attempts_a_day) - used) if state == "open" else 0,
        open_attempt=standing.open_at(now) if standing and state == "open" else None,
        passed=bool(standing and standing.passed_at),
    )


def attempt_view(paper: Paper, now: datetime) -> AttemptView:
    sheet = paper.sheet
    state: Literal["open", "submitted", "over"] = "open" if now < sheet.ends_at else "over"
    return AttemptView.of(
        sheet,
        quiz_id=sheet.quiz,
        state="submitted" if paper.graded else state,
        questions=[
            _question(place, drawn, question)
            for place, (drawn, question) in enumerate(zip(sheet.drawn, paper.questions, strict=True), start=1)
        ],
        result=_result(paper) if paper.graded else None,
    )


def _question(place: int, drawn: Drawn, question: Question) -> QuestionView:
    texts = [question.options[position] for position in drawn.order]
    return QuestionView(
        question=place,
        text=question.text,
        several=drawn.several,
        options=[OptionView(id=letter, text=text) for letter, text in zip(drawn.letters, texts, strict=True)],
    )


def _result(paper: Paper) -> ResultView:
    sheet = paper.sheet
    assert sheet.submitted_at is not None
    return ResultView(
        submitted_at=clock.local(sheet.submitted_at),
        score=int(sheet.score or 0),
        passed=bool(sheet.passed),
        points=int(sheet.points or 0),
        no_points=rules.why_no_points(sheet.no_points) if sheet.no_points else None,
        entitled=bool(sheet.passed and sheet.entitles),
        questions=[
            GradedView(
                question=place,
                answered=list(graded.answered),
                right_options=list(graded.right),
                correct=graded.correct,
                explanation=graded.explanation,
            )
            for place, graded in enumerate(paper.graded, start=1)
        ],
    )
