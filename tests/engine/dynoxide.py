"""The second engine: dynoxide, where it is installed (`make engines`). Holds the tables, and nothing else of AWS.

    with dynoxide.running() as url:                       # in memory
    with dynoxide.running(keep_in=folder) as url:         # a file, written through to the disk at each commit
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = url     # before clients are made

The code under test does not know: botocore reads the variable.
"""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local import engines
from tests.engine import local_aws

_STARTS_WITHIN = 10  # seconds

# The shell holds the other end of our pipe: however this process goes, the pipe closes and the engine ends.
_LEASH = '"$@" & engine=$!; cat >/dev/null; kill $engine; wait'


@contextmanager
def running(*, keep_in: Path | None = None) -> Iterator[str]:
    """The engine's address, empty at first. Raises RuntimeError where it is not installed."""
    binary = engines.dynoxide()
    if binary is None:
        raise RuntimeError(engines.why_not())
    port = local_aws._free_port()
    command = [str(binary), "--port", str(port)]
    if keep_in is not None:
        command += ["--db-path", str(keep_in / "dynoxide.db")]
    process = subprocess.Popen(
        ["sh", "-c", _LEASH, "dynoxide", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(10)


def _wait(port: int) -> None:
    give_up = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < give_up:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise RuntimeError("dynoxide did not start")
