"""`make audit`: send the administrator's command `audit` to a running `make run` until it has finished."""

from __future__ import annotations

import argparse
import json
import sys

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from local.packaging import ROOT
from local.stack import Stack, StackFailed


def main() -> int:
    parser = argparse.ArgumentParser(prog="make audit", description=__doc__)
    parser.add_argument("--aws-port", type=int, default=4566)
    asked = parser.parse_args()
    console = Console(highlight=False)
    stack = Stack(ROOT / ".local" / "run", port=asked.aws_port)
    try:
        answer = stack.invoke("administer", {"command": "audit"})
        while answer["ok"] and "report" not in answer:
            answer = stack.invoke("administer", {"command": "audit"})
    except (BotoCoreError, ClientError, StackFailed):
        console.print(
            "没有找到正在运行的服务，请先在另一个窗口运行 make run。 Start `make run` in another window first."
        )
        return 1
    console.print(answer["detail"], markup=False)
    report = answer.get("report", {})
    console.print(json.dumps(report, ensure_ascii=False, indent=2), markup=False)
    return 0 if answer["ok"] and report["wrong"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
