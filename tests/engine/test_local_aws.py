"""The engine is the one that is shipped, and it never outlives the tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from chalicelib.kit import aws
from chalicelib.kit.table import Item
from chalicelib.kit.vault import VaultKey
from tests.engine import local_aws
from tests.kit.things import Note

ALONE = """
import os
from tests.engine import local_aws
with local_aws.running():
    print(local_aws.PORT, flush=True)
    {then}
"""


def start_alone(then: str) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [sys.executable, "-c", ALONE.format(then=then)],
        cwd=local_aws.ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def gone(port: int, folder: Path) -> bool:
    give_up = time.monotonic() + 10
    while (answers(port) or folder.exists()) and time.monotonic() < give_up:
        time.sleep(0.02)
    return not answers(port) and not folder.exists()


def test_the_tables_are_those_of_the_template():
    table = local_aws.client("dynamodb").describe_table(TableName=Item.Meta.table_name)["Table"]
    assert {index["IndexName"] for index in table["GlobalSecondaryIndexes"]} == set(Item._indexes)
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["PK", "SK"]
    assert VaultKey.exists()


def test_the_queues_and_the_bucket_are_there():
    sent = aws.client("sqs").send_message(
        QueueUrl=os.environ["PUSH_QUEUE_URL"], MessageBody="x", MessageGroupId="g", MessageDeduplicationId="d"
    )
    assert sent["MessageId"]
    aws.client("s3").put_object(Bucket=os.environ["MEDIA_BUCKET"], Key="shown/x", Body=b"x")


def test_it_listens_to_this_machine_alone():
    outside = {address[4][0] for address in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in outside - {"127.0.0.1"}:
        with socket.socket() as probe:
            probe.settimeout(1)
            assert probe.connect_ex((address, local_aws.PORT)) != 0


def test_it_ends_when_the_tests_crash():
    process, port = start_alone("os._exit(3)")
    assert process.wait(10) == 3
    assert gone(port, local_aws.ROOT / ".local" / "tests" / str(process.pid))


def test_it_ends_when_the_tests_are_killed():
    process, port = start_alone("import time; time.sleep(60)")
    assert answers(port)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    assert gone(port, local_aws.ROOT / ".local" / "tests" / str(process.pid))


def test_an_empty_table_is_empty_and_apart(empty_table):
    assert Note._get_connection().table_name == Item.Meta.table_name == empty_table
    assert not list(Item.scan())
    Note("LIST#1", "NOTE#1").save()
    assert [item.sk for item in Item.collection("LIST#1")] == ["NOTE#1"]


def test_an_empty_table_is_empty_again_for_the_next_test(empty_table):
    assert Item.collection("LIST#1") == []


def test_what_was_written_apart_is_not_in_the_main_table():
    assert Item.collection("LIST#1") == []
