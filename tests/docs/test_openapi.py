from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import pytest
from chalice import Response
from msgspec import Meta
from openapi_spec_validator import OpenAPIV31SpecValidator

from chalicelib.kit import http
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Refused
from chalicelib.kit.http import Body, Paged, Routes, View
from local import openapi


class AskForMasks(Body, frozen=True):
    title: Annotated[str, Meta(min_length=1, max_length=20, description="What is needed.")]
    quantity: Annotated[int, Meta(ge=1, le=99)] = 1


class MasksWanted(Paged, frozen=True, kw_only=True):
    order: Literal["newest", "urgent"] = "newest"
    community: Annotated[str, Meta(description="Id of an area.")]


class Masks(View, frozen=True):
    """Masks somebody asked for."""

    id: str
    asked_at: datetime


class MaskList(View, frozen=True):
    items: list[Masks]
    next: str | None


class NoMasks(Refused):
    code, detail = "no_masks", "口罩没有了，请过几天再来。"


@pytest.fixture
def described(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(http, "ROUTES", [])
    routes = Routes("masks")

    @routes.post("/masks", status=201, delegable=True)
    def ask(caller: Caller, body: AskForMasks, attempt: Attempt, now: datetime) -> Masks:
        """Ask for masks.

        At most 99 at a time.
        """
        raise NoMasks()

    @routes.get("/masks")
    def wanted(caller: Caller, query: MasksWanted) -> MaskList:
        """Masks wanted in a community."""
        raise NoMasks()

    @routes.delete("/masks/{mask_id}", needs="login")
    def withdraw(caller: Caller, mask_id: str) -> None:
        """Withdraw."""

    @routes.get("/callback")
    def callback(request: Any) -> Response:
        """What WeChat calls."""
        return Response("")

    return openapi.document(http.ROUTES, [NoMasks])


def test_the_document_is_valid_openapi_3_1(described: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(described).validate()


def test_a_view_is_described_by_its_docstring_and_its_slice(described: dict[str, Any]) -> None:
    ask = described["paths"]["/masks"]["post"]
    assert (ask["summary"], ask["description"]) == ("Ask for masks", "At most 99 at a time.")
    assert ask["operationId"].endswith("_ask")
    assert ask["tags"] == [described["tags"][0]["name"]]


def test_body_and_answer_are_described_by_their_shapes(described: dict[str, Any]) -> None:
    ask = described["paths"]["/masks"]["post"]
    assert ask["requestBody"] == {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/AskForMasks"}}},
    }
    assert ask["responses"]["201"]["content"]["application/json"]["schema"]["$ref"].endswith("/Masks")
    shape = described["components"]["schemas"]["AskForMasks"]
    assert shape["properties"]["title"]["maxLength"] == 20
    assert shape["additionalProperties"] is False


def test_a_query_becomes_parameters_and_no_schema(described: dict[str, Any]) -> None:
    parameters = {p["name"]: p for p in described["paths"]["/masks"]["get"]["parameters"]}
    assert set(parameters) == {"cursor", "order", "community"}
    assert parameters["community"]["required"]
    assert parameters["community"]["description"] == "Id of an area."
    assert parameters["order"]["schema"]["default"] == "newest"
    assert "MasksWanted" not in described["components"]["schemas"]


def test_headers_are_named_only_where_they_do_something(described: dict[str, Any]) -> None:
    ask, withdraw = described["paths"]["/masks"]["post"], described["paths"]["/masks/{mask_id}"]["delete"]
    assert [p["$ref"].rpartition("/")[2] for p in ask["parameters"]] == ["ActingFor", "IdempotencyKey"]
    assert [p["name"] for p in withdraw["parameters"]] == ["mask_id"]


def test_only_a_route_without_caller_is_open_to_anybody(described: dict[str, Any]) -> None:
    assert described["paths"]["/callback"]["get"]["security"] == []
    assert described["paths"]["/masks"]["get"]["security"] == [{"session": []}]


def test_a_route_names_the_refusals_that_apply_to_it(described: dict[str, Any]) -> None:
    def statuses(path: str, method: str) -> set[str]:
        return set(described["paths"][path][method]["responses"])

    assert statuses("/masks", "post") == {"201", "401", "403", "404", "409", "413", "422", "429", "500", "503"}
    assert statuses("/masks", "get") == {"200", "401", "403", "409", "422", "500", "503"}
    assert statuses("/masks/{mask_id}", "delete") == {"204", "401", "403", "404", "409", "413", "429", "500", "503"}
    assert statuses("/callback", "get") == {"200", "500", "503"}


def test_refusals_say_when_to_try_again_and_show_an_example(described: dict[str, Any]) -> None:
    refusals = described["components"]["responses"]
    assert "Retry-After" in refusals["TooMany"]["headers"]
    assert "headers" not in refusals["Refused"]
    assert refusals["Unauthorized"]["content"]["application/problem+json"]["example"]["code"] == "login_needed"
    assert (
        "| 409 | `no_masks` | 口罩没有了，请过几天再来。 |"
        in described["components"]["schemas"]["Problem"]["description"]
    )
