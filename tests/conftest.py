"""The real engine and the few things every test may ask for. See tests/engine."""

from __future__ import annotations

import os
import time

import time_machine

if ahead := os.environ.get("TESTS_AHEAD"):  # see tests/calendar; before anything looks at the clock
    time_machine.travel(time.time() + float(ahead), tick=True).start()

from tests.engine import local_aws, wire  # noqa: E402

# Before anything of chalicelib is imported: names of tables are read at import, endpoints when a client is made.
for _name in [name for name in os.environ if name.startswith(("AWS_", "POWERTOOLS_"))]:
    del os.environ[_name]
os.environ.update(local_aws.ENVIRONMENT)
wire.watch_all()

import json  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from io import StringIO  # noqa: E402
from typing import Any  # noqa: E402

import pytest  # noqa: E402
from xdist.scheduler import LoadFileScheduling  # noqa: E402

from chalicelib.kit import auth, log, settings  # noqa: E402
from chalicelib.kit.table import Item  # noqa: E402
from local import engines  # noqa: E402
from local.wechat import server  # noqa: E402
from local.wechat.control import StandIn  # noqa: E402
from tests.engine import divergences, dynoxide  # noqa: E402
from tests.engine.http import Http, token_of  # noqa: E402
from tests.neighbourhood import Hood  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def engine() -> Iterator[None]:
    with local_aws.running():
        yield


@pytest.fixture
def http() -> Http:
    """The whole app, called in process as API Gateway would."""
    import app

    return Http(app.app)


@pytest.fixture
def token() -> Callable[..., str]:
    """`token("resident_1")`: a session token of somebody who has consented."""
    return token_of


@pytest.fixture
def configure() -> Iterator[Callable[..., None]]:
    """`configure("privacy", version="2027-01-01")`: change a settings group for one test.

    Secrets not named keep their value. A text instead of values is written as it is. It bites at once, however long
    settings are kept."""
    touched: set[str] = set()

    def change(group: str, text: str | None = None, **values: Any) -> None:
        touched.add(group)
        known = local_aws.SECRETS.get(group, {})
        local_aws.put_setting(group, text if text is not None else {**known, **values})
        settings.forget()

    yield change
    for group in touched:
        if group in local_aws.SECRETS:
            local_aws.put_setting(group, local_aws.SECRETS[group])
        else:
            local_aws.remove_setting(group)
    settings.forget()


class Logs:
    """What was logged during a test: `lines` as the JSON documents, `text` as it was written, metrics included."""

    def __init__(self, logged: StringIO, printed: pytest.CaptureFixture[str]) -> None:
        self._logged, self._printed, self._metrics = logged, printed, ""

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._logged.getvalue().splitlines()]

    @property
    def metrics(self) -> list[dict[str, Any]]:
        self._metrics += self._printed.readouterr().out
        return [json.loads(line) for line in self._metrics.splitlines() if line.startswith('{"_aws"')]

    @property
    def text(self) -> str:
        self._metrics += self._printed.readouterr().out
        return self._logged.getvalue() + self._metrics


@pytest.fixture(autouse=True)
def _logged() -> Iterator[StringIO]:
    """The logger keeps the stdout it was made with, which pytest replaces for every test."""
    stream = StringIO()
    handler = log.logger.registered_handler
    outer = handler.setStream(stream)
    yield stream
    handler.setStream(outer)


@pytest.fixture
def logs(_logged: StringIO, capsys: pytest.CaptureFixture[str]) -> Logs:
    return Logs(_logged, capsys)


@pytest.fixture(scope="session")
def _second_table(engine: None) -> Any:
    name = f"{local_aws.ENVIRONMENT['TABLE_NAME']}-second"
    local_aws.create_table_like_the_main_one(name)
    first_name, first = Item.Meta.table_name, Item._connection
    Item.Meta.table_name, Item._connection = name, None
    second = Item._get_connection()
    Item.Meta.table_name, Item._connection = first_name, first
    return second


@pytest.fixture
def empty_table(_second_table: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """All items live in a table of their own, empty at first, for one test.

    For what has shared partitions: timers (`DUE#n`), revoked sessions, lists of everything. Other tests are kept
    apart by random ids instead, which costs nothing."""
    name: str = _second_table.table_name
    dynamodb = local_aws.client("dynamodb")
    left = dynamodb.scan(TableName=name, ProjectionExpression="PK, SK")["Items"]
    for start in range(0, len(left), 25):
        gone = [{"DeleteRequest": {"Key": key}} for key in left[start : start + 25]]
        dynamodb.batch_write_item(RequestItems={name: gone})
    monkeypatch.setattr(Item.Meta, "table_name", name)
    monkeypatch.setattr(Item, "_connection", _second_table)
    return name


@pytest.fixture(scope="session")
def _dynoxide(engine: None) -> Iterator[tuple[str, Any]]:
    if engines.dynoxide() is None:
        pytest.skip(engines.why_not())
    with dynoxide.running() as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
        patch.setattr(Item, "_connection", None)
        local_aws.create_tables()
        connection = Item._get_connection()
        _ = connection.connection.client  # made while the variable stands
        patch.undo()
        yield url, connection


@pytest.fixture(params=divergences.ENGINES)
def each_engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The test runs once on each engine; the answer is its name. Without dynoxide that half is skipped.

    Only items of the main table go to the other engine: the vault, settings and queues are where they always are."""
    name: str = request.param
    if name == "dynoxide":
        url, connection = request.getfixturevalue("_dynoxide")
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
        monkeypatch.setattr(Item, "_connection", connection)
    reason = divergences.KNOWN.get((name, request.function.__qualname__))
    if reason is not None:
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
    return name


@pytest.fixture(scope="session")
def _stand_in() -> Iterator[StandIn]:
    with server.running() as stand_in:
        yield stand_in


@pytest.fixture
def wechat(_stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """WeChat on a good day, with the accounts that the settings name; the test breaks it."""
    _stand_in.mend()
    _stand_in.settings(media_withheld=False)
    monkeypatch.setenv("WECHAT_API_BASE", _stand_in.base)
    # Read once: what settings cost is not what most tests are about.
    monkeypatch.setenv("SETTINGS_TTL_SECONDS", "3600")
    auth.forget_revocations()
    return _stand_in


@pytest.fixture
def tireless(configure: Callable[..., None]) -> None:
    """Nobody needs rest: for who is on several shifts, at whatever hour the test runs."""
    configure("volunteers", hours_in_a_day=24, rest_after_a_night=0)


@pytest.fixture
def another_container(hood: Hood, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a container is that has read the list of ended sessions a moment ago, and does not do so again for a while."""
    hood.http.get("/inbox", token=token_of("res_nobody"))
    monkeypatch.setattr(auth, "forget_revocations", lambda: None)


@pytest.fixture
def hood(http: Http, wechat: StandIn) -> Hood:
    """A neighbourhood of its own, see tests/neighbourhood.py."""
    return Hood(http, wechat)


# What takes long for few tests comes first, and none of it last: or one process would wait for the other. The stories
# share a stage, which is slow to start, so all of them are for one process.
STORIES, LONG = (
    "tests/story/",
    ("tests/packaging/", "tests/security/", "tests/faults/", "tests/account/", "tests/proof/"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: (not item.nodeid.startswith(STORIES), not item.nodeid.startswith(LONG)))


class ByFile(LoadFileScheduling):
    """`--dist=loadfile`, but for the stories."""

    def _split_scope(self, nodeid: str) -> str:
        scope: str = super()._split_scope(nodeid)
        return STORIES if scope.startswith(STORIES) else scope


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)
