"""Closing an account: the person becomes unreadable at once; what must stay stays without them."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from chalicelib.account import own_data, rules
from chalicelib.content import photos
from chalicelib.content.models import Photo
from chalicelib.kit import auth, log, timers, vault
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed, Conflict
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices import events
from chalicelib.notices import service as notices
from chalicelib.people import delegations, personal_data
from chalicelib.people import rules as people_rules
from chalicelib.people import service as people
from chalicelib.people.models import Delegation, Duty, OpenidLink, Resident, partition
from chalicelib.people.service import Person
from chalicelib.wechat.callback import AuthorizationCancelled, AuthorizationRevoked

_FIRST_TRY = timedelta(minutes=2)  # longer than any of our functions lives


class NotClosed(Conflict):
    """Nobody is erased whose account is open."""


def close_my_account(*, caller: Caller, word: str, now: datetime) -> None:
    """Close the caller's account for ever. Logging in again makes a new one."""
    if word != rules.CLOSING_WORD:
        raise rules.ClosingNotConfirmed(fields={"word": f"请输入“{rules.CLOSING_WORD}”"})
    person = people.present(caller, now=now, needs_consent=False)
    close(person.resident, now=now, by=person)


@events.on(AuthorizationCancelled)
def authorization_cancelled(event: AuthorizationCancelled, *, resident_id: str | None, now: datetime) -> None:
    """Somebody has ended their use of the mini-program in WeChat's settings: the same as closing the account.

    Not the account that they have made since."""
    resident = people.find(resident_id) if resident_id else None
    if resident is not None and resident.state == "active" and event.undoes(resident.created_at):
        close(resident, now=now)


@events.on(AuthorizationRevoked)
def authorization_revoked(event: AuthorizationRevoked, *, resident_id: str | None, now: datetime) -> None:
    """Somebody took back what they had let us use: we forget it, but not what they have given since."""
    resident = people.find(resident_id) if resident_id else None
    if resident is None or resident.state != "active":
        return
    revoked = event.revoke_info.split(",")
    if rules.REVOKED_PHONE in revoked:
        people.phone_taken_back(resident, event)
    if rules.REVOKED_PICTURES in revoked and resident.avatar:
        _picture_taken_back(resident, event, now=now)


def _picture_taken_back(resident: Resident, event: AuthorizationRevoked, *, now: datetime) -> None:
    avatar = Photo.find(resident.pk, f"PHOTO#{resident.avatar}")
    if avatar is not None and not event.undoes(avatar.uploaded_at):
        return
    with suppress(Changed), transaction() as tx:  # another has taken its place in this very moment
        tx.update(resident, [Resident.avatar.remove()], when=Resident.avatar == resident.avatar, or_raise=Changed())
        if avatar is not None and avatar.state == "shown":
            photos.remove(tx, avatar, now=now)


def close(resident: Resident, *, now: datetime, by: Person | None = None) -> None:
    """One write ends sessions, openid, phone, name and home; then the key is destroyed, then the rest is erased.

    The timer set with that write does the last two again until they have succeeded, and then twice more, for what no
    index has shown until then (see `personal_data`). It starts late, so as not to meet the first try.
    """
    gone = (
        Resident.openid_sealed,
        Resident.service_openid_sealed,
        Resident.phone_sealed,
        Resident.phone_masked,
        Resident.phone_given_at,
        Resident.avatar,
        Resident.home,
        Resident.home_reason,
        Resident.home_since,
        Resident.area_key,
        Resident.area_sort,
        Resident.renamed_at,
    )
    link = OpenidLink.key(people.openid_of(resident))
    with transaction() as tx:
        people.end_sessions(
            tx,
            resident,
            now=now,
            by=by,
            also=[
                *Resident.set(
                    state="closed",
                    closed_at=now,
                    nickname=people_rules.NICKNAME_OF_THE_CLOSED,
                    home_state="none",
                    consent_version="",
                ),
                *(attribute.remove() for attribute in gone),
                *timers.set_to(resident.pk, "account.erase", now + _FIRST_TRY),
            ],
        )
        tx.delete(link)
    auth.forget_revocations()
    try:
        erase(resident, now=now)
    except Exception as error:  # noqa: BLE001 - the account is closed; the timer finishes what is left
        log.crash(error)


@timers.on("account.erase")
def erase(resident: Resident, *, now: datetime) -> None:
    """Destroy the key, then let every slice take the person out of what it keeps; for the last time a day later."""
    current = people.find(resident.id)
    if current is None or current.state != "closed":
        raise NotClosed()
    vault.destroy(resident.id)
    personal_data.erase(resident.id, now=now)
    following = personal_data.again(current.closed_at, began=now)
    then = timers.set_to(resident.pk, "account.erase", following) if following else timers.stop()
    with transaction() as tx:
        tx.update(resident, then, when=Resident.state == "closed", or_raise=NotClosed())
    if following is None:
        log.count("account_erased")


@personal_data.eraser
def erase_account(resident_id: str, *, now: datetime) -> None:
    """Duties end, delegations, invitations and the copy of the data go; the other side of a delegation is told."""
    own_data.destroy(resident_id)
    for item in Item.collection(partition(resident_id), "ME#"):
        if isinstance(item, Duty) and (item.until_at is None or item.until_at > now):
            with transaction() as tx:
                people.end_duty(tx, item, now=now)
        if isinstance(item, Delegation):
            _drop(
                item, "account_closed", to=item.delegate, about=item.principal, now=now, principal=item.principal_name
            )
    for delegation in Item.by_person.query(f"DELEGATE_OF#{resident_id}"):
        delegate, gone = delegation.delegate, people_rules.NICKNAME_OF_THE_CLOSED
        _drop(delegation, "delegate_resigned", to=delegation.principal, about=delegate, now=now, delegate=gone)
    for invitation in Item.by_person.query(f"INVITES_OF#{resident_id}"):
        with transaction() as tx:
            tx.delete(invitation)


def _drop(delegation: Delegation, kind: str, *, to: str, about: str, now: datetime, **facts: str) -> None:
    """End it and tell the other side, once: the index may still show what an earlier try has ended."""
    with suppress(rules.NoDelegation), transaction() as tx:
        delegations.end(tx, delegation, or_raise=rules.NoDelegation())
        notices.tell(tx, to, kind, about=about, now=now, **facts)
