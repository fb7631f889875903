"""Looking for what must not be there: at every item of the table as it is stored.

Tests that look ask for `empty_table`: reading what all other tests have left takes longer with each of them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from chalicelib.kit.table import Item
from tests.engine import local_aws


def items() -> list[dict[str, Any]]:
    """All items as DynamoDB has them."""
    found: list[dict[str, Any]] = []
    start: dict[str, Any] = {}
    while True:
        answer = local_aws.client("dynamodb").scan(TableName=Item.Meta.table_name, **start)
        found += answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return found
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def everything(but: Callable[[dict[str, Any]], bool] = lambda _: False) -> str:
    """All items as one text; bytes as they are and as base64 both."""
    return "\n".join(_text(item) for item in items() if not but(item))


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1") + " " + base64.b64encode(value).decode()
    if isinstance(value, dict):
        return " ".join(f"{name} {_text(part)}" for name, part in value.items())
    if isinstance(value, (list, set, tuple)):
        return " ".join(_text(part) for part in value)
    return str(value)
