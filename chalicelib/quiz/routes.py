"""Quizzes over HTTP. To answer one is a personal matter: no delegate does it for somebody.

Questions are administrators' own text and need no check by WeChat; residents choose options and write nothing.
"""

from __future__ import annotations

from datetime import datetime

from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.http import Listing, Routes, listing
from chalicelib.quiz import answering, lists, shapes

routes = Routes(__name__)


@routes.get("/quizzes")
def open_in(caller: Caller, query: shapes.OpenIn, now: datetime) -> Listing[shapes.QuizLine]:
    """Quizzes open now for those who live in an area, the first to close first."""
    found = lists.open_in(query.area, cursor=query.cursor, now=now)
    return listing(found, shapes.line)


@routes.get("/quizzes/{quiz_id}")
def look_at(caller: Caller, quiz_id: str, now: datetime) -> shapes.QuizView:
    """One quiz, how many attempts I have left today, and whether I have passed."""
    return shapes.view(lists.look_at(quiz_id, caller=caller), now)


@routes.post("/quizzes/{quiz_id}/attempts", status=201)
def start(caller: Caller, quiz_id: str, attempt: Attempt, now: datetime) -> shapes.AttemptView:
    """Draw my questions. While I have an attempt under way, I get that one back."""
    return shapes.attempt_view(answering.start(caller=caller, quiz_id=quiz_id, attempt=attempt, now=now), now)


@routes.get("/quizzes/{quiz_id}/attempts/{attempt_id}")
def look_at_attempt(caller: Caller, quiz_id: str, attempt_id: str, now: datetime) -> shapes.AttemptView:
    """My attempt: its questions, and once it is handed in, right answers and explanations."""
    return shapes.attempt_view(lists.own_attempt(quiz_id, attempt_id, caller=caller), now)


@routes.post("/quizzes/{quiz_id}/attempts/{attempt_id}/submit")
def submit(
    caller: Caller, quiz_id: str, attempt_id: str, body: shapes.HandIn, attempt: Attempt, now: datetime
) -> shapes.AttemptView:
    """Hand my answers in, once and all together. The same answers again get the same result."""
    answers = [(each.question, each.options) for each in body.answers]
    paper = answering.hand_in(
        caller=caller, quiz_id=quiz_id, sheet_id=attempt_id, answers=answers, attempt=attempt, now=now
    )
    return shapes.attempt_view(paper, now)
