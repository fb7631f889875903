"""Two kinds of items that exist for these tests alone."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.kit import ids
from chalicelib.kit.attempt import Remembers
from chalicelib.kit.errors import Refused
from chalicelib.kit.table import Item


class Shelf(Remembers, discriminator="test_shelf"):
    """`SHELF#<id>` / `SHELF`"""

    left = NumberAttribute(default=0)
    title = UnicodeAttribute(null=True)


class Note(Item, discriminator="test_note"):
    """`<any>` / `NOTE#<n>`"""

    text = UnicodeAttribute(null=True)


class Named(Refused):
    """A refusal that a test can tell from another."""

    detail = "不行。"


def shelf(left: int = 0, **more: Any) -> Shelf:
    made = Shelf(f"SHELF#{ids.new_id('x')}", "SHELF", left=left, **more)
    made.save()
    return made


def unsaved(**more: Any) -> Shelf:
    return Shelf(f"SHELF#{ids.new_id('x')}", "SHELF", **more)


def left(item: Shelf) -> int:
    return int(Shelf.fetch(item.pk, item.sk).left)
