"""What `make run` keeps from one run to the next: one folder with all of it, taken over whole or not at all.

The local AWS writes down what it holds when it is asked to stop, and only then, file by file. So each run works in a copy
of what the run before left, and only when everything is written does that copy take its place, in one step. After a hard
end (a kill, a power cut) the next run begins with what the last good one left, complete and of one moment: table, keys,
settings, photos and phones, or nothing at all.
"""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

_POINTER, _USED = "kept", "used"


def begin(folder: Path) -> tuple[Path, str]:
    """The folder to work in, and what is to be said about a run that did not end well."""
    pointer = folder / _POINTER
    kept = int(pointer.read_text()) if pointer.exists() else 0
    runs = {int(run.name): run for run in folder.glob("[0-9]*")}
    lost = _lost(pointer) if any((run / _USED).exists() for number, run in runs.items() if number > kept) else ""
    for number in runs.keys() - {kept}:
        shutil.rmtree(runs[number])
    work = folder / str(kept + 1)
    if kept:
        shutil.copytree(folder / str(kept), work, ignore=shutil.ignore_patterns(_USED))
    work.mkdir(parents=True, exist_ok=True)
    return work, lost


def in_use(work: Path) -> None:
    """From now on something is lost when this run ends badly."""
    (work / _USED).touch()


def end(work: Path) -> None:
    """All is written: the next run begins with this."""
    fresh = work.parent / f"{_POINTER}.new"
    fresh.write_text(work.name)
    for file in (*work.rglob("*"), fresh):
        if file.is_file():
            with file.open("rb") as written:
                os.fsync(written.fileno())  # or a power cut could leave the step without what it steps to
    fresh.replace(work.parent / _POINTER)


def _lost(pointer: Path) -> str:
    hard = "上次没有正常停止（断电或被强行结束）"
    if not pointer.exists():
        return f"{hard}，那次的数据没有保存，现在从头开始。 The last run ended hard and kept nothing: starting anew."
    at = f"{datetime.fromtimestamp(pointer.stat().st_mtime, UTC).astimezone():%Y-%m-%d %H:%M}"
    return (
        f"{hard}。数据回到 {at} 正常停止时的样子，之后的都没有保存。 "
        f"The last run ended hard: the data is that of {at}, what came later is lost."
    )
