"""Quotas, the switches that make WeChat misbehave, and the log of calls."""

from .errors import WeChatError
from .world import MINUTE, Call, Fault, World, china_date

LOGINS_PER_MINUTE = 100
REMEMBERED_CALLS = 500

# The content checks have their own code for "too many this minute"; the other endpoints share 45011.
MINUTE_CODES = {"/wxa/msg_sec_check": 44991, "/wxa/media_check_async": 44991}


def count_call(world: World, endpoint: str) -> None:
    """Use up one call of the endpoint's quota; 45009 past the day's, 44991 or 45011 past the minute's."""
    quota = world.quotas.get(endpoint)
    if quota is None:
        return
    if quota.per_day is not None and _count(world, f"{endpoint} day") > quota.per_day:
        raise WeChatError(45009)
    if quota.per_minute is not None and _count(world, f"{endpoint} minute") > quota.per_minute:
        raise WeChatError(MINUTE_CODES.get(endpoint, 45011))


def count_login(world: World, openid: str) -> None:
    if _count(world, f"login {openid} minute") > LOGINS_PER_MINUTE:
        raise WeChatError(45011)


def take_faults(world: World, endpoint: str) -> list[Fault]:
    """The switches this request meets; those with a count lose one."""
    met = [fault for fault in world.faults if fault.endpoint in ("*", endpoint)]
    for fault in met:
        if fault.count is not None:
            fault.count -= 1
    world.faults = [fault for fault in world.faults if fault.count is None or fault.count > 0]
    return met


def log_call(world: World, endpoint: str, outcome: str) -> None:
    """Outcome is `ok`, an errcode, or the switch that answered; never a token or a code."""
    world.call_counts[endpoint] = world.call_counts.get(endpoint, 0) + 1
    world.recent_calls.append(Call(at=world.now(), endpoint=endpoint, outcome=outcome))
    del world.recent_calls[:-REMEMBERED_CALLS]


def _count(world: World, name: str) -> int:
    day, minute = china_date(world.now()), int(world.now() // MINUTE)
    window = f"{day}" if name.endswith("day") else f"{day} {minute}"
    world.used_quota = {key: used for key, used in world.used_quota.items() if key.endswith((day, f"{day} {minute}"))}
    key = f"{name} {window}"
    world.used_quota[key] = world.used_quota.get(key, 0) + 1
    return world.used_quota[key]
