"""Drawing and grading, without anything stored."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from chalicelib.kit import clock
from chalicelib.quiz import rules
from chalicelib.quiz.rules import Drawn

ONE = Drawn(4, [2, 0, 1], several=False)
TWO = Drawn(9, [1, 3, 0, 2], several=True)
SHEET = [ONE, TWO]
NOW = clock.now()


def answered(*answers: tuple[int, list[str]]) -> list[str]:
    return rules.as_answered(answers, SHEET)


class TestDrawing:
    def test_questions_are_different_ones_of_the_bank(self):
        for seed in map(str, range(200)):
            numbers = rules.draw(5, 8, seed)
            assert len(set(numbers)) == 5
            assert set(numbers) <= set(range(1, 9))

    def test_a_whole_bank_is_drawn_in_some_order(self):
        assert sorted(rules.draw(8, 8, "seed")) == list(range(1, 9))
        assert len({tuple(rules.draw(8, 8, f"{seed}")) for seed in range(50)}) > 40

    def test_a_seed_draws_the_same_again(self):
        assert rules.draw(5, 1000, "a seed") == rules.draw(5, 1000, "a seed")
        assert rules.shuffled(6, 3, "a seed") == rules.shuffled(6, 3, "a seed")

    def test_every_question_has_its_turn(self):
        drawn = [number for seed in range(1000) for number in rules.draw(2, 10, f"{seed}")]
        assert all(140 < drawn.count(number) < 260 for number in range(1, 11))

    def test_options_are_shown_in_any_order_so_that_the_first_is_not_always_the_right_one(self):
        first = [rules.shuffled(4, 1, f"{seed}")[0] for seed in range(1000)]
        assert all(180 < first.count(position) < 320 for position in range(4))

    def test_the_bank_s_options_get_the_letters_of_the_sheet(self):
        assert ONE.as_shown([0]) == "B"
        assert TWO.as_shown([0, 3]) == "BC"


class TestTimes:
    def test_a_quiz_is_open_from_its_first_moment_until_just_before_its_last(self):
        opens, closes = NOW, NOW + timedelta(days=1)
        rules.check_open(opens, closes, opens)
        rules.check_open(opens, closes, closes - timedelta(milliseconds=1))
        with pytest.raises(rules.NotOpenYet):
            rules.check_open(opens, closes, opens - timedelta(milliseconds=1))
        with pytest.raises(rules.Closed):
            rules.check_open(opens, closes, closes)

    def test_it_must_close_after_it_opens_and_after_now_within_three_years(self):
        day = timedelta(days=1)
        rules.check_times(NOW - day, NOW + timedelta(seconds=1), NOW)
        for opens, closes in ((NOW, NOW), (NOW + day, NOW + day), (NOW - day, NOW), (NOW, NOW + 1099 * day)):
            with pytest.raises(rules.TimesWrong):
                rules.check_times(opens, closes, NOW)

    def test_the_day_s_end_is_shanghai_s(self):
        for hour, seconds in ((0, 86400), (12, 43200), (23, 3600)):
            at = clock.at_local(clock.day(NOW), time(hour))
            assert rules.AttemptsUsedUp(3, at).retry_after == seconds


class TestGrading:
    @pytest.mark.parametrize(
        ("given", "right", "correct"),
        [
            ("A", "A", True),
            ("B", "A", False),
            ("AC", "AC", True),
            ("CA", "AC", True),
            ("A", "AC", False),
            ("ABC", "AC", False),
            ("BC", "AC", False),
            ("ABCD", "ABCD", True),
        ],
    )
    def test_an_answer_names_all_right_options_and_only_those(self, given, right, correct):
        assert rules.grade([given], [right]) == [correct]

    def test_each_question_counts_for_itself(self):
        assert rules.grade(["A", "B", "CD"], ["A", "A", "CD"]) == [True, False, True]

    def test_answers_and_questions_that_do_not_match_in_number_are_a_defect(self):
        with pytest.raises(ValueError):
            rules.grade(["A"], ["A", "B"])


class TestAnswers:
    def test_order_makes_no_difference(self):
        assert answered((1, ["B"]), (2, ["A", "C"])) == answered((2, ["C", "A"]), (1, ["B"])) == ["B", "AC"]

    @pytest.mark.parametrize(
        ("answers", "refused", "field"),
        [
            ([(1, ["A"]), (3, ["A"])], rules.QuestionNotDrawn, "answers[3]"),
            ([(0, ["A"])], rules.QuestionNotDrawn, "answers[0]"),
            ([(-1, ["A"])], rules.QuestionNotDrawn, "answers[-1]"),
            ([(1, ["A"]), (1, ["A"]), (2, ["A"])], rules.QuestionTwice, "answers[1]"),
            ([(1, ["D"]), (2, ["A"])], rules.OptionUnknown, "answers[1]"),
            ([(1, ["a"]), (2, ["A"])], rules.OptionUnknown, "answers[1]"),
            ([(1, ["A"]), (2, ["AB"])], rules.OptionUnknown, "answers[2]"),
            ([(1, ["A"]), (2, [""])], rules.OptionUnknown, "answers[2]"),
            ([(1, ["A"]), (2, ["A", "A"])], rules.OptionTwice, "answers[2]"),
            ([(1, ["A", "B"]), (2, ["A"])], rules.OneOptionOnly, "answers[1]"),
            ([(1, ["A"])], rules.AnswersMissing, "answers[2]"),
            ([(1, ["A"]), (2, [])], rules.AnswersMissing, "answers[2]"),
            ([], rules.AnswersMissing, "answers[1]"),
        ],
    )
    def test_what_does_not_fit_the_sheet_is_named(self, answers, refused, field):
        with pytest.raises(refused) as caught:
            answered(*answers)
        assert field in caught.value.fields

    def test_each_wrong_answer_has_a_code_and_a_sentence_of_its_own(self):
        kinds = [*rules.AnswerInvalid.__subclasses__(), rules.AnswersMissing]
        said = [kind(1) if kind is not rules.AnswersMissing else kind([1, 2]) for kind in kinds]
        assert len({each.code for each in said}) == len({each.detail for each in said}) == len(kinds) == 6
        assert "第 1、2 题" in said[-1].detail

    def test_every_reason_of_the_points_has_words(self):
        from chalicelib.points.rules import REASONS

        assert set(REASONS) - {"cap_with_one_person"} <= set(rules.WHY_NO_POINTS)
