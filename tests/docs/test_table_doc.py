from __future__ import annotations

from typing import Any

import pytest
from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.kit import timers
from chalicelib.kit.table import InstantAttribute, Item
from local import table_doc


class Borrowed(Item, discriminator="test_borrowed"):
    """`TOOL#<tool>` / `LOAN#<loan>`: a tool lent to a neighbour.

    by_area: `LENT#<community>` / `<time>` while it is out; by_rank: the same / `<due day>`.
    by_person: `LOANS_OF#<borrower>` / `<time>`: what somebody has borrowed,
      newest first.
    by_due: timer `remind`.
    Kept for a year.
    """

    tool = UnicodeAttribute()
    since = InstantAttribute(null=True)

    @classmethod
    def of(cls, tool: str, community: str, borrower: str, now: Any) -> Borrowed:
        found_by = {"area_key": f"LENT#{community}", "rank_sort": "", "person_key": f"LOANS_OF#{borrower}"}
        return cls(f"TOOL#{tool}", "LOAN", tool=tool, **found_by, **timers.fields("", "remind", now))


class Forgotten(Item, discriminator="test_forgotten"):
    """`FORGOTTEN` / `<time>`: its docstring forgets an index."""

    def hide(self) -> Any:
        return Item.person_key.set("HIDDEN")


class Wordless(Item, discriminator="test_wordless"):
    """No keys here."""

    size = NumberAttribute()


def test_a_docstring_gives_keys_meaning_and_indexes() -> None:
    kind = table_doc.kind_of(Borrowed)
    assert (kind.name, kind.keys) == ("test_borrowed", "`TOOL#<tool>` / `LOAN#<loan>`")
    assert kind.about == "a tool lent to a neighbour. Kept for a year."
    assert kind.indexes == {
        "by_area": "`LENT#<community>` / `<time>` while it is out",
        "by_rank": "the same / `<due day>`.",
        "by_person": "`LOANS_OF#<borrower>` / `<time>`: what somebody has borrowed, newest first.",
        "by_due": "timer `remind`.",
    }
    assert kind.attributes == {"tool": "text", "since": "time?"}
    assert kind.partition == "TOOL#…"


def test_an_index_the_docstring_forgets_is_an_error() -> None:
    with pytest.raises(table_doc.Undescribed, match="by_person"):
        table_doc.kind_of(Forgotten)


def test_a_docstring_without_keys_is_an_error() -> None:
    with pytest.raises(table_doc.Undescribed, match="must begin with"):
        table_doc.kind_of(Wordless)


def test_an_index_nothing_sets_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Borrowed, "__doc__", "`TOOL#<tool>` / `LOAN#<loan>`: a tool lent.\n\nby_area: `X` / `<time>`.")
    monkeypatch.setattr(table_doc, "_words", lambda _: {"person_key"})
    with pytest.raises(table_doc.Undescribed, match="names by_area"):
        table_doc.kind_of(Borrowed)


def test_every_kind_stands_in_the_document_under_its_slice() -> None:
    document = table_doc.text([table_doc.kind_of(Borrowed)])
    assert "| `TOOL#…` | `test_borrowed` |" in document
    assert "### `test_borrowed`\n\nA tool lent to a neighbour. Kept for a year.\n" in document
    assert "| by_due | timer `remind`. |" in document
