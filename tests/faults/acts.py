"""The acts that are done with every one of their AWS calls failing in every way.

A slice lists its acts in `tests/faults/<slice>_acts.py` and adds them to ACTS in `test_every_call_fails.py`:

    def prepare() -> World: ...              # a fresh world of random ids: residents, a request
    def ask(world, key) -> Answer: ...       # the act, as a client does it, with its Idempotency-Key
    def facts(world) -> Any: ...             # what is now true, without ids and times: comparable between worlds

    ACTS = [Act("a resident asks for help", prepare, ask, facts)]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Act:
    name: str
    prepare: Callable[[], Any]
    do: Callable[[Any, str], Any]
    """Called with the world and an Idempotency-Key. May return an `Answer` of the http driver or raise."""
    facts: Callable[[Any], Any]

    def __str__(self) -> str:
        return self.name.replace(" ", "_")
