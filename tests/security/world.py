"""A neighbourhood in which much has happened, with secrets planted in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chalicelib.kit import clock
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices.models import Notice
from chalicelib.people import service as people
from chalicelib.people.models import Duty
from local.wechat import catalogue
from tests.engine.http import Answer
from tests.mall import shop
from tests.neighbourhood import Hood, Neighbour
from tests.quiz import school
from tests.security import presence, shift_hours, shifts, volunteers
from tests.shifts import gate
from tests.volunteers import crew, hours

CONTACT_NAME, CONTACT_PHONE = "钱奶奶真名", "0573-83990011"
REAL_NAME = "李菊香实名"
MASKS = {
    "what": "goods",
    "title": "急需口罩",
    "text": "明天要回厂上班，需要五只口罩。",
    "quantity": 5,
    "unit": "只",
    "drop_point": "office",
}
WATER = {"title": "周六停水", "text": "周六上午八点到十一点停水。"}
ROLES = ("grid_worker", "community_worker", "moderator", "desk_clerk")


@dataclass
class World:
    """`owner` asked for masks, `helper` brings some; `delegate` acts for the owner; both staffs hold all roles.

    So did `former`, who filed, published and organised what there is, until a moment ago. `kin` holds them all, too, and
    may act for the owner and the helper.
    """

    hood: Hood
    owner: Neighbour
    helper: Neighbour
    delegate: Neighbour
    stranger: Neighbour
    newcomer: Neighbour
    staff: Neighbour
    foreign_staff: Neighbour
    former: Neighbour
    kin: Neighbour
    ids: dict[str, str]
    code: str
    desk_code: str
    door_code: str
    answers: list[dict[str, Any]]  # the owner's, to an attempt that waits for them

    @property
    def everybody(self) -> list[Neighbour]:
        residents = [self.owner, self.helper, self.delegate, self.stranger]
        return [*residents, self.staff, self.foreign_staff, self.former, self.kin]

    def secrets_of(self, neighbour: Neighbour) -> set[str]:
        """What nobody else may read."""
        return {neighbour.caller.openid, str(self.hood.wechat.person(neighbour.phone)["phone"])}


def build(hood: Hood) -> World:
    owner, helper, delegate, stranger = (hood.resident(name) for name in ("李菊", "陈彩明", "小李", "路人"))
    former, kin = (staff_of(hood, hood.community, name) for name in ("以前的网格员", "网格员家人"))
    staff, foreign = staff_of(hood, hood.community, "网格员"), staff_of(hood, f"{hood.street}002", "外地网格员")
    for neighbour in (owner, helper, delegate, stranger, staff):
        made(neighbour.post("/me/phone", json={"code": hood.wechat.phone_code(neighbour.phone)}))
    made(delegate.post("/delegations", json={"code": made(owner.post("/me/delegates"))["code"]}))
    ids = {"delegate_id": delegate.id, "principal_id": owner.id, "resident_id": owner.id}
    ids["code"] = made(owner.post("/me/delegates"))["code"]
    ids["request_id"] = made(owner.post("/help-requests", json=MASKS))["id"]
    request = f"/help-requests/{ids['request_id']}"
    ids["photo_id"] = made(owner.post(f"{request}/photos", json={}))["photo_id"]
    ids["offer_id"] = made(helper.post(f"{request}/offers", json={"quantity": 2, "message": "我家有"}))["id"]
    offer = f"{request}/offers/{ids['offer_id']}"
    made(owner.post(f"{offer}/messages", json={"text": "谢谢，放居委会就好"}))
    made(helper.post(f"{offer}/drop-off"))
    code = made(owner.get(request))["offers"][0]["code"]
    on_behalf = {**MASKS, "area": hood.community, "contact_name": CONTACT_NAME, "contact_phone": CONTACT_PHONE}
    ids["filed_id"] = made(former.post("/help-requests/on-behalf", json=on_behalf))["id"]
    doubtful = {**MASKS, "text": f"需要{sorted(catalogue.REVIEW_WORDS)[0]}五只"}
    made(owner.post("/help-requests", json=doubtful))
    ids["review_id"] = made(staff.get(f"/reviews?area={hood.community}"))["items"][0]["id"]
    ids["notice_id"] = made(owner.get("/inbox"))["items"][0]["id"]
    ids["post_id"] = made(former.post("/posts", json={**WATER, "area": hood.community}))["id"]
    ids["post_photo_id"] = made(former.post(f"/posts/{ids['post_id']}/photos", json={}))["photo_id"]
    ids["entry_id"] = not_reached(owner, hood.community)
    made(owner.post("/me/copy"))
    hours.register(owner, REAL_NAME)
    hours.served(owner)
    ids["volunteer_entry_id"] = hours.noted(staff, owner)["id"]
    ids["number"] = hours.issued(owner)["number"]
    codes = redeemed(hood, owner, staff, ids)
    ids["quiz_id"] = school.quiz(hood.community)
    ids["attempt_id"] = made(school.start(owner, ids["quiz_id"]))["id"]
    shifts.planned(hood, former, ids)
    answers = school.solution(owner, ids["attempt_id"])
    ids["shift_id"] = gate.shift(hood, organiser=former, needs_approval=False)
    made(gate.sign_up(owner, ids["shift_id"]))
    volunteers.apply(helper, staff, ids)
    shift_hours.served(hood, owner, ids)
    presence.happened(hood, owner, ids)
    with_teams(owner, helper, delegate, ids)
    newcomer = hood.somebody("新来的")
    for principal in (owner, helper):
        made(kin.post("/delegations", json={"code": made(principal.post("/me/delegates"))["code"]}))
    for role in ROLES:
        hood.end_duty(former, role, hood.community)
    return World(
        hood, owner, helper, delegate, stranger, newcomer, staff, foreign, former, kin, ids, code, *codes, answers
    )


def with_teams(owner: Neighbour, helper: Neighbour, delegate: Neighbour, ids: dict[str, str]) -> None:
    """The owner leads three teams, one for each act that would spoil it for the others; the helper is in all of them."""
    ids["team_id"], ids["member"] = crew.written(owner.id, [helper.id, delegate.id]), delegate.id
    ids["handed_team_id"] = crew.written(owner.id, [helper.id], slot=2)
    ids["ended_team_id"] = crew.written(owner.id, [helper.id], slot=3)


def redeemed(hood: Hood, owner: Neighbour, staff: Neighbour, ids: dict[str, str]) -> tuple[str, str]:
    """The owner has redeemed masks, for the desk and for the door; staff took pictures. Returns the pick-up codes."""
    shop.give_points(owner.id, 5000)
    ids["product_id"] = shop.masks(hood, area=hood.community, delivers=True, stock=5000)
    at_desk = shop.redeemed(owner, ids["product_id"], desk=f"{hood.community}-office")
    at_door = shop.redeemed(owner, ids["product_id"], deliver=True)
    ids["redemption_id"], ids["delivery_id"] = at_desk["id"], at_door["id"]
    ids["picture_id"] = made(staff.post(f"/products/{ids['product_id']}/photos", json={}))["photo_id"]
    ids["proof_id"] = made(staff.post(f"/deliveries/{at_door['id']}/photos", json={}))["photo_id"]
    return at_desk["code"], at_door["code"]


def staff_of(hood: Hood, area: str, name: str) -> Neighbour:
    neighbour = hood.resident(name)
    for role in ROLES:
        duty = Duty.new(neighbour.id, role, area, from_at=clock.now(), until_at=None, granted_by="test")
        with transaction() as tx:
            people.grant_duty(tx, duty)
    return neighbour


def made(answer: Answer) -> Any:
    assert answer.status < 300, answer
    return answer.json if answer.content else None


def not_reached(neighbour: Neighbour, area: str) -> str:
    """Put a message of theirs onto the call sheet of an area, as a push that failed does."""
    notice = next(iter(Notice.query(f"RES#{neighbour.id}", Item.sk.startswith(Notice.PREFIX))))
    notice.area = area
    with transaction() as tx:
        tx.update(notice, [Notice.area.set(area), *notice.onto_call_sheet()])
    return f"{neighbour.id}.{notice.id}"
