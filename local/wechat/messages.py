"""Sending: mini-program subscribe messages and service-account template messages."""

import asyncio
import re

from . import catalogue, fields, pushes
from .catalogue import TEMPLATES, Template
from .errors import WeChatError
from .world import MINUTE, Message, Person, World

DEDUPE_WINDOW = 10 * MINUTE
_PAGE = re.compile(r"/?[\w-]+(/[\w-]+)*(\?.{0,1024})?", re.ASCII)


async def send_subscribe(world: World, body: dict[str, object]) -> dict[str, object]:
    """POST /cgi-bin/message/subscribe/send: one accepted credit is one message.

    WeChat refuses a second message to a person while the first is on its way (43108), so sending
    takes a few milliseconds here too.
    """
    person = world.by_openid(body.get("touser"))
    if person is None:
        raise WeChatError(40003)
    template = _template(body.get("template_id"), "one_time", "long_term")
    if template.id in world.settings.banned_templates:
        raise WeChatError(43107)
    values = fields.read_values(template, body.get("data"))
    page = _page(world, body.get("page", ""))
    if body.get("miniprogram_state", "formal") not in ("developer", "trial", "formal"):
        raise WeChatError(40097, "miniprogram_state")
    if body.get("lang", "zh_CN") not in ("zh_CN", "en_US", "zh_HK", "zh_TW"):
        raise WeChatError(40097, "lang")
    if person.openid in world.sending:
        raise WeChatError(43108)
    world.sending.add(person.openid)
    try:
        await asyncio.sleep(world.settings.send_milliseconds / 1000)
        _use_permission(person, template)
        message = _deliver(world, person, template, values, page)
    finally:
        world.sending.discard(person.openid)
    return {"errcode": 0, "errmsg": "ok", "msgid": message.id}


def send_template(world: World, body: dict[str, object]) -> dict[str, object]:
    """POST /cgi-bin/message/template/send of the service account: only to people who follow it.

    The same client_msg_id to the same follower within ten minutes is one message.
    """
    person = world.by_service_openid(body.get("touser"))
    if person is None:
        raise WeChatError(40003)
    template = _template(body.get("template_id"), "service")
    if not person.follows:
        raise WeChatError(43004)
    link = body.get("miniprogram")
    if link is not None and (not isinstance(link, dict) or link.get("appid") != catalogue.APPID):
        raise WeChatError(40013)
    values = fields.read_values(template, body.get("data"))
    client_msg_id = str(body.get("client_msg_id") or "")
    if client_msg_id:
        for earlier in world.messages:
            recent = world.now() - earlier.at < DEDUPE_WINDOW
            if recent and earlier.client_msg_id == client_msg_id and earlier.person == person.id:
                return {"errcode": 0, "errmsg": "ok", "msgid": earlier.id}
    page = str(link.get("pagepath", "")) if isinstance(link, dict) else ""
    message = _message(world, person, template, values, page)
    message.client_msg_id = client_msg_id
    world.messages.append(message)
    return {"errcode": 0, "errmsg": "ok", "msgid": message.id}


def list_templates() -> dict[str, object]:
    """GET /wxaapi/newtmpl/gettemplate: type 2 is one-time, 3 is long-term."""
    return {
        "errcode": 0,
        "errmsg": "ok",
        "data": [
            {
                "priTmplId": template.id,
                "title": template.title,
                "content": "".join(f"{label}:{{{{{key}.DATA}}}}\n" for key, label in template.fields.items()),
                "example": "".join(f"{label}:{template.example[key]}\n" for key, label in template.fields.items()),
                "type": 2 if template.kind == "one_time" else 3,
                "keywordEnumValueList": [
                    {"keywordCode": key, "enumValueList": allowed} for key, allowed in template.enums.items()
                ],
            }
            for template in TEMPLATES.values()
            if template.kind != "service"
        ],
    }


def list_service_templates() -> dict[str, object]:
    """GET /cgi-bin/template/get_all_private_template of the service account."""
    return {
        "template_list": [
            {
                "template_id": template.id,
                "title": template.title,
                "content": "".join(f"{label}：{{{{{key}.DATA}}}}\n" for key, label in template.fields.items()),
            }
            for template in TEMPLATES.values()
            if template.kind == "service"
        ]
    }


def _template(template_id: object, *kinds: str) -> Template:
    template = TEMPLATES.get(template_id) if isinstance(template_id, str) else None
    if template is None or template.kind not in kinds:
        raise WeChatError(40037)
    return template


def _page(world: World, page: object) -> str:
    """Every well-formed page counts as released, except the `missing_pages` of the settings."""
    if page in ("", None):
        return ""
    if not isinstance(page, str) or not _PAGE.fullmatch(page):
        raise WeChatError(41030)
    if page.split("?")[0].lstrip("/") in world.settings.missing_pages:
        raise WeChatError(41030)
    return page


def _use_permission(person: Person, template: Template) -> None:
    if template.kind == "long_term":
        if template.id not in person.subscribed:
            raise WeChatError(43101)
        return
    left = person.credits.get(template.id, 0)
    if left == 0:
        raise WeChatError(43101)
    person.credits[template.id] = left - 1


def _deliver(world: World, person: Person, template: Template, values: dict[str, str], page: str) -> Message:
    """Put it on the phone; or lose it inside WeChat, which only an event tells."""
    message = _message(world, person, template, values, page)
    lost = person.lost_messages > 0
    if lost:
        person.lost_messages -= 1
    else:
        world.messages.append(message)
    if lost or world.settings.sent_events == "all":
        pushes.subscribe_event(
            world,
            person,
            "subscribe_msg_sent_event",
            [
                {
                    "TemplateId": template.id,
                    "MsgID": message.id,
                    "ErrorCode": -1 if lost else 0,
                    "ErrorStatus": "system error" if lost else "success",
                }
            ],
        )
    return message


def _message(world: World, person: Person, template: Template, values: dict[str, str], page: str) -> Message:
    return Message(
        # WeChat's msgid does not fit into a double; neither does this one.
        id=1_888_884_277_765_000_000 + world.next_serial(),
        at=world.now(),
        person=person.id,
        channel="service_account" if template.kind == "service" else "mini_program",
        template_id=template.id,
        title=template.title,
        lines=[(label, values[key]) for key, label in template.fields.items()],
        page=page,
    )
