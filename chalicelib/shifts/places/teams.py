"""A team signs up as one: all its members or none, in one write; and its leader may take all of them off again.

For each member the write holds the sign-up and the diary; further the shift, the team as it was read, the leader and a
round: 94 of a hundred items for 45 members. Their resident items are only read, for there is no room to check them too. What
that leaves open is closed by the team: whoever closes their account is taken out of their teams before their sign-ups
are erased, so a sign-up that still met the team as read is there for the eraser to find. A home that changes in the
same moment counts as it was read.

There is no waiting list for teams. Nor is there room for the messages: the round tells everybody within minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

import msgspec

from chalicelib.kit import auth, clock
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed, Problem
from chalicelib.kit.table import read_together
from chalicelib.kit.transaction import ServerBusy, transaction
from chalicelib.notices import service as notices
from chalicelib.people import service as people
from chalicelib.people.models import Resident
from chalicelib.people.rules import AccountClosed
from chalicelib.people.service import Person
from chalicelib.shifts import rounds, rules
from chalicelib.shifts.models import Round, Shift, SignUp, named, settled, times
from chalicelib.shifts.places import counting as places
from chalicelib.shifts.places import signing_up, team_rules
from chalicelib.volunteers import diary, eligibility
from chalicelib.volunteers import rules as volunteers
from chalicelib.volunteers.models import Team, Volunteer
from chalicelib.volunteers.teams import membership as teams
from chalicelib.volunteers.teams import rules as team_membership

JOINED, LEFT = "team_joined", "team_left"  # the rounds


class Member(msgspec.Struct, frozen=True):
    """One of a team, as read for a shift."""

    id: str
    name: str  # as the team knows them
    resident: Resident | None
    sign_up: SignUp | None
    file: Volunteer | None


class TeamOnShift(msgspec.Struct, frozen=True):
    """Whom a team's sign-up or withdrawal was about: the current members and their sign-ups with the team."""

    team: Team
    shift: Shift
    sign_ups: list[SignUp]
    repeated: bool = False


@settled
def sign_up(*, caller: Caller, shift_id: str, team_id: str, attempt: Attempt, now: datetime) -> TeamOnShift:
    """Sign all members up, by the leader: two reads and one write. Refused whole, with the one because of whom."""
    person, shift, team, own = _read(caller, shift_id, team_id, now)
    if own and attempt.made(own):
        assert team is not None  # noqa: S101 - `own` is with the team
        return TeamOnShift(team, shift, _with_team(_members(team, shift), team) or [own], repeated=True)
    team = _led(team, person)
    rules.check_open(shift, now=now)
    members = _members(team, shift)
    with_it = _with_team(members, team)
    if any(attempt.made(each) for each in with_it):
        # By its own twin, since the first read. Read after the shift, so nobody is refused for what they did.
        return TeamOnShift(team, shift, with_it, repeated=True)
    team_rules.check_room(shift.left, len(members))
    return _take_places(shift, team, members, person, attempt, now)


def _read(
    caller: Caller, shift_id: str, team_id: str, now: datetime
) -> tuple[Person, Shift, Team | None, SignUp | None]:
    """`own` is the caller's sign-up if it is with this team."""
    own: SignUp | None
    person, (found, team, own) = people.present_with(
        caller, Shift.key(shift_id), Team.key(team_id), SignUp.key(shift_id, caller.id), now=now
    )
    shift = named(found, shift_id)
    return person, shift, team, own if own and own.team == team_id and team is not None else None


def _led(team: Team | None, person: Person) -> Team:
    team_membership.check_leader(team, person.id)
    assert team is not None  # noqa: S101 - check_leader has refused
    if team.name is None:
        raise team_membership.TeamNameInReview()
    return team


def _members(team: Team, shift: Shift) -> list[Member]:
    """All members with what decides about them: three items each, in one BatchGetItem for up to 33."""
    ids = [each["id"] for each in team.members]
    read = read_together(
        *(Resident.key(member) for member in ids),
        *(SignUp.key(shift.id, member) for member in ids),
        *(Volunteer.key(member) for member in ids),
    )
    number = len(ids)
    columns = zip(team.members, read[:number], read[number : 2 * number], read[2 * number :], strict=True)
    return [Member(each["id"], each["name"], *found) for each, *found in columns]


def _with_team(members: Sequence[Member], team: Team) -> list[SignUp]:
    """The members' sign-ups that were made with the team."""
    return [each.sign_up for each in members if each.sign_up and each.sign_up.team == team.id]


def _take_places(
    shift: Shift, team: Team, members: Sequence[Member], person: Person, attempt: Attempt, now: datetime
) -> TeamOnShift:
    refusals = [(each.name, refusal) for each in members if (refusal := _why_not(each, shift, now))]
    team_rules.refuse_for(refusals)
    new = [_place(each, shift, team, attempt, now) for each in members]
    with person.acting() as tx:
        places.take(tx, shift, len(new))
        for each, sign_up in zip(members, new, strict=True):
            signing_up.write(tx, sign_up, before=each.sign_up)
            diary.enter(tx, each.file, each.id, times(shift), now=now)
        _begin(tx, JOINED, shift, team, person, now)
        teams.as_read(tx, team)
    return TeamOnShift(team, shift, new)


def _why_not(member: Member, shift: Shift, now: datetime) -> Problem | None:
    """What this member alone would be refused with; one who withdrew earlier may come with the team."""
    try:
        if member.resident is None or member.resident.state != "active":
            raise AccountClosed()
        if member.resident.consent_version != auth.privacy().version:
            raise team_rules.MemberConsentNeeded()
        if member.sign_up and member.sign_up.state != "cancelled":
            raise rules.AlreadySignedUp()
        signing_up.check_not_too_often(member.sign_up, now)
        rules.check_audience(shift, member.resident.home, member.resident.home_state)
        eligibility.check(member.file, approved=shift.needs_approval, on=clock.day(shift.start_at))
        volunteers.with_times(member.file.taken if member.file else {}, times(shift), now=now)
    except tuple(team_rules.TOLD) as refusal:
        return refusal
    return None


def _place(member: Member, shift: Shift, team: Team, attempt: Attempt, now: datetime) -> SignUp:
    assert member.resident is not None  # noqa: S101 - `_why_not` has refused
    new = signing_up.place_for(shift, member.id, member.resident.nickname, now, before=member.sign_up)
    new.team, new.team_name = team.id, team.name
    new.marks = attempt.marks_with(member.sign_up)
    return new


@rounds.of(JOINED)
def tell_who_comes(this: Round, shift: Shift, mine: SignUp, file: Volunteer | None, *, now: datetime) -> None:
    """Tell one whom the leader has signed up, unless they have withdrawn, or it was cancelled, since."""
    if shift.state == "published" and mine.state == "signed_up" and _is_told(this, mine, mine.at):
        _tell(mine, "shift_team_signed_up", shift, at=mine.at, now=now, place=mine.place)


def _is_told(this: Round, mine: SignUp, at: datetime) -> bool:
    """Is this what the leader did then, and to somebody else?"""
    if mine.team != this.facts["team"] or mine.person == this.facts["leader"]:
        return False
    return clock.stamp(at) == str(this.facts["at"])


def _tell(mine: SignUp, kind: str, shift: Shift, *, at: datetime, now: datetime, **more: str) -> None:
    facts = {"team": str(mine.team_name), "title": mine.title, "when": clock.spoken(mine.start_at), **more}
    by = shift.start_at - rules.ON_THE_WAY
    notices.tell_once(mine.person, kind, about=shift.id, at=at, now=now, facts=facts, area=shift.area, needed_by=by)


def _begin(tx: transaction, what: str, shift: Shift, team: Team, leader: Person, now: datetime) -> None:
    """Let everybody of the team hear of it, one after the other."""
    made = Round.of(shift, what, now, team=team.id, leader=leader.id, at=clock.stamp(now))
    tx.create(made, or_raise=Changed())


def withdraw(*, caller: Caller, shift_id: str, team_id: str, attempt: Attempt, now: datetime) -> TeamOnShift:
    """Take all members off who are signed up with the team; who waits moves up. The leader's own late withdrawal is noted.

    Those who have left the team since keep their places. Others of it may have withdrawn by themselves before.
    """

    @settled
    def give_up() -> TeamOnShift:
        person, [found, team] = people.present_with(caller, Shift.key(shift_id), Team.key(team_id), now=now)
        shift = named(found, shift_id)
        if team is None:
            raise team_membership.TeamGone()
        members = _members(team, shift)
        repeated = [each for each in _with_team(members, team) if attempt.made(each)]
        if repeated:
            return TeamOnShift(team, shift, repeated, repeated=True)
        team_membership.check_leader(team, person.id)
        return _give_up(shift, team, members, person, attempt, now)

    done = give_up()
    if int(done.shift.waiting):
        # Too many come and go at this moment: the team is off all the same, and the round lets people in.
        with suppress(rules.TryAgain, ServerBusy):
            places.fill(done.shift.id, now=now)
    return done


def _give_up(
    shift: Shift, team: Team, members: Sequence[Member], person: Person, attempt: Attempt, now: datetime
) -> TeamOnShift:
    leaving = [(each, each.sign_up) for each in members if each.sign_up and _may_leave(each.sign_up, team)]
    if not leaving:
        raise team_rules.TeamNotSignedUp()
    for _, sign_up in leaving:
        signing_up.check_withdrawal(shift, sign_up, now)
    late = {sign_up.person for _, sign_up in leaving if signing_up.is_late(shift, sign_up, now)}
    with person.acting() as tx:
        _free(tx, shift, len(leaving))
        _begin(tx, LEFT, shift, team, person, now)
        for member, sign_up in leaving:
            own = member.id == person.id
            by, noted = "self" if own else "team", own and member.id in late
            signing_up.cancel(tx, sign_up, by=by, now=now, also=attempt, late=noted)
            diary.leave(tx, member.file, shift.id, now=now)
        if late:
            signing_up.tell_late(tx, shift, who=f"小队“{teams.called(team)}”", but=person.id, now=now)
        teams.as_read(tx, team)
    for _, sign_up in leaving:
        sign_up.state, sign_up.cancelled_at = "cancelled", now
    return TeamOnShift(team, shift, [sign_up for _, sign_up in leaving])


def _may_leave(sign_up: SignUp, team: Team) -> bool:
    """Who has checked in already has come, and stays."""
    return sign_up.team == team.id and sign_up.state == "signed_up"


def _free(tx: transaction, shift: Shift, number: int) -> None:
    """Free the places. While somebody waits they are free for those alone, and the round makes sure that they get them."""
    if int(shift.waiting):
        tx.update(shift, [Shift.taken.add(-number)], when=Shift.taken >= number, or_raise=Changed())
    else:
        places.free(tx, shift, number)


@rounds.of(LEFT)
def tell_who_is_off(this: Round, shift: Shift, mine: SignUp, file: Volunteer | None, *, now: datetime) -> None:
    """Tell one whom the leader has taken off, unless they have signed up again or closed their account since."""
    if mine.state != "cancelled" or mine.cancelled_at is None or file is None:
        return
    if _is_told(this, mine, mine.cancelled_at):
        _tell(mine, "shift_team_withdrawn", shift, at=mine.cancelled_at, now=now)


@rounds.finished(LEFT)
def let_in(shift: Shift, *, now: datetime) -> None:
    """Let those who wait have the places that the team has left, when the withdrawal itself could not."""
    places.fill(shift.id, now=now)
