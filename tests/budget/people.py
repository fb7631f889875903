"""What accounts cost: logging in, consent, phone, home, delegates, my data, and the way out."""

from __future__ import annotations

from unittest.mock import patch

from chalicelib.account import closing
from chalicelib.account.models import DataCopy
from chalicelib.people import followers
from chalicelib.people.models import Duty, FollowersRound, Resident
from tests.budget.acts import Act, Town, act, good, until, when_due
from tests.help.street import ask, offer, path
from tests.neighbourhood import Neighbour

REASON = {"reason": "电话核实居住情况"}


def with_phone(town: Town) -> Neighbour:
    neighbour = town.account("李菊")
    good(neighbour.post("/me/phone", json={"code": town.wechat.phone_code(neighbour.phone)}))
    return neighbour


def father_and_daughter(town: Town) -> tuple[Neighbour, Neighbour]:
    """The daughter may act for her father."""
    father, daughter = town.resident("父亲"), town.resident("女儿")
    good(daughter.post("/delegations", json={"code": good(father.post("/me/delegates"))["code"]}))
    return father, daughter


def busy(town: Town) -> Neighbour:
    """Somebody with a phone number, a request that is answered, a message about it, and an offer of their own."""
    li_ju, chen = with_phone(town), town.resident("陈彩明")
    request = ask(li_ju)
    made = offer(chen, request, 2)
    good(li_ju.post(path(request, made, "messages"), json={"text": "我下午在家"}))
    offer(li_ju, ask(chen), 2)
    return li_ju


@act("POST /login (the first time)")
def first_login(town: Town) -> Act:
    newcomer = Neighbour(town, "李菊", f"newcomer-{town.district}")
    town.wechat.add_person(newcomer.phone, newcomer.name)
    return newcomer.log_in


@act("POST /login")
def login(town: Town) -> Act:
    return town.account().log_in


@act("POST /logout")
def logout(town: Town) -> Act:
    neighbour = town.resident()
    return lambda: neighbour.post("/logout")


@act("POST /sessions/revoke")
def log_out_everywhere(town: Town) -> Act:
    neighbour = town.resident()
    return lambda: neighbour.post("/sessions/revoke")


@act("GET /privacy-notice")
def privacy_notice(town: Town) -> Act:
    return lambda: town.http.get("/privacy-notice")


@act("POST /me/consent")
def consent(town: Town) -> Act:
    return town.somebody().consent


@act("DELETE /me/consent")
def withdraw_consent(town: Town) -> Act:
    neighbour = town.resident()
    return lambda: neighbour.delete("/me/consent")


@act("POST /me/phone")
def register_phone(town: Town) -> Act:
    neighbour = town.account()
    code = town.wechat.phone_code(neighbour.phone)
    return lambda: neighbour.post("/me/phone", json={"code": code})


@act("GET /me/phone")
def own_phone(town: Town) -> Act:
    neighbour = with_phone(town)
    return lambda: neighbour.get("/me/phone")


@act("DELETE /me/phone")
def forget_phone(town: Town) -> Act:
    neighbour = with_phone(town)
    return lambda: neighbour.delete("/me/phone")


@act("GET /me")
def me(town: Town) -> Act:
    neighbour = town.resident()
    return lambda: neighbour.get("/me")


@act("GET /me/profile")
def profile(town: Town) -> Act:
    neighbour = town.resident()
    return lambda: neighbour.get("/me/profile")


@act("PUT /me/nickname")
def nickname(town: Town) -> Act:
    neighbour = town.resident()
    return lambda: neighbour.put("/me/nickname", json={"nickname": "爱种花的李菊"})


@act("timer people.renamed (somebody who has done nothing yet)")
def renamed(town: Town) -> Act:
    neighbour = town.resident()
    good(neighbour.put("/me/nickname", json={"nickname": "爱种花的李菊"}))
    return when_due(Resident.key(neighbour.id))


@act("timer people.renamed (with a request, an offer and a message)")
def renamed_amid_help(town: Town) -> Act:
    neighbour = busy(town)
    good(neighbour.put("/me/nickname", json={"nickname": "爱种花的李菊"}))
    return when_due(Resident.key(neighbour.id))


@act("GET /areas")
def areas(town: Town) -> Act:
    return lambda: town.http.get(f"/areas?parent={town.street}")


@act("PUT /me/residence")
def choose_home(town: Town) -> Act:
    town.carer()
    neighbour = town.somebody()
    neighbour.consent()
    return lambda: neighbour.put("/me/residence", json={"area": town.micro_grid})


@act("GET /residences")
def waiting_homes(town: Town) -> Act:
    worker = town.carer()
    town.account()
    return lambda: worker.get(f"/residences?area={town.grid}")


@act("POST /residences/{resident_id}/confirm")
def confirm_home(town: Town) -> Act:
    worker, neighbour = town.carer(), town.account()
    return lambda: worker.post(f"/residences/{neighbour.id}/confirm", json={"area": town.micro_grid})


@act("POST /residences/{resident_id}/decline")
def decline_home(town: Town) -> Act:
    worker, neighbour = town.carer(), town.account()
    why = {"area": town.micro_grid, "reason": "登记的楼里没有这户人家"}
    return lambda: worker.post(f"/residences/{neighbour.id}/decline", json=why)


@act("POST /residents/{resident_id}/identity")
def show_identity(town: Town) -> Act:
    worker, neighbour = town.carer(), with_phone(town)
    return lambda: worker.post(f"/residents/{neighbour.id}/identity", json=REASON)


@act("GET /me/lookups")
def who_looked_me_up(town: Town) -> Act:
    worker, neighbour = town.carer(), with_phone(town)
    good(worker.post(f"/residents/{neighbour.id}/identity", json=REASON))
    return lambda: neighbour.get("/me/lookups")


@act("POST /me/delegates")
def invite_a_delegate(town: Town) -> Act:
    father = town.resident()
    return lambda: father.post("/me/delegates")


@act("GET /me/invitations")
def my_invitations(town: Town) -> Act:
    father = town.resident()
    good(father.post("/me/delegates"))
    return lambda: father.get("/me/invitations")


@act("DELETE /me/invitations/{code}")
def take_back_an_invitation(town: Town) -> Act:
    father = town.resident()
    code = good(father.post("/me/delegates"))["code"]
    return lambda: father.delete(f"/me/invitations/{code}")


@act("POST /delegations")
def accept_an_invitation(town: Town) -> Act:
    father, daughter = town.resident(), town.resident()
    code = good(father.post("/me/delegates"))["code"]
    return lambda: daughter.post("/delegations", json={"code": code})


@act("GET /me/delegates")
def my_delegates(town: Town) -> Act:
    father, _ = father_and_daughter(town)
    return lambda: father.get("/me/delegates")


@act("GET /delegations")
def for_whom_i_may_act(town: Town) -> Act:
    _, daughter = father_and_daughter(town)
    return lambda: daughter.get("/delegations")


@act("DELETE /me/delegates/{delegate_id}")
def revoke_a_delegate(town: Town) -> Act:
    father, daughter = father_and_daughter(town)
    return lambda: father.delete(f"/me/delegates/{daughter.id}")


@act("DELETE /delegations/{principal_id}")
def resign_as_delegate(town: Town) -> Act:
    father, daughter = father_and_daughter(town)
    return lambda: daughter.delete(f"/delegations/{father.id}")


@act("POST /me/copy")
def ask_for_a_copy(town: Town) -> Act:
    neighbour = town.resident()
    return lambda: neighbour.post("/me/copy")


@act("timer account.copy")
def prepare_a_copy(town: Town) -> Act:
    neighbour = busy(town)
    good(neighbour.post("/me/copy"))
    return when_due(DataCopy.key(neighbour.id))


@act("GET /me/copy")
def fetch_a_copy(town: Town) -> Act:
    neighbour = town.account()
    good(neighbour.post("/me/copy"))
    when_due(DataCopy.key(neighbour.id))()
    return lambda: neighbour.get("/me/copy")


@act("POST /me/close (somebody who has done nothing yet)")
def close_a_new_account(town: Town) -> Act:
    neighbour = town.account()
    return lambda: neighbour.post("/me/close", json={"word": "注销"})


@act("POST /me/close (with a request, an offer and a message)")
def close_a_busy_account(town: Town) -> Act:
    neighbour = busy(town)
    return lambda: neighbour.post("/me/close", json={"word": "注销"})


@act("timer account.erase (closing was interrupted)")
def finish_an_erasure(town: Town) -> Act:
    neighbour = town.account()
    with patch.object(closing, "erase", side_effect=OSError):
        neighbour.post("/me/close", json={"word": "注销"})
    return until("account.erase", Resident.key(neighbour.id))


@act("timer people.join_followers (nobody follows)")
def look_for_followers(town: Town) -> Act:
    for person in town.wechat.people():
        if person["follows"]:
            town.wechat.change_person(person["id"], follows=False)
    with patch.object(
        followers, "_started", False
    ):  # another test's login may have begun the rounds in a table of its own
        town.account()
    when_due(FollowersRound.key())()  # the token of the service account is known from now on
    return when_due(FollowersRound.key())


@act("timer people.duty_over (of somebody called by their office)")
def duty_over(town: Town) -> Act:
    worker = town.staff("grid_worker")
    good(worker.put("/me/nickname", json={"nickname": "网格员小王"}))
    town.end_duty(worker, "grid_worker", town.community)
    return when_due(Duty.key(worker.id, "grid_worker", town.community))
