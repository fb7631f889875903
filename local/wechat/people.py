"""What a person does with the phone, and the endpoints that answer about a person."""

import base64
import hashlib
import hmac
import secrets

from . import limits, pushes
from .catalogue import APPID, SECRET, TEMPLATES
from .errors import WeChatError
from .world import HOUR, MINUTE, Code, Person, World

CODE_LIFETIME = 5 * MINUTE
PRESENCE = 2 * HOUR
TEMPLATES_PER_REQUEST = 5
FOLLOWERS_PER_REQUEST = 100
FOLLOWERS_PER_PAGE = 10_000


class Declined(Exception):
    """The phone would not let the person do this (`errCode` as in wx.requestSubscribeMessage)."""

    def __init__(self, err_code: int, message: str) -> None:
        super().__init__(message)
        self.err_code = err_code


# On the phone


def take_code(world: World, person: Person, kind: str) -> str:
    """wx.login, or the phone-number button: a code good for one use within five minutes."""
    if kind == "phone" and person.phone is None:
        raise Declined(1, "getPhoneNumber:fail no phone number bound")
    person.last_seen = world.now()
    world.codes = {value: code for value, code in world.codes.items() if _fresh(world, code)}
    prefix = "0" if kind == "login" else ""
    code = Code(
        value=prefix + secrets.token_urlsafe(24)[:31],
        kind="phone" if kind == "phone" else "login",
        openid=person.openid,
        issued_at=world.now(),
    )
    world.codes[code.value] = code
    return code.value


def answer_popup(
    world: World, person: Person, accepted: list[str], rejected: list[str], *, tell: bool = True
) -> dict[str, str]:
    """wx.requestSubscribeMessage: every accept is worth one message; WeChat tells our callback.

    `tell=False` leaves the event out, as when WeChat's push never comes.
    """
    asked = [*accepted, *rejected]
    if not asked:
        raise Declined(10001, "requestSubscribeMessage:fail TmplIds can't be empty")
    if len(asked) > TEMPLATES_PER_REQUEST:
        raise Declined(20003, "requestSubscribeMessage:fail Templates count out of max bounds")
    kinds = {TEMPLATES[id].kind if id in TEMPLATES else "none" for id in asked}
    if not kinds <= {"one_time", "long_term"}:
        raise Declined(20001, "requestSubscribeMessage:fail No template data return, verify the template id exist")
    if len(kinds) > 1:
        raise Declined(20002, "requestSubscribeMessage:fail Templates type must be same")
    if person.messages_off:
        raise Declined(20004, "requestSubscribeMessage:fail The main switch is switched off")

    person.last_seen = world.now()
    answers = {}
    for id in asked:
        if id in world.settings.banned_templates:
            answers[id] = "ban"
        else:
            answers[id] = "accept" if id in accepted else "reject"
    for id, answer in answers.items():
        if answer == "accept" and TEMPLATES[id].kind == "long_term":
            person.subscribed.add(id)
        elif answer == "accept":
            person.credits[id] = person.credits.get(id, 0) + 1
    shown = [
        {"TemplateId": id, "SubscribeStatusString": answer, "PopupScene": 0}
        for id, answer in answers.items()
        if answer != "ban"
    ]
    if tell and shown:
        pushes.subscribe_event(world, person, "subscribe_msg_popup_event", shown)
    return answers


def turn_off(world: World, person: Person, template_ids: list[str]) -> None:
    """In the mini-program's settings page: credits and long-term subscriptions of these templates end."""
    for id in template_ids:
        person.credits.pop(id, None)
        person.subscribed.discard(id)
    pushes.subscribe_event(
        world,
        person,
        "subscribe_msg_change_event",
        [{"TemplateId": id, "SubscribeStatusString": "reject"} for id in template_ids],
    )


def go_away(world: World, person: Person) -> None:
    """The person has not opened the mini-program for more than two hours."""
    person.last_seen = world.now() - PRESENCE - MINUTE


def withdraw(world: World, person: Person, revoke_info: str) -> None:
    """The person takes back an authorisation (8 phone, 13 location, 14 photos …)."""
    pushes.account_event(world, person, "user_authorization_revoke", {"RevokeInfo": revoke_info})


def cancel(world: World, person: Person) -> None:
    """The person's WeChat account is closed: nothing reaches it any more."""
    person.credits.clear()
    person.subscribed.clear()
    person.follows = False
    person.session_key = None
    pushes.account_event(world, person, "user_authorization_cancellation", {})


def change_profile(world: World, person: Person) -> None:
    """WeChat cleared a risky nickname or avatar."""
    pushes.account_event(world, person, "user_info_modified", {})


# For our server


def code2session(world: World, *, appid: str, secret: str, js_code: str, grant_type: str) -> dict[str, object]:
    """GET /sns/jscode2session. Needs no access_token."""
    if not appid:
        raise WeChatError(41002)
    if appid != APPID:
        raise WeChatError(40013)
    if secret != SECRET:
        raise WeChatError(40125)
    if grant_type != "authorization_code":
        raise WeChatError(40002)
    if not js_code:
        raise WeChatError(41008)
    person = _spend(world, js_code, "login")
    if person.blocked:
        raise WeChatError(40226)
    limits.count_login(world, person.openid)
    person.session_key = base64.b64encode(secrets.token_bytes(16)).decode()
    person.last_seen = world.now()
    answer: dict[str, object] = {"session_key": person.session_key, "openid": person.openid}
    if person.unionid is not None:
        answer["unionid"] = person.unionid
    return answer


def phone_number(world: World, body: dict[str, object]) -> dict[str, object]:
    """POST /wxa/business/getuserphonenumber. With an openid, the code must be that person's."""
    code = world.codes.get(str(body.get("code", "")))
    if code is not None and "openid" in body and body["openid"] != code.openid:
        raise WeChatError(40029)
    person = _spend(world, str(body.get("code", "")), "phone")
    return {
        "errcode": 0,
        "errmsg": "ok",
        "phone_info": {
            "phoneNumber": person.phone,
            "purePhoneNumber": person.phone,
            "countryCode": "86",
            "watermark": {"timestamp": int(world.now()), "appid": APPID},
        },
    }


def check_session(world: World, *, openid: str, signature: str, sig_method: str) -> dict[str, object]:
    """GET /wxa/checksession: the signature is HMAC-SHA256 of the empty text under session_key."""
    person = world.by_openid(openid)
    if person is None:
        raise WeChatError(40003)
    if sig_method != "hmac_sha256" or person.session_key is None:
        raise WeChatError(87009)
    expected = hmac.new(person.session_key.encode(), b"", hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise WeChatError(87009)
    return {"errcode": 0, "errmsg": "ok"}


def risk_rank(world: World, body: dict[str, object]) -> dict[str, object]:
    """POST /wxa/getuserriskrank."""
    if body.get("appid") != APPID:
        raise WeChatError(40013)
    person = world.by_openid(body.get("openid"))
    if person is None:
        raise WeChatError(40003)
    if body.get("scene") not in (0, 1, 2) or not body.get("client_ip"):
        raise WeChatError(40097)
    require_presence(world, person)
    return {
        "errcode": 0,
        "errmsg": "getuserriskrank succ",
        "unoin_id": world.next_serial(),  # spelt so by WeChat
        "risk_rank": person.risk_rank,
    }


def follower_info(world: World, openid: str) -> dict[str, object]:
    """GET /cgi-bin/user/info of the service account: how followers are joined to residents by unionid."""
    person = world.by_service_openid(openid)
    if person is None:
        raise WeChatError(40003)
    if not person.follows:
        return {"subscribe": 0, "openid": openid}
    answer: dict[str, object] = {"subscribe": 1, "openid": openid, "language": "zh_CN", "nickname": ""}
    if person.unionid is not None:
        answer["unionid"] = person.unionid
    return answer


def followers_info(world: World, body: dict[str, object]) -> dict[str, object]:
    """POST /cgi-bin/user/info/batchget: the same of up to a hundred."""
    asked = body.get("user_list")
    if not isinstance(asked, list) or not asked or not all(isinstance(each, dict) for each in asked):
        raise WeChatError(40097, "user_list")
    if len(asked) > FOLLOWERS_PER_REQUEST:
        raise WeChatError(40097, "user_list too long")
    return {"user_info_list": [follower_info(world, str(each.get("openid", ""))) for each in asked]}


def followers(world: World, after: str) -> dict[str, object]:
    """GET /cgi-bin/user/get of the service account: ten thousand openids after the one named."""
    openids = [person.service_openid for person in world.people.values() if person.follows]
    if after and after not in openids:
        raise WeChatError(40003)
    start = openids.index(after) + 1 if after else 0
    page = openids[start : start + FOLLOWERS_PER_PAGE]
    answer: dict[str, object] = {"total": len(openids), "count": len(page)}
    if page:
        answer["data"] = {"openid": page}
    return {**answer, "next_openid": page[-1] if page else ""}


def require_presence(world: World, person: Person) -> None:
    """Content and risk checks only know people who were in the mini-program within two hours."""
    if person.last_seen is None or world.now() - person.last_seen > PRESENCE:
        raise WeChatError(61010)


def _fresh(world: World, code: Code) -> bool:
    return world.now() - code.issued_at < CODE_LIFETIME


def _spend(world: World, value: str, kind: str) -> Person:
    code = world.codes.get(value)
    if code is None or code.kind != kind or not _fresh(world, code):
        raise WeChatError(40029)
    if code.used:
        raise WeChatError(world.settings.used_code_errcode)
    code.used = True
    person = world.by_openid(code.openid)
    if person is None:
        raise WeChatError(40029)
    return person
