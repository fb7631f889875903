"""One token for all containers, one retry, and every way in which WeChat can fail to answer."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import threading
import time
import traceback
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from chalicelib.kit import clock
from chalicelib.kit.errors import Unavailable
from chalicelib.wechat import client, login, stable
from chalicelib.wechat.errors import MEANING, Meaning, WeChatRefused, WeChatUnavailable
from chalicelib.wechat.models import AccessToken

CHECK = "/wxa/msg_sec_check"
LOGIN = "/sns/jscode2session"
TOKEN = "/cgi-bin/stable_token"
OK = {"errcode": 0, "errmsg": "ok"}
EXPIRED = {"errcode": 42001, "errmsg": "access_token expired rid: 1"}


def tokens(scripted: Any, path: str = CHECK) -> list[str]:
    return [query["access_token"] for query, _ in scripted.asked(path)]


def other_container(scripted: Any) -> stable.StableClient:
    return stable.StableClient(scripted.appid, scripted.secret, scripted.base)


class TestTheToken:
    def test_it_is_fetched_once_and_shared_by_all_containers(self, scripted: Any) -> None:
        scripted.answers[CHECK] = OK
        client.mini_program().call(CHECK, {})
        client.mini_program().call(CHECK, {})
        other_container(scripted).call(CHECK, {})
        assert tokens(scripted) == ["TOKEN-1"] * 3
        assert len(scripted.asked(TOKEN)) == 1

    def test_it_is_the_stable_one_and_never_forced(self, scripted: Any) -> None:
        scripted.answers[CHECK] = EXPIRED
        with pytest.raises(WeChatRefused):
            client.mini_program().call(CHECK, {})
        for query, body in scripted.asked(TOKEN):
            assert query == {}, "secrets stay out of the address where WeChat allows it"
            assert body == {
                "grant_type": "client_credential",
                "appid": scripted.appid,
                "secret": scripted.secret,
                "force_refresh": False,
            }

    def test_an_old_one_in_the_table_is_not_used_although_dynamodb_has_not_removed_it(self, scripted: Any) -> None:
        scripted.answers[CHECK] = OK
        long_ago = clock.now() - timedelta(hours=3)
        AccessToken.issued(scripted.appid, "OLD", timedelta(hours=2), long_ago).save()
        client.mini_program().call(CHECK, {})
        assert tokens(scripted) == ["TOKEN-1"]

    def test_one_near_its_end_is_used_for_half_of_what_is_left(self, scripted: Any) -> None:
        now = clock.now()
        assert AccessToken.issued("a", "t", timedelta(hours=2), now).good_until == now + timedelta(seconds=7140)
        assert AccessToken.issued("a", "t", timedelta(seconds=40), now).good_until == now + timedelta(seconds=20)

    @pytest.mark.parametrize("errcode", [40001, 40014, 42001])
    def test_a_refused_one_is_replaced_and_the_call_repeated_once(self, scripted: Any, errcode: int) -> None:
        scripted.answers[TOKEN] = [
            {"access_token": "TOKEN-1", "expires_in": 7200},
            {"access_token": "TOKEN-2", "expires_in": 7200},
        ]
        scripted.answers[CHECK] = [{"errcode": errcode, "errmsg": "no"}, {**OK, "trace_id": "t"}]
        assert client.mini_program().call(CHECK, {})["trace_id"] == "t"
        assert tokens(scripted) == ["TOKEN-1", "TOKEN-2"]
        assert other_container(scripted).call(CHECK, {})["trace_id"] == "t"
        assert tokens(scripted)[-1] == "TOKEN-2"

    def test_a_token_refused_again_and_again_is_not_retried_for_ever(self, scripted: Any) -> None:
        scripted.answers[CHECK] = EXPIRED
        with pytest.raises(WeChatRefused) as refusal:
            client.mini_program().call(CHECK, {})
        assert refusal.value.meaning is Meaning.TOKEN
        assert len(scripted.asked(CHECK)) == 2
        assert len(scripted.asked(TOKEN)) == 2

    def test_what_another_container_fetched_meanwhile_is_taken_instead_of_a_new_one(self, scripted: Any) -> None:
        scripted.answers[CHECK] = [OK, EXPIRED, OK]
        mine = client.mini_program()
        mine.call(CHECK, {})
        other_container(scripted).session.set("", "TOKEN-OF-ANOTHER", 7200)
        mine.call(CHECK, {})
        assert tokens(scripted) == ["TOKEN-1", "TOKEN-1", "TOKEN-OF-ANOTHER"]
        assert len(scripted.asked(TOKEN)) == 1

    def test_a_wrong_secret_is_a_matter_of_configuration(self, scripted: Any) -> None:
        scripted.answers[TOKEN] = {"errcode": 40001, "errmsg": "invalid credential"}
        with pytest.raises(WeChatRefused) as refusal:
            client.mini_program().call(CHECK, {})
        assert refusal.value.meaning is Meaning.CONFIG

    @pytest.mark.parametrize(
        "nonsense",
        [
            {},
            {"access_token": 17, "expires_in": 7200},
            {"access_token": "", "expires_in": 7200},
            {"access_token": "x" * 513, "expires_in": 7200},
            {"access_token": "t\r\nX: y", "expires_in": 7200},
            {"access_token": "t", "expires_in": "soon"},
            {"access_token": "t", "expires_in": True},
            {"access_token": "t", "expires_in": -1},
        ],
    )
    def test_nonsense_instead_of_a_token_is_not_kept(self, scripted: Any, nonsense: dict[str, Any]) -> None:
        scripted.answers[TOKEN] = nonsense
        with pytest.raises(WeChatUnavailable) as failure:
            client.mini_program().call(CHECK, {})
        assert not failure.value.answer_lost, "the message itself was never sent"
        assert AccessToken.find(*AccessToken.keys(scripted.appid)) is None

    def test_a_lost_token_answer_means_that_the_message_was_surely_not_sent(self, scripted: Any) -> None:
        scripted.answers[TOKEN] = cut
        with pytest.raises(WeChatUnavailable) as failure:
            client.mini_program().call(CHECK, {})
        assert not failure.value.answer_lost

    def test_success_must_be_said(self, scripted: Any) -> None:
        scripted.answers[CHECK] = {}
        with pytest.raises(WeChatUnavailable) as failure:
            client.mini_program().call(CHECK, {})
        assert failure.value.answer_lost

    def test_a_refusal_says_what_to_do_and_quotes_no_secret(self, scripted: Any) -> None:
        openid = "o" + "7esq5OI1Uej6Xixw1lA2H7XDVbc"
        echo = f"bad {scripted.secret} TOKEN-1 {openid}\nline two " + "x" * 500
        scripted.answers[CHECK] = {"errcode": "43101", "errmsg": echo}
        with pytest.raises(WeChatRefused) as refusal:
            client.mini_program().call(CHECK, {})
        assert refusal.value.errcode == 43101
        assert refusal.value.meaning is Meaning.NO_CREDIT
        text = str(refusal.value)
        for secret in (scripted.secret, "TOKEN-1", openid, "\n"):
            assert secret not in text
        assert len(text) < 300

    @pytest.mark.parametrize(("errcode", "calls"), [(43101, 0), (43107, 1), (40037, 1), (12345, 1)])
    def test_a_refusal_that_only_an_administrator_can_end_calls_one(
        self, scripted: Any, logs: Any, errcode: int, calls: int
    ) -> None:
        scripted.answers[CHECK] = {"errcode": errcode, "errmsg": "no"}
        with pytest.raises(WeChatRefused):
            client.mini_program().call(CHECK, {})
        assert sum(metric.get("administrator_needed", 0) for metric in logs.metrics) == calls

    def test_system_busy_is_not_a_refusal_but_a_come_again(self, scripted: Any) -> None:
        scripted.answers[CHECK] = {"errcode": -1, "errmsg": "system error"}
        with pytest.raises(WeChatUnavailable) as failure:
            client.mini_program().call(CHECK, {})
        assert not failure.value.answer_lost

    def test_chinese_travels_as_it_is_written(self, scripted: Any) -> None:
        scripted.answers[CHECK] = OK
        client.mini_program().call(CHECK, {"content": "口罩\ud800"})
        assert scripted.bodies[-1] == '{"content": "口罩?"}'.encode()


def cut(handler: BaseHTTPRequestHandler) -> None:
    """Hang up after the request has been read."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def cut_in_the_middle(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"openid":')
    cut(handler)


def broken_header(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nno colon here\r\n\r\n{}")
    handler.close_connection = True


def silence(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(1.5)
    handler.close_connection = True


def drip(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    try:
        for _ in range(30):
            handler.wfile.write(b" ")
            time.sleep(0.1)
    except OSError:
        pass
    handler.close_connection = True


def flood(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n")
    try:
        for _ in range(1000):
            handler.wfile.write(b"[" * 10_000)
    except OSError:
        pass
    handler.close_connection = True


def says(scripted: Any, body: bytes, status: int = 200, kind: str = "application/json") -> Any:
    return lambda handler: scripted.respond(handler, body, status, kind)


class TestNoAnswer:
    """Seen through the login, which needs no token and so no table."""

    @pytest.fixture(autouse=True)
    def _impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stable, "READ_SECONDS", 0.5)
        monkeypatch.setattr(stable, "WHOLE_ANSWER_SECONDS", 0.8)

    def failure(self) -> WeChatUnavailable:
        with pytest.raises(WeChatUnavailable) as failure:
            login.code_to_session("code")
        return failure.value

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"ok",
            b"null",
            b"[]",
            b'"errcode"',
            b"12",
            b"{",
            b'{"errcode":"many"}',
            b'{"errcode":null}',
            b'{"errcode":[0]}',
            b'{"errcode":1e999}',
            b'{"errcode":NaN}',
            b"[" * 100_000,
            b"\xff\xfe\x00",
            b'{"openid":17}',
            b'{"openid":null,"session_key":"k"}',
            b'{"openid":"o/../x"}',
            b"\x89PNG\r\n",
        ],
    )
    def test_garbage_may_hide_that_it_was_done(self, scripted: Any, body: bytes) -> None:
        scripted.answers[LOGIN] = says(scripted, body)
        assert self.failure().answer_lost

    @pytest.mark.parametrize("kind", ["text/html", "application/json"])
    def test_a_web_page_means_that_wechat_was_not_reached(self, scripted: Any, kind: str) -> None:
        scripted.answers[LOGIN] = says(scripted, "\n<html>维护中</html>".encode(), 200, kind)
        assert not self.failure().answer_lost

    @pytest.mark.parametrize(
        ("status", "lost"), [(500, True), (502, True), (504, True), (503, False), (403, False), (404, False)]
    )
    def test_an_http_error_is_no_verdict(self, scripted: Any, status: int, lost: bool) -> None:
        scripted.answers[LOGIN] = says(scripted, b'{"openid":"o1"}', status)
        assert self.failure().answer_lost is lost

    def test_a_redirect_is_not_followed_because_the_secret_would_go_along(self, scripted: Any) -> None:
        def elsewhere(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(302)
            handler.send_header("Location", "/elsewhere")
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        scripted.answers[LOGIN] = elsewhere
        assert not self.failure().answer_lost
        assert [path for path, _, _ in scripted.requests] == [LOGIN]

    @pytest.mark.parametrize("lose", [cut, cut_in_the_middle, silence, drip, flood])
    def test_a_line_that_goes_dead_after_the_request_loses_the_answer(self, scripted: Any, lose: Any) -> None:
        scripted.answers[LOGIN] = lose
        begun = time.monotonic()
        assert self.failure().answer_lost
        assert time.monotonic() - begun < 2.5

    def test_a_closed_door_means_that_nothing_was_done(self, scripted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            monkeypatch.setenv("WECHAT_API_BASE", f"http://127.0.0.1:{nobody.getsockname()[1]}")
            assert not self.failure().answer_lost

    def test_an_address_that_is_none_means_that_nothing_was_done(
        self, scripted: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WECHAT_API_BASE", "wechat")
        assert not self.failure().answer_lost

    def test_the_proxy_of_the_machine_is_not_asked(self, scripted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        scripted.answers[LOGIN] = {"openid": "o1"}
        assert login.code_to_session("code").openid == "o1"

    @pytest.mark.parametrize(
        "lose", [cut, silence, cut_in_the_middle, broken_header, {"errcode": 40125}, {"openid": ""}]
    )
    def test_neither_the_error_nor_the_log_shows_the_secret(
        self, scripted: Any, lose: Any, caplog: pytest.LogCaptureFixture, logs: Any
    ) -> None:
        scripted.answers[LOGIN] = lose
        with caplog.at_level(logging.DEBUG), pytest.raises(Unavailable) as failure:
            login.code_to_session("code")
        assert failure.value.__cause__ is None
        assert failure.value.__context__ is None
        told = "".join(traceback.format_exception(failure.value)) + repr(failure.value.__dict__)
        told += caplog.text + logs.text
        assert scripted.secret not in told
        assert "secret=" not in told

    def test_a_failure_nobody_guards_is_a_polite_503(self, scripted: Any) -> None:
        scripted.answers[LOGIN] = cut
        failure = self.failure()
        assert isinstance(failure, Unavailable)
        assert failure.detail == "微信暂时没有回应，请稍后再试。"


class TestTheConnection:
    def test_a_warm_container_uses_its_connection_again(self, scripted: Any) -> None:
        scripted.answers[LOGIN] = {"openid": "o1"}
        for _ in range(5):
            login.code_to_session("code")
        assert scripted.connections == 1

    def test_one_that_has_been_idle_is_not_trusted(self, scripted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        scripted.answers[LOGIN] = {"openid": "o1"}
        login.code_to_session("code")
        monkeypatch.setattr(stable, "IDLE_SECONDS", -1)
        login.code_to_session("code")
        assert scripted.connections == 2

    def test_many_threads_may_share_the_client(self, scripted: Any) -> None:
        scripted.answers[LOGIN] = {"openid": "o1"}
        found: list[str] = []
        threads = [
            threading.Thread(target=lambda: found.append(login.code_to_session("code").openid)) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == ["o1"] * 8


def test_an_account_that_is_not_set_up_is_said_to_be_so(scripted: Any, set_up: Any) -> None:
    set_up(wechat_secret="")
    with pytest.raises(client.NotConfigured):
        client.mini_program()
    with pytest.raises(client.NotConfigured):
        client.service_account()
    assert not client.has_service_account()


def test_a_changed_secret_is_used_without_a_restart(scripted: Any, set_up: Any) -> None:
    scripted.answers[LOGIN] = {"openid": "o1"}
    login.code_to_session("code")
    set_up(wechat_secret="another")
    login.code_to_session("code")
    assert [query["secret"] for query, _ in scripted.asked(LOGIN)] == [scripted.secret, "another"]


def test_every_refusal_named_in_the_design_has_its_meaning() -> None:
    expected = {
        Meaning.TOKEN: {40001, 40014, 42001},
        Meaning.NO_CREDIT: {43101},
        Meaning.QUOTA: {45009, 45011, 44991},
        Meaning.BUSY_USER: {43108},
        Meaning.CONFIG: {48001, 43107, 40037},
        Meaning.USER_AWAY: {61010},
        Meaning.PERMANENT: {40003, 43104, 45168, 47003},
    }
    for meaning, errcodes in expected.items():
        for errcode in errcodes:
            assert MEANING[errcode] is meaning
    assert WeChatRefused(99999).meaning is Meaning.UNKNOWN


def test_wechatpy_is_not_loaded_before_it_is_needed() -> None:
    modules = "client, login, content, messages, codes, callback, models, settings, errors"
    check = (
        f"import sys; from chalicelib.wechat import {modules}; assert not {{'wechatpy', 'requests'}} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", check], check=True)
