"""Residents who follow the service account (服务号): found once a day, so that messages can reach them there too.

WeChat knows a follower by an openid of that account. Only the unionid, which comes with a login when both accounts
are bound to one Open Platform account, says which resident that is. Kept are the keyed hash of the unionid and, for
residents alone, the sealed openid of the service account. docs/decisions/0008 says why once a day.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from chalicelib.kit import log, timers, vault
from chalicelib.kit.errors import Conflict
from chalicelib.kit.table import Item, read_together
from chalicelib.kit.transaction import transaction
from chalicelib.people import personal_data, rules
from chalicelib.people.models import FollowersRound, Resident, UnionidLink, keyed_hash, partition
from chalicelib.wechat import client, followers

_ROUND = "people.join_followers"
_EVERY = timedelta(days=1)
_SOON = timedelta(minutes=1)
_SECONDS = 10  # of a minute's sweep, which has other things to do

_started = False


class _MovedOn(Conflict):
    """The item is no longer as it was found."""


def remember(tx: transaction, resident: Resident, unionid: str | None, *, now: datetime) -> None:
    """At a login: note whose unionid this is, if there is a service account and it is not known yet."""
    if not unionid or not client.has_service_account():
        return
    link = UnionidLink.key(unionid)
    if resident.unionid_link == link.pk:
        return
    link.resident_id = resident.id
    tx.put(link)
    tx.update(
        resident,
        [Resident.unionid_link.set(link.pk)],
        when=Resident.state == "active",
        or_raise=rules.AccountClosed(),
    )
    _start(now)


def openid_of(resident: Resident) -> str:
    """Where the service account finds this follower. Raises KeyDestroyed for a closed account."""
    if resident.service_openid_sealed is None:
        raise vault.KeyDestroyed()
    return vault.read(resident.id, "service_openid", resident.service_openid_sealed)


@timers.on(_ROUND)
def join(current: FollowersRound, *, now: datetime) -> None:
    """Find residents among new followers, and forget the openid of those who follow no longer.

    One run takes some seconds; what is left then is taken up in the next minute.
    """
    if not client.has_service_account():
        _next(current, "", now + _EVERY)
        return
    following = {keyed_hash(openid): openid for openid in followers.openids()}
    joined = {link.person_sort: link for link in Item.by_person.query(UnionidLink.FOLLOWERS)}
    for digest in joined.keys() - following.keys():
        _leave(joined[digest])
    waiting = sorted(digest for digest in following.keys() - joined.keys() if digest > current.reached)
    until = time.monotonic() + _SECONDS
    while waiting:
        some, waiting = waiting[: followers.AT_ONCE], waiting[followers.AT_ONCE :]
        _join({digest: following[digest] for digest in some})
        if waiting and time.monotonic() > until:
            _next(current, some[-1], now + _SOON)
            return
    _next(current, "", now + _EVERY)


def _join(some: Mapping[str, str]) -> None:
    unionids = followers.unionids(list(some.values()))
    digests = [digest for digest, openid in some.items() if openid in unionids]
    links = read_together(*(UnionidLink.key(unionids[some[digest]]) for digest in digests)) if digests else []
    found = [(digest, link) for digest, link in zip(digests, links, strict=True) if link is not None]
    residents = read_together(*(Resident.key(link.resident_id) for _, link in found)) if found else []
    for (digest, link), resident in zip(found, residents, strict=True):
        if resident is not None and resident.state == "active" and resident.consent_version:
            _follows(resident, link, digest, some[digest])


def _follows(resident: Resident, link: UnionidLink, digest: str, openid: str) -> None:
    with suppress(_MovedOn, vault.KeyDestroyed), transaction() as tx:
        tx.update(
            resident,
            [Resident.service_openid_sealed.set(vault.seal(resident.id, "service_openid", openid))],
            when=(Resident.state == "active") & (Resident.unionid_link == link.pk),
            or_raise=_MovedOn(),
        )
        tx.update(
            link,
            Item.set(person_key=UnionidLink.FOLLOWERS, person_sort=digest),
            when=UnionidLink.resident_id == resident.id,
            or_raise=_MovedOn(),
        )
        log.count("follower", change="joined")


def _leave(link: UnionidLink) -> None:
    with suppress(_MovedOn), transaction() as tx:
        tx.update(
            link,
            Item.set(person_key=None, person_sort=None),
            when=(UnionidLink.resident_id == link.resident_id) & (Item.person_sort == link.person_sort),
            or_raise=_MovedOn(),
        )
        tx.update(Resident.key(link.resident_id), [Resident.service_openid_sealed.remove()])
        log.count("follower", change="left")


def _start(now: datetime) -> None:
    """Let there be a round every day. Looked at once in each container."""
    global _started
    if not _started:
        first = FollowersRound.key()
        timers.start(first, _ROUND, now + _EVERY)
        with suppress(_MovedOn), transaction() as tx:
            tx.create(first, or_raise=_MovedOn())
        _started = True


def _next(current: FollowersRound, reached: str, at: datetime) -> None:
    with transaction() as tx:
        tx.update(current, [FollowersRound.reached.set(reached), *timers.set_to(current.pk, _ROUND, at)])


@personal_data.eraser
def erase(resident_id: str, *, now: datetime) -> None:
    """The link goes, unless it has come to stand for the new account of the same person."""
    resident = Resident.find(partition(resident_id), "ME")
    if resident is None or resident.unionid_link is None:
        return
    with suppress(_MovedOn), transaction() as tx:
        link = UnionidLink(resident.unionid_link, "LINK")
        tx.delete(link, when=UnionidLink.resident_id == resident_id, or_raise=_MovedOn())
    with transaction() as tx:
        tx.update(resident, [Resident.unionid_link.remove()])
