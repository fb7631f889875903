"""A bank of questions as people write it: a table with nine columns, saved as CSV. Either all of it is right or none is taken.

    题目,选项A,选项B,选项C,选项D,选项E,选项F,答案,解释
    口罩一般戴多久要换？,4 小时左右,一个星期,一个月,,,,A,戴久了会潮湿，挡不住飞沫，应及时更换。

Nothing of a cell is repeated in what is said about it: a list of mistakes may be opened in a spreadsheet too.
"""

from __future__ import annotations

import csv
import io
import unicodedata

import msgspec

from chalicelib.kit.errors import Invalid
from chalicelib.quiz.rules import LETTERS

COLUMNS = ("题目", *(f"选项{letter}" for letter in LETTERS), "答案", "解释")
BYTES_AT_MOST = 5_000_000
QUESTIONS_AT_MOST = 1000
MISTAKES_SHOWN = 100
_LONGEST = {"题目": 200, "答案": 20, "解释": 500}
_LONGEST_OPTION = 100
# What a spreadsheet takes for a formula, the full-width forms too, which Chinese and Japanese editions read alike.
_FORMULA = ("=", "+", "-", "@")
_MARK = "\ufeff"  # before the first character of a file
_JOINER = "\u200d"  # holds some emoji together


class QuestionRow(msgspec.Struct, frozen=True):
    """One question. `right` are positions among its options."""

    text: str
    options: list[str]
    right: list[int]
    explanation: str


class BankFile(msgspec.Struct, frozen=True):
    questions: list[QuestionRow]
    encoding: str  # UTF-8 | GB18030


BankFileTooLarge = Invalid.named(
    "bank_file_too_large", f"文件太大：最多 5 MB、{QUESTIONS_AT_MOST} 题，请分成几个题库。"
)
BankFileEmpty = Invalid.named("bank_file_empty", "文件里没有题目，请检查是不是传错了文件。")
BankFileNotCsv = Invalid.named(
    "bank_file_not_csv", "这不是 CSV 文件；请在 Excel 里“另存为”，类型选“CSV UTF-8（逗号分隔）”，再上传。"
)
BankFileEncoding = Invalid.named(
    "bank_file_encoding", "文字读不出来；请在 Excel 里“另存为”，类型选“CSV UTF-8（逗号分隔）”，再上传。"
)
BankFileColumns = Invalid.named("bank_file_columns", f"第一行应为：{','.join(COLUMNS)}")
TooManyQuestions = Invalid.named(
    "bank_too_many_questions", f"题目太多：一个题库最多 {QUESTIONS_AT_MOST} 题，请分成几个题库。"
)


class BankFileWrong(Invalid):
    """`fields` names each wrong line, as it is numbered in a text editor."""

    code, detail = "bank_file_wrong", "题库文件里有几行要改，一题都没有导入；改好后重新上传，再发一次命令。"

    def __init__(self, mistakes: dict[int, list[str]]) -> None:
        shown = sorted(mistakes)[:MISTAKES_SHOWN]
        rest = f"（只列出前 {MISTAKES_SHOWN} 行）" if len(mistakes) > len(shown) else ""
        super().__init__(
            detail=f"有 {len(mistakes)} 行要改，一题都没有导入{rest}；改好后重新上传，再发一次命令。",
            fields={f"第 {line} 行": "；".join(mistakes[line]) for line in shown},
        )


def read(raw: bytes) -> BankFile:
    """All questions of a file, or one error that lists everything that is wrong with it."""
    text, encoding = _decode(raw)
    mistakes: dict[int, list[str]] = {}
    questions: list[QuestionRow] = []
    first_line: dict[str, int] = {}
    for line, cells in _rows(text, mistakes):
        question, wrong = _question(cells)
        essence = _essence(cells[0])
        same = first_line.setdefault(essence, line)
        if essence and same != line:
            wrong.append(f"与第 {same} 行的题目重复")
        if wrong:
            mistakes[line] = wrong
        elif question is not None:
            questions.append(question)
    if mistakes:
        raise BankFileWrong(mistakes)
    if not questions:
        raise BankFileEmpty()
    return BankFile(questions, encoding)


def _decode(raw: bytes) -> tuple[str, str]:
    """Excel saves CSV in UTF-8 with a mark, or in the code page of Chinese Windows, of which GB18030 is the whole."""
    if len(raw) > BYTES_AT_MOST:
        raise BankFileTooLarge()
    if not raw.strip():
        raise BankFileEmpty()
    if raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF", b"\xff\xfe", b"\xfe\xff")) or b"\0" in raw:
        raise BankFileNotCsv()
    for codec, name in (("utf-8-sig", "UTF-8"), ("gb18030", "GB18030")):
        try:
            return raw.decode(codec).removeprefix(_MARK), name
        except UnicodeDecodeError:
            if raw.removeprefix(_MARK.encode()).startswith(COLUMNS[0].encode()):
                break  # it is UTF-8, and damaged: as GB18030 it would be nonsense
    raise BankFileEncoding()


def _rows(text: str, mistakes: dict[int, list[str]]) -> list[tuple[int, list[str]]]:
    """The rows below the heading with the line each begins in; empty ones are left out, ragged ones are mistakes."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, list[str]]] = []
    heading = False
    while True:
        begins = reader.line_num + 1
        try:
            cells = _without_empty_ends([_line_breaks(cell) for cell in next(reader)])
        except StopIteration:
            return rows
        except csv.Error:
            mistakes[begins] = ["引号没有成对，或者一格太长；从这一行起读不下去"]
            return rows
        if not any(cell.strip() for cell in cells):
            continue
        if not heading:
            if tuple(cell.strip() for cell in cells) != COLUMNS:
                raise BankFileColumns()
            heading = True
        elif len(cells) != len(COLUMNS):
            mistakes[begins] = [
                f"应有 {len(COLUMNS)} 列，实际 {len(cells)} 列；文字里有英文逗号时，整格要用英文引号括起来"
            ]
        else:
            rows.append((begins, cells))
        if len(rows) + len(mistakes) > QUESTIONS_AT_MOST:
            raise TooManyQuestions()


def _without_empty_ends(cells: list[str]) -> list[str]:
    """Columns to the right of the table that once had something in them; a spreadsheet saves them too."""
    while len(cells) > len(COLUMNS) and not cells[-1].strip():
        cells = cells[:-1]
    return cells


def _line_breaks(cell: str) -> str:
    return cell.replace("\r\n", "\n").replace("\r", "\n")


def _question(cells: list[str]) -> tuple[QuestionRow | None, list[str]]:
    wrong = [
        f"{name}{reason}" for name, cell in zip(COLUMNS, cells, strict=True) for reason in _what_is_wrong(name, cell)
    ]
    text, *options, answer, explanation = (cell.strip() for cell in cells)
    if not text:
        wrong.append("没有题目")
    if not explanation:
        wrong.append("没有解释")
    filled = [option for option in options if option]
    if len(filled) < 2:
        wrong.append("至少要有两个选项")
    elif filled != options[: len(filled)]:
        wrong.append("选项之间不能留空，请从选项A起依次填写")
    if len({_essence(option) for option in filled}) < len(filled):
        wrong.append("有两个选项相同")
    right, reason = _right(answer, len(filled))
    if reason:
        wrong.append(reason)
    return (None, wrong) if wrong else (QuestionRow(text, filled, right, explanation), [])


def _what_is_wrong(name: str, cell: str) -> list[str]:
    wrong = []
    longest = _LONGEST.get(name, _LONGEST_OPTION)
    if len(cell.strip()) > longest:
        wrong.append(f"太长，最多 {longest} 个字")
    if unicodedata.normalize("NFKC", cell.strip())[:1] in _FORMULA:
        wrong.append("以 = + - @ 开头，会被电子表格当成公式；请在前面加字，例如把 -5℃ 写成“零下5℃”")
    if any(_unprintable(character) for character in cell):
        wrong.append("里有制表符、看不见的字符或乱码，请删掉重打")
    return wrong


def _unprintable(character: str) -> bool:
    if character in ("\n", _JOINER):
        return False
    return character == "\ufffd" or unicodedata.category(character) in ("Cc", "Cf", "Cs", "Cn")


def _right(answer: str, options: int) -> tuple[list[int], str]:
    """Letters like `A`, `AC`, `a、c` or `Ａ Ｃ` as positions, and what is wrong with them."""
    letters = [each for each in unicodedata.normalize("NFKC", answer).upper() if each not in " 、,，;；/\n"]
    if not letters:
        return [], "没有答案"
    if any(letter not in LETTERS for letter in letters):
        return [], f"答案只能用字母 {LETTERS[0]} 到 {LETTERS[-1]}"
    if any(LETTERS.index(letter) >= options for letter in letters):
        return [], "答案里的选项没有填写"
    if len(set(letters)) < len(letters):
        return [], "答案里同一个选项写了两次"
    return sorted(LETTERS.index(letter) for letter in letters), ""


def _essence(text: str) -> str:
    """What makes a text the same as another: not its blanks, its width of letters or their case."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
