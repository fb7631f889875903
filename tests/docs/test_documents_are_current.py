"""What is written from the code is what the code says now.

In fresh interpreters, because other tests register routes and items of their own.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("document", ["openapi", "table_doc", "rooms_doc"])
def test_the_kept_document_is_what_the_code_says(document: str) -> None:
    command = [sys.executable, "-m", f"local.{document}", "--check"]
    check = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stderr
