"""The bucket of pictures: `incoming/` is what phones sent, `held/` cleaned pictures without a verdict, `shown/` the rest.

Every picture in held/ and shown/ lies there twice, the second time as a thumbnail.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.content import rules
from chalicelib.kit import aws

# S3 says AccessDenied instead to a role that may not list the folder, so those who read may list (resources.yaml).
_MISSING = frozenset({"NoSuchKey", "404"})


def held_keys(name: str) -> tuple[str, str]:
    """Picture and thumbnail without a verdict."""
    return f"held/{name}.jpg", f"held/{name}-small.jpg"


def shown_keys(photo_id: str) -> tuple[str, str]:
    """Picture and thumbnail that everybody may see."""
    return f"shown/{photo_id}.jpg", f"shown/{photo_id}-small.jpg"


def form(key: str, content_type: str) -> dict[str, Any]:
    """`url` and `fields` with which exactly this key can be written for five minutes; S3 enforces size and type."""
    signed: dict[str, Any] = aws.client("s3").generate_presigned_post(
        _name(),
        key,
        Fields={"Content-Type": content_type},
        Conditions=[{"Content-Type": content_type}, ["content-length-range", 1, rules.LARGEST_UPLOAD]],
        ExpiresIn=int(rules.FORM_LIFE.total_seconds()),
    )
    return signed


def link(key: str, life: timedelta) -> str:
    """A link with which anybody can read this key for some time."""
    signed: str = aws.client("s3").generate_presigned_url(
        "get_object", Params={"Bucket": _name(), "Key": key}, ExpiresIn=int(life.total_seconds())
    )
    return signed


def fetch_upload(key: str) -> bytes | None:
    """What a phone sent, or None when it is gone. Never more than S3's own limit lets in, so never too large."""
    try:
        found: bytes = aws.client("s3").get_object(Bucket=_name(), Key=key)["Body"].read(rules.LARGEST_UPLOAD + 1)
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            return None
        raise
    return found


def holds(key: str) -> bool:
    """Whether something lies there."""
    found = aws.client("s3").list_objects_v2(Bucket=_name(), Prefix=key, MaxKeys=1).get("Contents", [])
    return any(each["Key"] == key for each in found)


def put_held(name: str, picture: bytes, thumbnail: bytes) -> None:
    for key, body in zip(held_keys(name), (picture, thumbnail), strict=True):
        aws.client("s3").put_object(Bucket=_name(), Key=key, Body=body, ContentType="image/jpeg")


def publish(name: str, photo_id: str) -> bool:
    """Copy from held/ to shown/, before the state says so: nobody has a link until it does. False when it is gone."""
    try:
        for held, shown in zip(held_keys(name), shown_keys(photo_id), strict=True):
            aws.client("s3").copy_object(Bucket=_name(), Key=shown, CopySource={"Bucket": _name(), "Key": held})
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            return False
        raise
    return True


def delete(*keys: str) -> None:
    for key in keys:
        aws.client("s3").delete_object(Bucket=_name(), Key=key)


def _name() -> str:
    return os.environ["MEDIA_BUCKET"]
