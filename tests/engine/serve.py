"""Runs ministack until the test run that started it is gone, however it went.

The parent holds the other end of stdin; when it ends or is killed, stdin closes. Then this process removes
its folder and ends. Run as `python -P serve.py <folder>` (without -P this folder would hide the
standard library's http) with ministack's settings in the environment.
"""

import os
import shutil
import sys
import threading

from ministack.app import main


def _end_with_parent(folder: str) -> None:
    sys.stdin.buffer.read()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


threading.Thread(target=_end_with_parent, args=(sys.argv[1],), daemon=True).start()
sys.argv[1:] = []
main()
