"""Whatever writes is tried by some act, or stands here with the reason why not."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.faults.reached import everything

TESTS = Path(__file__).parents[1]
THE_TEST = "test_the_repeat_of_a_failed_act_ends_as_if_nothing_had_failed"

NOT_TRIED = {
    "sweep": "it only runs timers: tests/kit/test_timers.py has those that fail, and a sweep that cannot postpone them",
    "push_notices": "WeChat stands between its two writes, and what is lost there is the timer's: tests/notices/test_push.py "
    "has the worker that dies in the middle and the answers that are lost, of WeChat and of DynamoDB",
    "timer push_notice": "its repeat is the same timer ten minutes later: tests/notices/test_push.py, as above",
    "timer await_photo_result": "WeChat answers once in half an hour about a photo: tests/content/test_photo_results.py "
    "has the one that is asked again, and the one that is given up",
    "timer people.join_followers": "it goes through all followers of the service account and notes how far it has come: "
    "tests/people/test_followers.py has the round that takes several minutes and the one that is made up for",
    "timer points.audit": "it goes through the books of everybody and changes none of them; a piece that is cut off is "
    "looked at again: tests/points/test_audit.py",
    "command audit": "the same by hand: tests/points/test_audit.py has the one that is sent again",
    "command stock": "it only reads",
}


def modules() -> list[ModuleType]:
    files = [*TESTS.glob("faults/test_*.py"), *TESTS.glob("*/test_every_call_fails.py")]
    names = [".".join(file.relative_to(TESTS.parent).with_suffix("").parts) for file in sorted(files)]
    return [found for found in map(importlib.import_module, names) if hasattr(found, "ACTS")]


def tried() -> set[str]:
    """What acts say that they try; when they are done, they are held to it."""
    acts: list[Any] = [act for module in modules() for act in module.ACTS]
    return {act.tries for act in acts} - {""}


def test_whatever_writes_is_tried_with_every_call_failing() -> None:
    assert everything() - tried() - NOT_TRIED.keys() == set(), "add an act with `tries` (tests/faults/acts.py)"


def test_no_reason_is_left_of_what_is_tried_or_gone() -> None:
    assert NOT_TRIED.keys() & tried() == set()
    assert NOT_TRIED.keys() - everything() == set()


def test_where_it_is_shown_instead_is_there() -> None:
    named = {file for reason in NOT_TRIED.values() for file in re.findall(r"tests/\S+\.py", reason)}
    assert named
    assert all((TESTS.parent / file).exists() for file in named)


def test_no_act_tries_what_is_not_there() -> None:
    assert tried() - everything() == set()


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.__name__)
def test_acts_that_are_listed_are_also_done(module: ModuleType) -> None:
    assert callable(getattr(module, THE_TEST))


@pytest.mark.parametrize("file", sorted(TESTS.glob("faults/*_acts.py")), ids=lambda file: file.stem)
def test_every_list_of_acts_has_its_test(file: Path) -> None:
    listed = importlib.import_module(f"tests.faults.{file.stem}").ACTS
    assert any(module.ACTS is listed for module in modules())
