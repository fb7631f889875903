"""The worker for what WeChat tells us. It stands above the slices, which register for their events.

Lambda loads this module and not `app.py`: an account that WeChat closes must be erased everywhere all the same.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chalice import Blueprint

from chalicelib import personal, pictures  # noqa: F401 - slices register what they do about people and photos
from chalicelib.content import photo_checks
from chalicelib.kit import batch, clock, log
from chalicelib.notices import events
from chalicelib.wechat.callback import MediaChecked

blueprint = Blueprint(__name__)


@blueprint.on_sqs_message(queue_arn="wechat_events_queue_arn", batch_size=10, name="wechat_events")  # type: ignore[untyped-decorator]
def wechat_events(event: Any) -> dict[str, Any]:
    """Act on events that the callback has queued."""
    log.begin(worker="wechat_events", request_id=event.context.aws_request_id)
    return batch.each(event.to_dict(), lambda body: events.handle(body, now=clock.now()), worker="wechat_events")


@events.on(MediaChecked)
def _(event: MediaChecked, *, resident_id: str | None, now: datetime) -> None:
    photo_checks.result_arrived(event, now=now)
