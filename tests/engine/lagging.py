"""An index that has not seen everything yet, on an engine whose indexes show every write at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.engine.wire import Call, Watcher, watched

Stored = dict[str, Any]


class _Lagging(Watcher):
    def __init__(self, index: str, unseen: Callable[[Stored], bool]) -> None:
        super().__init__()
        self.index, self.unseen, self.hidden = index, unseen, 0
        self._asked = threading.local()

    def parameters(self, service: str, operation: str, parameters: dict[str, Any]) -> None:
        self._asked.index = parameters.get("IndexName") if operation == "Query" else None

    def ends(self, call: Call, answer: dict[str, Any]) -> None:
        if call.operation != "Query" or self._asked.index != self.index or "Items" not in answer:
            return
        seen = [item for item in answer["Items"] if not self.unseen(item)]
        self.hidden += len(answer["Items"]) - len(seen)
        answer["Items"], answer["Count"] = seen, len(seen)


@contextmanager
def lagging(unseen: Callable[[Stored], bool] = lambda _: True, *, index: str = "by_person") -> Iterator[None]:
    """Queries of this index do not show such items, as DynamoDB stores them. The table itself shows everything, and so
    does what is written: they are there, but the index has yet to hear of them."""
    watcher = _Lagging(index, unseen)
    with watched(watcher):
        yield
    assert watcher.hidden, f"{index} would have shown none of these anyway"
