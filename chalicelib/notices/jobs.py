"""The two workers between a new notice and the phone: from the table's stream into the queue, from there to WeChat."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint

from chalicelib.kit import batch, log
from chalicelib.notices.models import Notice
from chalicelib.notices.push import Letter, Round, enqueue

blueprint = Blueprint(__name__)


@blueprint.on_dynamodb_record(stream_arn="stream_arn", name="dispatch_notices")  # type: ignore[untyped-decorator]
def dispatch_notices(event: Any) -> dict[str, Any]:
    """Put new notices into the push queue. From the first that fails on, the stream gives all again."""
    log.begin(worker="dispatch_notices", request_id=event.context.aws_request_id)
    records = event.to_dict()["Records"]
    letters: list[Letter] = []
    failed: dict[str, Any] | None = None
    for record in records:
        try:
            letters.append(_letter(record["dynamodb"]["NewImage"]))
        except (KeyError, TypeError, AttributeError) as error:
            log.crash(error, record=record["dynamodb"]["SequenceNumber"])
            failed = record
            break
    refused = enqueue(letters)
    if refused:
        failed = records[letters.index(refused[0])]
    log.measure({"messages": len(records), "messages_failed": int(failed is not None)}, worker="dispatch_notices")
    return {"batchItemFailures": [{"itemIdentifier": failed["dynamodb"]["SequenceNumber"]}] if failed else []}


@blueprint.on_sqs_message(queue_arn="push_queue_arn", batch_size=10, name="push_notices")  # type: ignore[untyped-decorator]
def push_notices(event: Any) -> dict[str, Any]:
    """Send what is in the queue to WeChat."""
    log.begin(worker="push_notices", request_id=event.context.aws_request_id)
    context = event.context
    this_round = Round(seconds_left=lambda: float(context.get_remaining_time_in_millis()) / 1000)
    return batch.each(event.to_dict(), this_round.deliver, worker="push_notices")


def _letter(image: dict[str, dict[str, str]]) -> Letter:
    notice = Notice(image["PK"]["S"], image["SK"]["S"])
    return Letter(notice.resident_id, notice.id, image["template"]["S"])
