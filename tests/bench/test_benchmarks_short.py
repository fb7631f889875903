"""Each benchmark is run here once, as short as it can be, and so is each command of the Makefile somewhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local import packaging
from local.packaging import ROOT

# Where the short form of each command is.
COMMANDS = {
    "help": "tests/bench/test_benchmarks_short.py",
    "run": "tests/packaging/test_run.py",
    "demo": "tests/packaging/test_run.py",
    "token": "tests/packaging/test_run.py",
    "audit": "tests/packaging/test_run.py",
    "test": "this very run",
    "check": "the first half of `make test`",
    "prove": "tests/proof, tests/faults",
    "calendar": "tests/calendar/test_two_moments.py",
    "engines": "tests/bench/test_benchmarks_short.py",
    "package": "tests/packaging/test_zip.py",
    "bench": "tests/bench/test_benchmarks_short.py",
    "stampede": "tests/bench",
    "docs": "tests/docs",
    "clean": "tests/bench/test_benchmarks_short.py",
}
BENCHMARKS = {
    "cold_start": ["--rounds", "1"],
    "requests": ["--seconds", "0.02"],
    "stampede": ["--masks", "20", "--residents", "80", "--threads", "8", "--engine", "ministack"],
    "signup_rush": ["--people", "40", "--places", "5", "--threads", "8", "--engine", "ministack"],
    "partitions": ["--stock", "200", "--people", "1000"],
}


def run(*command: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **more}, capture_output=True, text=True, timeout=300, check=False
    )


def test_each_command_of_the_makefile_has_a_short_form() -> None:
    targets = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert set(targets) == set(COMMANDS)
    for where in ", ".join(COMMANDS.values()).split(", "):
        assert not where.startswith("tests/") or (ROOT / where).exists(), where


def test_each_benchmark_of_the_makefile_has_a_short_form() -> None:
    named = re.findall(r"-m bench\.(\w+)", (ROOT / "Makefile").read_text("utf-8"))
    assert set(named) == set(BENCHMARKS)
    assert all((ROOT / "bench" / f"{name}.py").exists() for name in BENCHMARKS)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_prints_its_table(name: str) -> None:
    if name == "cold_start":
        packaging.package(packaging.THIS_MACHINE, packaging.BUILD / "package-local", say=lambda _: None)
    done = run(sys.executable, "-m", f"bench.{name}", *BENCHMARKS[name])
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) >= 3, done.stdout
    assert name != "stampede" or "doubled 0, negative 0, wrong 0" in done.stdout


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_the_makefile_lists_its_commands_and_forgets_what_was_built(tmp_path: Path) -> None:
    said = run("make", "help").stdout
    assert all(f"make {command}" in said for command in COMMANDS)
    shutil.copy(ROOT / "Makefile", tmp_path)
    for folder in (".local", "build", ".venv"):
        (tmp_path / folder).mkdir()
    assert run("make", "-C", str(tmp_path), "clean").returncode == 0
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [".venv"]


def test_without_npm_the_second_engine_says_how_to_get_it(tmp_path: Path) -> None:
    done = run(sys.executable, "-m", "local.engines", DYNOXIDE=str(tmp_path / "nothing"), PATH=str(tmp_path))
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "npm" in said or "Linux on x86-64 only" in said
