"""What volunteers' files look like from outside: what is sent, what is answered, and who sees which part."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from msgspec import Meta

from chalicelib.areas import service as areas
from chalicelib.areas.rules import AreaCode
from chalicelib.kit import clock
from chalicelib.kit.http import Body, Paged, View
from chalicelib.volunteers import rules
from chalicelib.volunteers.models import Volunteer
from chalicelib.volunteers.profile import files, forgetting
from chalicelib.volunteers.rules import Contact, FreeTime, Skill

Name = Annotated[str, Meta(min_length=1, max_length=50, pattern=r"\S")]  # as documents have it, foreign ones too
Phone = Annotated[str, Meta(min_length=7, max_length=40)]
Relation = Annotated[str, Meta(min_length=1, max_length=10, pattern=r"\S")]
Skills = Annotated[list[Skill], Meta(max_length=len(rules.SKILLS))]
FreeTimes = Annotated[list[FreeTime], Meta(min_length=1, max_length=len(rules.FREE_TIMES))]
Reason = Annotated[str, Meta(min_length=4, max_length=100, pattern=r"\S")]


class ContactPerson(Body, frozen=True):
    """`phone`: a mobile number, or a landline with its area code."""

    name: Name
    phone: Phone
    relation: Relation


class ApplyToVolunteer(Body, frozen=True):
    """Name, birth date and contact are sealed. Without an `area` it is for where the resident lives."""

    name: Name
    birth: date
    skills: Skills
    free_times: FreeTimes
    contact: ContactPerson
    area: AreaCode | None = None


class ChangeFile(Body, frozen=True):
    skills: Skills
    free_times: FreeTimes
    contact: ContactPerson


class DeclineApplication(Body, frozen=True):
    reason: Reason


class LookAtApplicant(Body, frozen=True):
    """`reason`: the applicant reads it."""

    reason: Reason


class GuardianConsent(ContactPerson, frozen=True):
    """Who agreed, at the office. Sealed."""


class ApplicationsOf(Paged, frozen=True, kw_only=True):
    area: AreaCode


class ContactView(View, frozen=True):
    name: str
    phone: str
    relation: str


class FileView(View, frozen=True):
    """My own file. `number` is what I tell an organiser when I have no phone with me. `minor`: under sixteen when I
    applied, so that `guardian_rule` is for me; `guardian` is who agreed. `forgotten_at`: when what I was declined with
    is deleted, if I do not apply again."""

    state: str
    number: str | None
    area: str | None
    place: str | None
    name: str | None
    birth: date | None
    skills: list[str]
    free_times: list[str]
    contact: ContactView | None
    minor: bool
    guardian: ContactView | None
    guardian_since: datetime | None
    guardian_rule: str
    declined_reason: str | None
    forgotten_at: datetime | None
    applied_at: datetime | None
    decided_at: datetime | None


class ApplicationView(View, frozen=True):
    """As those see it who decide: nothing of what is sealed."""

    resident_id: str
    nickname: str
    state: str
    area: str
    place: str
    skills: list[str]
    free_times: list[str]
    minor: bool
    guardian_on_file: bool
    applied_at: datetime | None


class ApplicantView(View, frozen=True):
    """Who somebody says they are."""

    name: str | None
    birth: date | None


def contact(body: ContactPerson) -> Contact:
    return Contact(body.name, body.phone, body.relation)


def file_view(file: Volunteer | None) -> FileView:
    file = file or Volunteer()
    personal = files.opened(file)
    return FileView.of(
        file,
        place=areas.full_name(file.area) if file.area else None,
        name=personal.name,
        birth=personal.birth,
        contact=_contact_view(personal.contact),
        minor=bool(file.minor),
        guardian=_contact_view(personal.guardian),
        guardian_since=_local(file.guardian_at),
        guardian_rule=rules.FOR_MINORS,
        forgotten_at=_local(forgetting.at(file)),
    )


def application_view(file: Volunteer) -> ApplicationView:
    return ApplicationView.of(
        file,
        area=file.area or "",
        place=areas.full_name(file.area) if file.area else "",
        minor=bool(file.minor),
        guardian_on_file=file.guardian_at is not None,
    )


def _contact_view(known: Contact | None) -> ContactView | None:
    return ContactView(name=known.name, phone=known.phone, relation=known.relation) if known else None


def _local(moment: datetime | None) -> datetime | None:
    return clock.local(moment) if moment else None
