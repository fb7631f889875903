"""The one table: what every item has, how lists are read page by page.

Four sparse indexes serve every list with one Query; an item is in a list when it carries that list's keys:

| index | keys | for |
|---|---|---|
| by_area | area_key / area_sort | lists of a place, newest first |
| by_rank | area_key / rank_sort | the same lists in another order (most urgent first) |
| by_person | person_key / person_sort | lists of one person's things |
| by_due | due_key / due_at | timers (see `kit.timers`) |

An index is eventually consistent: it finds things, it never decides about points, stock or states.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Generic, Self, TypeVar

import msgspec
import pynamodb.attributes
import pynamodb.models
from itsdangerous import BadData, URLSafeSerializer
from pynamodb.attributes import Attribute, DiscriminatorAttribute, JSONAttribute, UnicodeAttribute
from pynamodb.attributes import NumberAttribute as NumberAttribute
from pynamodb.connection import TableConnection
from pynamodb.connection import base as pynamodb_connection
from pynamodb.constants import STRING
from pynamodb.exceptions import AttributeNullError, DoesNotExist
from pynamodb.expressions.condition import Condition as Condition
from pynamodb.expressions.update import Action as Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, Index
from pynamodb.models import Model
from pynamodb.pagination import ResultIterator

from chalicelib.kit import aws, clock, keys
from chalicelib.kit.errors import Invalid, NotFound, Problem

PAGE_SIZE = 20

# PynamoDB's clients come out of our session.
pynamodb_connection.get_session = aws.session  # type: ignore[attr-defined]


@functools.cache
def _parts(owner: type) -> dict[str, Any]:
    """The attributes and indexes of a class, those of its bases among them."""
    names = {name: part for base in reversed(owner.__bases__) for name, part in _parts(base).items()}
    return {name: part for name, part in (names | vars(owner)).items() if isinstance(part, (Attribute, Index))}


def _members(owner: type, wanted: Callable[[Any], bool]) -> list[tuple[str, Any]]:
    """As `inspect.getmembers`, for what PynamoDB looks for in each new kind: that asks for all 130 names, three times."""
    return sorted((name, part) for name, part in _parts(owner).items() if wanted(part))


pynamodb.attributes.getmembers = pynamodb.models.getmembers = _members  # type: ignore[attr-defined, assignment]


class InstantAttribute(Attribute[datetime]):
    """A moment, stored as an ISO string in UTC: sorts as time does and is readable in the console."""

    attr_type = STRING

    def serialize(self, value: datetime) -> str:
        return clock.stamp(value)

    def deserialize(self, value: str) -> datetime:
        return clock.from_stamp(value)


class CompactJSONAttribute(JSONAttribute):
    """JSON without spaces and with Chinese as it is: half the bytes."""

    def serialize(self, value: Any) -> str:
        return msgspec.json.encode(value).decode()


class _Kind(DiscriminatorAttribute):
    def deserialize(self, value: str) -> type:
        """A kind that only a later version knows is an Item and nothing more, which nobody looks for."""
        kind: type = self._discriminator_map.get(value, Item)
        return kind


class _Index(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """PynamoDB gives each kind its own copy of each index. It is all in the class, so there is nothing to copy."""
        return type(self)()


def _index(name: str, hash_key: str, range_key: str) -> Any:
    meta = type("Meta", (), {"index_name": name, "projection": AllProjection()})
    keys = {hash_key: UnicodeAttribute(hash_key=True), range_key: UnicodeAttribute(range_key=True)}
    return type(name, (_Index,), {"Meta": meta, **keys})()


class Item(Model):
    """Base of all items in the main table. Each subclass shows its keys as `PK / SK` in its docstring."""

    class Meta:
        table_name = os.environ.get("TABLE_NAME", "weijiayuan")
        connect_timeout_seconds = 1
        read_timeout_seconds = 4
        max_retry_attempts = 2
        max_pool_connections = 64

    pk = UnicodeAttribute(hash_key=True, attr_name="PK")
    sk = UnicodeAttribute(range_key=True, attr_name="SK")
    kind = _Kind()
    area_key = UnicodeAttribute(null=True)
    area_sort = UnicodeAttribute(null=True)
    rank_sort = UnicodeAttribute(null=True)
    person_key = UnicodeAttribute(null=True)
    person_sort = UnicodeAttribute(null=True)
    due_key = UnicodeAttribute(null=True)
    due_at = InstantAttribute(null=True)
    timer = UnicodeAttribute(null=True)
    timer_tries = NumberAttribute(null=True)
    # Epoch seconds. DynamoDB removes the item some time later; until then a reader must look itself.
    expires_at = NumberAttribute(null=True)

    by_area = _index("by_area", "area_key", "area_sort")
    by_rank = _index("by_rank", "area_key", "rank_sort")
    by_person = _index("by_person", "person_key", "person_sort")
    by_due = _index("by_due", "due_key", "due_at")

    @classmethod
    def _get_connection(cls) -> TableConnection:
        """One connection for all kinds. PynamoDB would make each kind that is used before `Item` a client of its own:
        50 ms of CPU and a TLS handshake each."""
        return super()._get_connection() if cls is Item else Item._get_connection()

    @classmethod
    def set(cls, **values: Any) -> list[Action]:
        """The update actions that give these attributes these values; None takes an attribute off."""
        attributes = cls.get_attributes()
        return [
            attributes[name].remove() if value is None else attributes[name].set(value)
            for name, value in values.items()
        ]

    @property
    def of_later_version(self) -> bool:
        """True of a kind this version does not know: while a new one is being deployed, both are at work."""
        return type(self) is Item

    @classmethod
    def query(cls, *args: Any, **options: Any) -> ResultIterator[Self]:
        if cls is Item:
            return _OfAnyKind.query(*args, **options)  # type: ignore[return-value]
        return super().query(*args, **options)

    @classmethod
    def _instantiate(cls, attribute_values: dict[str, dict[str, Any]]) -> Self:
        """As PynamoDB does it, in half the time: it sets all defaults twice, and looks for every attribute that a kind
        may have. An item has a third of them, and a list many items."""
        kind = cls._get_discriminator_class(attribute_values) or cls
        if not issubclass(kind, cls):
            raise ValueError(f"a {kind.__name__} is no {cls.__name__}")
        item = kind(_user_instantiated=False)
        attributes = kind.get_attributes()
        for stored_as, value in attribute_values.items():
            name = kind._dynamo_to_python_attr(stored_as)
            attribute = attributes.get(name)
            if attribute is not None and "NULL" not in value:
                item.attribute_values[name] = attribute.deserialize(attribute.get_value(value))
        return item

    def _set_defaults(self, _user_instantiated: bool = True) -> None:
        """As PynamoDB does it, in 0.2 µs instead of 2 to 4: it looks at every attribute of each new item, and a redemption
        makes a dozen. (No attribute here has another default for new items.)"""
        for name, default in _defaults(type(self)):
            self.attribute_values[name] = default() if callable(default) else default

    def serialize(self, null_check: bool = True) -> dict[str, dict[str, Any]]:
        """As PynamoDB does it, in half the time (19 µs for a redemption): it asks the item for every value that a kind may
        have by way of the attribute, and most are not there."""
        stored: dict[str, dict[str, Any]] = {}
        values = self.attribute_values
        for name, attribute in self.get_attributes().items():
            value = values.get(name)
            serialized = None if value is None else attribute.serialize(value)
            if serialized is not None:
                stored[attribute.attr_name] = {attribute.attr_type: serialized}
            elif null_check and not attribute.null:
                raise AttributeNullError(name)
        return stored

    @classmethod
    def find(cls, pk: str, sk: str) -> Self | None:
        """One item, read consistently, or None."""
        try:
            return cls.get(pk, sk, consistent_read=True)
        except DoesNotExist:
            return None

    @classmethod
    def fetch(cls, pk: str, sk: str, *, or_raise: Problem | None = None) -> Self:
        found = cls.find(pk, sk)
        if found is None:
            raise or_raise or NotFound()
        return found

    @classmethod
    def collection(cls, pk: str, prefix: str = "", *, limit: int | None = None) -> list[Any]:
        """The items of one partition whose SK starts with `prefix`, of all kinds, read consistently in one Query."""
        condition = Item.sk.startswith(prefix) if prefix else None
        found = Item.query(pk, condition, consistent_read=True, limit=limit)
        return [item for item in found if not item.of_later_version]


@functools.cache
def _defaults(kind: type[Item]) -> list[tuple[str, Any]]:
    """The attributes of a kind that have a default, with it."""
    return [(name, each.default) for name, each in kind.get_attributes().items() if each.default is not None]


class _OfAnyKind(Item):
    """How `Item.query` reads: without PynamoDB's filter that names every kind there is. Writing that down takes 80 µs
    of a request's 1,000, and DynamoDB takes a hundred names at most."""

    from_raw_data = Item.from_raw_data  # type: ignore[assignment]

    @classmethod
    def _get_discriminator_attribute(cls) -> None:
        return None


def read_together(*items: Item) -> list[Any]:
    """The stored items with these keys, consistently, in one BatchGetItem; None where there is none."""
    keys = [(item.pk, item.sk) for item in items]
    found = {(item.pk, item.sk): item for item in Item.batch_get(list(dict.fromkeys(keys)), consistent_read=True)}
    return [found.get(key) for key in keys]


M = TypeVar("M", bound=Item)


class Page(msgspec.Struct, Generic[M], frozen=True):
    """Some items of a list and the cursor to the rest, None at the end."""

    items: list[M]
    next: str | None

    def __iter__(self) -> Iterator[M]:
        return iter(self.items)


def page(
    index: Any,
    key: str,
    range_condition: Condition | None = None,
    *,
    of: type[M],
    cursor: str | None,
    limit: int = PAGE_SIZE,
    newest_first: bool = True,
) -> Page[M]:
    """One page of an index, or of a partition when `index` is an Item class, by exactly one Query."""
    name = _name_of_list(index, key, range_condition, newest_first)
    found = index.query(
        key,
        range_condition,
        limit=limit,
        page_size=limit,
        scan_index_forward=not newest_first,
        last_evaluated_key=_open_cursor(cursor, name),
    )
    items = [item for item in found if isinstance(item, of)]
    after: dict[str, dict[str, Any]] | None = found.last_evaluated_key
    return Page(items, _seal_cursor(after, name) if after else None)


def _name_of_list(index: Any, key: str, range_condition: Condition | None, newest_first: bool) -> str:
    order = "newest first" if newest_first else "oldest first"
    return f"{getattr(index.Meta, 'index_name', 'table')} {key} {range_condition} {order}"


def _signer(name: str) -> URLSafeSerializer:
    """A cursor is good only for the list it came from: the name of the list is signed with it, without being in it."""
    return URLSafeSerializer(keys.session_keys(), salt=f"cursor {name}")


def _seal_cursor(after: dict[str, dict[str, Any]], name: str) -> str:
    sealed = _signer(name).dumps({attribute: next(iter(value.values())) for attribute, value in after.items()})
    return sealed if isinstance(sealed, str) else sealed.decode()


def _open_cursor(cursor: str | None, name: str) -> dict[str, dict[str, str]] | None:
    if cursor is None:
        return None
    try:
        after = _signer(name).loads(cursor)
    except (BadData, ValueError, TypeError):
        raise Invalid(
            "cursor_invalid", "翻页位置已失效，请从头刷新列表。", {"cursor": "不是这个列表的翻页位置"}
        ) from None
    return {attribute: {"S": value} for attribute, value in after.items()}
