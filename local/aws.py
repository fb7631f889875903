"""ministack with two things that it leaves out.

It saves its state when it is asked to stop, but nobody learns whether it got so far: `local.kept` does.

It checks ssm:GetParameters against no parameter at all, so a role that lists its parameters could read none. On AWS one
name that the role does not list refuses the whole call.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ministack.app import main
from ministack.core import iam_actions
from ministack.core.iam_evaluator import enforce
from ministack.core.router import extract_access_key_id

from local import kept

_resource_of = iam_actions.extract_resource_arn


def _first_refused(
    service: str, method: str, path: str, headers: Any, body: bytes, query: Any, region: str, account: str
) -> str:
    """What ministack is to check: of several parameters the first that is refused, or any when none is."""
    if service != "ssm" or not headers.get("x-amz-target", "").endswith(".GetParameters"):
        arn: str = _resource_of(service, method, path, headers, body, query, region, account)
        return arn
    key = extract_access_key_id(headers, query)
    arns = [f"arn:aws:ssm:{region}:{account}:parameter/{name.lstrip('/')}" for name in json.loads(body)["Names"]]
    refused = (arn for arn in arns if enforce(key, "ssm:GetParameters", "ssm", region, resource_arn=arn))
    return next(refused, arns[0])


if __name__ == "__main__":
    iam_actions.extract_resource_arn = _first_refused
    main()
    # Killed, it does not come to this.
    if os.environ["PERSIST_STATE"] == "1":
        kept.end(Path(os.environ["STATE_DIR"]).parent)
