"""Refusals are a table: a code, a Chinese sentence, the facts that it names. Whoever raises one gives all of them."""

from __future__ import annotations

import ast
import string
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import app  # noqa: F401 - it loads all slices
from chalicelib.console import commands  # noqa: F401 - these, too
from chalicelib.kit.errors import Problem, TooMany

ROOT = Path(__file__).parents[2]
SOURCES = {path: ast.parse(path.read_text("utf-8")) for path in (ROOT / "chalicelib").rglob("*.py")}
GIVEN_BESIDE = {"detail", "code", "fields", "retry_after"}


def facts_of(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def tables() -> dict[str, type[Problem]]:
    """Each refusal that is a line of a table, by its name."""
    return {
        name: kind
        for module in [module for name, module in sys.modules.items() if name.startswith("chalicelib.")]
        for name, kind in vars(module).items()
        if isinstance(kind, type)
        and issubclass(kind, Problem)
        and kind.__init__ in (Problem.__init__, TooMany.__init__)
    }


TABLE = tables()


def raised(name: str) -> Iterator[ast.Call]:
    for tree in SOURCES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                function = node.func
                if (isinstance(function, ast.Name) and function.id == name) or (
                    isinstance(function, ast.Attribute) and function.attr == name
                ):
                    yield node


def test_most_refusals_are_lines_of_a_table() -> None:
    assert len(TABLE) > 200


@pytest.mark.parametrize("name", TABLE)
def test_whoever_raises_one_names_its_facts(name: str) -> None:
    facts = facts_of(TABLE[name].detail)
    for call in raised(name):
        given = {keyword.arg for keyword in call.keywords}
        if None not in given and "detail" not in given:  # not **facts, and not a sentence of its own
            assert given - GIVEN_BESIDE == facts, f"{name}, line {call.lineno}"
