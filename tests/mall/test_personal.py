"""What the mall knows about somebody: in the copy of their data, and gone with them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from chalicelib.content.models import Photo
from chalicelib.kit import clock
from chalicelib.kit.table import Item
from chalicelib.mall import personal
from chalicelib.mall.models import Redemption
from chalicelib.people import personal_data
from tests.content.conftest import again, announcement, picture, put_upload, work
from tests.mall import shop
from tests.neighbourhood import Hood, Neighbour

REASON = "交给了对门的王阿姨"


def leave(who: Neighbour, times: int = 2) -> None:
    """Twice: it is repeated until it has succeeded."""
    for _ in range(times):
        personal.erase(who.id, now=clock.now())


def section(who: Neighbour) -> list[dict[str, Any]]:
    return list(personal_data.sections["我的兑换"](who.id))


def kept(redemption_id: str) -> str:
    return " ".join(str(item.to_simple_dict()) for item in Item.collection(f"REDEMPTION#{redemption_id}"))


def delivered_with_a_photo(hood: Hood, who: Neighbour, rice: str) -> tuple[dict[str, Any], Photo]:
    hood.wechat.settings(media_withheld=True)
    worker = hood.staff("grid_worker", hood.grid)
    made = shop.redeemed(who, rice, deliver=True)
    path = f"/deliveries/{made['id']}"
    invited = worker.post(f"{path}/photos", json={}).json["photo_id"]
    photo = Photo.fetch(f"REDEMPTION#{made['id']}", f"PHOTO#{invited}")
    put_upload(photo, picture())
    work(announcement(photo.upload_key))
    assert worker.post(f"{path}/with-photo", json={"photo_id": invited, "reason": REASON}).status == 200
    return made, photo


class TestTheCopyOfMyData:
    def test_it_has_what_i_redeemed_and_nobody_elses(self, hood):
        masks, rice = shop.masks(hood), shop.masks(hood, name="大米", unit="袋", desks=[], delivers=True)
        chen, other = shop.buyer(hood), shop.buyer(hood)
        shop.redeemed(chen, masks, quantity=2)
        delivered_with_a_photo(hood, chen, rice)
        shop.redeemed(other, masks)
        found = {line["商品"]: line for line in section(chen)}
        assert found.keys() == {"口罩", "大米"}
        assert (found["口罩"]["数量"], found["口罩"]["积分"]) == ("2 只", 10)
        assert (found["口罩"]["领取"], found["口罩"]["状态"]) == ("社区居委会", "等待领取")
        assert (found["大米"]["领取"], found["大米"]["状态"], found["大米"]["说明"]) == ("送货上门", "已送达", REASON)
        assert len(section(other)) == 1

    def test_it_is_asked_for_like_everything_else(self, hood):
        assert section(hood.resident()) == []


class TestWhoLeaves:
    def test_what_waits_at_the_desk_is_there_for_others_again(self, hood):
        masks, chen = shop.masks(hood), shop.buyer(hood)
        made = shop.redeemed(chen, masks, quantity=2)
        leave(chen)
        assert shop.counts(masks) == (10, 10, 0, 0)
        assert shop.redemption(made["id"]).state == "cancelled"
        clerk = hood.staff("desk_clerk", hood.community)
        assert clerk.post("/desk/collect", json={"code": made["code"]}).code == "code_cancelled"

    def test_what_was_on_its_way_is_off_the_workers_list(self, hood):
        rice, chen = shop.masks(hood, desks=[], delivers=True), shop.buyer(hood)
        made = shop.redeemed(chen, rice, deliver=True)
        worker = hood.staff("grid_worker", hood.grid)
        leave(chen)
        assert worker.get(f"/deliveries?area={hood.grid}").json["items"] == []
        answer = worker.post(f"/deliveries/{made['id']}/with-code", json={"code": made["code"]})
        assert (answer.status, answer.code) == (404, "redemption_not_found")
        assert shop.counts(rice) == (10, 10, 0, 0)
        hood.pass_time(shop.redemption(made["id"]), clock.now() + timedelta(days=30))
        assert worker.told == []

    def test_what_was_handed_over_stays_in_the_books_of_goods_and_names_nobody(self, hood):
        rice = shop.masks(hood, desks=[], delivers=True)
        chen = shop.buyer(hood, name="陈彩明")
        made, photo = delivered_with_a_photo(hood, chen, rice)
        leave(chen)
        assert shop.counts(rice) == (10, 9, 0, 1)
        assert shop.redemption(made["id"]).state == "delivered"
        assert again(photo).state == "removed"
        hood.pass_time(photo, clock.now() + timedelta(minutes=3))  # then the files go, and the item with them
        for gone in ("陈彩明", "王阿姨", hood.micro_grid):
            assert gone not in kept(made["id"])
        assert section(chen) == []

    def test_what_others_redeemed_stays_theirs(self, hood):
        masks, chen, other = shop.masks(hood), shop.buyer(hood), shop.buyer(hood)
        shop.redeemed(chen, masks)
        made = shop.redeemed(other, masks)
        leave(chen)
        assert other.get(f"/redemptions/{made['id']}").json["state"] == "reserved"
        assert shop.counts(masks) == (10, 9, 1, 0)

    def test_half_done_is_finished_by_the_next_try(self, hood, monkeypatch):
        masks, chen = shop.masks(hood), shop.buyer(hood)
        made = [shop.redeemed(chen, masks)["id"] for _ in range(3)]
        whole, calls = personal._call_off, []

        def fails_at_the_second(redemption: Redemption, now: Any) -> None:
            calls.append(redemption.id)
            if len(calls) == 2:
                raise RuntimeError("the function ran out of time")
            whole(redemption, now)

        monkeypatch.setattr(personal, "_call_off", fails_at_the_second)
        try:
            leave(chen, times=1)
        except RuntimeError:
            pass
        else:
            raise AssertionError("it should have failed")
        assert shop.counts(masks) == (10, 8, 2, 0)
        leave(chen)
        assert shop.counts(masks) == (10, 10, 0, 0)
        assert {shop.redemption(each).state for each in made} == {"cancelled"}

    def test_closing_the_account_does_all_of_it(self, hood):
        masks, chen = shop.masks(hood), shop.buyer(hood)
        made = shop.redeemed(chen, masks, quantity=2)
        assert chen.post("/me/close", json={"word": "注销"}).status < 300
        assert shop.counts(masks) == (10, 10, 0, 0)
        assert shop.redemption(made["id"]).state == "cancelled"
        assert shop.balance(chen) == 0
        answer = shop.redeem(chen, masks)
        assert answer.status == 401
