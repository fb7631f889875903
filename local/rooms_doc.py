"""Draws the picture of the rooms in `docs/architecture.md` from the imports; `--check` says whether it is current.

A slice is a folder of `chalicelib/`, a room a folder of a slice. An arrow means "imports"; one that others already lead
along is left out, or nobody could see the picture for the arrows. What arrows may exist says `pyproject.toml`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp
import networkx

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "docs" / "architecture.md"
_PICTURE = re.compile(r"(<!-- rooms: make docs draws this -->\n).*?(<!-- /rooms -->)", re.DOTALL)


def room_of(module: str) -> str | None:
    """`chalicelib.shifts.presence.codes` is in the room `shifts.presence`, `chalicelib.shifts.models` in `shifts`."""
    return ".".join(module.split(".")[1:-1]) or None


def arrows() -> networkx.DiGraph:
    """From room to room, as the imports are. What stands above the slices (`app.py` and its like) is no room."""
    imports = grimp.build_graph("chalicelib")
    rooms = networkx.DiGraph()
    for module in imports.modules:
        here = room_of(module)
        for other in imports.find_modules_directly_imported_by(module):
            there = room_of(other)
            if here and there and here != there:
                rooms.add_edge(here, there)
    return rooms


def picture() -> str:
    """In Mermaid, which GitHub and editors draw."""
    return "\n".join(["```mermaid", "graph TD", *_lines(arrows()), "```", ""])


def _lines(rooms: networkx.DiGraph) -> Iterator[str]:
    slices: dict[str, list[str]] = {}
    for room in sorted(rooms):
        slices.setdefault(room.partition(".")[0], []).append(room)
    for name, inside in slices.items():
        if len(inside) > 1:
            yield f"  subgraph {name}_ [{name}]"
            yield from (f"    {_id(room)}[{room.partition('.')[2] or 'for all its rooms'}]" for room in inside)
            yield "  end"
        else:
            yield f"  {_id(name)}[{name}]"
    for here, there in sorted(networkx.transitive_reduction(rooms).edges):
        yield f"  {_id(here)} --> {_id(there)}"


def _id(room: str) -> str:
    return room.replace(".", "_")


def main() -> int:
    kept = TARGET.read_text("utf-8")
    current = _PICTURE.sub(lambda found: found[1] + picture() + found[2], kept)
    if "--check" not in sys.argv:
        TARGET.write_text(current, "utf-8")
        return 0
    if current != kept or "graph TD" not in kept:
        print(f"{TARGET} shows other rooms than the code has: run `make docs`.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
