"""What each engine does otherwise than DynamoDB, beside the contract tests: so that nobody takes it for AWS's behaviour.

Each entry of the list is tried; an engine that is mended fails its test, and the entry goes. What cannot be tried in
a test: neither engine ever raises TransactionConflict or throttles (tests/faults does), both show an index at once,
dynoxide never removes an item whose `expires_at` has passed, and ministack does so within a minute where AWS takes days.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.kit import ids
from chalicelib.kit.table import Item
from tests.engine import local_aws


class Table:
    """One item `n` in the engine at hand, and what it answers: the answer, or the code of its refusal."""

    def __init__(self, **attributes: Any) -> None:
        self.client = local_aws.client("dynamodb")
        self.name = Item.Meta.table_name
        self.key = {"PK": {"S": ids.new_id("n")}, "SK": {"S": "NOTE#1"}}
        self.client.put_item(TableName=self.name, Item={**self.key, **attributes})

    def update(self, expression: str, **values: Any) -> Any:
        return self._asked(
            self.client.update_item,
            Key=self.key,
            UpdateExpression=expression,
            ExpressionAttributeValues=values,
            ReturnValues="ALL_NEW",
        )

    def query(self, filtered: str, **values: Any) -> Any:
        values = {":pk": self.key["PK"], **values}
        return self._asked(
            self.client.query,
            KeyConditionExpression="PK = :pk",
            FilterExpression=filtered,
            ExpressionAttributeValues=values,
        )

    def get(self, **more: Any) -> Any:
        return self._asked(self.client.get_item, Key=self.key, **more)

    def _asked(self, operation: Callable[..., Any], **parameters: Any) -> Any:
        try:
            return operation(TableName=self.name, **parameters)
        except ClientError as error:
            return error.response["Error"]["Code"]


def adds_to_a_text() -> bool:
    """On AWS a text has no sum: ValidationException."""
    return Table(a={"S": "x"}).update("SET a = a + :n", **{":n": {"N": "1"}}) != "ValidationException"


def filters_by_a_key() -> bool:
    """On AWS a filter names no key of the table: ValidationException."""
    return Table().query("SK = :sk", **{":sk": {"S": "x"}}) != "ValidationException"


def rounds_long_numbers() -> bool:
    """On AWS 38 digits are exact, in sums too."""
    most = "9" * 38
    answer = Table(a={"N": most}).update("SET a = a - :n", **{":n": {"N": "1"}})
    return bool(answer["Attributes"]["a"]["N"] != most[:-1] + "8")


def counts_a_large_read_as_a_small_one() -> bool:
    """On AWS five kilobytes read consistently are two units (tests/engine/budget.py computes what is read itself)."""
    answer = Table(a={"S": "x" * 5000}).get(ConsistentRead=True, ReturnConsumedCapacity="TOTAL")
    return bool(answer["ConsumedCapacity"]["CapacityUnits"] != 2)


def knows_no_limits() -> bool:
    """On AWS DescribeLimits answers."""
    try:
        local_aws.client("dynamodb").describe_limits()
    except ClientError as error:
        return error.response["Error"]["Code"] in ("UnknownOperationException", "InternalServerError")
    return False


# What is otherwise than on AWS → the engines that do it
DIFFERENCES: dict[Callable[[], bool], set[str]] = {
    adds_to_a_text: {"ministack"},
    filters_by_a_key: {"ministack"},
    rounds_long_numbers: {"ministack"},
    counts_a_large_read_as_a_small_one: {"ministack"},
    knows_no_limits: {"dynoxide"},
}


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda each: each.__name__)
def test_only_the_listed_engines_differ_from_dynamodb_here(difference: Callable[[], bool], each_engine: str) -> None:
    assert difference() == (each_engine in DIFFERENCES[difference]), difference.__doc__
