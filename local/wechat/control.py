"""The stand-in's controls in Python, for the demo and the tests."""

import json
from typing import Any
from urllib.parse import quote, urlencode

import urllib3


class Declined(Exception):
    """The stand-in refused: an unknown person, a wrong setting, or a phone that would not do it."""

    def __init__(self, status: int, answer: dict[str, Any]) -> None:
        super().__init__(f"{status} {answer}")
        self.status = status
        self.answer = answer


class StandIn:
    """Talks to a running stand-in at `base`, which is also the value for WECHAT_API_BASE."""

    def __init__(self, base: str) -> None:
        self.base = base.rstrip("/")
        self._pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=2, read=15))

    # People and their phones

    def add_person(
        self,
        id: str,
        name: str,
        *,
        phone: str | None = None,
        unionid: bool = True,
        follows: bool = False,
    ) -> dict[str, Any]:
        """A phone with somebody who uses it; the same id again changes nothing."""
        asked = {"id": id, "name": name, "phone": phone, "unionid": unionid, "follows": follows}
        return self._call("POST", "/people", asked)

    def people(self) -> list[dict[str, Any]]:
        return self._call("GET", "/people")

    def person(self, id: str) -> dict[str, Any]:
        return self._call("GET", f"/people/{quote(id)}")

    def change_person(self, id: str, **change: Any) -> dict[str, Any]:
        """name, phone, follows, blocked, messages_off, risk_rank, lost_messages."""
        return self._call("PATCH", f"/people/{quote(id)}", change)

    def login_code(self, id: str) -> str:
        return self._act(id, "login-code")["code"]

    def phone_code(self, id: str) -> str:
        return self._act(id, "phone-code")["code"]

    def open(self, id: str) -> None:
        """The person looks into the mini-program now."""
        self._act(id, "open")

    def away(self, id: str) -> None:
        """The person was last seen more than two hours ago: content checks answer 61010."""
        self._act(id, "away")

    def subscribe(
        self, id: str, *, accept: list[str] | None = None, reject: list[str] | None = None, tell: bool = True
    ) -> dict[str, str]:
        """wx.requestSubscribeMessage; `tell=False` keeps WeChat's event from our callback."""
        return self._act(id, "subscribe", {"accept": accept or [], "reject": reject or [], "tell": tell})

    def turn_off(self, id: str, *templates: str) -> None:
        self._act(id, "turn-off", {"templates": list(templates)})

    def withdraw(self, id: str, revoke_info: str) -> None:
        """Takes back an authorisation: 8 phone, 13 location, 14 photos …"""
        self._act(id, "withdraw", {"revoke_info": revoke_info})

    def cancel(self, id: str) -> None:
        """The person's WeChat account is closed."""
        self._act(id, "cancel")

    def change_profile(self, id: str) -> None:
        self._act(id, "change-profile")

    def messages(self, id: str | None = None) -> list[dict[str, Any]]:
        """What the phones received, oldest first; `text` is the message as one reads it."""
        return self._call("GET", "/messages" + (f"?{urlencode({'person': id})}" if id else ""))

    def clear_messages(self) -> None:
        self._call("DELETE", "/messages")

    def templates(self) -> list[dict[str, Any]]:
        return self._call("GET", "/templates")

    # WeChat having a bad day

    def break_(self, kind: str, endpoint: str = "*", *, count: int | None = None, **more: Any) -> None:
        """slow (seconds=), down, bad_gateway, html, body (body=), errcode (errcode=), drop_answer."""
        self._call("POST", "/faults", {"kind": kind, "endpoint": endpoint, "count": count, **more})

    def mend(self) -> None:
        self._call("DELETE", "/faults")

    def set_quota(self, endpoint: str, *, per_minute: int | None = None, per_day: int | None = None) -> None:
        self._call("POST", "/quotas", {"endpoint": endpoint, "per_minute": per_minute, "per_day": per_day})

    def rotate_tokens(self) -> None:
        self._call("POST", "/tokens/rotate", {})

    def expire_tokens(self) -> None:
        self._call("POST", "/tokens/expire", {})

    def pass_time(self, seconds: float) -> None:
        """Only the stand-in's clock moves."""
        self._call("POST", "/clock", {"advance": seconds})

    # The account

    def settings(self, **change: Any) -> dict[str, Any]:
        """All settings, after changing those named."""
        return self._call("PATCH", "/settings", change)

    def verify_callback(self) -> bool:
        return bool(self._call("POST", "/verify-callback", {})["verified"])

    def pushes(self) -> list[dict[str, Any]]:
        """Events for our callback: waiting, delivered or given up, with our answers."""
        return self._call("GET", "/pushes")

    def call_counts(self) -> dict[str, int]:
        return self._call("GET", "/calls")["counts"]

    def recent_calls(self) -> list[dict[str, Any]]:
        return self._call("GET", "/calls")["recent"]

    def clear_calls(self) -> None:
        self._call("DELETE", "/calls")

    def reset(self) -> None:
        """Forget everything but the callback's address."""
        self._call("POST", "/reset", {})

    def _act(self, id: str, act: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return self._call("POST", f"/people/{quote(id)}/{act}", body or {})

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        content = None if body is None else json.dumps(body).encode()
        response = self._pool.request(method, f"{self.base}/stand-in{path}", body=content)
        answer = json.loads(response.data)
        if response.status != 200:
            raise Declined(response.status, answer)
        return answer
