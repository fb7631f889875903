"""Letting somebody act for me: a daughter for her father. What a delegate does says "X for Y"."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.account import rules
from chalicelib.account.models import Invitation
from chalicelib.kit import clock, ids, limits
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Conflict
from chalicelib.kit.table import Item, Page, page
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import delegations, personal_data
from chalicelib.people import service as people
from chalicelib.people.models import Delegation, Resident, partition
from chalicelib.people.personal_data import Named


def invite(*, caller: Caller, attempt: Attempt, now: datetime) -> Invitation:
    """A code to hand to the one who shall act for me, good for three days and once.

    It ends sooner when I take it back, end all my sessions or withdraw my consent."""
    person = people.present(caller, now=now)
    if len(person.resident.delegates or ()) >= rules.DELEGATES_AT_MOST:
        raise rules.TooManyDelegates()
    invitation = Invitation.key(attempt.code())
    invitation.principal, invitation.principal_name = person.id, person.resident.nickname
    invitation.session_version = person.resident.session_version
    invitation.ends_at, invitation.marks = now + rules.INVITATION_LIFE, attempt.marks()
    invitation.expires_at = int(invitation.ends_at.timestamp())
    invitation.person_key, invitation.person_sort = f"INVITES_OF#{person.id}", clock.stamp(now)
    try:
        with person.acting() as tx:
            tx.create(invitation, or_raise=Conflict())
            limits.spend(tx, person.id, "invite", at_most=rules.INVITATIONS_A_DAY, per=timedelta(days=1), now=now)
    except Conflict:
        made_before = Invitation.fetch(invitation.pk, invitation.sk)
        if not attempt.made(made_before):
            raise
        return made_before
    return invitation


def open_invitations(*, caller: Caller, now: datetime) -> list[Invitation]:
    """My codes that somebody may still use, the latest first."""
    found = Item.by_person.query(f"INVITES_OF#{caller.id}", scan_index_forward=False)
    return [
        each
        for each in found
        if isinstance(each, Invitation)
        and each.used_by is None
        and each.ends_at > now
        and each.session_version == caller.session_version
    ]


def take_back(*, caller: Caller, code: str, now: datetime) -> None:
    """Nobody may use this code of mine any more. Again changes nothing."""
    invitation: Invitation | None
    person, (invitation,) = people.present_with(caller, Invitation.key(ids.as_typed(code)), now=now)
    if invitation is None or invitation.principal != person.id:
        raise rules.InvitationUnknown()
    if invitation.used_by is not None:
        raise rules.InvitationAccepted()
    with person.acting() as tx:
        # Not deleted: a late repeat of the request that made it would make it again.
        tx.update(
            invitation,
            [Invitation.ends_at.set(min(invitation.ends_at, now))],
            when=Invitation.used_by.does_not_exist(),
            or_raise=rules.InvitationAccepted(),
        )


def accept(*, caller: Caller, code: str, now: datetime) -> Delegation:
    """Agree to act for the one who gave me this code. Saying it again with the same code changes nothing."""
    person = people.present(caller, now=now)
    with transaction() as tx:  # in a write of its own, or wrong guesses would not count
        limits.spend(tx, person.id, "accept", at_most=rules.CODES_TRIED_A_DAY, per=timedelta(days=1), now=now)
    invitation = Invitation.find(*_keys(Invitation.key(ids.as_typed(code))))
    if invitation is None or invitation.ends_at <= now:
        raise rules.InvitationUnknown()
    if invitation.principal == person.id:
        raise rules.OwnInvitation()
    if invitation.used_by is None and len(person.resident.principals or ()) >= rules.PRINCIPALS_AT_MOST:
        raise rules.TooManyPrincipals()
    try:
        return _accept(invitation, person, now) if invitation.used_by is None else _accepted(invitation, person)
    except rules.InvitationUsed:
        again = Invitation.fetch(*_keys(invitation), or_raise=rules.InvitationUnknown())
        return _accepted(again, person)  # perhaps by the same tap, doubled


def _accepted(invitation: Invitation, person: people.Person) -> Delegation:
    """What this person has accepted with this code before."""
    if invitation.used_by is None:
        raise rules.InvitationUnknown()  # taken back in this very moment
    if invitation.used_by != person.id:
        raise rules.InvitationUsed()
    return Delegation.fetch(*_keys(Delegation.key(invitation.principal, person.id)), or_raise=rules.NoDelegation())


def _accept(invitation: Invitation, person: people.Person, now: datetime) -> Delegation:
    delegation = Delegation.key(invitation.principal, person.id)
    delegation.since, delegation.delegate_name = now, person.resident.nickname
    delegation.principal_name = invitation.principal_name
    delegation.person_key, delegation.person_sort = f"DELEGATE_OF#{person.id}", invitation.principal
    with transaction() as tx:
        tx.update(
            invitation,
            [Invitation.used_by.set(person.id)],
            when=Invitation.used_by.does_not_exist() & (Invitation.ends_at == invitation.ends_at),
            or_raise=rules.InvitationUsed(),
        )
        # Whoever has ended all sessions or withdrawn their consent since has ended the invitation with them.
        as_invited = (Resident.state == "active") & (Resident.session_version == invitation.session_version)
        delegations.begin(tx, delegation, by=person, when=as_invited, or_raise=rules.InvitationUnknown())
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
        delegations.end(tx, delegation, by=person, or_raise=rules.NoDelegation())
        notices.tell(tx, told, kind, about=person.id, now=now, principal=name, delegate=name)


@personal_data.renamer
def rename(named: Named) -> None:
    """Who acts for them, and for whom they act, sees the name of now; invitations that are out will."""
    for delegation in Item.collection(partition(named.id), "ME#DELEGATE#"):
        named.show(delegation, Delegation.principal_name)
    for item in Item.by_person.query(f"DELEGATE_OF#{named.id}"):
        named.show(item, Delegation.delegate_name)
    for item in Item.by_person.query(f"INVITES_OF#{named.id}"):
        named.show(item, Invitation.principal_name)


def _keys(item: Item) -> tuple[str, str]:
    return item.pk, item.sk
