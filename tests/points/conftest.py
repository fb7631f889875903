from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.kit import settings
from chalicelib.points import audit


@pytest.fixture(autouse=True)
def _settings_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTINGS_TTL_SECONDS", "3600")
    settings.forget()


@pytest.fixture(autouse=True)
def _no_audit_by_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_started", True)


@pytest.fixture(autouse=True)
def _nothing_but_the_books_is_audited(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is spent here is for redemptions that nobody made: slices above would miss them (tests/mall/test_audit.py)."""
    monkeypatch.setattr(audit, "_checkers", [])
    monkeypatch.setattr(audit, "_round_checkers", [])


@pytest.fixture
def rule(configure: Callable[..., None]) -> Callable[..., None]:
    """`rule("help", points=10, a_day=30)`: the only rule that an administrator has changed."""

    def change(name: str, **values: Any) -> None:
        configure("points", rules={name: {"name": "帮助邻居", **values}})

    return change
