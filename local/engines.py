"""The second engine for tests and benchmarks: dynoxide, a DynamoDB of its own, whose gaps are not ministack's.

    python -m local.engines [PACKAGE.tgz]      # `make engines`

One static binary for Linux on x86-64, from the npm package named below. It is fetched by npm, from whatever registry
npm is configured for; without npm, give the package as a file, got in any way: its hash is known, so its way does not
matter. It is kept beside Python in the environment, never committed. Or name a binary in the variable DYNOXIDE.
Nothing needs it: what would use it says that it is skipped, and why.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGE, VERSION = "@dynoxide/linux-x64", "1.2.1"
_SHA512 = "sBHqlxJ9ANkLluFkYRfd5r8Y0ApFew4FhOrlhgRAgD4XzEoFOukEo1nuBTQ1+jTtofqwn4NWQ2k0Tn5mNTjgUg=="
_IN_PACKAGE = "package/dynoxide"
_NPM_SECONDS = 300


class NotInstalled(Exception):
    """The engine could not be installed; says why and what to do."""


def home() -> Path:
    """Where the binary is kept."""
    return Path(sys.prefix) / "bin" / "dynoxide"


def dynoxide() -> Path | None:
    """The binary, None when there is none."""
    named = os.environ.get("DYNOXIDE")
    found = Path(named) if named else home()
    return found if found.is_file() and os.access(found, os.X_OK) else None


def why_not() -> str:
    """Why there is no dynoxide here."""
    named = os.environ.get("DYNOXIDE")
    if named:
        return f"DYNOXIDE names {named}, which is no program"
    return "dynoxide is not installed: `make engines`" if _fits() else "dynoxide is there for Linux on x86-64 only"


def install(package: Path | None, target: Path) -> None:
    """Put the binary out of the package, given or fetched, where tests look for it. Raises NotInstalled."""
    if not _fits():
        raise NotInstalled("dynoxide is there for Linux on x86-64 only.")
    with tempfile.TemporaryDirectory() as folder:
        content = _content(package or _fetched(Path(folder)))
        if base64.b64encode(hashlib.sha512(content).digest()).decode() != _SHA512:
            raise NotInstalled(f"This is not {PACKAGE} {VERSION}: its hash is another. Nothing was installed.")
        unpacked = Path(folder) / "dynoxide"
        packed = Path(folder) / "checked.tgz"
        packed.write_bytes(content)
        with tarfile.open(packed) as archive, unpacked.open("wb") as binary:
            inside = archive.extractfile(_IN_PACKAGE)
            assert inside is not None
            shutil.copyfileobj(inside, binary)
        unpacked.chmod(0o755)
        # Copied beside the target and then renamed: a test that starts it meanwhile finds the old one or the new one.
        beside = target.with_name(f".{target.name}-{os.getpid()}")
        shutil.copy2(unpacked, beside)
        beside.replace(target)


def _content(package: Path) -> bytes:
    try:
        return package.read_bytes()
    except OSError as error:
        raise NotInstalled(f"{package} cannot be read: {error.strerror}.") from None


def _fetched(folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise NotInstalled(
            f"npm is not here. Get the npm package {PACKAGE} {VERSION} in any way and run "
            "`python -m local.engines PACKAGE.tgz`, or name a dynoxide in the variable DYNOXIDE."
        )
    command = [npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder), f"{PACKAGE}@{VERSION}"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_NPM_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"npm did not fetch {PACKAGE} {VERSION} within {_NPM_SECONDS} seconds.") from None
    found = list(folder.glob("*.tgz"))
    if done.returncode or len(found) != 1:
        raise NotInstalled(f"npm cannot fetch {PACKAGE} {VERSION}:\n{done.stderr.strip()}")
    return found[0]


def _fits() -> bool:
    return (platform.system(), platform.machine()) == ("Linux", "x86_64")


def _installed_already() -> bool:
    found = dynoxide()
    if found is None:
        return False
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    return said.split() == ["dynoxide", VERSION]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.engines", description=__doc__.partition("\n")[0])
    parser.add_argument("package", nargs="?", type=Path, help="the npm package as a file, instead of fetching it")
    asked = parser.parse_args()
    if not _installed_already():
        try:
            install(asked.package, home())
        except NotInstalled as error:
            print(error, file=sys.stderr)
            return 1
    print(f"dynoxide {VERSION}: {dynoxide()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
