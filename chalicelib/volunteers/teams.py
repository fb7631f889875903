"""Teams: who leads, who joins by a code, who leaves. Every act is one write on the team as it was read.

A team whose first name waits for a verdict may gather its members, who see it without a name; it cannot sign up
before the name has passed. A new name shows once it has passed, the old one stays until then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from chalicelib.content import reviews
from chalicelib.content import service as content
from chalicelib.content.models import Review
from chalicelib.content.rules import SubjectGone
from chalicelib.content.service import Screening
from chalicelib.kit import clock, limits
from chalicelib.kit import transaction as transactions
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed
from chalicelib.kit.ids import as_typed
from chalicelib.kit.table import Action, Item, read_together
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import service as people
from chalicelib.people.service import Person
from chalicelib.volunteers import team_rules as rules
from chalicelib.volunteers.models import Membership, Team, TeamCode, partition
from chalicelib.wechat.content import Scene

R = TypeVar("R")
DAY = timedelta(days=1)


def settled(act: Callable[[], R]) -> R:
    """Do the act, reading and deciding anew as long as others change the same team."""
    return transactions.settled(act, or_raise=rules.TryAgain())


# ------------------------------------------------------------------------------------------------ reading
def mine(*, caller: Caller) -> list[Membership]:
    """The teams somebody is in, those of longest standing first: one Query."""
    found: list[Membership] = Item.collection(partition(caller.id), Membership.PREFIX)
    return sorted(found, key=lambda each: each.since)


def look(*, caller: Caller, team_id: str) -> Team:
    """A team: of others only one that has a name to show."""
    team = find(team_id)
    if team is None or team.state != "active" or not (team.name or team.member(caller.id)):
        raise rules.TeamGone()
    return team


def find(team_id: str) -> Team | None:
    key = Team.key(team_id)
    return Team.find(key.pk, key.sk)


def called(team: Team) -> str:
    """The team's name in messages."""
    return team.name or rules.UNNAMED


# ------------------------------------------------------------------------------------------------ name
def found(*, caller: Caller, typed: str, attempt: Attempt, now: datetime) -> Team:
    """Found a team, and lead it."""
    name = rules.name(typed)
    team_id = attempt.id("team")
    screening: Screening | None = None

    def create() -> Team:
        nonlocal screening
        person, (before, *slots) = people.present_with(caller, Team.key(team_id), *_slots(caller.id), now=now)
        if before is not None:
            return _founded(before, attempt)
        slot = rules.free_slot(_used(slots))
        screening = screening or content.screen(caller, scene=Scene.PROFILE, now=now, title=name)
        team = Team.key(team_id)
        team.leader, team.created_at, team.marks, team.version = person.id, now, attempt.marks(), 1
        team.code = attempt.code()
        team.members = [_entry(person, slot, now)]
        with transaction() as tx:
            _count_name(tx, person, now)
            review = _hold(tx, team, screening, name, person, now)
            team.name, team.coming_name, team.review = (None, name, review.id) if review else (name, None, None)
            tx.create(team, or_raise=Changed())
            tx.create(_link(team), or_raise=Changed())
            tx.create(_membership(team, person.id, slot, now), or_raise=Changed())
            person.still(tx)
        return team

    return settled(create)


def _founded(before: Team, attempt: Attempt) -> Team:
    attempt.made(before)  # KeyReused for another name
    if before.state != "active":
        raise rules.TeamGone()
    return before


def rename(*, caller: Caller, team_id: str, typed: str, attempt: Attempt, now: datetime) -> Team:
    """Give the team another name, which shows once it has passed."""
    name = rules.name(typed)
    screening: Screening | None = None

    def change() -> Team:
        nonlocal screening
        person, team = _led(caller, team_id, attempt, now)
        if attempt.made(team):
            return team
        screening = screening or content.screen(caller, scene=Scene.PROFILE, now=now, title=name)
        with transaction() as tx:
            _count_name(tx, person, now)
            if team.review:
                reviews.drop(tx, team.review, now=now)
            review = _hold(tx, team, screening, name, person, now)
            if review is None:
                _show_name(tx, team, name, also=_remember(team, attempt))
            else:
                waiting = [Team.coming_name.set(name), Team.review.set(review.id)]
                _write(tx, team, [*waiting, *_remember(team, attempt)])
            person.still(tx)
        return team

    settled(change)
    return _read_again(team_id)


def _hold(tx: transaction, team: Team, screening: Screening, name: str, person: Person, now: datetime) -> Review | None:
    if not person.resident.home:
        raise rules.HomeNeeded()
    return content.hold(
        tx,
        screening,
        subject="team_name",
        subject_pk=team.pk,
        subject_sk=team.sk,
        author_id=person.id,
        area=person.resident.home,
        excerpt=name,
        now=now,
    )


def _count_name(tx: transaction, person: Person, now: datetime) -> None:
    limits.spend(tx, person.id, "team_name", at_most=rules.NAMES_A_DAY, per=DAY, now=now)


def _show_name(tx: transaction, team: Team, name: str, *, also: Sequence[Action] = ()) -> None:
    _write(tx, team, [Team.name.set(name), Team.coming_name.remove(), Team.review.remove(), *also])
    for each in team.members:
        tx.update(Membership.key(each["id"], each["slot"]), [Membership.name.set(name)], or_raise=Changed())


@reviews.on_decision("team_name")
def judged(tx: transaction, review: Review, *, approved: bool, reason: str, now: datetime) -> None:
    """Show the name, or forget it: then the old one stays, and a team without one needs another."""
    team = Team.find(review.subject_pk, review.subject_sk)
    if team is None or team.state != "active" or team.review != review.id or team.coming_name is None:
        raise SubjectGone()
    if approved:
        _show_name(tx, team, team.coming_name)
    else:
        _write(tx, team, [Team.coming_name.remove(), Team.review.remove()])


# ------------------------------------------------------------------------------------------------ joining
def renew_code(*, caller: Caller, team_id: str, attempt: Attempt, now: datetime) -> Team:
    """Another code; the old one stops with the same write."""

    def renew() -> Team:
        person, team = _led(caller, team_id, attempt, now)
        if attempt.made(team):
            return team
        old, team.code = _link(team), attempt.code()
        with transaction() as tx:
            limits.spend(tx, person.id, "team_code", at_most=rules.CODES_A_DAY, per=DAY, now=now)
            tx.create(_link(team), or_raise=Changed())
            tx.delete(old)
            _write(tx, team, [Team.code.set(team.code), *_remember(team, attempt)])
            person.still(tx)
        return team

    return settled(renew)


def join(*, caller: Caller, code: str, attempt: Attempt, now: datetime) -> Team:
    """Become a member by the code that the leader gave out. Tries are limited, right and wrong ones alike."""
    person, slots = people.present_with(caller, *_slots(caller.id), now=now)
    repeated = _joined(slots, attempt)
    if repeated is not None:
        return repeated
    with transaction() as tx:  # in a write of its own, or wrong guesses would not count
        hour = timedelta(hours=1)
        limits.spend(tx, person.id, "team_join", at_most=rules.CODES_TRIED_AN_HOUR, per=hour, now=now)
    link = TeamCode.key(as_typed(code))
    link = TeamCode.fetch(link.pk, link.sk, or_raise=rules.TeamCodeUnknown())

    def become_member() -> Team:
        team, *slots = read_together(Team.key(link.team), *_slots(caller.id))
        repeated = _joined(slots, attempt)
        if repeated is not None:
            return repeated
        if team is None or team.state != "active" or team.code != as_typed(code):
            raise rules.TeamCodeUnknown()
        rules.check_joining(team, person.id)
        slot = rules.free_slot(_used(slots))
        _add(team, person, slot, attempt, now)
        return _read_again(team.id)

    return settled(become_member)


def _add(team: Team, person: Person, slot: int, attempt: Attempt, now: datetime) -> None:
    membership = _membership(team, person.id, slot, now)
    membership.marks = attempt.marks()
    with transaction() as tx:
        tx.create(membership, or_raise=Changed())
        _write(tx, team, [Team.members.set([*team.members, _entry(person, slot, now)])])
        person.still(tx)
        facts = {"who": person.resident.nickname, "team": called(team)}
        notices.tell(tx, team.leader, "team_joined", about=team.id, now=now, **facts)


def _joined(slots: Sequence[Membership | None], attempt: Attempt) -> Team | None:
    """The team that this very request has joined before."""
    membership = next((each for each in slots if each and attempt.made(each)), None)
    return _read_again(membership.team) if membership else None


# ------------------------------------------------------------------------------------------------ leaving
def leave(*, caller: Caller, team_id: str, attempt: Attempt, now: datetime) -> None:
    """Leave a team. What was signed up for with it stays one's own. A leader who is alone dissolves it."""

    def go() -> None:
        person, team = _present(caller, team_id, now)
        if attempt.made(team):
            return
        if not rules.is_in(team, person.id):
            raise rules.TeamGone()
        if team.leader == person.id and len(team.members) > 1:
            raise rules.LeaderStays()
        with transaction() as tx:
            if team.leader == person.id:
                end(tx, team, now=now, also=_remember(team, attempt))
            else:
                take_out(tx, team, person.id, also=_remember(team, attempt))
                facts = {"who": person.resident.nickname, "team": called(team)}
                notices.tell(tx, team.leader, "team_left", about=team.id, now=now, **facts)
            person.still(tx)

    settled(go)


def remove(*, caller: Caller, team_id: str, member: str, attempt: Attempt, now: datetime) -> Team:
    """The leader takes somebody out of the team, who is told."""

    def put_out() -> None:
        person, team = _led(caller, team_id, attempt, now)
        if attempt.made(team):
            return
        if member == person.id:
            raise rules.NotOneself()
        with transaction() as tx:
            take_out(tx, team, member, also=_remember(team, attempt))
            notices.tell(tx, member, "team_removed", about=team.id, now=now, team=called(team))
            person.still(tx)

    settled(put_out)
    return _read_again(team_id)


def hand_over(*, caller: Caller, team_id: str, member: str, attempt: Attempt, now: datetime) -> Team:
    """Another member leads from now on, and is told."""

    def pass_on() -> None:
        person, team = _led(caller, team_id, attempt, now)
        if attempt.made(team):
            return
        if member == person.id:
            raise rules.NotOneself()
        with transaction() as tx:
            own = _member(team, person.id)
            tx.update(Membership.key(person.id, own["slot"]), [Membership.leads.set(False)], or_raise=Changed())
            _write(tx, team, [*leads_now(tx, team, member, now=now), *_remember(team, attempt)])
            person.still(tx)

    settled(pass_on)
    return _read_again(team_id)


def dissolve(*, caller: Caller, team_id: str, attempt: Attempt, now: datetime) -> None:
    """The leader ends the team; everybody else is told, and keeps what was signed up for."""

    def finish() -> None:
        person, team = _led(caller, team_id, attempt, now)
        if attempt.made(team):
            return
        with transaction() as tx:
            end(tx, team, now=now, also=_remember(team, attempt))
            person.still(tx)

    settled(finish)


def take_out(tx: transaction, team: Team, resident_id: str, *, also: Sequence[Action] = ()) -> None:
    """Somebody is in the team no more: TeamMemberUnknown when they were not."""
    member = _member(team, resident_id)
    others = [each for each in team.members if each["id"] != resident_id]
    tx.delete(Membership.key(resident_id, member["slot"]))
    _write(tx, team, [Team.members.set(others), *also])


def leads_now(tx: transaction, team: Team, resident_id: str, *, now: datetime) -> list[Action]:
    """What changes of the team when another member leads, who is told. The code stays: the old leader gave it out."""
    member = _member(team, resident_id)
    tx.update(Membership.key(resident_id, member["slot"]), [Membership.leads.set(True)], or_raise=Changed())
    notices.tell(tx, resident_id, "team_yours", about=team.id, now=now, team=called(team))
    return [Team.leader.set(resident_id)]


def end(tx: transaction, team: Team, *, now: datetime, also: Sequence[Action] = ()) -> None:
    """The team is dissolved, all but the leader are told: 45 memberships, 44 messages and a few items at most."""
    if team.review:
        reviews.drop(tx, team.review, now=now)
    for each in team.members:
        tx.delete(Membership.key(each["id"], each["slot"]))
        if each["id"] != team.leader:
            notices.tell(tx, each["id"], "team_dissolved", about=team.id, now=now, team=called(team))
    if team.code:
        tx.delete(_link(team))
    gone = [attribute.remove() for attribute in (Team.code, Team.coming_name, Team.review)]
    over = [Team.state.set("dissolved"), Team.members.set([]), Team.expires_at.set(_forgotten_at(now))]
    _write(tx, team, [*over, *gone, *also])


def _forgotten_at(now: datetime) -> int:
    return int((now + rules.KEPT_AFTER_THE_END).timestamp())


# ------------------------------------------------------------------------------------------------ the items
def as_read(tx: transaction, team: Team) -> None:
    """Let a transaction depend on the team still being as it was read: nobody has joined, left or taken the lead."""
    tx.check(team, when=Team.version == int(team.version), or_raise=Changed())


def _write(tx: transaction, team: Team, change: Sequence[Action]) -> None:
    version = int(team.version)
    tx.update(team, [*change, Team.version.set(version + 1)], when=Team.version == version, or_raise=Changed())


def _present(caller: Caller, team_id: str, now: datetime) -> tuple[Person, Team]:
    person, [team] = people.present_with(caller, Team.key(team_id), now=now)
    if team is None:
        raise rules.TeamGone()
    return person, team


def _led(caller: Caller, team_id: str, attempt: Attempt, now: datetime) -> tuple[Person, Team]:
    """The leader and the team; also the one who was the leader when this very request was answered the first time."""
    person, team = _present(caller, team_id, now)
    if not attempt.made(team):
        rules.check_leader(team, person.id)
    return person, team


def _remember(team: Team, attempt: Attempt) -> list[Action]:
    """A team may live for years: it remembers the latest requests only."""
    return attempt.remember() if len(team.marks or ()) < rules.REMEMBERED else attempt.remember_alone()


def _read_again(team_id: str) -> Team:
    """As the table has it now, other people's changes included."""
    team = find(team_id)
    if team is None:
        raise rules.TeamGone()
    return team


def _member(team: Team, resident_id: str) -> dict[str, Any]:
    member = team.member(resident_id)
    if member is None:
        raise rules.TeamMemberUnknown()
    return member


def _entry(person: Person, slot: int, now: datetime) -> dict[str, Any]:
    return {"id": person.id, "name": person.resident.nickname, "since": clock.stamp(now), "slot": slot}


def _membership(team: Team, resident_id: str, slot: int, now: datetime) -> Membership:
    membership = Membership.key(resident_id, slot)
    membership.team, membership.name, membership.since = team.id, team.name, now
    membership.leads = team.leader == resident_id
    return membership


def _link(team: Team) -> TeamCode:
    link = TeamCode.key(str(team.code))
    link.team = team.id
    return link


def _slots(resident_id: str) -> list[Membership]:
    return [Membership.key(resident_id, slot) for slot in range(1, rules.TEAMS_AT_MOST + 1)]


def _used(slots: Sequence[Membership | None]) -> set[int]:
    return {int(each.sk.removeprefix(Membership.PREFIX)) for each in slots if each}
