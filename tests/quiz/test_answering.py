"""Answering over HTTP: drawn once, handed in once, graded here, and every wrong step said in Chinese."""

from __future__ import annotations

import json
from datetime import time, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from chalicelib.entitlements.models import Entitlement
from chalicelib.kit import clock
from chalicelib.kit.table import Item
from chalicelib.people.models import Resident
from chalicelib.quiz import rules, setting_up
from chalicelib.quiz.models import Bank, Question, Quiz
from tests.engine.budget import budget
from tests.engine.http import Answer
from tests.neighbourhood import Hood, Neighbour
from tests.points import books
from tests.quiz import school
from tests.quiz.school import solution, start, submit, wrong

DAY = timedelta(days=1)
NOON = clock.at_local(clock.day(clock.now()), time(12))
MIDNIGHT = NOON + timedelta(hours=12)


@pytest.fixture
def li_ju(hood: Hood) -> Neighbour:
    return hood.resident("李菊")


@pytest.fixture
def quiz(hood: Hood) -> str:
    return school.quiz(hood.community)


def begun(li_ju: Neighbour, quiz: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    answer = start(li_ju, quiz)
    assert answer.status == 201, answer
    return answer.json, solution(li_ju, answer.json["id"])


def told(answer: Answer, status: int, code: str) -> bool:
    """Refused with this code, in Chinese."""
    assert not answer.status < 300, answer
    return (answer.status, answer.code, answer.json["detail"].isascii()) == (status, code, False)


class TestBeginning:
    def test_questions_are_shown_without_what_grades_them(self, li_ju, quiz):
        attempt, _ = begun(li_ju, quiz)
        assert attempt["state"] == "open"
        assert [question["question"] for question in attempt["questions"]] == [1, 2, 3]
        assert [option["id"] for option in attempt["questions"][0]["options"]] == ["A", "B", "C"]
        looked = li_ju.get(f"/quizzes/{quiz}/attempts/{attempt['id']}")
        assert looked.json == attempt
        for shown in (json.dumps(attempt, ensure_ascii=False), looked.text, li_ju.get(f"/quizzes/{quiz}").text):
            assert "解释" not in shown
            assert "right" not in shown
            assert "correct" not in shown

    def test_the_same_key_begins_the_same_attempt_even_after_it_was_handed_in(self, li_ju, quiz):
        first, again = start(li_ju, quiz, key="k").json, start(li_ju, quiz, key="k").json
        assert first == again
        submit(li_ju, first, solution(li_ju, first["id"]))
        later = start(li_ju, quiz, key="k").json
        assert (later["id"], later["state"]) == (first["id"], "submitted")
        assert li_ju.get(f"/quizzes/{quiz}").json["attempts_left"] == 2

    def test_who_has_one_under_way_gets_it_back_and_it_counts_once(self, li_ju, quiz):
        first, again = start(li_ju, quiz, key="k1").json, start(li_ju, quiz, key="k2").json
        assert first == again
        looked = li_ju.get(f"/quizzes/{quiz}").json
        assert (looked["attempts_left"], looked["open_attempt"]) == (2, first["id"])

    def test_a_day_has_so_many_attempts_and_shanghai_s_midnight_gives_new_ones(self, li_ju, hood):
        quiz = school.quiz(hood.community, attempts_a_day=2)
        school.tried(li_ju, quiz, NOON), school.tried(li_ju, quiz, NOON)
        with pytest.raises(rules.AttemptsUsedUp) as refused:
            school.begin(li_ju, quiz, NOON)
        assert refused.value.retry_after == 12 * 3600
        assert refused.value.detail == "今天的 2 次机会已经用完，明天零点后可以再答。"
        with pytest.raises(rules.AttemptsUsedUp):
            school.begin(li_ju, quiz, MIDNIGHT - timedelta(milliseconds=1))
        school.tried(li_ju, quiz, MIDNIGHT), school.tried(li_ju, quiz, MIDNIGHT)
        with pytest.raises(rules.AttemptsUsedUp):
            school.begin(li_ju, quiz, MIDNIGHT + timedelta(hours=1))

    def test_the_day_s_last_is_told_with_when_to_come_back(self, li_ju, hood):
        quiz = school.quiz(hood.community, attempts_a_day=1)
        attempt, answers = begun(li_ju, quiz)
        submit(li_ju, attempt, answers)
        refused = start(li_ju, quiz)
        assert told(refused, 429, "quiz_attempts_used_up")
        assert 0 < int(refused.headers["retry-after"]) <= 86400

    def test_what_was_begun_counts_though_it_was_never_handed_in(self, li_ju, hood):
        quiz = school.quiz(hood.community, attempts_a_day=1)
        school.begin(li_ju, quiz, NOON)
        with pytest.raises(rules.AttemptsUsedUp):
            school.begin(li_ju, quiz, NOON + timedelta(minutes=20))

    def test_each_attempt_draws_anew(self, li_ju, hood):
        quiz = school.quiz(hood.community, bank=school.bank(60), questions=10, pass_mark=1, attempts_a_day=3)
        papers = []
        for _ in range(3):
            attempt, answers = begun(li_ju, quiz)
            papers.append([question["text"] for question in attempt["questions"]])
            assert len(set(papers[-1])) == 10
            submit(li_ju, attempt, answers)
        assert papers[0] != papers[1] != papers[2]

    def test_only_what_is_asked_is_read_of_a_bank(self, li_ju, hood):
        quiz = school.quiz(hood.community, bank=school.bank(300), questions=3)
        with budget() as spent:
            attempt, _ = start(li_ju, quiz).json, None
        assert spent.calls.count("dynamodb BatchGetItem") == 2
        with budget() as spent:
            li_ju.get(f"/quizzes/{quiz}/attempts/{attempt['id']}")
        assert len(spent.calls) == 2
        assert spent.read_units <= 5

    @pytest.mark.parametrize(
        ("opens", "closes", "code"),
        [
            (timedelta(minutes=5), DAY, "quiz_not_open_yet"),
            (-2 * DAY, timedelta(seconds=-1), "quiz_closed"),
            (-2 * DAY, timedelta(0), "quiz_closed"),
        ],
    )
    def test_before_it_opens_and_after_it_closes(self, li_ju, quiz, opens, closes, code):
        now = clock.now()
        school.move(school.stored(quiz), opens_at=now + opens, closes_at=now + closes)
        assert told(start(li_ju, quiz), 409, code)
        assert li_ju.get(f"/quizzes/{quiz}").json["attempts_left"] == 0

    def test_it_is_for_those_who_live_in_its_area(self, hood, quiz):
        elsewhere = Hood(hood.http, hood.wechat).resident()
        assert told(start(elsewhere, quiz), 403, "quiz_not_for_your_area")
        homeless = hood.resident()
        Resident.key(homeless.id).update([Resident.home.remove(), Resident.home_state.set("none")])
        assert told(start(homeless, quiz), 409, "quiz_home_needed")
        declined = hood.resident()
        Resident.key(declined.id).update([Resident.home_state.set("declined")])
        assert told(start(declined, quiz), 409, "quiz_home_needed")
        assert start(hood.resident(), school.quiz(hood.district)).status == 201

    def test_a_quiz_that_is_not_there(self, li_ju):
        assert told(start(li_ju, "nothing"), 404, "quiz_not_found")
        assert told(li_ju.get("/quizzes/nothing"), 404, "quiz_not_found")

    def test_nobody_answers_for_somebody_else(self, li_ju, hood, quiz):
        assert told(start(hood.resident(), quiz, acting_for=li_ju.id), 403, "own_affair_only")

    def test_a_bank_whose_questions_were_deleted_by_hand_is_said_to_be_so(self, li_ju, hood):
        quiz = school.stored(school.quiz(hood.community, bank=school.bank(3), questions=3))
        Question.key(quiz.bank, quiz.version, 2).delete()
        assert told(start(li_ju, quiz.id), 503, "quiz_bank_incomplete")
        assert Item.collection(f"QUIZ_OF#{li_ju.id}") == []


class TestHandingIn:
    def test_all_right_earns_points_and_the_right_to_a_campaign_and_explains(self, li_ju, quiz):
        attempt, answers = begun(li_ju, quiz)
        handed = submit(li_ju, attempt, answers)
        assert (handed.status, handed.json["state"]) == (200, "submitted")
        result = handed.json["result"]
        assert (result["score"], result["passed"], result["points"], result["no_points"]) == (3, True, 10, None)
        assert result["entitled"] is True
        assert all(each["correct"] and each["explanation"].startswith("解释") for each in result["questions"])
        assert [each["right_options"] for each in result["questions"]] == [each["options"] for each in answers]
        assert [transfer.fact for transfer in books.transfers(li_ju.id)] == [f"quiz:{quiz}"]
        assert books.check(li_ju.id) == 10
        held = Entitlement.find(f"RES_MAY#{li_ju.id}", f"quiz:{quiz}")
        assert held.why == "通过答题：口罩知识"
        assert li_ju.get(f"/quizzes/{quiz}").json["passed"] is True
        assert li_ju.get(f"/quizzes/{quiz}/attempts/{attempt['id']}").json == handed.json

    def test_all_wrong_says_so_for_each_question_and_gives_nothing(self, li_ju, quiz):
        attempt, answers = begun(li_ju, quiz)
        result = submit(li_ju, attempt, wrong(answers)).json["result"]
        assert (result["score"], result["passed"], result["points"], result["entitled"]) == (0, False, 0, False)
        assert result["no_points"].startswith("这次没有及格")
        assert [each["correct"] for each in result["questions"]] == [False] * 3
        assert books.transfers(li_ju.id) == Item.collection(f"RES_MAY#{li_ju.id}") == []
        assert li_ju.get(f"/quizzes/{quiz}").json["passed"] is False

    @pytest.mark.parametrize(("right", "passed"), [(1, False), (2, True), (3, True)])
    def test_the_pass_mark_is_a_number_of_right_answers(self, li_ju, quiz, right, passed):
        attempt, answers = begun(li_ju, quiz)
        result = submit(li_ju, attempt, [*answers[:right], *wrong(answers[right:])]).json["result"]
        assert (result["score"], result["passed"]) == (right, passed)

    def test_the_same_answers_again_get_the_same_result(self, li_ju, quiz):
        attempt, answers = begun(li_ju, quiz)
        first = submit(li_ju, attempt, answers, key="k")
        in_another_order = [{**each, "options": each["options"][::-1]} for each in answers[::-1]]
        for again in (
            submit(li_ju, attempt, answers, key="k"),
            submit(li_ju, attempt, answers, key="another"),
            submit(li_ju, attempt, in_another_order),
        ):
            assert (again.status, again.json) == (200, first.json)
        assert books.check(li_ju.id) == 10

    def test_a_result_stays_when_its_time_is_over_and_the_quiz_has_ended(self, li_ju, quiz):
        attempt, answers = begun(li_ju, quiz)
        first = submit(li_ju, attempt, answers)
        setting_up.close(quiz, now=clock.now())
        assert submit(li_ju, attempt, answers).json == first.json
        assert li_ju.get(f"/quizzes/{quiz}/attempts/{attempt['id']}").json == first.json

    def test_other_answers_afterwards_are_refused(self, li_ju, quiz):
        attempt, answers = begun(li_ju, quiz)
        first = submit(li_ju, attempt, wrong(answers), key="k")
        assert told(submit(li_ju, attempt, answers), 409, "quiz_attempt_submitted")
        assert told(submit(li_ju, attempt, answers, key="other"), 409, "quiz_attempt_submitted")
        assert told(submit(li_ju, attempt, answers, key="k"), 422, "idempotency_key_reused")
        assert li_ju.get(f"/quizzes/{quiz}/attempts/{attempt['id']}").json == first.json
        assert books.transfers(li_ju.id) == []

    def test_a_key_that_failed_once_may_be_used_again(self, li_ju, quiz):
        attempt, answers = begun(li_ju, quiz)
        assert submit(li_ju, attempt, answers[:1], key="k").status == 422
        assert submit(li_ju, attempt, answers, key="k").json["result"]["passed"]

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            (lambda a: [*a, {"question": 4, "options": ["A"]}], "quiz_question_not_drawn"),
            (lambda a: [*a, {"question": -4, "options": ["A"]}], "quiz_question_not_drawn"),
            (lambda a: [*a, a[0]], "quiz_question_twice"),
            (lambda a: [{**a[0], "options": ["F"]}, *a[1:]], "quiz_option_unknown"),
            (lambda a: [{**a[0], "options": ["A", "A"]}, *a[1:]], "quiz_option_twice"),
            (lambda a: a[:2], "quiz_answers_missing"),
            (lambda a: [{**a[0], "options": []}, *a[1:]], "quiz_answers_missing"),
            (lambda a: [], "quiz_answers_missing"),
            (lambda a: [{"question": "1", "options": ["A"]}], "invalid"),
            (lambda a: [{"question": 2**63, "options": ["A"]}], "invalid"),
            (lambda a: [{"question": 1.5, "options": ["A"]}], "invalid"),
            (lambda a: [{"question": 1}], "invalid"),
            (lambda a: [{**a[0], "points": 1000}], "invalid"),
            (lambda a: a * 100, "invalid"),
            (lambda a: [{**a[0], "options": ["A" * 21]}], "invalid"),
        ],
    )
    def test_answers_that_do_not_fit_are_refused_and_the_attempt_stays_open(self, li_ju, quiz, change, code):
        attempt, answers = begun(li_ju, quiz)
        assert told(submit(li_ju, attempt, change(answers)), 422, code)
        assert li_ju.get(f"/quizzes/{quiz}/attempts/{attempt['id']}").json == attempt
        assert submit(li_ju, attempt, answers).json["result"]["passed"]

    def test_two_options_where_only_one_is_right(self, li_ju, hood):
        quiz = school.quiz(hood.community, bank=school.bank(2), questions=2, pass_mark=1)
        attempt, answers = begun(li_ju, quiz)
        several = [{**answers[0], "options": ["A", "B"]}, answers[1]]
        assert told(submit(li_ju, attempt, several), 422, "quiz_one_option_only")

    def test_after_its_time_it_is_not_taken_and_a_new_one_may_begin(self, li_ju, quiz):
        attempt, answers = begun(li_ju, quiz)
        late = clock.now() + timedelta(minutes=20, seconds=1)
        with patch.object(clock, "now", return_value=late):
            assert told(submit(li_ju, attempt, answers), 409, "quiz_attempt_over")
            shown = li_ju.get(f"/quizzes/{quiz}/attempts/{attempt['id']}").json
            assert (shown["state"], shown["result"]) == ("over", None)
            assert li_ju.get(f"/quizzes/{quiz}").json["open_attempt"] is None
            assert start(li_ju, quiz).json["id"] != attempt["id"]

    def test_an_attempt_ends_with_the_quiz_at_the_latest(self, li_ju, quiz):
        closes = clock.now() + timedelta(minutes=5)
        school.move(school.stored(quiz), closes_at=closes)
        attempt, answers = begun(li_ju, quiz)
        assert attempt["ends_at"] == clock.local(closes).isoformat()
        with patch.object(clock, "now", return_value=closes):
            assert told(submit(li_ju, attempt, answers), 409, "quiz_closed")

    def test_an_administrator_s_closing_ends_attempts_under_way(self, li_ju, quiz):
        attempt, answers = begun(li_ju, quiz)
        setting_up.close(quiz, now=clock.now())
        assert told(submit(li_ju, attempt, answers), 409, "quiz_closed")
        assert told(start(li_ju, quiz), 409, "quiz_closed")

    def test_somebody_else_s_attempt_is_not_there(self, li_ju, hood, quiz):
        attempt, answers = begun(li_ju, quiz)
        other = hood.resident()
        begun(other, quiz)
        assert told(submit(other, attempt, answers), 404, "quiz_attempt_not_found")
        assert told(other.get(f"/quizzes/{quiz}/attempts/{attempt['id']}"), 404, "quiz_attempt_not_found")
        another_quiz = school.quiz(hood.community)
        begun(li_ju, another_quiz)
        assert told(submit(li_ju, {**attempt, "quiz_id": another_quiz}, answers), 404, "quiz_attempt_not_found")
        assert told(li_ju.get(f"/quizzes/{another_quiz}/attempts/{attempt['id']}"), 404, "quiz_attempt_not_found")
        assert li_ju.get(f"/quizzes/{quiz}/attempts/{attempt['id']}").json == attempt


class TestChangesMeanwhile:
    def test_an_attempt_keeps_the_version_of_the_bank_it_was_drawn_from(self, li_ju, hood):
        bank = school.bank(6)
        quiz = school.quiz(hood.community, bank=bank)
        attempt, answers = begun(li_ju, quiz)
        school.banks.import_questions(
            bank, school.table([school.row(f"新{n}", answer="B") for n in range(9)]), now=clock.now()
        )
        assert li_ju.get(f"/quizzes/{quiz}/attempts/{attempt['id']}").json == attempt
        assert submit(li_ju, attempt, answers).json["result"]["score"] == 3
        fresh, _ = begun(li_ju, quiz)
        assert all(question["text"].startswith("新") for question in fresh["questions"])

    def test_an_attempt_keeps_the_pass_mark_and_the_reward_it_was_begun_under(self, li_ju, hood):
        plan = school.plan(hood.community, pass_mark=1)
        setting_up.put(plan, now=clock.now())
        attempt, answers = begun(li_ju, plan.id)
        changed = {**{name: getattr(plan, name) for name in plan.__struct_fields__}, "pass_mark": 3, "points": False}
        setting_up.put(setting_up.Plan(**changed), now=clock.now())
        result = submit(li_ju, attempt, [answers[0], *wrong(answers[1:])]).json["result"]
        assert (result["passed"], result["points"]) == (True, 10)
        fresh, answers = begun(li_ju, plan.id)
        result = submit(li_ju, fresh, answers).json["result"]
        assert (fresh["pass_mark"], result["points"], result["no_points"]) == (3, 0, "这份问卷不计积分。")


class TestPoints:
    def pass_it(self, who: Neighbour, quiz: str) -> dict[str, Any]:
        return school.passed(who, quiz)["result"]

    def test_a_quiz_earns_once_for_ever(self, li_ju, quiz):
        assert self.pass_it(li_ju, quiz)["points"] == 10
        again = self.pass_it(li_ju, quiz)
        assert (again["points"], again["no_points"]) == (0, "这份问卷您已经得过积分了，不会重复记。")
        assert again["entitled"] is True
        assert books.check(li_ju.id) == 10
        assert [each["reason"] for each in li_ju.get("/me/points").json["refusals"]] == ["already_counted"]

    def test_a_cap_that_is_reached_never_fails_the_result(self, li_ju, hood, rule):
        rule(points=10, a_day=10)
        assert self.pass_it(li_ju, school.quiz(hood.community))["points"] == 10
        full = school.passed(li_ju, school.quiz(hood.community))
        assert full["result"]["no_points"].startswith("今天答题的积分已经到上限")
        assert li_ju.get(f"/quizzes/{full['quiz_id']}/attempts/{full['id']}").json == full
        assert books.check(li_ju.id) == 10

    def test_a_rule_that_is_off_gives_nothing_and_the_quiz_counts_all_the_same(self, li_ju, quiz, rule):
        rule(points=10, on=False)
        result = self.pass_it(li_ju, quiz)
        assert (result["points"], result["no_points"], result["entitled"]) == (
            0,
            "现在答题不计积分，结果已经记下。",
            True,
        )
        rule(points=5)
        assert self.pass_it(li_ju, quiz)["points"] == 5

    def test_a_rule_for_an_area_asks_where_the_resident_lives(self, hood, rule):
        rule(points=10, area="999999")
        assert self.pass_it(hood.resident(), school.quiz(hood.community))["points"] == 0
        rule(points=10, area=hood.street)
        assert self.pass_it(hood.resident(), school.quiz(hood.community))["points"] == 10

    def test_staff_earn_nothing_in_their_own_area(self, hood, quiz):
        result = self.pass_it(hood.staff("grid_worker"), quiz)
        assert result["no_points"].startswith("工作人员在自己负责的区域里不计积分")

    def test_a_quiz_without_a_reward_gives_none(self, li_ju, hood):
        result = self.pass_it(li_ju, school.quiz(hood.community, points=False, entitles=False))
        assert (result["points"], result["entitled"]) == (0, False)
        assert Item.collection(f"RES_MAY#{li_ju.id}") == books.transfers(li_ju.id) == []

    def test_an_attempt_that_fails_asks_the_books_nothing(self, li_ju, quiz):
        attempt, answers = begun(li_ju, quiz)
        with budget() as spent:
            submit(li_ju, attempt, wrong(answers))
        assert len(spent.calls) == 3


class TestLists:
    def listed(self, neighbour: Neighbour, area: str) -> list[str]:
        return [each["id"] for each in neighbour.get(f"/quizzes?area={area}").json["items"]]

    def test_quizzes_of_the_area_and_of_larger_ones_are_listed_while_they_are_open(self, li_ju, hood):
        now = clock.now()
        district, community = school.quiz(hood.district), school.quiz(hood.community, closes=now + DAY)
        other = school.quiz(hood.street)
        sibling, closed, coming = (school.quiz(hood.community) for _ in range(3))
        item = school.stored(sibling)
        item.area = hood.street + "002"
        item.save()
        setting_up.close(closed, now=now)
        school.move(school.stored(coming), opens_at=now + DAY)
        assert self.listed(li_ju, hood.micro_grid)[0] == community
        assert set(self.listed(li_ju, hood.micro_grid)) == {district, community, other}
        assert set(self.listed(li_ju, hood.district)) == {district}

    def test_an_area_that_is_none(self, li_ju):
        assert told(li_ju.get("/quizzes?area=3304021"), 422, "area_unknown")
        assert told(li_ju.get("/quizzes"), 422, "invalid")

    def test_no_list_says_which_questions_there_are(self, li_ju, hood, quiz):
        assert "第 1 问" not in li_ju.get(f"/quizzes?area={hood.community}").text


def test_what_is_kept_of_an_unanswered_attempt_goes_after_a_month(hood: Hood) -> None:
    li_ju, quiz = hood.resident(), school.quiz(hood.community)
    attempt, answers = begun(li_ju, quiz)
    kept = school.sheet(li_ju, attempt["id"])
    assert 30 * 86400 < kept.expires_at - clock.now().timestamp() < 31 * 86400
    submit(li_ju, attempt, answers)
    assert school.sheet(li_ju, attempt["id"]).expires_at is None


def test_the_shared_items_are_never_written_by_residents(hood: Hood) -> None:
    """Nothing is hot: twenty thousand people answering at once read the quiz and its questions, and write their own."""
    quiz = school.stored(school.quiz(hood.community))
    bank = Bank.fetch(f"QUIZ_BANK#{quiz.bank}", "BANK")
    for _ in range(2):
        school.passed(hood.resident(), quiz.id)
    assert Quiz.fetch(quiz.pk, quiz.sk).attribute_values == quiz.attribute_values
    assert Bank.fetch(bank.pk, bank.sk).attribute_values == bank.attribute_values
