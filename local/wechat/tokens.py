"""Access tokens: the stable kind, the plain kind, and who may use them."""

import secrets

from .catalogue import APPID, SECRET, SERVICE_APPID, SERVICE_SECRET
from .errors import WeChatError
from .world import MINUTE, Token, World, china_date

LIFETIME = 7200
OVERLAP = 5 * MINUTE
FORCED_PER_DAY = 20
FORCED_PAUSE = 30
SECRETS = {APPID: SECRET, SERVICE_APPID: SERVICE_SECRET}


def stable_token(world: World, body: dict[str, object]) -> dict[str, object]:
    """POST /cgi-bin/stable_token: everybody who asks gets the same token, until five minutes before its end.

    Forcing a new one kills the old at once; that is allowed 20 times a day and half a minute apart.
    """
    appid = _require_account(body.get("appid"), body.get("secret"))
    if body.get("grant_type") != "client_credential":
        raise WeChatError(40002)
    now = world.now()
    current = _latest(world, appid, "stable")
    if body.get("force_refresh") is True:
        _count_forced(world, appid, now)
        for token in world.tokens:
            if token.appid == appid and token.slot == "stable":
                token.revoked = True
        current = None
    if current is None or current.revoked or current.expires_at - now <= OVERLAP:
        current = _issue(world, appid, "stable")
    return {"access_token": current.value, "expires_in": int(current.expires_at - now)}


def plain_token(world: World, *, appid: str, secret: str, grant_type: str) -> dict[str, object]:
    """GET /cgi-bin/token: each fetch is a new token; the one before lives five minutes longer."""
    appid = _require_account(appid, secret)
    if grant_type != "client_credential":
        raise WeChatError(40002)
    for token in world.tokens:
        if token.appid == appid and token.slot == "plain":
            token.expires_at = min(token.expires_at, world.now() + OVERLAP)
            token.replaced = True
    return {"access_token": _issue(world, appid, "plain").value, "expires_in": LIFETIME}


def require_token(world: World, value: str, *, appid: str) -> None:
    """40001 for a token that is unknown or was replaced, 42001 for one that is merely old."""
    if not value:
        raise WeChatError(41001)
    token = next((t for t in world.tokens if t.value == value), None)
    if token is None or token.revoked:
        raise WeChatError(40001)
    if token.expires_at <= world.now():
        raise WeChatError(40001 if token.replaced else 42001)
    if token.appid != appid:
        # A mini-program may not send a service account's messages, nor the other way round.
        raise WeChatError(48001)


def rotate(world: World) -> None:
    """As if somebody pressed "reset": every token given out so far is refused with 40001."""
    for token in world.tokens:
        token.revoked = True


def expire(world: World) -> None:
    """Every token given out so far is refused with 42001."""
    for token in world.tokens:
        token.expires_at = min(token.expires_at, world.now())


def _require_account(appid: object, secret: object) -> str:
    if not appid:
        raise WeChatError(41002)
    if not isinstance(appid, str) or appid not in SECRETS:
        raise WeChatError(40013)
    if not secret:
        raise WeChatError(41004)
    if secret != SECRETS[appid]:
        raise WeChatError(40125)
    return appid


def _latest(world: World, appid: str, slot: str) -> Token | None:
    return next((t for t in reversed(world.tokens) if t.appid == appid and t.slot == slot), None)


def _issue(world: World, appid: str, slot: str) -> Token:
    now = world.now()
    # A day of dead tokens is enough to tell "expired" from "never heard of".
    world.tokens = [t for t in world.tokens if t.expires_at > now - 86400]
    token = Token(
        value=f"{len(world.tokens) + 50}_{secrets.token_urlsafe(90)}",
        appid=appid,
        slot="stable" if slot == "stable" else "plain",
        issued_at=now,
        expires_at=now + LIFETIME,
    )
    world.tokens.append(token)
    return token


def _count_forced(world: World, appid: str, now: float) -> None:
    forced = world.forced_refreshes.get(appid, [])
    earlier = [at for at in forced if china_date(at) == china_date(now)]
    if len(earlier) >= FORCED_PER_DAY:
        raise WeChatError(45009)
    if earlier and now - earlier[-1] < FORCED_PAUSE:
        raise WeChatError(45011)
    world.forced_refreshes[appid] = [*earlier, now]
