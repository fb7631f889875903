"""`make run` as a developer has it: it keeps its data, and nothing of it stays behind, however it ends."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from local.packaging import ROOT
from local.phone import Phone
from local.stack import REGION, free_port
from local.story import MASKS
from local.wechat.control import StandIn

PATIENCE = 90  # seconds, on a busy machine


@pytest.fixture
def state() -> Iterator[Path]:
    folder = ROOT / ".local" / f"test-run-{os.getpid()}"
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


class Running:
    """A `make run` of its own, with its own data and ports."""

    def __init__(self, state: Path, *, until_it_says: str = "Ctrl-C") -> None:
        self.state, self.port, self.aws_port = state, free_port(), free_port()
        state.mkdir(parents=True, exist_ok=True)
        ports = ["--port", str(self.port), "--aws-port", str(self.aws_port), "--wechat-port", str(free_port())]
        self.ports = ports
        self._said = state / "said.txt"
        with self._said.open("w") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "local", "--state", str(state), *ports], cwd=ROOT, stdout=said, stderr=said
            )
        self.wait_for(until_it_says)

    def wait_for(self, words: str) -> None:
        until = time.monotonic() + PATIENCE
        while words not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < until, self.said
            time.sleep(0.02)

    @property
    def said(self) -> str:
        return self._said.read_text()

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            body: bytes = answer.read()
            return body.decode()

    def beside(self, *command: str) -> str:
        """What a command prints that is given in another window."""
        played = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert played.returncode == 0, played.stdout + played.stderr
        return played.stdout

    @property
    def wechat(self) -> StandIn:
        return StandIn(f"http://127.0.0.1:{self.ports[-1]}")

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def left(self) -> list[str]:
        """Processes that still work on this run's data."""
        return list(self._processes().values())

    def kill(self, *, only: str = "") -> None:
        """As a power cut would, or the kernel when memory is short: at once, the local AWS with all its handlers."""
        for process, command in self._processes().items():
            if only in command:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)

    def table(self) -> Any:
        """The table on the local AWS: a function for calls of DynamoDB about it."""
        credentials = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        url, session = f"http://127.0.0.1:{self.aws_port}", botocore.session.Session()
        cloudformation = session.create_client("cloudformation", REGION, endpoint_url=url, **credentials)
        (stack,) = cloudformation.describe_stacks(StackName="weijiayuan-local")["Stacks"]
        (name,) = (each["OutputValue"] for each in stack["Outputs"] if each["OutputKey"] == "TableName")
        dynamodb = session.create_client("dynamodb", REGION, endpoint_url=url, **credentials)
        return lambda operation, **parameters: getattr(dynamodb, operation)(TableName=name, **parameters)

    def _processes(self) -> dict[int, str]:
        found = {}
        for process in Path("/proc").iterdir():
            if process.name.isdigit() and int(process.name) != os.getpid():
                try:
                    environment, command = (process / "environ").read_bytes(), (process / "cmdline").read_bytes()
                except OSError:
                    continue
                if str(self.state).encode() in environment + command:
                    found[int(process.name)] = command.replace(b"\0", b" ").decode()
        return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
def test_a_run_plays_its_demo_ends_whole_and_has_its_data_again(state: Path) -> None:
    first = Running(state)
    port, aws_port, wechat_port = (first.ports[place : place + 2] for place in (0, 2, 4))
    assert "故事讲完了" in first.beside("local.story", *first.ports)
    assert first.beside("local.phone", "li-ju", *port, *wechat_port).count(".") >= 1, "a token"
    assert '"wrong": 0' in first.beside("local.audit", *aws_port)
    streets = json.loads(first.get("/api/areas?parent=330402"))["items"]
    assert len(streets) == 13
    assert first.left()
    assert first.end(signal.SIGINT) == 0, first.said
    assert first.left() == []

    second = Running(state)
    assert "Chalice" not in second.said, "nothing changed, so nothing is packaged"
    assert "Deploying the package" not in second.said, "the stage is there already"
    assert json.loads(second.get("/api/areas?parent=330402"))["items"] == streets
    second.end(signal.SIGKILL)
    gone(second)


MASK = {"PK": {"S": "MALL#mask"}, "SK": {"S": "PRODUCT"}}
STREETS = "/api/areas?parent=330402"


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
def test_a_local_aws_that_was_killed_while_the_district_was_filled_is_filled_again(state: Path) -> None:
    first = Running(state, until_it_says="✓ Starting the WeChat stand-in")
    table = first.table()
    while "Item" not in table("get_item", Key=MASK):
        time.sleep(0.02)
    first.kill(only="local.aws")
    assert first.process.wait(PATIENCE) == 1, first.said
    assert first.left() == []

    second = Running(state)
    assert "上次没有正常停止（断电或被强行结束），那次的数据没有保存，现在从头开始。" in second.said
    assert "演示数据不全" not in second.said, "there never was a whole one"
    assert len(json.loads(second.get(STREETS))["items"]) == 13
    li_ju = Phone(f"http://127.0.0.1:{second.port}/api", second.wechat, "li-ju")
    assert li_ju.log_in().status == 200
    assert li_ju.post("/help-requests", MASKS).status == 201, "which is how `make demo` begins"
    second.end(signal.SIGTERM)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
def test_after_a_power_cut_everything_is_as_the_last_good_end_left_it(state: Path) -> None:
    first = Running(state)
    note = {"PK": {"S": "NOTE"}, "SK": {"S": "1"}}
    first.table()("put_item", Item=note)
    assert first.end(signal.SIGINT) == 0, first.said
    second = Running(state)
    second.table()("put_item", Item={"PK": {"S": "NOTE"}, "SK": {"S": "2"}})
    second.kill()
    second.process.wait(PATIENCE)
    gone(second)

    third = Running(state)
    assert re.search(r"数据回到 \d{4}-\d\d-\d\d \d\d:\d\d 正常停止时的样子，之后的都没有保存。", third.said)
    assert "重新填入" not in third.said, "nothing of the district was lost"
    notes = third.table()("query", KeyConditionExpression="PK = :n", ExpressionAttributeValues={":n": {"S": "NOTE"}})
    assert notes["Items"] == [note]
    phone = Phone(f"http://127.0.0.1:{third.port}/api", third.wechat, "li-ju")
    assert phone.log_in().status == 200
    assert phone.get("/me").json["nickname"] == "李菊", "people and their keys are of the same moment"
    third.end(signal.SIGINT)


def gone(run: Running) -> None:
    until = time.monotonic() + PATIENCE
    while run.left() and time.monotonic() < until:
        time.sleep(0.2)
    assert run.left() == [], "what it started must not outlive it"


def test_a_busy_port_gets_one_clear_line(state: Path) -> None:
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        port = somebody.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "local", "--state", str(state), "--port", str(free_port()), "--aws-port", str(port)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    assert f"端口 {port} 被占用" in line
    assert f"AWS_PORT={port + 1000}" in line
    assert done.stderr == ""


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_a_missing_python_gets_one_clear_line() -> None:
    done = subprocess.run(
        ["make", "run", "PYTHON=", "INSTALLED=.venv/of-another-machine"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "Python 3.11" in done.stderr.splitlines()[0]
