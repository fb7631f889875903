"""Message push: events about people and pictures, signed, encrypted and posted to our callback."""

import json
import secrets
from collections.abc import Iterable
from urllib.parse import urlencode
from xml.sax.saxutils import escape

import urllib3
from wechatpy.crypto import PrpCrypto, WeChatCrypto
from wechatpy.utils import WeChatSigner

from . import catalogue
from .world import MediaCheck, Person, Push, World

RETRIES = 3
REMEMBERED_PUSHES = 500

# Where XML puts the list which JSON keeps under a top-level "List".
_XML_LISTS = {
    "subscribe_msg_popup_event": "SubscribeMsgPopupEvent",
    "subscribe_msg_change_event": "SubscribeMsgChangeEvent",
    "subscribe_msg_sent_event": "SubscribeMsgSentEvent",
}
# Events about an account come from the platform, not from the person.
PLATFORM = "oPlatform-0000000000000000push"[:28]


# Events


def subscribe_event(world: World, person: Person, name: str, items: list[dict[str, object]]) -> None:
    """In JSON all numbers arrive as text, and `List` is an object when it has one item."""
    texts = [{key: str(value) for key, value in item.items()} for item in items]
    _post(
        world,
        {
            **_head(world, name, person.openid),
            "CreateTime": str(int(world.now())),
            "List": texts[0] if len(texts) == 1 else texts,
        },
    )


def account_event(world: World, person: Person, name: str, extra: dict[str, object]) -> None:
    event = {**_head(world, name, PLATFORM), "OpenID": person.openid, "AppID": catalogue.APPID, **extra}
    if person.unionid is not None:
        event["UnionID"] = person.unionid
    _post(world, event)


def media_event(world: World, check: MediaCheck, verdict: tuple[str, int] | None, failure: int) -> None:
    event = {
        **_head(world, "wxa_media_check", PLATFORM),
        "appid": catalogue.APPID,
        "trace_id": check.trace_id,
        "version": 2,
    }
    if verdict is None:
        event |= {"errcode": failure, "errmsg": "download failed", "detail": [], "result": {}}
    else:
        suggest, label = verdict
        event |= {
            "detail": [
                {
                    "strategy": "content_model",
                    "errcode": 0,
                    "suggest": suggest,
                    "label": label,
                    "prob": 90,
                }
            ],
            "errcode": 0,
            "errmsg": "ok",
            "result": {"suggest": suggest, "label": label},
        }
    _post(world, event)


def _head(world: World, name: str, sender: str) -> dict[str, object]:
    return {
        "ToUserName": catalogue.ORIGINAL_ID,
        "FromUserName": sender,
        "CreateTime": int(world.now()),
        "MsgType": "event",
        "Event": name,
    }


def _post(world: World, event: dict[str, object]) -> None:
    for _ in range(world.settings.push_copies):
        world.pushes.append(Push(id=world.next_serial(), event=event, due_at=world.now()))
    settled = [push for push in world.pushes if push.outcome != "waiting"]
    for push in settled[:-REMEMBERED_PUSHES]:
        world.pushes.remove(push)


# The wire


def to_json(event: dict[str, object]) -> str:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def to_xml(event: dict[str, object]) -> str:
    """The same event in XML, where lists nest one level deeper and repeat their tag."""
    content = dict(event)
    tag = _XML_LISTS.get(str(event["Event"]))
    if tag:
        content[tag] = {"List": content.pop("List")}
    return f"<xml>{''.join(_elements(content))}</xml>"


def _elements(content: dict[str, object]) -> Iterable[str]:
    for key, value in content.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                yield f"<{key}>{''.join(_elements(item))}</{key}>"
            elif isinstance(item, int):
                yield f"<{key}>{item}</{key}>"
            else:
                # The text may hold "]]>", which would end a CDATA section early; escaping always works.
                yield f"<{key}>{escape(str(item))}</{key}>"


def signature(*parts: str) -> str:
    """SHA-1 over the sorted parts: token, timestamp, nonce, and in safe mode the cipher text."""
    signer = WeChatSigner()
    signer.add_data(*parts)
    return str(signer.signature)


def encrypt(text: str, *, aes_key: str, appid: str, random: str | None = None) -> str:
    """AES-256-CBC over random(16) + length + text + appid. `random` is for the official vectors."""
    cipher = PrpCrypto(WeChatCrypto("", aes_key, appid).key)
    if random is not None:
        cipher.get_random_string = lambda: random
    return str(cipher.encrypt(text, appid).decode())


def sealed_request(
    event: dict[str, object],
    *,
    form: str,
    mode: str,
    timestamp: str,
    nonce: str,
    token: str = catalogue.PUSH_TOKEN,
    aes_key: str = catalogue.PUSH_AES_KEY,
    appid: str = catalogue.APPID,
) -> tuple[dict[str, str], str]:
    """Query parameters and body of one push."""
    text = to_json(event) if form == "json" else to_xml(event)
    query = {
        "signature": signature(token, timestamp, nonce),
        "timestamp": timestamp,
        "nonce": nonce,
        "openid": str(event["FromUserName"]),
    }
    if mode == "plain":
        return query, text
    cipher_text = encrypt(text, aes_key=aes_key, appid=appid)
    query |= {"encrypt_type": "aes", "msg_signature": signature(token, timestamp, nonce, cipher_text)}
    envelope: dict[str, object] = {"ToUserName": event["ToUserName"], "Encrypt": cipher_text}
    return query, to_json(envelope) if form == "json" else f"<xml>{''.join(_elements(envelope))}</xml>"


def deliver(url: str, push: Push, *, form: str, mode: str, timeout: float, now: float) -> str:
    """Post it once and say how our callback answered. Blocking."""
    query, body = sealed_request(
        push.event, form=form, mode=mode, timestamp=str(int(now)), nonce=str(secrets.randbelow(10**10))
    )
    headers = {"Content-Type": "application/json" if form == "json" else "text/xml"}
    return _answer("POST", f"{url}{_joint(url)}{urlencode(query)}", timeout, body.encode(), headers)


def settle(world: World, push: Push, answer: str) -> None:
    """`success` or an empty answer ends it; anything else is tried three times more."""
    push.attempts += 1
    push.answers.append(answer[:200])
    if answer in ("200 success", "200 "):
        push.outcome = "delivered"
    elif push.attempts > RETRIES:
        push.outcome = "given_up"
    else:
        push.due_at = world.now() + world.settings.push_retry_pause_seconds


def verify_callback(url: str, *, now: float, timeout: float) -> dict[str, object]:
    """What the admin console does when the callback address is saved: the echostr must come back as it is."""
    timestamp, nonce, echo = str(int(now)), str(secrets.randbelow(10**10)), str(secrets.randbelow(10**19))
    query = {
        "signature": signature(catalogue.PUSH_TOKEN, timestamp, nonce),
        "timestamp": timestamp,
        "nonce": nonce,
        "echostr": echo,
    }
    answer = _answer("GET", f"{url}{_joint(url)}{urlencode(query)}", timeout)
    return {"verified": answer == f"200 {echo}", "answer": answer}


def _joint(url: str) -> str:
    return "&" if "?" in url else "?"


def _answer(
    method: str, url: str, timeout: float, body: bytes | None = None, headers: dict[str, str] | None = None
) -> str:
    try:
        with urllib3.PoolManager() as pool:
            response = pool.request(
                method,
                url,
                body=body,
                headers=headers,
                timeout=urllib3.Timeout(total=timeout),
                retries=False,
                redirect=False,
            )
            return f"{response.status} {response.data[:1000].decode('utf-8', 'replace')}"
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as failure:
        return f"no answer: {type(failure).__name__}"
