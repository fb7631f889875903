"""At the desk: the right code gets the goods, once; any other says which it is, and nobody guesses for ever."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.areas import service as areas
from chalicelib.kit import clock
from chalicelib.kit.transaction import transaction
from chalicelib.mall import collecting
from chalicelib.mall.models import Redemption
from chalicelib.people import service as people
from chalicelib.people.models import Duty
from tests.engine.meanwhile import meanwhile
from tests.help.street import at_once
from tests.mall import shop
from tests.neighbourhood import Hood, Neighbour

DAY = timedelta(days=1)


class Desk:
    """Somebody has redeemed two masks, and a clerk is at the desk where they are."""

    def __init__(self, hood: Hood, **terms: Any) -> None:
        self.hood = hood
        self.masks = shop.masks(hood, **terms)
        self.chen = shop.buyer(hood, name="陈彩明")
        self.clerk = hood.staff("desk_clerk", hood.community)
        self.made = shop.redeemed(self.chen, self.masks, quantity=2)

    @property
    def code(self) -> str:
        code: str = self.made["code"]
        return code

    @property
    def item(self) -> Redemption:
        return shop.redemption(self.made["id"])

    def untouched(self) -> bool:
        return self.item.state == "reserved" and shop.counts(self.masks) == (10, 8, 2, 0)


@pytest.fixture
def desk(hood: Hood) -> Desk:
    return Desk(hood)


def collect(who: Neighbour, code: str, key: str | None = None) -> Any:
    return who.post("/desk/collect", json={"code": code}, key=key)


def look_up(who: Neighbour, code: str) -> Any:
    return who.post("/desk/look-up", json={"code": code})


def both_say(who: Neighbour, code: str) -> tuple[int, str | None]:
    """Looking and collecting refuse alike."""
    looked, collected = look_up(who, code), collect(who, code)
    assert (looked.status, looked.code) == (collected.status, collected.code)
    assert looked.json["detail"] == collected.json["detail"]
    return collected.status, collected.code


def until(desk: Desk, moment: Any) -> None:
    """As if it had to be collected by then; the sweep has not come by."""
    with transaction() as tx:
        tx.update(desk.item, [Redemption.collect_by.set(moment)])


def end_duty(who: Neighbour, role: str, area: str) -> None:
    with transaction() as tx:
        people.end_duty(tx, Duty.key(who.id, role, area), now=clock.now())


class TestTheRightCode:
    def test_looking_it_up_changes_nothing(self, desk):
        for _ in range(2):
            seen = look_up(desk.clerk, desk.code)
            assert (seen.status, seen.json["id"]) == (200, desk.made["id"])
            assert (seen.json["name"], seen.json["quantity"], seen.json["unit"]) == ("口罩", 2, "只")
            assert (seen.json["state"], seen.json["desk_name"]) == ("reserved", "社区居委会")
        assert desk.untouched()
        assert desk.chen.told == []

    def test_collecting_hands_over_and_tells_the_resident(self, desk):
        given = collect(desk.clerk, desk.code)
        assert (given.status, given.json["state"]) == (200, "collected")
        assert shop.counts(desk.masks) == (10, 8, 0, 2)
        assert (desk.item.ended_by, desk.item.due_at) == (desk.clerk.id, None)
        assert desk.chen.told == ["redemption_collected"]
        mine = desk.chen.get(f"/redemptions/{desk.made['id']}").json
        assert (mine["state"], mine["code"]) == ("collected", None)
        assert mine["ended_at"] is not None
        assert shop.balance(desk.chen) == 90

    @pytest.mark.parametrize(
        "as_typed",
        [
            str.lower,
            lambda code: f"{code[:4]} {code[4:]}",
            lambda code: f"{code[:4]}-{code[4:]}",
            lambda code: code.replace("0", "O").replace("1", "I"),
            lambda code: code.replace("0", "o").replace("1", "l"),
        ],
    )
    def test_typing_it_is_as_good_as_scanning_it(self, hood, as_typed):
        desk = Desk(hood)
        written = "0A1B2C3D"  # one that has what people mistake
        with transaction() as tx:
            tx.update(desk.item, [Redemption.code.set(written), Redemption.area_key.set(Redemption.with_code(written))])
        assert collect(desk.clerk, as_typed(written)).json["state"] == "collected"

    def test_the_same_tap_again_gets_the_same_answer(self, desk):
        first = collect(desk.clerk, desk.code, key="tap")
        assert (first.status, collect(desk.clerk, desk.code, key="tap").json) == (200, first.json)
        assert shop.counts(desk.masks) == (10, 8, 0, 2)
        assert desk.chen.told == ["redemption_collected"]
        assert collect(desk.clerk, desk.code, key="another").code == "code_used"
        assert collect(desk.clerk, desk.code).code == "code_used"

    def test_of_eight_clerks_at_once_one_hands_over(self, desk):
        clerks = [desk.clerk, *(desk.hood.staff("desk_clerk", desk.hood.community) for _ in range(7))]
        answers = at_once(*(lambda who=who: collect(who, desk.code) for who in clerks))
        assert sorted(answer.status for answer in answers) == [200] + [409] * 7
        assert {answer.code for answer in answers if answer.status != 200} == {"code_used"}
        assert shop.counts(desk.masks) == (10, 8, 0, 2)
        assert desk.chen.told == ["redemption_collected"]

    def test_one_cancelled_at_the_same_moment_is_not_handed_over(self, desk):
        with meanwhile("REDEMPTION#", lambda: desk.chen.post(f"/redemptions/{desk.made['id']}/cancel")):
            answer = collect(desk.clerk, desk.code)
        assert (answer.status, answer.code) == (409, "code_cancelled")
        assert shop.counts(desk.masks) == (10, 10, 0, 0)
        assert (shop.balance(desk.chen), desk.chen.told) == (100, [])


class TestAnotherCode:
    @pytest.mark.parametrize("code", ["00000000", "ZZZZZZZZ", "口罩口罩口罩口罩", "\U0001f637" * 8])
    def test_a_wrong_one_is_none(self, desk, code):
        assert both_say(desk.clerk, code) == (404, "code_wrong")
        assert desk.untouched()

    @pytest.mark.parametrize("code", ["", "1234567", "1" * 17, 12345678, None, ["00000000"]])
    def test_what_is_no_code_is_explained(self, desk, code):
        for where in ("look-up", "collect"):
            answer = desk.clerk.post(f"/desk/{where}", json={"code": code})
            assert (answer.status, list(answer.wrong)) == (422, ["code"])

    def test_a_used_one(self, desk):
        collect(desk.clerk, desk.code)
        assert both_say(desk.clerk, desk.code) == (409, "code_used")
        assert shop.counts(desk.masks) == (10, 8, 0, 2)

    def test_a_cancelled_one(self, desk):
        desk.chen.post(f"/redemptions/{desk.made['id']}/cancel")
        assert both_say(desk.clerk, desk.code) == (409, "code_cancelled")
        assert shop.counts(desk.masks) == (10, 10, 0, 0)

    def test_an_expired_one_that_the_sweep_has_ended(self, desk):
        for _ in range(2):  # the word before the last days, then the end
            desk.hood.pass_time(desk.item, clock.now() + 30 * DAY)
        assert desk.item.state == "expired"
        assert both_say(desk.clerk, desk.code) == (409, "code_expired")
        assert shop.counts(desk.masks) == (10, 10, 0, 0)

    def test_an_expired_one_that_the_sweep_has_not_reached(self, desk):
        until(desk, clock.now() - timedelta(seconds=1))
        assert both_say(desk.clerk, desk.code) == (409, "code_expired")
        assert desk.untouched()

    def test_the_code_of_a_delivery_is_not_for_a_desk(self, hood):
        rice = shop.masks(hood, delivers=True)
        made = shop.redeemed(shop.buyer(hood), rice, deliver=True)
        assert both_say(hood.staff("desk_clerk", hood.community), made["code"]) == (404, "code_wrong")

    def test_the_code_of_a_neighbours_help_is_not_for_the_mall(self, hood):
        """Pick-ups of help have codes of their own."""
        clerk = hood.staff("desk_clerk", hood.community)
        desk = Desk(hood)
        assert clerk.post("/pick-ups", json={"code": desk.code}).code == "pick_up_code_wrong"
        assert desk.untouched()


class TestWhoMay:
    def test_a_clerk_of_another_desk_is_told_which_one_it_is(self, desk):
        elsewhere = f"{desk.hood.street}002"
        areas.put(elsewhere, "凌塘社区", [("office", "凌塘居委会")])
        other = desk.hood.staff("desk_clerk", elsewhere)
        assert both_say(other, desk.code) == (403, "code_of_another_desk")
        assert "社区居委会" in collect(other, desk.code).json["detail"]
        assert desk.untouched()

    @pytest.mark.parametrize("role", ["desk_clerk", "grid_worker", "community_worker", "micro_grid_head"])
    def test_whoever_works_at_the_counter_of_the_place(self, desk, role):
        assert collect(desk.hood.staff(role, desk.hood.community), desk.code).status == 200

    def test_who_works_in_a_part_of_the_place_only_does_not(self, desk):
        worker = desk.hood.staff("grid_worker", desk.hood.grid)
        assert both_say(worker, desk.code) == (403, "code_of_another_desk")

    @pytest.mark.parametrize("role", ["moderator", "mediator", "reviewer"])
    def test_other_duties_are_none_here(self, desk, role):
        other = desk.hood.staff(role, desk.hood.community)
        for code in (desk.code, "00000000"):
            assert both_say(other, code) == (403, "duty_needed")

    def test_a_resident_learns_of_no_code_whether_it_exists(self, desk):
        for code in (desk.code, "00000000"):
            assert both_say(desk.hood.resident(), code) == (403, "duty_needed")
            assert both_say(desk.chen, code) == (403, "duty_needed")

    def test_one_whose_duty_has_ended_does_not(self, desk):
        end_duty(desk.clerk, "desk_clerk", desk.hood.community)
        assert both_say(desk.clerk, desk.code) == (403, "duty_needed")
        assert desk.untouched()

    def test_one_whose_duty_ends_while_they_tap_does_not(self, desk):
        with meanwhile("REDEMPTION#", lambda: end_duty(desk.clerk, "desk_clerk", desk.hood.community)):
            answer = collect(desk.clerk, desk.code)
        assert (answer.status, answer.code) == (403, "duty_needed")
        assert desk.untouched()
        assert desk.chen.told == []

    def test_one_who_logs_out_everywhere_while_they_tap_does_not(self, desk):
        with meanwhile("REDEMPTION#", lambda: desk.clerk.post("/sessions/revoke")):
            answer = collect(desk.clerk, desk.code)
        assert answer.status == 401
        assert desk.untouched()

    def test_nobody_hands_over_to_themselves(self, hood):
        clerk = hood.staff("desk_clerk", hood.community)
        shop.give_points(clerk.id, 100)
        masks = shop.masks(hood)
        made = shop.redeemed(clerk, masks)
        assert both_say(clerk, made["code"]) == (403, "own_redemption")
        assert shop.counts(masks) == (10, 9, 1, 0)
        assert collect(hood.staff("desk_clerk", hood.community), made["code"]).status == 200


class TestGuessing:
    def test_right_and_wrong_tries_count_alike(self, desk, configure: Callable[..., None]):
        configure("mall", code_tries_an_hour=3)
        assert look_up(desk.clerk, desk.code).status == 200
        assert look_up(desk.clerk, "00000000").code == "code_wrong"
        assert collect(desk.clerk, "00000001").code == "code_wrong"
        answer = collect(desk.clerk, desk.code)
        assert (answer.status, answer.code) == (429, "too_many_requests")
        assert int(answer.headers["retry-after"]) > 0
        assert desk.untouched()
        other = desk.hood.staff("desk_clerk", desk.hood.community)
        assert collect(other, desk.code).status == 200, "each clerk has tries of their own"

    def test_the_limit_is_counted_for_an_hour(self, desk, configure: Callable[..., None]):
        configure("mall", code_tries_an_hour=1)
        begin = clock.now()
        collecting.look_up(caller=desk.clerk.caller, code=desk.code, now=begin)
        later = begin + timedelta(hours=1, seconds=1)
        assert collecting.look_up(caller=desk.clerk.caller, code=desk.code, now=later).id == desk.made["id"]

    def test_who_may_not_try_uses_no_tries(self, desk, configure: Callable[..., None]):
        configure("mall", code_tries_an_hour=1)
        stranger = desk.hood.resident()
        for _ in range(3):
            assert look_up(stranger, desk.code).code == "duty_needed"


class TestTheCodeIsItsResidentsOwn:
    def test_nobody_else_finds_it_in_an_answer(self, desk):
        collected = [look_up(desk.clerk, desk.code), collect(desk.clerk, desk.code)]
        assert all(desk.code not in answer.text for answer in collected)

    def test_with_a_picture_for_the_clerk_to_scan(self, desk):
        shown = desk.chen.get(f"/redemptions/{desk.made['id']}/code")
        assert shown.json["code"] == desk.code
        head, _, data = shown.json["picture"].partition(",")
        assert head in ("data:image/png;base64", "data:image/jpeg;base64")
        assert len(base64.b64decode(data, validate=True)) > 100

    def test_a_delegate_may_show_it_for_them(self, desk):
        daughter = desk.hood.resident("小李")
        invited = desk.chen.post("/me/delegates").json["code"]
        assert daughter.post("/delegations", json={"code": invited}).status < 300
        path = f"/redemptions/{desk.made['id']}/code"
        assert daughter.get(path, acting_for=desk.chen.id).json["code"] == desk.code
        assert daughter.get(path).status == 404

    def test_neighbours_and_clerks_get_none(self, desk):
        for other in (desk.hood.resident(), desk.clerk):
            for path in (f"/redemptions/{desk.made['id']}/code", f"/redemptions/{desk.made['id']}"):
                assert (other.get(path).status, other.get(path).code) == (404, "redemption_not_found")
        assert desk.chen.get("/redemptions/redemption_nothing/code").status == 404

    def test_once_it_is_used_there_is_none(self, desk):
        collect(desk.clerk, desk.code)
        answer = desk.chen.get(f"/redemptions/{desk.made['id']}/code")
        assert (answer.status, answer.code) == (409, "step_not_possible")

    def test_pictures_are_drawn_so_often_and_no_more(self, desk, monkeypatch):
        monkeypatch.setattr(collecting, "CODE_PICTURES_AN_HOUR", 1)
        path = f"/redemptions/{desk.made['id']}/code"
        assert [desk.chen.get(path).status for _ in range(2)] == [200, 429]
        assert desk.chen.get(f"/redemptions/{desk.made['id']}").json["code"] == desk.code, "it can still be read out"

    def test_when_wechat_draws_none_it_can_still_be_read_out(self, desk):
        desk.hood.wechat.break_("down", "/wxa/getwxacodeunlimit")
        answer = desk.chen.get(f"/redemptions/{desk.made['id']}/code")
        assert answer.status == 503
        desk.hood.wechat.mend()
        assert desk.chen.get(f"/redemptions/{desk.made['id']}").json["code"] == desk.code
