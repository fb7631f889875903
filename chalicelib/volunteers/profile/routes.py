"""Volunteers' files over HTTP: one's own, and those that staff decide about."""

from __future__ import annotations

from datetime import datetime

from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.http import Listing, Routes, listing
from chalicelib.volunteers.profile import applying, deciding, files, identity, shapes
from chalicelib.volunteers.profile.applying import Application

routes = Routes(__name__)


@routes.get("/me/volunteer")
def my_file(caller: Caller) -> shapes.FileView:
    """My application, my number, and what is known of me as a volunteer."""
    return shapes.file_view(files.find(caller.id))


@routes.post("/me/volunteer", status=201)
def apply(caller: Caller, body: shapes.ApplyToVolunteer, attempt: Attempt, now: datetime) -> shapes.FileView:
    """Apply to volunteer. The grid worker of the area decides."""
    wish = Application(
        name=body.name,
        birth=body.birth,
        skills=body.skills,
        free_times=body.free_times,
        contact=shapes.contact(body.contact),
        area=body.area,
    )
    return shapes.file_view(applying.apply(caller=caller, wish=wish, attempt=attempt, now=now))


@routes.put("/me/volunteer")
def change(caller: Caller, body: shapes.ChangeFile, now: datetime) -> shapes.FileView:
    """Change my skills, free times and emergency contact."""
    changed = applying.change(
        caller=caller,
        skills=body.skills,
        free_times=body.free_times,
        contact=shapes.contact(body.contact),
        now=now,
    )
    return shapes.file_view(changed)


@routes.post("/me/volunteer/leave")
def leave(caller: Caller, attempt: Attempt, now: datetime) -> shapes.FileView:
    """Take my application back, or be a volunteer no more. My service records stay mine."""
    return shapes.file_view(applying.leave(caller=caller, attempt=attempt, now=now))


@routes.get("/volunteers/applications")
def applications(caller: Caller, query: shapes.ApplicationsOf, now: datetime) -> Listing[shapes.ApplicationView]:
    """Applications that wait to be decided, for the staff of the area."""
    found = deciding.waiting(caller=caller, area=query.area, cursor=query.cursor, now=now)
    return listing(found, shapes.application_view)


@routes.post("/volunteers/{resident_id}/identity")
def show_identity(
    caller: Caller, resident_id: str, body: shapes.LookAtApplicant, attempt: Attempt, now: datetime
) -> shapes.ApplicantView:
    """Show name and birth date to whoever decides. The look is written down and the applicant told."""
    found = identity.show(caller=caller, resident_id=resident_id, reason=body.reason, attempt=attempt, now=now)
    return shapes.ApplicantView(name=found.name, birth=found.birth)


@routes.post("/volunteers/{resident_id}/approve")
def approve(caller: Caller, resident_id: str, attempt: Attempt, now: datetime) -> shapes.ApplicationView:
    """This resident may volunteer."""
    return shapes.application_view(deciding.approve(caller=caller, resident_id=resident_id, attempt=attempt, now=now))


@routes.post("/volunteers/{resident_id}/decline")
def decline(
    caller: Caller, resident_id: str, body: shapes.DeclineApplication, attempt: Attempt, now: datetime
) -> shapes.ApplicationView:
    """Not (yet); the reason is told to the applicant, who may apply again."""
    return shapes.application_view(
        deciding.decline(caller=caller, resident_id=resident_id, reason=body.reason, attempt=attempt, now=now)
    )


@routes.post("/volunteers/{resident_id}/guardian-consent")
def put_consent_on_file(
    caller: Caller, resident_id: str, body: shapes.GuardianConsent, attempt: Attempt, now: datetime
) -> shapes.ApplicationView:
    """A guardian has agreed, at the office, that somebody under sixteen volunteers."""
    agreed = deciding.put_consent_on_file(
        caller=caller, resident_id=resident_id, guardian=shapes.contact(body), attempt=attempt, now=now
    )
    return shapes.application_view(agreed)


@routes.post("/volunteers/{resident_id}/guardian-consent/withdraw")
def withdraw_consent(caller: Caller, resident_id: str, attempt: Attempt, now: datetime) -> shapes.ApplicationView:
    """The guardian has taken the consent back."""
    return shapes.application_view(
        deciding.withdraw_consent(caller=caller, resident_id=resident_id, attempt=attempt, now=now)
    )
