"""Run a module that must not outlive whoever started it: `python -m local.leash ministack`, with a pipe as stdin.

The starter keeps the other end of the pipe. When it is gone, however it went, the pipe closes, and the module is
asked to stop as if somebody had: a local AWS saves its state even when `make run` was killed. What does not stop in
time is killed with all its children.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

_PATIENCE_SECONDS = 20


def _follow() -> None:
    while os.read(sys.stdin.fileno(), 1):  # unbuffered: a buffer is locked when the interpreter shuts down
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_PATIENCE_SECONDS)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=_follow, daemon=True).start()
    module = sys.argv[1]
    sys.argv[:] = sys.argv[1:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
