"""What help requests cost, from the asking to the thanks, and what happens to them by itself."""

from __future__ import annotations

from typing import Any

from chalicelib.areas import service as areas
from chalicelib.help.models import HelpRequest, Offer
from chalicelib.kit import ids
from chalicelib.kit.table import Item
from tests.budget.acts import Act, Town, act, good, until, when_due
from tests.budget.people import REASON, father_and_daughter
from tests.help.street import MASKS, ask, bring, code_of, offer, path, stored
from tests.neighbourhood import Neighbour

CALLER = {"contact_name": "王奶奶", "contact_phone": "13800000000"}
FLAG = {"reason": "advertising", "text": "这是广告"}


def asked(town: Town) -> tuple[Neighbour, Neighbour, str]:
    """李菊 needs five masks; 陈彩明 has not seen it yet."""
    li_ju, chen = town.resident("李菊"), town.resident("陈彩明")
    return li_ju, chen, ask(li_ju)


def offered(town: Town) -> tuple[Neighbour, Neighbour, str, str]:
    """陈彩明 has promised all five."""
    li_ju, chen, request = asked(town)
    return li_ju, chen, request, offer(chen, request)


def brought(town: Town) -> tuple[Neighbour, Neighbour, str, str]:
    """They lie at the community office."""
    li_ju, chen, request = asked(town)
    return li_ju, chen, request, bring(chen, request)


def collected(town: Town) -> tuple[Neighbour, Neighbour, str, str]:
    """李菊 has fetched them."""
    li_ju, chen, request, made = brought(town)
    good(li_ju.post(path(request, made, "collect")))
    return li_ju, chen, request, made


def filed(town: Town) -> tuple[Neighbour, str]:
    """The grid worker has asked for somebody who called."""
    worker = town.carer()
    wish = {**MASKS, **CALLER, "area": town.micro_grid}
    return worker, good(worker.post("/help-requests/on-behalf", json=wish))["id"]


def flagged(town: Town, request: str, times: int) -> None:
    for _ in range(times):
        good(town.resident().post(f"/help-requests/{request}/flags", json=FLAG))


def key(request: str, made: str | None = None) -> Any:
    return Offer.key(request, made) if made else HelpRequest.key(request)


# ------------------------------------------------------------------------------------------------------- asking


@act("POST /help-requests")
def ask_for_masks(town: Town) -> Act:
    li_ju = town.resident()
    return lambda: li_ju.post("/help-requests", json=MASKS)


@act("POST /help-requests (its areas were not read for ten minutes)")
def ask_in_a_cold_container(town: Town) -> Act:
    li_ju = town.resident()
    areas._kept.clear()
    return lambda: li_ju.post("/help-requests", json=MASKS)


@act("POST /help-requests (by a delegate)")
def ask_for_my_father(town: Town) -> Act:
    father, daughter = father_and_daughter(town)
    return lambda: daughter.post("/help-requests", json=MASKS, acting_for=father.id)


@act("POST /help-requests (the same again)")
def ask_again(town: Town) -> Act:
    li_ju = town.resident()
    good(li_ju.post("/help-requests", json=MASKS, key="a"))
    return lambda: li_ju.post("/help-requests", json=MASKS, key="a")


@act("POST /help-requests/on-behalf")
def file_for_somebody(town: Town) -> Act:
    worker = town.carer()
    wish = {**MASKS, **CALLER, "area": town.micro_grid}
    return lambda: worker.post("/help-requests/on-behalf", json=wish)


@act("POST /help-requests/{request_id}/contact")
def show_contact(town: Town) -> Act:
    worker, request = filed(town)
    return lambda: worker.post(f"/help-requests/{request}/contact", json=REASON)


@act("POST /help-requests/{request_id}/withdraw")
def withdraw(town: Town) -> Act:
    li_ju, _, request, _ = offered(town)
    return lambda: li_ju.post(f"/help-requests/{request}/withdraw")


@act("POST /help-requests/{request_id}/confirm")
def confirm(town: Town) -> Act:
    li_ju, _, request, _ = collected(town)
    return lambda: li_ju.post(f"/help-requests/{request}/confirm")


@act("POST /help-requests/{request_id}/object")
def object_to(town: Town) -> Act:
    town.carer()
    li_ju, _, request, _ = collected(town)
    return lambda: li_ju.post(f"/help-requests/{request}/object", json={"reason": "口罩是旧的"})


@act("POST /help-requests/{request_id}/flags")
def flag(town: Town) -> Act:
    _, chen, request = asked(town)
    return lambda: chen.post(f"/help-requests/{request}/flags", json=FLAG)


@act("POST /help-requests/{request_id}/flags (the third, which hides it)")
def third_flag(town: Town) -> Act:
    _, chen, request = asked(town)
    flagged(town, request, 2)
    return lambda: chen.post(f"/help-requests/{request}/flags", json=FLAG)


# ------------------------------------------------------------------------------------------------------ finding


@act("GET /help-requests")
def open_here(town: Town) -> Act:
    _, chen, _ = asked(town)
    return lambda: chen.get(f"/help-requests?area={town.community}")


@act("GET /help-requests (a full page)")
def open_here_page(town: Town) -> Act:
    _, chen, request = asked(town)
    first = stored(request)
    with Item.batch_write() as batch:
        for _ in range(25):
            batch.save(HelpRequest(**{**first.attribute_values, "pk": f"HELP#{ids.new_id('help')}"}))
    return lambda: chen.get(f"/help-requests?area={town.community}")


@act("GET /help-requests/mine")
def mine(town: Town) -> Act:
    li_ju, _, _ = asked(town)
    return lambda: li_ju.get("/help-requests/mine")


@act("GET /help-requests/mine (by a delegate)")
def my_fathers(town: Town) -> Act:
    father, daughter = father_and_daughter(town)
    ask(father)
    return lambda: daughter.get("/help-requests/mine", acting_for=father.id)


@act("GET /help-requests/helping")
def helping(town: Town) -> Act:
    _, chen, _, _ = offered(town)
    return lambda: chen.get("/help-requests/helping")


@act("GET /help-requests/unanswered")
def unanswered(town: Town) -> Act:
    worker = town.carer()
    _, _, request = asked(town)
    until("help.escalate", key(request))()
    return lambda: worker.get(f"/help-requests/unanswered?area={town.grid}")


@act("GET /help-requests/filed")
def filed_here(town: Town) -> Act:
    worker, _ = filed(town)
    return lambda: worker.get(f"/help-requests/filed?area={town.micro_grid}")


@act("GET /help-requests/{request_id} (filed by staff)")
def look_at_what_was_filed(town: Town) -> Act:
    worker, request = filed(town)
    return lambda: worker.get(f"/help-requests/{request}")


@act("GET /help-requests/{request_id}")
def look_at(town: Town) -> Act:
    li_ju, _, request, _ = offered(town)
    return lambda: li_ju.get(f"/help-requests/{request}")


@act("GET /help-requests/{request_id} (as staff)")
def look_at_as_staff(town: Town) -> Act:
    worker = town.carer()
    _, _, request, _ = offered(town)
    return lambda: worker.get(f"/help-requests/{request}?as_staff=true")


# ----------------------------------------------------------------------------------------------------- offering


@act("POST /help-requests/{request_id}/offers")
def offer_all(town: Town) -> Act:
    _, chen, request = asked(town)
    return lambda: chen.post(f"/help-requests/{request}/offers", json={"quantity": 5})


@act("POST /help-requests/{request_id}/offers (filed by staff)")
def offer_for_somebody_who_called(town: Town) -> Act:
    _, request = filed(town)
    chen = town.resident("陈彩明")
    return lambda: chen.post(f"/help-requests/{request}/offers", json={"quantity": 5})


@act("POST /help-requests/{request_id}/offers (by a delegate)")
def offer_in_my_fathers_name(town: Town) -> Act:
    father, daughter = father_and_daughter(town)
    _, _, request = asked(town)
    return lambda: daughter.post(f"/help-requests/{request}/offers", json={"quantity": 5}, acting_for=father.id)


@act("POST /help-requests/{request_id}/offers (a part of it)")
def offer_some(town: Town) -> Act:
    _, chen, request = asked(town)
    return lambda: chen.post(f"/help-requests/{request}/offers", json={"quantity": 2})


@act("POST /help-requests/{request_id}/offers/{offer_id}/drop-off")
def drop_off(town: Town) -> Act:
    _, chen, request, made = offered(town)
    return lambda: chen.post(path(request, made, "drop-off"))


@act("POST /help-requests/{request_id}/offers/{offer_id}/collect")
def collect(town: Town) -> Act:
    li_ju, _, request, made = brought(town)
    return lambda: li_ju.post(path(request, made, "collect"))


@act("POST /pick-ups")
def collect_by_code(town: Town) -> Act:
    clerk = town.staff("desk_clerk")
    _, _, request, made = brought(town)
    code = code_of(request, made)
    return lambda: clerk.post("/pick-ups", json={"code": code})


@act("POST /help-requests/{request_id}/offers/{offer_id}/cancel")
def cancel(town: Town) -> Act:
    _, chen, request, made = offered(town)
    return lambda: chen.post(path(request, made, "cancel"))


@act("POST /help-requests/{request_id}/offers/{offer_id}/thanks")
def thank(town: Town) -> Act:
    li_ju, _, request, made = collected(town)
    return lambda: li_ju.post(path(request, made, "thanks"), json={"text": "多亏了您"})


@act("GET /help-requests/{request_id}/offers/{offer_id}/code")
def show_the_code_as_a_picture(town: Town) -> Act:
    li_ju, chen, request, made = offered(town)
    good(chen.post(path(request, made, "drop-off")))
    return lambda: li_ju.get(path(request, made, "code"))


@act("POST /help-requests/{request_id}/offers/{offer_id}/messages")
def write_a_message(town: Town) -> Act:
    _, chen, request, made = offered(town)
    return lambda: chen.post(path(request, made, "messages"), json={"text": "下午送到"})


@act("GET /help-requests/{request_id}/offers/{offer_id}/messages")
def read_messages(town: Town) -> Act:
    li_ju, chen, request, made = offered(town)
    good(chen.post(path(request, made, "messages"), json={"text": "下午送到"}))
    return lambda: li_ju.get(path(request, made, "messages"))


# --------------------------------------------------------------------------------------------- hearing of others


@act("GET /me/help-alerts")
def alerts_wanted(town: Town) -> Act:
    chen = town.resident()
    return lambda: chen.get("/me/help-alerts")


@act("PUT /me/help-alerts")
def want_alerts(town: Town) -> Act:
    chen = town.resident()
    return lambda: chen.put("/me/help-alerts", json={"on": True})


@act("timer help.announce (nobody wants to hear of it)")
def announce_to_nobody(town: Town) -> Act:
    _, _, request = asked(town)
    return when_due(key(request))


@act("timer help.announce (one neighbour wants to)")
def announce_to_one(town: Town) -> Act:
    _, chen, request = asked(town)
    good(chen.put("/me/help-alerts", json={"on": True}))
    return when_due(key(request))


# --------------------------------------------------------------------------------------------- what time brings


@act("timer help.escalate")
def escalate(town: Town) -> Act:
    town.carer()
    _, _, request = asked(town)
    return until("help.escalate", key(request))


@act("timer help.close (nobody has answered)")
def expire(town: Town) -> Act:
    town.carer()
    _, _, request = asked(town)
    return until("help.close", key(request))


@act("timer help.close (content with what was offered)")
def close(town: Town) -> Act:
    _, chen, request = asked(town)
    offer(chen, request, 2)
    return until("help.close", key(request))


@act("timer help.lapse")
def lapse(town: Town) -> Act:
    _, _, request, made = offered(town)
    return when_due(key(request, made))


@act("timer help.remind (the requester)")
def remind(town: Town) -> Act:
    _, _, request, made = brought(town)
    return when_due(key(request, made))


@act("timer help.remind (at last the grid worker)")
def remind_at_last(town: Town) -> Act:
    town.carer()
    _, _, request, made = brought(town)
    when_due(key(request, made))()
    return when_due(key(request, made))


@act("timer help.fulfil")
def fulfil(town: Town) -> Act:
    _, _, request, _ = collected(town)
    return until("help.fulfil", key(request))


@act("timer help.forget")
def forget_the_contact(town: Town) -> Act:
    worker, request = filed(town)
    good(worker.post(f"/help-requests/{request}/withdraw"))
    return until("help.forget", key(request))
