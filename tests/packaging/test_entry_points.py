"""Each function loads as Lambda loads it: by its handler string, from the zip alone, on a disk it cannot write.

A worker's handler is in the module of its blueprint, so Lambda never runs app.py for it. Whatever slices tell each
other by registering must therefore be complete in the worker too.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FUNCTIONS = (
    "APIHandler",
    "Administer",
    "DispatchNotices",
    "LookAtStock",
    "ProcessPhotos",
    "PushNotices",
    "SpreadPosts",
    "Sweep",
    "WechatEvents",
)

# Where slices register with others, and which functions use it though they load only a part of the app.
REGISTRIES = (
    ("chalicelib.content.photos", "_settled"),
    ("chalicelib.content.reviews", "_handlers"),
    ("chalicelib.notices.events", "_handlers"),
    ("chalicelib.people.personal_data", "erasers"),
    ("chalicelib.people.personal_data", "sections"),
    ("chalicelib.points.audit", "_checkers"),
    ("chalicelib.points.audit", "_round_checkers"),
)
USED_BY = {
    "chalicelib.content.photos._settled": {"ProcessPhotos", "WechatEvents"},
    "chalicelib.notices.events._handlers": {"WechatEvents"},
    "chalicelib.people.personal_data.erasers": {"WechatEvents"},
    "chalicelib.points.audit._checkers": {"Administer", "Sweep"},
    "chalicelib.points.audit._round_checkers": {"Administer", "Sweep"},
}

# How a module registers something, and the functions that need all which do.
REGISTERING = {
    "@audit.checker": {"Administer", "Sweep"},
    "@events.on(": {"WechatEvents"},
    "@personal_data.eraser": {"APIHandler", "Sweep", "WechatEvents"},
    "@personal_data.section": {"APIHandler", "Sweep"},
    "@photos.on_settled": {"ProcessPhotos", "WechatEvents"},
    "@reviews.on_decision": {"APIHandler", "Sweep"},
    "timers.on(": {"Sweep"},
}

# What only some events need is imported by those (see bench/cold_start.py): together they double a cold start.
FOR_LATER = ("PIL", "aws_lambda_powertools", "boto3", "cryptography", "requests", "s3transfer", "segno", "wechatpy")

# What Lambda's bootstrap does, with no site-packages and no environment of ours.
_LOAD = """
import importlib, json, os, sys
task = os.environ["LAMBDA_TASK_ROOT"]
sys.path.insert(0, task)
sys.dont_write_bytecode = False
module, _, name = sys.argv[1].rpartition(".")
handler = getattr(importlib.import_module(module), name)
allowed = (task, sys.prefix, sys.base_prefix)
registered = {
    f"{owner}.{name}": sorted(str(key) if not callable(key) else f"{key.__module__}.{key.__qualname__}" for key in entries)
    for owner, name in REGISTRIES
    if owner in sys.modules and (entries := getattr(sys.modules[owner], name)) is not None
}
strangers = [file for file in (getattr(loaded, "__file__", None) for loaded in sys.modules.values())
             if file and (not file.startswith(allowed) or "site-packages" in file)]
print(json.dumps({"callable": callable(handler), "strangers": strangers, "registered": registered,
                  "loaded": sorted(sys.modules)}))
"""


def test_these_are_all_the_functions(functions: dict[str, Any]) -> None:
    assert sorted(functions) == sorted(FUNCTIONS)


@pytest.fixture(scope="module")
def load(functions: dict[str, Any], unpacked: Path) -> Callable[[str], dict[str, Any]]:
    @functools.cache
    def load(function: str) -> dict[str, Any]:
        properties = functions[function]
        variables = {
            name: value if isinstance(value, str) else "given-by-the-template"
            for name, value in properties["Environment"]["Variables"].items()
        }
        loaded = subprocess.run(
            [sys.executable, "-I", "-S", "-c", f"REGISTRIES = {REGISTRIES!r}\n{_LOAD}", properties["Handler"]],
            cwd=unpacked,
            env={
                **variables,
                "SETTINGS_TTL_SECONDS": "60",
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
        answer: dict[str, Any] = json.loads(loaded.stdout.splitlines()[-1])
        return answer

    return load


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_loads_from_the_zip_alone(
    load: Callable[[str], dict[str, Any]], unpacked: Path, function: str
) -> None:
    files = set(unpacked.rglob("*"))
    loaded = load(function)
    assert loaded["callable"]
    assert loaded["strangers"] == []
    assert set(unpacked.rglob("*")) == files, "something had to be compiled"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_loads_nothing_that_can_wait(load: Callable[[str], dict[str, Any]], function: str) -> None:
    assert set(load(function)["loaded"]) & set(FOR_LATER) == set()


def test_the_look_at_stock_loads_no_other_slice(load: Callable[[str], dict[str, Any]]) -> None:
    ours = [name.split(".")[1] for name in load("LookAtStock")["loaded"] if name.startswith("chalicelib.")]
    assert set(ours) == {"areas", "kit", "mall"}


@pytest.mark.parametrize("how", REGISTERING)
def test_whatever_registers_is_loaded_where_it_is_needed(
    load: Callable[[str], dict[str, Any]], unpacked: Path, how: str
) -> None:
    registering = {
        ".".join(file.relative_to(unpacked).with_suffix("").parts)
        for file in (unpacked / "chalicelib").rglob("*.py")
        if how in file.read_text("utf-8")
    }
    assert registering
    for function in REGISTERING[how]:
        assert registering <= set(load(function)["loaded"]), function


@pytest.mark.parametrize(
    ("registry", "function"), [(name, used) for name, by in USED_BY.items() for used in sorted(by)]
)
def test_a_worker_knows_everything_that_slices_register(
    load: Callable[[str], dict[str, Any]], registry: str, function: str
) -> None:
    assert load(function)["registered"][registry] == load("APIHandler")["registered"][registry]
