"""What a redemption's AWS calls take without the mall around them, for `bench.stampede` to compare with."""

from __future__ import annotations

import itertools
import json
import secrets
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError

from bench.crowd import BUCKETS, POINTS, PRICE, Beside, Buyer, Market, Sight
from chalicelib.kit import auth, clock
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.table import Item
from chalicelib.mall import redeeming
from chalicelib.mall.models import StockBucket
from chalicelib.mall.redeeming import Wish
from chalicelib.people.models import Resident
from chalicelib.points.models import Account
from tests.engine import local_aws, wire


class Bare:
    """The calls of a redemption as anybody would send them who has no mall: botocore, the same items, bytes and
    conditions, each time for somebody else. Taken from a real redemption, and sent through the models' own client, so
    that pool, timeouts, retries and checks of parameters are the same."""

    _PRODUCT = "bares-000000000000"

    def __init__(self, *, seed: int = 1) -> None:
        caller = Caller(f"res_{secrets.token_hex(16)}", "", "", 0, auth.privacy().version)
        market = Market.opened(masks=1, buyers=[Buyer(caller, 1, POINTS, None)], buckets=1, seed=seed)
        self._people = [_stored(Account.key(caller.id)), _stored(Resident.key(caller.id))]
        bucket = _stored(StockBucket.key(market.product_id, 0))
        seen = _Calls()
        with wire.watched(seen):
            made = redeeming.redeem(
                caller=caller,
                product_id=market.product_id,
                wish=Wish(quantity=1, price=PRICE),
                attempt=Attempt(caller.id, f"/products/{market.product_id}/redemptions", b"{}", "tap"),
                now=clock.now(),
            )
        assert len(self._PRODUCT) == len(market.product_id)
        both = json.dumps([seen.read, seen.written], ensure_ascii=False)
        self._calls = both.replace(market.product_id, self._PRODUCT)
        self._resident, self._redemption, self._code = caller.id, made.id, str(made.code)
        self._client = Item._get_connection().connection.client
        self._number = itertools.count()
        self._write(
            bucket | {"PK": {"S": f"STOCK#{self._PRODUCT}#{number}"}, "left": {"N": "1000000"}}
            for number in range(BUCKETS)
        )

    def prepare(self, number: int) -> list[Callable[[Sight], Beside | None]]:
        """So many that will succeed, in any order; none shares more than a redemption does. Every other one is the
        transaction alone, the others read first."""
        prepared: list[Callable[[Sight], Beside | None]] = []
        people: list[dict[str, Any]] = []
        for _ in range(number):
            each = next(self._number)
            resident = f"{self._resident[:-8]}{each:08d}"
            text = self._calls.replace(self._resident, resident).replace(self._code, f"{each:08d}")
            text = text.replace(self._redemption, f"{self._redemption[:-8]}{each:08d}")
            read, written = json.loads(
                text.replace(f"STOCK#{self._PRODUCT}#0", f"STOCK#{self._PRODUCT}#{each % BUCKETS}")
            )
            prepared.append(partial(self._do, read if each % 2 else None, written))
            people += [one | {"PK": {"S": one["PK"]["S"].replace(self._resident, resident)}} for one in self._people]
        self._write(people)
        return prepared

    def _do(self, read: dict[str, Any] | None, written: list[dict[str, Any]], sight: Sight) -> Beside | None:
        """None when the engine was too slow for the client's patience: such a redemption's time does not count either."""
        sight.begin(loses=False)
        began = time.perf_counter()
        try:
            if read is not None:
                self._client.batch_get_item(RequestItems=read)
            self._client.transact_write_items(TransactItems=written)
        except BotoCoreError:
            return None
        ended = time.perf_counter()
        return Beside(ended - began, ended, calls=1 if read is None else 2)

    def _write(self, items: Iterable[dict[str, Any]]) -> None:
        waiting = [{"PutRequest": {"Item": item}} for item in items]
        for at in range(0, len(waiting), 25):
            asked = {Item.Meta.table_name: waiting[at : at + 25]}
            answer = self._client.batch_write_item(RequestItems=asked)
            assert not answer["UnprocessedItems"]


class _Calls(wire.Watcher):
    """What was read, and the items of the transaction that was sent."""

    read: dict[str, Any]
    written: list[dict[str, Any]]

    def parameters(self, service: str, operation: str, parameters: dict[str, Any]) -> None:
        if operation == "BatchGetItem":
            self.read = parameters["RequestItems"]
        if operation == "TransactWriteItems":
            self.written = parameters["TransactItems"]


def _stored(key: Item) -> dict[str, Any]:
    asked = {"PK": {"S": key.pk}, "SK": {"S": key.sk}}
    answer = local_aws.client("dynamodb").get_item(TableName=Item.Meta.table_name, Key=asked)
    item: dict[str, Any] = answer["Item"]
    return item
