"""What happens in the mall by itself: reminders, and the end of what nobody collects. (What is left: `levels`.)"""

from __future__ import annotations

from datetime import datetime

from chalicelib.areas import service as areas
from chalicelib.kit import timers
from chalicelib.kit.errors import Changed
from chalicelib.kit.transaction import settled, transaction
from chalicelib.mall import ending, products, rules
from chalicelib.mall.collecting import said
from chalicelib.mall.models import Product, Redemption
from chalicelib.notices import service as notices
from chalicelib.people import service as people


@timers.on("mall.announce")
def announce(redemption: Redemption, *, now: datetime) -> None:
    """There is something new to deliver: the grid workers of the place hear of it."""
    _tell(redemption, "mall.announce", now)


@timers.on("mall.remind")
def remind(redemption: Redemption, *, now: datetime) -> None:
    """The last days to collect it have come, or to deliver it."""
    _tell(redemption, "mall.remind", now)


@settled(rules.MallBusy)
def _tell(redemption: Redemption, timer: str, now: datetime) -> None:
    current = Redemption.fetch(redemption.pk, redemption.sk)
    if current.state != "reserved" or current.timer != timer:
        return
    with transaction() as tx:
        tx.update(
            current,
            timers.set_to(current.pk, *rules.next_timer(timer, current.collect_by, now)),
            when=(Redemption.state == "reserved") & (Redemption.timer == timer),
            or_raise=Changed(),
        )
        if now >= current.collect_by:
            return  # nothing has run for days: its end is next, and that is told
        if current.how == "desk":
            facts = {"place": current.desk_name or "", "until": rules.last_day(current.collect_by)}
            notices.tell(
                tx, current.resident, "redemption_waiting", about=current.id, now=now, **said(current), **facts
            )
        else:
            _tell_workers(tx, current, "delivery_waiting" if timer == "mall.announce" else "delivery_late", now)


def _tell_workers(tx: transaction, redemption: Redemption, kind: str, now: datetime) -> None:
    home = redemption.home or ""
    facts = {"place": areas.full_name(home), "until": rules.last_day(redemption.collect_by)}
    for worker in people.holders("grid_worker", home, now=now):
        notices.tell(tx, worker, kind, about=redemption.id, now=now, **said(redemption), **facts)


@timers.on("mall.expire")
def expire(redemption: Redemption, *, now: datetime) -> None:
    """Nobody came for it, or nobody could deliver it."""
    ending.expire(redemption, now=now)


@timers.on("mall.unlist")
def unlist(product: Product, *, now: datetime) -> None:
    """A campaign is over."""
    products.unlist(product, now=now)
