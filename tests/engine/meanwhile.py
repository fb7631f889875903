"""What happens between the moment at which an act has read and the moment at which it writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.engine.wire import Watcher, watched


class _Meanwhile(Watcher):
    def __init__(self, item: str, act: Callable[[], Any]) -> None:
        super().__init__()
        self.item, self.act, self.done = item, act, False

    def parameters(self, service: str, operation: str, parameters: dict[str, Any]) -> None:
        if operation == "TransactWriteItems" and self.item in str(parameters) and not self.done:
            self.done = True
            self.act()


@contextmanager
def meanwhile(item: str, act: Callable[[], Any]) -> Iterator[None]:
    """Once, before the first transaction is sent that names an item whose key begins so."""
    watcher = _Meanwhile(item, act)
    with watched(watcher):
        yield
    assert watcher.done, f"no transaction named {item}"
