"""What may be asked, answered and gained in a quiz, and why not. Nobody is read here and nothing is written."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from typing import Annotated, NamedTuple

from msgspec import Meta

from chalicelib.areas import rules as areas
from chalicelib.kit import clock
from chalicelib.kit.errors import Conflict, Forbidden, Invalid, NotFound, Refused, TooMany, Unavailable

LETTERS = "ABCDEF"
DRAWN_AT_MOST = 50  # questions of one attempt: read together, in one BatchGetItem
QUIZZES_OF_A_BANK = 50  # open at once: all of them change over to a new version in one write

FAR_AWAY = timedelta(days=3 * 366)

Title = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^(?=.*\S)[^\x00-\x1f\x7f\ud800-\udfff]+\Z")]
BankId = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[a-z0-9][a-z0-9-]*\Z")]
QuizId = BankId


QuizGone = NotFound.named("quiz_not_found", "没有找到这份问卷，请返回问卷列表刷新。")
SheetGone = NotFound.named("quiz_attempt_not_found", "没有找到这次答题，请从问卷页重新进入。")
NotOpenYet = Refused.named("quiz_not_open_yet", "这份问卷 {opens_at} 开始，请到时再来。")
Closed = Refused.named("quiz_closed", "这份问卷已经结束，请看看别的问卷。")
HomeNeeded = Refused.named("quiz_home_needed", "这份问卷只给本地居民答，请先在“我的”里填写居住地。")
NotForYourArea = Forbidden.named("quiz_not_for_your_area", "这份问卷只给别的区域的居民答，请看看本社区的问卷。")


class AttemptsUsedUp(TooMany):
    code, detail = "quiz_attempts_used_up", "今天的次数已经用完，明天零点后可以再答。"

    def __init__(self, a_day: int, now: datetime) -> None:
        midnight = clock.at_local(clock.day(now) + timedelta(days=1), time())
        super().__init__(
            detail=f"今天的 {a_day} 次机会已经用完，明天零点后可以再答。",
            retry_after=max(1, int((midnight - now).total_seconds())),
        )


TimeOver = Refused.named("quiz_attempt_over", "这次答题的时间已经到了，没有交上；今天还有次数的话，可以重新开始。")
AlreadySubmitted = Refused.named("quiz_attempt_submitted", "这份答卷已经交过了，答案不能再改；可以返回查看结果。")


class AnswerInvalid(Invalid):
    """An answer that does not fit the sheet; `question` as the client sent it."""

    reason = ""

    def __init__(self, question: int) -> None:
        super().__init__(fields={f"answers[{question}]": self.reason})


class QuestionNotDrawn(AnswerInvalid):
    code, detail = "quiz_question_not_drawn", "有答案不属于这份答卷，请返回刷新题目后再答。"
    reason = "这份答卷里没有这道题"


class QuestionTwice(AnswerInvalid):
    code, detail = "quiz_question_twice", "同一道题交了两个答案，请只保留一个。"
    reason = "这道题出现了两次"


class OptionUnknown(AnswerInvalid):
    code, detail = "quiz_option_unknown", "选了题目里没有的选项，请返回刷新题目后再答。"
    reason = "这道题没有这个选项"


class OptionTwice(AnswerInvalid):
    code, detail = "quiz_option_twice", "同一个选项选了两次，请只选一次。"
    reason = "同一个选项出现了两次"


class OneOptionOnly(AnswerInvalid):
    code, detail = "quiz_one_option_only", "单选题只能选一个选项，请改好再交。"
    reason = "这道题是单选题"


class AnswersMissing(Invalid):
    code, detail = "quiz_answers_missing", "还有题目没有作答，答完再交。"

    def __init__(self, questions: Sequence[int]) -> None:
        numbers = "、".join(str(number) for number in questions)
        super().__init__(
            detail=f"还有 {len(questions)} 道题没有作答（第 {numbers} 题），答完再交。",
            fields={f"answers[{number}]": "还没有作答" for number in questions},
        )


BankIncomplete = Unavailable.named("quiz_bank_incomplete", "题目暂时读不出来，请联系社区工作人员。")
TryAgain = TooMany.named("quiz_busy", "提交得太频繁，请稍等几秒再试。", retry_after=2)
# ---------------------------------------------------------------------------------------- for administrators


QuizUnknown = Invalid.named("quiz_unknown", "没有这份问卷，请核对编号。")
BankUnknown = Invalid.named("quiz_bank_unknown", "没有这个题库，请先用 import_questions 导入。")


class BankTooSmall(Invalid):
    code, detail = "quiz_bank_too_small", "题库里的题目不够抽；请补充题目，或先减少抽题数。"

    def __init__(self, there: int, quiz_id: str, drawn: int, *, field: str = "questions") -> None:
        detail = f"题库只有 {there} 题，问卷 {quiz_id} 每次要抽 {drawn} 题；请补充题目，或先减少抽题数。"
        super().__init__(detail=detail, fields={field: f"题库里有 {there} 题，要抽 {drawn} 题"})


BankUsedTooOften = Invalid.named(
    "quiz_bank_used_too_often", f"一个题库最多同时用于 {QUIZZES_OF_A_BANK} 份问卷，请先结束几份。"
)


class PassMarkUnreachable(Invalid):
    code, detail = "quiz_pass_mark_unreachable", "及格要答对的题数不能多于抽题数，否则没有人能及格。"

    def __init__(self, drawn: int) -> None:
        detail = f"及格要答对的题数不能多于抽题数 {drawn}，否则没有人能及格。"
        super().__init__(detail=detail, fields={"pass_mark": f"最多 {drawn}"})


TimesWrong = Invalid.named(
    "quiz_times_wrong",
    "结束时间应晚于开始时间，也应晚于现在；两个时间离现在都不能超过三年。",
    fields={"closes": "应晚于 opens，也应晚于现在，三年以内"},
)
ChangedMeanwhile = Conflict.named("quiz_changed_meanwhile", "题库或问卷刚刚被别人改过，这次没有保存，请再发一次。")


def check_times(opens: datetime, closes: datetime, now: datetime) -> None:
    if closes <= opens or closes <= now or closes - now > FAR_AWAY or now - opens > FAR_AWAY:
        raise TimesWrong()


# ---------------------------------------------------------------------------------------- who may, and when


def check_open(opens_at: datetime, closes_at: datetime, now: datetime) -> None:
    if now < opens_at:
        raise NotOpenYet(opens_at=opens_at)
    if now >= closes_at:
        raise Closed()


def check_area(area: str, home: str | None) -> None:
    """A quiz is for those who say that they live in its area."""
    if home is None:
        raise HomeNeeded()
    if not areas.contains(area, home):
        raise NotForYourArea()


# ---------------------------------------------------------------------------------------- drawing and grading


class Drawn(NamedTuple):
    """A question on a sheet. `order` are its options as shown: positions in the bank's own order."""

    number: int
    order: list[int]
    several: bool  # has several right answers, which is told

    @property
    def letters(self) -> str:
        return LETTERS[: len(self.order)]

    def as_shown(self, positions: Iterable[int]) -> str:
        """Options of the bank as the letters they have on this sheet."""
        return "".join(sorted(LETTERS[self.order.index(position)] for position in positions))


def draw(count: int, of: int, seed: str) -> list[int]:
    """Numbers of different questions, from 1 to `of`."""
    return random.Random(f"{seed} questions").sample(range(1, of + 1), count)


def shuffled(options: int, number: int, seed: str) -> list[int]:
    """The order in which one question's options are shown."""
    return random.Random(f"{seed} options of {number}").sample(range(options), options)


def as_answered(answers: Iterable[tuple[int, Sequence[str]]], drawn: Sequence[Drawn]) -> list[str]:
    """The letters chosen for each question of the sheet, in its order; or what is wrong with the answers.

    A question is named by its place on the sheet, from 1. The same answers in another order are the same.
    """
    chosen: dict[int, str] = {}
    for question, options in answers:
        if not 1 <= question <= len(drawn):
            raise QuestionNotDrawn(question)
        if question in chosen:
            raise QuestionTwice(question)
        asked = drawn[question - 1]
        if any(len(option) != 1 or option not in asked.letters for option in options):
            raise OptionUnknown(question)
        if len(set(options)) < len(options):
            raise OptionTwice(question)
        if len(options) > 1 and not asked.several:
            raise OneOptionOnly(question)
        chosen[question] = "".join(sorted(options))
    missing = [question for question in range(1, len(drawn) + 1) if not chosen.get(question)]
    if missing:
        raise AnswersMissing(missing)
    return [chosen[question] for question in range(1, len(drawn) + 1)]


def grade(given: Sequence[str], right: Sequence[str]) -> list[bool]:
    """An answer is right when it names all right options and only those: no half points."""
    return [set(one) == set(other) for one, other in zip(given, right, strict=True)]


# ---------------------------------------------------------------------------------------- what is gained

WHY_NO_POINTS: dict[str, str] = {
    "not_passed": "这次没有及格，没有积分；今天还有次数的话，可以再答一次。",
    "no_points": "这份问卷不计积分。",
    "rule_off": "现在答题不计积分，结果已经记下。",
    "already_counted": "这份问卷您已经得过积分了，不会重复记。",
    "cap_a_day": "今天答题的积分已经到上限，这次不再加分；结果已经记下。",
    "cap_a_month": "这个月答题的积分已经到上限，这次不再加分；结果已经记下。",
    "on_duty": "工作人员在自己负责的区域里不计积分；结果已经记下。",
}


def why_no_points(reason: str) -> str:
    return WHY_NO_POINTS.get(reason, "这次没有得到积分，原因请看“我的积分”；结果已经记下。")
