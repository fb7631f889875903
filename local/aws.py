"""ministack, with a check of IAM that it leaves out: ssm:GetParameters is allowed or refused by the names it asks for.

By itself it checks that call against no parameter at all, so a role that lists its parameters could read none. On AWS
one name that the role does not list refuses the whole call. Started by `local.stack`.
"""

from __future__ import annotations

import json
from typing import Any

from ministack.app import main
from ministack.core import iam_actions
from ministack.core.iam_evaluator import enforce
from ministack.core.router import extract_access_key_id

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
