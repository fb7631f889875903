"""One ministack for the whole test run, with the tables, queues, bucket and key of `.chalice/resources.yaml`.

The names are fixed, so `ENVIRONMENT` can be set before chalicelib is imported; the process starts later, when
the first test runs. Nothing listens but 127.0.0.1, nothing is written outside the checkout's `.local/`.
"""

from __future__ import annotations

import copy
import functools
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import botocore.session
from samtranslator.yaml_helper import yaml_parse

from local.wechat import catalogue

ROOT = Path(__file__).parents[2]
STAGE = "test"
SETTINGS_PREFIX = f"/weijiayuan/{STAGE}"
_NAME = f"weijiayuan-{STAGE}"
_KINDS = ("AWS::DynamoDB::", "AWS::SQS::", "AWS::S3::", "AWS::KMS::")
_STARTS_WITHIN = 30  # seconds

SECRETS: dict[str, dict[str, Any]] = {
    "session_keys": {"session_keys": ["a-key-of-the-tests-and-of-nothing-else"]},
    "openid_pepper": {"openid_pepper": "pepper-of-the-tests"},
    "wechat_secrets": catalogue.ACCOUNTS,
}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


PORT = _free_port()
URL = f"http://127.0.0.1:{PORT}"
ENVIRONMENT = {
    "AWS_ENDPOINT_URL": URL,
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "cn-north-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "STAGE": STAGE,
    "TABLE_NAME": _NAME,
    "VAULT_TABLE_NAME": f"{_NAME}-vault",
    "VAULT_KEY_ID": f"alias/{_NAME}-vault",
    "MEDIA_BUCKET": f"{_NAME}-media",
    "PUSH_QUEUE_URL": f"{URL}/000000000000/{_NAME}-push.fifo",
    "POSTS_QUEUE_URL": f"{URL}/000000000000/{_NAME}-posts.fifo",
    "WECHAT_EVENTS_QUEUE_URL": f"{URL}/000000000000/{_NAME}-wechat-events.fifo",
    "SETTINGS_PREFIX": SETTINGS_PREFIX,
    "SETTINGS_TTL_SECONDS": "0",  # a changed setting and a log-out bite at once
    "WECHAT_API_BASE": "http://127.0.0.1:9",  # nobody: a test that talks to WeChat asks for the fixture `wechat`
}


@contextmanager
def running() -> Iterator[None]:
    folder = ROOT / ".local" / "tests" / str(os.getpid())
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "ministack.log"
    process = _start(folder, log)
    try:
        _wait(process, log)
        _deploy()
        yield
    finally:
        assert process.stdin is not None
        process.stdin.close()  # which is what ends it (see serve.py)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path, log: Path) -> subprocess.Popen[bytes]:
    settings = {
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": ENVIRONMENT["AWS_DEFAULT_REGION"],
        "GATEWAY_PORT": str(PORT),
        "SERVICES": "cloudformation,dynamodb,ssm,kms,s3,sqs",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "S3_DATA_DIR": str(folder / "s3"),
        "STATE_DIR": str(folder / "state"),
        "TMPDIR": str(folder),
    }
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__).with_name("serve.py")), str(folder)],
            env={**os.environ, **settings},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + _STARTS_WITHIN
    while process.poll() is None and time.monotonic() < give_up:
        try:
            urllib.request.urlopen(f"{URL}/_ministack/health", timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"ministack did not start:\n{log.read_text(errors='replace')}")


def _deploy() -> None:
    """What the functions keep their data in, out of the very template that is shipped; no functions, no API."""
    shipped = copy.deepcopy(template())
    resources = {
        name: resource for name, resource in shipped["Resources"].items() if resource.get("Type", "").startswith(_KINDS)
    }
    resources["Table"]["Properties"]["TableName"] = ENVIRONMENT["TABLE_NAME"]
    resources["VaultTable"]["Properties"]["TableName"] = ENVIRONMENT["VAULT_TABLE_NAME"]
    resources["MediaBucket"]["Properties"]["BucketName"] = ENVIRONMENT["MEDIA_BUCKET"]
    body = {key: shipped[key] for key in ("Parameters", "Conditions")} | {"Resources": resources}
    parameters = {"Stage": STAGE, "RequireTls": "false"}
    cloudformation = client("cloudformation")
    cloudformation.create_stack(
        StackName=STAGE,
        TemplateBody=json.dumps(body),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    while True:
        stack = cloudformation.describe_stacks(StackName=STAGE)["Stacks"][0]
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            break
        time.sleep(0.02)
    if stack["StackStatus"] != "CREATE_COMPLETE":
        raise RuntimeError(f"{stack['StackStatus']}: {stack.get('StackStatusReason')}")
    for group, document in SECRETS.items():
        put_setting(group, document)


def put_setting(group: str, document: Any) -> None:
    """Write a settings document as an administrator would; text is written as it is, to try a broken one."""
    text = document if isinstance(document, str) else json.dumps(document)
    kind = "SecureString" if group in SECRETS else "String"
    client("ssm").put_parameter(Name=f"{SETTINGS_PREFIX}/{group}", Value=text, Type=kind, Overwrite=True)


def remove_setting(group: str) -> None:
    client("ssm").delete_parameters(Names=[f"{SETTINGS_PREFIX}/{group}"])


def create_table_like_the_main_one(name: str) -> None:
    _create_table(name, "Table")


def create_tables() -> None:
    """Both tables, in an engine that knows no CloudFormation."""
    _create_table(ENVIRONMENT["TABLE_NAME"], "Table")
    _create_table(ENVIRONMENT["VAULT_TABLE_NAME"], "VaultTable")


def _create_table(name: str, resource: str) -> None:
    properties = template()["Resources"][resource]["Properties"]
    kept = ("BillingMode", "KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes")
    client("dynamodb").create_table(TableName=name, **{key: properties[key] for key in kept if key in properties})


@functools.cache
def template() -> Any:
    return yaml_parse((ROOT / ".chalice" / "resources.yaml").read_text())


_clients: dict[tuple[str, str], Any] = {}
_session = botocore.session.get_session()  # before the wire is watched: what a test prepares is not counted


def client(service: str) -> Any:
    """A client for preparing and looking, apart from the ones the code under test uses, at the same engine."""
    url = os.environ.get(f"AWS_ENDPOINT_URL_{service.upper()}", URL)
    if (service, url) not in _clients:
        _clients[service, url] = _session.create_client(
            service,
            endpoint_url=url,
            region_name=ENVIRONMENT["AWS_DEFAULT_REGION"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
    return _clients[service, url]
