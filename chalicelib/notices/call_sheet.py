"""Whom staff should call: people whom a message that matters did not reach.

The list shows who and what, never a phone number; that takes the explicit act of showing an identity.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from chalicelib.areas import rules as areas
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.table import Item, Page, page, read_together
from chalicelib.notices import rules
from chalicelib.notices.models import OFF_CALL_SHEET, Notice, not_reached
from chalicelib.people import service as people
from chalicelib.people.models import Resident
from chalicelib.people.rules import CARERS


class Entry(msgspec.Struct, frozen=True):
    notice: Notice
    nickname: str

    @property
    def id(self) -> str:
        """Whose notice and which, because staff find it without an index."""
        return f"{self.notice.resident_id}.{self.notice.id}"


def to_call(*, caller: Caller, area: str, cursor: str | None, now: datetime) -> tuple[list[Entry], str | None]:
    """Who waits for a call in an area, the longest waiting first within each of its parts."""
    if not areas.well_formed(area):
        raise areas.AreaUnknown()
    people.present(caller, now=now).must_hold(CARERS, area)
    waiting: Page[Notice] = page(
        Item.by_area, not_reached(area), Item.area_sort.startswith(area), of=Notice, cursor=cursor, newest_first=False
    )
    residents = read_together(*(Resident.key(notice.resident_id) for notice in waiting)) if waiting.items else []
    return _of_active(waiting.items, residents), waiting.next


def to_call_about(about: str, *, area: str) -> list[Entry]:
    """Whom a message about this one thing did not reach, the longest waiting first: one Query, and their nicknames.

    For slices that have made sure that their caller may know. `area`: the one that the messages were told with.
    """
    found = Item.by_area.query(not_reached(area), Item.area_sort.startswith(area), Notice.about == about)
    waiting = [notice for notice in found if isinstance(notice, Notice)]
    residents = read_together(*(Resident.key(notice.resident_id) for notice in waiting)) if waiting else []
    return sorted(_of_active(waiting, residents), key=lambda entry: entry.notice.at)


def _of_active(waiting: Sequence[Notice], residents: Sequence[Resident | None]) -> list[Entry]:
    return [
        Entry(notice, resident.nickname)
        for notice, resident in zip(waiting, residents, strict=True)
        if resident is not None and resident.state == "active"
    ]


def called(*, caller: Caller, entry_id: str, attempt: Attempt, now: datetime) -> None:
    """Note that this person has been called. Refused when somebody else was faster, or they read it themselves."""
    resident_id, _, notice_id = entry_id.partition(".")
    key = Notice.key(resident_id, notice_id)
    notice = Notice.fetch(key.pk, key.sk, or_raise=rules.NoticeUnknown())
    person = people.present(caller, now=now)
    if not notice.area or not person.holds(CARERS, notice.area):
        raise rules.NoticeUnknown()  # of another area, or of no concern to staff: not to be told apart
    person.must_hold(CARERS, notice.area)
    if attempt.made(notice):
        return
    with person.acting() as tx:
        tx.update(
            notice,
            [*Notice.set(called_at=now, called_by=person.id), *OFF_CALL_SHEET, *attempt.remember()],
            when=Item.area_key.exists(),
            or_raise=rules.AlreadyCalled(),
        )
