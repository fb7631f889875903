"""What an act's AWS calls take without the act around them, for benchmarks to compare with."""

from __future__ import annotations

import itertools
import json
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
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

Items = list[dict[str, Any]]


class Bare:
    """The calls of an act as anybody would send them who has no code of ours: botocore, the same items, bytes and
    conditions, each time for somebody else. Taken from a real act (`calls`, see `watched`) and sent through the models'
    own client, so that pool, timeouts, retries and checks of parameters are the same.

    `another(text, number)` puts the number into the ids in a text, so that the calls are somebody else's; `people` are
    the items that somebody must have before.
    """

    def __init__(self, calls: Calls, people: Items, another: Callable[[str, int], str]) -> None:
        self._calls = json.dumps([calls.read, calls.written], ensure_ascii=False)
        self._people, self._another = json.dumps(people, ensure_ascii=False), another
        self._number = itertools.count()

    def prepare(self, number: int) -> list[Callable[[Sight], Beside | None]]:
        """So many that will succeed, in any order; none shares more than the act does. Every other one is the
        transaction alone, the others read first."""
        prepared: list[Callable[[Sight], Beside | None]] = []
        people: Items = []
        for _ in range(number):
            each = next(self._number)
            read, written = json.loads(self._another(self._calls, each))
            prepared.append(partial(_do, read if each % 2 else None, written))
            people += json.loads(self._another(self._people, each))
        write(people)
        return prepared


class Calls(wire.Watcher):
    """What was read, and the items of the transaction that was sent."""

    read: dict[str, Any]
    written: Items

    def parameters(self, service: str, operation: str, parameters: dict[str, Any]) -> None:
        if operation == "BatchGetItem":
            self.read = parameters["RequestItems"]
        if operation == "TransactWriteItems":
            self.written = parameters["TransactItems"]


def watched(act: Callable[[], Any]) -> tuple[Calls, Any]:
    """Do an act of one read and one transaction, and see what it sends."""
    seen = Calls()
    with wire.watched(seen):
        return seen, act()


def stored(*keys: Item) -> Items:
    """These items as the table has them."""
    client, found = local_aws.client("dynamodb"), []
    for key in keys:
        asked = {"PK": {"S": key.pk}, "SK": {"S": key.sk}}
        found.append(client.get_item(TableName=Item.Meta.table_name, Key=asked)["Item"])
    return found


def write(items: Iterable[dict[str, Any]]) -> None:
    waiting: Sequence[dict[str, Any]] = [{"PutRequest": {"Item": item}} for item in items]
    for at in range(0, len(waiting), 25):
        answer = _client().batch_write_item(RequestItems={Item.Meta.table_name: waiting[at : at + 25]})
        assert not answer["UnprocessedItems"]


def _client() -> Any:
    return Item._get_connection().connection.client


def _do(read: dict[str, Any] | None, written: Items, sight: Sight) -> Beside | None:
    """None when the engine was too slow for the client's patience: such an act's time does not count either."""
    client = _client()
    sight.begin(loses=False)
    began = time.perf_counter()
    try:
        if read is not None:
            client.batch_get_item(RequestItems=read)
        client.transact_write_items(TransactItems=written)
    except BotoCoreError:
        return None
    ended = time.perf_counter()
    return Beside(ended - began, ended, calls=1 if read is None else 2)


def of_a_redemption(*, seed: int = 1) -> Bare:
    """From a product of its own, with as many buckets as the real one."""
    product = f"bares-{secrets.token_hex(6)}"
    caller = Caller(f"res_{secrets.token_hex(16)}", "", "", 0, auth.privacy().version)
    market = Market.opened(masks=1, buyers=[Buyer(caller, 1, POINTS, None)], buckets=1, seed=seed)
    people = stored(Account.key(caller.id), Resident.key(caller.id))
    [bucket] = stored(StockBucket.key(market.product_id, 0))
    calls, made = watched(
        lambda: redeeming.redeem(
            caller=caller,
            product_id=market.product_id,
            wish=Wish(quantity=1, price=PRICE),
            attempt=Attempt(caller.id, f"/products/{market.product_id}/redemptions", b"{}", "tap"),
            now=clock.now(),
        )
    )
    full = {"left": {"N": "1000000"}}
    write(bucket | full | {"PK": {"S": f"STOCK#{product}#{number}"}} for number in range(BUCKETS))

    def another(text: str, number: int) -> str:
        text = text.replace(market.product_id, product).replace(
            f"STOCK#{product}#0", f"STOCK#{product}#{number % BUCKETS}"
        )
        text = text.replace(caller.id, f"{caller.id[:-8]}{number:08d}").replace(
            str(made.code), f"X{number:07d}"
        )  # as none that a test makes up
        return text.replace(made.id, f"{made.id[:-8]}{number:08d}")

    return Bare(calls, people, another)
