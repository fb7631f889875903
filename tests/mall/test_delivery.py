"""To the door: the right worker sees what is to be brought where, and proves it with the code, or a photo and a reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.areas import service as areas
from chalicelib.content import photos
from chalicelib.content.models import Photo
from chalicelib.kit import clock
from chalicelib.kit.transaction import transaction
from chalicelib.mall import delivering, jobs
from chalicelib.mall.models import Redemption
from chalicelib.people import rules as people_rules
from chalicelib.people import service as people
from chalicelib.people.models import Duty, Resident
from tests.content.conftest import RED, YELLOW, again, announcement, inbox_of, picture, put_upload, work
from tests.engine.budget import budget
from tests.engine.meanwhile import meanwhile
from tests.help.street import at_once
from tests.mall import shop
from tests.neighbourhood import Hood, Neighbour

DAY = timedelta(days=1)
REASON = "家里没人，放在门口鞋柜上"


class Door:
    """Somebody has redeemed rice to their door, and the grid worker is on duty."""

    def __init__(self, hood: Hood) -> None:
        self.hood = hood
        self.rice = shop.masks(hood, name="大米", unit="袋", desks=[], delivers=True)
        self.worker = hood.staff("grid_worker", hood.grid, "网格员")
        self.chen = shop.buyer(hood, name="陈彩明")
        self.made = shop.redeemed(self.chen, self.rice, deliver=True)
        self.path = f"/deliveries/{self.made['id']}"

    @property
    def item(self) -> Redemption:
        return shop.redemption(self.made["id"])

    def untouched(self) -> bool:
        return self.item.state == "reserved" and shop.counts(self.rice) == (10, 9, 1, 0)

    def with_code(self, code: str | None = None, who: Neighbour | None = None, key: str | None = None) -> Any:
        body = {"code": code or self.made["code"]}
        return (who or self.worker).post(f"{self.path}/with-code", json=body, key=key)

    def with_photo(self, photo: str, who: Neighbour | None = None, key: str | None = None, reason: str = REASON) -> Any:
        body = {"photo_id": photo, "reason": reason}
        return (who or self.worker).post(f"{self.path}/with-photo", json=body, key=key)

    def photo(self, content: bytes | None = None) -> Photo:
        """A photo of this delivery, uploaded if there is content."""
        invited = self.worker.post(f"{self.path}/photos", json={})
        assert invited.status == 201, invited
        photo = Photo.fetch(f"REDEMPTION#{self.made['id']}", f"PHOTO#{invited.json['photo_id']}")
        if content:
            put_upload(photo, content)
            assert work(announcement(photo.upload_key)) == []
        found: Photo = again(photo)
        return found


@pytest.fixture
def door(hood: Hood) -> Door:
    hood.wechat.settings(media_withheld=True)  # pictures stay with WeChat until the test decides
    return Door(hood)


def listed(who: Neighbour, area: str) -> list[dict[str, Any]]:
    answer = who.get(f"/deliveries?area={area}")
    assert answer.status == 200, answer
    items: list[dict[str, Any]] = answer.json["items"]
    return items


def moved(who: Neighbour, home: str | None) -> None:
    with transaction() as tx:
        tx.update(Resident.key(who.id), [Resident.home.set(home) if home else Resident.home.remove()])


def building(hood: Hood, number: int) -> str:
    code = f"{hood.grid}{number:03d}"
    areas.put(code, f"{number}幢", [])
    return code


class TestTheList:
    def test_it_says_what_to_bring_where_to_whom_and_until_when(self, door):
        (line,) = listed(door.worker, door.hood.grid)
        assert (line["id"], line["home"]) == (door.made["id"], door.hood.micro_grid)
        assert line["nickname"] == door.chen.get("/me").json["nickname"]
        assert (line["name"], line["quantity"], line["unit"]) == ("大米", 1, "袋")
        assert line["deliver_by"] == door.made["collect_by"]

    def test_it_has_no_code_and_no_phone(self, door):
        answer = door.worker.get(f"/deliveries?area={door.hood.grid}")
        assert door.made["code"] not in answer.text
        assert str(door.hood.wechat.person(door.chen.phone)["phone"]) not in answer.text
        assert door.chen.id not in answer.text

    def test_it_goes_building_by_building_the_oldest_first_in_each(self, door):
        second = building(door.hood, 2)
        others = [shop.buyer(door.hood) for _ in range(3)]
        moved(others[0], second)
        moved(others[2], second)
        made = [shop.redeemed(who, door.rice, deliver=True)["id"] for who in others]
        assert [line["id"] for line in listed(door.worker, door.hood.grid)] == [
            door.made["id"],
            made[1],
            made[0],
            made[2],
        ]
        assert [line["id"] for line in listed(door.worker, second)] == [made[0], made[2]]
        assert [line["id"] for line in listed(door.worker, door.hood.micro_grid)] == [door.made["id"], made[1]]

    def test_two_things_for_one_person_are_two_lines(self, door):
        shop.redeemed(door.chen, door.rice, deliver=True)
        assert len(listed(door.worker, door.hood.grid)) == 2

    def test_pages_leave_nothing_out_and_nothing_twice(self, door):
        shop.done(command="restock", product=door.rice, quantity=20, receipt="more")
        rich = [shop.buyer(door.hood, points=1000) for _ in range(3)]
        made = {shop.redeemed(rich[number % 3], door.rice, deliver=True)["id"] for number in range(21)} | {
            door.made["id"]
        }
        first = door.worker.get(f"/deliveries?area={door.hood.grid}").json
        second = door.worker.get(f"/deliveries?area={door.hood.grid}&cursor={first['next']}").json
        seen = [line["id"] for page in (first, second) for line in page["items"]]
        assert (len(first["items"]), len(seen), set(seen)) == (20, 22, made)
        assert second["next"] is None
        answer = door.worker.get(f"/deliveries?area={door.hood.micro_grid}&cursor={first['next']}")
        assert answer.status == 422, "a cursor belongs to its list"

    @pytest.mark.parametrize("role", ["grid_worker", "community_worker", "micro_grid_head"])
    def test_whoever_cares_for_the_place_sees_it(self, door, role):
        assert len(listed(door.hood.staff(role, door.hood.community), door.hood.grid)) == 1
        assert len(listed(door.hood.staff(role, door.hood.micro_grid), door.hood.micro_grid)) == 1

    def test_nobody_else_does(self, door):
        others = (
            door.chen,
            door.hood.staff("desk_clerk", door.hood.community),
            door.hood.staff("moderator", door.hood.community),
            door.hood.staff("grid_worker", f"{door.hood.community}002"),
            door.hood.staff("grid_worker", door.hood.micro_grid),  # of a part of it only
        )
        for other in others:
            answer = other.get(f"/deliveries?area={door.hood.grid}")
            assert (answer.status, answer.code) == (403, "duty_needed")

    @pytest.mark.parametrize("area", ["community", "district", "street"])
    def test_larger_areas_have_no_list(self, door, area):
        worker = door.hood.staff("community_worker", door.hood.district)
        answer = worker.get(f"/deliveries?area={getattr(door.hood, area)}")
        assert (answer.status, answer.code) == (422, "area_unknown")
        assert "网格" in answer.wrong["area"]

    @pytest.mark.parametrize("area", ["", "x", "3304020100010010", "口罩"])
    def test_what_is_no_area_is_refused(self, door, area):
        assert door.worker.get(f"/deliveries?area={area}").status == 422

    def test_what_was_delivered_cancelled_or_ran_out_leaves_it(self, door):
        others = [shop.buyer(door.hood) for _ in range(3)]
        made = [shop.redeemed(who, door.rice, deliver=True)["id"] for who in others]
        door.with_code()
        assert others[0].post(f"/redemptions/{made[0]}/cancel").status == 200
        for _ in range(2):
            door.hood.pass_time(shop.redemption(made[1]), clock.now() + 30 * DAY)
        assert shop.redemption(made[1]).state == "expired"
        assert [line["id"] for line in listed(door.worker, door.hood.grid)] == [made[2]]

    def test_who_has_left_has_no_name(self, door):
        with transaction() as tx:
            tx.update(Redemption.key(door.made["id"]), [Redemption.resident.set("res_gone")])
        assert listed(door.worker, door.hood.grid)[0]["nickname"] == people_rules.NICKNAME_OF_THE_CLOSED


class TestWithTheCode:
    def test_it_is_delivered_and_the_resident_is_told(self, door):
        answer = door.with_code()
        assert (answer.status, answer.json["state"]) == (200, "delivered")
        assert shop.counts(door.rice) == (10, 9, 0, 1)
        item = door.item
        assert (item.ended_by, item.due_at, item.without_code) == (door.worker.id, None, None)
        assert door.chen.told == ["redemption_delivered"]
        mine = door.chen.get(f"/redemptions/{door.made['id']}").json
        assert (mine["state"], mine["code"], mine["reason"], mine["photos"]) == ("delivered", None, None, [])

    def test_as_it_is_typed(self, door):
        code = door.made["code"]
        assert door.with_code(f"{code[:4].lower()} {code[4:].lower()}").status == 200

    def test_a_wrong_one_is_refused(self, door):
        for code in ("00000000", "口罩口罩口罩口罩"):
            answer = door.with_code(code)
            assert (answer.status, answer.code) == (404, "code_wrong")
        other = shop.redeemed(shop.buyer(door.hood), door.rice, deliver=True)
        assert door.with_code(other["code"]).code == "code_wrong", "of another delivery"
        assert door.item.state == "reserved"

    def test_tries_are_limited_right_and_wrong_ones(self, door, configure: Callable[..., None]):
        configure("mall", code_tries_an_hour=2)
        assert [door.with_code("00000000").status for _ in range(2)] == [404, 404]
        assert door.with_code().status == 429
        assert door.untouched()

    def test_the_same_tap_again_gets_the_same_answer(self, door):
        first = door.with_code(key="tap")
        assert door.with_code(key="tap").json == first.json
        assert (door.with_code().status, door.with_code().code) == (409, "step_not_possible")
        assert shop.counts(door.rice) == (10, 9, 0, 1)
        assert door.chen.told == ["redemption_delivered"]

    def test_of_two_workers_at_once_one_delivers(self, door):
        other = door.hood.staff("community_worker", door.hood.community)
        answers = at_once(*(lambda who=who: door.with_code(who=who) for who in (door.worker, other)))
        assert sorted(answer.status for answer in answers) == [200, 409]
        assert shop.counts(door.rice) == (10, 9, 0, 1)

    def test_one_cancelled_at_the_same_moment_is_not_delivered(self, door):
        with meanwhile("REDEMPTION#", lambda: door.chen.post(f"/redemptions/{door.made['id']}/cancel")):
            answer = door.with_code()
        assert (answer.status, answer.code) == (409, "step_not_possible")
        assert shop.counts(door.rice) == (10, 10, 0, 0)
        assert (shop.balance(door.chen), door.chen.told) == (100, [])

    def test_one_whose_duty_ends_while_they_tap_does_not(self, door):
        def end() -> None:
            with transaction() as tx:
                people.end_duty(tx, Duty.key(door.worker.id, "grid_worker", door.hood.grid), now=clock.now())

        with meanwhile("REDEMPTION#", end):
            answer = door.with_code()
        assert (answer.status, answer.code) == (403, "duty_needed")
        assert door.untouched()
        assert door.with_code().status == 404, "and then it is none of theirs"


class TestWithAPhoto:
    def test_it_shows_the_resident_where_it_was_left_and_why(self, door):
        photo = door.photo(picture())
        answer = door.with_photo(photo.id)
        assert (answer.status, answer.json["state"]) == (200, "delivered")
        assert door.item.without_code == REASON
        assert shop.counts(door.rice) == (10, 9, 0, 1)
        assert door.chen.told == ["redemption_left"]
        assert REASON in inbox_of(door.chen)
        where = f"/redemptions/{door.made['id']}"
        assert (door.chen.get(where).json["reason"], door.chen.get(where).json["photos"]) == (REASON, [])
        with transaction() as tx:
            photos.settle(tx, again(photo), shown=True, reason="", now=clock.now())
        (shown,) = door.chen.get(where).json["photos"]
        assert (shown["state"], bool(shown["url"]), bool(shown["thumbnail"])) == ("shown", True, True)

    def test_one_that_a_moderator_must_look_at_is_proof_enough(self, door):
        photo = door.photo(picture(YELLOW))
        with transaction() as tx:
            tx.update(photo, [Photo.state.set("held")])
        assert door.with_photo(photo.id).status == 200

    def test_one_that_was_never_uploaded_is_none(self, door):
        photo = door.photo()
        for _ in range(2):
            answer = door.with_photo(photo.id)
            assert (answer.status, answer.code) == (409, "photo_not_there")
        assert door.untouched()

    def test_a_refused_one_is_none(self, door):
        photo = door.photo(picture(RED))
        with transaction() as tx:
            photos.settle(tx, photo, shown=False, reason="不合适", now=clock.now())
        assert door.with_photo(photo.id).code == "photo_not_there"
        assert door.untouched()

    def test_a_removed_one_is_none(self, door):
        photo = door.photo(picture())
        with transaction() as tx:
            photos.remove(tx, photo, now=clock.now())
        assert door.with_photo(photo.id).code == "photo_not_there"

    def test_one_removed_or_refused_while_they_tap_is_none(self, door):
        for state in ("removed", "refused"):
            photo = door.photo(picture())

            def gone(photo: Photo = photo, state: str = state) -> None:
                with transaction() as tx:
                    tx.update(photo, [Photo.state.set(state)])

            with meanwhile("REDEMPTION#", gone):
                answer = door.with_photo(photo.id)
            assert (answer.status, answer.code) == (409, "photo_not_there")
        assert door.untouched()

    def test_one_of_another_delivery_is_none(self, door):
        mine = door.photo(picture())
        other = shop.redeemed(shop.buyer(door.hood), door.rice, deliver=True)
        body = {"photo_id": mine.id, "reason": REASON}
        answer = door.worker.post(f"/deliveries/{other['id']}/with-photo", json=body)
        assert (answer.status, answer.code) == (409, "photo_not_there")
        assert door.with_photo("photo_nothing").code == "photo_not_there"

    @pytest.mark.parametrize("reason", ["", " ", "x", "　　", "长" * 101, None, 5])
    def test_without_a_reason_it_is_refused(self, door, reason):
        answer = door.with_photo(door.photo(picture()).id, reason=reason)
        assert (answer.status, list(answer.wrong)) == (422, ["reason"])
        assert door.untouched()

    def test_the_same_tap_again_gets_the_same_answer(self, door):
        photo = door.photo(picture())
        first = door.with_photo(photo.id, key="tap")
        assert door.with_photo(photo.id, key="tap").json == first.json
        assert door.with_photo(photo.id, key="tap", reason="放在邻居家").code == "idempotency_key_reused"
        assert shop.counts(door.rice) == (10, 9, 0, 1)
        assert door.chen.told == ["redemption_left"]

    def test_a_photo_is_invited_once_per_repeat(self, door):
        forms = [door.worker.post(f"{door.path}/photos", json={}, key="k") for _ in range(2)]
        assert {form.status for form in forms} == {201}
        assert len({form.json["photo_id"] for form in forms}) == 1
        door.with_code()
        assert door.worker.post(f"{door.path}/photos", json={}, key="k").json["photo_id"] == forms[0].json["photo_id"]
        assert door.worker.post(f"{door.path}/photos", json={}).code == "step_not_possible"


class TestWhoMay:
    def test_nobody_without_the_duty_learns_that_it_exists(self, door):
        photo = door.photo(picture()).id
        others = (
            door.hood.resident(),
            door.chen,
            door.hood.staff("desk_clerk", door.hood.community),
            door.hood.staff("grid_worker", f"{door.hood.community}002"),
        )
        for other in others:
            for answer in (
                door.with_code(who=other),
                door.with_photo(photo, who=other),
                other.post(f"{door.path}/photos", json={}),
            ):
                assert (answer.status, answer.code) == (404, "redemption_not_found"), other.name
        assert door.untouched()

    def test_nobody_delivers_to_themselves(self, door):
        worker = door.worker
        shop.give_points(worker.id, 100)
        made = shop.redeemed(worker, door.rice, deliver=True)
        path = f"/deliveries/{made['id']}"
        body = {"photo_id": "photo_x", "reason": REASON}
        for answer in (
            worker.post(f"{path}/with-code", json={"code": made["code"]}),
            worker.post(f"{path}/with-photo", json=body),
            worker.post(f"{path}/photos", json={}),
        ):
            assert (answer.status, answer.code) == (403, "own_redemption")
        other = door.hood.staff("grid_worker", door.hood.grid)
        assert other.post(f"{path}/with-code", json={"code": made["code"]}).status == 200

    def test_what_waits_at_a_desk_is_no_delivery(self, door):
        masks = shop.masks(door.hood)
        made = shop.redeemed(door.chen, masks)
        answer = door.worker.post(f"/deliveries/{made['id']}/with-code", json={"code": made["code"]})
        assert (answer.status, answer.code) == (404, "redemption_not_found")

    def test_too_late_is_too_late_before_the_sweep_has_come_by(self, door):
        photo = door.photo(picture()).id
        with transaction() as tx:
            tx.update(door.item, [Redemption.collect_by.set(clock.now() - timedelta(seconds=1))])
        for answer in (door.with_code(), door.with_photo(photo)):
            assert (answer.status, answer.code) == (409, "redemption_expired")
        assert door.untouched()


class TestWhereTo:
    def test_who_gave_only_their_community_is_asked_for_the_building(self, door):
        somebody = shop.buyer(door.hood)
        moved(somebody, door.hood.community)
        answer = shop.redeem(somebody, door.rice, deliver=True)
        assert (answer.status, answer.code) == (409, "home_too_large")
        assert shop.balance(somebody) == 100

    def test_a_grid_is_enough(self, door):
        somebody = shop.buyer(door.hood)
        moved(somebody, door.hood.grid)
        made = shop.redeemed(somebody, door.rice, deliver=True)
        assert made["id"] in [line["id"] for line in listed(door.worker, door.hood.grid)]
        body = {"code": made["code"]}
        assert door.worker.post(f"/deliveries/{made['id']}/with-code", json=body).status == 200

    def test_it_goes_to_where_the_resident_lived_when_they_redeemed(self, door):
        other = f"{door.hood.community}002"
        areas.put(other, "第二网格", [])
        there = door.hood.staff("grid_worker", other)
        moved(door.chen, other)
        assert len(listed(door.worker, door.hood.grid)) == 1
        assert listed(there, other) == []
        assert door.with_code(who=there).status == 404
        assert door.with_code().status == 200


class TestByItself:
    def when(self, door: Door, moment: datetime | None = None) -> None:
        current = door.item
        assert current.due_at is not None
        door.hood.pass_time(current, moment or current.due_at)

    def test_the_workers_of_the_place_hear_of_it_at_once_and_once(self, door):
        second = door.hood.staff("grid_worker", door.hood.grid)
        elsewhere = door.hood.staff("grid_worker", f"{door.hood.community}002")
        clerk = door.hood.staff("desk_clerk", door.hood.community)
        self.when(door, clock.now())
        assert door.worker.told == second.told == ["delivery_waiting"]
        assert elsewhere.told == clerk.told == door.chen.told == []
        assert "大米 1 袋" in inbox_of(door.worker)
        assert "桂苑社区第一网格1幢" in inbox_of(door.worker)
        assert door.item.timer == "mall.remind"

    def test_they_are_reminded_before_the_last_days(self, door):
        self.when(door)
        self.when(door)
        assert door.worker.told == ["delivery_waiting", "delivery_late"]
        assert door.chen.told == []
        assert (door.item.timer, door.item.due_at) == ("mall.expire", door.item.collect_by)

    def test_what_nobody_delivers_gives_points_and_stock_back_and_the_resident_is_told(self, door):
        for _ in range(3):
            self.when(door)
        assert door.item.state == "expired"
        assert (shop.balance(door.chen), shop.counts(door.rice)) == (100, (10, 10, 0, 0))
        assert door.chen.told == ["redemption_not_delivered"]
        assert listed(door.worker, door.hood.grid) == []

    def test_after_it_was_delivered_nothing_more_is_said(self, door):
        stale = door.item
        door.with_code()
        for job in (jobs.announce, jobs.remind, jobs.expire):
            job(stale, now=clock.now() + 30 * DAY)
        assert (door.worker.told, door.chen.told) == ([], ["redemption_delivered"])
        assert door.item.state == "delivered"

    def test_a_timer_that_runs_twice_tells_once(self, door):
        stale = door.item
        for _ in range(2):
            jobs.announce(stale, now=clock.now())
        assert door.worker.told == ["delivery_waiting"]

    def test_a_sweep_that_comes_after_the_end_reminds_of_nothing(self, door):
        late = clock.now() + 30 * DAY
        self.when(door, late)
        assert (door.worker.told, door.item.timer) == ([], "mall.expire")
        self.when(door, late)
        assert (door.worker.told, door.chen.told) == ([], ["redemption_not_delivered"])

    def test_where_nobody_is_on_duty_it_waits_all_the_same(self, hood):
        rice = shop.masks(hood, desks=[], delivers=True)
        made = shop.redeemed(shop.buyer(hood), rice, deliver=True)
        item = shop.redemption(made["id"])
        hood.pass_time(item, item.due_at)
        assert shop.redemption(made["id"]).timer == "mall.remind"

    def test_who_collects_at_a_desk_is_reminded_themselves(self, hood):
        chen, masks = shop.buyer(hood), shop.masks(hood)
        made = shop.redeemed(chen, masks, quantity=2)
        item = shop.redemption(made["id"])
        assert item.timer == "mall.remind"
        hood.pass_time(item, item.due_at)
        assert chen.told == ["redemption_waiting"]
        assert "社区居委会" in inbox_of(chen)
        item = shop.redemption(made["id"])
        hood.pass_time(item, item.due_at)
        assert chen.told == ["redemption_waiting", "redemption_expired"]
        assert "10 分" in inbox_of(chen)


def test_the_list_costs_three_reads_however_long_it_is(door: Door) -> None:
    caller = door.worker.caller
    with budget() as spent:
        delivering.waiting(caller=caller, area=door.hood.grid, cursor=None, now=clock.now())
    assert spent.calls == ["dynamodb Query", "dynamodb Query", "dynamodb BatchGetItem"]
