"""What goes on from one run to the next, and what does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from local import kept


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "kept"


def a_run(folder: Path, text: str, *, ends: bool = True, used: bool = True) -> str:
    """A run that writes a file, and what was said at its start."""
    work, lost = kept.begin(folder)
    if used:
        kept.in_use(work)
    (work / "aws").mkdir(exist_ok=True)
    (work / "aws" / "table.json").write_text(text)
    if ends:
        kept.end(work)
    return lost


def found(folder: Path) -> str | None:
    work, _ = kept.begin(folder)
    file = work / "aws" / "table.json"
    return file.read_text() if file.exists() else None


def test_a_run_begins_with_what_the_one_before_left(folder: Path) -> None:
    for text in ("one", "two", "three"):
        assert a_run(folder, text) == ""
    assert found(folder) == "three"


def test_a_first_run_that_ended_hard_leaves_nothing_and_the_next_says_so(folder: Path) -> None:
    a_run(folder, "half", ends=False)
    assert "从头开始" in a_run(folder, "one")
    assert a_run(folder, "two") == ""


def test_a_run_that_ended_hard_leaves_what_it_began_with(folder: Path) -> None:
    a_run(folder, "one")
    a_run(folder, "half of what was saved", ends=False)
    assert found(folder) == "one"


def test_it_is_said_from_when_the_data_is(folder: Path) -> None:
    a_run(folder, "one")
    a_run(folder, "half", ends=False)
    assert "正常停止时的样子" in a_run(folder, "two")
    assert a_run(folder, "three") == "", "once is enough"


def test_two_hard_ends_in_a_row_change_nothing(folder: Path) -> None:
    a_run(folder, "one")
    a_run(folder, "half", ends=False)
    assert "正常停止时的样子" in a_run(folder, "half again", ends=False)
    assert found(folder) == "one"


def test_a_run_that_never_got_so_far_has_lost_nothing(folder: Path) -> None:
    a_run(folder, "one")
    a_run(folder, "", ends=False, used=False)
    assert a_run(folder, "two") == ""


def test_only_what_is_kept_and_what_is_worked_in_take_room(folder: Path) -> None:
    for text in ("one", "two", "three"):
        a_run(folder, text)
    kept.begin(folder)
    assert len([each for each in folder.iterdir() if each.is_dir()]) == 2
