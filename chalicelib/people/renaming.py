"""Another nickname: whatever is under way shows it within a minute or two, wherever the old one was copied."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from chalicelib.kit import timers
from chalicelib.kit.table import Action
from chalicelib.kit.transaction import transaction
from chalicelib.people import personal_data
from chalicelib.people.models import Resident
from chalicelib.people.personal_data import Named, RenamedAgain

TIMER = "people.renamed"


def to(nickname: str, resident: Resident, *, now: datetime) -> list[Action]:
    """What changes of a resident whose account is open: the only way to another nickname, whoever has decided on it."""
    return [
        *Resident.set(nickname=nickname, renamed_at=now),
        *timers.set_to(resident.pk, TIMER, now),
    ]


@timers.on(TIMER)
def show_everywhere(renamed: Resident, *, now: datetime) -> None:
    """Let every slice show the nickname of now, at once and twice more (see `personal_data`)."""
    resident = Resident.fetch(renamed.pk, renamed.sk)
    if resident.timer != TIMER or resident.renamed_at is None:
        return  # the account was closed meanwhile
    with suppress(RenamedAgain):
        personal_data.rename(Named(resident.id, resident.nickname))
        following = personal_data.again(resident.renamed_at, began=now)
        then = timers.set_to(resident.pk, TIMER, following) if following else timers.stop()
        unchanged = (Resident.timer == TIMER) & (Resident.renamed_at == resident.renamed_at)
        with transaction() as tx:
            tx.update(resident, then, when=unchanged, or_raise=RenamedAgain())
