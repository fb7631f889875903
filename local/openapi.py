"""Writes `docs/openapi.json` (OpenAPI 3.1) from the routes themselves; `--check` says whether it is current.

Everything in it is read from the code: paths and who may call them from `kit.http.ROUTES`, words from the
docstrings of views and shapes, schemas from the msgspec Structs, refusals from the subclasses of `Problem`.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from chalice import Response

from chalicelib.kit import errors, http
from chalicelib.kit.errors import Problem
from chalicelib.kit.http import Route

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "docs" / "openapi.json"

_JSON = "application/json"
_PROBLEM = "application/problem+json"
_HEADERS = {
    "ActingFor": {
        "name": "Acting-For",
        "in": "header",
        "description": "Id of the resident whose affair this is, when the caller acts as their delegate.",
        "schema": {"type": "string"},
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "A key the client makes for one act. A repeat with the same key and the same body gets the "
        "first answer and does nothing; the same key with another body is refused with 422.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,64}$"},
    },
}
_RETRY_AFTER = {"description": "Seconds to wait before trying again.", "schema": {"type": "integer", "minimum": 0}}
_WHY = {
    401: "No token, or one that is forged or has ended: log in again.",
    403: "Not allowed to this caller, or consent to the privacy notice is missing (`consent_needed`).",
    404: "It does not exist, or it is none of the caller's business.",
    409: "The rules do not allow it now, or somebody else was faster.",
    413: f"The body is larger than {http.BODY_AT_MOST // 1024} KiB.",
    422: "The request is wrong; `fields` says where.",
    429: "Too often, or too many at the same moment.",
    500: "A defect. Nothing of it is told; the log has it.",
    503: "Something the backend depends on does not answer. Repeat with the same Idempotency-Key; without one, "
    "look first whether it is done (`perhaps_done`).",
}
# What a route refuses beside that which can be seen by its form (tests/engine/http.py holds that nothing is missing).
_BESIDE = {
    "POST /login": {401, 403},
    "GET /me/copy": {404},
    "GET /redemptions/{redemption_id}/code": {429},
    "GET /wechat/callback": {403, 422},
    "POST /wechat/callback": {403, 422},
    "GET /statements/{number}": {429},
    "GET /statements/{number}/page": {429},
}
# What is not JSON, and which refusals are not either: people read them.
_NOT_JSON: dict[str, tuple[str, set[int]]] = {
    "GET /statements/{number}/page": ("text/html", {404, 429}),
    "GET /wechat/callback": ("text/plain", set()),
    "POST /wechat/callback": ("text/plain", set()),
}


def document(routes: Iterable[Route], problems: Iterable[type[Problem]] = ()) -> dict[str, Any]:
    """The OpenAPI document of these routes; the same routes give the same document."""
    routes = sorted(routes, key=lambda route: (route.path, route.method))
    refs, schemas = _schemas(routes)
    queries = {_ref_name(refs[shape]): schemas[_ref_name(refs[shape])] for shape in _shapes(r.query for r in routes)}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        query = queries[_ref_name(refs[route.query])] if route.query is not None else {}
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, query, refs)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "微嘉园",
            "version": tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"],
            "description": "JSON in snake_case, UTF-8. Times are ISO 8601 with +08:00. Lists are "
            "`{items, next}`: give `next` back as `cursor` for the rest. Every refusal is an RFC 9457 problem: "
            "show `detail` to people, decide by `code`.",
        },
        "servers": [{"url": "/api", "description": "The stage of the deployment that serves this document."}],
        "tags": _tags(routes),
        "paths": paths,
        "components": {
            "schemas": {name: schema for name, schema in sorted(schemas.items()) if name not in queries}
            | _problem_schemas(problems),
            "parameters": _HEADERS,
            "responses": _refusals(),
            "securitySchemes": {
                "session": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token `POST /login` answers with. It lives two hours.",
                }
            },
        },
    }


def _shapes(annotations: Iterable[Any]) -> list[Any]:
    """Each annotation once, without those that are no JSON."""
    shapes: list[Any] = []
    for shape in annotations:
        if shape not in (None, Response, inspect.Parameter.empty) and shape not in shapes:
            shapes.append(shape)
    return shapes


def _schemas(routes: list[Route]) -> tuple[dict[Any, dict[str, Any]], dict[str, Any]]:
    shapes = _shapes(shape for route in routes for shape in (route.query, route.body, route.result))
    described, components = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    return _in_ecma(dict(zip(shapes, described, strict=True))), _in_ecma(components)


def _in_ecma(schema: Any) -> Any:
    r"""The end of a text is `\Z` in Python's patterns and `$` in those of JSON Schema, which is ECMA's."""
    if isinstance(schema, list):
        return [_in_ecma(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: each.replace(r"\Z", "$") if name == "pattern" and isinstance(each, str) else _in_ecma(each)
        for name, each in schema.items()
    }


def _ref_name(schema: dict[str, Any]) -> str:
    name: str = schema["$ref"]
    return name.rpartition("/")[2]


def _operation(route: Route, query: dict[str, Any], refs: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    summary, _, description = inspect.cleandoc(route.view.__doc__ or "").partition("\n\n")
    operation: dict[str, Any] = {
        "operationId": f"{_slice(route)}_{route.view.__name__}",
        "tags": [_slice(route)],
        "summary": " ".join(summary.split()).rstrip("."),
        "security": [] if route.needs == "nobody" else [{"session": []}],
        "responses": _responses(route, refs),
    }
    if description:
        operation["description"] = description
    if parameters := _parameters(route, query):
        operation["parameters"] = parameters
    if route.body is not None:
        fields = msgspec.structs.fields(route.body)
        operation["requestBody"] = {
            "required": any(field.required for field in fields),
            "content": {_JSON: {"schema": refs[route.body]}},
        }
    return operation


def _slice(route: Route) -> str:
    """`chalicelib.help.routes` is the slice `help`; a view elsewhere goes by its module's name."""
    parts: list[str] = route.view.__module__.split(".")
    return parts[1] if parts[0] == "chalicelib" else parts[-1]


def _tags(routes: list[Route]) -> list[dict[str, str]]:
    tags = []
    for name in sorted({_slice(route) for route in routes}):
        package = sys.modules.get(f"chalicelib.{name}")
        about, _, _ = inspect.cleandoc(getattr(package, "__doc__", None) or "").partition("\n\n")
        tags.append({"name": name, "description": " ".join(about.split())} if about else {"name": name})
    return tags


def _parameters(route: Route, query: dict[str, Any]) -> list[dict[str, Any]]:
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", route.path)
    ]
    in_query = []
    for name, schema in query.get("properties", {}).items():
        parameter = {"name": name, "in": "query", "required": name in query.get("required", []), "schema": schema}
        if "description" in schema:
            parameter["description"] = schema["description"]
        in_query.append(parameter)
    headers = [
        {"$ref": f"#/components/parameters/{name}"}
        for name, wanted in (("ActingFor", route.delegable), ("IdempotencyKey", route.repeatable))
        if wanted
    ]
    return in_path + in_query + headers


def _responses(route: Route, refs: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    media, pages = _NOT_JSON.get(route.name, ("", set()))
    if route.result in refs:
        responses[str(route.status)] = {"description": "Done.", "content": {_JSON: {"schema": refs[route.result]}}}
    elif route.result is Response:
        responses[str(route.status)] = _page("Done.", media)
    else:
        responses[str(route.status)] = {"description": "Done; there is nothing to say."}
    writes = route.method != "GET"
    reads_input = route.body is not None or route.query is not None or route.repeatable
    applies = {
        401: route.needs != "nobody",
        403: route.needs != "nobody",
        404: "{" in route.path or route.body is not None,  # a body may name something, too
        409: writes or route.needs != "nobody",
        413: writes,
        422: reads_input,
        429: writes,
        500: True,
        503: True,
    }
    for status, wanted in applies.items():
        if wanted or status in _BESIDE.get(route.name, ()):
            refusal = {"$ref": f"#/components/responses/{_refusal_name(status)}"}
            responses[str(status)] = _page(_WHY[status], media) if status in pages else refusal
    return responses


def _page(description: str, media: str) -> dict[str, Any]:
    return {"description": description, "content": {media: {"schema": {"type": "string"}}}}


def _kinds() -> dict[int, type[Problem]]:
    """Each status with the first kind that answers it."""
    kinds: dict[int, type[Problem]] = {Problem.status: Problem}
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, Problem):
            kinds.setdefault(kind.status, kind)
    return dict(sorted(kinds.items()))


def _refusal_name(status: int) -> str:
    kind = _kinds()[status]
    return "Defect" if kind is Problem else kind.__name__


def _refusals() -> dict[str, Any]:
    responses = {}
    for status, kind in _kinds().items():
        response: dict[str, Any] = {
            "description": _WHY[status],
            "content": {
                _PROBLEM: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "example": json.loads(http.answer(kind()).body),
                }
            },
        }
        if hasattr(kind(), "retry_after"):
            response["headers"] = {"Retry-After": _RETRY_AFTER}
        responses[_refusal_name(status)] = response
    return responses


def _problem_schemas(problems: Iterable[type[Problem]]) -> dict[str, Any]:
    declared = [problem for problem in problems if problem is Problem or problem.code != Problem.code]
    rows = sorted({(problem.status, problem.code, _detail(problem)) for problem in declared})
    table = "\n".join(
        [
            "| status | code | detail |",
            "|---|---|---|",
            *(f"| {status} | `{code}` | {says} |" for status, code, says in rows),
        ]
    )
    field = {
        "type": "object",
        "properties": {"field": {"type": "string"}, "reason": {"type": "string", "description": "In Chinese."}},
        "required": ["field", "reason"],
    }
    return {
        "Problem": {
            "type": "object",
            "description": f"RFC 9457 problem details. Codes, more may come:\n\n{table}",
            "properties": {
                "type": {"type": "string", "const": "about:blank"},
                "title": {"type": "string", "description": "In Chinese."},
                "status": {"type": "integer"},
                "code": {"type": "string", "description": "Stable; for programs."},
                "detail": {
                    "type": "string",
                    "description": "What happened and what to do next, in Chinese; for people.",
                },
                "fields": {"type": "array", "items": field, "description": "Each wrong field, with 422 only."},
            },
            "required": ["type", "title", "status", "code", "detail"],
        }
    }


def _detail(problem: type[Problem]) -> str:
    """Many refusals say something else each time, e.g. how much is left."""
    return problem.detail if problem is Problem or problem.detail != Problem.detail else "（说明当时的情况）"


def problems() -> list[type[Problem]]:
    """Every refusal the backend declares."""
    found: list[type[Problem]] = []
    waiting = [Problem]
    while waiting:
        kind = waiting.pop()
        found.append(kind)
        waiting.extend(sub for sub in kind.__subclasses__() if sub.__module__.startswith("chalicelib."))
    return found


def as_text(openapi: dict[str, Any]) -> str:
    return json.dumps(openapi, ensure_ascii=False, indent=1) + "\n"


def main(arguments: list[str]) -> int:
    importlib.import_module("app")  # registers every slice's routes
    current = as_text(document(http.ROUTES, problems()))
    if arguments == ["--check"]:
        if TARGET.is_file() and TARGET.read_text("utf-8") == current:
            return 0
        print("docs/openapi.json is not what the code says; run: python -m local.openapi", file=sys.stderr)
        return 1
    TARGET.write_text(current, "utf-8")
    print(f"{TARGET.relative_to(ROOT)}: {len(http.ROUTES)} routes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
