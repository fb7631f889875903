"""What residents see in the mall: their area's products, how much is left a few seconds ago, and pictures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.content import photos
from chalicelib.content.models import Photo
from chalicelib.kit import clock, settings
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.mall import catalogue, levels, products, rules
from chalicelib.mall.models import Product, StockBucket
from tests.content.conftest import RED, Context, announcement, picture, put_upload, work
from tests.engine import local_aws
from tests.engine.budget import budget
from tests.mall import shop
from tests.neighbourhood import Hood, Neighbour


@pytest.fixture(autouse=True)
def new_container(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One that has not looked at anything yet."""
    look_again()
    yield
    look_again()


def look_again() -> None:
    catalogue._kept.clear()
    products._kept.clear()


def listed(who: Neighbour, area: str) -> list[dict[str, Any]]:
    look_again()
    answer = who.get(f"/products?area={area}")
    assert answer.status == 200, answer
    items: list[dict[str, Any]] = answer.json["items"]
    return items


def ids(who: Neighbour, area: str) -> list[str]:
    return [line["id"] for line in listed(who, area)]


def item(product: str) -> Product:
    key = Product.key(product)
    return Product.fetch(key.pk, key.sk)


def at(moment: datetime) -> str:
    return f"{clock.local(moment):%Y-%m-%dT%H:%M:%S}+08:00"


def record(bucket: StockBucket, number: int) -> dict[str, Any]:
    """What the table's stream says about a bucket that has moved."""
    key = {"PK": {"S": bucket.pk}, "SK": {"S": bucket.sk}}
    found = local_aws.client("dynamodb").get_item(TableName=Item.Meta.table_name, Key=key, ConsistentRead=True)
    assert found["Item"]["kind"] == {"S": "stock_bucket"}, "what the stream's filter asks for"
    return {
        "eventID": str(number),
        "eventName": "MODIFY",
        "dynamodb": {"Keys": key, "NewImage": found["Item"], "SequenceNumber": str(number)},
    }


def records(*of: str) -> list[dict[str, Any]]:
    """One for each bucket of these products, in this order."""
    buckets = [bucket for product in of for bucket in products.stock.read_all(item(product))]
    return [record(bucket, number) for number, bucket in enumerate(buckets, 1)]


def stream(*given: dict[str, Any]) -> list[str]:
    """Lambda hands records to the worker. Returns the sequence numbers that it wants again."""
    answer = levels.look_at_stock({"Records": list(given)}, Context())
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def look(product: str) -> str:
    """The worker has run for all that has moved; what the list says then."""
    assert stream(*records(product)) == []
    return item(product).level


class TestWhoSeesWhat:
    def test_a_districts_product_is_seen_in_all_its_communities_and_one_of_a_community_there_only(self, hood):
        chen = hood.resident()
        districts, communities = shop.masks(hood), shop.masks(hood, area=hood.community)
        assert ids(chen, hood.community) == ids(chen, hood.micro_grid) == [communities, districts]
        assert ids(chen, f"{hood.street}002") == [districts]
        assert ids(chen, hood.district) == [districts]

    def test_another_districts_is_not(self, hood):
        other = Hood(hood.http, hood.wechat)
        shop.masks(other)
        assert ids(hood.resident(), hood.community) == []

    def test_the_newest_come_first_with_all_that_decides(self, hood):
        chen = hood.resident()
        first = shop.masks(hood, name="香皂")
        second = shop.masks(hood, cap=3, text="一次性医用", collect_days=5, delivers=True, stock=0)
        newest, older = listed(chen, hood.community)
        assert (newest["id"], older["id"]) == (second, first)
        assert (newest["name"], newest["text"], newest["unit"], newest["price"]) == ("口罩", "一次性医用", "只", 5)
        assert (newest["cap"], newest["collect_days"], newest["delivers"]) == (3, 5, True)
        desk = {"id": f"{hood.community}-office", "area": hood.community, "name": "社区居委会"}
        assert (newest["desks"], newest["campaign"], newest["open"]) == ([desk], False, True)
        assert (newest["opens_at"], newest["closes_at"], newest["quiz"]) == (None, None, None)
        assert (newest["picture"], newest["thumbnail"], newest["stock"]) == (None, None, "none")
        assert chen.get(f"/products/{second}").json == newest

    def test_exact_numbers_are_nowhere(self, hood):
        shop.masks(hood, stock=7831)
        assert "7831" not in hood.resident().get(f"/products?area={hood.community}").text

    def test_pages_leave_nothing_out(self, hood):
        made = {shop.masks(hood, stock=0) for _ in range(21)}
        chen = hood.resident()
        first = chen.get(f"/products?area={hood.community}").json
        second = chen.get(f"/products?area={hood.community}&cursor={first['next']}").json
        seen = [line["id"] for page in (first, second) for line in page["items"]]
        assert (len(first["items"]), len(seen), set(seen), second["next"]) == (20, 21, made, None)

    @pytest.mark.parametrize("area", ["", "x", "33040201", "口罩", "000000000000000000000"])
    def test_what_is_no_area_is_refused(self, hood, area):
        assert hood.resident().get(f"/products?area={area}").status == 422

    @pytest.mark.parametrize("cursor", ["x", "'", "eyJ9", "%00"])
    def test_what_is_no_cursor_is_refused_and_not_kept(self, hood, cursor):
        assert hood.resident().get(f"/products?area={hood.community}&cursor={cursor}").status == 422
        assert all(key[1] is None for key in catalogue._kept)

    def test_a_product_nobody_knows_is_not_found(self, hood):
        for name in ("mask-nothing", "MASK", "RECEIPT", "x" * 300):
            answer = hood.resident().get(f"/products/{name}")
            assert (answer.status, answer.code) == (404, "product_not_found")


class TestComingAndGoing:
    def test_a_campaign_that_has_not_begun_is_listed_with_its_beginning(self, hood):
        begins, ends = clock.now() + timedelta(hours=1), clock.now() + timedelta(hours=2)
        campaign = shop.campaign(hood, opens_at=at(begins), closes_at=at(ends))
        line = next(line for line in listed(hood.resident(), hood.community) if line["id"] == campaign)
        assert (line["campaign"], line["open"], line["opens_at"], line["closes_at"]) == (
            True,
            False,
            at(begins),
            at(ends),
        )

    def test_one_that_is_over_is_gone_at_once_whenever_the_sweep_comes(self, hood):
        campaign = shop.campaign(hood)
        chen = hood.resident()
        assert campaign in ids(chen, hood.community)
        later = clock.now() + timedelta(hours=2)
        for forget in (lambda: None, look_again):
            forget()
            found = catalogue.open_for(hood.community, cursor=None, now=later)
            assert campaign not in [product.id for product in found]
        hood.pass_time(item(campaign), later)
        assert item(campaign).area_key is None
        assert campaign not in ids(chen, hood.community)
        assert chen.get(f"/products/{campaign}").status == 200, "by its link, which says that it is over"

    def test_a_closed_product_is_gone_and_comes_back_when_it_is_opened(self, hood):
        masks, chen = shop.masks(hood), hood.resident()
        shop.done(command="close_product", product=masks)
        assert ids(chen, hood.community) == []
        look_again()
        assert chen.get(f"/products/{masks}").json["open"] is False
        shop.done(command="open_product", product=masks)
        assert ids(chen, hood.community) == [masks]

    def test_one_that_moves_to_another_community_leaves_the_first(self, hood):
        masks, chen = shop.masks(hood, area=hood.community), hood.resident()
        desks = [{"area": hood.community, "place": "office"}]
        fields = {"product": masks, "name": "口罩", "unit": "只", "price": 5, "desks": desks}
        shop.done(command="put_product", area=hood.street, **fields)
        assert ids(chen, f"{hood.street}002") == ids(chen, hood.community) == [masks]


class TestWhatIsLeft:
    def test_plenty_few_none(self, hood):
        masks, chen = shop.masks(hood, stock=60), shop.buyer(hood, points=1000)
        assert look(masks) == "plenty"
        shop.redeemed(chen, masks, quantity=53)
        assert look(masks) == "plenty"  # seven of sixty
        shop.redeemed(chen, masks)
        assert look(masks) == "few"
        shop.redeemed(chen, masks, quantity=6)
        assert look(masks) == "none"
        assert [line["stock"] for line in listed(chen, hood.community)] == ["none"]
        look_again()
        assert chen.get(f"/products/{masks}").json["stock"] == "none"

    def test_what_is_given_back_or_brought_is_seen_too(self, hood):
        masks, chen = shop.masks(hood, stock=1), shop.buyer(hood)
        made = shop.redeemed(chen, masks)
        assert look(masks) == "none"
        chen.post(f"/redemptions/{made['id']}/cancel")
        assert look(masks) == "few"
        shop.done(command="restock", product=masks, quantity=100, receipt="more")
        assert look(masks) == "plenty"

    def test_all_buckets_count(self, hood):
        masks = shop.masks(hood, stock=40, buckets=8)
        assert look(masks) == "plenty"
        shop.redeemed(shop.buyer(hood, points=1000), masks, quantity=35)
        assert look(masks) == "few"
        assert item(masks).level_seen == sum(int(bucket.moves) for bucket in products.stock.read_all(item(masks)))

    def test_a_new_product_has_none_until_goods_come(self, hood):
        assert look(shop.masks(hood, stock=0)) == "none"

    def test_records_given_again_or_out_of_order_change_nothing(self, hood):
        masks, chen = shop.masks(hood, stock=6), shop.buyer(hood)
        before = records(masks)
        shop.redeemed(chen, masks, quantity=6)
        after = records(masks)
        for given in ([*after, *before], before, after, before + before):
            assert stream(*given) == []
            assert item(masks).level == "none", "a look sees what is, not what a record says"

    def test_a_look_that_comes_late_does_not_undo_a_newer_one(self, hood, monkeypatch):
        masks, chen = shop.masks(hood, stock=6), shop.buyer(hood)
        old = products.stock.read_all(item(masks))
        shop.redeemed(chen, masks, quantity=6)
        assert look(masks) == "none"
        with monkeypatch.context() as patched:
            patched.setattr(products.stock, "read_all", lambda _: old)  # read before, written now
            assert stream(record(old[0], 1)) == []
        assert item(masks).level == "none"

    def test_a_thousand_movements_are_one_look_at_each_product(self, hood):
        masks, soap = shop.masks(hood, buckets=4), shop.masks(hood)
        given = records(masks, soap) * 200
        with budget() as spent:
            assert stream(*given) == []
        assert len(given) == 1000
        assert len(spent.calls) == 6, spent.calls

    def test_other_terms_with_the_same_stock_are_no_movement(self, hood):
        masks = shop.masks(hood)
        look(masks)
        shop.done(command="close_product", product=masks)
        seen = item(masks).level_seen
        assert look(masks) == "plenty"
        assert item(masks).level_seen == seen
        assert item(masks).state == "closed"

    def test_one_products_trouble_does_not_hold_up_the_others_and_is_given_again(self, hood, logs, monkeypatch):
        masks, soap, rice = (shop.masks(hood) for _ in range(3))
        given = records(masks, soap, rice)
        whole = products.look_at_level

        def fails_for_soap(product_id: str) -> None:
            if product_id == soap:
                raise TimeoutError("DynamoDB did not answer")
            whole(product_id)

        monkeypatch.setattr(products, "look_at_level", fails_for_soap)
        assert stream(*given) == ["2"]
        assert (item(masks).level, item(soap).level, item(rice).level) == ("plenty", "none", "plenty")
        assert [line["error"] for line in logs.lines if line["message"] == "crash"] == ["TimeoutError"]
        monkeypatch.undo()
        assert stream(*given[1:]) == []
        assert item(soap).level == "plenty"

    def test_a_bucket_without_a_product_rings_the_alarm(self, hood, logs):
        with transaction() as tx:
            stray = StockBucket.key(shop.product_id(), 0)
            stray.terms = 1
            tx.put(stray)
        assert stream(record(stray, 7)) == ["7"]
        assert [line["error"] for line in logs.lines if line["message"] == "crash"] == ["ProductNotFound"]


class TestHowOld:
    def test_a_container_looks_once_in_five_seconds(self, hood, monkeypatch):
        shop.masks(hood)
        chen = hood.resident()
        area = f"/products?area={hood.community}"
        with budget() as spent:
            first = chen.get(area)
        assert spent.calls == ["dynamodb Query"]
        with budget() as spent:
            assert chen.get(area).json == first.json
        assert spent.calls == []
        later = catalogue.time.monotonic() + 5.1
        monkeypatch.setattr(catalogue.time, "monotonic", lambda: later)
        with budget() as spent:
            chen.get(area)
        assert spent.calls == ["dynamodb Query"]

    def test_a_setting_makes_it_look_more_often(self, hood, monkeypatch):
        masks, chen = shop.masks(hood), hood.resident()
        monkeypatch.setattr(settings, "age_allowed", lambda: 0.0)
        for path in (f"/products?area={hood.community}", f"/products/{masks}"):
            chen.get(path)
            with budget() as spent:
                chen.get(path)
            assert [call for call in spent.calls if call.startswith("dynamodb")], path

    def test_one_product_is_kept_for_ten_seconds(self, hood, monkeypatch):
        masks, chen = shop.masks(hood), hood.resident()
        look_again()
        chen.get(f"/products/{masks}")
        with budget() as spent:
            chen.get(f"/products/{masks}")
        assert spent.calls == []
        later = products.time.monotonic() + 10.1
        monkeypatch.setattr(products.time, "monotonic", lambda: later)
        with budget() as spent:
            chen.get(f"/products/{masks}")
        assert spent.calls == ["dynamodb GetItem"]

    def test_the_lists_that_are_kept_do_not_grow_for_ever(self, hood, monkeypatch):
        monkeypatch.setattr(catalogue, "_PAGES_KEPT", 3)
        chen = hood.resident()
        for number in range(10):
            chen.get(f"/products?area={100_000 + number}")
        assert len(catalogue._kept) <= 3

    def test_redeeming_is_exact_whatever_the_list_says(self, hood):
        masks, chen = shop.masks(hood, stock=1), shop.buyer(hood)
        look(masks)
        shop.redeemed(shop.buyer(hood), masks)
        assert [line["stock"] for line in listed(chen, hood.community)] == ["few"]
        answer = shop.redeem(chen, masks)
        assert (answer.status, answer.code) == (409, "sold_out")
        assert shop.balance(chen) == 100


class TestMyRedemptions:
    def test_the_newest_first_in_one_query(self, hood):
        masks, chen = shop.masks(hood), shop.buyer(hood)
        made = [shop.redeemed(chen, masks)["id"] for _ in range(3)]
        shop.redeemed(shop.buyer(hood), masks)
        with budget() as spent:
            answer = chen.get("/redemptions")
        assert [line["id"] for line in answer.json["items"]] == made[::-1]
        assert spent.calls == ["dynamodb Query"]

    def test_one_is_one_query_with_its_code_while_it_is_good(self, hood):
        masks, chen = shop.masks(hood), shop.buyer(hood)
        made = shop.redeemed(chen, masks)
        with budget() as spent:
            seen = chen.get(f"/redemptions/{made['id']}")
        assert seen.json == made
        assert spent.calls == ["dynamodb Query"]
        chen.post(f"/redemptions/{made['id']}/cancel")
        assert chen.get(f"/redemptions/{made['id']}").json["code"] is None

    def test_a_delegate_sees_them_for_their_principal(self, hood):
        masks, chen, daughter = shop.masks(hood), shop.buyer(hood), hood.resident("小李")
        invited = chen.post("/me/delegates").json["code"]
        daughter.post("/delegations", json={"code": invited})
        made = daughter.post(f"/products/{masks}/redemptions", json={"price": 5}, acting_for=chen.id)
        assert (made.status, shop.redemption(made.json["id"]).by) == (201, daughter.id)
        lines = daughter.get("/redemptions", acting_for=chen.id).json["items"]
        assert [line["id"] for line in lines] == [made.json["id"]]
        assert daughter.get("/redemptions").json["items"] == []
        assert shop.balance(chen) == 95


class Album:
    """A product of the community, and staff of it with a camera."""

    def __init__(self, hood: Hood) -> None:
        self.hood = hood
        self.masks = shop.masks(hood, area=hood.community)
        self.clerk = hood.staff("desk_clerk", hood.community)
        self.path = f"/products/{self.masks}/photos"

    def added(self, content: bytes | None = None) -> Photo:
        answer = self.clerk.post(self.path, json={})
        assert answer.status == 201, answer
        photo = Photo.fetch(f"MALL#{self.masks}", f"PHOTO#{answer.json['photo_id']}")
        if content:
            put_upload(photo, content)
            assert work(announcement(photo.upload_key)) == []
        found: Photo = Photo.fetch(photo.pk, photo.sk)
        return found

    def shown(self, colour: Any = (1, 99, 200)) -> Photo:
        photo = self.added(picture(colour))
        settle(photo, shown=True)
        return photo

    @property
    def seen(self) -> str | None:
        """The picture that the list shows."""
        (line,) = listed(self.hood.resident(), self.hood.community)
        assert bool(line["picture"]) == bool(line["thumbnail"]) == bool(line["picture_id"])
        link: str | None = line["picture"]
        return link

    def remove(self, photo: Photo) -> int:
        return self.clerk.post(f"{self.path}/{photo.id}/remove").status


def settle(photo: Photo, *, shown: bool) -> None:
    with transaction() as tx:
        photos.settle(tx, Photo.fetch(photo.pk, photo.sk), shown=shown, reason="", now=clock.now())


@pytest.fixture
def album(hood: Hood) -> Album:
    hood.wechat.settings(media_withheld=True)
    return Album(hood)


class TestPictures:
    def test_the_latest_that_was_passed_is_shown(self, album):
        photo = album.added(picture())
        assert album.seen is None, "nobody has passed it"
        settle(photo, shown=True)
        assert photo.id in (album.seen or "")
        second = album.shown()
        assert second.id in (album.seen or "")
        assert item(album.masks).photos == 2

    def test_a_picture_keeps_its_place_when_terms_change(self, album):
        photo = album.shown()
        shop.done(command="close_product", product=album.masks)
        shop.done(command="open_product", product=album.masks)
        assert photo.id in (album.seen or "")

    def test_one_taken_away_leaves_the_latest_of_the_others(self, album):
        first, second = album.shown(), album.shown()
        (line,) = listed(album.clerk, album.hood.community)
        assert line["picture_id"] == second.id
        for _ in range(2):
            assert album.remove(second) == 204
        assert first.id in (album.seen or "")
        assert item(album.masks).photos == 1
        assert album.remove(first) == 204
        assert album.seen is None
        assert item(album.masks).photos == 0

    def test_one_that_is_not_shown_goes_without_touching_the_one_that_is(self, album):
        shown, other = album.shown(), album.added()
        assert album.remove(other) == 204
        assert shown.id in (album.seen or "")
        assert item(album.masks).photos == 1

    def test_a_refused_one_gives_its_place_back_once(self, album):
        photo = album.added(picture(RED))
        assert item(album.masks).photos == 1
        settle(photo, shown=False)
        assert item(album.masks).photos == 0
        assert album.clerk.told == []
        assert album.remove(photo) == 204
        assert item(album.masks).photos == 0

    def test_one_never_uploaded_gives_its_place_back(self, album):
        photo = album.added()
        album.hood.pass_time(photo, clock.now() + timedelta(days=2))
        assert (item(album.masks).photos, album.seen) == (0, None)

    def test_there_is_room_for_nine(self, album):
        added = [album.clerk.post(album.path, json={}) for _ in range(10)]
        assert [answer.status for answer in added] == [201] * 9 + [409]
        assert added[-1].code == "too_many_photos"

    def test_a_repeat_invites_the_same_one(self, album):
        answers = [album.clerk.post(album.path, json={}, key="k") for _ in range(2)]
        assert len({answer.json["photo_id"] for answer in answers}) == 1
        assert item(album.masks).photos == 1
        again = album.clerk.post(album.path, json={"content_type": "image/png"}, key="k")
        assert again.code == "idempotency_key_reused"

    def test_only_staff_of_its_area_add_and_remove(self, album):
        photo, hood = album.shown(), album.hood
        others = (
            hood.resident(),
            hood.staff("moderator", hood.community),
            hood.staff("desk_clerk", f"{hood.street}002"),
            hood.staff("grid_worker", hood.grid),  # of a part of it
        )
        for other in others:
            for answer in (
                other.post(album.path, json={}),
                other.post(f"{album.path}/{photo.id}/remove"),
            ):
                assert (answer.status, answer.code) == (403, "duty_needed")
        assert photo.id in (album.seen or "")
        districts = shop.masks(hood)
        assert album.clerk.post(f"/products/{districts}/photos", json={}).code == "duty_needed", "a larger area"

    def test_of_what_is_not_there_nothing_is_added_or_removed(self, album):
        assert album.clerk.post("/products/mask-nothing/photos", json={}).code == "product_not_found"
        for path in (f"{album.path}/photo_x/remove", "/products/mask-nothing/photos/photo_x/remove"):
            assert (album.clerk.post(path).status, album.clerk.post(path).code) == (404, "product_not_found")


def test_levels_are_few_below_a_tenth_or_six() -> None:
    def level(received: int, left: int) -> str:
        return rules.level(rules.Counts(received, left, received - left, 0))

    assert [level(9000, left) for left in (9000, 901, 900, 1, 0)] == ["plenty", "plenty", "few", "few", "none"]
    assert [level(10, left) for left in (10, 6, 5, 1, 0)] == ["plenty", "plenty", "few", "few", "none"]
    assert level(0, 0) == "none"
