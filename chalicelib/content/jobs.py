"""What runs by itself here: the photo worker, and the timers of reviews and photos."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint

from chalicelib.content import (
    personal,  # noqa: F401 - registers what it holds about a person
    photos,
    reviews,
    uploads,
)
from chalicelib.kit import clock, log, timers

jobs = Blueprint(__name__)

timers.on("recheck_text")(reviews.recheck)
timers.on("await_upload")(photos.no_upload)
timers.on("await_photo_result")(photos.no_result)
timers.on("tidy_photo")(photos.tidy)


@jobs.on_sqs_message(queue_arn="photo_queue_arn", batch_size=5)  # type: ignore[untyped-decorator]
def process_photos(event: Any) -> dict[str, Any]:
    """Uploads announced by S3. Those that fail come again; the others of the batch do not."""
    failed = []
    for message in event.to_dict()["Records"]:
        log.begin(worker="process_photos", message_id=message["messageId"])
        try:
            for key in uploads.announced(message["body"]):
                uploads.take_in(key, now=clock.now())
        except Exception as error:  # noqa: BLE001 - one bad photo must not hold up the others
            log.crash(error)
            failed.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failed}
