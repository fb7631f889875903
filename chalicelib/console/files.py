"""Files that an administrator has put into the media bucket's folder `imports/`, for a command that names them.

A table with a thousand rows does not fit into a test event, and pasted into JSON it would lose its encoding. Whoever may
open the bucket in the S3 console may upload there; no function writes there, and only `administer` reads.
"""

from __future__ import annotations

import os
from typing import Annotated

from botocore.exceptions import ClientError
from msgspec import Meta

from chalicelib.kit import aws
from chalicelib.kit.errors import Invalid

FOLDER = "imports/"
Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f\ud800-\udfff]+\Z")]
# A role that may not list the bucket is told AccessDenied of a file that is not there.
_NOT_THERE = frozenset({"NoSuchKey", "404", "AccessDenied", "403"})


FileNotFound = Invalid.named(
    "file_not_found",
    f"没有读到文件：请先在 S3 控制台把它上传到存储桶的 {FOLDER} 文件夹，文件名要一字不差。",
    fields={"file": f"{FOLDER} 里没有找到这个文件"},
)


def fetch(name: str, *, at_most: int) -> bytes:
    """The bytes of a file, or FileNotFound. Of a larger one it reads one byte more than `at_most`, so that it shows."""
    key = f"{FOLDER}{name.removeprefix(FOLDER)}"
    try:
        answer = aws.client("s3").get_object(Bucket=os.environ["MEDIA_BUCKET"], Key=key)
    except ClientError as error:
        if aws.error_code(error) in _NOT_THERE:
            raise FileNotFound() from None
        raise
    raw: bytes = answer["Body"].read(at_most + 1)
    return raw
