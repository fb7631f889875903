"""The second engine is the one that is asked, keeps what it is told, and never outlives who started it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from local import engines
from tests.engine import dynoxide, local_aws
from tests.kit.things import shelf

installed = pytest.mark.skipif(engines.dynoxide() is None, reason=engines.why_not())

KILLED = """
import os, signal
from tests.engine import dynoxide
with dynoxide.running() as url:
    print(url, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_an_item_is_written_where_the_variable_says_and_nowhere_else(each_engine, monkeypatch):
    there = shelf(3)
    asked = {"TableName": "weijiayuan-test", "Key": {"PK": {"S": there.pk}, "SK": {"S": there.sk}}}
    assert "Item" in local_aws.client("dynamodb").get_item(**asked)
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB", raising=False)
    in_ministack = "Item" in local_aws.client("dynamodb").get_item(**asked)
    assert in_ministack == (each_engine == "ministack")


@installed
def test_what_is_kept_in_a_file_is_there_when_it_starts_again(tmp_path: Path, monkeypatch):
    for there in (False, True):
        with dynoxide.running(keep_in=tmp_path) as url:
            monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
            if not there:
                local_aws.create_table_like_the_main_one("kept")
            assert local_aws.client("dynamodb").describe_table(TableName="kept")["Table"]["TableName"] == "kept"
            with pytest.raises(ClientError):
                local_aws.client("dynamodb").describe_table(TableName="never")


@installed
def test_it_ends_with_who_started_it_even_by_force():
    started = subprocess.run(
        [sys.executable, "-c", KILLED],
        cwd=local_aws.ROOT,
        env={**os.environ, "PYTHONPATH": "."},
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    port = int(started.stdout.strip().rpartition(":")[2])
    give_up = time.monotonic() + 10
    while _answers(port) and time.monotonic() < give_up:
        time.sleep(0.02)
    assert not _answers(port)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_without_a_binary_it_says_why_and_what_to_do(monkeypatch):
    monkeypatch.setenv("DYNOXIDE", "/nowhere/dynoxide")
    assert engines.dynoxide() is None
    with pytest.raises(RuntimeError, match="DYNOXIDE names /nowhere/dynoxide"), dynoxide.running():
        pass


class TestInstalling:
    pytestmark = pytest.mark.skipif(not engines._fits(), reason="dynoxide is there for Linux on x86-64 only")

    def test_a_package_with_another_content_is_refused_and_nothing_is_installed(self, tmp_path):
        wrong = tmp_path / "wrong.tgz"
        wrong.write_bytes(b"something else")
        with pytest.raises(engines.NotInstalled, match="its hash is another"):
            engines.install(wrong, tmp_path / "dynoxide")
        assert [file.name for file in tmp_path.iterdir()] == ["wrong.tgz"]

    def test_a_package_that_is_not_there_is_named(self, tmp_path):
        with pytest.raises(engines.NotInstalled, match=r"missing\.tgz cannot be read"):
            engines.install(tmp_path / "missing.tgz", tmp_path / "dynoxide")

    def test_without_npm_it_says_which_package_to_get(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(engines.NotInstalled, match=rf"npm is not here.*{engines.PACKAGE} {engines.VERSION}"):
            engines.install(None, tmp_path / "dynoxide")
