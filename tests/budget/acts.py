"""The acts whose cost `test_budget` measures, by the name they have in `docs/budget.json`.

    @act("POST /help-requests")
    def ask(town: Town) -> Act:
        li_ju = town.resident()                                      # what must be there before: not counted
        return lambda: li_ju.post("/help-requests", json=MASKS)      # the act itself

An act is named after its route, its worker, its timer (`timer help.lapse`) or WeChat's event (`event MediaChecked`),
with the case in brackets where it has several.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from chalicelib.areas import service as areas
from chalicelib.kit import ids, timers
from chalicelib.kit.table import Item
from local.wechat.control import StandIn
from tests.engine.http import Http
from tests.help.street import Street
from tests.neighbourhood import Hood, Neighbour


class Town(Street):
    """Neighbours made in one write, where it does not matter to the cost how they came to be here."""

    def __init__(self, http: Http, wechat: StandIn) -> None:
        super().__init__(http, wechat)
        for code in (self.community, self.micro_grid):
            areas.get(code)  # a container reads an area once a minute

    def account(self, name: str = "居民") -> Neighbour:
        """Somebody who has logged in, consented and said where they live: with a key in the vault and a phone."""
        return Hood.logged_in(self, name)

    def carer(self) -> Neighbour:
        """The grid worker of the grid in which everybody lives."""
        return self.staff("grid_worker", self.grid)


Act = Callable[[], Any]
ACTS: dict[str, Callable[[Town], Act]] = {}
P = TypeVar("P", bound=Callable[[Town], Act])


def act(name: str) -> Callable[[P], P]:
    def register(prepare: P) -> P:
        assert name not in ACTS, name
        ACTS[name] = prepare
        return prepare

    return register


def when_due(item: Item) -> Act:
    """What the sweep does with this item at the moment its timer is set to; an error gets out."""
    current: Any = type(item).fetch(item.pk, item.sk)
    return lambda: timers._handlers[current.timer](current, now=current.due_at)


def until(timer: str, item: Item) -> Act:
    """The same for a later timer of the item: those before it have run."""
    for _ in range(5):
        if type(item).fetch(item.pk, item.sk).timer == timer:
            return when_due(item)
        when_due(item)()
    raise AssertionError(f"{item.pk} never comes to {timer}")


def message(body: str) -> dict[str, Any]:
    """A message of a queue, as Lambda hands it to its worker."""
    name = ids.new_id("message")
    return {"messageId": name, "receiptHandle": name, "body": body, "attributes": {"MessageGroupId": name}}


def handed(worker: Callable[..., Any], *records: dict[str, Any]) -> Act:
    """A worker of a queue or a stream gets these records, and is done with all of them."""

    def work() -> None:
        assert worker({"Records": list(records)}, Context()) == {"batchItemFailures": []}

    return work


class Context:
    aws_request_id = "request"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def good(answer: Any) -> Any:
    """The content of an answer to something that only prepares."""
    assert answer.status < 300, answer
    return answer.json if answer.content else None
