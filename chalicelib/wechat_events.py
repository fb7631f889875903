"""The worker for what WeChat tells us. It stands above the slices, because each registers for its own events."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint

from chalicelib.kit import batch, clock, log
from chalicelib.notices import events

blueprint = Blueprint(__name__)


@blueprint.on_sqs_message(queue_arn="wechat_events_queue_arn", batch_size=10, name="wechat_events")  # type: ignore[untyped-decorator]
def wechat_events(event: Any) -> dict[str, Any]:
    """Act on events that the callback has queued."""
    log.begin(worker="wechat_events", request_id=event.context.aws_request_id)
    return batch.each(event.to_dict(), lambda body: events.handle(body, now=clock.now()))
