"""Asking for help, and what the one who asked may do with the request afterwards."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from chalicelib.areas import rules as area_rules
from chalicelib.areas import service as areas
from chalicelib.content import service as content
from chalicelib.content.rules import refuse_blank
from chalicelib.help import rules
from chalicelib.help.models import HelpRequest, partition
from chalicelib.help.sides import sign
from chalicelib.kit import limits, phones, timers, vault
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Conflict
from chalicelib.people import lookups
from chalicelib.people import rules as people_rules
from chalicelib.people import service as people
from chalicelib.people.service import Person
from chalicelib.wechat.content import Scene


class Wish(msgspec.Struct, frozen=True):
    """What somebody asks for, as filled in. `contact` only when staff file for somebody without WeChat."""

    what: rules.Kind
    title: str
    text: str
    quantity: int
    unit: str
    urgency: rules.Urgency
    needed_by: datetime | None = None
    area: str | None = None
    drop_point: str | None = None
    contact_name: str | None = None
    contact_phone: str | None = None


def ask(*, caller: Caller, wish: Wish, attempt: Attempt, now: datetime) -> HelpRequest:
    """Ask the neighbours for help."""
    request_id = attempt.id("help")
    person, found = people.present_with(caller, HelpRequest.key(request_id), now=now)
    asked_before: HelpRequest | None = found[0]
    if asked_before and attempt.made(asked_before):
        return asked_before
    request = _draft(request_id, wish, home=person.resident.home, now=now)
    request.requester, request.requester_name = person.id, person.resident.nickname
    request.by, request.by_name = person.by, person.by_name
    a_day = rules.settings_in_force().asks_a_day
    return _publish(request, person, attempt, now, limit=("ask", a_day))


def file_for(*, caller: Caller, wish: Wish, attempt: Attempt, now: datetime) -> HelpRequest:
    """A staff member asks on behalf of somebody without WeChat, who called or came to the desk.

    Name and phone are sealed under a key of the request's own, which is destroyed when it has ended.
    """
    request_id = attempt.id("help")
    person = people.present(caller, now=now)
    request = _draft(request_id, wish, home=None, now=now)
    person.must_hold(people_rules.CARERS, request.area)
    asked_before = HelpRequest.find(request.pk, request.sk)
    if asked_before and attempt.made(asked_before):
        return asked_before
    contact = Contact(wish.contact_name or "", phones.checked(wish.contact_phone or "", field="contact_phone"))
    request.filed_by, request.requester_name = person.id, "社区代为登记"
    a_day = rules.settings_in_force().files_a_day
    return _publish(request, person, attempt, now, limit=("file_for", a_day), contact=contact)


class Contact(msgspec.Struct, frozen=True):
    name: str
    phone: str


def show_contact(*, caller: Caller, request_id: str, reason: str, attempt: Attempt, now: datetime) -> Contact:
    """Whom staff filed a request for, to somebody who cares for the area; the look is written down with its reason."""
    person = people.present(caller, now=now)
    request = HelpRequest.find(partition(request_id), "REQUEST")
    if request is None or request.contact_sealed is None:
        raise rules.RequestGone()
    duty = person.must_hold(people_rules.CARERS, request.area)
    role = people_rules.ROLE_NAMES[duty.role]
    lookups.once(lambda: _write_look_down(request, person, role, reason, attempt, now), attempt=attempt, now=now)
    contact = msgspec.json.decode(vault.read(request.id, "contact", request.contact_sealed), type=Contact)
    return msgspec.structs.replace(contact, phone=phones.shown(contact.phone))


def _write_look_down(
    request: HelpRequest, person: Person, role: str, reason: str, attempt: Attempt, now: datetime
) -> None:
    what = "联系人和电话"
    with person.acting() as tx:
        lookups.record(tx, whom=request.id, what=what, by=person, role=role, reason=reason, attempt=attempt, now=now)


def _draft(request_id: str, wish: Wish, *, home: str | None, now: datetime) -> HelpRequest:
    """The request as asked, all rules of form applied; nothing is written yet."""
    refuse_blank(title=wish.title, text=wish.text, unit=wish.unit)
    rules.refuse_money_as_unit(wish.unit)
    if wish.area is None and home is None:
        raise rules.HomeNeeded()
    # A home was looked up when it was chosen; only an area typed in now may not exist.
    area = areas.get(wish.area).code if wish.area is not None else home or ""
    community = area_rules.at_level(area, "community")
    if community is None:
        raise area_rules.AreaUnknown(fields={"area": "请选到村或社区"})
    request = HelpRequest.key(request_id)
    request.title, request.text, request.what = wish.title, wish.text, wish.what
    request.quantity, request.unit, request.urgency = wish.quantity, wish.unit, wish.urgency
    request.area, request.created_at = area, now
    request.needed_by, request.open_until = wish.needed_by, rules.open_until(wish.needed_by, now)
    if wish.what == "goods":
        request.drop_point, request.drop_point_name = _drop_point(community, wish.drop_point)
    return request


def _drop_point(community: str, chosen: str | None) -> tuple[str, str]:
    places = areas.get(community).drop_points
    if chosen is None:
        raise rules.DropPointNeeded(fields={"drop_point": "必须填写"})
    for place in places:
        if place.id == chosen:
            return place.id, place.name
    raise rules.DropPointUnknown(fields={"drop_point": "不在可选的范围内"})


def _publish(
    request: HelpRequest,
    person: Person,
    attempt: Attempt,
    now: datetime,
    *,
    limit: tuple[str, int],
    contact: Contact | None = None,
) -> HelpRequest:
    """Write the checked request: open when the check passed it, hidden until then. `limit`: which act, times a day."""
    screening = content.screen(
        person.caller, scene=Scene.FORUM, now=now, title=request.title, text=request.text, unit=request.unit
    )
    if contact:
        vault.open_for(request.id)
        request.contact_sealed = vault.seal(request.id, "contact", msgspec.json.encode(contact).decode())
    request.marks = attempt.marks()
    request.list_for_its_own()
    if screening.passed:
        open_now(request, now)
    else:
        request.state = "in_review"
    try:
        with person.acting() as tx:
            tx.create(request, or_raise=Conflict())
            content.hold(
                tx,
                screening,
                subject="help_request",
                subject_pk=request.pk,
                subject_sk=request.sk,
                author_id=request.requester,
                as_staff=request.requester is None,
                area=request.area,
                excerpt=f"{request.title}\n{request.text}",
                now=now,
            )
            act, a_day = limit
            limits.spend(tx, person.caller.id, act, at_most=a_day, per=timedelta(days=1), now=now)
            sign(tx, person, request, as_staff=request.requester is None)
    except Conflict:
        # The first try of this very request was faster than its repeat.
        asked_before = HelpRequest.fetch(request.pk, request.sk)
        if not attempt.made(asked_before):
            raise
        return asked_before
    return request


def open_now(request: HelpRequest, now: datetime) -> None:
    """Set what makes a new request visible and starts its timers."""
    request.state, request.opened_at = "open", now
    for name, value in {**request.listed(), **timers.fields(request.pk, "help.announce", now)}.items():
        setattr(request, name, value)
