"""Short messages between helper and requester, and the thanks afterwards. Neither sees the other's phone."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.content import service as content
from chalicelib.content.rules import refuse_blank
from chalicelib.content.service import Screening
from chalicelib.help import rules
from chalicelib.help.models import HelpRequest, Message, Offer, partition
from chalicelib.help.quantities import settled
from chalicelib.help.sides import carer, helps, not_helping, sign, speaker, whom_to_tell
from chalicelib.kit import clock, limits
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed, Conflict
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import service as people
from chalicelib.people.service import Person
from chalicelib.wechat.content import Scene


def write(*, caller: Caller, request_id: str, offer_id: str, text: str, attempt: Attempt, now: datetime) -> Message:
    """Write to the other side of an offer."""
    refuse_blank(text=text)
    message = Message.key(request_id, offer_id, attempt.id("msg"))
    offer: Offer | None
    written: Message | None
    person, (offer, written) = people.present_with(caller, Offer.key(request_id, offer_id), message, now=now)
    if offer is None:
        raise rules.OfferGone()
    if person.id != offer.helper:
        person = speaker(caller, person, offer, now=now, or_raise=rules.OfferGone())
        if helps(caller, offer):
            raise rules.OwnHelp()
    if written and attempt.made(written):
        return written
    if offer.state not in rules.LIVE_OFFER | {"collected"}:
        raise rules.NotNow(detail="这次认领已经结束，不能再留言。")
    screening = content.screen(caller, scene=Scene.COMMENT, now=now, text=text)
    message.text, message.state, message.sent_at = text, "shown" if screening.passed else "hidden", now
    message.person_key, message.person_sort = f"MESSAGES_OF#{person.id}", clock.stamp(now)
    message.author, message.author_name = person.id, person.resident.nickname
    message.by_name, message.helper, message.requester = person.by_name, offer.helper, offer.requester
    message.marks = attempt.marks()
    try:
        _send(message, offer, person, screening, now)
    except Conflict:
        written = Message.fetch(message.pk, message.sk)
        if not attempt.made(written):
            raise
        return written
    return message


def _send(message: Message, offer: Offer, person: Person, screening: Screening, now: datetime) -> None:
    """Raises Conflict for a message that is there already."""
    with person.acting() as tx:
        tx.create(message, or_raise=Conflict())
        tx.update(
            offer,
            [Offer.messages.add(1)],
            when=Offer.messages < rules.MESSAGES_AN_OFFER,
            or_raise=rules.TooManyMessages(),
        )
        content.hold(
            tx,
            screening,
            subject="help_message",
            subject_pk=message.pk,
            subject_sk=message.sk,
            author_id=person.id,
            about_whom=(offer.helper, offer.by, offer.requester),
            area=offer.area,
            excerpt=message.text,
            now=now,
        )
        an_hour = rules.settings_in_force().messages_an_hour
        limits.spend(tx, person.caller.id, "help_message", at_most=an_hour, per=timedelta(hours=1), now=now)
        sign(tx, person, message, as_staff=person.id not in (message.helper, message.requester))
        if screening.passed:
            tell_of_message(tx, message, offer, now)


def tell_of_message(tx: transaction, message: Message, offer: Offer, now: datetime) -> None:
    """Tell the other side, once the message may be seen. What it says stands where it was written, and nowhere else."""
    others = whom_to_tell(message, now=now) if message.author == message.helper else [message.helper]
    facts = {"sender": message.author_name, "title": offer.title}
    for other in others:
        notices.tell(tx, other, "help_message", about=message.request_id, now=now, **facts)


def read(*, caller: Caller, request_id: str, offer_id: str, now: datetime) -> list[Message]:
    """The messages of an offer in their order, for its two sides; one not yet passed only for its author."""
    messages: list[Message] = Item.collection(partition(request_id), f"TALK#{offer_id}#")
    me = caller.principal
    # Each message knows its two sides, so the offer itself is only read while nothing has been said.
    of = messages[0] if messages else Offer.find(partition(request_id), f"OFFER#{offer_id}")
    if of is None:
        raise rules.OfferGone()
    if me not in (of.helper, of.requester):
        request = HelpRequest.key(request_id)
        carer(caller, HelpRequest.fetch(request.pk, request.sk), now=now, or_raise=rules.OfferGone())
    seen = [message for message in messages if message.state == "shown" or message.author == me]
    return sorted(seen, key=lambda message: message.sent_at)


def thank(*, caller: Caller, request_id: str, offer_id: str, text: str, attempt: Attempt, now: datetime) -> Offer:
    """Thank a helper with a sentence, once, after the goods were collected."""
    refuse_blank(text=text)
    screening: Screening | None = None

    @settled
    def say_thanks() -> Offer:
        nonlocal screening
        offer: Offer | None
        person, (offer,) = people.present_with(caller, Offer.key(request_id, offer_id), now=now)
        if offer is None:
            raise rules.OfferGone()
        person = speaker(caller, person, offer, now=now, or_raise=rules.OfferGone())
        if attempt.made(offer):
            return offer
        not_helping(person, [offer])
        if offer.state != "collected":
            raise rules.NotNow(detail="请先确认邻居已经送到或办好，再来感谢。")
        if offer.thanks_state != "none":
            raise rules.AlreadyThanked()
        screening = screening or content.screen(caller, scene=Scene.COMMENT, now=now, text=text)
        offer.thanks, offer.thanks_state = text, "shown" if screening.passed else "hidden"
        with person.acting() as tx:
            tx.update(
                offer,
                [*Offer.set(thanks=text, thanks_state=offer.thanks_state), *attempt.remember()],
                when=Offer.thanks_state == "none",
                or_raise=Changed(),
            )
            content.hold(
                tx,
                screening,
                subject="help_thanks",
                subject_pk=offer.pk,
                subject_sk=offer.sk,
                author_id=person.id,
                about_whom=(offer.helper, offer.by),
                area=offer.area,
                excerpt=text,
                now=now,
            )
            if screening.passed:
                tell_of_thanks(tx, offer, now)
        return offer

    return say_thanks()


def tell_of_thanks(tx: transaction, offer: Offer, now: datetime) -> None:
    facts = {"requester": offer.requester_name, "title": offer.title}
    notices.tell(tx, offer.helper, "help_thanked", about=offer.request_id, now=now, **facts)
