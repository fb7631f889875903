"""What a cold start costs: CPU time to import each function and to make the AWS clients it needs at once.

    python -m bench.cold_start [--package build/package-local] [--rounds 9]

The functions come out of the package as Lambda runs them: unpacked zip, fresh interpreter, the handler string of
the template, no site-packages, nothing written. The measure is the ratio to `import boto3` and one DynamoDB
client from the same zip, so it means the same on any machine. CPU time and the least of several rounds, because
whatever else the machine does can only add.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import yaml

from local import packaging

# Beside DynamoDB, which all use: what a function cannot answer its first event without. SSM holds the settings.
# What only some events need (S3 for an upload, KMS for a phone number, SQS for a callback) is made by those.
CLIENTS = {
    "DispatchNotices": ["sqs"],
    "ProcessPhotos": ["ssm", "s3"],
}
AIMS = {"APIHandler": 1.3, "PushNotices": 1.3}

_BARE = """
import boto3
middle = time.process_time()
boto3.client("dynamodb")
"""
_OURS = """
import importlib
module, _, name = {handler!r}.rpartition(".")
getattr(importlib.import_module(module), name)
middle = time.process_time()
from chalicelib.kit import aws
from chalicelib.kit.table import Item
Item._get_connection().connection.client
for service in {services!r}:
    aws.client(service)
"""
_CLOCK = """
import sys, time
sys.path.insert(0, {folder!r})
began = time.process_time()
{code}
ended = time.process_time()
print(middle - began, ended - middle)
"""


def functions(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The properties of each function by its logical id."""
    return {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def measure(folder: Path, code: str, variables: dict[str, Any]) -> tuple[float, float]:
    """Milliseconds of CPU: for the imports, for the clients."""
    environment = {name: value if isinstance(value, str) else "bench" for name, value in variables.items()}
    environment |= {
        "AWS_DEFAULT_REGION": "cn-north-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_EC2_METADATA_DISABLED": "true",
        "PATH": os.environ["PATH"],
    }
    # -I -S: nothing but the standard library and the zip. -B: Lambda's disk is read-only.
    command = [sys._base_executable, "-I", "-S", "-B", "-c", _CLOCK.format(folder=str(folder), code=code)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    imports, clients = (float(seconds) * 1000 for seconds in done.stdout.split())
    return imports, clients


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.cold_start", description=__doc__.partition("\n")[0])
    parser.add_argument("--package", type=Path, help="a package for this machine; made when it is not given")
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    package = arguments.package or packaging.package(
        packaging.THIS_MACHINE, packaging.BUILD / "package-local", say=lambda text: print(text, file=sys.stderr)
    )
    found = functions(yaml.safe_load((package / "template.yaml").read_text("utf-8")))
    variables = {name: each.get("Environment", {}).get("Variables", {}) for name, each in found.items()}
    codes = {"bare boto3": _BARE} | {
        name: _OURS.format(handler=each["Handler"], services=CLIENTS.get(name, ["ssm"])) for name, each in found.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(package / "deployment.zip") as archive:
            archive.extractall(folder)
        least: dict[str, tuple[float, float]] = {}
        for _ in range(arguments.rounds):  # round by round, so that a slow minute is slow for all
            for name, code in codes.items():
                took = measure(Path(folder), code, variables.get(name, {}))
                least[name] = min(least.get(name, took), took, key=sum)
    bare = sum(least["bare boto3"])
    print(f"{'function':<20}{'import ms':>10}{'clients ms':>12}{'ratio':>8}   aim")
    for name, (imports, clients) in least.items():
        ratio = (imports + clients) / bare
        aim = f"≤ {AIMS[name]} {'met' if ratio <= AIMS[name] else 'missed'}" if name in AIMS else ""
        print(f"{name:<20}{imports:>10.0f}{clients:>12.0f}{ratio:>8.2f}   {aim}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
