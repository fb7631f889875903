"""The content checks: text at once, pictures later by an event."""

import io
import secrets
import warnings
from typing import Any

import urllib3
from PIL import Image

from . import catalogue, pushes
from .errors import WeChatError, request_id
from .people import require_presence
from .world import HOUR, MediaCheck, Person, World

LONGEST_TEXT = 2500
LARGEST_MEDIA = 10 * 1024 * 1024
DOWNLOAD_SECONDS = 10
DOWNLOAD_FAILED = -1008
SOUND, PICTURE = 1, 2
ORDINARY = 100
PORN = 20002
OTHER = 21000

Verdict = tuple[str, int]


def check_text(world: World, body: dict[str, object]) -> dict[str, object]:
    """POST /wxa/msg_sec_check, version 2. Nickname, title and signature are read along with the content."""
    person = _author(world, body)
    content = body.get("content")
    if not isinstance(content, str) or not content:
        raise WeChatError(40097, "content")
    if len(content) > LONGEST_TEXT:
        raise WeChatError(45002)
    if "signature" in body and body["scene"] != 1:
        raise WeChatError(40129)
    require_presence(world, person)
    text = "\n".join(str(body.get(part, "")) for part in ("nickname", "title", "content", "signature"))
    suggest, label, word = judge_text(world, text)
    detail: list[dict[str, object]] = [
        {"strategy": "content_model", "errcode": 0, "suggest": suggest, "label": label, "prob": 90}
    ]
    if word:
        detail.append(
            {
                "strategy": "keyword",
                "errcode": 0,
                "suggest": suggest,
                "label": label,
                "level": 90,
                "keyword": word,
            }
        )
    return {
        "errcode": 0,
        "errmsg": "ok",
        "result": {"suggest": suggest, "label": label},
        "detail": detail,
        "trace_id": _trace_id(world),
    }


def judge_text(world: World, text: str) -> tuple[str, int, str]:
    """The worst word decides."""
    for suggest, words in (
        ("risky", catalogue.RISKY_WORDS | world.settings.risky_words),
        ("review", catalogue.REVIEW_WORDS | world.settings.review_words),
    ):
        for word, label in words.items():
            if word in text:
                return suggest, label, word
    return "pass", ORDINARY, ""


def ask_about_media(world: World, body: dict[str, Any]) -> dict[str, object]:
    """POST /wxa/media_check_async, version 2: a trace_id now, the event `wxa_media_check` later."""
    person = _author(world, body)
    media_url = body.get("media_url")
    if not isinstance(media_url, str) or not media_url.startswith(("http://", "https://")):
        raise WeChatError(40097, "media_url")
    if body.get("media_type") not in (SOUND, PICTURE):
        raise WeChatError(40097, "media_type")
    require_presence(world, person)
    now = world.now()
    if any(check.media_url == media_url for check in world.media_checks if now - check.asked_at < HOUR / 2):
        raise WeChatError(87020)
    check = MediaCheck(
        trace_id=_trace_id(world),
        media_url=media_url,
        media_type=int(body["media_type"]),
        openid=person.openid,
        asked_at=now,
        due_at=now + world.settings.media_delay_seconds,
    )
    world.media_checks.append(check)
    return {"errcode": 0, "errmsg": "ok", "trace_id": check.trace_id}


def download(media_url: str) -> bytes | None:
    """Fetch what our server asked to have checked, as WeChat's machines would. Blocking."""
    try:
        with urllib3.PoolManager() as pool:
            answer = pool.request("GET", media_url, timeout=DOWNLOAD_SECONDS, retries=False, preload_content=False)
            content = answer.read(LARGEST_MEDIA + 1)
            answer.release_conn()
    except (urllib3.exceptions.HTTPError, OSError, ValueError):
        return None  # whatever the address was, nothing came from it
    return content if answer.status == 200 and 0 < len(content) <= LARGEST_MEDIA else None


def judge_picture(content: bytes) -> Verdict | None:
    """A nearly pure red picture is risky, a nearly pure yellow one is for review, any other passes.

    Colours survive what our server does to a photo (smaller, re-encoded, no metadata), so a test can ask
    for a verdict with an ordinary picture. None: this is no picture.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content)) as picture:
                small = picture.convert("RGB").resize((16, 16), Image.Resampling.BOX)
    except Exception:  # noqa: BLE001 - on a broken file Pillow raises almost anything
        return None
    pixels = list(zip(*(small.getchannel(channel).tobytes() for channel in "RGB"), strict=True))
    red = sum(r > 180 and g < 80 and b < 80 for r, g, b in pixels)
    yellow = sum(r > 180 and g > 180 and b < 100 for r, g, b in pixels)
    if red > 0.9 * len(pixels):
        return "risky", PORN
    if yellow > 0.9 * len(pixels):
        return "review", OTHER
    return "pass", ORDINARY


def examine(check: MediaCheck) -> Verdict | None:
    """Download and judge; sound always passes. None: it could not be fetched, or not be opened. Blocking."""
    content = download(check.media_url)
    if content is None:
        return None
    return judge_picture(content) if check.media_type == PICTURE else ("pass", ORDINARY)


def finish_media_check(world: World, check: MediaCheck, verdict: Verdict | None) -> None:
    """Tell our callback what came out."""
    world.media_checks.remove(check)
    pushes.media_event(world, check, verdict, DOWNLOAD_FAILED)


def _author(world: World, body: dict[str, object]) -> Person:
    if body.get("version") != 2:
        raise WeChatError(40097, "version")
    if body.get("scene") not in (1, 2, 3, 4):
        raise WeChatError(40129)
    person = world.by_openid(body.get("openid"))
    if person is None:
        # An openid that another account gave out is not "invalid", it belongs to somebody else's app.
        raise WeChatError(43104 if world.by_service_openid(body.get("openid")) else 40003)
    return person


def _trace_id(world: World) -> str:
    return f"{request_id(world.now())}-{secrets.token_hex(2)}"
