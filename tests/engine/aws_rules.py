"""What AWS refuses and the local engines let pass: every call of the tests is held against it (`wire`).

The rules are those of Amazon DynamoDB's Developer Guide (Update expressions; Expression attribute names and values; Reserved
words; Quotas) and API Reference (TransactWriteItems, BatchWriteItem, BatchGetItem), and of the quotas of SQS (256 KB, which holds
in every Region), SSM and KMS. They see one call; how often, how much and who may is docs/not-seen-locally.md.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

RESERVED = frozenset(Path(__file__).with_name("reserved_words.txt").read_text().split())
KEYS = ("PK", "SK", "subject")
INDEX_KEYS = frozenset({"area_key", "area_sort", "rank_sort", "person_key", "person_sort", "due_key", "due_at"})
EXPRESSIONS = (
    "UpdateExpression",
    "ConditionExpression",
    "KeyConditionExpression",
    "FilterExpression",
    "ProjectionExpression",
)
_NO_ATTRIBUTES = frozenset(
    [
        "SET",
        "REMOVE",
        "ADD",
        "DELETE",
        "AND",
        "OR",
        "NOT",
        "IN",
        "BETWEEN",
        "attribute_exists",
        "attribute_not_exists",
        "attribute_type",
        "begins_with",
        "contains",
        "size",
        "if_not_exists",
        "list_append",
    ]
)
_PLACEHOLDER = re.compile(r"[#:][A-Za-z0-9_]+")
_BARE = re.compile(r"(?<![#:\w.])[A-Za-z][A-Za-z0-9_]*")
_PATH = re.compile(r"[#A-Za-z][\w.#\[\]]*")
_KIB = 1024

Call = Mapping[str, Any]
Rule = Callable[[Call], Iterator[str]]


class RefusedByAWS(AssertionError):
    """The engine of the tests would have let this pass."""


def check(service: str, operation: str, call: Call) -> None:
    wrong = list(_wrong(service, operation, call))
    if wrong:
        raise RefusedByAWS(f"{service} {operation}: {'; '.join(wrong)}: {call}")


def _wrong(service: str, operation: str, call: Call) -> Iterator[str]:
    if service == "dynamodb":
        several = _SEVERAL.get(operation)
        if several is not None:
            yield from several(call)
        elif operation in ("PutItem", "UpdateItem", "DeleteItem", "GetItem", "Query", "Scan"):
            yield from _one(call)
    elif service == "sqs":
        entries = call.get("Entries", [call])
        if len(entries) > 10:
            yield f"{len(entries)} messages in a batch"
        if sum(len(entry.get("MessageBody", "").encode()) for entry in entries) > 256 * _KIB:
            yield "more than 256 KB of messages"
    elif service == "ssm" and len(call.get("Names", ())) > 10:
        yield f"{len(call['Names'])} parameters at once"
    elif service == "kms" and len(call.get("Plaintext", b"")) > 4 * _KIB:
        yield "more than 4 KB to encrypt"


def _one(call: Call) -> Iterator[str]:
    """One item: what each action of a transaction has to keep to as well."""
    yield from _expressions(call)
    yield from _values(call.get("Item", {}))
    for value in call.get("ExpressionAttributeValues", {}).values():
        yield from _sets("a value", value)
    for name, value in {**call.get("Key", {}), **call.get("Item", {})}.items():
        if name in KEYS or name in INDEX_KEYS:
            yield from _key(name, value)
    if "Item" in call and size(call["Item"]) > 400 * _KIB:
        yield "an item of more than 400 KB"
    yield from _update(call)


def _values(item: Call) -> Iterator[str]:
    for name, value in item.items():
        yield from _sets(name, value)


def _sets(name: str, value: Call) -> Iterator[str]:
    for kind, content in value.items():
        if kind in ("SS", "NS", "BS") and not content:
            yield f"{name} is an empty set"
        if kind in ("SS", "NS", "BS") and len(set(map(str, content))) < len(content):
            yield f"{name} is a set with the same twice"
        inside = content.values() if kind == "M" else content if kind == "L" else ()
        for each in inside:
            yield from _sets(name, each)


def _key(name: str, value: Call) -> Iterator[str]:
    (kind, content), *_ = value.items()
    if kind != "S":
        yield f"the key {name} is no text"
    elif not content:
        yield f"the key {name} is empty"
    elif len(content.encode()) > (2 * _KIB if name in ("PK", "area_key", "person_key", "due_key") else _KIB):
        yield f"the key {name} is too long"


def _expressions(call: Call) -> Iterator[str]:
    names, values = call.get("ExpressionAttributeNames", {}), call.get("ExpressionAttributeValues", {})
    used: set[str] = set()
    for kind in EXPRESSIONS:
        text = call.get(kind)
        if text is None:
            continue
        placeholders, faults = _read(text)
        used |= placeholders
        yield from (f"{kind}: {fault}" for fault in faults)
    given = {*names, *values}
    if used - given:
        yield f"{sorted(used - given)} used and not given"
    if given - used:
        yield f"{sorted(given - used)} given and not used"
    if "FilterExpression" in call and call.get("KeyConditionExpression"):
        keys = {"PK", "SK"} if "IndexName" not in call else set()
        in_filter = {names.get(path, path) for path in _PATH.findall(call["FilterExpression"])}
        if keys & in_filter:
            yield f"a filter on {sorted(keys & in_filter)}, which are keys"


@functools.cache
def _read(text: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """The placeholders of an expression, and what is wrong with its words."""
    faults = []
    if not text.strip():
        faults.append("empty")
    if len(text.encode()) > 4 * _KIB:
        faults.append("longer than 4 KB")
    reserved = sorted({word for word in _BARE.findall(text) if word not in _NO_ATTRIBUTES and word.upper() in RESERVED})
    if reserved:
        faults.append(f"{reserved} are reserved words")
    if any(operands.count(",") >= 100 for operands in re.findall(r"\bIN\s*\(([^)]*)\)", text)):
        faults.append("IN with more than 100")
    return frozenset(_PLACEHOLDER.findall(text)), tuple(faults)


def _update(call: Call) -> Iterator[str]:
    text = call.get("UpdateExpression")
    if text is None:
        return
    names, values = call.get("ExpressionAttributeNames", {}), call.get("ExpressionAttributeValues", {})
    actions = [(clause, _spelt(path, names), operand) for clause, path, operand in _actions(text)]
    for clause, path, operand in actions:
        if path[0] in KEYS:
            yield f"{path[0]}, a key of the item, is changed"
        if clause == "SET" and path[0] in INDEX_KEYS and len(path) == 1 and operand in values:
            yield from _key(path[0], values[operand])
    paths = sorted(path for _, path, _ in actions)
    for one, next_ in zip(paths, paths[1:], strict=False):
        if next_[: len(one)] == one:
            yield f"the paths {'.'.join(one)} and {'.'.join(next_)} overlap"


@functools.cache
def _actions(text: str) -> tuple[tuple[str, str, str], ...]:
    """Clause, path and operand of each action of an UpdateExpression."""
    found = []
    _, *parts = re.split(r"\b(SET|REMOVE|ADD|DELETE)\b", text)
    for clause, actions in zip(parts[::2], parts[1::2], strict=True):
        for action in re.split(r",(?![^(]*\))", actions):
            path = _PATH.match(action.strip())
            if path:
                found.append((clause, path[0], action.strip()[path.end() :].lstrip(" =")))
    return tuple(found)


def _spelt(path: str, names: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(names.get(part, part) for part in re.findall(r"[#\w]+|\[\d+\]", path))


def size(item: Call) -> int:
    """Bytes of an item, about as DynamoDB counts them."""
    return sum(len(name.encode()) + _size_of(value) for name, value in item.items())


def _size_of(value: Call) -> int:
    (kind, content), *_ = value.items()
    if kind == "M":
        return 3 + size(content)
    if kind == "L":
        return 3 + sum(1 + _size_of(each) for each in content)
    if kind in ("SS", "NS", "BS"):
        return sum(len(each) for each in content)
    return len(content.encode()) if kind == "S" else len(content) if kind in ("B", "N") else 1


def _same_twice(keys: Sequence[str]) -> Iterator[str]:
    if len(set(keys)) < len(keys):
        yield "the same item twice"


def _identity(table: str, item: Call) -> str:
    return f"{table} {[item.get(name) for name in KEYS]}"


def _transaction(call: Call) -> Iterator[str]:
    actions = [action for each in call["TransactItems"] for action in each.values()]
    if not 1 <= len(actions) <= 100:
        yield f"{len(actions)} actions in a transaction"
    if sum(size(action.get("Item") or action["Key"]) for action in actions) > 4 * _KIB * _KIB:
        yield "more than 4 MB in a transaction"
    yield from _same_twice([_identity(each["TableName"], each.get("Item") or each["Key"]) for each in actions])
    for action in actions:
        yield from _one(action)


def _batch_write(call: Call) -> Iterator[str]:
    requests = [(table, each) for table, several in call["RequestItems"].items() for each in several]
    items = [(table, content.get("Item") or content["Key"]) for table, each in requests for content in each.values()]
    if not 1 <= len(items) <= 25:
        yield f"{len(items)} items in a batch"
    yield from _same_twice([_identity(*each) for each in items])
    for _, each in requests:
        for content in each.values():
            yield from _one(content)


def _batch_get(call: Call) -> Iterator[str]:
    keys = [(table, key) for table, wanted in call["RequestItems"].items() for key in wanted["Keys"]]
    if not 1 <= len(keys) <= 100:
        yield f"{len(keys)} keys in a batch"
    yield from _same_twice([_identity(*each) for each in keys])


_SEVERAL: dict[str, Rule] = {
    "TransactWriteItems": _transaction,
    "TransactGetItems": _transaction,
    "BatchWriteItem": _batch_write,
    "BatchGetItem": _batch_get,
}
