"""The deployed API from outside: what the gateway answers by itself, and that the function behind it answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import urllib3

from local.stack import Stack


@pytest.fixture(scope="module")
def http() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False) as pool:
        yield pool


def test_the_api_answers_with_its_own_role_alone(stack: Stack, http: urllib3.PoolManager) -> None:
    answer = http.request("GET", f"{stack.api_url}privacy-notice")
    assert answer.status == 200
    assert "手机号" in answer.json()["text"]


@pytest.mark.parametrize(("method", "path"), [("GET", "no-such-route"), ("PATCH", "login"), ("GET", "areas/1/2/3")])
def test_an_address_that_does_not_exist_is_a_problem_in_chinese(
    stack: Stack, http: urllib3.PoolManager, method: str, path: str
) -> None:
    answer = http.request(method, stack.api_url + path)
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json; charset=utf-8"
    assert answer.json()["code"] == "not_found"
    assert answer.json()["detail"] == "没有这个地址，请检查后再试。"


def test_a_body_of_ten_megabytes_is_refused_as_too_large(stack: Stack, http: urllib3.PoolManager) -> None:
    body = b'{"code": "' + b"x" * 10_500_000 + b'"}'
    answer = http.request("POST", f"{stack.api_url}login", body=body, headers={"Content-Type": "application/json"})
    assert answer.status == 413
    assert answer.json()["code"] == "too_large"


def test_wechat_finds_the_callback(stack: Stack) -> None:
    assert stack.wechat.verify_callback()
