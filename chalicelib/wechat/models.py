"""What this slice keeps: one access token per WeChat account, shared by all containers."""

from __future__ import annotations

from datetime import datetime, timedelta

from pynamodb.attributes import UnicodeAttribute

from chalicelib.kit.table import InstantAttribute, Item

# WeChat hands out the same token until shortly before its end; taking a new one a minute early costs nothing.
EARLY = timedelta(seconds=60)


class AccessToken(Item, discriminator="wechat_token"):
    """`WECHAT#<appid>` / `TOKEN`: good for two hours, fetched by whoever finds it missing or old."""

    token = UnicodeAttribute()
    good_until = InstantAttribute()

    @staticmethod
    def keys(appid: str) -> tuple[str, str]:
        return f"WECHAT#{appid}", "TOKEN"

    @classmethod
    def issued(cls, appid: str, token: str, lifetime: timedelta, now: datetime) -> AccessToken:
        """A token just fetched. One near its end is used for half of what is left, or every call would fetch."""
        pk, sk = cls.keys(appid)
        end = now + lifetime
        return cls(
            pk,
            sk,
            token=token,
            good_until=max(end - EARLY, now + lifetime / 2),
            expires_at=int(end.timestamp()),
        )
