"""Residents who want to hear of one kind of news near their home, each of it once and at most a few a day.

A slice has a kind of its own (a subclass of `Willing`), lets people switch it on and off, and tells those it finds in
its list:

    alerts.moves_with_home(HelpAlert)
    alerts.switch_on(tx, HelpAlert, person.id, home=home)
    alerts.tell_each(Item.by_area.query(…), News("help_near_you", …), now=now)

Telling may be interrupted and done again, the next day too: whoever was told is not told twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

import msgspec

from chalicelib.kit import clock
from chalicelib.kit.errors import Conflict
from chalicelib.kit.table import Action, Item, read_together
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.notices.models import Willing
from chalicelib.people import homes

_kinds: list[type[Willing]] = []


class News(msgspec.Struct, frozen=True):
    """What is told: a kind of the catalogue with its facts.

    `since` is when it became news: with kind, `about` and person it makes the message's id. Nobody hears of more than
    `a_day` of the same kind. `only_if` adds to the write what else must be true of whom it tells (NotMeant).
    """

    kind: str
    about: str
    since: datetime
    area: str
    facts: dict[str, str]
    a_day: int
    only_if: Callable[[transaction, str], None] | None = None

    @property
    def mark(self) -> str:
        """What a resident's day remembers of it: of the same there may be news again."""
        return f"{self.about}@{clock.stamp(self.since)}"


class NotMeant(Conflict):
    """They know it already, or it is not for them any more."""


class ToldMeanwhile(Conflict):
    """The index was behind: this resident was told of something meanwhile, or wants to hear no more."""


def moves_with_home(kind: type[Willing]) -> None:
    """Whoever is willing hears of the news near a new home as soon as they have moved."""
    _kinds.append(kind)


@homes.on_move
def move(tx: transaction, resident_id: str, *, home: str, now: datetime) -> None:
    """One read for all kinds, in the write by which somebody chooses a home."""
    for willing in read_together(*(kind.key(resident_id) for kind in _kinds)):
        if willing is not None:
            tx.update(willing, _listed(willing, home), or_raise=Conflict())


def switch_on(tx: transaction, kind: type[Willing], resident_id: str, *, home: str) -> None:
    """Be told from now on. Asking earns nothing (WeChat forbids rewarding it)."""
    willing = kind.key(resident_id)
    tx.update(willing, [*_listed(willing, home), kind.day.set(kind.day | "")], create=True)


def switch_off(tx: transaction, kind: type[Willing], resident_id: str) -> None:
    tx.delete(kind.key(resident_id))


def wanted(kind: type[Willing], resident_id: str) -> bool:
    willing = kind.key(resident_id)
    return kind.find(willing.pk, willing.sk) is not None


def _listed(willing: Willing, home: str) -> list[Action]:
    key, sort = willing.place(willing.resident_id, home)
    return Item.set(area_key=key, area_sort=sort)


def tell_each(found: Iterable[Item], news: News, *, now: datetime, but: Collection[str | None] = ()) -> None:
    """Tell all of a list, except those to whom it is no news."""
    for willing in found:
        if isinstance(willing, Willing) and willing.resident_id not in but:
            tell_one(willing, news, now)


def tell_one(willing: Willing, news: News, now: datetime) -> None:
    """One resident, unless they know already or have heard of enough for today."""
    current: Willing | None = willing
    while current is not None and _wants(current, news, now):
        try:
            _tell_as_read(current, news, now)
        except NotMeant:
            return
        except ToldMeanwhile:
            current = type(willing).find(willing.pk, willing.sk)
        else:
            return


def _wants(willing: Willing, news: News, now: datetime) -> bool:
    told = willing.told or set() if willing.day == clock.day(now).isoformat() else set()
    return news.mark not in told and len(told) < news.a_day


def _tell_as_read(willing: Willing, news: News, now: datetime) -> None:
    today = clock.day(now).isoformat()
    note: Action
    if willing.day == today:
        note = Willing.told.add({news.mark})
        as_read = (Willing.day == today) & (Willing.told == willing.told)
    else:
        note, as_read = Willing.told.set({news.mark}), Willing.day == willing.day
    message = notices.new_notice(
        willing.resident_id,
        news.kind,
        about=news.about,
        now=now,
        area=news.area,
        facts=news.facts,
        once_at=news.since,
    )
    with transaction() as tx:
        tx.update(willing, [Willing.day.set(today), note], when=as_read, or_raise=ToldMeanwhile())
        if news.only_if:
            news.only_if(tx, willing.resident_id)
        tx.create(message, or_raise=NotMeant())
