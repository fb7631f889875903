"""Where the two engines differ from DynamoDB, as far as our tests notice: the one list of it.

A contract test (fixture `each_engine`) that an engine is known to fail is named here with the reason, and must go on
failing there; one that begins to pass fails the suite, so that the list stays true. What differs where no contract
test of ours looks is shown in `test_engines_differ.py`.
"""

from __future__ import annotations

ENGINES = ("ministack", "dynoxide")

# (engine, test) → what the engine does otherwise than DynamoDB
KNOWN: dict[tuple[str, str], str] = {}
