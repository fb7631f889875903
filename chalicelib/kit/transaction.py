"""One act, one write: everything commits together or nothing does, and every condition names its error.

    with transaction() as tx:
        tx.create(redemption, or_raise=rules.AlreadyRedeemed())
        tx.update(product, [Product.stock.add(-1)], when=Product.stock >= 1, or_raise=rules.SoldOut())

DynamoDB takes at most 100 different items in one transaction. PynamoDB sends checks, deletes, puts, then
updates, whatever the order of the calls, and the reasons of a cancellation come back in that order; here
they are put back to the call they belong to, and the first failed condition in the order of the calls is
the error raised.
"""

from __future__ import annotations

import functools
import random
import time
import uuid
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from chalicelib.kit import aws
from chalicelib.kit.errors import Changed, PerhapsDone, Problem, TooMany
from chalicelib.kit.table import Item

CONFLICT_TRIES = 5
_FIRST_PAUSE = 0.03  # seconds; doubled each time, with full jitter
_CHECK, _DELETE, _PUT, _UPDATE = range(4)  # the order in which PynamoDB sends them

TRIES = 12
_PAUSE = 0.02  # seconds, growing with every try, with full jitter
P = ParamSpec("P")
R = TypeVar("R")


def settled(or_raise: type[Problem]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """For an act that reads and decides: it does so anew as long as others change the same in between.

    `or_raise` is what is told in the end. Nothing may be left behind by a try that raises Changed.
    """

    def settle(act: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(act)
        def settled_act(*args: P.args, **named: P.kwargs) -> R:
            for attempt in range(TRIES):
                try:
                    return act(*args, **named)
                except Changed:
                    time.sleep(random.uniform(0, _PAUSE * (attempt + 1)))
            raise or_raise()

        return settled_act

    return settle


# DynamoDB cancelled the transaction again and again because others held the same items: nothing was written.
ServerBusy = TooMany.named("server_busy", "办理的人太多，请稍等几秒再试。", retry_after=2)


class transaction:  # noqa: N801 - reads as a statement: `with transaction() as tx`
    """Collects writes; leaving the block without an error commits them in one TransactWriteItems."""

    def __init__(self) -> None:
        self._calls: list[tuple[int, Problem | None, Any]] = []

    def create(self, item: Item, *, or_raise: Problem) -> None:
        """Write a new item; refused when one with this key exists."""
        self._calls.append((_PUT, or_raise, (item, Item.pk.does_not_exist())))

    def put(self, item: Item, *, when: Condition | None = None, or_raise: Problem | None = None) -> None:
        """Write an item over whatever is there."""
        self._calls.append((_PUT, or_raise, (item, when)))

    def update(
        self,
        item: Item,
        actions: Sequence[Action],
        *,
        when: Condition | None = None,
        or_raise: Problem | None = None,
        create: bool = False,
    ) -> None:
        """Change attributes of an item. It must exist, unless `create`: then its kind is set with it.

        The object in memory stays as it was: what the table holds now is known only to the table.
        """
        if create:
            # An item made by an update has no discriminator unless set; a query would skip it without a word.
            actions = [*actions, type(item).kind.set(type(item))]
        else:
            exists = Item.pk.exists()
            when = exists if when is None else exists & when
        self._calls.append((_UPDATE, or_raise, (item, list(actions), when)))

    def check(self, item: Item, *, when: Condition, or_raise: Problem) -> None:
        """Let the whole transaction depend on an item that it does not change."""
        self._calls.append((_CHECK, or_raise, (item, when)))

    def delete(self, item: Item, *, when: Condition | None = None, or_raise: Problem | None = None) -> None:
        self._calls.append((_DELETE, or_raise, (item, when)))

    def __enter__(self) -> transaction:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is None and self._calls:
            self._commit()

    def _commit(self) -> None:
        # botocore repeats a request whose answer was lost with the same token, and DynamoDB then answers as the
        # first time: a lost answer cannot look like a failed condition.
        token, in_doubt = str(uuid.uuid4()), False
        for attempt in range(CONFLICT_TRIES):
            if attempt:
                time.sleep(random.uniform(0, _FIRST_PAUSE * 2**attempt))
            try:
                self._send(token)
                return
            except TransactWriteError as error:
                in_doubt = in_doubt or _may_be_at_work(error)
                if not (_in_progress(error) or self._is_conflict(error)):
                    raise
            if not in_doubt:  # or the try that is still at work could be done beside the next one
                token = str(uuid.uuid4())
        raise PerhapsDone() if in_doubt else ServerBusy()

    def _send(self, token: str) -> None:
        with TransactWrite(connection=_connection(), client_request_token=token) as write:
            for call, _, arguments in self._calls:
                if call == _CHECK:
                    item, when = arguments
                    write.condition_check(type(item), item.pk, item.sk, condition=when)
                elif call == _DELETE:
                    write.delete(arguments[0], condition=arguments[1])
                elif call == _PUT:
                    write.save(arguments[0], condition=arguments[1])
                else:
                    item, actions, when = arguments
                    write.update(item, actions=actions, condition=when)

    def _is_conflict(self, error: TransactWriteError) -> bool:
        """True when trying again may help; raises the named error of the first failed condition."""
        if aws.error_code(error) != "TransactionCanceledException":
            return False
        sent_order = sorted(range(len(self._calls)), key=lambda i: self._calls[i][0])
        codes = {
            position: reason.code
            for position, reason in zip(sent_order, error.cancellation_reasons, strict=True)
            if reason is not None
        }
        for position in sorted(codes):
            if codes[position] == "ConditionalCheckFailed":
                raise self._calls[position][1] or error
        return bool(codes) and set(codes.values()) <= {
            "TransactionConflict",
            "ThrottlingError",
            "ProvisionedThroughputExceeded",
        }


def _in_progress(error: TransactWriteError) -> bool:
    return aws.error_code(error) == "TransactionInProgressException"


def _may_be_at_work(error: TransactWriteError) -> bool:
    """Whether an earlier try than the one that was answered may still be carried out: one that botocore had to repeat."""
    first = getattr(error.cause, "__cause__", None)  # botocore's own error: PynamoDB's knows nothing of repeats
    answer = getattr(first, "response", None) or {}
    return _in_progress(error) or bool(answer.get("ResponseMetadata", {}).get("RetryAttempts"))


def _connection() -> Connection:
    """The connection the models use, so that one client (and one pool) serves both."""
    return Item._get_connection().connection
