"""A street where much happens: neighbours made without a login each, and the few things tests do again and again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from chalicelib.areas.models import Area
from chalicelib.content.models import Review
from chalicelib.help.ending import Whole, read_whole
from chalicelib.help.models import HelpRequest, Offer, partition
from chalicelib.kit import auth, clock, ids, timers
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices.models import Notice
from chalicelib.people import service as people
from chalicelib.people.models import Duty, Resident
from chalicelib.people.models import partition as resident_partition
from tests.engine.http import Answer, token_of
from tests.neighbourhood import SETTLED, Hood, Neighbour

MASKS: dict[str, Any] = {
    "what": "goods",
    "title": "急需口罩",
    "text": "明天要回厂上班，需要五只口罩。",
    "quantity": 5,
    "unit": "只",
    "drop_point": "office",
}
ERRAND: dict[str, Any] = {"what": "errand", "title": "帮忙买药", "text": "腿脚不便，想请人去药店买药。"}
PHONE = "the-phone-of-the-street"
_numbers = count(100_000)


class Street(Hood):
    def __init__(self, http: Any, wechat: Any) -> None:
        self.http, self.wechat = http, wechat
        self.district = f"{next(_numbers)}"
        self.street = f"{self.district}001"
        self.community = f"{self.street}001"
        self.grid = f"{self.community}001"
        self.micro_grid = f"{self.grid}001"
        wechat.add_person(PHONE, "居民")
        wechat.open(PHONE)
        self.openid = wechat.person(PHONE)["openid"]
        with transaction() as tx:
            for code in (self.district, self.street, self.community, self.grid, self.micro_grid):
                places = [("office", "社区居委会")] if code == self.community else []
                tx.put(Area.new(code, "桂苑社区", places))

    def resident(self, name: str = "居民") -> Neighbour:
        neighbour = Neighbour(self, name, PHONE)
        neighbour.id = ids.new_id("res")
        resident = Resident.key(neighbour.id)
        resident.nickname, resident.home, resident.created_at = name, self.micro_grid, clock.now()
        resident.consent_version, resident.home_since = auth.privacy().version, resident.created_at - SETTLED
        with transaction() as tx:
            tx.put(resident)
        neighbour.token = token_of(neighbour.id, openid=self.openid, session_version=0)
        return neighbour

    def residents(self, number: int) -> list[Neighbour]:
        return [self.resident(f"居民{each}") for each in range(number)]

    def staff(self, role: str, area: str | None = None, name: str = "工作人员") -> Neighbour:
        neighbour = self.resident(name)
        begins = clock.now() - timedelta(days=1)
        code = area or self.community
        with transaction() as tx:
            people.grant_duty(tx, Duty.new(neighbour.id, role, code, from_at=begins, until_at=None, granted_by="test"))
        return neighbour

    def open_list(self, who: Neighbour, order: str = "urgent") -> list[str]:
        answer = who.get(f"/help-requests?area={self.community}&order={order}")
        return [line["id"] for line in answer.json["items"]]


def ask(who: Neighbour, wish: dict[str, Any] = MASKS, **change: Any) -> str:
    answer = who.post("/help-requests", json={**wish, **change})
    assert answer.status == 201, answer
    request: str = answer.json["id"]
    return request


def offer(who: Neighbour, request: str, quantity: int = 5, **more: Any) -> str:
    answer = who.post(f"/help-requests/{request}/offers", json={"quantity": quantity, **more})
    assert answer.status == 201, answer
    made: str = answer.json["id"]
    return made


def path(request: str, made: str, act: str = "") -> str:
    return f"/help-requests/{request}/offers/{made}" + (f"/{act}" if act else "")


def bring(who: Neighbour, request: str, quantity: int = 5) -> str:
    made = offer(who, request, quantity)
    assert who.post(path(request, made, "drop-off")).status == 200
    return made


def code_of(request: str, made: str) -> str:
    return Offer.fetch(partition(request), f"OFFER#{made}").code or ""


def stored(request: str) -> HelpRequest:
    return HelpRequest.fetch(partition(request), "REQUEST")


def states(request: str) -> list[str]:
    return sorted(each.state for each in read_whole(request).offers)


def review_of(author: Neighbour, subject: str) -> Review:
    (found,) = [review for review in Item.by_person.query(f"REVIEWS#{author.id}") if review.subject == subject]
    return Review.fetch(found.pk, found.sk)


def notices(who: Neighbour, topic: str) -> list[Notice]:
    found = Notice.query(resident_partition(who.id), Item.sk.startswith(Notice.PREFIX))
    return [notice for notice in found if notice.topic == topic]


def at_once(*acts: Any) -> list[Any]:
    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result() for future in [pool.submit(act) for act in acts]]


def run(item: Item, now: datetime) -> str | None:
    """Run the timer of an item if it is due at this time, as the sweeper would, but let its errors out."""
    current = type(item).fetch(item.pk, item.sk)
    if current.due_at is None or current.due_at > now:
        return None
    name = current.timer
    timers._handlers[name](current, now=now)
    return name


def run_request(request: str, now: datetime) -> str | None:
    return run(HelpRequest.key(request), now)


def run_offer(request: str, made: str, now: datetime) -> str | None:
    return run(Offer.key(request, made), now)


def check_books(request: str) -> Whole:
    """What must be true of every request after whatever happened to it."""
    whole = read_whole(request)
    now, kept = whole.request, [each for each in whole.offers if each.state in ("offered", "dropped_off", "collected")]
    assert int(now.offered) == sum(int(each.quantity) for each in kept), (now.state, states(request))
    assert int(now.collected) == sum(int(each.quantity) for each in kept if each.state == "collected")
    assert 0 <= int(now.offered) <= int(now.quantity)
    if now.state == "open":
        assert now.offered < now.quantity
    if now.state == "covered":
        assert now.offered == now.quantity or now.open_until <= clock.now() + timedelta(days=60)
    assert (now.area_key is not None) == (now.state == "open"), "listed iff open"
    assert (now.rank_sort is not None) == (now.state == "open")
    if now.state == "open":
        assert now.timer in ("help.announce", "help.escalate", "help.close")
    return whole


def lines(answer: Answer) -> list[Any]:
    assert answer.status == 200, answer
    found: list[Any] = answer.json["items"]
    return found


def decide(moderator: Neighbour, review: Review, decision: str, reason: str | None = None) -> Answer:
    return moderator.post(f"/reviews/{review.id}/decide", json={"decision": decision, "reason": reason})
