"""A client's request, told apart from its repeats.

WeChat's phones lose answers and people tap twice. A client may send `Idempotency-Key` on any POST; a
repeat then finds what the first one did and gets the same answer, and the same key with another content
is refused. There is no table of keys: a new item's id is made from the key, and a changed item remembers
the keys that changed it.
"""

from __future__ import annotations

import hashlib

import msgspec
from pynamodb.attributes import UnicodeSetAttribute
from pynamodb.expressions.update import Action

from chalicelib.kit import ids, keys
from chalicelib.kit.errors import Invalid
from chalicelib.kit.table import Item

LATEST = 16  # requests, after which an item that is replaced again and again begins anew to remember them


KeyReused = Invalid.named("idempotency_key_reused", "这次提交和上次内容不同，请返回重新填写。")


class Attempt(msgspec.Struct, frozen=True):
    """Who asks for what, with which key. Without a key every attempt is a new one."""

    actor: str
    path: str
    body: bytes
    key: str | None = None

    def id(self, kind: str) -> str:
        """An id for what this request makes: the same one for its repeats."""
        if self.key is None:
            return ids.new_id(kind)
        return ids.repeatable_id(kind, self.actor, self.path, self.key)

    def code(self, length: int = 8) -> str:
        """A code to hand to somebody: the same one for repeats, guessed by nobody who knows the request."""
        if self.key is None:
            return ids.pick_up_code(length)
        return ids.repeatable_code(keys.code_key(), self.actor, self.path, self.key, length=length)

    @property
    def mark(self) -> str | None:
        """What an item remembers of this request: a hash of the key, and one of the content."""
        if self.key is None:
            return None
        return f"{_short(self.actor, self.path, self.key)}:{_short(self.body.decode('utf-8', 'replace'))}"

    def made(self, item: Remembers) -> bool:
        """Did this very request already do this to the item? Raises KeyReused if another content did."""
        mark = self.mark
        if mark is None:
            return False
        marks = item.marks or set()
        if mark in marks:
            return True
        key_part = mark.partition(":")[0] + ":"
        if any(other.startswith(key_part) for other in marks):
            raise KeyReused()
        return False

    def remember(self) -> list[Action]:
        """The update action that makes an item remember this request."""
        return [Remembers.marks.add({self.mark})] if self.mark else []

    def remember_alone(self) -> list[Action]:
        """The same for an item that lives for years: it remembers the latest request only, so it does not grow."""
        return [Remembers.marks.set({self.mark})] if self.mark else []

    def marks(self) -> set[str] | None:
        """The same for a new item."""
        return {self.mark} if self.mark else None

    def marks_with(self, before: Remembers | None) -> set[str] | None:
        """The same for an item that takes the place of an earlier one, whose requests stay known as long as they are few."""
        known = before.marks or set() if before else set()
        return (known if len(known) < LATEST else set()) | (self.marks() or set()) or None


class Remembers(Item):
    """An item that remembers which requests made or changed it (a handful, bounded by its life cycle)."""

    marks = UnicodeSetAttribute(null=True)


def _short(*parts: str) -> str:
    return hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:16]
