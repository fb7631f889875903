"""What whoever runs a shift sees of the people on it, and does for them, over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from chalicelib.kit import clock
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Invalid
from chalicelib.kit.http import Body, Routes, View
from chalicelib.notices.call_sheet import Entry
from chalicelib.people import rules as people_rules
from chalicelib.shifts.models import SignUp
from chalicelib.shifts.presence import checking as presence
from chalicelib.shifts.presence import roster, walk_ins
from chalicelib.shifts.presence.roster import Presence

routes = Routes(__name__)


Reason = Annotated[str, Meta(min_length=4, max_length=100, pattern=r"\S")]


class PersonView(View, frozen=True):
    """Somebody on a shift. `role`: comes as this staff member. `guest`: added by name, without an account.

    `added`: by an organiser. `late_withdrawals`: places given back within twelve hours of the start.
    """

    person: str
    name: str
    presence: Presence
    role: str | None
    role_name: str | None
    team: str | None
    guest: bool
    added: bool
    checked_in: datetime | None
    checked_out: datetime | None
    forgot_to_check_out: bool
    late_withdrawals: int


class RosterView(View, frozen=True):
    """`people`: the missing first, then who is here, coming, left; at most 100 of those who wait or have cancelled.

    `counts` are of all. `still_missing`: whom the quorum lacks, of those signed up; `missing_here`: of those present.
    """

    shift: str
    title: str
    place: str
    start: datetime
    end: datetime
    state: str
    capacity: int
    counts: dict[Presence, int]
    late_withdrawals: int
    still_missing: str
    missing_here: str
    people: list[PersonView]


class Present(Body, frozen=True):
    """Somebody who is there without a phone: the number of a volunteer, or the name of anybody else; not both.

    `rest_reason`: why a volunteer who would have too little rest (`needs_rest`) is asked all the same. They read it.
    """

    volunteer_number: Annotated[str, Meta(min_length=1, max_length=20)] | None = None
    name: Annotated[str, Meta(min_length=1, max_length=20)] | None = None
    rest_reason: Reason | None = None


class Why(Body, frozen=True):
    reason: Reason


class ContactView(View, frozen=True):
    """`phone`: null when they have registered none. `emergency`: whom to call, as filled in with the application."""

    name: str
    phone: str | None
    emergency: dict[str, str] | None


class NotReachedView(View, frozen=True):
    """A message about the shift that did not reach somebody; `id` is for `POST /call-sheet/{entry_id}/done`."""

    id: str
    person: str
    name: str
    title: str
    text: str
    since: datetime


class NotReached(View, frozen=True):
    items: list[NotReachedView]


def person_view(theirs: SignUp, where: Presence) -> PersonView:
    return PersonView.of(
        theirs,
        presence=where,
        role_name=people_rules.ROLE_NAMES[theirs.role] if theirs.role else None,
        team=theirs.team_name,
        guest=bool(theirs.guest),
        added=theirs.added_by is not None,
        checked_in=clock.local(theirs.in_at) if theirs.in_at else None,
        checked_out=clock.local(theirs.out_at) if theirs.out_at else None,
        forgot_to_check_out=theirs.out_by == "forgotten",
    )


@routes.get("/shifts/{shift_id}/people")
def people(caller: Caller, shift_id: str, now: datetime) -> RosterView:
    """Organisers: who is coming, who is here, who is missing. No phone numbers."""
    found = roster.show(caller=caller, shift_id=shift_id, now=now)
    return RosterView.of(
        found,
        shift=found.shift.id,
        title=found.shift.title,
        place=found.shift.place,
        start=clock.local(found.shift.start_at),
        end=clock.local(found.shift.end_at),
        state=found.shift.state,
        capacity=int(found.shift.capacity),
        people=[person_view(theirs, where) for theirs, where in found.people],
    )


@routes.post("/shifts/{shift_id}/people", status=201)
def add(caller: Caller, shift_id: str, body: Present, attempt: Attempt, now: datetime) -> PersonView:
    """Organisers: add somebody who is there without a phone. While check-in is open they are checked in at once."""
    if body.volunteer_number is not None and body.name is None:
        number = body.volunteer_number
        why = body.rest_reason
        new = walk_ins.add_volunteer(
            caller=caller, shift_id=shift_id, number=number, rest_reason=why, attempt=attempt, now=now
        )
    elif body.name is not None and body.volunteer_number is None:
        new = walk_ins.add_guest(caller=caller, shift_id=shift_id, name=body.name, attempt=attempt, now=now)
    else:
        either = "填志愿者编号，或者填姓名，只填一样"
        raise Invalid(fields={"volunteer_number": either, "name": either})
    return _view(new, now)


@routes.post("/shifts/{shift_id}/people/{person_id}/check-in")
def tick_in(caller: Caller, shift_id: str, person_id: str, attempt: Attempt, now: datetime) -> PersonView:
    """Organisers: somebody on the list is here."""
    theirs = presence.by_list(caller=caller, shift_id=shift_id, whom=person_id, way="in", attempt=attempt, now=now)
    return _view(theirs, now)


@routes.post("/shifts/{shift_id}/people/{person_id}/check-out")
def tick_out(caller: Caller, shift_id: str, person_id: str, attempt: Attempt, now: datetime) -> PersonView:
    """Organisers: somebody on the list has left."""
    theirs = presence.by_list(caller=caller, shift_id=shift_id, whom=person_id, way="out", attempt=attempt, now=now)
    return _view(theirs, now)


def _view(theirs: SignUp, now: datetime) -> PersonView:
    walk_ins.open_names([theirs])
    return person_view(theirs, roster.presence_of(theirs, theirs.start_at, now))


@routes.post("/shifts/{shift_id}/people/{person_id}/contact")
def contact(caller: Caller, shift_id: str, person_id: str, body: Why, attempt: Attempt, now: datetime) -> ContactView:
    """Organisers: how to reach somebody on the shift. It is written down with the reason, and they are told."""
    found = roster.show_contact(
        caller=caller, shift_id=shift_id, whom=person_id, reason=body.reason, attempt=attempt, now=now
    )
    return ContactView(name=found.name, phone=found.phone, emergency=found.emergency)


@routes.get("/shifts/{shift_id}/not-reached")
def not_reached(caller: Caller, shift_id: str, now: datetime) -> NotReached:
    """Organisers: whom to call, because a message about this shift did not reach them."""
    return NotReached(
        items=[_to_call(entry) for entry in roster.not_reached(caller=caller, shift_id=shift_id, now=now)]
    )


def _to_call(entry: Entry) -> NotReachedView:
    return NotReachedView(
        id=entry.id,
        person=entry.notice.resident_id,
        name=entry.nickname,
        title=entry.notice.title,
        text=entry.notice.text,
        since=clock.local(entry.notice.at),
    )
