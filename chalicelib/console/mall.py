"""Administrators' commands about the mall: what is in it, at which terms, and how much of it there is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chalicelib.areas import service as areas
from chalicelib.areas.rules import AreaCode
from chalicelib.console.command import Call, Command, CommandInvalid, Report, area_must_exist
from chalicelib.content.rules import refuse_unfit
from chalicelib.kit import clock
from chalicelib.kit.errors import Invalid
from chalicelib.mall import products
from chalicelib.mall import rules as mall_rules
from chalicelib.mall.models import Product
from chalicelib.mall.products import Terms
from chalicelib.mall.rules import Desk, Price, ProductId
from chalicelib.quiz.models import Quiz
from chalicelib.quiz.rules import QuizId

# What residents are told of a product that is gone would not help an administrator.
ProductUnknown = Invalid.named("product_unknown", "没有这个商品或活动，请核对编号。", fields={"product": "没有找到"})


Pieces = Annotated[int, Meta(ge=1, le=mall_rules.RESTOCK_AT_MOST)]
Receipt = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[0-9A-Za-z._-]+\Z")]
Reason = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\S")]
Cap = Annotated[int, Meta(ge=1, le=mall_rules.QUANTITY_AT_MOST)]
Buckets = Annotated[int, Meta(ge=1, le=mall_rules.BUCKETS_AT_MOST)]


class DeskPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A drop point of an area, as `put_areas` named it."""

    area: AreaCode
    place: Annotated[str, Meta(min_length=1, max_length=40)]


class _AboutProduct(Command, frozen=True):
    product: ProductId

    @property
    def about(self) -> dict[str, Any]:
        return {"product": self.product}


class PutProduct(_AboutProduct, frozen=True, kw_only=True, tag="put_product"):
    """Put a product into the mall, or change its terms at once. Stock comes with `restock`.

    `price` in points a piece; `cap` pieces for one resident in a month. `buckets` is fixed for ever: 1 for what goes
    slowly, 32 for what a district rushes at (docs/ledger.md).
    """

    name: Annotated[str, Meta(min_length=1, max_length=20, pattern=r"\S")]
    text: Annotated[str, Meta(max_length=500)] = ""
    unit: Annotated[str, Meta(min_length=1, max_length=4, pattern=r"\S")] = "件"
    price: Price
    area: AreaCode
    desks: Annotated[list[DeskPlace], Meta(max_length=20)] = []
    delivers: bool = False
    collect_days: Annotated[int, Meta(ge=1, le=60)] = 7
    cap: Cap | None = None
    buckets: Buckets = 1


class PutCampaign(Command, frozen=True, kw_only=True, tag="put_campaign"):
    """Open a campaign of a product for a time, with a stock and a cap of its own, or change its terms at once.

    Name, unit, area and ways to collect are the product's at this moment; so is the price, unless one is given.
    `quiz` must have been passed by whoever redeems; that there is such a quiz is not checked, the mall knows none.
    """

    campaign: ProductId
    product: ProductId
    opens_at: Annotated[datetime, Meta(tz=True)]
    closes_at: Annotated[datetime, Meta(tz=True)]
    price: Price | None = None
    cap: Cap | None = None
    quiz: QuizId | None = None
    buckets: Buckets = 32

    @property
    def about(self) -> dict[str, Any]:
        return {"product": self.campaign}


class CloseProduct(_AboutProduct, frozen=True, tag="close_product"):
    """Stop redeeming a product or campaign at once. What is reserved is still handed over."""


class OpenProduct(_AboutProduct, frozen=True, tag="open_product"):
    """Let a closed product or campaign be redeemed again."""


class _StockMoves(_AboutProduct, frozen=True):
    quantity: Pieces
    receipt: Receipt

    @property
    def about(self) -> dict[str, Any]:
        return {"product": self.product, "quantity": self.quantity, "receipt": self.receipt}


class Restock(_StockMoves, frozen=True, tag="restock"):
    """Bring goods in. `receipt` is the number of the delivery note: the same one counts once for ever."""

    reason: Reason = "进货"


class TakeOut(_StockMoves, frozen=True, kw_only=True, tag="take_out"):
    """Undo a delivery, or write goods off, as far as nobody has redeemed them."""

    reason: Reason


class Stock(_AboutProduct, frozen=True, tag="stock"):
    """How much was received, is left, is reserved and was handed out."""


def put_product(command: PutProduct, call: Call) -> str:
    refuse_unfit((command.name, command.text), official=True)
    area_must_exist(command.area)
    desks = [_desk(place, number) for number, place in enumerate(command.desks)]
    if len(set(desks)) < len(desks):
        raise CommandInvalid(fields={"desks": "同一个兑换点出现了两次"})
    if not desks and not command.delivers:
        raise CommandInvalid(fields={"desks": "至少要有一个兑换点，或者送货上门"})
    terms = Terms(
        name=command.name,
        text=command.text,
        unit=command.unit,
        price=command.price,
        area=command.area,
        desks=desks,
        delivers=command.delivers,
        collect_days=command.collect_days,
        cap=command.cap,
    )
    saved = products.save(command.product, terms, buckets=command.buckets, by=call.request_id, now=call.now)
    return f"已保存商品“{saved.name}”：每{saved.unit} {int(saved.price)} 分。库存请用 restock 登记。"


def put_campaign(command: PutCampaign, call: Call) -> str:
    if command.campaign == command.product:
        raise CommandInvalid(fields={"campaign": "要有自己的编号，不能和商品相同"})
    if command.closes_at <= command.opens_at:
        raise CommandInvalid(fields={"closes_at": "应晚于 opens_at"})
    if abs(command.opens_at - call.now) > mall_rules.CAMPAIGN_OPENS_WITHIN:
        raise CommandInvalid(fields={"opens_at": f"离今天最多 {mall_rules.CAMPAIGN_OPENS_WITHIN.days} 天"})
    if command.closes_at - command.opens_at > mall_rules.CAMPAIGN_LASTS_AT_MOST:
        raise CommandInvalid(fields={"closes_at": f"与 opens_at 最多相差 {mall_rules.CAMPAIGN_LASTS_AT_MOST.days} 天"})
    if command.closes_at <= call.now:
        raise CommandInvalid(fields={"closes_at": "应晚于现在；要马上停止请用 close_product"})
    of = products.terms_of(_known(command.product))
    if of.campaign_of:
        raise CommandInvalid(fields={"product": "这是一个活动，请填商品的编号"})
    if command.quiz:
        _must_entitle(command.quiz)
    terms = msgspec.structs.replace(
        of,
        price=command.price or of.price,
        cap=command.cap,
        state="open",
        campaign_of=command.product,
        opens_at=_as_stored(command.opens_at),
        closes_at=_as_stored(command.closes_at),
        quiz=command.quiz,
    )
    saved = products.save(command.campaign, terms, buckets=command.buckets, by=call.request_id, now=call.now)
    period = f"{clock.spoken(command.opens_at)} 到 {clock.spoken(command.closes_at)}"
    return f"已保存“{saved.name}”的兑换活动：{period}。库存请用 restock 登记。"


def close_product(command: CloseProduct, call: Call) -> str:
    _known(command.product)
    saved = products.set_state(command.product, "closed", by=call.request_id, now=call.now)
    return f"“{saved.name}”已经停止兑换，已兑换的照常领取。"


def open_product(command: OpenProduct, call: Call) -> str:
    _known(command.product)
    saved = products.set_state(command.product, "open", by=call.request_id, now=call.now)
    return f"“{saved.name}”可以兑换了。"


def restock(command: Restock, call: Call) -> Report:
    return _moved(command, command.quantity, call)


def take_out(command: TakeOut, call: Call) -> Report:
    return _moved(command, -command.quantity, call)


def _moved(command: Restock | TakeOut, quantity: int, call: Call) -> Report:
    _known(command.product)
    product = products.restock(
        command.product,
        quantity,
        receipt=command.receipt,
        reason=command.reason,
        by=call.request_id,
        now=call.now,
    )
    return _stock(product, f"单号 {command.receipt} 已登记")


def stock(command: Stock, call: Call) -> Report:
    return _stock(_known(command.product), "库存")


def _stock(product: Product, said: str) -> Report:
    counts = products.counts(product)
    detail = (
        f"{said}：“{product.name}”共收到 {counts.received} {product.unit}，还有 {counts.left}，"
        f"待领 {counts.reserved}，已交付 {counts.handed_out}。"
    )
    return Report(detail, counts._asdict())


def _as_stored(moment: datetime) -> datetime:
    """To the millisecond: the same command again must find the same terms."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _must_entitle(quiz_id: str) -> None:
    key = Quiz.key(quiz_id)
    quiz = Quiz.find(key.pk, key.sk)
    if quiz is None:
        raise CommandInvalid(fields={"quiz": "没有这份问卷，请先用 put_quiz 建立"})
    if not quiz.entitles:
        raise CommandInvalid(fields={"quiz": "通过这份问卷不给兑换资格，请先用 put_quiz 改成 entitles: true"})


def _known(product_id: str) -> Product:
    try:
        return products.fetch(product_id)
    except mall_rules.ProductGone:
        raise ProductUnknown() from None


def _desk(place: DeskPlace, number: int) -> Desk:
    area_must_exist(place.area, field=f"desks[{number}].area")
    named = next((each for each in areas.get(place.area).drop_points if each.id == place.place), None)
    if named is None:
        raise CommandInvalid(fields={f"desks[{number}].place": "这个区域没有这个存放点，请先用 put_areas 登记"})
    if len(named.name) > mall_rules.DESK_NAME_AT_MOST:
        raise CommandInvalid(fields={f"desks[{number}].place": f"名称最多 {mall_rules.DESK_NAME_AT_MOST} 个字"})
    return Desk(area=place.area, place=place.place, name=named.name)


HANDLERS: dict[type[Command], Any] = {
    PutProduct: put_product,
    PutCampaign: put_campaign,
    CloseProduct: close_product,
    OpenProduct: open_product,
    Restock: restock,
    TakeOut: take_out,
    Stock: stock,
}
