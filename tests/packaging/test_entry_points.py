"""Each function loads as Lambda loads it: by its handler string, from the zip alone, on a disk it cannot write."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FUNCTIONS = (
    "APIHandler",
    "Administer",
    "DispatchNotices",
    "ProcessPhotos",
    "PushNotices",
    "Sweep",
    "WechatEvents",
)

# What Lambda's bootstrap does, with no site-packages and no environment of ours.
_LOAD = """
import importlib, json, os, sys
task = os.environ["LAMBDA_TASK_ROOT"]
sys.path.insert(0, task)
sys.dont_write_bytecode = False
module, _, name = sys.argv[1].rpartition(".")
handler = getattr(importlib.import_module(module), name)
allowed = (task, sys.prefix, sys.base_prefix)
strangers = [file for file in (getattr(loaded, "__file__", None) for loaded in sys.modules.values())
             if file and (not file.startswith(allowed) or "site-packages" in file)]
print(json.dumps({"callable": callable(handler), "strangers": strangers}))
"""


def test_these_are_all_the_functions(functions: dict[str, Any]) -> None:
    assert sorted(functions) == sorted(FUNCTIONS)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_loads_from_the_zip_alone(functions: dict[str, Any], unpacked: Path, function: str) -> None:
    properties = functions[function]
    files = set(unpacked.rglob("*"))
    variables = {
        name: value if isinstance(value, str) else "given-by-the-template"
        for name, value in properties["Environment"]["Variables"].items()
    }
    variables["SETTINGS_TTL_SECONDS"] = "60"
    loaded = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _LOAD, properties["Handler"]],
        cwd=unpacked,
        env={
            **variables,
            "AWS_REGION": "cn-north-1",
            "AWS_DEFAULT_REGION": "cn-north-1",
            "AWS_LAMBDA_FUNCTION_NAME": function,
            "LAMBDA_TASK_ROOT": str(unpacked),
            "TZ": ":UTC",
            "LANG": "en_US.UTF-8",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert loaded.returncode == 0, loaded.stderr
    assert json.loads(loaded.stdout.splitlines()[-1]) == {"callable": True, "strangers": []}
    assert set(unpacked.rglob("*")) == files, "something had to be compiled"
