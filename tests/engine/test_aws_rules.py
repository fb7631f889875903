"""What the local engines let pass and AWS refuses is refused here, and nothing else."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from chalicelib.kit import aws
from tests.engine import aws_rules
from tests.engine.aws_rules import RefusedByAWS, check

KEY = {"PK": {"S": "A"}, "SK": {"S": "B"}}


def update(expression: str, names: dict[str, str] | None = None, **values: Any) -> dict[str, Any]:
    given = {f":{name}": value for name, value in values.items()}
    more = {"ExpressionAttributeValues": given} if given else {}
    if names:
        more["ExpressionAttributeNames"] = names
    return {"TableName": "t", "Key": KEY, "UpdateExpression": expression, **more}


def put(**item: Any) -> dict[str, Any]:
    return {"TableName": "t", "Item": {**KEY, **item}}


def transaction(*actions: dict[str, Any]) -> dict[str, Any]:
    return {"TransactItems": list(actions)}


def delete(number: int) -> dict[str, Any]:
    return {"Delete": {"TableName": "t", "Key": {"PK": {"S": f"{number}"}, "SK": {"S": "B"}}}}


def keys(*numbers: int) -> list[dict[str, Any]]:
    return [delete(number)["Delete"]["Key"] for number in numbers]


A = {"S": "a"}
QUERY = {"TableName": "t", "KeyConditionExpression": "PK = :k", "ExpressionAttributeValues": {":k": A}}
REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "paths overlap": ("UpdateItem", update("SET a1 = :v REMOVE a1", v=A)),
    "paths overlap by name": ("UpdateItem", update("SET #a = :v REMOVE #b", {"#a": "x", "#b": "x"}, v=A)),
    "one path is in the other": ("UpdateItem", update("SET #a = :v, #a.#b = :v", {"#a": "x", "#b": "y"}, v=A)),
    "a key is changed": ("UpdateItem", update("SET SK = :v", v=A)),
    "an index key set empty": ("UpdateItem", update("SET area_key = :v", v={"S": ""})),
    "a reserved word": ("UpdateItem", update("SET name = :v", v=A)),
    "nothing to do": ("UpdateItem", update(" ")),
    "a value not given": ("UpdateItem", {**update("SET a1 = :v"), "ExpressionAttributeNames": {}}),
    "a value not used": ("UpdateItem", update("REMOVE a1", v=A)),
    "too long an expression": ("UpdateItem", update(f"SET {', '.join(f'a{n} = :v' for n in range(500))}", v=A)),
    "IN of too many": (
        "Scan",
        {
            "TableName": "t",
            "FilterExpression": f"a1 IN ({', '.join([':v'] * 101)})",
            "ExpressionAttributeValues": {":v": A},
        },
    ),  # fmt: skip
    "an empty set": ("PutItem", put(tags={"SS": []})),
    "an empty set inside": ("PutItem", put(doc={"M": {"tags": {"L": [{"NS": []}]}}})),
    "an empty set as a value": ("UpdateItem", update("SET tags = :v", v={"SS": []})),
    "a set with the same twice": ("PutItem", put(tags={"SS": ["a", "a"]})),
    "an empty key": ("GetItem", {"TableName": "t", "Key": {"PK": {"S": ""}, "SK": {"S": "B"}}}),
    "an empty index key": ("PutItem", put(person_key={"S": ""})),
    "a number as index key": ("PutItem", put(due_at={"N": "1"})),
    "a sort key too long": ("PutItem", put(area_sort={"S": "x" * 1025})),
    "a large item": ("PutItem", put(text={"S": "x" * 410_000})),
    "a filter on a key": ("Query", {**QUERY, "FilterExpression": "SK = :k"}),
    "the same item twice": ("TransactWriteItems", transaction(delete(1), delete(1))),
    "too many actions": ("TransactWriteItems", transaction(*map(delete, range(101)))),
    "no action": ("TransactWriteItems", transaction()),
    "too much at once": (
        "TransactWriteItems",
        transaction(
            *(
                {"Put": {"TableName": "t", "Item": {"PK": {"S": f"{n}"}, "SK": A, "text": {"S": "x" * 390_000}}}}
                for n in range(11)
            )
        ),
    ),  # fmt: skip
    "a wrong action among others": (
        "TransactWriteItems",
        transaction(delete(1), {"Update": update("SET a1 = :v REMOVE a1", v=A)}),
    ),  # fmt: skip
    "a batch too large": (
        "BatchWriteItem",
        {"RequestItems": {"t": [{"DeleteRequest": {"Key": key}} for key in keys(*range(26))]}},
    ),  # fmt: skip
    "the same twice in a batch": (
        "BatchWriteItem",
        {"RequestItems": {"t": [{"DeleteRequest": {"Key": key}} for key in keys(1, 1)]}},
    ),  # fmt: skip
    "too many keys": ("BatchGetItem", {"RequestItems": {"t": {"Keys": keys(*range(101))}}}),
    "the same key twice": ("BatchGetItem", {"RequestItems": {"t": {"Keys": keys(1, 1)}}}),
}
FINE: dict[str, tuple[str, dict[str, Any]]] = {
    "two paths": ("UpdateItem", update("SET a1 = :v, a2 = if_not_exists(a2, :v) REMOVE a3 ADD a4 :v", v={"N": "1"})),
    "neighbours in a document": (
        "UpdateItem",
        update("SET #a.#b = :v, #a.#c = :v", {"#a": "x", "#b": "y", "#c": "yy"}, v=A),
    ),  # fmt: skip
    "names that begin alike": ("UpdateItem", update("SET due_at = :v REMOVE due_at_all", v=A)),
    "a reserved word by its name": ("UpdateItem", update("SET #n = :v", {"#n": "name"}, v=A)),
    "an index key removed": ("UpdateItem", update("REMOVE area_key")),
    "a filter on an index's item": ("Query", {**QUERY, "IndexName": "i", "FilterExpression": "SK = :k"}),
    "a hundred actions": ("TransactWriteItems", transaction(*map(delete, range(100)))),
}


@pytest.mark.parametrize(("operation", "call"), REFUSED.values(), ids=REFUSED)
def test_what_dynamodb_refuses_is_refused(operation: str, call: dict[str, Any]) -> None:
    with pytest.raises(RefusedByAWS):
        check("dynamodb", operation, call)


@pytest.mark.parametrize(("operation", "call"), FINE.values(), ids=FINE)
def test_what_it_takes_is_taken(operation: str, call: dict[str, Any]) -> None:
    check("dynamodb", operation, call)


@pytest.mark.parametrize(
    ("service", "operation", "call"),
    [
        ("sqs", "SendMessageBatch", {"Entries": [{"MessageBody": "x"}] * 11}),
        ("sqs", "SendMessage", {"MessageBody": "口" * 90_000}),
        ("ssm", "GetParameters", {"Names": ["x"] * 11}),
        ("kms", "Encrypt", {"Plaintext": b"x" * 4097}),
    ],
)
def test_so_is_what_other_services_refuse(service: str, operation: str, call: dict[str, Any]) -> None:
    with pytest.raises(RefusedByAWS):
        check(service, operation, call)


def test_every_client_is_held_to_it() -> None:
    with pytest.raises(RefusedByAWS):
        aws.client("ssm").get_parameters(Names=[f"/x/{number}" for number in range(11)])
    with pytest.raises(RefusedByAWS):
        boto3.session.Session(region_name="cn-north-1").client("dynamodb").put_item(**put(tags={"SS": []}))


def test_the_list_of_reserved_words_is_the_whole_one() -> None:
    assert len(aws_rules.RESERVED) == 573
