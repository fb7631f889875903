"""Training, commendation and evaluation: what staff record in a volunteer's file beside the hours.

These are three of the five groups of article 4 of 《志愿服务记录与证明出具办法（试行）》. Nothing is edited: what is wrong is
revoked, with a reason that the volunteer is told, and the statements that show it are revoked with it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import msgspec

from chalicelib.content import reviews
from chalicelib.content import service as content
from chalicelib.content.models import Review
from chalicelib.content.rules import SubjectGone
from chalicelib.kit import clock, limits
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Item, Page, page, read_together
from chalicelib.kit.transaction import settled, transaction
from chalicelib.notices import service as notices
from chalicelib.people import service as people
from chalicelib.people.models import Resident
from chalicelib.people.service import Person
from chalicelib.volunteers import rules
from chalicelib.volunteers.models import Entry, Register, Volunteer, partition
from chalicelib.volunteers.records import hours as records
from chalicelib.volunteers.records import recorders
from chalicelib.volunteers.records import rules as record_rules
from chalicelib.wechat.content import Scene


class Note(msgspec.Struct, frozen=True):
    """What somebody wants to record. `by`: who trained, commended or evaluated; `hours` of a training."""

    kind: record_rules.EntryKind
    day: date
    title: str
    by: str
    hours: float | None = None


@settled(rules.TryAgain)
def record(*, caller: Caller, resident_id: str, note: Note, attempt: Attempt, now: datetime) -> Entry:
    """Staff of the volunteer's area record something; the volunteer is told. Hidden while its text is in review."""
    record_rules.check_entry(day=note.day, today=clock.day(now), title=note.title, by=note.by)
    minutes = record_rules.training_minutes(note.kind, note.hours)
    key = Entry.key(resident_id, f"{attempt.id('entry')}.{note.kind}.{note.day}")
    person = people.present(caller, now=now)
    file, whose, before = read_together(Volunteer.key(resident_id), Resident.key(resident_id), key)
    area = _may(person, file)
    if before and attempt.made(before):
        return before  # type: ignore[no-any-return]
    if file.state != "approved" or whose is None or whose.state != "active":
        raise rules.VolunteerUnknown()
    entry = Entry(key.pk, key.sk)
    entry.title, entry.by, entry.minutes, entry.area = note.title.strip(), note.by.strip(), minutes, area
    entry.recorded_by, entry.recorded_by_name, entry.recorded_at = person.id, person.resident.nickname, now
    entry.marks = attempt.marks()
    _write(entry, person, now)
    return entry


def _may(person: Person, file: Volunteer | None) -> str:
    """The volunteer's area, if this person keeps the files of it and the file is not their own."""
    if file is None or file.area is None:
        raise rules.VolunteerUnknown()
    person.must_hold(rules.DECIDERS, file.area)
    person.apart_from(file.resident_id, or_raise=record_rules.OwnEntry())
    return str(file.area)


def _write(entry: Entry, person: Person, now: datetime) -> None:
    screening = content.screen(person.caller, scene=Scene.FORUM, now=now, official=True, title=entry.title, by=entry.by)
    entry.state = "shown" if screening.passed else "in_review"
    with person.acting() as tx:
        tx.create(entry, or_raise=Changed())
        content.hold(
            tx,
            screening,
            subject="volunteer_entry",
            subject_pk=entry.pk,
            subject_sk=entry.sk,
            author_id=person.id,
            as_staff=True,
            about_whom=(entry.resident_id,),
            area=entry.area,
            excerpt=f"{entry.title}\n{entry.by}",
            now=now,
        )
        if screening.passed:
            records.changed(tx, entry.resident_id)
            _tell(tx, entry, now)
        # Whoever has left, or moved to another area, is no volunteer of theirs any more.
        as_read = (Volunteer.state == "approved") & (Volunteer.area == entry.area)
        tx.check(Volunteer.key(entry.resident_id), when=as_read, or_raise=Changed())
        # And nothing is added to what is being erased with an account; the file goes last.
        tx.check(Resident.key(entry.resident_id), when=Resident.state == "active", or_raise=Changed())
        limits.spend(
            tx, person.id, "volunteer_entry", at_most=record_rules.ENTRIES_A_DAY, per=timedelta(days=1), now=now
        )


def _tell(tx: transaction, entry: Entry, now: datetime) -> None:
    facts = {
        "who": entry.recorded_by_name,
        "what": record_rules.KINDS[entry.what],
        "title": entry.title,
        "day": entry.day,
    }
    notices.tell(tx, entry.resident_id, "volunteer_entry_added", about=entry.id, now=now, area=entry.area, **facts)


@reviews.on_decision("volunteer_entry")
def judged(tx: transaction, review: Review, *, approved: bool, reason: str, now: datetime) -> None:
    """Show it, and only now tell the volunteer; or remove it, which they never learn of."""
    entry = Entry.find(review.subject_pk, review.subject_sk)
    if entry is None or entry.state != "in_review":
        raise SubjectGone()
    change = [Entry.state.set("shown" if approved else "removed")]
    if approved:
        records.changed(tx, entry.resident_id)
        _tell(tx, entry, now)
    else:
        change.append(Entry.reason.set(reason))
    tx.update(entry, change, when=Entry.state == "in_review", or_raise=SubjectGone())


def revoke(*, caller: Caller, resident_id: str, entry_id: str, reason: str, attempt: Attempt, now: datetime) -> Entry:
    """What was recorded is wrong: it stays visible as revoked, and so do the statements that show it."""

    @settled(rules.TryAgain)
    def take_back() -> Entry:
        person = people.present(caller, now=now)
        file, entry, register = read_together(
            Volunteer.key(resident_id), Entry.key(resident_id, entry_id), Register.key(resident_id)
        )
        _may(person, file)
        if entry is None or entry.id != entry_id:
            raise record_rules.EntryUnknown()
        if attempt.made(entry):
            return entry  # type: ignore[no-any-return]
        target = "revoked" if entry.state == "shown" else "removed"
        record_rules.ENTRY.check(entry.state, target, or_raise=record_rules.EntryOver())
        _revoke(entry, target, register, person, reason, attempt, now)
        entry.state, entry.reason, entry.revoked_at = target, reason, now
        entry.revoked_by_name = person.resident.nickname
        return entry  # type: ignore[no-any-return]

    [revoked] = recorders.name_in_entries([take_back()])
    return revoked


def _revoke(
    entry: Entry,
    target: str,
    register: Register | None,
    person: Person,
    reason: str,
    attempt: Attempt,
    now: datetime,
) -> None:
    revoked = [
        *Entry.set(
            state=target, reason=reason, revoked_at=now, revoked_by=person.id, revoked_by_name=person.resident.nickname
        ),
        *attempt.remember(),
    ]
    with person.acting() as tx:
        tx.update(entry, revoked, when=Entry.state == entry.state, or_raise=Changed())
        if target == "revoked":
            records.revoke_covering(
                tx,
                entry.resident_id,
                register,
                day=entry.day,
                reason=f"{record_rules.KINDS[entry.what]}记录已撤销",
                now=now,
            )
            _tell_revoked(tx, entry, register, person, reason, now)


def _tell_revoked(
    tx: transaction, entry: Entry, register: Register | None, person: Person, reason: str, now: datetime
) -> None:
    shown = any(each["from"] <= entry.day <= each["to"] for each in (register.issued if register else []))
    notices.tell(
        tx,
        entry.resident_id,
        "volunteer_entry_revoked",
        about=entry.id,
        now=now,
        area=entry.area,
        who=person.resident.nickname,
        what=record_rules.KINDS[entry.what],
        title=entry.title,
        day=entry.day,
        reason=reason,
        statements="包含这项记录的证明已作废，需要的话请重新开。" if shown else "",
    )


def mine(*, caller: Caller, cursor: str | None) -> Page[Entry]:
    """What was recorded of me, kind by kind, the newest first; also what was revoked, but nothing that is in review."""
    found = _page(caller.id, cursor)
    return Page([entry for entry in found if entry.state in record_rules.FOR_THE_VOLUNTEER], found.next)


def of(*, caller: Caller, resident_id: str, cursor: str | None, now: datetime) -> Page[Entry]:
    """The same for the staff who keep the volunteer's file, with what is in review."""
    person = people.present(caller, now=now)
    _may(person, Volunteer.find(Volunteer.key(resident_id).pk, "FILE"))
    return _page(resident_id, cursor)


def _page(resident_id: str, cursor: str | None) -> Page[Entry]:
    found = page(Entry, partition(resident_id), Item.sk.startswith(Entry.PREFIX), of=Entry, cursor=cursor)
    return Page(recorders.name_in_entries(found), found.next)
