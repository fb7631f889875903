"""Flags by neighbours, and what a verdict on something held back means for it."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.areas import rules as area_rules
from chalicelib.content import reviews
from chalicelib.content.models import Review
from chalicelib.content.rules import SubjectGone
from chalicelib.help import offering, rules, talking
from chalicelib.help.ending import Whole, let_go, read_whole
from chalicelib.help.models import Flag, HelpRequest, Message, Offer, Unanswered, partition
from chalicelib.help.quantities import as_read, settled
from chalicelib.kit import clock, limits, timers
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Condition, Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import rules as people_rules
from chalicelib.people import service as people
from chalicelib.people.models import Resident

REASONS: dict[rules.FlagReason, str] = {
    "advertising": "广告",
    "fraud": "可能是骗人的",
    "insult": "辱骂他人",
    "privacy": "泄露隐私",
    "money": "要钱",
    "other": "其他",
}


@settled
def flag(
    *, caller: Caller, request_id: str, reason: rules.FlagReason, text: str, attempt: Attempt, now: datetime
) -> None:
    """Say that a request should not stand here. Three different residents of its community hide it until a moderator
    decides; what others say, or who has moved there the other day, the moderator reads while it is shown."""
    mine = Flag(partition(request_id), f"FLAG#{caller.id}")
    person, (request, flagged) = people.present_with(caller, HelpRequest.key(request_id), mine, now=now)
    if flagged:
        attempt.made(flagged)
        return  # once a person; saying it again changes nothing
    if request:
        own = (request.requester, request.by, request.filed_by)
        person.apart_from(*own, or_raise=rules.OwnFlag(), tied=rules.TiedToFlagged())
    if request is None or request.state not in ("open", "covered"):
        raise rules.RequestGone()
    mine.reason, mine.text, mine.flagged_at, mine.marks = reason, text, now, attempt.marks()
    mine.counts = _lives_there(person.resident, request, now) or None
    mine.person_key, mine.person_sort = f"FLAGS_OF#{caller.id}", clock.stamp(now)
    with person.acting() as tx:
        tx.create(mine, or_raise=Changed())
        a_day = rules.settings_in_force().flags_a_day
        limits.spend(tx, caller.id, "flag", at_most=a_day, per=timedelta(days=1), now=now)
        if mine.counts:
            _count(tx, request, mine, now)
        else:
            _point_out(tx, request, mine, now)


def _lives_there(resident: Resident, request: HelpRequest, now: datetime) -> bool:
    community = area_rules.at_level(request.area, "community") or request.area
    by = now - timedelta(days=rules.settings_in_force().flags_count_after_days)
    since = resident.home_since or resident.created_at
    return people_rules.settled_in(community, resident.home, resident.home_state, since, by=by)


def _point_out(tx: transaction, request: HelpRequest, mine: Flag, now: datetime) -> None:
    """One review at a time, however many say something."""
    waiting = reviews.undecided(request.pointed_out)
    if waiting is not None:
        reviews.add_flag(tx, waiting, by=_by(mine), reason=REASONS[mine.reason], words=mine.text)  # type: ignore[index]
        return
    review = _ask_moderator(tx, request, [mine], now, hidden=False)
    as_read = _same_review(request) & (HelpRequest.state == request.state)
    tx.update(request, [HelpRequest.pointed_out.set(review.id)], when=as_read, or_raise=Changed())


def _same_review(request: HelpRequest) -> Condition:
    waits = HelpRequest.pointed_out
    same: Condition = waits == request.pointed_out if request.pointed_out else waits.does_not_exist()
    return same


def _by(flag: Flag) -> str:
    return str(flag.sk.removeprefix("FLAG#"))


def _ask_moderator(tx: transaction, request: HelpRequest, flags: list[Flag], now: datetime, *, hidden: bool) -> Review:
    return reviews.open_for_flags(
        tx,
        subject="help_request" if hidden else "flagged_request",
        subject_pk=request.pk,
        subject_sk=request.sk,
        author_id=request.requester,
        writer_id=request.filed_by,
        flagged_by=[_by(each) for each in flags],
        area=request.area,
        excerpt=f"{request.title}\n{request.text}",
        reasons=[REASONS[each.reason] for each in flags],  # type: ignore[index]
        words=[each.text for each in flags],
        hidden=hidden,
        now=now,
    )


def _count(tx: transaction, request: HelpRequest, mine: Flag, now: datetime) -> None:
    flags = int(request.flags) + 1
    hides = flags >= rules.FLAGS_TO_HIDE and rules.REQUEST.allows(request.state, "in_review")
    hidden = [
        *HelpRequest.set(state="in_review", pointed_out=None),
        *HelpRequest.unlist(),
        *timers.stop(),
    ]
    change = hidden if hides else []
    tx.update(
        request,
        [HelpRequest.flags.set(flags), *change],
        when=(HelpRequest.flags == flags - 1) & (HelpRequest.state == request.state) & _same_review(request),
        or_raise=Changed(),
    )
    if hides:
        if request.pointed_out:
            reviews.drop(tx, request.pointed_out, now=now)  # its flags are read with the others
        _ask_moderator(tx, request, [*_earlier(request), mine], now, hidden=True)


def _earlier(request: HelpRequest) -> list[Flag]:
    """The flags since a moderator last let the request stand."""
    flags: list[Flag] = Item.collection(request.pk, "FLAG#")
    since = request.cleared_at or request.created_at
    return [flag for flag in flags if flag.flagged_at >= since]


@reviews.on_decision("help_request")
def judged(tx: transaction, review: Review, *, approved: bool, reason: str, now: datetime) -> None:
    """Show the request (again), or remove it; then offers end and whoever promised something is told."""
    whole = read_whole(review.subject_pk.removeprefix("HELP#"))
    request = whole.request
    if request.state != "in_review":
        raise SubjectGone()
    if approved:
        _show(tx, request, now)
    else:
        _remove(tx, whole, reason, now)


@reviews.on_decision("flagged_request")
def judged_while_shown(tx: transaction, review: Review, *, approved: bool, reason: str, now: datetime) -> None:
    """The same of one that stays to be seen meanwhile."""
    whole = read_whole(review.subject_pk.removeprefix("HELP#"))
    request = whole.request
    if request.pointed_out != review.id or request.state not in ("open", "covered"):
        raise SubjectGone()
    if not approved:
        _remove(tx, whole, reason, now)
        return
    stands = HelpRequest.set(pointed_out=None, flags=0, cleared_at=now)
    as_it_was = _same_review(request) & (HelpRequest.flags == int(request.flags))
    tx.update(request, stands, when=as_it_was & (HelpRequest.state == request.state), or_raise=Changed())


def _remove(tx: transaction, whole: Whole, reason: str, now: datetime) -> None:
    request = whole.request
    promised = [offer for offer in whole.offers if offer.state == "offered"]
    tx.update(
        request,
        [
            *HelpRequest.set(state="removed", removed_reason=reason, pointed_out=None),
            *HelpRequest.unlist(),
            HelpRequest.offered.add(-sum(int(offer.quantity) for offer in promised)),
            *let_go(request, now),
        ],
        when=as_read(request),
        or_raise=Changed(),
    )
    tx.delete(Unanswered(request.pk, "UNANSWERED"))
    for offer in promised:
        offering.end(tx, offer, "cancelled", now)
        notices.tell(tx, offer.helper, "help_request_withdrawn", about=request.id, now=now, title=request.title)


def _show(tx: transaction, request: HelpRequest, now: datetime) -> None:
    offered, collected = int(request.offered), int(request.collected)
    state = "covered" if offered == int(request.quantity) else "open"
    request.opened_at = request.opened_at or now
    if request.needed_by is None:
        # The time it was hidden does not count against the one who asks.
        request.open_until = max(request.open_until, now + timedelta(days=1))
    following = rules.next_timer(request, state=state, offered=offered, collected=collected, now=now)
    tx.update(
        request,
        [
            *HelpRequest.set(
                state=state, opened_at=request.opened_at, open_until=request.open_until, flags=0, cleared_at=now
            ),
            *(request.list_it() if state == "open" else []),
            *(timers.set_to(request.pk, *following) if following else []),
        ],
        when=as_read(request),
        or_raise=Changed(),
    )


@reviews.on_decision("offer_message")
def offer_message_judged(tx: transaction, review: Review, *, approved: bool, reason: str, now: datetime) -> None:
    offer = Offer(review.subject_pk, review.subject_sk)
    change = Offer.message_state.set("shown" if approved else "removed")
    tx.update(offer, [change], when=Offer.message_state == "hidden", or_raise=SubjectGone())


@reviews.on_decision("help_objection")
def objection_judged(tx: transaction, review: Review, *, approved: bool, reason: str, now: datetime) -> None:
    request = HelpRequest(review.subject_pk, review.subject_sk)
    change = HelpRequest.objection_state.set("shown" if approved else "removed")
    tx.update(request, [change], when=HelpRequest.objection_state == "hidden", or_raise=SubjectGone())


@reviews.on_decision("help_message")
def message_judged(tx: transaction, review: Review, *, approved: bool, reason: str, now: datetime) -> None:
    message = Message.find(review.subject_pk, review.subject_sk)
    if message is None:
        raise SubjectGone()
    change = Message.state.set("shown" if approved else "removed")
    tx.update(message, [change], when=Message.state == "hidden", or_raise=SubjectGone())
    offer = Offer.find(message.pk, f"OFFER#{message.offer_id}") if approved else None
    if offer is not None:
        talking.tell_of_message(tx, message, offer, now)


@reviews.on_decision("help_thanks")
def thanks_judged(tx: transaction, review: Review, *, approved: bool, reason: str, now: datetime) -> None:
    offer = Offer.find(review.subject_pk, review.subject_sk)
    if offer is None:
        raise SubjectGone()
    change = Offer.thanks_state.set("shown" if approved else "removed")
    tx.update(offer, [change], when=Offer.thanks_state == "hidden", or_raise=SubjectGone())
    if approved:
        talking.tell_of_thanks(tx, offer, now)
