"""Hours pass for one shift: what lies in its future is brought near, and what has been is put further back.

A story cannot wait four hours at the gate, and the product has no other clock than the real one. So its stored times are
moved in the local table, as if everybody had done everything earlier.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from chalicelib.kit.clock import from_stamp, stamp
from local.stack import Stack

_TIMES = ("start_at", "end_at", "in_at", "out_at", "due_at")
_PLACES = ("area_sort", "person_sort")  # in lists, by the time they begin with


def let_pass(stack: Stack, shift_id: str, time: timedelta) -> None:
    """Move a shift, and everybody's presence on it, so far into the past."""
    client, table = stack.client("dynamodb"), _table(stack)
    shift = shift_id.partition(".")[0]
    found = _query(client, table, f"SHIFT#{shift}")
    for item in found:
        for name in _TIMES:
            if name in item:
                item[name] = {"S": stamp(from_stamp(item[name]["S"]) - time)}
        for name in _PLACES:
            if name in item:
                start, mark, rest = item[name]["S"].partition("#")
                item[name] = {"S": f"{stamp(from_stamp(start) - time)}{mark}{rest}"}
        client.put_item(TableName=table, Item=item)
    for item in found:
        if item["SK"]["S"].startswith("SIGN_UP#"):
            _move_in_diary(client, table, item["SK"]["S"].removeprefix("SIGN_UP#"), shift_id, time)


def start_of(stack: Stack, shift_id: str) -> datetime:
    item = _query(stack.client("dynamodb"), _table(stack), f"SHIFT#{shift_id.partition('.')[0]}", "SHIFT")[0]
    return from_stamp(item["start_at"]["S"])


def _move_in_diary(client: Any, table: str, person: str, shift_id: str, time: timedelta) -> None:
    for file in _query(client, table, f"VOLUNTEER#{person}", "FILE"):
        taken = json.loads(file["taken"]["S"])
        if shift_id in taken:
            taken[shift_id] = [moment - int(time.total_seconds()) for moment in taken[shift_id]]
            client.put_item(TableName=table, Item=file | {"taken": {"S": json.dumps(taken)}})


def _query(client: Any, table: str, partition: str, sort: str = "") -> list[dict[str, Any]]:
    found = client.query(
        TableName=table,
        KeyConditionExpression="PK = :pk AND begins_with(SK, :sk)" if sort else "PK = :pk",
        ExpressionAttributeValues={":pk": {"S": partition}} | ({":sk": {"S": sort}} if sort else {}),
        ConsistentRead=True,
    )
    items: list[dict[str, Any]] = found["Items"]
    return items


def _table(stack: Stack) -> str:
    api = stack.client("lambda").get_function_configuration(FunctionName=stack.function_name("api_handler"))
    name: str = api["Environment"]["Variables"]["TABLE_NAME"]
    return name
