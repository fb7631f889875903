from __future__ import annotations

import pytest

from local.wechat.control import StandIn
from tests.engine.http import Http
from tests.help.street import Street


@pytest.fixture
def street(http: Http, wechat: StandIn) -> Street:
    """Neighbours made without a login each, where there are many."""
    return Street(http, wechat)


@pytest.fixture
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is kept in memory: products, lists and what is sold out are looked at every time."""
    monkeypatch.setenv("SETTINGS_TTL_SECONDS", "0")
