"""What a volunteer's hours cost to see, to certify and to verify, and what staff record beside them."""

from __future__ import annotations

from tests.budget.acts import Act, Town, act
from tests.neighbourhood import Neighbour
from tests.volunteers import hours

NOBODYS = "ZM-0000-0000-0000"
WHY = {"reason": "证书编号查无此人"}


def volunteer(town: Town) -> Neighbour:
    """With three shifts served."""
    chen = town.account("陈建君")
    hours.register(chen, "陈建君")
    for days in range(1, 4):
        hours.served(chen, days_ago=days)
    return chen


def noted(town: Town) -> tuple[Neighbour, Neighbour, str]:
    """A volunteer, their grid worker, and the id of a commendation."""
    chen, worker = volunteer(town), town.carer()
    return chen, worker, hours.noted(worker, chen)["id"]


@act("GET /me/service-hours")
def my_hours(town: Town) -> Act:
    chen = volunteer(town)
    return lambda: chen.get(f"/me/service-hours?from={hours.today() - hours.YEAR}")


@act("GET /me/volunteer/entries")
def my_entries(town: Town) -> Act:
    chen, _, _ = noted(town)
    return lambda: chen.get("/me/volunteer/entries")


@act("GET /volunteers/{resident_id}/entries")
def entries_of(town: Town) -> Act:
    chen, worker, _ = noted(town)
    return lambda: worker.get(f"/volunteers/{chen.id}/entries")


@act("POST /volunteers/{resident_id}/entries")
def record(town: Town) -> Act:
    chen, worker = volunteer(town), town.carer()
    return lambda: worker.post(f"/volunteers/{chen.id}/entries", json=hours.training())


@act("POST /volunteers/{resident_id}/entries/{entry_id}/revoke")
def revoke(town: Town) -> Act:
    chen, worker, entry = noted(town)
    return lambda: worker.post(f"/volunteers/{chen.id}/entries/{entry}/revoke", json=WHY)


@act("POST /volunteers/{resident_id}/entries/{entry_id}/revoke (a statement shows it)")
def revoke_shown(town: Town) -> Act:
    chen, worker, entry = noted(town)
    hours.issued(chen)
    return lambda: worker.post(f"/volunteers/{chen.id}/entries/{entry}/revoke", json=WHY)


@act("POST /me/statements")
def issue(town: Town) -> Act:
    chen = volunteer(town)
    return lambda: hours.issue(chen)


@act("POST /me/statements (in the place of an earlier one)")
def issue_newer(town: Town) -> Act:
    chen = volunteer(town)
    hours.issued(chen)
    return lambda: hours.issue(chen)


@act("POST /me/statements (the same again)")
def issue_again(town: Town) -> Act:
    chen = volunteer(town)
    hours.issued(chen, key="a")
    return lambda: hours.issue(chen, key="a")


@act("GET /me/statements")
def my_statements(town: Town) -> Act:
    chen = volunteer(town)
    hours.issued(chen)
    return lambda: chen.get("/me/statements")


@act("GET /statements/{number}")
def verify(town: Town) -> Act:
    number = hours.issued(volunteer(town))["number"]
    return lambda: town.http.get(f"/statements/{number}")


@act("GET /statements/{number}/page")
def to_print(town: Town) -> Act:
    number = hours.issued(volunteer(town))["number"]
    return lambda: town.http.get(f"/statements/{number}/page")


def refused(town: Town, path: str) -> Act:
    def ask() -> None:
        assert town.http.get(path).status == 404

    return ask


@act("GET /statements/{number} (a number of nobody's)")
def verify_nobodys(town: Town) -> Act:
    return refused(town, f"/statements/{NOBODYS}")


@act("GET /statements/{number}/page (a number of nobody's)")
def to_print_nobodys(town: Town) -> Act:
    return refused(town, f"/statements/{NOBODYS}/page")


@act("GET /statements/{number} (not a number at all)")
def verify_nonsense(town: Town) -> Act:
    return refused(town, "/statements/hello")
