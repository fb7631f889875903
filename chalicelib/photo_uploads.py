"""The worker for photos that S3 announces. It stands above the slices, which register for photos that are settled."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint

from chalicelib import pictures  # noqa: F401 - slices register what they do about photos
from chalicelib.content import uploads
from chalicelib.kit import batch, clock, log

blueprint = Blueprint(__name__)


@blueprint.on_sqs_message(queue_arn="photo_queue_arn", batch_size=5, name="process_photos")  # type: ignore[untyped-decorator]
def process_photos(event: Any) -> dict[str, Any]:
    """Take in what was uploaded."""
    log.begin(worker="process_photos", request_id=event.context.aws_request_id)
    return batch.each(
        event.to_dict(), lambda body: uploads.announcement(body, now=clock.now()), worker="process_photos"
    )
