"""`make run` as a developer has it: it keeps its data, and nothing of it stays behind, however it ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.packaging import ROOT
from local.stack import free_port

PATIENCE = 90  # seconds, on a busy machine


@pytest.fixture
def state() -> Iterator[Path]:
    folder = ROOT / ".local" / f"test-run-{os.getpid()}"
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


class Running:
    """A `make run` of its own, with its own data and ports."""

    def __init__(self, state: Path) -> None:
        self.state, self.port = state, free_port()
        state.mkdir(parents=True, exist_ok=True)
        ports = ["--port", str(self.port), "--aws-port", str(free_port()), "--wechat-port", str(free_port())]
        self.ports = ports
        self._said = state / "said.txt"
        with self._said.open("w") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "local", "--state", str(state), *ports], cwd=ROOT, stdout=said, stderr=said
            )
        until = time.monotonic() + PATIENCE
        while "Ctrl-C" not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < until, self.said
            time.sleep(0.1)

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

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def left(self) -> list[str]:
        """Processes that still work on this run's data."""
        found = []
        for process in Path("/proc").iterdir():
            if process.name.isdigit() and int(process.name) != os.getpid():
                try:
                    environment, command = (process / "environ").read_bytes(), (process / "cmdline").read_bytes()
                except OSError:
                    continue
                if str(self.state).encode() in environment + command:
                    found.append(command.replace(b"\0", b" ").decode())
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
    until = time.monotonic() + PATIENCE
    while second.left() and time.monotonic() < until:
        time.sleep(0.2)
    assert second.left() == [], "what it started must not outlive it"


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
