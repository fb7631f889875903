"""Finding quizzes, and looking at one's own attempts."""

from __future__ import annotations

from datetime import datetime

import msgspec

from chalicelib.areas import rules as areas
from chalicelib.kit import clock
from chalicelib.kit.auth import Caller
from chalicelib.kit.table import Item, Page, page, read_together
from chalicelib.quiz import answering, rules
from chalicelib.quiz.answering import Paper
from chalicelib.quiz.models import Quiz, Sheet, Standing, partition

_AT_ONCE = 50  # a district has a handful open at a time, so that one page holds them


def open_in(area: str, *, cursor: str | None, now: datetime) -> Page[Quiz]:
    """Quizzes open now for those who live in an area, the first to close first. One Query.

    Those of a district are read together: a quiz of the street is for its communities too, and each place would need
    a Query of its own. A page may therefore be shorter than it was read, never longer.
    """
    if not areas.well_formed(area):
        raise areas.AreaUnknown(fields={"area": "请从列表里选择区域"})
    found = page(
        Item.by_area,
        f"QUIZZES#{areas.district(area)}",
        Item.area_sort > clock.stamp(now),
        of=Quiz,
        cursor=cursor,
        limit=_AT_ONCE,
        newest_first=False,
    )
    here = [quiz for quiz in found if areas.contains(quiz.area, area) and quiz.opens_at <= now]
    return Page(here, found.next)


class OwnView(msgspec.Struct, frozen=True):
    quiz: Quiz
    standing: Standing | None


def look_at(quiz_id: str, *, caller: Caller) -> OwnView:
    """A quiz, and how the caller stands in it. One BatchGetItem."""
    quiz, standing = read_together(Quiz.key(quiz_id), Standing.key(caller.id, quiz_id))
    if quiz is None:
        raise rules.QuizGone()
    return OwnView(quiz, standing)


def own_attempt(quiz_id: str, sheet_id: str, *, caller: Caller) -> Paper:
    """The caller's attempt: others' are in other partitions, so nobody else's is ever found."""
    sheet = Sheet.find(partition(caller.id), f"{Sheet.PREFIX}{sheet_id}")
    if sheet is None or sheet.quiz != quiz_id:
        raise rules.SheetGone()
    return answering.paper(sheet)
