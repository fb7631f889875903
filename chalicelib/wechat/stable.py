"""wechatpy's client made fit for many short-lived containers. Imported at the first call only: wechatpy is slow to load.

Changed from wechatpy: the token is WeChat's stable_token, shared through the table, so containers do not
invalidate each other's; a refused token is replaced once, not endlessly; every call has an end in time and
size; an error never shows an address, which would hold the secret.
"""

from __future__ import annotations

import json
import logging
import re
import time
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from wechatpy import WeChatClient
from wechatpy.session import SessionStorage

from chalicelib.kit import clock
from chalicelib.kit.log import call_administrator, logger, measure
from chalicelib.wechat.errors import SYSTEM_BUSY, TOKEN_REFUSED, Meaning, WeChatRefused, WeChatUnavailable
from chalicelib.wechat.models import AccessToken

CONNECT_SECONDS, READ_SECONDS, WHOLE_ANSWER_SECONDS = 2, 3, 5
LARGEST_ANSWER = 2 * 1024 * 1024  # a code of 1280 pixels is the largest thing we ask for, a tenth of this
# A frozen container does not notice that WeChat hung up. A request into such a connection would look
# like a lost answer, so an idle one is not used again.
IDLE_SECONDS = 30
# A gateway that answers so may have passed the request on; with any other status it surely did not.
PERHAPS_DONE = frozenset({500, 502, 504})
IMAGE_STARTS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8")

# urllib3 logs whole addresses: at DEBUG every one, at WARNING those whose answer has a broken header. And
# jscode2session has the secret in its address.
logging.getLogger("urllib3").setLevel(logging.ERROR)


class SharedToken(SessionStorage):  # type: ignore[misc]
    """wechatpy's session storage on one item of the table, with the last reading kept in memory.

    DynamoDB removes expired items days late, so the age is checked here. (No `__len__`: wechatpy would take
    an empty storage for a missing one.)
    """

    def __init__(self, appid: str) -> None:
        self._appid = appid
        self._held: AccessToken | None = None

    @property
    def held(self) -> str | None:
        return self._held.token if self._held else None

    def get(self, key: str, default: str | None = None) -> str | None:
        if self._held and self._held.good_until > clock.now():
            return self._held.token
        return self.reread() or default

    def set(self, key: str, value: str, ttl: float | None = None) -> None:
        held = AccessToken.issued(self._appid, value, timedelta(seconds=ttl or 0), clock.now())
        held.save()
        self._held = held

    def delete(self, key: str) -> None:
        AccessToken(*AccessToken.keys(self._appid)).delete()
        self._held = None

    def reread(self) -> str | None:
        """The token as the other containers see it now, or None if it is missing or too old."""
        held = AccessToken.find(*AccessToken.keys(self._appid))
        self._held = held if held and held.good_until > clock.now() else None
        return self.held


class StableClient(WeChatClient):  # type: ignore[misc]
    """One WeChat account. Every call returns WeChat's answer, or raises WeChatRefused or WeChatUnavailable."""

    def __init__(self, appid: str, secret: str, base: str) -> None:
        super().__init__(
            appid,
            secret,
            session=SharedToken(appid),
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            auto_retry=False,
        )
        self._base = base.rstrip("/")
        # Neither a proxy nor a password file of the machine may come between us and the configured address.
        self._http.trust_env = False
        self._last_call = 0.0

    def call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST a JSON body to a path such as `/wxa/msg_sec_check`, where success is an explicit `errcode` 0."""
        answer = self.post(path, data=body)
        if not isinstance(answer, dict) or "errcode" not in answer:
            raise WeChatUnavailable("the answer does not say how it went", answer_lost=True)
        return answer

    def image(self, path: str, body: dict[str, Any]) -> bytes:
        """POST a JSON body to a path that answers with an image."""
        answer = self.post(path, data=body)
        if not isinstance(answer, bytes):
            raise WeChatUnavailable("JSON came instead of an image", answer_lost=True)
        return answer

    def fetch_access_token(self) -> dict[str, Any]:
        """Ask for the stable token: the same one as before unless WeChat has replaced it. Never forced, that is
        limited to 20 a day and kills the token the other containers are using."""
        body = {
            "grant_type": "client_credential",
            "appid": self.appid,
            "secret": self.secret,
            "force_refresh": False,
        }
        failure: Exception | None = None
        try:
            answer = self._judged("/cgi-bin/stable_token", self._exchange("post", "/cgi-bin/stable_token", {}, body))
        except WeChatUnavailable as error:
            # What the token was wanted for has not been asked yet.
            failure = WeChatUnavailable(f"no token: {error.reason}", answer_lost=False)
        except WeChatRefused as error:
            wrong_secret = error.meaning is Meaning.TOKEN
            failure = WeChatRefused(error.errcode, Meaning.CONFIG if wrong_secret else error.meaning, error.errmsg)
        if failure:
            raise failure
        token = answer.get("access_token") if isinstance(answer, dict) else None
        lifetime = answer.get("expires_in") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]{1,512}", token) or not _is_seconds(lifetime):
            raise WeChatUnavailable("no token in the answer for one", answer_lost=False)
        self.session.set(self.access_token_key, token, lifetime)
        return {"access_token": token, "expires_in": lifetime}

    def _request(self, method: str, url_or_endpoint: str, **kwargs: Any) -> dict[str, Any] | bytes:
        """wechatpy's one way out, for its own interfaces and for ours.

        A refused token is replaced once: by the one another container has fetched meanwhile, else by a new one.
        """
        path = self._path(url_or_endpoint, str(kwargs.get("api_base_url", self.API_BASE_URL)))
        params, body = dict(kwargs.get("params") or {}), kwargs.get("data")
        if "secret" in params:  # code2Session: the secret proves who we are, so login works when tokens do not
            return self._judged(path, self._exchange(method, path, params, body))
        token = self.session.get(self.access_token_key) or self.fetch_access_token()["access_token"]
        answer = self._exchange(method, path, {**params, "access_token": token}, body)
        if isinstance(answer, dict) and answer.get("errcode") in TOKEN_REFUSED:
            shared: str | None = self.session.reread()
            if shared in (None, token):
                shared = self.fetch_access_token()["access_token"]
            answer = self._exchange(method, path, {**params, "access_token": shared}, body)
        return self._judged(path, answer)

    def _path(self, endpoint: str, wechatpy_base: str) -> str:
        return endpoint if endpoint.startswith("/") else urlsplit(wechatpy_base).path + endpoint

    def _judged(self, path: str, answer: dict[str, Any] | bytes) -> dict[str, Any] | bytes:
        if isinstance(answer, bytes) or not answer.get("errcode"):
            return answer
        if answer["errcode"] == SYSTEM_BUSY:
            raise WeChatUnavailable("system busy", answer_lost=False)
        refusal = WeChatRefused(answer["errcode"], errmsg=self._clean(answer.get("errmsg")))
        facts = {"path": path, "errcode": refusal.errcode, "meaning": refusal.meaning, "errmsg": refusal.errmsg}
        if refusal.meaning in (Meaning.CONFIG, Meaning.TOKEN, Meaning.UNKNOWN):
            call_administrator("wechat_refused", **facts)
        else:
            logger.info("wechat_refused", extra=facts)
        raise refusal

    def _clean(self, errmsg: object) -> str:
        """WeChat's sentence without what it may quote from the request, short enough for a log."""
        text = errmsg if isinstance(errmsg, str) else ""
        for secret in filter(None, (self.secret, self.session.held)):
            text = text.replace(secret, "***")
        text = re.sub(r"\bo[A-Za-z0-9_-]{27}\b", "o***", text)
        return "".join(c if c.isprintable() else " " for c in text)[:200]

    def _exchange(self, method: str, path: str, params: dict[str, Any], body: Any) -> dict[str, Any] | bytes:
        """One request and its answer: an image, or a JSON object whose `errcode`, if any, is a whole number."""
        begun = time.monotonic()
        outcome = "unavailable"
        try:
            answer = self._send(method, path, params, body)
            outcome = "refused" if isinstance(answer, dict) and answer.get("errcode") else "ok"
            return answer
        except WeChatUnavailable as error:
            logger.warning(
                "wechat_unavailable",
                extra={"path": path, "reason": error.reason, "answer_lost": error.answer_lost},
            )
            raise
        finally:
            milliseconds = (time.monotonic() - begun) * 1000
            measure({"wechat_calls": 1, "wechat_ms": milliseconds}, path=path, outcome=outcome)

    def _send(self, method: str, path: str, params: dict[str, Any], body: Any) -> dict[str, Any] | bytes:
        # Wall clock: the other one may stand still while a container is frozen.
        if time.time() - self._last_call > IDLE_SECONDS:
            self._http.close()
        # Raised after the except clauses, so that no cause and no context with an address hangs on to it.
        failure: WeChatUnavailable | None = None
        try:
            response = self._http.request(
                method,
                self._base + path,
                params=params,
                # As written, not \u-escaped: WeChat counts and shows the characters of the body.
                data=None if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"),
                headers={"Content-Type": "application/json; charset=utf-8"},
                timeout=self.timeout,
                stream=True,
                allow_redirects=False,
            )
            with response:
                status, content_type = response.status_code, response.headers.get("Content-Type", "")
                content = _content(response)
        except (requests.ConnectionError, requests.Timeout) as error:
            failure = WeChatUnavailable(type(error).__name__, answer_lost=not _never_connected(error))
        except (urllib3.exceptions.HTTPError, OSError) as error:
            unsent = isinstance(error, requests.RequestException)  # an address that is none, and the like
            failure = WeChatUnavailable(type(error).__name__, answer_lost=not unsent)
        finally:
            self._last_call = time.time()
        if failure:
            raise failure
        return _understood(status, content_type, content)


def _never_connected(error: Exception) -> bool:
    cause = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(cause, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError))


def _content(response: Any) -> bytes:
    """The body, refused when too long or too slow. (A read timeout alone lets a body drip for hours.)"""
    end = time.monotonic() + WHOLE_ANSWER_SECONDS
    content = bytearray()
    while part := response.raw.read1(64 * 1024, decode_content=True):
        content += part
        if len(content) > LARGEST_ANSWER:
            raise WeChatUnavailable("the answer is too large", answer_lost=True)
        if time.monotonic() > end:
            raise WeChatUnavailable("the answer is too slow", answer_lost=True)
    return bytes(content)


def _understood(status: int, content_type: str, content: bytes) -> dict[str, Any] | bytes:
    if status != 200:
        raise WeChatUnavailable(f"HTTP {status}", answer_lost=status in PERHAPS_DONE)
    if content.startswith(IMAGE_STARTS):
        return content
    if content.lstrip()[:1] == b"<" or "text/html" in content_type:
        # A maintenance page or a portal answered in WeChat's place.
        raise WeChatUnavailable("a web page came instead of JSON", answer_lost=False)
    try:
        # strict=False: WeChat has been seen to send raw control characters inside strings.
        answer = json.loads(content.decode("utf-8", "replace"), strict=False)
        if "errcode" in answer:
            answer["errcode"] = int(answer["errcode"])
    except (ValueError, TypeError, OverflowError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise WeChatUnavailable("the answer is not WeChat's JSON", answer_lost=True)
    return answer


def _is_seconds(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= 24 * 3600
