"""Letting somebody act for me: a daughter for her father. What a delegate does says "X for Y"."""

from __future__ import annotations

from datetime import datetime

from chalicelib.account import rules
from chalicelib.account.models import Invitation
from chalicelib.kit import ids
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Conflict
from chalicelib.kit.table import Item, Page, page
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import service as people
from chalicelib.people.models import Delegation, Resident, partition


def invite(*, caller: Caller, now: datetime) -> Invitation:
    """A code to hand to the one who shall act for me, good for three days and once."""
    person = people.present(caller, now=now)
    invitation = Invitation.key(ids.pick_up_code())
    invitation.principal, invitation.principal_name = person.id, person.resident.nickname
    invitation.ends_at = now + rules.INVITATION_LIFE
    invitation.expires_at = int(invitation.ends_at.timestamp())
    with transaction() as tx:
        tx.create(invitation, or_raise=Conflict())
        person.still(tx)
    return invitation


def accept(*, caller: Caller, code: str, now: datetime) -> Delegation:
    """Agree to act for the one who gave me this code. Saying it again with the same code changes nothing."""
    person = people.present(caller, now=now)
    invitation = Invitation.find(*_keys(Invitation.key(ids.as_typed(code))))
    if invitation is None or invitation.ends_at <= now:
        raise rules.InvitationUnknown()
    if invitation.principal == person.id:
        raise rules.OwnInvitation()
    if invitation.used_by == person.id:
        return Delegation.fetch(
            partition(invitation.principal), f"ME#DELEGATE#{person.id}", or_raise=rules.NoDelegation()
        )
    delegation = Delegation.key(invitation.principal, person.id)
    delegation.since, delegation.delegate_name = now, person.resident.nickname
    delegation.principal_name = invitation.principal_name
    delegation.person_key, delegation.person_sort = f"DELEGATE_OF#{person.id}", invitation.principal
    with transaction() as tx:
        tx.update(
            invitation,
            [Invitation.used_by.set(person.id)],
            when=Invitation.used_by.does_not_exist(),
            or_raise=rules.InvitationUsed(),
        )
        tx.put(delegation)
        person.still(tx)
        tx.check(
            Resident.key(invitation.principal),
            when=Resident.state == "active",
            or_raise=rules.InvitationUnknown(),
        )
        notices.tell(
            tx, invitation.principal, "delegate_accepted", about=person.id, now=now, delegate=person.resident.nickname
        )
    return delegation


def mine(*, caller: Caller) -> list[Delegation]:
    """Who may act for me."""
    return Item.collection(partition(caller.id), "ME#DELEGATE#")


def for_whom(*, caller: Caller, cursor: str | None) -> Page[Delegation]:
    """For whom I may act."""
    return page(Item.by_person, f"DELEGATE_OF#{caller.id}", of=Delegation, cursor=cursor)


def revoke(*, caller: Caller, delegate: str, now: datetime) -> None:
    """Nobody acts for me any more but who I still want: bites at the delegate's next act."""
    person = people.present(caller, now=now)
    _end(person, Delegation.key(person.id, delegate), told=delegate, kind="delegate_revoked", now=now)


def resign(*, caller: Caller, principal: str, now: datetime) -> None:
    """I do not act for them any more."""
    person = people.present(caller, now=now)
    _end(person, Delegation.key(principal, person.id), told=principal, kind="delegate_resigned", now=now)


def _end(person: people.Person, delegation: Delegation, *, told: str, kind: str, now: datetime) -> None:
    name = person.resident.nickname
    with transaction() as tx:
        tx.delete(delegation, when=Item.pk.exists(), or_raise=rules.NoDelegation())
        person.still(tx)
        notices.tell(tx, told, kind, about=person.id, now=now, principal=name, delegate=name)


def _keys(item: Item) -> tuple[str, str]:
    return item.pk, item.sk
