"""AWS clients, made when first needed and kept for the life of the container.

botocore's clients, never boto3's resources, and no boto3 import: it adds nothing here and costs 40 ms.
"""

from __future__ import annotations

import functools
import gc
from typing import Any

import botocore.session
from botocore.config import Config

_CONFIG = Config(
    connect_timeout=1,
    read_timeout=4,
    retries={"total_max_attempts": 3, "mode": "standard"},
    signature_version=None,
)
# Virtual addressing puts the Region's own host into presigned links. Otherwise botocore signs the global one,
# which answers a redirect for a young bucket outside us-east-1. (An address with an IP keeps the path style.)
_S3 = Config(
    connect_timeout=2,
    read_timeout=20,
    retries={"total_max_attempts": 3},
    signature_version="s3v4",
    s3={"addressing_style": "virtual"},
)


@functools.cache
def session() -> botocore.session.Session:
    """One session for all clients, PynamoDB's too (see kit.table): a second one costs a cold start 25 ms."""
    # The code is loaded and stays. Frozen, the collector does not walk through it again and again while botocore
    # reads its large JSON: 25 ms of a cold start, and less in every request. (Off until here, see chalicelib.)
    gc.freeze()
    gc.enable()
    made = botocore.session.get_session()
    # A fixed name. Otherwise botocore composes its own anew, twice for each call: a seventh of a call's CPU time.
    made.set_default_client_config(Config(user_agent="weijiayuan"))
    return made


def error_code(error: BaseException | None) -> str | None:
    """The code AWS refused with, e.g. `TransactionCanceledException`; None when no answer came at all.

    Takes botocore's errors and PynamoDB's, whose own `cause_response_code` fails when the connection was cut.
    """
    answer = getattr(getattr(error, "cause", error), "response", None)
    code: str | None = answer["Error"]["Code"] if answer else None
    return code


@functools.cache
def client(service: str) -> Any:
    """The botocore client of a service, e.g. `client("sqs")`."""
    return session().create_client(service, config=_S3 if service == "s3" else _CONFIG)
