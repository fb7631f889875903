"""My hours, and the statement of them: a snapshot of the five groups under a number that anybody can verify.

How a statement stays true: the register of somebody's statements has a version, which every write of a record raises. A
statement reads the register before the records, and is written under the version it has read: whatever is recorded or
corrected in between makes it read anew, and whatever is corrected afterwards finds it in the register and revokes it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from chalicelib.kit import clock, limits, vault
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Item, Page, page
from chalicelib.kit.transaction import settled, transaction
from chalicelib.people import rules as people_rules
from chalicelib.people import service as people
from chalicelib.people.service import Person
from chalicelib.volunteers import diary, rules
from chalicelib.volunteers.models import Entry, Register, ServiceRecord, Statement, Volunteer
from chalicelib.volunteers.profile import files
from chalicelib.volunteers.records import hours, recorders
from chalicelib.volunteers.records import hours as records
from chalicelib.volunteers.records import rules as record_rules
from chalicelib.volunteers.records.rules import Period
from chalicelib.volunteers.statements import rules as papers
from chalicelib.volunteers.statements.rules import Paper

# Whoever is shown a paper checks it once or twice; each time costs a call to the vault's key service and a drawing.
CHECKS_AN_HOUR = 60


def issue(*, caller: Caller, period: Period, attempt: Attempt, now: datetime) -> Statement:
    """Certify what was recorded of a period. It takes the place of every statement whose period lies within."""
    record_rules.check_period(period)
    papers.check_over(period, clock.day(now))
    number = papers.number_of(attempt.code(papers.CODE_LENGTH))

    @settled(rules.TryAgain)
    def certify() -> Statement:
        before: Statement | None
        file: Volunteer | None
        register: Register | None
        person, (before, file, register) = people.present_with(
            caller, Statement.key(number), Volunteer.key(caller.id), Register.key(caller.id), now=now
        )
        if before and attempt.made(before):
            return before
        if file is None or file.name_sealed is None:
            raise papers.NameNeeded()
        if file.state != "approved":
            raise papers.NameUnchecked()
        paper = _paper(file, period)
        new = _new(number, person, period, paper, attempt, now)
        _write(new, file, register, person, period, now)
        return new

    try:
        return certify()
    except vault.KeyDestroyed:
        raise people_rules.AccountClosed() from None  # in this very moment


def _paper(file: Volunteer, period: Period) -> Paper:
    """The five groups as they are recorded now. What was corrected to no hours at all is no service to certify."""
    served = recorders.name_in(each for each in hours.records_of(file.resident_id, period) if int(each.minutes))
    noted = [
        entry
        for entry in Item.collection(file.pk, Entry.PREFIX)
        if entry.state == "shown" and period.covers(entry.day, entry.day)
    ]
    if not served and not noted:
        raise papers.NothingToState()
    groups = {kind: [_noted(entry) for entry in noted if entry.what == kind] for kind in record_rules.KINDS}
    return Paper(basic=_basic(file), service=[_served(each) for each in served], totals=hours.totals(served), **groups)


def _basic(file: Volunteer) -> papers.Basic:
    personal = files.opened(file, only=("name", "birth"))
    return papers.Basic(
        name=str(personal.name),
        born=personal.birth,
        area=recorders.place(file.area),
        skills=[rules.SKILLS.get(skill, skill) for skill in file.skills],
        volunteer_since=clock.day(file.decided_at) if file.decided_at else None,
    )


def _served(record: ServiceRecord) -> papers.Served:
    recorded = record.how == "recorded"
    return papers.Served(
        start=clock.local(record.start_at),
        end=clock.local(record.end_at),
        title=record.title,
        service=rules.SERVICES.get(record.service, record.service),
        place=record.place,
        whom=f"{recorders.place(record.area) or '本社区'}居民",
        leader=record.organiser_name,
        minutes=int(record.minutes),
        how=record.how,
        by=record.recorded_by_name if recorded else None,
        why=record.why if recorded else None,
    )


def _noted(entry: Entry) -> papers.Noted:
    minutes = None if entry.minutes is None else int(entry.minutes)
    return papers.Noted(datetime.fromisoformat(entry.day).date(), entry.title, entry.by, minutes)


def _new(number: str, person: Person, period: Period, paper: Paper, attempt: Attempt, now: datetime) -> Statement:
    new = Statement.key(number)
    new.resident, new.state, new.issued_at, new.marks = person.id, "valid", now, attempt.marks()
    new.from_day, new.to_day = f"{period.start}", f"{period.end}"
    new.person_sealed = vault.seal(person.id, _field(number), papers.packed(paper))
    new.content = {"issuer": rules.settings_in_force().issuer}
    new.minutes = paper.totals.together
    new.person_key, new.person_sort = Statement.of(person.id), clock.stamp(now)
    return new


def _field(number: str) -> str:
    """What is sealed for one statement opens for no other."""
    return f"statement {number}"


def _write(
    new: Statement, file: Volunteer, register: Register | None, person: Person, period: Period, now: datetime
) -> None:
    issued = register.issued if register else []
    within = [each for each in issued if period.covers(each["from"], each["to"])]
    others = [each for each in issued if each not in within]
    if len(others) >= papers.VALID_AT_MOST:
        raise papers.TooManyStatements()
    entered = [*others, {"number": new.number, "from": new.from_day, "to": new.to_day}]
    version = int(register.version) + 1 if register else 1
    allowed = rules.settings_in_force().statements_a_day
    with person.acting() as tx:
        tx.create(new, or_raise=Changed())
        tx.update(
            Register.key(person.id),
            Register.set(issued=entered, version=version),
            when=records.as_read(register),
            or_raise=Changed(),
            create=True,
        )
        tx.check(file, when=diary.as_read(file), or_raise=Changed())
        for each in within:
            ended = Statement.set(state="superseded", superseded_by=new.number, ended_at=now)
            tx.update(Statement.key(each["number"]), ended, when=Statement.state == "valid", or_raise=Changed())
        limits.spend(tx, person.id, "statement", at_most=allowed, per=timedelta(days=1), now=now)


def mine(*, caller: Caller, cursor: str | None) -> Page[Statement]:
    """The statements I was issued, the newest first."""
    return page(Item.by_person, Statement.of(caller.id), of=Statement, cursor=cursor)


class Verified(msgspec.Struct, frozen=True):
    """A statement as anybody sees it. Without its paper when whose it is has been destroyed with their account."""

    statement: Statement
    paper: Paper | None

    @property
    def state(self) -> str:
        """As it is stored; at once `destroyed` when an account was closed and what follows has yet to be done."""
        return self.statement.state if self.paper else "destroyed"

    @property
    def told(self) -> str:
        return papers.told(self.state, ended_at=self.statement.ended_at, reason=self.statement.reason)


def verify(typed: str, *, now: datetime) -> Verified:
    """The statement with this number, as typed, or StatementUnknown: for whoever holds the paper, CHECKS_AN_HOUR."""
    number = papers.as_typed(typed)
    found = Statement.fetch(f"STATEMENT#{number}", "STATEMENT", or_raise=papers.StatementUnknown())
    with transaction() as tx:
        limits.spend(tx, number, "verify", at_most=CHECKS_AN_HOUR, per=timedelta(hours=1), now=now)
    if found.person_sealed is None:
        return Verified(found, None)
    try:
        text = vault.read(found.resident, _field(number), found.person_sealed)
    except vault.KeyDestroyed:
        return Verified(found, None)
    return Verified(found, papers.unpacked(text))
