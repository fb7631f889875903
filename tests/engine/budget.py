"""What an act costs on AWS: its calls and the capacity units they consume.

    with budget() as spent:
        act()
    assert spent.calls == ["dynamodb TransactWriteItems"] and spent.write_units == 6

Write units are the engine's own, asked for with ReturnConsumedCapacity=INDEXES and checked against AWS's rules by
`tests/engine/test_budget.py`. Read units are computed here from what was read, because ministack counts every read
as one: 0.5 per 4 KB begun, 1 when consistent, 2 in a transaction; a Query by the sum of its items. A read that
returns less than it read (a projection, a filter, a count) is counted by what it returned: too low.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from chalicelib.kit import auth, clock, settings
from tests.engine.http import token_of
from tests.engine.wire import Call, Watcher, watched

_READS = ("GetItem", "BatchGetItem", "TransactGetItems", "Query", "Scan")
_WRITES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")


class Spent(Watcher):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.read_units = 0.0
        self.write_units = 0.0
        self._consistent = False
        self._asked = 0

    def parameters(self, service: str, operation: str, parameters: dict[str, Any]) -> None:
        if service != "dynamodb":
            return
        if operation in _WRITES:
            parameters["ReturnConsumedCapacity"] = "INDEXES"
        self._consistent = bool(parameters.get("ConsistentRead")) or any(
            keys.get("ConsistentRead") for keys in parameters.get("RequestItems", {}).values() if isinstance(keys, dict)
        )
        if operation == "BatchGetItem":
            self._asked = sum(len(keys["Keys"]) for keys in parameters["RequestItems"].values())

    def begins(self, call: Call) -> None:
        self.calls.append(call.name)

    def ends(self, call: Call, answer: dict[str, Any]) -> None:
        if call.service != "dynamodb" or "Error" in answer:
            return
        if call.operation in _WRITES:
            consumed = answer.get("ConsumedCapacity", [])
            self.write_units += sum(
                float(each["CapacityUnits"]) for each in (consumed if isinstance(consumed, list) else [consumed])
            )
        elif call.operation in _READS:
            self.read_units += _read_units(call.operation, answer, asked=self._asked, consistent=self._consistent)


def _read_units(operation: str, answer: dict[str, Any], *, asked: int, consistent: bool) -> float:
    """Each list here is read as one and rounded up as one. What is not there costs as what is small."""
    if operation == "GetItem":
        reads = [[answer.get("Item", {})]]
    elif operation == "BatchGetItem":
        reads = [[item] for items in answer["Responses"].values() for item in items]
        reads += [[]] * (asked - len(reads))
    elif operation == "TransactGetItems":
        reads = [[each.get("Item", {})] for each in answer["Responses"]]
    else:
        reads = [answer.get("Items", [])]
    blocks = sum(max(1, math.ceil(sum(size(item) for item in items) / 4096)) for items in reads)
    return blocks * (2 if operation == "TransactGetItems" else 1 if consistent else 0.5)


def size(item: dict[str, dict[str, Any]]) -> int:
    """Bytes of an item as DynamoDB counts them: names and values."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: dict[str, Any]) -> int:
    kind, held = next(iter(value.items()))
    if kind == "S":
        return len(held.encode())
    if kind == "B":
        return len(held)
    if kind == "N":
        return _number_size(held)
    if kind in ("SS", "BS", "NS"):
        return sum(_value_size({kind[0]: each}) for each in held)
    if kind == "L":
        return 3 + sum(1 + _value_size(each) for each in held)
    if kind == "M":
        return 3 + len(held) + size(held)
    return 1  # true, false, null


def _number_size(text: str) -> int:
    digits = text.lstrip("-").replace(".", "").strip("0")
    return math.ceil(len(digits) / 2) + 1 + text.startswith("-")


@contextmanager
def budget() -> Iterator[Spent]:
    """Counts over all threads, but meant for one act after another."""
    spent = Spent()
    with warm(), watched(spent):
        yield spent


@contextmanager
def warm() -> Iterator[None]:
    """A container that has just read the settings and the revoked sessions: what it does once a minute is no part
    of an act."""
    settings.forget()
    auth.forget_revocations()
    with patch.dict("os.environ", SETTINGS_TTL_SECONDS="3600"):
        auth.check(f"Bearer {token_of('nobody')}", now=clock.now())
        yield
