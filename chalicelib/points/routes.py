"""My points: how many, where they came from and went to, and why I got none."""

from __future__ import annotations

from datetime import datetime

from chalicelib.kit import clock
from chalicelib.kit.auth import Caller
from chalicelib.kit.http import Query, Routes, View
from chalicelib.points import rules, statement

routes = Routes(__name__)


class OfMonth(Query, frozen=True):
    month: rules.Month
    cursor: str | None = None


class RefusalView(View, frozen=True):
    at: datetime
    rule: str
    name: str
    reason: str
    detail: str
    subject: str


class PointsView(View, frozen=True):
    """`refusals`: today's latest answers to "why did I not get points?", the newest first."""

    balance: int
    month: str
    refusals: list[RefusalView]


class LineView(View, frozen=True):
    """`change` is what was gained (above zero) or spent (below); `balance` is what there was after it."""

    at: datetime
    change: int
    reason: str
    rule: str | None
    subject: str
    balance: int


class StatementView(View, frozen=True):
    """`opening`: the balance before the first line shown."""

    month: str
    opening: int
    items: list[LineView]
    next: str | None


@routes.get("/me/points")
def my_points(caller: Caller, now: datetime) -> PointsView:
    """My balance, and why I got no points for something today."""
    balance, refusals = statement.now_of(caller.id, now=now)
    return PointsView(
        balance=balance,
        month=rules.month_of(now),
        refusals=[RefusalView.of(each, name=statement.name(each), detail=statement.why(each)) for each in refusals],
    )


@routes.get("/me/points/statement")
def my_statement(caller: Caller, query: OfMonth) -> StatementView:
    """Each gain and spend of a month, the oldest first, with the balance after it."""
    found = statement.of_month(caller.id, query.month, cursor=query.cursor)
    return StatementView(
        month=query.month,
        opening=found.opening,
        items=[
            LineView(
                at=clock.local(line.transfer.at),
                change=line.transfer.change,
                reason=line.transfer.reason,
                rule=line.transfer.rule,
                subject=line.transfer.subject,
                balance=line.balance,
            )
            for line in found.lines
        ],
        next=found.next,
    )
