"""Pictures, the bucket and the worker, around the content slice."""

from __future__ import annotations

import io
import json
import time
from datetime import datetime
from typing import Any

import urllib3
from PIL import Image

from chalicelib import photo_uploads
from chalicelib.content import jobs as timers_of_content  # noqa: F401 - registers them
from chalicelib.content import photos
from chalicelib.content.models import Photo, Review
from chalicelib.kit import clock, ids
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices.models import Notice
from chalicelib.people.models import partition
from tests.engine import local_aws
from tests.neighbourhood import Neighbour


def inbox_of(somebody: Neighbour) -> str:
    """What their messages say."""
    return "\n".join(notice.text for notice in Notice.query(partition(somebody.id), Item.sk.startswith(Notice.PREFIX)))


class Context:
    aws_request_id = "request-of-the-tests"


def attempt(actor: str, key: str | None = None, body: bytes = b"{}") -> Attempt:
    return Attempt(actor, "POST /test", body, key)


def picture(colour: Any = (90, 120, 200), size: tuple[int, int] = (64, 48), kind: str = "JPEG", **more: Any) -> bytes:
    """The stand-in calls a red picture risky, a yellow one worth a look, any other fine."""
    written = io.BytesIO()
    Image.new("RGB", size, colour).save(written, kind, **more)
    return written.getvalue()


RED, YELLOW = (250, 10, 10), (250, 250, 10)


def upload(form: photos.UploadForm, content: bytes, **changed: str) -> int:
    """What `wx.uploadFile` does with a form; the HTTP status."""
    fields = {**form.fields, **changed, "file": ("photo", content)}
    return urllib3.request("POST", form.url, fields=fields, retries=False).status


def objects(prefix: str) -> list[str]:
    found = local_aws.client("s3").list_objects_v2(Bucket=local_aws.ENVIRONMENT["MEDIA_BUCKET"], Prefix=prefix)
    return [each["Key"] for each in found.get("Contents", [])]


def announcements(key: str) -> list[dict[str, Any]]:
    """What S3 put into the queue about one key, as Lambda gets it; other tests' messages are left alone."""
    sqs = local_aws.client("sqs")
    queue = sqs.get_queue_url(QueueName="weijiayuan-test-photos")["QueueUrl"]
    found: list[dict[str, Any]] = []
    give_up = time.monotonic() + 5
    while not found and time.monotonic() < give_up:
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            if key in message["Body"]:
                found.append({"messageId": message["MessageId"], "body": message["Body"]})
        if messages:
            done = [{"Id": each["MessageId"], "ReceiptHandle": each["ReceiptHandle"]} for each in messages]
            sqs.delete_message_batch(QueueUrl=queue, Entries=done)
    return found


def announcement(key: str) -> dict[str, Any]:
    """The same without asking the queue."""
    body = {"Records": [{"eventName": "ObjectCreated:Post", "s3": {"object": {"key": key}}}]}
    return {"messageId": ids.new_id("message"), "body": json.dumps(body)}


def work(*messages: dict[str, Any]) -> list[str]:
    """Run the worker as Lambda does; the messages that come again."""
    answer = photo_uploads.process_photos({"Records": list(messages)}, Context())
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def invite(author: Neighbour, *, subject_pk: str | None = None, now: datetime | None = None) -> Photo:
    """A photo for some subject of no slice in particular."""
    with transaction() as tx:
        return photos.invite(
            tx,
            subject_pk=subject_pk or f"THING#{ids.new_id('thing')}",
            author_id=author.id,
            area=author.hood.community,
            attempt=attempt(author.id),
            now=now or clock.now(),
        )


def put_upload(photo: Photo, content: bytes) -> None:
    """Past S3's own checks, which have tests of their own."""
    local_aws.client("s3").put_object(Bucket=local_aws.ENVIRONMENT["MEDIA_BUCKET"], Key=photo.upload_key, Body=content)


def taken_in(author: Neighbour, content: bytes | None = None) -> Photo:
    """A photo that WeChat has been asked about."""
    photo = invite(author)
    put_upload(photo, content or picture())
    assert work(announcement(photo.upload_key)) == []
    return again(photo)


def again(item: Any) -> Any:
    """The item as the table has it now."""
    return type(item).fetch(item.pk, item.sk)


def review_of(photo: Photo) -> Review:
    return Review.fetch(f"REVIEW#{again(photo).review_id}", "REVIEW")
