"""What a redemption's transaction takes without the mall around it, for `bench.stampede` to compare with."""

from __future__ import annotations

import itertools
import json
import secrets
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from botocore.config import Config

from bench.crowd import BUCKETS, POINTS, PRICE, Beside, Buyer, Market, Sight
from chalicelib.kit import auth, aws, clock
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.table import Item
from chalicelib.mall import redeeming
from chalicelib.mall.models import StockBucket
from chalicelib.mall.redeeming import Wish
from chalicelib.points.models import Account
from tests.engine import local_aws, wire


class Bare:
    """The transaction of a redemption as anybody would send it who has no mall: botocore, the same items, bytes and
    conditions, each time for somebody else. Taken from a real redemption."""

    _PRODUCT = "bares-000000000000"

    def __init__(self, *, seed: int = 1) -> None:
        caller = Caller(f"res_{secrets.token_hex(16)}", "", "", 0, auth.privacy().version)
        market = Market.opened(masks=1, buyers=[Buyer(caller, 1, POINTS, None)], buckets=1, seed=seed)
        self._account = _stored(Account.key(caller.id))
        self._bucket = _stored(StockBucket.key(market.product_id, 0))
        seen = _Transaction()
        with wire.watched(seen):
            made = redeeming.redeem(
                caller=caller,
                product_id=market.product_id,
                wish=Wish(quantity=1, price=PRICE),
                attempt=Attempt(caller.id, f"/products/{market.product_id}/redemptions", b"{}", "tap"),
                now=clock.now(),
            )
        assert len(self._PRODUCT) == len(market.product_id)
        items = json.dumps(seen.items, ensure_ascii=False).replace(market.product_id, self._PRODUCT)
        self._items, self._resident, self._redemption, self._code = items, caller.id, made.id, str(made.code)
        self._client = aws.session().create_client("dynamodb", config=Config(max_pool_connections=64))
        self._number = itertools.count()
        self._write(
            self._bucket | {"PK": {"S": f"STOCK#{self._PRODUCT}#{number}"}, "left": {"N": "1000000"}}
            for number in range(BUCKETS)
        )

    def prepare(self, number: int) -> list[Callable[[Sight], Beside]]:
        """So many transactions that will succeed, in any order; none shares more than a redemption does."""
        prepared, accounts = [], []
        for _ in range(number):
            each = next(self._number)
            resident = f"{self._resident[:-8]}{each:08d}"
            text = self._items.replace(self._resident, resident)
            text = text.replace(self._redemption, f"{self._redemption[:-8]}{each:08d}").replace(
                self._code, f"{each:08d}"
            )
            items = json.loads(text.replace(f"STOCK#{self._PRODUCT}#0", f"STOCK#{self._PRODUCT}#{each % BUCKETS}"))
            prepared.append(partial(self._send, items))
            accounts.append(self._account | {"PK": {"S": self._account["PK"]["S"].replace(self._resident, resident)}})
        self._write(accounts)
        return prepared

    def _send(self, items: list[dict[str, Any]], sight: Sight) -> Beside:
        sight.begin(loses=False)
        began = time.perf_counter()
        self._client.transact_write_items(TransactItems=items)
        ended = time.perf_counter()
        return Beside(ended - began, ended)

    def _write(self, items: Iterable[dict[str, Any]]) -> None:
        waiting = [{"PutRequest": {"Item": item}} for item in items]
        for at in range(0, len(waiting), 25):
            asked = {Item.Meta.table_name: waiting[at : at + 25]}
            answer = self._client.batch_write_item(RequestItems=asked)
            assert not answer["UnprocessedItems"]


class _Transaction(wire.Watcher):
    """The items of the transaction that was sent."""

    items: list[dict[str, Any]]

    def parameters(self, service: str, operation: str, parameters: dict[str, Any]) -> None:
        if operation == "TransactWriteItems":
            self.items = parameters["TransactItems"]


def _stored(key: Item) -> dict[str, Any]:
    asked = {"PK": {"S": key.pk}, "SK": {"S": key.sk}}
    answer = local_aws.client("dynamodb").get_item(TableName=Item.Meta.table_name, Key=asked)
    item: dict[str, Any] = answer["Item"]
    return item
