from __future__ import annotations

import pytest

from local.wechat.control import StandIn
from tests.engine.http import Http
from tests.help.street import Street


@pytest.fixture
def street(http: Http, wechat: StandIn) -> Street:
    return Street(http, wechat)
