"""A redemption that comes to nothing: called off by the resident, or not collected in time. Points and stock go back."""

from __future__ import annotations

from datetime import datetime

from chalicelib.kit import timers
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Item, read_together
from chalicelib.kit.transaction import settled, transaction
from chalicelib.mall import rules, stock
from chalicelib.mall.models import Redemption
from chalicelib.mall.redeeming import allowance
from chalicelib.notices import service as notices
from chalicelib.people import service as people
from chalicelib.points import service as points
from chalicelib.points.rules import AlreadyReturned

_REASONS = {"cancelled": "取消兑换", "expired": "逾期未领"}


@settled(rules.MallBusy)
def cancel(*, caller: Caller, redemption_id: str, attempt: Attempt, now: datetime) -> Redemption:
    """The resident does not want it after all."""
    mine: Redemption | None
    books = points.needed_to_give_back(caller.principal, rules.fact(redemption_id))
    person, (mine, *known) = people.present_with(caller, Redemption.key(redemption_id), *books, now=now)
    if mine is None or mine.resident != person.id:
        raise rules.RedemptionGone()
    if attempt.made(mine):
        return mine
    rules.REDEMPTION.check(mine.state, "cancelled", or_raise=rules.NotNow(mine.state))
    with person.acting() as tx:
        end(tx, mine, "cancelled", attempt=attempt, known=known, now=now)
    mine.state, mine.ended_at = "cancelled", now
    return mine


@settled(rules.MallBusy)
def expire(redemption: Redemption, *, now: datetime) -> None:
    """Timer: nobody came for it, or nobody could deliver it."""
    current: Redemption | None
    books = points.needed_to_give_back(redemption.resident, redemption.fact)
    current, *known = read_together(redemption, *books)
    if current is None or current.state != "reserved" or current.timer != "mall.expire" or now < current.collect_by:
        return
    with transaction() as tx:
        end(tx, current, "expired", known=known, now=now)
        kind = "redemption_expired" if current.how == "desk" else "redemption_not_delivered"
        notices.tell(
            tx, current.resident, kind, about=current.id, now=now, name=current.name, points=f"{int(current.cost)}"
        )


def end(
    tx: transaction,
    redemption: Redemption,
    state: str,
    *,
    now: datetime,
    attempt: Attempt | None = None,
    known: list[Item | None] | None = None,
) -> None:
    """Give points, cap and stock back, once, with the change of the redemption that says so.

    `known` are items that were read with it, those `points.needed_to_give_back` among them.
    """
    tx.update(
        redemption,
        [
            *Redemption.set(state=state, ended_at=now),
            *redemption.unlist(),
            *timers.stop(),
            *(attempt.remember() if attempt else []),
        ],
        when=Redemption.state == "reserved",
        or_raise=Changed(),
    )
    stock.put_back(tx, redemption.product_id, redemption.taken_from)
    try:
        points.give_back(
            tx,
            redemption.resident,
            transfer_id=redemption.fact,
            reason=f"{_REASONS[state]}：{redemption.name}",
            now=now,
            allowance=allowance(redemption),
            known=known,
        )
    except AlreadyReturned:
        raise Changed() from None  # by another who ends it at the same moment
