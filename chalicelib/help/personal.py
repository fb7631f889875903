"""What help requests say about a person: for the copy of their data, and when they leave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from chalicelib.help import offering, quantities
from chalicelib.help.ending import Whole, end_without_help, read_whole
from chalicelib.help.models import HelpAlert, HelpRequest, Message, Offer, partition
from chalicelib.help.quantities import settled
from chalicelib.kit import clock
from chalicelib.kit.table import Item, read_together
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import personal_data
from chalicelib.people.models import partition as resident_partition
from chalicelib.people.rules import NICKNAME_OF_THE_CLOSED

_ERASED = "（已注销）"
_OVER = ("fulfilled", "withdrawn", "expired", "removed")


@personal_data.section("我的求助")
def export_requests(resident_id: str) -> Iterable[dict[str, Any]]:
    for request in _requests(resident_id):
        yield {
            "时间": clock.spoken(request.created_at),
            "标题": request.title,
            "内容": request.text,
            "数量": f"{int(request.quantity)} {request.unit}",
            "状态": request.state,
        }


@personal_data.section("我帮助的")
def export_offers(resident_id: str) -> Iterable[dict[str, Any]]:
    for offer in _offers(resident_id):
        yield {
            "时间": clock.spoken(offer.created_at),
            "求助": offer.title,
            "数量": f"{int(offer.quantity)} {offer.unit}",
            "留言": offer.message,
            "状态": offer.state,
        }


@personal_data.section("我的留言")
def export_messages(resident_id: str) -> Iterable[dict[str, Any]]:
    for message in _messages(resident_id):
        yield {"时间": clock.spoken(message.sent_at), "内容": message.text}


@personal_data.eraser
def erase(resident_id: str, *, now: datetime) -> None:
    """Requests and offers under way end and the other side is told; texts and names go, quantities and times stay."""
    for message in _messages(resident_id):
        with transaction() as tx:
            tx.update(message, [Message.text.set(_ERASED), Message.author_name.set(NICKNAME_OF_THE_CLOSED)])
    for offer in _offers(resident_id):
        if offer.state == "offered":
            _call_off(offer, now)
        with transaction() as tx:
            gone = [Offer.helper_name.set(NICKNAME_OF_THE_CLOSED), Offer.message.set("")]
            tx.update(offer, [*gone, Offer.person_key.remove(), Offer.person_sort.remove()])
    for request in _requests(resident_id):
        if request.state not in _OVER:
            _withdraw(request, now)
        _forget(request)
    with transaction() as tx:
        tx.delete(HelpAlert(resident_partition(resident_id), "HELP_ALERT"))


def _call_off(promised: Offer, now: datetime) -> None:
    def call_off() -> None:
        request: HelpRequest | None
        current: Offer | None
        request, current = read_together(HelpRequest.key(promised.request_id), promised)
        if request is None or current is None or current.state != "offered":
            return
        with transaction() as tx:
            offering.end(tx, current, "cancelled", now)
            quantities.give_back(tx, request, int(current.quantity), now=now)
            facts = {"title": request.title, "who": NICKNAME_OF_THE_CLOSED}
            notices.tell(tx, request.owner, "help_offer_cancelled", about=request.id, now=now, **facts)

    settled(call_off)


def _withdraw(request: HelpRequest, now: datetime) -> None:
    def withdraw() -> None:
        whole = read_whole(request.id)
        if whole.request.state in _OVER:
            return
        for offer in whole.offers:
            if offer.state == "dropped_off":
                _return_goods(whole, offer, now)
        end_without_help(read_whole(request.id), "withdrawn", now=now)

    settled(withdraw)


def _return_goods(whole: Whole, brought: Offer, now: datetime) -> None:
    with transaction() as tx:
        offering.end(tx, brought, "returned", now, before="dropped_off")
        title = whole.request.title
        notices.tell(tx, brought.helper, "help_take_back", about=whole.request.id, now=now, title=title)


def _forget(request: HelpRequest) -> None:
    whole = read_whole(request.id)
    with transaction() as tx:
        tx.update(
            request,
            [
                HelpRequest.title.set(_ERASED),
                HelpRequest.text.set(""),
                HelpRequest.requester_name.set(NICKNAME_OF_THE_CLOSED),
                HelpRequest.objection.remove(),
                HelpRequest.person_key.remove(),
                HelpRequest.person_sort.remove(),
            ],
        )
    for offer in whole.offers:
        with transaction() as tx:
            gone = [Offer.title.set(_ERASED), Offer.requester_name.set(NICKNAME_OF_THE_CLOSED), Offer.thanks.remove()]
            tx.update(offer, gone)


def _requests(resident_id: str) -> Iterator[HelpRequest]:
    return iter(list(Item.by_person.query(f"HELP_OF#{resident_id}")))


def _offers(resident_id: str) -> Iterator[Offer]:
    return iter(list(Item.by_person.query(f"OFFERS_OF#{resident_id}")))


def _messages(resident_id: str) -> Iterator[Message]:
    """What somebody wrote, found through the requests and offers they were part of."""
    talks = {(request.id, "") for request in _requests(resident_id)}
    talks |= {(offer.request_id, offer.id) for offer in _offers(resident_id)}
    for request_id, offer_id in sorted(talks):
        for message in Item.collection(partition(request_id), f"TALK#{offer_id}"):
            if message.author == resident_id:
                yield message
