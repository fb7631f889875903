"""Writes `docs/table.md` from the items' own docstrings; `--check` says whether it is current.

The docstring of an item class is its entry in the document:

    class Duty(Item, discriminator="duty"):
        \"\"\"`RES#<resident id>` / `ME#DUTY#<role>#<area>`: a role over an area for a time.

        by_area: `DUTY#<role>#<area>` / `<resident id>`: who holds it.
        Whatever else is worth knowing.
        \"\"\"

First the keys and what it is. Then a line for each index the item may be in: its keys there and what is found
by it; for `by_due` the timers it waits for. An index that the class sets and the docstring forgets, or the
other way round, is an error here, so the document cannot fall behind without a test saying so.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import pkgutil
import re
import sys
import textwrap
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pynamodb.attributes import Attribute
from pynamodb.models import Model

import chalicelib
from chalicelib.kit import table, vault
from chalicelib.kit.table import Item

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "docs" / "table.md"

_KEYS = re.compile(r"(`[^`]+` / `[^`]+`):? ?(.*)", re.DOTALL)
_INDEX_LINE = re.compile(r"(by_area|by_rank|by_person|by_due): ")
# What in the code puts an item into an index.
_SETS = {
    "by_area": {"area_key", "area_sort"},
    "by_rank": {"rank_sort"},
    "by_person": {"person_key", "person_sort"},
    "by_due": {"due_key", "due_at", "timers"},
}


class Undescribed(Exception):
    """An item's docstring does not say what the code does."""


@dataclass(frozen=True)
class Kind:
    """One item kind as its class tells it."""

    name: str
    where: str
    keys: str
    about: str
    indexes: dict[str, str]
    attributes: dict[str, str]

    @property
    def slice(self) -> str:
        return self.where.split(".")[1]

    @property
    def partition(self) -> str:
        """Its PK with every part that varies left open: kinds with the same one can be read in one Query."""
        return re.sub(r"<[^>]+>", "…", self.keys.split("`")[1])


def kinds() -> list[Kind]:
    """Every item kind of the backend. Raises Undescribed."""
    for module in pkgutil.walk_packages(chalicelib.__path__, "chalicelib."):
        importlib.import_module(module.name)
    return sorted((kind_of(item) for item in _items(Item)), key=lambda kind: (kind.slice, kind.name))


def _items(base: type[Item]) -> Iterable[type[Item]]:
    for item in base.__subclasses__():
        if item.__module__.startswith("chalicelib."):
            if Item.kind.get_discriminator(item) is not None:
                yield item
            yield from _items(item)


def kind_of(item: type[Item]) -> Kind:
    name = f"{item.__module__}.{item.__name__}"
    described = _KEYS.fullmatch(inspect.cleandoc(item.__doc__ or ""))
    if described is None:
        raise Undescribed(f"{name}: the docstring must begin with `PK` / `SK`: and what it is")
    keys, rest = described.groups()
    about, indexes = _without_indexes(rest)
    _compare(name, item, set(indexes))
    return Kind(Item.kind.get_discriminator(item), name, keys, about, indexes, _own_attributes(item))


def _without_indexes(text: str) -> tuple[str, dict[str, str]]:
    """The text, and the index lines taken out of it. An index line goes on where the next one is indented."""
    about: list[str] = []
    indexes: dict[str, str] = {}
    last: str | None = None
    for line in text.splitlines():
        _, *found = _INDEX_LINE.split(line) if _INDEX_LINE.match(line) else (line,)
        for index, entry in zip(found[::2], found[1::2], strict=True):
            indexes[index] = entry.strip(" ;")
            last = index
        if not found and last and line.startswith(" "):
            indexes[last] += f" {line.strip()}"
        elif not found:
            about.append(line)
            last = None
    return " ".join(" ".join(about).split()), indexes


def _compare(name: str, item: type[Item], described: set[str]) -> None:
    in_class = _words(inspect.getsource(item))
    module = sys.modules[item.__module__]
    slice_folder = Path(module.__file__ or "").parent
    in_slice = frozenset().union(*(_words(file.read_text("utf-8")) for file in slice_folder.rglob("*.py")))
    for index, words in _SETS.items():
        if index in described and not words & in_slice:
            raise Undescribed(f"{name}: the docstring names {index}, and nothing in the slice sets its keys")
        if index not in described and words & in_class:
            raise Undescribed(f"{name}: the class sets keys of {index}, and the docstring does not say which")


@functools.cache  # a slice has several kinds of items, and its modules are read for each
def _words(source: str) -> frozenset[str]:
    """The names and texts a piece of code uses; not those of its docstrings, which are longer."""
    words: set[str] = set()
    for node in ast.walk(ast.parse(textwrap.dedent(source))):
        if isinstance(node, ast.Name):
            words.add(node.id)
        elif isinstance(node, ast.keyword) and node.arg:
            words.add(node.arg)
        elif isinstance(node, ast.Attribute):
            words.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            words.add(node.value)
    return frozenset(words)


def _own_attributes(item: type[Model]) -> dict[str, str]:
    common = {} if not issubclass(item, Item) else Item.get_attributes()
    return {
        name: _type(attribute)
        for name, attribute in item.get_attributes().items()
        if name not in common and not attribute.is_hash_key
    }


def _type(attribute: Attribute[object]) -> str:
    kind = type(attribute).__name__.removesuffix("Attribute")
    words = {
        "Unicode": "text",
        "Instant": "time",
        "UnicodeSet": "texts",
        "UTCDateTime": "time",
        "JSON": "JSON",
        "CompactJSON": "JSON",
    }
    return words.get(kind, kind.lower()) + ("?" if attribute.null else "")


def text(found: list[Kind]) -> str:
    """The document."""
    lines = [
        "# The table",
        "",
        "Written by `python -m local.table_doc` from the docstrings of the item classes; a test keeps it current.",
        "Read and write units belong to acts, not to kinds: they are in `budget.json`, measured from real answers.",
        "",
        *inspect.cleandoc(table.__doc__ or "").splitlines(),
        "",
        "Every item also has `kind`; one that waits for something has `timer`; one that TTL removes, `expires_at`.",
        "",
        "## Partitions",
        "",
        "Kinds of one row share a partition: one Query reads them together.",
        "",
        "| PK | kinds |",
        "|---|---|",
    ]
    partitions: dict[str, list[str]] = defaultdict(list)
    for kind in found:
        partitions[kind.partition].append(kind.name)
    lines += [
        f"| `{pk}` | {', '.join(f'`{name}`' for name in sorted(names))} |" for pk, names in sorted(partitions.items())
    ]
    current = ""
    for kind in found:
        if kind.slice != current:
            current = kind.slice
            lines += ["", f"## {current}"]
        lines += _entry(kind)
    lines += ["", "## The vault table", "", inspect.cleandoc(vault.VaultKey.__doc__ or "")]
    lines += ["", f"Attributes: {_listed(_own_attributes(vault.VaultKey))}."]
    return "\n".join(lines) + "\n"


def _entry(kind: Kind) -> list[str]:
    lines = ["", f"### `{kind.name}`", "", kind.about[:1].upper() + kind.about[1:], ""]
    lines += ["| found by | keys, and for what |", "|---|---|", f"| table | {_cell(kind.keys)} |"]
    lines += [f"| {index} | {_cell(entry)} |" for index, entry in kind.indexes.items()]
    lines += ["", f"Attributes: {_listed(kind.attributes)}. Class: `{kind.where}`."]
    return lines


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _listed(attributes: dict[str, str]) -> str:
    return ", ".join(f"`{name}` {kind}" for name, kind in attributes.items()) or "none of its own"


def main(arguments: list[str]) -> int:
    try:
        current = text(kinds())
    except Undescribed as wrong:
        print(wrong, file=sys.stderr)
        return 1
    if arguments == ["--check"]:
        if TARGET.is_file() and TARGET.read_text("utf-8") == current:
            return 0
        print("docs/table.md is not what the code says; run: python -m local.table_doc", file=sys.stderr)
        return 1
    TARGET.write_text(current, "utf-8")
    print(TARGET.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
