"""What somebody has answered is in the copy of their data, and goes when they leave."""

from __future__ import annotations

from chalicelib.kit import clock
from chalicelib.kit.table import Item
from chalicelib.people import personal_data
from tests.neighbourhood import Hood
from tests.quiz import school


def test_the_copy_of_my_data_tells_my_results_and_nobody_else_s(hood: Hood) -> None:
    li_ju, other, quiz = hood.resident(), hood.resident(), school.quiz(hood.community)
    school.passed(other, quiz)
    attempt = school.start(li_ju, quiz).json
    school.submit(li_ju, attempt, school.wrong(school.solution(li_ju, attempt["id"])))
    school.passed(li_ju, quiz)
    school.start(li_ju, quiz)
    told = list(personal_data.sections["我的答题"](li_ju.id))
    assert [(each["问卷"], each["结果"], each["及格"], each["积分"]) for each in told] == [
        ("口罩知识", "0 / 3", "否", 0),
        ("口罩知识", "3 / 3", "是", 10),
        ("口罩知识", "没有交", "", 0),
    ]
    assert [each["资格"] for each in personal_data.sections["我取得的资格"](li_ju.id)] == ["通过答题：口罩知识"]


def test_who_leaves_leaves_no_answers_behind(hood: Hood) -> None:
    li_ju, other, quiz = hood.resident(), hood.resident(), school.quiz(hood.community)
    school.passed(li_ju, quiz), school.passed(other, quiz)
    for _ in range(2):
        personal_data.erase(li_ju.id, now=clock.now())
    assert Item.collection(f"QUIZ_OF#{li_ju.id}") == Item.collection(f"RES_MAY#{li_ju.id}") == []
    assert len(Item.collection(f"QUIZ_OF#{other.id}")) == 2
