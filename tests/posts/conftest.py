from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.points import audit
from local.wechat.control import StandIn
from tests.engine.http import Http
from tests.posts.square import TEMPLATES, Square


@pytest.fixture
def square(http: Http, wechat: StandIn, configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Square:
    """A neighbourhood of its own, at an hour when messages may be sent."""
    configure("notices", templates=TEMPLATES, quiet_from="00:00", quiet_until="00:00")
    monkeypatch.setattr(audit, "_started", True)
    return Square(http, wechat)
