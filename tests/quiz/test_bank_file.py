"""What administrators upload: good tables in two encodings, and everything that is none, told line by line."""

from __future__ import annotations

import io
import zipfile

import pytest

from chalicelib.kit.errors import Invalid
from chalicelib.quiz import bank_file
from chalicelib.quiz.bank_file import COLUMNS, QuestionRow
from tests.quiz.school import row, rows, table


def wrong(*questions: list[str]) -> dict[str, str]:
    with pytest.raises(bank_file.BankFileWrong) as caught:
        bank_file.read(table([*questions]))
    return caught.value.fields


def refused(raw: bytes) -> str:
    with pytest.raises(Invalid) as caught:
        bank_file.read(raw)
    assert not caught.value.detail.isascii()
    return caught.value.code


def one(question: list[str]) -> QuestionRow:
    (read,) = bank_file.read(table([question])).questions
    return read


class TestGoodFiles:
    def test_a_question_is_read_as_it_was_written(self):
        question = one(row("口罩, 戴多久？", " 4 小时 ", "一个月", "一年", answer="A", explanation="会“潮湿”。"))
        assert question == QuestionRow("口罩, 戴多久？", ["4 小时", "一个月", "一年"], [0], "会“潮湿”。")

    @pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig"])
    def test_utf_8_with_or_without_its_mark(self, codec):
        file = bank_file.read(table(rows(3)).decode().encode(codec))
        assert (file.encoding, file.questions[0].text, len(file.questions)) == ("UTF-8", "第 1 问", 3)

    @pytest.mark.parametrize("codec", ["gbk", "gb18030"])
    def test_the_code_page_of_chinese_windows(self, codec):
        file = bank_file.read(table([row("勤洗手有用吗？")]).decode().encode(codec))
        assert (file.encoding, file.questions[0].text) == ("GB18030", "勤洗手有用吗？")

    def test_a_mark_in_the_code_page_of_chinese_windows(self):
        assert len(bank_file.read(b"\x84\x31\x95\x33" + table(rows(2)).decode().encode("gb18030")).questions) == 2

    def test_empty_columns_to_the_right_of_the_table(self):
        assert len(bank_file.read(table(rows(3)).replace(b"\r\n", b",, ,\r\n")).questions) == 3

    def test_rare_characters_that_only_gb18030_has(self):
        assert (
            bank_file.read(table([row("𠮷字怎么读？😷")]).decode().encode("gb18030")).questions[0].text
            == "𠮷字怎么读？😷"
        )

    @pytest.mark.parametrize("answer", ["AC", "ac", "C A", "A、C", "A，C", "A/C", "ＡＣ", "a;c"])
    def test_several_right_answers_however_they_are_joined(self, answer):
        assert one(row("问？", "甲", "乙", "丙", answer=answer)).right == [0, 2]

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_whatever_ends_a_line(self, end):
        raw = table(rows(2)).decode().replace("\r\n", end).encode()
        assert len(bank_file.read(raw).questions) == 2

    def test_empty_lines_are_left_out(self):
        raw = b"\r\n" + table(rows(2)).replace(b"\r\n", b"\r\n\r\n,,,,,,,,\r\n \r\n")
        assert len(bank_file.read(raw).questions) == 2

    def test_a_line_break_within_a_cell_stays(self):
        assert one(row(explanation="一\r\n二\r三")).explanation == "一\n二\n三"

    def test_a_thousand_questions(self):
        assert len(bank_file.read(table(rows(bank_file.QUESTIONS_AT_MOST))).questions) == 1000

    def test_emoji_of_several_people(self):
        assert one(row("👨‍👩‍👧 一家人都要戴口罩吗？")).text.startswith("👨‍👩‍👧")


class TestWhatIsNoTable:
    def test_nothing(self):
        assert refused(b"") == refused(b" \r\n") == refused(b"\xef\xbb\xbf") == "bank_file_empty"
        assert refused(table([])) == "bank_file_empty"

    def test_a_workbook(self):
        book = io.BytesIO()
        with zipfile.ZipFile(book, "w") as file:
            file.writestr("xl/workbook.xml", "<workbook/>")
        assert refused(book.getvalue()) == "bank_file_not_csv"

    @pytest.mark.parametrize(
        "raw",
        [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"%PDF-1.7", b"a,b\0,c", table([row()]).decode().encode("utf-16")],
    )
    def test_an_old_workbook_a_pdf_zeros_and_utf_16(self, raw):
        assert refused(raw) == "bank_file_not_csv"

    def test_bytes_that_are_no_text(self):
        assert refused("题目,".encode() + b"\xff\xff\xff\x80") == "bank_file_encoding"

    def test_utf_8_that_was_cut_is_not_taken_for_another_encoding(self):
        for mark in (b"", b"\xef\xbb\xbf"):
            assert refused(mark + table([row()]) + "坏".encode()[:2]) == "bank_file_encoding"

    def test_another_heading_or_none(self):
        assert refused(table([row()], heading=False)) == "bank_file_columns"
        assert refused(table([row()]).replace(b",", b";")) == "bank_file_columns"
        assert refused("<html><body>没有权限</body></html>".encode()) == "bank_file_columns"

    def test_a_hundred_thousand_rows_are_refused_by_their_number(self):
        many = table([row("问", "甲", "乙", explanation="解")] * 100_000)
        assert len(many) < bank_file.BYTES_AT_MOST
        assert refused(many) == "bank_too_many_questions"
        assert refused(table(rows(1001))) == "bank_too_many_questions"
        assert "1000" in bank_file.TooManyQuestions.detail

    def test_more_than_five_megabytes_are_not_even_looked_at(self):
        assert refused(b"x" * (bank_file.BYTES_AT_MOST + 1)) == "bank_file_too_large"


class TestWrongRows:
    def test_all_are_told_at_once_with_their_lines(self):
        fields = wrong(row("好题？"), row(""), row("另一题？", answer="F"), row("三？", explanation=" "))
        assert fields == {"第 3 行": "没有题目", "第 4 行": "答案里的选项没有填写", "第 5 行": "没有解释"}

    def test_a_line_is_where_its_row_begins_in_a_text_editor(self):
        fields = wrong(row("一？", explanation="两\n行"), row(""))
        assert list(fields) == ["第 4 行"]

    @pytest.mark.parametrize("cells", [8, 10, 1])
    def test_more_or_fewer_columns(self, cells):
        (reason,) = wrong((row() + ["多"])[:cells]).values()
        assert reason.startswith(f"应有 9 列，实际 {cells} 列")

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            ("", "没有答案"),
            ("、", "没有答案"),
            ("G", "答案只能用字母 A 到 F"),
            ("1", "答案只能用字母 A 到 F"),
            ("有用", "答案只能用字母 A 到 F"),
            ("C", "答案里的选项没有填写"),
            ("AA", "答案里同一个选项写了两次"),
        ],
    )
    def test_answers(self, answer, reason):
        assert wrong(row(answer=answer)) == {"第 2 行": reason}

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            (("只有一个", ""), "至少要有两个选项"),
            (("甲", "", "丙"), "选项之间不能留空，请从选项A起依次填写"),
            (("甲", "乙", " 甲 "), "有两个选项相同"),
            (("N95", "Ｎ９５"), "有两个选项相同"),
        ],
    )
    def test_options(self, options, reason):
        assert reason in wrong(row("问？", *options))["第 2 行"]

    @pytest.mark.parametrize("same", ["勤洗手有用吗？", " 勤洗手 有用吗？ ", "勤洗手有用吗?"])
    def test_the_same_question_twice_names_the_other(self, same):
        assert wrong(row(), row("别的？"), row(same)) == {"第 4 行": "与第 2 行的题目重复"}

    def test_two_rows_without_a_question_are_not_each_other_s_repeat(self):
        assert set(wrong(row(""), row(" ")).values()) == {"没有题目"}

    @pytest.mark.parametrize(
        "cell", ["=1+1", "+86", "-5℃", "@某人", '=HYPERLINK("http://x","y")', " =1", "＝1+1", "－5℃", "＠x", "＋1"]
    )
    @pytest.mark.parametrize("place", [0, 1, 8])
    def test_what_a_spreadsheet_would_take_for_a_formula(self, cell, place):
        question = row()
        question[place] = cell
        assert "会被电子表格当成公式" in wrong(question)["第 2 行"]

    def test_a_minus_further_on_is_a_minus(self):
        assert one(row("零下5℃ - 10℃ 时要戴口罩吗？")).text == "零下5℃ - 10℃ 时要戴口罩吗？"

    @pytest.mark.parametrize("character", ["\t", "\x07", "\x1b", "\u202e", "\u200b", "\ufeff", "\ufffd", "\x85"])
    def test_what_cannot_be_seen(self, character):
        assert "看不见的字符" in wrong(row(f"勤洗手{character}有用吗？"))["第 2 行"]
        assert "看不见的字符" in wrong(row(explanation=f"{character}有用"))["第 2 行"]

    @pytest.mark.parametrize(("place", "longest"), [(0, 200), (1, 100), (8, 500)])
    def test_too_long_texts(self, place, longest):
        question = row()
        question[place] = "字" * longest
        one(question)
        question[place] += "字"
        assert f"最多 {longest} 个字" in wrong(question)["第 2 行"]

    def test_a_quote_that_is_not_closed(self):
        fields = wrong_raw(table(rows(2)) + '"没有结束,a,b\r\n'.encode() + table(rows(2), heading=False))
        assert fields == {"第 4 行": "引号没有成对，或者一格太长；从这一行起读不下去"}

    def test_a_cell_of_megabytes(self):
        assert "一格太长" in wrong_raw(table([row("长" * 200_000)]))["第 2 行"]

    def test_nothing_of_a_cell_is_repeated_in_a_mistake(self):
        secret = "=cmd|calc!A1"
        fields = wrong([secret] * 9, row(secret, secret, secret, answer=secret, explanation=secret), [secret])
        assert secret not in str(fields)
        assert not any(reason.startswith(("=", "+", "-", "@")) for reason in (*fields, *fields.values()))

    def test_a_hundred_mistakes_are_listed_and_all_are_counted(self):
        with pytest.raises(bank_file.BankFileWrong) as caught:
            bank_file.read(table([row(f"问{number}", answer="") for number in range(300)]))
        assert len(caught.value.fields) == 100
        assert caught.value.detail.startswith("有 300 行要改，一题都没有导入（只列出前 100 行）")


def wrong_raw(raw: bytes) -> dict[str, str]:
    with pytest.raises(bank_file.BankFileWrong) as caught:
        bank_file.read(raw)
    return caught.value.fields


def test_the_columns_are_as_the_document_for_administrators_says() -> None:
    from pathlib import Path

    text = (Path(__file__).parents[2] / "docs" / "operate.md").read_text(encoding="utf-8")
    assert ",".join(COLUMNS) in text
