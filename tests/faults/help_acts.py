"""Every act of help requests, over HTTP as a client does it, and every timer."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from chalicelib.areas.models import Area
from chalicelib.help.models import HelpAlert, HelpRequest, Offer, PickUp, partition
from chalicelib.kit import auth, clock, ids, vault
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices.models import Notice
from chalicelib.people import lookups
from chalicelib.people.models import Duty, Resident
from chalicelib.people.models import partition as resident_partition
from chalicelib.points import audit, statement
from chalicelib.wechat.content import NORMAL, Verdict
from tests.engine.http import Answer, Http, token_of
from tests.faults.acts import Act, when_due
from tests.neighbourhood import SETTLED

World = dict[str, Any]
_districts = itertools.count(910_000)
WISH = {
    "what": "goods",
    "title": "急需口罩",
    "text": "明天要回厂上班。",
    "quantity": 5,
    "unit": "只",
    "drop_point": "office",
}
LATER = timedelta(days=40)
DAY = timedelta(days=1)


@functools.cache
def _http() -> Http:
    import app

    return Http(app.app)


def street() -> World:
    """A community with a requester, a helper, somebody who listens, and a grid worker."""
    audit._started = True  # once in each container, and so no part of an act
    district = f"{next(_districts)}"
    community = f"{district}001001"
    now = clock.now()
    world: World = {"community": community, "people": {}}
    with transaction() as tx:
        for code in (district, district + "001", community):
            tx.put(Area.new(code, "桂苑社区", [("office", "居委会")] if code == community else []))
        for name in ("asker", "helper", "listener", "worker"):
            resident = Resident.key(ids.new_id("res"))
            resident.nickname, resident.home, resident.created_at = name, community, now
            resident.consent_version, resident.home_since = auth.privacy().version, now - SETTLED
            tx.put(resident)
            world["people"][name] = resident.id
        listener = resident_partition(world["people"]["listener"])
        alert = HelpAlert(listener, "HELP_ALERT", area_key=f"HELP_ALERT#{community}", area_sort="x")
        tx.put(alert)
        worker = world["people"]["worker"]
        tx.put(Duty.new(worker, "grid_worker", community, from_at=now - LATER, until_at=None, granted_by="test"))
    return world


def send(world: World, who: str, where: str, key: str, body: Any = None) -> Answer:
    """One request; WeChat finds nothing wrong with it."""
    token = token_of(world["people"][who], session_version=0)
    given = {} if body is None else {"json": body}
    with patch("chalicelib.content.service.check_text", return_value=Verdict("pass", NORMAL, "trace")):
        return _http().post(where.format_map(world), token=token, key=key, **given)


def asked(**change: Any) -> World:
    world = street()
    world["request"] = send(world, "asker", "/help-requests", "asked", {**WISH, **change}).json["id"]
    return world


def offered() -> World:
    world = asked()
    made = send(world, "helper", "/help-requests/{request}/offers", "offered", {"quantity": 5})
    world["offer"] = f"/help-requests/{world['request']}/offers/{made.json['id']}"
    world["offer_id"] = made.json["id"]
    return world


def brought() -> World:
    world = offered()
    send(world, "helper", "{offer}/drop-off", "brought")
    world["code"] = Offer.fetch(partition(world["request"]), f"OFFER#{world['offer_id']}").code
    return world


def received() -> World:
    world = brought()
    send(world, "asker", "{offer}/collect", "received")
    return world


def filed() -> World:
    world = street()
    contact = {"area": world["community"], "contact_name": "王阿婆", "contact_phone": "0573-82838483"}
    answer = send(world, "worker", "/help-requests/on-behalf", "filed", {**WISH, **contact})
    world["request"] = answer.json["id"]
    return world


def filed_and_brought() -> World:
    """For somebody without WeChat: whoever looks after the area goes on from here."""
    world = filed()
    made = send(world, "helper", "/help-requests/{request}/offers", "offered", {"quantity": 5}).json["id"]
    world["offer"], world["offer_id"] = f"/help-requests/{world['request']}/offers/{made}", made
    send(world, "helper", "{offer}/drop-off", "brought")
    return world


def over() -> World:
    """Filed, and ended: the contact waits to be destroyed."""
    world = filed()
    send(world, "worker", "/help-requests/{request}/withdraw", "over")
    return world


def announced() -> World:
    world = asked()
    when_due(HelpRequest.key(world["request"]), clock.now())
    return world


def escalated() -> World:
    """Announced and escalated: what comes next is its end."""
    world = announced()
    when_due(HelpRequest.key(world["request"]), clock.now() + DAY)
    return world


def helped_a_little() -> World:
    world = escalated()
    send(world, "helper", "/help-requests/{request}/offers", "offered", {"quantity": 2})
    return world


def seen_by_a_newcomer() -> World:
    world = asked()
    Resident.key(world["people"]["helper"]).update([Resident.home_since.set(clock.now())])
    return world


def flagged_twice() -> World:
    world = asked()
    for who in ("listener", "worker"):
        send(world, who, "/help-requests/{request}/flags", who, {"reason": "fraud"})
    return world


def pictured() -> World:
    world = asked()
    world["photo"] = send(world, "asker", "/help-requests/{request}/photos", "invited", {}).json["photo_id"]
    return world


def posting(who: str, where: str, body: Any = None) -> Callable[[World, str], Answer]:
    """`body` may be made of the world: what has to do with the day is the same in a repeat after midnight."""
    return lambda world, key: send(world, who, where, key, body(world) if callable(body) else body)


def listening(on: bool) -> Callable[[World, str], Answer]:
    """Whoever listens does so already; the helper does not yet."""

    def listen(world: World, key: str) -> Answer:
        who = world["people"]["helper" if on else "listener"]
        return _http().put("/me/help-alerts", token=token_of(who, session_version=0), key=key, json={"on": on})

    return listen


def what_is_heard(world: World) -> list[bool]:
    return [bool(HelpAlert.find(resident_partition(who), "HELP_ALERT")) for who in world["people"].values()]


def filing(world: World, key: str) -> Answer:
    contact = {"area": world["community"], "contact_name": "王阿婆", "contact_phone": "0573-82838483"}
    return send(world, "worker", "/help-requests/on-behalf", key, {**WISH, **contact})


def handing_over(world: World, key: str) -> Answer:
    return send(world, "worker", "/pick-ups", key, {"code": world["code"]})


def passing(after: timedelta, what: str = "request") -> Callable[[World, str], None]:
    """The sweeper runs the item's timer at that time after the world was made, if it is due."""

    def run(world: World, key: str) -> None:
        request = world["request"]
        item = HelpRequest.key(request) if what == "request" else Offer.key(request, world["offer_id"])
        when_due(item, world.setdefault("at", clock.now() + after))

    return run


def facts(world: World) -> Any:
    """All that is stored of the request, and who was told what, without ids and times."""
    requests = [world["request"]] if "request" in world else _requests(world)
    told = {
        name: sorted(
            notice.topic for notice in Notice.query(resident_partition(resident), Item.sk.startswith(Notice.PREFIX))
        )
        for name, resident in world["people"].items()
    }
    balances = [statement.now_of(resident, now=clock.now())[0] for resident in world["people"].values()]
    return told, balances, [sorted(map(str, map(_fact, Item.collection(partition(each))))) for each in requests]


def _requests(world: World) -> list[str]:
    keys = [f"HELP_OF#{resident}" for resident in world["people"].values()]
    keys.append(HelpRequest.filed_in(world["community"]))
    return [item.id for key in keys for item in Item.by_person.query(key)]


def _fact(item: Any) -> Any:
    kind = type(item).__name__
    if isinstance(item, HelpRequest):
        state = (item.state, item.offered, item.collected, item.flags, item.photos, item.timer)
        return kind, *state, bool(item.area_key), bool(item.contact_sealed), item.objection, len(item.marks or ())
    if isinstance(item, Offer):
        code = bool(item.code) and PickUp.find(f"PICKUP#{item.code}", "OFFER") is not None
        return kind, item.state, item.quantity, item.messages, item.thanks, code, item.timer, len(item.marks or ())
    return kind, getattr(item, "state", None), getattr(item, "text", None)


def facts_and_key(world: World) -> Any:
    try:
        vault.seal(world["request"], "contact", "x")
    except vault.KeyDestroyed:
        return facts(world), "destroyed"
    return facts(world), "there"


R, OFFER = "/help-requests/{request}", "/help-requests/{request_id}/offers/{offer_id}"
ACTS = [
    Act("a resident asks for help", street, posting("asker", "/help-requests", WISH), facts, "POST /help-requests"),
    Act("staff file for somebody", street, filing, facts, "POST /help-requests/on-behalf"),
    Act(
        "staff read a contact",
        filed,
        posting("worker", f"{R}/contact", {"reason": "电话核实情况"}),
        lambda world: (facts(world), len(list(lookups.about(world["request"], cursor=None)))),
        "POST /help-requests/{request_id}/contact",
    ),
    Act(
        "a neighbour offers",
        asked,
        posting("helper", f"{R}/offers", {"quantity": 2}),
        facts,
        "POST /help-requests/{request_id}/offers",
    ),
    Act("the helper drops off", offered, posting("helper", "{offer}/drop-off"), facts, f"POST {OFFER}/drop-off"),
    Act("the requester collects", brought, posting("asker", "{offer}/collect"), facts, f"POST {OFFER}/collect"),
    Act("staff hand over by code", brought, handing_over, facts, "POST /pick-ups"),
    Act("the helper cancels", offered, posting("helper", "{offer}/cancel"), facts, f"POST {OFFER}/cancel"),
    Act(
        "the requester withdraws",
        offered,
        posting("asker", f"{R}/withdraw"),
        facts,
        "POST /help-requests/{request_id}/withdraw",
    ),
    Act(
        "the requester confirms",
        received,
        posting("asker", f"{R}/confirm"),
        facts,
        "POST /help-requests/{request_id}/confirm",
    ),
    Act(
        "the requester objects",
        received,
        posting("asker", f"{R}/object", {"reason": "坏的"}),
        facts,
        "POST /help-requests/{request_id}/object",
    ),
    Act(
        "a neighbour flags",
        asked,
        posting("helper", f"{R}/flags", {"reason": "fraud"}),
        facts,
        "POST /help-requests/{request_id}/flags",
    ),
    Act(
        "somebody flags who has just moved there",
        seen_by_a_newcomer,
        posting("helper", f"{R}/flags", {"reason": "fraud"}),
        facts,
        "POST /help-requests/{request_id}/flags",
    ),
    Act(
        "the third neighbour flags, which hides it",
        flagged_twice,
        posting("helper", f"{R}/flags", {"reason": "fraud"}),
        facts,
        "POST /help-requests/{request_id}/flags",
    ),
    Act(
        "a message is written",
        offered,
        posting("helper", "{offer}/messages", {"text": "放门口了"}),
        facts,
        f"POST {OFFER}/messages",
    ),
    Act(
        "staff write for somebody who has no phone",
        filed_and_brought,
        posting("worker", "{offer}/messages", {"text": "我去拿"}),
        facts,
        f"POST {OFFER}/messages",
    ),
    Act(
        "staff collect for somebody who has no phone",
        filed_and_brought,
        posting("worker", "{offer}/collect"),
        facts,
        f"POST {OFFER}/collect",
    ),
    Act(
        "the requester thanks",
        received,
        posting("asker", "{offer}/thanks", {"text": "谢谢"}),
        facts,
        f"POST {OFFER}/thanks",
    ),
    Act(
        "a photo is added",
        asked,
        posting("asker", f"{R}/photos", {}),
        facts,
        "POST /help-requests/{request_id}/photos",
    ),
    Act(
        "a photo is taken off",
        pictured,
        posting("asker", f"{R}/photos/{{photo}}/remove"),
        facts,
        "POST /help-requests/{request_id}/photos/{photo_id}/remove",
    ),
    Act("a neighbour wants to hear of requests", street, listening(True), what_is_heard, "PUT /me/help-alerts"),
    Act("a neighbour wants to hear no more", street, listening(False), what_is_heard, "PUT /me/help-alerts"),
    Act("a request is announced", asked, passing(timedelta(0)), facts, "timer help.announce"),
    Act("a request is escalated", announced, passing(DAY), facts, "timer help.escalate"),
    Act("a request closes without help", escalated, passing(30 * DAY), facts, "timer help.close"),
    Act("a request closes with some help", helped_a_little, passing(30 * DAY), facts, "timer help.close"),
    Act("an offer lapses", offered, passing(2 * DAY + DAY, "offer"), facts, "timer help.lapse"),
    Act("somebody is reminded of goods", brought, passing(3 * DAY, "offer"), facts, "timer help.remind"),
    Act("silence confirms", received, passing(8 * DAY), facts, "timer help.fulfil"),
    Act("a contact is forgotten", over, passing(DAY), facts_and_key, "timer help.forget"),
]
