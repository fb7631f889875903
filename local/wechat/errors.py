"""WeChat's refusals: HTTP 200 and {"errcode": …, "errmsg": "… rid: …"}."""

import secrets

MESSAGES = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40013: "invalid appid",
    40029: "invalid code",
    40037: "invalid template_id",
    40097: "invalid args",
    40125: "invalid appsecret",
    40129: "invalid scene",
    40163: "code been used",
    40169: "invalid length for scene, or the data is not json string",
    40226: "code blocked",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41008: "missing code",
    41030: "invalid page",
    42001: "access_token expired",
    43001: "require GET method",
    43002: "require POST method",
    43004: "require subscribe",
    43101: "user refuse to accept the msg",
    43104: "this appid does not have permission",
    43107: "subscribe message capability is banned",
    43108: "concurrent sending messages to the same user",
    44002: "empty post data",
    44991: "reach max api minute quota limit",
    45002: "content size out of limit",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    45109: "this interface has been withdrawn",
    47001: "data format error",
    47003: "argument invalid!",
    48001: "api unauthorized",
    61010: "code is expired",
    87009: "invalid signature",
    87020: "repeat",
}


class WeChatError(Exception):
    """An answer with errcode ≠ 0. `detail` follows WeChat's own words, as in 47003's field name."""

    def __init__(self, errcode: int, detail: str = "") -> None:
        self.errcode = errcode
        self.errmsg = f"{MESSAGES.get(errcode, 'error')}{' ' + detail if detail else ''}"
        super().__init__(f"{errcode} {self.errmsg}")

    def answer(self, now: float) -> dict[str, object]:
        return {"errcode": self.errcode, "errmsg": f"{self.errmsg} rid: {request_id(now)}"}


def request_id(now: float) -> str:
    """WeChat's rid: three hexadecimal groups, the first one the time."""
    return f"{int(now):08x}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"
