"""Listing[CallView] a Chalice app in process through events shaped as API Gateway shapes them.

answer = Http(app).post("/help-requests", json={"title": "口罩"}, token=token_of("resident_1"))
assert answer.status == 201 and answer.json["id"]

Every answer of ours must be one that docs/openapi.json names.
"""

from __future__ import annotations

import base64
import functools
import ipaddress
import json as jsonlib
import random
import re
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from chalice import Chalice

from chalicelib.kit import auth, clock

_NOTHING = object()


def token_of(
    resident_id: str,
    *,
    openid: str | None = None,
    session_version: int = 1,
    consent: bool = True,
    session: str | None = None,
    now: datetime | None = None,
) -> str:
    """A session token as the login gives out, without a login."""
    token, _ = auth.issue(
        resident_id=resident_id,
        openid=openid or f"openid-of-{resident_id}",
        session_version=session_version,
        consent=auth.privacy().version if consent else "",
        now=now or clock.now(),
        session=session,
    )
    return token


class Answer:
    def __init__(self, given: dict[str, Any]) -> None:
        self.status: int = given["statusCode"]
        several = {name: ", ".join(values) for name, values in given.get("multiValueHeaders", {}).items()}
        self.headers = {name.lower(): value for name, value in {**several, **given.get("headers", {})}.items()}
        body = given.get("body") or ""
        self.content: bytes = base64.b64decode(body) if given.get("isBase64Encoded") else body.encode()

    @property
    def text(self) -> str:
        return self.content.decode()

    @property
    def json(self) -> Any:
        return jsonlib.loads(self.content)

    @property
    def code(self) -> str | None:
        """The problem's code, None when all went well."""
        return self.json["code"] if self.status >= 400 else None

    @property
    def wrong(self) -> dict[str, str]:
        """The wrong fields of a 422 with their reasons."""
        return {each["field"]: each["reason"] for each in self.json.get("fields", [])}

    def __repr__(self) -> str:
        return f"<{self.status} {self.text[:300]}>"


class Http:
    def __init__(self, app: Chalice) -> None:
        self.app = app
        self.address = str(ipaddress.ip_address(random.randrange(2**32)))

    def get(self, path: str, **more: Any) -> Answer:
        return self.call("GET", path, **more)

    def post(self, path: str, **more: Any) -> Answer:
        return self.call("POST", path, **more)

    def put(self, path: str, **more: Any) -> Answer:
        return self.call("PUT", path, **more)

    def delete(self, path: str, **more: Any) -> Answer:
        return self.call("DELETE", path, **more)

    def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = _NOTHING,
        body: bytes | str | None = None,
        token: str | None = None,
        key: str | None = None,
        acting_for: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """`path` may have a query and is percent-encoded by the caller, as on the wire. `key` is the Idempotency-Key."""
        sent = {"Host": "api.test", "Accept": "application/json"}
        if json is not _NOTHING:
            body, sent["Content-Type"] = jsonlib.dumps(json, ensure_ascii=False), "application/json"
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if key is not None:
            sent["Idempotency-Key"] = key
        if acting_for is not None:
            sent["Acting-For"] = acting_for
        event = self._event(method, path, body, sent | (headers or {}))
        answer = Answer(_NO_SUCH_ROUTE if event is None else self.app(event, _Context()))
        if event is not None and self.app.app_name == "weijiayuan":
            documented = _documented(method, event["resource"])
            assert str(answer.status) in documented, f"docs/openapi.json: {method} {event['resource']} says {answer}"
            media = documented[str(answer.status)]
            assert not answer.content or answer.headers["content-type"].partition(";")[0] in media, (event, answer)
        return answer

    def _event(
        self, method: str, path: str, body: bytes | str | None, headers: dict[str, str]
    ) -> dict[str, Any] | None:
        path, _, query = path.partition("?")
        resource, parameters = self._match(method, path)
        if resource is None:
            return None
        values = parse_qs(query, keep_blank_values=True) or None
        kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
        # API Gateway hands over text, with U+FFFD for what is no UTF-8, unless the type counts as binary.
        binary = kind.partition(";")[0].strip() in self.app.api.binary_types
        if isinstance(body, bytes):
            body = base64.b64encode(body).decode() if binary else body.decode("utf-8", "replace")
        return {
            "resource": resource,
            "path": path,
            "httpMethod": method,
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "queryStringParameters": {name: each[-1] for name, each in values.items()} if values else None,
            "multiValueQueryStringParameters": values,
            "pathParameters": parameters or None,
            "stageVariables": None,
            "requestContext": {
                "resourcePath": resource,
                "path": f"/api{path}",
                "httpMethod": method,
                "requestId": str(uuid.uuid4()),
                "stage": "api",
                "identity": {"sourceIp": self.address},
            },
            "body": body,
            "isBase64Encoded": binary and body is not None,
        }

    def _match(self, method: str, path: str) -> tuple[str | None, dict[str, str]]:
        """The most literal resource wins, as in API Gateway; parameters stay percent-encoded, as there."""
        for resource in sorted(self.app.routes, key=lambda route: route.count("{")):
            found = _pattern(resource).fullmatch(path)
            if found and method in self.app.routes[resource]:
                return resource, found.groupdict()
        return None, {}


@functools.cache
def _documented(method: str, resource: str) -> dict[str, list[str]]:
    """Each status that a route may answer, with its media types."""
    document = _document()
    answers = document["paths"][resource][method.lower()]["responses"]
    shared = document["components"]["responses"]
    whole = {status: shared.get(each.get("$ref", "").rpartition("/")[2], each) for status, each in answers.items()}
    return {status: list(each.get("content", {})) for status, each in whole.items()}


@functools.cache
def _document() -> dict[str, Any]:
    found: dict[str, Any] = jsonlib.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text("utf-8"))
    return found


@functools.cache
def _pattern(resource: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(resource)))


# What the gateway says by itself about an address it does not know (`.chalice/resources.yaml`).
_NO_SUCH_ROUTE = {
    "statusCode": 404,
    "headers": {"Content-Type": "application/problem+json; charset=utf-8"},
    "body": jsonlib.dumps({"status": 404, "code": "not_found"}),
}


class _Context:
    """The parts of Lambda's context that somebody may look at."""

    function_name = "api_handler"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws-cn:lambda:cn-north-1:000000000000:function:api_handler"

    def __init__(self) -> None:
        self.aws_request_id = str(uuid.uuid4())

    def get_remaining_time_in_millis(self) -> int:
        return 20_000
