"""What help requests say about a person: for the copy of their data, and when they leave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from chalicelib.content import reviews
from chalicelib.help import offering, quantities, rules
from chalicelib.help.ending import end_without_help, fulfil, read_whole
from chalicelib.help.judging import REASONS
from chalicelib.help.models import ActedFor, Flag, HelpAlert, HelpRequest, Message, Offer
from chalicelib.help.quantities import settled
from chalicelib.help.sides import tell_asker
from chalicelib.kit import clock
from chalicelib.kit.table import Item, read_together
from chalicelib.kit.transaction import transaction
from chalicelib.notices import alerts
from chalicelib.people import personal_data
from chalicelib.people.models import partition as resident_partition
from chalicelib.people.personal_data import Named
from chalicelib.people.rules import NICKNAME_OF_THE_CLOSED

_ERASED = "（已注销）"
_PIECES = "份"  # units are words of the requester's, too


@personal_data.section("我的求助")
def export_requests(resident_id: str) -> Iterable[dict[str, Any]]:
    for request in _requests(resident_id):
        yield {
            "时间": clock.spoken(request.created_at),
            "标题": request.title,
            "内容": request.text,
            "数量": f"{int(request.quantity)} {request.unit}",
            "状态": rules.REQUEST_STATES[request.state],
            "异议": request.objection or "",
            "感谢": "；".join(offer.thanks for offer in read_whole(request.id).offers if offer.thanks),
        }


@personal_data.section("我代为登记的求助")
def export_filed(resident_id: str) -> Iterable[dict[str, Any]]:
    """That they did, and when; what it is about is somebody else's affair."""
    filed = [Item(acted.item_pk, acted.item_sk) for acted in _acted(resident_id) if acted.item_sk == "REQUEST"]
    for request in read_together(*filed) if filed else []:
        if request and request.filed_by == resident_id:
            yield {"时间": clock.spoken(request.created_at), "编号": request.id}


@personal_data.section("我帮助的")
def export_offers(resident_id: str) -> Iterable[dict[str, Any]]:
    for offer in _offers(resident_id):
        yield {
            "时间": clock.spoken(offer.created_at),
            "求助": offer.title,
            "数量": f"{int(offer.quantity)} {offer.unit}",
            "留言": offer.message,
            "状态": rules.OFFER_STATES[offer.state],
        }


@personal_data.section("我的留言")
def export_messages(resident_id: str) -> Iterable[dict[str, Any]]:
    for message in _messages(resident_id):
        yield {"时间": clock.spoken(message.sent_at), "内容": message.text}


@personal_data.section("我提出异议的求助")
def export_flags(resident_id: str) -> Iterable[dict[str, Any]]:
    for flag in _flags(resident_id):
        yield {"时间": clock.spoken(flag.flagged_at), "原因": REASONS[flag.reason], "说明": flag.text}  # type: ignore[index]


@personal_data.section("邻居求助提醒")
def export_alert(resident_id: str) -> Iterable[dict[str, Any]]:
    alert = HelpAlert.find(resident_partition(resident_id), HelpAlert.SK)
    if alert is not None:
        yield {"状态": "已开启", "最近提醒的日子": alert.day or "还没有", "当天提醒的求助": len(alert.told or ())}


@personal_data.eraser
def erase(resident_id: str, *, now: datetime) -> None:
    """Requests and offers under way end and the other side is told; texts and names go, quantities and times stay."""
    for message in _messages(resident_id):
        gone = Message.set(text=_ERASED, author_name=NICKNAME_OF_THE_CLOSED)
        with transaction() as tx:
            tx.update(message, [*gone, *Message.set(person_key=None, person_sort=None)])
    for offer in _offers(resident_id):
        if offer.state == "offered":
            _call_off(offer, now)
        with transaction() as tx:
            gone = Offer.set(helper_name=NICKNAME_OF_THE_CLOSED, message="")
            tx.update(offer, [*gone, *Offer.set(person_key=None, person_sort=None)])
    for request in _requests(resident_id):
        _finish(request, now)
        _forget(request)
    for flag in _flags(resident_id):
        _forget_words(flag)
        with transaction() as tx:
            tx.update(flag, Flag.set(text="", person_key=None, person_sort=None))
    for each in _acted(resident_id):
        _unsign(each)
    with transaction() as tx:
        alerts.switch_off(tx, HelpAlert, resident_id)


@personal_data.renamer
def rename(named: Named) -> None:
    """Requests under way show the nickname of now, with all their offers and messages; so does what was done for others."""
    signed = {(each.item_pk, each.item_sk) for each in _acted(named.id)}
    answered = [*_offers(named.id), *_messages(named.id)]
    keys = {request.pk for request in _requests(named.id)} | {each.pk for each in answered} | {pk for pk, _ in signed}
    found = read_together(*(Item(pk, "REQUEST") for pk in sorted(keys))) if keys else []
    for request in found:
        if isinstance(request, HelpRequest) and request.state in rules.REQUEST.moves:
            for item in Item.collection(request.pk):
                named.show(item, *_names(item, request, named.id, signed))


def _names(item: Item, request: HelpRequest, who: str, signed: set[tuple[str, str]]) -> Iterator[Any]:
    """The attributes of a request, or of what belongs to it, by which it shows somebody's nickname."""
    if isinstance(item, (HelpRequest, Offer)) and request.requester == who:
        yield type(item).requester_name
    if isinstance(item, Offer) and item.helper == who:
        yield Offer.helper_name
    if isinstance(item, Message) and item.author == who:
        yield Message.author_name
    if isinstance(item, (HelpRequest, Offer, Message)) and (item.pk, item.sk) in signed:
        yield type(item).by_name


@settled
def _call_off(promised: Offer, now: datetime) -> None:
    request, current = read_together(HelpRequest.key(promised.request_id), promised)
    if current.state != "offered":
        return
    with transaction() as tx:
        offering.end(tx, current, "cancelled", now)
        quantities.give_back(tx, request, int(current.quantity), now=now)
        tell_asker(tx, request, "help_offer_cancelled", now=now, who=NICKNAME_OF_THE_CLOSED)


@settled
def _finish(request: HelpRequest, now: datetime) -> None:
    """End it: well, if all that was promised has been received, otherwise as withdrawn. Nobody waits for goods alone."""
    for offer in read_whole(request.id).offers:
        if offer.state == "dropped_off":
            _return_goods(offer, now)
    whole = read_whole(request.id)
    if not rules.REQUEST.allows(whole.request.state, "withdrawn"):
        return
    received = rules.REQUEST.allows(whole.request.state, "fulfilled") and int(whole.request.collected)
    if received and not whole.live:
        fulfil(whole, now=now)
    else:
        end_without_help(whole, "withdrawn", now=now)


def _return_goods(brought: Offer, now: datetime) -> None:
    with transaction() as tx:
        offering.end(tx, brought, "returned", now, before="dropped_off")
        offering.tell_not_needed(tx, brought, why="求助人已注销账号", now=now)


def _forget(request: HelpRequest) -> None:
    whole = read_whole(request.id)
    with transaction() as tx:
        tx.update(
            request,
            HelpRequest.set(
                title=_ERASED,
                text="",
                unit=_PIECES,
                requester_name=NICKNAME_OF_THE_CLOSED,
                objection=None,
                person_key=None,
                person_sort=None,
            ),
        )
    for offer in whole.offers:
        with transaction() as tx:
            gone = Offer.set(title=_ERASED, unit=_PIECES, thanks=None)
            tx.update(offer, [*gone, Offer.requester_name.set(NICKNAME_OF_THE_CLOSED)])


def _forget_words(flag: Flag) -> None:
    """Moderators have a copy until they have decided."""
    request = HelpRequest.find(flag.pk, "REQUEST") if flag.text else None
    if request is not None:
        reason = REASONS[flag.reason]  # type: ignore[index]
        reviews.forget_words(request.pk, area=request.area, reason=reason, words=flag.text)


def _unsign(acted: ActedFor) -> None:
    """Take out who did something for somebody else: a delegate's name, or which staff member asked for somebody."""
    signed: HelpRequest | Offer | Message | None
    (signed,) = read_together(Item(acted.item_pk, acted.item_sk))
    with transaction() as tx:
        if isinstance(signed, HelpRequest) and signed.requester is None:
            tx.update(signed, [HelpRequest.filed_by.remove()])
        elif signed is not None and signed.by_name is not None:
            tx.update(signed, [type(signed).by_name.set(NICKNAME_OF_THE_CLOSED)])
        tx.delete(acted)


def _acted(resident_id: str) -> list[ActedFor]:
    return Item.collection(resident_partition(resident_id), ActedFor.PREFIX)


def _flags(resident_id: str) -> list[Flag]:
    return list(Item.by_person.query(f"FLAGS_OF#{resident_id}"))


def _requests(resident_id: str) -> list[HelpRequest]:
    return list(Item.by_person.query(f"HELP_OF#{resident_id}"))


def _offers(resident_id: str) -> list[Offer]:
    return list(Item.by_person.query(f"OFFERS_OF#{resident_id}"))


def _messages(resident_id: str) -> list[Message]:
    return list(Item.by_person.query(f"MESSAGES_OF#{resident_id}"))
