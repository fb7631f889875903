"""Make the package that is deployed: a CloudFormation template for any stage and the zip all functions run from.

    python -m local.packaging                      for AWS: Python 3.12 on x86_64 Linux, into build/package
    python -m local.packaging --for this-machine   for the local AWS, which runs handlers with this very Python

Both come out of the same steps and differ only in the wheels and the `Runtime`:

1. Chalice writes the template, merges .chalice/resources.yaml into it, and zips the app with its own runtime.
   It works on a copy without requirements, because it would install them for the Python that runs it.
2. pip installs requirements.txt for the target. What Lambda never reads is taken out, the rest is compiled, and
   the result is kept in build/dependencies under a key made of everything that went in: pip runs only when one
   of those changes.
3. The app is compiled, and everything is zipped in one order with one date: same input, same bytes.

Lambda's disk is read-only, so a zip without .pyc is compiled again at every cold start. The .pyc here are
"unchecked": Python does not even look at the source beside them, which stays for the tracebacks.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
CHALICE_STAGE = "any"  # Chalice wants a stage; ours is a parameter of the template
_CHALICE_FILES = ("config.json", "resources.yaml")
_DATE = (1980, 1, 1, 0, 0, 0)

# The only services the functions call. botocore's descriptions of the other four hundred are 25 MB.
SERVICES = {"dynamodb", "kms", "s3", "sqs", "ssm"}

# Every cold start reads the whole description of SSM, 800 KB, to call one of its 150 operations: a tenth of its CPU.
# S3's is as large, but botocore itself uses more of it than the code calls.
OPERATIONS = {"ssm": {"GetParameters"}}

# Never imported by the functions: command lines, tests, boto3's resources, all of Powertools but its Logger (what it
# imports stays), and the AVIF codec (8 MB), which WeChat's photo chooser does not produce.
_LEFT_OUT = (
    "bin",
    "boto3/data",
    "boto3/examples",
    "certifi/tests",
    "aws_lambda_powertools/event_handler",
    "aws_lambda_powertools/utilities/[!_j]*",
    "PIL/_avif*.so",
    "pillow.libs/libavif*",
    "PIL/_imagingtk*.so",
    # pip's own bookkeeping. METADATA stays: importlib.metadata reads versions from it.
    "*.dist-info/RECORD",
    "*.dist-info/INSTALLER",
    "*.dist-info/REQUESTED",
    "*.dist-info/direct_url.json",
    "*.dist-info/WHEEL",
)

_COMPILE = """
import pathlib, py_compile, sys
root = pathlib.Path(sys.argv[1])
for source in sorted(root.rglob("*.py")):
    py_compile.compile(
        str(source),
        dfile="/var/task/" + source.relative_to(root).as_posix(),
        doraise=True,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
"""


@dataclass(frozen=True)
class Target:
    """What the zip must run on. Without platforms: whatever this machine is."""

    python: str
    platforms: tuple[str, ...] = ()

    @property
    def runtime(self) -> str:
        return f"python{self.python}"


# Lambda's python3.12 is Amazon Linux 2023, glibc 2.34. 3.12 and x86_64 are what AWS China is known to run.
LAMBDA = Target(
    python="3.12",
    platforms=("manylinux_2_34_x86_64", "manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
)
THIS_MACHINE = Target(python=f"{sys.version_info.major}.{sys.version_info.minor}")


class PackagingFailed(Exception):
    """Told to the developer as it is, without a traceback."""


def package(target: Target, out: Path, *, project: Path = ROOT, say: Callable[[str], None] = lambda _: None) -> Path:
    """Make the package in `out` (template.yaml and deployment.zip), unless it is there already. Returns `out`."""
    key = _key(target, project)
    label = out / "package.json"
    if label.exists() and json.loads(label.read_text())["key"] == key:
        return out
    dependencies = _dependencies(target, project, say)
    say("Chalice writes the template")
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD, prefix="packaging-") as place:
        app = Path(place, "app")
        template = _chalice(target, project, Path(place), app)
        _compile(target, app)
        say("Zipping")
        # Built aside and moved: an interrupted run leaves the old package or none, never half of one.
        fresh = Path(place, "package")
        fresh.mkdir()
        _zip([app, dependencies], fresh / "deployment.zip", compression=6 if target == LAMBDA else 1)
        (fresh / "template.yaml").write_text(_as_yaml(template), encoding="utf-8")
        digest = hashlib.sha256((fresh / "deployment.zip").read_bytes()).hexdigest()
        (fresh / label.name).write_text(json.dumps({"key": key, "runtime": target.runtime, "zip": digest}, indent=2))
        shutil.rmtree(out, ignore_errors=True)
        out.parent.mkdir(parents=True, exist_ok=True)
        fresh.rename(out)
    return out


def _key(target: Target, project: Path) -> str:
    """Changes when anything that goes into the package changes."""
    digest = hashlib.sha256(repr((target, _compiler(target) is not None)).encode())
    chalice = [project / ".chalice" / name for name in _CHALICE_FILES]
    for file in [*_app_files(project), *chalice, project / "requirements.txt"]:
        digest.update(f"{file.relative_to(project).as_posix()}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    digest.update(Path(__file__).read_bytes())
    return digest.hexdigest()


def _app_files(project: Path) -> Iterator[Path]:
    """What of the repository is shipped: app.py and chalicelib, nothing else."""
    yield project / "app.py"
    for file in sorted((project / "chalicelib").rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file


# ------------------------------------------------------------------------------------------------------- Chalice


def _chalice(target: Target, project: Path, place: Path, app: Path) -> dict[str, Any]:
    """Unpack Chalice's zip into `app` and return its template, made ours."""
    copy = place / "copy"
    for file in _app_files(project):
        to = copy / file.relative_to(project)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, to)
    (copy / ".chalice").mkdir()
    for name in _CHALICE_FILES:
        shutil.copyfile(project / ".chalice" / name, copy / ".chalice" / name)
    done = subprocess.run(
        [sys.executable, "-c", "from chalice.cli import main; main()", "package", "--stage", CHALICE_STAGE]
        + ["--merge-template", ".chalice/resources.yaml", "out"],
        cwd=copy,
        # Chalice asks for a Region to know its DNS suffix; nothing of it stays in the template.
        env=os.environ | {"AWS_DEFAULT_REGION": "us-east-1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PackagingFailed(f"Chalice cannot package the app:\n{done.stderr or done.stdout}")
    with zipfile.ZipFile(copy / "out" / "deployment.zip") as chalices:
        chalices.extractall(app)
    template: dict[str, Any] = yaml.safe_load((copy / "out" / "sam.yaml").read_text(encoding="utf-8"))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["Runtime"] = target.runtime
            # Chalice's own tag names its stage and its version; ours name what the bill is for.
            resource["Properties"]["Tags"] = {"app": "weijiayuan", "stage": {"Ref": "Stage"}}
    return template


def _as_yaml(template: dict[str, Any]) -> str:
    class WithoutAliases(yaml.SafeDumper):  # CloudFormation does not read YAML aliases
        def ignore_aliases(self, data: Any) -> bool:
            return True

    return yaml.dump(template, Dumper=WithoutAliases, allow_unicode=True, width=120)


# -------------------------------------------------------------------------------------------------- dependencies


def _dependencies(target: Target, project: Path, say: Callable[[str], None]) -> Path:
    """The folder with everything requirements.txt names, trimmed and compiled for the target."""
    requirements = (project / "requirements.txt").read_bytes()
    recipe = repr(
        (target, _compiler(target) is not None, sorted(SERVICES), sorted(OPERATIONS["ssm"]), _LEFT_OUT, _COMPILE)
    ).encode()
    name = f"{'lambda' if target.platforms else 'local'}-{target.runtime}"
    ready = BUILD / "dependencies" / f"{name}-{hashlib.sha256(requirements + recipe).hexdigest()[:16]}"
    if ready.exists():
        return ready
    say(f"Installing the dependencies for {target.runtime} (only after a change of requirements.txt)")
    ready.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ready.parent, prefix="installing-") as place:
        folder = Path(place, "dependencies")
        _install(target, project / "requirements.txt", folder)
        _trim(folder)
        _compile(target, folder)
        for outdated in ready.parent.glob(f"{name}-*"):
            shutil.rmtree(outdated, ignore_errors=True)
        with contextlib.suppress(OSError):  # somebody else packaged at the same moment: theirs is the same
            folder.rename(ready)
    return ready


def _install(target: Target, requirements: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    if target.platforms:
        command += ["--only-binary=:all:", "--implementation=cp", f"--python-version={target.python}"]
        command += [f"--platform={platform}" for platform in target.platforms]
    command += ["--target", str(folder), "--requirement", str(requirements)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackagingFailed(f"pip cannot install the dependencies for {target.runtime}:\n{done.stderr}")


def _trim(folder: Path) -> None:
    data = folder / "botocore" / "data"
    for service in data.iterdir():
        if service.is_dir() and service.name not in SERVICES:
            shutil.rmtree(service)
    for name, operations in OPERATIONS.items():
        _keep_operations(data / name, operations)
    for pattern in _LEFT_OUT:
        for found in folder.glob(pattern):
            shutil.rmtree(found) if found.is_dir() else found.unlink()


def _keep_operations(service: Path, operations: set[str]) -> None:
    """Leave only these operations in a service's description, and the shapes they are made of."""
    (packed,) = service.glob("*/service-2.json.gz")
    model = json.loads(gzip.decompress(packed.read_bytes()))
    model["operations"] = {name: model["operations"][name] for name in sorted(operations)}
    needed: set[str] = set()
    waiting: list[Any] = [model["operations"]]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            waiting += part.values()
            shape = part.get("shape")
            if isinstance(shape, str) and shape not in needed:
                needed.add(shape)
                waiting.append(model["shapes"][shape])
    model["shapes"] = {name: shape for name, shape in model["shapes"].items() if name in needed}
    packed.with_suffix("").write_text(json.dumps(model), encoding="utf-8")
    packed.unlink()


def _compiler(target: Target) -> str | None:
    """A Python of the target's version, or None. Another version's .pyc would be ignored by Lambda."""
    if target.python == THIS_MACHINE.python:
        return sys.executable
    # Beside this interpreter's own folder is where pyenv, uv and macOS keep the other versions.
    name = f"python{target.python}"
    beside = sorted(Path(sys.base_prefix).parent.glob(f"*{target.python}*/bin/{name}"))
    for candidate in (os.environ.get("LAMBDA_PYTHON", ""), name, *map(str, beside)):
        path = shutil.which(candidate)
        ask = [path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"] if path else None
        if ask and subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip() == target.python:
            return path
    return None


def _compile(target: Target, folder: Path) -> None:
    python = _compiler(target)
    if python is None:
        return  # said once, by main()
    done = subprocess.run(
        [python, "-S", "-c", _COMPILE, str(folder)],
        # Sets of strings in the code are written in hash order; without this, no two runs give the same bytes.
        env={"PATH": os.environ.get("PATH", ""), "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PackagingFailed(f"The code does not compile:\n{done.stderr}")


# ----------------------------------------------------------------------------------------------------------- zip


def _zip(folders: list[Path], to: Path, *, compression: int) -> None:
    found = {
        file.relative_to(folder).as_posix(): file for folder in folders for file in folder.rglob("*") if file.is_file()
    }
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED, compresslevel=compression) as archive:
        for name in sorted(found):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system = 3  # Unix, on whatever machine this runs
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, found[name].read_bytes())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.packaging", description="Make the deployable package.")
    parser.add_argument("--for", dest="target", choices=["lambda", "this-machine"], default="lambda")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    target, out = (
        (LAMBDA, BUILD / "package") if arguments.target == "lambda" else (THIS_MACHINE, BUILD / "package-local")
    )
    out = arguments.out or out
    try:
        package(target, out, say=print)
    except PackagingFailed as failed:
        print(failed, file=sys.stderr)
        return 1
    size = (out / "deployment.zip").stat().st_size / 1e6
    print(f"{os.path.relpath(out)}: template.yaml and deployment.zip ({size:.1f} MB, {target.runtime})")
    if _compiler(target) is None:
        print(
            f"Warning: there is no {target.runtime} on this machine to compile with, so the zip holds no .pyc and cold "
            f"starts take about twice as long. Install it, or set LAMBDA_PYTHON to its path, and package again.",
            file=sys.stderr,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
