"""The two WeChat accounts we speak for. wechatpy takes 150 ms to import, so it waits for the first call."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from chalicelib.kit.errors import Unavailable
from chalicelib.wechat import settings

if TYPE_CHECKING:
    from chalicelib.wechat.stable import StableClient

WECHAT = "https://api.weixin.qq.com"


NotConfigured = Unavailable.named("wechat_not_configured", "微信接入还没有设置好，请联系管理员。")


def mini_program() -> StableClient:
    """The client of our mini-program, one per container, so that its connections are used again."""
    secrets = settings.secrets()
    return _client(secrets.wechat_appid, secrets.wechat_secret, os.environ.get("WECHAT_API_BASE", WECHAT))


def service_account() -> StableClient:
    """The client of the service account (服务号) whose followers get template messages; it is optional."""
    secrets = settings.secrets()
    return _client(
        secrets.service_account_appid, secrets.service_account_secret, os.environ.get("WECHAT_API_BASE", WECHAT)
    )


def has_service_account() -> bool:
    secrets = settings.secrets()
    return bool(secrets.service_account_appid and secrets.service_account_secret)


@functools.lru_cache(maxsize=4)  # two accounts, and their predecessors for a moment after a changed secret
def _client(appid: str, secret: str, base: str) -> StableClient:
    if not (appid and secret):
        raise NotConfigured()
    from chalicelib.wechat.stable import StableClient

    return StableClient(appid, secret, base)
