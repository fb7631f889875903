"""The tests at other moments than now: `python -m tests.calendar` at all of them, `… midnight new-year` at these.

time-machine moves the clock in the tests' own process (WeChat's stand-in runs there too) and in the local AWS that they
start: both look at TESTS_AHEAD, which nothing else knows. So nothing of the product has a door for tests. What measures
durations (`time.monotonic`) stays as it is. See docs/decisions/0017.

Without what needs a deployed stage: there, functions run in processes that the local AWS starts by itself.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

MOMENTS = {
    "month-end": "2027-01-31T23:58:20+08:00",
    "month-end-utc": "2027-03-31T23:58:20+00:00",
    "year-end": "2026-12-31T23:58:20+08:00",
    "year-end-utc": "2027-12-31T23:58:20+00:00",
    "new-year": "2028-01-01T00:00:05+08:00",
    "leap-day": "2028-02-29T09:30:00+08:00",
    "first-of-march": "2027-03-01T00:00:10+08:00",
    "after-midnight": "2027-06-16T00:30:00+08:00",
    "before-midnight": "2027-06-16T23:30:00+08:00",
    "after-midnight-utc": "2027-09-08T00:30:00+00:00",
    "before-midnight-utc": "2027-09-08T23:30:00+00:00",
    "working-sunday": "2027-02-14T10:00:00+08:00",  # 调休
    "spring-festival": "2027-02-06T20:00:00+08:00",
}
NEED_A_STAGE = ("tests/story", "tests/packaging", "tests/bench", "tests/calendar", "tests/local")
# What has to do with days, months and years. The rest runs with them in `make calendar`.
SENSITIVE = (
    "tests/kit/test_limits.py",
    "tests/mall/test_in_time.py",
    "tests/mall/test_refusals.py::TestCampaignCommands",
    "tests/points/test_books.py::TestAllowances",
    "tests/points/test_books.py::TestLeaving",
    "tests/shifts/test_planning.py",
    "tests/volunteers/test_applying.py",
    "tests/volunteers/test_entries.py",
)
ROOT = Path(__file__).parents[2]


def moved_to(moment: str) -> dict[str, str]:
    """The environment in which it is that moment now."""
    ahead = datetime.fromisoformat(moment) - datetime.now(UTC)
    return {**os.environ, "TESTS_AHEAD": f"{ahead.total_seconds():.0f}"}


def run_at(moment: str, tests: tuple[str, ...], *options: str) -> subprocess.CompletedProcess[str]:
    """pytest, as if it were started at that moment."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, *tests]
    with tempfile.TemporaryDirectory(prefix="at-", dir=ROOT / ".local") as folder:
        command.append(f"--basetemp={folder}/tests")
        return subprocess.run(command, cwd=ROOT, env=moved_to(moment), text=True, capture_output=True, check=False)


def _say(text: str) -> None:
    """At once, also into a file: a moment takes minutes."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("moments", nargs="*", metavar="MOMENT", help=", ".join(MOMENTS))
    parser.add_argument("--only", nargs="+", help="these tests instead of all that need no stage")
    wanted = parser.parse_args()
    left_out = [f"--ignore={folder}" for folder in NEED_A_STAGE]
    tests = tuple(wanted.only or ("tests",))
    failed = []
    for name in wanted.moments or MOMENTS:
        done = run_at(MOMENTS[name], tests, "--numprocesses=2", "--dist=loadfile", "-rfE", *left_out)
        last = (done.stdout or done.stderr).strip().splitlines()[-1]
        _say(f"{name:20} {MOMENTS[name]}  {last}")
        if done.returncode:
            failed.append(name)
            _say(done.stdout + done.stderr)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
