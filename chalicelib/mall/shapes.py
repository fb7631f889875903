"""What the mall looks like from outside: what is sent, and what is answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from chalicelib.areas.rules import AreaCode
from chalicelib.content import photos as content_photos
from chalicelib.content.models import Photo
from chalicelib.content.photos import ContentType, PhotoView
from chalicelib.kit import clock
from chalicelib.kit.http import Body, Paged, View
from chalicelib.mall import rules
from chalicelib.mall.delivering import Delivery
from chalicelib.mall.models import Product, Redemption

Code = Annotated[str, Meta(min_length=8, max_length=16)]


class InArea(Paged, frozen=True, kw_only=True):
    area: AreaCode


class Redeem(Body, frozen=True, kw_only=True):
    """`price` is what the resident was shown for one piece. `desk` is one of the product's, or `deliver` is true.

    A product that has one desk and is not delivered needs neither.
    """

    quantity: rules.Quantity = 1
    price: rules.Price
    desk: Annotated[str, Meta(min_length=1, max_length=60)] | None = None
    deliver: bool = False


class ShowCode(Body, frozen=True):
    """As scanned, or as typed: lower case, spaces, and O for 0 do not matter."""

    code: Code


class LeftWithPhoto(Body, frozen=True):
    """A photo that was added to this delivery and uploaded, and why there is no code."""

    photo_id: Annotated[str, Meta(min_length=1, max_length=64)]
    reason: Annotated[str, Meta(min_length=2, max_length=100, pattern=r"\S")]


class AddPhoto(Body, frozen=True):
    content_type: ContentType = "image/jpeg"


class DeskView(View, frozen=True):
    id: str
    area: str
    name: str


class ProductView(View, frozen=True):
    """`stock` is plenty, few or none, and some seconds old: only redeeming tells for sure. `cap` is for one resident,
    in a month, or in the campaign if `campaign`. `price` is in points, for one piece. `picture_id` is what staff remove
    the picture by; the latest of the others then comes in its place."""

    id: str
    name: str
    text: str
    unit: str
    price: int
    stock: str
    cap: int | None
    area: str
    desks: list[DeskView]
    delivers: bool
    collect_days: int
    campaign: bool
    opens_at: datetime | None
    closes_at: datetime | None
    quiz: str | None
    open: bool
    picture_id: str | None
    picture: str | None
    thumbnail: str | None


class RedemptionView(View, frozen=True):
    """`code` is the pick-up code, in its resident's eyes only, while it is good. `photos` show where it was left."""

    id: str
    product_id: str
    name: str
    quantity: int
    unit: str
    cost: int
    state: str
    how: str
    desk_name: str | None
    code: str | None
    collect_by: datetime
    created_at: datetime
    ended_at: datetime | None
    reason: str | None
    photos: list[PhotoView]


class HandOverView(View, frozen=True):
    """What the clerk hands over."""

    id: str
    name: str
    quantity: int
    unit: str
    state: str
    desk_name: str | None
    collect_by: datetime


class DeliveryView(View, frozen=True):
    id: str
    home: str
    nickname: str
    name: str
    quantity: int
    unit: str
    created_at: datetime
    deliver_by: datetime


class CodeView(View, frozen=True):
    """`picture` is a data URL of a mini-program code, for the clerk to scan."""

    code: str
    picture: str


def product(found: Product, *, now: datetime) -> ProductView:
    picture, thumbnail = content_photos.links(found.picture) if found.picture else (None, None)
    return ProductView.of(
        found,
        stock=found.level,
        cap=int(found.cap) if found.cap else None,
        desks=[DeskView(id=desk.id, area=desk.area, name=desk.name) for desk in found.places],
        campaign=bool(found.campaign_of),
        opens_at=clock.local(found.opens_at) if found.opens_at else None,
        closes_at=clock.local(found.closes_at) if found.closes_at else None,
        open=rules.is_open(found, now=now),
        picture_id=found.picture,
        picture=picture,
        thumbnail=thumbnail,
    )


def redemption(found: Redemption, photos: list[Photo] | None = None) -> RedemptionView:
    """For the resident whose it is."""
    return RedemptionView.of(
        found,
        code=found.code if found.state == "reserved" else None,
        ended_at=clock.local(found.ended_at) if found.ended_at else None,
        reason=found.without_code,
        photos=content_photos.views(photos or [], author=False),
    )


def hand_over(found: Redemption) -> HandOverView:
    return HandOverView.of(found)


def delivery(found: Delivery) -> DeliveryView:
    return DeliveryView(
        id=found.redemption.id,
        home=found.redemption.home or "",
        nickname=found.nickname,
        name=found.redemption.name,
        quantity=int(found.redemption.quantity),
        unit=found.redemption.unit,
        created_at=clock.local(found.redemption.created_at),
        deliver_by=clock.local(found.redemption.collect_by),
    )
