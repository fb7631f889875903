from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.points import audit


@pytest.fixture(autouse=True)
def _no_audit_by_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_started", True)


@pytest.fixture
def rule(configure: Callable[..., None]) -> Callable[..., None]:
    """`rule(points=10, a_day=30)`: the rule `quiz` as an administrator has changed it."""

    def change(**values: Any) -> None:
        configure("points", rules={"quiz": {"name": "答题及格", **values}})

    return change
