"""Nobody stands on both sides of an act: not by a second role, and not as somebody's delegate.

One rule (`Person.apart_from`), tried in every act that has two sides. The authority table tries the same over the routes,
as `kin`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from chalicelib.content.models import Photo, Review
from chalicelib.kit import clock
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.people import service as people
from chalicelib.people.models import Duty, Resident
from local.wechat import catalogue
from tests.engine.http import Answer
from tests.engine.meanwhile import meanwhile
from tests.help.street import ask, at_once, bring, code_of, offer, path, states, stored
from tests.mall import shop
from tests.neighbourhood import Hood, Neighbour
from tests.points.books import balance_of
from tests.shifts import door, evening, gate
from tests.volunteers import desk, hours

DOUBTFUL = sorted(catalogue.REVIEW_WORDS)[0]
Acts = Callable[[Hood, Neighbour, Neighbour], Callable[[], Answer]]


@pytest.fixture
def father(hood: Hood) -> Neighbour:
    return hood.resident("老周")


@pytest.fixture
def daughter(hood: Hood) -> Neighbour:
    return hood.resident("小周")


# ---------------------------------------------------------------------------- staff, and somebody it is about


def confirming_a_home(hood: Hood, staff: Neighbour, whom: Neighbour) -> Callable[[], Answer]:
    return lambda: staff.post(f"/residences/{whom.id}/confirm", json={"area": hood.micro_grid})


def declining_a_home(hood: Hood, staff: Neighbour, whom: Neighbour) -> Callable[[], Answer]:
    body = {"area": hood.micro_grid, "reason": "没有这户人家"}
    return lambda: staff.post(f"/residences/{whom.id}/decline", json=body)


def looking_somebody_up(hood: Hood, staff: Neighbour, whom: Neighbour) -> Callable[[], Answer]:
    return lambda: staff.post(f"/residents/{whom.id}/identity", json={"reason": "核实住址"})


def judging_a_text(hood: Hood, staff: Neighbour, whom: Neighbour) -> Callable[[], Answer]:
    ask(whom, text=f"需要{DOUBTFUL}五只")
    [review] = staff.get(f"/reviews?area={hood.community}").json["items"]
    return lambda: staff.post(f"/reviews/{review['id']}/decide", json={"decision": "approve"})


def judging_what_is_said_of_them(hood: Hood, staff: Neighbour, whom: Neighbour) -> Callable[[], Answer]:
    gate.approve(whom)
    hours.noted(hood.staff("grid_worker"), whom, hours.training(title=f"{DOUBTFUL}培训"))
    [review] = staff.get(f"/reviews?area={hood.community}").json["items"]
    return lambda: staff.post(f"/reviews/{review['id']}/decide", json={"decision": "approve"})


def judging_what_they_flagged(hood: Hood, staff: Neighbour, whom: Neighbour) -> Callable[[], Answer]:
    request = ask(hood.resident("求助的人"))
    for each in (whom, hood.resident(), hood.resident()):
        assert each.post(f"/help-requests/{request}/flags", json={"reason": "fraud"}).status == 204
    [review] = staff.get(f"/reviews?area={hood.community}").json["items"]
    return lambda: staff.post(f"/reviews/{review['id']}/decide", json={"decision": "refuse", "reason": "广告"})


def approving_an_application(hood: Hood, staff: Neighbour, whom: Neighbour) -> Callable[[], Answer]:
    desk.applied(whom)
    return lambda: desk.approve(whom, by=staff)


def declining_an_application(hood: Hood, staff: Neighbour, whom: Neighbour) -> Callable[[], Answer]:
    desk.applied(whom)
    return lambda: desk.decline(whom, by=staff)


def noting_a_guardians_consent(hood: Hood, staff: Neighbour, whom: Neighbour) -> Callable[[], Answer]:
    desk.applied(whom, birth=desk.years_ago(15))
    return lambda: desk.consent(whom, by=staff)


def reading_a_real_name(hood: Hood, staff: Neighbour, whom: Neighbour) -> Callable[[], Answer]:
    desk.applied(whom)
    return lambda: staff.post(f"/volunteers/{whom.id}/identity", json={"reason": "核对身份证"})


def noting_a_training(hood: Hood, staff: Neighbour, whom: Neighbour) -> Callable[[], Answer]:
    gate.approve(whom)
    return lambda: staff.post(f"/volunteers/{whom.id}/entries", json=hours.training())


def revoking_a_training(hood: Hood, staff: Neighbour, whom: Neighbour) -> Callable[[], Answer]:
    gate.approve(whom)
    noted = hours.noted(hood.staff("grid_worker"), whom)["id"]
    return lambda: staff.post(f"/volunteers/{whom.id}/entries/{noted}/revoke", json={"reason": "记错了人"})


def ticking_the_list(hood: Hood, staff: Neighbour, whom: Neighbour) -> Callable[[], Answer]:
    shift = door.open_shift(hood, needs_approval=False)
    gate.signed_up(whom, shift)
    return lambda: door.tick(staff, shift, whom.id)


def adding_by_number(hood: Hood, staff: Neighbour, whom: Neighbour) -> Callable[[], Answer]:
    shift, number = door.open_shift(hood, needs_approval=False), door.number_of(whom)
    return lambda: door.add(staff, shift, volunteer_number=number)


def confirming_the_hours_of_one(hood: Hood, staff: Neighbour, whom: Neighbour) -> Callable[[], Answer]:
    shift = evening.over(hood)
    evening.on(whom, shift, came=0, left=120)
    evening.confirmed(hood.staff("community_worker"), shift, whom.id)
    return lambda: evening.confirm_one(staff, shift, whom.id)


def filling_in_hours(hood: Hood, staff: Neighbour, whom: Neighbour) -> Callable[[], Answer]:
    shift = evening.over(hood)
    evening.on(whom, shift)
    return lambda: evening.back_fill(staff, shift, whom.id, minutes=60)


def correction_of(hood: Hood, whom: Neighbour, recorder: Neighbour) -> str:
    shift = evening.over(hood)
    evening.on(whom, shift, came=0, left=120)
    evening.confirmed(recorder, shift)
    return str(evening.ask(whom, shift, 200).json["id"])


def accepting_a_correction(hood: Hood, staff: Neighbour, whom: Neighbour) -> Callable[[], Answer]:
    correction = correction_of(hood, whom, hood.staff("community_worker"))
    return lambda: evening.decide(staff, correction)


def declining_a_correction(hood: Hood, staff: Neighbour, whom: Neighbour) -> Callable[[], Answer]:
    correction = correction_of(hood, whom, hood.staff("community_worker"))
    return lambda: evening.decide(staff, correction, reason="没有依据")


def handing_out_at_the_desk(hood: Hood, staff: Neighbour, whom: Neighbour) -> Callable[[], Answer]:
    shop.give_points(whom.id, 50)
    code = shop.redeemed(whom, shop.masks(hood))["code"]
    return lambda: staff.post("/desk/collect", json={"code": code})


def looking_up_at_the_desk(hood: Hood, staff: Neighbour, whom: Neighbour) -> Callable[[], Answer]:
    shop.give_points(whom.id, 50)
    code = shop.redeemed(whom, shop.masks(hood))["code"]
    return lambda: staff.post("/desk/look-up", json={"code": code})


def delivery_to(hood: Hood, whom: Neighbour) -> dict[str, Any]:
    shop.give_points(whom.id, 50)
    return shop.redeemed(whom, shop.masks(hood, desks=[], delivers=True), deliver=True)


def delivering_with_the_code(hood: Hood, staff: Neighbour, whom: Neighbour) -> Callable[[], Answer]:
    made = delivery_to(hood, whom)
    return lambda: staff.post(f"/deliveries/{made['id']}/with-code", json={"code": made["code"]})


def delivering_with_a_photo(hood: Hood, staff: Neighbour, whom: Neighbour) -> Callable[[], Answer]:
    made, colleague = delivery_to(hood, whom), hood.staff("grid_worker")
    photo = colleague.post(f"/deliveries/{made['id']}/photos", json={}).json["photo_id"]
    item = Photo.key(f"REDEMPTION#{made['id']}", photo)
    item.update([Photo.state.set("shown")])
    body = {"photo_id": photo, "reason": "放在门口"}
    return lambda: staff.post(f"/deliveries/{made['id']}/with-photo", json=body)


def photographing_a_delivery(hood: Hood, staff: Neighbour, whom: Neighbour) -> Callable[[], Answer]:
    made = delivery_to(hood, whom)
    return lambda: staff.post(f"/deliveries/{made['id']}/photos", json={})


ABOUT_SOMEBODY: list[Acts] = [
    *(confirming_a_home, declining_a_home, looking_somebody_up),
    *(judging_a_text, judging_what_is_said_of_them, judging_what_they_flagged),
    *(approving_an_application, declining_an_application, noting_a_guardians_consent, reading_a_real_name),
    *(noting_a_training, revoking_a_training),
    *(ticking_the_list, adding_by_number, confirming_the_hours_of_one, filling_in_hours),
    *(accepting_a_correction, declining_a_correction),
    *(handing_out_at_the_desk, looking_up_at_the_desk),
    *(delivering_with_the_code, delivering_with_a_photo, photographing_a_delivery),
]


@pytest.mark.parametrize("prepare", ABOUT_SOMEBODY)
def test_staff_do_nothing_about_whom_they_may_act_for_or_who_may_act_for_them(prepare: Acts, hood: Hood) -> None:
    """As soon as they are not joined to them any more, they may."""
    for turned in (False, True):
        here = Hood(hood.http, hood.wechat)
        staff, whom = officer(here), here.resident("老周")
        act = prepare(here, staff, whom)
        principal, delegate = (staff, whom) if turned else (whom, staff)
        here.let_act(delegate, principal)
        before = everything_about(whom)
        refused = act()
        assert (refused.status, refused.code) == (403, "both_sides"), refused
        assert "代办关系" in refused.json["detail"]
        assert everything_about(whom) == before
        assert principal.delete(f"/me/delegates/{delegate.id}").status == 204
        allowed = act()
        assert allowed.status in (200, 201), allowed


@pytest.mark.parametrize("prepare", ABOUT_SOMEBODY)
def test_nor_about_themselves(prepare: Acts, hood: Hood) -> None:
    staff = officer(hood)
    act = prepare(hood, staff, staff)
    before = everything_about(staff)
    refused = act()
    assert everything_about(staff) == before
    assert (refused.status in (403, 409), refused.code[:4]) in ((True, "own_"), (True, "not_")), refused


@pytest.mark.parametrize("prepare", ABOUT_SOMEBODY)
def test_a_delegation_granted_in_the_very_moment_counts(prepare: Acts, hood: Hood) -> None:
    staff, whom = officer(hood), hood.resident("老周")
    act = prepare(hood, staff, whom)
    if prepare is looking_up_at_the_desk:
        return  # it writes nothing
    with meanwhile(f"RES#{staff.id}'}}, 'SK': {{'S': 'ME'", lambda: hood.let_act(staff, whom)):
        answer = act()
    assert answer.code in ("both_sides", "changed_meanwhile"), answer
    assert act().code == "both_sides"


def officer(hood: Hood) -> Neighbour:
    staff = hood.staff("grid_worker", name="网格员")
    moderates = Duty.new(staff.id, "moderator", hood.community, from_at=clock.now(), until_at=None, granted_by="test")
    with transaction() as tx:
        people.grant_duty(tx, moderates)
    return staff


def everything_about(whom: Neighbour) -> list[str]:
    kept = [Item.collection(f"{kind}#{whom.id}") for kind in ("RES", "VOLUNTEER")]
    return sorted(str(item.attribute_values) for items in kept for item in items)


# ------------------------------------------------------------------------------------- a shift, and many people


def test_who_confirms_a_shift_leaves_their_own_principals_and_delegates_to_a_colleague(hood: Hood) -> None:
    li, wang = hood.staff("community_worker"), hood.staff("grid_worker")
    father, daughter, chen = (hood.resident(name) for name in ("老周", "小周", "陈建君"))
    hood.let_act(li, father)
    hood.let_act(daughter, li)
    shift = evening.over(hood)
    for who in (father, daughter, chen, li):
        evening.on(who, shift, came=0, left=120)
    look = li.get(f"/shifts/{shift}/hours").json
    said = evening.confirmed(li, shift)
    for report in (look, said):
        assert {each["person"] for each in report["exceptions"]} == {father.id, daughter.id, li.id}
        assert {each["reason"] for each in report["exceptions"]} == {"own"}
    assert [evening.minutes(who, shift) for who in (father, daughter, chen)] == [None, None, 120]
    assert evening.confirm_one(li, shift, father.id).code == "both_sides"
    assert evening.confirm_one(wang, shift, father.id).status == 200


def test_nobody_judges_what_was_recorded_by_whom_they_may_act_for(hood: Hood) -> None:
    li, wang, chen = hood.staff("community_worker"), hood.staff("grid_worker"), hood.resident("陈建君")
    correction = correction_of(hood, chen, li)
    hood.let_act(wang, li)
    assert evening.decide(wang, correction).code == "both_sides"
    assert evening.decide(hood.staff("grid_worker"), correction).status == 200


# --------------------------------------------------------------------------------------------- help and its two sides


class TestHelp:
    @pytest.fixture(params=["she may act for him", "he may act for her"])
    def joined(self, hood: Hood, father: Neighbour, daughter: Neighbour, request: Any) -> Callable[[], None]:
        she_acts = request.param == "she may act for him"
        return lambda: hood.let_act(daughter, father) if she_acts else hood.let_act(father, daughter)

    def test_nobody_helps_whom_they_may_act_for_or_who_may_act_for_them(self, father, daughter, joined):
        joined()
        request = ask(father)
        answer = daughter.post(f"/help-requests/{request}/offers", json={"quantity": 1})
        assert (answer.status, answer.code) == (403, "both_sides")
        assert states(request) == []
        flag = daughter.post(f"/help-requests/{request}/flags", json={"reason": "fraud"})
        assert (flag.code, int(stored(request).flags)) == ("both_sides", 0)

    def test_nor_in_the_name_of_another_principal(self, hood, father, daughter):
        mother = hood.resident("周妈妈")
        for principal in (father, mother):
            hood.let_act(daughter, principal)
        request = ask(father)
        answer = daughter.post(f"/help-requests/{request}/offers", json={"quantity": 1}, acting_for=mother.id)
        assert (answer.status, answer.code) == (403, "both_sides")
        assert mother.post(f"/help-requests/{request}/offers", json={"quantity": 1}).status == 201  # she herself may

    def test_a_helper_who_becomes_a_delegate_does_nothing_in_the_requesters_place(self, hood, father, daughter):
        request = ask(father)
        made = bring(daughter, request)
        hood.let_act(daughter, father)
        assert daughter.get(f"/help-requests/{request}", acting_for=father.id).json["offers"][0]["code"] is None
        for method, act, body in (
            ("GET", path(request, made, "code"), None),
            ("POST", path(request, made, "collect"), None),
            ("POST", path(request, made, "messages"), {"text": "收到"}),
            ("POST", f"/help-requests/{request}/object", {"reason": "是旧的"}),
        ):
            more = {} if body is None else {"json": body}
            answer = hood.http.call(method, act, token=daughter.token, acting_for=father.id, **more)
            assert (answer.status, answer.code) == (403, "own_help"), act
        assert states(request) == ["dropped_off"]
        clerk = hood.staff("desk_clerk")
        assert clerk.post("/pick-ups", json={"code": code_of(request, made)}).status == 200
        for act, body in (("confirm", None), (f"offers/{made}/thanks", {"text": "谢谢"})):
            answer = daughter.post(f"/help-requests/{request}/{act}", json=body, acting_for=father.id)
            assert (answer.status, answer.code) == (403, "own_help"), act
        assert (stored(request).state, balance_of(daughter.id)) == ("covered", 0)

    def test_the_two_settle_nothing_between_them_as_long_as_they_are_joined(self, father, daughter, joined, hood):
        request = ask(father)
        made, second = offer(daughter, request, 2), bring(daughter, request, 3)
        joined()
        assert daughter.post(path(request, made, "drop-off")).code == "both_sides"
        refused = father.post(path(request, second, "collect"))
        assert (refused.status, refused.code) == (403, "both_sides")
        assert "取消代办关系" in refused.json["detail"]
        assert father.post(f"/help-requests/{request}/object", json={"reason": "是旧的"}).status == 200  # is heard
        principal, delegate = (father, daughter) if father.get("/me/delegates").json["items"] else (daughter, father)
        assert principal.delete(f"/me/delegates/{delegate.id}").status == 204
        assert daughter.post(path(request, made, "drop-off")).status == 200
        assert father.post(path(request, second, "collect")).status == 200

    def test_a_clerk_hands_out_nothing_that_they_or_theirs_have_brought(self, hood, father):
        clerk, helper = hood.staff("desk_clerk"), hood.resident("陈彩明")
        request = ask(father)
        own, theirs = bring(clerk, request, 2), bring(helper, request, 3)
        assert clerk.post("/pick-ups", json={"code": code_of(request, own)}).code == "own_help"
        hood.let_act(helper, clerk)
        assert clerk.post("/pick-ups", json={"code": code_of(request, theirs)}).code == "both_sides"
        assert states(request) == ["dropped_off", "dropped_off"]
        other = hood.staff("desk_clerk")
        assert [other.post("/pick-ups", json={"code": code_of(request, each)}).status for each in (own, theirs)] == [
            200,
            200,
        ]

    def test_a_carer_does_not_judge_an_objection_to_their_own_help(self, hood, father):
        carer, kin, colleague = (hood.staff("grid_worker", name=name) for name in ("王", "张", "李"))
        hood.let_act(kin, father)
        request = ask(father)
        made = bring(carer, request)
        assert father.post(f"/help-requests/{request}/object", json={"reason": "是旧的"}).status == 200
        assert carer.post(path(request, made, "collect")).code == "own_help"
        for act in ("collect", "cancel"):
            assert kin.post(path(request, made, act)).code == "both_sides"
        assert states(request) == ["dropped_off"]
        assert colleague.post(path(request, made, "collect")).status == 200
        assert carer.post(f"/help-requests/{request}/confirm").code == "own_help"
        assert kin.post(f"/help-requests/{request}/confirm").code == "both_sides"
        assert colleague.post(f"/help-requests/{request}/confirm").json["state"] == "fulfilled"

    def test_nor_their_own_help_for_somebody_without_wechat(self, hood):
        worker, carer, kin = (hood.staff("grid_worker", name=name) for name in ("王", "张", "李"))
        wish = {"what": "errand", "title": "买药", "text": "去药店买药。", "area": hood.grid}
        whom = {"contact_name": "王阿婆", "contact_phone": "0573-82838483"}
        request = worker.post("/help-requests/on-behalf", json={**wish, **whom}).json["id"]
        made = bring(carer, request, 1)
        hood.let_act(kin, carer)
        for who, code in ((carer, "own_help"), (kin, "both_sides")):
            assert who.post(path(request, made, "collect")).code == code
        assert worker.post(path(request, made, "collect")).status == 200
        for who, code in ((carer, "own_help"), (kin, "both_sides")):
            assert who.post(path(request, made, "thanks"), json={"text": "谢谢"}).code == code
            assert who.post(f"/help-requests/{request}/confirm").code == code
        assert worker.post(f"/help-requests/{request}/confirm").status == 200

    @pytest.mark.parametrize("whose", ["the helper", "who acts for the helper"])
    def test_a_delegation_granted_in_the_very_moment_counts(self, hood, father, daughter, whose):
        mother = hood.resident("周妈妈")
        hood.let_act(daughter, mother)
        request = ask(father)
        more = {"acting_for": mother.id} if whose == "who acts for the helper" else {}
        with meanwhile(f"HELP#{request}", lambda: hood.let_act(daughter, father)):
            answer = daughter.post(f"/help-requests/{request}/offers", json={"quantity": 1}, **more)
        assert (answer.code, states(request), int(stored(request).offered)) == ("both_sides", [], 0)

    def test_an_offer_and_a_delegation_at_once_end_as_one_after_the_other(self, hood, father, daughter):
        for _ in range(6):
            helper, asker = hood.resident(), hood.resident()
            request, code = ask(asker), asker.post("/me/delegates").json["code"]
            offered, accepted = at_once(
                partial(helper.post, f"/help-requests/{request}/offers", json={"quantity": 1}),
                partial(helper.post, "/delegations", json={"code": code}),
            )
            assert accepted.status == 201
            assert (offered.status, offered.code) in ((201, None), (403, "both_sides"))
            assert len(states(request)) == (offered.status == 201)


# ------------------------------------------------------------------------------------------- moderators and flags


class TestModerators:
    def flagged(self, hood: Hood, *flagging: Neighbour, author: Neighbour) -> tuple[str, str]:
        request = ask(author)
        for each in flagging:
            body = {"reason": "fraud", "text": "我亲眼看见"}
            assert each.post(f"/help-requests/{request}/flags", json=body).status == 204
        [found] = list(Item.by_area.query(Review.list_key(hood.community)))
        return request, found.pk.removeprefix("REVIEW#")

    def decide(self, who: Neighbour, review: str) -> Answer:
        return who.post(f"/reviews/{review}/decide", json={"decision": "refuse", "reason": "广告"})

    def test_who_flagged_does_not_decide_nor_reads_what_the_others_wrote(self, hood, father):
        flagging, other = hood.staff("moderator"), hood.staff("moderator")
        request, review = self.flagged(hood, flagging, hood.resident(), hood.resident(), author=father)
        assert self.decide(flagging, review).code == "own_content"
        assert flagging.get(f"/reviews/{review}").json["flags"] == []
        assert len(other.get(f"/reviews/{review}").json["flags"]) == 3
        assert stored(request).state == "in_review"
        hood.pass_time(Review.key(review), clock.now() + timedelta(hours=3))
        assert ("review_waiting" in flagging.told, "review_waiting" in other.told) == (False, True)
        assert self.decide(other, review).status == 200
        assert stored(request).state == "removed"
        assert Review.fetch(f"REVIEW#{review}", "REVIEW").parties is None

    def test_an_author_who_moderates_does_not_learn_what_was_said_of_them(self, hood):
        author = hood.staff("moderator")
        _, review = self.flagged(hood, *(hood.resident() for _ in range(3)), author=author)
        assert author.get(f"/reviews/{review}").json["flags"] == []
        assert self.decide(author, review).code == "own_content"

    def test_nor_whom_a_message_is_written_to(self, hood, father):
        moderator = hood.staff("moderator")
        request = ask(father)
        made = offer(moderator, request, 1)
        father.post(path(request, made, "messages"), json={"text": DOUBTFUL})
        [found] = list(Item.by_area.query(Review.list_key(hood.community)))
        assert self.decide(moderator, found.pk.removeprefix("REVIEW#")).code == "own_content"


# ----------------------------------------------------------------------------------------------------- at the desk


def test_a_clerk_who_redeems_for_somebody_hands_it_to_nobody_also_once_they_act_no_more(hood, father) -> None:
    clerk, other = hood.staff("desk_clerk"), hood.staff("desk_clerk")
    hood.let_act(clerk, father)
    shop.give_points(father.id, 50)
    masks = shop.masks(hood)
    made = clerk.post(f"/products/{masks}/redemptions", json={"price": shop.PRICE}, acting_for=father.id).json
    body = {"code": made["code"]}
    assert clerk.post("/desk/collect", json=body).code == "own_redemption"
    assert father.delete(f"/me/delegates/{clerk.id}").status == 204
    assert clerk.post("/desk/collect", json=body).code == "own_redemption"
    assert shop.redemption(made["id"]).state == "reserved"
    assert other.post("/desk/collect", json=body).json["state"] == "collected"


# ------------------------------------------------------------------------------- what each resident's own item says


def joined_to(who: Neighbour) -> tuple[set[str], set[str]]:
    resident = Resident.fetch(f"RES#{who.id}", "ME")
    return set(resident.delegates or ()), set(resident.principals or ())


def test_both_know_of_it_as_long_as_it_lasts_also_when_it_goes_both_ways(hood, father, daughter) -> None:
    for principal, delegate in ((father, daughter), (daughter, father)):
        code = principal.post("/me/delegates").json["code"]
        assert delegate.post("/delegations", json={"code": code}).status == 201
    assert (joined_to(father), joined_to(daughter)) == (({daughter.id},) * 2, ({father.id},) * 2)
    assert father.delete(f"/me/delegates/{daughter.id}").status == 204
    assert (joined_to(father), joined_to(daughter)) == ((set(), {daughter.id}), ({father.id}, set()))
    assert father.delete(f"/delegations/{daughter.id}").status == 204
    assert (joined_to(father), joined_to(daughter)) == ((set(), set()),) * 2


def test_nobody_knows_of_one_whose_account_is_closed(hood, father, daughter) -> None:
    mother = hood.resident("周妈妈")
    hood.let_act(daughter, father)
    hood.let_act(mother, daughter)
    assert daughter.post("/me/close", json={"word": "注销"}).status == 204
    assert (joined_to(father), joined_to(mother)) == ((set(), set()),) * 2
