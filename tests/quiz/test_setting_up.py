"""What administrators set up by commands: imports and quizzes, checked as a whole, repeated without harm."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kit import clock, ids
from chalicelib.kit.table import Item
from chalicelib.quiz import banks, rules
from chalicelib.quiz.models import Bank, Question
from local import district
from tests.engine.budget import budget
from tests.faults.faults import fault
from tests.neighbourhood import Hood
from tests.quiz import school
from tests.quiz.school import NOW, administer, row, rows, table, upload

DAY = timedelta(days=1)


def name() -> str:
    return ids.new_id("bank").replace("_", "-")


def stored(bank: str) -> Bank | None:
    return Bank.find(f"QUIZ_BANK#{bank}", "BANK")


def importing(bank: str, raw: bytes, file: str | None = None) -> dict[str, Any]:
    file = file or f"{bank}.csv"
    upload(file, raw)
    return administer("import_questions", bank=bank, file=file)


class TestImporting:
    def test_a_file_in_the_bucket_becomes_a_bank(self):
        bank = name()
        answer = importing(bank, table(rows(3)))
        assert answer["ok"], answer
        assert answer["detail"] == "已导入 3 题（UTF-8），第一题：“第 1 问”；文字不对就换编码另存再导入。"
        there = stored(bank)
        assert (there.questions, there.version) == (3, answer["report"]["version"])
        third = Question.fetch(f"QUIZ_QUESTION#{bank}#{there.version}#3", "QUESTION")
        assert (third.text, third.options, third.right) == ("第 3 问", ["对3", "错3", "也对3"], [0, 2])

    def test_a_name_in_chinese_and_the_whole_key_both_find_it(self):
        bank = name()
        upload(f"口罩 题库-{bank}.csv", table(rows(2)))
        for file in (f"口罩 题库-{bank}.csv", f"imports/口罩 题库-{bank}.csv"):
            assert administer("import_questions", bank=bank, file=file)["ok"]

    def test_excel_s_own_encoding_is_read_and_named(self):
        answer = importing(name(), table([row("勤洗手有用吗？")]).decode().encode("gbk"))
        assert answer["report"] | {"version": ""} == {
            "version": "",
            "questions": 1,
            "encoding": "GB18030",
            "first": "勤洗手有用吗？",
            "changed": True,
        }

    def test_again_changes_nothing(self):
        bank = name()
        importing(bank, table(rows(3)))
        before = stored(bank)
        again = importing(bank, b"\xef\xbb\xbf" + table(rows(3)))
        assert (again["ok"], again["report"]["changed"]) == (True, False)
        assert stored(bank).attribute_values == before.attribute_values

    def test_a_file_that_is_not_there(self):
        answer = administer("import_questions", bank=name(), file="没有.csv")
        assert (answer["ok"], answer["code"], list(answer["fields"])) == (False, "file_not_found", ["file"])
        assert "imports/" in answer["detail"]

    @pytest.mark.parametrize(
        ("more", "wrong"),
        [
            ({"bank": "口罩", "file": "a.csv"}, "bank"),
            ({"bank": "a#b", "file": "a.csv"}, "bank"),
            ({"bank": "", "file": "a.csv"}, "bank"),
            ({"bank": "a" * 41, "file": "a.csv"}, "bank"),
            ({"bank": "masks", "file": ""}, "file"),
            ({"bank": "masks", "file": "a" * 201}, "file"),
            ({"bank": "masks", "file": "a\0"}, "file"),
            ({"bank": "masks", "file": "\ud800.csv"}, "file"),
            ({"bank": "masks"}, "file"),
            ({"bank": "masks", "csv": "题目"}, "csv"),
        ],
    )
    def test_a_wrong_command(self, more, wrong):
        answer = administer("import_questions", **more)
        assert (answer["code"], wrong in answer["fields"]) == ("command_invalid", True)

    @pytest.mark.parametrize(
        ("raw", "code"),
        [
            (table([row(), row("", answer="Z")]), "bank_file_wrong"),
            (b"PK\x03\x04rest", "bank_file_not_csv"),
            (b"", "bank_file_empty"),
            (b"a,b,c\r\n1,2,3", "bank_file_columns"),
            (table(rows(1001)), "bank_too_many_questions"),
            (b"x" * 5_000_002, "bank_file_too_large"),
            (b"\xff\xff\xff\x80", "bank_file_encoding"),
        ],
    )
    def test_a_wrong_file_changes_nothing_at_all(self, raw, code):
        bank = name()
        importing(bank, table(rows(3)))
        before = stored(bank)
        upload(f"{bank}-2.csv", raw)
        with budget() as spent:
            answer = administer("import_questions", bank=bank, file=f"{bank}-2.csv")
        assert (answer["ok"], answer["code"]) == (False, code)
        assert not [call for call in spent.calls if "Write" in call or "Put" in call or "Update" in call]
        assert stored(bank).attribute_values == before.attribute_values

    def test_of_ten_megabytes_no_more_than_five_are_read(self):
        assert importing(name(), b"x" * 10_000_000)["code"] == "bank_file_too_large"

    def test_a_thousand_questions_are_written_a_hundred_at_a_time(self):
        bank = name()
        upload(f"{bank}.csv", table(rows(1000)))
        with budget() as spent:
            assert administer("import_questions", bank=bank, file=f"{bank}.csv")["ok"]
        assert spent.calls.count("dynamodb TransactWriteItems") == 11
        assert len(school.questions_of(bank, 1000)) == 1000

    @pytest.mark.parametrize("call", [1, 2, 3, 4, 5])
    def test_cut_off_anywhere_the_old_version_stays_in_force_until_it_is_sent_again(self, call, hood):
        bank = school.bank(6)
        quiz = school.quiz(hood.community, bank=bank)
        old, new = stored(bank).version, table([row(f"新{number}") for number in range(150)])
        with fault(call=call, kind="cut_before") as it, pytest.raises(Exception):  # noqa: B017
            banks.import_questions(bank, new, now=NOW)
        assert it.struck
        assert (stored(bank).version, school.stored(quiz).version) == (old, old)
        li_ju = hood.resident()
        assert school.start(li_ju, quiz).status == 201
        done = banks.import_questions(bank, new, now=NOW)
        assert (stored(bank).version, school.stored(quiz).version) == (done.version, done.version)
        assert school.stored(quiz).questions == 150

    def test_a_smaller_bank_is_refused_while_an_open_quiz_draws_more(self, hood):
        bank = school.bank(6)
        quiz = school.quiz(hood.community, bank=bank, questions=5)
        answer = importing(bank, table(rows(4)))
        assert answer["code"] == "quiz_bank_too_small"
        assert answer["detail"].startswith(f"题库只有 4 题，问卷 {quiz} 每次要抽 5 题")
        assert list(answer["fields"]) == ["file"]
        assert stored(bank).questions == 6
        assert administer("close_quiz", id=quiz)["ok"]
        assert importing(bank, table(rows(4)))["ok"]
        assert stored(bank).uses == {}


class TestQuizzes:
    def command(self, hood: Hood, **change: Any) -> dict[str, Any]:
        given = {
            "id": ids.new_id("quiz").replace("_", "-"),
            "title": "口罩知识",
            "questions": 3,
            "pass_mark": 2,
            "opens": (NOW - DAY).isoformat(),
            "closes": (NOW + DAY).isoformat(),
            "area": hood.community,
        }
        return {**given, **({} if "bank" in change else {"bank": school.bank()}), **change}

    def test_one_is_made_with_what_was_not_said_as_usual(self, hood):
        command = self.command(hood)
        answer = administer("put_quiz", **command)
        assert answer["ok"], answer
        assert "从 6 题里抽 3 题，答对 2 题及格" in answer["detail"]
        assert "桂苑社区" in answer["detail"]
        quiz = school.stored(command["id"])
        assert (quiz.attempts_a_day, quiz.minutes, quiz.gives_points, quiz.entitles) == (3, 20, True, False)

    def test_again_changes_nothing_and_otherwise_it_is_changed(self, hood):
        command = self.command(hood)
        administer("put_quiz", **command)
        before = school.stored(command["id"])
        assert administer("put_quiz", **command)["ok"]
        assert school.stored(command["id"]).attribute_values == before.attribute_values
        assert administer("put_quiz", **{**command, "title": "新名字", "area": hood.street})["ok"]
        quiz = school.stored(command["id"])
        assert (quiz.title, quiz.area, quiz.changes) == ("新名字", hood.street, 1)

    def test_another_bank_takes_it_over(self, hood):
        command = self.command(hood)
        administer("put_quiz", **command)
        other = school.bank(4)
        assert administer("put_quiz", **{**command, "bank": other})["ok"]
        assert stored(command["bank"]).uses == {}
        assert list(stored(other).uses) == [command["id"]]
        assert importing(command["bank"], table(rows(1)))["ok"]

    @pytest.mark.parametrize(
        ("change", "code", "field"),
        [
            ({"pass_mark": 4}, "quiz_pass_mark_unreachable", "pass_mark"),
            ({"questions": 7}, "quiz_bank_too_small", "questions"),
            ({"bank": "nothing"}, "quiz_bank_unknown", "bank"),
            ({"area": "999999"}, "area_unknown", "area"),
            ({"closes": (NOW - 2 * DAY).isoformat()}, "quiz_times_wrong", "closes"),
            ({"closes": (NOW - DAY).isoformat()}, "quiz_times_wrong", "closes"),
            ({"closes": (NOW - timedelta(hours=1)).isoformat()}, "quiz_times_wrong", "closes"),
            ({"closes": (NOW + 1200 * DAY).isoformat()}, "quiz_times_wrong", "closes"),
            ({"opens": (NOW - 1200 * DAY).isoformat()}, "quiz_times_wrong", "closes"),
            ({"closes": "9999-12-31T23:59:59-12:00"}, "quiz_times_wrong", "closes"),
            ({"opens": "0001-01-01T00:00:00+12:00"}, "quiz_times_wrong", "closes"),
            ({"closes": "2099-01-01T00:00:00"}, "command_invalid", "closes"),
            ({"pass_mark": 0}, "command_invalid", "pass_mark"),
            ({"questions": 0}, "command_invalid", "questions"),
            ({"questions": 51}, "command_invalid", "questions"),
            ({"questions": "3"}, "command_invalid", "questions"),
            ({"questions": 2.5}, "command_invalid", "questions"),
            ({"attempts_a_day": 0}, "command_invalid", "attempts_a_day"),
            ({"attempts_a_day": 21}, "command_invalid", "attempts_a_day"),
            ({"minutes": 0}, "command_invalid", "minutes"),
            ({"minutes": 181}, "command_invalid", "minutes"),
            ({"title": " "}, "command_invalid", "title"),
            ({"title": "口罩\n知识"}, "command_invalid", "title"),
            ({"title": "口罩\ud800"}, "command_invalid", "title"),
            ({"id": "Quiz 1"}, "command_invalid", "id"),
            ({"points": "yes"}, "command_invalid", "points"),
            ({"reward": 5}, "command_invalid", "reward"),
        ],
    )
    def test_a_wrong_one_writes_nothing(self, hood, change, code, field):
        command = self.command(hood, **change)
        answer = administer("put_quiz", **command)
        assert (answer["ok"], answer["code"]) == (False, code)
        assert field in answer["fields"], answer
        assert Item.collection(f"QUIZ#{command['id']}") == []

    def test_a_wrong_change_leaves_it_as_it_was(self, hood):
        command = self.command(hood)
        administer("put_quiz", **command)
        before = school.stored(command["id"])
        assert not administer("put_quiz", **{**command, "title": "新", "pass_mark": 4})["ok"]
        assert school.stored(command["id"]).attribute_values == before.attribute_values

    def test_a_bank_serves_fifty_quizzes_at_once_and_forgets_those_that_have_closed(self, hood):
        command = self.command(hood)
        bank = stored(command["bank"])
        bank.update([Bank.uses.set({f"q{number}": clock.stamp(NOW + DAY) for number in range(50)})])
        assert administer("put_quiz", **command)["code"] == "quiz_bank_used_too_often"
        bank.update([Bank.uses.set({f"q{number}": clock.stamp(NOW - DAY) for number in range(50)})])
        assert administer("put_quiz", **command)["ok"]
        assert list(stored(command["bank"]).uses) == [command["id"]]

    def test_fifty_quizzes_change_over_to_a_new_version_in_one_write(self, hood):
        bank = school.bank()
        quizzes = [school.quiz(hood.community, bank=bank) for _ in range(rules.QUIZZES_OF_A_BANK)]
        version = banks.import_questions(bank, table(rows(9)), now=clock.now()).version
        assert {school.stored(quiz).version for quiz in quizzes} == {version}

    def test_one_is_closed_once_and_may_be_opened_again(self, hood):
        command = self.command(hood)
        administer("put_quiz", **command)
        first = administer("close_quiz", id=command["id"])
        assert first["detail"].startswith("问卷“口罩知识”已于")
        closed = school.stored(command["id"])
        assert administer("close_quiz", id=command["id"])["detail"] == first["detail"]
        assert school.stored(command["id"]).attribute_values == closed.attribute_values
        assert hood.resident().get(f"/quizzes?area={hood.community}").json["items"] == []
        assert administer("put_quiz", **command)["ok"]
        assert len(hood.resident().get(f"/quizzes?area={hood.community}").json["items"]) == 1

    def test_one_that_is_not_there_cannot_be_closed(self):
        assert administer("close_quiz", id="nothing")["code"] == "quiz_unknown"

    def test_the_log_names_bank_and_quiz_and_no_question(self, hood, logs):
        command = self.command(hood)
        importing(command["bank"], table(rows(4)))
        administer("put_quiz", **command)
        lines = [line for line in logs.lines if line["message"] == "administer"]
        assert [(line["command"], line.get("bank"), line.get("quiz")) for line in lines] == [
            ("import_questions", command["bank"], None),
            ("put_quiz", None, command["id"]),
        ]
        assert "第 1 问" not in logs.text


def test_the_demo_district_s_own_quiz_can_be_imported() -> None:
    bank = name()
    answer = importing(bank, district.MASK_QUIZ.read_bytes())
    assert answer["ok"], answer
    assert answer["report"]["questions"] == 6
    assert any(len(question.right) > 1 for question in school.questions_of(bank, 6))
