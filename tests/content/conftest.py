"""People with phones, the stand-in for WeChat, and the bucket, around the content slice."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import urllib3
from PIL import Image

from chalicelib import photo_uploads
from chalicelib.content import jobs as timers_of_content  # noqa: F401 - registers them
from chalicelib.content import photos
from chalicelib.content.models import Photo, Review
from chalicelib.kit import auth, clock, ids
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices.models import Notice
from chalicelib.people import service as people
from chalicelib.people.models import Duty, partition
from local.wechat.control import StandIn
from tests.engine import local_aws

AREA = "330402001001"
OTHER_AREA = "330402002001"


class Neighbour:
    """Somebody logged in. `phone` is their id in the stand-in."""

    def __init__(self, caller: Caller, token: str, phone: str) -> None:
        self.caller, self.token, self.phone = caller, token, phone
        self.id = caller.id

    @property
    def notices(self) -> list[str]:
        """The kinds of their messages, oldest first."""
        return [notice.topic for notice in sorted(self._inbox(), key=lambda notice: notice.sk)]

    @property
    def texts(self) -> str:
        return "\n".join(notice.text for notice in self._inbox())

    def _inbox(self) -> list[Notice]:
        return [item for item in Item.collection(partition(self.id)) if isinstance(item, Notice)]


@pytest.fixture
def neighbour(wechat: StandIn) -> Callable[..., Neighbour]:
    """`neighbour()` is a resident; `neighbour(moderates="330402")` a moderator over an area."""
    wechat.clear_calls()

    def arrive(moderates: str | None = None) -> Neighbour:
        phone = ids.new_id("phone")
        wechat.add_person(phone, phone)
        now = clock.now()
        first = people.log_in(js_code=wechat.login_code(phone), now=now)
        caller = auth.check(f"Bearer {first.token}", now=now)
        session = people.consent(caller=caller, version=auth.privacy().version, now=now)
        caller = auth.check(f"Bearer {session.token}", now=now)
        if moderates:
            Duty.new(caller.id, "moderator", moderates, from_at=now, until_at=None, granted_by="test").save()
        return Neighbour(caller, session.token, phone)

    return arrive


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
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            if key in message["Body"]:
                found.append({"messageId": message["MessageId"], "body": message["Body"]})
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
            area=AREA,
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
