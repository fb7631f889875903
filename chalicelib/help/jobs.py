"""What happens to a request and its offers by itself. Run by the sweeper, so late, twice or not at all this minute."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.areas import service as areas
from chalicelib.help import alerts, offering, quantities, rules
from chalicelib.help.ending import end_without_help, fulfil, read_whole
from chalicelib.help.models import HelpRequest, Offer, Unanswered
from chalicelib.help.quantities import as_read, settled
from chalicelib.help.sides import tell_asker, whom_to_tell
from chalicelib.kit import timers, vault
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Action, read_together
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import service as people


@timers.on("help.announce")
@settled
def announce(request: HelpRequest, *, now: datetime) -> None:
    """A new request: tell those neighbours who asked to hear of such."""
    current = HelpRequest.fetch(request.pk, request.sk)
    if current.state != "open" or current.timer != "help.announce":
        return
    alerts.tell_the_willing(current, now=now)
    current.announced_at = now
    with transaction() as tx:
        _step(tx, current, [HelpRequest.announced_at.set(now)], now)


@timers.on("help.escalate")
@settled
def escalate(request: HelpRequest, *, now: datetime) -> None:
    """Nobody has answered in time: the grid worker is told and finds it on their list."""
    current = HelpRequest.fetch(request.pk, request.sk)
    if current.state != "open" or current.timer != "help.escalate":
        return
    current.escalated_at = now
    with transaction() as tx:
        _step(tx, current, [HelpRequest.escalated_at.set(now)], now)
        tx.put(Unanswered.of(current))
        kind = "help_unanswered_urgent" if current.urgency == "urgent" else "help_unanswered"
        said = {"title": current.title, "place": areas.place_name(current.area)}
        for carer in people.holders("grid_worker", current.area, now=now):
            notices.tell(tx, carer, kind, about=current.id, now=now, area=current.area, **said)


@timers.on("help.close")
@settled
def close(request: HelpRequest, *, now: datetime) -> None:
    """The time for answers is over: without any the request expires, else it is content with those it has."""
    whole = read_whole(request.id)
    current = whole.request
    if current.state != "open" or current.timer != "help.close":
        return
    if int(current.offered) == 0:
        end_without_help(whole, "expired", now=now)
        return
    following = rules.next_timer(
        current, state="covered", offered=int(current.offered), collected=int(current.collected), now=now
    )
    with transaction() as tx:
        tx.update(
            current,
            [
                HelpRequest.state.set("covered"),
                *HelpRequest.unlist(),
                *(timers.set_to(current.pk, *following) if following else timers.stop()),
            ],
            when=as_read(current),
            or_raise=Changed(),
        )


@timers.on("help.fulfil")
@settled
def confirm_by_silence(request: HelpRequest, *, now: datetime) -> None:
    """Seven days after everything was collected nobody has objected: it counts as fulfilled."""
    whole = read_whole(request.id)
    if whole.request.state == "covered" and whole.request.objected_at is None:
        fulfil(whole, now=now)


@timers.on("help.lapse")
@settled
def lapse(promised: Offer, *, now: datetime) -> None:
    """Nothing was dropped off within 48 hours: the quantity opens again."""
    request, current = read_together(HelpRequest.key(promised.request_id), promised)
    if current.state != "offered":
        return
    with transaction() as tx:
        offering.end(tx, current, "lapsed", now)
        quantities.give_back(tx, request, int(current.quantity), now=now)
        said = {"about": request.id, "now": now, "title": request.title}
        tell_asker(tx, request, "help_offer_lapsed", now=now, helper=current.helper_name)
        notices.tell(tx, current.helper, "help_your_offer_lapsed", **said)


@timers.on("help.remind")
@settled
def remind(brought: Offer, *, now: datetime) -> None:
    """Nobody has fetched the goods (or confirmed the help): remind the requester once, then tell the grid worker."""
    current = Offer.fetch(brought.pk, brought.sk)
    if current.state != "dropped_off" or current.dropped_off_at is None or current.timer != "help.remind":
        return
    last = current.dropped_off_at + timedelta(days=rules.settings_in_force().confirm_days)
    again = now < last
    kind = _REMINDERS[current.what == "goods", again]
    told = whom_to_tell(current, now=now) if again else people.holders("grid_worker", current.area, now=now)
    said = {"title": current.title, "place": current.drop_point_name or "", "helper": current.helper_name}
    with transaction() as tx:
        tx.update(
            current,
            timers.set_to(current.pk, "help.remind", last) if again else timers.stop(),
            when=(Offer.state == "dropped_off") & (Offer.due_at == current.due_at),
            or_raise=Changed(),
        )
        for who in told:
            notices.tell(tx, who, kind, about=current.request_id, now=now, area=current.area, **said)


_REMINDERS = {
    (True, True): "help_not_fetched",
    (True, False): "help_never_fetched",
    (False, True): "help_not_confirmed",
    (False, False): "help_never_confirmed",
}


@timers.on("help.forget")
def forget_contact(request: HelpRequest, *, now: datetime) -> None:
    """A request filed for somebody without WeChat has ended: their name and phone become unreadable for ever."""
    vault.destroy(request.id)
    with transaction() as tx:
        tx.update(request, timers.stop())


def _step(tx: transaction, request: HelpRequest, change: list[Action], now: datetime) -> None:
    """A change of an open request together with the timer that follows."""
    following = rules.next_timer(
        request, state="open", offered=int(request.offered), collected=int(request.collected), now=now
    )
    tx.update(
        request,
        [*change, *(timers.set_to(request.pk, *following) if following else timers.stop())],
        when=(HelpRequest.state == "open")
        & (HelpRequest.timer == request.timer)
        & (HelpRequest.offered == int(request.offered)),
        or_raise=Changed(),
    )
