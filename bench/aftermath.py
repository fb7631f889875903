"""What the table says after a stampede, compared with what was there and with what people were told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from bench.crowd import PRICE, Buyer, Market, Told
from chalicelib.kit.table import Item
from chalicelib.points import rules as points
from tests.engine import local_aws


class Found(NamedTuple):
    """What the table says afterwards. All but the first two ought to be 0."""

    sold: int  # pieces
    winners: int
    doubled: int  # residents with more redemptions or payments than one, or taps answered with different ones
    negative: int  # balances and stocks below zero
    wrong: int  # whose points, stock or redemption do not agree, or who were told otherwise
    contradicted: int  # who got something, and of whose two taps at the same moment one was refused all the same
    unsold: int


class Holding(NamedTuple):
    """What one resident has in the end."""

    redemptions: dict[str, int]  # pieces by id
    paid: list[int]  # points, of each payment
    balance: int


def found(market: Market, told: Iterable[Told]) -> Found:
    stored = _read_all()
    buckets = [each for each in stored["stock_bucket"] if each["PK"]["S"].startswith(f"STOCK#{market.product_id}#")]
    holdings = _holdings(market, stored)
    answers: dict[str, set[str]] = {}
    for one in told:
        answers.setdefault(one.buyer.caller.id, set()).add(one.redemption or str(one.refusal))
    sold = sum(sum(each.redemptions.values()) for each in holdings.values())
    unsold, reserved = (sum(int(each[name]["N"]) for each in buckets) for name in ("left", "reserved"))
    counted = [int(each[name]["N"]) for each in buckets for name in ("left", "reserved", "handed_out")]
    each_one = [(buyer, holdings[buyer.caller.id], answers[buyer.caller.id]) for buyer in market.buyers]
    return Found(
        sold=sold,
        winners=sum(bool(each.redemptions) for each in holdings.values()),
        doubled=sum(_doubled(holding, said) for _, holding, said in each_one),
        negative=sum(number < 0 for number in [*counted, *(each.balance for each in holdings.values())]),
        wrong=sum(not _right(*each) for each in each_one) + ((reserved, sold + unsold) != (sold, market.masks)),
        contradicted=sum(bool(holding.redemptions) and len(said) > 1 for _, holding, said in each_one),
        unsold=unsold,
    )


def _holdings(market: Market, stored: dict[str, list[dict[str, Any]]]) -> dict[str, Holding]:
    balances = {_id(each): int(each["balance"]["N"]) for each in stored["points_account"]}
    holdings = {buyer.caller.id: Holding({}, [], balances[buyer.caller.id]) for buyer in market.buyers}
    for each in stored["redemption"]:
        if each["product_id"]["S"] == market.product_id:
            holdings[each["resident"]["S"]].redemptions[_id(each)] = int(each["quantity"]["N"])
    for each in stored["points_transfer"]:
        if each["credit"]["S"] == points.SPENT and _id(each) in holdings:
            holdings[_id(each)].paid.append(int(each["amount"]["N"]))
    return holdings


def _doubled(holding: Holding, said: set[str]) -> bool:
    return max(len(holding.redemptions), len(holding.paid), _redemptions(said)) > 1


def _right(buyer: Buyer, holding: Holding, said: set[str]) -> bool:
    """The points agree; who has something was told so, and who has nothing was told the reason that is due."""
    cost = PRICE * sum(holding.redemptions.values())
    if (holding.balance, sum(holding.paid)) != (buyer.points - cost, cost):
        return False
    if holding.redemptions:
        return holding.redemptions.keys() <= said and _redemptions(said) == 1 and buyer.ought is None
    return said <= ({buyer.ought} if buyer.ought else {"sold_out", "only_some_left"})


def _redemptions(said: set[str]) -> int:
    return sum(answer.startswith("redemption") for answer in said)


def _id(item: dict[str, Any]) -> str:
    """What stands behind the kind in its partition key."""
    _, _, own = item["PK"]["S"].partition("#")
    return str(own)


def _read_all() -> dict[str, list[dict[str, Any]]]:
    """Every item of the table by its kind."""
    kinds: dict[str, list[dict[str, Any]]] = {}
    for page in local_aws.client("dynamodb").get_paginator("scan").paginate(TableName=Item.Meta.table_name):
        for item in page["Items"]:
            kinds.setdefault(item.get("kind", {}).get("S", ""), []).append(item)
    return kinds
