"""The worker that keeps what the catalogue says about stock a few seconds old.

A module of its own, because Lambda loads no more for it than it needs.
"""

from __future__ import annotations

from typing import Any

from chalice import Blueprint

from chalicelib.kit import log
from chalicelib.mall import products
from chalicelib.mall.models import StockBucket

blueprint = Blueprint(__name__)


@blueprint.on_dynamodb_record(stream_arn="stream_arn", name="look_at_stock")  # type: ignore[untyped-decorator]
def look_at_stock(event: Any) -> dict[str, Any]:
    """Stock has moved: let the catalogue say how much is left, once for all movements of some seconds.

    The last movement brings a look that sees all of them. A look that fails does not hold up the others of the batch;
    from the first movement it was for on, the stream gives all again.
    """
    log.begin(worker="look_at_stock", request_id=event.context.aws_request_id)
    records = event.to_dict()["Records"]
    moved: dict[str, str] = {}  # product id: the first record that names it
    for record in records:
        change = record["dynamodb"]
        bucket = StockBucket(change["Keys"]["PK"]["S"], change["Keys"]["SK"]["S"])
        moved.setdefault(bucket.product_id, change["SequenceNumber"])
    failed: list[str] = []
    for product_id, first in moved.items():
        try:
            products.look_at_level(product_id)
        except Exception as error:  # noqa: BLE001 - one product's trouble must not stop the others
            log.crash(error, product=product_id)
            failed.append(first)
    log.measure({"messages": len(records), "messages_failed": len(failed)}, worker="look_at_stock")
    return {"batchItemFailures": [{"itemIdentifier": first} for first in failed[:1]]}
