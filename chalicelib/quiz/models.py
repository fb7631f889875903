"""Banks and quizzes, which all share, and one partition per resident for what they have answered."""

from __future__ import annotations

from datetime import datetime

import msgspec
from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.areas import rules as areas
from chalicelib.kit import clock
from chalicelib.kit.attempt import Remembers
from chalicelib.kit.table import Condition, InstantAttribute, Item
from chalicelib.quiz.rules import Drawn


class Bank(Item, discriminator="quiz_bank"):
    """`QUIZ_BANK#<bank id>` / `BANK`: which version of a bank is in force, and which quizzes draw from it."""

    version = UnicodeAttribute()
    questions = NumberAttribute()  # how many
    imported_at = InstantAttribute()
    uses = JSONAttribute()  # when each quiz closes, by its id; those long closed are dropped
    changes = NumberAttribute(default=0)

    @classmethod
    def key(cls, bank_id: str) -> Bank:
        return cls(f"QUIZ_BANK#{bank_id}", "BANK")

    @property
    def id(self) -> str:
        return self.pk.removeprefix("QUIZ_BANK#")

    def as_read(self) -> Condition:
        return Bank.changes == int(self.changes)

    def used_at(self, now: datetime) -> dict[str, str]:
        """Its quizzes that are open, or will be."""
        return {quiz: closes for quiz, closes in self.uses.items() if closes > clock.stamp(now)}


class Question(Item, discriminator="quiz_question"):
    """`QUIZ_QUESTION#<bank id>#<version>#<number>` / `QUESTION`: one question, never changed.

    Each has a partition of its own: all residents of a district read them in the same minutes.
    """

    text = UnicodeAttribute()
    options = JSONAttribute()
    right = JSONAttribute()  # positions among the options; never sent before the answers have come
    explanation = UnicodeAttribute()

    @classmethod
    def key(cls, bank_id: str, version: str, number: int) -> Question:
        return cls(f"QUIZ_QUESTION#{bank_id}#{version}#{number}", "QUESTION")


class Quiz(Item, discriminator="quiz"):
    """`QUIZ#<quiz id>` / `QUIZ`: what is asked, from when to when, of whom, and what it gives.

    by_area: `QUIZZES#<district>` / `<closes>#<quiz id>`.
    """

    title = UnicodeAttribute()
    bank = UnicodeAttribute()
    version = UnicodeAttribute()  # of the bank: changed with it
    questions = NumberAttribute()  # how many there are in that version
    drawn = NumberAttribute()  # how many of them make an attempt
    pass_mark = NumberAttribute()  # right answers
    attempts_a_day = NumberAttribute()
    minutes = NumberAttribute()
    opens_at = InstantAttribute()
    closes_at = InstantAttribute()
    area = UnicodeAttribute()
    gives_points = BooleanAttribute()
    entitles = BooleanAttribute()
    changes = NumberAttribute(default=0)

    @classmethod
    def key(cls, quiz_id: str) -> Quiz:
        return cls(f"QUIZ#{quiz_id}", "QUIZ")

    @property
    def id(self) -> str:
        return self.pk.removeprefix("QUIZ#")

    def as_read(self) -> Condition:
        return Quiz.changes == int(self.changes)

    def list_it(self) -> None:
        self.area_key = f"QUIZZES#{areas.district(self.area)}"
        self.area_sort = f"{clock.stamp(self.closes_at)}#{self.id}"


def partition(resident_id: str) -> str:
    return f"QUIZ_OF#{resident_id}"


class Standing(Item, discriminator="quiz_standing"):
    """`QUIZ_OF#<resident id>` / `QUIZ#<quiz id>`: how often somebody has tried a quiz today, and whether they have passed."""

    day = UnicodeAttribute()  # the Shanghai day of `used`
    used = NumberAttribute()
    open_sheet = UnicodeAttribute(null=True)
    open_until = InstantAttribute(null=True)
    passed_at = InstantAttribute(null=True)
    changes = NumberAttribute(default=0)

    @classmethod
    def key(cls, resident_id: str, quiz_id: str) -> Standing:
        return cls(partition(resident_id), f"QUIZ#{quiz_id}")

    def as_read(self) -> Condition:
        return Standing.changes == int(self.changes)

    def used_on(self, now: datetime) -> int:
        return int(self.used) if self.day == str(clock.day(now)) else 0

    def open_at(self, now: datetime) -> str | None:
        """The attempt under way."""
        return self.open_sheet if self.open_until is not None and now < self.open_until else None


class Sheet(Remembers, discriminator="quiz_sheet"):
    """`QUIZ_OF#<resident id>` / `SHEET#<sheet id>`: one attempt at a quiz. It keeps the terms it was started under.

    Removed by TTL a month after its time when nothing was handed in.
    """

    PREFIX = "SHEET#"

    quiz = UnicodeAttribute()
    title = UnicodeAttribute()
    bank = UnicodeAttribute()
    version = UnicodeAttribute()
    questions = JSONAttribute()  # [number in the bank, order of its options, several right answers?], as shown
    pass_mark = NumberAttribute()
    gives_points = BooleanAttribute()
    entitles = BooleanAttribute()
    started_at = InstantAttribute()
    ends_at = InstantAttribute()
    answers = JSONAttribute(null=True)  # letters by question; there from the moment it is handed in
    score = NumberAttribute(null=True)
    passed = BooleanAttribute(null=True)
    points = NumberAttribute(null=True)
    no_points = UnicodeAttribute(null=True)  # code of the reason
    submitted_at = InstantAttribute(null=True)

    @classmethod
    def key(cls, resident_id: str, sheet_id: str) -> Sheet:
        return cls(partition(resident_id), f"{cls.PREFIX}{sheet_id}")

    @property
    def id(self) -> str:
        return self.sk.removeprefix(self.PREFIX)

    @property
    def drawn(self) -> list[Drawn]:
        return msgspec.convert(self.questions, list[Drawn])
