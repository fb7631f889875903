"""The mall over HTTP: what there is, what I redeem, what the desk and the grid worker hand over."""

from __future__ import annotations

from datetime import datetime

import msgspec

from chalicelib.content import photos as content_photos
from chalicelib.content.photos import UploadForm
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.http import Listing, Paged, Routes, listing
from chalicelib.mall import catalogue, collecting, delivering, ending, pictures, products, redeeming, shapes
from chalicelib.mall.redeeming import Wish

routes = Routes(__name__)


@routes.get("/products")
def open_for(caller: Caller, query: shapes.InArea, now: datetime) -> Listing[shapes.ProductView]:
    """Products and campaigns that residents of an area may redeem, now or soon, the newest first."""
    found = catalogue.open_for(query.area, cursor=query.cursor, now=now)
    return listing(found, lambda each: shapes.product(each, now=now))


@routes.get("/products/{product_id}")
def look_at(caller: Caller, product_id: str, now: datetime) -> shapes.ProductView:
    """One product or campaign."""
    return shapes.product(products.known(product_id), now=now)


@routes.post("/products/{product_id}/redemptions", status=201, delegable=True)
def redeem(
    caller: Caller, product_id: str, body: shapes.Redeem, attempt: Attempt, now: datetime
) -> shapes.RedemptionView:
    """Trade points for goods. A repeat with the same Idempotency-Key gives the same redemption back."""
    wish = msgspec.convert(body, Wish, from_attributes=True)
    return shapes.redemption(
        redeeming.redeem(caller=caller, product_id=product_id, wish=wish, attempt=attempt, now=now)
    )


@routes.get("/redemptions", delegable=True)
def mine(caller: Caller, query: Paged) -> Listing[shapes.RedemptionView]:
    """What I have redeemed, the newest first."""
    found = catalogue.mine(caller=caller, cursor=query.cursor)
    return listing(found, shapes.redemption)


@routes.get("/redemptions/{redemption_id}", delegable=True)
def one_of_mine(caller: Caller, redemption_id: str) -> shapes.RedemptionView:
    """One redemption of mine."""
    return shapes.redemption(*catalogue.one_of_mine(redemption_id, caller=caller))


@routes.get("/redemptions/{redemption_id}/code", delegable=True)
def code(caller: Caller, redemption_id: str, now: datetime) -> shapes.CodeView:
    """The pick-up code with its picture, to show at the desk or at the door."""
    text, picture = collecting.code_picture(caller=caller, redemption_id=redemption_id, now=now)
    return shapes.CodeView(code=text, picture=picture)


@routes.post("/redemptions/{redemption_id}/cancel", delegable=True)
def cancel(caller: Caller, redemption_id: str, attempt: Attempt, now: datetime) -> shapes.RedemptionView:
    """I do not want it after all: the points come back."""
    return shapes.redemption(ending.cancel(caller=caller, redemption_id=redemption_id, attempt=attempt, now=now))


@routes.post("/desk/look-up")
def look_up(caller: Caller, body: shapes.ShowCode, now: datetime) -> shapes.HandOverView:
    """What is to be handed over for this code at my desk; nothing is changed yet."""
    return shapes.hand_over(collecting.look_up(caller=caller, code=body.code, now=now))


@routes.post("/desk/collect")
def collect(caller: Caller, body: shapes.ShowCode, attempt: Attempt, now: datetime) -> shapes.HandOverView:
    """I have handed it over to whoever showed this code."""
    return shapes.hand_over(collecting.collect(caller=caller, code=body.code, attempt=attempt, now=now))


@routes.get("/deliveries")
def deliveries(caller: Caller, query: shapes.InArea, now: datetime) -> Listing[shapes.DeliveryView]:
    """What is to be delivered in my grid or micro-grid, building by building."""
    found = delivering.waiting(caller=caller, area=query.area, cursor=query.cursor, now=now)
    return Listing(items=[shapes.delivery(each) for each in found.items], next=found.next)


@routes.post("/deliveries/{redemption_id}/with-code")
def deliver_with_code(
    caller: Caller, redemption_id: str, body: shapes.ShowCode, attempt: Attempt, now: datetime
) -> shapes.HandOverView:
    """Delivered to whoever showed the resident's code."""
    return shapes.hand_over(
        delivering.deliver_with_code(
            caller=caller, redemption_id=redemption_id, code=body.code, attempt=attempt, now=now
        )
    )


@routes.post("/deliveries/{redemption_id}/with-photo")
def deliver_with_photo(
    caller: Caller, redemption_id: str, body: shapes.LeftWithPhoto, attempt: Attempt, now: datetime
) -> shapes.HandOverView:
    """Delivered without the code: a photo shows where it was left, and the reason says why."""
    return shapes.hand_over(
        delivering.deliver_with_photo(
            caller=caller,
            redemption_id=redemption_id,
            photo_id=body.photo_id,
            reason=body.reason,
            attempt=attempt,
            now=now,
        )
    )


@routes.post("/deliveries/{redemption_id}/photos", status=201)
def add_delivery_photo(
    caller: Caller, redemption_id: str, body: shapes.AddPhoto, attempt: Attempt, now: datetime
) -> UploadForm:
    """A form with which the phone uploads one photo of the delivery within five minutes."""
    photo = delivering.add_photo(caller=caller, redemption_id=redemption_id, attempt=attempt, now=now)
    return content_photos.upload_form(photo, body.content_type, now=now)


@routes.post("/products/{product_id}/photos", status=201)
def add_picture(caller: Caller, product_id: str, body: shapes.AddPhoto, attempt: Attempt, now: datetime) -> UploadForm:
    """A form with which staff upload one picture of a product within five minutes."""
    photo = pictures.add(caller=caller, product_id=product_id, attempt=attempt, now=now)
    return content_photos.upload_form(photo, body.content_type, now=now)


@routes.post("/products/{product_id}/photos/{photo_id}/remove", status=204)
def remove_picture(caller: Caller, product_id: str, photo_id: str, now: datetime) -> None:
    """Take a picture of a product away."""
    pictures.remove(caller=caller, product_id=product_id, photo_id=photo_id, now=now)
