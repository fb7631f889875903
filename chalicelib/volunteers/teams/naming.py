"""Founding a team, and what it is called.

A team whose first name waits for a verdict may gather its members, who see it without a name; it cannot sign up
before the name has passed. A new name shows once it has passed, the old one stays until then.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from chalicelib.content import reviews
from chalicelib.content import service as content
from chalicelib.content.models import Review
from chalicelib.content.rules import SubjectGone
from chalicelib.content.service import Screening
from chalicelib.kit import limits
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed
from chalicelib.kit.table import Action
from chalicelib.kit.transaction import transaction
from chalicelib.people import service as people
from chalicelib.people.service import Person
from chalicelib.volunteers.models import Membership, Team, TeamCode
from chalicelib.volunteers.teams import membership as teams
from chalicelib.volunteers.teams import rules
from chalicelib.wechat.content import Scene


def found(*, caller: Caller, typed: str, attempt: Attempt, now: datetime) -> Team:
    """Found a team, and lead it."""
    name = rules.name(typed)
    team_id = attempt.id("team")
    screening: Screening | None = None

    @teams.settled
    def create() -> Team:
        nonlocal screening
        person, (before, *slots) = people.present_with(caller, Team.key(team_id), *Membership.slots(caller.id), now=now)
        if before is not None:
            return _founded(before, attempt)
        slot = teams.free_slot(slots)
        screening = screening or content.screen(caller, scene=Scene.PROFILE, now=now, title=name)
        team = Team.key(team_id)
        team.leader, team.created_at, team.marks, team.version = person.id, now, attempt.marks(), 1
        team.code = attempt.code()
        team.members = [teams.entry(person, slot, now)]
        with person.acting() as tx:
            _count_name(tx, person, now)
            review = _hold(tx, team, screening, name, person, now)
            team.name, team.coming_name, team.review = (None, name, review.id) if review else (name, None, None)
            tx.create(team, or_raise=Changed())
            tx.create(TeamCode.to(team), or_raise=Changed())
            tx.create(Membership.of(team, person.id, slot, now), or_raise=Changed())
        return team

    return create()


def _founded(before: Team, attempt: Attempt) -> Team:
    attempt.made(before)  # KeyReused for another name
    if before.state != "active":
        raise rules.TeamGone()
    return before


def rename(*, caller: Caller, team_id: str, typed: str, attempt: Attempt, now: datetime) -> Team:
    """Give the team another name, which shows once it has passed."""
    name = rules.name(typed)
    screening: Screening | None = None

    @teams.settled
    def change() -> Team:
        nonlocal screening
        person, team = teams.led(caller, team_id, attempt, now)
        if attempt.made(team):
            return team
        screening = screening or content.screen(caller, scene=Scene.PROFILE, now=now, title=name)
        with person.acting() as tx:
            _count_name(tx, person, now)
            if team.review:
                reviews.drop(tx, team.review, now=now)
            review = _hold(tx, team, screening, name, person, now)
            if review is None:
                _show_name(tx, team, name, also=teams.remember(team, attempt))
            else:
                waiting = Team.set(coming_name=name, review=review.id)
                teams.write(tx, team, [*waiting, *teams.remember(team, attempt)])
        return team

    change()
    return teams.read_again(team_id)


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
    limits.spend(tx, person.id, "team_name", at_most=rules.NAMES_A_DAY, per=timedelta(days=1), now=now)


def _show_name(tx: transaction, team: Team, name: str, *, also: Sequence[Action] = ()) -> None:
    teams.write(tx, team, [*Team.set(name=name, coming_name=None, review=None), *also])
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
        teams.write(tx, team, Team.set(coming_name=None, review=None))
