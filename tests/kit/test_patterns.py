"""Every pattern of every shape that comes in ends where the text ends: `$` would let a line break through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta
from msgspec.inspect import StrType, multi_type_info

import app  # noqa: F401 - it loads all shapes
from chalicelib.console import commands  # noqa: F401 - these, too


def _shapes(base: type) -> Iterator[type]:
    for shape in base.__subclasses__():
        yield shape
        yield from _shapes(shape)


def _patterns() -> set[str]:
    found: set[str] = set()

    def walk(known: Any, seen: set[int]) -> None:
        if id(known) in seen:
            return
        seen.add(id(known))
        if isinstance(known, StrType) and known.pattern:
            found.add(known.pattern)
        if isinstance(known, (list, tuple)):
            for each in known:
                walk(each, seen)
        elif isinstance(known, (msgspec.inspect.Type, msgspec.inspect.Field)):
            for name in known.__struct_fields__:
                walk(getattr(known, name), seen)

    ours = [shape for shape in _shapes(msgspec.Struct) if shape.__module__.startswith("chalicelib.")]
    walk(multi_type_info(ours), set())
    return found


PATTERNS = sorted(_patterns())
WHOLE = [pattern for pattern in PATTERNS if pattern.startswith("^")]


def test_there_are_such_shapes() -> None:
    assert len(WHOLE) > 5


@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_pattern_ends_before_a_last_line_break(pattern: str) -> None:
    assert "$" not in pattern


@given(
    st.sampled_from(WHOLE).flatmap(lambda pattern: st.tuples(st.just(pattern), st.from_regex(pattern, fullmatch=True)))
)
def test_a_valid_value_with_a_line_break_behind_it_is_none(case: tuple[str, str]) -> None:
    pattern, value = case
    shape = Annotated[str, Meta(pattern=pattern)]
    assert msgspec.convert(value, shape) == value
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(f"{value}\n", shape)
