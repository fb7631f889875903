"""What it costs to apply, to decide, to leave, and to tell volunteers of new shifts."""

from __future__ import annotations

from unittest.mock import patch

from chalicelib.volunteers.models import Volunteer
from chalicelib.volunteers.profile import follow_up
from tests.budget.acts import Act, Town, act, good, when_due
from tests.neighbourhood import Neighbour
from tests.shifts import gate
from tests.shifts.test_announcing import published
from tests.volunteers import desk
from tests.volunteers.desk import FORM, MOTHER, REASON


def applicant(town: Town) -> tuple[Neighbour, Neighbour]:
    """The grid worker, and somebody under sixteen who has applied."""
    worker, chen = town.carer(), town.account()
    desk.applied(chen, birth=desk.years_ago(15))
    return worker, chen


@act("GET /me/volunteer")
def my_file(town: Town) -> Act:
    _, chen = applicant(town)
    return lambda: chen.get("/me/volunteer")


@act("GET /me/volunteer (who has not applied)")
def no_file(town: Town) -> Act:
    chen = town.account()
    return lambda: chen.get("/me/volunteer")


@act("POST /me/volunteer")
def apply(town: Town) -> Act:
    town.carer()
    chen = town.account()
    return lambda: chen.post("/me/volunteer", json=FORM)


@act("PUT /me/volunteer")
def change(town: Town) -> Act:
    _, chen = applicant(town)
    body = {name: FORM[name] for name in ("skills", "free_times", "contact")}
    return lambda: chen.put("/me/volunteer", json=body)


@act("POST /me/volunteer/leave")
def leave(town: Town) -> Act:
    _, chen = applicant(town)
    return lambda: chen.post("/me/volunteer/leave")


@act("timer volunteers.follow_up")
def follow(town: Town) -> Act:
    _, chen = applicant(town)
    with patch.object(follow_up, "follow", side_effect=OSError):
        good(chen.post("/me/volunteer/leave"))
    return when_due(Volunteer.key(chen.id))


@act("timer volunteers.forget")
def forget(town: Town) -> Act:
    worker, chen = applicant(town)
    good(desk.decline(chen, by=worker))
    return when_due(Volunteer.key(chen.id))


@act("GET /volunteers/applications")
def applications(town: Town) -> Act:
    worker, _ = applicant(town)
    return lambda: worker.get(f"/volunteers/applications?area={town.grid}")


@act("POST /volunteers/{resident_id}/identity")
def look(town: Town) -> Act:
    worker, chen = applicant(town)
    return lambda: worker.post(f"/volunteers/{chen.id}/identity", json=REASON)


@act("POST /volunteers/{resident_id}/approve")
def approve(town: Town) -> Act:
    worker, chen = applicant(town)
    return lambda: worker.post(f"/volunteers/{chen.id}/approve")


@act("POST /volunteers/{resident_id}/decline")
def decline(town: Town) -> Act:
    worker, chen = applicant(town)
    return lambda: worker.post(f"/volunteers/{chen.id}/decline", json=REASON)


@act("POST /volunteers/{resident_id}/guardian-consent")
def put_consent_on_file(town: Town) -> Act:
    worker, chen = applicant(town)
    return lambda: worker.post(f"/volunteers/{chen.id}/guardian-consent", json=MOTHER)


@act("POST /volunteers/{resident_id}/guardian-consent/withdraw")
def withdraw_consent(town: Town) -> Act:
    worker, chen = applicant(town)
    good(desk.consent(chen, by=worker))
    return lambda: worker.post(f"/volunteers/{chen.id}/guardian-consent/withdraw")


@act("GET /me/shift-alerts")
def alerts_wanted(town: Town) -> Act:
    chen = town.resident()
    return lambda: chen.get("/me/shift-alerts")


@act("PUT /me/shift-alerts")
def want_alerts(town: Town) -> Act:
    chen = town.resident()
    gate.approve(chen)
    return lambda: chen.put("/me/shift-alerts", json={"on": True})


@act("timer shifts.announce (nobody wants to hear of it)")
def announce_to_nobody(town: Town) -> Act:
    return when_due(published(town))


@act("timer shifts.announce (one volunteer wants to)")
def announce_to_one(town: Town) -> Act:
    chen = town.resident()
    gate.approve(chen)
    good(chen.put("/me/shift-alerts", json={"on": True}))
    return when_due(published(town))
