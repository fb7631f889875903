"""What this slice is told by the administrators (see kit.settings): two groups, read whenever they are needed."""

from __future__ import annotations

from typing import Literal

import msgspec

from chalicelib.kit.settings import group


class Options(msgspec.Struct, frozen=True):
    """Group `wechat`. `miniprogram_state` says which edition of the mini-program a message or a code opens."""

    miniprogram_state: Literal["formal", "trial", "developer"] = "formal"


class Secrets(msgspec.Struct, frozen=True):
    """Group `wechat_secrets`. Empty means: not set up."""

    wechat_appid: str = ""
    wechat_secret: str = ""
    push_token: str = ""
    # EncodingAESKey of 消息推送: 43 characters. Empty means plain mode.
    push_aes_key: str = ""
    service_account_appid: str = ""
    service_account_secret: str = ""


options = group("wechat", Options)
secrets = group("wechat_secrets", Secrets)
