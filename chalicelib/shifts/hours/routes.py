"""Hours over HTTP: confirmed, recorded afterwards, corrected."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib.areas.rules import AreaCode
from chalicelib.kit import clock
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.http import Body, Listing, Paged, Routes, View
from chalicelib.shifts import rules
from chalicelib.shifts.hours import asking_for_correction, back_filling, confirming, correcting
from chalicelib.shifts.hours import rules as hours_rules
from chalicelib.shifts.models import HoursCorrection
from chalicelib.shifts.presence import walk_ins
from chalicelib.volunteers.models import ServiceRecord
from chalicelib.volunteers.records import recorders

routes = Routes(__name__)

LONGEST = int(rules.SHIFT_LASTS_AT_MOST.total_seconds()) // 60
PersonId = Annotated[str, Meta(min_length=1, max_length=64)]
Reason = Annotated[str, Meta(min_length=2, max_length=200, pattern=r"\S")]
Minutes = Annotated[int, Meta(ge=0, le=LONGEST)]
Moment = Annotated[datetime, Meta(tz=True)]


class ConfirmHours(Body, frozen=True):
    """`leave_out`: people of the list whose hours are not to count."""

    leave_out: Annotated[list[PersonId], Meta(max_length=rules.CAPACITY_AT_MOST)] = []


class BackFill(Body, frozen=True):
    """How long somebody was there who was not checked: `minutes`, or `start` and `end`; and why it is recorded now."""

    reason: Reason
    minutes: Annotated[int, Meta(ge=1, le=LONGEST)] | None = None
    start: Moment | None = None
    end: Moment | None = None


class AskForCorrection(Body, frozen=True):
    """How many minutes it was, and why."""

    minutes: Minutes
    reason: Reason


class AcceptCorrection(Body, frozen=True):
    """Other minutes than those asked for, if that is what it was."""

    minutes: Minutes | None = None


class DeclineCorrection(Body, frozen=True):
    reason: Reason


class CorrectionsQuery(Paged, frozen=True, kw_only=True):
    area: AreaCode


class CountedView(View, frozen=True):
    """Somebody whose hours count."""

    person: str
    name: str
    team: str | None
    minutes: int


class ExceptionView(View, frozen=True):
    """Somebody whose hours do not simply count: `reason` for programs, `why` for people. With `forgot_check_out` they
    count all the same."""

    person: str
    name: str
    team: str | None
    reason: hours_rules.Exceptional
    why: str
    minutes: int


class ConfirmationView(View, frozen=True):
    """The hours of a shift. `confirmed_at` is null while nobody has confirmed them."""

    shift: str
    state: str
    title: str
    start: datetime
    end: datetime
    confirmed_at: datetime | None
    confirmed_by: str | None
    counted: list[CountedView]
    exceptions: list[ExceptionView]
    minutes: int


class HoursView(View, frozen=True):
    """Recorded hours of one person. `how`: checked, or recorded by an organiser (`why` then says why)."""

    shift: str
    person: str
    minutes: int
    how: str
    recorded_by: str
    recorded_at: datetime
    why: str | None
    points: int


class CorrectionView(View, frozen=True):
    """A correction. `recorded` are the minutes when it was asked for, null without any; `minutes` those asked for, or
    agreed to in the end."""

    id: str
    shift: str
    state: str
    name: str
    title: str
    start: datetime
    end: datetime
    recorded: int | None
    recorded_by: str | None
    minutes: int
    reason: str
    asked_at: datetime
    decision: str | None


def confirmation_view(report: confirming.Report) -> ConfirmationView:
    shift, lines = report.shift, report.lines
    walk_ins.open_names([each.sign_up for each in lines])
    counted = [
        CountedView(
            person=each.sign_up.person, name=each.sign_up.name, team=each.sign_up.team_name, minutes=each.minutes
        )
        for each in lines
        if each.counts
    ]
    exceptions = [
        ExceptionView(
            person=each.sign_up.person,
            name=each.sign_up.name,
            team=each.sign_up.team_name,
            reason=each.exceptional,
            why=hours_rules.EXCEPTIONS[each.exceptional],
            minutes=each.minutes,
        )
        for each in lines
        if each.exceptional is not None
    ]
    return ConfirmationView(
        shift=shift.id,
        state="ended" if shift.confirmed_at and shift.state == "published" else shift.state,
        title=shift.title,
        start=clock.local(shift.start_at),
        end=clock.local(hours_rules.final_end(shift)),
        confirmed_at=clock.local(shift.confirmed_at) if shift.confirmed_at else None,
        confirmed_by=shift.confirmed_by_name,
        counted=counted,
        exceptions=exceptions,
        minutes=sum(each.minutes for each in counted),
    )


def hours_view(record: ServiceRecord) -> HoursView:
    return HoursView.of(record, person=record.resident_id, recorded_by=record.recorded_by_name)


def correction_view(correction: HoursCorrection) -> CorrectionView:
    [view] = correction_views([correction])
    return view


def correction_views(found: Iterable[HoursCorrection]) -> list[CorrectionView]:
    """With whose account is closed named by their office."""
    found = list(found)
    name = recorders.names(each.recorded_by for each in found)
    return [_correction(each, name(each.recorded_by, each.recorded_by_name, each.area)) for each in found]


def _correction(correction: HoursCorrection, recorded_by: str | None) -> CorrectionView:
    return CorrectionView.of(
        correction,
        start=clock.local(correction.start_at),
        end=clock.local(correction.end_at),
        recorded=None if correction.recorded is None else int(correction.recorded),
        recorded_by=recorded_by,
    )


@routes.get("/shifts/{shift_id}/hours")
def look(caller: Caller, shift_id: str, now: datetime) -> ConfirmationView:
    """What confirming the hours of a shift would count, or what was counted, for those who run it."""
    return confirmation_view(confirming.look(caller=caller, shift_id=shift_id, now=now))


@routes.post("/shifts/{shift_id}/confirm")
def confirm(caller: Caller, shift_id: str, body: ConfirmHours, attempt: Attempt, now: datetime) -> ConfirmationView:
    """Confirm the hours of everybody on a shift at once."""
    report = confirming.confirm(caller=caller, shift_id=shift_id, leave_out=body.leave_out, attempt=attempt, now=now)
    return confirmation_view(report)


@routes.post("/shifts/{shift_id}/people/{person_id}/confirm")
def confirm_one(caller: Caller, shift_id: str, person_id: str, attempt: Attempt, now: datetime) -> HoursView:
    """Confirm the checked hours of one who was left out, or of whoever confirmed those of all others."""
    record = confirming.confirm_one(caller=caller, shift_id=shift_id, person_id=person_id, attempt=attempt, now=now)
    return hours_view(record)


@routes.post("/shifts/{shift_id}/people/{person_id}/hours")
def back_fill(
    caller: Caller, shift_id: str, person_id: str, body: BackFill, attempt: Attempt, now: datetime
) -> HoursView:
    """Record the hours of somebody who was there without being checked."""
    served = msgspec.convert(body, back_filling.Served, from_attributes=True)
    record = back_filling.back_fill(
        caller=caller, shift_id=shift_id, person_id=person_id, served=served, attempt=attempt, now=now
    )
    return hours_view(record)


@routes.post("/shifts/{shift_id}/hours/corrections", status=201)
def ask_for_correction(
    caller: Caller, shift_id: str, body: AskForCorrection, attempt: Attempt, now: datetime
) -> CorrectionView:
    """Say that my hours of a shift are wrong."""
    correction = asking_for_correction.ask(
        caller=caller, shift_id=shift_id, minutes=body.minutes, reason=body.reason, attempt=attempt, now=now
    )
    return correction_view(correction)


@routes.get("/hours-corrections")
def corrections(caller: Caller, query: CorrectionsQuery, now: datetime) -> Listing[CorrectionView]:
    """Corrections of an area that wait for a decision."""
    found = correcting.to_decide(caller=caller, area=query.area, cursor=query.cursor, now=now)
    return Listing(items=correction_views(found), next=found.next)


@routes.post("/hours-corrections/{correction_id}/accept")
def accept(
    caller: Caller, correction_id: str, body: AcceptCorrection, attempt: Attempt, now: datetime
) -> CorrectionView:
    """Correct the hours as asked, or to other minutes."""
    correction = correcting.accept(
        caller=caller, correction_id=correction_id, minutes=body.minutes, attempt=attempt, now=now
    )
    return correction_view(correction)


@routes.post("/hours-corrections/{correction_id}/decline")
def decline(
    caller: Caller, correction_id: str, body: DeclineCorrection, attempt: Attempt, now: datetime
) -> CorrectionView:
    """Leave the hours as they are, with a reason."""
    correction = correcting.decline(
        caller=caller, correction_id=correction_id, reason=body.reason, attempt=attempt, now=now
    )
    return correction_view(correction)
