"""Logging in and out, consent, the phone number, and who is present in an act."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec

from chalicelib.areas import rules as areas
from chalicelib.kit import auth, ids, limits, phones, timers, vault
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller, ConsentNeeded, NotADelegate, Revocation
from chalicelib.kit.errors import Changed, Conflict, Problem
from chalicelib.kit.table import Action, Condition, Item, read_together
from chalicelib.kit.transaction import settled, transaction
from chalicelib.people import followers, rules
from chalicelib.people.models import Delegation, Duty, OpenidLink, Resident, keyed_hash, partition
from chalicelib.wechat import login as wechat_login
from chalicelib.wechat.callback import AuthorizationRevoked

L = TypeVar("L", bound=Callable[..., None])

LOGINS_AN_HOUR = 30
# From one address, which a whole street may share. No phone has a wrong code: each costs us a call to WeChat.
WRONG_CODES_AN_HOUR = 100
PHONE_CHANGES_A_DAY = 5  # each costs the account 0.03 yuan
HOLDERS_AT_MOST = 50
_after_login: list[Callable[..., None]] = []


class Person(msgspec.Struct):
    """Somebody in the middle of an act: read once, and held to it by the act's own transaction."""

    caller: Caller
    resident: Resident
    duties: list[Duty]
    now: datetime
    delegation: Delegation | None = None  # when somebody acts for them
    delegate: Resident | None = None
    relied_on: list[Duty] = []
    apart: bool = False  # from the other side of the act, see `apart_from`

    @property
    def id(self) -> str:
        """The resident whose act it is: the principal, when a delegate acts."""
        return self.resident.id

    @property
    def by(self) -> str | None:
        """The delegate who acts, None when the resident does."""
        return self.delegate.id if self.delegate else None

    @property
    def by_name(self) -> str | None:
        return self.delegation.delegate_name if self.delegation else None

    def holds(self, roles: Iterable[str], area: str) -> Duty | None:
        return next((duty for duty in self.duties if rules.covers(duty, roles, area, self.now)), None)

    def must_hold(self, roles: Iterable[str], area: str) -> Duty:
        """The duty that allows this, or DutyNeeded. `still` then ties the act to it."""
        duty = self.holds(roles, area)
        if duty is None:
            raise rules.DutyNeeded()
        if duty not in self.relied_on:  # asked for again when an act reads and decides anew
            self.relied_on = [*self.relied_on, duty]
        return duty

    def apart_from(self, *others: str | None, or_raise: Problem, tied: Problem | None = None) -> None:
        """Nobody stands on both sides of an act: who acts, and for whom, is none of the `others`, else `or_raise`, and
        is not joined to one of them by a delegation, either way, else `tied`. `still` then holds the act to it.
        """
        theirs = {each for each in others if each}
        if theirs & {self.id, self.caller.id}:
            raise or_raise
        if not theirs:
            return
        self.apart = True
        if theirs & (self.resident.tied_to | (self.delegate.tied_to if self.delegate else set())):
            raise tied or rules.BothSides()

    def not_theirs(self, those: Iterable[str]) -> list[str]:
        """Who of these is joined to them by a delegation: for an act about many, which then leaves these out."""
        self.apart = True
        return sorted(self.resident.tied_to & set(those))

    def condition(self) -> Condition:
        """True as long as the resident is active, logged in as now, and consents."""
        return _logged_in(self.caller, self.resident.consent_version)

    @contextmanager
    def acting(self) -> Iterator[transaction]:
        """A transaction that counts only while this person still is who they were when they were read."""
        with transaction() as tx:
            yield tx
            self.still(tx)

    def still(self, tx: transaction) -> None:
        """Let a transaction depend on this person still being who they were when they were read."""
        if self.delegate is None:
            self._hold(tx, self.resident, self.condition(), rules.SessionEnded())
        else:
            # The principal need not be logged in anywhere: what counts is that they are there and consent.
            consents = (Resident.state == "active") & (Resident.consent_version == self.resident.consent_version)
            self._hold(tx, self.resident, consents, rules.DelegationPaused())
            tx.check(Delegation.key(self.id, self.delegate.id), when=Item.pk.exists(), or_raise=NotADelegate())
            self._hold(tx, self.delegate, _logged_in(self.caller, self.caller.consent), rules.SessionEnded())
        self.still_on_duty(tx)

    def _hold(self, tx: transaction, resident: Resident, condition: Condition, or_raise: Problem) -> None:
        # Who must be apart from others reads and decides anew: a delegation may have been granted in between.
        if self.apart:
            condition, or_raise = condition & resident.tied_as_read(), Changed()
        tx.check(resident, when=condition, or_raise=or_raise)

    def still_on_duty(self, tx: transaction) -> None:
        """The part of `still` for an act that changes the resident's own item."""
        for duty in self.relied_on:
            # Ended since it was read, not ended by now: the end may carry a later time than this act does.
            as_read = Item.pk.exists() & Duty.until_at.does_not_exist()
            if duty.until_at is not None:
                as_read = as_read | (Duty.until_at >= duty.until_at)
            tx.check(duty, when=as_read, or_raise=rules.DutyNeeded())


def _logged_in(caller: Caller, consent: str) -> Condition:
    return (  # type: ignore[no-any-return]
        (Resident.state == "active")
        & (Resident.consent_version == consent)
        & (Resident.session_version == caller.session_version)
        & ~Resident.ended_sessions.contains(caller.session)
    )


def still_logged_in(tx: transaction, caller: Caller) -> None:
    """Let a transaction depend on the caller's own session: for acts that read nobody, and for who acts for another."""
    tx.check(Resident.key(caller.id), when=_logged_in(caller, caller.consent), or_raise=rules.SessionEnded())


def present(caller: Caller, *, now: datetime, needs_consent: bool = True) -> Person:
    """The person an act is done by (or for, when a delegate acts), with all duties: one Query."""
    if caller.acting_for:
        # A delegate acts as a resident for a resident; the principal's staff duties are not theirs to use.
        return present_with(caller, now=now)[0]
    found = Item.collection(partition(caller.id), "ME")
    resident = next((item for item in found if isinstance(item, Resident)), None)
    duties = [item for item in found if isinstance(item, Duty)]
    return Person(caller, _check_own(caller, resident, needs_consent), duties, now)


@auth.on_delegation
def present_with(caller: Caller, *items: Item, now: datetime) -> tuple[Person, list[Any]]:
    """The person, without duties, together with the items an act is about: one BatchGetItem.

    When a delegate acts, it reads the delegate as well. What a delegate may read depends on this, too (`kit.http`)."""
    if not caller.acting_for:
        resident, *found = read_together(Resident.key(caller.id), *items)
        return Person(caller, _check_own(caller, resident), [], now), found
    resident, delegation, delegate, *found = read_together(
        Resident.key(caller.principal), Delegation.key(caller.principal, caller.id), Resident.key(caller.id), *items
    )
    _check_own(caller, delegate)
    if delegation is None or resident is None or resident.state != "active":
        raise NotADelegate()
    if resident.consent_version != auth.privacy().version:
        raise rules.DelegationPaused()
    return Person(caller, resident, [], now, delegation, delegate), found


def _check_own(caller: Caller, resident: Resident | None, needs_consent: bool = True) -> Resident:
    """The caller's own item, if their token still stands for them."""
    if resident is None or resident.state != "active":
        raise rules.AccountClosed()
    ended = int(resident.session_version) > caller.session_version or caller.session in (resident.ended_sessions or {})
    if ended:
        raise rules.SessionEnded()
    if needs_consent and resident.consent_version != auth.privacy().version:
        raise ConsentNeeded()
    return resident


class Session(msgspec.Struct, frozen=True):
    token: str
    ends: datetime
    resident: Resident


def log_in(*, js_code: str, address: str, now: datetime) -> Session:
    """Trade wx.login's code for a session of ours; the first login makes the resident."""
    identity = _identity(js_code, address, now)
    link = OpenidLink.find(*_keys(OpenidLink.key(identity.openid)))
    resident = Resident.fetch(partition(link.resident_id), "ME") if link else _register(identity.openid, now)
    if resident.state != "active":
        raise rules.AccountClosed()  # closed since the link was read, so the next login makes a new resident
    with transaction() as tx:
        limits.spend(tx, resident.id, "login", at_most=LOGINS_AN_HOUR, per=timedelta(hours=1), now=now)
        followers.remember(tx, resident, identity.unionid, now=now)
    for follow in _after_login:
        follow(resident, now=now)
    return _session(resident, identity.openid, now)


def _identity(js_code: str, address: str, now: datetime) -> wechat_login.Identity:
    at_most, an_hour = WRONG_CODES_AN_HOUR, timedelta(hours=1)
    source = keyed_hash(address)  # the address itself is kept nowhere
    limits.refuse_used_up(source, "wrong_code", at_most=at_most, per=an_hour, now=now)
    try:
        return wechat_login.code_to_session(js_code)
    except wechat_login.LoginCodeInvalid:
        with transaction() as tx:
            limits.spend(tx, source, "wrong_code", at_most=at_most, per=an_hour, now=now)
        raise


def after_login(follow: L) -> L:
    """Register `follow(resident, *, now)` for slices above: called after each login, which it must not fail."""
    _after_login.append(follow)
    return follow


def _register(openid: str, now: datetime) -> Resident:
    resident_id = ids.new_id("res")
    vault.open_for(resident_id)
    resident = Resident.key(resident_id)
    resident.nickname = rules.first_nickname(resident_id)
    resident.openid_sealed = vault.seal(resident_id, "openid", openid)
    resident.created_at = now
    link = OpenidLink.key(openid)
    link.resident_id = resident_id
    try:
        with transaction() as tx:
            tx.create(link, or_raise=Conflict())
            tx.create(resident, or_raise=Conflict())
    except Conflict:
        # The same phone logged in twice at once: the other one was faster, and is who this person is.
        vault.destroy(resident_id)
        link = OpenidLink.fetch(link.pk, link.sk)
        return Resident.fetch(partition(link.resident_id), "ME")
    return resident


def _session(resident: Resident, openid: str, now: datetime, session: str | None = None) -> Session:
    token, ends = auth.issue(
        resident_id=resident.id,
        openid=openid,
        session_version=int(resident.session_version),
        consent=resident.consent_version,
        session=session,
        now=now,
    )
    return Session(token, ends, resident)


def log_out(*, caller: Caller, now: datetime) -> None:
    """End this session, on this phone. It writes nothing from now on, and reads for a minute at most."""
    _log_out(caller, now)
    auth.forget_revocations()


@settled(or_raise=Conflict)
def _log_out(caller: Caller, now: datetime) -> None:
    person = present(caller, now=now, needs_consent=False)
    ended = person.resident.ended_sessions
    # Only those are kept whose tokens have not ended by themselves: not more than there are logins in that time.
    kept = {session: ends for session, ends in (ended or {}).items() if ends > now.timestamp()}
    as_read = Resident.ended_sessions == ended if ended else Resident.ended_sessions.does_not_exist()
    with transaction() as tx:
        tx.update(
            person.resident,
            [Resident.ended_sessions.set(kept | {caller.session: auth.tokens_end(now)})],
            when=person.condition() & as_read,
            or_raise=Changed(),
        )
        tx.put(Revocation.of_session(caller, now=now))


def log_out_everywhere(*, caller: Caller, now: datetime) -> None:
    """End all sessions of this resident, e.g. after a phone was lost."""
    person = present(caller, now=now, needs_consent=False)
    with transaction() as tx:
        end_sessions(tx, person.resident, now=now, by=person)
    auth.forget_revocations()


def end_sessions(
    tx: transaction, resident: Resident, *, now: datetime, by: Person | None = None, also: Sequence[Action] = ()
) -> None:
    """Make every token of a resident worthless, together with other changes (`also`) to the resident.

    What was made for others to use ends with it: an invitation names the version it was made under. `by` is the
    resident, when the act is their own."""
    version = int(resident.session_version)
    as_read = (Resident.state == "active") & (Resident.session_version == version)
    tx.update(
        resident,
        [*Resident.set(session_version=version + 1, ended_sessions=None), *also],
        when=as_read & by.condition() if by else as_read,
        or_raise=Conflict(),
    )
    tx.put(Revocation.of_resident(resident.id, below_version=version + 1, now=now))


def consent(*, caller: Caller, version: str, now: datetime) -> Session:
    """Agree to the privacy notice of this version. The answer's token carries it."""
    if version != auth.privacy().version:
        raise rules.ConsentOutdated()
    person = present(caller, now=now, needs_consent=False)
    with transaction() as tx:
        tx.update(
            person.resident,
            Resident.set(consent_version=version, consent_at=now),
            when=person.condition(),
            or_raise=rules.SessionEnded(),
        )
    person.resident.consent_version = version
    return _session(person.resident, caller.openid, now, caller.session)


def withdraw_consent(*, caller: Caller, now: datetime) -> Session:
    """Take the consent back: from now on nothing works but reading the notice, agreeing again, and leaving."""
    person = present(caller, now=now, needs_consent=False)
    with transaction() as tx:
        withdrawn = Resident.set(consent_version="", consent_at=now)
        end_sessions(tx, person.resident, now=now, by=person, also=withdrawn)
    auth.forget_revocations()
    person.resident.consent_version = ""
    person.resident.session_version = int(person.resident.session_version) + 1
    return _session(person.resident, caller.openid, now)


def register_phone(*, caller: Caller, code: str, attempt: Attempt, now: datetime) -> Resident:
    """Keep the phone number behind WeChat's code, sealed; only its owner ever reads it in the app."""
    person = present(caller, now=now)
    if attempt.made(person.resident):
        return person.resident
    with transaction() as tx:
        limits.spend(tx, person.id, "phone", at_most=PHONE_CHANGES_A_DAY, per=timedelta(days=1), now=now)
    given = wechat_login.phone_number(code, caller.openid)
    number = phones.read(given) or given  # they are called there, whatever numbering plans say
    sealed, masked = vault.seal(person.id, "phone", number), rules.mask_phone(phones.shown(number))
    with transaction() as tx:
        tx.update(
            person.resident,
            [
                *Resident.set(phone_sealed=sealed, phone_masked=masked, phone_given_at=now),
                *attempt.remember_alone(),
            ],
            when=person.condition(),
            or_raise=rules.SessionEnded(),
        )
    person.resident.phone_masked = masked
    return person.resident


def forget_phone(*, caller: Caller, now: datetime) -> None:
    """Delete the caller's phone number."""
    person = present(caller, now=now)
    with transaction() as tx:
        tx.update(person.resident, _no_phone(), when=person.condition(), or_raise=rules.SessionEnded())


def phone_taken_back(resident: Resident, event: AuthorizationRevoked) -> None:
    """WeChat says that somebody took back the use of their number: the one that was given before that goes."""
    given = resident.phone_given_at
    if resident.phone_sealed is None or not event.undoes(given):
        return
    as_read = Resident.phone_given_at == given if given else Resident.phone_given_at.does_not_exist()
    with suppress(Changed), transaction() as tx:  # another was given in this very moment
        tx.update(resident, _no_phone(), when=as_read, or_raise=Changed())


def _no_phone() -> list[Action]:
    return Resident.set(phone_sealed=None, phone_masked=None, phone_given_at=None)


def own_phone(*, caller: Caller, now: datetime) -> str:
    """The caller's own number in full."""
    return phone_of(present(caller, now=now).resident)


def phone_of(resident: Resident) -> str:
    """For the owner, and for `account.identity.show`, which logs who looked. NoPhone when there is none."""
    if resident.phone_sealed is None:
        raise rules.NoPhone()
    return phones.shown(vault.read(resident.id, "phone", resident.phone_sealed))


def openid_of(resident: Resident) -> str:
    """Where WeChat finds this person. Raises KeyDestroyed for a closed account."""
    if resident.openid_sealed is None:
        raise vault.KeyDestroyed()
    return vault.read(resident.id, "openid", resident.openid_sealed)


def find(resident_id: str) -> Resident | None:
    return Resident.find(partition(resident_id), "ME")


def closed_among(ids: Iterable[str | None]) -> set[str]:
    """Which of these people have closed their account. One BatchGetItem, or nothing for nobody."""
    keys = [Resident.key(each) for each in sorted({each for each in ids if each})]
    found: list[Resident | None] = read_together(*keys) if keys else []
    return {each.id for each in found if each and each.state == "closed"}


def holders(role: str, area: str, *, now: datetime) -> list[str]:
    """Who holds this role for an area: those of the smallest area around it that has any, else nobody.

    No more than HOLDERS_AT_MOST: they are told in the transaction of an act, which holds a hundred items.
    """
    for code in areas.up_from(area):
        held = [item for item in Item.by_area.query(f"DUTY#{role}#{code}") if isinstance(item, Duty)]
        current = [duty.resident_id for duty in held if rules.in_force(duty, now)]
        if current:
            return current[:HOLDERS_AT_MOST]
    return []


def grant_duty(tx: transaction, duty: Duty) -> None:
    """Give somebody a role over an area (an administrator's act, see console). Again replaces the period."""
    resident, marked = Resident.key(duty.resident_id), [Resident.had_duty.set(True)]
    tx.update(resident, marked, when=Resident.state == "active", or_raise=rules.AccountClosed())
    tx.put(duty)


def looks_after(resident_id: str, area: str, *, now: datetime) -> bool:
    """Does somebody hold a carer's duty over the area at this moment?"""
    return any(rules.covers(duty, rules.CARERS, area, now) for duty in duties_of(resident_id))


def duties_of(resident_id: str) -> list[Duty]:
    """Somebody's duties, those that have ended among them: one Query."""
    return Item.collection(partition(resident_id), "ME#DUTY#")


def end_duty(tx: transaction, duty: Duty, *, now: datetime) -> None:
    """End a duty now. It bites at once: every staff act reads duties consistently."""
    tx.update(
        duty,
        [Duty.until_at.set(now), *timers.set_to(duty.pk, Duty.TIMER, now)],
        when=Duty.until_at.does_not_exist() | (Duty.until_at > now),
        or_raise=rules.DutyUnknown(),
    )


def _keys(item: Item) -> tuple[str, str]:
    return item.pk, item.sk
