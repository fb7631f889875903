"""The neighbourhood that is looked at and attacked."""

from __future__ import annotations

import pytest

from tests.neighbourhood import Hood
from tests.security.world import World, build


@pytest.fixture(scope="module")
def _kept() -> dict[str, World]:
    return {}


@pytest.fixture
def world(hood: Hood, _kept: dict[str, World]) -> World:
    """One for the whole module: to look, and to be refused, changes nothing."""
    if not _kept:
        _kept["world"] = build(hood)
    return _kept["world"]


@pytest.fixture
def fresh_world(hood: Hood) -> World:
    """For a test that changes much of it."""
    return build(hood)
