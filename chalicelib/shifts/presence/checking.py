"""Checking in and out: by the organiser's rotating code, by its six digits, or by the organiser's list.

One read and one write. That the place is still theirs, the shift still as it was read, and the guesses not used up
is decided in the write, so two phones, or many guesses at once, end as one after the other.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from chalicelib.kit import limits, log
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed, Problem, TooMany, Unavailable
from chalicelib.kit.table import Action
from chalicelib.kit.transaction import transaction
from chalicelib.people import service as people
from chalicelib.shifts import rules
from chalicelib.shifts.in_charge import in_charge
from chalicelib.shifts.models import Shift, SignUp, named, settled
from chalicelib.shifts.places import counting as places
from chalicelib.shifts.presence import codes
from chalicelib.shifts.presence import rules as presence_rules
from chalicelib.volunteers.models import Volunteer
from chalicelib.volunteers.rules import Taken
from chalicelib.wechat.codes import mini_program_code

# Opened by whoever scans the code; which shift and which moment are in its scene.
CHECK_IN_PAGE = "pages/shift/check-in"
# The organiser's page asks for one every thirty seconds; two phones may show it. WeChat draws 5,000 a minute for us all.
PICTURES_AN_HOUR = 300

Way = Literal["in", "out"]


class Proof(msgspec.Struct, frozen=True):
    """What somebody shows for being there: a scene, or six digits as they were typed."""

    by: Literal["qr", "code"]
    text: str


class Shown(msgspec.Struct, frozen=True):
    """What the organiser's page shows. `refresh_at`: when the next code takes over; then this one goes on for as long."""

    code: str
    scene: str
    picture: str | None
    refresh_at: datetime
    good_until: datetime


def show_code(*, caller: Caller, shift_id: str, with_picture: bool, now: datetime) -> Shown:
    """The codes of this moment, for who runs the shift. The picture is None when WeChat gives none: digits do as well."""
    _, shift, _ = in_charge(caller, shift_id, now=now)
    if shift.state == "cancelled":
        raise rules.ShiftCancelled()
    if shift.state != "published" or now >= shift.end_at + rules.CLOSES_AFTER:
        raise presence_rules.ShiftOver()
    if now < rules.opens(shift.start_at):
        raise presence_rules.CheckInTooEarly(opens=rules.opens(shift.start_at))
    scene = codes.scene(shift.id, now)
    refresh_at = codes.shown_until(now, codes.SCENE_SHOWN)
    return Shown(
        code=codes.digits(shift.id, now),
        scene=scene,
        picture=_picture(caller, scene, now) if with_picture else None,
        refresh_at=refresh_at,
        good_until=refresh_at + codes.SCENE_SHOWN,
    )


def _picture(caller: Caller, scene: str, now: datetime) -> str | None:
    try:
        with transaction() as tx:
            limits.spend(tx, caller.id, "shift_picture", at_most=PICTURES_AN_HOUR, per=timedelta(hours=1), now=now)
        drawn = mini_program_code(scene, CHECK_IN_PAGE)
    except (TooMany, Unavailable) as problem:
        log.count("no_check_in_picture", code=problem.code)
        return None
    kind = "png" if drawn.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(drawn).decode()}"


def with_code(*, caller: Caller, shift_id: str, way: Way, code: str, attempt: Attempt, now: datetime) -> SignUp:
    """Check in or out by the six digits."""
    typed = codes.as_typed(code)
    if typed is None:
        raise presence_rules.NoDigits()
    return _by_proof(caller, shift_id, way, Proof("code", typed), attempt, now)


def with_scene(*, caller: Caller, way: Way, scene: str, attempt: Attempt, now: datetime) -> SignUp:
    """Check in or out by the code that was scanned: it says which shift is meant."""
    shift_id = codes.shift_in(scene)
    if shift_id is None:
        raise presence_rules.CodeWrong()
    return _by_proof(caller, shift_id, way, Proof("qr", scene), attempt, now)


class _Limit(msgspec.Struct, frozen=True):
    whose: str
    act: str
    at_most: int
    per: timedelta

    def count(self, tx: transaction, now: datetime) -> None:
        limits.spend(
            tx, self.whose, self.act, at_most=self.at_most, per=self.per, now=now, detail=presence_rules.OTHER_WAYS
        )

    def leave_room(self, tx: transaction, now: datetime, *, at_most: int | None = None) -> None:
        limits.leave_room(
            tx,
            self.whose,
            self.act,
            at_most=at_most or self.at_most,
            per=self.per,
            now=now,
            detail=presence_rules.OTHER_WAYS,
        )


class Guesses(msgspec.Struct, frozen=True):
    """How often a code may be guessed wrong: by one person, and by all together at a shift.

    Others who guess keep nobody out who has not: with all guesses at a shift used up everybody still has a first one.
    """

    own: _Limit
    at_shift: _Limit | None = None

    def count(self, now: datetime) -> None:
        """A wrong one. TooMany when there were none left; one's own is counted even then."""
        try:
            with transaction() as tx:
                self.own.count(tx, now)
                if self.at_shift:
                    self.at_shift.count(tx, now)
        except TooMany:
            if self.at_shift:
                with transaction() as tx:
                    self.own.count(tx, now)
            raise

    def let_through(self, write: Callable[[transaction], None], now: datetime) -> None:
        """Do this write for a right one, as long as there are guesses left: TooMany."""
        try:
            with transaction() as tx:
                write(tx)
                self.own.leave_room(tx, now)
                if self.at_shift:
                    self.at_shift.leave_room(tx, now)
        except TooMany:
            if not self.at_shift:
                raise
            with transaction() as tx:
                write(tx)
                self.own.leave_room(tx, now, at_most=1)


def _guesses(caller: Caller, shift: Shift, proof: Proof) -> Guesses:
    # Scenes and digits apart from each other: who has mistyped the digits may still scan.
    own = _Limit(caller.id, f"guess_shift_{proof.by}", presence_rules.GUESSES, presence_rules.GUESSES_PER)
    if proof.by == "qr":
        return Guesses(own)  # thirty bits, good for a minute: many people together find none either
    return Guesses(
        own, _Limit(shift.pk, "guess", presence_rules.GUESSES_AT_A_SHIFT, presence_rules.GUESSES_AT_A_SHIFT_PER)
    )


@settled
def _by_proof(caller: Caller, shift_id: str, way: Way, proof: Proof, attempt: Attempt, now: datetime) -> SignUp:
    shift: Shift | None
    mine: SignUp | None
    file: Volunteer | None
    person, (shift, mine, file) = people.present_with(
        caller, Shift.key(shift_id), SignUp.key(shift_id, caller.id), Volunteer.key(caller.id), now=now
    )
    if shift is None:
        raise rules.ShiftGone() if proof.by == "code" else presence_rules.CodeWrong()
    if proof.by == "code":
        named(shift, shift_id)
    if mine and attempt.made(mine):
        return mine
    mine = _may(way, shift, mine, file.taken if file else {}, now)
    guesses = _guesses(caller, shift, proof)
    _check_proof(shift, proof, guesses, now)

    def write(tx: transaction) -> None:
        note(tx, mine, way, by=proof.by, attempt=attempt, now=now)
        tx.check(shift, when=places.as_planned(shift), or_raise=Changed())
        person.still(tx)

    guesses.let_through(write, now)
    return noted(mine, way, now)


def _may(way: Way, shift: Shift, mine: SignUp | None, taken: Taken, now: datetime) -> SignUp:
    """The sign-up, if it may be checked in or out now."""
    others = {key: span for key, span in taken.items() if key != shift.id}
    check = presence_rules.check_arrival if way == "in" else presence_rules.check_departure
    check(shift, mine, others, now=now)
    if mine is None:
        raise rules.NotSignedUp()
    return mine


def _check_proof(shift: Shift, proof: Proof, guesses: Guesses, now: datetime) -> None:
    """CodeOld, which costs nothing; or CodeWrong, once the guess is counted."""
    judge = codes.judge_scene if proof.by == "qr" else codes.judge_digits
    verdict = judge(shift.id, proof.text, now)
    if verdict == "old":
        raise presence_rules.CodeOld()
    if verdict == "wrong":
        guesses.count(now)
        raise presence_rules.CodeWrong()


@settled
def by_list(*, caller: Caller, shift_id: str, whom: str, way: Way, attempt: Attempt, now: datetime) -> SignUp:
    """Who runs the shift ticks somebody off their list, come or gone. Nobody ticks themself.

    Once it has begun, who has waited and is there may be ticked, too, as long as there is a place.
    """
    theirs: SignUp | None
    person, shift, (theirs,) = in_charge(caller, shift_id, SignUp.key(shift_id, whom), now=now)
    if theirs is None:
        raise presence_rules.NotOnTheList()
    person.apart_from(whom, or_raise=presence_rules.NotForYourself())
    if attempt.made(theirs):
        return theirs
    waited = way == "in" and presence_rules.may_be_let_in(shift, theirs, now=now)
    with of_another():
        if not waited:
            _may(way, shift, theirs, {}, now)
        with person.acting() as tx:
            note(tx, theirs, way, by=person.id, attempt=attempt, now=now)
            if waited:
                places.take_once_begun(tx, shift, theirs)
            else:
                tx.check(shift, when=places.as_planned(shift), or_raise=Changed())
    return noted(theirs, way, now)


@contextmanager
def of_another() -> Iterator[None]:
    """A refusal meant for the one who comes, in words for the organiser who is told of it."""
    try:
        yield
    except Problem as refusal:
        refusal.detail = presence_rules.OF_ANOTHER.get(refusal.code, refusal.detail)
        raise


def note(tx: transaction, mine: SignUp, way: Way, *, by: str, attempt: Attempt, now: datetime) -> None:
    """Come, or gone, now: late in and early out count as they were."""
    change: list[Action] = (
        SignUp.set(state="checked_in", in_at=now, in_by=by)
        if way == "in"
        else SignUp.set(state="checked_out", out_at=now, out_by=by)
    )
    tx.update(mine, [*change, *attempt.remember()], when=SignUp.state == mine.state, or_raise=Changed())


def noted(mine: SignUp, way: Way, now: datetime) -> SignUp:
    """The sign-up as it is after that."""
    if way == "in":
        mine.state, mine.in_at = "checked_in", now
    else:
        mine.state, mine.out_at = "checked_out", now
    return mine
