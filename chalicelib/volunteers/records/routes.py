"""My service hours, and what staff record beside them, over HTTP."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chalicelib.kit import clock
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.http import Body, Listing, Paged, Routes, View, listing
from chalicelib.kit.table import Page
from chalicelib.volunteers import rules
from chalicelib.volunteers.models import Entry, ServiceRecord
from chalicelib.volunteers.records import entries, hours
from chalicelib.volunteers.records import rules as record_rules
from chalicelib.volunteers.records.rules import EntryKind, Period

routes = Routes(__name__)

Reason = Annotated[str, Meta(min_length=4, max_length=100, pattern=r"\S")]


class OfPeriod(Paged, frozen=True, kw_only=True):
    """Days in Shanghai, both included. Without them: this year until today."""

    from_day: date | None = msgspec.field(default=None, name="from")
    to_day: date | None = msgspec.field(default=None, name="to")


class RecordEntry(Body, frozen=True):
    """`by`: who trained, commended or evaluated. `hours`: of a training, full and half ones."""

    kind: EntryKind
    day: date
    title: Annotated[str, Meta(min_length=2, max_length=60, pattern=r"\S")]
    by: Annotated[str, Meta(min_length=2, max_length=40, pattern=r"\S")]
    hours: Annotated[float, Meta(ge=0.5, le=1000)] | None = None


class RevokeEntry(Body, frozen=True):
    reason: Reason


class TotalsView(View, frozen=True):
    """Minutes by how they were recorded, and together, with the words for them; and of how many times."""

    times: int
    checked: int
    recorded: int
    together: int
    checked_text: str
    recorded_text: str
    together_text: str


class RecordView(View, frozen=True):
    """Confirmed hours of one shift. `how`: checked | recorded, then with who recorded it and why.

    `versions`: what was in force before each correction, the oldest first.
    """

    shift: str
    title: str
    service: str
    place: str
    start: datetime
    end: datetime
    minutes: int
    text: str
    how: str
    recorded_by: str | None
    why: str | None
    points: int
    versions: list[VersionView]


class VersionView(View, frozen=True):
    minutes: int
    how: str
    by: str
    at: datetime
    why: str | None


class HoursView(View, frozen=True):
    """The records of a period page by page; the totals are those of all of them."""

    items: list[RecordView]
    next: str | None
    totals: TotalsView


class EntryView(View, frozen=True):
    """`state`: in_review and removed (staff only), shown, revoked (with who, when and why)."""

    id: str
    kind: EntryKind
    state: str
    day: date
    title: str
    by: str
    hours: float | None
    recorded_by: str
    recorded_at: datetime
    revoked_by: str | None
    revoked_at: datetime | None
    reason: str | None


def totals_view(totals: record_rules.Totals) -> TotalsView:
    return TotalsView.of(
        totals,
        checked_text=record_rules.spoken(totals.checked),
        recorded_text=record_rules.spoken(totals.recorded),
        together_text=record_rules.spoken(totals.together),
    )


def record_view(record: ServiceRecord) -> RecordView:
    recorded = record.how == "recorded"
    return RecordView.of(
        record,
        service=rules.SERVICES.get(record.service, record.service),
        start=clock.local(record.start_at),
        end=clock.local(record.end_at),
        text=record_rules.spoken(int(record.minutes)),
        recorded_by=record.recorded_by_name if recorded else None,
        versions=[_version(each) for each in record.versions],
    )


def _version(earlier: dict[str, Any]) -> VersionView:
    return VersionView(
        minutes=earlier["minutes"],
        how=earlier["how"],
        by=earlier["by_name"],
        at=clock.local(clock.from_stamp(earlier["at"])),
        why=earlier["why"],
    )


def entry_view(entry: Entry) -> EntryView:
    return EntryView.of(
        entry,
        kind=entry.what,
        day=date.fromisoformat(entry.day),
        hours=None if entry.minutes is None else int(entry.minutes) / 60,
        recorded_by=entry.recorded_by_name,
        revoked_by=entry.revoked_by_name,
        revoked_at=clock.local(entry.revoked_at) if entry.revoked_at else None,
    )


def _entries(found: Page[Entry]) -> Listing[EntryView]:
    return listing(found, entry_view)


@routes.get("/me/service-hours")
def my_hours(caller: Caller, query: OfPeriod, now: datetime) -> HoursView:
    """My confirmed hours of a period, the newest first, with the totals."""
    today = clock.day(now)
    period = Period(query.from_day or (query.to_day or today).replace(month=1, day=1), query.to_day or today)
    found = hours.of_period(caller=caller, period=period, cursor=query.cursor)
    return HoursView(
        items=[record_view(each) for each in found.page], next=found.next, totals=totals_view(found.totals)
    )


@routes.get("/me/volunteer/entries")
def my_entries(caller: Caller, query: Paged) -> Listing[EntryView]:
    """The trainings, commendations and evaluations that staff recorded of me, those revoked too."""
    return _entries(entries.mine(caller=caller, cursor=query.cursor))


@routes.get("/volunteers/{resident_id}/entries")
def entries_of(caller: Caller, resident_id: str, query: Paged, now: datetime) -> Listing[EntryView]:
    """The same of a volunteer, for the staff who keep their file."""
    return _entries(entries.of(caller=caller, resident_id=resident_id, cursor=query.cursor, now=now))


@routes.post("/volunteers/{resident_id}/entries", status=201)
def record_entry(caller: Caller, resident_id: str, body: RecordEntry, attempt: Attempt, now: datetime) -> EntryView:
    """Record a training, a commendation or an evaluation of a volunteer, who is told."""
    note = msgspec.convert(body, entries.Note, from_attributes=True)
    return entry_view(entries.record(caller=caller, resident_id=resident_id, note=note, attempt=attempt, now=now))


@routes.post("/volunteers/{resident_id}/entries/{entry_id}/revoke")
def revoke_entry(
    caller: Caller, resident_id: str, entry_id: str, body: RevokeEntry, attempt: Attempt, now: datetime
) -> EntryView:
    """What was recorded is wrong: it is revoked, visibly, and the statements that show it with it."""
    revoked = entries.revoke(
        caller=caller, resident_id=resident_id, entry_id=entry_id, reason=body.reason, attempt=attempt, now=now
    )
    return entry_view(revoked)
