"""Each function's role, tried on a local AWS that enforces IAM: what it may do, and that it may do nothing else.

The local AWS evaluates roles, conditions, key and queue policies as AWS does; it knows no VPC, no organisation, no
service control policy. Which settings a function needs is read out of the code (see reach.py).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.stack import ACCOUNT, REGION, Stack

API, SWEEP, DISPATCH, PUSH = "api", "sweep", "dispatch-notices", "push-notices"
EVENTS, PHOTOS, ADMIN, STOCK, SPREAD = "wechat-events", "process-photos", "administer", "look-at-stock", "spread-posts"
EVERYONE = {API, SWEEP, DISPATCH, PUSH, EVENTS, PHOTOS, ADMIN, STOCK, SPREAD}
NOBODY: set[str] = set()
_REFUSALS = {"AccessDenied", "AccessDeniedException"}


@dataclass(frozen=True)
class Act:
    """Something a function may or may not do; the names in {} are the stack's outputs."""

    what: str
    service: str
    operation: str
    parameters: dict[str, Any]
    by: set[str]


KEY = {"PK": {"S": "PROBE"}, "SK": {"S": "1"}}
SUBJECT = {"subject": {"S": "probe"}}


def _item(operation: str, by: set[str], **more: Any) -> Act:
    named = {"Item": KEY} if operation == "put_item" else {"Key": KEY}
    return Act(f"{operation} in the table", "dynamodb", operation, {"TableName": "{TableName}"} | named | more, by)


def _list(index: str, by: set[str]) -> Act:
    key = {"by_rank": "area_key", "": "PK"}.get(index) or index.replace("by_", "") + "_key"
    parameters = {
        "TableName": "{TableName}",
        "KeyConditionExpression": f"{key} = :key",
        "ExpressionAttributeValues": {":key": {"S": "probe"}},
    }
    return Act(
        f"query {index or 'the table'}", "dynamodb", "query", parameters | ({"IndexName": index} if index else {}), by
    )


def _object(operation: str, prefix: str, by: set[str]) -> Act:
    body = {"Body": b"x"} if operation == "put_object" else {}
    parameters = {"Bucket": "{MediaBucketName}", "Key": f"{prefix}/probe.txt"} | body
    return Act(f"{operation} in {prefix}/", "s3", operation, parameters, by)


def _send(queue: str, by: set[str]) -> Act:
    more = {"MessageGroupId": "probe", "MessageDeduplicationId": "probe"} if queue != "PhotoQueueUrl" else {}
    return Act(f"send to {queue}", "sqs", "send_message", {"QueueUrl": f"{{{queue}}}", "MessageBody": "{}"} | more, by)


def _receive(queue: str, by: set[str]) -> Act:
    return Act(f"receive from {queue}", "sqs", "receive_message", {"QueueUrl": f"{{{queue}}}"}, by)


def _settings(groups: list[str], by: set[str]) -> Act:
    names = [f"/weijiayuan/local/{group}" for group in groups]
    return Act(f"read the settings {' and '.join(groups)}", "ssm", "get_parameters", {"Names": names}, by)


# Who reads which settings: what test_template.py finds in the code.
READERS = {
    "help": {API, SWEEP, EVENTS},
    "mall": {API, SWEEP},
    "notices": {API, SWEEP, PUSH, EVENTS, PHOTOS, SPREAD, ADMIN},
    "openid_pepper": {API, SWEEP, EVENTS},
    "points": {API, SWEEP, EVENTS},
    "posts": {API},
    "privacy": {API},
    "session_keys": {API},
    "shifts": {API, SWEEP},
    "volunteers": {API, SWEEP},
    "wechat": {API, PUSH},
    "wechat_secrets": {API, SWEEP, PUSH, PHOTOS, SPREAD},
}
WORKERS = EVERYONE - {DISPATCH, STOCK}
CLOSING = {API, SWEEP, EVENTS}  # close accounts, and erase what was in them
ACTS = (
    _item("get_item", WORKERS | {STOCK}),
    _item("put_item", WORKERS),
    _item("update_item", WORKERS | {STOCK}),
    _item("delete_item", CLOSING),
    Act("read several items", "dynamodb", "batch_get_item", {"RequestItems": {"{TableName}": {"Keys": [KEY]}}},
        CLOSING | {PUSH, ADMIN, STOCK, SPREAD}),
    Act("delete several items", "dynamodb", "batch_write_item",
        {"RequestItems": {"{TableName}": [{"DeleteRequest": {"Key": KEY}}]}}, CLOSING),
    Act("read a whole table", "dynamodb", "scan", {"TableName": "{TableName}"}, NOBODY),
    Act("delete the table", "dynamodb", "delete_table", {"TableName": "{TableName}"}, NOBODY),
    Act("switch off the backups", "dynamodb", "update_continuous_backups",
        {"TableName": "{TableName}", "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": False}}, NOBODY),
    _list("", WORKERS - {PHOTOS, SPREAD}),
    _list("by_area", {API, SWEEP, SPREAD, ADMIN}),
    _list("by_rank", {API}),
    _list("by_person", CLOSING | {ADMIN}),
    _list("by_due", {SWEEP}),
    Act("read a person's key", "dynamodb", "get_item", {"TableName": "{VaultTableName}", "Key": SUBJECT},
        {API, SWEEP, PUSH, EVENTS, PHOTOS}),
    Act("give a person a key", "dynamodb", "put_item", {"TableName": "{VaultTableName}", "Item": SUBJECT}, {API}),
    Act("destroy a person's key", "dynamodb", "delete_item", {"TableName": "{VaultTableName}", "Key": SUBJECT}, CLOSING),
    Act("read all keys", "dynamodb", "scan", {"TableName": "{VaultTableName}"}, NOBODY),
    Act("make a data key", "kms", "generate_data_key", {"KeyId": "{VaultKeyArn}", "KeySpec": "AES_256"}, {API}),
    Act("unwrap a data key", "kms", "decrypt", {"CiphertextBlob": "{wrapped}"}, {API, SWEEP, PUSH, EVENTS, PHOTOS}),
    Act("change who may use the key", "kms", "put_key_policy",
        {"KeyId": "{VaultKeyArn}", "PolicyName": "default", "Policy": "{}"}, NOBODY),
    *(_settings([group], by) for group, by in READERS.items()),
    _settings(["notices", "session_keys"], {API}),  # one name too many refuses them all
    _settings(["a-group-of-nobody"], NOBODY),
    Act("read settings of another stage", "ssm", "get_parameters", {"Names": ["/weijiayuan/prod/notices"]}, NOBODY),
    Act("read all settings", "ssm", "get_parameters_by_path", {"Path": "/weijiayuan/local/"}, NOBODY),
    Act("change a setting", "ssm", "put_parameter",
        {"Name": "/weijiayuan/local/session_keys", "Value": "{}", "Type": "String", "Overwrite": True}, NOBODY),
    _object("put_object", "incoming", {API}),
    _object("put_object", "held", {PHOTOS}),
    _object("put_object", "shown", {API, SWEEP, EVENTS, PHOTOS}),
    _object("put_object", "copies", {SWEEP}),
    _object("put_object", "imports", NOBODY),
    _object("put_object", "elsewhere", NOBODY),
    _object("get_object", "incoming", {PHOTOS}),
    _object("get_object", "held", {API, SWEEP, EVENTS, PHOTOS}),
    _object("get_object", "shown", {API}),
    _object("get_object", "copies", {API}),
    _object("get_object", "imports", {ADMIN}),
    _object("delete_object", "incoming", {SWEEP, PHOTOS}),
    _object("delete_object", "held", {SWEEP, PHOTOS}),
    _object("delete_object", "shown", {SWEEP}),
    _object("delete_object", "copies", {API, SWEEP, EVENTS}),
    Act("list the photos", "s3", "list_objects_v2", {"Bucket": "{MediaBucketName}"}, {API, SWEEP, EVENTS, PHOTOS}),
    Act("open the photos to the public", "s3", "put_bucket_policy", {"Bucket": "{MediaBucketName}", "Policy": "{}"}, NOBODY),
    _send("PushQueueUrl", {SWEEP, DISPATCH}),
    _send("WechatEventsQueueUrl", {API}),
    _send("PhotoQueueUrl", NOBODY),
    _send("PostsQueueUrl", {SWEEP, SPREAD}),
    _receive("PushQueueUrl", {PUSH}),
    _receive("WechatEventsQueueUrl", {EVENTS}),
    _receive("PhotoQueueUrl", {PHOTOS}),
    _receive("PostsQueueUrl", {SPREAD}),
    Act("empty a queue", "sqs", "purge_queue", {"QueueUrl": "{PushQueueUrl}"}, NOBODY),
    Act("call another function", "lambda", "invoke", {"FunctionName": "weijiayuan-local-administer"}, NOBODY),
    Act("change a function", "lambda", "update_function_configuration",
        {"FunctionName": "weijiayuan-local-api", "Timeout": 3}, NOBODY),
    Act("make a user", "iam", "create_user", {"UserName": "probe"}, NOBODY),
    Act("write another function's log", "logs", "create_log_stream",
        {"logGroupName": "/aws/lambda/somebody-else", "logStreamName": "probe"}, NOBODY),
    Act("delete a log", "logs", "delete_log_group", {"logGroupName": "/aws/lambda/weijiayuan-local-api"}, NOBODY),
)  # fmt: skip


def _taken(stack: Stack, role: str) -> dict[str, str]:
    taken: dict[str, str] = stack.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{role}", RoleSessionName="probe"
    )["Credentials"]
    return taken


TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    ],
}


@pytest.fixture(scope="module")
def client_of(stack: Stack) -> Callable[[str, str], Any]:
    """A client with the role of a function: its trust is widened to the administrator for the test."""
    sessions: dict[str, dict[str, str]] = {}

    @functools.cache
    def client(function: str, service: str) -> Any:
        if function not in sessions:
            role = f"weijiayuan-local-{REGION}-{function}"
            stack.client("iam").update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(TRUST))
            sessions[function] = _taken(stack, role)
        session = sessions[function]
        return stack.client_as(session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"], service)

    return client


@pytest.fixture(scope="module")
def wrapped(stack: Stack) -> bytes:
    made = stack.client("kms").generate_data_key(KeyId=stack.outputs["VaultKeyArn"], KeySpec="AES_256")
    blob: bytes = made["CiphertextBlob"]
    return blob


def _filled(value: Any, names: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {_filled(key, names): _filled(inner, names) for key, inner in value.items()}
    return names.get(value[1:-1], value) if isinstance(value, str) else value


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.what)
def test_who_may(act: Act, stack: Stack, client_of: Callable[[str, str], Any], wrapped: bytes) -> None:
    parameters = _filled(act.parameters, stack.outputs | {"wrapped": wrapped})
    may = set()
    for function in EVERYONE:
        try:
            getattr(client_of(function, act.service), act.operation)(**parameters)
            may.add(function)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _REFUSALS:
                may.add(function)  # let through; there was nothing to find, for example
    assert may == act.by


@pytest.mark.parametrize(
    "name", ["administrator", f"weijiayuan-local-{REGION}-repairs", f"weijiayuan-local-{REGION}-api-2"]
)
def test_a_role_with_every_policy_of_its_own_unwraps_no_key(name: str, stack: Stack, wrapped: bytes) -> None:
    iam = stack.client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_role_policy(RoleName=name, PolicyName="everything", PolicyDocument=json.dumps(everything))
    session = _taken(stack, name)
    kms = stack.client_as(session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"], "kms")
    kms.describe_key(KeyId=stack.outputs["VaultKeyArn"])
    with pytest.raises(ClientError) as unwrapping:
        kms.decrypt(CiphertextBlob=wrapped)
    with pytest.raises(ClientError) as making:
        kms.generate_data_key(KeyId=stack.outputs["VaultKeyArn"], KeySpec="AES_256")
    assert {error.value.response["Error"]["Code"] for error in (unwrapping, making)} <= _REFUSALS
