"""What is in the zip, and that making it again gives the same bytes."""

from __future__ import annotations

import ast
import json
import re
import shutil
import sys
import zipfile
from pathlib import Path

from botocore import xform_name

from local import packaging

ROOT = packaging.ROOT


def test_packaging_again_gives_the_same_bytes(package: Path, tmp_path: Path) -> None:
    again = packaging.package(packaging.THIS_MACHINE, tmp_path / "again")
    for name in ("deployment.zip", "template.yaml", "package.json"):
        assert (again / name).read_bytes() == (package / name).read_bytes(), name


def test_compiling_the_dependencies_again_gives_the_same_bytes(unpacked: Path, tmp_path: Path) -> None:
    shutil.copytree(unpacked / "pynamodb", tmp_path / "pynamodb", ignore=shutil.ignore_patterns("__pycache__"))
    packaging._compile(packaging.THIS_MACHINE, tmp_path)
    compiled = list(tmp_path.rglob("*.pyc"))
    assert len(compiled) > 20
    for file in compiled:
        assert file.read_bytes() == (unpacked / file.relative_to(tmp_path)).read_bytes(), file.name


def test_a_package_that_is_there_already_is_left_alone(package: Path) -> None:
    before = (package / "deployment.zip").stat().st_mtime_ns
    packaging.package(packaging.THIS_MACHINE, package)
    assert (package / "deployment.zip").stat().st_mtime_ns == before


def test_a_change_of_the_code_makes_another_package(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "chalicelib", tmp_path / "chalicelib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / ".chalice", tmp_path / ".chalice")
    for name in ("app.py", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    same = packaging._key(packaging.THIS_MACHINE, tmp_path)
    assert same == packaging._key(packaging.THIS_MACHINE, ROOT)
    with (tmp_path / "app.py").open("a") as app:
        app.write("# changed\n")
    assert packaging._key(packaging.THIS_MACHINE, tmp_path) != same


def test_the_zip_holds_the_product_and_nothing_else_of_the_repository(archive: zipfile.ZipFile) -> None:
    ours = {entry.name for entry in ROOT.iterdir()} - {"app.py", "chalicelib", "__pycache__"}
    top = {name.partition("/")[0] for name in archive.namelist()}
    assert top & ours == set()
    assert {"app.py", "chalicelib", "chalice"} <= top


def test_everything_is_dated_and_permitted_the_same(archive: zipfile.ZipFile) -> None:
    entries = archive.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in entries} == {0o644}


def test_every_source_is_there_compiled_and_is_not_checked_again(archive: zipfile.ZipFile) -> None:
    names = set(archive.namelist())
    tag = sys.implementation.cache_tag
    for source in (name for name in names if name.endswith(".py")):
        folder, _, file = source.rpartition("/")
        compiled = f"{folder}/__pycache__/{file[:-3]}.{tag}.pyc".removeprefix("/")
        assert compiled in names, source
        flags = int.from_bytes(archive.open(compiled).read(8)[4:], "little")
        assert flags == 0b01, source  # PEP 552: hash-based, unchecked


def test_the_services_in_the_zip_are_those_the_code_calls(archive: zipfile.ZipFile) -> None:
    inside = {name.split("/")[2] for name in archive.namelist() if re.match(r"botocore/data/[^/]+/", name)}
    assert inside == packaging.SERVICES
    called = {"dynamodb"}  # by PynamoDB
    for source in (ROOT / "chalicelib").rglob("*.py"):
        for call in (node for node in ast.walk(ast.parse(source.read_text())) if isinstance(node, ast.Call)):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if name in ("client", "create_client") and call.args and isinstance(call.args[0], ast.Constant):
                called.add(call.args[0].value)
    assert called == packaging.SERVICES


def test_a_shortened_description_knows_every_operation_the_code_calls(archive: zipfile.ZipFile) -> None:
    for service, kept in packaging.OPERATIONS.items():
        (described,) = [name for name in archive.namelist() if re.match(rf"botocore/data/{service}/.*/service-2", name)]
        assert set(json.loads(archive.read(described))["operations"]) == kept
        sources = [source.read_text() for source in (ROOT / "chalicelib").rglob("*.py")]
        called = {call for source in sources for call in re.findall(rf'client\("{service}"\)\.(\w+)', source)}
        assert called == {xform_name(operation) for operation in kept}


def test_the_zip_stays_small_enough_to_start_fast(package: Path) -> None:
    assert (package / "deployment.zip").stat().st_size < 20_000_000
