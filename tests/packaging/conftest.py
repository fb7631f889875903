"""The package as `make run` deploys it. It differs from Lambda's in the wheels and the runtime, not in the steps."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local import packaging
from local.stack import Stack


@pytest.fixture(scope="session")
def package() -> Path:
    return packaging.package(packaging.THIS_MACHINE, packaging.BUILD / "package-local")


@pytest.fixture(scope="session")
def archive(package: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(package / "deployment.zip")


@pytest.fixture(scope="session")
def unpacked(archive: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("task")
    archive.extractall(folder)
    return folder


@pytest.fixture(scope="session")
def template(package: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((package / "template.yaml").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="session")
def functions(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Properties of each function by its logical id."""
    return {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The package deployed on a local AWS that enforces IAM."""
    state = packaging.ROOT / ".local" / f"test-package-{os.getpid()}"
    with Stack(state, enforce_iam=True, timer=False) as running:
        yield running
