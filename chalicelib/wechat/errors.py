"""What can go wrong with a call to WeChat, in two kinds: WeChat said no, or WeChat said nothing we can use.

Both are problems of kit.errors, so a call that nobody guards ends as a polite 503. Neither ever carries an
address, a secret, a token or an openid.
"""

from __future__ import annotations

from enum import StrEnum

from chalicelib.kit.errors import Unavailable


class Meaning(StrEnum):
    """What a caller should do about a refusal."""

    PERMANENT = "permanent"  # this very request will never succeed: do not repeat it
    NO_CREDIT = "no_credit"  # this person did not allow (another) message here: use another channel
    TOKEN = "token"  # the token was refused twice: repeat later, tell the administrators if it lasts
    QUOTA = "quota"  # too many calls this minute or this day: back off
    BUSY_USER = "busy_user"  # another message to this person is under way: repeat soon
    CONFIG = "config"  # the account, a template or a permission is set up wrongly: tell the administrators
    USER_AWAY = "user_away"  # the person has not used the mini-program for two hours: WeChat cannot check now
    UNKNOWN = "unknown"  # a code that is not in the table below


MEANING: dict[int, Meaning] = {
    40001: Meaning.TOKEN,
    40014: Meaning.TOKEN,
    42001: Meaning.TOKEN,
    43101: Meaning.NO_CREDIT,  # not subscribed, or credits used up
    43004: Meaning.NO_CREDIT,  # does not follow the service account
    43108: Meaning.BUSY_USER,
    45009: Meaning.QUOTA,  # a day's
    45011: Meaning.QUOTA,  # a minute's
    44991: Meaning.QUOTA,  # a minute's
    61010: Meaning.USER_AWAY,
    40002: Meaning.CONFIG,  # grant_type
    40013: Meaning.CONFIG,  # appid
    40037: Meaning.CONFIG,  # template id
    40125: Meaning.CONFIG,  # secret
    40164: Meaning.CONFIG,  # our IP is not in the account's list
    40243: Meaning.CONFIG,  # the secret is frozen
    41002: Meaning.CONFIG,  # appid missing
    41004: Meaning.CONFIG,  # secret missing
    41030: Meaning.CONFIG,  # the page is not in the released edition
    43107: Meaning.CONFIG,  # ability or template banned
    43116: Meaning.CONFIG,  # template limited by WeChat
    45109: Meaning.CONFIG,  # interface withdrawn
    48001: Meaning.CONFIG,  # interface not granted
    89503: Meaning.CONFIG,  # the next three: the call's IP waits for an administrator's consent
    89506: Meaning.CONFIG,
    89507: Meaning.CONFIG,
    40003: Meaning.PERMANENT,  # openid
    40029: Meaning.PERMANENT,  # code wrong, used or too old
    40097: Meaning.PERMANENT,  # an argument
    40129: Meaning.PERMANENT,  # scene
    40163: Meaning.PERMANENT,  # code used
    40169: Meaning.PERMANENT,  # length of a scene
    40226: Meaning.PERMANENT,  # person blocked for risk
    40249: Meaning.PERMANENT,  # marketing content
    43104: Meaning.PERMANENT,  # appid and openid do not belong together
    45002: Meaning.PERMANENT,  # text too long
    45168: Meaning.PERMANENT,  # sensitive word
    47001: Meaning.PERMANENT,  # body not understood
    47003: Meaning.PERMANENT,  # a field breaks its rule
    87020: Meaning.PERMANENT,  # the same picture was handed in again
}

TOKEN_REFUSED = frozenset(code for code, meaning in MEANING.items() if meaning is Meaning.TOKEN)
SYSTEM_BUSY = -1


class WeChatRefused(Unavailable):
    """WeChat understood and said no. `errmsg` is WeChat's own sentence, cleaned for logs."""

    code, detail = "wechat_refused", "微信没有接受这次操作，请稍后再试；一直这样的话，请告诉社区工作人员。"

    def __init__(self, errcode: int, meaning: Meaning | None = None, errmsg: str = "") -> None:
        super().__init__()
        self.errcode = errcode
        self.meaning = meaning or MEANING.get(errcode, Meaning.UNKNOWN)
        self.errmsg = errmsg

    def __str__(self) -> str:
        return f"WeChat refused with {self.errcode} ({self.meaning}): {self.errmsg}"


class WeChatUnavailable(Unavailable):
    """No answer, or none that WeChat's interface would give.

    `answer_lost` tells whether WeChat may have done it all the same: true once the request had left and no
    readable verdict came back, false when it surely was not carried out (no connection, told to come again).
    """

    code, detail = "wechat_unavailable", "微信暂时没有回应，请稍后再试。"

    def __init__(self, reason: str, *, answer_lost: bool) -> None:
        super().__init__()
        self.reason = reason
        self.answer_lost = answer_lost

    def __str__(self) -> str:
        return f"WeChat is unavailable: {self.reason}" + (" (the answer is lost)" if self.answer_lost else "")
