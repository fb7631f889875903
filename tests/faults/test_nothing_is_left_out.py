"""Whatever writes is tried by some act, or stands here with the reason why not."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.faults.reached import everything

TESTS = Path(__file__).parents[1]
THE_TEST = "test_the_repeat_of_a_failed_act_ends_as_if_nothing_had_failed"

NOT_TRIED = {}


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


def test_no_act_tries_what_is_not_there() -> None:
    assert tried() - everything() == set()


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.__name__)
def test_acts_that_are_listed_are_also_done(module: ModuleType) -> None:
    assert callable(getattr(module, THE_TEST))


@pytest.mark.parametrize("file", sorted(TESTS.glob("faults/*_acts.py")), ids=lambda file: file.stem)
def test_every_list_of_acts_has_its_test(file: Path) -> None:
    listed = importlib.import_module(f"tests.faults.{file.stem}").ACTS
    assert any(module.ACTS is listed for module in modules())
